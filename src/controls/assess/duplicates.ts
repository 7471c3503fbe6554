import { getRandomValues } from 'node:crypto';
import type { EvidenceReader, StoredQuery } from '../../evidence/reader.ts';
import type { Resource } from '../../model/index.ts';
import { sameJson } from '../lookups/table-index.ts';
import { ledgerType } from '../lookups/table.ts';

/** What is known of a record when it is met. */
export type Encounter =
  { readonly kind: 'first' } | { readonly kind: 'identical' } | { readonly kind: 'different'; readonly earlier: Resource };

export interface DuplicateRegister {
  /** Announces the page whose records follow. */
  page(stored: StoredQuery, at: number): void;
  meet(resource: Resource): Promise<Encounter> | Encounter;
}

/**
 * Tells records met again from new ones in 16 bytes each: a hash, and the page where the record was first met.
 * The page is read again to compare, so a collision of hashes costs time, never truth.
 */
export function duplicateRegister(reader: EvidenceReader): DuplicateRegister {
  let capacity = 1 << 12;
  let table = new Uint32Array(capacity * 3);
  let count = 0;
  const pages: { stored: StoredQuery; at: number }[] = [];
  let cached: { page: number; records: Map<string, Resource> } | null = null;

  /** One number for each kind, type and scope: the same uid may stand in several. */
  const seeds = new Map<string, number>();
  let lastSeed = { type: '', account: '', region: '', kind: '', seed: 0 };
  const seedOf = ({ kind, type, scope }: Resource): number => {
    if (lastSeed.type === type && lastSeed.account === scope.account && lastSeed.region === scope.region && lastSeed.kind === kind)
      return lastSeed.seed;
    const key = `${kind}\u0000${type}\u0000${scope.account}\u0000${scope.region}`;
    let seed = seeds.get(key);
    if (seed === undefined) seeds.set(key, (seed = Math.imul(seeds.size + 1, 0x9e3779b1)));
    lastSeed = { type, account: scope.account, region: scope.region, kind, seed };
    return seed;
  };
  const identity = (resource: Resource): string =>
    `${ledgerType(resource)}\u0000${resource.scope.account}\u0000${resource.scope.region}\u0000${resource.uid}`;

  function grow(): void {
    const old = table;
    capacity *= 2;
    table = new Uint32Array(capacity * 3);
    for (let at = 0; at < old.length; at += 3)
      if (old[at + 2] !== 0) insert(old[at] as number, old[at + 1] as number, old[at + 2] as number);
  }

  function insert(high: number, low: number, page: number): void {
    let slot = (high & (capacity - 1)) * 3;
    while (table[slot + 2] !== 0) slot = slot + 3 === table.length ? 0 : slot + 3;
    table[slot] = high;
    table[slot + 1] = low;
    table[slot + 2] = page;
  }

  async function recordsOf(page: number): Promise<Map<string, Resource>> {
    if (cached?.page === page) return cached.records;
    const records = new Map<string, Resource>();
    const { stored, at } = pages[page - 1] as (typeof pages)[number];
    const only: StoredQuery = { ...stored, query: { ...stored.query, pages: stored.query.pages.slice(at, at + 1) } };
    const ignore = (): void => undefined;
    for await (const one of reader.pages(only, ignore)) {
      for (const record of reader.recordsOf(stored, one, ignore)) {
        if (record.record !== 'resource') continue;
        const key = identity(record.resource);
        if (!records.has(key)) records.set(key, record.resource);
      }
    }
    cached = { page, records };
    return records;
  }

  async function compare(resource: Resource, candidates: readonly number[], high: number, low: number): Promise<Encounter> {
    const key = identity(resource);
    for (const page of candidates) {
      const earlier = (await recordsOf(page)).get(key);
      if (!earlier) continue;
      return sameJson(earlier.document, resource.document) ? { kind: 'identical' } : { kind: 'different', earlier };
    }
    insert(high, low, pages.length);
    count += 1;
    return { kind: 'first' };
  }

  return {
    page(stored, at) {
      pages.push({ stored, at });
    },
    meet(resource) {
      if (count * 2 >= capacity) grow();
      hash64(resource.uid, seedOf(resource));
      const high = hashed[0] as number;
      const low = hashed[1] as number;
      const candidates: number[] = [];
      let slot = (high & (capacity - 1)) * 3;
      while (table[slot + 2] !== 0) {
        if (table[slot] === high && table[slot + 1] === low) candidates.push(table[slot + 2] as number);
        slot = slot + 3 === table.length ? 0 : slot + 3;
      }
      if (candidates.length > 0) return compare(resource, candidates, high, low);
      insert(high, low, pages.length);
      count += 1;
      return { kind: 'first' };
    },
  };
}

const hashed = new Uint32Array(2);

/** Another in each process: names chosen so that they collide would have every page read again for each of them. */
const [startA, startB] = getRandomValues(new Int32Array(2)) as unknown as [number, number];

/** 64 bits in two unsigned halves (cyrb53's mixing), left in `hashed`. */
function hash64(text: string, seed: number): void {
  let a = startA ^ seed;
  let b = startB ^ seed;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  hashed[0] = b;
  hashed[1] = a;
}
