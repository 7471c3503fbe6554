import { describe, expect, test } from 'vitest';
import { judgeVerdict } from '../../src/controls/assess/native.ts';
import type { VerdictCheck } from '../../src/controls/types.ts';
import type { Provider } from '../../src/model/index.ts';
import type { FixtureUnit, FixtureVerdict } from '../support/evidence.ts';
import { control, judge } from '../support/judging.ts';

const check = (provider: Provider, rule: string): VerdictCheck => ({ kind: 'verdict', id: 'main', title: 'Rule', provider, rule });
const unit = (rule: string, verdicts: FixtureVerdict[], more: Partial<FixtureUnit> = {}): FixtureUnit => ({
  provider: 'aws',
  account: '111122223333',
  region: 'eu-west-1',
  type: `verdict:${rule}`,
  verdicts,
  ...more,
});
const onBucket = (uid: string, verdict: string, more: Partial<FixtureVerdict> = {}): FixtureVerdict => ({
  uid,
  verdict,
  resourceType: 'AWS::S3::Bucket',
  ...more,
});
const onAccount = (verdict: string): FixtureVerdict => ({ uid: '111122223333', verdict, resourceType: 'AWS::::Account' });

describe('words of the providers', () => {
  test.each([
    ['aws', 'COMPLIANT', 'pass'],
    ['aws', 'NON_COMPLIANT', 'fail'],
    ['aws', 'NOT_APPLICABLE', 'notapplicable'],
    ['aws', 'INSUFFICIENT_DATA', 'unknown'],
    ['aws', 'ERROR', 'unknown'],
    ['aws', 'compliant', 'unknown'],
    ['aws', '__proto__', 'unknown'],
    ['aws', '', 'unknown'],
    ['azure', 'Compliant', 'pass'],
    ['azure', 'NonCompliant', 'fail'],
    ['azure', 'Exempt', 'unknown'],
    ['azure', 'Conflicting', 'unknown'],
    ['azure', 'NotStarted', 'unknown'],
    ['azure', 'NotRegistered', 'unknown'],
    ['azure', 'Unknown', 'unknown'],
    ['azure', 'Brandnew', 'unknown'],
    ['azure', 'constructor', 'unknown'],
    ['gcp', 'COMPLIANT', 'unknown'],
  ] as const)('%s %s is %s', (provider, verdict, status) => {
    const outcome = judgeVerdict({ provider, verdict, rule: 'R', deployment: 'd' });
    expect(outcome.status).toBe(status);
    expect(outcome.leaves[0]).toMatchObject({
      observed: verdict,
      outcome: status === 'pass' ? 'true' : status === 'fail' ? 'false' : 'unknown',
    });
  });

  test('an exemption is named, and is no pass', () => {
    expect(judgeVerdict({ provider: 'azure', verdict: 'Exempt', rule: 'r', deployment: 'baseline' })).toMatchObject({
      status: 'unknown',
      reason: expect.stringMatching(/exemption.*baseline/) as string,
    });
  });
});

describe('a control that rests on a native rule', () => {
  const rule = 'S3_RULE';
  const s3 = control('aws-native', 'aws', [check('aws', rule)]);

  test('passes where every verdict is compliant and they are counted', async () => {
    const { assessment, observations } = await judge({ units: [unit(rule, [onBucket('a', 'COMPLIANT'), onBucket('b', 'COMPLIANT')])] }, [
      s3,
    ]);
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 2 } });
    expect(observations[0]).toMatchObject({ subject: { uid: 'a', type: 'AWS::S3::Bucket' }, citations: [{ pointer: '/verdicts/0' }] });
  });

  test('is unknown without an independent count of the results', async () => {
    expect(
      (await judge({ units: [unit(rule, [onBucket('a', 'COMPLIANT')], { entry: { count: null } })] }, [s3])).assessment.findings[0],
    ).toMatchObject({ status: 'unknown', reasons: [{ code: 'count-unavailable' }] });
  });

  test('is unknown where the rule is not deployed, or was never evaluated', async () => {
    const absent = (status: 'not-recorded' | 'partial') =>
      judge(
        { units: [unit(rule, [], { entry: { status, count: null, reasons: [{ code: 'rule-not-deployed', message: 'no such rule' }] } })] },
        [s3],
      );
    expect((await absent('not-recorded')).assessment.findings[0]).toMatchObject({
      status: 'unknown',
      reasons: [{ code: 'rule-not-deployed' }],
    });
    expect((await absent('partial')).assessment.findings[0]?.status).toBe('unknown');
    expect((await judge({ units: [unit(rule, [], { entry: { count: null } })] }, [s3])).assessment.findings[0]?.status).toBe('unknown');
  });

  test('insufficient data for one resource keeps it from passing', async () => {
    expect(
      (await judge({ units: [unit(rule, [onBucket('a', 'COMPLIANT'), onBucket('b', 'INSUFFICIENT_DATA')])] }, [s3])).assessment.findings[0],
    ).toMatchObject({ status: 'unknown', counts: { pass: 1, unknown: 1 } });
  });

  test('two deployments judge a resource apart', async () => {
    const { assessment, observations } = await judge(
      { units: [unit(rule, [onBucket('a', 'COMPLIANT', { deployment: 'one' }), onBucket('a', 'NON_COMPLIANT', { deployment: 'two' })])] },
      [s3],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { pass: 1, fail: 1 } });
    expect(new Set(observations.map((one) => one.id)).size).toBe(2);
  });

  test('a verdict older than its limit cannot pass', async () => {
    const azure = control('azure-native', 'azure', [check('azure', 'd8cf8476-a2ec-4916-896e-992351803c44')]);
    const of = (evaluatedAt: string | null) =>
      judge(
        {
          units: [
            unit(
              'd8cf8476-a2ec-4916-896e-992351803c44',
              [{ uid: '/subscriptions/s/x', verdict: 'Compliant', resourceType: 'microsoft.keyvault/vaults', evaluatedAt }],
              { provider: 'azure', account: 's', region: '*' },
            ),
          ],
        },
        [azure],
      );
    expect((await of('2026-09-30T00:00:00Z')).assessment.findings[0]?.status).toBe('pass');
    expect((await of('2026-09-20T00:00:00Z')).assessment.findings[0]?.status).toBe('unknown');
    expect((await of(null)).assessment.findings[0]?.status).toBe('unknown');
  });
});

describe('rules about the account itself', () => {
  const units = (rule: string): FixtureUnit[] => [
    unit(rule, [onAccount('COMPLIANT')], { entry: { count: null } }),
    unit(rule, [], { region: 'eu-north-1', entry: { status: 'not-recorded', count: null } }),
  ];

  test('there is one account: that is the count', async () => {
    const { assessment } = await judge(
      { units: [unit('EC2_EBS_ENCRYPTION_BY_DEFAULT', [onAccount('COMPLIANT')], { entry: { count: null } })] },
      [control('ebs', 'aws', [check('aws', 'EC2_EBS_ENCRYPTION_BY_DEFAULT')])],
    );
    expect(assessment.findings[0]?.status).toBe('pass');
    expect(assessment.reconciliation[0]).toMatchObject({ count: { count: 1 }, pass: 1, balanced: true });
  });

  test('a rule about what the account has once may run in any region', async () => {
    const { assessment } = await judge({ units: units('ROOT_ACCOUNT_MFA_ENABLED') }, [
      control('root', 'aws', [check('aws', 'ROOT_ACCOUNT_MFA_ENABLED')]),
    ]);
    expect(assessment.findings[0]?.status).toBe('pass');
    expect(assessment.reconciliation[0]?.reasons).toEqual([expect.objectContaining({ code: 'account-wide' })]);
  });

  test('a rule about a region says nothing of the others', async () => {
    const { assessment } = await judge({ units: units('EC2_EBS_ENCRYPTION_BY_DEFAULT') }, [
      control('ebs', 'aws', [check('aws', 'EC2_EBS_ENCRYPTION_BY_DEFAULT')]),
    ]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', gaps: 1 });
  });

  test('another account is not covered', async () => {
    const other = unit('ROOT_ACCOUNT_MFA_ENABLED', [], { account: '999900001111', entry: { status: 'not-recorded', count: null } });
    expect(
      (
        await judge({ units: [...units('ROOT_ACCOUNT_MFA_ENABLED'), other] }, [
          control('root', 'aws', [check('aws', 'ROOT_ACCOUNT_MFA_ENABLED')]),
        ])
      ).assessment.findings[0]?.status,
    ).toBe('unknown');
  });
});
