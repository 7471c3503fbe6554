import { describe, expect, test } from 'vitest';
import { namesOf } from '../../src/controls/assess/verdict-names.ts';
import { sameJson } from '../../src/controls/lookups/table-index.ts';
import { toldApart } from '../../src/evidence/withheld.ts';
import type { Json } from '../../src/model/index.ts';
import { conditionCheck, control, good, judge } from '../support/judging.ts';
import { record } from '../support/records.ts';

/** Whoever may name resources names them like secrets: they are told apart, and the others are judged as ever. */
describe('resources named like secrets', () => {
  const goodBuckets = control('aws-s3-good', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: good }, 'aws')]);
  const bucket = (name: string, isGood: boolean) => ({ uid: `arn:aws:s3:::${name}`, name, document: { good: isGood } });

  test('are as many as there are, and none contradicts another', async () => {
    const records = [bucket(`ghp_${'A1b2'.repeat(9)}`, true), bucket(`ghp_${'C3d4'.repeat(9)}`, false), bucket('c', true)];
    const units = [{ provider: 'aws' as const, account: '111122223333', region: 'eu-west-1', type: 'AWS::S3::Bucket', records }];
    const { assessment, observations } = await judge({ units }, [goodBuckets]);
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { pass: 2, fail: 1, unknown: 0 }, gaps: 0 });
    expect(assessment.reconciliation[0]).toMatchObject({ held: 3, pass: 2, fail: 1, balanced: true });
    expect(new Set(observations.map(({ id }) => id)).size).toBe(3);
    expect(observations[0]?.subject.uid).toMatch(/^arn:aws:s3:::\[redacted by exhibit: .*\] \(evidence\/.*#\/records\/0\)$/);
  });
});

test('results of native rules still find a resource named like a secret', () => {
  const uid = '/subscriptions/s/providers/microsoft.storage/storageaccounts/[redacted by exhibit: password]';
  const resource = { ...record({ type: 'microsoft.storage/storageaccounts', uid, document: {} }), provider: 'azure' as const };
  const told = toldApart({
    record: 'resource',
    resource: { ...resource, citation: { file: 'evidence/a/b', pointer: '/data/0', encoding: 'json' } },
  });
  expect(told).toMatchObject({ resource: { uid: `${uid} (evidence/a/b#/data/0)` } });
  expect(told.record === 'resource' && namesOf(told.resource)).toEqual([uid]);
});

test('documents too deep to be compared are not the same', () => {
  const deep = (): Json => JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as Json;
  expect(sameJson(deep(), deep())).toBe(false);
});
