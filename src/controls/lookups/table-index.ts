import { type Json, type JsonObject, type Provider, type Resource, unstated } from '../../model/index.ts';
import { compileProjection, namesWithoutCase } from '../language/paths.ts';
import { isRedacted } from '../language/values.ts';
import { holdsRedacted } from './told.ts';
import { type Home, type Hop, ledgerType, type LookupTable, type Resolution } from './table.ts';
import { lookupTable, tablesNeeded } from './tables.ts';
import type { IndexedRecord, LookupResult } from '../types.ts';

/** Why a home's evidence is not whole; null when it is. */
export type HomeGap = (provider: Provider, home: Home) => string | null;
/** Why a record may not be relied on (older than its limit); null when it may. */
export type RecordGap = (record: { readonly capturedAt: string | null; readonly provider: Provider }) => string | null;

interface Entry {
  readonly record: IndexedRecord;
  readonly provider: Provider;
  /** The same thing was recorded with different contents: whichever is right, nothing can rest on it. */
  conflict: boolean;
}

interface TableState {
  readonly table: LookupTable;
  readonly project: (document: JsonObject) => JsonObject;
  readonly entries: Map<string, Entry | Entry[]>;
  /** What single lookups found, by where the asking resource lives and by key: a thousand stores name one key. */
  readonly hits: Map<string, Map<string, LookupResult>>;
  /** A record that is not entered under its full name, because that was withheld as a secret or is not there: it may be any that is not found. */
  nameless: string | null;
}

export interface TableIndex {
  /** Ledger types (`AWS::KMS::Key`, `iam-policy:…`) whose records belong into some table. */
  readonly types: ReadonlySet<string>;
  add(resource: Resource): void;
  readonly lookup: (table: string, key: Json, many: boolean, from: Resource) => LookupResult;
  /** Records held, for measurements. */
  readonly size: number;
}

/** Reads of several checks together: `*` wins, else the union of the paths. */
export function mergeReads(all: Iterable<ReadonlyMap<string, readonly string[] | '*'>>): Map<string, readonly string[] | '*'> {
  const merged = new Map<string, Set<string> | '*'>();
  for (const reads of all) {
    for (const [name, paths] of reads) {
      const known = merged.get(name) ?? new Set<string>();
      if (paths === '*' || known === '*') merged.set(name, '*');
      else {
        for (const path of paths) known.add(path);
        merged.set(name, known);
      }
    }
  }
  return new Map([...merged].map(([name, paths]) => [name, paths === '*' ? '*' : [...paths].sort()]));
}

/** Where nothing is said about age, a record may be relied on. */
const anyAge: RecordGap = () => null;

/**
 * An index over the records of the tables that `reads` names, holding only the paths read.
 * Fill it with `add`, then look up. Throws for a name that is no table.
 */
export function tableIndex(
  reads: ReadonlyMap<string, readonly string[] | '*'>,
  homeGap: HomeGap,
  recordGap: RecordGap = anyAge,
): TableIndex {
  const states = new Map<string, TableState>();
  const byType = new Map<string, TableState[]>();
  const needed = tablesNeeded(reads.keys());
  // A table that others go through keeps what they read besides its own.
  for (const table of needed) {
    const asked = reads.get(table.name);
    const paths = asked === '*' ? '*' : [...new Set([...(asked ?? []), ...table.keeps])];
    const state: TableState = {
      table,
      project: compileProjection(paths, namesWithoutCase(table.provider)),
      entries: new Map(),
      hits: new Map(),
      nameless: null,
    };
    states.set(table.name, state);
    for (const source of table.sources) {
      const type = ledgerType(source);
      byType.set(type, [...(byType.get(type) ?? []), state]);
    }
  }
  let size = 0;
  /** Hits held over all tables. */
  let remembered = 0;
  const resolutions = new Map<string, Resolution>();

  function put(state: TableState, key: string, entry: Entry): void {
    const known = state.entries.get(key);
    if (known === undefined) {
      state.entries.set(key, entry);
      return;
    }
    const list = Array.isArray(known) ? known : [known];
    const twin = list.find((one) => one.record.uid === entry.record.uid) ?? (state.table.identity === 'key' ? list[0] : undefined);
    if (twin) {
      if (!sameJson(twin.record.document, entry.record.document)) twin.conflict = true;
      return;
    }
    state.entries.set(key, [...list, entry]);
  }

  function hop(table: string, key: string, from: Resource): Hop {
    const result = lookup(table, key, false, from);
    if (result.outcome !== 'found') return result;
    const [record] = result.records;
    return record
      ? { outcome: 'found', document: record.document }
      : { outcome: 'unknown', because: `${table} holds nothing under \`${key}\`` };
  }

  const regionOf = (from: Resource): string =>
    typeof from.document['awsRegion'] === 'string' ? from.document['awsRegion'] : from.scope.region;

  function resolve(state: TableState, key: string, from: Resource): Resolution {
    // A family that reads the subject itself depends on more than where it lives.
    const memo = state.table.readsSubject ? null : `${state.table.name}\u0000${key}\u0000${from.account}\u0000${regionOf(from)}`;
    const known = memo === null ? undefined : resolutions.get(memo);
    if (known) return known;
    const made = told(state.table.resolve(key, from, hop));
    if (memo !== null) {
      if (resolutions.size > 20_000) resolutions.clear();
      resolutions.set(memo, made);
    }
    return made;
  }

  function lookup(name: string, key: Json, many: boolean, from: Resource): LookupResult {
    const state = states.get(name);
    if (!state) throw new Error(lookupTable(name) ? `table ${name} was not indexed` : `no lookup table is named ${name}`);
    if (typeof key !== 'string') return { outcome: 'unknown', because: 'the reference is not a name' };
    // A record that was found stays found; misses and lists depend on how whole the evidence turns out to be.
    if (many || state.table.readsSubject) return search(state, key, many, from);
    const place = `${from.account}/${regionOf(from)}`;
    let known = state.hits.get(place);
    if (known === undefined) state.hits.set(place, (known = new Map<string, LookupResult>()));
    const before = known.get(key);
    if (before !== undefined) return before;
    const result = search(state, key, many, from);
    if (result.outcome === 'found') {
      if (remembered >= 50_000) forget();
      remembered += 1;
      known.set(key, result);
    }
    return result;
  }

  function forget(): void {
    if (remembered === 0) return;
    for (const { hits } of states.values()) for (const found of hits.values()) found.clear();
    remembered = 0;
  }

  function search(state: TableState, key: string, many: boolean, from: Resource): LookupResult {
    if (key.trim() === '') return { outcome: 'unknown', because: 'the reference is not a name' };
    const resolution = resolve(state, key, from);
    if (resolution.outcome !== 'keys') return resolution;
    const hits: Entry[] = [];
    for (const candidate of resolution.keys) {
      const entry = state.entries.get(candidate);
      if (entry === undefined) continue;
      for (const one of Array.isArray(entry) ? entry : [entry]) if (!hits.includes(one)) hits.push(one);
      if (!many && hits.length > 0) break;
    }
    if (many) return manyOf(state, hits, resolution);
    const [hit, second] = hits;
    if (!hit) return missOf(state, key, resolution);
    if (second) return { outcome: 'unknown', because: `${state.table.name} holds several records under \`${key}\`` };
    const flaw = flawOf(hit);
    return flaw === null ? { outcome: 'found', records: [hit.record], complete: true } : { outcome: 'unknown', because: flaw };
  }

  function flawOf(hit: Entry): string | null {
    if (hit.conflict) return `\`${hit.record.uid}\` was recorded twice with different contents`;
    return recordGap({ capturedAt: hit.record.capturedAt, provider: hit.provider });
  }

  function homesGap(state: TableState, resolution: Resolution & { outcome: 'keys' }): string | null {
    if (state.nameless !== null) return state.nameless;
    for (const home of resolution.homes) {
      const gap = homeGap(state.table.provider, home);
      if (gap !== null) return gap;
    }
    return null;
  }

  function manyOf(state: TableState, hits: readonly Entry[], resolution: Resolution & { outcome: 'keys' }): LookupResult {
    const flaws = hits.map(flawOf);
    const gap = homesGap(state, resolution) ?? resolution.elsewhere ?? flaws.find((flaw) => flaw !== null) ?? null;
    const records = hits.filter((_, at) => flaws[at] === null).map((hit) => hit.record);
    return gap === null ? { outcome: 'found', records, complete: true } : { outcome: 'found', records, complete: false, because: gap };
  }

  function missOf(state: TableState, key: string, resolution: Resolution & { outcome: 'keys' }): LookupResult {
    const gap = homesGap(state, resolution) ?? resolution.elsewhere ?? null;
    if (gap !== null) return { outcome: 'unknown', because: `\`${key}\` is not in the evidence: ${gap}` };
    return { outcome: 'absent', because: `\`${key}\` does not exist: the evidence is complete where it would be` };
  }

  return {
    types: new Set(byType.keys()),
    add(resource) {
      const into = byType.get(ledgerType(resource));
      if (!into) return;
      forget();
      for (const state of into) {
        const keys = state.table.keys(resource);
        if (keys.length === 0 ? holdsRedacted(resource.document) : keys.some(isRedacted))
          state.nameless ??= `what \`${resource.uid}\` is looked up by was withheld as a secret`;
        else if (state.table.placeless(resource) || isUnplaced(resource))
          state.nameless ??= `what \`${resource.uid}\` belongs to is not in its record`;
        if (keys.length === 0) continue;
        size += 1;
        const record: IndexedRecord = {
          uid: resource.uid,
          document: state.project(resource.document),
          citation: resource.citation,
          capturedAt: resource.capturedAt,
        };
        const entry: Entry = { record, provider: resource.provider, conflict: false };
        for (const key of keys) put(state, key, entry);
      }
    },
    lookup,
    get size() {
      return size;
    },
  };
}

/** Where a record names neither its account nor its region, nor has an ARN that does: another of its name may be meant. */
function isUnplaced({ provider, uid, account, scope }: Resource): boolean {
  return provider === 'aws' && !uid.startsWith('arn:') && (account === unstated.account || scope.region === unstated.region);
}

/** A key that was withheld leads nowhere: what it would lead to may be there. */
function told(resolution: Resolution): Resolution {
  if (resolution.outcome !== 'keys' || !resolution.keys.some(isRedacted)) return resolution;
  const keys = resolution.keys.filter((key) => !isRedacted(key));
  return { ...resolution, keys, elsewhere: resolution.elsewhere ?? 'part of where it would be was withheld as a secret' };
}

/** No document is deeper: what is may be anything. */
const deepest = 1_000;

/** Equal as JSON, whatever the order of keys. */
export function sameJson(a: Json, b: Json, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth > deepest) return false;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at] as Json, depth + 1));
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key] as Json, b[key] as Json, depth + 1))
  );
}
