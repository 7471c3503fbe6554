import { type Citation, isJsonObject, type Json, type Resource } from '../../model/index.ts';
import { addBucketAccess, bucketAccess, bucketType, everyone } from './access-gcp-buckets.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import { isRedacted } from '../language/values.ts';
import { gcpRelativeName, valueAt } from '../lookups/references.ts';
import { basicRoles, grantingRoles, type GcpStore, harmlessServices, knownRoles, stores } from './access-gcp-stores.ts';
import type { EvaluationEnvironment, IndexedRecord, LookupResult } from '../types.ts';
import { isGiven, toldAt } from '../lookups/told.ts';

const roleTable = 'gcp.resource:iam.googleapis.com/Role';
const datasetTable = 'gcp.resource:bigquery.googleapis.com/Dataset';
const datasetPolicies = 'gcp.iam-policy:bigquery.googleapis.com/Dataset';

/** Tables that access to a type looks into, and what is read of their records. */
export function gcpAccessReads(type: string): Record<string, readonly string[]> {
  return {
    [`gcp.iam-policy:${type}`]: ['iamPolicy', 'name', 'assetType'],
    [roleTable]: ['resource.data.includedPermissions'],
    ...(type === 'bigquery.googleapis.com/Table'
      ? { [datasetTable]: ['resource.data.access'], [datasetPolicies]: ['iamPolicy', 'name', 'assetType'] }
      : {}),
  };
}

/** Who can read the stores of Google Cloud: a service agent decrypts, so IAM roles decide, direct or inherited. */
export function gcpAccess(lookup: EvaluationEnvironment['lookup']): { analyse(store: Resource): Analysis } {
  /** Stores at which the same policies are in force share one analysis. */
  const analyses = new Map<string, Analysis>();
  const numbers = new WeakMap<IndexedRecord, { readonly number: number; readonly level: string }>();
  let numbered = 0;

  function analyse(resource: Resource): Analysis {
    const store = Object.hasOwn(stores, resource.type) ? stores[resource.type] : undefined;
    if (!store) return { outcome: 'unknown', world: 'data-roles', because: `access to ${resource.type} is not analysed` };
    const hit = lookup(`gcp.iam-policy:${resource.type}`, resource.uid, true, resource);
    if (hit.outcome !== 'found') return { outcome: 'unknown', world: 'data-roles', because: hit.because };
    // Data sets and tables have an access list of their own.
    if (resource.type.startsWith('bigquery.googleapis.com/')) return analysePolicies(resource, store, hit);
    const own = gcpRelativeName(resource.uid);
    let memo = `${resource.type}\u0000${resource.account}\u0000${hit.complete ? '' : (hit.because ?? '-')}\u0000`;
    let direct = false;
    for (const record of hit.records) {
      let known = numbers.get(record);
      if (known === undefined) numbers.set(record, (known = { number: (numbered += 1), level: gcpRelativeName(record.uid) }));
      memo += `${known.number},`;
      direct ||= known.level === own;
    }
    if (direct) memo += own;
    // What a bucket says of itself is part of who can read it.
    const bucket = resource.type === bucketType ? bucketAccess(resource.document) : null;
    // Its lists are cited by its name.
    if (bucket) memo += JSON.stringify(bucket) + (bucket.wide.length > 0 || bucket.listing.length > 0 ? own : '');
    let made = analyses.get(memo);
    if (made === undefined) {
      if (analyses.size >= 2_000) analyses.clear();
      analyses.set(memo, (made = analysePolicies(resource, store, hit)));
    }
    return made;
  }

  function analysePolicies(resource: Resource, store: GcpStore, hit: Extract<LookupResult, { outcome: 'found' }>): Analysis {
    const found: Found = {
      readers: [],
      unsettled: new Set(),
      records: [],
      gap: hit.complete ? null : (hit.because ?? 'IAM policies are not whole'),
    };
    for (const record of hit.records) addPolicy(record, resource, store, found, gcpRelativeName(resource.uid));
    if (resource.type === bucketType) addBucketAccess(resource, found);
    const reads = (role: string): Role => roleOf(role, store, resource);
    if (resource.type === 'bigquery.googleapis.com/Dataset')
      addDatasetAccess(resource, resource.uid, null, reads, found, hasOwn(hit, resource.uid));
    if (resource.type === 'bigquery.googleapis.com/Table') addDataset(resource, store, found);
    if (found.readers.some((reader) => reader.kind === 'group'))
      found.unsettled.add('who belongs to the groups named: group membership is not in Asset Inventory');
    if (store.unsettled) found.unsettled.add(store.unsettled);
    found.unsettled.add('deny policies and principal access boundaries');
    return {
      outcome: 'found',
      world: 'data-roles',
      readers: orderReaders(found.readers),
      unsettled: [...found.unsettled],
      gap: found.gap,
      records: found.records,
    };
  }

  function addDataset(table: Resource, store: GcpStore, found: Found): void {
    const dataset = table.uid.replace(/\/tables\/[^/]+$/, '');
    const own = lookup(datasetTable, dataset, false, table);
    const policies = lookup(datasetPolicies, dataset, true, table);
    const reads = (role: string): Role => roleOf(role, store, table);
    if (own.outcome === 'found' && own.records[0])
      addDatasetAccess(own.records[0], dataset, gcpRelativeName(dataset), reads, found, hasOwn(policies, dataset));
    else found.gap ??= `dataset ${gcpRelativeName(dataset)} is not in the evidence`;
    if (policies.outcome !== 'found') found.gap ??= policies.because;
    else {
      if (!policies.complete) found.gap ??= policies.because ?? 'IAM policies are not whole';
      for (const record of policies.records) addPolicy(record, table, store, found, gcpRelativeName(table.uid));
    }
  }

  function addPolicy(record: IndexedRecord, from: Resource, store: GcpStore, found: Found, own: string): void {
    const bindings = valueAt(record.document, 'iamPolicy', 'bindings');
    if (!Array.isArray(bindings)) {
      // An empty policy and one whose bindings were lost look the same: it settles nothing.
      found.gap ??= `the IAM policy of ${gcpRelativeName(record.uid)} cannot be read`;
      return;
    }
    const level = gcpRelativeName(record.uid);
    for (const binding of bindings) {
      const role = toldAt(binding, 'role');
      const members = valueAt(binding, 'members');
      if (role === null || !Array.isArray(members)) {
        found.gap ??= `a binding of ${level} names no role or no members`;
        continue;
      }
      const { reads, record: definition } = roleOf(role, store, from);
      const conditional = isGiven(binding, 'condition');
      for (const member of members) {
        if (typeof member !== 'string' || isRedacted(member) || !memberForm.test(member)) {
          found.gap ??= `a binding of ${level} names a member that cannot be read`;
          continue;
        }
        const { kind, wide } = memberKind(member);
        if (!admits(reads, { role, level, member, wide }, found)) continue;
        if (wide) found.records.push(record, ...(definition ? [definition] : []));
        found.readers.push({
          principal: member,
          kind,
          via: `role ${role} on ${level}${indirectly[reads] ?? ''}`,
          conditional,
          wide,
          ...(level === own ? {} : { inheritedFrom: level }),
          ...cited(record.citation, definition),
        });
      }
    }
  }

  function roleOf(role: string, store: GcpStore, from: Resource): Role {
    if (store.roles.includes(role) || basicRoles.includes(role)) return { reads: 'yes' };
    if (grantingRoles.has(role)) return { reads: 'by-granting' };
    if (store.listing?.roles.includes(role)) return { reads: 'by-listing' };
    if (knownRoles.has(role) || harmlessServices.test(role)) return { reads: 'no' };
    if (role.startsWith('roles/')) return { reads: 'unknown' };
    const hit = lookup(roleTable, `//iam.googleapis.com/${role}`, false, from);
    const record = hit.outcome === 'found' ? hit.records[0] : undefined;
    const permissions = valueAt(record?.document, 'resource', 'data', 'includedPermissions');
    if (!record || !Array.isArray(permissions)) return { reads: 'unknown' };
    if (permissions.some((permission) => typeof permission === 'string' && store.permissions.includes(permission)))
      return { reads: 'yes', record };
    if (!permissions.every((permission) => typeof permission === 'string' && !isRedacted(permission))) return { reads: 'unknown' };
    return store.listing?.permissions.some((permission) => permissions.includes(permission))
      ? { reads: 'by-listing', record }
      : { reads: 'no' };
  }

  return { analyse };
}

/** `by-granting`: not by itself, but it can hand itself what does. `by-listing`: not the data, but the names of what is held. */
type Reads = 'yes' | 'by-granting' | 'by-listing' | 'no' | 'unknown';

interface Role {
  readonly reads: Reads;
  /** The definition of a custom role; the predefined ones are in no evidence. */
  readonly record?: IndexedRecord;
}

/** The role with the permission is cited by way of what gives it; without its record, what gives it is all there is. */
function cited(giving: Citation, role: IndexedRecord | undefined): Pick<Reader, 'citation' | 'through'> {
  return role ? { citation: role.citation, through: [giving] } : { citation: giving };
}

const indirectly: Readonly<Partial<Record<Reads, string>>> = {
  'by-granting': ', which can take a role that reads',
  'by-listing': ', which lets see the names of what is held',
};

export interface Found {
  readers: Reader[];
  readonly unsettled: Set<string>;
  readonly records: IndexedRecord[];
  gap: string | null;
}

interface Grant {
  readonly role: string;
  readonly level: string;
  readonly member: string;
  readonly wide: boolean;
}

/** Whether a grant makes a reader. Where it cannot be told, that is noted: as a gap if it would open the store to many. */
function admits(reads: Reads, { role, level, member, wide }: Grant, found: Found): boolean {
  if (reads === 'unknown') {
    if (wide) found.gap ??= `what role ${role}, which ${level} gives to ${member}, allows is not in the evidence`;
    else found.unsettled.add(`what role ${role} allows is not in the evidence`);
  }
  if (reads === 'by-granting' && !wide)
    found.unsettled.add('whoever administers IAM policies or service accounts can take a role that reads');
  return reads === 'yes' || (reads === 'by-granting' && wide) || (reads === 'by-listing' && everyone.has(member));
}

/** Every identity of a pool, or of an organisation. */
const wholePool = /^principalSet:\/\/(?:.*\/\*$|cloudresourcemanager\.googleapis\.com\/organizations\/)/;

/** `user:…`, `principalSet://…`, `deleted:user:…`, and the two that name everyone. */
const memberForm = /^(?:allUsers|allAuthenticatedUsers|[A-Za-z]+:.+)$/;

function memberKind(member: string): { kind: string; wide: boolean } {
  if (member === 'allUsers') return { kind: 'everyone', wide: true };
  if (member === 'allAuthenticatedUsers') return { kind: 'any authenticated user', wide: true };
  const kind = /^(?:deleted:)?([A-Za-z]+):/.exec(member)?.[1] ?? 'principal';
  const wide = kind === 'domain' || wholePool.test(member);
  return { kind: member.startsWith('deleted:') ? `deleted ${kind}` : kind, wide };
}

/** Roles of an access list that IAM does not know by these names. */
const datasetRoles = new Set(['READER', 'WRITER', 'OWNER']);

/** Whether the policy of the resource itself is among those in force on it. */
function hasOwn(hit: LookupResult, uid: string): boolean {
  return hit.outcome === 'found' && hit.records.some((record) => gcpRelativeName(record.uid) === gcpRelativeName(uid));
}

/** A dataset keeps an access list of its own beside IAM. */
function addDatasetAccess(
  dataset: IndexedRecord,
  uid: string,
  inheritedFrom: string | null,
  roleOf: (role: string) => Role,
  found: Found,
  mirrored: boolean,
): void {
  const access = valueAt(dataset.document, 'resource', 'data', 'access');
  // The inventory often leaves the list out. The IAM policy of the dataset says the same in other words.
  if ((access ?? null) === null && mirrored) return;
  if (!Array.isArray(access)) {
    found.gap ??= `the access list of dataset ${gcpRelativeName(uid)} is not in the evidence`;
    return;
  }
  for (const entry of access) {
    const role = toldAt(entry, 'role');
    if (!isJsonObject(entry) || (role === null && isGiven(entry, 'role'))) {
      found.gap ??= `an entry of the access list of dataset ${gcpRelativeName(uid)} cannot be read`;
      continue;
    }
    // Authorised views, routines and datasets carry no role: they are named as unsettled above.
    if (role === null) continue;
    const { reads, record }: Role = datasetRoles.has(role) ? { reads: 'yes' } : roleOf(role);
    if (reads === 'no') continue;
    const who = datasetMember(entry);
    if (who === null) {
      found.gap ??= `an entry of the access list of dataset ${gcpRelativeName(uid)} names nobody known`;
      continue;
    }
    if (!admits(reads, { role, level: `dataset ${gcpRelativeName(uid)}`, member: who.principal, wide: who.wide }, found)) continue;
    if (who.wide) found.records.push(dataset, ...(record ? [record] : []));
    found.readers.push({
      ...who,
      via: `access list of dataset ${gcpRelativeName(uid)} (${role})`,
      conditional: false,
      ...(inheritedFrom === null ? {} : { inheritedFrom }),
      ...cited(dataset.citation, record),
    });
  }
}

function datasetMember(entry: Json): { principal: string; kind: string; wide: boolean } | null {
  const special = toldAt(entry, 'specialGroup');
  if (special !== null)
    return special === 'allAuthenticatedUsers' || special === 'allUsers'
      ? { principal: special, ...memberKind(special) }
      : { principal: special, kind: 'special group', wide: false };
  const user = toldAt(entry, 'userByEmail');
  if (user !== null) return { principal: `user:${user}`, kind: 'user', wide: false };
  const group = toldAt(entry, 'groupByEmail');
  if (group !== null) return { principal: `group:${group}`, kind: 'group', wide: false };
  const domain = toldAt(entry, 'domain');
  if (domain !== null) return { principal: `domain:${domain}`, kind: 'domain', wide: true };
  const member = toldAt(entry, 'iamMember');
  return member === null ? null : { principal: member, ...memberKind(member) };
}
