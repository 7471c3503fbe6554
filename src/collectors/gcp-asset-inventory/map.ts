import {
  type Citation,
  type EvidenceRecord,
  isJsonObject,
  type Json,
  type JsonObject,
  type Query,
  type Resource,
} from '../../model/index.ts';
import { structJson } from './proto-json.ts';

/** Cloud Asset Inventory pages as records. Pure, and total over any JSON. */

export const assetsShape = 'gcp-asset-inventory/assets';
export const searchShape = 'gcp-asset-inventory/search';

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function field(value: Json | undefined, ...path: string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const step of path) found = isJsonObject(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  return found;
}

/** The nearest ancestor: `projects/123`, `folders/4`, `organizations/5`; '' when the asset does not say. */
export function nearestAncestor(asset: JsonObject): string {
  const ancestors = asset.ancestors;
  return Array.isArray(ancestors) ? text(ancestors[0]) : '';
}

/** Whether an IAM policy says anything: an empty one is the same as none. */
export function grants(policy: Json | undefined): boolean {
  const says = (list: Json | undefined): boolean => Array.isArray(list) && list.length > 0;
  return isJsonObject(policy) && (says(policy.bindings) || says(policy.auditConfigs));
}

function labelsOf(data: Json | undefined): Record<string, string> {
  const tags: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const source of [field(data, 'labels'), field(data, 'resourceLabels'), field(data, 'settings', 'userLabels')]) {
    if (!isJsonObject(source)) continue;
    for (const [name, value] of Object.entries(source)) if (typeof value === 'string' && !(name in tags)) tags[name] = value;
  }
  return tags;
}

function nameOf(asset: JsonObject, uid: string): string {
  const data = field(asset, 'resource', 'data');
  const held = text(field(data, 'displayName')) || text(field(data, 'name'));
  const name = held === '' ? uid : held;
  return (
    name
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? uid
  );
}

function locationOf(asset: JsonObject): string {
  const data = field(asset, 'resource', 'data');
  const location =
    text(field(asset, 'resource', 'location')) || text(field(data, 'location')) || text(field(data, 'region')) || text(field(data, 'zone'));
  return location.split('/').at(-1) ?? '';
}

/** Project id of `projects/<number>`: from the map the query carries, or from the project's own record. */
function accountOf(asset: JsonObject, projectIds: Json | undefined): string {
  const nearest = nearestAncestor(asset);
  const number = /^projects\/(.+)$/.exec(nearest)?.[1];
  if (number === undefined) return nearest;
  const known = text(field(projectIds, number));
  if (known !== '') return known;
  const data = field(asset, 'resource', 'data');
  return text(asset.assetType) === 'cloudresourcemanager.googleapis.com/Project' ? text(field(data, 'projectId')) || nearest : nearest;
}

function recordsOf(asset: JsonObject, account: string, citation: Citation, fallbackId: string, fallbackType: string): Resource[] {
  const uid = text(asset.name) || fallbackId;
  const type = text(asset.assetType) || fallbackType;
  if (uid === '' || type === '' || account === '') return [];
  const common = {
    provider: 'gcp',
    type,
    uid,
    name: nameOf(asset, uid),
    account,
    location: locationOf(asset),
    scope: { provider: 'gcp', account, region: '*' },
    tags: labelsOf(field(asset, 'resource', 'data')),
    capturedAt: text(asset.updateTime) || null,
    document: asset,
    citation,
  } as const;
  const records: Resource[] = [];
  if (isJsonObject(asset.resource)) records.push({ kind: 'resource', ...common });
  if (grants(asset.iamPolicy)) records.push({ kind: 'iam-policy', ...common });
  if (Array.isArray(asset.orgPolicy) && asset.orgPolicy.length > 0) records.push({ kind: 'org-policy', ...common });
  return records;
}

/** `{readTime, assets: [asset], nextPageToken}`. */
export function* assetRecords(page: Json, query: Query, file: string): Generator<EvidenceRecord> {
  const assets = field(page, 'assets');
  for (const [index, asset] of (Array.isArray(assets) ? assets : []).entries()) {
    if (!isJsonObject(asset)) continue;
    const citation: Citation = { file, pointer: `/assets/${index}`, encoding: 'json' };
    for (const resource of recordsOf(asset, accountOf(asset, query.parameters.projectIds as Json | undefined), citation, '', ''))
      yield { record: 'resource', resource };
  }
}

/** Search results count the population; they hold no records. */
export function* noRecords(): Generator<EvidenceRecord> {
  // the ledger was written from them
}

function camel(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `log_type: 2` of exports that keep enums as numbers (google.iam.v1.AuditLogConfig.LogType). */
const logTypes: Readonly<Record<number, string>> = { 0: 'LOG_TYPE_UNSPECIFIED', 1: 'ADMIN_READ', 2: 'DATA_WRITE', 3: 'DATA_READ' };

/** The asset's own fields in camel case. `resource.data` is the resource's and stays as it is. */
function camelCased(value: Json, path: string): Json {
  if (path === 'resource.data') return value;
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

const valueKinds = new Set(['kind', 'nullValue', 'stringValue', 'numberValue', 'boolValue', 'structValue', 'listValue']);

/** Data as the gRPC client hands it out, `{fields: {name: {stringValue, kind}}}`, in plain JSON; everything else as it is. */
function plainData(data: Json | undefined): Json | undefined {
  if (!isJsonObject(data) || !isJsonObject(data.fields) || Object.keys(data).length !== 1) return data;
  const fields = Object.values(data.fields);
  const isStruct =
    fields.length > 0 &&
    fields.every(
      (value) => isJsonObject(value) && Object.keys(value).length > 0 && Object.keys(value).every((name) => valueKinds.has(name)),
    );
  return isStruct ? structJson(data) : data;
}

/** The assets inside whatever was handed over: a page, an entry of the history or of a feed, or one asset. A deleted asset is none. */
function assetsIn(document: JsonObject): JsonObject[] {
  const entries = Array.isArray(document.assets) ? document.assets.filter(isJsonObject) : [document];
  return entries.flatMap((entry) => (!isJsonObject(entry.asset) ? [entry] : entry.deleted === true ? [] : [entry.asset]));
}

/**
 * One asset for `controls try`, in camel or snake case, whole or in part. It is always a resource, so that conditions on it
 * can be tried, and an IAM or organisation policy besides where it carries one.
 */
export function readGcpDocument(document: Json, hint: { readonly type: string; readonly id: string }): Resource[] | null {
  if (!isJsonObject(document)) return null;
  const read = assetsIn(document).map((one) => readAsset(one, hint));
  if (read.length === 0) return assetType.test(hint.type) ? [] : null;
  return read.every((records) => records !== null) ? read.flat() : null;
}

function readAsset(document: JsonObject, hint: { readonly type: string; readonly id: string }): Resource[] | null {
  const camelCase = camelCased(document, '') as JsonObject;
  const data = isJsonObject(camelCase.resource) ? plainData(camelCase.resource.data) : undefined;
  const asset: JsonObject = data === undefined ? camelCase : { ...camelCase, resource: { ...(camelCase.resource as JsonObject), data } };
  const isAsset = assetType.test(text(asset.assetType)) || assetType.test(hint.type);
  if (!isAsset) return null;
  const account = accountOf(asset, undefined) || accountOfName(text(asset.name) || hint.id) || 'unknown';
  const citation: Citation = { file: '', pointer: '', encoding: 'json' };
  const records = recordsOf({ ...asset, resource: asset.resource ?? {} }, account, citation, hint.id, hint.type);
  return records.map((record) => ({ ...record, document: asset }));
}
