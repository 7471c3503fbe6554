import type { JsonObject } from '../../model/index.ts';
import { keyLocation } from './gcp-keys.ts';
import { compute, encrypted, storeType, zone } from './gcp-store.ts';
import { iso } from './population.ts';

export const disk = storeType('compute.googleapis.com/Disk', 16, 'compute', (store, cell, pick) => {
  const supplied = pick.chance(0.012);
  return {
    name: `//compute.googleapis.com/projects/${cell.project.id}/zones/${zone}/disks/${store.name}`,
    location: zone,
    state: 'READY',
    troubles: supplied ? ['customer-supplied-key'] : store.key.troubles,
    data: {
      id: pick.digits(19),
      creationTimestamp: iso(store.createdAt),
      name: store.name,
      sizeGb: '200',
      zone: `${compute(cell)}/zones/${zone}`,
      status: 'READY',
      selfLink: `${compute(cell)}/zones/${zone}/disks/${store.name}`,
      type: `${compute(cell)}/zones/${zone}/diskTypes/pd-ssd`,
      physicalBlockSizeBytes: '4096',
      labels: store.labels,
      labelFingerprint: '42WmSpB8rSM=',
      ...(supplied ? { diskEncryptionKey: { sha256: `${pick.hex(43)}=` } } : encrypted('diskEncryptionKey', store.key.primary)),
    },
  };
});

export const image = storeType('compute.googleapis.com/Image', 4, 'compute', (store, cell, pick) => ({
  name: `//compute.googleapis.com/projects/${cell.project.id}/global/images/${store.name}`,
  location: 'global',
  state: 'READY',
  troubles: store.key.troubles,
  data: {
    id: pick.digits(19),
    creationTimestamp: iso(store.createdAt),
    name: store.name,
    sourceType: 'RAW',
    status: 'READY',
    diskSizeGb: '20',
    archiveSizeBytes: '2310123456',
    selfLink: `${compute(cell)}/global/images/${store.name}`,
    storageLocations: [keyLocation],
    labels: store.labels,
    ...encrypted('imageEncryptionKey', store.key.primary),
  },
}));

export const snapshot = storeType('compute.googleapis.com/Snapshot', 6, 'compute', (store, cell, pick) => ({
  name: `//compute.googleapis.com/projects/${cell.project.id}/global/snapshots/${store.name}`,
  location: 'global',
  state: 'READY',
  troubles: store.key.troubles,
  data: {
    id: pick.digits(19),
    creationTimestamp: iso(store.createdAt),
    name: store.name,
    status: 'READY',
    sourceDisk: `${compute(cell)}/zones/${zone}/disks/${store.name}`,
    diskSizeGb: '200',
    storageBytes: '1024',
    selfLink: `${compute(cell)}/global/snapshots/${store.name}`,
    storageLocations: [keyLocation],
    labels: store.labels,
    ...encrypted('snapshotEncryptionKey', store.key.primary),
  },
}));

export const instance = storeType('compute.googleapis.com/Instance', 6, 'compute', (store, cell, pick) => ({
  name: `//compute.googleapis.com/projects/${cell.project.id}/zones/${zone}/instances/${store.name}`,
  location: zone,
  state: 'RUNNING',
  troubles: store.key.troubles,
  data: {
    id: pick.digits(19),
    creationTimestamp: iso(store.createdAt),
    name: store.name,
    machineType: `${compute(cell)}/zones/${zone}/machineTypes/e2-standard-4`,
    status: 'RUNNING',
    zone: `${compute(cell)}/zones/${zone}`,
    canIpForward: false,
    deletionProtection: false,
    selfLink: `${compute(cell)}/zones/${zone}/instances/${store.name}`,
    labels: store.labels,
    disks: [
      {
        type: 'PERSISTENT',
        mode: 'READ_WRITE',
        source: `${compute(cell)}/zones/${zone}/disks/${store.name}`,
        deviceName: 'boot',
        index: 0,
        boot: true,
        autoDelete: true,
        interface: 'SCSI',
        diskSizeGb: '50',
        ...encrypted('diskEncryptionKey', store.key.primary),
      },
    ],
    shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
    serviceAccounts: [
      { email: `app@${cell.project.id}.iam.gserviceaccount.com`, scopes: ['https://www.googleapis.com/auth/cloud-platform'] },
    ],
    metadata: { items: [{ key: 'startup-script', value: `#!/bin/sh\nexport DB_PASSWORD=sim-${pick.hex(16)}\n` }] },
  },
}));

export const cluster = storeType('container.googleapis.com/Cluster', 3, 'compute', (store, cell, pick) => {
  const secrets = pick.chance(0.9);
  const boot: JsonObject = store.key.path === null ? {} : { bootDiskKmsKey: store.key.path };
  return {
    name: `//container.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`,
    location: keyLocation,
    state: 'RUNNING',
    troubles: [...store.key.troubles, ...(secrets || store.key.path === null ? [] : ['secrets-not-encrypted'])],
    data: {
      name: store.name,
      location: keyLocation,
      status: 'RUNNING',
      currentMasterVersion: '1.33.3-gke.1136000',
      selfLink: `https://container.googleapis.com/v1/projects/${cell.project.id}/locations/${keyLocation}/clusters/${store.name}`,
      resourceLabels: store.labels,
      createTime: iso(store.createdAt),
      nodeConfig: { machineType: 'e2-standard-4', diskSizeGb: 100, diskType: 'pd-balanced', imageType: 'COS_CONTAINERD', ...boot },
      nodePools: [{ name: 'default', config: { machineType: 'e2-standard-4', diskType: 'pd-balanced', ...boot }, status: 'RUNNING' }],
      databaseEncryption:
        store.key.path !== null && secrets
          ? { state: 'ENCRYPTED', currentState: 'CURRENT_STATE_ENCRYPTED', keyName: store.key.path }
          : { state: 'DECRYPTED', currentState: 'CURRENT_STATE_DECRYPTED' },
      masterAuthorizedNetworksConfig: { enabled: true },
      workloadIdentityConfig: { workloadPool: `${cell.project.id}.svc.id.goog` },
    },
  };
});

export const nodePool = storeType('container.googleapis.com/NodePool', 3, 'compute', (store, cell) => ({
  name: `//container.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/core/nodePools/${store.name}`,
  location: keyLocation,
  state: 'RUNNING',
  parent: `//container.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/clusters/core`,
  troubles: store.key.troubles,
  data: {
    name: store.name,
    status: 'RUNNING',
    version: '1.33.3-gke.1136000',
    initialNodeCount: 3,
    selfLink: `https://container.googleapis.com/v1/projects/${cell.project.id}/locations/${keyLocation}/clusters/core/nodePools/${store.name}`,
    config: {
      machineType: 'e2-standard-4',
      diskSizeGb: 100,
      diskType: 'pd-balanced',
      resourceLabels: store.labels,
      ...(store.key.path === null ? {} : { bootDiskKmsKey: store.key.path }),
    },
    management: { autoUpgrade: true, autoRepair: true },
  },
}));

export const dataproc = storeType('dataproc.googleapis.com/Cluster', 2, 'analytics', (store, cell, pick) => ({
  name: `//dataproc.googleapis.com/projects/${cell.project.id}/regions/${keyLocation}/clusters/${store.name}`,
  location: keyLocation,
  state: 'RUNNING',
  troubles: store.key.troubles,
  data: {
    projectId: cell.project.id,
    clusterName: store.name,
    clusterUuid: pick.guid(),
    labels: store.labels,
    status: { state: 'RUNNING', stateStartTime: iso(store.createdAt) },
    config: {
      configBucket: `dataproc-staging-${pick.hex(8)}`,
      gceClusterConfig: { zoneUri: `${compute(cell)}/zones/${zone}` },
      masterConfig: { numInstances: 1 },
      workerConfig: { numInstances: 2 },
      ...(store.key.path === null ? {} : { encryptionConfig: { gcePdKmsKeyName: store.key.path } }),
    },
  },
}));

export const filestore = storeType('file.googleapis.com/Instance', 2, 'compute', (store, cell) => ({
  name: `//file.googleapis.com/projects/${cell.project.id}/locations/${keyLocation}/instances/${store.name}`,
  location: keyLocation,
  state: 'READY',
  troubles: store.key.troubles,
  data: {
    name: `projects/${cell.project.id}/locations/${keyLocation}/instances/${store.name}`,
    createTime: iso(store.createdAt),
    state: 'READY',
    tier: 'ENTERPRISE',
    fileShares: [{ name: 'share', capacityGb: '1024' }],
    networks: [{ network: 'default', modes: ['MODE_IPV4'] }],
    labels: store.labels,
    ...(store.key.path === null ? {} : { kmsKeyName: store.key.path }),
  },
}));
