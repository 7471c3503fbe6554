import pLimit from 'p-limit';
import { isJsonObject, type LedgerEntry, type LedgerStatus, type Reason } from '../../model/index.ts';
import { type AggregatorContext, queryOf, type Source } from './aggregator-sources.ts';
import { normalise, text } from './document.ts';
import { distinct, emptyEntry, worst } from './entries.ts';
import { type Counted, type GroupFold, groupFold, type Held, type RowFold, rowFold } from './folds.ts';
import { shapeOf } from './map.ts';
import { askAgain, page, type Paged, type PagedQuery } from './paging.ts';
import { isGlobal, pageSize, queriesInFlight, selectExpression } from './queries.ts';
import { recorded, recordedRecorder, type RecorderState } from './recorders.ts';

/** Where an aggregated type's entries lie: each source, or, for a global type, each account as a whole. */
function placesOf(type: string, sources: readonly Source[]): { account: string; region: string }[] {
  if (!isGlobal(type)) return sources.map(({ account, region }) => ({ account, region }));
  return [...new Set(sources.map((source) => source.account))].map((account) => ({ account, region: 'global' }));
}

const recorderType = 'AWS::Config::ConfigurationRecorder';
const placeKey = (place: { account: string; region: string }): string => `${place.account}/${place.region}`;

function selectQuery(context: AggregatorContext, type: string, without: readonly string[]): PagedQuery<RowFold> {
  const expression = selectExpression(type, without);
  return {
    operation: 'SelectAggregateResourceConfig',
    input: { ConfigurationAggregatorName: context.name, Expression: expression, Limit: pageSize },
    tokenField: 'NextToken',
    request: {
      scope: context.directory,
      name: type.replaceAll('::', '.'),
      shape: shapeOf('SelectAggregateResourceConfig'),
      text: expression,
      endpoint: context.endpoint,
      identity: context.identity,
      types: [type],
    },
    fold: () => rowFold({ type, keep: type === recorderType, copies: isGlobal(type) }),
  };
}

/** Counts of one type by account, region by region; a global type's over all regions at once. */
type TypeCounts = ReadonlyMap<string, Paged<GroupFold>>;

async function countType(context: AggregatorContext, type: string, regions: readonly string[], round: string): Promise<TypeCounts> {
  const counts = new Map<string, Paged<GroupFold>>();
  for (const region of isGlobal(type) ? ['global'] : regions) {
    const filters = region === 'global' ? { ResourceType: type } : { ResourceType: type, Region: region };
    const input = { ConfigurationAggregatorName: context.name, Filters: filters, GroupByKey: 'ACCOUNT_ID', Limit: 1000 };
    counts.set(
      region,
      await page(
        context.paging,
        queryOf(
          context,
          'GetAggregateDiscoveredResourceCounts',
          input,
          `Counts.${type.replaceAll('::', '.')}.${region}.${round}`,
          groupFold,
        ),
      ),
    );
  }
  return counts;
}

function counted(counts: TypeCounts, place: { account: string; region: string }): Counted | null {
  const of = counts.get(place.region);
  return of?.status === 'complete' ? of.fold.of(place.account) : null;
}

interface TypeRun {
  readonly rows: Paged<RowFold>;
  readonly before: TypeCounts;
  readonly after: TypeCounts;
}

function doubt(type: string, run: TypeRun, place: { account: string; region: string }): Reason | null {
  if (run.rows.status !== 'complete') return null;
  const held = run.rows.fold.held().get(placeKey(place))?.rows ?? 0;
  const first = counted(run.before, place);
  const last = counted(run.after, place);
  if (last !== null && last.count !== held) {
    return {
      code: 'count-mismatch',
      message: `${held} rows of ${type} are held for ${placeKey(place)}, the provider counts ${last.count}`,
      citation: { file: last.file, pointer: last.pointer, encoding: 'json' },
    };
  }
  if (first !== null && last !== null && first.count !== last.count)
    return {
      code: 'count-changed',
      message: `the provider's count of ${type} changed from ${first.count} to ${last.count} while it was collected`,
    };
  return null;
}

async function collectType(
  context: AggregatorContext,
  type: string,
  sources: readonly Source[],
  without: readonly string[],
): Promise<TypeRun> {
  const regions = [...new Set(sources.map((source) => source.region))].sort();
  const query = selectQuery(context, type, without);
  let before = await countType(context, type, regions, 'before');
  let rows = await page(context.paging, query);
  let after = await countType(context, type, regions, 'after');
  for (let round = 1; round <= context.paging.requeries && !context.paging.signal.aborted; round += 1) {
    const run = { rows, before, after };
    const reason = placesOf(type, sources)
      .map((place) => doubt(type, run, place))
      .find((one) => one !== null);
    if (reason === undefined || reason === null) break;
    rows = await askAgain(context.paging, query, rows, reason);
    before = after;
    after = await countType(context, type, regions, `after-${round + 1}`);
  }
  return { rows, before, after };
}

/** What is known of the recorders of the sources: read in the account itself, or from the aggregator's own items. */
export type SourceRecorders = ReadonlyMap<string, RecorderState>;

async function aggregatedRecorders(
  context: AggregatorContext,
  sources: readonly Source[],
  without: readonly string[],
): Promise<SourceRecorders> {
  const rows = await page(context.paging, selectQuery(context, recorderType, without));
  const states = new Map<string, RecorderState>();
  for (const source of sources) {
    const recorders = rows.fold.kept.flatMap(({ item }) => {
      if (text(item['accountId']) !== source.account || text(item['awsRegion']) !== source.region) return [];
      const { configuration } = normalise(item);
      return isJsonObject(configuration) ? [recordedRecorder(configuration)] : [];
    });
    const unread: Reason[] =
      recorders.length > 0
        ? []
        : [
            ...rows.reasons,
            {
              code: 'recorder-unknown',
              message: `the aggregator holds no ${recorderType} of this source; give \`role\` so that its recorder can be read directly`,
            },
          ];
    states.set(placeKey(source), { recorders, unread });
  }
  return states;
}

function recordedAt(
  type: string,
  place: { account: string; region: string },
  sources: readonly Source[],
  recorders: SourceRecorders,
): ReturnType<typeof recorded> {
  const states = (place.region === 'global' ? sources.filter((source) => source.account === place.account) : [place]).map(
    ({ account, region }) =>
      recorded(
        recorders.get(`${account}/${region}`) ?? {
          recorders: [],
          unread: [{ code: 'recorder-unknown', message: 'the recorder of this source was not read' }],
        },
        type,
        region,
      ),
  );
  // A global type is recorded as soon as one region records it.
  return (
    states.find((state) => state.status === 'complete') ??
    states.find((state) => state.status !== 'not-recorded') ??
    states[0] ?? { status: 'partial', reasons: [] }
  );
}

function typeEntry(
  type: string,
  place: { account: string; region: string },
  run: TypeRun,
  sources: readonly Source[],
  recorders: SourceRecorders,
): LedgerEntry {
  const held: Held = run.rows.fold.held().get(placeKey(place)) ?? { count: 0, rows: 0, oldest: null, newest: null };
  const count = counted(run.after, place) ?? counted(run.before, place);
  const state = recordedAt(type, place, sources, recorders);
  const own = sources.filter((source) => source.account === place.account && (place.region === 'global' || source.region === place.region));
  const sourceStatus = own.length === 0 ? 'partial' : worst(own.map((source) => source.status));
  const statuses: LedgerStatus[] = [run.rows.status, state.status, sourceStatus];
  const reasons: Reason[] = [...run.rows.reasons, ...state.reasons, ...own.flatMap((source) => source.reasons)];
  if (own.length === 0)
    reasons.push({ code: 'unlisted-source', message: `rows came from ${placeKey(place)}, which the aggregator does not list as a source` });
  const counts = [...run.before.values(), ...run.after.values()];
  if (counted(run.before, place) === null || counted(run.after, place) === null) {
    statuses.push('partial');
    reasons.push(
      { code: 'count-missing', message: `the provider's own count of ${type} could not be had before and after` },
      ...counts.flatMap((one) => one.reasons),
    );
  }
  const unsettled = doubt(type, run, place);
  if (unsettled !== null) {
    statuses.push('partial');
    reasons.push(unsettled);
  }
  // Copies of a global resource are counted once each by the provider and held once here: the population is of resources.
  const copies = held.rows - held.count;
  return {
    ...emptyEntry(place, type),
    status: worst(statuses),
    held: held.count,
    count:
      count === null
        ? null
        : {
            count: count.count - copies,
            source: 'AWS Config GetAggregateDiscoveredResourceCounts',
            citation: { file: count.file, pointer: count.pointer, encoding: 'json' },
          },
    freshness: { oldest: held.oldest, newest: held.newest },
    reasons: distinct(reasons),
    queries: [run.rows.directory, ...counts.filter((one) => one.fold.of(place.account) !== null).map((one) => one.directory)].sort(),
  };
}

/** The resources of all sources but those of `without`, type by type. */
export async function collectAggregated(
  context: AggregatorContext,
  types: readonly string[],
  sources: readonly Source[],
  without: readonly string[],
  direct: SourceRecorders | null,
): Promise<LedgerEntry[]> {
  if (sources.length === 0 || types.length === 0) return [];
  const recorders = direct ?? (await aggregatedRecorders(context, sources, without));
  const limit = pLimit(queriesInFlight);
  const entries = await Promise.all(
    types.map((type) =>
      limit(async () => {
        const run = await collectType(context, type, sources, without);
        const places = new Map([...placesOf(type, sources).map((place) => [placeKey(place), place] as const)]);
        for (const key of run.rows.fold.held().keys()) {
          const [account = '', region = ''] = key.split('/');
          if (!places.has(key)) places.set(key, { account, region });
        }
        const found = [...places.values()].map((place) => typeEntry(type, place, run, sources, recorders));
        const unsettled = [...places.values()].map((place) => doubt(type, run, place)).find((reason) => reason !== null);
        if (unsettled !== undefined && unsettled !== null && !context.paging.signal.aborted)
          await run.rows.writer.finish('partial', [unsettled]);
        return found;
      }),
    ),
  );
  return entries.flat();
}

/** Rule results of a source need its own region's API: an aggregator names rules, not the managed rule behind them. */
export function undirectedRules(sources: readonly Source[], rules: readonly string[]): LedgerEntry[] {
  const reason: Reason = {
    code: 'rules-need-a-role',
    message: 'an aggregator does not tell which managed rule a deployed rule is; give `role` so that rules can be read in each account',
  };
  return sources.flatMap((source) =>
    rules.map((rule) => ({ ...emptyEntry(source, `verdict:${rule}`), status: 'not-recorded' as const, reasons: [reason] })),
  );
}
