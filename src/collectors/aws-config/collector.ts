import type { AwsScopeConfig } from '../../config/schema.ts';
import { isStorageError } from '../../evidence/lock.ts';
import type { LedgerEntry, LedgerStatus, Reason, ScopeCoverage } from '../../model/index.ts';
import type { CollectContext, CollectResult, Collector, PlannedScope } from '../collector.ts';
import {
  type AggregatorConfig,
  type AggregatorContext,
  aggregatorContext,
  readSources,
  type Source,
  sourceCoverage,
} from './aggregator-sources.ts';
import { collectAggregated, undirectedRules } from './aggregator.ts';
import type { Connection } from './client.ts';
import { doctor } from './doctor.ts';
import { distinct, emptyEntry, type RegionContext, worst } from './entries.ts';
import { readDocument, shapes } from './map.ts';
import { reasonOf, statusOf } from './outcome.ts';
import { aggregatorRegion, configQuota, directoryOf, directScopes, isGlobal, roleArn } from './queries.ts';
import { collectRegion, homeRegion, type Opening, openRegion, regionContext } from './region.ts';

type Planning = Pick<CollectContext, 'config' | 'needs'>;

const id = 'aws-config';

/** Clocks further apart than this put freshness and capture times in doubt. */
const clockToleranceMs = 5 * 60_000;

function ruleTypes({ needs }: Planning): string[] {
  return [...needs.awsConfigRules.map((rule) => `verdict:${rule}`), ...(needs.awsConfigRules.length > 0 ? ['conformance-packs'] : [])];
}

function plan(context: Planning): PlannedScope[] {
  const scopes = context.config.scopes.aws ?? [];
  const types = [...context.needs.types.aws, ...ruleTypes(context)];
  return [
    ...directScopes(scopes).map(({ account, region }) => ({ account, region, types, expands: false })),
    ...scopes.flatMap(({ aggregator }) =>
      aggregator === undefined ? [] : [{ account: aggregator.account, region: aggregatorRegion(aggregator.name), types, expands: true }],
    ),
  ];
}

/** What became known of an account and region before its resources were asked for. */
interface Opened {
  readonly account: string;
  readonly region: string;
  readonly connection: Connection | null;
  readonly context: RegionContext | null;
  readonly recorders: Opening['recorders'] | null;
  readonly counts: Opening['counts'];
  readonly status: LedgerStatus;
  readonly reasons: Reason[];
}

/** Runs a piece of work that may not take the others with it: an unexpected error becomes a named reason. */
async function guarded<T>(collect: CollectContext, work: () => Promise<T>, otherwise: (reason: Reason) => T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isStorageError(error, collect.writer.runDirectory)) throw error;
    if (collect.signal.aborted) return otherwise({ code: 'aborted', message: 'the run was stopped before this was collected' });
    return otherwise({ code: 'collector-failed', message: `unexpected: ${error instanceof Error ? error.message : String(error)}` });
  }
}

/**
 * Connects to regions of one account with one set of credentials, and reads who is asking, what is recorded, and how much there
 * is where `resources` are to be asked for. Units of work.
 */
async function openAccount(
  collect: CollectContext,
  account: string,
  regions: readonly string[],
  scope: AwsScopeConfig,
  resources: boolean,
): Promise<Opened[]> {
  const { connect, credentialProvider } = await import('./client.ts');
  const stsEndpoint = collect.endpoints.aws?.sts;
  const [first] = regions;
  if (first === undefined) return [];
  const credentials = credentialProvider({
    region: first,
    profile: scope.profile,
    roleArn: roleArn(scope.role, account, first),
    externalId: scope.externalId,
    stsEndpoint,
    patience: collect.patience,
  });
  return Promise.all(
    regions.map((region) =>
      collect.unit(() => {
        collect.progress.scope(id, directoryOf(account, region));
        const pacer = collect.pacers.of(`${id}/${account}/${region}`, configQuota);
        const connection = connect({
          region,
          configEndpoint: collect.endpoints.aws?.config,
          stsEndpoint,
          credentials,
          pacer,
          patience: collect.patience,
        });
        const closed = { account, region, connection, context: null, recorders: null, counts: null };
        return guarded(
          collect,
          async (): Promise<Opened> => {
            const caller = await identify(collect, account, connection);
            if ('reasons' in caller) return { ...closed, ...caller };
            const context = regionContext(collect, account, region, connection, caller.arn);
            return { account, region, connection, context, ...(await openRegion(context, resources)), status: 'complete', reasons: [] };
          },
          (reason): Opened => ({ ...closed, status: 'failed', reasons: [reason] }),
        );
      }),
    ),
  );
}

/** The caller, who must belong to the account that is asked about: rows of another account must never stand for it. */
async function identify(
  collect: CollectContext,
  account: string,
  connection: Connection,
): Promise<{ arn: string } | { status: LedgerStatus; reasons: Reason[] }> {
  const caller = await connection.identity(collect.signal);
  if (!caller.ok) return { status: statusOf(caller.failure.code), reasons: [reasonOf(caller.failure)] };
  if (caller.account === account) return { arn: caller.arn };
  return {
    status: 'failed',
    reasons: [
      {
        code: 'wrong-account',
        message: `the credentials belong to account ${caller.account} (${caller.arn}), not to ${account}; give a \`role\` to assume in ${account}`,
      },
    ],
  };
}

async function collectAccount(
  collect: CollectContext,
  account: string,
  regions: readonly string[],
  scope: AwsScopeConfig,
): Promise<CollectResult> {
  const types = collect.needs.types.aws;
  const opened = await openAccount(collect, account, regions, scope, types.length > 0);
  const home = homeRegion(opened, types);
  const results = await Promise.all(
    opened.map((one) =>
      collect.unit(async (): Promise<CollectResult> => {
        const here = types.filter((type) => !isGlobal(type) || one.region === home);
        const elsewhere = types
          .filter((type) => isGlobal(type) && one.region !== home)
          .map((type): LedgerEntry => ({
            ...emptyEntry(one, type),
            status: 'excluded',
            reasons: [
              { code: 'global-type-elsewhere', message: `${type} belongs to the whole account and is collected in ${home ?? 'no region'}` },
            ],
          }));
        const entries = await collectOpened(collect, one, here);
        const scopeCoverage = coverage(one, entries, ['configured']);
        one.connection?.close();
        collect.progress.done(id, directoryOf(account, one.region), scopeCoverage.status);
        return { scopes: [scopeCoverage], entries: [...entries, ...elsewhere] };
      }),
    ),
  );
  return merged(results);
}

/** The types and rules of an opened account and region; where it did not open, each is entered with the reason why. */
function collectOpened(collect: CollectContext, opened: Opened, types: readonly string[]): Promise<LedgerEntry[]> {
  const owed = [...types, ...ruleTypes(collect)];
  const failed = (reasons: Reason[], status: LedgerStatus): LedgerEntry[] =>
    owed.map((type) => ({ ...emptyEntry(opened, type), status, reasons }));
  const { context, recorders, counts } = opened;
  if (context === null || recorders === null) return Promise.resolve(failed(opened.reasons, opened.status));
  return guarded(
    collect,
    () => collectRegion(context, { types, rules: collect.needs.awsConfigRules, asOf: collect.asOf }, { recorders, counts }),
    (reason) => failed([reason], 'failed'),
  );
}

/** A scope is as whole as its entries; a rule that is not deployed there leaves the scope itself reached and read. */
function coverage(opened: Opened, entries: readonly LedgerEntry[], knownFrom: string[]): ScopeCoverage {
  const { account, region } = opened;
  const skewed = clockReasons(opened.connection);
  const unread = opened.context === null ? [] : (opened.recorders?.unread ?? []);
  const counting = entries.filter(
    (entry) => !(entry.type.startsWith('verdict:') && entry.status === 'not-recorded') && entry.status !== 'excluded',
  );
  const inner = worst(counting.map((entry) => entry.status));
  return {
    collector: id,
    provider: 'aws',
    account,
    region,
    name: null,
    knownFrom,
    status: opened.status !== 'complete' ? opened.status : inner === 'complete' && skewed.length > 0 ? 'partial' : inner,
    identity: opened.context?.identity ?? null,
    reasons: distinct([...opened.reasons, ...unread, ...skewed, ...(opened.status === 'complete' ? summary(counting) : [])]),
  };
}

function clockReasons(connection: Connection | null): Reason[] {
  const offset = connection?.clockOffset() ?? null;
  if (offset === null || Math.abs(offset) <= clockToleranceMs) return [];
  return [
    {
      code: 'clock-skew',
      message: `this machine's clock is ${Math.round(Math.abs(offset) / 1000)} s ${offset > 0 ? 'ahead of' : 'behind'} the provider's: times in the evidence are in doubt`,
    },
  ];
}

/** Each distinct cause once, with the types it touches. */
function summary(entries: readonly LedgerEntry[]): Reason[] {
  const byCode = new Map<string, Set<string>>();
  for (const entry of entries)
    for (const reason of entry.reasons) byCode.set(reason.code, (byCode.get(reason.code) ?? new Set()).add(entry.type));
  return [...byCode.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, types]) => ({
      code,
      message: `${types.size} of ${entries.length} types: ${[...types].sort().slice(0, 5).join(', ')}${types.size > 5 ? `, and ${types.size - 5} more` : ''}`,
    }));
}

function merged(results: readonly CollectResult[]): CollectResult {
  return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
}

/** Regions that are read directly, by account. */
type Direct = ReadonlyMap<string, ReadonlySet<string>>;

/** An organisation's aggregator: the independent list of accounts and regions, and the evidence of all that are not read directly. */
async function collectAggregator(
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
    pacer: collect.pacers.of(`${id}/${account}/${region}`, configQuota),
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
        collect.progress.scope(id, context.directory);
        return { context, ...(await readSources(context)) };
      },
      (reason): Listed => ({ context: null, sources: [], status: 'failed', reasons: [reason] }),
    ),
  );
  // The list itself is owed: where it is not whole, accounts may be missing that nothing else would show.
  const own = (status: LedgerStatus, reasons: Reason[]): CollectResult => ({
    scopes: [
      {
        collector: id,
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
  collect.progress.done(id, context.directory, worst(entries.map((entry) => entry.status)));
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

async function collect(context: CollectContext): Promise<CollectResult> {
  const scopes = context.config.scopes.aws ?? [];
  const byAccount = Map.groupBy(directScopes(scopes), ({ account }) => account);
  const direct: Direct = new Map([...byAccount].map(([account, of]) => [account, new Set(of.map(({ region }) => region))]));
  const accounts = [...byAccount].flatMap(([account, of]) => {
    // One account may be configured twice, with another role for other regions.
    const byScope = Map.groupBy(of, ({ scope }) => scope);
    return [...byScope].map(([scope, places]) =>
      collectAccount(
        context,
        account,
        places.map(({ region }) => region),
        scope,
      ),
    );
  });
  const aggregators = scopes.flatMap((scope) =>
    scope.aggregator === undefined ? [] : [collectAggregator(context, scope, scope.aggregator, direct)],
  );
  return merged(await Promise.all([...accounts, ...aggregators]));
}

/** AWS Config: resources, rule results and the population they are held against, by account and region. */
export const awsConfig: Collector = {
  id,
  provider: 'aws',
  plan,
  collect,
  // A dozen regions at their quotas keep a processor busy; more would only make each other's answers wait.
  unitsInFlight: 12,
  load: () => import('./client.ts'),
  doctor,
  shapes,
  readDocument,
};
