import type { JsonObject, LedgerEntry, LedgerStatus, Reason } from '../../model/index.ts';
import { bucketOf, type Counted, describeGroup, describeRow, ledgerStatus, openGraphSeries, readCounts, text } from '../azure-graph.ts';
import type { GraphClient, GraphScope } from '../azure-graph-client.ts';
import type { CollectContext } from '../collector.ts';
import type { PagedSeries, Series } from '../paging.ts';
import { countsShape, rowsShape } from './map.ts';
import { chunks, countQuery, type Level, listQuery, pageRows, tableOf, typesPerCount } from './queries.ts';

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

/** Both counts around a listing, and the listing. */
interface Listing {
  readonly type: string;
  readonly series: PagedSeries;
  list: Series;
  before: Counted;
  after: Counted;
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
  const parts = [...byTable].flatMap(([table, members]) => chunks(members, typesPerCount(group.accounts.length)).map((part, index) => ({ table, part, index })));
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

async function list(asking: Asking, type: string): Promise<{ series: PagedSeries; list: Series }> {
  const { context, client, identity, group } = asking;
  return context.unit(async () => {
    const series = await openGraphSeries(context, client, identity, {
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
    return { series, list: await series.run() };
  });
}

function countOf(counted: Counted, account: string, type: string): number | null {
  if (counted.series.status !== 'complete') return null;
  return counted.counts.get(bucketOf(account, type))?.count ?? 0;
}

function heldOf(listing: Listing, account: string): number {
  return listing.list.tally.held.get(bucketOf(account, listing.type)) ?? 0;
}

/** The first account for which what is held and what was counted differ; null when all agree or nothing can be compared. */
function disagreement(listing: Listing, accounts: readonly string[]): Reason | null {
  if (listing.list.status !== 'complete') return null;
  for (const account of accounts) {
    const before = countOf(listing.before, account, listing.type);
    const after = countOf(listing.after, account, listing.type);
    const held = heldOf(listing, account);
    if (after !== null && held !== after) return { code: 'count-mismatch', message: `${account} has ${after} records of ${listing.type} by count and ${held} by listing` };
    if (before !== null && after !== null && before !== after) return { code: 'count-mismatch', message: `${account} had ${before} records of ${listing.type} before listing them and ${after} after it` };
  }
  return null;
}

function entry(listing: Listing, group: Group, account: string): LedgerEntry {
  const { list: listed, after, type } = listing;
  const counted = countOf(after, account, type);
  const held = heldOf(listing, account);
  const reasons: Reason[] = [...listed.reasons];
  let status: LedgerStatus = ledgerStatus(listed);
  const worsen = (reason: Reason): void => {
    if (status === 'complete') status = 'partial';
    reasons.push(reason);
  };
  if (counted === null) for (const reason of after.series.reasons) worsen({ code: reason.code, message: `the independent count is not to be had: ${reason.message}` });
  const own = disagreement({ ...listing, list: { ...listed, status: 'complete' } }, [account]);
  if (own !== null && !reasons.some((reason) => reason.message === own.message) && (listed.status === 'complete' || listed.status === 'partial')) worsen(own);
  const found = after.counts.get(bucketOf(account, type));
  const citation = found?.citation ?? after.citation ?? undefined;
  return {
    collector: group.collector,
    provider: 'azure',
    account,
    region: '*',
    type,
    status,
    held,
    count: counted === null ? null : { count: counted, source: countSource, ...(citation ? { citation } : {}) },
    freshness: { ...listed.received },
    reasons,
    queries: [listed.directory],
  };
}

/**
 * Counts, lists, and counts again; what disagrees is listed and counted again a bounded number of times. One ledger entry
 * for every account and type of the group, whatever happened.
 */
export async function collectGroup(context: CollectContext, client: GraphClient, identity: string, group: Group): Promise<LedgerEntry[]> {
  const asking: Asking = { context, client, identity, group };
  const types = group.types.filter((type) => tableOf(type) !== null);
  const before = await count(asking, types, 'before');
  const lists = await Promise.all(types.map(async (type) => ({ type, ...(await list(asking, type)) })));
  const after = await count(asking, types, 'after');
  const listings = lists.map((one): Listing => ({ ...one, before: before.get(one.type) as Counted, after: after.get(one.type) as Counted }));

  for (let round = 1; ; round += 1) {
    const disagreeing = listings.flatMap((listing) => {
      const reason = disagreement(listing, group.accounts);
      return reason === null ? [] : [{ listing, reason }];
    });
    if (disagreeing.length === 0) break;
    if (round > context.patience.requeries || context.signal.aborted) {
      // Only the accounts that disagree lose their entries; the stored query names the first of them.
      for (const { listing, reason } of disagreeing) await listing.series.demote(reason);
      break;
    }
    await Promise.all(
      disagreeing.map(({ listing, reason }) =>
        context.unit(async () => {
          listing.list = await listing.series.again({ code: reason.code, message: `${reason.message}; asked again from the start` });
        }),
      ),
    );
    const recount = await count(asking, disagreeing.map(({ listing }) => listing.type), `again-${round}`);
    for (const { listing } of disagreeing) {
      listing.before = listing.after;
      listing.after = recount.get(listing.type) as Counted;
    }
  }
  return listings.flatMap((listing) => group.accounts.map((account) => entry(listing, group, account)));
}
