import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { assess } from '../../src/controls/assess/assess.ts';
import { assessmentSchema, ledgerStatuses, observationSchema } from '../../src/model/index.ts';
import { type Fixture, fixtureReaders, fixtureRun, type FixtureUnit, tamper } from '../support/evidence.ts';
import { catalogue, conditionCheck, config, control, good, judge, judgeRun, outcome } from '../support/judging.ts';

const bucket = (name: string, isGood: boolean | string | null = true): NonNullable<FixtureUnit['records']>[number] => ({
  uid: `arn:aws:s3:::${name}`,
  name,
  document: { good: isGood },
});
const buckets = (records: NonNullable<FixtureUnit['records']>, more: Partial<FixtureUnit> = {}): FixtureUnit => ({
  provider: 'aws',
  account: '111122223333',
  region: 'eu-west-1',
  type: 'AWS::S3::Bucket',
  records,
  ...more,
});
const goodBuckets = control('aws-s3-good', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: good }, 'aws')]);

describe('a control', () => {
  test('passes on positive observations over complete, reconciled evidence', async () => {
    const { assessment, observations } = await judge({ units: [buckets([bucket('a'), bucket('b')])] }, [goodBuckets]);
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 2, unknown: 0 }, gaps: 0 });
    expect(assessment.reconciliation).toEqual([
      expect.objectContaining({ count: { count: 2, source: 'provider count' }, held: 2, pass: 2, balanced: true, reasons: [] }),
    ]);
    expect(assessment.evidenceComplete).toBe(true);
    expect(observations[0]).toMatchObject({
      control: 'aws-s3-good',
      check: 'check',
      subject: { uid: 'arn:aws:s3:::a', kind: 'resource' },
      method: 'TEST',
    });
    expect(observations[0]?.citations).toEqual([
      {
        role: 'subject',
        uid: 'arn:aws:s3:::a',
        file: 'evidence/aws-fixture/111122223333_eu-west-1/AWS.S3.Bucket.0/page-000001.json',
        pointer: '/records/0',
        encoding: 'json',
      },
    ]);
  });

  test('fails on one fail, whatever else is unknown', async () => {
    const { assessment } = await judge({ units: [buckets([bucket('a'), bucket('b', false), bucket('c', null)])] }, [goodBuckets]);
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { pass: 1, fail: 1, unknown: 1 } });
  });

  test('is not applicable where complete evidence shows nothing', async () => {
    const { assessment } = await judge({ units: [buckets([])] }, [goodBuckets]);
    expect(assessment.findings[0]).toMatchObject({ status: 'notapplicable', reasons: [{ code: 'empty-population' }] });
  });

  test('is unknown, never passed over, where the ledger names no scope of its provider', async () => {
    const { assessment, observations } = await judge({ units: [buckets([bucket('a')])] }, [
      control('azure-x', 'azure', [conditionCheck({ on: ['microsoft.storage/storageaccounts'], evaluate: good }, 'azure')]),
    ]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', gaps: 1 });
    expect(observations[0]?.subject.kind).toBe('scope');
  });

  test('whose check throws has an error for each resource and does not vanish', async () => {
    const throwing = control('aws-throws', 'aws', [
      conditionCheck(
        {
          on: ['AWS::S3::Bucket'],
          evaluate: () => {
            throw new TypeError('boom');
          },
        },
        'aws',
      ),
    ]);
    const { assessment, observations } = await judge({ units: [buckets([bucket('a'), bucket('b')])] }, [throwing, goodBuckets]);
    expect(assessment.findings.map((finding) => finding.status)).toEqual(['error', 'pass']);
    expect(observations.filter((one) => one.control === 'aws-throws').map((one) => one.status)).toEqual(['error', 'error']);
    expect(assessment.reconciliation[0]).toMatchObject({ error: 2, balanced: true });
  });
});

describe('evidence that is not whole never passes', () => {
  const damages: Record<string, { unit?: Partial<FixtureUnit>; fixture?: Partial<Fixture>; code: string }> = {
    ...Object.fromEntries(
      ledgerStatuses
        .filter((status) => status !== 'complete' && status !== 'excluded')
        .map((status) => [`status ${status}`, { unit: { entry: { status } }, code: status }]),
    ),
    'status with a reason': {
      unit: { entry: { status: 'partial', reasons: [{ code: 'throttled', message: 'page 3 was throttled' }] } },
      code: 'throttled',
    },
    'no ledger entry': { unit: { entry: null }, code: 'ledger-missing' },
    'no independent count': { unit: { entry: { count: null } }, code: 'count-unavailable' },
    'a count that was refused': {
      unit: { entry: { count: null, reasons: [{ code: 'access-denied', message: 'counting was denied' }] } },
      code: 'access-denied',
    },
    'a count that the provider gives and that did not come': {
      unit: { entry: { count: null, reasons: [{ code: 'count-missing', message: 'the answer holds no count' }] } },
      code: 'count-missing',
    },
    'a count above what is held': { unit: { entry: { count: { count: 9, source: 'provider count' } } }, code: 'count-mismatch' },
    'a count below what is held': { unit: { entry: { count: { count: 1, source: 'provider count' } } }, code: 'count-mismatch' },
    'more held than can be read': { unit: { entry: { held: 3, count: { count: 3, source: 'provider count' } } }, code: 'held-mismatch' },
    'less held than can be read': { unit: { entry: { held: 1, count: { count: 1, source: 'provider count' } } }, code: 'held-mismatch' },
    'an unfinished query under a complete entry': { unit: { queryStatus: 'partial' }, code: 'query-partial' },
    'a query that is not there': { unit: { entry: { queries: ['evidence/aws-fixture/x/y'] } }, code: 'query-missing' },
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(name, async () => {
      const { assessment, observations } = await judge({ units: [buckets([bucket('a'), bucket('b')], damage.unit)], ...damage.fixture }, [
        goodBuckets,
      ]);
      const [finding] = assessment.findings;
      expect(finding?.status).toBe('unknown');
      expect(finding?.gaps).toBe(1);
      expect(finding?.reasons.map((reason) => reason.code)).toContain(damage.code);
      const gap = observations.find((one) => one.subject.kind === 'scope');
      expect(gap).toMatchObject({ status: 'unknown', subject: { account: '111122223333', type: 'AWS::S3::Bucket' } });
      expect(assessment.reconciliation[0]?.reasons.map((reason) => reason.code)).toContain(damage.code);
      // Where a provider has no count to give, nothing that could be collected is missing.
      expect(assessment.evidenceComplete).toBe(damage.code === 'count-unavailable');
    });
    test(`${name}, with nothing in it`, async () => {
      const { assessment } = await judge({ units: [buckets([], damage.unit)] }, [goodBuckets]);
      if (damage.code === 'count-mismatch' || damage.unit?.entry !== undefined || damage.unit?.queryStatus)
        expect(assessment.findings[0]?.status).not.toBe('notapplicable');
      expect(assessment.findings[0]?.status).not.toBe('pass');
    });
  }

  test('a scope of the independent list without any entry appears as unknown beside the ones that pass', async () => {
    const scopes = [
      { provider: 'aws' as const, account: '111122223333', region: 'eu-west-1' },
      {
        provider: 'aws' as const,
        account: '444455556666',
        region: 'eu-west-1',
        status: 'denied' as const,
        reasons: [{ code: 'access-denied', message: 'the role cannot be assumed' }],
      },
    ];
    const { assessment, observations } = await judge({ units: [buckets([bucket('a')])], scopes }, [goodBuckets]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 1 }, gaps: 1 });
    expect(observations.find((one) => one.subject.kind === 'scope')).toMatchObject({
      subject: { account: '444455556666' },
      reason: expect.stringContaining('the role cannot be assumed') as string,
    });
  });

  test('a scope that one collector was denied says nothing of what another one brought', async () => {
    const row = (name: string): NonNullable<FixtureUnit['records']>[number] => ({
      uid: `/subscriptions/s/${name}`,
      document: { good: true },
    });
    const unit: FixtureUnit = {
      provider: 'azure',
      account: 's',
      region: '*',
      type: 'microsoft.storage/storageaccounts',
      records: [row('a')],
    };
    const scope = { provider: 'azure' as const, account: 's', region: '*' };
    const denied = {
      ...scope,
      account: 'tenants/t',
      collector: 'azure-policy',
      status: 'denied' as const,
      reasons: [{ code: 'access-denied', message: 'no' }],
    };
    const storage = control('azure-storage', 'azure', [
      conditionCheck({ on: ['microsoft.storage/storageaccounts'], evaluate: good }, 'azure'),
    ]);
    expect((await judge({ units: [unit], scopes: [scope, denied] }, [storage])).assessment.findings[0]?.status).toBe('pass');
    expect(
      (await judge({ units: [unit], scopes: [scope, { ...denied, collector: 'azure-fixture' }] }, [storage])).assessment.findings[0],
    ).toMatchObject({ status: 'unknown', reasons: [{ code: 'access-denied' }] });
  });

  test('records of a scope that the ledger does not know are judged, and the scope is a gap', async () => {
    const { assessment } = await judge(
      {
        units: [
          buckets([bucket('a'), { ...bucket('b'), account: '999900001111' }], {
            entry: { held: 1, count: { count: 1, source: 'provider count' } },
          }),
        ],
      },
      [goodBuckets],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 2 }, gaps: 1 });
  });

  test('a page that was altered, cut or lost after collection', async () => {
    for (const change of [(text: string) => text.replace('true', 'true '), (text: string) => text.slice(0, 10), null]) {
      const run = await fixtureRun({ units: [buckets([bucket('a'), bucket('b')], { pageSize: 1 })] });
      const file = 'evidence/aws-fixture/111122223333_eu-west-1/AWS.S3.Bucket.0/page-000002.json';
      if (change === null) rmSync(join(run, file));
      else tamper(run, file, change);
      const { assessment } = await judgeRun(run, [goodBuckets]);
      expect(assessment.findings[0]).toMatchObject({ status: 'unknown', gaps: 1 });
      expect(assessment.findings[0]?.reasons.map((reason) => reason.code)).toContain(change === null ? 'page-missing' : 'page-altered');
    }
  });

  test('an excluded scope is listed with its count and neither passes nor is a gap', async () => {
    const { assessment } = await judge(
      { units: [buckets([bucket('a')]), buckets([bucket('z', false)], { account: '444455556666', entry: { status: 'excluded' } })] },
      [goodBuckets],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', gaps: 0, excluded: 1, counts: { pass: 1, fail: 0 } });
    expect(assessment.reconciliation[1]).toMatchObject({ balanced: true, excluded: { 'left out by configuration': 1 } });
  });

  test('every scope excluded proves nothing', async () => {
    const { assessment } = await judge({ units: [buckets([bucket('z')], { entry: { status: 'excluded' } })] }, [goodBuckets]);
    expect(assessment.findings[0]?.status).toBe('unknown');
  });

  test('what was asked for besides the records and came in part only is missing, although no control reads it', async () => {
    const besides = (status: 'partial' | 'not-recorded'): FixtureUnit => ({
      provider: 'aws',
      type: 'AWS::Config::ConfigRule',
      account: '111122223333',
      region: 'eu-west-1',
      records: [],
      entry: { status, reasons: [{ code: 'server-error', message: 'HTTP 500' }] },
    });
    expect((await judge({ units: [buckets([bucket('a')]), besides('partial')] }, [goodBuckets])).assessment.evidenceComplete).toBe(false);
    expect((await judge({ units: [buckets([bucket('a')]), besides('not-recorded')] }, [goodBuckets])).assessment.evidenceComplete).toBe(
      true,
    );
  });

  test('a run that never ended is not complete', async () => {
    const { assessment } = await judge({ units: [buckets([bucket('a')])], ledger: { endedAt: null } }, [goodBuckets]);
    expect(assessment.evidenceComplete).toBe(false);
  });
});

describe('records met again', () => {
  test('are counted once when identical', async () => {
    const { assessment, observations } = await judge({ units: [buckets([bucket('a'), bucket('b'), bucket('a')], { pageSize: 1 })] }, [
      goodBuckets,
    ]);
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 2 } });
    expect(observations).toHaveLength(2);
  });

  test('are unknown when they differ, and the books still balance', async () => {
    const { assessment, observations } = await judge(
      { units: [buckets([bucket('a'), bucket('b'), bucket('a', false)], { pageSize: 1 })] },
      [goodBuckets],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 1, unknown: 1 }, observations: { count: 2 } });
    expect(observations.map((one) => one.status)).toEqual(['unknown', 'pass']);
    expect(observations[0]?.reason).toContain('recorded twice with different contents');
    expect(assessment.reconciliation[0]).toMatchObject({ pass: 1, unknown: 1, balanced: true });
  });
});

describe('aggregates', () => {
  const trail = (
    per: 'accountId' | 'scope',
    emptyScope: 'fail' | 'notapplicable' | 'pass' = 'fail',
    more: { atLeast?: number; atMost?: number } = { atLeast: 1 },
  ) =>
    control('aws-trail', 'aws', [
      conditionCheck({ on: ['AWS::CloudTrail::Trail'], aggregate: { per, emptyScope, ...more }, evaluate: good }, 'aws'),
    ]);
  const trails = (account: string, region: string, values: (boolean | null)[], entry?: FixtureUnit['entry']): FixtureUnit => ({
    provider: 'aws',
    account,
    region,
    type: 'AWS::CloudTrail::Trail',
    records: values.map((value, at) => ({ uid: `arn:aws:cloudtrail:${region}:${account}:trail/${at}`, document: { good: value } })),
    ...(entry === undefined ? {} : { entry }),
  });

  test('one per account is enough, and the others need not meet it', async () => {
    const { assessment, observations } = await judge({ units: [trails('1', 'a', [false, true]), trails('1', 'b', [false])] }, [
      trail('accountId'),
    ]);
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 1, fail: 0 } });
    expect(observations).toHaveLength(1);
    expect(observations[0]).toMatchObject({ subject: { kind: 'scope', account: '1' }, status: 'pass' });
    expect(assessment.reconciliation.every((row) => row.balanced)).toBe(true);
    expect(assessment.findings[0]?.excluded).toBe(0);
    expect(assessment.reconciliation[0]).toMatchObject({ pass: 0, excluded: { 'judged together, see the observation of the scope': 2 } });
  });

  test('an account with none at all fails, from the independent list', async () => {
    const { assessment } = await judge({ units: [trails('1', 'a', [true]), trails('2', 'a', [])] }, [trail('accountId')]);
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { pass: 1, fail: 1 } });
  });

  test('an empty account whose evidence is not whole is unknown, not fail', async () => {
    const { assessment } = await judge({ units: [trails('1', 'a', [], { status: 'denied' })] }, [trail('accountId')]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { fail: 0 } });
  });

  test('too few with one undecided is unknown; at most is broken by what was seen', async () => {
    expect((await judge({ units: [trails('1', 'a', [false, null])] }, [trail('accountId')])).assessment.findings[0]?.status).toBe(
      'unknown',
    );
    expect(
      (await judge({ units: [trails('1', 'a', [true, true, null])] }, [trail('scope', 'pass', { atMost: 1 })])).assessment.findings[0]
        ?.status,
    ).toBe('fail');
    expect(
      (await judge({ units: [trails('1', 'a', [true, null])] }, [trail('scope', 'pass', { atMost: 1 })])).assessment.findings[0]?.status,
    ).toBe('unknown');
    expect((await judge({ units: [trails('1', 'a', [])] }, [trail('scope', 'pass', { atMost: 0 })])).assessment.findings[0]?.status).toBe(
      'pass',
    );
  });
});

describe('critical data', () => {
  const critical = control('aws-s3-critical', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], critical: true, evaluate: good }, 'aws')]);
  const tagged = (name: string, data: string | null, isGood = true) => ({
    ...bucket(name, isGood),
    tags: data === null ? {} : { Data: data },
  });
  const selector = { tags: { data: ['confidential', 'restricted'] }, notCriticalTags: { data: ['public'] } };

  test('only critical resources are judged; the others are excluded and counted', async () => {
    const { assessment } = await judge({ units: [buckets([tagged('a', 'Confidential'), tagged('b', 'public', false)])] }, [critical], {
      critical: { ...selector, unclassified: 'critical' },
    });
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', excluded: 1 });
    expect(assessment.reconciliation[0]).toMatchObject({ pass: 1, excluded: { 'not critical': 1 }, balanced: true });
  });

  test('what nothing classifies counts as configured', async () => {
    const units = [buckets([tagged('a', 'Confidential'), tagged('b', null, false)])];
    const status = async (unclassified: 'critical' | 'not-critical' | 'unknown') =>
      (await judge({ units }, [critical], { critical: { ...selector, unclassified } })).assessment.findings[0]?.status;
    expect(await status('critical')).toBe('fail');
    expect(await status('not-critical')).toBe('pass');
    expect(await status('unknown')).toBe('unknown');
  });

  test('a population that is all not critical is not applicable, and says so', async () => {
    const { assessment } = await judge({ units: [buckets([tagged('b', 'public')])] }, [critical], {
      critical: { ...selector, unclassified: 'critical' },
    });
    expect(assessment.findings[0]).toMatchObject({ status: 'notapplicable', reasons: [{ code: 'all-excluded' }] });
  });

  test('contradictory versions of an excluded resource make it unknown', async () => {
    const { assessment, observations } = await judge(
      { units: [buckets([tagged('b', 'public'), { ...tagged('b', 'confidential'), document: { good: false } }], { pageSize: 1 })] },
      [critical],
      { critical: { ...selector, unclassified: 'critical' } },
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', excluded: 0, counts: { unknown: 1 } });
    expect(observations).toHaveLength(1);
    expect(assessment.reconciliation[0]).toMatchObject({ unknown: 1, balanced: true });
  });
});

describe('age of evidence', () => {
  test('older than its limit cannot pass, and a fail stays a fail', async () => {
    const units = [
      buckets([
        { ...bucket('old'), capturedAt: '2026-09-01T00:00:00Z' },
        { ...bucket('bad', false), capturedAt: '2026-09-01T00:00:00Z' },
        bucket('new'),
        { ...bucket('undated'), capturedAt: null },
      ]),
    ];
    const { observations } = await judge({ units }, [goodBuckets], { parameters: { awsConfigMaxAgeHours: 24 } });
    expect(observations.map((one) => one.status)).toEqual(['unknown', 'fail', 'pass', 'unknown']);
    expect(observations[0]?.reason).toContain('older than the 24 hours allowed');
  });

  test('a limit that cannot be read is refused', async () => {
    await expect(
      judge({ units: [buckets([bucket('a')])] }, [goodBuckets], { parameters: { awsConfigMaxAgeHours: 'soon' } }),
    ).rejects.toThrow('awsConfigMaxAgeHours');
  });
});

describe('results', () => {
  const digest = (run: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(join(run, 'results'))
        .sort()
        .map((file) => [
          file,
          createHash('sha256')
            .update(readFileSync(join(run, 'results', file)))
            .digest('hex'),
        ]),
    );

  test('are the same bytes in another time zone and on a second run', async () => {
    const fixture: Fixture = {
      units: [
        buckets(
          Array.from({ length: 40 }, (_, at) => bucket(`b${at}`, at % 3 === 0 ? false : true)),
          { pageSize: 7 },
        ),
        buckets([bucket('x', null)], { region: 'eu-north-1' }),
      ],
    };
    const run = await fixtureRun(fixture);
    await judgeRun(run, [goodBuckets]);
    const first = digest(run);
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Pacific/Kiritimati';
    try {
      await judgeRun(run, [goodBuckets]);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
    expect(digest(run)).toEqual(first);
    expect(Object.keys(first)).toEqual([
      'access.ndjson',
      'assessment.json',
      'findings.json',
      'observations.ndjson',
      'readers.ndjson',
      'reconciliation.json',
    ]);
    const again = await fixtureRun(fixture);
    await judgeRun(again, [goodBuckets]);
    expect(digest(again)).toEqual(first);
  });

  test('follow their schemas, and a finding is its blocks of the observations', async () => {
    const second = control('aws-s3-never', 'aws', [
      conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: () => outcome('fail', 'näver ✓') }, 'aws'),
    ]);
    const { assessment, runDirectory, observations } = await judge({ units: [buckets([bucket('a'), bucket('b')])] }, [goodBuckets, second]);
    assessmentSchema.parse(JSON.parse(readFileSync(join(runDirectory, 'results', 'assessment.json'), 'utf8')));
    for (const observation of observations) observationSchema.parse(observation);
    const bytes = readFileSync(join(runDirectory, 'results', 'observations.ndjson'));
    for (const finding of assessment.findings) {
      const { blocks, count } = finding.observations;
      const lines = blocks
        .map(([offset, length]) => bytes.subarray(offset, offset + length).toString('utf8'))
        .join('')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { control: string });
      expect(lines).toHaveLength(count);
      expect(new Set(lines.map((line) => line.control))).toEqual(new Set([finding.control.id]));
    }
    expect(new Set(observations.map((one) => one.id)).size).toBe(observations.length);
    expect(observations[0]?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test('the evidence digest is what sha256sum prints of every file below evidence', async () => {
    const { assessment, runDirectory } = await judge({ units: [buckets([bucket('a'), bucket('b')], { pageSize: 1 })] }, [goodBuckets]);
    const files = readdirSync(join(runDirectory, 'evidence'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(runDirectory.length + 1))
      .sort();
    const lines = files
      .map(
        (file) =>
          `${createHash('sha256')
            .update(readFileSync(join(runDirectory, file)))
            .digest('hex')}  ${file}\n`,
      )
      .join('');
    expect(assessment.evidenceDigest).toBe(createHash('sha256').update(lines).digest('hex'));
  });

  test('replace earlier ones whole, and an aborted run leaves those in place', async () => {
    const run = await fixtureRun({ units: [buckets([bucket('a')])] });
    await judgeRun(run, [goodBuckets]);
    const before = digest(run);
    const abort = new AbortController();
    abort.abort(new Error('stopped'));
    await expect(
      assess({ runDirectory: run, catalogue: catalogue(goodBuckets), config, readers: fixtureReaders, signal: abort.signal }),
    ).rejects.toThrow('stopped');
    expect(digest(run)).toEqual(before);
    expect(readdirSync(run).filter((name) => name.startsWith('results') || name === '.lock')).toEqual(['results']);
  });
});
