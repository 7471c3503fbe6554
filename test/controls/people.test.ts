import { describe, expect, test } from 'vitest';
import { criticalSelector, globMatcher } from '../../src/controls/assess/critical.ts';
import { settleQuestion } from '../../src/controls/assess/manual.ts';
import { needsOf } from '../../src/controls/assess/needs.ts';
import type { ManualCheck } from '../../src/controls/types.ts';
import { waiverState } from '../../src/controls/assess/waivers.ts';
import type { AttestedAnswer, Resource, Waiver } from '../../src/model/index.ts';
import { asOf, type FixtureUnit } from '../support/evidence.ts';
import { catalogue, conditionCheck, control, good, judge } from '../support/judging.ts';

const buckets = (values: boolean[]): FixtureUnit => ({
  provider: 'aws',
  account: '111122223333',
  region: 'eu-west-1',
  type: 'AWS::S3::Bucket',
  records: values.map((value, at) => ({ uid: `arn:aws:s3:::b${at}`, document: { good: value } })),
});
const s3 = control('aws-s3-good', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: good }, 'aws')]);
const waiver = (more: Partial<Waiver> = {}): Waiver => ({
  id: 'W-1',
  control: 'aws-s3-*',
  resources: ['arn:aws:s3:::b0'],
  owner: 'o',
  approver: 'a',
  justification: 'j',
  approvedOn: '2026-01-01',
  expires: '2026-12-31',
  ...more,
});

describe('waivers', () => {
  test('a waived fail stays a fail, with the waiver attached and counted', async () => {
    const { assessment, observations } = await judge({ units: [buckets([false, true])] }, [s3], { waivers: [waiver()] });
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', waived: 1, counts: { fail: 1 } });
    expect(observations[0]).toMatchObject({ status: 'fail', waiver: 'W-1' });
    expect(observations[1]).not.toHaveProperty('waiver');
    expect(assessment.reconciliation[0]).toMatchObject({ fail: 1, waived: 1, balanced: true });
    expect(assessment.waivers).toEqual([expect.objectContaining({ id: 'W-1', expired: false, used: 1 })]);
  });

  test('an expired one is named and covers nothing', async () => {
    const { assessment, observations } = await judge({ units: [buckets([false])] }, [s3], { waivers: [waiver({ expires: '2026-09-29' })] });
    expect(observations[0]).not.toHaveProperty('waiver');
    expect(assessment.findings[0]).toMatchObject({
      status: 'fail',
      waived: 0,
      reasons: [{ code: 'waiver-expired', message: expect.stringContaining('W-1') as string }],
    });
    expect(assessment.waivers).toEqual([expect.objectContaining({ expired: true, used: 0 })]);
  });

  test('one that nothing needed is listed with no use', async () => {
    const { assessment } = await judge({ units: [buckets([true])] }, [s3], { waivers: [waiver()] });
    expect(assessment.waivers).toEqual([expect.objectContaining({ used: 0, expired: false })]);
  });

  test.each([
    ['2026-09-30', '2026-01-01', 'in-force'],
    ['2026-09-29', '2026-01-01', 'expired'],
    ['2026-12-31', '2026-10-01', 'not-yet'],
    ['soon', '2026-01-01', 'expired'],
    ['2026-12-31', '', 'expired'],
  ])('until %s from %s is %s', (expires, approvedOn, state) => {
    expect(waiverState({ expires, approvedOn }, asOf)).toBe(state);
  });
});

describe('questions', () => {
  const manual: ManualCheck = { kind: 'manual', id: 'asked', title: 'Reviewed', question: 'Were the keys reviewed?' };
  const answer = (more: Partial<AttestedAnswer> = {}): AttestedAnswer => ({
    control: 'aws-review',
    answer: 'satisfied',
    statement: 'They were.',
    respondent: 'E. Holm',
    role: 'CISO',
    date: '2026-09-01',
    attachments: [],
    ...more,
  });
  const review = control('aws-review', 'aws', [manual]);

  test('without an answer it is not checked', async () => {
    const { assessment, observations } = await judge({ units: [buckets([true])] }, [review]);
    expect(assessment.findings[0]).toMatchObject({ status: 'notchecked', counts: { notchecked: 1 } });
    expect(observations[0]).toMatchObject({ subject: { kind: 'question' }, method: 'INTERVIEW', status: 'notchecked' });
  });

  test('an attested answer settles it and is quoted with name and date', async () => {
    const { assessment, observations } = await judge({ units: [buckets([true])] }, [review], {
      answers: [answer({ attachments: ['minutes.pdf'] })],
    });
    expect(assessment.findings[0]?.status).toBe('pass');
    expect(observations[0]).toMatchObject({ reason: 'They were. (E. Holm, CISO, 2026-09-01)', method: 'EXAMINE' });
  });

  test.each([
    [[answer({ answer: 'not-satisfied' })], 'fail'],
    [[answer({ answer: 'not-applicable' })], 'notapplicable'],
    [[answer({ validUntil: '2026-09-30' })], 'pass'],
    [[answer({ validUntil: '2026-09-29' })], 'notchecked'],
    [[answer({ validUntil: 'later' })], 'notchecked'],
    [[answer({ date: '2026-10-01' })], 'notchecked'],
    [[answer({ date: 'yesterday' })], 'notchecked'],
    [[answer({ control: 'other' })], 'notchecked'],
    [[answer({ date: '2026-09-02', answer: 'not-satisfied' }), answer()], 'fail'],
  ] as const)('%#', (answers, status) => {
    expect(settleQuestion('aws-review', 'Q?', answers, asOf).status).toBe(status);
  });
});

describe('critical data', () => {
  const resource = (more: Partial<Resource>): Resource => ({ name: 'n', uid: 'u', tags: {}, ...more }) as Resource;
  const select = (config: Partial<Parameters<typeof criticalSelector>[0]>, more: Partial<Resource>) =>
    criticalSelector({ unclassified: 'not-critical', ...config })(resource(more)).critical;

  test('tags, names and ids select; a tag that says no excludes; selecting wins', () => {
    expect(select({ tags: { Data: ['secret'] } }, { tags: { data: 'SECRET' } })).toBe('yes');
    expect(select({ tags: { data: ['*'] } }, { tags: { data: 'anything' } })).toBe('yes');
    expect(select({ names: ['prod-*'] }, { name: 'Prod-Orders' })).toBe('yes');
    expect(select({ ids: ['arn:aws:s3:::*-pii'] }, { uid: 'arn:aws:s3:::orders-pii' })).toBe('yes');
    expect(select({ notCriticalTags: { data: ['public'] }, unclassified: 'critical' }, { tags: { data: 'public' } })).toBe('no');
    expect(select({ names: ['prod*'], notCriticalTags: { data: ['public'] } }, { name: 'prod1', tags: { data: 'public' } })).toBe('yes');
    expect(select({ unclassified: 'unknown' }, {})).toBe('unknown');
  });

  test('globs', () => {
    for (const [glob, text] of [
      ['*', ''],
      ['a*c', 'abc'],
      ['a?c', 'aBc'],
      ['*b*', 'abc'],
      ['a*b*c', 'aXbYbZc'],
      ['ab', 'AB'],
    ] as const)
      expect(globMatcher(glob)(text), `${glob} ${text}`).toBe(true);
    for (const [glob, text] of [
      ['a*c', 'ab'],
      ['a?c', 'ac'],
      ['a*a', 'a'],
      ['ab*', 'b'],
      ['a.c', 'abc'],
    ] as const)
      expect(globMatcher(glob)(text), `${glob} ${text}`).toBe(false);
    const started = performance.now();
    globMatcher('*a*a*a*a*a*a*a*a*b')('a'.repeat(50_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('what a collection has to bring', () => {
  test('types of the checks, of their tables and of the tables those go through; native rules', () => {
    const needs = needsOf(
      catalogue(
        control('a', 'aws', [
          conditionCheck({ on: ['AWS::S3::Bucket'], reads: { 'aws.kms.key': ['configuration.enabled'] }, evaluate: good }, 'aws'),
          { kind: 'verdict', id: 'v', title: 'v', provider: 'aws', rule: 'ROOT_ACCOUNT_MFA_ENABLED' },
        ]),
        control('b', 'azure', [
          conditionCheck(
            { on: ['microsoft.storage/storageaccounts'], reads: { 'azure.role-assignments.by-scope': '*' }, evaluate: good },
            'azure',
          ),
          { kind: 'verdict', id: 'v', title: 'v', provider: 'azure', rule: 'ABC' },
        ]),
        control('c', 'gcp', [
          conditionCheck({ on: ['storage.googleapis.com/Bucket'], reads: { 'gcp.kms.key-iam': '*' }, evaluate: good }, 'gcp'),
        ]),
      ),
    );
    expect(needs.types).toEqual({
      aws: ['AWS::KMS::Alias', 'AWS::KMS::Key', 'AWS::S3::Bucket'],
      azure: ['microsoft.authorization/roleassignments', 'microsoft.resources/subscriptions', 'microsoft.storage/storageaccounts'],
      gcp: ['cloudkms.googleapis.com/CryptoKey', 'cloudresourcemanager.googleapis.com/Project', 'storage.googleapis.com/Bucket'],
    });
    expect(needs.iamPolicies).toEqual([
      'cloudkms.googleapis.com/CryptoKey',
      'cloudkms.googleapis.com/KeyRing',
      'cloudresourcemanager.googleapis.com/Folder',
      'cloudresourcemanager.googleapis.com/Organization',
      'cloudresourcemanager.googleapis.com/Project',
    ]);
    expect([needs.awsConfigRules, needs.azurePolicies, needs.orgPolicies]).toEqual([['ROOT_ACCOUNT_MFA_ENABLED'], ['abc'], false]);
  });

  test('who can read is a question about identities, roles and policies as well', () => {
    const asking = (provider: 'aws' | 'azure' | 'gcp', type: string) =>
      needsOf(catalogue(control('r', provider, [conditionCheck({ on: [type], usesReaders: true, evaluate: good }, provider)])));
    expect(asking('aws', 'AWS::S3::Bucket').types.aws).toEqual([
      'AWS::IAM::Group',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::IAM::User',
      'AWS::KMS::Alias',
      'AWS::KMS::Key',
      'AWS::S3::AccountPublicAccessBlock',
      'AWS::S3::Bucket',
    ]);
    expect(asking('aws', 'AWS::SNS::Topic').types.aws).not.toContain('AWS::S3::AccountPublicAccessBlock');
    expect(asking('azure', 'microsoft.storage/storageaccounts').types.azure).toContain('microsoft.authorization/roledefinitions');
    expect(asking('gcp', 'storage.googleapis.com/Bucket').iamPolicies).toContain('storage.googleapis.com/Bucket');
  });
});
