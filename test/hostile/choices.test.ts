import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { assess } from '../../src/controls/assess/assess.ts';
import { selectControls } from '../../src/controls/catalogue/select.ts';
import { type Assessment, isLike } from '../../src/model/index.ts';
import { limitationsView, scopeView } from '../../src/render/view-front.ts';
import { summaryView } from '../../src/render/view-summary.ts';
import { exceptionsView } from '../../src/render/view-people.ts';
import { buildView, gather } from '../../src/render/view.ts';
import { observationsOf } from '../../src/render/observations.ts';
import { storesOf } from '../../src/render/stores.ts';
import { writeFixture } from '../support/assessment.ts';
import { fixtureReaders, fixtureRun } from '../support/evidence.ts';
import { catalogue, conditionCheck, config, control, good, judge } from '../support/judging.ts';

/** A report can be made green by asking little. Whatever the configuration leaves out, loosens or excuses is in the report. */

const directory = mkdtempSync(join(tmpdir(), 'exhibit-choices-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const type = 'AWS::S3::Bucket';
const buckets = {
  units: [
    {
      provider: 'aws' as const,
      account: '111122223333',
      region: 'eu-west-1',
      type,
      records: [{ uid: 'arn:aws:s3:::a', document: { good: false } }],
    },
  ],
};
const check = (id: string, critical = false, level: 1 | 2 = 2): ReturnType<typeof control> =>
  control(id, 'aws', [conditionCheck({ on: [type], critical, evaluate: good }, 'aws')], level);

describe('what was left out', () => {
  test('excluded controls, other levels and other clouds are listed with the reason', async () => {
    const controls = [
      check('aws-one'),
      check('aws-two'),
      check('aws-three', false, 1),
      control('gcp-four', 'gcp', [conditionCheck({ on: ['x'], evaluate: good }, 'gcp')]),
    ];
    const selected = selectControls(catalogue(...controls), { profile: { level: 1, exclude: ['aws-two'] }, scopes: { aws: [] } });
    expect(selected.leftOut?.map(({ control: id, why }) => [id, why])).toEqual([
      ['aws-one', 'above-level'],
      ['aws-two', 'excluded'],
      ['gcp-four', 'cloud-not-configured'],
    ]);
    const assessment = await assess({ runDirectory: await fixtureRun(buckets), catalogue: selected, config, readers: fixtureReaders });
    expect(assessment.choices?.leftOut).toEqual(selected.leftOut);
    expect(scopeView(assessment).leftOut.map(({ id }) => id)).toEqual(['aws-one', 'aws-two', 'gcp-four']);
    expect(scopeView(assessment).facts).toContainEqual({ name: 'Controls', value: '1 control of the 4 in the catalogue' });
    expect(limitationsView(assessment).particular.join('\n')).toContain('1 control of the catalogue was excluded by the profile: aws-two');
  });

  test('a selector that excludes everything is not a pass, and the report leads with it', async () => {
    const { assessment } = await judge(buckets, [check('aws-one', true)], { critical: { unclassified: 'not-critical' } });
    expect(assessment.findings[0]?.status).toBe('notapplicable');
    expect(summaryView(assessment, new Map()).headline).toContain('1 control has nothing left to judge');
    expect(limitationsView(assessment).particular.join('\n')).toContain(
      'excludes every one of 1 resources. Nothing is claimed about them: aws-one',
    );
  });
});

describe('what was loosened', () => {
  test('a parameter that is not the default shows both values', async () => {
    const loose = {
      ...catalogue(check('aws-one')),
      parameters: {
        maxRotationDays: { name: 'maxRotationDays', type: 'number' as const, default: 90, description: '' },
        other: { name: 'other', type: 'number' as const, default: 1, description: '' },
      },
    };
    const assessment = await assess({
      runDirectory: await fixtureRun(buckets),
      catalogue: loose,
      config: { ...config, parameters: { maxRotationDays: 4000, azurePolicyMaxAgeHours: 9999 }, catalogue: './own.yaml' },
      readers: fixtureReaders,
    });
    expect(assessment.choices).toMatchObject({
      ownCatalogue: true,
      parameters: [
        { name: 'azurePolicyMaxAgeHours', default: 72 },
        { name: 'maxRotationDays', default: 90 },
      ],
    });
    expect(scopeView(assessment).parameters.map(({ value }) => value)).toEqual([
      '9999 (changed; the default is 72)',
      '4000 (changed; the default is 90)',
      '1',
    ]);
    const limits = limitationsView(assessment).particular.join('\n');
    expect(limits).toContain('a catalogue of the entity');
    expect(limits).toContain('2 parameters of the catalogue have another value');
  });

  test('where the catalogue is from stands beside its digest', async () => {
    const run = join(directory, 'origin');
    const assessment = writeFixture(run, { observations: 20 });
    const gathered = await gather(
      assessment,
      (finding) => observationsOf(join(run, 'results', 'observations.ndjson'), finding),
      storesOf(join(run, 'results')),
    );
    const origin = (choices: Assessment['choices']): string | undefined =>
      buildView({ ...assessment, ...(choices && { choices }) }, gathered, null, { format: 'html' }).versions.facts.find(
        ({ name }) => name === 'Origin of the catalogue',
      )?.value;
    expect(origin({ ownCatalogue: true, leftOut: [], parameters: [] })).toContain('not the one that ships');
    expect(origin({ ownCatalogue: false, leftOut: [], parameters: [] })).toBe('ships with the tool');
  });
});

describe('what was excused', () => {
  const waiver = {
    id: 'w1',
    control: 'aws-*',
    resources: ['*'],
    owner: 'Kim Lee',
    approver: ' kim  LEE',
    justification: 'because',
    approvedOn: '2026-01-01',
    expires: '2099-01-01',
  };

  test('a waiver that its owner approved, over everything, says so, and the fail stays a fail', async () => {
    const { assessment } = await judge(buckets, [check('aws-one')], { waivers: [waiver] });
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', waived: 1 });
    expect(exceptionsView(assessment).waivers[0]?.state).toBe(
      'In force. Approved by its own owner. Covers every resource, also those to come. Covers several controls',
    );
    expect(limitationsView(assessment).particular.join('\n')).toContain('1 exception was approved by the one who owns it: w1');
  });

  test('an instant long before the evidence, from which waivers and ages look younger', async () => {
    const { assessment } = await judge({ ...buckets, ledger: { asOf: '2026-09-20T12:00:00Z' } }, [check('aws-one')]);
    expect(limitationsView(assessment).particular.join('\n')).toContain('10 days after the instant that it was judged as of');
  });

  test.each(['2026-02-30', 'never', '', '9999'])('a waiver or an answer that ends on %j is not in force', async (end) => {
    const { assessment } = await judge(buckets, [check('aws-one')], { waivers: [{ ...waiver, expires: end }] });
    expect(assessment.findings[0]?.waived).toBe(0);
  });
});

test('a pattern with many stars is looked for in no time', () => {
  const begun = performance.now();
  const id = `aws-${'a'.repeat(60)}`;
  expect(isLike(id, `${'*a'.repeat(30)}*b`)).toBe(false);
  expect(isLike(id, `${'*a'.repeat(30)}*`)).toBe(true);
  expect([isLike('aws-s3', 'aws-*'), isLike('aws-s3', '*-s3'), isLike('aws-s3', 'aws-s3'), isLike('aws', 'a*s*')]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([isLike('aws', 'a*ws*s'), isLike('aws.', 'aws?'), isLike('xaws', 'aws*'), isLike('ab', 'ab*ab')]).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(performance.now() - begun).toBeLessThan(500);
});
