import { nearest } from '../../text/nearest.ts';

/** `did you mean …?` for the nearest known word, or undefined where none is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const found = nearest(word, known);
  return found === undefined ? undefined : `did you mean ${found}?`;
}
