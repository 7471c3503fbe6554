import { describe, expect, test } from 'vitest';
import { aggregatorScope, collectAws, entry, needsOf, recordsOf } from '../../support/aws.ts';
import { emptyRunDirectory, simulatedAws } from '../../support/simulated-aws.ts';

const bucket = 'AWS::S3::Bucket';
const user = 'AWS::IAM::User';
const rule = 'ENCRYPTED_VOLUMES';

const aws = simulatedAws();
const directory = emptyRunDirectory();

describe('through the organisation', () => {
  test("the aggregator's sources are the list of accounts, each type counted by account and region", async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([bucket, user], [rule]), { aws: [aggregatorScope(aws)] });
    for (const account of aws.estate.accounts) {
      for (const region of aws.estate.regions) {
        const one = entry(ledger, bucket, account.id, region);
        expect(one.status).toBe('complete');
        expect(one.count).toMatchObject({ count: one.held, source: 'AWS Config GetAggregateDiscoveredResourceCounts' });
        expect(entry(ledger, `verdict:${rule}`, account.id, region).status).toMatch(/complete|partial/);
      }
      expect(entry(ledger, user, account.id, 'global').status).toBe('complete');
    }
    expect(ledger.scopes.map((scope) => scope.knownFrom)).toEqual(ledger.scopes.map(() => ['aggregator sources']));
    const records = await recordsOf(directory.path);
    expect(records.get(`${aws.member}/${aws.region} ${bucket}`)).toHaveLength(entry(ledger, bucket, aws.member, aws.region).held);
  });

  test('a source that failed appears as failed, with the cause', async () => {
    aws.book.inject({ kind: 'aggregator-source-failed', match: { scope: `${aws.member}.${aws.region}` } });
    const ledger = await collectAws(aws, directory.path, needsOf([bucket]), { aws: [aggregatorScope(aws)] });
    expect(entry(ledger, bucket, aws.member, aws.region)).toMatchObject({
      status: 'failed',
      reasons: [{ code: 'aggregator-source-failed' }],
    });
    expect(ledger.scopes.find((scope) => scope.account === aws.member && scope.region === aws.region)).toMatchObject({ status: 'failed' });
    expect(entry(ledger, bucket, aws.estate.home.account, aws.region).status).toBe('complete');
  });

  test('an aggregator that cannot be read is itself the gap', async () => {
    aws.book.inject({ kind: 'access-denied', match: { operation: 'GetCallerIdentity' }, times: Infinity });
    const ledger = await collectAws(aws, directory.path, needsOf([bucket]), { aws: [aggregatorScope(aws)] });
    expect(ledger.entries).toMatchObject([
      { region: 'aggregator/northwind-organisation', status: 'denied', reasons: [{ code: 'access-denied' }] },
    ]);
    expect(ledger.scopes).toMatchObject([{ status: 'denied' }]);
  });

  test.each(['access-denied', 'lost-page'] as const)(
    'when its list of sources is lost (%s), the accounts that are counted still appear, and none is complete',
    async (kind) => {
      aws.book.inject({ kind, match: { operation: 'DescribeConfigurationAggregatorSourcesStatus' }, times: Infinity });
      const ledger = await collectAws(aws, directory.path, needsOf([bucket]), { aws: [aggregatorScope(aws)] });
      for (const account of aws.estate.accounts) {
        for (const region of aws.estate.regions) {
          expect(entry(ledger, bucket, account.id, region)).toMatchObject({
            status: 'partial',
            reasons: expect.arrayContaining([expect.objectContaining({ code: 'unlisted-source' })]) as unknown,
          });
        }
      }
      expect(ledger.scopes.filter((scope) => scope.status === 'complete')).toEqual([]);
    },
  );

  test('a page of sources that is lost once is asked for again', async () => {
    aws.book.inject({ kind: 'lost-page', match: { operation: 'DescribeConfigurationAggregatorSourcesStatus' }, times: 1 });
    const ledger = await collectAws(aws, directory.path, needsOf([bucket]), { aws: [aggregatorScope(aws)] });
    expect(ledger.entries.map((one) => one.status)).toEqual(ledger.entries.map(() => 'complete'));
  });

  test('without a role in the accounts, recorders are unproven and rules unread: nothing is complete on trust', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([bucket], [rule]), {
      aws: [aggregatorScope(aws, `arn:aws:iam::${aws.estate.home.account}:role/ExhibitCollector`)],
    });
    expect(entry(ledger, bucket, aws.member, aws.region)).toMatchObject({
      status: 'partial',
      reasons: expect.arrayContaining([expect.objectContaining({ code: 'recorder-unknown' })]) as unknown,
    });
    expect(entry(ledger, `verdict:${rule}`, aws.member, aws.region)).toMatchObject({
      status: 'not-recorded',
      reasons: [{ code: 'rules-need-a-role' }],
    });
  });

  test('accounts read directly are left out of the aggregated queries, and their unselected regions are listed as excluded', async () => {
    const ledger = await collectAws(aws, directory.path, needsOf([bucket]), {
      aws: [{ accounts: [aws.member], regions: [aws.region], role: 'ExhibitCollector', ...aggregatorScope(aws) }],
    });
    expect(entry(ledger, bucket, aws.member, aws.region).status).toBe('complete');
    expect(ledger.scopes.find((scope) => scope.account === aws.member && scope.region === aws.region)?.knownFrom).toEqual([
      'aggregator sources',
      'configured',
    ]);
    expect(ledger.scopes.find((scope) => scope.account === aws.member && scope.region !== aws.region)).toMatchObject({
      status: 'excluded',
      reasons: [{ code: 'region-not-selected' }],
    });
    const records = await recordsOf(directory.path);
    expect(records.get(`${aws.member}/${aws.region} ${bucket}`)).toHaveLength(entry(ledger, bucket, aws.member, aws.region).held); // once, not twice
  });
});
