import type { Json, JsonObject } from '../../model/index.ts';
import type { Random } from './random.ts';

/**
 * Records of one type in one scope, made on demand: `record(i)` depends on the seed, the scope, the type and `i` alone.
 * `account`: AWS account id, Azure subscription id, GCP project id. `region`: the AWS region; `*` elsewhere.
 */
export interface Population<R> {
  readonly type: string;
  readonly account: string;
  readonly region: string;
  readonly count: number;
  record(index: number): R;
}

/** What is planted in a record, in the words of the trouble table; empty for a healthy one. */
export interface Planted {
  readonly uid: string;
  readonly troubles: readonly string[];
  readonly classification: Classification;
}

export type Classification = 'critical' | 'internal' | 'public' | 'unclassified';

/** Most of what matters is critical; a few were never classified. */
export function classify(random: Random): Classification {
  return random.weighted({ critical: 58, internal: 26, public: 6, unclassified: 10 });
}

/** Splits `total` over weights by largest remainder: the parts add up exactly, and a larger total never shrinks a part by more than one. */
export function apportion(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0 || total <= 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const parts = exact.map(Math.floor);
  let rest = total - parts.reduce((a, b) => a + b, 0);
  const order = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  for (const { index } of order) {
    if (rest <= 0) break;
    parts[index] = (parts[index] ?? 0) + 1;
    rest -= 1;
  }
  return parts;
}

export const hour = 3_600_000;
export const day = 24 * hour;

/** The dates of days that were met: an estate has millions of times in some thousand days. */
const dates = new Map<number, string>();
const two = Array.from({ length: 60 }, (_, at) => String(at).padStart(2, '0'));

/** RFC 3339, with milliseconds. */
export function iso(milliseconds: number): string {
  const at = Math.floor(milliseconds / day);
  let date = dates.get(at);
  if (date === undefined) dates.set(at, (date = new Date(at * day).toISOString().slice(0, -'00:00:00.000Z'.length)));
  const rest = Math.trunc(milliseconds) - at * day;
  const seconds = Math.floor(rest / 1000);
  const fraction = String(rest % 1000).padStart(3, '0');
  return `${date}${two[Math.floor(seconds / 3600)] ?? ''}:${two[Math.floor(seconds / 60) % 60] ?? ''}:${two[seconds % 60] ?? ''}.${fraction}Z`;
}

const words = [
  'ledger',
  'invoice',
  'customer',
  'claims',
  'payroll',
  'orders',
  'pricing',
  'settlement',
  'catalogue',
  'risk',
  'fraud',
  'statement',
  'archive',
  'telemetry',
  'session',
  'search',
  'profile',
  'shipment',
  'returns',
  'loyalty',
] as const;
const roles = ['data', 'store', 'events', 'reports', 'exports', 'cache', 'index', 'feed', 'staging', 'history'] as const;

/** `invoice-exports-0042`: readable, unique by its index. */
export function businessName(random: Random, index: number): string {
  return `${random.pick(words)}-${random.pick(roles)}-${String(index).padStart(4, '0')}`;
}

export const owners = ['payments-team', 'analytics-team', 'platform-team', 'identity-team', 'logistics-team'] as const;

/** The text at a key; empty where there is none. */
export function textOf(record: JsonObject, name: string): string {
  const value = record[name];
  return typeof value === 'string' ? value : '';
}

/** Any JSON value as text: texts as they are, the rest as JSON. */
export function plain(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
