import type { Json } from '../../model/index.ts';
import { parseDate, parseDuration } from './convert.ts';
import { FALSE, isRedacted, TRUE, UNKNOWN } from './values.ts';
import type { JsonType, Tri } from './values.ts';

/** What an operator may know besides the two values. */
export interface Comparison {
  /** Azure: texts compare without case. */
  readonly caseless: boolean;
  /** The run's `asOf`, epoch milliseconds. */
  readonly asOf: number;
}

export const bool = (value: boolean): Tri => (value ? TRUE : FALSE);
export type Scalar = string | number | boolean;
export const scalars: readonly JsonType[] = ['string', 'number', 'boolean'];

export function isScalar(value: Json): value is Scalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Whole numbers beyond 2^53 lost their last digits when they were parsed: nothing can be said of their equality. */
function inexact(value: Json): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value) && Number.isInteger(value);
}

export function fold(value: Scalar, comparison: Comparison): Scalar {
  return comparison.caseless && typeof value === 'string' ? value.toLowerCase() : value;
}

export function prepareScalar(expected: Json, comparison: Comparison): Scalar | undefined {
  return isScalar(expected) && !inexact(expected) ? fold(expected, comparison) : undefined;
}

export function testEqual(observed: Json, expected: Scalar, comparison: Comparison): Tri {
  if (typeof observed !== typeof expected || inexact(observed)) return UNKNOWN;
  return bool(observed === expected || (comparison.caseless && typeof observed === 'string' && observed.toLowerCase() === expected));
}

export interface ScalarSet {
  readonly type: string;
  readonly values: ReadonlySet<Scalar>;
  readonly ordered: readonly Scalar[];
}

/** A list of scalars of one type: with mixed types a retyped value could match by accident. An empty list matches nothing. */
export function prepareSet(expected: Json, comparison: Comparison): ScalarSet | undefined {
  if (!Array.isArray(expected) || !expected.every(isScalar) || expected.some(inexact)) return undefined;
  const ordered = expected.map((value) => fold(value, comparison));
  const type = typeof ordered[0];
  if (ordered.length > 0 && !ordered.every((value) => typeof value === type)) return undefined;
  return { type: ordered.length === 0 ? 'string' : type, values: new Set(ordered), ordered };
}

export function testIn(observed: Json, expected: ScalarSet, comparison: Comparison): Tri {
  if (typeof observed !== expected.type || inexact(observed)) return UNKNOWN;
  return bool(expected.values.has(fold(observed as Scalar, comparison)));
}

/** How a list relates to a set: elements of another type, and withheld ones, might have been anything. */
export function overlap(
  observed: Json,
  expected: ScalarSet,
  comparison: Comparison,
): { hits: Set<Scalar>; others: number; mistyped: boolean } | null {
  if (!Array.isArray(observed)) return null;
  const hits = new Set<Scalar>();
  let others = 0;
  let mistyped = false;
  for (const element of observed) {
    if (typeof element !== expected.type || inexact(element) || isRedacted(element)) mistyped = true;
    else {
      const folded = fold(element as Scalar, comparison);
      if (expected.values.has(folded)) hits.add(folded);
      else others += 1;
    }
  }
  return { hits, others, mistyped };
}

export const prepareNumber = (expected: Json): number | undefined =>
  typeof expected === 'number' && Number.isFinite(expected) ? expected : undefined;
export const prepareTexts = (expected: Json, comparison: Comparison): string[] | undefined => {
  const list = Array.isArray(expected) ? expected : [expected];
  if (list.length === 0 || !list.every((entry) => typeof entry === 'string' && entry !== '')) return undefined;
  return (list as string[]).map((entry) => fold(entry, comparison) as string);
};
/** A date, or `asOf`, `asOf+P30D`, `asOf-P90D`. */
export function prepareDate(expected: Json, comparison: Comparison): number | undefined {
  if (typeof expected !== 'string') return undefined;
  const relative = /^asOf(?:([+-])(P.+))?$/.exec(expected);
  if (relative === null) return parseDate(expected) ?? undefined;
  if (relative[1] === undefined) return comparison.asOf;
  const duration = parseDuration(relative[2] as string);
  return duration === null ? undefined : comparison.asOf + (relative[1] === '+' ? duration : -duration);
}

/** An ISO 8601 duration, or a number of days. */
export function prepareDuration(expected: Json): number | undefined {
  if (typeof expected === 'number') return expected >= 0 && Number.isFinite(expected) ? expected * 86_400_000 : undefined;
  return typeof expected === 'string' ? (parseDuration(expected) ?? undefined) : undefined;
}

/** Clocks differ; a date further ahead than this cannot be the age of anything. */
const toleratedLead = 86_400_000;

export function age(observed: Json, comparison: Comparison): number | null {
  const at = typeof observed === 'string' ? parseDate(observed) : null;
  if (at === null || at - comparison.asOf > toleratedLead) return null;
  return comparison.asOf - at;
}

/** A longer text is not matched against a pattern: matching must end in bounded time whatever the evidence holds. */
export const longestMatched = 4096;

export function preparePattern(expected: Json, comparison: Comparison): RegExp | undefined {
  if (typeof expected !== 'string' || expected === '' || explosive(expected)) return undefined;
  try {
    return new RegExp(expected, comparison.caseless ? 'iu' : 'u');
  } catch {
    return undefined;
  }
}

/**
 * A repeated group that itself repeats or has alternatives that overlap, or a back-reference, can take exponential time, and several runs
 * of anything a power of the length.
 */
function explosive(pattern: string): boolean {
  if (/\\[1-9]|\\k</.test(pattern)) return true;
  if ((pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]/g, 'x').match(/\.(?:[*+]|\{\d+,)/g) ?? []).length > 2) return true;
  let rest = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x');
  const innermost = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?([^()]*)\)([*+]|\{\d+,?\d*\})?/;
  for (let group = innermost.exec(rest); group !== null; group = innermost.exec(rest)) {
    const inner = group[1] ?? '';
    const repeats = /[*+]|\{\d+,/.test(inner) || overlaps(inner.split('|'));
    const repeated = group[2] !== undefined && !/^\{[01]\}$/.test(group[2]);
    if (repeats && repeated) return true;
    rest = rest.slice(0, group.index) + (repeats || repeated ? 'x+' : 'x') + rest.slice(group.index + group[0].length);
  }
  return false;
}

/** Whether two alternatives may begin alike: only characters that stand for themselves tell (`x` stands for any of a class here). */
function overlaps(alternatives: readonly string[]): boolean {
  if (alternatives.length === 1) return false;
  const first = alternatives.map((one) => /^[A-Za-wyz0-9_:/-]/.exec(one)?.[0]);
  return first.includes(undefined) || new Set(first).size < first.length;
}

export function nonEmptySet(expected: Json, comparison: Comparison): ScalarSet | undefined {
  const set = prepareSet(expected, comparison);
  return set === undefined || set.values.size === 0 ? undefined : set;
}
