import { createHash, createHmac } from 'node:crypto';
import type { Redaction } from '../../model/index.ts';
import { detect } from './detector.ts';
import { eachString, escapeOffsets, pathOf, unescapeContent, type Way } from './leaves.ts';
import { fieldRule, replacement, secretParts } from './rules.ts';

export interface RedactedPage {
  readonly bytes: Uint8Array;
  readonly redactions: Redaction[];
}

/** A piece of the page to be replaced; offsets are bytes of the page as received. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
  readonly pointer: string;
  readonly within?: string;
  readonly value: string;
}

/** JSON inside JSON inside JSON: AWS rows are strings that hold policies as strings. Deeper is not read as JSON. */
const deepest = 3;

const pointerOf = (way: Way): string =>
  pathOf(way)
    .map((step) => `/${String(step).replace(/~/g, '~0').replace(/\//g, '~1')}`)
    .join('');

/** The text behind a value that was read one character per byte; characters beyond a byte came from escapes and stay. */
function utf8(value: string): string {
  const bytes = Buffer.concat([...value].map((c) => ((c.codePointAt(0) ?? 0) > 255 ? Buffer.from(c, 'utf8') : Buffer.from(c, 'latin1'))));
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

interface Place {
  readonly pointer: string;
  readonly within: string;
  readonly depth: number;
  /** From an offset in the text at hand to the offset in the page. */
  readonly toPage: (offset: number) => number;
}

/** Whether a value reads like a JSON object or list, white space aside. */
function looksNested(value: string): boolean {
  const first = value.charCodeAt(0);
  // Printable, and neither a bracket nor a brace: most values.
  if (first > 32 && first < 127 && first !== 123 && first !== 91) return false;
  return value.length > 2 && /^\s*[[{]/.test(value);
}

function cutsIn(text: string, place: Place, cuts: Cut[]): Cut[] {
  eachString(text, (way, from, to) => {
    const raw = text.slice(from, to);
    const value = unescapeContent(raw);
    const rule = fieldRule(way, value);
    const parts = rule === null ? secretParts(value) : [];
    const nested = rule === null && place.depth < deepest && looksNested(value);
    if (rule === null && parts.length === 0 && !nested) return;

    const here = pointerOf(way);
    const pointer = place.depth === 0 ? here : place.pointer;
    const within = place.depth === 0 ? '' : `${place.within}${here}`;
    const cut = (start: number, end: number, by: string): void => {
      cuts.push({
        start: place.toPage(from + start),
        end: place.toPage(from + end),
        rule: by,
        pointer,
        ...(within !== '' && { within }),
        value: utf8(unescapeContent(raw.slice(start, end))),
      });
    };
    if (rule !== null) {
      cut(0, raw.length, rule);
      return;
    }
    let offsets: Uint32Array | undefined;
    const inRaw = (offset: number): number => (offsets ??= escapeOffsets(raw))[offset] ?? raw.length;
    if (nested) {
      const before = place.depth === 0 ? '' : `${within}#`;
      const toPage = (offset: number): number => place.toPage(from + inRaw(offset));
      cutsIn(value, { pointer, within: before, depth: place.depth + 1, toPage }, cuts);
    }
    for (const part of parts) cut(inRaw(part.start), inRaw(part.end), part.rule);
  });
  return cuts;
}

/** What the maintained detector finds, traced to the value it lies in. */
async function detected(text: string): Promise<Cut[]> {
  const found = await detect(text);
  if (found.length === 0) return [];
  const cuts: Cut[] = [];
  let first = 0;
  eachString(text, (way, from, to) => {
    // Both come in order: what ended before this value is done with.
    while ((found[first]?.end ?? Number.POSITIVE_INFINITY) <= from) first += 1;
    for (let at = first; at < found.length; at += 1) {
      const one = found[at] as (typeof found)[number];
      if (one.start >= to) break;
      // A finding may begin in the key before the value: only the value is replaced.
      const [start, end] = [Math.max(one.start, from), Math.min(one.end, to)];
      cuts.push({ start, end, rule: one.rule, pointer: pointerOf(way), value: utf8(unescapeContent(text.slice(start, end))) });
    }
  });
  return cuts;
}

/** In order and apart: of two that overlap the first is whole, and the other what it left. */
function apart(text: string, cuts: readonly Cut[]): Cut[] {
  const left: Cut[] = [];
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (cut.end <= at) continue;
    left.push(cut.start >= at ? cut : { ...cut, start: at, value: utf8(unescapeContent(text.slice(at, cut.end))) });
    at = cut.end;
  }
  return left;
}

/**
 * Replaces secret-bearing values of a page in place before it reaches disk: the page stays valid JSON and every other byte
 * stays as received. `key` is the run's own secret: each value is committed to by SHA-256(salt ‖ value) with
 * salt = HMAC-SHA256(key, `directory/file#pointer#within`), so that a disclosed value can be matched, and a weak one not guessed.
 */
export async function redactPage(received: Uint8Array, location: string, key: Uint8Array): Promise<RedactedPage> {
  // One character per byte: offsets are bytes, and bytes that are no UTF-8 survive.
  const text = Buffer.from(received.buffer, received.byteOffset, received.byteLength).toString('latin1');
  const byRule = cutsIn(text, { pointer: '', within: '', depth: 0, toPage: (offset) => offset }, []);
  const found = apart(text, [...byRule, ...(await detected(text))]);
  if (found.length === 0) return { bytes: received, redactions: [] };
  const pieces: string[] = [];
  const redactions: Redaction[] = [];
  let at = 0;
  for (const cut of found) {
    pieces.push(text.slice(at, cut.start), replacement(cut.rule));
    at = cut.end;
    const salt = redactionSalt(key, location, cut.pointer, cut.within);
    redactions.push({
      pointer: cut.pointer,
      ...(cut.within !== undefined && { within: cut.within }),
      rule: cut.rule,
      commitment: createHash('sha256').update(salt).update(cut.value, 'utf8').digest('hex'),
    });
  }
  pieces.push(text.slice(at));
  return { bytes: Buffer.from(pieces.join(''), 'latin1'), redactions };
}

/** The salt of one redaction; disclosed together with the value, never part of a pack. */
export function redactionSalt(key: Uint8Array, location: string, pointer: string, within: string | undefined): Buffer {
  return createHmac('sha256', key)
    .update(`${location}#${pointer}#${within ?? ''}`)
    .digest();
}
