import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Observation } from '../../src/model/index.ts';
import { render } from '../../src/render/index.ts';
import { writeFixture } from '../support/assessment.ts';
import { schemasGiven, validator } from '../support/schemas.ts';

interface Event {
  finding_info: { uid: string };
  message: string;
  compliance: { control: string; status_id: number; checks: { status_id: number }[] };
  resources: { uid: string }[];
  evidences: { data: { file: string; pointer: string; conditions: unknown[] } }[];
  unmapped: { status: string; waiver?: string; conditions?: unknown[] };
}

describe.each([
  ['plain', { observations: 400 }],
  ['hostile names', { observations: 300, hostile: true }],
])('OCSF Compliance Findings of a run: %s', (_name, options) => {
  const directory = mkdtempSync(join(tmpdir(), 'exhibit-ocsf-'));
  let events: Event[];
  let observations: Observation[];
  const linesOf = (name: string): unknown[] =>
    readFileSync(join(directory, 'results', name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);

  beforeAll(async () => {
    writeFixture(directory, options);
    await render({ runDirectory: directory, signing: null, log: () => undefined, formats: ['ocsf'] });
    events = linesOf('ocsf-compliance-findings.ndjson') as Event[];
    observations = linesOf('observations.ndjson') as Observation[];
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.skipIf(!schemasGiven)('every line follows the official schema', () => {
    const mistakes = validator('ocsf_1.8.0_compliance_finding_schema.json');
    for (const event of events) expect(mistakes(event)).toEqual([]);
  });

  test('every observation is a line, with its control, its exact resource and its citations', () => {
    expect(events.map((event) => event.finding_info.uid).sort()).toEqual(observations.map(({ id }) => id).sort());
    const byId = new Map(events.map((event) => [event.finding_info.uid, event]));
    for (const { id, control, subject, citations, leaves, waiver } of observations) {
      const event = byId.get(id) as Event;
      expect(event.compliance.control).toBe(control);
      expect(event.resources.map(({ uid }) => uid)).toEqual([subject.uid]);
      expect(event.evidences.map(({ data }) => [data.file, data.pointer])).toEqual(citations.map(({ file, pointer }) => [file, pointer]));
      const conditions = [...event.evidences.flatMap(({ data }) => data.conditions), ...(event.unmapped.conditions ?? [])];
      expect(conditions).toHaveLength(leaves.length);
      expect(event.unmapped.waiver).toBe(waiver);
      expect(event.message).not.toMatch(/[\u0000-\u001f\u200b-\u200f\u202a-\u202e]/);
    }
  });

  test('only a pass is a pass', () => {
    const statuses = new Map(observations.map(({ id, status }) => [id, status]));
    for (const event of events) {
      const status = statuses.get(event.finding_info.uid);
      expect(event.unmapped.status).toBe(status);
      for (const { status_id: told } of [event.compliance, ...event.compliance.checks]) {
        expect(told === 1).toBe(status === 'pass');
        expect(told === 3).toBe(status === 'fail');
        expect(told === 0).toBe(status === 'unknown');
      }
    }
  });
});
