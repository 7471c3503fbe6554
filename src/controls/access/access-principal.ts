import type { Citation, Json, JsonObject } from '../../model/index.ts';
import type { IndexedRecord } from '../types.ts';

/** Someone who can read a store, by the evidence. */
export interface Reader {
  readonly principal: string;
  readonly kind: string;
  readonly via: string;
  readonly inheritedFrom?: string;
  readonly conditional: boolean;
  readonly wide: boolean;
  /** The record that holds the right: the policy or role with the permission, the access list, the binding. */
  readonly citation: Citation;
  /** Where another record gives it to the principal: those on the way, the one that names the principal last. */
  readonly through?: readonly Citation[];
}

/** What one provider's analysis finds for a store. */
export type Analysis =
  | {
      readonly outcome: 'found';
      readonly world: 'key-boundary' | 'data-roles';
      readonly readers: readonly Reader[];
      readonly unsettled: readonly string[];
      /** Null when every table it rests on is whole. */
      readonly gap: string | null;
      /** What the verdict of a condition over the readers rests on. */
      readonly records: readonly IndexedRecord[];
    }
  | { readonly outcome: 'unknown'; readonly world: 'key-boundary' | 'data-roles'; readonly because: string };

const forConditions = new WeakMap<Reader, JsonObject>();

/** A reader as conditions see it: the same object for the same reader, who may read thousands of stores. */
export function readerJson(reader: Reader): JsonObject {
  const known = forConditions.get(reader);
  if (known !== undefined) return known;
  const { principal, kind, via, wide, conditional, inheritedFrom } = reader;
  const json: Record<string, Json> = { principal, kind, via, wide, conditional };
  if (inheritedFrom !== undefined) json['inheritedFrom'] = inheritedFrom;
  forConditions.set(reader, json);
  return json;
}

const forLines = new WeakMap<Reader, string>();

/** A reader as a line of `readers.ndjson` shows it, as JSON. */
export function readerLine(reader: Reader): string {
  let line = forLines.get(reader);
  if (line === undefined) forLines.set(reader, (line = JSON.stringify(reader)));
  return line;
}

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Wide ones first, then by name; the same principal by the same way once. */
export function orderReaders(readers: readonly Reader[]): Reader[] {
  const distinct = new Map<string, Reader>();
  for (const reader of readers) {
    const key = `${reader.principal}\u0000${reader.via}\u0000${reader.inheritedFrom ?? ''}`;
    const known = distinct.get(key);
    if (!known || (known.conditional && !reader.conditional)) distinct.set(key, reader);
  }
  return [...distinct.values()].sort((a, b) => Number(b.wide) - Number(a.wide) || text(a.principal, b.principal) || text(a.via, b.via));
}
