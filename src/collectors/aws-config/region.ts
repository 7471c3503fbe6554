import pLimit from 'p-limit';
import type { JsonObject, LedgerEntry, LedgerStatus, Reason } from '../../model/index.ts';
import type { CollectContext } from '../collector.ts';
import type { Connection } from './client.ts';
import { text } from './document.ts';
import { distinct, emptyEntry, type RegionContext, worst } from './entries.ts';
import { type CountFold, countFold, type Counted, type Held, type ListFold, listFold, type RowFold, rowFold } from './folds.ts';
import { shapeOf } from './map.ts';
import { askAgain, page, type Paged, type PagedQuery } from './paging.ts';
import { directoryOf, isGlobal, pageSize, queriesInFlight, selectExpression } from './queries.ts';
import { recorded, type RecorderState, recorderOf } from './recorders.ts';
import { collectRules } from './rules.ts';

export function regionContext(
  collect: CollectContext,
  account: string,
  region: string,
  connection: Connection,
  identity: string,
): RegionContext {
  const scope = directoryOf(account, region);
  return {
    account,
    region,
    endpoint: connection.endpoint,
    identity,
    paging: {
      writer: collect.writer,
      call: (operation, input, signal) => connection.call(operation, input, signal),
      signal: collect.signal,
      requeries: collect.patience.requeries,
      onPage: (query, items) => {
        collect.progress.page('aws-config', scope, query, items);
      },
    },
    expect: (requests) => {
      connection.expect(requests);
    },
    limit: pLimit(queriesInFlight),
  };
}

function query<F extends CountFold | ListFold>(
  context: RegionContext,
  operation: PagedQuery<F>['operation'],
  input: JsonObject,
  name: string,
  tokenField: PagedQuery<F>['tokenField'],
  fold: () => F,
): PagedQuery<F> {
  return {
    operation,
    input,
    tokenField,
    request: {
      scope: directoryOf(context.account, context.region),
      name,
      shape: shapeOf(operation),
      text: null,
      endpoint: context.endpoint,
      identity: context.identity,
      types: [],
    },
    fold,
  };
}

export interface Recorders extends RecorderState {
  readonly queries: readonly string[];
}

/** What an account and region tells of itself before it is asked for resources. */
export interface Opening {
  readonly recorders: Recorders;
  /** The provider's own counts; null where no resources are asked for. */
  readonly counts: Paged<CountFold> | null;
}

/** Reads recorders and counts side by side: until they are here, nothing else of the region can be asked for. */
export async function openRegion(context: RegionContext, resources: boolean): Promise<Opening> {
  const [recorders, counts] = await Promise.all([readRecorders(context), resources ? readCounts(context, 'before') : null]);
  return { recorders, counts };
}

function readCounts(context: RegionContext, name: string): Promise<Paged<CountFold>> {
  return page(
    context.paging,
    query(context, 'GetDiscoveredResourceCounts', { limit: pageSize }, `GetDiscoveredResourceCounts.${name}`, 'nextToken', countFold),
  );
}

/** The configuration recorders of an account and region with their status. */
async function readRecorders(context: RegionContext): Promise<Recorders> {
  const name = (item: JsonObject): string => text(item['name']) ?? 'default';
  const [descriptions, statuses] = await Promise.all([
    page(
      context.paging,
      query(context, 'DescribeConfigurationRecorders', {}, 'DescribeConfigurationRecorders', 'NextToken', () =>
        listFold('ConfigurationRecorders', name),
      ),
    ),
    page(
      context.paging,
      query(context, 'DescribeConfigurationRecorderStatus', {}, 'DescribeConfigurationRecorderStatus', 'NextToken', () =>
        listFold('ConfigurationRecordersStatus', name),
      ),
    ),
  ]);
  const unread: Reason[] = [...descriptions.reasons, ...statuses.reasons];
  const known = new Set(descriptions.fold.items.map(name));
  if (descriptions.status === 'complete' && statuses.fold.items.some((status) => !known.has(name(status)))) {
    unread.push({ code: 'count-mismatch', message: 'a configuration recorder has a status but no description: the answers do not agree' });
  }
  const recorders =
    descriptions.status === 'complete'
      ? descriptions.fold.items.map((item) =>
          recorderOf(
            item,
            statuses.fold.items.find((status) => name(status) === name(item)),
          ),
        )
      : [];
  return { recorders, unread, queries: [descriptions.directory, statuses.directory] };
}

function selectQuery(context: RegionContext, type: string): PagedQuery<RowFold> {
  const expression = selectExpression(type);
  return {
    operation: 'SelectResourceConfig',
    input: { Expression: expression, Limit: pageSize },
    tokenField: 'NextToken',
    request: {
      scope: directoryOf(context.account, context.region),
      name: type.replaceAll('::', '.'),
      shape: shapeOf('SelectResourceConfig'),
      text: expression,
      endpoint: context.endpoint,
      identity: context.identity,
      types: [type],
    },
    fold: () => rowFold({ type, asked: { account: context.account, region: context.region } }),
  };
}

export interface RegionNeeds {
  /** Types to collect here; global types only in the account's home region. */
  readonly types: readonly string[];
  readonly rules: readonly string[];
  /** The instant of the run, RFC 3339. */
  readonly asOf: string;
}

/**
 * Everything needed of one account and region. Each type's rows are held against the provider's own counts, taken before and
 * after; where they differ the type is asked again, a bounded number of times, and is partial if they still differ.
 */
export async function collectRegion(context: RegionContext, needs: RegionNeeds, { recorders, counts }: Opening): Promise<LedgerEntry[]> {
  const rules = collectRules(context, needs.rules, recorders);
  const types = needs.types.length === 0 || counts === null ? Promise.resolve([]) : collectTypes(context, needs.types, recorders, counts);
  const [ofTypes, ofRules] = await Promise.all([types, rules]);
  return [...lateDaily(ofTypes, needs.asOf), ...ofRules];
}

/** A daily recorder delivers within 24 hours; twice that without one new item of any type says that it does not. */
const dailyLimitMs = 48 * 3_600_000;

/**
 * An item's age alone says nothing (what does not change is not captured again), but where a daily recorder has captured
 * nothing at all for two days, what it records is not known to be current.
 */
function lateDaily(entries: readonly LedgerEntry[], asOf: string): LedgerEntry[] {
  const newest = entries
    .map((entry) => entry.freshness.newest)
    .filter((time) => time !== null)
    .sort()
    .at(-1);
  if (newest === undefined || Date.parse(asOf) - Date.parse(newest) <= dailyLimitMs) return [...entries];
  const reason: Reason = { code: 'daily-recording-late', message: `recorded daily, but the newest item of any type here is of ${newest}` };
  return entries.map((entry) =>
    entry.reasons.some((one) => one.code === 'recorded-daily')
      ? { ...entry, status: worst([entry.status, 'stale']), reasons: [...entry.reasons, reason] }
      : entry,
  );
}

async function collectTypes(
  context: RegionContext,
  types: readonly string[],
  recorders: Recorders,
  counts: Paged<CountFold>,
): Promise<LedgerEntry[]> {
  let before = counts;
  const runs = new Map<string, Paged<RowFold>>();
  // The longest first: none is left to page on alone at the end. The same goes for regions.
  const expected = (type: string): number => counted(before, type)?.count ?? 0;
  if (before.status === 'complete') context.expect(types.reduce((sum, type) => sum + Math.ceil(expected(type) / pageSize), 0));
  const longestFirst = [...types].sort((a, b) => expected(b) - expected(a));
  await Promise.all(
    longestFirst.map((type) => context.limit(async () => runs.set(type, await page(context.paging, selectQuery(context, type))))),
  );
  let after = await readCounts(context, 'after');

  for (let round = 1; round <= context.paging.requeries; round += 1) {
    const doubtful = types.filter((type) => {
      const run = runs.get(type);
      return run !== undefined && doubt(context, type, run, before, after) !== null;
    });
    if (doubtful.length === 0 || context.paging.signal.aborted) break;
    await Promise.all(
      doubtful.map((type) =>
        context.limit(async () => {
          const run = runs.get(type);
          const reason = run === undefined ? null : doubt(context, type, run, before, after);
          if (run !== undefined && reason !== null) runs.set(type, await askAgain(context.paging, selectQuery(context, type), run, reason));
        }),
      ),
    );
    before = after;
    after = await readCounts(context, `after-${round + 1}`);
  }

  const entries: LedgerEntry[] = [];
  for (const type of types) {
    const run = runs.get(type);
    if (run !== undefined) entries.push(await typeEntry(context, type, run, before, after, recorders));
  }
  return entries;
}

function heldBy(context: RegionContext, run: Paged<RowFold>): Held {
  return run.fold.held().get(`${context.account}/${context.region}`) ?? { count: 0, rows: 0, oldest: null, newest: null };
}

const counted = (counts: Paged<CountFold>, type: string): Counted | null => (counts.status === 'complete' ? counts.fold.of(type) : null);

/** Why a finished query cannot be taken for whole: its rows against the counts around it. Null when they agree, or nothing can be compared. */
function doubt(
  context: RegionContext,
  type: string,
  run: Paged<RowFold>,
  before: Paged<CountFold>,
  after: Paged<CountFold>,
): Reason | null {
  if (run.status !== 'complete') return null;
  const held = heldBy(context, run).count;
  const first = counted(before, type);
  const last = counted(after, type);
  if (last !== null && last.count !== held) {
    return {
      code: 'count-mismatch',
      message: `${held} rows of ${type} are held, the provider counts ${last.count}`,
      citation: { file: last.file, pointer: last.pointer, encoding: 'json' },
    };
  }
  if (first !== null && last !== null && first.count !== last.count) {
    return {
      code: 'count-changed',
      message: `the provider's count of ${type} changed from ${first.count} to ${last.count} while it was collected`,
    };
  }
  return null;
}

async function typeEntry(
  context: RegionContext,
  type: string,
  run: Paged<RowFold>,
  before: Paged<CountFold>,
  after: Paged<CountFold>,
  recorders: Recorders,
): Promise<LedgerEntry> {
  const held = heldBy(context, run);
  const count = counted(after, type) ?? counted(before, type);
  const statuses: LedgerStatus[] = [run.status];
  const reasons: Reason[] = [...run.reasons];

  const state = recorded(recorders, type, context.region);
  statuses.push(state.status);
  reasons.push(...state.reasons);

  if (counted(before, type) === null || counted(after, type) === null) {
    statuses.push('partial');
    reasons.push(
      { code: 'count-missing', message: `the provider's own count of ${type} could not be had before and after` },
      ...before.reasons,
      ...after.reasons,
    );
  }
  const unsettled = doubt(context, type, run, before, after);
  if (unsettled !== null) {
    statuses.push('partial');
    reasons.push(unsettled);
    if (!context.paging.signal.aborted) await run.writer.finish('partial', [unsettled]);
  }
  return {
    ...emptyEntry(context, type),
    status: worst(statuses),
    held: held.count,
    count:
      count === null
        ? null
        : {
            count: count.count,
            source: 'AWS Config GetDiscoveredResourceCounts',
            citation: { file: count.file, pointer: count.pointer, encoding: 'json' },
          },
    freshness: { oldest: held.oldest, newest: held.newest },
    reasons: distinct(reasons),
    queries: [run.directory, before.directory, after.directory, ...recorders.queries].sort(),
  };
}

/** Where an account's global types are collected: the first region, `us-east-1` before others, whose recorder records them; else the first that could. */
export function homeRegion(
  regions: readonly { readonly region: string; readonly recorders: Recorders | null }[],
  types: readonly string[],
): string | null {
  const global = types.filter(isGlobal);
  if (global.length === 0) return null;
  const order = [...regions].sort(
    (a, b) => Number(b.region === 'us-east-1') - Number(a.region === 'us-east-1') || (a.region < b.region ? -1 : 1),
  );
  const quality = (one: (typeof order)[number]): number => {
    if (one.recorders === null) return 3;
    const states = global.map((type) => recorded(one.recorders ?? { recorders: [], unread: [] }, type, one.region).status);
    if (states.every((status) => status === 'complete')) return 0;
    return states.some((status) => status === 'not-recorded') ? 2 : 1;
  };
  return order.map((one) => ({ one, rank: quality(one) })).sort((a, b) => a.rank - b.rank)[0]?.one.region ?? null;
}
