import { readFileSync, writeFileSync } from 'node:fs';

/** Changes one byte, found by `at` (negative: from the end). */
export function flip(file: string, at: number, mask = 0x01): void {
  const bytes = readFileSync(file);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  writeFileSync(file, bytes);
}

/** Replaces what is there; where nothing is, the test would show nothing. */
export function replace(file: string, from: string | RegExp, to: string | ((match: string) => string)): void {
  const before = readFileSync(file, 'latin1');
  const after = before.replace(from, (match) => (typeof to === 'string' ? to : to(match)));
  if (after === before) throw new Error(`nothing to replace in ${file}`);
  writeFileSync(file, after, 'latin1');
}
