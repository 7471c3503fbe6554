import type { Reason } from '../model/index.ts';
import { backoff, type Pacer, type Patience, type Permit, sleep } from './rate.ts';

/** What went wrong with one attempt, in the codes that ledgers use. */
export interface Failure {
  /** `access-denied`, `expired-credentials`, `throttled`, `server-error`, `timeout`, `connection`, `malformed-response`, `invalid-request`, `not-found`, … */
  readonly code: string;
  readonly message: string;
  readonly retry: boolean;
  /** What the provider asked us to wait, where it said so. */
  readonly retryAfterMs?: number | null;
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T; readonly attempts: number }
  | { readonly ok: false; readonly reason: Reason; readonly attempts: number };

/** Codes under which the provider refused, as opposed to having failed. */
const refusals = new Set(['access-denied', 'expired-credentials', 'no-credentials', 'not-enabled']);

export function isRefusal(reason: Reason): boolean {
  return refusals.has(reason.code);
}

/** An answer that arrived but is not what was asked for: thrown inside an attempt, never beyond. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';
}

class AttemptTimeout extends Error {
  override readonly name = 'AttemptTimeout';
}

interface Trial<T> {
  readonly call: (signal: AbortSignal) => Promise<T>;
  readonly classify: (error: unknown) => Failure;
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
  readonly patience: Patience;
}

function aborted(attempts: number): Answer<never> {
  return { ok: false, attempts, reason: { code: 'aborted', message: 'the run was stopped before an answer came' } };
}

/** Runs one attempt within its deadline even where the client cannot be cancelled: its late answer is dropped. */
async function bounded<T>(trial: Trial<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const cut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AttemptTimeout(`no answer within ${trial.patience.requestTimeoutMs} ms`));
      controller.abort();
    }, trial.patience.requestTimeoutMs);
    onAbort = (): void => {
      reject(trial.signal.reason as Error);
      controller.abort();
    };
    if (trial.signal.aborted) onAbort();
    else trial.signal.addEventListener('abort', onAbort, { once: true });
  });
  const call = trial.call(controller.signal);
  call.catch(() => undefined);
  try {
    return await Promise.race([call, cut]);
  } finally {
    clearTimeout(timer);
    if (onAbort) trial.signal.removeEventListener('abort', onAbort);
  }
}

function failureOf<T>(trial: Trial<T>, error: unknown): Failure {
  if (error instanceof AttemptTimeout) return { code: 'timeout', message: error.message, retry: true };
  if (error instanceof MalformedResponse) return { code: 'malformed-response', message: error.message, retry: true };
  return trial.classify(error);
}

/**
 * Calls until an answer comes, patience ends or the failure is final. Every attempt takes a permit of the quota, and a
 * throttled one pauses the quota for everybody who spends it. Never throws: an abort is an answer too (`aborted`).
 */
export async function persist<T>(trial: Trial<T>): Promise<Answer<T>> {
  const { pacer, signal, patience } = trial;
  const began = performance.now();
  let paced = 0;
  for (let attempt = 1; ; attempt += 1) {
    const queued = performance.now();
    let permit: Permit;
    try {
      permit = await pacer.take(signal);
    } catch {
      return aborted(attempt - 1);
    }
    paced += performance.now() - queued;
    try {
      return { ok: true, value: await bounded(trial).finally(() => permit.answered()), attempts: attempt };
    } catch (error) {
      if (signal.aborted) return aborted(attempt);
      const failure = failureOf(trial, error);
      const delay = backoff(patience, attempt, failure.retryAfterMs ?? undefined);
      const spent = performance.now() - began - paced;
      const givesUp = !failure.retry || attempt >= patience.maxAttempts || spent + delay > patience.callDeadlineMs;
      if (failure.code === 'throttled') pacer.pause(delay);
      if (givesUp) {
        const tail = attempt > 1 ? ` (after ${attempt} attempts)` : '';
        return { ok: false, attempts: attempt, reason: { code: failure.code, message: `${failure.message}${tail}` } };
      }
      try {
        await sleep(delay, signal);
      } catch {
        return aborted(attempt);
      }
    }
  }
}

/** Failure of a connection by Node's error codes, wherever in the chain of causes it stands; null when it is none. */
export function connectionFailure(error: unknown): Failure | null {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (typeof code !== 'string') continue;
    if (
      /^(ECONN|ENOTFOUND|EAI_|EPIPE|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|HPE_|ERR_HTTP|REQUEST_SEND_ERROR)/.test(
        code,
      )
    ) {
      return { code: 'connection', message: `the connection failed: ${code}: ${cause.message}`, retry: true };
    }
    if (/^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) {
      return { code: 'connection', message: `the TLS connection was not accepted: ${code}: ${cause.message}`, retry: false };
    }
  }
  return null;
}
