import type { Json, JsonObject } from '../../model/index.ts';
import { type GcpCell, type GcpDraft, gcpLabels, type IamBinding } from './gcp-model.ts';
import { chooseGcpKey, type ChosenKey, keyLocation, type KeyGroup } from './gcp-keys.ts';
import { businessName, classify, type Classification, day, iso } from './population.ts';
import type { Random } from './random.ts';

export interface GcpStoreType {
  readonly type: string;
  readonly weight: number;
  make(cell: GcpCell, pick: Random, index: number): GcpDraft;
}

interface Store { readonly name: string; readonly classification: Classification; readonly labels: Record<string, string>; readonly createdAt: number; readonly key: ChosenKey }

const zone = `${keyLocation}-b`;
const compute = (cell: GcpCell): string => `https://www.googleapis.com/compute/v1/projects/${cell.project.id}`;

function storeType(type: string, weight: number, group: KeyGroup, draft: (store: Store, cell: GcpCell, pick: Random) => Omit<GcpDraft, 'classification' | 'labels' | 'kmsKey' | 'displayName'> & { displayName?: string }): GcpStoreType {
  return {
    type, weight,
    make(cell, pick, index) {
      const classification = classify(pick);
      const labels = gcpLabels(classification, pick, cell.project);
      const store: Store = { name: businessName(pick, index), classification, labels, createdAt: cell.asOf - Math.floor((20 + pick.next() * 900) * day), key: chooseGcpKey(cell, pick, group) };
      const made = draft(store, cell, pick);
      return { ...made, displayName: made.displayName ?? store.name, classification, labels, kmsKey: store.key.path };
    },
  };
}

/** Who may read: now and then everyone. */
function readers(pick: Random, reader: string, cell: GcpCell): { bindings: IamBinding[]; troubles: string[] } {
  const open = pick.chance(0.015);
  const bindings: IamBinding[] = [
    { role: reader, members: [...(open ? [pick.chance(0.5) ? 'allUsers' : 'allAuthenticatedUsers'] : []), `serviceAccount:app@${cell.project.id}.iam.gserviceaccount.com`, ...(pick.chance(0.4) ? [`user:${pick.pick(['ada', 'grace', 'radia'])}@northwind.example`] : [])] },
  ];
  return { bindings, troubles: open ? ['public-data-access'] : [] };
}

const encrypted = (name: string, key: string | null): JsonObject => (key === null ? {} : { [name]: { kmsKeyName: key } });

const bucket = storeType('storage.googleapis.com/Bucket', 22, 'storage', (store, cell, pick) => {
  const name = `nw-${cell.project.id.replace('northwind-', '')}-${store.name}`;
  const { bindings, troubles } = readers(pick, 'roles/storage.objectViewer', cell);
  return {
    name: `//storage.googleapis.com/${name}`, displayName: name, location: keyLocation, troubles: [...store.key.troubles, ...troubles],
    bindings: [{ role: 'roles/storage.legacyBucketOwner', members: [`projectEditor:${cell.project.id}`, `projectOwner:${cell.project.id}`] }, ...bindings],
    data: {
      kind: 'storage#bucket', selfLink: `https://www.googleapis.com/storage/v1/b/${name}`, id: name, name, projectNumber: cell.project.number, metageneration: '3', location: keyLocation.toUpperCase(), locationType: 'region', storageClass: 'STANDARD', etag: 'CAM=', timeCreated: iso(store.createdAt), updated: iso(store.createdAt + day), labels: store.labels,
      iamConfiguration: { bucketPolicyOnly: { enabled: true }, uniformBucketLevelAccess: { enabled: true, lockedTime: iso(store.createdAt + 90 * day) }, publicAccessPrevention: troubles.length > 0 ? 'inherited' : 'enforced' },
      encryption: store.key.path === null ? {} : { defaultKmsKeyName: store.key.path }, versioning: { enabled: pick.chance(0.8) },
    },
  };
});

const disk = storeType('compute.googleapis.com/Disk', 16, 'compute', (store, cell, pick) => {
  const supplied = pick.chance(0.012);
  return {
    name: `//compute.googleapis.com/projects/${cell.project.id}/zones/${zone}/disks/${store.name}`, location: zone, state: 'READY', troubles: supplied ? ['customer-supplied-key'] : store.key.troubles,
    data: {
      id: pick.digits(19), creationTimestamp: iso(store.createdAt), name: store.name, sizeGb: '200', zone: `${compute(cell)}/zones/${zone}`, status: 'READY', selfLink: `${compute(cell)}/zones/${zone}/disks/${store.name}`, type: `${compute(cell)}/zones/${zone}/diskTypes/pd-ssd`, physicalBlockSizeBytes: '4096', labels: store.labels, labelFingerprint: '42WmSpB8rSM=',
      ...(supplied ? { diskEncryptionKey: { sha256: `${pick.hex(43)}=` } } : encrypted('diskEncryptionKey', store.key.primary)),
    },
  };
});

const image = storeType('compute.googleapis.com/Image', 4, 'compute', (store, cell, pick) => ({
  name: `//compute.googleapis.com/projects/${cell.project.id}/global/images/${store.name}`, location: 'global', state: 'READY', troubles: store.key.troubles,
  data: { id: pick.digits(19), creationTimestamp: iso(store.createdAt), name: store.name, sourceType: 'RAW', status: 'READY', diskSizeGb: '20', archiveSizeBytes: '2310123456', selfLink: `${compute(cell)}/global/images/${store.name}`, storageLocations: [keyLocation], labels: store.labels, ...encrypted('imageEncryptionKey', store.key.primary) },
}));

const snapshot = storeType('compute.googleapis.com/Snapshot', 6, 'compute', (store, cell, pick) => ({
  name: `//compute.googleapis.com/projects/${cell.project.id}/global/snapshots/${store.name}`, location: 'global', state: 'READY', troubles: store.key.troubles,
  data: { id: pick.digits(19), creationTimestamp: iso(store.createdAt), name: store.name, status: 'READY', sourceDisk: `${compute(cell)}/zones/${zone}/disks/${store.name}`, diskSizeGb: '200', storageBytes: '1024', selfLink: `${compute(cell)}/global/snapshots/${store.name}`, storageLocations: [keyLocation], labels: store.labels, ...encrypted('snapshotEncryptionKey', store.key.primary) },
}));

const instance = storeType('compute.googleapis.com/Instance', 6, 'compute', (store, cell, pick) => ({
  name: `//compute.googleapis.com/projects/${cell.project.id}/zones/${zone}/instances/${store.name}`, location: zone, state: 'RUNNING', troubles: store.key.troubles,
  data: {
    id: pick.digits(19), creationTimestamp: iso(store.createdAt), name: store.name, machineType: `${compute(cell)}/zones/${zone}/machineTypes/e2-standard-4`, status: 'RUNNING', zone: `${compute(cell)}/zones/${zone}`, canIpForward: false, deletionProtection: false, selfLink: `${compute(cell)}/zones/${zone}/instances/${store.name}`, labels: store.labels,
    disks: [{ type: 'PERSISTENT', mode: 'READ_WRITE', source: `${compute(cell)}/zones/${zone}/disks/${store.name}`, deviceName: 'boot', index: 0, boot: true, autoDelete: true, interface: 'SCSI', diskSizeGb: '50', ...encrypted('diskEncryptionKey', store.key.primary) }],
    shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true }, serviceAccounts: [{ email: `app@${cell.project.id}.iam.gserviceaccount.com`, scopes: ['https://www.googleapis.com/auth/cloud-platform'] }],
    metadata: { items: [{ key: 'startup-script', value: `#!/bin/sh\nexport DB_PASSWORD=sim-${pick.hex(16)}\n` }] },
  },
}));

const dataset = storeType('bigquery.googleapis.com/Dataset', 7, 'analytics', (store, cell, pick) => {
  const id = store.name.replaceAll('-', '_');
  const { bindings, troubles } = readers(pick, 'roles/bigquery.dataViewer', cell);
  return {
    name: `//bigquery.googleapis.com/projects/${cell.project.id}/datasets/${id}`, displayName: id, location: keyLocation, version: 'v2', bindings, troubles: [...store.key.troubles, ...troubles],
    data: {
      kind: 'bigquery#dataset', id: `${cell.project.id}:${id}`, selfLink: `https://www.googleapis.com/bigquery/v2/projects/${cell.project.id}/datasets/${id}`, datasetReference: { projectId: cell.project.id, datasetId: id }, location: keyLocation, creationTime: String(store.createdAt), lastModifiedTime: String(store.createdAt + day), labels: store.labels,
      access: [{ role: 'OWNER', specialGroup: 'projectOwners' }, { role: 'READER', specialGroup: 'projectReaders' }], ...encrypted('defaultEncryptionConfiguration', store.key.path),
    },
  };
});

const table = storeType('bigquery.googleapis.com/Table', 12, 'analytics', (store, cell, pick) => {
  const id = store.name.replaceAll('-', '_');
  const set = `warehouse_${pick.pick(['core', 'raw', 'mart'])}`;
  return {
    name: `//bigquery.googleapis.com/projects/${cell.project.id}/datasets/${set}/tables/${id}`, displayName: id, location: keyLocation, version: 'v2', parent: `//bigquery.googleapis.com/projects/${cell.project.id}/datasets/${set}`, troubles: store.key.troubles,
    data: { kind: 'bigquery#table', id: `${cell.project.id}:${set}.${id}`, tableReference: { projectId: cell.project.id, datasetId: set, tableId: id }, type: 'TABLE', location: keyLocation, creationTime: String(store.createdAt), lastModifiedTime: String(store.createdAt + day), numBytes: String(pick.int(1_000_000_000)), numRows: String(pick.int(1_000_000)), labels: store.labels, ...encrypted('encryptionConfiguration', store.key.path) },
  };
});

const sql = storeType('sqladmin.googleapis.com/Instance', 6, 'database', (store, cell, pick) => ({
  name: `//cloudsql.googleapis.com/projects/${cell.project.id}/instances/${store.name}`, location: keyLocation, version: 'v1beta4', state: 'RUNNABLE', troubles: store.key.troubles,
  data: {
    kind: 'sql#instance', name: store.name, project: cell.project.id, region: keyLocation, gceZone: zone, databaseVersion: pick.pick(['POSTGRES_16', 'MYSQL_8_0']), instanceType: 'CLOUD_SQL_INSTANCE', backendType: 'SECOND_GEN', state: 'RUNNABLE', connectionName: `${cell.project.id}:${keyLocation}:${store.name}`, selfLink: `https://sqladmin.googleapis.com/sql/v1beta4/projects/${cell.project.id}/instances/${store.name}`, createTime: iso(store.createdAt), serviceAccountEmailAddress: `p${cell.project.number}-${pick.hex(6)}@gcp-sa-cloud-sql.iam.gserviceaccount.com`,
    settings: { tier: 'db-custom-4-16384', availabilityType: 'REGIONAL', ipConfiguration: { ipv4Enabled: pick.chance(0.05), requireSsl: true, sslMode: 'ENCRYPTED_ONLY' }, backupConfiguration: { enabled: true, pointInTimeRecoveryEnabled: true }, userLabels: store.labels, deletionProtectionEnabled: true },
    ...encrypted('diskEncryptionConfiguration', store.key.path),
  },
}));

const spannerInstance = storeType('spanner.googleapis.com/Instance', 1.5, 'database', (store, cell) => ({
  name: `//spanner.googleapis.com/projects/${cell.project.id}/instances/${store.name}`, location: keyLocation, state: 'READY', troubles: [],
  data: { name: `projects/${cell.project.id}/instances/${store.name}`, config: `projects/${cell.project.id}/instanceConfigs/regional-${keyLocation}`, displayName: store.name, nodeCount: 1, processingUnits: 1000, state: 'READY', labels: store.labels, createTime: iso(store.createdAt) },
}));

const spannerDatabase = storeType('spanner.googleapis.com/Database', 3, 'database', (store, cell) => ({
  name: `//spanner.googleapis.com/projects/${cell.project.id}/instances/core/databases/${store.name}`, location: keyLocation, state: 'READY', parent: `//spanner.googleapis.com/projects/${cell.project.id}/instances/core`, troubles: store.key.troubles,
  data: { name: `projects/${cell.project.id}/instances/core/databases/${store.name}`, state: 'READY', createTime: iso(store.createdAt), versionRetentionPeriod: '1h', databaseDialect: 'GOOGLE_STANDARD_SQL', ...encrypted('encryptionConfig', store.key.path) },
}));

const topic = storeType('pubsub.googleapis.com/Topic', 9, 'messaging', (store, cell, pick) => {
  const { bindings, troubles } = readers(pick, 'roles/pubsub.subscriber', cell);
  return {
    name: `//pubsub.googleapis.com/projects/${cell.project.id}/topics/${store.name}`, location: 'global', bindings, troubles: [...store.key.troubles, ...troubles],
    data: { name: `projects/${cell.project.id}/topics/${store.name}`, labels: store.labels, messageStoragePolicy: { allowedPersistenceRegions: [keyLocation] }, ...(store.key.path === null ? {} : { kmsKeyName: store.key.path }) },
  };
});

const repository = storeType('artifactregistry.googleapis.com/Repository', 4, 'messaging', (store, cell) => ({
  name: `//artifactregistry.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/repositories/${store.name}`, location: keyLocation, troubles: store.key.troubles,
  data: { name: `projects/${cell.project.id}/locations/${keyLocation}/repositories/${store.name}`, format: 'DOCKER', mode: 'STANDARD_REPOSITORY', createTime: iso(store.createdAt), updateTime: iso(store.createdAt + day), labels: store.labels, ...(store.key.path === null ? {} : { kmsKeyName: store.key.path }) },
}));

const secret = storeType('secretmanager.googleapis.com/Secret', 8, 'messaging', (store, cell, pick) => {
  const own: JsonObject = store.key.path === null ? {} : { customerManagedEncryption: { kmsKeyName: store.key.path } };
  const replication: Json = pick.chance(0.7) ? { userManaged: { replicas: [{ location: keyLocation, ...own }] } } : { automatic: own };
  const { bindings, troubles } = readers(pick, 'roles/secretmanager.secretAccessor', cell);
  return {
    name: `//secretmanager.googleapis.com/projects/${cell.project.number}/secrets/${store.name}`, location: 'global', bindings, troubles: [...store.key.troubles, ...troubles],
    data: { name: `projects/${cell.project.number}/secrets/${store.name}`, createTime: iso(store.createdAt), labels: store.labels, etag: `"${pick.hex(14)}"`, replication },
  };
});

const cluster = storeType('container.googleapis.com/Cluster', 3, 'compute', (store, cell, pick) => {
  const secrets = pick.chance(0.9);
  const boot: JsonObject = store.key.path === null ? {} : { bootDiskKmsKey: store.key.path };
  return {
    name: `//container.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`, location: keyLocation, state: 'RUNNING', troubles: [...store.key.troubles, ...(secrets || store.key.path === null ? [] : ['secrets-not-encrypted'])],
    data: {
      name: store.name, location: keyLocation, status: 'RUNNING', currentMasterVersion: '1.33.3-gke.1136000', selfLink: `https://container.googleapis.com/v1/projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`, resourceLabels: store.labels, createTime: iso(store.createdAt), nodeConfig: { machineType: 'e2-standard-4', diskSizeGb: 100, diskType: 'pd-balanced', imageType: 'COS_CONTAINERD', ...boot }, nodePools: [{ name: 'default', config: { machineType: 'e2-standard-4', diskType: 'pd-balanced', ...boot }, status: 'RUNNING' }],
      databaseEncryption: store.key.path !== null && secrets ? { state: 'ENCRYPTED', currentState: 'CURRENT_STATE_ENCRYPTED', keyName: store.key.path } : { state: 'DECRYPTED', currentState: 'CURRENT_STATE_DECRYPTED' },
      masterAuthorizedNetworksConfig: { enabled: true }, workloadIdentityConfig: { workloadPool: `${cell.project.id}.svc.id.goog` },
    },
  };
});

const nodePool = storeType('container.googleapis.com/NodePool', 3, 'compute', (store, cell) => ({
  name: `//container.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/core/nodePools/${store.name}`, location: keyLocation, state: 'RUNNING', parent: `//container.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/core`, troubles: store.key.troubles,
  data: { name: store.name, status: 'RUNNING', version: '1.33.3-gke.1136000', initialNodeCount: 3, selfLink: `https://container.googleapis.com/v1/projects/${cell.project.id}/locations/${keyLocation}/clusters/core/nodePools/${store.name}`, config: { machineType: 'e2-standard-4', diskSizeGb: 100, diskType: 'pd-balanced', resourceLabels: store.labels, ...(store.key.path === null ? {} : { bootDiskKmsKey: store.key.path }) }, management: { autoUpgrade: true, autoRepair: true } },
}));

const dataproc = storeType('dataproc.googleapis.com/Cluster', 2, 'analytics', (store, cell, pick) => ({
  name: `//dataproc.googleapis.com/projects/${cell.project.id}/regions/${keyLocation}/clusters/${store.name}`, location: keyLocation, state: 'RUNNING', troubles: store.key.troubles,
  data: { projectId: cell.project.id, clusterName: store.name, clusterUuid: pick.guid(), labels: store.labels, status: { state: 'RUNNING', stateStartTime: iso(store.createdAt) }, config: { configBucket: `dataproc-staging-${pick.hex(8)}`, gceClusterConfig: { zoneUri: `${compute(cell)}/zones/${zone}` }, masterConfig: { numInstances: 1 }, workerConfig: { numInstances: 2 }, ...(store.key.path === null ? {} : { encryptionConfig: { gcePdKmsKeyName: store.key.path } }) } },
}));

const filestore = storeType('file.googleapis.com/Instance', 2, 'compute', (store, cell) => ({
  name: `//file.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/instances/${store.name}`, location: keyLocation, state: 'READY', troubles: store.key.troubles,
  data: { name: `projects/${cell.project.id}/locations/${keyLocation}/instances/${store.name}`, createTime: iso(store.createdAt), state: 'READY', tier: 'ENTERPRISE', fileShares: [{ name: 'share', capacityGb: '1024' }], networks: [{ network: 'default', modes: ['MODE_IPV4'] }], labels: store.labels, ...(store.key.path === null ? {} : { kmsKeyName: store.key.path }) },
}));

const alloydb = storeType('alloydb.googleapis.com/Cluster', 2, 'database', (store, cell, pick) => ({
  name: `//alloydb.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`, location: keyLocation, state: 'READY', troubles: store.key.troubles,
  data: { name: `projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`, uid: pick.guid(), createTime: iso(store.createdAt), state: 'READY', clusterType: 'PRIMARY', databaseVersion: 'POSTGRES_16', labels: store.labels, encryptionInfo: { encryptionType: store.key.path === null ? 'GOOGLE_DEFAULT_ENCRYPTION' : 'CUSTOMER_MANAGED_ENCRYPTION', ...(store.key.primary === null ? {} : { kmsKeyVersions: [store.key.primary] }) }, ...encrypted('encryptionConfig', store.key.path) },
}));

export const gcpStoreTypes: readonly GcpStoreType[] = [
  bucket, disk, image, snapshot, instance, dataset, table, sql, spannerInstance, spannerDatabase, topic, repository, secret, cluster, nodePool, dataproc, filestore, alloydb,
];
