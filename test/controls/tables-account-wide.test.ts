import { describe, expect, test } from 'vitest';
import { tableIndex } from '../../src/controls/lookups/table-index.ts';
import { record } from '../support/records.ts';

/** Of what has no region: found from any region, and absent only where the evidence of all of them is whole. */
describe('aws.resource:<type> of a service without regions', () => {
  const asking = record({
    type: 'AWS::EC2::Instance',
    uid: 'arn:aws:ec2:eu-west-1:111122223333:instance/i',
    document: { awsRegion: 'eu-west-1' },
  });

  test.each(['arn:aws:iam::111122223333:role/app', 'app', 'AROA1'])('a role is found as %s', (key) => {
    const table = 'aws.resource:AWS::IAM::Role';
    const index = tableIndex(new Map([[table, '*' as const]]), () => null);
    const document = { resourceName: 'app', resourceId: 'AROA1', awsRegion: 'global' };
    index.add(record({ type: 'AWS::IAM::Role', uid: 'arn:aws:iam::111122223333:role/app', document }));
    expect(index.lookup(table, key, false, asking).outcome).toBe('found');
    expect(index.lookup(table, 'other', false, asking).outcome).toBe('absent');
  });

  test('one that another region may have recorded is not absent by the evidence of this one', () => {
    const table = 'aws.resource:AWS::CloudFront::Distribution';
    const index = tableIndex(new Map([[table, '*' as const]]), (_, { account }) => (account === 'every' ? 'us-east-1 was denied' : null));
    expect(index.lookup(table, 'arn:aws:cloudfront::111122223333:distribution/E1', false, asking)).toMatchObject({
      outcome: 'unknown',
      because: expect.stringContaining('us-east-1 was denied') as string,
    });
  });
});
