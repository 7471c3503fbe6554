import { type Citation, isJsonObject, type Json, type JsonObject, type Resource } from '../../model/index.ts';
import { accountOf, recordsOf, text } from './map.ts';
import { structJson } from './proto-json.ts';
import { serviceAssetName, withTimes } from './service-resource.ts';

/** Single documents for `controls try`, in whatever shape Google Cloud hands them out. Pure, and total over any JSON. */

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `log_type: 2` of exports that keep enums as numbers (google.iam.v1.AuditLogConfig.LogType). */
const logTypes: Readonly<Record<number, string>> = { 0: 'LOG_TYPE_UNSPECIFIED', 1: 'ADMIN_READ', 2: 'DATA_WRITE', 3: 'DATA_READ' };

/** What a service says of its own resource stays as it is. */
const ofService = new Set(['resource.data', 'versionedResources.resource']);

/** The asset's own fields in camel case. */
function camelCased(value: Json, path: string): Json {
  if (ofService.has(path)) return value;
  if (Array.isArray(value)) return value.map((held) => camelCased(held, path));
  if (!isJsonObject(value)) return value;
  const out: JsonObject = {};
  for (const [name, held] of Object.entries(value)) {
    const key = camel(name);
    const converted =
      key === 'logType' && typeof held === 'number' ? (logTypes[held] ?? held) : camelCased(held, path === '' ? key : `${path}.${key}`);
    Object.defineProperty(out, key, { value: converted, enumerable: true, configurable: true, writable: true });
  }
  return out;
}

const assetType = /^[a-z0-9.-]+\.googleapis\.com\/[A-Za-z0-9]+$/;

function accountOfName(name: string): string {
  return /\/projects\/([^/]+)/.exec(name)?.[1] ?? /\/((?:folders|organizations)\/[^/]+)$/.exec(name)?.[1] ?? '';
}

function parsed(json: string): Json | undefined {
  try {
    return JSON.parse(json.replace(/^\uFEFF/, '')) as Json;
  } catch {
    return undefined;
  }
}

const valueKinds = new Set(['kind', 'nullValue', 'stringValue', 'numberValue', 'boolValue', 'structValue', 'listValue']);

/** Data as the gRPC client hands it out, `{fields: {name: {stringValue, kind}}}`, or as BigQuery keeps it, in JSON text; everything else as it is. */
function plainData(data: Json | undefined): Json | undefined {
  if (typeof data === 'string') {
    const held = parsed(data);
    return isJsonObject(held) ? held : data;
  }
  if (!isJsonObject(data) || !isJsonObject(data.fields) || Object.keys(data).length !== 1) return data;
  const fields = Object.values(data.fields);
  const isStruct =
    fields.length > 0 &&
    fields.every(
      (value) => isJsonObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((name) => valueKinds.has(name)),
    );
  return isStruct ? structJson(data) : data;
}

type Hint = { readonly type: string; readonly id: string };

/** The assets inside whatever was handed over: text, a list, a page, an entry of the history or of a feed, or one asset. A deleted asset is none. */
function assetsIn(document: Json | undefined, hint: Hint, depth = 0): JsonObject[] | null {
  if (depth > 4) return null;
  if (typeof document === 'string') return assetsIn(parsed(document), hint, depth + 1);
  if (Array.isArray(document)) {
    const read = document.map((entry) => assetsIn(entry, hint, depth + 1));
    return read.every((assets) => assets !== null) ? read.flat() : null;
  }
  if (!isJsonObject(document)) return null;
  if (isJsonObject(document.asset)) return document.deleted === true ? [] : assetsIn(document.asset, hint, depth + 1);
  for (const list of [document.assets, document.results]) if (Array.isArray(list)) return assetsIn(list, hint, depth + 1);
  const message = isJsonObject(document.message) ? document.message.data : undefined;
  const delivered = typeof message === 'string' ? parsed(Buffer.from(message, 'base64').toString()) : undefined;
  if (isJsonObject(delivered) && isJsonObject(delivered.asset)) return assetsIn(delivered, hint, depth + 1);
  return serviceAssets(document, hint) ?? [searchedAsset(camelCased(document, '') as JsonObject)];
}

/** A resource as its own service hands it out, or a page of such, as assets of the type asked for; null for anything else. */
function serviceAssets(document: JsonObject, { type, id }: Hint): JsonObject[] | null {
  const asset = (data: JsonObject): JsonObject | null => {
    const name = serviceAssetName(type, data, id);
    return name === null ? null : { name, assetType: type, resource: { data: withTimes(data) } };
  };
  const own = asset(document);
  if (own !== null) return [own];
  const policy = document.name === undefined && document.resource === undefined && Array.isArray(document.bindings);
  if (policy && document.policy === undefined) {
    // Policies of Cloud Storage name their bucket, all others nothing.
    const bucket = /^projects\/_\/buckets\/([^/]+)$/.exec(text(document.resourceId))?.[1];
    const name = bucket === undefined ? id : `//storage.googleapis.com/${bucket}`;
    return [{ name, assetType: type, iamPolicy: camelCased(document, 'iamPolicy') }];
  }
  const [list, second] = Object.values(document).filter(Array.isArray);
  if (list === undefined || second !== undefined || list.length === 0 || list.some((entry) => !isJsonObject(entry))) return null;
  const read = (list as JsonObject[]).map(asset);
  return read.every((one) => one !== null) ? read : null;
}

/** A search result as the asset that it is of; everything else as it is. */
function searchedAsset(row: JsonObject): JsonObject {
  const { resource, policy, versionedResources: versions } = row;
  const place = placeOf(row);
  if (typeof resource === 'string' && isJsonObject(policy))
    return { name: resource, assetType: row.assetType ?? null, ...place, iamPolicy: policy };
  if (!Array.isArray(versions) || resource !== undefined) return { ...row, ...place };
  const newest = versions.filter(isJsonObject).at(-1);
  return { ...row, ...place, resource: { version: newest?.version ?? null, data: newest?.resource ?? null } };
}

const level = /^(?:projects|folders|organizations)\/./;

/**
 * The levels above, where the asset does not name them as its ancestors: a search result names them apart, and policy tools write
 * `organization/1/folder/2/project/3`.
 */
function placeOf(row: JsonObject): JsonObject {
  if (Array.isArray(row.ancestors) && row.ancestors.length > 0) return {};
  const levels = [...text(row.ancestryPath).matchAll(/(organization|folder|project)s?\/([^/]+)/g)].map(([, kind, id]) => `${kind}s/${id}`);
  if (levels.length > 0) return { ancestors: levels.reverse() };
  // Without the organisation it is not known whether all levels were asked for.
  if (!level.test(text(row.organization))) return {};
  const apart = [row.project, ...(Array.isArray(row.folders) ? row.folders : []), row.organization];
  return { ancestors: apart.filter((one) => level.test(text(one))) as Json[] };
}

/**
 * One document for `controls try`, whole or in part. It is always a resource, so that conditions on it can be tried, and an IAM
 * or organisation policy besides where it carries one.
 */
export function readGcpDocument(document: Json, hint: Hint): Resource[] | null {
  const assets = assetsIn(document, hint);
  if (assets === null) return null;
  if (assets.length === 0) return assetType.test(hint.type) ? [] : null;
  const read = assets.map((one) => readAsset(one, hint));
  return read.every((records) => records !== null) ? read.flat() : null;
}

function readAsset(given: JsonObject, hint: Hint): Resource[] | null {
  const own = assetType.test(text(given.assetType));
  if (!own && !assetType.test(hint.type)) return null;
  const data = isJsonObject(given.resource) ? plainData(given.resource.data) : undefined;
  const asset: JsonObject = {
    ...given,
    ...(given.assetType === undefined || own ? {} : { assetType: hint.type }),
    ...(data === undefined ? {} : { resource: { ...(given.resource as JsonObject), data } }),
  };
  const account = accountOf(asset, undefined) || accountOfName(text(asset.name) || hint.id) || 'unknown';
  const citation: Citation = { file: '', pointer: '', encoding: 'json' };
  const resource = isJsonObject(asset.resource) ? asset.resource : {};
  const records = recordsOf({ ...asset, resource }, account, citation, hint.id, hint.type);
  return records.map((record) => ({ ...record, document: asset }));
}
