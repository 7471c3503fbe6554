import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isNonPassing, observationsOf } from '../../src/render/observations.ts';
import { storesOf } from '../../src/render/stores.ts';
import { buildView, gather } from '../../src/render/view.ts';
import type { Gathered } from '../../src/render/view.ts';
import { groupRows, whoOf } from '../../src/render/view-control.ts';
import { viewSchema } from '../../src/render/view-schema.ts';
import { donut, stackedBar } from '../../src/render/charts.ts';
import { emptyCounts } from '../../src/model/index.ts';
import type { Assessment, Observation } from '../../src/model/index.ts';
import { writeFixture } from '../support/assessment.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-view-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const gatherFrom = (run: string, assessment: Assessment, limits?: { total: number; each: number }): Promise<Gathered> =>
  gather(
    assessment,
    (finding) => observationsOf(join(run, 'results', 'observations.ndjson'), finding),
    storesOf(join(run, 'results')),
    limits,
  );
const observationsIn = (run: string): Observation[] =>
  readFileSync(join(run, 'results', 'observations.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Observation);

describe('the view', () => {
  const run = join(directory, 'a');
  const assessment = writeFixture(run, { observations: 600, hostile: true });

  test('lists every observation that does not pass, with reason, values and citations', async () => {
    const view = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'html' });
    const listed = new Set(view.controls.flatMap((control) => control.groups.flatMap((group) => group.members.map((row) => row.id))));
    const expected = observationsIn(run).filter((observation) => isNonPassing(observation.status));
    expect(expected.length).toBeGreaterThan(50);
    expect([...listed].sort()).toEqual(expected.map((observation) => observation.id).sort());
    for (const group of view.controls.flatMap((control) => control.groups)) {
      expect(group.reason).not.toBe('');
      for (const row of group.members)
        if (row.lead + row.uid !== '' && group.leaves.length > 0) expect(row.citations.length).toBeGreaterThan(0);
    }
  });

  test('says so when it lists only some', async () => {
    const view = buildView(assessment, await gatherFrom(run, assessment, { total: 10, each: 2 }), null, { format: 'pdf' });
    expect(view.register).toBe(true);
    for (const control of view.controls) {
      const shown = control.groups.flatMap(({ members }) => members).length;
      expect(shown).toBeLessThanOrEqual(2);
      if (control.nonPassing > shown) expect(control.inRegister).not.toBeNull();
    }
  });

  test('what several resources have in common is said once, and every one of them is named', async () => {
    const { rows } = await gatherFrom(run, assessment);
    for (const { rows: list } of rows.values()) {
      const groups = groupRows(list);
      expect(groups.flatMap(({ members }) => members.map(({ id }) => id)).sort()).toEqual(list.map(({ id }) => id).sort());
      for (const { members, total, reason, ...common } of groups) {
        expect(total === null).toBe(members.length === 1);
        for (const member of members) {
          const row = list.find(({ id }) => id === member.id);
          expect(row).toMatchObject({ ...common, ...member });
          // Of several, the reason names none; of one, it says what was said of it.
          const own =
            members.length === 1
              ? ''
              : [`${member.lead}${member.name}`, member.uid, member.name].find((text) => text.length >= 6 && row?.reason.includes(text));
          expect(reason.replaceAll('(named below)', own ?? '')).toBe(row?.reason);
        }
      }
    }
    expect([...rows.values()].some(({ rows: list }) => groupRows(list).length < list.length)).toBe(true);
  });

  test('an id that ends with the name is not said twice, and is not lost', () => {
    expect(whoOf({ name: 'vol-1', uid: 'arn:aws:ec2:eu-west-1:1:volume/vol-1' })).toEqual({
      lead: 'arn:aws:ec2:eu-west-1:1:volume/',
      name: 'vol-1',
      uid: '',
    });
    expect(whoOf({ name: 'web', uid: 'i-1' })).toEqual({ lead: '', name: 'web', uid: 'i-1' });
    expect(whoOf({ name: '', uid: 'i-1' })).toEqual({ lead: '', name: 'i-1', uid: '' });
  });

  test('numbers beside a reader lead to every record that it rests on, in their order', async () => {
    const { access } = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'html' });
    const records = new Map(
      access.records.flatMap(({ file, places }) => places.map(({ number, pointer }) => [number, `${file}${pointer}`])),
    );
    const printed = access.groups.flatMap(({ ways }) => ways.flatMap(({ principals }) => principals.map(({ references }) => references)));
    const led = new Set(printed.map((references) => references.map((number) => records.get(number)).join(' ')));
    const held = new Set<string>();
    for await (const { readers } of storesOf(join(run, 'results')))
      for (const { citation, through = [] } of readers.principals)
        held.add([citation, ...through].map(({ file, pointer }) => `${file}#${pointer}`).join(' '));
    for (const way of led) expect(held).toContain(way);
    expect([...led].some((way) => way.split(' ').length === 3)).toBe(true);
  });

  test('a missing list is refused, at any depth', async () => {
    const view = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'html' });
    const cut = structuredClone(view) as Record<string, unknown> & { controls: Record<string, unknown>[] };
    delete cut.controls[0]?.['groups'];
    expect(viewSchema.safeParse(cut).success).toBe(false);
    const { reconciliation: _, ...without } = structuredClone(view);
    expect(viewSchema.safeParse(without).success).toBe(false);
    expect(viewSchema.safeParse({ ...view, surprise: 1 }).success).toBe(false);
  });

  test('no invisible or re-ordering character reaches it; the PDF has only what its fonts draw', async () => {
    const gathered = await gatherFrom(run, assessment);

    expect(JSON.stringify(buildView(assessment, gathered, null, { format: 'html' }))).not.toMatch(
      /[\u0000-\u001f\u200b-\u200f\u202a-\u202e\u2066-\u2069]|\\u00[01]|\\ud8/i,
    );
    expect(JSON.stringify(buildView(assessment, gathered, null, { format: 'pdf' }))).not.toMatch(
      /[\u4e00-\u9fff\u0590-\u05ff]|\p{Extended_Pictographic}/u,
    );
  });

  test('the same input gives the same view', async () => {
    const one = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'pdf' });
    const two = buildView(structuredClone(assessment), await gatherFrom(run, assessment), null, { format: 'pdf' });
    expect(JSON.stringify(two)).toBe(JSON.stringify(one));
  });

  test('what lies above subscriptions and projects is a scope, and is not counted as one of them', async () => {
    const gathered = await gatherFrom(run, assessment);
    const accountsOf = (scopes: Assessment['scopes']): string[] =>
      buildView({ ...assessment, scopes }, gathered, null, { format: 'html' }).scope.providers.map(({ accounts }) => accounts);
    const [azure, gcp] = (['azure', 'gcp'] as const).map((provider) => {
      const scope = assessment.scopes.find((one) => one.provider === provider);
      if (scope === undefined) throw new Error(`no scope of ${provider}`);
      return scope;
    }) as [Assessment['scopes'][number], Assessment['scopes'][number]];
    expect(
      accountsOf([
        { ...azure, account: 'sub-1' },
        { ...azure, account: 'sub-1', collector: 'azure-policy' },
        { ...azure, account: 'tenants/t-1' },
        { ...gcp, account: 'project-1' },
        { ...gcp, account: 'project-2' },
        { ...gcp, account: 'folders/1' },
        { ...gcp, account: 'organizations/1' },
      ]),
    ).toEqual(['1 Azure subscription', '2 Google Cloud projects']);
  });

  test('evidence of another day than the last of the period says so', async () => {
    const gathered = await gatherFrom(run, assessment);
    const period = (asOf: string): string[] =>
      buildView({ ...assessment, asOf }, gathered, null, { format: 'html' }).limitations.particular.filter((line) => /period/.test(line));
    expect(period('2026-09-30T22:00:00Z')).toEqual([]);
    expect(period('2026-10-01T00:00:00Z')).toEqual([
      expect.stringMatching(/is of 1 October 2026, 1 day after the period under review ended/),
    ]);
    expect(period('2026-06-28T00:00:00Z')).toEqual([expect.stringMatching(/3 days before the period under review began/)]);
    expect(period('2026-09-20T12:00:00Z')).toEqual([expect.stringMatching(/goes on for 10 days after it/)]);
  });

  test('the head of a page says no classification where none is stated', async () => {
    const gathered = await gatherFrom(run, assessment);
    const { classification: _, ...engagement } = { ...assessment.engagement, entity: 'Northwind' };
    const running = (one: Assessment['engagement']): string =>
      buildView({ ...assessment, engagement: one }, gathered, null, { format: 'pdf' }).running;
    expect(running(engagement)).toBe('Northwind');
    expect(running({ ...engagement, classification: 'Secret' })).toBe('Secret · Northwind');
  });

  test('an unanswered question is not said to lack a record', async () => {
    const html = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'html' });
    const groups = html.controls.flatMap((control) => control.groups);
    const questions = new Set(
      observationsIn(run)
        .filter(({ subject }) => subject.kind === 'question')
        .map(({ id }) => id),
    );
    for (const group of groups) expect(group.asked).toBe(group.members.some(({ id }) => questions.has(id)));
  });

  test('unbalanced populations come first and name what was not seen', async () => {
    const { reconciliation } = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'html' });
    const unbalanced = reconciliation.unbalanced.flatMap((group) => group.lines);
    expect(unbalanced).toHaveLength(assessment.reconciliation.filter((row) => !row.balanced).length);
    expect(unbalanced.map((line) => line.verdict)).toEqual(expect.arrayContaining(['7 not seen', 'no independent count']));
    for (const line of unbalanced) expect(line.notes.length).toBeGreaterThan(0);
    expect(reconciliation.controls.flatMap((control) => control.lines)).toHaveLength(assessment.reconciliation.length);
  });
});

describe('types whose evidence is not whole', () => {
  const run = join(directory, 'shortfalls');
  const assessment = writeFixture(run, { observations: 50 });

  test('are listed once for all places that lack alike, with cause, state and who needs them; what nobody needs comes last', async () => {
    const { shortfalls } = buildView(assessment, await gatherFrom(run, assessment), null, { format: 'html' }).coverage;
    expect(shortfalls.none).toBe(false);
    expect(shortfalls.title).toContain(`(${String(assessment.shortfalls?.length)})`);
    expect(shortfalls.lines.slice(-2).map(({ type, status, needed }) => [type, status, needed])).toEqual([
      ['AWS::KMS::Key', 'Found on judging', true],
      ['conformance-packs', 'Failed', false],
    ]);
    const users = shortfalls.lines.filter(({ type }) => type === 'AWS::IAM::User');
    const scopes = assessment.shortfalls?.filter(({ type }) => type === 'AWS::IAM::User').map(({ scope }) => scope) ?? [];
    expect(users.flatMap(({ places }) => places).length).toBe(scopes.length);
    for (const { status, reasons, effects } of users) {
      expect(status).toBe('Not recorded');
      expect(reasons[0]).toContain('does not record AWS::IAM::User');
      expect(effects.join()).toContain('Looked up by aws-s3-readers');
    }
    expect(shortfalls.lines.at(-1)?.effects).toEqual(['No control of this report needs it there.']);
  });

  test('say how many places and lines are not printed', async () => {
    const [one] = assessment.shortfalls ?? [];
    const many = Array.from({ length: 30 }, (_, at) => ({ ...one!, scope: { ...one!.scope, account: `account-${String(at)}` } }));
    const kinds = Array.from({ length: 450 }, (_, at) => ({ ...one!, type: `Type${String(at)}` }));
    const gathered = await gatherFrom(run, assessment);
    const view = buildView({ ...assessment, shortfalls: [...many, ...kinds] }, gathered, null, { format: 'pdf' }).coverage.shortfalls;
    expect(view.lines[0]?.places.at(-1)).toBe('and 18 more, in results/assessment.json (.shortfalls)');
    expect(view.lines).toHaveLength(400);
    expect(view.more).toContain('51 more lines');
  });

  test('are not spoken of where there are none, and a report of whole scopes does not call itself whole where there are', async () => {
    const gathered = await gatherFrom(run, assessment);
    const whole = { ...assessment, scopes: [], queries: [] };
    const titles = [[], assessment.shortfalls ?? []].map(
      (shortfalls) => buildView({ ...whole, shortfalls }, gathered, null, { format: 'html' }).coverage,
    );
    expect(titles.map(({ gapsTitle, shortfalls }) => [gapsTitle, shortfalls.none])).toEqual([
      ['Nothing that was asked for is missing', true],
      ['Every scope and query was answered in full', false],
    ]);
  });
});

describe('results that contradict one another', () => {
  test('fewer observations than the assessment counts', async () => {
    const run = join(directory, 'b');
    const assessment = writeFixture(run, { observations: 100 });
    const file = join(run, 'results', 'observations.ndjson');
    writeFileSync(file, readFileSync(file).subarray(0, -400));
    await expect(gatherFrom(run, assessment)).rejects.toThrow();
  });
  test('an observation under the wrong control', async () => {
    const run = join(directory, 'c');
    const assessment = writeFixture(run, { observations: 100 });
    const [first, second] = assessment.findings;
    if (first && second) [first.observations, second.observations] = [second.observations, first.observations];
    await expect(gatherFrom(run, assessment)).rejects.toThrow(/assess again/);
  });
  test('more stores than counted', async () => {
    const run = join(directory, 'd');
    const assessment = writeFixture(run, { observations: 50 });
    const file = join(run, 'results', 'access.ndjson');
    appendFileSync(file, `${readFileSync(file, 'utf8').split('\n')[0] ?? ''}\n`);
    const gathered = await gatherFrom(run, assessment);
    expect(() => buildView(assessment, gathered, null, { format: 'html' })).toThrow(/access.ndjson/);
  });
});

describe('charts', () => {
  test('a status that occurs is seen', () => {
    const { parts, label } = stackedBar({ ...emptyCounts(), pass: 9999, fail: 1 });
    expect(parts.map((part) => part.status)).toEqual(['pass', 'fail']);
    expect(parts[1]?.width).toBeGreaterThanOrEqual(12);
    expect(parts.reduce((sum, part) => sum + part.width, 0)).toBe(1000);
    expect(label).toBe('9,999 pass, 1 fail');
  });
  test('a ring of one part is whole', () => {
    expect(donut({ ...emptyCounts(), pass: 3 })).toHaveLength(1);
    expect(donut(emptyCounts())).toEqual([]);
  });
});
