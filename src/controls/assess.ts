import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExhibitConfig } from '../config/schema.ts';
import { writeFileAtomic } from '../evidence/files.ts';
import { lockRun } from '../evidence/lock.ts';
import { evidenceReader, type EvidenceReader, type PageReader, type StoredQuery } from '../evidence/reader.ts';
import {
  type Assessment, type Control, emptyCounts, type Finding, type Json, type Provider, type QueryIndex, type Reason, type ReconciliationRow, type Resource,
} from '../model/index.ts';
import { accessAnalysis } from './access.ts';
import { criticalSelector } from './critical.ts';
import { duplicateRegister, type DuplicateRegister } from './duplicates.ts';
import { freshness, freshnessParameters } from './freshness.ts';
import { joinShards } from './join.ts';
import { checkJudge, type CheckJudge, type CheckResult, type JudgeContext, verdictType } from './judge.ts';
import { questionResult } from './manual.ts';
import { isMatched, matchedJudge } from './matched-judge.ts';
import { tableReads } from './needs.ts';
import { lineFile, shards } from './observations.ts';
import { type Population, readPopulation } from './population.ts';
import { addCounts, rollUpControl, summarise } from './rollup.ts';
import { resolveParameters } from './load.ts';
import { judgedSubject } from './subject.ts';
import { tableIndex } from './table-index.ts';
import { ledgerType } from './tables.ts';
import type { Catalogue, CompiledCheck, EvaluationEnvironment } from './types.ts';
import { waiverBook } from './waivers.ts';

export interface AssessProgress {
  /** Pages read of those that have to be read. */
  pages(done: number, total: number): void;
}

export interface AssessRequest {
  readonly runDirectory: string;
  /** The selected controls (see select.ts). */
  readonly catalogue: Catalogue;
  readonly config: Pick<ExhibitConfig, 'engagement' | 'profile' | 'critical' | 'parameters' | 'waivers' | 'answers'>;
  /** Page maps by `query.shape`. */
  readonly readers: Readonly<Record<string, PageReader>>;
  /** Default: the tool that collected. */
  readonly tool?: { readonly name: string; readonly version: string };
  readonly signal?: AbortSignal;
  readonly progress?: AssessProgress;
}

/** A check of the catalogue on its way: automated ones have a judge, questions are settled at once. */
interface Running {
  readonly control: Control;
  readonly check: CompiledCheck;
  readonly judge: CheckJudge | null;
}

/**
 * Judges the stored evidence: a pure function of the evidence, the controls, the configuration and the ledger's `asOf`.
 * Writes `results/{observations.ndjson,findings.json,reconciliation.json,access.ndjson,assessment.json}` whole or not at all.
 * Throws EvidenceError where there is no ledger to read, RunLockedError where another process works on the run, the signal's reason
 * when aborted, and file system errors; earlier results then stay as they were.
 */
export async function assess(request: AssessRequest): Promise<Assessment> {
  const release = lockRun(request.runDirectory);
  const work = join(request.runDirectory, 'results.tmp');
  try {
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    return await assessInto(work, request);
  } finally {
    rmSync(work, { recursive: true, force: true });
    release();
  }
}

async function assessInto(work: string, request: AssessRequest): Promise<Assessment> {
  const { runDirectory, catalogue, config, signal } = request;
  const reader = evidenceReader(runDirectory, request.readers);
  const ledger = reader.ledger();
  const queries = reader.queries();
  const population = readPopulation(ledger, queries);
  const parameters = parametersOf(catalogue, config.parameters);
  const ages = freshness(parameters, ledger.asOf);
  const waivers = waiverBook(config.waivers, ledger.asOf);
  const criticality = criticalSelector(config.critical);
  const checks = catalogue.controls.flatMap(({ checks: own }) => own);

  const index = tableIndex(
    tableReads(checks),
    population.homeGap,
    ({ provider, capturedAt }) => ages.resource(provider, capturedAt)?.message ?? null,
  );
  const access = accessAnalysis(checks.filter((check) => check.kind === 'condition'), index.lookup, population.homeGap);
  const environment: EvaluationEnvironment = { asOf: ledger.asOf, parameters, lookup: index.lookup, readers: access.readers };
  const context: JudgeContext = { population, environment, waivers, freshness: ages };

  const scratch = shards(join(work, 'shards'));
  const running: Running[] = catalogue.controls.flatMap(({ control, checks: own }) =>
    own.map((check) => ({
      control, check,
      judge: check.kind === 'manual' ? null : check.kind === 'verdict' && isMatched(check) ? matchedJudge(control, check, scratch.open(), context) : checkJudge(control, check, scratch.open(), context),
    })),
  );
  const judges = byType(running);
  const tableTypes = new Set([...index.types, ...access.types]);
  const first = queries.filter((query) => holdsAny(query, tableTypes));
  const second = queries.filter((query) => holdsAny(query, new Set(judges.keys())));
  const pace = pacer(request.progress, [...first, ...second]);
  const verified = new Map<string, string>();

  await readAll({ reader, queries: first, population, verified, pace, signal, types: tableTypes, counts: tableTypes }, (resource) => {
    if (population.unitOf(resource.provider, resource.scope.account, resource.scope.region, ledgerType(resource)).coveredBy !== null) return;
    index.add(resource);
    access.add(resource);
  });
  for (const type of tableTypes) population.markRead(type);

  const verdicts: VerdictReading = { judges: running.flatMap(({ control, check, judge }) => (check.kind === 'verdict' && judge ? [{ provider: control.provider, rule: check.rule, judge }] : [])), seen: new Set() };
  const subjectTypes = new Set(judges.keys());
  const uncounted = new Set([...subjectTypes].filter((type) => !tableTypes.has(type)));
  const accessLines = lineFile(join(work, 'access.ndjson'));
  const readersTypes = new Set(running.flatMap(({ check }) => (check.kind === 'condition' && check.usesReaders ? check.on : [])));
  const accessTotals = { stores: 0, keyBoundary: 0, dataRoles: 0, wide: 0, incomplete: 0 };

  try {
    await readAll({ reader, queries: second, population, verified, pace, signal, types: subjectTypes, counts: uncounted, verdicts }, (resource, earlier) => {
      const type = ledgerType(resource);
      const unit = population.unitOf(resource.provider, resource.scope.account, resource.scope.region, type);
      if (unit.coveredBy !== null || unit.excluded) return;
      const one = judgedSubject(resource, unit, criticality(resource), ages.resource(resource.provider, resource.capturedAt));
      for (const judge of judges.get(type) ?? []) {
        if (earlier) judge.conflict(one, earlier);
        else judge.judge(one);
      }
      if (earlier || !readersTypes.has(type) || one.criticality.critical === 'no') return;
      const found = access.access(resource, one.subjectJson);
      accessTotals.stores += 1;
      accessTotals[found.world === 'key-boundary' ? 'keyBoundary' : 'dataRoles'] += 1;
      if (found.wide) accessTotals.wide += 1;
      if (!found.complete) accessTotals.incomplete += 1;
      accessLines.write(found.line);
    });
  } finally {
    accessLines.close();
  }
  for (const type of subjectTypes) population.markRead(type);

  const results = new Map<Running, CheckResult>();
  for (const one of running) {
    results.set(one, one.judge ? one.judge.finish() : questionResult(one.control, one.check as CompiledCheck & { kind: 'manual' }, config.answers, ledger.asOf, scratch.open()));
  }
  const joined = joinShards(join(work, 'observations.ndjson'), catalogue.controls.map(({ control }) => running.filter((one) => one.control === control).map((one) => results.get(one) as CheckResult)));

  const rows: ReconciliationRow[] = [];
  const findings: Finding[] = catalogue.controls.map(({ control }, at) => {
    const own = running.filter((one) => one.control === control).map((one) => results.get(one) as CheckResult);
    const counts = emptyCounts();
    for (const result of own) {
      addCounts(counts, result.counts);
      rows.push(...result.rows);
    }
    const sum = (pick: (result: CheckResult) => number): number => own.reduce((total, result) => total + pick(result), 0);
    const gaps = sum((result) => result.gaps);
    const excluded = sum((result) => result.excluded);
    const reasons: Reason[] = [...own.flatMap((result) => result.reasons), ...waivers.reasons(control.id)];
    const rolled = rollUpControl({ counts, gaps, excluded, provenEmpty: own.length > 0 && own.every((result) => result.provenEmpty), reasons });
    return { control, status: rolled.status, counts, waived: sum((result) => result.waived), excluded, gaps, reasons: rolled.reasons, observations: joined[at] as Finding['observations'] };
  });

  const digest = evidenceDigest(runDirectory, queries, verified);
  const assessment: Assessment = {
    version: 1,
    runId: ledger.runId,
    tool: { ...(request.tool ?? ledger.tool) },
    catalogue: { name: catalogue.name, version: catalogue.version, sha256: catalogueDigest(catalogue), files: catalogue.files.map((file) => ({ ...file })) },
    engagement: config.engagement,
    profile: { level: config.profile.level, title: `Level ${config.profile.level}` },
    parameters,
    critical: config.critical,
    asOf: ledger.asOf,
    collected: { startedAt: ledger.startedAt, endedAt: ledger.endedAt },
    summary: summarise(findings, catalogue.sections),
    findings,
    scopes: ledger.scopes,
    reconciliation: rows,
    waivers: waivers.settled(),
    answers: [...config.answers],
    queries: queries.map(queryIndex),
    access: accessTotals,
    redactions: queries.reduce((sum, query) => sum + query.query.pages.reduce((inner, page) => inner + page.redactions.length, 0), 0),
    evidenceDigest: digest,
    evidenceComplete: ledger.endedAt !== null && isComplete(population, results, tableTypes),
  };
  publish(runDirectory, work, assessment);
  return assessment;
}

/** The catalogue's parameters with the configured values over them; those that bound the age of evidence always exist. Throws for mistakes. */
function parametersOf(catalogue: Catalogue, overrides: Readonly<Record<string, Json>>): Record<string, Json> {
  const own = Object.fromEntries(Object.entries(overrides).filter(([name]) => Object.hasOwn(freshnessParameters, name) && !Object.hasOwn(catalogue.parameters, name)));
  const others = Object.fromEntries(Object.entries(overrides).filter(([name]) => !Object.hasOwn(own, name)));
  const { parameters, mistakes } = resolveParameters(catalogue, others);
  if (mistakes.length > 0) throw new Error(mistakes.map((mistake) => mistake.message).join('; '));
  const all = { ...parameters, ...own };
  return Object.fromEntries(Object.keys(all).sort().map((name) => [name, all[name] as Json]));
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

type Pace = () => void;

function pacer(progress: AssessProgress | undefined, queries: readonly StoredQuery[]): Pace {
  const total = queries.reduce((sum, query) => sum + query.query.pages.length, 0);
  let done = 0;
  return () => progress?.pages((done += 1), total);
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
  readonly pace: Pace;
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
        if (counts.has(type) && earlier === null) population.unitOf(resource.provider, resource.scope.account, resource.scope.region, type).seen += 1;
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
  const besides = population.ledger.entries.filter((entry) => providers.has(entry.provider) && !judged.has(entry.type));
  if (besides.some(({ status }) => status === 'partial' || status === 'failed' || status === 'denied')) return false;
  return population.scopes.every((scope) => scope.status === 'complete' || scope.status === 'excluded' || !providers.has(scope.provider) || scope.status === 'not-recorded');
}

function providerOf(type: string): Provider {
  const plain = type.replace(/^iam-policy:/, '');
  if (plain.startsWith('AWS::')) return 'aws';
  return plain.includes('googleapis.com/') || plain === 'org-policy' ? 'gcp' : 'azure';
}

function catalogueDigest(catalogue: Catalogue): string {
  return hash('sha256', catalogue.files.map(({ file, sha256 }) => `${sha256}  ${file}\n`).sort().join(''));
}

function queryIndex({ directory, query, sha256 }: StoredQuery): QueryIndex {
  const { provider, collector, scope, operation, text, identity, endpoint, status, startedAt, endedAt, reasons, pages } = query;
  return {
    directory, provider, collector, scope, operation, text, identity, endpoint, status,
    pages: pages.length, items: pages.reduce((sum, page) => sum + page.items, 0), bytes: pages.reduce((sum, page) => sum + page.bytes, 0),
    startedAt, endedAt, sha256, reasons,
  };
}

/** SHA-256 over the lines `<sha256>  <path>`, sorted by path, of every file below evidence/: what `sha256sum` prints of them. */
function evidenceDigest(runDirectory: string, queries: readonly StoredQuery[], verified: ReadonlyMap<string, string>): string {
  const known = new Map(verified);
  for (const query of queries) known.set(`${query.directory}/query.json`, query.sha256);
  const lines: string[] = [];
  const visit = (directory: string): void => {
    for (const entry of readdirSync(join(runDirectory, directory), { withFileTypes: true })) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else lines.push(`${known.get(path) ?? hash('sha256', readFileSync(join(runDirectory, path)))}  ${path}\n`);
    }
  };
  visit('evidence');
  const path = (line: string): string => line.slice(66);
  lines.sort((a, b) => (path(a) < path(b) ? -1 : 1));
  return hash('sha256', lines.join(''));
}

/** Puts the finished files in place together: a reader sees the old results or the new ones, never a mixture. */
function publish(runDirectory: string, work: string, assessment: Assessment): void {
  writeFileAtomic(join(work, 'findings.json'), `${JSON.stringify(assessment.findings, null, 2)}\n`);
  writeFileAtomic(join(work, 'reconciliation.json'), `${JSON.stringify(assessment.reconciliation, null, 2)}\n`);
  writeFileAtomic(join(work, 'assessment.json'), `${JSON.stringify(assessment, null, 2)}\n`);
  rmSync(join(work, 'shards'), { recursive: true, force: true });
  const results = join(runDirectory, 'results');
  const old = join(runDirectory, 'results.old');
  rmSync(old, { recursive: true, force: true });
  if (existsSync(results)) renameSync(results, old);
  renameSync(work, results);
  rmSync(old, { recursive: true, force: true });
}

