import type { Reason } from '../model/index.ts';
import type { CollectContext } from './collector.ts';
import type { PagedSeries, Series } from './paging.ts';

/** A listing with the provider's counts around it. `before` is null where only one count is asked for. */
export interface Reconciled<Count> {
  readonly key: string;
  readonly list: Series;
  readonly before: Count | null;
  readonly after: Count;
}

interface Mutable<Count> {
  readonly key: string;
  readonly series: PagedSeries;
  list: Series;
  before: Count | null;
  after: Count;
}

export interface ReconcileRequest<Count> {
  readonly context: Pick<CollectContext, 'unit' | 'patience' | 'signal'>;
  readonly keys: readonly string[];
  /** Opens one listing; called within a unit of work. */
  readonly open: (key: string) => Promise<PagedSeries>;
  /** Counts for some listings; brings its own units of work. `round`: `before`, `after`, `again-1`, … */
  readonly count: (keys: readonly string[], round: string) => Promise<ReadonlyMap<string, Count>>;
  /** How many records a listing will bring by the count before it: the longest begin first, so that none is left to page on alone at the end. */
  readonly size?: (key: string, before: Count) => number;
  /** False where the listing reads at a fixed instant, so that a count before it adds nothing. */
  readonly countBefore: boolean;
  readonly disagreement: (reconciled: Reconciled<Count>) => Reason | null;
}

function longestFirst<Count>({ keys, size }: ReconcileRequest<Count>, before: ReadonlyMap<string, Count> | null): string[] {
  if (before === null || size === undefined) return [...keys];
  const sizes = new Map(keys.map((key) => [key, size(key, before.get(key) as Count)]));
  return [...keys].sort((a, b) => (sizes.get(b) ?? 0) - (sizes.get(a) ?? 0));
}

/**
 * Counts, lists, and counts again. What disagrees is listed and counted again a bounded number of times; what still does is
 * marked in the stored query, and left to the caller to enter for the accounts concerned.
 */
export async function reconcile<Count>(request: ReconcileRequest<Count>): Promise<Reconciled<Count>[]> {
  const { context, keys, disagreement } = request;
  const before = request.countBefore ? await request.count(keys, 'before') : null;
  const lists = new Map<string, Pick<Mutable<Count>, 'key' | 'series' | 'list'>>();
  await Promise.all(
    longestFirst(request, before).map((key) =>
      context.unit(async () => {
        const series = await request.open(key);
        lists.set(key, { key, series, list: await series.run() });
      }),
    ),
  );
  const after = await request.count(keys, 'after');
  const state = keys.map((key): Mutable<Count> => ({
    ...(lists.get(key) as Pick<Mutable<Count>, 'key' | 'series' | 'list'>),
    before: before?.get(key) ?? null,
    after: after.get(key) as Count,
  }));

  for (let round = 1; ; round += 1) {
    const differing = state.flatMap((one) => {
      const reason = one.list.status === 'complete' ? disagreement(one) : null;
      return reason === null ? [] : [{ one, reason }];
    });
    if (differing.length === 0) return state;
    if (round > context.patience.requeries || context.signal.aborted) {
      for (const { one, reason } of differing) one.list = await one.series.demote(reason);
      return state;
    }
    await Promise.all(
      differing.map(({ one, reason }) =>
        context.unit(async () => {
          one.list = await one.series.again({ code: reason.code, message: `${reason.message}; asked again from the start` });
        }),
      ),
    );
    const recount = await request.count(
      differing.map(({ one }) => one.key),
      `again-${round}`,
    );
    for (const { one } of differing) {
      if (request.countBefore) one.before = one.after;
      one.after = recount.get(one.key) as Count;
    }
  }
}
