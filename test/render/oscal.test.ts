import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assessment, Observation } from '../../src/model/index.ts';
import { render } from '../../src/render/index.ts';
import { markup, markupLine, property, stateOf } from '../../src/render/oscal/terms.ts';
import { writeFixture } from '../support/assessment.ts';
import { schemasGiven, validator } from '../support/schemas.ts';

interface Property {
  name: string;
  value: string;
  class?: string;
}
interface Evidence {
  href: string;
  props: Property[];
}
interface Result {
  'local-definitions': Record<'inventory-items' | 'components', { uuid: string; props: Property[] }[]>;
  observations: {
    uuid: string;
    description: string;
    props: Property[];
    origins: { actors: { type: string; 'actor-uuid': string }[] }[];
    subjects: { 'subject-uuid': string; type: string }[];
    'relevant-evidence'?: Evidence[];
  }[];
  risks?: { uuid: string; props: Property[]; status: string }[];
  findings: {
    uuid: string;
    props: Property[];
    target: { 'target-id': string; status: { state: string; reason: string } };
    'related-observations'?: { 'observation-uuid': string }[];
    'related-risks'?: { 'risk-uuid': string }[];
  }[];
}
interface Part {
  id: string;
  parts?: Part[];
}

const valueOf = (props: readonly Property[], name: string): string | undefined => props.find((one) => one.name === name)?.value;

describe.each([
  ['plain', { observations: 400 }],
  ['hostile names', { observations: 300, hostile: true, huge: true }],
])('OSCAL of a run: %s', (_name, options) => {
  const directory = mkdtempSync(join(tmpdir(), 'exhibit-oscal-'));
  const read = (name: string): unknown => JSON.parse(readFileSync(join(directory, 'results', name), 'utf8'));
  let assessment: Assessment;
  let observations: Observation[];
  let whole: { 'assessment-results': { metadata: { parties: { uuid: string }[] }; results: Result[] } };
  let result: Result;
  let catalog: { catalog: { groups: { controls: { id: string; parts: Part[] }[] }[] } };

  beforeAll(async () => {
    assessment = writeFixture(directory, options);
    await render({ runDirectory: directory, signing: null, log: () => undefined, formats: ['oscal-assessment-results', 'oscal-catalog'] });
    observations = readFileSync(join(directory, 'results', 'observations.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Observation);
    whole = read('oscal-assessment-results.json') as typeof whole;
    result = whole['assessment-results'].results[0] as Result;
    catalog = read('oscal-catalog.json') as typeof catalog;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.skipIf(!schemasGiven)('follows the official schemas', () => {
    expect(validator('oscal_assessment-results_schema.json')(whole)).toEqual([]);
    expect(validator('oscal_catalog_schema.json')(catalog)).toEqual([]);
  });

  test('every observation is there, with its status, its reason and its citations', () => {
    expect(result.observations.map(({ uuid }) => uuid).sort()).toEqual(observations.map(({ id }) => id).sort());
    const byId = new Map(result.observations.map((one) => [one.uuid, one]));
    for (const observation of observations) {
      const told = byId.get(observation.id);
      expect(valueOf(told?.props ?? [], 'status')).toBe(observation.status);
      expect(valueOf(told?.props ?? [], 'waiver')).toBe(observation.waiver);
      expect(told?.description).not.toBe('');
      const evidence = told?.['relevant-evidence'] ?? [];
      expect(evidence).toHaveLength(observation.citations.length);
      const conditions = [...(told?.props ?? []), ...evidence.flatMap(({ props }) => props)].filter(({ name }) => name === 'condition');
      expect(conditions).toHaveLength(observation.leaves.length);
      for (const [at, { href }] of evidence.entries()) {
        const [path = '', pointer = ''] = href.split('#');
        const citation = observation.citations[at];
        expect(posix.join('results', path)).toBe(citation?.file);
        expect(decodeURIComponent(pointer)).toBe(citation?.pointer);
      }
    }
  });

  test('every subject and actor is defined once', () => {
    const { 'inventory-items': items, components } = result['local-definitions'];
    const defined = [...items, ...components].map(({ uuid }) => uuid);
    expect(new Set(defined).size).toBe(defined.length);
    const used = result.observations.flatMap(({ subjects }) => subjects.map((one) => one['subject-uuid']));
    expect(new Set(used)).toEqual(new Set(defined));
    const people = new Set(whole['assessment-results'].metadata.parties.map(({ uuid }) => uuid));
    for (const { origins } of result.observations)
      for (const { actors } of origins)
        for (const actor of actors) if (actor.type === 'party') expect(people).toContain(actor['actor-uuid']);
  });

  test('every finding is there, and only a pass and what has no subject are satisfied', () => {
    expect(result.findings).toHaveLength(assessment.findings.length);
    for (const [at, { control, status, counts, observations: own }] of assessment.findings.entries()) {
      const finding = result.findings[at];
      expect(valueOf(finding?.props ?? [], 'status')).toBe(status);
      expect(finding?.target.status.state).toBe(['pass', 'notapplicable'].includes(status) ? 'satisfied' : 'not-satisfied');
      expect(finding?.target.status.reason === 'pass').toBe(status === 'pass');
      expect(valueOf(finding?.props ?? [], 'fail')).toBe(String(counts.fail));
      expect(finding?.['related-observations'] ?? []).toHaveLength(own.count);
      expect(finding?.target['target-id']).toContain(control.id);
    }
  });

  test('findings point at objectives of the catalog, and waivers at those who gave them', () => {
    const ids = (parts: readonly Part[]): string[] => parts.flatMap((part) => [part.id, ...ids(part.parts ?? [])]);
    const defined = catalog.catalog.groups.flatMap(({ controls }) => controls.flatMap(({ id, parts }) => [id, ...ids(parts)]));
    expect(new Set(defined).size).toBe(defined.length);
    for (const { target } of result.findings) expect(defined).toContain(target['target-id']);
    const used = assessment.waivers.filter((waiver) => (waiver.used ?? 0) > 0);
    expect((result.risks ?? []).map(({ props }) => valueOf(props, 'approver'))).toEqual(used.map(({ approver }) => approver));
    const risks = new Set((result.risks ?? []).map(({ uuid }) => uuid));
    for (const finding of result.findings) for (const risk of finding['related-risks'] ?? []) expect(risks).toContain(risk['risk-uuid']);
  });

  test('nothing of the evidence is Markdown or hidden', () => {
    for (const { description } of result.observations) {
      expect(description).not.toMatch(/(?<!\\)[<>`[\]]/);
      expect(description).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u200b-\u200f\u202a-\u202e]/);
    }
  });
});

test('formats that a configuration leaves out are not there, nor those of an earlier rendering', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'exhibit-formats-'));
  const formats = ['findings-csv', 'oscal-catalog', 'ocsf'] as const;
  const made = async (results: readonly ('oscal' | 'ocsf')[]): Promise<string[]> => {
    const report = await render({ runDirectory: directory, signing: null, log: () => undefined, formats, results });
    const files = readdirSync(join(directory, 'results')).map((name) => `results/${name}`);
    const rendered = ['results/findings.csv', 'results/oscal-catalog.json', 'results/ocsf-compliance-findings.ndjson'];
    expect(report.files.map(({ file }) => file)).toEqual(rendered.filter((file) => files.includes(file)));
    return report.files.map(({ format }) => format);
  };
  try {
    writeFixture(directory, { observations: 50 });
    expect(await made(['oscal', 'ocsf'])).toEqual(['findings-csv', 'oscal-catalog', 'ocsf']);
    expect(await made(['oscal'])).toEqual(['findings-csv', 'oscal-catalog']);
    expect(await made([])).toEqual(['findings-csv']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

describe('terms', () => {
  test.each([
    ['[click](https://evil.invalid)', '\\[click\\](https://evil.invalid)'],
    ['a_b is *not* _so_', 'a_b is \\*not\\* \\_so\\_'],
    ['# head', '\\# head'],
    ['1. one', '1\\. one'],
    ['- item\n+ item', '\\- item\n\\+ item'],
    ['<script>', '\\<script\\>'],
    ['in\u202evoice', 'in\\[U+202E\\]voice'],
  ])('%j as Markdown is %j', (text, escaped) => {
    expect(markup(text)).toBe(escaped);
  });
  test('a line is one line, and never empty', () => {
    expect(markupLine('a\nb')).toBe('a\\[U+000A\\]b');
    expect(markupLine('')).toBe('(no name)');
  });
  test('a property has a value, or is not there', () => {
    expect(property('a', ' x ')).toEqual([{ name: 'a', ns: 'urn:exhibit:oscal:v1', value: 'x' }]);
    expect(property('a', 0, 'count')).toEqual([{ name: 'a', ns: 'urn:exhibit:oscal:v1', value: '0', class: 'count' }]);
    for (const nothing of ['', '  ', null, undefined]) expect(property('a', nothing)).toEqual([]);
  });
  test.each(['fail', 'error', 'unknown', 'notchecked'] as const)('%s is not satisfied', (status) => {
    expect(stateOf(status).state).toBe('not-satisfied');
  });
});
