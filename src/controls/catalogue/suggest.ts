import { isLike } from '../../model/index.ts';
import { nearest } from '../../text/nearest.ts';

/** `did you mean …?` for the nearest known word, or undefined where none is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const found = nearest(word, known);
  return found === undefined ? undefined : `did you mean ${found}?`;
}

/** The control, or for a pattern the pattern that matches some, that a misspelt one most likely means. */
export function nearestControl(pattern: string, ids: readonly string[]): string | undefined {
  if (!pattern.includes('*')) return nearest(pattern, ids);
  const parts = pattern.split('-');
  // Words stand where those of the ids do, counted from the start or, after a first `*`, from the end.
  const candidates = ids.flatMap((id) => {
    const words = id.split('-');
    const side = pattern.startsWith('*') ? words.slice(-parts.length) : words;
    return side.length < parts.length ? [] : [parts.map((part, index) => (part.includes('*') ? part : side[index])).join('-')];
  });
  return nearest(
    pattern,
    [...new Set(candidates)].filter((candidate) => ids.some((id) => isLike(id, candidate))),
  );
}
