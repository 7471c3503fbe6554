import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Ledger, querySchema } from '../../../src/model/index.ts';
import { type FaultKind, faultsFor } from '../../../src/simulator/faults.ts';
import { collectAws, entry, hurried, needsOf, recordsOf, temporaryDirectory } from '../../support/aws.ts';
import { emptyRunDirectory, simulatedAws } from '../../support/simulated-aws.ts';

const bucket = 'AWS::S3::Bucket';
const user = 'AWS::IAM::User';
const rule = 'ENCRYPTED_VOLUMES';

const aws = simulatedAws();
const directory = emptyRunDirectory();

/** How many queries for resources the simulator has seen since; those that only count what rules judged aside. */
const selectsSince = (from: number): number =>
  aws.book
    .calls()
    .slice(from)
    .filter((call) => call.operation === 'SelectResourceConfig' && !call.detail.startsWith('count ')).length;

describe('a clean collection', () => {
  test('each type is complete: rows held equal the count, and the count cites its page', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([bucket, user], [rule]));
    const buckets = entry(ledger, bucket);
    expect(buckets).toMatchObject({ status: 'complete', reasons: [], account: aws.member, region: aws.region });
    expect(buckets.held).toBeGreaterThan(100); // spans pages
    expect(buckets.count).toMatchObject({ count: buckets.held, source: 'AWS Config GetDiscoveredResourceCounts' });
    const { file, pointer } = buckets.count?.citation ?? { file: '', pointer: '' };
    const page = JSON.parse(readFileSync(join(directory.path, file), 'utf8')) as {
      resourceCounts: { resourceType: string; count: number }[];
    };
    expect(page.resourceCounts[Number(pointer.split('/').at(-1))]).toEqual({ resourceType: bucket, count: buckets.held });
    expect((await recordsOf(directory.path)).get(`${aws.member}/${aws.region} ${bucket}`)).toHaveLength(buckets.held);
    const verdicts = entry(ledger, `verdict:${rule}`);
    expect(verdicts).toMatchObject({ status: 'complete', count: { count: verdicts.held, source: 'AWS Config resource compliance items' } });
    expect(verdicts.held).toBeGreaterThan(100);
    expect(ledger.scopes).toMatchObject([
      { status: 'complete', identity: `arn:aws:sts::${aws.member}:assumed-role/ExhibitCollector/exhibit` },
    ]);
  });

  test('query.json states what was asked, of whom, by whom, and every page; pages are as received', async () => {
    await collectAws(aws, directory.path, needsOf([bucket]));
    const stored = join(directory.path, 'evidence', 'aws-config', `${aws.member}.${aws.region}`, 'AWS.S3.Bucket');
    const query = querySchema.parse(JSON.parse(readFileSync(join(stored, 'query.json'), 'utf8')));
    expect(query).toMatchObject({
      operation: 'SelectResourceConfig',
      status: 'complete',
      types: [bucket],
      endpoint: aws.origin,
      parameters: { Limit: 100 },
    });
    expect(query.text).toMatch(
      /^SELECT resourceId, .*configuration, supplementaryConfiguration, tags WHERE resourceType = 'AWS::S3::Bucket'$/,
    );
    expect(query.pages.length).toBeGreaterThan(1);
    for (const [index, page] of query.pages.entries()) {
      expect(page).toMatchObject({ httpStatus: 200, attempts: 1 });
      expect(page.requestId).not.toBeNull();
      expect(page.nextTokenSha256 === null).toBe(index === query.pages.length - 1);
      const text = readFileSync(join(stored, page.file), 'utf8');
      expect(text.startsWith('{"QueryInfo":')).toBe(true);
    }
  });

  test('a type with nothing in it is complete with a count of zero', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf(['AWS::Lex::Bot']));
    expect(entry(ledger, 'AWS::Lex::Bot')).toMatchObject({ status: 'complete', held: 0, count: { count: 0 } });
  });

  test('IAM is collected in the region that records it and excluded, with the reason, in the others', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([user]), {
      aws: [{ accounts: [aws.member], regions: [...aws.estate.regions], role: 'ExhibitCollector' }],
    });
    const other = aws.estate.regions.find((region) => region !== aws.region);
    expect(entry(ledger, user, aws.member, aws.region)).toMatchObject({ status: 'complete' });
    expect(entry(ledger, user, aws.member, other)).toMatchObject({
      status: 'excluded',
      held: 0,
      reasons: [{ code: 'global-type-elsewhere' }],
    });
  });

  test('a rule that is not deployed is not recorded, never complete', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([], ['NO_SUCH_RULE']));
    expect(entry(ledger, 'verdict:NO_SUCH_RULE')).toMatchObject({ status: 'not-recorded', reasons: [{ code: 'rule-not-deployed' }] });
  });

  test('credentials of another account are refused before anything is stored under the wrong name', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([bucket]), { aws: [{ accounts: [aws.member], regions: [aws.region] }] });
    expect(entry(ledger, bucket)).toMatchObject({ status: 'failed', held: 0, reasons: [{ code: 'wrong-account' }] });
    expect(await recordsOf(directory.path)).toEqual(new Map());
  });

  test('a role that cannot be assumed denies its account and no other', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([bucket]), {
      aws: [
        { accounts: [aws.member], regions: [aws.region], role: 'NoSuchRole' },
        { accounts: [aws.estate.home.account], regions: [aws.region] },
      ],
    });
    expect(entry(ledger, bucket, aws.member)).toMatchObject({ status: 'denied', reasons: [{ code: 'access-denied' }] });
    expect(entry(ledger, bucket, aws.estate.home.account)).toMatchObject({ status: 'complete' });
  });
});

describe('faults', () => {
  let clean: { ledger: Ledger; records: Map<string, string[]> };
  beforeAll(async () => {
    const first = temporaryDirectory();
    const ledger = await collectAws(aws, first.path, needsOf([bucket], [rule]));
    clean = { ledger, records: await recordsOf(first.path) };
    first.remove();
  });

  /** Whatever strikes: nothing gone, nothing complete that differs from the clean run, every gap named. Returns the ledger. */
  async function struck(kind: FaultKind, where: object): Promise<Ledger> {
    aws.book.inject({ kind, ...where });
    // Long enough that a healthy answer comes in time on a busy machine too: another call that times out would fail here.
    const patience = kind === 'hang' ? { ...hurried, requestTimeoutMs: 600 } : hurried;
    const ledger = await collectAws(aws, directory.path, needsOf([bucket], [rule]), { patience });
    const records = await recordsOf(directory.path);
    expect(ledger.entries.map((one) => one.type)).toEqual(clean.ledger.entries.map((one) => one.type));
    for (const one of ledger.entries) {
      const key = `${one.account}/${one.region} ${one.type}`;
      if (one.status === 'complete') expect(records.get(key)).toEqual(clean.records.get(key));
      else expect(one.reasons.length).toBeGreaterThan(0);
    }
    return ledger;
  }
  const select = { match: { operation: 'SelectResourceConfig', type: bucket } };

  test.each([
    ['throttle', 'throttled'],
    ['throttle-without-hint', 'throttled'],
    ['http-500', 'server-error'],
    ['http-503', 'server-error'],
    ['reset', 'connection'],
    ['hang', 'timeout'],
    ['truncated-body', 'connection'],
    ['malformed-json', 'malformed-response'],
    ['wrong-content-type', 'malformed-response'],
  ] as const)('%s once is settled by trying again; for ever it is named %s', async (kind, code) => {
    const once = await struck(kind, { ...select, times: 1 });
    expect(entry(once, bucket)).toMatchObject({ status: 'complete', reasons: [] });
    aws.book.clear();
    const before = aws.book.calls().length;
    const always = await struck(kind, { ...select, times: Infinity });
    expect(entry(always, bucket)).toMatchObject({ held: 0 });
    expect(entry(always, bucket).status).toBe('failed');
    expect(entry(always, bucket).reasons.map((reason) => reason.code)).toContain(code);
    expect(selectsSince(before)).toBeLessThanOrEqual(8);
    expect(entry(always, `verdict:${rule}`).status).toBe('complete'); // other queries go on
    expect(entry(always, bucket).reasons.find((reason) => reason.code === code)?.message).toMatch(
      /SelectResourceConfig failed after [2-8] attempts/,
    );
  });

  test.each([
    ['access-denied', 'denied'],
    ['expired-credentials', 'failed'],
  ] as const)('%s is not tried again and is %s', async (kind, status) => {
    const before = aws.book.calls().length;
    const ledger = await struck(kind, { ...select, times: Infinity });
    expect(entry(ledger, bucket)).toMatchObject({ status, held: 0 });
    expect(entry(ledger, bucket).reasons.map((reason) => reason.code)).toContain(kind);
    expect(selectsSince(before)).toBe(1);
  });

  test('a region that does not answer is given up early: after four calls in vain, the others are tried once', async () => {
    const before = aws.book.calls().length;
    aws.book.inject({ kind: 'reset', match: { scope: `${aws.member}.${aws.region}` }, times: Infinity });
    const types = Array.from({ length: 12 }, (_, index) => `AWS::Test::Type${index}`);
    const ledger = await collectAws(aws, directory.path, needsOf(types));
    for (const type of types)
      expect(entry(ledger, type)).toMatchObject({
        status: 'failed',
        reasons: expect.arrayContaining([expect.objectContaining({ code: 'connection' })]) as unknown,
      });
    expect(selectsSince(before)).toBeLessThan(12 * 5 - 20);
  });

  test('a fault at the second page keeps the first and says partial', async () => {
    const ledger = await struck('access-denied', { ...select, nth: 2, times: Infinity });
    expect(entry(ledger, bucket)).toMatchObject({ status: 'partial', held: 100 });
    expect(entry(ledger, bucket).reasons.map((reason) => reason.code)).toEqual(expect.arrayContaining(['access-denied']));
  });

  test.each(['lost-page', 'duplicated-page', 'repeated-token', 'reordered-rows', 'empty-page-with-token'] as const)(
    '%s once is settled by asking again',
    async (kind) => {
      const ledger = await struck(kind, { ...select, times: 1 });
      expect(entry(ledger, bucket)).toMatchObject({ status: 'complete', reasons: [] });
    },
  );

  test.each([
    ['lost-page', 'count-mismatch'],
    ['duplicated-page', 'repeated-rows'],
    ['repeated-token', 'repeated-token'],
    ['reordered-rows', 'repeated-rows'],
  ] as const)('%s every time is partial, named, and asked a bounded number of times', async (kind, code) => {
    const before = aws.book.calls().length;
    const ledger = await struck(kind, { match: select.match, times: Infinity });
    expect(entry(ledger, bucket).status).toBe('partial');
    expect(entry(ledger, bucket).reasons.map((reason) => reason.code)).toContain(code);
    expect(selectsSince(before)).toBeLessThan(120);
  });

  test('where the count of what a rule judged cannot be had, its results are asked for twice and stand without a count', async () => {
    const ledger = await struck('access-denied', {
      match: { operation: 'SelectResourceConfig', type: 'AWS::Config::ResourceCompliance' },
      times: Infinity,
    });
    expect(entry(ledger, `verdict:${rule}`)).toMatchObject({
      status: 'complete',
      count: null,
      reasons: [{ code: 'count-missing' }, { code: 'access-denied' }],
    });
    expect(entry(ledger, `verdict:${rule}`).queries.some((query) => query.includes('.again-'))).toBe(true);
  });

  test('a count of what a rule judged that comes back empty is asked for again, and then missed by name', async () => {
    const match = { operation: 'SelectResourceConfig', type: 'AWS::Config::ResourceCompliance' };
    const healed = entry(await struck('lost-page', { match, times: 1 }), `verdict:${rule}`);
    expect(healed).toMatchObject({ status: 'complete', reasons: [] });
    expect(healed.count?.count).toBe(healed.held);
    aws.book.clear();
    directory.renew();
    const before = aws.book.calls().length;
    const always = entry(await struck('lost-page', { match, times: Infinity }), `verdict:${rule}`);
    expect(always).toMatchObject({ status: 'complete', count: null, reasons: [{ code: 'count-missing' }] });
    expect(selectsSince(before)).toBeLessThan(120);
  });

  test.each(['lost-page', 'duplicated-page'] as const)('rule results with a %s: once is settled, always is partial', async (kind) => {
    const details = { match: { operation: 'GetComplianceDetailsByConfigRule' } };
    expect(entry(await struck(kind, { ...details, times: 1 }), `verdict:${rule}`).status).toBe('complete');
    aws.book.clear();
    directory.renew();
    const always = entry(await struck(kind, { ...details, times: Infinity }), `verdict:${rule}`);
    expect(always.status).toBe('partial');
    expect(always.reasons.length).toBeGreaterThan(0);
  });

  test('without the independent count nothing is complete', async () => {
    const ledger = await struck('access-denied', { match: { operation: 'GetDiscoveredResourceCounts' }, times: Infinity });
    expect(entry(ledger, bucket)).toMatchObject({ status: 'partial', count: null });
    expect(entry(ledger, bucket).reasons.map((reason) => reason.code)).toEqual(expect.arrayContaining(['count-missing', 'access-denied']));
  });

  test.each([
    ['recorder-stopped', bucket, 'stale', 'recorder-stopped'],
    ['recorder-stopped', `verdict:${rule}`, 'stale', 'recorder-stopped'],
    ['insufficient-data', `verdict:${rule}`, 'partial', 'insufficient-data'],
  ] as const)('%s makes %s %s', async (kind, type, status, code) => {
    const ledger = await struck(kind, {});
    expect(entry(ledger, type).status).toBe(status);
    expect(entry(ledger, type).reasons.map((reason) => reason.code)).toContain(code);
  });

  test('daily recording is said; when nothing new has come for two days, it is stale', async () => {
    aws.book.inject({ kind: 'daily-stale' });
    const asOf = new Date().toISOString();
    const late = await collectAws(aws, directory.path, needsOf([bucket]), { asOf });
    expect(entry(late, bucket)).toMatchObject({ status: 'stale', reasons: [{ code: 'recorded-daily' }, { code: 'daily-recording-late' }] });
    directory.renew();
    const timely = await collectAws(aws, directory.path, needsOf([bucket]), { asOf: entry(late, bucket).freshness.newest ?? asOf });
    expect(entry(timely, bucket)).toMatchObject({ status: 'complete', reasons: [{ code: 'recorded-daily' }] });
  });

  test('a type that is not recorded is not recorded, although its count agrees that there is none', async () => {
    const ledger = await struck('type-not-recorded', { match: { type: bucket } });
    expect(entry(ledger, bucket)).toMatchObject({
      status: 'not-recorded',
      held: 0,
      count: { count: 0 },
      reasons: [{ code: 'type-not-recorded' }],
    });
  });

  test('a clock that is ten minutes off is corrected for, and said', async () => {
    const ledger = await struck('clock-skew', {});
    expect(ledger.scopes[0]?.status).not.toBe('complete');
    expect(ledger.scopes[0]?.reasons.map((reason) => reason.code)).toContain('clock-skew');
  });

  test('recorders that cannot be read prove nothing', async () => {
    const ledger = await struck('access-denied', { match: { operation: 'DescribeConfigurationRecorders' }, times: Infinity });
    expect(entry(ledger, bucket).status).toBe('partial');
    expect(entry(ledger, bucket).reasons.map((reason) => reason.code)).toEqual(
      expect.arrayContaining(['recorder-unknown', 'access-denied']),
    );
  });

  test('a sample of every fault at every call', async () => {
    const seen = [
      ...new Map(
        aws.book
          .calls()
          .filter((call) => call.scope === `${aws.member}.${aws.region}` || call.operation === 'AssumeRole')
          .map((call) => [call.key, call]),
      ).values(),
    ];
    const pairs = seen.flatMap((call) =>
      faultsFor(call)
        .filter((kind) => kind !== 'hang')
        .map((kind) => ({ call, kind })),
    );
    // Spread over calls and kinds alike: 37 shares no factor with how many kinds a call can meet.
    const sample = pairs.filter((_, index) => index % 37 === 0);
    expect(new Set(sample.map(({ kind }) => kind)).size).toBeGreaterThan(8);
    for (const { call, kind } of sample) {
      aws.book.clear();
      directory.renew();
      await struck(kind, { key: call?.key, times: Infinity });
    }
  });
});
