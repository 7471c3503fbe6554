import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { emptyCounts, querySchema, reconciliationRowSchema, scopeKey, statusSchema, subjectSchema } from '../../model/index.ts';
import type { EvidenceTeller, ReconciliationRow, Status } from '../../model/index.ts';
import type { PackInfo } from '../info.ts';
import type { ProblemList } from './codes.ts';
import { lines, whole } from './contents.ts';
import type { PackContents, Sink } from './contents.ts';
import { cataloguePath, checkConfiguration, configurationPath, configuredSchema } from './inputs.ts';
import type { Configured } from './inputs.ts';
import { assessmentPartSchema, checkRendering, checkResults, ledgerPartSchema, renderingPartSchema } from './results.ts';
import type { AssessmentPart, LedgerPart, Observed, RenderingPart } from './results.ts';
import { explorerCheck, htmlPath } from './explorer.ts';
import { indexCheck } from './indexed.ts';
import { linesCheck } from './lines-told.ts';
import { recordsCheck } from './records.ts';
import { checkRepeatedFindings, digestOfFindings, findingsPath } from './repeated.ts';
import { checkScopes } from './scopes.ts';
import { checkSelected, selectedSchema } from './selected.ts';
import type { Selected } from './selected.ts';
import { packInfoSchema } from './stated.ts';
import { storePaths, storesCheck } from './stores.ts';

const querySizeLimit = 256 * 1024 * 1024;
const resultsSizeLimit = 1024 * 1024 * 1024;
const lineLimit = 16 * 1024 * 1024;
const inputLimit = 16 * 1024 * 1024;

const paths = {
  ledger: 'data/evidence/ledger.json',
  observations: 'data/results/observations.ndjson',
  reconciliation: 'data/results/reconciliation.json',
  assessment: 'data/results/assessment.json',
  rendering: 'data/results/rendering.json',
} as const;

/** The parts of the records that verification reads; the rest may grow. */
const reconciliationSchema = z.array(reconciliationRowSchema);
const observationPartSchema = z.object({
  id: z.string(),
  control: z.string(),
  check: z.string(),
  status: statusSchema,
  subject: subjectSchema.pick({ kind: true, type: true, scope: true, uid: true }),
  citations: z.array(z.object({ file: z.string(), pointer: z.string(), role: z.string(), uid: z.string() })),
  waiver: z.string().optional(),
});

export interface EvidenceFacts {
  /** What the results say of the whole; null where they cannot be read. */
  readonly info: PackInfo | null;
  /** The root that the reports name as the signer's; null in drafts, undefined where it is not told. */
  readonly reportsName: string | null | undefined;
  readonly pages: number;
  readonly observations: number;
  readonly rows: number;
}

export interface EvidenceCheck {
  /** Watches the files of evidence and results pass by. */
  observe(path: string): Sink | null;
  /** Once all have passed: what they say against what is there. `report` is the PDF, signed or not; null where it is missing. */
  finish(contents: PackContents, report: Buffer | null, problems: ProblemList): EvidenceFacts;
}

/**
 * Whether the pack agrees with itself: pages with their queries, results with the evidence they were drawn from,
 * observations with the pages they cite, and populations with the observations made of them. Queries pass before pages, and pages before
 * results (see `readingOrder`). Without a `teller` pages are not looked into.
 */
export function evidenceCheck(teller?: EvidenceTeller): EvidenceCheck {
  const records = teller === undefined ? null : recordsCheck(teller);
  const index = indexCheck();
  const explorer = explorerCheck();
  const unfounded: string[] = [];
  const listed = new Map<string, { sha256: string; query: string }>();
  const cited = new Set<string>();
  const unreadable = new Map<string, string>();
  /** Observations of resources by row of the reconciliation and status; of any subject by control. */
  const byRow = new Map<string, number>();
  const byControl = new Map<string, Observed>();
  const byWaiver = new Map<string, number>();
  const inputs = new Map<string, string>();
  const unfinished: string[] = [];
  const held: {
    rows: ReconciliationRow[] | null;
    assessment: (AssessmentPart & Configured & PackInfo & Selected) | null;
    ledger: LedgerPart | null;
    rendering: RenderingPart | null;
  } = {
    rows: null,
    assessment: null,
    ledger: null,
    rendering: null,
  };
  const digests: { assessment: string | null; findings: string | null } = { assessment: null, findings: null };
  let observations = 0;
  const told = linesCheck(paths.observations);
  const stores = storesCheck((file) => cited.add(`data/${file}`));

  const parsed = <T>(path: string, limit: number, schema: z.ZodType<T>, take: (value: T, raw: unknown) => void): Sink =>
    whole(limit, (bytes) => {
      if (bytes === null) unreadable.set(path, 'it is too large');
      else {
        const value = parse(bytes.toString('utf8'), schema);
        if (value.ok) take(value.value, value.raw);
        else unreadable.set(path, value.why);
      }
    });
  const observation = (text: string | null, bytes: number): void => {
    observations += 1;
    const line = text === null ? { ok: false as const, why: 'it is too long' } : parse(text, observationPartSchema);
    if (!line.ok) {
      unreadable.set(paths.observations, `line ${String(observations)}: ${line.why}`);
      told.take(null, bytes);
      return;
    }
    const { id, control, check, status, subject, citations, waiver } = line.value;
    for (const citation of citations) cited.add(`data/${citation.file}`);
    const observed = byControl.get(control) ?? { counts: emptyCounts(), waived: 0 };
    observed.counts[status] += 1;
    if (waiver !== undefined) {
      observed.waived += 1;
      bump(byWaiver, waiver);
    }
    byControl.set(control, observed);
    const resource = subject.kind === 'resource' ? `${scopeKey(subject.scope)}\n${subject.type}\n${subject.uid}` : null;
    told.take({ id, text: text ?? '', control, check, resource }, bytes);
    explorer.observation(control, status, subject.uid);
    if (resource === null) return;
    bump(byRow, rowKey(control, check, subject, status));
    if (records !== null && !isFounded(citations, subject.uid)) unfounded.push(`${control}/${check}: ${id}`);
  };

  /** Whether what was judged is a record, under the name and in the place that are said. */
  const isFounded = (citations: readonly { file: string; pointer: string; role: string; uid: string }[], uid: string): boolean => {
    const own = citations.filter(({ role }) => role === 'subject');
    return own.length > 0 && own.every((one) => one.uid === uid && records?.holds(one.file, one.pointer, one.uid) === true);
  };

  return {
    observe(path) {
      if (/^data\/evidence\/.+\/query\.json$/.test(path)) {
        return parsed(path, querySizeLimit, querySchema, (query) => {
          records?.query(path, query);
          index.query(path, query);
          if (query.status === 'complete' && (query.pages.at(-1)?.nextTokenSha256 ?? null) !== null) unfinished.push(path);
          for (const page of query.pages) listed.set(`${posix.dirname(path)}/${page.file}`, { sha256: page.sha256, query: path });
        });
      }
      if (path === paths.reconciliation)
        return parsed(path, resultsSizeLimit, reconciliationSchema, (rows) => {
          held.rows = rows;
        });
      if (path === paths.assessment)
        return parsed(
          path,
          resultsSizeLimit,
          assessmentPartSchema.and(configuredSchema).and(packInfoSchema).and(selectedSchema),
          (assessment, raw) => {
            held.assessment = assessment;
            digests.assessment = digestOfFindings((raw as { findings: unknown }).findings);
          },
        );
      if (path === findingsPath)
        return parsed(path, resultsSizeLimit, z.array(z.unknown()), (_, raw) => {
          digests.findings = digestOfFindings(raw);
        });
      if (path === paths.rendering)
        return parsed(path, resultsSizeLimit, renderingPartSchema, (rendering) => {
          held.rendering = rendering;
        });
      if (path === paths.ledger)
        return parsed(path, resultsSizeLimit, ledgerPartSchema, (ledger) => {
          held.ledger = ledger;
        });
      if (path === htmlPath) return explorer.observe();
      if (path === paths.observations) return lines(lineLimit, observation);
      if (path === configurationPath || cataloguePath.test(path))
        return whole(inputLimit, (bytes) => {
          if (bytes !== null) inputs.set(path, bytes.toString('utf8'));
        });
      return records?.observe(path) ?? stores.observe(path);
    },
    finish(contents, report, problems) {
      for (const [path, why] of unreadable)
        problems.add(path === paths.reconciliation ? 'reconciliation-unreadable' : 'evidence-unreadable', why, path);
      for (const path of [paths.ledger, paths.observations, paths.assessment, paths.rendering, ...Object.values(storePaths)])
        if (!contents.files.has(path)) problems.add('evidence-unreadable', 'it is missing', path);
      if (!contents.files.has(paths.reconciliation)) problems.add('reconciliation-unreadable', 'it is missing', paths.reconciliation);
      checkPages(contents, listed, problems);
      for (const path of cited) if (!contents.files.has(path)) problems.add('citation-missing', undefined, path);
      if (held.assessment !== null && held.assessment.evidenceDigest !== evidenceDigest(contents)) problems.add('evidence-digest-wrong');
      for (const path of unfinished) problems.add('query-unfinished', undefined, path);
      const { assessment, rows, ledger, rendering } = held;
      for (const which of unfounded) problems.add('record-missing', which, paths.observations);
      if (ledger !== null) records?.finish(ledger.entries, assessment?.shortfalls ?? [], problems);
      if (assessment !== null) index.finish(assessment, contents, problems);
      stores.finish(assessment?.access ?? null, problems);
      if (assessment !== null) told.finish(assessment.findings, problems);
      explorer.finish(problems);
      checkRepeatedFindings(contents, digests, problems);
      if (rendering !== null) checkRendering(rendering, contents, report, problems);
      if (assessment !== null && rows !== null && ledger !== null)
        checkResults({ assessment, rows, ledger, observed: byControl }, contents, problems);
      if (assessment !== null) checkConfiguration(assessment, inputs, byWaiver, problems);
      if (ledger !== null) checkScopes(inputs.get(configurationPath), ledger, assessment?.shortfalls ?? [], problems);
      if (assessment !== null) checkSelected(assessment, inputs.get(configurationPath), inputs, problems);
      const passing = new Set(assessment?.findings.filter((finding) => finding.status === 'pass').map((finding) => finding.control.id));
      for (const row of held.rows ?? []) checkRow(row, byRow, passing, problems);
      for (const key of byRow.keys()) problems.add('results-disagree', `observations without a population: ${key.replaceAll('\n', ' ')}`);
      return {
        info: assessment === null ? null : packInfoSchema.parse(assessment),
        reportsName: rendering?.signer,
        pages: listed.size,
        observations,
        rows: held.rows?.length ?? 0,
      };
    },
  };
}

function parse<T>(text: string, schema: z.ZodType<T>): { ok: true; value: T; raw: unknown } | { ok: false; why: string } {
  try {
    const raw: unknown = JSON.parse(text);
    const result = schema.safeParse(raw);
    return result.success
      ? { ok: true, value: result.data, raw }
      : { ok: false, why: `unexpected content at ${result.error.issues[0]?.path.join('.') ?? 'its top'}` };
  } catch {
    return { ok: false, why: 'it is not JSON' };
  }
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function rowKey(control: string, check: string, of: { scope: ReconciliationRow['scope']; type: string }, status: Status): string {
  return [control, check, scopeKey(of.scope), of.type, status].join('\n');
}

function checkPages(contents: PackContents, listed: ReadonlyMap<string, { sha256: string; query: string }>, problems: ProblemList): void {
  for (const [path, page] of listed) {
    const seen = contents.files.get(path);
    if (seen === undefined) problems.add('page-missing', page.query, path);
    else if (seen.sha256 !== page.sha256) problems.add('page-altered', page.query, path);
  }
  for (const path of contents.files.keys()) {
    if (path.startsWith('data/evidence/') && path !== paths.ledger && !path.endsWith('/query.json') && !listed.has(path))
      problems.add('page-unlisted', undefined, path);
  }
}

/** As the results state it: SHA-256 over what `sha256sum` prints of every file of the evidence, sorted by path. */
function evidenceDigest(contents: PackContents): string {
  const hash = createHash('sha256');
  const files = [...contents.files]
    .filter(([path]) => path.startsWith('data/evidence/'))
    .map(([path, file]) => ({ path: path.slice('data/'.length), sha256: file.sha256 }));
  for (const file of files.sort((a, b) => (a.path < b.path ? -1 : 1))) hash.update(`${file.sha256}  ${file.path}\n`);
  return hash.digest('hex');
}

/** How many observations stand behind a row, taken out of `byRow`. A native rule judges resources of whatever types it covers. */
function takeObserved(row: ReconciliationRow, status: Status, byRow: Map<string, number>): number {
  const own = rowKey(row.control, row.check, row, status);
  const [start, end] = [`${[row.control, row.check, scopeKey(row.scope)].join('\n')}\n`, `\n${status}`];
  const keys = row.type.startsWith('verdict:') ? [...byRow.keys()].filter((key) => key.startsWith(start) && key.endsWith(end)) : [own];
  return keys.reduce((sum, key) => {
    const count = byRow.get(key) ?? 0;
    byRow.delete(key);
    return sum + count;
  }, 0);
}

/** A row against the observations behind it (taken out of `byRow`), and against what it claims. */
function checkRow(row: ReconciliationRow, byRow: Map<string, number>, passing: ReadonlySet<string>, problems: ProblemList): void {
  const where = `${row.control}/${row.check}, ${row.type} in ${scopeKey(row.scope)}`;
  for (const status of ['pass', 'fail', 'unknown', 'error', 'notapplicable'] as const) {
    const observed = takeObserved(row, status, byRow);
    if (observed !== row[status])
      problems.add('results-disagree', `${where}: ${String(row[status])} ${status} in the reconciliation, ${String(observed)} observed`);
  }
  const why = imbalance(row, passing);
  if (why !== null) problems.add('reconciliation-unbalanced', `${where}: ${why}`);
}

/** Why a row is not what it claims: null when it holds. A population recorded elsewhere or left out has nothing judged in it. */
function imbalance(row: ReconciliationRow, passing: ReadonlySet<string>): string | null {
  const judged = row.pass + row.fail + row.unknown + row.error + row.notapplicable;
  const excluded = Object.values(row.excluded).reduce((sum, n) => sum + n, 0);
  const sum = judged + excluded;
  if (row.waived > row.fail) return `${String(row.waived)} waived of ${String(row.fail)} failed`;
  if (row.balanced) {
    const holds = row.count !== null ? row.count.count === sum || (judged === 0 && row.reasons.length > 0) : judged === 0;
    return holds
      ? null
      : `${String(sum)} are accounted for, and the provider counts ${row.count === null ? 'nothing' : String(row.count.count)}`;
  }
  if (row.reasons.length === 0) return 'it does not balance, and no reason is given';
  return passing.has(row.control) ? 'it does not balance, and the control passes all the same' : null;
}
