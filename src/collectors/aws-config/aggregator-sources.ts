import type { AwsScopeConfig } from '../../config/schema.ts';
import type { LedgerStatus, Reason, ScopeCoverage } from '../../model/index.ts';
import type { CollectContext } from '../collector.ts';
import type { Connection } from './client.ts';
import { instant, text } from './document.ts';
import { distinct, worst } from './entries.ts';
import { type GroupFold, groupFold, type ListFold, listFold } from './folds.ts';
import { shapeOf } from './map.ts';
import { askAgain, page, type PagedQuery, type PagingContext } from './paging.ts';
import { pageSize } from './queries.ts';

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

export function queryOf<F extends ListFold | GroupFold>(
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
