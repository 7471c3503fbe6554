import { azureTenant } from './azure-model.ts';
import { identityOf, keyUrl, storeType } from './azure-store.ts';

export const sqlServer = storeType('Microsoft.Sql/servers', 8, {
  name: (name, cell) => `sql-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key, name, keyTroubles }, _cell, pick) => ({
    kind: 'v12.0',
    properties: {
      administratorLogin: 'nwadmin',
      version: '12.0',
      state: 'Ready',
      fullyQualifiedDomainName: `${name}.database.windows.net`,
      privateEndpointConnections: [],
      minimalTlsVersion: '1.2',
      publicNetworkAccess: pick.chance(0.95) ? 'Disabled' : 'Enabled',
      restrictOutboundNetworkAccess: 'Disabled',
      administrators: {
        administratorType: 'ActiveDirectory',
        principalType: 'Group',
        login: 'nw-dba',
        sid: pick.guid(),
        tenantId: azureTenant,
        azureADOnlyAuthentication: true,
      },
      ...(key === null
        ? {}
        : {
            keyId: keyUrl(key, key.currentVersion),
            ...(key.identity.kind === 'user' ? { primaryUserAssignedIdentityId: key.identity.id } : {}),
          }),
    },
    troubles: keyTroubles,
  }),
});

export const cosmos = storeType('Microsoft.DocumentDB/databaseAccounts', 8, {
  name: (name, cell) => `cosmos-nw-${cell.subscription.id.slice(0, 4)}-${name}`.slice(0, 44),
  draft: ({ key, name, keyTroubles, location }, _cell, pick) => ({
    kind: 'GlobalDocumentDB',
    properties: {
      provisioningState: 'Succeeded',
      documentEndpoint: `https://${name}.documents.azure.com:443/`,
      publicNetworkAccess: pick.chance(0.93) ? 'Disabled' : 'Enabled',
      enableAutomaticFailover: true,
      isVirtualNetworkFilterEnabled: true,
      virtualNetworkRules: [],
      EnabledApiTypes: 'Sql',
      disableKeyBasedMetadataWriteAccess: true,
      databaseAccountOfferType: 'Standard',
      defaultIdentity:
        key === null
          ? 'FirstPartyIdentity'
          : key.identity.kind === 'user'
            ? `UserAssignedIdentity=${key.identity.id}`
            : 'SystemAssignedIdentity',
      disableLocalAuth: pick.chance(0.8),
      minimalTlsVersion: 'Tls12',
      ipRules: [],
      backupPolicy: { type: 'Continuous' },
      locations: [
        { id: `${name}-${location}`, locationName: location, failoverPriority: 0, provisioningState: 'Succeeded', isZoneRedundant: true },
      ],
      ...(key === null ? {} : { keyVaultKeyUri: keyUrl(key) }),
    },
    troubles: keyTroubles,
  }),
});

export const postgres = storeType('Microsoft.DBforPostgreSQL/flexibleServers', 7, {
  name: (name, cell) => `psql-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key: chosen, name, keyTroubles }, _cell, pick) => {
    const key = chosen?.identity.kind === 'system' ? null : chosen;
    return {
      sku: { name: 'Standard_D4ds_v5', tier: 'GeneralPurpose' },
      identity: identityOf(key),
      properties: {
        fullyQualifiedDomainName: `${name}.postgres.database.azure.com`,
        version: '16',
        administratorLogin: 'nwadmin',
        state: 'Ready',
        storage: { storageSizeGB: 256, autoGrow: 'Enabled' },
        authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled' },
        backup: { backupRetentionDays: 14, geoRedundantBackup: 'Disabled' },
        network: { publicNetworkAccess: pick.chance(0.95) ? 'Disabled' : 'Enabled' },
        highAvailability: { mode: 'ZoneRedundant', state: 'Healthy' },
        dataEncryption:
          key === null
            ? { type: 'SystemManaged' }
            : {
                type: 'AzureKeyVault',
                primaryKeyURI: keyUrl(key, key.keyVersion),
                primaryUserAssignedIdentityId: key.identity.id,
                primaryEncryptionKeyStatus: 'Valid',
              },
      },
      troubles: key === null ? ['platform-key'] : keyTroubles,
    };
  },
});

export const mysql = storeType('Microsoft.DBforMySQL/flexibleServers', 5, {
  name: (name, cell) => `mysql-nw-${cell.subscription.id.slice(0, 4)}-${name}`,
  draft: ({ key: chosen, name, keyTroubles }) => {
    const key = chosen?.identity.kind === 'system' ? null : chosen;
    return {
      sku: { name: 'Standard_D2ads_v5', tier: 'GeneralPurpose' },
      identity: identityOf(key),
      properties: {
        fullyQualifiedDomainName: `${name}.mysql.database.azure.com`,
        version: '8.0.21',
        administratorLogin: 'nwadmin',
        state: 'Ready',
        storage: { storageSizeGB: 128, autoGrow: 'Enabled' },
        backup: { backupRetentionDays: 14, geoRedundantBackup: 'Disabled' },
        network: { publicNetworkAccess: 'Disabled' },
        highAvailability: { mode: 'ZoneRedundant', state: 'Healthy' },
        ...(key === null
          ? {}
          : {
              dataEncryption: {
                type: 'AzureKeyVault',
                primaryKeyURI: keyUrl(key, key.keyVersion),
                primaryUserAssignedIdentityId: key.identity.id,
              },
            }),
      },
      troubles: key === null ? ['platform-key'] : keyTroubles,
    };
  },
});
