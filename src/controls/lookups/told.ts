import { isJsonObject, type Json } from '../../model/index.ts';
import { isRedacted } from '../language/values.ts';
import { textAt, valueAt } from './references.ts';

/** Reading what may have been withheld as a secret before it reached disk: a withheld value is none, and what it was is not known. */

/** A text as the provider gave it; null where there is none, or it was withheld. */
export function toldAt(document: Json | undefined, ...path: readonly string[]): string | null {
  const text = textAt(document, ...path);
  return text === null || isRedacted(text) ? null : text;
}

/** Whether there is something there, readable or not. */
export function isGiven(document: Json | undefined, ...path: readonly string[]): boolean {
  const value = valueAt(document, ...path);
  return value !== undefined && value !== null && value !== '';
}

/** Whether a withheld text lies anywhere within, keys left aside. Not deeper than documents are: beyond, it counts as withheld. */
export function holdsRedacted(value: Json | undefined, depth = 0): boolean {
  if (typeof value === 'string') return isRedacted(value);
  if (depth > 64) return true;
  if (Array.isArray(value)) return value.some((one) => holdsRedacted(one, depth + 1));
  return isJsonObject(value) && Object.values(value).some((one) => holdsRedacted(one, depth + 1));
}
