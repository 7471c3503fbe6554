import { isJsonObject, type Json, type JsonObject, type Resource, withoutCase } from '../model/index.ts';

/** Azure resources as records, whichever API handed them out. Pure, and total over any JSON. */

export function text(value: Json | undefined): string {
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
  const uid = withoutCase(id);
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
