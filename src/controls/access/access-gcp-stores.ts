export interface GcpStore {
  /** Permissions that read data; custom roles are judged by them. */
  readonly permissions: readonly string[];
  /** Predefined roles that hold one of these permissions. */
  readonly roles: readonly string[];
  /** Predefined roles of the service that are known to read no data. */
  readonly harmless: readonly string[];
  /** Permissions, and those of the harmless roles, that show the names of what is held: no reading, but not for everyone to see. */
  readonly listing?: { readonly permissions: readonly string[]; readonly roles: readonly string[] };
  readonly unsettled?: string;
}

/** Roles over a whole project. For most services they read data, or can grant themselves what does. */
export const basicRoles = ['roles/owner', 'roles/editor', 'roles/viewer', 'roles/writer', 'roles/reader', 'roles/admin'];

/** Roles that read nothing, but whoever holds one can hand himself, or act as, what does. */
export const grantingRoles: ReadonlySet<string> = new Set([
  'roles/resourcemanager.projectIamAdmin',
  'roles/resourcemanager.folderIamAdmin',
  'roles/resourcemanager.folderAdmin',
  'roles/resourcemanager.organizationAdmin',
  'roles/iam.securityAdmin',
  'roles/iam.serviceAccountTokenCreator',
  'roles/iam.serviceAccountKeyAdmin',
  'roles/iam.serviceAccountAdmin',
  'roles/iam.serviceAccountUser',
  'roles/iam.workloadIdentityUser',
  'roles/iam.roleAdmin',
  'roles/iam.organizationRoleAdmin',
  'roles/storage.legacyBucketOwner',
]);

/** Services whose predefined roles read no data of stores. */
export const harmlessServices =
  /^roles\/(?:browser|(?:resourcemanager|cloudasset|iam|serviceusage|logging|monitoring|cloudkms|billing|iap|cloudsupport|orgpolicy|accesscontextmanager|servicemanagement|cloudquotas|recommender)\.[A-Za-z.]+)$/;

const images = 'whoever can start or log in to a machine with it';
const logins = 'logins of the database itself';

const compute = (what: string, more: readonly string[] = []): GcpStore => ({
  permissions: [`compute.${what}.useReadOnly`, `compute.${what}.use`],
  roles: ['roles/compute.admin', 'roles/compute.instanceAdmin', 'roles/compute.instanceAdmin.v1', 'roles/compute.storageAdmin', ...more],
  harmless: [
    // On images alone it reads; there it is among the roles that do.
    ...(more.length === 0 ? ['roles/compute.imageUser'] : []),
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
  listing: { permissions: ['bigquery.tables.list'], roles: ['roles/bigquery.metadataViewer', 'roles/bigquery.user'] },
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

export const stores: Readonly<Record<string, GcpStore>> = {
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
      'roles/storage.legacyBucketReader',
      'roles/storage.legacyBucketWriter',
      'roles/storage.hmacKeyAdmin',
      'roles/storage.bucketViewer',
    ],
    listing: { permissions: ['storage.objects.list'], roles: ['roles/storage.legacyBucketReader', 'roles/storage.legacyBucketWriter'] },
    unsettled: 'signed URLs handed out before, and policies of managed folders within it',
  },
  'bigquery.googleapis.com/Dataset': bigquery,
  'bigquery.googleapis.com/Table': bigquery,
  'compute.googleapis.com/Disk': compute('disks'),
  'compute.googleapis.com/RegionDisk': compute('disks'),
  'compute.googleapis.com/Image': compute('images', ['roles/compute.imageUser']),
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
export const knownRoles = new Set(Object.values(stores).flatMap((store) => [...store.roles, ...store.harmless]));

export function isGcpStore(type: string): boolean {
  return Object.hasOwn(stores, type);
}
