import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { readStates } from '../../../src/collectors/azure-policy/document.ts';
import type { Json } from '../../../src/model/index.ts';

const guid = 'd8cf8476-a2ec-4916-896e-992351803c44';
const subscription = '1c0f3e6a-52d7-4b0e-8f6d-20c7a4e1b901';
const vault = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/V`;
const policyDefinitionId = `/providers/Microsoft.Authorization/policyDefinitions/${guid}`;
const state = { resourceId: vault, policyDefinitionId, policyAssignmentName: 'baseline', complianceState: 'NonCompliant' };
const told = { rule: guid, deployment: 'baseline', verdict: 'NonCompliant', uid: vault.toLowerCase(), scope: { account: subscription } };

describe('states in one document', () => {
  test('a row of Resource Graph, a state as Policy Insights lists it, in snake case, and pages of them', () => {
    const snake = {
      resource_id: vault,
      policy_definition_id: policyDefinitionId,
      policy_assignment_name: 'baseline',
      compliance_state: 'NonCompliant',
    };
    for (const row of [{ id: 'x', type: 'microsoft.policyinsights/policystates', properties: state }, state, snake])
      for (const document of [row, { value: [row] }, { data: [row] }, JSON.stringify(row)])
        expect(readStates(document), JSON.stringify(document)).toMatchObject([told]);
  });

  test('an event names the resource beside its data; one about the end of a state tells nothing', () => {
    const event = (eventType: string): Json => {
      const { resourceId, policyAssignmentName: _, ...data } = state;
      return { id: '5c', subject: resourceId, eventType, data: { ...data, policyAssignmentId: 'baseline', subscriptionId: subscription } };
    };
    expect(readStates(event('Microsoft.PolicyInsights.PolicyStateChanged'))).toMatchObject([told]);
    expect(readStates(event('Microsoft.PolicyInsights.PolicyStateDeleted'))).toBeNull();
  });

  test('a definition of the organisation is not the built-in one of the same name', () => {
    expect(readStates({ ...state, policyDefinitionId: `/subscriptions/${subscription}${policyDefinitionId}` })).toEqual([]);
  });

  test('nothing else is a state', () => {
    expect(readStates({ id: vault, type: 'Microsoft.KeyVault/vaults', properties: {} })).toBeNull();
    expect(readStates([])).toBeNull();
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readStates(value as Json);
        readStates({ ...state, resourceId: value as Json });
        readStates({ properties: { policyDefinitionId: value as Json } });
      }),
    );
  });
});
