import type { LedgerEntry, LedgerStatus, Reason } from '../../model/index.ts';
import type { CollectContext } from '../collector.ts';
import { type PagedSeries, pagedSeries, type Series } from '../paging.ts';
import { type Reconciled, reconcile } from '../reconcile.ts';
import type { AssetClient } from './client.ts';
import { assetFacts, bucketOf, searchFacts } from './facts.ts';
import { assetsShape, searchShape } from './map.ts';
import { type AssetQuery, assetPageSize, type Content, ledgerType, searchPageSize } from './queries.ts';
import type { GcpParent } from './scopes.ts';

export interface Asking {
  readonly context: CollectContext;
  readonly client: AssetClient;
  readonly identity: string;
  readonly collector: string;
  readonly parent: GcpParent;
  readonly readTime: string;
}

/** A ListAssets series, and the series that counts it. */
export interface Listed {
  readonly query: AssetQuery;
  readonly list: Series;
  readonly counted: Series;
}

export interface AssetLists {
  with(other: AssetLists): AssetLists;
  readonly listed: readonly Listed[];
  /** Every nearest ancestor that some asset or search result names. */
  ancestors(): string[];
  /** Whether anything was found under a bucket. */
  mentions(bucket: string): boolean;
  /** The series that holds a type. */
  of(content: Content, type: string): Listed | null;
  entry(ancestor: string, account: string, type: string): LedgerEntry;
}

const countSource: Readonly<Record<Content, string | null>> = {
  RESOURCE: 'Cloud Asset Inventory: SearchAllResources',
  IAM_POLICY: 'Cloud Asset Inventory: SearchAllIamPolicies',
  ORG_POLICY: null,
};

async function openList(asking: Asking, query: AssetQuery, projectIds: Readonly<Record<string, string>>): Promise<PagedSeries> {
  const { context, client, identity, collector, parent, readTime } = asking;
  const writer = await context.writer.open({
    collector,
    scope: parent.directory,
    name: query.name,
    provider: 'gcp',
    operation: 'ListAssets',
    shape: assetsShape,
    text: null,
    parameters: { parent: parent.name, contentType: query.content, assetTypes: query.types, pageSize: assetPageSize, projectIds },
    endpoint: client.endpoint,
    identity,
    types: query.types.length > 0 ? query.types.map((type) => ledgerType(query.content, type)) : [ledgerType(query.content, '')],
    readTime,
  });
  return pagedSeries({
    writer,
    runDirectory: context.writer.runDirectory,
    requeries: context.patience.requeries,
    ask: (pageToken) => client.listAssets({ parent: parent.name, content: query.content, types: query.types, readTime, pageToken }),
    facts: (json) => assetFacts(json, query.content, readTime),
    onPage: (items) => context.progress.page(collector, parent.directory, query.name, items),
  });
}

/**
 * The population of a series by another API: SearchAllResources, or SearchAllIamPolicies. Organisation policies have no
 * second API; they are read a second time, which finds a lost page but is no independent count.
 */
async function count(asking: Asking, query: AssetQuery, round: string): Promise<Series> {
  const { context, client, identity, collector, parent, readTime } = asking;
  const name = `count-${query.name}-${round}`;
  const again = query.content === 'ORG_POLICY';
  const writer = await context.writer.open({
    collector,
    scope: parent.directory,
    name,
    provider: 'gcp',
    operation: again ? 'ListAssets' : query.content === 'IAM_POLICY' ? 'SearchAllIamPolicies' : 'SearchAllResources',
    shape: searchShape,
    text: null,
    parameters: again
      ? { parent: parent.name, contentType: query.content, assetTypes: query.types, pageSize: assetPageSize }
      : { scope: parent.name, assetTypes: query.types, pageSize: searchPageSize, orderBy: 'name', createdUntil: readTime },
    endpoint: client.endpoint,
    identity,
    types: [],
    ...(again ? { readTime } : {}),
  });
  const series = pagedSeries({
    writer,
    runDirectory: context.writer.runDirectory,
    requeries: context.patience.requeries,
    ask: (pageToken) => {
      if (again) return client.listAssets({ parent: parent.name, content: query.content, types: query.types, readTime, pageToken });
      const question = { scope: parent.name, types: query.types, pageToken };
      return query.content === 'IAM_POLICY' ? client.searchAllIamPolicies(question) : client.searchAllResources(question);
    },
    facts: (json) => (again ? assetFacts(json, query.content, readTime) : searchFacts(json, query.content, readTime)),
    onPage: (items) => context.progress.page(collector, parent.directory, name, items),
  });
  return series.run();
}

/** `<ancestor> <type>` of a bucket. */
function ancestorOf(bucket: string): string {
  return bucket.slice(0, bucket.indexOf(' '));
}

function disagreement(list: Series, counted: Series): Reason | null {
  if (counted.status !== 'complete') return null;
  for (const bucket of [...new Set([...list.tally.held.keys(), ...counted.tally.held.keys()])].sort()) {
    const reason = bucketMismatch(list, counted, bucket);
    if (reason !== null) return reason;
  }
  return null;
}

function bucketMismatch(list: Series, counted: Series, bucket: string): Reason | null {
  const held = list.tally.held.get(bucket) ?? 0;
  const count = counted.tally.held.get(bucket) ?? 0;
  if (held === count) return null;
  const type = bucket.slice(bucket.indexOf(' ') + 1);
  return { code: 'count-mismatch', message: `${ancestorOf(bucket)} has ${count} records of ${type} by count and ${held} by listing` };
}

async function run(asking: Asking, queries: readonly AssetQuery[], projectIds: Readonly<Record<string, string>>): Promise<Listed[]> {
  const byName = new Map(queries.map((query) => [query.name, query]));
  const queryOf = (name: string): AssetQuery => byName.get(name) as AssetQuery;
  const reconciled = await reconcile<Series>({
    context: asking.context,
    keys: [...byName.keys()],
    open: (name) => openList(asking, queryOf(name), projectIds),
    async count(names, round) {
      const counted = await Promise.all(
        names.map(async (name) => [name, await asking.context.unit(() => count(asking, queryOf(name), round))] as const),
      );
      return new Map(counted);
    },
    countBefore: false,
    disagreement: (one: Reconciled<Series>) => disagreement(one.list, one.after),
  });
  return reconciled.map((one) => ({ query: queryOf(one.key), list: one.list, counted: one.after }));
}

/**
 * Lists and counts. The service refuses a whole list for one type that it does not know: such a list is asked again type by
 * type, so that only that type is without an answer.
 */
export async function collectSeries(
  asking: Asking,
  queries: readonly AssetQuery[],
  projectIds: Readonly<Record<string, string>>,
): Promise<AssetLists> {
  const first = await run(asking, queries, projectIds);
  const refused = first.filter(
    ({ query, list, counted }) =>
      query.types.length > 1 &&
      [list, counted].some((series) => series.status === 'failed' && series.reasons.some((reason) => reason.code === 'invalid-request')),
  );
  const single = refused.flatMap(({ query }) => query.types.map((type) => ({ ...query, name: `${query.name}-${type}`, types: [type] })));
  const second = single.length === 0 ? [] : await run(asking, single, projectIds);
  return lists(asking, [...first.filter((one) => !refused.includes(one)), ...second]);
}

function lists(asking: Asking, listed: readonly Listed[]): AssetLists {
  const buckets = (): Set<string> =>
    new Set(listed.flatMap(({ list, counted }) => [...list.tally.held.keys(), ...counted.tally.held.keys()]));
  return {
    listed,
    with: (other) => lists(asking, [...listed, ...other.listed]),
    ancestors: () => [...new Set([...buckets()].map(ancestorOf))].sort(),
    mentions: (bucket) => buckets().has(bucket),
    of: (content, type) => listed.find(({ query }) => query.content === content && query.types.includes(type)) ?? null,
    entry(ancestor, account, type) {
      const base = { collector: asking.collector, provider: 'gcp', account, region: '*', type } as const;
      const own = listed.find(({ query }) =>
        query.types.length === 0
          ? ledgerType(query.content, '') === type
          : query.types.some((one) => ledgerType(query.content, one) === type),
      );
      if (own === undefined) {
        return {
          ...base,
          status: 'failed',
          held: 0,
          count: null,
          freshness: { oldest: null, newest: null },
          reasons: [{ code: 'not-collected', message: `no query was made for ${type}` }],
          queries: [],
        };
      }
      return entryOf(base, ancestor, own);
    },
  };
}

function entryOf(
  base: Pick<LedgerEntry, 'collector' | 'provider' | 'account' | 'region' | 'type'>,
  ancestor: string,
  { query, list, counted }: Listed,
): LedgerEntry {
  const bucket = bucketOf(ancestor, base.type);
  const read = list.status === 'complete' || list.status === 'partial';
  const unsupported =
    list.status === 'failed' && query.types.length === 1 && list.reasons.some((reason) => reason.code === 'invalid-request');
  const uncounted =
    counted.status === 'complete'
      ? []
      : counted.reasons.map((reason) => ({ ...reason, message: `the independent count is not to be had: ${reason.message}` }));
  const mismatch = read && counted.status === 'complete' ? bucketMismatch(list, counted, bucket) : null;
  const source = countSource[query.content];
  const reasons: Reason[] = unsupported
    ? [{ code: 'asset-type-unsupported', message: `Cloud Asset Inventory refuses ${base.type}: ${list.reasons[0]?.message ?? ''}` }]
    : [
        ...list.reasons.filter((reason) => reason.code !== 'count-mismatch'),
        ...(read ? uncounted : []),
        ...(mismatch === null ? [] : [mismatch]),
      ];
  const status: LedgerStatus = unsupported
    ? 'not-recorded'
    : read
      ? reasons.length === 0
        ? 'complete'
        : 'partial'
      : list.status === 'denied'
        ? 'denied'
        : 'failed';
  return {
    ...base,
    status,
    held: list.tally.held.get(bucket) ?? 0,
    count:
      counted.status === 'complete' && source !== null
        ? {
            count: counted.tally.held.get(bucket) ?? 0,
            source,
            citation: { file: `${counted.directory}/page-000001.json`, pointer: '', encoding: 'json' },
          }
        : null,
    freshness: { oldest: list.tally.oldest.get(bucket) ?? null, newest: list.tally.newest.get(bucket) ?? null },
    reasons,
    queries: [list.directory],
  };
}
