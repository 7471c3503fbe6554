/** Requests under way at once, over all quotas that name it: more would only make each other's answers wait, and be held in memory. */
export interface Crowd {
  readonly name: string;
  readonly atOnce: number;
}

/** Lets requests of one crowd through. */
export interface Turnstile {
  /**
   * Resolves when there is room, with what gives the place back (once). Of those that wait, whoever has the most requests still to
   * make (`left`, asked at each turn) goes first: what takes longest is never kept waiting by what would be done anyway. Nobody is
   * passed over for longer than `fairAfterMs`. Rejects with the signal's reason when aborted while waiting.
   */
  enter(left: () => number, signal?: AbortSignal): Promise<() => void>;
}

const fairAfterMs = 1_000;

interface Waiting {
  readonly left: () => number;
  readonly since: number;
  readonly go: () => void;
}

export function turnstile(crowd: Crowd, now: () => number = () => performance.now()): Turnstile {
  let inside = 0;
  const waiting: Waiting[] = [];

  /** Once only: a place given back twice would let one too many through. */
  function place(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      inside -= 1;
      admit();
    };
  }

  function admit(): void {
    while (inside < crowd.atOnce && waiting.length > 0) {
      const [oldest] = waiting;
      const next =
        oldest !== undefined && now() - oldest.since > fairAfterMs
          ? oldest
          : waiting.reduce((most, one) => (one.left() > most.left() ? one : most));
      waiting.splice(waiting.indexOf(next), 1);
      inside += 1;
      next.go();
    }
  }

  return {
    enter(left, signal) {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      if (inside < crowd.atOnce && waiting.length === 0) {
        inside += 1;
        return Promise.resolve(place());
      }
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(one), 1);
          reject(signal?.reason as Error);
        };
        const one: Waiting = {
          left,
          since: now(),
          go: () => {
            signal?.removeEventListener('abort', onAbort);
            resolve(place());
          },
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(one);
      });
    },
  };
}
