import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { text } from './azure-records.ts';

/**
 * Documents as Azure and its own tools hand them out, brought to the shape of a Resource Graph row: pages, tables, change
 * events, keys in another case or in snake case, JSON kept as text, and resources that the command line and the SDKs lay flat.
 * Pure, and total over any JSON.
 */

/** The rows of a document, as they came; null where it holds none. */
export function rowsIn(document: Json): JsonObject[] | null {
  const value = typeof document === 'string' ? parsed(document) : document;
  if (Array.isArray(value)) return objects(value);
  if (!isJsonObject(value)) return null;
  const event = changed(value);
  if (event !== null) return event;
  if (keyOf(value, 'id') !== undefined || keyOf(value, 'properties') !== undefined) return [value];
  const page = valueOf(value, 'data') ?? valueOf(value, 'value');
  if (Array.isArray(page)) return objects(page);
  return (isJsonObject(page) ? tableRows(page) : null) ?? [value];
}

function objects(list: Json[]): JsonObject[] | null {
  return list.every(isJsonObject) ? list : null;
}

function parsed(value: string): Json {
  try {
    return JSON.parse(value.replace(/^\uFEFF/, '')) as Json;
  } catch {
    return value;
  }
}

/** The other result format of Resource Graph: names of columns once, and a list of values for each row. */
function tableRows(data: JsonObject): JsonObject[] | null {
  const { columns, rows } = data;
  if (!Array.isArray(columns) || !Array.isArray(rows) || !rows.every(Array.isArray)) return null;
  const names = columns.map((column) => text(isJsonObject(column) ? column.name : undefined));
  return rows.map((row) => Object.fromEntries(names.flatMap((name, at) => (name === '' ? [] : [[name, row[at] ?? null]]))));
}

/** The resource in an event about its change; none where the event says that it was deleted. Null for anything else. */
function changed(event: JsonObject): JsonObject[] | null {
  const kind = text(event.eventType) || text(event.type);
  const resource = isJsonObject(event.data) ? event.data.resourceInfo : undefined;
  if (!kind.startsWith('Microsoft.ResourceNotifications.') || !isJsonObject(resource)) return null;
  return /\.deleted$/i.test(kind) ? [] : [resource];
}

const envelope = [
  'id',
  'name',
  'type',
  'location',
  'subscriptionId',
  'resourceGroup',
  'tenantId',
  'kind',
  'sku',
  'identity',
  'tags',
  'properties',
] as const;

/**
 * Of these every resource that was laid flat holds some: what its service always tells, or what controls read. A row that lost its
 * properties, or was cut to columns of somebody's choice, is not flat.
 */
const flatMarks: ReadonlySet<string> = new Set(
  [
    ...['provisioningState', 'state', 'userVisibleState', 'diskState', 'publicNetworkAccess', 'networkAcls', 'vaultUri', 'hsmUri'],
    ...['enableSoftDelete', 'enablePurgeProtection', 'encryption', 'dataEncryption', 'keyVaultKeyUri', 'keyVaultProperties', 'keyId'],
    ...['diskEncryptionSetId', 'activeKey', 'rotationToLatestKeyVersionEnabled', 'securityProfile', 'principalId', 'permissions'],
  ].map((key) => key.toLowerCase()),
);

/** A row with the keys of a Resource Graph row. */
export function plainRow(given: JsonObject): JsonObject {
  const row = spelled(camelCased(given) as JsonObject);
  for (const key of ['properties', 'identity', 'sku', 'tags']) {
    const value = row[key];
    if (typeof value !== 'string') continue;
    const undone = parsed(value);
    if (isJsonObject(undone)) row[key] = undone;
  }
  if (row.properties === undefined && isFlat(row))
    row.properties = Object.fromEntries(Object.entries(row).filter(([key]) => !isNaming(key)));
  if (isJsonObject(row.properties)) row.properties = unrenamed(row.properties);
  return row;
}

const isNaming = (key: string): boolean => ['id', 'name', 'type', 'location', 'tags'].includes(key);

function isFlat(row: JsonObject): boolean {
  const keys = Object.keys(row).map((key) => key.toLowerCase());
  return (
    /^\/+(subscriptions|providers)\//i.test(text(row.id)) &&
    keys.some((key) => flatMarks.has(key)) &&
    !keys.some((key) => /^properties[_.]/.test(key))
  );
}

/** Names of a row's own keys as Resource Graph spells them. */
function spelled(row: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(row)) {
    const known = envelope.find((name) => name.toLowerCase() === key.toLowerCase());
    define(result, known !== undefined && !Object.hasOwn(row, known) ? known : key, value);
  }
  return result;
}

/** The SDK for Python spells every key in snake case. Names that people chose, such as those of tags, stay. */
function camelCased(value: Json, depth = 0): Json {
  if (depth > 64) return value;
  if (Array.isArray(value)) return value.map((one) => camelCased(one, depth + 1));
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  const spelled = new Set(Object.keys(value).map((key) => key.toLowerCase()));
  for (const [key, held] of Object.entries(value)) {
    const camel = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/.test(key) ? key.replace(/_([a-z0-9])/g, (_, next: string) => next.toUpperCase()) : key;
    // Beside the same name in another spelling it stays what it is: nothing says which of them holds.
    define(result, spelled.has(camel.toLowerCase()) ? key : camel, key === 'tags' ? held : camelCased(held, depth + 1));
  }
  return result;
}

/** What the SDKs name otherwise, and lay flat within, wherever a control reads it. */
function unrenamed(properties: JsonObject): JsonObject {
  const result = { ...properties };
  const { encryption, privateEndpointConnections: connections } = result;
  const used = isJsonObject(encryption) && encryption.identity === undefined ? (valueOf(encryption, 'encryptionIdentity') ?? null) : null;
  if (isJsonObject(encryption) && used !== null)
    result.encryption = {
      ...encryption,
      // What cannot be read stays, so that nothing takes it for left out.
      identity: isJsonObject(used)
        ? {
            userAssignedIdentity: valueOf(used, 'encryptionUserAssignedIdentity') ?? null,
            federatedIdentityClientId: valueOf(used, 'encryptionFederatedIdentityClientId') ?? null,
          }
        : used,
    };
  if (Array.isArray(connections))
    result.privateEndpointConnections = connections.map((one) =>
      isJsonObject(one) && one.properties === undefined && one.privateLinkServiceConnectionState !== undefined
        ? { ...one, properties: one }
        : one,
    );
  return result;
}

function keyOf(object: JsonObject, name: string): string | undefined {
  return Object.hasOwn(object, name) ? name : Object.keys(object).find((key) => key.toLowerCase() === name.toLowerCase());
}

function valueOf(object: JsonObject, name: string): Json | undefined {
  const key = keyOf(object, name);
  return key === undefined ? undefined : object[key];
}

/** As an own key, whatever its name. */
function define(object: JsonObject, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}
