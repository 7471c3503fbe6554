import { marker } from '../../evidence/redaction/rules.ts';
import type { Json } from '../../model/index.ts';

/** Kleene's three values. Numbers, so that a leaf costs no allocation. */
export const TRUE = 1;
export const FALSE = 0;
export const UNKNOWN = -1;
export type Tri = typeof TRUE | typeof FALSE | typeof UNKNOWN;

export function negate(value: Tri): Tri {
  return value === UNKNOWN ? UNKNOWN : value === TRUE ? FALSE : TRUE;
}

export function triName(value: Tri): 'true' | 'false' | 'unknown' {
  return value === TRUE ? 'true' : value === FALSE ? 'false' : 'unknown';
}

/**
 * Why there is no value:
 * `missing`: the container is there, the key is not; `no-container`: a container on the way is not there;
 * `type`: a container on the way, or the value, has another JSON type than needed; `absent`: the looked-up record certainly does not exist;
 * `unresolved`: everything else (a lookup that cannot be settled, an undecodable text, an undecided filter).
 */
export type VoidKind = 'missing' | 'no-container' | 'type' | 'absent' | 'unresolved';

/** Stands where a value could not be had. Never a Json value, so that no operator can mistake it for one. */
export class Void {
  readonly kind: VoidKind;
  /** Short stable code for the leaf: `missing`, `type`, `lookup-incomplete`, `undecodable`. */
  readonly code: string;
  /** Sentence fragment for people. */
  readonly because: string;
  constructor(kind: VoidKind, code: string, because: string) {
    this.kind = kind;
    this.code = code;
    this.because = because;
  }
}

export const MISSING = new Void('missing', 'missing', 'it is not in the collected evidence');
export const NO_CONTAINER = new Void('no-container', 'missing', 'what should contain it is not in the collected evidence');
export const MISTYPED = new Void('type', 'type', 'the evidence holds another type of value there');
export const REDACTED = new Void('unresolved', 'redacted', 'it was withheld as a secret before it reached disk');
export const UNLISTED = new Void('unresolved', 'unlisted', 'which is none of the values that the control knows of');
export const NONE_MATCHED = new Void('missing', 'none-matched', 'no entry of the list matches');

/** A text that holds a withheld part says nothing about the whole: only that something was there. */
export function isRedacted(value: unknown): boolean {
  return typeof value === 'string' && value.includes(marker);
}

/** A list whose elements may come from several records, and which may be known in part only. */
export class ListValue {
  readonly items: readonly Json[];
  /** Index into the outcome's citations for each item, or -1 to cite the record when a verdict rests on it. */
  readonly sources: readonly number[] | number;
  /** Reads the citation index of an item on demand; null where `sources` holds it. */
  readonly cite: ((index: number) => number) | null;
  readonly complete: boolean;
  readonly because: string;
  constructor(
    items: readonly Json[],
    sources: readonly number[] | number,
    cite: ((index: number) => number) | null,
    complete: boolean,
    because: string,
  ) {
    this.items = items;
    this.sources = sources;
    this.cite = cite;
    this.complete = complete;
    this.because = because;
  }
}

export type Value = Json | Void | ListValue;

export type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'list' | 'object';

export function jsonType(value: Json): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  return typeof value as JsonType;
}

const maxText = 256;
const maxEntries = 12;
const maxDepth = 3;

/** A copy for the record of what was seen, bounded in length, breadth and depth; each cut is visible. */
export function cutValue(value: Json, depth = 0): Json {
  if (typeof value === 'string') return value.length <= maxText ? value : cutText(value, maxText);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    if (depth >= maxDepth) return `… (list of ${value.length})`;
    const cut: Json[] = [];
    for (let index = 0; index < value.length && index < maxEntries; index++) cut.push(cutValue(value[index] as Json, depth + 1));
    if (value.length > maxEntries) cut.push(`… (${value.length - maxEntries} more)`);
    return cut;
  }
  const keys = Object.keys(value);
  if (depth >= maxDepth) return `… (object of ${keys.length})`;
  const entries: [string, Json][] = [];
  for (let index = 0; index < keys.length && index < maxEntries; index++) {
    const key = keys[index] as string;
    entries.push([cutText(key, maxText), cutValue(value[key] as Json, depth + 1)]);
  }
  if (keys.length > maxEntries) entries.push(['…', `(${keys.length - maxEntries} more)`]);
  return Object.fromEntries(entries); // defines own properties, `__proto__` included
}

/** Cuts between characters, never inside a surrogate pair. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = /[\uD800-\uDBFF]/.test(text[limit - 1] ?? '') ? limit - 1 : limit;
  return `${text.slice(0, end)}… (${text.length} characters)`;
}
