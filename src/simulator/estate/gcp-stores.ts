import type { Json, JsonObject } from '../../model/index.ts';
import { cluster, dataproc, disk, filestore, image, instance, nodePool, snapshot } from './gcp-compute.ts';
import { keyLocation } from './gcp-keys.ts';
import { encrypted, type GcpStoreType, readers, storeType, zone } from './gcp-store.ts';
import { day, iso } from './population.ts';

const bucket = storeType('storage.googleapis.com/Bucket', 22, 'storage', (store, cell, pick) => {
  const name = `nw-${cell.project.id.replace('northwind-', '')}-${store.name}`;
  const { bindings, troubles } = readers(pick, 'roles/storage.objectViewer', cell);
  return {
    name: `//storage.googleapis.com/${name}`,
    displayName: name,
    location: keyLocation,
    troubles: [...store.key.troubles, ...troubles],
    bindings: [
      { role: 'roles/storage.legacyBucketOwner', members: [`projectEditor:${cell.project.id}`, `projectOwner:${cell.project.id}`] },
      ...bindings,
    ],
    data: {
      kind: 'storage#bucket',
      selfLink: `https://www.googleapis.com/storage/v1/b/${name}`,
      id: name,
      name,
      projectNumber: cell.project.number,
      metageneration: '3',
      location: keyLocation.toUpperCase(),
      locationType: 'region',
      storageClass: 'STANDARD',
      etag: 'CAM=',
      timeCreated: iso(store.createdAt),
      updated: iso(store.createdAt + day),
      labels: store.labels,
      iamConfiguration: {
        bucketPolicyOnly: { enabled: true },
        uniformBucketLevelAccess: { enabled: true, lockedTime: iso(store.createdAt + 90 * day) },
        publicAccessPrevention: troubles.length > 0 ? 'inherited' : 'enforced',
      },
      encryption: store.key.path === null ? {} : { defaultKmsKeyName: store.key.path },
      versioning: { enabled: pick.chance(0.8) },
    },
  };
});

/** Data sets that tables lie in: the first ones of a project. */
const warehouses = ['warehouse_core', 'warehouse_raw', 'warehouse_mart'] as const;

const dataset = storeType('bigquery.googleapis.com/Dataset', 7, 'analytics', (store, cell, pick) => {
  const id = warehouses[Number(store.name.slice(store.name.lastIndexOf('-') + 1))] ?? store.name.replaceAll('-', '_');
  const { bindings, troubles } = readers(pick, 'roles/bigquery.dataViewer', cell);
  return {
    name: `//bigquery.googleapis.com/projects/${cell.project.id}/datasets/${id}`,
    displayName: id,
    location: keyLocation,
    version: 'v2',
    bindings,
    troubles: [...store.key.troubles, ...troubles],
    data: {
      kind: 'bigquery#dataset',
      id: `${cell.project.id}:${id}`,
      selfLink: `https://www.googleapis.com/bigquery/v2/projects/${cell.project.id}/datasets/${id}`,
      datasetReference: { projectId: cell.project.id, datasetId: id },
      location: keyLocation,
      creationTime: String(store.createdAt),
      lastModifiedTime: String(store.createdAt + day),
      labels: store.labels,
      access: [
        { role: 'OWNER', specialGroup: 'projectOwners' },
        { role: 'READER', specialGroup: 'projectReaders' },
      ],
      ...encrypted('defaultEncryptionConfiguration', store.key.path),
    },
  };
});

const table = storeType('bigquery.googleapis.com/Table', 12, 'analytics', (store, cell, pick) => {
  const id = store.name.replaceAll('-', '_');
  const set = pick.pick(warehouses);
  return {
    name: `//bigquery.googleapis.com/projects/${cell.project.id}/datasets/${set}/tables/${id}`,
    displayName: id,
    location: keyLocation,
    version: 'v2',
    parent: `//bigquery.googleapis.com/projects/${cell.project.id}/datasets/${set}`,
    troubles: store.key.troubles,
    data: {
      kind: 'bigquery#table',
      id: `${cell.project.id}:${set}.${id}`,
      tableReference: { projectId: cell.project.id, datasetId: set, tableId: id },
      type: 'TABLE',
      location: keyLocation,
      creationTime: String(store.createdAt),
      lastModifiedTime: String(store.createdAt + day),
      numBytes: String(pick.int(1_000_000_000)),
      numRows: String(pick.int(1_000_000)),
      labels: store.labels,
      ...encrypted('encryptionConfiguration', store.key.path),
    },
  };
});

const sql = storeType('sqladmin.googleapis.com/Instance', 6, 'database', (store, cell, pick) => ({
  name: `//cloudsql.googleapis.com/projects/${cell.project.id}/instances/${store.name}`,
  location: keyLocation,
  version: 'v1beta4',
  state: 'RUNNABLE',
  troubles: store.key.troubles,
  data: {
    kind: 'sql#instance',
    name: store.name,
    project: cell.project.id,
    region: keyLocation,
    gceZone: zone,
    databaseVersion: pick.pick(['POSTGRES_16', 'MYSQL_8_0']),
    instanceType: 'CLOUD_SQL_INSTANCE',
    backendType: 'SECOND_GEN',
    state: 'RUNNABLE',
    connectionName: `${cell.project.id}:${keyLocation}:${store.name}`,
    selfLink: `https://sqladmin.googleapis.com/sql/v1beta4/projects/${cell.project.id}/instances/${store.name}`,
    createTime: iso(store.createdAt),
    serviceAccountEmailAddress: `p${cell.project.number}-${pick.hex(6)}@gcp-sa-cloud-sql.iam.gserviceaccount.com`,
    settings: {
      tier: 'db-custom-4-16384',
      availabilityType: 'REGIONAL',
      ipConfiguration: { ipv4Enabled: pick.chance(0.05), requireSsl: true, sslMode: 'ENCRYPTED_ONLY' },
      backupConfiguration: { enabled: true, pointInTimeRecoveryEnabled: true },
      userLabels: store.labels,
      deletionProtectionEnabled: true,
    },
    ...encrypted('diskEncryptionConfiguration', store.key.path),
  },
}));

const spannerInstance = storeType('spanner.googleapis.com/Instance', 1.5, 'database', (store, cell) => ({
  name: `//spanner.googleapis.com/projects/${cell.project.id}/instances/${store.name}`,
  location: keyLocation,
  state: 'READY',
  troubles: [],
  data: {
    name: `projects/${cell.project.id}/instances/${store.name}`,
    config: `projects/${cell.project.id}/instanceConfigs/regional-${keyLocation}`,
    displayName: store.name,
    nodeCount: 1,
    processingUnits: 1000,
    state: 'READY',
    labels: store.labels,
    createTime: iso(store.createdAt),
  },
}));

const spannerDatabase = storeType('spanner.googleapis.com/Database', 3, 'database', (store, cell) => ({
  name: `//spanner.googleapis.com/projects/${cell.project.id}/instances/core/databases/${store.name}`,
  location: keyLocation,
  state: 'READY',
  parent: `//spanner.googleapis.com/projects/${cell.project.id}/instances/core`,
  troubles: store.key.troubles,
  data: {
    name: `projects/${cell.project.id}/instances/core/databases/${store.name}`,
    state: 'READY',
    createTime: iso(store.createdAt),
    versionRetentionPeriod: '1h',
    databaseDialect: 'GOOGLE_STANDARD_SQL',
    ...encrypted('encryptionConfig', store.key.path),
  },
}));

const topic = storeType('pubsub.googleapis.com/Topic', 9, 'messaging', (store, cell, pick) => {
  const { bindings, troubles } = readers(pick, 'roles/pubsub.subscriber', cell);
  return {
    name: `//pubsub.googleapis.com/projects/${cell.project.id}/topics/${store.name}`,
    location: 'global',
    bindings,
    troubles: [...store.key.troubles, ...troubles],
    data: {
      name: `projects/${cell.project.id}/topics/${store.name}`,
      labels: store.labels,
      messageStoragePolicy: { allowedPersistenceRegions: [keyLocation] },
      ...(store.key.path === null ? {} : { kmsKeyName: store.key.path }),
    },
  };
});

const repository = storeType('artifactregistry.googleapis.com/Repository', 4, 'messaging', (store, cell) => ({
  name: `//artifactregistry.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/repositories/${store.name}`,
  location: keyLocation,
  troubles: store.key.troubles,
  data: {
    name: `projects/${cell.project.id}/locations/${keyLocation}/repositories/${store.name}`,
    format: 'DOCKER',
    mode: 'STANDARD_REPOSITORY',
    createTime: iso(store.createdAt),
    updateTime: iso(store.createdAt + day),
    labels: store.labels,
    ...(store.key.path === null ? {} : { kmsKeyName: store.key.path }),
  },
}));

const secret = storeType('secretmanager.googleapis.com/Secret', 8, 'messaging', (store, cell, pick) => {
  const own: JsonObject = store.key.path === null ? {} : { customerManagedEncryption: { kmsKeyName: store.key.path } };
  const replication: Json = pick.chance(0.7) ? { userManaged: { replicas: [{ location: keyLocation, ...own }] } } : { automatic: own };
  const { bindings, troubles } = readers(pick, 'roles/secretmanager.secretAccessor', cell);
  return {
    name: `//secretmanager.googleapis.com/projects/${cell.project.number}/secrets/${store.name}`,
    location: 'global',
    bindings,
    troubles: [...store.key.troubles, ...troubles],
    data: {
      name: `projects/${cell.project.number}/secrets/${store.name}`,
      createTime: iso(store.createdAt),
      labels: store.labels,
      etag: `"${pick.hex(14)}"`,
      replication,
    },
  };
});

const alloydb = storeType('alloydb.googleapis.com/Cluster', 2, 'database', (store, cell, pick) => ({
  name: `//alloydb.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`,
  location: keyLocation,
  state: 'READY',
  troubles: store.key.troubles,
  data: {
    name: `projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`,
    uid: pick.guid(),
    createTime: iso(store.createdAt),
    state: 'READY',
    clusterType: 'PRIMARY',
    databaseVersion: 'POSTGRES_16',
    labels: store.labels,
    encryptionInfo: {
      encryptionType: store.key.path === null ? 'GOOGLE_DEFAULT_ENCRYPTION' : 'CUSTOMER_MANAGED_ENCRYPTION',
      ...(store.key.primary === null ? {} : { kmsKeyVersions: [store.key.primary] }),
    },
    ...encrypted('encryptionConfig', store.key.path),
  },
}));

/** Every kind of store, with its share of the estate. */
export const gcpStoreTypes: readonly GcpStoreType[] = [
  bucket,
  disk,
  image,
  snapshot,
  instance,
  dataset,
  table,
  sql,
  spannerInstance,
  spannerDatabase,
  topic,
  repository,
  secret,
  cluster,
  nodePool,
  dataproc,
  filestore,
  alloydb,
];
