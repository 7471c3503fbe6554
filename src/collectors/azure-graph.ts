import { type Citation, isJsonObject, type Json, type JsonObject, type LedgerStatus, type Reason, withoutCase } from '../model/index.ts';
import type { GraphClient, GraphScope } from './azure-graph-client.ts';
import type { CollectContext } from './collector.ts';
import { malformedEntries, type PagedSeries, pagedSeries, type PageFacts, type PageRecord, type Series } from './paging.ts';
import { storedPages } from './stored.ts';

/** Reading Resource Graph pages: completeness, independent counts, and how both become ledger lines. */

export function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** `/subscriptions/<guid>/…` → the GUID in lower case; null for records above subscriptions. */
export function subscriptionOf(id: string): string | null {
  return /^\/subscriptions\/([^/]+)/i.exec(id)?.[1]?.toLowerCase() ?? null;
}

/** Account of the records above subscriptions: management groups, what is assigned there, built-in definitions. */
export function tenantAccount(tenant: string): string {
  return `tenants/${tenant.toLowerCase()}`;
}

/** The ledger line of a record: `<account> <type>`. */
export function bucketOf(account: string, type: string): string {
  return `${account} ${type}`;
}

/**
 * Facts of a Resource Graph page. `describe` says what one row is; null for a row that cannot be told: the series is then
 * not whole, because nobody knows what the row stood for.
 */
export function graphFacts(json: Json, describe: (row: JsonObject) => PageRecord | null): PageFacts {
  const page = isJsonObject(json) ? json : {};
  const rows = Array.isArray(page.data) ? page.data : [];
  const records: PageRecord[] = [];
  const malformed: number[] = [];
  for (const [index, row] of rows.entries()) {
    const record = isJsonObject(row) ? describe(row) : null;
    if (record !== null) records.push(record);
    else malformed.push(index);
  }
  const gaps = malformedEntries(malformed, 'a record with an id');
  const truncated = page.resultTruncated;
  if (truncated !== undefined && String(truncated).toLowerCase() !== 'false') {
    gaps.push({ code: 'result-truncated', message: `Resource Graph says resultTruncated: ${JSON.stringify(truncated)}` });
  }
  const count = page.count;
  const contradiction: Reason | null =
    typeof count === 'number' && count !== rows.length
      ? { code: 'rows-lost', message: `a page says it holds ${count} records and holds ${rows.length}` }
      : null;
  const token = page.$skipToken;
  return {
    records,
    items: rows.length,
    nextToken: typeof token === 'string' && token !== '' ? token : null,
    total: typeof page.totalRecords === 'number' ? page.totalRecords : null,
    gaps,
    contradiction,
  };
}

/** Rows of resources, counted by subscription and type; those above subscriptions under `above`. */
export function describeRow(above: string): (row: JsonObject) => PageRecord | null {
  return (row) => {
    const id = text(row.id);
    const type = text(row.type);
    if (id === null || type === null) return null;
    return { id: withoutCase(id), bucket: bucketOf(subscriptionOf(id) ?? above, type.toLowerCase()), capturedAt: null };
  };
}

/** What a series asks and where it is stored. */
export interface GraphSeriesRequest {
  readonly collector: string;
  /** Directory of the scope: the tenant, or `<tenant>.2` for its second batch of subscriptions. */
  readonly directory: string;
  readonly name: string;
  readonly shape: string;
  readonly query: string;
  readonly types: readonly string[];
  readonly scope: GraphScope;
  readonly ancestors: boolean;
  readonly tenant: string;
  readonly top: number;
  readonly describe: (row: JsonObject) => PageRecord | null;
}

export async function openGraphSeries(
  context: CollectContext,
  client: GraphClient,
  identity: string,
  request: GraphSeriesRequest,
): Promise<PagedSeries> {
  const options = {
    $top: request.top,
    resultFormat: 'objectArray',
    ...(request.ancestors ? { authorizationScopeFilter: 'AtScopeAboveAndBelow' } : {}),
  };
  const writer = await context.writer.open({
    collector: request.collector,
    scope: request.directory,
    name: request.name,
    provider: 'azure',
    operation: 'Microsoft.ResourceGraph/resources',
    shape: request.shape,
    text: request.query,
    parameters: { tenant: request.tenant, ...request.scope, options },
    endpoint: client.connection.origin,
    identity,
    types: request.types,
  });
  return pagedSeries({
    writer,
    runDirectory: context.writer.runDirectory,
    requeries: context.patience.requeries,
    ask: (token) =>
      client.ask({ scope: request.scope, query: request.query, top: request.top, skipToken: token, ancestors: request.ancestors }),
    facts: (json) => graphFacts(json, request.describe),
    onPage: (items) => context.progress.page(request.collector, request.directory, request.name, items),
  });
}

/** A finished count: how many records the provider says there are, by bucket, and where it says so. */
export interface Counted {
  readonly series: Series;
  readonly counts: ReadonlyMap<string, { readonly count: number; readonly citation: Citation }>;
  /** What a bucket that is not listed rests on: the list itself. */
  readonly citation: Citation | null;
}

/** Reads a finished `summarize count()` back. `bucket` names a group; null for one that is not understood. */
export function readCounts(runDirectory: string, series: Series, bucket: (row: JsonObject) => string | null): Counted {
  const counts = new Map<string, { count: number; citation: Citation }>();
  if (series.status !== 'complete') return { series, counts, citation: null };
  for (const { json, file } of storedPages(runDirectory, series)) {
    const rows = isJsonObject(json) && Array.isArray(json.data) ? json.data : [];
    for (const [index, row] of rows.entries()) {
      if (!isJsonObject(row)) continue;
      const name = bucket(row);
      if (name === null || typeof row.count_ !== 'number') continue;
      counts.set(name, {
        count: row.count_ + (counts.get(name)?.count ?? 0),
        citation: { file, pointer: `/data/${index}/count_`, encoding: 'json' },
      });
    }
  }
  return { series, counts, citation: { file: `${series.directory}/page-000001.json`, pointer: '/data', encoding: 'json' } };
}

/** A group of a count: a row that must carry a number. */
export function describeGroup(bucket: (row: JsonObject) => string | null): (row: JsonObject) => PageRecord | null {
  return (row) => {
    const name = bucket(row);
    return name === null || typeof row.count_ !== 'number' ? null : { id: name, bucket: '', capturedAt: null };
  };
}

/** Ledger status of a series' end. A stopped run leaves what it had not finished as failed. */
export function ledgerStatus(series: Series): LedgerStatus {
  return series.status === 'aborted' ? 'failed' : series.status;
}
