import { isJsonObject, type Json, type JsonObject, type Resource } from '../../model/index.ts';
import { instant, isDeleted, resourceOf, text } from './document.ts';
import { rowOf } from './map.ts';

/* One document in whatever shape AWS hands out: a Select row, an item, an event, a notification, a page or a file of several. */

/** The names of an item's own fields. The SDKs for .NET and Go and the tools for PowerShell write them with a capital. */
const fields = new Map(
  [
    ...['version', 'accountId', 'awsAccountId', 'arn', 'awsRegion', 'availabilityZone', 'resourceType', 'resourceId', 'resourceName'],
    ...['configuration', 'supplementaryConfiguration', 'configurationItemStatus', 'configurationItemCaptureTime', 'tags'],
  ].map((name) => [name.toLowerCase(), name]),
);

const wrappers = ['invokingEvent', 'configurationItem', 'ConfigurationItem', 'detail', 'Sns', 'body', 'Body', 'Message'];
const lists = ['Results', 'configurationItems', 'ConfigurationItems', 'baseConfigurationItems', 'BaseConfigurationItems'];
/** What a function is called with, and what a queue hands out. */
const deliveries = ['Records', 'Messages'];

/** An item under the names that AWS Config itself gives its fields. */
function named(item: JsonObject): JsonObject {
  if (Object.keys(item).every((key) => !fields.has(key.toLowerCase()) || fields.get(key.toLowerCase()) === key || key === 'ARN'))
    return item;
  const found: JsonObject = {};
  for (const [key, value] of Object.entries(item)) {
    const name = fields.get(key.toLowerCase());
    if (name === undefined || name === key) found[key] = value;
    else if (!Object.hasOwn(item, name)) found[name] = isJsonObject(value) && typeof value['Value'] === 'string' ? value['Value'] : value;
  }
  return found;
}

function parsed(document: Json): Json {
  if (typeof document !== 'string') return document;
  try {
    return JSON.parse(document.replace(/^\uFEFF/, '')) as Json;
  } catch {
    return document;
  }
}

/** The items inside whatever was handed over. */
function itemsIn(document: Json, depth = 0): JsonObject[] | null {
  const value = parsed(document);
  if (depth > 8) return null;
  if (Array.isArray(value)) {
    const inner = value.map((one) => itemsIn(one, depth + 1));
    return inner.length > 0 && inner.every((one) => one !== null) ? inner.flat() : null;
  }
  if (!isJsonObject(value)) return null;
  for (const wrapper of wrappers) {
    if (value[wrapper] !== undefined && value['resourceType'] === undefined) {
      const inner = itemsIn(value[wrapper], depth + 1);
      if (inner !== null) return inner;
    }
  }
  for (const delivery of deliveries) {
    const inner = Array.isArray(value[delivery]) && value['resourceType'] === undefined ? itemsIn(value[delivery], depth + 1) : null;
    if (inner !== null) return newest(inner);
  }
  for (const list of lists) {
    const items = value[list];
    if (!Array.isArray(items)) continue;
    const read = items
      .map(rowOf)
      .filter((item) => item !== null)
      .map(named);
    return list.toLowerCase() === 'configurationitems' ? newest(read) : read;
  }
  return [named(value)];
}

/** A history holds one resource many times, in either order: what counts is its last state, be it that it is gone. */
function newest(items: readonly JsonObject[]): JsonObject[] {
  const groups = new Map<string, JsonObject[]>();
  for (const [at, item] of items.entries()) {
    const id = text(item['resourceId']);
    const key = id === null ? String(at) : JSON.stringify([item['resourceType'], item['awsRegion'], id]);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()].flatMap((group) => {
    const dated = group.map((item) => ({ item, at: instant(item['configurationItemCaptureTime']) }));
    if (group.length === 1 || dated.some(({ at }) => at === null)) return group;
    const last = dated
      .map(({ at }) => at)
      .sort()
      .at(-1);
    return dated.filter(({ at }) => at === last).map(({ item }) => item);
  });
}

/** Reads an item in any shape AWS hands out. Empty for items of deleted resources, null for documents that are not AWS's. */
export function readDocument(document: Json, hint: { readonly type: string; readonly id: string }): Resource[] | null {
  const items = itemsIn(document);
  if (items === null) return null;
  const isAws = (item: JsonObject): boolean => (text(item['resourceType']) ?? hint.type).startsWith('AWS::');
  if (!items.every(isAws)) return null;
  return items
    .filter((item) => !isDeleted(item))
    .map((item) =>
      resourceOf(item, {
        type: hint.type,
        id: hint.id,
        citation: { file: hint.id, pointer: '', encoding: typeof document === 'string' ? 'json-string' : 'json' },
      }),
    )
    .filter((resource) => resource !== null);
}
