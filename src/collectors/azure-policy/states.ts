import {
  type IndependentCount,
  type JsonObject,
  type LedgerEntry,
  type LedgerStatus,
  type Reason,
  withoutCase,
} from '../../model/index.ts';
import { type Counted, describeGroup, ledgerStatus, openGraphSeries, readCounts, text } from '../azure-graph.ts';
import { chunks } from '../azure-tenants.ts';
import type { PageRecord } from '../paging.ts';
import { type Reconciled, reconcile } from '../reconcile.ts';
import { countsShape, policyGuid, stateOf, statesShape } from './map.ts';
import type { Asking } from './objects.ts';
import { componentStateType, pageRows, stateCountQuery, statesQuery, stateType, subscriptionsPerCount } from './queries.ts';

const countSource = 'Azure Resource Graph: policyresources, summarize count() by subscriptionId, policyDefinitionId';

const bucketOf = (account: string, guid: string): string => `${account} ${guid}`;

function describeState(row: JsonObject): PageRecord | null {
  const id = text(row.id);
  const { guid, subscription } = stateOf(row);
  if (id === null || guid === '' || subscription === '') return null;
  return { id: withoutCase(id), bucket: bucketOf(subscription, guid), capturedAt: null };
}

function groupOf(row: JsonObject): string | null {
  const subscription = text(row.subscriptionId);
  const guid = policyGuid(text(row.policyDefinitionId) ?? '');
  return subscription === null || guid === '' ? null : bucketOf(subscription.toLowerCase(), guid);
}

/** What the states of one policy in one subscription come to. */
export interface StateTally {
  of(account: string, guid: string): Pick<LedgerEntry, 'held' | 'count' | 'freshness' | 'reasons' | 'status' | 'queries'>;
}

interface Key {
  readonly type: string;
  readonly index: number;
  readonly accounts: readonly string[];
}

function countOf(counted: Counted | null, account: string, guid: string): number | null {
  if (counted?.series.status !== 'complete') return null;
  return counted.counts.get(bucketOf(account, guid))?.count ?? 0;
}

function disagreement(one: Reconciled<Counted>, type: string, accounts: readonly string[], guids: readonly string[]): Reason | null {
  for (const account of accounts) {
    for (const guid of guids) {
      const before = countOf(one.before, account, guid);
      const after = countOf(one.after, account, guid);
      const held = one.list.tally.held.get(bucketOf(account, guid)) ?? 0;
      if (after !== null && after !== held)
        return {
          code: 'count-mismatch',
          message: `policy ${guid} has ${after} records of ${type} in ${account} by count and ${held} by listing`,
        };
      if (before !== null && after !== null && before !== after)
        return {
          code: 'count-mismatch',
          message: `policy ${guid} had ${before} records of ${type} in ${account} before listing them and ${after} after it`,
        };
    }
  }
  return null;
}

const worst: readonly LedgerStatus[] = ['failed', 'denied', 'partial', 'complete'];

/** States of resources and of their components (the keys of a vault), for the policies that controls read. */
export async function collectStates(asking: Asking, accounts: readonly string[], guids: readonly string[]): Promise<StateTally> {
  const { context, client, identity, collector, tenant } = asking;
  const keys = new Map<string, Key>();
  if (guids.length > 0) {
    for (const [index, part] of chunks(accounts, subscriptionsPerCount(guids.length)).entries()) {
      for (const type of [stateType, componentStateType]) keys.set(`${type}-${index + 1}`, { type, index, accounts: part });
    }
  }
  const nameOf = (key: Key): string => (key.type === stateType ? 'policy-states' : 'component-policy-states') + `-${key.index + 1}`;
  const common = { collector, directory: tenant, types: [] as string[], ancestors: false, tenant, top: pageRows };
  const reconciled = await reconcile<Counted>({
    context,
    keys: [...keys.keys()],
    open(name) {
      const key = keys.get(name) as Key;
      return openGraphSeries(context, client.graph, identity, {
        ...common,
        name: nameOf(key),
        shape: statesShape,
        query: statesQuery(key.type, guids),
        types: guids.map((guid) => `verdict:${guid}`),
        scope: { subscriptions: key.accounts },
        describe: describeState,
      });
    },
    async count(asked, round) {
      const counts = new Map<string, Counted>();
      await Promise.all(
        asked.map((name) =>
          context.unit(async () => {
            const key = keys.get(name) as Key;
            const paged = await openGraphSeries(context, client.graph, identity, {
              ...common,
              name: `count-${nameOf(key)}-${round}`,
              shape: countsShape,
              query: stateCountQuery(key.type, guids),
              scope: { subscriptions: key.accounts },
              describe: describeGroup(groupOf),
            });
            counts.set(name, readCounts(context.writer.runDirectory, await paged.run(), groupOf));
          }),
        ),
      );
      return counts;
    },
    countBefore: true,
    disagreement: (one) => disagreement(one, (keys.get(one.key) as Key).type, (keys.get(one.key) as Key).accounts, guids),
  });

  return {
    of(account, guid) {
      const mine = reconciled.filter((one) => (keys.get(one.key) as Key).accounts.includes(account));
      const reasons: Reason[] = [];
      const statuses: LedgerStatus[] = [];
      let held = 0;
      let count: IndependentCount | null = { count: 0, source: countSource };
      for (const one of mine) {
        const key = keys.get(one.key) as Key;
        const counted = countOf(one.after, account, guid);
        const read = one.list.status === 'complete' || one.list.status === 'partial';
        const mismatch = read ? disagreement(one, key.type, [account], [guid]) : null;
        const own = [
          ...one.list.reasons.filter((reason) => reason.code !== 'count-mismatch'),
          ...(counted === null
            ? one.after.series.reasons.map((reason) => ({
                ...reason,
                message: `the independent count is not to be had: ${reason.message}`,
              }))
            : []),
          ...(mismatch === null ? [] : [mismatch]),
        ];
        reasons.push(...own);
        statuses.push(read ? (own.length === 0 ? 'complete' : 'partial') : ledgerStatus(one.list));
        held += one.list.tally.held.get(bucketOf(account, guid)) ?? 0;
        const citation =
          one.after.counts.get(bucketOf(account, guid))?.citation ??
          (key.type === stateType ? (one.after.citation ?? undefined) : undefined);
        if (counted === null) count = null;
        else if (count !== null) count = { ...count, count: count.count + counted, ...(citation ? { citation } : {}) };
      }
      return {
        held,
        count,
        freshness: { oldest: mine[0]?.list.received.oldest ?? null, newest: mine[0]?.list.received.newest ?? null },
        reasons,
        status: worst.find((status) => statuses.includes(status)) ?? 'failed',
        queries: mine.map((one) => one.list.directory),
      };
    },
  };
}
