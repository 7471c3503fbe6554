import { isJsonObject, type Json, type JsonObject, type Resource } from '../../model/index.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import { isRedacted } from '../language/values.ts';
import { gcpRelativeName, valueAt } from '../lookups/references.ts';
import type { EvaluationEnvironment, IndexedRecord, LookupResult } from '../types.ts';
import { isGiven, toldAt } from '../lookups/told.ts';

interface GcpStore {
  /** Permissions that read data; custom roles are judged by them. */
  readonly permissions: readonly string[];
  /** Predefined roles that hold one of these permissions. */
  readonly roles: readonly string[];
  /** Predefined roles of the service that are known to read no data. */
  readonly harmless: readonly string[];
  readonly unsettled?: string;
}

/** Roles over a whole project. For most services they read data, or can grant themselves what does. */
const basicRoles = ['roles/owner', 'roles/editor', 'roles/viewer', 'roles/writer', 'roles/reader', 'roles/admin'];

/** Services whose predefined roles read no data of stores. */
const harmlessServices =
  /^roles\/(?:browser|(?:resourcemanager|cloudasset|iam|serviceusage|logging|monitoring|cloudkms|billing|orgpolicy|accesscontextmanager|servicemanagement|cloudquotas|recommender)\.[A-Za-z.]+)$/;

const images = 'whoever can start or log in to a machine with it';
const logins = 'logins of the database itself';

const compute = (what: string): GcpStore => ({
  permissions: [`compute.${what}.useReadOnly`, `compute.${what}.use`],
  roles: [
    'roles/compute.admin',
    'roles/compute.instanceAdmin',
    'roles/compute.instanceAdmin.v1',
    'roles/compute.storageAdmin',
    'roles/compute.imageUser',
  ],
  harmless: [
    'roles/compute.viewer',
    'roles/compute.networkViewer',
    'roles/compute.networkUser',
    'roles/compute.networkAdmin',
    'roles/compute.securityAdmin',
  ],
  unsettled: images,
});
const bigquery: GcpStore = {
  permissions: ['bigquery.tables.getData'],
  roles: [
    'roles/bigquery.admin',
    'roles/bigquery.dataOwner',
    'roles/bigquery.dataEditor',
    'roles/bigquery.dataViewer',
    'roles/bigquery.studioAdmin',
    'roles/bigquery.filteredDataViewer',
  ],
  harmless: [
    'roles/bigquery.metadataViewer',
    'roles/bigquery.jobUser',
    'roles/bigquery.user',
    'roles/bigquery.resourceViewer',
    'roles/bigquery.resourceEditor',
    'roles/bigquery.resourceAdmin',
    'roles/bigquery.connectionUser',
    'roles/bigquery.readSessionUser',
  ],
  unsettled: 'row and column policies, and authorised views',
};
const sql: GcpStore = {
  permissions: ['cloudsql.instances.connect', 'cloudsql.instances.export'],
  roles: ['roles/cloudsql.admin', 'roles/cloudsql.editor', 'roles/cloudsql.client', 'roles/cloudsql.instanceUser'],
  harmless: ['roles/cloudsql.viewer'],
  unsettled: logins,
};
const spanner: GcpStore = {
  permissions: ['spanner.databases.select', 'spanner.databases.read'],
  roles: [
    'roles/spanner.admin',
    'roles/spanner.databaseAdmin',
    'roles/spanner.databaseUser',
    'roles/spanner.databaseReader',
    'roles/spanner.databaseReaderWithDataBoost',
    'roles/spanner.fineGrainedAccessUser',
  ],
  harmless: ['roles/spanner.viewer', 'roles/spanner.backupWriter'],
};
const pubsub: GcpStore = {
  permissions: ['pubsub.topics.attachSubscription', 'pubsub.subscriptions.consume'],
  roles: ['roles/pubsub.admin', 'roles/pubsub.editor', 'roles/pubsub.subscriber'],
  harmless: ['roles/pubsub.publisher', 'roles/pubsub.viewer'],
};
const alloydb: GcpStore = {
  permissions: ['alloydb.instances.connect'],
  roles: ['roles/alloydb.admin', 'roles/alloydb.client', 'roles/alloydb.databaseUser'],
  harmless: ['roles/alloydb.viewer'],
  unsettled: logins,
};

const stores: Readonly<Record<string, GcpStore>> = {
  'storage.googleapis.com/Bucket': {
    permissions: ['storage.objects.get'],
    roles: [
      'roles/storage.admin',
      'roles/storage.objectAdmin',
      'roles/storage.objectUser',
      'roles/storage.objectViewer',
      'roles/storage.legacyObjectOwner',
      'roles/storage.legacyObjectReader',
      'roles/storage.insightsCollectorService',
    ],
    harmless: [
      'roles/storage.objectCreator',
      'roles/storage.legacyBucketOwner',
      'roles/storage.legacyBucketReader',
      'roles/storage.legacyBucketWriter',
      'roles/storage.hmacKeyAdmin',
      'roles/storage.bucketViewer',
    ],
    unsettled: 'access control lists of single objects where uniform access is off, and signed URLs handed out before',
  },
  'bigquery.googleapis.com/Dataset': bigquery,
  'bigquery.googleapis.com/Table': bigquery,
  'compute.googleapis.com/Disk': compute('disks'),
  'compute.googleapis.com/Image': compute('images'),
  'compute.googleapis.com/Snapshot': compute('snapshots'),
  'sqladmin.googleapis.com/Instance': sql,
  'spanner.googleapis.com/Instance': spanner,
  'spanner.googleapis.com/Database': spanner,
  'pubsub.googleapis.com/Topic': pubsub,
  'pubsub.googleapis.com/Subscription': pubsub,
  'secretmanager.googleapis.com/Secret': {
    permissions: ['secretmanager.versions.access'],
    roles: ['roles/secretmanager.admin', 'roles/secretmanager.secretAccessor'],
    harmless: ['roles/secretmanager.viewer', 'roles/secretmanager.secretVersionAdder', 'roles/secretmanager.secretVersionManager'],
  },
  'artifactregistry.googleapis.com/Repository': {
    permissions: ['artifactregistry.repositories.downloadArtifacts'],
    roles: [
      'roles/artifactregistry.admin',
      'roles/artifactregistry.repoAdmin',
      'roles/artifactregistry.writer',
      'roles/artifactregistry.reader',
    ],
    harmless: [],
  },
  'file.googleapis.com/Instance': {
    permissions: ['file.backups.create'],
    roles: ['roles/file.editor'],
    harmless: ['roles/file.viewer'],
    unsettled: 'clients that mount it over the network',
  },
  'alloydb.googleapis.com/Cluster': alloydb,
  'alloydb.googleapis.com/Instance': alloydb,
  'container.googleapis.com/Cluster': {
    permissions: ['container.secrets.get'],
    roles: ['roles/container.admin', 'roles/container.developer', 'roles/container.clusterAdmin'],
    harmless: ['roles/container.clusterViewer', 'roles/container.viewer'],
    unsettled: 'role bindings inside the cluster',
  },
  'dataproc.googleapis.com/Cluster': {
    permissions: ['dataproc.jobs.create'],
    roles: ['roles/dataproc.admin', 'roles/dataproc.editor'],
    harmless: ['roles/dataproc.viewer'],
    unsettled: images,
  },
};

/** Predefined roles whose permissions are known: on the stores of other services they read nothing. */
const knownRoles = new Set(Object.values(stores).flatMap((store) => [...store.roles, ...store.harmless]));

export function isGcpStore(type: string): boolean {
  return Object.hasOwn(stores, type);
}

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
    if (resource.type === 'bigquery.googleapis.com/Dataset') addDatasetAccess(resource.document, resource.uid, null, found);
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
    if (own.outcome === 'found' && own.records[0]) addDatasetAccess(own.records[0].document, dataset, gcpRelativeName(dataset), found);
    else found.gap ??= `dataset ${gcpRelativeName(dataset)} is not in the evidence`;
    const policies = lookup(datasetPolicies, dataset, true, table);
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
      const reads = roleReads(role, store, from);
      const conditional = isGiven(binding, 'condition');
      for (const member of members) {
        if (typeof member !== 'string' || isRedacted(member)) {
          found.gap ??= `a binding of ${level} names a member that cannot be read`;
          continue;
        }
        const { kind, wide } = memberKind(member);
        if (reads === 'no' || (reads === 'unknown' && !wide)) {
          if (reads === 'unknown') found.unsettled.add(`what role ${role} allows is not in the evidence`);
          continue;
        }
        if (wide) found.records.push(record);
        found.readers.push({
          principal: member,
          kind,
          via: `role ${role} on ${level}${reads === 'unknown' ? ', whose permissions are not in the evidence' : ''}`,
          conditional: conditional || reads === 'unknown',
          wide,
          ...(level === own ? {} : { inheritedFrom: level }),
          citation: record.citation,
        });
      }
    }
  }

  function roleReads(role: string, store: GcpStore, from: Resource): 'yes' | 'no' | 'unknown' {
    if (store.roles.includes(role) || basicRoles.includes(role)) return 'yes';
    if (knownRoles.has(role) || harmlessServices.test(role)) return 'no';
    if (role.startsWith('roles/')) return 'unknown';
    const hit = lookup(roleTable, `//iam.googleapis.com/${role}`, false, from);
    const permissions = hit.outcome === 'found' ? valueAt(hit.records[0]?.document, 'resource', 'data', 'includedPermissions') : undefined;
    if (!Array.isArray(permissions)) return 'unknown';
    if (permissions.some((permission) => typeof permission === 'string' && store.permissions.includes(permission))) return 'yes';
    return permissions.every((permission) => typeof permission === 'string' && !isRedacted(permission)) ? 'no' : 'unknown';
  }

  return { analyse };
}

interface Found {
  readonly readers: Reader[];
  readonly unsettled: Set<string>;
  readonly records: IndexedRecord[];
  gap: string | null;
}

function memberKind(member: string): { kind: string; wide: boolean } {
  if (member === 'allUsers') return { kind: 'everyone', wide: true };
  if (member === 'allAuthenticatedUsers') return { kind: 'any authenticated user', wide: true };
  const kind = /^(?:deleted:)?([A-Za-z]+):/.exec(member)?.[1] ?? 'principal';
  const wide = kind === 'domain' || (/^principalSet:\/\//.test(member) && /\/\*$/.test(member));
  return { kind: member.startsWith('deleted:') ? `deleted ${kind}` : kind, wide };
}

const datasetRoles = new Set([
  'READER',
  'WRITER',
  'OWNER',
  'roles/bigquery.dataViewer',
  'roles/bigquery.dataEditor',
  'roles/bigquery.dataOwner',
]);

/** A dataset keeps an access list of its own beside IAM. */
function addDatasetAccess(document: JsonObject, uid: string, inheritedFrom: string | null, found: Found): void {
  const access = valueAt(document, 'resource', 'data', 'access');
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
    if (role === null || !datasetRoles.has(role)) continue;
    const who = datasetMember(entry);
    if (who === null) {
      found.gap ??= `an entry of the access list of dataset ${gcpRelativeName(uid)} names nobody known`;
      continue;
    }
    found.readers.push({
      ...who,
      via: `access list of dataset ${gcpRelativeName(uid)} (${role})`,
      conditional: false,
      ...(inheritedFrom === null ? {} : { inheritedFrom }),
    });
  }
}

function datasetMember(entry: Json): { principal: string; kind: string; wide: boolean } | null {
  const special = toldAt(entry, 'specialGroup');
  if (special !== null)
    return special === 'allAuthenticatedUsers'
      ? { principal: special, kind: 'any authenticated user', wide: true }
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
