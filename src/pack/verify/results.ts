import { posix } from 'node:path';
import { z } from 'zod';
import {
  accessTotalsSchema,
  emptyCounts,
  providerSchema,
  renderedResult,
  resultSources,
  rollUp,
  scopeCoverageSchema,
  scopeKey,
  statusCountsSchema,
  statuses,
  statusSchema,
} from '../../model/index.ts';
import { ledgerEntrySchema, queryIndexSchema, reconciliationRowSchema, shortfallSchema } from '../../model/index.ts';
import type { ReconciliationRow, Status, StatusCounts } from '../../model/index.ts';
import { sha256 } from '../files.ts';
import { dataDirectory, reportFile } from '../layout.ts';
import type { ProblemList } from './codes.ts';
import type { PackContents } from './contents.ts';
import { checkShortfalls } from './shortfalls.ts';

/** Of `evidence/ledger.json`, what the results have to agree with. */
export const ledgerPartSchema = z.object({
  runId: z.string(),
  asOf: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  scopes: z.array(scopeCoverageSchema),
  entries: z.array(
    ledgerEntrySchema.pick({
      provider: true,
      account: true,
      region: true,
      type: true,
      status: true,
      held: true,
      count: true,
      reasons: true,
      queries: true,
    }),
  ),
});
export type LedgerPart = z.infer<typeof ledgerPartSchema>;

/** Of `results/assessment.json`, what follows from the rest of the pack. */
export const assessmentPartSchema = z.object({
  runId: z.string(),
  asOf: z.string(),
  evidenceDigest: z.string(),
  evidenceComplete: z.boolean(),
  catalogue: z.object({ sha256: z.string(), files: z.array(z.object({ file: z.string(), sha256: z.string() })) }),
  summary: z.object({
    counts: statusCountsSchema,
    score: z.number().nullable(),
    resources: statusCountsSchema,
    sections: z.array(
      z.object({ section: z.string(), provider: providerSchema, counts: statusCountsSchema, score: z.number().nullable() }),
    ),
    levels: z.array(z.object({ level: z.number(), counts: statusCountsSchema, score: z.number().nullable() })),
  }),
  findings: z.array(
    z.object({
      control: z.object({
        id: z.string(),
        provider: providerSchema.optional(),
        section: z.string().optional(),
        level: z.number().optional(),
        checks: z.array(z.object({ id: z.string(), kind: z.string() })).default([]),
      }),
      status: statusSchema,
      counts: statusCountsSchema,
      waived: z.number(),
      gaps: z.number(),
      observations: z.object({ count: z.number(), blocks: z.array(z.tuple([z.number(), z.number()])) }),
    }),
  ),
  reconciliation: z.array(reconciliationRowSchema),
  shortfalls: z.array(shortfallSchema).optional(),
  access: accessTotalsSchema,
  scopes: z.array(scopeCoverageSchema),
  queries: z.array(queryIndexSchema),
  redactions: z.number(),
  collected: z.object({ startedAt: z.string(), endedAt: z.string().nullable() }),
});
export type AssessmentPart = z.infer<typeof assessmentPartSchema>;

/** `results/rendering.json`: which results the reports were made of. A PDF's digest is from before it was signed. */
export const renderingPartSchema = z.object({
  /** Fingerprint of the root that the reports name; null in drafts, absent where it was not told. */
  signer: z.string().nullable().optional(),
  sources: z.record(z.string(), z.string()),
  files: z.array(z.object({ file: z.string(), bytes: z.number().int().nonnegative(), sha256: z.string() })),
});
export type RenderingPart = z.infer<typeof renderingPartSchema>;

/** Whether a file is made of results. */
function isRendered(path: string): boolean {
  const results = `${dataDirectory}/results/`;
  return path.startsWith(results) ? renderedResult.test(path.slice(results.length)) : /^data\/report\.(?:html|pdf)$/.test(path);
}

/** Reports were made of these results, and are as they were made. Signing adds to a PDF and changes no byte of it. */
export function checkRendering(rendering: RenderingPart, contents: PackContents, report: Buffer | null, problems: ProblemList): void {
  const source = (path: string): boolean => rendering.sources[path.slice(dataDirectory.length + 1)] === contents.files.get(path)?.sha256;
  for (const path of resultSources.map((name) => `${dataDirectory}/results/${name}`))
    if (!source(path)) problems.add('report-stale', 'the reports were made of another version of it', path);
  const made = new Map(rendering.files.map((file) => [`${dataDirectory}/${file.file}`, file]));
  for (const path of new Set([...contents.files.keys(), reportFile])) {
    if (!isRendered(path)) continue;
    const file = made.get(path);
    if (path === reportFile) {
      if (report !== null && (file === undefined || sha256(report.subarray(0, file.bytes)) !== file.sha256))
        problems.add('report-stale', 'it is not the one that was made', path);
    } else if (file?.sha256 !== contents.files.get(path)?.sha256) problems.add('report-stale', 'it is not the one that was made', path);
  }
}

/** What the observations of a control came to. */
export interface Observed {
  readonly counts: StatusCounts;
  waived: number;
}

export interface ResultsToCheck {
  readonly assessment: AssessmentPart;
  readonly rows: readonly ReconciliationRow[];
  readonly ledger: LedgerPart;
  readonly observed: ReadonlyMap<string, Observed>;
}

/**
 * Everything in the results that follows from something else in the pack, worked out again: findings from observations, the summary
 * from findings, populations from the ledger, the index of evidence from the evidence, the catalogue's digests from the catalogue.
 * Whether an observation follows from its record is for who judges the evidence again.
 */
export function checkResults(results: ResultsToCheck, contents: PackContents, problems: ProblemList): void {
  checkFindings(results, problems);
  checkSummary(results.assessment, problems);
  checkRepeated(results, problems);
  checkLedger(results, problems);
  checkShortfalls(results, problems);
  checkCatalogue(results.assessment, contents, problems);
}

function checkFindings({ assessment, observed, rows }: ResultsToCheck, problems: ProblemList): void {
  const known = new Set(assessment.findings.map(({ control }) => control.id));
  for (const control of observed.keys())
    if (!known.has(control)) problems.add('results-disagree', `${control} was observed, and is not among the findings`);
  if (known.size !== assessment.findings.length) problems.add('results-disagree', 'a control is found twice');
  const reconciled = new Set(rows.map((row) => `${row.control}\n${row.check}`));
  for (const { control, status, counts, waived, gaps, observations } of assessment.findings) {
    const seen = observed.get(control.id) ?? { counts: emptyCounts(), waived: 0 };
    const present = statuses.filter((one) => seen.counts[one] > 0);
    const due = rollUp(present);
    const total = present.reduce((sum, one) => sum + seen.counts[one], 0);
    if (due === undefined ? status !== 'notapplicable' && status !== 'unknown' : status !== due) {
      const against = due === undefined ? [] : present.filter((one) => one !== status);
      if (status === 'pass') {
        problems.add(
          'results-disagree',
          due === undefined || !present.includes('pass')
            ? `${control.id} passes without any observation that does`
            : `${control.id} passes, with observations that are ${against.join(' and ')}`,
        );
      } else problems.add('results-disagree', `${control.id} is stated as ${status}, and its observations come to ${due ?? 'nothing'}`);
    }
    const stated = { ...counts, unknown: counts.unknown + gaps };
    const wrong = statuses.filter((one) => stated[one] !== seen.counts[one]);
    if (wrong.length > 0)
      problems.add(
        'results-disagree',
        `${control.id}: ${wrong.map((one) => `${String(stated[one])} ${one} in the finding, ${String(seen.counts[one])} observed`).join('; ')}`,
      );
    if (observations.count !== total)
      problems.add(
        'results-disagree',
        `${control.id}: ${String(observations.count)} observations in the finding, ${String(total)} are there`,
      );
    if (waived !== seen.waived)
      problems.add(
        'results-disagree',
        `${control.id}: ${String(waived)} waived in the finding, ${String(seen.waived)} observations name a waiver`,
      );
    if (status !== 'pass' && status !== 'notapplicable') continue;
    for (const check of control.checks)
      if (check.kind !== 'manual' && !reconciled.has(`${control.id}\n${check.id}`))
        problems.add('results-disagree', `${control.id}/${check.id} is ${status}, and no population of it is reconciled`);
  }
}

const scoreOf = (counts: StatusCounts): number | null =>
  counts.pass + counts.fail === 0 ? null : counts.pass / (counts.pass + counts.fail);
const sameCounts = (a: StatusCounts, b: StatusCounts): boolean => statuses.every((status) => a[status] === b[status]);

function checkSummary({ summary, findings }: AssessmentPart, problems: ProblemList): void {
  const counted = (of: readonly { status: Status }[]): StatusCounts => {
    const counts = emptyCounts();
    for (const { status } of of) counts[status] += 1;
    return counts;
  };
  const resources = emptyCounts();
  for (const { counts } of findings) for (const status of statuses) resources[status] += counts[status];
  if (!sameCounts(summary.resources, resources))
    problems.add('results-disagree', 'the summary counts other observations than the findings');
  const parts = [
    { name: 'the summary', stated: summary, of: findings },
    ...summary.sections.map((stated) => ({
      name: `the section ${stated.section}`,
      stated,
      of: findings.filter(({ control }) => control.section === stated.section && control.provider === stated.provider),
    })),
    ...summary.levels.map((stated) => ({
      name: `level ${String(stated.level)}`,
      stated,
      of: findings.filter(({ control }) => control.level === stated.level),
    })),
  ];
  for (const { name, stated, of } of parts) {
    const due = counted(of);
    if (!sameCounts(stated.counts, due) || stated.score !== scoreOf(due))
      problems.add('results-disagree', `${name} does not follow from the findings`);
  }
}

/** A clock that is set while a run starts. */
const clockStep = 60_000;

/** What is written down twice has to be the same twice. */
function checkRepeated({ assessment, rows, ledger }: ResultsToCheck, problems: ProblemList): void {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  if (!same(assessment.reconciliation, rows))
    problems.add('results-disagree', 'the assessment holds another reconciliation than reconciliation.json');
  if (!same(assessment.scopes, ledger.scopes)) problems.add('results-disagree', 'the assessment lists other scopes than the ledger');
  if (assessment.asOf !== ledger.asOf || assessment.runId !== ledger.runId)
    problems.add('results-disagree', 'the assessment is of another run or instant than the ledger');
  // The instant is fixed before the first question is asked; a later one makes waivers and dates look better than they were.
  if (!(Date.parse(ledger.asOf) <= Date.parse(ledger.startedAt) + clockStep))
    problems.add('results-disagree', `it was judged as of ${ledger.asOf}, and collected from ${ledger.startedAt}`);
  const { startedAt, endedAt } = assessment.collected;
  if (startedAt !== ledger.startedAt || endedAt !== ledger.endedAt)
    problems.add('results-disagree', 'the assessment tells other times of collection than the ledger');
  if (assessment.evidenceComplete && ledger.endedAt === null)
    problems.add('results-disagree', 'the evidence is called complete, and its collection did not end');
}

function checkLedger({ assessment, rows, ledger }: ResultsToCheck, problems: ProblemList): void {
  const entries = new Map<string, LedgerPart['entries']>();
  const byType = new Map<string, LedgerPart['entries']>();
  for (const entry of ledger.entries) {
    const key = `${scopeKey(entry)}\n${entry.type}`;
    entries.set(key, [...(entries.get(key) ?? []), entry]);
    const type = `${entry.provider}\n${entry.type}`;
    const alike = byType.get(type);
    if (alike) alike.push(entry);
    else byType.set(type, [entry]);
  }
  const passing = new Set(
    assessment.findings.filter(({ status }) => status === 'pass' || status === 'notapplicable').map(({ control }) => control.id),
  );
  const covered = new Set<string>();
  const typesOf = new Map<string, Set<string>>();
  for (const row of rows) {
    const check = `${row.control}\n${row.check}`;
    covered.add(`${check}\n${scopeKey(row.scope)}\n${row.type}`);
    const types = typesOf.get(check) ?? new Set<string>();
    typesOf.set(check, types.add(`${row.scope.provider}\n${row.type}`));
    const why = beyondLedger(row, entries.get(`${scopeKey(row.scope)}\n${row.type}`) ?? [], passing.has(row.control));
    if (why !== null) problems.add('ledger-disagrees', `${row.control}/${row.check}, ${row.type} in ${scopeKey(row.scope)}: ${why}`);
  }
  // A population that the ledger knows cannot be left out of a check that judges its type.
  for (const [check, types] of typesOf) {
    for (const type of types) {
      for (const entry of byType.get(type) ?? [])
        if (!covered.has(`${check}\n${scopeKey(entry)}\n${entry.type}`))
          problems.add('ledger-disagrees', `${check.replace('\n', '/')}: ${entry.type} in ${scopeKey(entry)} is not reconciled`);
    }
  }
}

/** What a row claims beyond the ledger; null when it stays within. Rows that say why they prove nothing claim nothing. */
function beyondLedger(row: ReconciliationRow, entries: LedgerPart['entries'], passing: boolean): string | null {
  if (!row.balanced || row.reasons.length > 0) return null;
  const [first] = entries;
  if (first === undefined) return 'it balances, and the ledger has no entry for it';
  const lacking = entries.find(({ status }) => status !== 'complete' && status !== 'excluded');
  if (lacking !== undefined && passing) return `the ledger calls it ${lacking.status}`;
  if (!entries.some(({ held }) => held === row.held)) return `${String(row.held)} are held, by the ledger ${String(first.held)}`;
  // Of accounts there is one: native verdicts about them are counted without the provider's help.
  const uncounted = row.type.startsWith('verdict:') && entries.every(({ count }) => count === null);
  if (row.count !== null && !uncounted && !entries.some(({ count }) => count?.count === row.count?.count))
    return `it is counted as ${String(row.count.count)}, in the ledger as ${String(first.count?.count ?? 'nothing')}`;
  return null;
}

/** The controls that lie in the pack are those that judged. */
function checkCatalogue({ catalogue }: AssessmentPart, contents: PackContents, problems: ProblemList): void {
  const directory = `${dataDirectory}/inputs/catalogue`;
  const kept = new Map(catalogue.files.map((one) => [posix.join(directory, one.file), one.sha256]));
  for (const [path, stated] of kept)
    if (contents.files.get(path)?.sha256 !== stated)
      problems.add('inputs-disagree', contents.files.has(path) ? 'it was changed after the assessment' : 'it is missing', path);
  for (const path of contents.files.keys())
    if (path.startsWith(`${directory}/`) && !kept.has(path)) problems.add('inputs-disagree', 'it is none of the files that judged', path);
  const digest = sha256(
    catalogue.files
      .map((one) => `${one.sha256}  ${one.file}\n`)
      .sort()
      .join(''),
  );
  if (catalogue.sha256 !== digest) problems.add('inputs-disagree', 'the digest stated for the catalogue is not that of its files');
}
