import type { Json, Resource } from '../../model/index.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import { wildcard } from './policy-document.ts';
import { azureId, lastSegment, valueAt } from '../lookups/references.ts';
import type { EvaluationEnvironment, IndexedRecord, LookupResult } from '../types.ts';
import { holdsRedacted, isGiven, toldAt } from '../lookups/told.ts';

interface AzureStore {
  /** Data-plane actions that read data. */
  readonly dataActions: readonly string[];
  /** Management actions that hand out keys, tokens or images of the data. */
  readonly actions: readonly string[];
  /** What role assignments never settle for this kind of store. */
  readonly unsettled?: string;
  /** Access that needs no principal at all: why the list cannot be complete, null when it can. */
  readonly anonymous?: (document: Json) => string | null;
}

const logins = 'logins of the database itself and its directory administrators';

const stores: Readonly<Record<string, AzureStore>> = {
  'microsoft.storage/storageaccounts': {
    dataActions: [
      'microsoft.storage/storageaccounts/blobservices/containers/blobs/read',
      'microsoft.storage/storageaccounts/fileservices/fileshares/files/read',
      'microsoft.storage/storageaccounts/queueservices/queues/messages/read',
      'microsoft.storage/storageaccounts/tableservices/tables/entities/read',
    ],
    actions: ['microsoft.storage/storageaccounts/listkeys/action', 'microsoft.storage/storageaccounts/listaccountsas/action'],
    unsettled: 'holders of account keys and shared access signatures handed out before',
    anonymous(document) {
      const allowed = valueAt(document, 'properties', 'allowBlobPublicAccess');
      if (allowed === false) return null;
      return allowed === true
        ? 'the account lets containers be open to anonymous readers, and containers are not in Resource Graph'
        : 'whether containers may be open to anonymous readers is not in the evidence';
    },
  },
  'microsoft.compute/disks': {
    dataActions: ['microsoft.compute/disks/download/action'],
    actions: ['microsoft.compute/disks/begingetaccess/action'],
    unsettled: 'whoever can log in to the machine that the disk is attached to',
  },
  'microsoft.compute/snapshots': {
    dataActions: ['microsoft.compute/snapshots/download/action'],
    actions: ['microsoft.compute/snapshots/begingetaccess/action'],
  },
  'microsoft.sql/servers': {
    dataActions: [],
    actions: ['microsoft.sql/servers/databases/export/action', 'microsoft.sql/servers/administrators/write'],
    unsettled: logins,
  },
  'microsoft.documentdb/databaseaccounts': {
    dataActions: ['microsoft.documentdb/databaseaccounts/sqldatabases/containers/items/read'],
    actions: [
      'microsoft.documentdb/databaseaccounts/listkeys/action',
      'microsoft.documentdb/databaseaccounts/readonlykeys/action',
      'microsoft.documentdb/databaseaccounts/listconnectionstrings/action',
    ],
    unsettled: 'data-plane role assignments kept inside the account, and holders of its keys',
  },
  'microsoft.dbforpostgresql/flexibleservers': {
    dataActions: [],
    actions: ['microsoft.dbforpostgresql/flexibleservers/administrators/write', 'microsoft.dbforpostgresql/flexibleservers/write'],
    unsettled: logins,
  },
  'microsoft.dbformysql/flexibleservers': {
    dataActions: [],
    actions: ['microsoft.dbformysql/flexibleservers/administrators/write', 'microsoft.dbformysql/flexibleservers/write'],
    unsettled: logins,
  },
  'microsoft.containerregistry/registries': {
    dataActions: ['microsoft.containerregistry/registries/repositories/content/read'],
    actions: ['microsoft.containerregistry/registries/pull/read', 'microsoft.containerregistry/registries/listcredentials/action'],
    anonymous(document) {
      const open = valueAt(document, 'properties', 'anonymousPullEnabled');
      if (open === false) return null;
      return open === true ? 'anonymous pull is enabled' : 'whether anonymous pull is enabled is not in the evidence';
    },
  },
  'microsoft.containerservice/managedclusters': {
    dataActions: ['microsoft.containerservice/managedclusters/secrets/read'],
    actions: ['microsoft.containerservice/managedclusters/listclusteradmincredential/action'],
    unsettled: 'role bindings inside the cluster',
  },
  'microsoft.eventhub/namespaces': {
    dataActions: ['microsoft.eventhub/namespaces/messages/receive/action'],
    actions: ['microsoft.eventhub/namespaces/authorizationrules/listkeys/action'],
    unsettled: 'holders of access keys and signatures handed out before',
  },
  'microsoft.servicebus/namespaces': {
    dataActions: ['microsoft.servicebus/namespaces/messages/receive/action'],
    actions: ['microsoft.servicebus/namespaces/authorizationrules/listkeys/action'],
    unsettled: 'holders of access keys and signatures handed out before',
  },
  'microsoft.datafactory/factories': {
    dataActions: [],
    actions: ['microsoft.datafactory/factories/pipelines/createrun/action', 'microsoft.datafactory/factories/datasets/read'],
    unsettled: 'the stores that its linked services read',
  },
  'microsoft.operationalinsights/clusters': { dataActions: [], actions: ['microsoft.operationalinsights/workspaces/query/read'] },
  'microsoft.operationalinsights/workspaces': {
    dataActions: ['microsoft.operationalinsights/workspaces/tables/data/read'],
    actions: ['microsoft.operationalinsights/workspaces/query/read', 'microsoft.operationalinsights/workspaces/sharedkeys/action'],
  },
  'microsoft.keyvault/vaults': {
    dataActions: ['microsoft.keyvault/vaults/secrets/getsecret/action', 'microsoft.keyvault/vaults/keys/decrypt/action'],
    actions: ['microsoft.keyvault/vaults/write'],
    unsettled: 'access policies of the vault',
  },
};

export function isAzureStore(type: string): boolean {
  return Object.hasOwn(stores, type);
}

export const azureAccessTables = ['azure.role-assignments.by-scope', 'azure.role-definition'] as const;
export const azureAccessReads: Readonly<Record<(typeof azureAccessTables)[number], readonly string[]>> = {
  'azure.role-assignments.by-scope': ['id', 'properties'],
  'azure.role-definition': ['id', 'properties'],
};

interface Grant {
  readonly name: string;
  /** Action that was allowed; null when the role reads no data. */
  readonly action: string | null;
  /** Why it cannot be told. */
  readonly unknown: string | null;
}

const everyone = '00000000-0000-0000-0000-000000000000';

/** Who can read the stores of Azure: a service identity decrypts, so data roles decide, direct or inherited. */
export function azureAccess(lookup: EvaluationEnvironment['lookup']): { analyse(store: Resource): Analysis } {
  const grants = new Map<string, Grant>();
  /** Stores at which the same assignments are in force share one analysis. */
  const analyses = new Map<string, Analysis>();
  const numbers = new WeakMap<IndexedRecord, { readonly number: number; readonly scope: string }>();
  let numbered = 0;

  /** What a role grants on a type of store. Tried per role and type once: definitions are the same for a whole tenant. */
  function grantOf(roleId: string, type: string, store: AzureStore, from: Resource): Grant {
    const memo = `${roleId}\u0000${type}`;
    const known = grants.get(memo);
    if (known) return known;
    const hit = lookup('azure.role-definition', roleId, false, from);
    const record: IndexedRecord | undefined = hit.outcome === 'found' ? hit.records[0] : undefined;
    const permissions = valueAt(record?.document, 'properties', 'permissions');
    let grant: Grant;
    if (!record || !Array.isArray(permissions)) {
      grant = { name: lastSegment(roleId), action: null, unknown: `role ${lastSegment(roleId)} is not in the evidence` };
    } else {
      const name = toldAt(record.document, 'properties', 'roleName') ?? lastSegment(roleId);
      let action: string | null = null;
      for (const permission of permissions) {
        action ??= allowedBy(permission, 'dataActions', 'notDataActions', store.dataActions);
        action ??= allowedBy(permission, 'actions', 'notActions', store.actions);
      }
      // A definition with a part missing may grant more than what is left of it.
      const whole =
        permissions.length > 0 &&
        permissions.every((permission) => textsAt(permission, 'actions') !== null && textsAt(permission, 'dataActions') !== null);
      grant = { name, action, unknown: whole ? null : `what role ${name} allows is not wholly in the evidence` };
    }
    grants.set(memo, grant);
    return grant;
  }

  function analyse(resource: Resource): Analysis {
    const store = Object.hasOwn(stores, resource.type) ? stores[resource.type] : undefined;
    if (!store) return { outcome: 'unknown', world: 'data-roles', because: `access to ${resource.type} is not analysed` };
    const hit = lookup('azure.role-assignments.by-scope', resource.uid, true, resource);
    if (hit.outcome !== 'found') return { outcome: 'unknown', world: 'data-roles', because: hit.because };
    const own = azureId(resource.uid);
    const open = store.anonymous?.(resource.document) ?? null;
    let memo = `${resource.type}\u0000${open ?? ''}\u0000${hit.complete ? '' : (hit.because ?? '-')}\u0000`;
    let direct = false;
    for (const record of hit.records) {
      let known = numbers.get(record);
      if (known === undefined) numbers.set(record, (known = { number: (numbered += 1), scope: scopeOf(record) }));
      memo += `${known.number},`;
      direct ||= known.scope === own;
    }
    if (direct) memo += own;
    let made = analyses.get(memo);
    if (made === undefined) {
      if (analyses.size >= 2_000) analyses.clear();
      analyses.set(memo, (made = analyseAssignments(resource, store, hit, own, open)));
    }
    return made;
  }

  function analyseAssignments(
    resource: Resource,
    store: AzureStore,
    hit: Extract<LookupResult, { outcome: 'found' }>,
    own: string,
    open: string | null,
  ): Analysis {
    const readers: Reader[] = [];
    const unsettled: string[] = [];
    const records: IndexedRecord[] = [];
    let groups = 0;
    let gap: string | null = hit.complete ? null : (hit.because ?? 'role assignments are not whole');
    for (const record of hit.records) {
      const roleId = toldAt(record.document, 'properties', 'roleDefinitionId');
      const principalId = toldAt(record.document, 'properties', 'principalId');
      if (roleId === null || principalId === null) {
        gap ??= `role assignment ${record.uid} names no role or no principal`;
        continue;
      }
      const grant = grantOf(roleId, resource.type, store, resource);
      if (grant.unknown !== null) gap ??= grant.unknown;
      if (grant.action === null) continue;
      const scope = scopeOf(record);
      if (toldAt(record.document, 'properties', 'scope') === null)
        gap ??= `role assignment ${record.uid} does not say where it is in force`;
      const kind = toldAt(record.document, 'properties', 'principalType');
      if (kind === null) gap ??= `role assignment ${record.uid} does not say what kind of principal it is for`;
      const type = kind ?? 'Principal';
      if (type === 'Group') groups += 1;
      const wide = type === 'ForeignGroup' || type === 'Everyone' || principalId === everyone;
      const conditional = isGiven(record.document, 'properties', 'condition');
      if (wide) records.push(record);
      readers.push({
        principal: `${type} ${principalId}`,
        kind: type,
        via: `role ${grant.name} at ${scope} (${grant.action})`,
        conditional,
        wide,
        ...(scope === own ? {} : { inheritedFrom: levelName(scope) }),
        citation: record.citation,
      });
    }
    if (open !== null) gap ??= open;
    if (groups > 0)
      unsettled.push(`who belongs to the ${groups === 1 ? 'group' : `${groups} groups`} named: group membership is not in Resource Graph`);
    if (store.unsettled) unsettled.push(store.unsettled);
    unsettled.push('deny assignments, and roles that a person may activate when needed');
    return { outcome: 'found', world: 'data-roles', readers: orderReaders(readers), unsettled, gap, records };
  }

  return { analyse };
}

function scopeOf(assignment: IndexedRecord): string {
  return azureId(toldAt(assignment.document, 'properties', 'scope') ?? '/');
}

/** A list of texts in lower case; null where it is missing, anything else, or withheld in part. */
function textsAt(value: Json, name: string): string[] | null {
  const list = valueAt(value, name);
  return Array.isArray(list) && list.every((one): one is string => typeof one === 'string') && !holdsRedacted(list)
    ? list.map((one) => one.toLowerCase())
    : null;
}

/** The first of the wanted actions that a permission allows. A wanted pattern within a granted one counts, wildcards on either side. Lost denials deny nothing. */
function allowedBy(permission: Json, allow: string, deny: string, wanted: readonly string[]): string | null {
  const allowed = textsAt(permission, allow) ?? [];
  const denied = textsAt(permission, deny) ?? [];
  return (
    wanted.find((action) => allowed.some((pattern) => wildcard(pattern, action)) && !denied.some((pattern) => wildcard(pattern, action))) ??
    null
  );
}

function levelName(scope: string): string {
  if (scope === '/') return 'the tenant';
  const group = /^\/providers\/microsoft\.management\/managementgroups\/([^/]+)$/.exec(scope)?.[1];
  if (group !== undefined) return `management group ${group}`;
  const container = /^\/subscriptions\/[^/]+\/resourcegroups\/([^/]+)$/.exec(scope)?.[1];
  if (container !== undefined) return `resource group ${container}`;
  const subscription = /^\/subscriptions\/([^/]+)$/.exec(scope)?.[1];
  return subscription === undefined ? scope : `subscription ${subscription}`;
}
