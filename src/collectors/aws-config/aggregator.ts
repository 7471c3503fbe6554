import pLimit from 'p-limit';
import type { AwsScopeConfig } from '../../config/schema.ts';
import { isJsonObject, type LedgerEntry, type LedgerStatus, type Reason, type ScopeCoverage } from '../../model/index.ts';
import type { CollectContext } from '../collector.ts';
import type { Connection } from './client.ts';
import { instant, normalise, text } from './document.ts';
import { distinct, emptyEntry, worst } from './entries.ts';
import { type Counted, type GroupFold, groupFold, type Held, type ListFold, listFold, type RowFold, rowFold } from './folds.ts';
import { shapeOf } from './map.ts';
import { askAgain, page, type Paged, type PagedQuery, type PagingContext } from './paging.ts';
import { isGlobal, pageSize, queriesInFlight, selectExpression } from './queries.ts';
import { recorded, recordedRecorder, type RecorderState } from './recorders.ts';

export type AggregatorConfig = NonNullable<AwsScopeConfig['aggregator']>;

/** A source of the aggregator: one account in one region, and how its last update went. */
export interface Source {
  readonly account: string;
  readonly region: string;
  readonly status: Extract<LedgerStatus, 'complete' | 'failed' | 'stale' | 'partial'>;
  readonly reasons: Reason[];
}

export interface AggregatorContext {
  readonly name: string;
  /** Directory of its queries below the collector. */
  readonly directory: string;
  readonly identity: string;
  readonly endpoint: string;
  readonly paging: PagingContext;
}

export function aggregatorContext(
  collect: CollectContext,
  config: AggregatorConfig,
  connection: Connection,
  identity: string,
): AggregatorContext {
  const directory = `aggregator.${config.account}.${config.region}.${config.name}`;
  return {
    name: config.name,
    directory,
    identity,
    endpoint: connection.endpoint,
    paging: {
      writer: collect.writer,
      call: (operation, input, signal) => connection.call(operation, input, signal),
      signal: collect.signal,
      requeries: collect.patience.requeries,
      onPage: (query, items) => {
        collect.progress.page('aws-config', directory, query, items);
      },
    },
  };
}

function queryOf<F extends ListFold | GroupFold>(
  context: AggregatorContext,
  operation: PagedQuery<F>['operation'],
  input: PagedQuery<F>['input'],
  name: string,
  fold: () => F,
): PagedQuery<F> {
  return {
    operation,
    input,
    tokenField: 'NextToken',
    request: {
      scope: context.directory,
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

interface Sources {
  readonly sources: Source[];
  readonly status: LedgerStatus;
  /** Why the list is not whole; empty when it is. */
  readonly reasons: Reason[];
}

/**
 * The aggregator's own list of accounts and regions: the independent list of what there is. It is held against the accounts
 * that have resources counted; one that has, and is not listed, is taken up all the same, as a source nobody vouches for.
 */
export async function readSources(context: AggregatorContext): Promise<Sources> {
  const described = await page(
    context.paging,
    queryOf(
      context,
      'DescribeConfigurationAggregators',
      { ConfigurationAggregatorNames: [context.name] },
      'DescribeConfigurationAggregators',
      () => listFold('ConfigurationAggregators', (item) => text(item['ConfigurationAggregatorName'])),
    ),
  );
  const listing = queryOf(
    context,
    'DescribeConfigurationAggregatorSourcesStatus',
    { ConfigurationAggregatorName: context.name, Limit: pageSize },
    'DescribeConfigurationAggregatorSourcesStatus',
    () =>
      listFold('AggregatedSourceStatusList', (item) => {
        const id = text(item['SourceId']);
        return id === null ? null : `${id} ${text(item['AwsRegion']) ?? ''}`;
      }),
  );
  let listed = await page(context.paging, listing);
  const counted = await page(
    context.paging,
    queryOf(
      context,
      'GetAggregateDiscoveredResourceCounts',
      { ConfigurationAggregatorName: context.name, GroupByKey: 'ACCOUNT_ID', Limit: 1000 },
      'Counts.by-account',
      groupFold,
    ),
  );
  const unlisted = (): string[] => {
    const known = new Set(listed.fold.items.map((item) => text(item['SourceId'])));
    return counted.fold.groups().filter((account) => /^\d{12}$/.test(account) && !known.has(account));
  };
  for (let round = 0; round < context.paging.requeries && listed.status === 'complete' && unlisted().length > 0; round += 1) {
    listed = await askAgain(context.paging, listing, listed, unlistedReason(unlisted()));
  }

  const reasons: Reason[] = [...described.reasons, ...listed.reasons, ...counted.reasons];
  const sources: Source[] = [];
  for (const item of listed.fold.items) {
    const account = text(item['SourceId']) ?? '';
    const region = text(item['AwsRegion']);
    const state = sourceState(item);
    if (item['SourceType'] === 'ORGANIZATION' || region === null || !/^\d{12}$/.test(account)) {
      // The organisation as a whole: when its list of accounts could not be read, accounts may be missing here.
      if (state.status !== 'complete')
        reasons.push(
          ...state.reasons.map((reason) => ({
            code: 'organisation-source-failed',
            message: `the aggregator could not read the organisation ${account}: ${reason.message}`,
          })),
        );
    } else {
      sources.push({ account, region, ...state });
    }
  }
  if (listed.status === 'complete' && sources.length === 0)
    reasons.push({ code: 'no-sources', message: `the aggregator ${context.name} names no source account` });
  if (unlisted().length > 0) reasons.push(unlistedReason(unlisted()));
  for (const account of unlisted()) {
    const name = `Counts.by-region.${account}`;
    const regions = await page(
      context.paging,
      queryOf(
        context,
        'GetAggregateDiscoveredResourceCounts',
        { ConfigurationAggregatorName: context.name, Filters: { AccountId: account }, GroupByKey: 'AWS_REGION', Limit: 1000 },
        name,
        groupFold,
      ),
    );
    reasons.push(...regions.reasons);
    sources.push(
      ...regions.fold
        .groups()
        .filter((region) => region !== 'global')
        .map((region): Source => ({ account, region, status: 'partial', reasons: [unlistedReason([account])] })),
    );
  }
  return {
    sources,
    status: worst([described.status, listed.status, counted.status, reasons.length > 0 ? 'partial' : 'complete']),
    reasons: distinct(reasons),
  };
}

function unlistedReason(accounts: readonly string[]): Reason {
  return {
    code: 'unlisted-source',
    message: `resources are counted in ${accounts.slice(0, 5).join(', ')}${accounts.length > 5 ? ` and ${accounts.length - 5} more` : ''}, which the aggregator does not list as a source`,
  };
}

function sourceState(item: ListFold['items'][number]): Pick<Source, 'status' | 'reasons'> {
  const status = text(item['LastUpdateStatus']);
  const error = [text(item['LastErrorCode']), text(item['LastErrorMessage'])].filter((part) => part !== null).join(': ');
  const since = instant(item['LastUpdateTime']);
  const say = (code: string): Reason[] => [
    {
      code,
      message: `the aggregator's last update from this source is ${status ?? 'unknown'}${since === null ? '' : ` (${since})`}${error === '' ? '' : `: ${error}`}`,
    },
  ];
  if (status === 'SUCCEEDED') return { status: 'complete', reasons: [] };
  if (status === 'FAILED') return { status: 'failed', reasons: say('aggregator-source-failed') };
  if (status === 'OUTDATED') return { status: 'stale', reasons: say('aggregator-source-outdated') };
  return { status: 'partial', reasons: say('aggregator-source-unknown') };
}

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
      { code: 'count-unavailable', message: `the provider's own count of ${type} could not be had before and after` },
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

export function sourceCoverage(source: Source, identity: string | null): ScopeCoverage {
  return {
    collector: 'aws-config',
    provider: 'aws',
    account: source.account,
    region: source.region,
    name: null,
    knownFrom: ['aggregator sources'],
    status: source.status,
    identity,
    reasons: source.reasons,
  };
}
