import type { PageDefect, StoredQuery } from '../../evidence/reader.ts';
import {
  compareText,
  type Ledger,
  type LedgerEntry,
  type Provider,
  type Reason,
  type Scope,
  type ScopeCoverage,
  scopeKey,
} from '../../model/index.ts';
import { countWitness } from './claims.ts';
import type { Home } from '../lookups/table.ts';

/** The records of one type in one scope: what the ledger claims of them and what was found on reading. */
export interface Unit {
  readonly scope: Scope;
  /** As in the ledger. */
  readonly type: string;
  readonly entry: LedgerEntry | null;
  /** Not to be judged, by configuration; counted and listed. */
  readonly excluded: boolean;
  /** Set where another unit of the account speaks for this one (types that AWS records once per account). */
  readonly coveredBy: string | null;
  /** Distinct records read. Meaningful once the unit's queries have been read. */
  seen: number;
  /** Records met again, identical. */
  repeated: number;
  /** Reasons found on reading, beyond those of the ledger. */
  readonly found: Reason[];
}

/** The population by the ledger, checked against the stored queries and against what was read. */
export interface Population {
  readonly ledger: Ledger;
  readonly scopes: readonly ScopeCoverage[];
  /** Every scope of the provider as it bears on a type, sorted; also scopes for which the ledger has no entry. */
  units(provider: Provider, type: string): readonly Unit[];
  /** The unit a record counts in. Made, without an entry, where the ledger knows nothing of it. */
  unitOf(provider: Provider, account: string, region: string, type: string): Unit;
  /** A page of this query could not be read back. */
  defect(stored: StoredQuery, defect: PageDefect): void;
  /** The queries of this unit have been read to the end: `seen` is final. */
  markRead(type: string): void;
  /** Why a unit's evidence is not whole; empty when it is. `forLookup` forgives a missing independent count. */
  gaps(unit: Unit, forLookup?: boolean): Reason[];
  /** Pointers into the ledger: the entries of a scope and type, or the scope's own lines where it has none. */
  ledgerPointers(scope: Scope, type: string): string[];
  /** What people call the account. */
  nameOf(scope: Scope): string;
  /** Why a miss in a table whose records live there does not mean absent; null when it does. */
  readonly homeGap: (provider: Provider, home: Home) => string | null;
}

/** Types of AWS whose records belong to the account, whichever region records them. */
export function isGlobalAwsType(type: string): boolean {
  return type.startsWith('AWS::IAM::') || type === 'AWS::S3::AccountPublicAccessBlock';
}

const statusText: Readonly<Record<string, string>> = {
  partial: 'were collected in part only',
  failed: 'could not be collected',
  denied: 'were denied to the collecting identity',
  'not-recorded': 'are not recorded by the provider there',
  stale: 'are older than allowed',
  excluded: 'were left out by configuration',
};

export function placeName(scope: { account: string; region: string }): string {
  return scope.region === '*' ? scope.account : `${scope.account}/${scope.region}`;
}

export interface PopulationOptions {
  /** Where the evidence lies, to read the answers that counts cite. */
  readonly runDirectory: string;
  /** Scopes that have to be in the ledger. */
  readonly expected?: readonly Scope[];
}

/** Reads the ledger into units. `queries` are the stored ones, against which its claims are checked. */
export function readPopulation(ledger: Ledger, queries: readonly StoredQuery[], options: PopulationOptions): Population {
  const stored = new Map(queries.map((query) => [query.directory, query]));
  const contradicted = countWitness(options.runDirectory, stored);
  const entries = new Map<string, LedgerEntry[]>();
  const byDirectory = new Map<string, LedgerEntry[]>();
  const collectors = new Map<string, Set<string>>();
  for (const entry of ledger.entries) {
    const key = `${scopeKey(entry)}/${entry.type}`;
    const brought = `${entry.provider}/${entry.type}`;
    collectors.set(brought, (collectors.get(brought) ?? new Set<string>()).add(entry.collector));
    entries.set(key, [...(entries.get(key) ?? []), entry]);
    for (const directory of entry.queries) {
      const sharing = byDirectory.get(directory);
      if (sharing) sharing.push(entry);
      else byDirectory.set(directory, [entry]);
    }
  }

  const pointers = new Map<string, string[]>();
  const names = new Map<string, string>();
  const point = (key: string, pointer: string): void => {
    const known = pointers.get(key);
    if (known) known.push(pointer);
    else pointers.set(key, [pointer]);
  };
  for (const [at, entry] of ledger.entries.entries()) point(`${scopeKey(entry)}/${entry.type}`, `/entries/${at}`);
  for (const [at, scope] of ledger.scopes.entries()) {
    point(scopeKey(scope), `/scopes/${at}`);
    const account = `${scope.provider}/${scope.account}`;
    if (scope.name !== null && !names.has(account)) names.set(account, scope.name);
  }

  const coverage = new Map<string, ScopeCoverage[]>();
  const scopes = new Map<Provider, Map<string, Scope>>();
  const know = (scope: Scope): void => {
    const known = scopes.get(scope.provider) ?? new Map<string, Scope>();
    known.set(scopeKey(scope), { provider: scope.provider, account: scope.account, region: scope.region });
    scopes.set(scope.provider, known);
  };
  for (const scope of ledger.scopes) {
    know(scope);
    coverage.set(scopeKey(scope), [...(coverage.get(scopeKey(scope)) ?? []), scope]);
  }
  for (const entry of ledger.entries) know(entry);
  const named = new Set((options.expected ?? []).map(scopeKey));
  for (const scope of options.expected ?? []) {
    if (
      ledger.scopes.some(
        (one) => one.provider === scope.provider && one.account === scope.account && (one.region === scope.region || one.region === '*'),
      )
    )
      continue;
    know(scope);
    const reasons: Reason[] = [
      { code: 'scope-missing', message: `the configuration names ${placeName(scope)}, and the ledger does not know it` },
    ];
    coverage.set(scopeKey(scope), [
      { collector: '', ...scope, name: null, knownFrom: ['configured'], status: 'failed', identity: null, reasons },
    ]);
  }

  const units = new Map<string, Unit>();
  const lists = new Map<string, Unit[]>();
  const defects = new Map<LedgerEntry, Reason[]>();
  const orphanDefects = new Map<string, Reason[]>();
  const read = new Set<string>();
  let last: Unit | null = null;
  let homeGaps = new Map<string, string | null>();

  /** A type of the whole account is asked for in one region and left out in the others. */
  const accountWide = new Map<string, Set<string>>();
  for (const one of ledger.entries) {
    if (one.provider !== 'aws' || one.status === 'excluded' || !isGlobalAwsType(one.type)) continue;
    const key = `${one.account}/${one.type}`;
    accountWide.set(key, (accountWide.get(key) ?? new Set<string>()).add(one.region));
  }
  function collectedElsewhere(scope: Scope, type: string): boolean {
    return scope.provider === 'aws' && [...(accountWide.get(`${scope.account}/${type}`) ?? [])].some((region) => region !== scope.region);
  }

  function makeUnit(scope: Scope, type: string, coveredBy: string | null): Unit {
    const key = `${scopeKey(scope)}/${type}`;
    const existing = units.get(key);
    if (existing) return existing;
    const entry = mergeEntries(entries.get(key) ?? []);
    const covering = coverage.get(scopeKey(scope)) ?? [];
    // What the configuration names one by one was not left out by it, whatever the ledger says.
    const excluded =
      named.has(scopeKey(scope)) && !collectedElsewhere(scope, type)
        ? false
        : entry
          ? entry.status === 'excluded'
          : covering.length > 0 && covering.every((one) => one.status === 'excluded');
    const unit: Unit = { scope, type, entry, excluded, coveredBy, seen: 0, repeated: 0, found: [] };
    units.set(key, unit);
    return unit;
  }

  /** What became of a scope, by the collectors that bring the type; by all of them where none brought any. */
  function coverageOf(scope: Scope, type: string): ScopeCoverage[] {
    const all = coverage.get(scopeKey(scope)) ?? [];
    const bringing = collectors.get(`${scope.provider}/${type}`);
    return bringing ? all.filter((one) => bringing.has(one.collector) || one.collector === '') : all;
  }

  /** Whether a scope without an entry for the type owes one. */
  function owes(scope: Scope, type: string, all: readonly Scope[]): boolean {
    if (entries.has(`${scopeKey(scope)}/${type}`)) return true;
    if (coverageOf(scope, type).some((one) => one.status === 'failed' || one.status === 'denied')) return true;
    // Lines that stand above accounts hold what lives there (policies, assignments), never the resources of accounts.
    if (scope.provider === 'azure') return !scope.account.startsWith('tenants/');
    if (scope.provider === 'gcp') return !/^(?:folders|organizations)\//.test(scope.account);
    // An account-wide line beside regional ones owes nothing of regional types.
    const wide = scope.region === '*' || scope.region === 'global';
    return !(wide && all.some((other) => other.account === scope.account && other !== scope));
  }

  function unitsOf(provider: Provider, type: string): Unit[] {
    const key = `${provider}/${type}`;
    const known = lists.get(key);
    if (known) return known;
    const all = [...(scopes.get(provider)?.values() ?? [])];
    const list: Unit[] = [];
    for (const scope of all) {
      if (!owes(scope, type, all)) continue;
      list.push(makeUnit(scope, type, provider === 'aws' && isGlobalAwsType(type) ? speaker(scope, type, all) : null));
    }
    list.sort((a, b) => compareText(scopeKey(a.scope), scopeKey(b.scope)));
    lists.set(key, list);
    return list;
  }

  /** For a type that AWS records in several regions alike: the region that speaks for the account, unless it is this one. */
  function speaker(scope: Scope, type: string, all: readonly Scope[]): string | null {
    const regions = all
      .filter((other) => other.account === scope.account)
      .map((other) => other.region)
      .sort(compareText);
    const speaking = regions.find(
      (region) => mergeEntries(entries.get(`${scopeKey({ ...scope, region })}/${type}`) ?? [])?.status === 'complete',
    );
    return speaking === undefined || speaking === scope.region ? null : speaking;
  }

  function gaps(unit: Unit, forLookup = false): Reason[] {
    const { entry, scope, type } = unit;
    const place = placeName(scope);
    const reasons: Reason[] = [...unit.found];
    const covering =
      entry === null ? coverageOf(scope, type) : (coverage.get(scopeKey(scope)) ?? []).filter((one) => one.collector === entry.collector);
    if (entry === null) {
      const told = covering.flatMap((one) =>
        one.status === 'complete' ? [] : one.reasons.length > 0 ? one.reasons : [statusReason(one.status, type, place)],
      );
      return [
        ...reasons,
        ...(told.length > 0 ? told : [{ code: 'ledger-missing', message: `the ledger has no entry for ${type} in ${place}` }]),
      ];
    }
    if (entry.status !== 'complete') {
      reasons.push(...(entry.reasons.length > 0 ? entry.reasons : [statusReason(entry.status, type, place)]));
    } else {
      for (const one of covering) {
        if (one.status === 'failed' || one.status === 'denied' || one.status === 'stale')
          reasons.push(...(one.reasons.length > 0 ? one.reasons : [statusReason(one.status, type, place)]));
      }
      if (entry.queries.length === 0)
        reasons.push({ code: 'query-missing', message: `the ledger names no query behind ${type} of ${place}` });
      for (const directory of entry.queries) {
        const query = stored.get(directory)?.query;
        if (!query) reasons.push({ code: 'query-missing', message: `${directory} is not among the evidence` });
        else if (query.status !== 'complete')
          reasons.push({ code: `query-${query.status}`, message: `${directory} ended as ${query.status}` });
        else if ((query.pages.at(-1)?.nextTokenSha256 ?? null) !== null)
          reasons.push({ code: 'query-unfinished', message: `the last page of ${directory} announces another` });
      }
    }
    if (entry.count === null) {
      // The ledger says why where there ought to have been one (a call that was denied).
      if (entry.status === 'complete') reasons.push(...entry.reasons);
      if (!forLookup && entry.status === 'complete' && !entry.reasons.some(({ code }) => code === 'count-missing'))
        reasons.push({ code: 'count-unavailable', message: `no independent count of ${type} in ${place} was to be had` });
    } else if (entry.count.count !== entry.held) {
      reasons.push({
        code: 'count-mismatch',
        message: `${entry.count.source} counts ${entry.count.count} ${type} in ${place}; ${entry.held} are held`,
      });
    }
    const doubt = contradicted(entry);
    if (doubt) reasons.push(doubt);
    if (read.has(type) && unit.seen !== entry.held) {
      reasons.push({ code: 'held-mismatch', message: `the ledger holds ${entry.held} ${type} of ${place}; ${unit.seen} can be read back` });
    }
    for (const claim of entries.get(`${scopeKey(scope)}/${type}`) ?? []) reasons.push(...(defects.get(claim) ?? []));
    reasons.push(...(orphanDefects.get(`${scope.provider}/${type}`) ?? []));
    return unique(reasons);
  }

  function unitGap(unit: Unit): string | null {
    if (unit.excluded) return `${unit.type} of ${placeName(unit.scope)} ${statusText['excluded']}`;
    const [first] = gaps(unit, true);
    if (!first) return null;
    const status = unit.entry?.status;
    const what = status && status !== 'complete' ? `${unit.type} of ${placeName(unit.scope)} ${statusText[status]}` : first.message;
    return what === first.message ? what : `${what} (${first.message})`;
  }

  function homeGapOf(provider: Provider, home: Home): string | null {
    const all = unitsOf(provider, home.type).filter((unit) => home.account === 'every' || unit.scope.account === home.account);
    if (home.region === 'any') {
      const reasons = all.map(unitGap);
      if (reasons.length > 0 && reasons.some((reason) => reason === null)) return null;
      return reasons.find((reason) => reason !== null) ?? `${home.type} of ${home.account} is not in the evidence`;
    }
    const here = home.account === 'every' ? all : all.filter((unit) => unit.scope.region === home.region);
    if (here.length === 0) return `${home.type} of ${placeName(home)} is not in the evidence`;
    for (const unit of here) {
      const reason = unitGap(unit);
      if (reason !== null) return reason;
    }
    return null;
  }

  return {
    ledger,
    scopes: ledger.scopes,
    units: unitsOf,
    unitOf(provider, account, region, type) {
      // Records of one unit come one after the other.
      if (last && last.type === type && last.scope.account === account && last.scope.region === region && last.scope.provider === provider)
        return last;
      const existing = units.get(`${provider}/${account}/${region}/${type}`);
      if (existing) return (last = existing);
      const scope: Scope = { provider, account, region };
      unitsOf(provider, type);
      const made = makeUnit(scope, type, null);
      const list = lists.get(`${provider}/${type}`) as Unit[];
      if (!list.includes(made)) {
        list.push(made);
        list.sort((a, b) => compareText(scopeKey(a.scope), scopeKey(b.scope)));
      }
      return made;
    },
    defect(query, { file, code, message }) {
      homeGaps = new Map();
      const reason: Reason = { code: `page-${code}`, message: `${file}: ${message}` };
      const touched = byDirectory.get(query.directory);
      if (touched) {
        for (const entry of touched) defects.set(entry, [...(defects.get(entry) ?? []), reason]);
        return;
      }
      for (const type of query.query.types) {
        const key = `${query.query.provider}/${type}`;
        orphanDefects.set(key, [...(orphanDefects.get(key) ?? []), reason]);
      }
    },
    ledgerPointers: (scope, type) => pointers.get(`${scopeKey(scope)}/${type}`) ?? pointers.get(scopeKey(scope)) ?? [],
    nameOf: (scope) => names.get(`${scope.provider}/${scope.account}`) ?? placeName(scope),
    markRead(type) {
      read.add(type);
      homeGaps = new Map();
    },
    gaps,
    homeGap(provider, home) {
      const key = `${home.type}\u0000${home.account}\u0000${home.region}`;
      let gap = homeGaps.get(key);
      if (gap === undefined) homeGaps.set(key, (gap = homeGapOf(provider, home)));
      return gap;
    },
  };
}

function statusReason(status: string, type: string, place: string): Reason {
  return { code: status, message: `${type} of ${place} ${statusText[status] ?? status}` };
}

/** Two collectors may speak of one scope and type: the worse word stands. */
export function mergeEntries(found: readonly LedgerEntry[]): LedgerEntry | null {
  const [first, ...others] = found;
  if (!first) return null;
  if (others.length === 0) return first;
  const worst = found.find((entry) => entry.status !== 'complete') ?? first;
  return { ...worst, queries: found.flatMap((entry) => entry.queries), reasons: found.flatMap((entry) => entry.reasons) };
}

export function unique(reasons: readonly Reason[]): Reason[] {
  const seen = new Map<string, Reason>();
  for (const reason of reasons) {
    const key = `${reason.code}\u0000${reason.message}`;
    if (!seen.has(key)) seen.set(key, reason);
  }
  return [...seen.values()];
}
