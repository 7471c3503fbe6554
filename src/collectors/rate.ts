import type { QuotaUse } from '../model/index.ts';
import { type Crowd, type Turnstile, turnstile } from './crowd.ts';

/** A published request quota: at most `permits` requests in any window of `perMs` milliseconds. */
export interface Quota {
  readonly permits: number;
  readonly perMs: number;
  /**
   * A request counts from its answer: by then the provider has counted it, however long it was under way, so that the quota is kept
   * to the letter. Only for windows that are long beside an answer; others count from the permit.
   */
  readonly fromAnswer?: boolean;
  /** Whom its requests share the way with. Each then takes a place there too, until its answer. */
  readonly crowd?: Crowd;
}

/** Leave for one request. */
export interface Permit {
  /** The answer is here, or will not come. */
  answered(): void;
}

/**
 * Keeps one quota. Every attempt that reaches the wire takes a permit (retries count too), so the quota holds
 * whatever the SDK does. Windows slide: no window of `perMs`, wherever it begins, sees more than `permits` requests.
 */
export interface Pacer {
  readonly key: string;
  /** Resolves when the next request may go; rejects with the signal's reason when aborted while waiting. */
  take(signal?: AbortSignal): Promise<Permit>;
  /** The provider asked for a pause (a `Retry-After`, a quota header): nobody is let through before it is over. */
  pause(milliseconds: number): void;
  /** About this many requests are still to come. Where its crowd is full, the quota with most before it goes first; unknown counts as most. */
  expect(requests: number): void;
  /** What the quota cost: `floorMs` is the least time that this many requests need under it. */
  use(): QuotaUse;
}

/** Bounds on waiting: no call takes longer than `callDeadlineMs`, its retries included. */
export interface Patience {
  readonly connectTimeoutMs: number;
  /** One attempt, headers and body. */
  readonly requestTimeoutMs: number;
  /** One call with all its attempts and back-off. */
  readonly callDeadlineMs: number;
  readonly maxAttempts: number;
  /** Back-off before attempt n+1 is random within [base·2^(n-1)/2, base·2^(n-1)], at most `backoffCapMs`. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** How often a query that came out inconsistent is asked again from the start. */
  readonly requeries: number;
}

export const defaultPatience: Patience = {
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
  callDeadlineMs: 180_000,
  maxAttempts: 8,
  backoffBaseMs: 250,
  backoffCapMs: 15_000,
  requeries: 2,
};

/** Back-off after `attempt` failed attempts (1, 2, …). A provider's own hint is honoured up to the call's deadline; one that is no time is none. */
export function backoff(patience: Patience, attempt: number, hintMs?: number): number {
  if (hintMs !== undefined && !Number.isNaN(hintMs)) return Math.min(Math.max(hintMs, 0), patience.callDeadlineMs);
  const ceiling = Math.min(patience.backoffBaseMs * 2 ** (attempt - 1), patience.backoffCapMs);
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

interface Clock {
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Waits, or rejects with the signal's reason as soon as it aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const systemClock: Clock = { now: () => performance.now(), sleep };

/** Clocks differ a little: the window is kept this much longer than published. */
const clockAllowance = 1.005;
/** What answers late is let through late next time: how much, where the window counts from the answer and none came. */
const lateAllowance = 0.01;

/**
 * Requests that were let through together bunch up, or stretch, on the way. After the first window they go at least a quarter of a
 * share of it apart, so that the receiver sees the quota kept although some took a fifth of a window longer; the rate stays the same.
 */
const apart = (quota: Quota): number => (quota.fromAnswer === true ? 0 : quota.perMs / quota.permits / 4);

const nobody = (): void => undefined;

export function pacer(key: string, quota: Quota, clock: Clock = systemClock, shared: Turnstile | null = null): Pacer {
  const windowMs = quota.fromAnswer === true ? quota.perMs + 1 : quota.perMs * clockAllowance;
  const apartMs = apart(quota);
  /** When each of the last `permits` requests was let through, or answered: a ring. */
  const granted = new Float64Array(quota.permits).fill(Number.NEGATIVE_INFINITY);
  let calls = 0;
  let waitedMs = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let first: number | null = null;
  let last: number | null = null;
  let queue: Promise<void> = Promise.resolve();
  /** How many calls there will have been in the end, as far as anybody said. */
  let expected = Number.POSITIVE_INFINITY;
  const left = (): number => Math.max(0, expected - calls);

  function permitOf(call: number, leave: () => void): Permit {
    return {
      answered() {
        leave();
        // By now the place may be another's.
        if (quota.fromAnswer === true && calls <= call + quota.permits) granted[call % quota.permits] = clock.now();
      },
    };
  }

  async function turn(signal?: AbortSignal): Promise<Permit> {
    for (;;) {
      if (signal?.aborted) throw signal.reason as Error;
      const wait = free() - clock.now();
      if (wait > 0) {
        waitedMs += wait;
        await clock.sleep(wait, signal);
        continue;
      }
      const leave = shared === null ? nobody : await shared.enter(left, signal);
      const now = clock.now();
      if (now < free()) {
        // The provider asked for a pause meanwhile.
        leave();
        continue;
      }
      // One that is still under way when its place comes up again counts a little later than it was let through.
      granted[calls % quota.permits] = quota.fromAnswer === true ? now + quota.perMs * lateAllowance : now;
      calls += 1;
      first ??= now;
      last = now;
      return permitOf(calls - 1, leave);
    }
  }

  /** When the next request may go, as far as the quota goes. */
  function free(): number {
    const spaced = calls < quota.permits ? Number.NEGATIVE_INFINITY : (last ?? 0) + apartMs;
    return Math.max((granted[calls % quota.permits] ?? 0) + windowMs, spaced, pausedUntil);
  }

  return {
    key,
    take(signal) {
      const mine = queue.then(() => turn(signal));
      queue = mine.then(
        () => undefined,
        () => undefined,
      );
      return mine;
    },
    pause(milliseconds) {
      // A quota that waits for no time at all would wait for nobody.
      if (!Number.isNaN(milliseconds)) pausedUntil = Math.max(pausedUntil, clock.now() + milliseconds);
    },
    expect(requests) {
      expected = calls + requests;
    },
    use() {
      return {
        key,
        permits: quota.permits,
        perMs: quota.perMs,
        calls,
        floorMs: calls === 0 ? 0 : Math.floor((calls - 1) / quota.permits) * quota.perMs,
        elapsedMs: first === null || last === null ? 0 : Math.round(last - first),
        waitedMs: Math.round(waitedMs),
      };
    },
  };
}

/** The least time that calls already made need, all quotas side by side, and the quota that needs it; null where none holds anything back. */
export function quotaFloor(uses: readonly QuotaUse[]): { readonly ms: number; readonly key: string | null } {
  const tightest = uses.reduce<QuotaUse | null>((most, use) => (use.floorMs > (most?.floorMs ?? 0) ? use : most), null);
  return { ms: tightest?.floorMs ?? 0, key: tightest?.key ?? null };
}

/** The pacers of one run, by key: collectors that spend the same quota (one Azure identity, one GCP project) name the same key. */
export interface Pacers {
  of(key: string, quota: Quota): Pacer;
  uses(): QuotaUse[];
}

export function pacers(clock: Clock = systemClock): Pacers {
  const byKey = new Map<string, Pacer>();
  const turnstiles = new Map<string, Turnstile>();
  const turnstileOf = (crowd: Crowd): Turnstile => {
    const made = turnstiles.get(crowd.name) ?? turnstile(crowd);
    turnstiles.set(crowd.name, made);
    return made;
  };
  return {
    of(key, quota) {
      const known = byKey.get(key);
      if (known) return known;
      const made = pacer(key, quota, clock, quota.crowd === undefined ? null : turnstileOf(quota.crowd));
      byKey.set(key, made);
      return made;
    },
    uses() {
      return [...byKey.values()].map((one) => one.use()).sort((a, b) => (a.key < b.key ? -1 : 1));
    },
  };
}
