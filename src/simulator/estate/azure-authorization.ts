import type { JsonObject } from '../../model/index.ts';
import { type AzureCell, azureManagementGroups, type AzurePopulation, type AzureRow, azureTenant } from './azure-model.ts';
import { azureStoreTypes, systemPrincipals } from './azure-stores.ts';
import { wrappingPrincipals } from './azure-vaults.ts';
import { day, iso } from './population.ts';
import { random } from './random.ts';

interface RoleSpec {
  readonly id: string;
  readonly name: string;
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions?: readonly string[];
}

/** Built-in roles, by their real ids. */
export const azureRoles = {
  owner: { id: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635', name: 'Owner', actions: ['*'] },
  contributor: {
    id: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
    name: 'Contributor',
    actions: ['*'],
    notActions: ['Microsoft.Authorization/*/Delete', 'Microsoft.Authorization/*/Write', 'Microsoft.Authorization/elevateAccess/Action'],
  },
  reader: { id: 'acdd72a7-3385-48ef-bd42-f606fba81ae7', name: 'Reader', actions: ['*/read'] },
  accessAdministrator: {
    id: '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9',
    name: 'User Access Administrator',
    actions: ['*/read', 'Microsoft.Authorization/*'],
  },
  vaultAdministrator: {
    id: '00482a5a-887f-4fb3-b363-3b7fe8e74483',
    name: 'Key Vault Administrator',
    actions: ['Microsoft.KeyVault/vaults/read'],
    dataActions: ['Microsoft.KeyVault/vaults/*'],
  },
  cryptoOfficer: {
    id: '14b46e9e-c2b7-41b4-b07b-48a6ebf60603',
    name: 'Key Vault Crypto Officer',
    actions: ['Microsoft.KeyVault/vaults/read'],
    dataActions: ['Microsoft.KeyVault/vaults/keys/*', 'Microsoft.KeyVault/vaults/keyrotationpolicies/*'],
  },
  cryptoUser: {
    id: '12338af0-0e69-4776-bea7-57ae8d297424',
    name: 'Key Vault Crypto User',
    dataActions: [
      'Microsoft.KeyVault/vaults/keys/read',
      'Microsoft.KeyVault/vaults/keys/update/action',
      'Microsoft.KeyVault/vaults/keys/backup/action',
      'Microsoft.KeyVault/vaults/keys/encrypt/action',
      'Microsoft.KeyVault/vaults/keys/decrypt/action',
      'Microsoft.KeyVault/vaults/keys/wrap/action',
      'Microsoft.KeyVault/vaults/keys/unwrap/action',
      'Microsoft.KeyVault/vaults/keys/sign/action',
      'Microsoft.KeyVault/vaults/keys/verify/action',
    ],
  },
  encryptionUser: {
    id: 'e147488a-f6f5-4113-8e2d-b22465e65bf6',
    name: 'Key Vault Crypto Service Encryption User',
    actions: [
      'Microsoft.EventGrid/eventSubscriptions/write',
      'Microsoft.EventGrid/eventSubscriptions/read',
      'Microsoft.EventGrid/eventSubscriptions/delete',
    ],
    dataActions: [
      'Microsoft.KeyVault/vaults/keys/read',
      'Microsoft.KeyVault/vaults/keys/wrap/action',
      'Microsoft.KeyVault/vaults/keys/unwrap/action',
    ],
  },
  vaultReader: {
    id: '21090545-7ca7-4776-b22c-e363652d74d2',
    name: 'Key Vault Reader',
    actions: ['Microsoft.KeyVault/vaults/*/read'],
    dataActions: ['Microsoft.KeyVault/vaults/*/read', 'Microsoft.KeyVault/vaults/secrets/readMetadata/action'],
  },
  blobOwner: {
    id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    name: 'Storage Blob Data Owner',
    actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/*'],
    dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/*'],
  },
  blobContributor: {
    id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
    name: 'Storage Blob Data Contributor',
    actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read'],
    dataActions: [
      'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read',
      'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write',
    ],
  },
  blobReader: {
    id: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
    name: 'Storage Blob Data Reader',
    actions: ['Microsoft.Storage/storageAccounts/blobServices/containers/read'],
    dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'],
  },
  eventReceiver: {
    id: 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde',
    name: 'Azure Event Hubs Data Receiver',
    actions: ['Microsoft.EventHub/*/eventhubs/consumergroups/read'],
    dataActions: ['Microsoft.EventHub/*/receive/action'],
  },
  busReceiver: {
    id: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0',
    name: 'Azure Service Bus Data Receiver',
    actions: ['Microsoft.ServiceBus/*/queues/read'],
    dataActions: ['Microsoft.ServiceBus/*/receive/action'],
  },
  imagePull: { id: '7f951dda-4ed3-4680-a7ca-43fe172d538d', name: 'AcrPull', actions: ['Microsoft.ContainerRegistry/registries/pull/read'] },
} as const satisfies Record<string, RoleSpec>;
type RoleName = keyof typeof azureRoles;
const roleList: readonly RoleSpec[] = Object.values(azureRoles);

interface Assignment {
  readonly scope: string;
  readonly role: RoleName;
  readonly principalId: string;
  readonly principalType: 'User' | 'Group' | 'ServicePrincipal';
  readonly condition?: string;
  readonly troubles?: readonly string[];
}

function assignmentsOf(cell: AzureCell, stores: readonly AzurePopulation[]): Assignment[] {
  const subscription = `/subscriptions/${cell.subscription.id}`;
  const principal = (name: string): string => random(cell.seed, 'principal', cell.subscription.id, name).guid();
  const atSubscription: Assignment[] = [
    {
      scope: subscription,
      role: 'reader',
      principalId: random(cell.seed, 'principal', 'exhibit').guid(),
      principalType: 'ServicePrincipal',
    },
  ];
  if (cell.subscription.weight === 0) return atSubscription;
  atSubscription.push(
    { scope: subscription, role: 'owner', principalId: principal('owners'), principalType: 'Group' },
    { scope: subscription, role: 'contributor', principalId: principal('deployment'), principalType: 'ServicePrincipal' },
    { scope: `${subscription}/resourceGroups/rg-data`, role: 'blobReader', principalId: principal('analysts'), principalType: 'Group' },
    {
      scope: `${subscription}/resourceGroups/rg-payments`,
      role: 'blobContributor',
      principalId: principal('payments-app'),
      principalType: 'ServicePrincipal',
      condition:
        "((!(ActionMatches{'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'})) OR (@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'invoices'))",
    },
    {
      scope: `${subscription}/resourceGroups/rg-platform`,
      role: 'eventReceiver',
      principalId: principal('consumers'),
      principalType: 'ServicePrincipal',
    },
    {
      scope: `${subscription}/resourceGroups/rg-platform`,
      role: 'busReceiver',
      principalId: principal('consumers'),
      principalType: 'ServicePrincipal',
    },
    {
      scope: `${subscription}/resourceGroups/rg-platform`,
      role: 'imagePull',
      principalId: principal('clusters'),
      principalType: 'ServicePrincipal',
    },
  );
  for (const vault of cell.vaults.vaults.filter((one) => one.rbac)) {
    // Some grants stand on the vault, some on its resource group or subscription: inherited ones count as well.
    for (const { principalId, for: name } of wrappingPrincipals(cell, vault)) {
      if (name === 'id-cmk-data') continue;
      atSubscription.push({ scope: vault.id, role: 'encryptionUser', principalId, principalType: 'ServicePrincipal' });
    }
    for (const { principalId } of cell.vaults.identities.filter((identity) => identity.mayDecrypt))
      atSubscription.push({ scope: vault.id, role: 'cryptoUser', principalId, principalType: 'ServicePrincipal' });
    for (const type of azureStoreTypes) {
      const count =
        stores.find((population) => population.type === type.type.toLowerCase() && population.account === cell.subscription.id)?.count ?? 0;
      for (const { principalId } of systemPrincipals(cell, type.type, count))
        atSubscription.push({ scope: vault.id, role: 'encryptionUser', principalId, principalType: 'ServicePrincipal' });
    }
    atSubscription.push({ scope: vault.id, role: 'cryptoOfficer', principalId: principal('key-officers'), principalType: 'Group' });
  }
  const data = cell.vaults.identities.find((identity) => identity.name === 'id-cmk-data');
  if (data !== undefined)
    atSubscription.push({
      scope: `${subscription}/resourceGroups/rg-security`,
      role: 'encryptionUser',
      principalId: data.principalId,
      principalType: 'ServicePrincipal',
    });
  const unprivileged = cell.vaults.identities.find((identity) => !identity.mayWrap && !identity.mayDecrypt);
  if (unprivileged !== undefined)
    atSubscription.push({
      scope: `${subscription}/resourceGroups/rg-security`,
      role: 'vaultReader',
      principalId: unprivileged.principalId,
      principalType: 'ServicePrincipal',
    });
  // Readers of single accounts: the first few of the subscription.
  const accounts = stores.find(
    (population) => population.type === 'microsoft.storage/storageaccounts' && population.account === cell.subscription.id,
  );
  for (let i = 0; i < Math.min(accounts?.count ?? 0, 4); i += 1) {
    const id = accounts?.record(i).row['id'];
    if (typeof id === 'string')
      atSubscription.push({
        scope: id,
        role: i % 2 === 0 ? 'blobReader' : 'blobOwner',
        principalId: principal(`reader-${String(i)}`),
        principalType: i % 2 === 0 ? 'User' : 'ServicePrincipal',
      });
  }
  if (cell.subscription.name.endsWith('data'))
    atSubscription.push({
      scope: subscription,
      role: 'blobReader',
      principalId: principal('everyone'),
      principalType: 'Group',
      troubles: ['wide-data-access'],
    });
  return atSubscription;
}

function row(of: {
  type: string;
  id: string;
  name: string;
  subscriptionId: string;
  properties: JsonObject;
  troubles?: readonly string[];
}): AzureRow {
  return {
    uid: of.id.toLowerCase(),
    troubles: of.troubles ?? [],
    classification: 'unclassified',
    row: {
      id: of.id,
      name: of.name,
      type: of.type,
      tenantId: azureTenant,
      kind: '',
      location: 'global',
      resourceGroup: '',
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

/** Role assignments and definitions: the table `authorizationresources`. */
export function azureAuthorizationPopulations(cells: readonly AzureCell[], stores: readonly AzurePopulation[]): AzurePopulation[] {
  const population = (account: string, assignments: readonly Assignment[], cell: Pick<AzureCell, 'seed' | 'asOf'>): AzurePopulation => ({
    table: 'authorizationresources',
    type: 'microsoft.authorization/roleassignments',
    account,
    region: '*',
    count: assignments.length,
    record: (i) => {
      const assignment = assignments[i] as Assignment;
      const pick = random(cell.seed, 'assignment', assignment.scope, assignment.role, assignment.principalId);
      const name = pick.guid();
      const createdOn = iso(cell.asOf - Math.floor((20 + pick.next() * 700) * day));
      return row({
        type: 'microsoft.authorization/roleassignments',
        id: `${assignment.scope}/providers/Microsoft.Authorization/RoleAssignments/${name}`,
        name,
        subscriptionId: account,
        troubles: assignment.troubles ?? [],
        properties: {
          roleDefinitionId:
            account === ''
              ? `/providers/Microsoft.Authorization/RoleDefinitions/${azureRoles[assignment.role].id}`
              : `/subscriptions/${account}/providers/Microsoft.Authorization/RoleDefinitions/${azureRoles[assignment.role].id}`,
          principalId: assignment.principalId,
          principalType: assignment.principalType,
          scope: assignment.scope,
          createdOn,
          updatedOn: createdOn,
          createdBy: '',
          updatedBy: '',
          ...(assignment.condition === undefined ? {} : { condition: assignment.condition, conditionVersion: '2.0' }),
        },
      });
    },
  });
  const seed = cells[0] ?? { seed: 0, asOf: 0 };
  const above: Assignment[] = [
    {
      scope: `/providers/Microsoft.Management/managementGroups/${azureManagementGroups[0].id}`,
      role: 'accessAdministrator',
      principalId: random(seed.seed, 'principal', 'global-admins').guid(),
      principalType: 'Group',
    },
    {
      scope: `/providers/Microsoft.Management/managementGroups/${azureManagementGroups[0].id}`,
      role: 'reader',
      principalId: random(seed.seed, 'principal', 'exhibit').guid(),
      principalType: 'ServicePrincipal',
    },
    {
      scope: '/providers/Microsoft.Management/managementGroups/nw-nonproduction',
      role: 'blobReader',
      principalId: random(seed.seed, 'principal', 'data-platform').guid(),
      principalType: 'ServicePrincipal',
      troubles: ['wide-data-access'],
    },
    {
      scope: '/providers/Microsoft.Management/managementGroups/nw-nonproduction',
      role: 'contributor',
      principalId: random(seed.seed, 'principal', 'landing-zone').guid(),
      principalType: 'ServicePrincipal',
    },
  ];
  return [
    ...cells.map((cell) => population(cell.subscription.id, assignmentsOf(cell, stores), cell)),
    population('', above, seed),
    {
      table: 'authorizationresources',
      type: 'microsoft.authorization/roledefinitions',
      account: '',
      region: '*',
      count: roleList.length,
      record: (i) => {
        const role = roleList[i] as RoleSpec;
        return row({
          type: 'microsoft.authorization/roledefinitions',
          id: `/providers/Microsoft.Authorization/RoleDefinitions/${role.id}`,
          name: role.id,
          subscriptionId: '',
          properties: {
            roleName: role.name,
            type: 'BuiltInRole',
            description: '',
            assignableScopes: ['/'],
            isServiceRole: 'false',
            createdOn: '2015-02-02T21:55:09.8806423Z',
            updatedOn: '2024-05-08T00:00:00.0000000Z',
            permissions: [
              {
                actions: [...(role.actions ?? [])],
                notActions: [...(role.notActions ?? [])],
                dataActions: [...(role.dataActions ?? [])],
                notDataActions: [],
              },
            ],
          },
        });
      },
    },
  ];
}
