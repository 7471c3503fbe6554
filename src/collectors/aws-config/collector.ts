import type { LedgerEntry, Reason, ScopeCoverage } from '../../model/index.ts';
import { isStorageError } from '../../evidence/lock.ts';
import type { AwsScopeConfig } from '../../config/schema.ts';
import type { CollectContext, CollectResult, Collector, PlannedScope } from '../collector.ts';
import type { Connection } from './client.ts';
import { readDocument, shapes } from './map.ts';
import { reasonOf, statusOf } from './outcome.ts';
import { configQuota, directoryOf, directScopes, isGlobal, roleArn } from './queries.ts';
import { distinct, emptyEntry, type RegionContext, worst } from './entries.ts';
import { collectRegion, homeRegion, readRecorders, type Recorders, regionContext } from './region.ts';

type Planning = Pick<CollectContext, 'config' | 'needs'>;

const id = 'aws-config';

/** Clocks further apart than this put freshness and capture times in doubt. */
const clockToleranceMs = 5 * 60_000;

function neededTypes({ needs }: Planning): string[] {
  return [...needs.types.aws, ...needs.awsConfigRules.map((rule) => `verdict:${rule}`), ...(needs.awsConfigRules.length > 0 ? ['conformance-packs'] : [])];
}

function plan(context: Planning): PlannedScope[] {
  const scopes = context.config.scopes.aws ?? [];
  const types = neededTypes(context);
  return [
    ...directScopes(scopes).map(({ account, region }) => ({ account, region, types, expands: false })),
    ...scopes.flatMap(({ aggregator }) => (aggregator === undefined ? [] : [{ account: aggregator.account, region: aggregator.region, types, expands: true }])),
  ];
}

/** What became known of an account and region before its resources were asked for. */
interface Opened {
  readonly account: string;
  readonly region: string;
  readonly connection: Connection | null;
  readonly context: RegionContext | null;
  readonly recorders: Recorders | null;
  readonly status: ScopeCoverage['status'];
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

async function open(collect: CollectContext, account: string, region: string, connection: Connection): Promise<Opened> {
  const at = { account, region, connection };
  const caller = await connection.identity(collect.signal);
  if (!caller.ok) return { ...at, context: null, recorders: null, status: statusOf(caller.failure.code), reasons: [reasonOf(caller.failure)] };
  if (caller.account !== account) {
    const message = `the credentials belong to account ${caller.account} (${caller.arn}), not to ${account}; give a \`role\` to assume in ${account}`;
    return { ...at, context: null, recorders: null, status: 'failed', reasons: [{ code: 'wrong-account', message }] };
  }
  const context = regionContext(collect, account, region, connection, caller.arn);
  return { ...at, context, recorders: await readRecorders(context), status: 'complete', reasons: [] };
}

async function collectAccount(collect: CollectContext, account: string, regions: readonly { region: string; scope: AwsScopeConfig }[]): Promise<CollectResult> {
  const { connect, credentialProvider } = await import('./client.ts');
  const types = neededTypes(collect);
  const first = regions[0];
  if (first === undefined) return { scopes: [], entries: [] };
  const stsEndpoint = collect.endpoints.aws?.sts;
  const credentials = credentialProvider({
    region: first.region,
    profile: first.scope.profile,
    roleArn: roleArn(first.scope.role, account, first.region),
    externalId: first.scope.externalId,
    stsEndpoint,
    patience: collect.patience,
  });

  const opened = await Promise.all(
    regions.map(({ region }) =>
      collect.unit(() => {
        collect.progress.scope(id, directoryOf(account, region));
        const pacer = collect.pacers.of(`${id}/${account}/${region}`, configQuota);
        const connection = connect({ region, configEndpoint: collect.endpoints.aws?.config, stsEndpoint, credentials, pacer, patience: collect.patience });
        return guarded(
          collect,
          () => open(collect, account, region, connection),
          (reason): Opened => ({ account, region, connection, context: null, recorders: null, status: 'failed', reasons: [reason] }),
        );
      }),
    ),
  );
  const home = homeRegion(opened, collect.needs.types.aws);

  const results = await Promise.all(
    opened.map((one) =>
      collect.unit(async (): Promise<CollectResult> => {
        const { region, context, recorders } = one;
        const here = collect.needs.types.aws.filter((type) => !isGlobal(type) || region === home);
        const elsewhere = collect.needs.types.aws.filter((type) => isGlobal(type) && region !== home).map((type): LedgerEntry => ({
          ...emptyEntry(one, type),
          status: 'excluded',
          reasons: [{ code: 'global-type-elsewhere', message: `${type} belongs to the whole account and is collected in ${home ?? 'no region'}` }],
        }));
        const failed = (reasons: Reason[], status: LedgerEntry['status']): LedgerEntry[] =>
          types.filter((type) => !isGlobal(type) || region === home).map((type) => ({ ...emptyEntry(one, type), status, reasons }));
        const entries =
          context === null || recorders === null
            ? failed(one.reasons, one.status)
            : await guarded(
                collect,
                () => collectRegion(context, { types: here, rules: collect.needs.awsConfigRules }, recorders),
                (reason) => failed([reason], 'failed'),
              );
        const scope = coverage(one, entries);
        one.connection?.close();
        collect.progress.done(id, directoryOf(account, region), scope.status);
        return { scopes: [scope], entries: [...entries, ...elsewhere] };
      }),
    ),
  );
  return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
}

/** A scope is as whole as its entries; what is simply not recorded or not deployed there leaves the scope itself reached and read. */
function coverage(opened: Opened, entries: readonly LedgerEntry[]): ScopeCoverage {
  const { account, region } = opened;
  const offset = opened.connection?.clockOffset() ?? null;
  const skewed: Reason[] =
    offset !== null && Math.abs(offset) > clockToleranceMs
      ? [{ code: 'clock-skew', message: `this machine's clock is ${Math.round(Math.abs(offset) / 1000)} s ${offset > 0 ? 'ahead of' : 'behind'} the provider's: times in the evidence are in doubt` }]
      : [];
  const unread = opened.context === null ? [] : (opened.recorders?.unread ?? []);
  const inner = worst(entries.map((entry) => entry.status));
  const status = opened.status !== 'complete' ? opened.status : inner === 'complete' && skewed.length > 0 ? 'partial' : inner;
  return {
    collector: id,
    provider: 'aws',
    account,
    region,
    name: null,
    knownFrom: ['configured'],
    status,
    identity: opened.context?.identity ?? null,
    reasons: distinct([...opened.reasons, ...unread, ...skewed, ...(inner === 'complete' ? [] : summary(entries))]),
  };
}

/** Each distinct cause once, with how many types it touches. */
function summary(entries: readonly LedgerEntry[]): Reason[] {
  const byCode = new Map<string, Set<string>>();
  for (const entry of entries) {
    if (entry.status === 'complete' || entry.status === 'excluded') continue;
    for (const reason of entry.reasons) byCode.set(reason.code, (byCode.get(reason.code) ?? new Set()).add(entry.type));
  }
  return [...byCode.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([code, types]) => ({ code, message: `${types.size} of ${entries.length} types: ${[...types].sort().slice(0, 5).join(', ')}${types.size > 5 ? `, and ${types.size - 5} more` : ''}` }));
}

async function collect(context: CollectContext): Promise<CollectResult> {
  const byAccount = new Map<string, { region: string; scope: AwsScopeConfig }[]>();
  for (const { account, region, scope } of directScopes(context.config.scopes.aws ?? [])) {
    byAccount.set(account, [...(byAccount.get(account) ?? []), { region, scope }]);
  }
  const results = await Promise.all([...byAccount.entries()].map(([account, regions]) => collectAccount(context, account, regions)));
  return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
}

/** AWS Config: resources, rule results and the population they are held against, by account and region. */
export const awsConfig: Collector = {
  id,
  provider: 'aws',
  plan,
  collect,
  doctor: () => Promise.resolve([]),
  shapes,
  readDocument,
};
