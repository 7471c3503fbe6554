import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/model/index.ts';
import type { FixtureRecord, FixtureUnit } from '../support/evidence.ts';
import { conditionCheck, control, good, judge, outcome } from '../support/judging.ts';

/** Two things under one name, and one thing twice: neither may hide the other. */

const [one, two] = ['111122223333', '444455556666'] as const;
const unit = (account: string, region: string, type: string, records: FixtureRecord[]): FixtureUnit => ({
  provider: 'aws',
  account,
  region,
  type,
  records,
});
const buckets = [control('buckets', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: good }, 'aws')])];
const bucket = (isGood: boolean, uid = 'arn:aws:s3:::shared'): FixtureRecord => ({ uid, document: { good: isGood } });

describe('one uid', () => {
  test.each([
    [one, 'us-east-1'],
    [two, 'eu-west-1'],
  ])('passing in one scope and failing in %s/%s: both are judged, the fail decides', async (account, region) => {
    const { assessment, observations } = await judge(
      { units: [unit(one, 'eu-west-1', 'AWS::S3::Bucket', [bucket(true)]), unit(account, region, 'AWS::S3::Bucket', [bucket(false)])] },
      buckets,
    );
    expect(assessment.findings[0]?.status).toBe('fail');
    expect(observations.map(({ status }) => status).sort()).toEqual(['fail', 'pass']);
    expect(new Set(observations.map(({ id }) => id)).size).toBe(2);
  });

  test.each([
    [true, false],
    [false, true],
  ])('twice in one scope, first %s, then %s: neither counts', async (first, second) => {
    const { assessment, observations } = await judge(
      { units: [unit(one, 'eu-west-1', 'AWS::S3::Bucket', [bucket(first), bucket(second)])] },
      buckets,
    );
    expect(assessment.findings[0]?.status).toBe('unknown');
    expect(observations.map(({ status }) => status)).toEqual(['unknown']);
  });

  test('twice, the second one differing only where no control looks', async () => {
    const records = [
      { uid: 'a', document: { good: true } },
      { uid: 'a', document: { good: true, note: 'other' } },
    ];
    expect((await judge({ units: [unit(one, 'eu-west-1', 'AWS::S3::Bucket', records)] }, buckets)).assessment.findings[0]?.status).toBe(
      'unknown',
    );
  });

  test('of one Azure resource in two spellings of its case is still two records, and the worse decides', async () => {
    const azure = [control('stores', 'azure', [conditionCheck({ on: ['x'], evaluate: good }, 'azure')])];
    const id = '/subscriptions/s/providers/x/a';
    const { assessment } = await judge(
      {
        units: [
          {
            provider: 'azure',
            account: 's',
            region: '*',
            type: 'x',
            records: [
              { uid: id, document: { good: true } },
              { uid: id.toUpperCase(), document: { good: false } },
            ],
          },
        ],
      },
      azure,
    );
    expect(assessment.findings[0]?.status).toBe('fail');
  });
});

describe('a KMS key', () => {
  const id = '11111111-2222-3333-4444-555555555555';
  const key = (account: string, region: string, manager: string): FixtureRecord => ({
    uid: `arn:aws:kms:${region}:${account}:key/${id}`,
    document: { awsRegion: region, configuration: { keyId: id, keyManager: manager } },
  });
  const volume = (reference: string): FixtureRecord => ({ uid: 'v', document: { awsRegion: 'eu-west-1', key: reference } });
  const volumes = [
    control('volumes', 'aws', [
      conditionCheck(
        {
          on: ['AWS::EC2::Volume'],
          reads: { 'aws.kms.key': ['configuration.keyManager'] },
          evaluate(subject, env) {
            const hit = env.lookup('aws.kms.key', subject.document['key'] as Json, false, subject);
            if (hit.outcome !== 'found') return outcome(hit.outcome === 'absent' ? 'fail' : 'unknown', hit.because);
            return outcome(
              (hit.records[0]?.document['configuration'] as { keyManager?: string }).keyManager === 'CUSTOMER' ? 'pass' : 'fail',
            );
          },
        },
        'aws',
      ),
    ]),
  ];
  const statusWith = async (reference: string, keys: FixtureUnit[], aliases: FixtureUnit[] = []): Promise<string | undefined> =>
    (
      await judge({ units: [...keys, ...aliases, unit(one, 'eu-west-1', 'AWS::EC2::Volume', [volume(reference)])] }, volumes)
    ).observations.find(({ subject }) => subject.uid === 'v')?.status;

  test('of the same id in another region or account is another key', async () => {
    const here = unit(one, 'eu-west-1', 'AWS::KMS::Key', [key(one, 'eu-west-1', 'AWS')]);
    expect(await statusWith(id, [here, unit(one, 'us-east-1', 'AWS::KMS::Key', [key(one, 'us-east-1', 'CUSTOMER')])])).toBe('fail');
    expect(await statusWith(id, [here, unit(two, 'eu-west-1', 'AWS::KMS::Key', [key(two, 'eu-west-1', 'CUSTOMER')])])).toBe('fail');
    expect(
      await statusWith(`arn:aws:kms:eu-west-1:${two}:key/${id}`, [
        here,
        unit(two, 'eu-west-1', 'AWS::KMS::Key', [key(two, 'eu-west-1', 'CUSTOMER')]),
      ]),
    ).toBe('pass');
  });

  test("that an alias leads to in another account is that account's key, not the namesake here", async () => {
    const alias = unit(one, 'eu-west-1', 'AWS::KMS::Alias', [
      {
        uid: `arn:aws:kms:eu-west-1:${one}:alias/a`,
        document: { configuration: { AliasName: 'alias/a', TargetKeyId: `arn:aws:kms:eu-west-1:${two}:key/${id}` } },
      },
    ]);
    const here = unit(one, 'eu-west-1', 'AWS::KMS::Key', [key(one, 'eu-west-1', 'CUSTOMER')]);
    expect(await statusWith('alias/a', [here], [alias])).toBe('unknown');
    expect(await statusWith('alias/a', [here, unit(two, 'eu-west-1', 'AWS::KMS::Key', [key(two, 'eu-west-1', 'AWS')])], [alias])).toBe(
      'fail',
    );
  });

  test("recorded in its own account and, otherwise, in a stranger's cannot be relied on", async () => {
    const own = unit(one, 'eu-west-1', 'AWS::KMS::Key', [key(one, 'eu-west-1', 'AWS')]);
    const shadow = unit(two, 'eu-west-1', 'AWS::KMS::Key', [key(one, 'eu-west-1', 'CUSTOMER')]);
    expect(await statusWith(id, [own, shadow])).toBe('unknown');
    expect(await statusWith(id, [shadow, own])).toBe('unknown');
  });
});

test('a key given twice in JSON has its last value, as it has for jq', async () => {
  const document = JSON.parse('{"good":true,"good":false}') as { good: boolean };
  expect(
    (await judge({ units: [unit(one, 'eu-west-1', 'AWS::S3::Bucket', [{ uid: 'a', document }])] }, buckets)).assessment.findings[0]?.status,
  ).toBe('fail');
});
