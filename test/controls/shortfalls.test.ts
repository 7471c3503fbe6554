import { describe, expect, test } from 'vitest';
import { mergeShortfalls } from '../../src/controls/assess/shortfalls.ts';
import type { Shortfall } from '../../src/model/index.ts';
import type { FixtureUnit } from '../support/evidence.ts';
import { conditionCheck, control, good, judge } from '../support/judging.ts';

const account = '111122223333';
const region = 'eu-west-1';
const unit = (type: string, more: Partial<FixtureUnit> = {}): FixtureUnit => ({
  provider: 'aws',
  account,
  region,
  type,
  records: [{ uid: `arn:aws:${type}:x`, name: 'x', document: { good: true } }],
  ...more,
});
const buckets = control('aws-buckets', 'aws', [
  conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: good, reads: { 'aws.kms.key': '*' } }, 'aws'),
]);
const keys = control('aws-keys', 'aws', [conditionCheck({ on: ['AWS::KMS::Key'], evaluate: good }, 'aws')]);
const native = control('aws-rule', 'aws', [
  { kind: 'verdict', id: 'main', title: 'Rule', provider: 'aws', rule: 'RULE', about: { as: 'resources', types: ['AWS::SQS::Queue'] } },
]);
const notRecorded = { status: 'not-recorded', reasons: [{ code: 'type-not-recorded', message: 'nobody records it' }] } as const;
const scope = { provider: 'aws', account, region };

describe('what is not whole', () => {
  test('is nothing where all is', async () => {
    const { assessment } = await judge({ units: [unit('AWS::S3::Bucket'), unit('AWS::KMS::Key'), unit('AWS::KMS::Alias')] }, [
      buckets,
      keys,
    ]);
    expect(assessment.evidenceComplete).toBe(true);
    expect(assessment.shortfalls).toEqual([]);
  });

  test('names a type that only lookups need, with its reasons and the control that looks it up', async () => {
    const { assessment } = await judge(
      {
        units: [
          unit('AWS::S3::Bucket'),
          unit('AWS::KMS::Alias'),
          unit('AWS::KMS::Key', { records: [], entry: { status: notRecorded.status, reasons: [...notRecorded.reasons] } }),
        ],
      },
      [buckets],
    );
    expect(assessment.evidenceComplete).toBe(false);
    expect(assessment.findings[0]?.status).toBe('pass');
    expect(assessment.shortfalls).toEqual([{ scope, type: 'AWS::KMS::Key', ...notRecorded, judgedBy: [], lookedUpBy: ['aws-buckets'] }]);
  });

  test('tells who judges it from who looks it up', async () => {
    const { assessment } = await judge(
      { units: [unit('AWS::S3::Bucket'), unit('AWS::KMS::Alias'), unit('AWS::KMS::Key', { entry: { status: 'partial' } })] },
      [buckets, keys],
    );
    expect(assessment.shortfalls).toMatchObject([
      { type: 'AWS::KMS::Key', status: 'partial', judgedBy: ['aws-keys'], lookedUpBy: ['aws-buckets'] },
    ]);
  });

  test('holds what judging found besides the ledger, without a word of the ledger', async () => {
    const { assessment } = await judge(
      {
        units: [
          unit('AWS::S3::Bucket'),
          unit('AWS::KMS::Alias', { entry: null }),
          unit('AWS::KMS::Key', { entry: { held: 2, count: { count: 2, source: 'provider count' } } }),
        ],
      },
      [buckets],
    );
    expect(assessment.shortfalls?.map(({ type, status, reasons }) => [type, status, reasons.map(({ code }) => code)])).toEqual([
      ['AWS::KMS::Alias', null, ['ledger-missing']],
      ['AWS::KMS::Key', null, ['held-mismatch']],
    ]);
  });

  test('holds what the ledger lacks and nobody needs; not what was left out, nor a count that does not exist', async () => {
    const { assessment } = await judge(
      {
        units: [
          unit('AWS::KMS::Key', { entry: { count: null } }),
          unit('conformance-packs', { entry: { status: 'failed', reasons: [{ code: 'timeout', message: 'no answer' }] } }),
          unit('AWS::SQS::Queue', { entry: { status: 'excluded' } }),
        ],
      },
      [keys],
    );
    expect(assessment.shortfalls).toEqual([
      {
        scope,
        type: 'conformance-packs',
        status: 'failed',
        reasons: [{ code: 'timeout', message: 'no answer' }],
        judgedBy: [],
        lookedUpBy: [],
      },
    ]);
  });
});

test('a count that the provider gives and that did not come is named, also where something else made up for it', async () => {
  const reasons = [{ code: 'count-missing', message: 'the count could not be had' }];
  const aboutTheAccount = control('aws-account', 'aws', [{ kind: 'verdict', id: 'main', title: 'Rule', provider: 'aws', rule: 'RULE' }]);
  const verdicts = [{ uid: account, resourceType: 'AWS::::Account', verdict: 'COMPLIANT' }];
  const { assessment } = await judge({ units: [unit('verdict:RULE', { records: [], verdicts, entry: { count: null, reasons } })] }, [
    aboutTheAccount,
  ]);
  expect(assessment.findings[0]).toMatchObject({ status: 'pass', reasons: [] });
  expect(assessment.evidenceComplete).toBe(false);
  expect(assessment.shortfalls).toEqual([
    { scope, type: 'verdict:RULE', status: null, reasons, judgedBy: ['aws-account'], lookedUpBy: [] },
  ]);
});

test('results of a rule that are not there because nothing is are lacking to nobody; where something is, to the control', async () => {
  const lacking = { status: 'not-recorded', count: null, reasons: [{ code: 'rule-not-deployed', message: 'nobody deployed it' }] } as const;
  const judgedBy = async (records: number): Promise<[boolean, (string[] | undefined)?]> => {
    const verdicts = unit('verdict:RULE', { records: [], entry: { ...lacking, reasons: [...lacking.reasons] } });
    const resources = unit('AWS::SQS::Queue', records === 0 ? { records: [] } : {});
    const { assessment } = await judge({ units: [resources, verdicts] }, [native]);
    return [assessment.evidenceComplete, assessment.shortfalls?.find(({ type }) => type === 'verdict:RULE')?.judgedBy];
  };
  expect(await judgedBy(0)).toEqual([true, []]);
  expect(await judgedBy(1)).toEqual([false, ['aws-rule']]);
});

describe('the shortfalls of several parts', () => {
  const one = (type: string, judgedBy: string[], lookedUpBy: string[] = []): Shortfall => ({
    scope: { provider: 'aws', account, region },
    type,
    status: 'partial',
    reasons: [{ code: 'throttled', message: 'throttled' }],
    judgedBy,
    lookedUpBy,
  });

  test('come to the same, however the controls are cut', () => {
    const whole = mergeShortfalls([], [[one('B', ['b', 'c'], ['a']), one('A', ['a'])]]);
    expect(whole.map(({ type }) => type)).toEqual(['A', 'B']);
    expect(mergeShortfalls([], [[one('B', ['c'])], [one('A', ['a']), one('B', [], ['a'])], [one('B', ['b'])]])).toEqual(whole);
  });
});
