import type { JsonObject } from '../../model/index.ts';
import { type AzureCell, type AzurePopulation, type AzureRow, azureTenant } from './azure-model.ts';
import { day, hour, iso, textOf } from './population.ts';
import { hash32, random } from './random.ts';

interface PolicySpec {
  readonly id: string;
  readonly reference: string;
  readonly title: string;
  /** Lower-case type whose records it judges. */
  readonly over: string;
  /** Child that the state is about, below the record. */
  readonly child?: { readonly path: string; readonly type: string };
  readonly bad: readonly string[];
  /** Judges the keys inside a vault: results are component states. */
  readonly keys?: 'rotation' | 'expiry' | 'size' | 'hsm';
}

/** Built-in policies of the assigned initiative, by their real definition ids. */
export const assignedPolicies: readonly PolicySpec[] = [
  {
    id: '6fac406b-40ca-413b-bf8e-0bf964659c25',
    reference: 'storageCmk',
    title: 'Storage accounts should use customer-managed key for encryption',
    over: 'microsoft.storage/storageaccounts',
    bad: ['platform-key'],
  },
  {
    id: '0a370ff3-6cab-4e85-8995-295fd854c5b8',
    reference: 'sqlCmk',
    title: 'SQL servers should use customer-managed keys to encrypt data at rest',
    over: 'microsoft.sql/servers',
    bad: ['platform-key'],
  },
  {
    id: '17k78e20-9358-41c9-923c-fb736d382a12',
    reference: 'sqlTde',
    title: 'Transparent Data Encryption on SQL databases should be enabled',
    over: 'microsoft.sql/servers',
    child: { path: 'databases/main', type: 'microsoft.sql/servers/databases' },
    bad: [],
  },
  {
    id: 'a6fb4358-5bf4-4ad7-ba82-2cd2f41ce5e9',
    reference: 'sqlAuditing',
    title: 'Auditing on SQL server should be enabled',
    over: 'microsoft.sql/servers',
    bad: [],
  },
  {
    id: '0b60c0b2-2dc2-4e1c-b5c9-abbed971de53',
    reference: 'vaultPurge',
    title: 'Key vaults should have deletion protection enabled',
    over: 'microsoft.keyvault/vaults',
    bad: ['vault-no-purge-protection', 'vault-soft-delete-off'],
  },
  {
    id: 'cf820ca0-f99e-4f3e-84fb-66e913812d21',
    reference: 'vaultLogs',
    title: 'Resource logs in Key Vault should be enabled',
    over: 'microsoft.keyvault/vaults',
    bad: [],
  },
  {
    id: 'd8cf8476-a2ec-4916-896e-992351803c44',
    reference: 'keyRotation',
    title: 'Keys should have a rotation policy',
    over: 'microsoft.keyvault/vaults',
    bad: [],
    keys: 'rotation',
  },
  {
    id: '152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0',
    reference: 'keyExpiry',
    title: 'Key Vault keys should have an expiration date',
    over: 'microsoft.keyvault/vaults',
    bad: [],
    keys: 'expiry',
  },
  {
    id: '82067dbb-e53b-4e06-b631-546d197452d9',
    reference: 'keySize',
    title: 'Keys using RSA cryptography should have a specified minimum key size',
    over: 'microsoft.keyvault/vaults',
    bad: [],
    keys: 'size',
  },
  {
    id: '587c79fe-dd04-4a5e-9d0b-f89598c7261b',
    reference: 'keyHsm',
    title: 'Keys should be backed by a hardware security module (HSM)',
    over: 'microsoft.keyvault/vaults',
    bad: [],
    keys: 'hsm',
  },
];

export const initiativeName = 'northwind-encryption';
const productionGroup = '/providers/Microsoft.Management/managementGroups/nw-production';
const definitionId = (id: string): string => `/providers/Microsoft.Authorization/policyDefinitions/${id}`;

/** The initiative stands at the production management group, and again at the development subscription. */
export function initiativeScope(cell: AzureCell): string | null {
  if (cell.subscription.weight === 0) return null;
  return cell.subscription.managementGroup === 'nw-production' ? productionGroup : `/subscriptions/${cell.subscription.id}`;
}
const setIdOf = (scope: string): string => `${scope}/providers/Microsoft.Authorization/policySetDefinitions/${initiativeName}`;
const assignmentIdOf = (scope: string): string => `${scope}/providers/Microsoft.Authorization/policyAssignments/${initiativeName}`;

const created = (asOf: number): JsonObject => ({
  createdBy: '9f0e7a52-1f6a-4f0d-8a60-2f4b8a1c0d77',
  createdOn: iso(asOf - 300 * day),
  updatedBy: null,
  updatedOn: null,
});

export function policyAssignment(scope: string, asOf: number): JsonObject {
  return {
    id: assignmentIdOf(scope),
    type: 'Microsoft.Authorization/policyAssignments',
    name: initiativeName,
    location: 'westeurope',
    identity: { type: 'None' },
    properties: {
      displayName: 'Northwind encryption',
      policyDefinitionId: setIdOf(scope),
      definitionVersion: '1.*.*',
      scope,
      notScopes: [],
      parameters: {},
      enforcementMode: 'Default',
      metadata: created(asOf),
      nonComplianceMessages: [],
    },
  };
}
export function policySet(scope: string, asOf: number): JsonObject {
  return {
    id: setIdOf(scope),
    type: 'Microsoft.Authorization/policySetDefinitions',
    name: initiativeName,
    properties: {
      displayName: 'Northwind encryption',
      policyType: 'Custom',
      description: '',
      metadata: { category: 'Encryption', ...created(asOf) },
      version: '1.0.0',
      parameters: {},
      policyDefinitions: assignedPolicies.map((policy) => ({
        policyDefinitionReferenceId: policy.reference,
        policyDefinitionId: definitionId(policy.id),
        parameters: policy.keys === 'size' ? { minimumRSAKeySize: { value: 3072 } } : {},
        groupNames: [],
      })),
    },
  };
}
export function builtinPolicy(policy: PolicySpec): JsonObject {
  return {
    id: definitionId(policy.id),
    type: 'Microsoft.Authorization/policyDefinitions',
    name: policy.id,
    properties: {
      displayName: policy.title,
      policyType: 'BuiltIn',
      mode: policy.keys === undefined ? 'Indexed' : 'Microsoft.KeyVault.Data',
      description: policy.title,
      metadata: { version: '1.0.1', category: 'Encryption' },
      version: '1.0.1',
      parameters: {},
      policyRule: { if: { field: 'type', equals: policy.over }, then: { effect: 'Audit' } },
    },
  };
}

/** Policies of one subscription as Resource Manager lists them for a scope. */
export function policyObjects(cells: readonly AzureCell[], asOf: number): { scope: string; assignment: JsonObject; set: JsonObject }[] {
  const scopes = [...new Set(cells.map(initiativeScope).filter((scope): scope is string => scope !== null))];
  return scopes.map((scope) => ({ scope, assignment: policyAssignment(scope, asOf), set: policySet(scope, asOf) }));
}

function graphRow(of: {
  id: string;
  name: string;
  type: string;
  subscriptionId: string;
  location?: string;
  resourceGroup?: string;
  properties: JsonObject;
}): AzureRow {
  return {
    uid: of.id.toLowerCase(),
    troubles: [],
    classification: 'unclassified',
    row: {
      id: of.id,
      name: of.name,
      type: of.type,
      tenantId: azureTenant,
      kind: '',
      location: of.location ?? '',
      resourceGroup: of.resourceGroup ?? '',
      subscriptionId: of.subscriptionId,
      managedBy: '',
      sku: null,
      plan: null,
      properties: of.properties,
      tags: null,
      identity: null,
      zones: null,
      extendedLocation: null,
    },
  };
}

/** Policy objects and states: the table `policyresources`. */
export function azurePolicyPopulations(cells: readonly AzureCell[], inventory: readonly AzurePopulation[]): AzurePopulation[] {
  const asOf = cells[0]?.asOf ?? 0;
  const objects = policyObjects(cells, asOf);
  const subscriptionOf = (id: string): string => /^\/subscriptions\/([^/]+)/i.exec(id)?.[1] ?? '';
  const list = (type: string, rows: readonly JsonObject[]): AzurePopulation[] => {
    const accounts = [...new Set(rows.map((row) => subscriptionOf(textOf(row, 'id'))))];
    return accounts.map((account): AzurePopulation => {
      const here = rows.filter((row) => subscriptionOf(textOf(row, 'id')) === account);
      return {
        table: 'policyresources',
        type,
        account,
        region: '*',
        count: here.length,
        record: (i) => {
          const row = here[i] as JsonObject;
          return graphRow({
            id: textOf(row, 'id'),
            name: textOf(row, 'name'),
            type,
            subscriptionId: account,
            properties: row['properties'] as JsonObject,
          });
        },
      };
    });
  };
  const states = cells.flatMap((cell) => {
    const scope = initiativeScope(cell);
    return scope === null ? [] : assignedPolicies.flatMap((policy) => statesOf(cell, scope, policy, inventory));
  });
  const exempted = cells.flatMap((cell): JsonObject[] => {
    const scope = initiativeScope(cell);
    if (scope === null || cell.vaults.vaults.length === 0) return [];
    const vault = cell.vaults.vaults.find((one) => one.kind === 'soft-delete-off');
    return vault === undefined
      ? []
      : [
          {
            id: `${vault.id}/providers/Microsoft.Authorization/policyExemptions/migration`,
            name: 'migration',
            properties: {
              policyAssignmentId: assignmentIdOf(scope),
              policyDefinitionReferenceIds: ['vaultLogs'],
              exemptionCategory: 'Waiver',
              displayName: 'Vault is being retired',
              expiresOn: iso(cell.asOf + 60 * day),
              metadata: {},
            },
          },
        ];
  });
  return [
    ...list(
      'microsoft.authorization/policyassignments',
      objects.map((one) => one.assignment),
    ),
    ...list(
      'microsoft.authorization/policysetdefinitions',
      objects.map((one) => one.set),
    ),
    ...list('microsoft.authorization/policydefinitions', assignedPolicies.map(builtinPolicy)),
    ...list('microsoft.authorization/policyexemptions', exempted),
    ...states.filter((population) => population.count > 0),
  ];
}

/** A vault into which the policies have not looked yet: there is no state for any of its keys. */
const notEvaluated = (vault: string): boolean => hash32(`${vault} not evaluated`) % 6 === 0;

function statesOf(cell: AzureCell, scope: string, policy: PolicySpec, inventory: readonly AzurePopulation[]): AzurePopulation[] {
  const judged = inventory.find((population) => population.type === policy.over && population.account === cell.subscription.id);
  if (judged === undefined) return [];
  const state = (of: {
    resourceId: string;
    resourceType: string;
    location: string;
    group: string;
    compliant: boolean;
    exempt?: boolean;
    key: string;
  }): JsonObject => {
    const pick = random(cell.seed, 'state', policy.id, of.key);
    return {
      timestamp: iso(cell.asOf - Math.floor((0.5 + pick.next() * 20) * hour)),
      resourceId: of.resourceId,
      policyAssignmentId: assignmentIdOf(scope).toLowerCase(),
      policyAssignmentName: initiativeName,
      policyAssignmentScope: scope,
      policyDefinitionId: definitionId(policy.id).toLowerCase(),
      policyDefinitionName: policy.id,
      policyDefinitionAction: 'audit',
      policyDefinitionCategory: 'Encryption',
      policyDefinitionReferenceId: policy.reference.toLowerCase(),
      policySetDefinitionId: setIdOf(scope).toLowerCase(),
      policySetDefinitionName: initiativeName,
      policyDefinitionGroupNames: [],
      managementGroupIds: `${cell.subscription.managementGroup},${azureTenant}`,
      subscriptionId: cell.subscription.id,
      resourceType: of.resourceType,
      resourceLocation: of.location,
      resourceGroup: of.group,
      complianceState: of.exempt === true ? 'Exempt' : of.compliant ? 'Compliant' : 'NonCompliant',
      complianceReasonCode: '',
      stateWeight: of.compliant ? 200 : 300,
      isDeleted: false,
    };
  };
  const hash = (key: string): string => `${hash32(key).toString(16).padStart(8, '0')}${hash32(key, 17).toString(16).padStart(8, '0')}`;
  if (policy.keys === undefined) {
    return [
      {
        table: 'policyresources',
        type: 'microsoft.policyinsights/policystates',
        account: cell.subscription.id,
        region: '*',
        count: judged.count,
        record: (i) => {
          const { row, troubles } = judged.record(i);
          const id = textOf(row, 'id');
          const resourceId = policy.child === undefined ? id : `${id}/${policy.child.path}`;
          const luck = policy.bad.length > 0 || random(cell.seed, 'luck', policy.id, id).chance(0.9);
          const compliant = luck && !troubles.some((trouble) => policy.bad.includes(trouble));
          const name = hash(`${policy.id} ${resourceId}`);
          return graphRow({
            id: `${resourceId}/providers/Microsoft.PolicyInsights/policyStates/${name}`,
            name,
            type: 'microsoft.policyinsights/policystates',
            subscriptionId: cell.subscription.id,
            location: textOf(row, 'location'),
            resourceGroup: textOf(row, 'resourceGroup'),
            properties: state({
              resourceId,
              resourceType: policy.child?.type ?? policy.over,
              location: textOf(row, 'location'),
              group: textOf(row, 'resourceGroup'),
              compliant,
              exempt: policy.reference === 'vaultLogs' && troubles.includes('vault-soft-delete-off'),
              key: resourceId,
            }),
          });
        },
      },
    ];
  }
  const keys = cell.vaults.keys.filter(({ vault }) => !notEvaluated(vault.id));
  return [
    {
      table: 'policyresources',
      type: 'microsoft.policyinsights/componentpolicystates',
      account: cell.subscription.id,
      region: '*',
      count: keys.length,
      record: (i) => {
        const key = keys[i] as (typeof keys)[number];
        const compliant =
          policy.keys === 'rotation'
            ? key.rotates
            : policy.keys === 'expiry'
              ? key.expires
              : policy.keys === 'size'
                ? key.size >= 3072
                : key.type === 'RSA-HSM';
        const componentId = `${key.vault.id}/keys/${key.name}`;
        const name = hash(`${policy.id} ${componentId}`);
        return graphRow({
          id: `${key.vault.id}/providers/Microsoft.PolicyInsights/componentPolicyStates/${name}`,
          name,
          type: 'microsoft.policyinsights/componentpolicystates',
          subscriptionId: cell.subscription.id,
          location: 'westeurope',
          resourceGroup: 'rg-security',
          properties: {
            ...state({
              resourceId: key.vault.id,
              resourceType: 'microsoft.keyvault/vaults',
              location: 'westeurope',
              group: 'rg-security',
              compliant,
              key: componentId,
            }),
            componentId,
            componentName: key.name,
            componentType: 'Microsoft.KeyVault.Data/vaults/keys',
          },
        });
      },
    },
  ];
}
