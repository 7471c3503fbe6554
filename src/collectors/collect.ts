import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { ExhibitConfig } from '../config/schema.ts';
import { isStorageError, lockRun } from '../evidence/lock.ts';
import { evidenceWriter } from '../evidence/writer.ts';
import {
  compareText,
  type Ledger,
  type LedgerEntry,
  ledgerSchema,
  type LedgerStatus,
  type Needs,
  type Reason,
  type ScopeCoverage,
} from '../model/index.ts';
import type { CollectContext, Collector, CollectProgress, CollectResult, DoctorFinding, PlannedScope } from './collector.ts';
import { defaultPatience, type Pacers, pacers, type Patience } from './rate.ts';

/** Units that a collector works on at once, where it does not say. Each has its own limit: none waits for another's quota. */
const unitsInFlight = 24;

export interface CollectRequest {
  readonly runDirectory: string;
  readonly runId: string;
  /** RFC 3339. A resumed run keeps the instant of the run it goes on with: see the returned ledger. */
  readonly asOf: string;
  readonly config: Pick<ExhibitConfig, 'scopes' | 'endpoints'>;
  readonly needs: Needs;
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly progress: CollectProgress;
  readonly tool: { readonly name: string; readonly version: string };
  /** Default: the registry's. */
  readonly collectors?: readonly Collector[];
  /** Default: `defaultPatience`. */
  readonly patience?: Partial<Patience>;
  /** Default: new ones on the system's clock. */
  readonly pacers?: Pacers;
}

/** From best to worst: where two sources speak of one scope and type, the worse word stands. */
const severity: Readonly<Record<LedgerStatus, number>> = {
  complete: 0,
  excluded: 1,
  'not-recorded': 2,
  stale: 3,
  partial: 4,
  denied: 5,
  failed: 6,
};

/** Collectors whose provider is configured: the others have nothing to do and say nothing. */
function active(collectors: readonly Collector[], config: CollectRequest['config']): Collector[] {
  return collectors.filter((collector) => (config.scopes[collector.provider]?.length ?? 0) > 0);
}

function failedResult(collector: Collector, planned: readonly PlannedScope[], reason: Reason): CollectResult {
  return {
    scopes: planned.map((scope) => coverage(collector, scope, reason)),
    entries: planned.flatMap((scope) => scope.types.map((type) => failedEntry(collector, scope, type, reason))),
  };
}

function coverage(collector: Collector, scope: PlannedScope, reason: Reason): ScopeCoverage {
  const { account, region } = scope;
  return {
    collector: collector.id,
    provider: collector.provider,
    account,
    region,
    name: null,
    knownFrom: ['configured'],
    status: 'failed',
    identity: null,
    reasons: [reason],
  };
}

function failedEntry(collector: Collector, scope: PlannedScope, type: string, reason: Reason): LedgerEntry {
  const { account, region } = scope;
  return {
    collector: collector.id,
    provider: collector.provider,
    account,
    region,
    type,
    status: 'failed',
    held: 0,
    count: null,
    freshness: { oldest: null, newest: null },
    reasons: [reason],
    queries: [],
  };
}

/** Adds a failed entry for whatever the plan owes and the collector did not deliver: nothing disappears. */
function settle(collector: Collector, planned: readonly PlannedScope[], result: CollectResult): CollectResult {
  const reason: Reason = { code: 'not-collected', message: `${collector.id} ended without an answer for this scope and type` };
  const scopeKey = (scope: { account: string; region: string }): string => JSON.stringify([scope.account, scope.region]);
  const entryKey = (entry: { account: string; region: string; type: string }): string =>
    JSON.stringify([entry.account, entry.region, entry.type]);
  const owed = planned.filter((scope) => !scope.expands || result.entries.length + result.scopes.length === 0);
  const scopes = new Set(result.scopes.map(scopeKey));
  const entries = new Set(result.entries.map(entryKey));
  return {
    scopes: [...result.scopes, ...owed.filter((scope) => !scopes.has(scopeKey(scope))).map((scope) => coverage(collector, scope, reason))],
    entries: [
      ...result.entries,
      ...owed.flatMap((scope) =>
        scope.types.filter((type) => !entries.has(entryKey({ ...scope, type }))).map((type) => failedEntry(collector, scope, type, reason)),
      ),
    ],
  };
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort(compareText);
}

function mergeReasons(a: readonly Reason[], b: readonly Reason[]): Reason[] {
  const byText = new Map([...a, ...b].map((reason) => [JSON.stringify([reason.code, reason.message, reason.citation ?? null]), reason]));
  return [...byText.values()];
}

/** Two configured ways can lead to one scope (an account that is read directly and through an aggregator). */
function mergeEntries(a: LedgerEntry, b: LedgerEntry): LedgerEntry {
  const [worse, better] = severity[a.status] >= severity[b.status] ? [a, b] : [b, a];
  return {
    ...worse,
    count: worse.count ?? better.count,
    held: Math.max(a.held, b.held),
    reasons: mergeReasons(worse.reasons, better.reasons),
    queries: union(a.queries, b.queries),
  };
}

function mergeScopes(a: ScopeCoverage, b: ScopeCoverage): ScopeCoverage {
  const [worse, better] = severity[a.status] >= severity[b.status] ? [a, b] : [b, a];
  return {
    ...worse,
    name: worse.name ?? better.name,
    identity: worse.identity ?? better.identity,
    knownFrom: union(a.knownFrom, b.knownFrom),
    reasons: mergeReasons(worse.reasons, better.reasons),
  };
}

function sortedUnique<T>(items: readonly T[], key: (item: T) => string, merge: (a: T, b: T) => T): T[] {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const known = byKey.get(key(item));
    byKey.set(key(item), known === undefined ? item : merge(known, item));
  }
  return [...byKey.entries()].sort(([a], [b]) => compareText(a, b)).map(([, item]) => item);
}

/** Order and duplicates of a ledger settled: the same evidence gives the same file. */
export function orderLedger(results: readonly CollectResult[]): { scopes: ScopeCoverage[]; entries: LedgerEntry[] } {
  const scopes = sortedUnique(
    results.flatMap((result) => result.scopes),
    (one) => [one.provider, one.collector, one.account, one.region].join('\u0000'),
    mergeScopes,
  );
  const entries = sortedUnique(
    results.flatMap((result) => result.entries),
    (one) => [one.provider, one.collector, one.account, one.region, one.type].join('\u0000'),
    mergeEntries,
  );
  return { scopes, entries };
}

function earlierLedger(request: CollectRequest): Ledger | null {
  const path = join(request.runDirectory, 'evidence', 'ledger.json');
  if (!request.resume || !existsSync(path)) return null;
  const parsed = ledgerSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  return parsed.success && parsed.data.runId === request.runId ? parsed.data : null;
}

/** What it takes to get first requests on their way. */
const headStartMs = 150;

/**
 * Collects from every configured provider at once and writes `evidence/ledger.json`. The ledger exists from the first
 * moment, with everything that is owed entered as `interrupted`: a run that dies leaves evidence that nobody can take for whole.
 * Throws RunLockedError when another process works on the run, and file system errors; what providers do is in the ledger.
 */
export async function collect(request: CollectRequest): Promise<Ledger> {
  const release = lockRun(request.runDirectory);
  try {
    return await collectLocked(request);
  } finally {
    release();
  }
}

async function collectLocked(request: CollectRequest): Promise<Ledger> {
  const { config, needs, signal, progress } = request;
  const collectors = active(request.collectors ?? (await import('./registry.ts')).collectors, config);
  const earlier = earlierLedger(request);
  const asOf = earlier?.asOf ?? request.asOf;
  const startedAt = earlier?.startedAt ?? new Date().toISOString();
  const writer = evidenceWriter(request.runDirectory, { resume: request.resume });
  const paced = request.pacers ?? pacers();
  // A run that cannot write any more stops its collectors, and waits for what they have in hand.
  const unwritable = new AbortController();
  const outstanding = new Set<Promise<unknown>>();
  const units = (collector: Collector): CollectContext['unit'] => {
    const limit = pLimit(collector.unitsInFlight ?? unitsInFlight);
    return (work) => {
      const running = limit(work);
      const done = running.then(
        () => undefined,
        () => undefined,
      );
      outstanding.add(done);
      void done.then(() => outstanding.delete(done));
      return running;
    };
  };
  const context: Omit<CollectContext, 'unit'> = {
    config,
    endpoints: config.endpoints,
    needs,
    writer,
    asOf,
    signal: AbortSignal.any([signal, unwritable.signal]),
    progress,
    pacers: paced,
    patience: { ...defaultPatience, ...request.patience },
  };

  const ledgerOf = (results: readonly CollectResult[], endedAt: string | null): Ledger => ({
    version: 1,
    runId: request.runId,
    asOf,
    startedAt,
    endedAt,
    tool: { ...request.tool },
    ...orderLedger(results),
    quotas: paced.uses(),
  });

  const plans = new Map(collectors.map((collector) => [collector, collector.plan({ config, needs })]));
  const interrupted: Reason = { code: 'interrupted', message: 'the run ended before this was collected; resume it' };
  await writer.writeLedger(
    ledgerOf(
      collectors.map((collector) => failedResult(collector, plans.get(collector) ?? [], interrupted)),
      null,
    ),
  );

  // Clients load one after the other, each while the first calls of the one before it are under way: loading holds up the process.
  let loading: Promise<unknown> = Promise.resolve();
  const load = (collector: Collector): Promise<unknown> => {
    const loaded = loading.then(() => collector.load?.()).catch(() => undefined);
    loading = loaded.then(() => setTimeout(headStartMs));
    return loaded;
  };
  const storage: Error[] = [];
  const results = await Promise.all(
    collectors.map(async (collector) => {
      const planned = plans.get(collector) ?? [];
      try {
        await load(collector);
        return settle(collector, planned, await collector.collect({ ...context, unit: units(collector) }));
      } catch (error) {
        if (isStorageError(error, request.runDirectory)) {
          storage.push(error);
          unwritable.abort(error);
        }
        const reason: Reason = signal.aborted
          ? { code: 'aborted', message: 'the run was stopped before this was collected' }
          : {
              code: 'collector-failed',
              message: `${collector.id} failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`,
            };
        progress.note(collector.id, '', reason.message);
        return failedResult(collector, planned, reason);
      }
    }),
  );
  if (storage[0]) {
    await Promise.all(outstanding);
    throw storage[0];
  }

  const ledger = ledgerOf(results, new Date().toISOString());
  await writer.writeLedger(ledger);
  return ledger;
}

/** Asks every configured provider whether a run would succeed: identity, permissions, state, clock. Writes nothing. */
export async function doctor(
  request: Pick<CollectRequest, 'config' | 'needs' | 'asOf' | 'signal' | 'progress' | 'collectors' | 'patience' | 'pacers'>,
): Promise<DoctorFinding[]> {
  const { config, needs, asOf, signal, progress } = request;
  const collectors = active(request.collectors ?? (await import('./registry.ts')).collectors, config);
  const context = {
    config,
    endpoints: config.endpoints,
    needs,
    asOf,
    signal,
    progress,
    pacers: request.pacers ?? pacers(),
    patience: { ...defaultPatience, ...request.patience },
  };
  const findings = await Promise.all(
    collectors.map(async (collector) => {
      try {
        const limit = pLimit(collector.unitsInFlight ?? unitsInFlight);
        return await collector.doctor({ ...context, unit: (work) => limit(work) });
      } catch (error) {
        return [
          {
            collector: collector.id,
            scope: '',
            check: 'reachable',
            ok: false,
            detail: error instanceof Error ? error.message : String(error),
          },
        ];
      }
    }),
  );
  return findings.flat();
}
