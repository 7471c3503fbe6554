import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assess } from '../../src/controls/assess/assess.ts';
import { evidenceWriter } from '../../src/evidence/writer.ts';
import type { Json, Ledger, Query } from '../../src/model/index.ts';
import { fixtureReaders, fixtureRun, tamper } from '../support/evidence.ts';
import { catalogue, conditionCheck, config, control, good, judgeRun } from '../support/judging.ts';

/** The ledger edited between collecting and assessing, in step with itself: its claims are held against the answers they cite. */

const type = 'AWS::S3::Bucket';
const controls = [control('buckets', 'aws', [conditionCheck({ on: [type], evaluate: good }, 'aws')])];
const records = [true, true, false].map((isGood, nth) => ({ uid: `arn:aws:s3:::b${nth}`, document: { good: isGood } }));
const unit = { provider: 'aws' as const, account: '111122223333', region: 'eu-west-1', type, records, pageSize: 2 };
const pages = 'evidence/aws-fixture/111122223333_eu-west-1/AWS.S3.Bucket.0';

/** A run whose count was read from an answer of this form. */
async function counted(answer: Json, pointer: string, encoding: 'json' | 'json-string' = 'json'): Promise<string> {
  const run = await fixtureRun({ units: [unit] });
  const query = await evidenceWriter(run, { resume: false }).open({
    collector: 'aws-fixture',
    scope: '111122223333_eu-west-1',
    name: 'Counts',
    provider: 'aws',
    operation: 'Count',
    shape: 'none',
    text: null,
    parameters: {},
    endpoint: 'x',
    identity: 'x',
    types: [],
  });
  await query.page({ body: JSON.stringify(answer), items: 1, requestId: null, httpStatus: 200, attempts: 1, nextToken: null });
  await query.finish('complete');
  ledger(run, ({ entries }) => {
    for (const entry of entries) if (entry.count) entry.count.citation = { file: `${query.directory}/page-000001.json`, pointer, encoding };
  });
  return run;
}

const ledger = (run: string, change: (value: Ledger) => void): void =>
  tamper(run, 'evidence/ledger.json', (text) => {
    const value = JSON.parse(text) as Ledger;
    change(value);
    return JSON.stringify(value);
  });

/** Loses the failing record, which lies alone on the second page, and lowers the ledger with it. */
function loseFail(run: string): void {
  rmSync(join(run, pages, 'page-000002.json'));
  tamper(run, `${pages}/query.json`, (text) => {
    const query = JSON.parse(text) as Query;
    query.pages.pop();
    Object.assign(query.pages[0] ?? {}, { nextTokenSha256: null });
    return JSON.stringify(query);
  });
  ledger(run, ({ entries }) => {
    for (const entry of entries) Object.assign(entry, { held: 2, count: entry.count && { ...entry.count, count: 2 } });
  });
}

describe('a count', () => {
  test.each<[string, Json, string, 'json' | 'json-string']>([
    ['a number', { data: [{ count_: 3 }] }, '/data/0/count_', 'json'],
    ['a row', { resourceCounts: [{ resourceType: type, count: 3 }] }, '/resourceCounts/0', 'json'],
    ['a row that is a string', { Results: ['{"COUNT(*)":3}'] }, '/Results/0', 'json-string'],
    [
      'a list with the row',
      {
        data: [
          { subscriptionId: '111122223333', type: type.toLowerCase(), count_: 3 },
          { subscriptionId: 'x', type, count_: 9 },
        ],
      },
      '/data',
      'json',
    ],
  ])('read from %s: a lowered one is contradicted, a true one stands', async (_form, answer, pointer, encoding) => {
    const run = await counted(answer, pointer, encoding);
    expect((await judgeRun(run, controls)).assessment.findings[0]).toMatchObject({ status: 'fail', gaps: 0 });
    loseFail(run);
    const { assessment } = await judgeRun(run, controls);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', reasons: [{ code: 'count-contradicted' }] });
    expect(assessment.evidenceComplete).toBe(false);
  });

  test('of a type that several regions record alike: the answer counts each copy', async () => {
    const run = await counted({ GroupedResourceCounts: [{ GroupName: '111122223333', ResourceCount: 6 }] }, '/GroupedResourceCounts/0');
    expect((await judgeRun(run, controls)).assessment.findings[0]?.reasons.map(({ code }) => code)).toContain('count-contradicted');
    ledger(run, ({ entries, scopes }) => {
      for (const one of [...entries, ...scopes]) one.region = 'global';
    });
    expect((await judgeRun(run, controls)).assessment.findings[0]?.reasons.map(({ code }) => code)).not.toContain('count-contradicted');
  });

  test('of nothing, from a list that has something', async () => {
    const run = await counted([{ type, count: 3 }], '');
    ledger(run, ({ entries }) => {
      for (const entry of entries) Object.assign(entry, { held: 0, count: entry.count && { ...entry.count, count: 0 } });
    });
    expect((await judgeRun(run, controls)).assessment.findings[0]?.reasons.map(({ code }) => code)).toContain('count-contradicted');
  });

  test('from an answer that was edited, or is not there', async () => {
    const edited = await counted({ n: 3 }, '/n');
    writeFileSync(join(edited, 'evidence/aws-fixture/111122223333_eu-west-1/Counts/page-000001.json'), '{"n":2}');
    loseFail(edited);
    expect((await judgeRun(edited, controls)).assessment.findings[0]?.reasons.map(({ code }) => code)).toContain('page-altered');
    const gone = await counted({ n: 3 }, '/m');
    expect((await judgeRun(gone, controls)).assessment.findings[0]?.reasons.map(({ code }) => code)).toContain('count-uncited');
  });
});

test('a listing that breaks off before its end is a gap', async () => {
  const run = await fixtureRun({ units: [unit] });
  tamper(run, `${pages}/query.json`, (text) =>
    text.replace(/"nextTokenSha256": null/, `"nextTokenSha256": "${createHash('sha256').update('next').digest('hex')}"`),
  );
  expect((await judgeRun(run, controls)).assessment.findings[0]?.reasons.map(({ code }) => code)).toContain('query-unfinished');
});

test('an entry that rests on no query proves nothing, not even that there is nothing', async () => {
  const run = await fixtureRun({ units: [unit] });
  rmSync(join(run, pages), { recursive: true });
  ledger(run, ({ entries }) => {
    for (const entry of entries) Object.assign(entry, { held: 0, count: { count: 0, source: 'said so' }, queries: [] });
  });
  expect((await judgeRun(run, controls)).assessment.findings[0]).toMatchObject({ status: 'unknown', reasons: [{ code: 'query-missing' }] });
});

test('a scope that the configuration names and the ledger lost is unknown', async () => {
  const run = await fixtureRun({
    units: [
      { ...unit, records: records.slice(0, 2) },
      { ...unit, account: '444455556666', records: records.slice(2) },
    ],
  });
  const scopes = { aws: [{ accounts: ['111122223333', '444455556666'], regions: ['eu-west-1'] }] };
  const judged = (): ReturnType<typeof assess> =>
    assess({ runDirectory: run, catalogue: catalogue(...controls), config: { ...config, scopes }, readers: fixtureReaders });
  expect((await judged()).findings[0]).toMatchObject({ status: 'fail', gaps: 0 });
  ledger(run, (value) => {
    value.entries = value.entries.filter(({ account }) => account === '111122223333');
    value.scopes = value.scopes.filter(({ account }) => account === '111122223333');
  });
  rmSync(join(run, 'evidence/aws-fixture/444455556666_eu-west-1'), { recursive: true });
  const after = await judged();
  expect(after.findings[0]).toMatchObject({ status: 'unknown', gaps: 1, reasons: [{ code: 'scope-missing' }] });
  expect(readFileSync(join(run, 'results/observations.ndjson'), 'utf8')).toContain('444455556666');
  expect(after.evidenceComplete).toBe(false);
});

test('a failing scope that the configuration names cannot be called left out by configuration', async () => {
  const run = await fixtureRun({
    units: [
      { ...unit, records: records.slice(0, 2) },
      { ...unit, account: '444455556666', records: records.slice(2) },
    ],
  });
  ledger(run, (value) => {
    for (const one of [...value.entries, ...value.scopes]) if (one.account === '444455556666') one.status = 'excluded';
  });
  const scopes = { aws: [{ accounts: ['111122223333', '444455556666'], regions: ['eu-west-1'] }] };
  const { findings, evidenceComplete } = await assess({
    runDirectory: run,
    catalogue: catalogue(...controls),
    config: { ...config, scopes },
    readers: fixtureReaders,
  });
  expect(findings[0]).toMatchObject({ status: 'fail', gaps: 1 });
  expect(evidenceComplete).toBe(false);
});

test('a type of the whole account may be left out in the other regions, and not in all', async () => {
  const roles = [control('roles', 'aws', [conditionCheck({ on: ['AWS::IAM::Role'], evaluate: good }, 'aws')])];
  const role = { ...unit, type: 'AWS::IAM::Role', records: [{ uid: 'arn:aws:iam::111122223333:role/r', document: { good: true } }] };
  const run = await fixtureRun({
    units: [role, { ...role, region: 'us-east-1', records: [], entry: { status: 'excluded', count: null, queries: [] } }],
  });
  const scopes = { aws: [{ accounts: ['111122223333'], regions: ['eu-west-1', 'us-east-1'] }] };
  const status = async (): Promise<string | undefined> =>
    (await assess({ runDirectory: run, catalogue: catalogue(...roles), config: { ...config, scopes }, readers: fixtureReaders }))
      .findings[0]?.status;
  expect(await status()).toBe('pass');
  ledger(run, ({ entries }) => {
    for (const entry of entries) entry.status = 'excluded';
  });
  expect(await status()).toBe('unknown');
});
