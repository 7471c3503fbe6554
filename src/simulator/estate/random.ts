/** A deterministic source: every value depends on the seed and the names given, never on the order of calls elsewhere. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** Integer in [0, bound). */
  int(bound: number): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** Picks by weight. */
  weighted<T extends string>(table: Readonly<Record<T, number>>): T;
  hex(length: number): string;
  digits(length: number): string;
  /** Upper-case letters and digits, as in IAM unique ids. */
  code(length: number): string;
  guid(): string;
}

/** FNV-1a over UTF-16 units, finished with a mixer: stable across platforms. */
export function hash32(text: string, basis = 0x811c9dc5): number {
  let h = basis >>> 0;
  for (let i = 0; i < text.length; i += 1) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A generator for the given names. */
export function random(seed: number, ...names: readonly (string | number)[]): Random {
  const text = names.join('\u0000');
  let a = hash32(text, (0x811c9dc5 ^ Math.imul(seed | 0, 0x9e3779b1)) >>> 0);
  const next = (): number => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (bound: number): number => Math.floor(next() * bound);
  const from = (alphabet: string, length: number): string => {
    let out = '';
    for (let i = 0; i < length; i += 1) out += alphabet[int(alphabet.length)] ?? '';
    return out;
  };
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick<T>(values: readonly T[]): T {
      if (values.length === 0) throw new Error('nothing to pick from');
      return values[int(values.length)] as T;
    },
    weighted<T extends string>(table: Readonly<Record<T, number>>): T {
      const names = Object.keys(table) as T[];
      let sum = 0;
      for (const name of names) sum += table[name];
      let at = next() * sum;
      for (const name of names) {
        at -= table[name];
        if (at < 0) return name;
      }
      return names[names.length - 1] as T;
    },
    hex: (length) => from('0123456789abcdef', length),
    digits: (length) => from('123456789', 1) + from('0123456789', length - 1),
    code: (length) => from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', length),
    guid: () =>
      `${from('0123456789abcdef', 8)}-${from('0123456789abcdef', 4)}-4${from('0123456789abcdef', 3)}-${from('89ab', 1)}${from('0123456789abcdef', 3)}-${from('0123456789abcdef', 12)}`,
  };
}
