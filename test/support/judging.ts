import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assess, type AssessRequest } from '../../src/controls/assess/assess.ts';
import type { Aggregate, Catalogue, CheckOutcome, CompiledCheck, ConditionCheck, EvaluationEnvironment } from '../../src/controls/types.ts';
import {
  type Access,
  type Readers,
  type StoreAccess,
  type Assessment,
  type Control,
  type Observation,
  type Provider,
  type Resource,
  statuses,
} from '../../src/model/index.ts';
import { type Fixture, fixtureReaders, fixtureRun } from './evidence.ts';

export interface FixtureCheck {
  id?: string;
  on: string[];
  critical?: boolean;
  aggregate?: Aggregate;
  reads?: Record<string, readonly string[] | '*'>;
  usesReaders?: boolean;
  evaluate: (subject: Resource, env: EvaluationEnvironment) => CheckOutcome;
}

export const outcome = (status: CheckOutcome['status'], reason = `it is ${status}`): CheckOutcome => ({
  status,
  reason,
  leaves: [],
  joined: [],
});

/** Passes where `document.good` is true, fails where it is false, and does not know otherwise. */
export const good = (subject: Resource): CheckOutcome =>
  outcome(subject.document['good'] === true ? 'pass' : subject.document['good'] === false ? 'fail' : 'unknown');

export function conditionCheck(check: FixtureCheck, provider: Provider): ConditionCheck {
  return {
    kind: 'condition',
    id: check.id ?? 'check',
    title: 'Check',
    provider,
    on: check.on,
    critical: check.critical ?? false,
    ...(check.aggregate ? { aggregate: check.aggregate } : {}),
    reads: new Map(Object.entries(check.reads ?? {})),
    subjectReads: [],
    usesReaders: check.usesReaders ?? false,
    absences: [],
    definition: {},
    evaluate: check.evaluate,
  };
}

export function control(id: string, provider: Provider, checks: CompiledCheck[], level: 1 | 2 = 2): Catalogue['controls'][number] {
  const summary: Control = {
    id,
    title: `Control ${id}`,
    provider,
    section: `${provider.toUpperCase()} / Storage`,
    level,
    assessment: checks.every((check) => check.kind === 'manual') ? 'manual' : 'automated',
    profileApplicability: [`Level ${level}`],
    prose: {
      description: '',
      rationale: '',
      impact: { pros: '', cons: '' },
      defaultValue: '',
      prerequisites: '',
      audit: { console: '', cli: '' },
      remediation: { console: '', cli: '' },
      backOut: '',
      references: [],
    },
    mappings: {},
    checks: checks.map((check) => ({
      id: check.id,
      kind: check.kind,
      on: check.kind === 'condition' ? check.on.join(', ') : check.kind,
      title: check.title,
    })),
    source: 'controls/fixture.yaml:1',
  };
  return { control: summary, checks, source: { file: 'controls/fixture.yaml', line: 1 } };
}

export function catalogue(...controls: Catalogue['controls'][number][]): Catalogue {
  return {
    name: 'Fixture',
    version: '1',
    directory: '/',
    files: [{ file: 'controls.yaml', sha256: 'a'.repeat(64) }],
    sections: ['AWS / Storage', 'AZURE / Storage', 'GCP / Storage'],
    parameters: {},
    controls,
  };
}

export const config: AssessRequest['config'] = {
  engagement: { id: 'fixture', title: 'Fixture', entity: 'Northwind', period: { from: '2026-07-01', to: '2026-09-30' } },
  profile: { level: 2 },
  critical: { unclassified: 'critical' },
  parameters: {},
  waivers: [],
  answers: [],
};

export interface Judged {
  readonly runDirectory: string;
  readonly assessment: Assessment;
  readonly observations: Observation[];
  readonly access: StoreAccess[];
}

export async function judgeRun(
  runDirectory: string,
  controls: Catalogue['controls'][number][],
  overrides: Partial<AssessRequest['config']> = {},
): Promise<Judged> {
  const assessment = await assess({
    runDirectory,
    catalogue: catalogue(...controls),
    config: { ...config, ...overrides },
    readers: fixtureReaders,
  });
  const lines = <T>(file: string): T[] =>
    readFileSync(join(runDirectory, 'results', file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as T);
  const sets = new Map(lines<Readers>('readers.ndjson').map((set) => [set.id, set]));
  const judged = {
    runDirectory,
    assessment,
    observations: lines<Observation>('observations.ndjson'),
    access: lines<Access>('access.ndjson').map((line) => ({ ...line, readers: sets.get(line.readers) as Readers })),
  };
  checkBooks(judged);
  return judged;
}

/** What holds of every result, whatever the evidence: rows, findings and lines tell the same numbers, and ids are unique. */
function checkBooks({ assessment, observations }: Judged): void {
  const wrong = (what: string): never => {
    throw new Error(`the books do not agree: ${what}`);
  };
  if (new Set(observations.map((one) => one.id)).size !== observations.length) wrong('an id occurs twice');
  const left = new Set(observations.filter((one) => one.subject.kind === 'resource'));
  for (const row of assessment.reconciliation) {
    const behind = [...left].filter(
      (one) =>
        one.control === row.control &&
        one.check === row.check &&
        one.subject.scope.account === row.scope.account &&
        one.subject.scope.region === row.scope.region &&
        (row.type.startsWith('verdict:') || one.subject.type === row.type),
    );
    for (const status of ['pass', 'fail', 'unknown', 'error', 'notapplicable'] as const) {
      const count = behind.filter((one) => one.status === status).length;
      if (count !== row[status])
        wrong(`${row.control} ${row.type} ${row.scope.account}: ${row[status]} ${status} in the row, ${count} lines`);
    }
    for (const one of behind) left.delete(one);
    const sum = behind.length + Object.values(row.excluded).reduce((total, count) => total + count, 0);
    if (row.balanced && row.count !== null && row.count.count !== sum && row.reasons.length === 0)
      wrong(`${row.control} ${row.type}: balanced with ${sum} of ${row.count.count}`);
    if (!row.balanced && row.reasons.length === 0) wrong(`${row.control} ${row.type}: unbalanced without a reason`);
    if (row.waived > row.fail) wrong('more waived than failed');
  }
  if (left.size > 0) wrong(`${left.size} lines without a row`);
  for (const finding of assessment.findings) {
    const own = observations.filter((one) => one.control === finding.control.id);
    const isGap = (one: Observation): boolean => one.subject.kind === 'scope' && one.leaves.some((leaf) => leaf.path === 'ledger.status');
    for (const status of statuses) {
      const count = own.filter((one) => one.status === status && !isGap(one)).length;
      if (count !== finding.counts[status])
        wrong(`${finding.control.id}: ${finding.counts[status]} ${status} in the finding, ${count} lines`);
    }
    if (own.filter(isGap).length !== finding.gaps) wrong(`${finding.control.id}: ${finding.gaps} gaps`);
    if (finding.observations.count !== own.length) wrong(`${finding.control.id}: ${finding.observations.count} observations`);
    if (
      finding.status === 'pass' &&
      (!own.some((one) => one.status === 'pass') || own.some((one) => !['pass', 'notapplicable'].includes(one.status)))
    )
      wrong(`${finding.control.id} passes without grounds`);
    if (finding.status === 'notapplicable' && own.some((one) => one.status !== 'notapplicable'))
      wrong(`${finding.control.id} does not apply without grounds`);
  }
}

export async function judge(
  fixture: Fixture,
  controls: Catalogue['controls'][number][],
  overrides: Partial<AssessRequest['config']> = {},
): Promise<Judged> {
  return judgeRun(await fixtureRun(fixture), controls, overrides);
}
