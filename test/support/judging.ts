import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assess, type AssessRequest } from '../../src/controls/assess.ts';
import type { Aggregate, Catalogue, CheckOutcome, CompiledCheck, ConditionCheck, EvaluationEnvironment } from '../../src/controls/types.ts';
import type { Access, Assessment, Control, Observation, Provider, Resource } from '../../src/model/index.ts';
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

export const outcome = (status: CheckOutcome['status'], reason = `it is ${status}`): CheckOutcome => ({ status, reason, leaves: [], joined: [] });

/** Passes where `document.good` is true, fails where it is false, and does not know otherwise. */
export const good = (subject: Resource): CheckOutcome => outcome(subject.document['good'] === true ? 'pass' : subject.document['good'] === false ? 'fail' : 'unknown');

export function conditionCheck(check: FixtureCheck, provider: Provider): ConditionCheck {
  return {
    kind: 'condition', id: check.id ?? 'check', title: 'Check', provider, on: check.on, critical: check.critical ?? false, ...(check.aggregate ? { aggregate: check.aggregate } : {}),
    reads: new Map(Object.entries(check.reads ?? {})), subjectReads: [], usesReaders: check.usesReaders ?? false, absences: [], definition: {}, evaluate: check.evaluate,
  };
}

export function control(id: string, provider: Provider, checks: CompiledCheck[], level: 1 | 2 = 2): Catalogue['controls'][number] {
  const summary: Control = {
    id, title: `Control ${id}`, provider, section: `${provider.toUpperCase()} / Storage`, level, assessment: checks.every((check) => check.kind === 'manual') ? 'manual' : 'automated', profileApplicability: [`Level ${level}`],
    prose: { description: '', rationale: '', impact: { pros: '', cons: '' }, defaultValue: '', prerequisites: '', audit: { console: '', cli: '' }, remediation: { console: '', cli: '' }, backOut: '', references: [] },
    mappings: {}, checks: checks.map((check) => ({ id: check.id, kind: check.kind, on: check.kind === 'condition' ? check.on.join(', ') : check.kind, title: check.title })), source: 'controls/fixture.yaml:1',
  };
  return { control: summary, checks, source: { file: 'controls/fixture.yaml', line: 1 } };
}

export function catalogue(...controls: Catalogue['controls'][number][]): Catalogue {
  return { name: 'Fixture', version: '1', directory: '/', files: [{ file: 'controls.yaml', sha256: 'a'.repeat(64) }], sections: ['AWS / Storage', 'AZURE / Storage', 'GCP / Storage'], parameters: {}, controls };
}

export const config: AssessRequest['config'] = {
  engagement: { id: 'fixture', title: 'Fixture', entity: 'Northwind', period: { from: '2026-07-01', to: '2026-09-30' } },
  profile: { level: 2 }, critical: { unclassified: 'critical' }, parameters: {}, waivers: [], answers: [],
};

export interface Judged {
  readonly runDirectory: string;
  readonly assessment: Assessment;
  readonly observations: Observation[];
  readonly access: Access[];
}

export async function judgeRun(runDirectory: string, controls: Catalogue['controls'][number][], overrides: Partial<AssessRequest['config']> = {}): Promise<Judged> {
  const assessment = await assess({ runDirectory, catalogue: catalogue(...controls), config: { ...config, ...overrides }, readers: fixtureReaders });
  const lines = <T>(file: string): T[] => readFileSync(join(runDirectory, 'results', file), 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as T);
  return { runDirectory, assessment, observations: lines<Observation>('observations.ndjson'), access: lines<Access>('access.ndjson') };
}

export async function judge(fixture: Fixture, controls: Catalogue['controls'][number][], overrides: Partial<AssessRequest['config']> = {}): Promise<Judged> {
  return judgeRun(await fixtureRun(fixture), controls, overrides);
}
