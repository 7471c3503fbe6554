import type { ExhibitConfig } from '../../config/schema.ts';
import type { EvidenceReader, StoredQuery } from '../../evidence/reader.ts';
import {
  type AccessTotals,
  type Control,
  emptyCounts,
  type Finding,
  type Json,
  type Provider,
  type Reason,
  type ReconciliationRow,
  type Resource,
  type Scope,
  type Shortfall,
} from '../../model/index.ts';
import { accessAnalysis } from '../access/access.ts';
import { criticalSelector } from './critical.ts';
import { duplicateRegister, type DuplicateRegister } from './duplicates.ts';
import { freshness } from './freshness.ts';
import { endObservations } from './conflicts.ts';
import { checkJudge, type CheckJudge, type CheckResult, type JudgeContext, verdictType } from './judge.ts';
import { questionResult } from './manual.ts';
import { isMatched, matchedJudge } from './matched-judge.ts';
import { isAboutParts, partsJudge } from './parts-judge.ts';
import { lookedUpTypes, tableReads } from './needs.ts';
import { type Population, readPopulation } from './population.ts';
import type { BlockFile, ResultFiles, Written } from './result-files.ts';
import { addCounts, rollUpControl } from './rollup.ts';
import { countIsMissing, shortfallsOf } from './shortfalls.ts';
import { storeBook } from './stores.ts';
import { judgedSubject } from './subject.ts';
import { tableIndex } from '../lookups/table-index.ts';
import { ledgerType } from '../lookups/table.ts';
import type { CompiledCheck, CompiledControl, EvaluationEnvironment } from '../types.ts';
import { waiverBook } from './waivers.ts';

/**
 * Some controls, to be judged by themselves. A control's outcome depends on no other control, so a catalogue may be
 * cut into parts anyhow.
 */
export interface PartRequest {
  readonly reader: EvidenceReader;
  /** Where its lines are put behind those that are there. */
  readonly files: ResultFiles;
  readonly controls: readonly CompiledControl[];
  /** With the configured values over the defaults. */
  readonly parameters: Readonly<Record<string, Json>>;
  readonly config: Pick<ExhibitConfig, 'critical' | 'waivers' | 'answers'>;
  /** Scopes that the ledger has to know. */
  readonly expected?: readonly Scope[];
  readonly signal?: AbortSignal | undefined;
  /** Told of each page once it is read (see `pagesToRead`). */
  readonly page?: (() => void) | undefined;
}

/** What came of a part: plain data, which can pass between threads. */
export interface PartResult {
  /** One for each control, in the order asked. */
  readonly findings: readonly (Omit<Finding, 'control'> & { readonly id: string })[];
  /** By control, as `findings`. */
  readonly rows: readonly (readonly ReconciliationRow[])[];
  /** How often each waiver was attached, in the order of the configuration. */
  readonly waived: readonly number[];
  readonly access: AccessTotals;
  /** Page files whose bytes were checked, with their digest. */
  readonly verified: readonly (readonly [string, string])[];
  /** What of the evidence that these controls and their lookups need is not whole. */
  readonly shortfalls: readonly Shortfall[];
  /** Whether all evidence that these controls and their lookups need is whole. */
  readonly complete: boolean;
}

/** A check of the catalogue on its way: automated ones have a judge, questions are settled at once. */
interface Running {
  readonly control: Control;
  readonly check: CompiledCheck;
  readonly judge: CheckJudge | null;
}

/** Judges some controls over the stored evidence. Throws EvidenceError, the signal's reason when aborted, and file system errors. */
export async function judgePart(request: PartRequest): Promise<PartResult> {
  const { reader, files, controls, parameters, config, signal } = request;
  const ledger = reader.ledger();
  const queries = reader.queries();
  const population = readPopulation(ledger, queries, { runDirectory: reader.runDirectory, expected: request.expected ?? [] });
  const ages = freshness(parameters, ledger.asOf);
  const waivers = waiverBook(config.waivers, ledger.asOf);
  const criticality = criticalSelector(config.critical);
  const checks = controls.flatMap(({ checks: own }) => own);

  const stale = ({ provider, capturedAt }: Pick<Resource, 'provider' | 'capturedAt'>): string | null =>
    ages.resource(provider, capturedAt)?.message ?? null;
  const index = tableIndex(tableReads(checks), population.homeGap, stale);
  const access = accessAnalysis(
    checks.filter((check) => check.kind === 'condition'),
    index.lookup,
    population.homeGap,
  );
  const environment: EvaluationEnvironment = { asOf: ledger.asOf, parameters, lookup: index.lookup, readers: access.readers };
  const context: JudgeContext = { population, environment, waivers, freshness: ages };

  const begin = files.observations.size;
  const running: Running[] = controls.flatMap(({ control, checks: own }) =>
    own.map((check) => ({ control, check, judge: judgeOf(control, check, files.observations, context) })),
  );
  const judges = byType(running);
  const tableTypes = new Set([...index.types, ...access.types]);
  const first = queries.filter((query) => holdsAny(query, tableTypes));
  const second = queries.filter((query) => holdsAny(query, new Set(judges.keys())));
  const pace = request.page ?? ((): void => undefined);
  const verified = new Map<string, string>();

  await readAll({ reader, queries: first, population, verified, pace, signal, types: tableTypes, counts: tableTypes }, (resource) => {
    if (population.unitOf(resource.provider, resource.scope.account, resource.scope.region, ledgerType(resource)).coveredBy !== null)
      return;
    index.add(resource);
    access.add(resource, stale(resource));
  });
  for (const type of tableTypes) population.markRead(type);

  const verdicts: VerdictReading = {
    judges: running.flatMap(({ control, check, judge }) =>
      check.kind === 'verdict' && judge ? [{ provider: control.provider, rule: check.rule, judge }] : [],
    ),
    seen: new Set(),
  };
  const subjectTypes = new Set(judges.keys());
  const uncounted = new Set([...subjectTypes].filter((type) => !tableTypes.has(type)));
  const stores = storeBook(files, access);
  const readersTypes = new Set(running.flatMap(({ check }) => (check.kind === 'condition' && check.usesReaders ? check.on : [])));

  await readAll(
    { reader, queries: second, population, verified, pace, signal, types: subjectTypes, counts: uncounted, verdicts },
    (resource, earlier) => {
      const type = ledgerType(resource);
      const unit = population.unitOf(resource.provider, resource.scope.account, resource.scope.region, type);
      if (unit.coveredBy !== null || unit.excluded) return;
      const one = judgedSubject(resource, unit, criticality(resource), ages.resource(resource.provider, resource.capturedAt));
      for (const judge of judges.get(type) ?? []) {
        if (earlier) judge.conflict(one, earlier);
        else judge.judge(one);
      }
      if (!readersTypes.has(type)) return;
      // Where both records say that it is not critical, it is not among the stores.
      if (one.criticality.critical !== 'no' || (earlier && criticality(earlier).critical !== 'no')) {
        if (earlier) stores.doubt(one, earlier);
        else stores.tell(one);
      }
    },
  );
  const accessTotals = stores.finish();
  for (const type of subjectTypes) population.markRead(type);

  const results = new Map<Running, CheckResult>();
  for (const one of running) {
    results.set(
      one,
      one.judge
        ? one.judge.finish()
        : questionResult(
            one.control,
            one.check as CompiledCheck & { kind: 'manual' },
            config.answers,
            ledger.asOf,
            files.observations.open(),
          ),
    );
  }
  const ended = endObservations(files, begin, [...results.values()]);
  const written = new Map(running.map((one, at) => [one, ended[at] as Written]));

  const rows: ReconciliationRow[][] = [];
  const findings = controls.map(({ control }) => {
    const checks = running.filter((one) => one.control === control);
    const own = checks.map((one) => results.get(one) as CheckResult);
    const lines = checks.map((one) => written.get(one) as Written);
    const counts = emptyCounts();
    for (const result of own) addCounts(counts, result.counts);
    rows.push(own.flatMap((result) => result.rows));
    const sum = (pick: (result: CheckResult) => number): number => own.reduce((total, result) => total + pick(result), 0);
    const gaps = sum((result) => result.gaps);
    const excluded = sum((result) => result.excluded);
    const reasons: Reason[] = [...own.flatMap((result) => result.reasons), ...waivers.reasons(control.id)];
    const rolled = rollUpControl({
      counts,
      gaps,
      excluded,
      provenEmpty: own.length > 0 && own.every((result) => result.provenEmpty),
      reasons,
    });
    return {
      id: control.id,
      status: rolled.status,
      counts,
      waived: sum((result) => result.waived),
      excluded,
      gaps,
      reasons: rolled.reasons,
      observations: { count: lines.reduce((sum, { count }) => sum + count, 0), blocks: lines.flatMap(({ blocks }) => [...blocks]) },
    };
  });
  return {
    findings,
    rows,
    waived: waivers.settled().map(({ used }) => used ?? 0),
    access: accessTotals,
    verified: [...verified],
    shortfalls: shortfallsOf(
      population,
      controls,
      running.flatMap((one) =>
        one.judge ? [{ control: one.control, types: one.judge.types, rows: (results.get(one) as CheckResult).rows }] : [],
      ),
    ),
    complete: isComplete(population, results, tableTypes),
  };
}

function judgeOf(control: Control, check: CompiledCheck, observations: BlockFile, context: JudgeContext): CheckJudge | null {
  if (check.kind === 'manual') return null;
  if (check.kind === 'verdict' && isMatched(check)) return matchedJudge(control, check, observations.open(), context);
  if (check.kind === 'verdict' && isAboutParts(check)) return partsJudge(control, check, observations.open(), context);
  return checkJudge(control, check, observations.open(), context);
}

function byType(running: readonly Running[]): Map<string, CheckJudge[]> {
  const judges = new Map<string, CheckJudge[]>();
  for (const { judge } of running) {
    for (const type of judge?.types ?? []) judges.set(type, [...(judges.get(type) ?? []), judge as CheckJudge]);
  }
  return judges;
}

/** Whether a query can hold records of these ledger types: queries name theirs as the ledger does. */
function holdsAny(stored: StoredQuery, types: ReadonlySet<string>): boolean {
  return stored.query.types.some((type) => types.has(type));
}

/** Pages that judging some controls reads; those of lookup tables that are judged as well, twice. */
export function pagesToRead(controls: readonly CompiledControl[], queries: readonly StoredQuery[]): number {
  const lookedUp = lookedUpTypes(controls.flatMap(({ checks }) => checks));
  const judged = new Set(
    controls.flatMap(({ control, checks }) =>
      checks.flatMap((check) =>
        check.kind === 'condition'
          ? check.on
          : check.kind === 'verdict'
            ? [verdictType(control.provider, check.rule), ...(check.about?.types ?? [])]
            : [],
      ),
    ),
  );
  return queries.reduce(
    (sum, query) => sum + query.query.pages.length * (Number(holdsAny(query, lookedUp)) + Number(holdsAny(query, judged))),
    0,
  );
}

interface VerdictReading {
  readonly judges: readonly { readonly provider: Provider; readonly rule: string; readonly judge: CheckJudge }[];
  readonly seen: Set<string>;
}

interface Reading {
  readonly reader: EvidenceReader;
  readonly queries: readonly StoredQuery[];
  readonly population: Population;
  /** Files whose bytes were checked, with their digest. */
  readonly verified: Map<string, string>;
  readonly pace: () => void;
  readonly signal: AbortSignal | undefined;
  /** Ledger types that are wanted of these queries. */
  readonly types: ReadonlySet<string>;
  /** Ledger types whose records are counted on this reading. */
  readonly counts: ReadonlySet<string>;
  readonly verdicts?: VerdictReading;
}

/** Reads the records of some queries once, in order. A record met again, identical, is counted once; otherwise the earlier one is given with it. */
async function readAll(reading: Reading, take: (resource: Resource, earlier: Resource | null) => void): Promise<void> {
  const { reader, population, types, counts } = reading;
  const register: DuplicateRegister = duplicateRegister(reader);
  for (const stored of reading.queries) {
    // A result is repeated, if at all, within its own query.
    reading.verdicts?.seen.clear();
    const onDefect = (defect: Parameters<Population['defect']>[1]): void => population.defect(stored, defect);
    const numbers = new Map(stored.query.pages.map((page, at) => [`${stored.directory}/${page.file}`, at]));
    for await (const page of reader.pages(stored, onDefect)) {
      reading.signal?.throwIfAborted();
      reading.verified.set(page.file, page.sha256);
      register.page(stored, numbers.get(page.file) ?? 0);
      for (const record of reader.recordsOf(stored, page, onDefect)) {
        if (record.record === 'verdict') {
          if (reading.verdicts) takeVerdict(record.verdict, reading.verdicts, population);
          continue;
        }
        const { resource } = record;
        const type = ledgerType(resource);
        if (!types.has(type)) continue;
        const met = register.meet(resource);
        const encounter = met instanceof Promise ? await met : met;
        if (encounter.kind === 'identical') {
          population.unitOf(resource.provider, resource.scope.account, resource.scope.region, type).repeated += 1;
          continue;
        }
        const earlier = encounter.kind === 'different' ? encounter.earlier : null;
        if (counts.has(type) && earlier === null)
          population.unitOf(resource.provider, resource.scope.account, resource.scope.region, type).seen += 1;
        take(resource, earlier);
      }
      reading.pace();
    }
  }
}

function takeVerdict(verdict: Parameters<CheckJudge['verdict']>[0], reading: VerdictReading, population: Population): void {
  const rule = verdict.rule.toLowerCase();
  const mine = reading.judges.filter((one) => one.provider === verdict.provider && one.rule.toLowerCase() === rule);
  const [first] = mine;
  if (!first) return;
  const key = [verdict.scope.account, verdict.scope.region, rule, verdict.deployment, verdict.resourceType, verdict.uid].join('\u0000');
  // Two pages may repeat a result; one that says something else is not the same result.
  const whole = `${key}\u0000${verdict.verdict}`;
  if (reading.seen.has(whole)) return;
  reading.seen.add(whole);
  const unit = population.unitOf(verdict.provider, verdict.scope.account, verdict.scope.region, verdictType(verdict.provider, first.rule));
  unit.seen += 1;
  if (unit.excluded) return;
  for (const { judge } of mine) judge.verdict(verdict);
}

/**
 * Whether every scope and type that some control or lookup needs is whole. Where a provider has no independent count to
 * give, the control cannot pass there, but nothing that could be collected is missing.
 */
function isComplete(population: Population, results: ReadonlyMap<Running, CheckResult>, tableTypes: ReadonlySet<string>): boolean {
  for (const { judge, gapReasons } of [...results].map(([one, result]) => ({ judge: one.judge, gapReasons: result.reasons }))) {
    if (judge && gapReasons.some((reason) => reason.code !== 'count-unavailable')) return false;
  }
  const providers = new Set([...results.keys()].map(({ control }) => control.provider));
  for (const provider of providers) {
    for (const type of tableTypes) {
      if (providerOf(type) !== provider) continue;
      for (const unit of population.units(provider, type)) {
        if (!unit.excluded && unit.coveredBy === null && population.gaps(unit, true).length > 0) return false;
      }
    }
  }
  // What was asked for besides (the definitions behind a verdict) and did not come whole is missing too.
  const judged = new Set([...tableTypes, ...[...results.keys()].flatMap(({ judge }) => judge?.types ?? [])]);
  const asked = population.ledger.entries.filter((entry) => providers.has(entry.provider));
  if (asked.some((entry) => judged.has(entry.type) && countIsMissing(entry))) return false;
  const besides = asked.filter((entry) => !judged.has(entry.type));
  if (besides.some(({ status }) => status === 'partial' || status === 'failed' || status === 'denied')) return false;
  return population.scopes.every(
    (scope) =>
      scope.status === 'complete' || scope.status === 'excluded' || !providers.has(scope.provider) || scope.status === 'not-recorded',
  );
}

function providerOf(type: string): Provider {
  const plain = type.replace(/^iam-policy:/, '');
  if (plain.startsWith('AWS::')) return 'aws';
  return plain.includes('googleapis.com/') || plain === 'org-policy' ? 'gcp' : 'azure';
}
