import { type EvidenceRecord, isJsonObject, type Json, type JsonObject, type Query, type Resource } from '../../model/index.ts';

/** Resource Graph rows and Resource Manager resources as records. Pure, and total over any JSON. */

export const rowsShape = 'azure-resource-graph/rows';
export const countsShape = 'azure-resource-graph/counts';
export const subscriptionsShape = 'azure-resource-graph/subscriptions';

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function subscriptionOf(id: string): string | null {
  return /^\/subscriptions\/([^/]+)/.exec(id)?.[1] ?? null;
}

/** The type a Resource Manager id ends in: `…/providers/Microsoft.Sql/servers/a/databases/b` → `microsoft.sql/servers/databases`. */
export function typeOfId(id: string): string {
  const tail = id.toLowerCase().split('/providers/').at(-1) ?? '';
  if (!id.toLowerCase().includes('/providers/')) return /^\/subscriptions\/[^/]+$/i.test(id) ? 'microsoft.resources/subscriptions' : '';
  const segments = tail.split('/');
  return [segments[0], ...segments.slice(1).filter((_, index) => index % 2 === 0)].join('/');
}

function tagsOf(value: Json | undefined): Record<string, string> {
  if (!isJsonObject(value)) return {};
  const tags: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, held] of Object.entries(value)) if (typeof held === 'string') tags[name] = held;
  return tags;
}

interface Place {
  readonly file: string;
  readonly pointer: string;
  /** Account of records above subscriptions. */
  readonly tenant: string;
}

/**
 * A row as a record; null where it has neither an id nor a stand-in for one. `uid` and `type` are in lower case, the
 * document is the row as it came.
 */
export function resourceOf(row: JsonObject, place: Place, fallback: { readonly id: string; readonly type: string }): Resource | null {
  const id = text(row.id) || fallback.id;
  if (id === '') return null;
  const uid = id.toLowerCase();
  const type = (text(row.type) || fallback.type || typeOfId(uid)).toLowerCase();
  if (type === '') return null;
  const account = subscriptionOf(uid) ?? (uid.startsWith('/') ? place.tenant : text(row.subscriptionId).toLowerCase() || place.tenant);
  return {
    kind: 'resource',
    provider: 'azure',
    type,
    uid,
    name: text(row.name) || (uid.split('/').at(-1) ?? uid),
    account,
    location: text(row.location),
    scope: { provider: 'azure', account, region: '*' },
    tags: tagsOf(row.tags),
    capturedAt: null,
    document: row,
    citation: { file: place.file, pointer: place.pointer, encoding: 'json' },
  };
}

/** Pages of `azure-resource-graph/rows`: `{data: [row]}`. */
export function* rowRecords(page: Json, query: Query, file: string): Generator<EvidenceRecord> {
  const rows = isJsonObject(page) && Array.isArray(page.data) ? page.data : [];
  const tenant = typeof query.parameters.tenant === 'string' ? `tenants/${query.parameters.tenant}` : 'tenants/unknown';
  for (const [index, row] of rows.entries()) {
    if (!isJsonObject(row)) continue;
    const resource = resourceOf(row, { file, pointer: `/data/${index}`, tenant }, { id: '', type: '' });
    if (resource !== null) yield { record: 'resource', resource };
  }
}

/** Counts and the list of subscriptions hold no records. */
export function* noRecords(): Generator<EvidenceRecord> {
  // the ledger was written from them
}

const azureType = /^microsoft\.[a-z0-9.]+\/[a-z0-9./]+$/i;

/** One document for `controls try`: a Resource Graph row or a Resource Manager resource, whole or in part. */
export function readAzureDocument(document: Json, hint: { readonly type: string; readonly id: string }): Resource[] | null {
  if (!isJsonObject(document)) return null;
  const type = text(document.type) || hint.type;
  const isAzure = azureType.test(type) || azureType.test(hint.type) || /^\/(subscriptions|providers)\//i.test(text(document.id));
  if (!isAzure) return null;
  const resource = resourceOf(document, { file: '', pointer: '', tenant: `tenants/${text(document.tenantId).toLowerCase() || 'unknown'}` }, { id: hint.id, type: hint.type });
  return resource === null ? null : [resource];
}
