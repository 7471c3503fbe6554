import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { emptyCounts } from '../../src/model/index.ts';
import type { Assessment, Observation } from '../../src/model/index.ts';
import { loadTemplates } from '../../src/render/templates.ts';
import { observationsOf } from '../../src/render/observations.ts';
import { registerParts } from '../../src/render/register.ts';
import type { RegisterRow } from '../../src/render/register.ts';
import { sharedCauses } from '../../src/render/view-causes.ts';
import { controlView, groupRows, rowView } from '../../src/render/view-control.ts';
import { coverView, limitationsView, scopeView } from '../../src/render/view-front.ts';
import { coverageView, reconciliationView } from '../../src/render/view-population.ts';
import { summaryView } from '../../src/render/view-summary.ts';
import { writeFixture } from '../support/assessment.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-words-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const fixture = writeFixture(directory, { observations: 60 });

/** A run in which everything that was asked came whole. */
const whole: Assessment = {
  ...fixture,
  evidenceComplete: true,
  shortfalls: [],
  reconciliation: fixture.reconciliation.filter(({ balanced }) => balanced),
  choices: { leftOut: [], parameters: [], ownCatalogue: false },
};
const withCounts = (counts: Partial<Assessment['summary']['counts']>, over: Partial<Assessment> = {}): Assessment => {
  const all = { ...emptyCounts(), ...counts };
  const scored = all.pass + all.fail;
  return { ...whole, ...over, summary: { ...whole.summary, counts: all, score: scored === 0 ? null : all.pass / scored } };
};
const leftOut = [
  { control: 'aws-b', title: 'B', level: 2, why: 'not-included' },
  { control: 'aws-c', title: 'C', level: 2, why: 'above-level' },
] as const;

describe('the result on the cover', () => {
  const cover = (assessment: Assessment): [string, string] => {
    const { result, resultTone } = coverView(assessment, null);
    return [result, resultTone];
  };
  test('is green only where everything was asked, and passed', () => {
    expect(cover(withCounts({ pass: 4 }))).toEqual(['All 4 scored controls pass.', 'pass']);
    expect(cover(withCounts({ pass: 1, notapplicable: 2 }))).toEqual(['The one scored control passes; 2 not applicable.', 'pass']);
    expect(cover(withCounts({ pass: 4 }, { evidenceComplete: false }))[1]).toBe('unknown');
    expect(cover(withCounts({ pass: 4, unknown: 1 }))).toEqual(['All 4 scored controls pass; 1 control could not be tested.', 'unknown']);
  });
  test('names failures first, and what nobody answered', () => {
    expect(cover(withCounts({ pass: 3, fail: 1, notchecked: 2 }))).toEqual([
      "1 of 4 scored controls fails (score 75 %); 2 controls await a person's answer.",
      'fail',
    ]);
    expect(cover(withCounts({ unknown: 5 }))).toEqual(['No control could be scored; 5 controls could not be tested.', 'unknown']);
  });
  test('says how many controls of the catalogue were not judged; so do summary and limitations', () => {
    const few = withCounts({ pass: 2 }, { choices: { leftOut: [...leftOut], parameters: [], ownCatalogue: false } });
    const all = few.findings.length + 2;
    expect(cover(few)).toEqual([`All 2 scored controls pass. 2 of the ${String(all)} controls of the catalogue were not judged.`, 'plain']);
    expect(summaryView(few, new Map()).headline).toContain(`2 of the ${String(all)} controls of the catalogue were not judged`);
    expect(limitationsView(few).particular.join('\n')).toContain('2 controls of the catalogue were not judged');
  });
  test('a provider of which nothing could be read stays on the cover', () => {
    const scopes = whole.scopes.map((scope) => (scope.provider === 'azure' ? { ...scope, account: 'tenants/t' } : scope));
    expect(scopes.some(({ provider }) => provider === 'azure')).toBe(true);
    expect(coverView({ ...whole, scopes }, null).subtitle).toContain('no Azure subscription reached');
    expect(scopeView({ ...whole, scopes }).providers.map(({ accounts }) => accounts)).toContain('no Azure subscription reached');
  });
});

test('evidence that no control needs is told apart from what one needs', () => {
  const [one] = fixture.shortfalls ?? [];
  const lacking = (judgedBy: string[]) => ({ ...one!, judgedBy, lookedUpBy: [] });
  const said = limitationsView({ ...whole, shortfalls: [lacking(['aws-x']), lacking([]), lacking([])] }).particular;
  expect(said.find((line) => line.startsWith('In 1 case a control needs'))).toBeDefined();
  expect(said.find((line) => line.startsWith('In 2 cases evidence that no control of this report needs'))).toBeDefined();
});

test('queries that were refused alike are one line, which names each and its record', () => {
  const [query] = fixture.queries;
  const refused = (name: string, id: string): Assessment['queries'][number] => ({
    ...query!,
    directory: `evidence/x/${name}`,
    operation: 'Select',
    status: 'denied',
    items: 0,
    reasons: [{ code: 'access-denied', message: `Select failed (AccessDenied, request ${id}); grant x` }],
  });
  const queries = [refused('a', 'r-1'), refused('b', 'r-2'), { ...refused('c', 'r-3'), operation: 'List' }];
  const { gaps, gapsTitle } = coverageView({ ...whole, scopes: [], queries });
  expect(gapsTitle).toContain('(3)');
  expect(gaps.map(({ what, places, reasons }) => [what, places, reasons])).toEqual([
    ['Select, 2 queries', ['evidence/x/: a, b'], ['Select failed (AccessDenied, request (its id is in the evidence)); grant x']],
    ['List', ['evidence/x/c'], ['Select failed (AccessDenied, request r-3); grant x']],
  ]);
});

test('gaps of one cause are one group; place and request of each stand with it, and a cause is not said twice', () => {
  const gap = (account: string, id: string) => {
    const cause = `denied for role in ${account}, request ${id}`;
    const scope = { provider: 'aws' as const, account, region: 'eu-west-1' };
    return rowView(
      {
        id: `o-${id}`,
        control: 'c',
        check: 'main',
        subject: {
          kind: 'scope',
          type: 'T',
          uid: '',
          name: `${account}/eu-west-1`,
          account,
          location: 'eu-west-1',
          provider: 'aws',
          scope,
          capturedAt: null,
        },
        status: 'unknown',
        reason: `The evidence of T in ${account}/eu-west-1 is not whole: ${cause}`,
        leaves: [
          {
            id: 'l',
            path: 'ledger.status',
            operator: 'equals',
            expected: 'complete',
            observed: 'denied',
            outcome: 'unknown',
            because: cause,
          },
        ],
        citations: [],
        method: 'TEST',
      },
      1,
    );
  };
  const [group, ...others] = groupRows([gap('111122223333', 'r-0001'), gap('222233334444', 'r-0002')]);
  expect(others).toEqual([]);
  expect(group?.total).toBe('2 gaps');
  expect(group?.leaves[0]?.because).toBe('');
  expect(group?.members.map(({ place }) => place)).toEqual([
    '111122223333 · eu-west-1 · request r-0001',
    '222233334444 · eu-west-1 · request r-0002',
  ]);
});

test('of several types without a resource, the reconciliation says in how many scopes, and why none balances only once', () => {
  const [row] = whole.reconciliation;
  const empty = {
    ...row!,
    control: 'c',
    count: { count: 0, source: 's' },
    held: 0,
    pass: 0,
    fail: 0,
    waived: 0,
    unknown: 0,
    error: 0,
    notapplicable: 0,
    excluded: {},
  };
  const rows = [
    { ...empty, type: 'A' },
    { ...empty, type: 'A', scope: { ...row!.scope, account: 'other' } },
    { ...empty, type: 'B' },
    { ...empty, type: 'B', count: null, balanced: false, reasons: [{ code: 'access-denied' as const, message: 'denied' }] },
  ];
  const { controls, unbalanced } = reconciliationView({ ...whole, reconciliation: rows });
  expect(controls[0]?.empty).toBe(
    '3 populations with a count of 0 and nothing held, balanced: A in 2 scopes, B in 1 scope; each is a line of results/reconciliation.csv',
  );
  expect(unbalanced[0]?.lines[0]?.notes).toEqual(['denied']);
  expect(controls[0]?.lines.map(({ notes }) => notes)).toEqual([[]]);
});

test('a cause of several lines is numbered and said once; what one line alone has stands with it', () => {
  const { causes, of } = sharedCauses([
    ['denied, request r-1', 'only here'],
    ['denied, request r-2', 'also this', 'denied, request r-3'],
    ['also this'],
    [],
  ]);
  expect(causes).toEqual([
    { number: '1', text: 'denied, request (its id is in the evidence)' },
    { number: '2', text: 'also this' },
  ]);
  expect([0, 1, 2, 3].map(of)).toEqual([
    ['only here', 'Cause 1, as numbered above.'],
    ['Causes 1, 2, as numbered above.'],
    ['Cause 2, as numbered above.'],
    [],
  ]);
});

test('a draft says on its cover that it is one, and claims no signature', () => {
  const cover = (fingerprint: string | null): string =>
    loadTemplates().partial('cover', { cover: { ...coverView(whole, null), fingerprint } });
  expect(cover(null)).toContain('unsigned draft');
  expect(cover(null)).not.toContain('The signature proves');
  expect(cover('AA')).toContain('The signature proves');
  expect(cover('AA')).not.toContain('draft');
});

test('a control has the same figures in the list of controls, on its page and in findings.csv', () => {
  const finding = { ...whole.findings[0]!, counts: { ...emptyCounts(), pass: 2, unknown: 3 }, gaps: 4, waived: 0 };
  const listed = summaryView({ ...whole, findings: [finding] }, new Map()).controls[0];
  expect(listed).toMatchObject({ pass: '2', fail: '0', untested: '3', gaps: '4' });
  const { strip } = controlView(finding, 0, { rows: [], nonPassing: 0, register: false });
  expect(strip.map(({ label, value }) => [label, value])).toEqual([
    ['In scope', '5'],
    ['Passed', '2'],
    ['Failed', '0'],
    ['Not tested', '3'],
    ['Gaps', '4'],
    ['Excepted', '0'],
  ]);
});

test('the register ends the report once, at its end', async () => {
  const finding = whole.findings.find(({ observations: { count } }) => count > 0);
  const observations = observationsOf(join(directory, 'results', 'observations.ndjson'), finding!);
  let first: Observation | undefined;
  for await (const one of observations) first ??= one;
  async function* rows(count: number): AsyncGenerator<RegisterRow> {
    for (let at = 0; at < count; at += 1) {
      const uid = `arn:aws:s3:::bucket-${String(at)}`;
      yield {
        control: 'c',
        title: 'C',
        row: rowView({ ...first!, id: `o${String(at)}`, subject: { ...first!.subject, uid, name: uid } }, 1),
      };
    }
  }
  for (const count of [1, 3000]) {
    const bodies: string[] = [];
    for await (const { body } of registerParts(rows(count))) bodies.push(body);
    expect(bodies.map((body) => body.includes('End of report'))).toEqual(bodies.map((_, at) => at === bodies.length - 1));
    expect(bodies.join('').match(/class="row"/g)).toHaveLength(count);
    expect(bodies.length > 1).toBe(count > 1);
  }
});

test("a resource's reason keeps the accounts and requests that it names", () => {
  const row = (name: string) =>
    rowView(
      {
        id: name,
        control: 'c',
        check: 'main',
        subject: {
          kind: 'resource',
          type: 'T',
          uid: `arn:aws:s3:::${name}`,
          name,
          account: '111122223333',
          location: 'eu-west-1',
          provider: 'aws',
          scope: { provider: 'aws', account: '111122223333', region: 'eu-west-1' },
          capturedAt: null,
        },
        status: 'fail',
        reason: `${name} uses a key of 111122223333, request r-1`,
        leaves: [],
        citations: [],
        method: 'TEST',
      },
      1,
    );
  const [group] = groupRows([row('bucket-1'), row('bucket-2')]);
  expect(group?.reason).toBe('(named below) uses a key of 111122223333, request r-1');
  expect(group?.members.map(({ place }) => place)).toEqual(['111122223333 · eu-west-1', '111122223333 · eu-west-1']);
});
