import { detect, type Detected } from './detector.ts';
import { type KeyBook, keyBook } from './keys.ts';
import { eachString, escapeOffsets, pathOf, unescapeContent, type Way } from './leaves.ts';
import { apart, inContent, inValue, ofContent, overlapping } from './parts.ts';
import { fieldRule, replacement, secretParts } from './rules.ts';

/** A piece of the page to be replaced; offsets are bytes of the page as received. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
  readonly pointer: string;
  readonly within?: string;
  readonly value: string;
  /** Of what lies in a key: see `replacement`. */
  readonly key?: number;
}

/** JSON inside JSON inside JSON: AWS rows are strings that hold policies as strings. Deeper is not read as JSON. */
const deepest = 3;

/** A JSON text: the page, or a string in it that is itself JSON. */
interface Level {
  readonly text: string;
  readonly pointer: string;
  readonly within: string;
  readonly depth: number;
  /** From an offset in the text to the offset in the page. */
  readonly toPage: (offset: number) => number;
  /** What was found in it while it was still a string: taken where the detector, asked again, finds nothing. */
  readonly hints: readonly Detected[];
}

/**
 * What is secret in a page, in no order. A cut lies within one string and never within half an escape, so that the page stays the JSON
 * that it is, and so does JSON in its strings. `text` holds one character per byte.
 */
export async function cutsOf(text: string): Promise<Cut[]> {
  const keys = keyBook();
  const hints = await detect(text);
  const page: Level = { text, pointer: '', within: '', depth: 0, toPage: (offset) => offset, hints };
  let cuts = await cutsBelow(page, keys);
  // Pointers lead through keys as they are stored: where one turned out to be a secret, all is traced once more.
  if (await keys.settle()) cuts = await cutsBelow(page, keys);
  return cuts;
}

async function cutsBelow(page: Level, keys: KeyBook): Promise<Cut[]> {
  const cuts: Cut[] = [];
  const levels = [page];
  for (let level = levels.pop(); level !== undefined; level = levels.pop()) {
    const { text, hints } = level;
    const found = hints.length === 0 ? hints : await detect(isolated(text));
    levels.push(...cutsAt(level, found.length > 0 ? found : hints, keys, cuts));
  }
  return cuts;
}

/** The text with its strings on lines of their own, key and value on one: a pattern that runs on to the next blank takes no more than one value. */
function isolated(text: string): string {
  const pieces: string[] = [];
  let last = 0;
  const keep = (_: Way, from: number, to: number): void => {
    pieces.push(text.slice(last, from).replace(/[,{}[\]]/g, '\n'), text.slice(from, to));
    last = to;
  };
  eachString(text, keep, keep);
  pieces.push(text.slice(last));
  return pieces.join('');
}

/** Cuts of one level; gives the JSON texts within it. */
function cutsAt(level: Level, found: readonly Detected[], keys: KeyBook, cuts: Cut[]): Level[] {
  const { text, depth, toPage } = level;
  const inner: Level[] = [];
  const cut = (from: number, raw: string, { start, end, rule }: Detected, way: Way, key?: number): void => {
    const here = pointerOf(way);
    // No JSON pointer goes on like this: withheld is the key, and not the value below it.
    const within = (depth === 0 ? '' : `${level.within}${here}`) + (key === undefined ? '' : '#key');
    cuts.push({
      start: toPage(from + start),
      end: toPage(from + end),
      rule,
      pointer: depth === 0 ? here : level.pointer,
      ...(within !== '' && { within }),
      value: utf8(unescapeContent(raw.slice(start, end))),
      ...(key !== undefined && { key }),
    });
  };
  /** Comes before what lies below the key: pointers lead through the key as it is stored, and never hold the secret. */
  const visitKey = (way: Way, from: number, to: number): void => {
    const raw = text.slice(from, to);
    const parts = keys.partsOf(raw);
    if (parts.length === 0) return;
    const step = way[way.length - 1] as Way[number];
    const first = cuts.length + 1;
    let stored = '';
    let at = 0;
    for (const [nth, { start, end, rule }] of parts.entries()) {
      stored += raw.slice(at, start) + replacement(rule, first + nth);
      at = end;
    }
    step.step = unescapeContent(stored + raw.slice(at));
    for (const [nth, part] of parts.entries()) cut(from, raw, part, way, first + nth);
  };
  const visit = (way: Way, from: number, to: number): void => {
    const raw = text.slice(from, to);
    const value = unescapeContent(raw);
    const rule = fieldRule(way, value);
    if (rule !== null) {
      cut(from, raw, { start: 0, end: raw.length, rule }, way);
      return;
    }
    const byForm = secretParts(value);
    const detected = overlapping(found, from, to);
    const some = byForm.length > 0 || detected.length > 0;
    // What only looks like JSON is looked through as the text that it is.
    if (depth < deepest && looksNested(value) && (!some || isJson(value))) {
      const here = pointerOf(way);
      let offsets: Uint32Array | undefined;
      const inRaw = (offset: number): number => (offsets ??= escapeOffsets(raw))[offset] ?? raw.length;
      inner.push({
        text: value,
        pointer: depth === 0 ? here : level.pointer,
        within: depth === 0 ? '' : `${level.within}${here}#`,
        depth: depth + 1,
        toPage: (offset) => toPage(from + inRaw(offset)),
        hints: detected.length === 0 ? detected : inValue(raw, ofContent(raw, detected, from)),
      });
      return;
    }
    if (some) for (const part of apart(raw, [...inContent(raw, byForm), ...ofContent(raw, detected, from)])) cut(from, raw, part, way);
  };
  eachString(text, visit, visitKey);
  return inner;
}

const pointerOf = (way: Way): string =>
  pathOf(way)
    .map((step) => `/${(typeof step === 'string' ? utf8(step) : String(step)).replace(/~/g, '~0').replace(/\//g, '~1')}`)
    .join('');

/** The text behind a value that was read one character per byte; characters beyond a byte came from escapes and stay. */
function utf8(value: string): string {
  if (!/[^\x00-\x7f]/.test(value)) return value;
  const bytes = Buffer.concat([...value].map((c) => ((c.codePointAt(0) ?? 0) > 255 ? Buffer.from(c, 'utf8') : Buffer.from(c, 'latin1'))));
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? value : text;
}

/** Whether a value reads like a JSON object or list, white space aside. */
function looksNested(value: string): boolean {
  const first = value.charCodeAt(0);
  // Printable, and neither a bracket nor a brace: most values.
  if (first > 32 && first < 127 && first !== 123 && first !== 91) return false;
  return value.length > 2 && /^\s*[[{]/.test(value);
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
