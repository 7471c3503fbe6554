import { detect, type Detected } from './detector.ts';
import { apart, inContent, ofContent } from './parts.ts';
import { ownCopy, unescapeContent } from './leaves.ts';
import { secretParts } from './rules.ts';

/** Shorter texts are no secrets to any rule. */
const shortest = 8;

/** Keys without a secret, which repeat from record to record; those that do not must not fill the memory. */
let clean = new Set<string>();
const cleanRemembered = 20_000;
const longestRemembered = 256;

/** Secrets that are keys, or parts of keys, of one page. */
export interface KeyBook {
  /** Secrets of a key, by its content with escapes; those of a key not met before are known once `settle` has run. */
  partsOf(raw: string): readonly Detected[];
  /** Looks through the keys that were met; tells whether one of them holds a secret. */
  settle(): Promise<boolean>;
}

const none: readonly Detected[] = [];

export function keyBook(): KeyBook {
  const secret = new Map<string, readonly Detected[]>();
  const met = new Set<string>();
  return {
    partsOf(raw) {
      if (raw.length < shortest || clean.has(raw)) return none;
      const known = secret.get(raw);
      if (known === undefined) met.add(raw);
      return known ?? none;
    },
    async settle() {
      const keys = [...met];
      met.clear();
      // Apart from their values: what begins in a key and goes on in the value is about the value.
      const found = keys.length === 0 ? none : await detect(keys.join('\n'));
      let from = 0;
      let next = 0;
      let some = false;
      for (const raw of keys) {
        const to = from + raw.length;
        let own: Detected[] = [];
        let beyond = false;
        for (let one = found[next]; one !== undefined && one.start < to; one = found[next]) {
          own.push({ ...one, start: one.start - from, end: one.end - from });
          beyond ||= one.start < from || one.end > to;
          if (one.end > to) break;
          next += 1;
        }
        // What runs over several keys is a secret of none of them, as far as it shows: each is asked about alone.
        if (beyond) own = await detect(raw);
        const parts = apart(raw, [...inContent(raw, secretParts(unescapeContent(raw))), ...ofContent(raw, own, 0)]);
        if (parts.length > 0) {
          secret.set(raw, parts);
          some = true;
        } else if (raw.length <= longestRemembered) {
          if (clean.size >= cleanRemembered) clean = new Set();
          clean.add(ownCopy(raw));
        }
        from = to + 1;
      }
      return some;
    },
  };
}
