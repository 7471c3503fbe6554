import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ledger, type LedgerEntry, ledgerStatuses } from '../../src/model/index.ts';
import { type Fixture, fixtureRun, type FixtureUnit, tamper } from '../support/evidence.ts';
import { conditionCheck, control, good, judgeRun, outcome } from '../support/judging.ts';

const keyId = (nth: number): string => `11111111-2222-3333-4444-${String(nth).padStart(12, '0')}`;
const accounts = ['111122223333', '444455556666'];
const unit = (account: string, type: string, records: FixtureUnit['records'] & object): FixtureUnit => ({
  provider: 'aws',
  account,
  region: 'eu-west-1',
  type,
  records,
  pageSize: 2,
});

/** Two accounts; volumes under keys of their own account and of the other one, buckets, trails, and a type with nothing in it. */
const fixture: Fixture = {
  units: accounts.flatMap((account, at) => {
    const arn = (of: string, nth: number): string => `arn:aws:kms:eu-west-1:${of}:key/${keyId(nth)}`;
    const other = accounts[1 - at] as string;
    return [
      unit(
        account,
        'AWS::KMS::Key',
        [0, 1, 2].map((nth) => ({
          uid: arn(account, nth),
          document: { configuration: { keyId: keyId(nth), keyManager: nth === 2 ? 'AWS' : 'CUSTOMER' } },
        })),
      ),
      unit(account, 'AWS::KMS::Alias', [
        {
          uid: `arn:aws:kms:eu-west-1:${account}:alias/data`,
          document: { configuration: { AliasName: 'alias/data', TargetKeyId: keyId(1) } },
        },
      ]),
      unit(
        account,
        'AWS::EC2::Volume',
        [arn(account, 0), keyId(1), 'alias/data', arn(account, 2), arn(other, 0), arn(account, 9), 'alias/none'].map((key, nth) => ({
          uid: `arn:aws:ec2:eu-west-1:${account}:volume/v${nth}`,
          document: { awsRegion: 'eu-west-1', key },
        })),
      ),
      unit(
        account,
        'AWS::S3::Bucket',
        [true, true, false].map((isGood, nth) => ({ uid: `arn:aws:s3:::${account}-${nth}`, document: { good: isGood } })),
      ),
      unit(account, 'AWS::CloudTrail::Trail', [{ uid: `arn:aws:cloudtrail:eu-west-1:${account}:trail/t`, document: { good: at === 0 } }]),
      unit(account, 'AWS::EFS::FileSystem', []),
      {
        provider: 'aws',
        account,
        region: 'eu-west-1',
        type: 'verdict:RULE',
        verdicts: [{ uid: 'a', verdict: 'COMPLIANT', resourceType: 'AWS::X' }],
      },
      {
        provider: 'aws',
        account,
        region: 'eu-west-1',
        type: 'verdict:TRAILS',
        verdicts: [
          { uid: `arn:aws:cloudtrail:eu-west-1:${account}:trail/t`, verdict: 'COMPLIANT', resourceType: 'AWS::CloudTrail::Trail' },
        ],
      },
      {
        provider: 'aws',
        account,
        region: 'eu-west-1',
        type: 'verdict:FILES',
        verdicts: [],
        entry: { status: 'not-recorded', count: null },
      },
    ];
  }),
};
const controls = [
  control('volumes', 'aws', [
    conditionCheck(
      {
        on: ['AWS::EC2::Volume'],
        reads: { 'aws.kms.key': ['configuration.keyManager'] },
        evaluate(subject, env) {
          const hit = env.lookup('aws.kms.key', subject.document['key'] ?? null, false, subject);
          if (hit.outcome !== 'found') return outcome(hit.outcome === 'absent' ? 'fail' : 'unknown', hit.because);
          return outcome(
            (hit.records[0]?.document['configuration'] as { keyManager?: string }).keyManager === 'CUSTOMER' ? 'pass' : 'fail',
          );
        },
      },
      'aws',
    ),
  ]),
  // The dangerous one: it passes when nothing is found.
  control('no-dangling-key', 'aws', [
    conditionCheck(
      {
        on: ['AWS::EC2::Volume'],
        reads: { 'aws.kms.key': [] },
        evaluate: (subject, env) =>
          outcome(env.lookup('aws.kms.key', subject.document['key'] ?? null, false, subject).outcome === 'absent' ? 'pass' : 'unknown'),
      },
      'aws',
    ),
  ]),
  control('buckets', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: good }, 'aws')]),
  control('only-good-buckets', 'aws', [conditionCheck({ on: ['AWS::S3::Bucket'], evaluate: () => outcome('pass') }, 'aws')]),
  control('trail', 'aws', [
    conditionCheck(
      { on: ['AWS::CloudTrail::Trail'], aggregate: { per: 'accountId', atLeast: 1, emptyScope: 'fail' }, evaluate: good },
      'aws',
    ),
  ]),
  control('few-trails', 'aws', [
    conditionCheck(
      { on: ['AWS::CloudTrail::Trail'], aggregate: { per: 'accountId', atMost: 1, emptyScope: 'pass' }, evaluate: good },
      'aws',
    ),
  ]),
  control('file-systems', 'aws', [conditionCheck({ on: ['AWS::EFS::FileSystem'], evaluate: good }, 'aws')]),
  control('rule', 'aws', [{ kind: 'verdict', id: 'main', title: 'Rule', provider: 'aws', rule: 'RULE' }]),
  control('rule-on-trails', 'aws', [
    {
      kind: 'verdict',
      id: 'main',
      title: 'Rule',
      provider: 'aws',
      rule: 'TRAILS',
      about: { as: 'resources', types: ['AWS::CloudTrail::Trail'] },
    },
  ]),
  control('rule-on-files', 'aws', [
    {
      kind: 'verdict',
      id: 'main',
      title: 'Rule',
      provider: 'aws',
      rule: 'FILES',
      about: { as: 'resources', types: ['AWS::EFS::FileSystem'] },
    },
  ]),
  control('rule-within-files', 'aws', [
    {
      kind: 'verdict',
      id: 'main',
      title: 'Rule',
      provider: 'aws',
      rule: 'FILES',
      about: { as: 'parents', types: ['AWS::EFS::FileSystem'] },
    },
  ]),
];

const damages: Record<string, (entry: LedgerEntry) => LedgerEntry | null> = {
  ...Object.fromEntries(
    ledgerStatuses.filter((status) => status !== 'complete').map((status) => [status, (entry: LedgerEntry) => ({ ...entry, status })]),
  ),
  missing: () => null,
  'no count': (entry) => ({ ...entry, count: null }),
  'count off by one': (entry) => ({ ...entry, count: { count: entry.held + 1, source: 'provider count' } }),
  'held off by one': (entry) => ({ ...entry, held: entry.held + 1, count: { count: entry.held + 1, source: 'provider count' } }),
  'queries lost': (entry) => ({ ...entry, queries: ['evidence/gone/x/y'] }),
};

const passes = (observations: { id: string; status: string }[], status: string): Set<string> =>
  new Set(observations.filter((one) => one.status === status).map((one) => one.id));

describe('damage to any entry of the ledger', () => {
  test('makes no pass and no not-applicable, hides no control, and names its cause', async () => {
    const run = await fixtureRun(fixture);
    const clean = await judgeRun(run, controls);
    expect(clean.assessment.findings.map((finding) => [finding.control.id, finding.status])).toEqual([
      ['volumes', 'fail'],
      ['no-dangling-key', 'unknown'],
      ['buckets', 'fail'],
      ['only-good-buckets', 'pass'],
      ['trail', 'fail'],
      ['few-trails', 'pass'],
      ['file-systems', 'notapplicable'],
      ['rule', 'pass'],
      ['rule-on-trails', 'pass'],
      ['rule-on-files', 'notapplicable'],
      ['rule-within-files', 'notapplicable'],
    ]);
    const file = join(run, 'evidence', 'ledger.json');
    const before = readFileSync(file, 'utf8');
    const ledger = JSON.parse(before) as Ledger;
    const cleanPasses = passes(clean.observations, 'pass');
    const cleanNotApplicable = passes(clean.observations, 'notapplicable');
    let tried = 0;
    for (const [name, damage] of Object.entries(damages)) {
      for (const [at, entry] of ledger.entries.entries()) {
        // The accounts mirror each other.
        if (entry.account !== accounts[0]) continue;
        const damaged = damage(entry);
        tamper(run, 'evidence/ledger.json', () =>
          JSON.stringify({ ...ledger, entries: damaged === null ? ledger.entries.toSpliced(at, 1) : ledger.entries.with(at, damaged) }),
        );
        const { assessment, observations } = await judgeRun(run, controls);
        const where = `${name} of ${entry.account} ${entry.type}`;
        for (const id of passes(observations, 'pass')) expect(cleanPasses.has(id), where).toBe(true);
        for (const id of passes(observations, 'notapplicable')) expect(cleanNotApplicable.has(id), where).toBe(true);
        for (const [nth, finding] of assessment.findings.entries()) {
          const was = clean.assessment.findings[nth]?.status;
          // Leaving a scope out is the configuration's decision: what is left may well pass, and the exclusion is listed.
          if (name === 'excluded') continue;
          if (was !== 'pass') expect(finding.status, `${where}: ${finding.control.id}`).not.toBe('pass');
          if (was !== 'notapplicable') expect(finding.status, `${where}: ${finding.control.id}`).not.toBe('notapplicable');
        }
        expect(assessment.findings).toHaveLength(controls.length);
        const touched = assessment.reconciliation.filter((row) => row.scope.account === entry.account && row.type === entry.type);
        // Where the inventory is whole and empty, nothing is owed by the rule: only results that are there, or claimed, are a contradiction.
        if (entry.type === 'verdict:FILES' && name !== 'held off by one' && name !== 'count off by one')
          expect(
            assessment.findings.map(({ status }) => status),
            where,
          ).toEqual(clean.assessment.findings.map(({ status }) => status));
        else if (name === 'excluded')
          expect(
            touched.every((row) => Object.keys(row.excluded).length > 0 || row.count?.count === 0 || row.count === null),
            where,
          ).toBe(true);
        else {
          for (const row of touched) expect(row.reasons.length, where).toBeGreaterThan(0);
          for (const row of touched)
            expect(assessment.findings.find((finding) => finding.control.id === row.control)?.gaps, where).toBeGreaterThan(0);
          if (name !== 'no count') expect(assessment.evidenceComplete, where).toBe(false);
        }
        tried += 1;
      }
    }
    tamper(run, 'evidence/ledger.json', () => before);
    expect(tried).toBe((ledger.entries.length / 2) * Object.keys(damages).length);
    expect((await judgeRun(run, controls)).assessment).toEqual(clean.assessment);
  }, 120_000);

  test('losing the whole list of scopes, or all entries, passes nothing', async () => {
    const run = await fixtureRun(fixture);
    for (const change of [{ scopes: [], entries: [] }, { entries: [] }]) {
      tamper(run, 'evidence/ledger.json', (text) => JSON.stringify({ ...(JSON.parse(text) as Ledger), ...change }));
      const { assessment } = await judgeRun(run, controls);
      for (const finding of assessment.findings) expect(['unknown', 'fail', 'error']).toContain(finding.status);
      for (const finding of assessment.findings) expect(finding.gaps).toBeGreaterThan(0);
    }
  });
});
