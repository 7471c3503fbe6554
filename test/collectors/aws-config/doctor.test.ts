import { describe, expect, test } from 'vitest';
import { awsConfig } from '../../../src/collectors/aws-config/collector.ts';
import { doctor } from '../../../src/collectors/collect.ts';
import { aggregatorScope, type collectAws, hurried, hurriedPacers, needsOf, silent } from '../../support/aws.ts';
import { simulatedAws } from '../../support/simulated-aws.ts';

const bucket = 'AWS::S3::Bucket';
const rule = 'ENCRYPTED_VOLUMES';

const aws = simulatedAws();

describe('doctor', () => {
  const check = (scopes: NonNullable<Parameters<typeof collectAws>[3]>['aws'], types = [bucket]) =>
    doctor({
      config: { scopes: { aws: scopes }, endpoints: { aws: { config: aws.origin, sts: aws.origin } } },
      needs: needsOf(types, [rule]),
      asOf: '2026-11-01T00:00:00.000Z',
      signal: new AbortController().signal,
      progress: silent,
      collectors: [awsConfig],
      patience: hurried,
      pacers: hurriedPacers(),
    });
  const direct = () => [{ accounts: [aws.member], regions: [aws.region], role: 'ExhibitCollector' }];

  test('all is well', async () => {
    const findings = await check([...direct(), aggregatorScope(aws)]);
    expect(findings.filter((finding) => !finding.ok)).toEqual([]);
    expect(findings.map((finding) => finding.check)).toEqual(
      expect.arrayContaining([
        'identity',
        'config:SelectResourceConfig',
        'config:GetDiscoveredResourceCounts',
        'recorder',
        'clock',
        'aggregator sources',
      ]),
    );
  });
  test('a missing permission is named with what to grant, and the rest is still tried', async () => {
    aws.book.inject({ kind: 'access-denied', match: { operation: 'GetDiscoveredResourceCounts' }, times: Infinity });
    const bad = (await check(direct())).filter((finding) => !finding.ok);
    expect(bad).toMatchObject([
      { check: 'config:GetDiscoveredResourceCounts', remedy: expect.stringContaining('config:GetDiscoveredResourceCounts') as string },
    ]);
  });
  test('a role that cannot be assumed, and the wrong account', async () => {
    expect(await check([{ accounts: [aws.member], regions: [aws.region], role: 'NoSuchRole' }])).toMatchObject([
      { check: 'identity', ok: false, remedy: expect.stringContaining('sts:AssumeRole') as string },
    ]);
    expect(await check([{ accounts: [aws.member], regions: [aws.region] }])).toMatchObject([
      { check: 'identity', ok: false, remedy: expect.stringContaining('`role`') as string },
    ]);
  });
  test('a stopped recorder, a type not recorded, a source that failed, a clock that is off', async () => {
    aws.book.inject({ kind: 'recorder-stopped' });
    expect((await check(direct())).find((finding) => finding.check === 'recorder')).toMatchObject({
      ok: false,
      remedy: expect.stringContaining('start-configuration-recorder') as string,
    });
    aws.book.clear();
    aws.book.inject({ kind: 'type-not-recorded', match: { type: bucket } });
    expect((await check(direct())).find((finding) => finding.check === 'recorder')).toMatchObject({
      ok: false,
      remedy: expect.stringContaining(bucket) as string,
    });
    aws.book.clear();
    aws.book.inject({ kind: 'aggregator-source-failed', match: { scope: `${aws.member}.${aws.region}` } });
    expect((await check([aggregatorScope(aws)])).find((finding) => finding.check === 'aggregator sources')).toMatchObject({
      ok: false,
      detail: expect.stringContaining(aws.member) as string,
    });
    aws.book.clear();
    aws.book.inject({ kind: 'clock-skew' });
    expect((await check(direct())).find((finding) => finding.check === 'clock')).toMatchObject({ ok: false });
  });
});
