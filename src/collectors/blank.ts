import type { LedgerEntry, LedgerStatus, Provider, Reason, ScopeCoverage } from '../model/index.ts';

/** What a collector says of a scope that it holds nothing of (yet). */
export interface Blank {
  readonly entry: (account: string, type: string, status: LedgerStatus, reasons: readonly Reason[]) => LedgerEntry;
  readonly coverage: (
    account: string,
    name: string | null,
    knownFrom: string[],
    status: LedgerStatus,
    identity: string | null,
    reasons: readonly Reason[],
  ) => ScopeCoverage;
}

/** For the collectors of inventories that answer for all locations at once: region `*`. */
export function blank(collector: string, provider: Provider): Blank {
  return {
    entry: (account, type, status, reasons) => ({
      collector,
      provider,
      account,
      region: '*',
      type,
      status,
      held: 0,
      count: null,
      freshness: { oldest: null, newest: null },
      reasons: [...reasons],
      queries: [],
    }),
    coverage: (account, name, knownFrom, status, identity, reasons) => ({
      collector,
      provider,
      account,
      region: '*',
      name,
      knownFrom,
      status,
      identity,
      reasons: [...reasons],
    }),
  };
}
