import type { JsonObject } from '../../model/index.ts';
import { cosmos, mysql, postgres, sqlServer } from './azure-databases.ts';
import { type AzureCell, azureTenant } from './azure-model.ts';
import { type AzureStoreType, compact, identityOf, keyUrl, storeType, userIdentity } from './azure-store.ts';
import { systemIdentityLimit, systemIdentityMayWrap, systemPrincipal } from './azure-vaults.ts';
import { day, iso } from './population.ts';

const storage = storeType('Microsoft.Storage/storageAccounts', 24, {
  // At most 24 characters, and still one of its kind.
  name: (name, cell) => {
    const at = name.lastIndexOf('-');
    const number = name.slice(at + 1);
    return `nw${cell.subscription.id.slice(0, 4)}${compact(name.slice(0, at)).slice(0, 18 - number.length)}${number}`;
  },
  draft: (store, _cell, pick) => {
    const { key, name } = store;
    const accountScope = pick.chance(0.86);
    const twice = pick.chance(0.9);
    const service = (scope: string): JsonObject => ({ enabled: true, keyType: scope, lastEnabledTime: iso(store.createdAt) });
    const encryption: JsonObject = {
      ...(twice ? { requireInfrastructureEncryption: true } : {}),
      services: {
        blob: service('Account'),
        file: service('Account'),
        ...(accountScope ? { table: service('Account'), queue: service('Account') } : {}),
      },
      keySource: key === null ? 'Microsoft.Storage' : 'Microsoft.Keyvault',
    };
    if (key !== null) {
      encryption['keyvaultproperties'] = {
        keyvaulturi: key.vaultUri.replace(/\/$/, ''),
        keyname: key.keyName,
        keyversion: key.keyVersion,
        currentVersionedKeyIdentifier: keyUrl(key, key.currentVersion),
        lastKeyRotationTimestamp: iso(key.rotatedAt),
      };
      encryption['identity'] = {
        ...userIdentity(key),
        ...(key.federatedClientId === null ? {} : { federatedIdentityClientId: key.federatedClientId }),
      };
    }
    const open = pick.chance(0.03);
    return {
      kind: 'StorageV2',
      sku: { name: 'Standard_ZRS', tier: 'Standard' },
      properties: {
        provisioningState: 'Succeeded',
        creationTime: iso(store.createdAt),
        dnsEndpointType: 'Standard',
        defaultToOAuthAuthentication: pick.chance(0.7),
        publicNetworkAccess: open ? 'Enabled' : 'Disabled',
        allowCrossTenantReplication: false,
        isNfsV3Enabled: false,
        isSftpEnabled: false,
        isHnsEnabled: pick.chance(0.2),
        minimumTlsVersion: pick.chance(0.95) ? 'TLS1_2' : 'TLS1_0',
        allowBlobPublicAccess: open,
        allowSharedKeyAccess: pick.chance(0.25),
        supportsHttpsTrafficOnly: true,
        accessTier: 'Hot',
        networkAcls: { bypass: 'AzureServices', defaultAction: open ? 'Allow' : 'Deny', ipRules: [], virtualNetworkRules: [] },
        privateEndpointConnections: [],
        primaryEndpoints: {
          blob: `https://${name}.blob.core.windows.net/`,
          file: `https://${name}.file.core.windows.net/`,
          queue: `https://${name}.queue.core.windows.net/`,
          table: `https://${name}.table.core.windows.net/`,
        },
        primaryLocation: store.location,
        statusOfPrimary: 'available',
        encryption,
      },
      troubles: [...store.keyTroubles, ...(accountScope ? [] : ['service-scope-keys']), ...(twice ? [] : ['no-infrastructure-encryption'])],
    };
  },
});

const disk = storeType('Microsoft.Compute/disks', 22, {
  draft: (store, cell, pick) => {
    const choice = pick.weighted({ platform: 13, 'des-core': 61, 'des-legacy': 22, 'des-pinned': 3.5, 'des-orphan': 2.5 });
    const set = cell.vaults.diskSets.find((one) => one.name === choice);
    const troubles =
      choice === 'platform'
        ? ['platform-key']
        : choice === 'des-pinned'
          ? ['disk-set-no-rotation']
          : choice === 'des-orphan'
            ? ['identity-cannot-wrap']
            : [];
    return {
      sku: { name: 'Premium_ZRS', tier: 'Premium' },
      identity: null,
      zones: ['1'],
      properties: {
        osType: 'Linux',
        hyperVGeneration: 'V2',
        creationData: { createOption: 'Empty' },
        diskSizeGB: 128,
        diskIOPSReadWrite: 500,
        diskMBpsReadWrite: 100,
        encryption:
          set === undefined
            ? { type: 'EncryptionAtRestWithPlatformKey' }
            : {
                type: set.name === 'des-core' ? 'EncryptionAtRestWithPlatformAndCustomerKeys' : 'EncryptionAtRestWithCustomerKey',
                diskEncryptionSetId: set.id,
              },
        networkAccessPolicy: 'DenyAll',
        publicNetworkAccess: 'Disabled',
        timeCreated: iso(store.createdAt),
        provisioningState: 'Succeeded',
        diskState: pick.chance(0.9) ? 'Attached' : 'Unattached',
        diskSizeBytes: 137438953472,
        uniqueId: pick.guid(),
      },
      troubles,
    };
  },
});

const registry = storeType('Microsoft.ContainerRegistry/registries', 5, {
  name: (name, cell) => `acrnw${cell.subscription.id.slice(0, 4)}${compact(name)}`,
  draft: ({ key, name, keyTroubles, createdAt }, _cell, pick) => {
    return {
      sku: { name: 'Premium', tier: 'Premium' },
      identity: identityOf(key),
      properties: {
        loginServer: `${name}.azurecr.io`,
        creationDate: iso(createdAt),
        provisioningState: 'Succeeded',
        anonymousPullEnabled: false,
        adminUserEnabled: pick.chance(0.04),
        publicNetworkAccess: 'Disabled',
        zoneRedundancy: 'Enabled',
        policies: { exportPolicy: { status: 'disabled' } },
        encryption:
          key === null
            ? { status: 'disabled' }
            : {
                status: 'enabled',
                keyVaultProperties: {
                  keyIdentifier: keyUrl(key),
                  versionedKeyIdentifier: keyUrl(key, key.currentVersion),
                  // By client id, or the word that stands for the registry's own identity.
                  identity: key.identity.kind === 'system' ? 'system' : key.identity.clientId,
                  keyRotationEnabled: key.keyVersion === '',
                  lastKeyRotationTimestamp: iso(key.rotatedAt),
                },
              },
      },
      troubles: key === null ? ['platform-key'] : keyTroubles,
    };
  },
});

const kubernetes = storeType('Microsoft.ContainerService/managedClusters', 5, {
  name: (name, cell) => `aks-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, keyTroubles, name, location }, cell, pick) => {
    const set = pick.weighted({ none: 10, 'des-core': 80, 'des-legacy': 10 });
    const diskSet = cell.vaults.diskSets.find((one) => one.name === set);
    const own = pick.guid();
    // The plug-in needs encrypt and decrypt; now and then it is given an identity that may only wrap.
    const wrapping = pick.chance(0.1);
    const identity = cell.vaults.identities.find((one) => (wrapping ? one.name === 'id-cmk-data' : one.mayDecrypt));
    const encrypts = key !== null && key.vaultId !== null && identity !== undefined;
    return {
      sku: { name: 'Base', tier: 'Standard' },
      identity: encrypts
        ? {
            type: 'UserAssigned',
            userAssignedIdentities: { [identity.id]: { principalId: identity.principalId, clientId: identity.clientId } },
          }
        : { type: 'SystemAssigned', principalId: own, tenantId: azureTenant },
      properties: {
        provisioningState: 'Succeeded',
        powerState: { code: 'Running' },
        kubernetesVersion: '1.32.4',
        dnsPrefix: name,
        fqdn: `${name}.hcp.${location}.azmk8s.io`,
        enableRBAC: true,
        nodeResourceGroup: `MC_${name}`,
        disableLocalAccounts: true,
        agentPoolProfiles: [
          {
            name: 'system',
            count: 3,
            vmSize: 'Standard_D4ds_v5',
            osDiskType: 'Managed',
            mode: 'System',
            enableEncryptionAtHost: pick.chance(0.8),
          },
        ],
        ...(diskSet === undefined ? {} : { diskEncryptionSetID: diskSet.id }),
        securityProfile: {
          azureKeyVaultKms: encrypts
            ? {
                enabled: true,
                keyId: keyUrl(key, key.currentVersion),
                keyVaultNetworkAccess: 'Private',
                keyVaultResourceId: key.vaultId,
              }
            : { enabled: false },
        },
      },
      troubles: [
        ...(diskSet === undefined ? ['platform-key'] : []),
        ...(encrypts
          ? [
              ...keyTroubles.filter((trouble) => trouble !== 'identity-cannot-wrap' && trouble !== 'pinned-old-version'),
              ...(wrapping ? ['identity-cannot-decrypt'] : []),
            ]
          : ['secrets-platform-key']),
      ],
    };
  },
});

const messaging = (type: string, weight: number, prefix: string): AzureStoreType =>
  storeType(type, weight, {
    name: (name, cell) => `${prefix}-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
    draft: ({ key, name, keyTroubles, createdAt }, cell, pick) => ({
      sku: { name: 'Premium', tier: 'Premium', capacity: 1 },
      properties: {
        provisioningState: 'Succeeded',
        status: 'Active',
        metricId: `${cell.subscription.id}:${name}`,
        createdAt: iso(createdAt),
        updatedAt: iso(createdAt + day),
        serviceBusEndpoint: `https://${name}.servicebus.windows.net:443/`,
        minimumTlsVersion: '1.2',
        publicNetworkAccess: pick.chance(0.95) ? 'Disabled' : 'Enabled',
        disableLocalAuth: pick.chance(0.9),
        zoneRedundant: true,
        ...(key === null
          ? {}
          : {
              encryption: {
                keySource: 'Microsoft.KeyVault',
                requireInfrastructureEncryption: pick.chance(0.6),
                keyVaultProperties: [
                  {
                    keyName: key.keyName,
                    keyVaultUri: key.vaultUri.replace(/\/$/, ''),
                    keyVersion: key.keyVersion,
                    ...(key.identity.kind === 'user' ? { identity: { userAssignedIdentity: key.identity.id } } : {}),
                  },
                ],
              },
            }),
      },
      troubles: keyTroubles,
    }),
  });

const factory = storeType('Microsoft.DataFactory/factories', 4, {
  name: (name, cell) => `adf-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, keyTroubles, createdAt }) => ({
    properties: {
      provisioningState: 'Succeeded',
      createTime: iso(createdAt),
      version: '2018-06-01',
      publicNetworkAccess: 'Disabled',
      ...(key === null
        ? {}
        : {
            encryption: {
              vaultBaseUrl: key.vaultUri,
              keyName: key.keyName,
              keyVersion: key.keyVersion,
              ...(key.identity.kind === 'user' ? { identity: { userAssignedIdentity: key.identity.id } } : {}),
            },
          }),
    },
    troubles: keyTroubles,
  }),
});

const logCluster = storeType('Microsoft.OperationalInsights/clusters', 2, {
  name: (name, cell) => `log-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, keyTroubles, createdAt }, _cell, pick) => ({
    sku: { name: 'CapacityReservation', capacity: 100 },
    properties: {
      provisioningState: 'Succeeded',
      clusterId: pick.guid(),
      billingType: 'Cluster',
      isDoubleEncryptionEnabled: true,
      isAvailabilityZonesEnabled: true,
      createdDate: iso(createdAt),
      lastModifiedDate: iso(createdAt + day),
      ...(key === null
        ? {}
        : { keyVaultProperties: { keyVaultUri: key.vaultUri, keyName: key.keyName, keyVersion: key.keyVersion, keyRsaSize: 3072 } }),
    },
    troubles: keyTroubles,
  }),
});

/** Every kind of store, with its share of the estate. */
export const azureStoreTypes: readonly AzureStoreType[] = [
  storage,
  disk,
  sqlServer,
  cosmos,
  postgres,
  mysql,
  registry,
  kubernetes,
  messaging('Microsoft.EventHub/namespaces', 5, 'evhns'),
  messaging('Microsoft.ServiceBus/namespaces', 5, 'sbns'),
  factory,
  logCluster,
];

/** Principals of the stores that have an identity of their own, as far as they were given the right to wrap. */
export function systemPrincipals(cell: AzureCell, type: string, count: number): { index: number; principalId: string }[] {
  return Array.from({ length: Math.min(count, systemIdentityLimit) }, (_, index) => ({
    index,
    principalId: systemPrincipal(cell, type, index),
  })).filter(({ index }) => systemIdentityMayWrap(index));
}
