/** Requests per window, per named bucket. `burst` is what a full bucket holds. */
export interface Rate {
  readonly requests: number;
  readonly perMilliseconds: number;
}

/**
 * What the simulator enforces. Resource Graph and Asset Inventory publish theirs; AWS Config publishes none,
 * so its rate here is an assumption, kept low enough that a client in a hurry meets it.
 */
export const publishedRates = {
  /** Per account and region. Assumed. */
  'aws-config': { requests: 10, perMilliseconds: 1000 },
  /** Per user: 15 queries in every window of five seconds. */
  'azure-resource-graph': { requests: 15, perMilliseconds: 5000 },
  /** Reads of Azure Resource Manager, per subscription and principal: a bucket of 250, refilled at 25 a second. */
  'azure-resource-manager': { requests: 25, perMilliseconds: 1000, burst: 250 },
  /** Per consumer project. */
  'gcp-list-assets': { requests: 100, perMilliseconds: 60_000 },
  'gcp-search': { requests: 400, perMilliseconds: 60_000 },
} as const satisfies Record<string, Rate & { burst?: number }>;
export type QuotaName = keyof typeof publishedRates;

/** `published`: as above. `off`: none. `scale`: the published rates times this, for tests in a hurry. */
export type QuotaMode = 'published' | 'off' | { readonly scale: number };

export interface QuotaAnswer {
  readonly allowed: boolean;
  /** Whole requests left. */
  readonly remaining: number;
  /** Milliseconds until the next request is allowed, or until a fixed window opens again. */
  readonly waitMilliseconds: number;
}

export interface Quotas {
  take(name: QuotaName, bucket: string): QuotaAnswer;
  /** How many requests were refused, by quota. */
  readonly refused: () => Readonly<Record<string, number>>;
  /** As if nothing had been asked for long. */
  refill(): void;
}

/** Resource Graph counts in fixed windows; the others fill a bucket continuously. */
export function openQuotas(mode: QuotaMode, now: () => number = Date.now): Quotas {
  const scale = mode === 'published' ? 1 : mode === 'off' ? Infinity : mode.scale;
  const refused: Record<string, number> = {};
  const windows = new Map<string, { start: number; used: number }>();
  const buckets = new Map<string, { at: number; tokens: number }>();
  return {
    refused: () => refused,
    refill() {
      windows.clear();
      buckets.clear();
    },
    take(name, bucket) {
      const rate: Rate & { burst?: number } = publishedRates[name];
      if (scale === Infinity) return { allowed: true, remaining: rate.requests - 1, waitMilliseconds: 0 };
      const key = `${name} ${bucket}`;
      const per = rate.perMilliseconds / scale;
      const time = now();
      if (name === 'azure-resource-graph') {
        const held = windows.get(key);
        const window = held === undefined || time - held.start >= per ? { start: time, used: 0 } : held;
        windows.set(key, window);
        const wait = Math.max(1, window.start + per - time);
        if (window.used >= rate.requests) {
          refused[name] = (refused[name] ?? 0) + 1;
          return { allowed: false, remaining: 0, waitMilliseconds: wait };
        }
        window.used += 1;
        return { allowed: true, remaining: rate.requests - window.used, waitMilliseconds: wait };
      }
      const size = rate.burst ?? rate.requests;
      const held = buckets.get(key) ?? { at: time, tokens: size };
      held.tokens = Math.min(size, held.tokens + ((time - held.at) * rate.requests) / per);
      held.at = time;
      buckets.set(key, held);
      if (held.tokens < 1) {
        refused[name] = (refused[name] ?? 0) + 1;
        return { allowed: false, remaining: 0, waitMilliseconds: Math.ceil(((1 - held.tokens) * per) / rate.requests) };
      }
      held.tokens -= 1;
      return { allowed: true, remaining: Math.floor(held.tokens), waitMilliseconds: 0 };
    },
  };
}
