import type { Json, Resource } from '../../model/index.ts';
import { azureId, azureScopesOf, azureSubscription, lastSegment, textAt, valueAt, vaultHost } from './references.ts';
import { toldAt } from './told.ts';
import { found, type Home, type Hopper, type LookupTable, resource, table, type TableFamilies, unknown } from './table.ts';

const azureHomes = (types: readonly string[], account: string): Home[] => types.map((type) => ({ type, account, region: '*' }));

/** An Azure type by id: `azure.resource.by-id:<type>`. */
function azureByIdTable(name: string, title: string, types: readonly string[], keeps: readonly string[] = []): LookupTable {
  return table({
    name,
    title,
    provider: 'azure',
    sources: types.map(resource),
    keeps,
    keys: (record) => [azureId(record.uid)],
    resolve(key) {
      const subscription = azureSubscription(key);
      if (subscription === null) return unknown(`\`${key}\` does not read as an Azure id`);
      return found([azureId(key)], azureHomes(types, subscription));
    },
  });
}

const vaultTypes = ['microsoft.keyvault/vaults', 'microsoft.keyvault/managedhsms'] as const;

/** Management groups above a subscription, nearest first, from its row in resourcecontainers. Null when the row does not say. */
function managementGroupsOf(subscription: Json): string[] | null {
  const chain = valueAt(subscription, 'properties', 'managementGroupAncestorsChain');
  if (!Array.isArray(chain)) return null;
  const names = chain.map((group) => textAt(group, 'name'));
  return names.every((name) => name !== null)
    ? names.map((name) => azureId(`/providers/microsoft.management/managementgroups/${name}`))
    : null;
}

/** Why assignments that a managing tenant authorises cannot be listed; null where nobody manages the subscription from elsewhere. */
function delegationGap(subscription: Json, id: string): string | null {
  const told = [valueAt(subscription, 'properties', 'managedByTenants'), valueAt(subscription, 'managedByTenants')];
  const lists = told.filter((list) => list !== undefined);
  if (lists.length === 0 || !lists.every((list) => Array.isArray(list)))
    return `whether subscription ${id} is delegated to another tenant is not in the evidence`;
  const names = lists.flat().map((tenant) => textAt(tenant, 'tenantId') ?? 'one that is not named');
  return names.length === 0
    ? null
    : `subscription ${id} is delegated to another tenant (${names.join(', ')}), whose assignments are not in Resource Graph`;
}

const assignmentType = 'microsoft.authorization/roleassignments';

interface Reach {
  readonly scopes: readonly string[];
  readonly homes: readonly Home[];
  readonly elsewhere?: string;
  /** Why principals of another tenant may hold more than is listed; they are nobody whom this one could name. */
  readonly delegated?: string;
}

/** Where assignments in force at an Azure id stand: at the id, and at everything above it. */
function azureAssignmentScopes(id: string, from: Resource, hop: Hopper): Reach | null {
  const subscription = azureSubscription(id);
  if (subscription === null) return null;
  const container = hop('azure.subscription', `/subscriptions/${subscription}`, from);
  const tenant = (container.outcome === 'found' ? textAt(container.document, 'tenantId') : null) ?? textAt(from.document, 'tenantId');
  const homes = [
    ...azureHomes([assignmentType], subscription),
    ...azureHomes([assignmentType], tenant === null ? 'every' : `tenants/${tenant.toLowerCase()}`),
  ];
  const groups = container.outcome === 'found' ? managementGroupsOf(container.document) : null;
  const delegated = container.outcome === 'found' ? delegationGap(container.document, subscription) : null;
  return {
    scopes: [...azureScopesOf(id), ...(groups ?? []), '/'],
    homes,
    ...(groups === null ? { elsewhere: `the management groups above subscription ${subscription} are not in the evidence` } : {}),
    ...(delegated === null ? {} : { delegated }),
  };
}

/** Where an assignment is made, by its record or else by its id; null where neither says. */
export function assignmentScope({ uid, document }: Pick<Resource, 'uid' | 'document'>): string | null {
  const scope =
    toldAt(document, 'properties', 'scope') ?? /^(.*)\/providers\/microsoft\.authorization\/roleassignments\/[^/]+$/i.exec(uid)?.[1];
  // A scope that is no path is none: wherever it reaches, it must not be taken to reach nothing.
  return scope?.startsWith('/') === true ? azureId(scope) : null;
}

const below = 'below ';

/** Azure takes no longer id. */
const longestId = 2_048;

/** The resources that a scope is a part of, such as the storage account of a container. */
function resourcesAbove(scope: string): string[] {
  if (scope.length > longestId) return [];
  return azureScopesOf(scope).filter((one) => one !== scope && one.includes('/providers/'));
}

/** Role assignments by where they are made. `keys`: what one made at a scope is filed under; `asked`: what is looked for at an id. */
function assignmentsTable(
  name: string,
  title: string,
  keys: (scope: string) => string[],
  asked: (reach: NonNullable<ReturnType<typeof azureAssignmentScopes>>, id: string) => readonly string[],
): LookupTable {
  return table({
    name,
    title,
    provider: 'azure',
    sources: [resource(assignmentType)],
    many: true,
    readsSubject: true,
    keeps: ['properties.scope'],
    through: ['azure.subscription'],
    placeless: (record) => assignmentScope(record) === null,
    keys(record) {
      const scope = assignmentScope(record);
      return scope === null ? [] : keys(scope);
    },
    resolve(key, from, hop) {
      const reach = azureAssignmentScopes(key, from, hop);
      if (reach === null) return unknown(`\`${key}\` does not read as an Azure id`);
      return found(asked(reach, azureId(key)), reach.homes, reach.elsewhere ?? reach.delegated);
    },
  });
}

export const azureTables: readonly LookupTable[] = [
  table({
    name: 'azure.keyvault.by-uri',
    title: 'Key Vault or Managed HSM by its URI, or by the URI of a key in it',
    provider: 'azure',
    sources: vaultTypes.map(resource),
    keys(record) {
      const uri = textAt(record.document, 'properties', 'vaultUri') ?? textAt(record.document, 'properties', 'hsmUri');
      const host = uri === null ? null : vaultHost(uri);
      return host === null ? [] : [host];
    },
    resolve(key) {
      const host = vaultHost(key);
      if (host === null) return unknown(`\`${key}\` does not read as a vault or key URI`);
      return found(
        [host],
        azureHomes(vaultTypes, 'every'),
        `vault \`${host}\` may belong to a subscription or tenant that was not collected`,
      );
    },
  }),
  azureByIdTable('azure.keyvault.by-id', 'Key Vault or Managed HSM by id', vaultTypes),
  azureByIdTable('azure.disk-encryption-set.by-id', 'Disk encryption set by id', ['microsoft.compute/diskencryptionsets']),
  azureByIdTable('azure.identity.by-id', 'User assigned identity by id', ['microsoft.managedidentity/userassignedidentities']),
  azureByIdTable(
    'azure.subscription',
    'Subscription by id, with its management groups',
    ['microsoft.resources/subscriptions'],
    ['tenantId', 'managedByTenants', 'properties.managementGroupAncestorsChain', 'properties.managedByTenants'],
  ),
  azureByIdTable('azure.resource-group.by-id', 'Resource group by id', ['microsoft.resources/subscriptions/resourcegroups']),
  assignmentsTable(
    'azure.role-assignments.by-scope',
    'Role assignments in force at an Azure id: made there, or inherited from its resource group, subscription or management groups',
    (scope) => [scope],
    ({ scopes }) => scopes,
  ),
  /** As by scope, with those made on parts of the resource: who may read one container reads what is in the account. */
  assignmentsTable(
    'azure.role-assignments.reaching',
    'Role assignments that reach into a resource: in force at its Azure id, or made on a part of it, such as a container or a queue',
    (scope) => [scope, ...resourcesAbove(scope).map((one) => below + one)],
    ({ scopes }, id) => [...scopes, below + id],
  ),
  /** As by scope, of one principal only: a scope may hold thousands of assignments. One that names no principal is found for each, and left to be judged. */
  table({
    name: 'azure.role-assignments.of-principal',
    title: 'Role assignments of a principal in force at an Azure id, written `<principal id> <Azure id>`',
    provider: 'azure',
    sources: [resource(assignmentType)],
    many: true,
    readsSubject: true,
    keeps: ['properties.scope', 'properties.principalId'],
    through: ['azure.subscription'],
    placeless: (record) => assignmentScope(record) === null,
    keys(record) {
      const scope = assignmentScope(record);
      return scope === null ? [] : [`${(textAt(record.document, 'properties', 'principalId') ?? '').toLowerCase()} ${scope}`];
    },
    resolve(key, from, hop) {
      const [principal = '', id = ''] = key.trim().split(/ (.*)/, 2);
      const reach = principal === '' ? null : azureAssignmentScopes(id, from, hop);
      if (reach === null) return unknown(`\`${key}\` does not read as a principal and an Azure id`);
      return found(
        reach.scopes.flatMap((scope) => [`${principal.toLowerCase()} ${scope}`, ` ${scope}`]),
        reach.homes,
        reach.elsewhere,
      );
    },
  }),
  table({
    name: 'azure.role-definition',
    title: 'Role definition by id or GUID',
    provider: 'azure',
    sources: [resource('microsoft.authorization/roledefinitions')],
    identity: 'key',
    keeps: ['properties'],
    keys: (record) => [lastSegment(azureId(record.uid))],
    // A definition's GUID is unique in the tenant and built-in ones are listed beside every subscription's own.
    resolve: (key) => found([lastSegment(azureId(key))], azureHomes(['microsoft.authorization/roledefinitions'], 'every')),
  }),
];

export const azureTableFamilies: TableFamilies = {
  'azure.resource.by-id': {
    title: 'a resource of an Azure type by id',
    of: (type) => azureByIdTable(`azure.resource.by-id:${type.toLowerCase()}`, `${type} by id`, [type.toLowerCase()]),
  },
};
