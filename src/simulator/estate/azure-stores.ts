import type { JsonObject } from '../../model/index.ts';
import { type AzureCell, azureLocations, azureRow, type AzureRow, azureTags, azureTenant, resourceGroups } from './azure-model.ts';
import { chooseCustomerKey, type CustomerKey, systemIdentityLimit, systemPrincipal } from './azure-vaults.ts';
import { businessName, type Classification, classify, day, iso, textOf } from './population.ts';
import type { Random } from './random.ts';

export interface AzureStoreType {
  /** In the provider's own case. */
  readonly type: string;
  readonly weight: number;
  make(cell: AzureCell, pick: Random, index: number): AzureRow;
}

interface Draft {
  readonly properties: JsonObject;
  readonly kind?: string;
  readonly sku?: JsonObject;
  readonly identity?: JsonObject | null;
  readonly zones?: string[];
  readonly troubles: readonly string[];
}

interface Store {
  readonly name: string;
  readonly location: string;
  readonly classification: Classification;
  readonly createdAt: number;
  readonly key: CustomerKey | null;
  readonly keyTroubles: readonly string[];
}

function storeType(type: string, weight: number, options: { name?: (name: string, cell: AzureCell, pick: Random) => string; draft: (store: Store, cell: AzureCell, pick: Random) => Draft }): AzureStoreType {
  return {
    type, weight,
    make(cell, pick, index) {
      const classification = classify(pick);
      const base = businessName(pick, index);
      const name = options.name?.(base, cell, pick) ?? base;
      const location = pick.chance(0.85) ? azureLocations[0] : azureLocations[1];
      const group = pick.pick(resourceGroups.slice(0, 3));
      const key = chooseCustomerKey(cell, pick, type, index);
      const createdAt = cell.asOf - Math.floor((30 + pick.next() * 900) * day);
      const draft = options.draft({ name, location, classification, createdAt, key, keyTroubles: key?.troubles ?? ['platform-key'] }, cell, pick);
      const environment = cell.subscription.name.endsWith('development') ? 'development' : 'production';
      const row = azureRow(cell, { type, group, name, location, tags: azureTags(classification, pick, environment), kind: draft.kind ?? '', sku: draft.sku ?? null, identity: draft.identity === undefined ? identityOf(key) : draft.identity, zones: draft.zones ?? null, properties: draft.properties });
      return { uid: textOf(row, 'id').toLowerCase(), troubles: draft.troubles, classification, row };
    },
  };
}

/** The managed identity column: user assigned identities are keyed by id. */
function identityOf(key: CustomerKey | null): JsonObject | null {
  if (key === null) return null;
  if (key.identity.kind === 'system') return { type: 'SystemAssigned', principalId: key.identity.principalId, tenantId: azureTenant };
  return { type: 'UserAssigned', userAssignedIdentities: { [key.identity.id]: { principalId: key.identity.principalId, clientId: key.identity.principalId.split('').reverse().join('').replaceAll('-', '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5') } } };
}

const keyUrl = (key: CustomerKey, version = key.keyVersion): string => `${key.vaultUri}keys/${key.keyName}${version === '' ? '' : `/${version}`}`;
const userIdentity = (key: CustomerKey): JsonObject => (key.identity.kind === 'user' ? { userAssignedIdentity: key.identity.id } : {});
const compact = (name: string): string => name.replaceAll('-', '');

const storage = storeType('Microsoft.Storage/storageAccounts', 24, {
  // At most 24 characters, and still one of its kind.
  name: (name, cell) => {
    const at = name.lastIndexOf('-');
    const number = name.slice(at + 1);
    return `nw${cell.subscription.id.slice(0, 4)}${compact(name.slice(0, at)).slice(0, 18 - number.length)}${number}`;
  },
  draft: (store, _cell, pick) => {
    const { key, name } = store;
    const accountScope = pick.chance(0.75);
    const service = (scope: string): JsonObject => ({ enabled: true, keyType: scope, lastEnabledTime: iso(store.createdAt) });
    const encryption: JsonObject = {
      ...(pick.chance(0.8) ? { requireInfrastructureEncryption: true } : {}),
      services: { blob: service('Account'), file: service('Account'), ...(accountScope ? { table: service('Account'), queue: service('Account') } : {}) },
      keySource: key === null ? 'Microsoft.Storage' : 'Microsoft.Keyvault',
    };
    if (key !== null) {
      encryption['keyvaultproperties'] = { keyvaulturi: key.vaultUri.replace(/\/$/, ''), keyname: key.keyName, keyversion: key.keyVersion, currentVersionedKeyIdentifier: keyUrl(key, key.currentVersion), lastKeyRotationTimestamp: iso(key.rotatedAt) };
      encryption['identity'] = { ...userIdentity(key), ...(key.federatedClientId === null ? {} : { federatedIdentityClientId: key.federatedClientId }) };
    }
    const open = pick.chance(0.03);
    return {
      kind: 'StorageV2', sku: { name: 'Standard_ZRS', tier: 'Standard' },
      properties: {
        provisioningState: 'Succeeded', creationTime: iso(store.createdAt), dnsEndpointType: 'Standard', defaultToOAuthAuthentication: pick.chance(0.7), publicNetworkAccess: open ? 'Enabled' : 'Disabled', allowCrossTenantReplication: false, isNfsV3Enabled: false, isSftpEnabled: false, isHnsEnabled: pick.chance(0.2), minimumTlsVersion: pick.chance(0.95) ? 'TLS1_2' : 'TLS1_0', allowBlobPublicAccess: open, allowSharedKeyAccess: pick.chance(0.25), supportsHttpsTrafficOnly: true, accessTier: 'Hot',
        networkAcls: { bypass: 'AzureServices', defaultAction: open ? 'Allow' : 'Deny', ipRules: [], virtualNetworkRules: [] }, privateEndpointConnections: [],
        primaryEndpoints: { blob: `https://${name}.blob.core.windows.net/`, file: `https://${name}.file.core.windows.net/`, queue: `https://${name}.queue.core.windows.net/`, table: `https://${name}.table.core.windows.net/` }, primaryLocation: store.location, statusOfPrimary: 'available', encryption,
      },
      troubles: [...store.keyTroubles, ...(accountScope ? [] : ['service-scope-keys'])],
    };
  },
});

const disk = storeType('Microsoft.Compute/disks', 22, {
  draft: (store, cell, pick) => {
    const choice = pick.weighted({ platform: 13, 'des-core': 61, 'des-legacy': 22, 'des-pinned': 3.5, 'des-orphan': 2.5 });
    const set = cell.vaults.diskSets.find((one) => one.name === choice);
    const troubles = choice === 'platform' ? ['platform-key'] : choice === 'des-pinned' ? ['disk-set-no-rotation'] : choice === 'des-orphan' ? ['identity-cannot-wrap'] : [];
    return {
      sku: { name: 'Premium_ZRS', tier: 'Premium' }, identity: null, zones: ['1'],
      properties: {
        osType: 'Linux', hyperVGeneration: 'V2', creationData: { createOption: 'Empty' }, diskSizeGB: 128, diskIOPSReadWrite: 500, diskMBpsReadWrite: 100,
        encryption: set === undefined ? { type: 'EncryptionAtRestWithPlatformKey' } : { type: set.name === 'des-core' ? 'EncryptionAtRestWithPlatformAndCustomerKeys' : 'EncryptionAtRestWithCustomerKey', diskEncryptionSetId: set.id },
        networkAccessPolicy: 'DenyAll', publicNetworkAccess: 'Disabled', timeCreated: iso(store.createdAt), provisioningState: 'Succeeded', diskState: pick.chance(0.9) ? 'Attached' : 'Unattached', diskSizeBytes: 137438953472, uniqueId: pick.guid(),
      },
      troubles,
    };
  },
});

const sqlServer = storeType('Microsoft.Sql/servers', 8, {
  name: (name, cell) => `sql-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, name, keyTroubles }, _cell, pick) => ({
    kind: 'v12.0',
    properties: {
      administratorLogin: 'nwadmin', version: '12.0', state: 'Ready', fullyQualifiedDomainName: `${name}.database.windows.net`, privateEndpointConnections: [], minimalTlsVersion: '1.2', publicNetworkAccess: pick.chance(0.95) ? 'Disabled' : 'Enabled', restrictOutboundNetworkAccess: 'Disabled',
      administrators: { administratorType: 'ActiveDirectory', principalType: 'Group', login: 'nw-dba', sid: pick.guid(), tenantId: azureTenant, azureADOnlyAuthentication: true },
      ...(key === null ? {} : { keyId: keyUrl(key, key.currentVersion), ...(key.identity.kind === 'user' ? { primaryUserAssignedIdentityId: key.identity.id } : {}) }),
    },
    troubles: keyTroubles,
  }),
});

const cosmos = storeType('Microsoft.DocumentDB/databaseAccounts', 8, {
  name: (name, cell) => `cosmos-nw-${cell.subscription.id.slice(0, 4)}-${name}`.slice(0, 44),
  draft: ({ key, name, keyTroubles, location }, _cell, pick) => ({
    kind: 'GlobalDocumentDB',
    properties: {
      provisioningState: 'Succeeded', documentEndpoint: `https://${name}.documents.azure.com:443/`, publicNetworkAccess: pick.chance(0.93) ? 'Disabled' : 'Enabled', enableAutomaticFailover: true, isVirtualNetworkFilterEnabled: true, virtualNetworkRules: [], EnabledApiTypes: 'Sql', disableKeyBasedMetadataWriteAccess: true, databaseAccountOfferType: 'Standard', defaultIdentity: key?.identity.kind === 'user' ? `UserAssignedIdentity=${key.identity.id}` : 'FirstPartyIdentity', disableLocalAuth: pick.chance(0.8), minimalTlsVersion: 'Tls12', ipRules: [], backupPolicy: { type: 'Continuous' },
      locations: [{ id: `${name}-${location}`, locationName: location, failoverPriority: 0, provisioningState: 'Succeeded', isZoneRedundant: true }], ...(key === null ? {} : { keyVaultKeyUri: keyUrl(key) }),
    },
    troubles: keyTroubles,
  }),
});

const postgres = storeType('Microsoft.DBforPostgreSQL/flexibleServers', 7, {
  name: (name, cell) => `psql-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key: chosen, name, keyTroubles }, _cell, pick) => {
    const key = chosen?.identity.kind === 'system' ? null : chosen;
    return {
      sku: { name: 'Standard_D4ds_v5', tier: 'GeneralPurpose' }, identity: identityOf(key),
      properties: {
        fullyQualifiedDomainName: `${name}.postgres.database.azure.com`, version: '16', administratorLogin: 'nwadmin', state: 'Ready', storage: { storageSizeGB: 256, autoGrow: 'Enabled' }, authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled' }, backup: { backupRetentionDays: 14, geoRedundantBackup: 'Disabled' }, network: { publicNetworkAccess: pick.chance(0.95) ? 'Disabled' : 'Enabled' }, highAvailability: { mode: 'ZoneRedundant', state: 'Healthy' },
        dataEncryption: key === null ? { type: 'SystemManaged' } : { type: 'AzureKeyVault', primaryKeyURI: keyUrl(key, key.keyVersion), primaryUserAssignedIdentityId: key.identity.id, primaryEncryptionKeyStatus: 'Valid' },
      },
      troubles: key === null ? ['platform-key'] : keyTroubles,
    };
  },
});

const mysql = storeType('Microsoft.DBforMySQL/flexibleServers', 5, {
  name: (name, cell) => `mysql-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key: chosen, name, keyTroubles }) => {
    const key = chosen?.identity.kind === 'system' ? null : chosen;
    return {
      sku: { name: 'Standard_D2ads_v5', tier: 'GeneralPurpose' }, identity: identityOf(key),
      properties: {
        fullyQualifiedDomainName: `${name}.mysql.database.azure.com`, version: '8.0.21', administratorLogin: 'nwadmin', state: 'Ready', storage: { storageSizeGB: 128, autoGrow: 'Enabled' }, backup: { backupRetentionDays: 14, geoRedundantBackup: 'Disabled' }, network: { publicNetworkAccess: 'Disabled' }, highAvailability: { mode: 'ZoneRedundant', state: 'Healthy' },
        ...(key === null ? {} : { dataEncryption: { type: 'AzureKeyVault', primaryKeyURI: keyUrl(key, key.keyVersion), primaryUserAssignedIdentityId: key.identity.id } }),
      },
      troubles: key === null ? ['platform-key'] : keyTroubles,
    };
  },
});

const registry = storeType('Microsoft.ContainerRegistry/registries', 5, {
  name: (name, cell) => `acrnw${cell.subscription.id.slice(0, 4)}${compact(name)}`,
  draft: ({ key: chosen, name, keyTroubles, createdAt }, _cell, pick) => {
    const key = chosen?.identity.kind === 'system' ? null : chosen;
    return {
      sku: { name: 'Premium', tier: 'Premium' }, identity: identityOf(key),
      properties: {
        loginServer: `${name}.azurecr.io`, creationDate: iso(createdAt), provisioningState: 'Succeeded', anonymousPullEnabled: false, adminUserEnabled: pick.chance(0.04), publicNetworkAccess: 'Disabled', zoneRedundancy: 'Enabled', policies: { exportPolicy: { status: 'disabled' } },
        encryption: key === null ? { status: 'disabled' } : { status: 'enabled', keyVaultProperties: { keyIdentifier: keyUrl(key), versionedKeyIdentifier: keyUrl(key, key.currentVersion), identity: key.identity.principalId, keyRotationEnabled: key.keyVersion === '', lastKeyRotationTimestamp: iso(key.rotatedAt) } },
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
    return {
      sku: { name: 'Base', tier: 'Standard' }, identity: { type: 'SystemAssigned', principalId: pick.guid(), tenantId: azureTenant },
      properties: {
        provisioningState: 'Succeeded', powerState: { code: 'Running' }, kubernetesVersion: '1.32.4', dnsPrefix: name, fqdn: `${name}.hcp.${location}.azmk8s.io`, enableRBAC: true, nodeResourceGroup: `MC_${name}`, disableLocalAccounts: true, agentPoolProfiles: [{ name: 'system', count: 3, vmSize: 'Standard_D4ds_v5', osDiskType: 'Managed', mode: 'System', enableEncryptionAtHost: pick.chance(0.8) }],
        ...(diskSet === undefined ? {} : { diskEncryptionSetID: diskSet.id }),
        securityProfile: { azureKeyVaultKms: key === null || key.vaultId === null ? { enabled: false } : { enabled: true, keyId: keyUrl(key, key.currentVersion), keyVaultNetworkAccess: 'Private', keyVaultResourceId: key.vaultId } },
      },
      troubles: [...(diskSet === undefined ? ['platform-key'] : []), ...(key === null || key.vaultId === null ? ['secrets-platform-key'] : keyTroubles.filter((trouble) => trouble !== 'identity-cannot-wrap' && trouble !== 'pinned-old-version'))],
    };
  },
});

const messaging = (type: string, weight: number, prefix: string): AzureStoreType => storeType(type, weight, {
  name: (name, cell) => `${prefix}-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, name, keyTroubles, createdAt }, cell, pick) => ({
    sku: { name: 'Premium', tier: 'Premium', capacity: 1 },
    properties: {
      provisioningState: 'Succeeded', status: 'Active', metricId: `${cell.subscription.id}:${name}`, createdAt: iso(createdAt), updatedAt: iso(createdAt + day), serviceBusEndpoint: `https://${name}.servicebus.windows.net:443/`, minimumTlsVersion: '1.2', publicNetworkAccess: pick.chance(0.95) ? 'Disabled' : 'Enabled', disableLocalAuth: pick.chance(0.9), zoneRedundant: true,
      ...(key === null ? {} : { encryption: { keySource: 'Microsoft.KeyVault', requireInfrastructureEncryption: pick.chance(0.6), keyVaultProperties: [{ keyName: key.keyName, keyVaultUri: key.vaultUri.replace(/\/$/, ''), keyVersion: key.keyVersion, ...(key.identity.kind === 'user' ? { identity: { userAssignedIdentity: key.identity.id } } : {}) }] } }),
    },
    troubles: keyTroubles,
  }),
});

const factory = storeType('Microsoft.DataFactory/factories', 4, {
  name: (name, cell) => `adf-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, keyTroubles, createdAt }) => ({
    properties: {
      provisioningState: 'Succeeded', createTime: iso(createdAt), version: '2018-06-01', publicNetworkAccess: 'Disabled',
      ...(key === null ? {} : { encryption: { vaultBaseUrl: key.vaultUri, keyName: key.keyName, keyVersion: key.keyVersion, ...(key.identity.kind === 'user' ? { identity: { userAssignedIdentity: key.identity.id } } : {}) } }),
    },
    troubles: keyTroubles,
  }),
});

const logCluster = storeType('Microsoft.OperationalInsights/clusters', 2, {
  name: (name, cell) => `log-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, keyTroubles, createdAt }, _cell, pick) => ({
    sku: { name: 'CapacityReservation', capacity: 100 },
    properties: {
      provisioningState: 'Succeeded', clusterId: pick.guid(), billingType: 'Cluster', isDoubleEncryptionEnabled: true, isAvailabilityZonesEnabled: true, createdDate: iso(createdAt), lastModifiedDate: iso(createdAt + day),
      ...(key === null ? {} : { keyVaultProperties: { keyVaultUri: key.vaultUri, keyName: key.keyName, keyVersion: key.keyVersion, keyRsaSize: 3072 } }),
    },
    troubles: keyTroubles,
  }),
});

export const azureStoreTypes: readonly AzureStoreType[] = [
  storage, disk, sqlServer, cosmos, postgres, mysql, registry, kubernetes,
  messaging('Microsoft.EventHub/namespaces', 5, 'evhns'), messaging('Microsoft.ServiceBus/namespaces', 5, 'sbns'), factory, logCluster,
];

/** Principals of the stores that have an identity of their own, for which role assignments must stand. */
export function systemPrincipals(cell: AzureCell, type: string, count: number): { index: number; principalId: string }[] {
  return Array.from({ length: Math.min(count, systemIdentityLimit) }, (_, index) => ({ index, principalId: systemPrincipal(cell, type, index) })).filter(({ index }) => index % 3 === 2);
}
