import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assessmentSchema, resultSources } from '../model/index.ts';
import type { Access, Assessment, Finding, Observation, Readers, ResultFormat, StoreAccess } from '../model/index.ts';
import type { BrowserRecord } from './browser.ts';
import { csv } from './csv.ts';
import { digestOf, removeHalfWritten, writeAtomically } from './files.ts';
import { htmlReport } from './html.ts';
import { allObservations, isNonPassing, observationIds, observationsOf } from './observations.ts';
import { ocsfFindings } from './ocsf.ts';
import { oscalCatalog } from './oscal/catalog.ts';
import { oscalResults } from './oscal/results.ts';
import { catalogFile } from './oscal/terms.ts';
import type { RegisterRow } from './register.ts';
import { accessLines, readersLines, storesOf } from './stores.ts';
import { readersTable, storesTable } from './tables/access.ts';
import { exceptionsTable } from './tables/exceptions.ts';
import { engagementTable, findingsTable, observationsTable, reconciliationTable, shortfallsTable } from './tables/results.ts';
import { buildView, gather } from './view.ts';
import type { Gathered } from './view.ts';
import { rowView } from './view-control.ts';
import type { SigningInfo } from './view-front.ts';

import { workbook, type NamedTable } from './xlsx/workbook.ts';

export type { SigningInfo } from './view-front.ts';
export type { BrowserRecord } from './browser.ts';

export interface RenderOptions {
  /** Holds `results/`; the reports are written beside it. */
  runDirectory: string;
  /** Who will sign; null renders an unsigned draft. */
  signing: SigningInfo | null;
  log: (message: string) => void;
  /** Default: all of them. */
  formats?: readonly ReportFormat[];
  /** The formats to write besides; files of others are removed. Default: all of them. */
  results?: readonly ResultFormat[];
  /** Path of a Chromium to use instead of the bundled one. */
  browser?: string;
}

export interface WrittenFile {
  format: ReportFormat;
  /** Relative to the run directory. */
  file: string;
  bytes: number;
  /** Of a PDF: before it is signed. */
  sha256: string;
  milliseconds: number;
}

export interface RenderReport {
  files: WrittenFile[];
  /** Pages of the PDF; null when none was made. */
  pages: number | null;
  browser: BrowserRecord | null;
  warnings: string[];
}

interface Source {
  assessment: Assessment;
  signing: SigningInfo | null;
  gathered: () => Promise<Gathered>;
  observations: () => AsyncIterable<{ finding: Finding; observation: Observation }>;
  observationsOf: (finding: Finding) => AsyncIterable<Observation>;
  observationIds: (finding: Finding) => AsyncIterable<string>;
  stores: () => AsyncIterable<StoreAccess>;
  storeLines: () => AsyncIterable<Access>;
  readerSets: () => AsyncIterable<Readers>;
  browser: string | undefined;
  log: (message: string) => void;
  /** What a format found worth recording. */
  record: (facts: { pages?: number; browser?: BrowserRecord }) => void;
}

type Pieces = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

const tableOf = {
  observations: ({ observations }: Source) => observationsTable(observations()),
  findings: ({ assessment }: Source) => findingsTable(assessment),
  exceptions: ({ assessment }: Source) => exceptionsTable(assessment),
  reconciliation: ({ assessment }: Source) => reconciliationTable(assessment),
  stores: ({ storeLines, readerSets }: Source) => storesTable(storeLines(), readerSets()),
  readers: ({ storeLines, readerSets }: Source) => readersTable(storeLines(), readerSets()),
};

function sheetsOf(source: Source): NamedTable[] {
  return [
    { name: 'Engagement', table: engagementTable(source.assessment) },
    { name: 'Findings', table: tableOf.findings(source) },
    { name: 'Observations', table: tableOf.observations(source) },
    { name: 'Reconciliation', table: tableOf.reconciliation(source) },
    { name: 'Evidence not whole', table: shortfallsTable(source.assessment) },
    { name: 'Exceptions', table: tableOf.exceptions(source) },
    { name: 'Critical stores', table: tableOf.stores(source) },
    { name: 'Readers', table: tableOf.readers(source) },
  ];
}

/** The registry: a format is one file of this folder, or one folder of it, and one line here. `choice`: a configuration may leave it out. */
const FORMATS = {
  html: { file: 'report.html', write: (source: Source) => html(source) },
  pdf: { file: 'report.pdf', write: (source: Source) => pdf(source) },
  'observations-csv': { file: 'results/observations.csv', write: (source: Source) => csv(tableOf.observations(source)) },
  'findings-csv': { file: 'results/findings.csv', write: (source: Source) => csv(tableOf.findings(source)) },
  'reconciliation-csv': { file: 'results/reconciliation.csv', write: (source: Source) => csv(tableOf.reconciliation(source)) },
  'access-csv': { file: 'results/access.csv', write: (source: Source) => csv(tableOf.stores(source)) },
  'exceptions-csv': { file: 'results/exceptions.csv', write: (source: Source) => csv(tableOf.exceptions(source)) },
  'readers-csv': { file: 'results/readers.csv', write: (source: Source) => csv(tableOf.readers(source)) },
  xlsx: { choice: 'xlsx', file: 'results/results.xlsx', write: (source: Source) => workbook(sheetsOf(source)) },
  'oscal-assessment-results': {
    choice: 'oscal',
    file: 'results/oscal-assessment-results.json',
    write: (source: Source): Pieces => oscalResults(source),
  },
  'oscal-catalog': { choice: 'oscal', file: `results/${catalogFile}`, write: ({ assessment }: Source): Pieces => oscalCatalog(assessment) },
  ocsf: {
    choice: 'ocsf',
    file: 'results/ocsf-compliance-findings.ndjson',
    write: ({ assessment, observations }: Source): Pieces => ocsfFindings(assessment, observations()),
  },
} as const satisfies Record<string, { choice?: ResultFormat; file: string; write: (source: Source) => Pieces }>;

export type ReportFormat = keyof typeof FORMATS;
export const reportFormats = Object.keys(FORMATS) as readonly ReportFormat[];

/**
 * Writes the reports of an assessed run, `report.html` and `report.pdf`, and its results in other formats, each whole or not at all, and
 * `results/rendering.json`, which says what made them.
 * Throws when the results contradict one another, or when no browser can be had for the PDF.
 */
export async function render(options: RenderOptions): Promise<RenderReport> {
  const { runDirectory, signing, log } = options;
  const results = join(runDirectory, 'results');
  const assessment = assessmentSchema.parse(JSON.parse(await readFile(join(results, 'assessment.json'), 'utf8')));
  const observationsFile = join(results, 'observations.ndjson');
  const report: RenderReport = { files: [], pages: null, browser: null, warnings: [] };
  let gathered: Promise<Gathered> | undefined;
  const source: Source = {
    assessment,
    signing,
    browser: options.browser,
    log,
    observations: () => allObservations(observationsFile, assessment),
    observationsOf: (finding) => observationsOf(observationsFile, finding),
    observationIds: (finding) => observationIds(observationsFile, finding),
    stores: () => storesOf(results),
    storeLines: () => accessLines(results),
    readerSets: () => readersLines(results),
    gathered: () => (gathered ??= gather(assessment, source.observationsOf, source.stores())),
    record: (facts) => {
      if (facts.pages !== undefined) report.pages = facts.pages;
      if (facts.browser !== undefined) {
        report.browser = facts.browser;
        report.warnings.push(...facts.browser.warnings);
      }
    },
  };
  for (const directory of [runDirectory, results]) await removeHalfWritten(directory);
  const sources: Record<string, string> = {};
  for (const name of resultSources) sources[`results/${name}`] = await digestOf(join(results, name));
  for (const format of options.formats ?? reportFormats) {
    const { choice, file, write }: (typeof FORMATS)[ReportFormat] & { readonly choice?: ResultFormat } = FORMATS[format];
    if (choice !== undefined && options.results?.includes(choice) === false) {
      // An earlier rendering may have made it, of these results or of others.
      await rm(join(runDirectory, file), { force: true });
      continue;
    }
    const started = performance.now();
    const { bytes, sha256 } = await writeAtomically(join(runDirectory, file), write(source));
    report.files.push({ format, file, bytes, sha256, milliseconds: Math.round(performance.now() - started) });
  }
  await writeAtomically(join(results, 'rendering.json'), [`${JSON.stringify(recordOf(report, assessment, sources, signing), null, 2)}\n`]);
  return report;
}

/**
 * `results/rendering.json`: what made the reports, and of which results, so that a report of former results is noticed.
 * Nothing of it depends on the clock or on paths.
 */
function recordOf(
  report: RenderReport,
  assessment: Assessment,
  sources: Readonly<Record<string, string>>,
  signing: SigningInfo | null,
): object {
  return {
    version: 1,
    runId: assessment.runId,
    tool: assessment.tool,
    /** The root that the reports name as the signer's; null in drafts. */
    signer: signing?.fingerprint ?? null,
    sources,
    files: report.files.map(({ format, file, bytes, sha256 }) => ({ format, file, bytes, sha256 })),
    pages: report.pages,
    browser: report.browser && {
      version: report.browser.version,
      origin: report.browser.origin,
      sha256: report.browser.sha256,
      sandbox: report.browser.sandbox,
    },
    warnings: report.warnings,
  };
}

async function* html(source: Source): AsyncGenerator<string> {
  const view = buildView(source.assessment, await source.gathered(), source.signing, { format: 'html' });
  yield* htmlReport(source.assessment, view, source.observations());
}

async function* pdf(source: Source): AsyncGenerator<Uint8Array> {
  // Loaded only here: the HTML report and the CSV files need no browser.
  const { pdfReport } = await import('./pdf.ts');
  const gathered = await source.gathered();
  const printed = yield* pdfReport({
    assessment: source.assessment,
    gathered,
    signing: source.signing,
    registerRows: () => registerRows(source, gathered),
    ...(source.browser === undefined ? {} : { browser: source.browser }),
    log: source.log,
  });
  source.record({ pages: printed.pages, browser: printed.browser });
}

async function* registerRows(source: Source, gathered: Gathered): AsyncGenerator<RegisterRow> {
  for (const finding of source.assessment.findings) {
    const placed = gathered.rows.get(finding.control.id);
    if (placed === undefined || placed.nonPassing <= placed.rows.length) continue;
    for await (const observation of source.observationsOf(finding)) {
      if (isNonPassing(observation.status))
        yield { control: finding.control.id, title: finding.control.title, row: rowView(observation, finding.control.checks.length) };
    }
  }
}
