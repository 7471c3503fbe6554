import type { Json } from '../../model/index.ts';
import { valueAt } from '../lookups/references.ts';
import { toldAt } from '../lookups/told.ts';

export interface AzureStore {
  /** Data-plane actions that read data. */
  readonly dataActions: readonly string[];
  /** Management actions that hand out keys, tokens or images of the data. */
  readonly actions: readonly string[];
  /** What role assignments never settle for this kind of store. */
  readonly unsettled?: string;
  /** Access that needs no principal at all: why the list cannot be complete, null when it can. */
  readonly anonymous?: (document: Json) => string | null;
  /** The way by which everyone reads, without being asked who they are; null where the record shows none. */
  readonly everyone?: (document: Json) => string | null;
  /** Where a setting of the store changes which actions read it: what is in force then. Null where it is as above. */
  readonly set?: (document: Json) => AzureStore | null;
}

const logins = 'logins of the database itself and its directory administrators';

const registry: AzureStore = {
  dataActions: ['microsoft.containerregistry/registries/repositories/content/read'],
  actions: ['microsoft.containerregistry/registries/listcredentials/action'],
  anonymous(document) {
    const open = valueAt(document, 'properties', 'anonymousPullEnabled');
    return typeof open === 'boolean' ? null : 'whether anonymous pull is enabled is not in the evidence';
  },
  everyone: (document) => (valueAt(document, 'properties', 'anonymousPullEnabled') === true ? 'anonymous pull of the registry' : null),
};

const cluster: AzureStore = {
  dataActions: ['microsoft.containerservice/managedclusters/secrets/read'],
  actions: [
    'microsoft.containerservice/managedclusters/listclusteradmincredential/action',
    'microsoft.containerservice/managedclusters/accessprofiles/listcredential/action',
    'microsoft.containerservice/managedclusters/runcommand/action',
  ],
  unsettled: 'role bindings inside the cluster',
};

const clusterWithoutEntra: AzureStore = {
  ...cluster,
  actions: [...cluster.actions, 'microsoft.containerservice/managedclusters/listclusterusercredential/action'],
};

const stores: Readonly<Record<string, AzureStore>> = {
  'microsoft.storage/storageaccounts': {
    dataActions: [
      'microsoft.storage/storageaccounts/blobservices/containers/blobs/read',
      'microsoft.storage/storageaccounts/fileservices/fileshares/files/read',
      'microsoft.storage/storageaccounts/queueservices/queues/messages/read',
      'microsoft.storage/storageaccounts/tableservices/tables/entities/read',
    ],
    actions: [
      'microsoft.storage/storageaccounts/listkeys/action',
      'microsoft.storage/storageaccounts/regeneratekey/action',
      'microsoft.storage/storageaccounts/listaccountsas/action',
      'microsoft.storage/storageaccounts/listservicesas/action',
    ],
    unsettled: 'holders of account keys and shared access signatures handed out before',
    anonymous(document) {
      const allowed = valueAt(document, 'properties', 'allowBlobPublicAccess');
      if (allowed === false) return null;
      return allowed === true
        ? 'the account lets containers be open to anonymous readers, and containers are not in Resource Graph'
        : 'whether containers may be open to anonymous readers is not in the evidence';
    },
  },
  'microsoft.compute/disks': {
    dataActions: ['microsoft.compute/disks/download/action'],
    actions: ['microsoft.compute/disks/begingetaccess/action'],
    unsettled: 'whoever can log in to the machine that the disk is attached to',
  },
  'microsoft.compute/snapshots': {
    dataActions: ['microsoft.compute/snapshots/download/action'],
    actions: ['microsoft.compute/snapshots/begingetaccess/action'],
  },
  'microsoft.sql/servers': {
    dataActions: [],
    actions: [
      'microsoft.sql/servers/databases/export/action',
      'microsoft.sql/servers/administrators/write',
      // Sets the password of the server's own administrator.
      'microsoft.sql/servers/write',
    ],
    unsettled: logins,
  },
  'microsoft.documentdb/databaseaccounts': {
    dataActions: ['microsoft.documentdb/databaseaccounts/sqldatabases/containers/items/read'],
    actions: [
      'microsoft.documentdb/databaseaccounts/listkeys/action',
      'microsoft.documentdb/databaseaccounts/readonlykeys/action',
      'microsoft.documentdb/databaseaccounts/listconnectionstrings/action',
    ],
    unsettled: 'data-plane role assignments kept inside the account, and holders of its keys',
  },
  'microsoft.dbforpostgresql/flexibleservers': {
    dataActions: [],
    actions: ['microsoft.dbforpostgresql/flexibleservers/administrators/write', 'microsoft.dbforpostgresql/flexibleservers/write'],
    unsettled: logins,
  },
  'microsoft.dbformysql/flexibleservers': {
    dataActions: [],
    actions: ['microsoft.dbformysql/flexibleservers/administrators/write', 'microsoft.dbformysql/flexibleservers/write'],
    unsettled: logins,
  },
  'microsoft.containerregistry/registries': {
    ...registry,
    actions: ['microsoft.containerregistry/registries/pull/read', ...registry.actions],
    // Under repository permissions the registry does not honour the right to pull.
    set: (document) =>
      toldAt(document, 'properties', 'roleAssignmentMode')?.toLowerCase() === 'abacrepositorypermissions' ? registry : null,
  },
  'microsoft.containerservice/managedclusters': {
    ...cluster,
    // Without Entra ID the credential of a plain user is that of an administrator.
    set: (document) => (isObject(valueAt(document, 'properties', 'aadProfile')) ? null : clusterWithoutEntra),
  },
  'microsoft.eventhub/namespaces': {
    dataActions: ['microsoft.eventhub/namespaces/messages/receive/action'],
    actions: [
      'microsoft.eventhub/namespaces/authorizationrules/listkeys/action',
      'microsoft.eventhub/namespaces/eventhubs/authorizationrules/listkeys/action',
    ],
    unsettled: 'holders of access keys and signatures handed out before',
  },
  'microsoft.servicebus/namespaces': {
    dataActions: ['microsoft.servicebus/namespaces/messages/receive/action'],
    actions: [
      'microsoft.servicebus/namespaces/authorizationrules/listkeys/action',
      'microsoft.servicebus/namespaces/queues/authorizationrules/listkeys/action',
      'microsoft.servicebus/namespaces/topics/authorizationrules/listkeys/action',
    ],
    unsettled: 'holders of access keys and signatures handed out before',
  },
  'microsoft.datafactory/factories': {
    dataActions: [],
    actions: ['microsoft.datafactory/factories/pipelines/createrun/action'],
    unsettled: 'the stores that its linked services read',
  },
  'microsoft.operationalinsights/clusters': { dataActions: [], actions: ['microsoft.operationalinsights/workspaces/query/read'] },
  'microsoft.operationalinsights/workspaces': {
    dataActions: ['microsoft.operationalinsights/workspaces/tables/data/read'],
    actions: ['microsoft.operationalinsights/workspaces/query/read', 'microsoft.operationalinsights/workspaces/sharedkeys/action'],
  },
  'microsoft.keyvault/vaults': {
    dataActions: ['microsoft.keyvault/vaults/secrets/getsecret/action', 'microsoft.keyvault/vaults/keys/decrypt/action'],
    actions: ['microsoft.keyvault/vaults/write'],
    unsettled: 'access policies of the vault',
  },
};

export function isAzureStore(type: string): boolean {
  return Object.hasOwn(stores, type);
}

/** What reads a store of this type, with the settings of this one; undefined where access to the type is not analysed. */
export function azureStoreOf(type: string, document: Json): AzureStore | undefined {
  const store = isAzureStore(type) ? stores[type] : undefined;
  return store?.set?.(document) ?? store;
}

function isObject(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
