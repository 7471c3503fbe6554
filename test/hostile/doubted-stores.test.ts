import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/index.ts';
import { fixtureRun } from '../support/evidence.ts';
import { conditionCheck, control, good, judgeRun } from '../support/judging.ts';

/** A store that was recorded twice with different contents has no readers that could be told by either record. */
describe('who can read a store that contradicts itself', () => {
  const policy = (open: boolean): string =>
    JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: open ? '*' : { Service: 's' }, Action: 's3:*', Resource: '*' }] });
  const bucket = (name: string, open: boolean, data = 'secret') => ({
    uid: `arn:aws:s3:::${name}`,
    name,
    tags: { data },
    document: {
      good: true,
      tags: { data },
      supplementaryConfiguration: {
        ServerSideEncryptionConfiguration: { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
        BucketPolicy: { policyText: policy(open) },
      },
    } satisfies JsonObject,
  });
  const readers = control('aws-readers', 'aws', [
    conditionCheck({ on: ['AWS::S3::Bucket'], critical: true, usesReaders: true, evaluate: good }, 'aws'),
  ]);

  async function storesOf(records: ReturnType<typeof bucket>[]) {
    const scope = { provider: 'aws' as const, account: '111122223333', region: 'eu-west-1' };
    const run = await fixtureRun({ units: [{ ...scope, type: 'AWS::S3::Bucket', records, pageSize: 1 }] });
    const { assessment, access } = await judgeRun(run, [readers], {
      critical: { tags: { data: ['secret'] }, notCriticalTags: { data: ['public'] }, unclassified: 'critical' },
    });
    return { access: assessment.access, stores: access.map(({ subject, readers: set }) => ({ name: subject.name, readers: set })) };
  }

  test('is undecided, and the others are told as ever', async () => {
    const { access, stores } = await storesOf([bucket('a', false), bucket('b', true), bucket('a', true), bucket('c', false)]);
    expect(access).toMatchObject({ stores: 3, wide: 1 });
    expect(stores.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(stores[0]?.readers).toMatchObject({ complete: false, principals: [] });
    expect(stores[0]?.readers?.unsettled.join()).toContain('recorded twice with different contents');
    expect(stores[1]?.readers?.principals.some(({ wide }) => wide)).toBe(true);
  });

  test('is a question where only one of the records calls it critical', async () => {
    const { access, stores } = await storesOf([bucket('a', false, 'public'), bucket('a', true), bucket('d', true, 'public')]);
    expect(access).toMatchObject({ stores: 1, dataRoles: 1, incomplete: 1 });
    expect(stores).toMatchObject([{ name: 'a', readers: { complete: false, principals: [] } }]);
    const first = await storesOf([bucket('a', true), bucket('a', true, 'public')]);
    expect(first.access).toMatchObject({ stores: 1, wide: 0, incomplete: 1 });
    expect((await storesOf([bucket('a', true, 'public'), bucket('a', false, 'public')])).access.stores).toBe(0);
  });
});
