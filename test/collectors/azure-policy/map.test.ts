import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { namesAbove } from '../../../src/controls/assess/verdict-names.ts';
import { objectRecords, policyGuid, stateRecords } from '../../../src/collectors/azure-policy/map.ts';
import type { Json, Query } from '../../../src/model/index.ts';

const guid = 'd8cf8476-a2ec-4916-896e-992351803c44';
const subscription = '1c0f3e6a-52d7-4b0e-8f6d-20c7a4e1b901';
const vault = `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/V`;
const query = { parameters: { tenant: 't', subscription }, types: ['microsoft.authorization/policyassignments'] } as unknown as Query;
const verdicts = (page: Json) =>
  [...stateRecords(page, query, 'f.json')].flatMap((record) => (record.record === 'verdict' ? [record.verdict] : []));
const state = (properties: Record<string, Json>): Json => ({
  data: [
    {
      id: 'x',
      properties: {
        policyDefinitionId: `/providers/Microsoft.Authorization/policyDefinitions/${guid.toUpperCase()}`,
        resourceId: vault,
        resourceType: 'Microsoft.KeyVault/vaults',
        policyAssignmentName: 'baseline',
        ...properties,
      },
    },
  ],
});

describe('states', () => {
  test("a state is a verdict on its resource, in the provider's own word", () => {
    expect(
      verdicts(state({ complianceState: 'NonCompliant', timestamp: '2026-11-01T00:00:00Z', policyDefinitionReferenceId: 'rotate' })),
    ).toEqual([
      {
        provider: 'azure',
        rule: guid,
        deployment: 'baseline/rotate',
        verdict: 'NonCompliant',
        resourceType: 'microsoft.keyvault/vaults',
        uid: vault.toLowerCase(),
        scope: { provider: 'azure', account: subscription, region: '*' },
        evaluatedAt: '2026-11-01T00:00:00Z',
        citation: { file: 'f.json', pointer: '/data/0', encoding: 'json' },
      },
    ]);
  });

  test('assignments of one name are told apart by their scope', () => {
    const at = (scope: string): string | undefined =>
      verdicts(state({ policyAssignmentId: `${scope}/providers/Microsoft.Authorization/policyAssignments/baseline` }))[0]?.deployment;
    expect(at('/subscriptions/S')).toBe('baseline at /subscriptions/s');
    expect(at('/subscriptions/S/resourceGroups/mine')).toBe('baseline at /subscriptions/s/resourcegroups/mine');
  });

  test('unknown and missing words are kept as they are, never guessed', () => {
    expect(verdicts(state({ complianceState: 'FutureState' }))[0]?.verdict).toBe('FutureState');
    expect(verdicts(state({}))[0]).toMatchObject({ verdict: '', evaluatedAt: null });
  });

  test('a type with a slash in front is that type', () => {
    const slashed = verdicts(state({ resourceType: '/Microsoft.KeyVault/vaults', complianceState: 'Compliant' }))[0];
    expect(slashed?.resourceType).toBe('microsoft.keyvault/vaults');
  });

  test('components are told apart below their resource', () => {
    const uids = ['keys/one', 'two', 'https://v.vault.azure.net/keys/Three', '/subscriptions/x/KEY'].map(
      (componentId) => verdicts(state({ componentId, componentType: 'Key', complianceState: 'Compliant' }))[0],
    );
    expect(uids.map((one) => one?.uid)).toEqual([
      `${vault}/Key/keys%2Fone`.toLowerCase(),
      `${vault}/Key/two`.toLowerCase(),
      `${vault}/Key/https:%2F%2Fv.vault.azure.net%2Fkeys%2Fthree`.toLowerCase(),
      '/subscriptions/x/key',
    ]);
    expect(uids[0]?.resourceType).toBe('key');
    const long = verdicts(state({ componentId: 'one', componentType: 'Microsoft.KeyVault.Data/vaults/keys' }))[0];
    expect(long).toMatchObject({ uid: `${vault}/keys/one`.toLowerCase(), resourceType: 'microsoft.keyvault.data/vaults/keys' });
    for (const one of [...uids.slice(0, 3), long]) expect(one && namesAbove(one)).toContain(vault.toLowerCase());
  });

  test('total over any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        verdicts(value as Json);
        verdicts({ data: [value as Json] });
        verdicts({ data: [{ properties: value as Json }] });
      }),
    );
  });
});

describe('objects', () => {
  test("a subscription's list holds inherited objects too: only its own are records of it", () => {
    const own = `/subscriptions/${subscription}/providers/Microsoft.Authorization/policyAssignments/a`;
    const inherited = '/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/policyAssignments/b';
    const found = [...objectRecords({ value: [{ id: inherited }, { id: own }, null] }, query, 'f.json')];
    expect(found).toMatchObject([{ resource: { uid: own.toLowerCase(), account: subscription, citation: { pointer: '/value/1' } } }]);
  });

  test('GUIDs come from ids of any case; initiatives have none', () => {
    expect(policyGuid(`/providers/Microsoft.Authorization/PolicyDefinitions/${guid}`)).toBe(guid);
    expect(policyGuid('/providers/Microsoft.Authorization/policySetDefinitions/x')).toBe('');
  });
});
