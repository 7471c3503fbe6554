import type { Detected } from './detector.ts';
import { escapeOffsets } from './leaves.ts';

/** Findings that touch a stretch of the text they were made in: they come in order and do not overlap. */
export function overlapping(found: readonly Detected[], from: number, to: number): readonly Detected[] {
  if (found.length === 0) return found;
  let [low, high] = [0, found.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((found[middle] as Detected).end <= from) low = middle + 1;
    else high = middle;
  }
  const own: Detected[] = [];
  for (let at = low; at < found.length && (found[at] as Detected).start < to; at += 1) own.push(found[at] as Detected);
  return own;
}

/** Parts of a value, as parts of its content with escapes. */
export function inContent(raw: string, parts: readonly Detected[]): Detected[] {
  if (parts.length === 0) return [];
  const offsets = escapeOffsets(raw);
  return parts.map(({ start, end, rule }) => ({ start: offsets[start] ?? raw.length, end: offsets[end] ?? raw.length, rule }));
}

/** Findings of a text as parts of the content that begins at `from` in it, widened to whole escapes. */
export function ofContent(raw: string, found: readonly Detected[], from: number): Detected[] {
  if (found.length === 0) return [];
  const offsets = escapeOffsets(raw);
  return found.map(({ start, end, rule }) => ({
    start: offsets[lastUpTo(offsets, Math.max(0, start - from))] ?? 0,
    end: offsets[firstFrom(offsets, Math.min(raw.length, end - from))] ?? raw.length,
    rule,
  }));
}

/** Parts of a content with escapes, as parts of the value. */
export function inValue(raw: string, parts: readonly Detected[]): Detected[] {
  const offsets = escapeOffsets(raw);
  return parts.map(({ start, end, rule }) => ({ start: firstFrom(offsets, start), end: firstFrom(offsets, end), rule }));
}

function firstFrom(sorted: Uint32Array, wanted: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastUpTo(sorted: Uint32Array, wanted: number): number {
  const at = firstFrom(sorted, wanted);
  return sorted[at] === wanted ? at : at - 1;
}

/** A byte within a letter of several, where a text holds one character per byte. */
const isWithinLetter = (code: number): boolean => (code & 0xff_c0) === 0x80;

/** The part with the letters whole that it begins and ends in. */
function whole(raw: string, { start, end, rule }: Detected): Detected {
  while (start > 0 && isWithinLetter(raw.charCodeAt(start))) start -= 1;
  while (end < raw.length && isWithinLetter(raw.charCodeAt(end))) end += 1;
  return { start, end, rule };
}

/** Parts of a content in order and apart, no letter cut in two: of two that overlap the first is whole, and the other what it left. */
export function apart(raw: string, parts: readonly Detected[]): Detected[] {
  const left: Detected[] = [];
  let at = 0;
  const letters = parts.map((part) => whole(raw, part));
  for (const part of letters.sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (part.end <= at) continue;
    left.push(part.start >= at ? part : { ...part, start: at });
    at = part.end;
  }
  return left;
}
