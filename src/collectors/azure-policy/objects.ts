import {
  isJsonObject,
  type JsonObject,
  type Json,
  type LedgerEntry,
  type LedgerStatus,
  type Reason,
  withoutCase,
} from '../../model/index.ts';
import {
  bucketOf,
  type Counted,
  describeGroup,
  ledgerStatus,
  openGraphSeries,
  readCounts,
  subscriptionOf,
  tenantAccount,
  text,
} from '../azure-graph.ts';
import { chunks } from '../azure-tenants.ts';
import type { CollectContext } from '../collector.ts';
import { malformedEntries, type PagedSeries, pagedSeries, type PageFacts, type PageRecord, type Series } from '../paging.ts';
import { type Reconciled, reconcile } from '../reconcile.ts';
import type { PolicyClient } from './client.ts';
import { countsShape, objectsShape, rowsShape } from './map.ts';
import {
  definitionType,
  exemptionsQuery,
  exemptionType,
  type Listing,
  listings,
  objectCountQuery,
  pageRows,
  setDefinitionType,
  subscriptionsPerCount,
  subscriptionsPerQuery,
} from './queries.ts';

export interface Asking {
  readonly context: CollectContext;
  readonly client: PolicyClient;
  readonly identity: string;
  readonly collector: string;
  readonly tenant: string;
}

/** A listing of policy objects as it was stored; `account` null for the built-in ones. */
export interface ObjectListing {
  readonly account: string | null;
  readonly type: string;
  readonly series: Series;
}

const countSource = 'Azure Resource Graph: policyresources, summarize count() by subscriptionId, type';

/** `{value: [object], nextLink}`. Objects inherited from above are counted apart from the subscription's own. */
function objectFacts(json: Json, account: string, above: string): PageFacts {
  const page = isJsonObject(json) ? json : {};
  const rows = Array.isArray(page.value) ? page.value : [];
  const records: PageRecord[] = [];
  const malformed: number[] = [];
  for (const [index, row] of rows.entries()) {
    const id = isJsonObject(row) ? text(row.id) : null;
    if (id === null) malformed.push(index);
    else records.push({ id: withoutCase(id), bucket: subscriptionOf(id) === account ? account : above, capturedAt: null });
  }
  const link = page.nextLink;
  return {
    records,
    items: rows.length,
    nextToken: typeof link === 'string' && link !== '' ? link : null,
    total: null,
    gaps: malformedEntries(malformed, 'an object with an id'),
    contradiction: null,
  };
}

async function openListing(asking: Asking, listing: Listing, account: string | null): Promise<PagedSeries> {
  const { context, client, identity, collector, tenant } = asking;
  const directory = account ?? tenant;
  const name = account === null ? `${listing.name}-built-in` : listing.name;
  const writer = await context.writer.open({
    collector,
    scope: directory,
    name,
    provider: 'azure',
    operation: account === null ? listing.operation.replace('.list', '.listBuiltIn') : listing.operation,
    shape: objectsShape,
    text: null,
    parameters: { tenant, ...(account === null ? {} : { subscription: account }) },
    endpoint: client.graph.connection.origin,
    identity,
    types: [listing.type],
  });
  const above = tenantAccount(tenant);
  return pagedSeries({
    writer,
    runDirectory: context.writer.runDirectory,
    requeries: context.patience.requeries,
    ask: (link) => client.list(listing.name, account, link),
    facts: (json) => objectFacts(json, account ?? above, above),
    onPage: (items) => context.progress.page(collector, directory, name, items),
  });
}

const groupOf = (row: JsonObject): string | null => {
  const type = text(row.type);
  const subscription = text(row.subscriptionId);
  return type === null || subscription === null ? null : bucketOf(subscription.toLowerCase(), type.toLowerCase());
};

/** How many objects each subscription holds itself: one query serves all listings, so it is asked once a round and chunk. */
async function countObjects(asking: Asking, accounts: readonly string[], round: string): Promise<ReadonlyMap<string, Counted>> {
  const { context, client, identity, collector, tenant } = asking;
  const byAccount = new Map<string, Counted>();
  await Promise.all(
    chunks(accounts, subscriptionsPerCount(listings.length + 1)).map((subscriptions, index) =>
      context.unit(async () => {
        const paged = await openGraphSeries(context, client.graph, identity, {
          collector,
          directory: tenant,
          name: `count-objects-${round}-${index + 1}`,
          shape: countsShape,
          query: objectCountQuery,
          types: [],
          scope: { subscriptions },
          ancestors: false,
          tenant,
          top: pageRows,
          describe: describeGroup(groupOf),
        });
        const counted = readCounts(context.writer.runDirectory, await paged.run(), groupOf);
        for (const account of subscriptions) byAccount.set(account, counted);
      }),
    ),
  );
  return byAccount;
}

const exemptionRow =
  (above: string) =>
  (row: JsonObject): PageRecord | null => {
    const id = text(row.id);
    return id === null ? null : { id: withoutCase(id), bucket: subscriptionOf(id) ?? above, capturedAt: null };
  };

interface Key {
  readonly accounts: readonly string[];
  readonly type: string;
  readonly open: () => Promise<PagedSeries>;
}

function keysOf(asking: Asking, accounts: readonly string[]): Map<string, Key> {
  const { context, client, identity, collector, tenant } = asking;
  const keys = new Map<string, Key>();
  for (const account of accounts) {
    for (const listing of listings)
      keys.set(`${account} ${listing.type}`, {
        accounts: [account],
        type: listing.type,
        open: () => openListing(asking, listing, account),
      });
  }
  for (const [index, subscriptions] of chunks(accounts, subscriptionsPerQuery).entries()) {
    const open = (): Promise<PagedSeries> =>
      openGraphSeries(context, client.graph, identity, {
        collector,
        directory: tenant,
        name: `policy-exemptions-${index + 1}`,
        shape: rowsShape,
        query: exemptionsQuery,
        types: [exemptionType],
        scope: { subscriptions },
        ancestors: false,
        tenant,
        top: pageRows,
        describe: exemptionRow(tenantAccount(tenant)),
      });
    keys.set(`${index} ${exemptionType}`, { accounts: subscriptions, type: exemptionType, open });
  }
  return keys;
}

type Counts = ReadonlyMap<string, Counted>;

function countOf(counts: Counts | null, account: string, type: string): number | null {
  const counted = counts?.get(account);
  if (counted?.series.status !== 'complete') return null;
  return counted.counts.get(bucketOf(account, type))?.count ?? 0;
}

function disagreement(one: Reconciled<Counts>, type: string, accounts: readonly string[]): Reason | null {
  for (const account of accounts) {
    const before = countOf(one.before, account, type);
    const after = countOf(one.after, account, type);
    const held = one.list.tally.held.get(account) ?? 0;
    if (after !== null && after !== held)
      return { code: 'count-mismatch', message: `${account} has ${after} records of ${type} by count and ${held} by listing` };
    if (before !== null && after !== null && before !== after)
      return { code: 'count-mismatch', message: `${account} had ${before} records of ${type} before listing them and ${after} after it` };
  }
  return null;
}

function entryOf(asking: Asking, one: Reconciled<Counts>, type: string, account: string): LedgerEntry {
  const counted = one.after.get(account);
  const count = countOf(one.after, account, type);
  const read = one.list.status === 'complete' || one.list.status === 'partial';
  const mismatch = read ? disagreement(one, type, [account]) : null;
  const uncounted =
    count === null
      ? (counted?.series.reasons ?? []).map((reason) => ({
          ...reason,
          message: `the independent count is not to be had: ${reason.message}`,
        }))
      : [];
  const reasons = [
    ...one.list.reasons.filter((reason) => reason.code !== 'count-mismatch'),
    ...uncounted,
    ...(mismatch === null ? [] : [mismatch]),
  ];
  const status: LedgerStatus = read ? (reasons.length === 0 ? 'complete' : 'partial') : ledgerStatus(one.list);
  const citation = counted?.counts.get(bucketOf(account, type))?.citation ?? counted?.citation ?? undefined;
  return {
    collector: asking.collector,
    provider: 'azure',
    account,
    region: '*',
    type,
    status,
    held: one.list.tally.held.get(account) ?? 0,
    count: count === null ? null : { count, source: countSource, ...(citation ? { citation } : {}) },
    freshness: { ...one.list.received },
    reasons,
    queries: [one.list.directory],
  };
}

/** The built-in definitions, the same for every subscription of the tenant; there is no second count of them. */
async function collectBuiltIn(asking: Asking): Promise<{ listings: ObjectListing[]; entries: LedgerEntry[] }> {
  const account = tenantAccount(asking.tenant);
  const wanted = listings.filter((listing) => listing.type === definitionType || listing.type === setDefinitionType);
  const all = await Promise.all(
    wanted.map((listing) =>
      asking.context.unit(async () => {
        const series = await (await openListing(asking, listing, null)).run();
        const entry: LedgerEntry = {
          collector: asking.collector,
          provider: 'azure',
          account,
          region: '*',
          type: listing.type,
          status: ledgerStatus(series),
          held: series.tally.records,
          count: null,
          freshness: { ...series.received },
          reasons: [...series.reasons],
          queries: [series.directory],
        };
        return { listing: { account: null, type: listing.type, series }, entry };
      }),
    ),
  );
  return { listings: all.map((one) => one.listing), entries: all.map((one) => one.entry) };
}

/** Assignments, definitions, set definitions and exemptions of every visible subscription. */
export async function collectObjects(
  asking: Asking,
  accounts: readonly string[],
): Promise<{ listings: ObjectListing[]; entries: LedgerEntry[] }> {
  if (accounts.length === 0) return { listings: [], entries: [] };
  const keys = keysOf(asking, accounts);
  const [builtIn, reconciled] = await Promise.all([
    collectBuiltIn(asking),
    reconcile<Counts>({
      context: asking.context,
      keys: [...keys.keys()],
      open: (key) => (keys.get(key) as Key).open(),
      async count(asked, round) {
        const wanted = [...new Set(asked.flatMap((key) => (keys.get(key) as Key).accounts))].sort();
        const counts = await countObjects(asking, wanted, round);
        return new Map(asked.map((key) => [key, counts]));
      },
      countBefore: true,
      disagreement: (one) => disagreement(one, (keys.get(one.key) as Key).type, (keys.get(one.key) as Key).accounts),
    }),
  ]);
  const own = reconciled.map((one) => ({ one, key: keys.get(one.key) as Key }));
  return {
    listings: [
      ...builtIn.listings,
      ...own.map(({ one, key }) => ({
        account: key.accounts.length === 1 && key.type !== exemptionType ? (key.accounts[0] as string) : null,
        type: key.type,
        series: one.list,
      })),
    ],
    entries: [...builtIn.entries, ...own.flatMap(({ one, key }) => key.accounts.map((account) => entryOf(asking, one, key.type, account)))],
  };
}
