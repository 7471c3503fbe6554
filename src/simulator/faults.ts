import type { Provider } from '../model/index.ts';

/** What can go wrong with one answer on its way. */
export const transportFaults = [
  'access-denied',
  'expired-credentials',
  'throttle',
  'throttle-without-hint',
  'http-500',
  'http-503',
  'reset',
  'hang',
  'truncated-body',
  'malformed-json',
  'wrong-content-type',
] as const;
/** What can be wrong with a page of records. */
export const pageFaults = [
  'empty-page-with-token',
  'repeated-token',
  'lost-page',
  'duplicated-page',
  'reordered-rows',
  'result-truncated',
  'subscription-limit-header',
  'unknown-enum-and-fields',
] as const;
/** What can be wrong behind the answer: these hold until the simulator ends unless `times` says otherwise. */
export const standingFaults = [
  'dropped-subscription',
  'recorder-stopped',
  'type-not-recorded',
  'daily-stale',
  'aggregator-source-failed',
  'insufficient-data',
  'policy-never-evaluated',
  'asset-type-not-enabled',
  'clock-skew',
  'short-pages',
] as const;
export const faultKinds = [...transportFaults, ...pageFaults, ...standingFaults] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One request to the simulator, as it is logged. */
export interface SimulatedCall {
  /** From 1, over all three providers, in order of arrival. */
  readonly n: number;
  readonly provider: Provider;
  /** `SelectResourceConfig`, `Microsoft.ResourceGraph/resources`, `ListAssets`, `AssumeRole`, … */
  readonly operation: string;
  /** `111122223333.eu-west-1`, `aggregator`, subscription or management group, `organizations/1`. */
  readonly scope: string;
  /** Resource type, table and types, or content type: what was asked for. */
  readonly detail: string;
  /** Position of the page, 0 for the first. */
  readonly offset: number;
  /** The same for a retry of this call and in every run over the same estate: `aws SelectResourceConfig 111122223333.eu-west-1 AWS::S3::Bucket @0`. */
  readonly key: string;
}

/**
 * A fault and where it strikes. Without `call`, `key` or `match` it strikes every call that it can strike.
 * `call` is the number of the call; `key` its stable name, which a retry shares; `match` compares parts of it
 * (`type` is looked for in the call's detail). `nth` skips the first n-1 matching calls.
 * `times`: how many matching calls are struck; 1 by default, without limit for standing faults.
 */
export interface Fault {
  readonly kind: FaultKind;
  readonly provider?: Provider;
  readonly call?: number;
  readonly key?: string;
  readonly match?: { readonly operation?: string; readonly scope?: string; readonly type?: string };
  readonly nth?: number;
  readonly times?: number;
}

export interface CallBook {
  /** Numbers and logs a call, and says which faults strike it. */
  begin(call: Omit<SimulatedCall, 'n' | 'key'>): { call: SimulatedCall; faults: readonly Fault[] };
  readonly calls: () => readonly SimulatedCall[];
  /** Faults injected so far, with the calls they struck. */
  readonly struck: () => readonly { fault: Fault; call: SimulatedCall }[];
  readonly inject: (fault: Fault) => void;
  readonly clear: () => void;
  /** Forgets the calls; faults stay. */
  forget(): void;
}

const isStanding = (kind: FaultKind): boolean => (standingFaults as readonly string[]).includes(kind);

/** Logs calls and decides which faults strike them. */
export function openCallBook(initial: readonly Fault[] = []): CallBook {
  const log: SimulatedCall[] = [];
  const strikes: { fault: Fault; call: SimulatedCall }[] = [];
  let armed = initial.map((fault) => ({ fault, seen: 0, used: 0 }));
  const matches = (fault: Fault, call: SimulatedCall): boolean => {
    if (fault.provider !== undefined && fault.provider !== call.provider) return false;
    if (fault.call !== undefined && fault.call !== call.n) return false;
    if (fault.key !== undefined && fault.key !== call.key) return false;
    if (fault.match?.operation !== undefined && fault.match.operation !== call.operation) return false;
    // What a standing fault's scope and type mean is for the provider to say: an aggregate call spans scopes.
    if (isStanding(fault.kind)) return true;
    if (fault.match?.scope !== undefined && fault.match.scope !== call.scope) return false;
    return fault.match?.type === undefined || call.detail.toLowerCase().includes(fault.match.type.toLowerCase());
  };
  return {
    begin(draft) {
      const call: SimulatedCall = {
        ...draft,
        n: log.length + 1,
        key: `${draft.provider} ${draft.operation} ${draft.scope} ${draft.detail} @${String(draft.offset)}`,
      };
      log.push(call);
      const faults: Fault[] = [];
      for (const entry of armed) {
        if (!matches(entry.fault, call)) continue;
        entry.seen += 1;
        if (entry.fault.nth !== undefined && entry.seen < entry.fault.nth) continue;
        const limit = entry.fault.times ?? (isStanding(entry.fault.kind) ? Infinity : 1);
        if (entry.used >= limit) continue;
        entry.used += 1;
        faults.push(entry.fault);
        strikes.push({ fault: entry.fault, call });
      }
      return { call, faults };
    },
    calls: () => log,
    forget() {
      log.length = 0;
      strikes.length = 0;
    },
    struck: () => strikes,
    inject: (fault) => {
      armed.push({ fault, seen: 0, used: 0 });
    },
    clear: () => {
      armed = [];
    },
  };
}

/** The standing fault of a kind that covers this scope and type, if any. */
export function covers(faults: readonly Fault[], kind: FaultKind, where: { scope?: string; type?: string } = {}): boolean {
  return faults.some(
    (fault) =>
      fault.kind === kind &&
      (fault.match?.scope === undefined || where.scope === undefined || fault.match.scope === where.scope) &&
      (fault.match?.type === undefined || where.type === undefined || fault.match.type.toLowerCase() === where.type.toLowerCase()),
  );
}

export function strikes(faults: readonly Fault[], kind: FaultKind): boolean {
  return faults.some((fault) => fault.kind === kind);
}

/** Rows of a page under `short-pages`. */
const shortPage = 7;

/** Records of one page and where the next one starts; null when this was the last. */
export interface PageOf<T> {
  readonly rows: readonly T[];
  readonly next: number | null;
  /** Makes a token differ although it leads to the same place. */
  readonly nonce?: string;
}

/**
 * Cuts a page out of `total` rows and spoils it as the faults say:
 * `lost-page` answers with the page after this one; `duplicated-page` leads back to this page once more;
 * `repeated-token` hands out the token that leads to this page; `empty-page-with-token` answers with no rows and a token to this page;
 * `reordered-rows` turns the page round and exchanges its first row with one of the next page;
 * `short-pages` hands out fewer rows than asked for, as services may: so that a small estate has many pages.
 */
export function cutPage<T>(
  total: number,
  offset: number,
  most: number,
  at: (index: number) => T,
  faults: readonly Fault[],
  nonce: string,
): PageOf<T> {
  const limit = strikes(faults, 'short-pages') ? Math.min(most, shortPage) : most;
  const range = (from: number): T[] => Array.from({ length: Math.max(0, Math.min(limit, total - from)) }, (_, i) => at(from + i));
  const after = (from: number): number | null => (from + limit < total ? from + limit : null);
  if (strikes(faults, 'empty-page-with-token')) return { rows: [], next: offset, nonce: `${nonce}e` };
  if (strikes(faults, 'lost-page')) return { rows: range(offset + limit), next: after(offset + limit) };
  if (strikes(faults, 'repeated-token')) return { rows: range(offset), next: offset, nonce };
  if (strikes(faults, 'duplicated-page')) return { rows: range(offset), next: offset, nonce: `${nonce}d` };
  if (strikes(faults, 'reordered-rows')) {
    const rows = range(offset).reverse();
    if (rows.length > 0 && offset + limit < total) rows[0] = at(offset + limit);
    return { rows, next: after(offset) };
  }
  return { rows: range(offset), next: after(offset) };
}

const unpaged = new Set([
  'AssumeRole',
  'GetCallerIdentity',
  'token',
  'openid-configuration',
  'subscriptions.get',
  'DescribeConfigurationRecorders',
  'DescribeConfigurationRecorderStatus',
  'DescribeConfigurationAggregators',
  'DescribeConformancePacks',
  'BatchGetResourceConfig',
  'BatchGetAggregateResourceConfig',
]);

/** Kinds that mean something for this one call: what a sweep over calls tries on it. */
export function faultsFor(call: Pick<SimulatedCall, 'provider' | 'operation' | 'detail'>): FaultKind[] {
  const { provider, operation, detail } = call;
  if (operation === 'token' || operation === 'openid-configuration')
    return ['reset', 'hang', 'truncated-body', 'malformed-json', 'wrong-content-type'];
  const kinds: FaultKind[] = [...transportFaults];
  if (!unpaged.has(operation)) kinds.push('empty-page-with-token', 'repeated-token', 'lost-page', 'duplicated-page', 'reordered-rows');
  if (operation !== 'AssumeRole' && operation !== 'GetCallerIdentity') kinds.push('unknown-enum-and-fields');
  if (provider === 'azure' && operation === 'Microsoft.ResourceGraph/resources') {
    kinds.push('result-truncated', 'subscription-limit-header', 'dropped-subscription');
    if (/policystates/.test(detail)) kinds.push('policy-never-evaluated');
  }
  if (provider === 'gcp') kinds.push('asset-type-not-enabled', 'clock-skew');
  if (provider === 'aws' && operation !== 'AssumeRole' && operation !== 'GetCallerIdentity') {
    kinds.push('clock-skew');
    if (operation === 'DescribeConfigurationRecorderStatus') kinds.push('recorder-stopped');
    if (/Select|Discovered|DescribeConfigurationRecorders$/.test(operation)) kinds.push('type-not-recorded');
    if (/Select|DescribeConfigurationRecorders$/.test(operation)) kinds.push('daily-stale');
    if (/Aggregat/.test(operation)) kinds.push('aggregator-source-failed');
    if (/Compliance|EvaluationStatus/.test(operation)) kinds.push('insufficient-data');
  }
  return kinds;
}
