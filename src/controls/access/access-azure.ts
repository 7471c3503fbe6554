import type { Json, Resource } from '../../model/index.ts';
import { type AzureStore, azureStoreOf } from './access-azure-stores.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import { wildcard } from './policy-document.ts';
import { azureId, lastSegment, valueAt } from '../lookups/references.ts';
import type { EvaluationEnvironment, IndexedRecord, LookupResult } from '../types.ts';
import { assignmentScope } from '../lookups/tables-azure.ts';
import { holdsRedacted, isGiven, toldAt } from '../lookups/told.ts';

export const azureAccessTables = ['azure.role-assignments.reaching', 'azure.role-definition'] as const;
export const azureAccessReads: Readonly<Record<(typeof azureAccessTables)[number], readonly string[]>> = {
  'azure.role-assignments.reaching': ['id', 'properties'],
  'azure.role-definition': ['id', 'properties'],
};

interface Grant {
  readonly name: string;
  /** Action that was allowed; null when the role reads no data. */
  readonly action: string | null;
  /** The definition of the role; null where it is not in the evidence. */
  readonly record: IndexedRecord | null;
  /** Why it cannot be told. */
  readonly unknown: string | null;
}

const everyone = '00000000-0000-0000-0000-000000000000';

/** Who can read the stores of Azure: a service identity decrypts, so data roles decide, direct or inherited. */
export function azureAccess(lookup: EvaluationEnvironment['lookup']): { analyse(store: Resource): Analysis } {
  const grants = new Map<AzureStore, Map<string, Grant>>();
  /** Stores at which the same assignments are in force share one analysis. */
  const analyses = new Map<string, Analysis>();
  const numbers = new WeakMap<IndexedRecord, { readonly number: number; readonly scope: string }>();
  let numbered = 0;
  const kinds = new Map<AzureStore, number>();
  const kindOf = (store: AzureStore): number => {
    const kind = kinds.get(store) ?? kinds.size;
    kinds.set(store, kind);
    return kind;
  };

  /** What a role grants on a kind of store. Tried per role and kind once: definitions are the same for a whole tenant. */
  function grantOf(roleId: string, store: AzureStore, from: Resource): Grant {
    const ofStore = grants.get(store) ?? new Map<string, Grant>();
    grants.set(store, ofStore);
    const known = ofStore.get(roleId);
    if (known) return known;
    const hit = lookup('azure.role-definition', roleId, false, from);
    const record: IndexedRecord | undefined = hit.outcome === 'found' ? hit.records[0] : undefined;
    const permissions = valueAt(record?.document, 'properties', 'permissions');
    let grant: Grant;
    if (!record || !Array.isArray(permissions)) {
      grant = { name: lastSegment(roleId), action: null, record: null, unknown: `role ${lastSegment(roleId)} is not in the evidence` };
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
        permissions.every((permission) => operationsAt(permission, 'actions') !== null && operationsAt(permission, 'dataActions') !== null);
      grant = { name, action, record, unknown: whole ? null : `what role ${name} allows is not wholly in the evidence` };
    }
    ofStore.set(roleId, grant);
    return grant;
  }

  function analyse(resource: Resource): Analysis {
    const store = azureStoreOf(resource.type, resource.document);
    if (!store) return { outcome: 'unknown', world: 'data-roles', because: `access to ${resource.type} is not analysed` };
    const hit = lookup('azure.role-assignments.reaching', resource.uid, true, resource);
    if (hit.outcome !== 'found') return { outcome: 'unknown', world: 'data-roles', because: hit.because };
    const own = azureId(resource.uid);
    const open = store.anonymous?.(resource.document) ?? null;
    const toAll = store.everyone?.(resource.document) ?? null;
    let memo = `${kindOf(store)}\u0000${open ?? ''}\u0000${hit.complete ? '' : (hit.because ?? '-')}\u0000`;
    let direct = toAll !== null;
    for (const record of hit.records) {
      let known = numbers.get(record);
      if (known === undefined) numbers.set(record, (known = { number: (numbered += 1), scope: scopeOf(record) }));
      memo += `${known.number},`;
      direct ||= isWithin(known.scope, own);
    }
    if (direct) memo += own;
    let made = analyses.get(memo);
    if (made === undefined) {
      if (analyses.size >= 2_000) analyses.clear();
      analyses.set(memo, (made = analyseAssignments(resource, store, hit, own, open, toAll)));
    }
    return made;
  }

  function analyseAssignments(
    resource: Resource,
    store: AzureStore,
    hit: Extract<LookupResult, { outcome: 'found' }>,
    own: string,
    open: string | null,
    toAll: string | null,
  ): Analysis {
    const readers: Reader[] =
      toAll === null
        ? []
        : [{ principal: 'Everyone', kind: 'Everyone', via: toAll, conditional: false, wide: true, citation: resource.citation }];
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
      const grant = grantOf(roleId, store, resource);
      if (grant.unknown !== null) gap ??= grant.unknown;
      if (grant.action === null || grant.record === null) continue;
      const scope = scopeOf(record);
      if (toldAt(record.document, 'properties', 'scope')?.startsWith('/') !== true)
        gap ??= `role assignment ${record.uid} does not say where it is in force`;
      const kind = toldAt(record.document, 'properties', 'principalType');
      if (kind === null || !principalTypes.has(kind.toLowerCase()))
        gap ??= `role assignment ${record.uid} does not say what kind of principal it is for`;
      const type = kind ?? 'Principal';
      if (type === 'Group') groups += 1;
      const wide = type === 'ForeignGroup' || type === 'Everyone' || principalId === everyone;
      const conditional = isGiven(record.document, 'properties', 'condition');
      if (wide) records.push(record, grant.record);
      readers.push({
        principal: `${type} ${principalId}`,
        kind: type,
        via: `role ${grant.name} at ${scope} (${grant.action})`,
        conditional,
        wide,
        ...(isWithin(scope, own) ? {} : { inheritedFrom: levelName(scope) }),
        citation: grant.record.citation,
        through: [record.citation],
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

/** Of role assignments, as Azure documents them, where they say who or how many it can be. */
const principalTypes = new Set(['user', 'group', 'serviceprincipal', 'application', 'msi', 'device', 'foreigngroup', 'everyone']);

function scopeOf(assignment: IndexedRecord): string {
  return assignmentScope(assignment) ?? '/';
}

/** Whether a scope is the store itself or a part of it, such as a container or a queue. */
function isWithin(scope: string, store: string): boolean {
  return scope === store || scope.startsWith(`${store}/`);
}

// Such as Microsoft.Storage/*/read, or all of them.
const operation = /^(?:\*|[^/\s]+\/\S+)$/;

/** A list of operations in lower case; null where it is missing, anything else, or withheld in part. */
function operationsAt(value: Json, name: string): string[] | null {
  const list = valueAt(value, name);
  return Array.isArray(list) && list.every((one): one is string => typeof one === 'string' && operation.test(one)) && !holdsRedacted(list)
    ? list.map((one) => one.toLowerCase())
    : null;
}

/** The first of the wanted actions that a permission allows. A wanted pattern within a granted one counts, wildcards on either side. Lost denials deny nothing. */
function allowedBy(permission: Json, allow: string, deny: string, wanted: readonly string[]): string | null {
  const allowed = operationsAt(permission, allow) ?? [];
  const denied = operationsAt(permission, deny) ?? [];
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
