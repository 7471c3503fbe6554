import type { Assessment, Citation, Finding, Leaf, Observation, Reason } from '../../model/index.ts';
import { scopeKey, statusTable } from '../../model/index.ts';
import { jsonText } from '../text.ts';
import { sumOf } from '../view-population.ts';
import { linesCell } from './table.ts';
import type { Cell, Table } from './table.ts';

/** Where a record lies, and whether it is text that is itself JSON. */
export function citationCell({ file, pointer, encoding }: Citation): string {
  return `${file}#${pointer}${encoding === 'json-string' ? ' (JSON in a string)' : ''}`;
}

function leafCell({ path, operator, expected, observed, outcome, because }: Leaf): string {
  const seen = observed === undefined ? '(nothing there)' : jsonText(observed);
  return `${path} ${operator} ${jsonText(expected)}: ${seen} [${outcome}${because === undefined ? '' : `, ${because}`}]`;
}

function reasonCell({ code, message }: Reason): string {
  return `${code}: ${message}`;
}

export function observationsTable(observations: AsyncIterable<{ finding: Finding; observation: Observation }>): Table {
  async function* rows(): AsyncGenerator<Cell[]> {
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
  return {
    columns: [
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
    rows: rows(),
  };
}

export function findingsTable(assessment: Assessment): Table {
  const rows = assessment.findings.map(({ control, counts, ...finding }): Cell[] => [
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
    linesCell(finding.reasons.map(reasonCell), 'results/findings.json'),
  ]);
  return {
    columns: [
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
  };
}

export function reconciliationTable(assessment: Assessment): Table {
  const rows = assessment.reconciliation.map((row): Cell[] => [
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
    linesCell(row.reasons.map(reasonCell), 'results/reconciliation.json'),
  ]);
  return {
    columns: [
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
  };
}

/** What the run was, a line a fact. */
export function engagementTable(assessment: Assessment): Table {
  const { engagement, profile, catalogue, tool, collected, summary } = assessment;
  const rows: [string, Cell][] = [
    ['Engagement', engagement.id],
    ['Title', engagement.title],
    ['Entity', engagement.entity],
    ['Period from', engagement.period.from],
    ['Period to', engagement.period.to],
    ['Prepared for', engagement.preparedFor ?? null],
    ['Classification', engagement.classification ?? null],
    ['Run', assessment.runId],
    ['Profile', profile.title],
    ['Judged as of', assessment.asOf],
    ['Collection started', collected.startedAt],
    ['Collection ended', collected.endedAt],
    ['Evidence complete', assessment.evidenceComplete],
    ['Evidence digest (SHA-256)', assessment.evidenceDigest],
    ['Catalogue', `${catalogue.name} ${catalogue.version}`],
    ['Catalogue digest (SHA-256)', catalogue.sha256],
    ['Tool', `${tool.name} ${tool.version}`],
    ...statusTable.map(({ status, label }): [string, Cell] => [`Controls: ${label}`, summary.counts[status]]),
    ...statusTable.map(({ status, label }): [string, Cell] => [`Observations: ${label}`, summary.resources[status]]),
    ['Score (passed of passed and failed controls)', summary.score],
  ];
  return { columns: ['fact', 'value'], rows };
}

/** Evidence that is not whole. */
export function shortfallsTable({ shortfalls }: Assessment): Table {
  const rows = (shortfalls ?? []).map((one): Cell[] => [
    one.scope.provider,
    one.scope.account,
    one.scope.region,
    one.type,
    one.status,
    linesCell(one.reasons.map(reasonCell), 'results/assessment.json'),
    one.judgedBy.join('\n'),
    one.lookedUpBy.join('\n'),
  ]);
  return { columns: ['provider', 'account', 'region', 'type', 'status', 'reasons', 'judged_by', 'looked_up_by'], rows };
}
