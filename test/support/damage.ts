import { parsePath, readPath } from '../../src/controls/language/paths.ts';
import type { Json } from '../../src/model/index.ts';

/** Ways of losing evidence: one value of a document deleted, set to null, or given another JSON type. */
export const losses = ['delete', 'null', 'retype'] as const;

/** A loss, or a text put in a value's place that nobody has heard of. */
export interface Damage {
  readonly kind: (typeof losses)[number] | 'reword';
  readonly path: readonly (string | number)[];
}

type Container = Record<string, Json> | Json[];

function at(document: Json, path: readonly (string | number)[]): Json | undefined {
  let value: Json | undefined = document;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, Json>)[step];
  }
  return value;
}

/** The document's own spelling of a path, as far as it exists; keys without case where told so. */
function spelled(document: Json, segments: readonly (string | number)[], caseless: boolean): (string | number)[] {
  const found: (string | number)[] = [];
  let value: Json | undefined = document;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null) break;
    const container: Container = value;
    const step: string | number | undefined =
      typeof segment === 'number'
        ? Array.isArray(container)
          ? segment < 0
            ? container.length + segment
            : segment
          : undefined
        : Object.keys(container).find((key) => (caseless ? key.toLowerCase() === segment.toLowerCase() : key === segment));
    if (step === undefined || (container as Record<string | number, Json>)[step] === undefined) break;
    found.push(step);
    value = (container as Record<string | number, Json>)[step];
  }
  return found;
}

/** Every damage to what the paths read: the value itself, what contains it, and all that lies inside it. */
export function damagesOf(
  document: Json,
  reads: readonly string[] | '*',
  caseless: boolean,
  kinds: readonly Damage['kind'][] = losses,
): Damage[] {
  const targets = new Map<string, (string | number)[]>();
  const add = (path: (string | number)[]): void => {
    if (path.length > 0) targets.set(JSON.stringify(path), path);
  };
  const below = (value: Json | undefined, path: (string | number)[]): void => {
    add(path);
    if (typeof value !== 'object' || value === null || targets.size > 5000) return;
    if (Array.isArray(value)) value.forEach((entry, index) => below(entry, [...path, index]));
    else for (const [key, entry] of Object.entries(value)) below(entry, [...path, key]);
  };
  for (const read of reads === '*' ? [null] : reads) {
    const wanted = read === null ? [] : parsePath(readPath(read)).segments;
    const path = spelled(document, wanted, caseless);
    for (let length = 1; length <= path.length; length++) add(path.slice(0, length));
    // Inside something of which only the presence or the emptiness counts there is no field that the control reads.
    if (path.length === wanted.length && (read === null || readPath(read) === read)) below(at(document, path), path);
  }
  return [...targets.values()].flatMap((path) =>
    kinds.filter((kind) => kind !== 'reword' || typeof at(document, path) === 'string').map((kind): Damage => ({ kind, path })),
  );
}

/** A type that no condition takes for the old one: lists and objects become text, text and booleans a number, numbers a text. */
function retyped(value: Json | undefined): Json {
  if (typeof value === 'number') return 'damaged';
  if (typeof value === 'object' && value !== null) return 7;
  return typeof value === 'string' ? 7 : 'damaged';
}

/** A damaged copy. */
export function damaged(document: Json, damage: Damage): Json {
  const copy = structuredClone(document);
  const parent = at(copy, damage.path.slice(0, -1)) as Container;
  const key = damage.path.at(-1) as string | number;
  if (damage.kind === 'reword') (parent as Record<string | number, Json>)[key] = 'Unheard-of';
  else if (damage.kind === 'null') (parent as Record<string | number, Json>)[key] = null;
  else if (damage.kind === 'retype')
    (parent as Record<string | number, Json>)[key] = retyped((parent as Record<string | number, Json>)[key]);
  else if (Array.isArray(parent))
    (parent as (Json | undefined)[])[key as number] = null; // the entry is lost, not the knowledge that there was one
  else delete parent[key as string];
  return copy;
}

/** A repeatable choice of at most `size` members. */
export function sampled<T>(all: readonly T[], size: number, seed: string): T[] {
  if (all.length <= size) return [...all];
  let state = 2_166_136_261;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 16_777_619);
  const next = (): number => {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9;
    return (state >>> 0) / 2 ** 32;
  };
  return all
    .map((value) => ({ value, order: next() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, size)
    .map(({ value }) => value);
}
