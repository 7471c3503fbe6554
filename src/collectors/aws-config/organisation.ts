import type { AwsScopeConfig } from '../../config/schema.ts';
import type { LedgerStatus, Reason, ScopeCoverage } from '../../model/index.ts';
import type { CollectContext, CollectResult } from '../collector.ts';
import { collectOpened, collectorId, coverage, guarded, identify, openAccount, type Opened, ruleTypes } from './account.ts';
import {
  type AggregatorConfig,
  type AggregatorContext,
  aggregatorContext,
  readSources,
  type Source,
  sourceCoverage,
} from './aggregator-sources.ts';
import { collectAggregated, undirectedRules } from './aggregator.ts';
import { emptyEntry, worst } from './entries.ts';
import { aggregatorRegion, configQuota, roleArn } from './queries.ts';
import type { Opening } from './region.ts';

export function merged(results: readonly CollectResult[]): CollectResult {
  return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
}

/** Regions that are read directly, by account. */
export type Direct = ReadonlyMap<string, ReadonlySet<string>>;

/** An organisation's aggregator: the independent list of accounts and regions, and the evidence of all that are not read directly. */
export async function collectAggregator(
  collect: CollectContext,
  scope: AwsScopeConfig,
  aggregator: AggregatorConfig,
  direct: Direct,
): Promise<CollectResult> {
  const { connect, credentialProvider } = await import('./client.ts');
  const { account, region } = aggregator;
  const stsEndpoint = collect.endpoints.aws?.sts;
  const at = { account, region: aggregatorRegion(aggregator.name) };
  const role = roleArn(aggregator.role ?? scope.role, account, region);
  const credentials = credentialProvider({
    region,
    profile: scope.profile,
    roleArn: role,
    externalId: scope.externalId,
    stsEndpoint,
    patience: collect.patience,
  });
  const connection = connect({
    region,
    configEndpoint: collect.endpoints.aws?.config,
    stsEndpoint,
    credentials,
    pacer: collect.pacers.of(`${collectorId}/${account}/${region}`, configQuota),
    patience: collect.patience,
  });

  interface Listed {
    readonly context: AggregatorContext | null;
    readonly sources: Source[];
    readonly status: LedgerStatus;
    readonly reasons: Reason[];
  }
  const listed = await collect.unit(() =>
    guarded(
      collect,
      async (): Promise<Listed> => {
        const caller = await identify(collect, account, connection);
        if ('reasons' in caller) return { context: null, sources: [], ...caller };
        const context = aggregatorContext(collect, aggregator, connection, caller.arn);
        collect.progress.scope(collectorId, context.directory);
        return { context, ...(await readSources(context)) };
      },
      (reason): Listed => ({ context: null, sources: [], status: 'failed', reasons: [reason] }),
    ),
  );
  // The list itself is owed: where it is not whole, accounts may be missing that nothing else would show.
  const own = (status: LedgerStatus, reasons: Reason[]): CollectResult => ({
    scopes: [
      {
        collector: collectorId,
        provider: 'aws',
        ...at,
        name: aggregator.name,
        knownFrom: ['configured'],
        status,
        identity: listed.context?.identity ?? null,
        reasons,
      },
    ],
    entries: [...collect.needs.types.aws, ...ruleTypes(collect)].map((type) => ({ ...emptyEntry(at, type), status, reasons })),
  });
  const whole = listed.status === 'complete' ? { scopes: [], entries: [] } : own(listed.status, listed.reasons);
  const { context } = listed;
  if (context === null) return whole;

  const rest = listed.sources.filter((source) => !direct.has(source.account));
  const known = listed.sources
    .filter((source) => direct.has(source.account))
    .map((source): ScopeCoverage => {
      const configured = direct.get(source.account)?.has(source.region) === true;
      const skipped: Reason = {
        code: 'region-not-selected',
        message: 'the aggregator lists this region of the account, the configuration does not',
      };
      return { ...sourceCoverage(source, null), status: configured ? 'complete' : 'excluded', reasons: configured ? [] : [skipped] };
    });
  const sourceRole = scope.role ?? (aggregator.role?.includes('{account}') === true ? aggregator.role : undefined);
  const openedSources = sourceRole === undefined ? null : await openSources(collect, rest, { ...scope, role: sourceRole });
  const withoutAccounts = [...direct.keys()].sort();
  const ofTypes = await collect.unit(() =>
    guarded(
      collect,
      () =>
        collectAggregated(
          context,
          collect.needs.types.aws,
          rest,
          withoutAccounts,
          openedSources === null ? null : recordersOf(openedSources),
        ),
      (reason) =>
        rest.flatMap((source) =>
          collect.needs.types.aws.map((type) => ({ ...emptyEntry(source, type), status: 'failed' as const, reasons: [reason] })),
        ),
    ),
  );
  const ofRules =
    openedSources === null
      ? undirectedRules(rest, collect.needs.awsConfigRules)
      : (await Promise.all(openedSources.map((one) => collect.unit(() => collectOpened(collect, one, []))))).flat();
  const entries = [...ofTypes, ...ofRules];
  const scopes = rest.map((source): ScopeCoverage => {
    const opened = openedSources?.find((one) => one.account === source.account && one.region === source.region);
    const base: Opened = opened ?? {
      ...source,
      connection,
      context: null,
      recorders: null,
      counts: null,
      status: 'complete',
      reasons: [],
    };
    const inner = coverage(
      { ...base, status: source.status === 'complete' ? base.status : source.status, reasons: [...source.reasons, ...base.reasons] },
      entries.filter((entry) => entry.account === source.account && entry.region === source.region),
      ['aggregator sources'],
    );
    return { ...inner, identity: inner.identity ?? context.identity };
  });
  const listedKeys = new Set(listed.sources.map((source) => `${source.account}/${source.region}`));
  const unlisted = [
    ...new Map(
      ofTypes
        .filter((entry) => entry.region !== 'global' && !listedKeys.has(`${entry.account}/${entry.region}`))
        .map((entry) => [`${entry.account}/${entry.region}`, entry]),
    ).values(),
  ].map((entry): ScopeCoverage => ({
    ...sourceCoverage({ account: entry.account, region: entry.region, status: 'partial', reasons: entry.reasons }, context.identity),
    knownFrom: ['rows'],
  }));
  for (const one of openedSources ?? []) one.connection?.close();
  connection.close();
  collect.progress.done(collectorId, context.directory, worst(entries.map((entry) => entry.status)));
  return merged([whole, { scopes: [...known, ...scopes, ...unlisted], entries }]);
}

async function openSources(collect: CollectContext, sources: readonly Source[], scope: AwsScopeConfig): Promise<Opened[]> {
  const byAccount = Map.groupBy(sources, (source) => source.account);
  return (
    await Promise.all(
      [...byAccount].map(([account, of]) =>
        openAccount(
          collect,
          account,
          of.map((source) => source.region),
          scope,
          // The aggregator has them.
          false,
        ),
      ),
    )
  ).flat();
}

function recordersOf(opened: readonly Opened[]): Map<string, Opening['recorders']> {
  return new Map(
    opened.map((one) => [`${one.account}/${one.region}`, one.recorders ?? { recorders: [], unread: one.reasons, queries: [] }]),
  );
}
