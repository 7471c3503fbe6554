import type { Assessment, Citation, Finding, Leaf, Observation } from '../model/index.ts';
import { scopeKey } from '../model/index.ts';
import { visibleLines } from '../text/visible.ts';
import { jsonText } from './text.ts';
import { sumOf } from './view-population.ts';

/**
 * CSV after RFC 4180: UTF-8 with a byte order mark, CRLF, quotes where needed. A text that a spreadsheet would take for a formula
 * (first character `=`, `+`, `-`, `@`, `|`, `%`, their full-width forms, a tab or a line break, blanks before it skipped) gets an
 * apostrophe in front, and so does what another separator would make the first of a cell. Characters that cannot be seen, or turn
 * the text around, are spelt out. A reader that needs the value exactly finds it in observations.ndjson. Numbers are never touched.
 */
export type CsvValue = string | number | boolean | null;

const FORMULA = /^\s*[=+\-@\t\r\n|%＝＋－＠]/u;

/** What a spreadsheet that separates cells by semicolons or tabs, as in half of Europe, would take for the beginning of another cell. */
const FORMULA_WITHIN = /([;\t\n][^\S\n]*)(?=[=+\-@|%＝＋－＠])/gu;

/** Most cells: printable ASCII that no rule below is about. */
const PLAIN = /^[\w/([{.#*:][\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]*$/;

export function csvCell(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  if (PLAIN.test(value)) return value;
  const clean = visibleLines(value.replaceAll('\r\n', '\n')).replace(FORMULA_WITHIN, "$1'");
  const guarded = FORMULA.test(clean) || /^\s/u.test(clean) ? `'${clean}` : clean;
  return /[",;\t\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** Longest cell that spreadsheets read (32,767), less what escaping may add. */
const CELL_LENGTH = 30_000;

/** Texts one below the other; those that would make the cell longer than a spreadsheet reads are counted, and said where they are. */
export function linesCell(texts: readonly string[], where: string): string {
  let length = 0;
  const fitting = texts.findIndex((text) => (length += text.length + 1) > CELL_LENGTH);
  if (fitting === -1) return texts.join('\n');
  return [...texts.slice(0, fitting), `(${texts.length - fitting} more: ${where})`].join('\n');
}

function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}

const BOM = '\ufeff';

/** Lines joined into pieces worth a write. */
export async function* table(header: readonly string[], rows: AsyncIterable<CsvValue[]> | Iterable<CsvValue[]>): AsyncGenerator<string> {
  let piece = BOM + csvLine(header);
  for await (const row of rows) {
    piece += csvLine(row);
    if (piece.length > 1 << 16) {
      yield piece;
      piece = '';
    }
  }
  if (piece !== '') yield piece;
}

/** Where a record lies, and whether it is text that is itself JSON. */
export function citationCell({ file, pointer, encoding }: Citation): string {
  return `${file}#${pointer}${encoding === 'json-string' ? ' (JSON in a string)' : ''}`;
}

function leafCell({ path, operator, expected, observed, outcome, because }: Leaf): string {
  const seen = observed === undefined ? '(nothing there)' : jsonText(observed);
  return `${path} ${operator} ${jsonText(expected)}: ${seen} [${outcome}${because === undefined ? '' : `, ${because}`}]`;
}

export function observationsCsv(observations: AsyncIterable<{ finding: Finding; observation: Observation }>): AsyncGenerator<string> {
  async function* rows(): AsyncGenerator<CsvValue[]> {
    for await (const { finding, observation } of observations) {
      const { subject } = observation;
      yield [
        observation.id,
        observation.control,
        finding.control.title,
        observation.check,
        observation.status,
        subject.kind,
        subject.provider,
        subject.type,
        subject.uid,
        subject.name,
        subject.account,
        subject.location,
        scopeKey(subject.scope),
        subject.capturedAt,
        observation.reason,
        observation.method,
        observation.waiver ?? null,
        linesCell(observation.leaves.map(leafCell), 'results/observations.ndjson'),
        linesCell(
          observation.citations.map((citation) => `${citation.role} ${citationCell(citation)}`),
          'results/observations.ndjson',
        ),
      ];
    }
  }
  return table(
    [
      'observation',
      'control',
      'title',
      'check',
      'status',
      'subject_kind',
      'provider',
      'type',
      'uid',
      'name',
      'account',
      'location',
      'scope',
      'captured_at',
      'reason',
      'method',
      'waiver',
      'observed',
      'citations',
    ],
    rows(),
  );
}

export function findingsCsv(assessment: Assessment): AsyncGenerator<string> {
  const rows = assessment.findings.map(({ control, counts, ...finding }): CsvValue[] => [
    control.id,
    control.title,
    control.provider,
    control.section,
    control.level,
    control.assessment,
    finding.status,
    counts.pass,
    counts.fail,
    counts.error,
    counts.unknown,
    counts.notchecked,
    counts.notapplicable,
    finding.waived,
    finding.excluded,
    finding.gaps,
    linesCell(
      finding.reasons.map((reason) => `${reason.code}: ${reason.message}`),
      'results/findings.json',
    ),
  ]);
  return table(
    [
      'control',
      'title',
      'provider',
      'section',
      'level',
      'assessment',
      'status',
      'pass',
      'fail',
      'error',
      'unknown',
      'notchecked',
      'notapplicable',
      'waived',
      'excluded',
      'gaps',
      'reasons',
    ],
    rows,
  );
}

export function reconciliationCsv(assessment: Assessment): AsyncGenerator<string> {
  const rows = assessment.reconciliation.map((row): CsvValue[] => [
    row.control,
    row.check,
    row.scope.provider,
    row.scope.account,
    row.scope.region,
    scopeKey(row.scope),
    row.type,
    row.count?.count ?? null,
    row.count?.source ?? null,
    row.held,
    row.pass,
    row.fail,
    row.waived,
    row.unknown,
    row.error,
    row.notapplicable,
    Object.values(row.excluded).reduce((sum, count) => sum + count, 0),
    Object.entries(row.excluded)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, count]) => `${count} ${reason}`)
      .join('; '),
    sumOf(row),
    row.balanced,
    linesCell(
      row.reasons.map((reason) => `${reason.code}: ${reason.message}`),
      'results/reconciliation.json',
    ),
  ]);
  return table(
    [
      'control',
      'check',
      'provider',
      'account',
      'region',
      'scope',
      'type',
      'independent_count',
      'count_source',
      'held',
      'pass',
      'fail',
      'of_which_waived',
      'unknown',
      'error',
      'notapplicable',
      'excluded',
      'excluded_reasons',
      'sum',
      'balanced',
      'reasons',
    ],
    rows,
  );
}
