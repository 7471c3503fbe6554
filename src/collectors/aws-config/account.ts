import type { AwsScopeConfig } from '../../config/schema.ts';
import { isStorageError } from '../../evidence/lock.ts';
import type { LedgerEntry, LedgerStatus, Reason, ScopeCoverage } from '../../model/index.ts';
import type { CollectContext } from '../collector.ts';
import type { Connection } from './client.ts';
import { distinct, emptyEntry, type RegionContext, worst } from './entries.ts';
import { reasonOf, statusOf } from './outcome.ts';
import { configQuota, directoryOf, roleArn } from './queries.ts';
import { collectRegion, type Opening, openRegion, regionContext } from './region.ts';

export const collectorId = 'aws-config';

/** Clocks further apart than this put freshness and capture times in doubt. */
const clockToleranceMs = 5 * 60_000;

/** Ledger types that the needed rules owe in every account and region. */
export function ruleTypes({ needs }: Pick<CollectContext, 'needs'>): string[] {
  return [...needs.awsConfigRules.map((rule) => `verdict:${rule}`), ...(needs.awsConfigRules.length > 0 ? ['conformance-packs'] : [])];
}

/** What became known of an account and region before its resources were asked for. */
export interface Opened {
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
export async function guarded<T>(collect: CollectContext, work: () => Promise<T>, otherwise: (reason: Reason) => T): Promise<T> {
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
export async function openAccount(
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
        collect.progress.scope(collectorId, directoryOf(account, region));
        const pacer = collect.pacers.of(`${collectorId}/${account}/${region}`, configQuota);
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
export async function identify(
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

/** The types and rules of an opened account and region; where it did not open, each is entered with the reason why. */
export function collectOpened(collect: CollectContext, opened: Opened, types: readonly string[]): Promise<LedgerEntry[]> {
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
export function coverage(opened: Opened, entries: readonly LedgerEntry[], knownFrom: string[]): ScopeCoverage {
  const { account, region } = opened;
  const skewed = clockReasons(opened.connection);
  const unread = opened.context === null ? [] : (opened.recorders?.unread ?? []);
  const counting = entries.filter(
    (entry) => !(entry.type.startsWith('verdict:') && entry.status === 'not-recorded') && entry.status !== 'excluded',
  );
  const inner = worst(counting.map((entry) => entry.status));
  return {
    collector: collectorId,
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
