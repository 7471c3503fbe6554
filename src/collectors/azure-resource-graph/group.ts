import type { JsonObject, LedgerEntry, LedgerStatus, Reason } from '../../model/index.ts';
import { bucketOf, type Counted, describeGroup, describeRow, ledgerStatus, openGraphSeries, readCounts, text } from '../azure-graph.ts';
import type { GraphClient, GraphScope } from '../azure-graph-client.ts';
import { chunks } from '../azure-tenants.ts';
import type { CollectContext } from '../collector.ts';
import type { PagedSeries } from '../paging.ts';
import { type Reconciled, reconcile } from '../reconcile.ts';
import { countsShape, rowsShape } from './map.ts';
import { countQuery, type Level, listQuery, pageRows, tableOf, typesPerCount } from './queries.ts';

/** Types listed and counted together: a batch of subscriptions, or what lies above them. */
export interface Group {
  readonly collector: string;
  readonly tenant: string;
  readonly directory: string;
  readonly scope: GraphScope;
  readonly level: Level;
  /** Accounts whose ledger lines are filled from it. */
  readonly accounts: readonly string[];
  /** Account of records above subscriptions. */
  readonly above: string;
  readonly types: readonly string[];
}

interface Asking {
  readonly context: CollectContext;
  readonly client: GraphClient;
  readonly identity: string;
  readonly group: Group;
}

const countSource = 'Azure Resource Graph: summarize count() by subscriptionId, type';

function countBucket(group: Group): (row: JsonObject) => string | null {
  return (row) => {
    const type = text(row.type);
    return type === null ? null : bucketOf(text(row.subscriptionId)?.toLowerCase() || group.above, type.toLowerCase());
  };
}

/** Counts of some types, one query per table and chunk; by type. */
async function count(asking: Asking, types: readonly string[], round: string): Promise<Map<string, Counted>> {
  const { context, client, identity, group } = asking;
  const byTable = new Map<string, string[]>();
  for (const type of types) {
    const table = tableOf(type) ?? '';
    byTable.set(table, [...(byTable.get(table) ?? []), type]);
  }
  const parts = [...byTable].flatMap(([table, members]) =>
    chunks(members, typesPerCount(group.accounts.length)).map((part, index) => ({ table, part, index })),
  );
  const byType = new Map<string, Counted>();
  const bucket = countBucket(group);
  await Promise.all(
    parts.map(({ table, part, index }) =>
      context.unit(async () => {
        const series = await openGraphSeries(context, client, identity, {
          collector: group.collector,
          directory: group.directory,
          name: `count-${round}-${group.level === 'above' ? 'above-' : ''}${table}-${index + 1}`,
          shape: countsShape,
          query: countQuery(table, part, group.level),
          types: [],
          scope: group.scope,
          ancestors: group.level === 'above',
          tenant: group.tenant,
          top: pageRows,
          describe: describeGroup(bucket),
        });
        const counted = readCounts(context.writer.runDirectory, await series.run(), bucket);
        for (const type of part) byType.set(type, counted);
      }),
    ),
  );
  return byType;
}

function open(asking: Asking, type: string): Promise<PagedSeries> {
  const { context, client, identity, group } = asking;
  return openGraphSeries(context, client, identity, {
    collector: group.collector,
    directory: group.directory,
    name: group.level === 'above' ? `${type}-above-subscriptions` : type,
    shape: rowsShape,
    query: listQuery(tableOf(type) ?? '', type, group.level),
    types: [type],
    scope: group.scope,
    ancestors: group.level === 'above',
    tenant: group.tenant,
    top: pageRows,
    describe: describeRow(group.above),
  });
}

function countOf(counted: Counted | null, account: string, type: string): number | null {
  if (counted?.series.status !== 'complete') return null;
  return counted.counts.get(bucketOf(account, type))?.count ?? 0;
}

/** The first account for which what is held and what was counted differ; null when all agree or nothing can be compared. */
function disagreement(listing: Reconciled<Counted>, accounts: readonly string[]): Reason | null {
  const type = listing.key;
  for (const account of accounts) {
    const before = countOf(listing.before, account, type);
    const after = countOf(listing.after, account, type);
    const held = listing.list.tally.held.get(bucketOf(account, type)) ?? 0;
    if (after !== null && held !== after)
      return { code: 'count-mismatch', message: `${account} has ${after} records of ${type} by count and ${held} by listing` };
    if (before !== null && after !== null && before !== after)
      return { code: 'count-mismatch', message: `${account} had ${before} records of ${type} before listing them and ${after} after it` };
  }
  return null;
}

/** The ledger line of one account: gaps of the series are everybody's, a disagreement only the account's own. */
function entry(listing: Reconciled<Counted>, group: Group, account: string): LedgerEntry {
  const { list: listed, after, key: type } = listing;
  const counted = countOf(after, account, type);
  const uncounted =
    counted === null
      ? after.series.reasons.map((reason) => ({ ...reason, message: `the independent count is not to be had: ${reason.message}` }))
      : [];
  const mismatch = listed.status === 'complete' || listed.status === 'partial' ? disagreement(listing, [account]) : null;
  const reasons = [
    ...listed.reasons.filter((reason) => reason.code !== 'count-mismatch'),
    ...uncounted,
    ...(mismatch === null ? [] : [mismatch]),
  ];
  const status: LedgerStatus =
    listed.status === 'complete' || listed.status === 'partial' ? (reasons.length === 0 ? 'complete' : 'partial') : ledgerStatus(listed);
  const citation = after.counts.get(bucketOf(account, type))?.citation ?? after.citation ?? undefined;
  return {
    collector: group.collector,
    provider: 'azure',
    account,
    region: '*',
    type,
    status,
    held: listed.tally.held.get(bucketOf(account, type)) ?? 0,
    count: counted === null ? null : { count: counted, source: countSource, ...(citation ? { citation } : {}) },
    freshness: { ...listed.received },
    reasons,
    queries: [listed.directory],
  };
}

/** Every type of the group listed and counted: one ledger entry for every account and type, whatever happened. */
export async function collectGroup(context: CollectContext, client: GraphClient, identity: string, group: Group): Promise<LedgerEntry[]> {
  const asking: Asking = { context, client, identity, group };
  const listings = await reconcile<Counted>({
    context,
    keys: group.types.filter((type) => tableOf(type) !== null),
    open: (type) => open(asking, type),
    count: (types, round) => count(asking, types, round),
    countBefore: true,
    size: (type, before) => group.accounts.reduce((sum, account) => sum + (countOf(before, account, type) ?? 0), 0),
    disagreement: (listing) => disagreement(listing, group.accounts),
  });
  return listings.flatMap((listing) => group.accounts.map((account) => entry(listing, group, account)));
}
