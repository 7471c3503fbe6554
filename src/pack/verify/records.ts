import { posix } from 'node:path';
import { scopeKey } from '../../model/index.ts';
import type { EvidenceTeller, Json, LedgerEntry, Query, Scope, Shortfall } from '../../model/index.ts';
import type { ProblemList } from './codes.ts';
import { whole } from './contents.ts';
import type { Sink } from './contents.ts';
import { digests } from './lines-told.ts';

/** Larger than any page that collecting keeps. */
const pageLimit = 256 * 1024 * 1024;

/** Of an entry of the ledger, what pages can bear out. */
export type Claim = Pick<LedgerEntry, 'provider' | 'account' | 'region' | 'type' | 'status' | 'held' | 'count' | 'queries'>;

export interface RecordsCheck {
  /** A query, before its pages pass. */
  query(path: string, query: Query): void;
  /** Watches a page pass by; null for one that no query named so far. */
  observe(path: string): Sink | null;
  /** Whether a record of that name lies there. Once all pages have passed. */
  holds(file: string, pointer: string, uid: string): boolean;
  /** Once all have passed: the ledger against them. What `shortfalls` calls by the same code claims nothing. */
  finish(claims: readonly Claim[], shortfalls: readonly Shortfall[], problems: ProblemList): void;
}

interface Held {
  /** Distinct records. */
  records: number;
  /** Records met again. */
  again: number;
  /** Distinct records that the provider's count leaves out. */
  uncounted: number;
}

const typeOf = (type: string): string => (type.startsWith('verdict:') ? type.toLowerCase() : type);
const keyOf = (scope: Scope, type: string): string => `${scopeKey(scope)}\n${typeOf(type)}`;

/**
 * Holds the ledger against the pages: as many records as it says it holds, and the count that it says the provider gave, in an answer
 * that was asked for one. An observation made up of nothing shows here too: no record of its name lies where it says.
 */
export function recordsCheck(teller: EvidenceTeller): RecordsCheck {
  const queries = new Map<string, Query>();
  /** Names of pages, by directory. */
  const pages = new Map<string, Set<string>>();
  /** By directory and key. */
  const held = new Map<string, Map<string, Held>>();
  const counted = new Map<string, Map<string, Map<string, number>>>();
  const aliases = new Map<string, Set<string>>();
  /** The provider's names of scopes. */
  const places = new Map<string, Set<string>>();
  const met = digests();
  const lying = digests();
  const unread = new Map<string, string>();
  const announcing: string[] = [];

  function take(directory: string, query: Query, name: string, bytes: Buffer | null): void {
    const file = `${directory}/${name}`;
    const last = query.pages.at(-1)?.file === name;
    try {
      if (bytes === null) throw new Error('it is too large');
      const page = JSON.parse(bytes.toString('utf8')) as Json;
      if (last && query.status === 'complete' && continues(page)) announcing.push(file);
      const records = teller.records(page, query, file);
      if (records === null) unread.set(directory, `nothing reads pages of the form ${JSON.stringify(query.shape)}`);
      for (const record of records ?? []) {
        const of = valueIn(
          valueIn(held, directory, () => new Map<string, Held>()),
          keyOf(record.scope, record.type),
          () => ({
            records: 0,
            again: 0,
            uncounted: 0,
          }),
        );
        lying.add(placed(file, record.pointer, record.uid));
        if (record.place !== undefined) valueIn(places, record.scope.account, () => new Set<string>()).add(record.place);
        if (!met.add(`${directory}\n${keyOf(record.scope, record.type)}\n${record.id}`)) {
          of.again += 1;
          continue;
        }
        of.records += 1;
        if (!record.counted) of.uncounted += 1;
      }
      for (const one of teller.counts(page, query, file)) {
        if (one.id !== undefined && !met.add(`count ${directory}\n${one.id}`)) continue;
        const series = valueIn(
          valueIn(counted, directory, () => new Map<string, Map<string, number>>()),
          keyOf(one.scope, one.type),
          () => new Map<string, number>(),
        );
        series.set(one.series, (series.get(one.series) ?? 0) + one.count);
      }
    } catch (error) {
      unread.set(directory, `${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Under every name that the scope and type have in counting answers. */
  function namesOf(claim: Claim): string[] {
    const own = keyOf(claim, claim.type);
    const placed = [...(places.get(claim.account) ?? [])].map((account) => keyOf({ ...claim, account }, claim.type));
    return [...new Set([own, ...placed, ...(aliases.get(own) ?? [])])];
  }

  function told(directory: string, names: readonly string[]): Map<string, number> {
    const series = new Map<string, number>();
    for (const name of names)
      for (const [one, count] of counted.get(directory)?.get(name) ?? []) series.set(one, (series.get(one) ?? 0) + count);
    return series;
  }

  /** What counting answers can come to for a claim; null where the one that it cites does not count such records. */
  function possible(claim: Claim, cited: string, beside: readonly Query[]): number[] | null {
    const query = queries.get(cited);
    if (query === undefined || query.status !== 'complete') return null;
    const names = namesOf(claim);
    const own = told(cited, names);
    if (own.size === 0 && !teller.asks(query, claim, claim.type, beside)) return null;
    let sums = [[...own.values()].reduce((sum, count) => sum + count, 0)];
    if (!claim.type.startsWith('verdict:')) return sums;
    // Each deployment of a rule, and each kind of state, is counted for itself, some more than once.
    const others = new Map<string, Set<number>>();
    for (const directory of counted.keys())
      for (const [one, count] of told(directory, names)) if (!own.has(one)) valueIn(others, one, () => new Set<number>()).add(count);
    for (const values of others.values())
      sums = [...new Set(sums.flatMap((sum) => [...values].map((value) => sum + value)))].slice(0, 10_000);
    return sums;
  }

  function contradictions(claim: Claim): { code: string; why: string }[] {
    const found: { code: string; why: string }[] = [];
    const directories = [...new Set(claim.queries)];
    const own = directories.flatMap((directory) => queries.get(directory) ?? []);
    if (claim.status === 'complete') {
      if (directories.length === 0)
        found.push({ code: 'query-missing', why: 'the ledger calls it complete, and names no query behind it' });
      for (const directory of directories) {
        const status = queries.get(directory)?.status;
        if (status === undefined) found.push({ code: 'query-missing', why: `the ledger rests it on ${directory}, which is not there` });
        else if (status !== 'complete')
          found.push({ code: `query-${status}`, why: `the ledger calls it complete, and ${directory} ended as ${status}` });
      }
    }
    const key = keyOf(claim, claim.type);
    const sum: Held = { records: 0, again: 0, uncounted: 0 };
    for (const directory of directories) {
      const { records = 0, again = 0, uncounted = 0 } = held.get(directory)?.get(key) ?? {};
      Object.assign(sum, { records: sum.records + records, again: sum.again + again, uncounted: sum.uncounted + uncounted });
    }
    // What nobody counts and no page is read for is kept for people alone.
    const read =
      claim.count !== null || sum.records > 0 || own.some(({ types }) => types.some((type) => typeOf(type) === typeOf(claim.type)));
    const illegible = directories.find((directory) => unread.has(directory));
    if (read && sum.records !== claim.held)
      found.push({
        code: 'held-mismatch',
        why: `the ledger holds ${String(claim.held)}, and its pages hold ${String(sum.records)}${illegible === undefined ? '' : ` (${unread.get(illegible) ?? ''})`}`,
      });
    const why = claim.count === null ? null : againstCount(claim, claim.count, sum, own);
    return why === null ? found : [...found, why];
  }

  function againstCount(
    claim: Claim,
    count: NonNullable<Claim['count']>,
    sum: Held,
    beside: readonly Query[],
  ): { code: string; why: string } | null {
    const { citation } = count;
    if (citation === undefined)
      return { code: 'count-uncited', why: `the ledger counts ${String(count.count)}, and cites no answer of the provider for it` };
    const directory = posix.dirname(citation.file);
    const found = possible(claim, directory, beside);
    if (found === null)
      return {
        code: 'count-uncited',
        why: `the ledger counts ${String(count.count)}, and ${citation.file}, which it cites, counts nothing of the kind`,
      };
    // Regions that record the same account-wide resource are counted each.
    const copies = claim.provider === 'aws' && claim.region === 'global' ? sum.again : 0;
    const due = found.map((one) => one + sum.uncounted - copies);
    return due.includes(count.count)
      ? null
      : {
          code: 'count-contradicted',
          why: `the ledger counts ${String(count.count)}, and ${citation.file}, which it cites, comes to ${due.slice(0, 3).map(String).join(' or ')}`,
        };
  }

  return {
    query(path, query) {
      const directory = posix.dirname(path).slice('data/'.length);
      queries.set(directory, query);
      pages.set(directory, new Set(query.pages.map(({ file }) => file)));
      for (const { scope, type, alias } of teller.aliases(query))
        valueIn(aliases, keyOf(scope, type), () => new Set<string>()).add(keyOf(scope, alias));
    },
    observe(path) {
      const directory = posix.dirname(path).slice('data/'.length);
      const name = posix.basename(path);
      const query = queries.get(directory);
      if (query === undefined || pages.get(directory)?.has(name) !== true) return null;
      return whole(pageLimit, (bytes) => {
        take(directory, query, name, bytes);
      });
    },
    holds: (file, pointer, uid) => lying.has(placed(file, pointer, uid)),
    finish(claims, shortfalls, problems) {
      for (const file of announcing) problems.add('query-unfinished', 'it holds a token for a next page', `data/${file}`);
      const admitted = new Set(
        shortfalls.flatMap(({ scope, type, reasons }) => reasons.map(({ code }) => `${keyOf(scope, type)}\n${code}`)),
      );
      for (const [account, names] of places)
        if (names.size > 1) problems.add('ledger-contradicted', `records of ${[...names].join(' and ')} are entered under ${account}`);
      for (const claim of claims)
        for (const { code, why } of contradictions(claim))
          if (!admitted.has(`${keyOf(claim, claim.type)}\n${code}`))
            problems.add('ledger-contradicted', `${claim.type} in ${scopeKey(claim)}: ${why}`);
    },
  };
}

const placed = (file: string, pointer: string, uid: string): string => `${file}#${pointer}\n${uid}`;

/** Whether a page says that another follows. */
function continues(page: Json): boolean {
  if (typeof page !== 'object' || page === null || Array.isArray(page)) return false;
  return ['NextToken', 'nextToken', '$skipToken', 'nextPageToken', 'nextLink'].some((name) => {
    const token = Object.hasOwn(page, name) ? page[name] : undefined;
    return typeof token === 'string' && token !== '';
  });
}

function valueIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
