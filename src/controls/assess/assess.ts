import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExhibitConfig } from '../../config/schema.ts';
import { fileLender, writeFileAtomic } from '../../evidence/files.ts';
import { lockRun } from '../../evidence/lock.ts';
import { type EvidenceReader, evidenceReader, type PageReader, type StoredQuery } from '../../evidence/reader.ts';
import { type Assessment, type Finding, freshnessParameters, type Json, namedScopes, type QueryIndex } from '../../model/index.ts';
import { boundGarbage } from '../../evidence/garbage.ts';
import { freshness } from './freshness.ts';
import { resolveParameters } from '../catalogue/parameters.ts';
import { moved } from './conflicts.ts';
import { judgePart, pagesToRead, type PartRequest, type PartResult } from './part.ts';
import { deal, partsOf } from './partition.ts';
import { type ResultFiles, resultFiles } from './result-files.ts';
import { summarise } from './rollup.ts';
import { mergeShortfalls } from './shortfalls.ts';
import { sameJson } from '../lookups/table-index.ts';
import type { Catalogue } from '../types.ts';
import { waiverBook } from './waivers.ts';
import { judgeElsewhere, type Threads } from './workers.ts';

export interface AssessProgress {
  /** Pages read of those that have to be read. */
  pages(done: number, total: number): void;
}

export interface AssessRequest {
  readonly runDirectory: string;
  /** The selected controls (see select.ts). */
  readonly catalogue: Catalogue;
  readonly config: Pick<ExhibitConfig, 'engagement' | 'profile' | 'critical' | 'parameters' | 'waivers' | 'answers' | 'catalogue'> &
    Partial<Pick<ExhibitConfig, 'scopes'>>;
  /** Page maps by `query.shape`. */
  readonly readers: Readonly<Record<string, PageReader>>;
  /** Default: the tool that collected. */
  readonly tool?: { readonly name: string; readonly version: string };
  readonly signal?: AbortSignal;
  readonly progress?: AssessProgress;
  /** Threads to judge on; without it the calling one alone. The results are the same bytes. */
  readonly threads?: Threads;
}

/**
 * Judges the stored evidence: a pure function of the evidence, the controls, the configuration and the ledger's `asOf`.
 * Writes `results/{observations,access,readers}.ndjson` and `results/{findings,reconciliation,assessment}.json` whole or not at all.
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
  const { runDirectory, catalogue, config } = request;
  const reader = evidenceReader(runDirectory, request.readers);
  const ledger = reader.ledger();
  const queries = reader.queries();
  const parameters = parametersOf(catalogue, config.parameters);
  freshness(parameters, ledger.asOf);
  const files = resultFiles(work);
  const parts = await judgeParts(files, reader, request, parameters, queries);
  const safe = files.close();
  // Told to whoever waits for it below; until then a failure is nobody's business.
  safe.catch(() => undefined);

  const found = new Map(
    parts.flatMap((part) => part.findings.map((finding, at) => [finding.id, { finding, rows: part.rows[at] ?? [] }] as const)),
  );
  const inOrder = catalogue.controls.map(({ control }) => ({
    control,
    ...(found.get(control.id) as NonNullable<ReturnType<typeof found.get>>),
  }));
  const findings: Finding[] = inOrder.map(({ control, finding: { id: _, ...finding } }) => ({ control, ...finding }));
  const total = (pick: (part: PartResult) => number): number => parts.reduce((sum, part) => sum + pick(part), 0);

  const digest = evidenceDigest(runDirectory, queries, new Map(parts.flatMap((part) => part.verified)));
  const assessment: Assessment = {
    version: 1,
    runId: ledger.runId,
    tool: { ...(request.tool ?? ledger.tool) },
    catalogue: {
      name: catalogue.name,
      version: catalogue.version,
      sha256: catalogueDigest(catalogue),
      files: catalogue.files.map((file) => ({ ...file })),
    },
    engagement: config.engagement,
    profile: { level: config.profile.level, title: `Level ${config.profile.level}` },
    parameters,
    choices: {
      ownCatalogue: config.catalogue !== undefined,
      leftOut: [...(catalogue.leftOut ?? [])],
      parameters: changedParameters(catalogue, parameters),
    },
    critical: config.critical,
    asOf: ledger.asOf,
    collected: { startedAt: ledger.startedAt, endedAt: ledger.endedAt },
    summary: summarise(findings, catalogue.sections),
    findings,
    scopes: ledger.scopes,
    reconciliation: inOrder.flatMap(({ rows }) => rows),
    shortfalls: mergeShortfalls(
      ledger.entries,
      parts.map((part) => part.shortfalls),
    ),
    waivers: waiverBook(config.waivers, ledger.asOf)
      .settled()
      .map((waiver, at) => ({ ...waiver, used: total((part) => part.waived[at] ?? 0) })),
    answers: [...config.answers],
    queries: queries.map(queryIndex),
    access: {
      stores: total(({ access }) => access.stores),
      keyBoundary: total(({ access }) => access.keyBoundary),
      dataRoles: total(({ access }) => access.dataRoles),
      wide: total(({ access }) => access.wide),
      incomplete: total(({ access }) => access.incomplete),
    },
    redactions: queries.reduce((sum, query) => sum + query.query.pages.reduce((inner, page) => inner + page.redactions.length, 0), 0),
    evidenceDigest: digest,
    evidenceComplete: ledger.endedAt !== null && parts.every((part) => part.complete),
  };
  await safe;
  publish(runDirectory, work, assessment);
  return assessment;
}

/** Judges the parts of the catalogue one after the other, or on as many threads as are worth having; their lines stand in the order of the parts. */
async function judgeParts(
  files: ResultFiles,
  reader: EvidenceReader,
  request: AssessRequest,
  parameters: Record<string, Json>,
  queries: readonly StoredQuery[],
): Promise<PartResult[]> {
  const { runDirectory, catalogue, config, signal, progress, threads } = request;
  const parts = partsOf(catalogue.controls, queries);
  const large = parts.reduce((sum, { bytes }) => sum + bytes, 0) >= (threads?.fromBytes ?? 64 * 2 ** 20);
  const [mine = [], ...others] = deal(parts, large ? Math.max(1, threads?.count ?? 1) : 1);
  const total = parts.reduce((sum, { controls }) => sum + pagesToRead(controls, queries), 0);
  let done = 0;
  const pages = (read: number): void => progress?.pages((done += read), total);
  const common: Pick<PartRequest, 'parameters' | 'config' | 'expected'> = {
    parameters,
    config: { critical: config.critical, waivers: config.waivers, answers: config.answers },
    expected: namedScopes(config.scopes),
  };
  const unbound = large ? boundGarbage() : null;
  const elsewhere =
    threads && others.length > 0
      ? judgeElsewhere({ module: threads.module, runDirectory, catalogue, signal, parts: others, common, files, pages })
      : null;
  try {
    const results: PartResult[] = [];
    // The others are under way meanwhile.
    for (const { controls } of mine) results.push(await judgePart({ ...common, reader, files, controls, signal, page: () => pages(1) }));
    for (const { directory, results: theirs } of (await elsewhere?.results) ?? []) {
      const begin = files.append(directory);
      results.push(...theirs.map((result) => placed(result, begin)));
    }
    return results;
  } finally {
    await elsewhere?.stop();
    unbound?.();
  }
}

/** A part's result, once its observations lie behind `begin` bytes of others. */
function placed(result: PartResult, begin: number): PartResult {
  const findings = result.findings.map((finding) => ({
    ...finding,
    observations: { ...finding.observations, blocks: moved(finding.observations.blocks, begin) },
  }));
  return { ...result, findings };
}

/** The catalogue's parameters with the configured values over them; those that bound the age of evidence always exist. Throws for mistakes. */
function parametersOf(catalogue: Catalogue, overrides: Readonly<Record<string, Json>>): Record<string, Json> {
  const own = Object.fromEntries(
    Object.entries(overrides).filter(([name]) => Object.hasOwn(freshnessParameters, name) && !Object.hasOwn(catalogue.parameters, name)),
  );
  const others = Object.fromEntries(Object.entries(overrides).filter(([name]) => !Object.hasOwn(own, name)));
  const { parameters, mistakes } = resolveParameters(catalogue, others);
  if (mistakes.length > 0) throw new Error(mistakes.map((mistake) => mistake.message).join('; '));
  const all = { ...parameters, ...own };
  return Object.fromEntries(
    Object.keys(all)
      .sort()
      .map((name) => [name, all[name] as Json]),
  );
}

/** Parameters that do not have the value they have by default. */
function changedParameters(catalogue: Catalogue, parameters: Readonly<Record<string, Json>>): { name: string; default: Json }[] {
  const bounds: Readonly<Record<string, { readonly default: Json }>> = freshnessParameters;
  return Object.entries(parameters).flatMap(([name, value]) => {
    const usual = catalogue.parameters[name]?.default ?? bounds[name]?.default ?? null;
    return sameJson(value, usual) ? [] : [{ name, default: usual }];
  });
}

function catalogueDigest(catalogue: Catalogue): string {
  return hash(
    'sha256',
    catalogue.files
      .map(({ file, sha256 }) => `${sha256}  ${file}\n`)
      .sort()
      .join(''),
  );
}

function queryIndex({ directory, query, sha256 }: StoredQuery): QueryIndex {
  const { provider, collector, scope, operation, text, identity, endpoint, status, startedAt, endedAt, reasons, pages } = query;
  return {
    directory,
    provider,
    collector,
    scope,
    operation,
    text,
    identity,
    endpoint,
    status,
    pages: pages.length,
    items: pages.reduce((sum, page) => sum + page.items, 0),
    bytes: pages.reduce((sum, page) => sum + page.bytes, 0),
    startedAt,
    endedAt,
    sha256,
    reasons,
  };
}

/** SHA-256 over the lines `<sha256>  <path>`, sorted by path, of every file below evidence/: what `sha256sum` prints of them. */
function evidenceDigest(runDirectory: string, queries: readonly StoredQuery[], verified: ReadonlyMap<string, string>): string {
  const known = new Map(verified);
  for (const query of queries) known.set(`${query.directory}/query.json`, query.sha256);
  const lines: string[] = [];
  const read = fileLender();
  const visit = (directory: string): void => {
    for (const entry of readdirSync(join(runDirectory, directory), { withFileTypes: true })) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else lines.push(`${known.get(path) ?? hash('sha256', read(join(runDirectory, path)))}  ${path}\n`);
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
  const results = join(runDirectory, 'results');
  const old = join(runDirectory, 'results.old');
  rmSync(old, { recursive: true, force: true });
  if (existsSync(results)) renameSync(results, old);
  renameSync(work, results);
  rmSync(old, { recursive: true, force: true });
}
