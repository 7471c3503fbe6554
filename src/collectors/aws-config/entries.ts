import type { LimitFunction } from 'p-limit';
import type { LedgerEntry, LedgerStatus, Reason } from '../../model/index.ts';
import type { PagingContext } from './paging.ts';

/** One account and region, connected: what every query there needs. */
export interface RegionContext {
  readonly account: string;
  readonly region: string;
  readonly endpoint: string;
  /** ARN of the caller. */
  readonly identity: string;
  readonly paging: PagingContext;
  /** Bounds the queries of this account and region that run at once. */
  readonly limit: LimitFunction;
  /** About this many requests are still to come here. */
  readonly expect: (requests: number) => void;
}

const badness: Readonly<Record<LedgerStatus, number>> = {
  complete: 0,
  excluded: 1,
  'not-recorded': 2,
  stale: 3,
  partial: 4,
  denied: 5,
  failed: 6,
};

export function worst(statuses: readonly LedgerStatus[]): LedgerStatus {
  return statuses.reduce<LedgerStatus>((found, status) => (badness[status] > badness[found] ? status : found), 'complete');
}

export function emptyEntry(at: { readonly account: string; readonly region: string }, type: string): LedgerEntry {
  return {
    collector: 'aws-config',
    provider: 'aws',
    account: at.account,
    region: at.region,
    type,
    status: 'failed',
    held: 0,
    count: null,
    freshness: { oldest: null, newest: null },
    reasons: [],
    queries: [],
  };
}

export function distinct(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map((reason) => [`${reason.code} ${reason.message}`, reason])).values()];
}
