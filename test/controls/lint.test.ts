import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lintCatalogue, lintFile, lintRules } from '../../src/controls/catalogue/lint.ts';
import { formatProblem, loadCatalogueSources } from '../../src/controls/catalogue/load.ts';
import { catalogueOf, entry, head } from '../support/catalogues.ts';

describe('lint', () => {
  const doubtful = `${head('aws-x')}  on: AWS::S3::Bucket
  let:
    spare: { path: configuration.spare }
    grants: { lookup: gcp.kms.key-iam, by: configuration.k }
    key: { lookup: aws.kms.kee, by: 'supplementaryConfiguration.ServerSideEncryptionConfigurations.rules[0].x' }
  require:
    all:
    - { field: configuration.public, present: false }
    - { field: $key.configuration.enabled, equals: true }
`;

  test('finds each kind of doubt', async () => {
    const file = catalogueOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': doubtful, 'cases/aws/aws-y.yaml': '[]' });
    const problems = await lintFile(file, { cases: join(dirname(file), 'cases') });
    const rules = new Set(problems.map((problem) => problem.rule));
    expect([...rules].sort()).toEqual([
      'absence-decides',
      'lookup-many',
      'missing-cases',
      'missing-prose',
      'path-spelling',
      'unknown-table',
      'unused-let',
      'unused-parameter',
      'unused-section',
    ]);
    const of = (rule: string): string[] => problems.filter((problem) => problem.rule === rule).map(formatProblem);
    expect(of('unknown-table')).toEqual(['controls/aws/a.yaml:10:12  unknown lookup table aws.kms.kee (did you mean aws.kms.key?)']);
    expect(of('unused-let')).toEqual(['controls/aws/a.yaml:8:5  $spare is never used', 'controls/aws/a.yaml:9:5  $grants is never used']);
    expect(of('unused-section')).toEqual([expect.stringContaining('controls.yaml:5:27  no control is in the section Azure / Storage')]);
    expect(of('path-spelling')[0]).toContain('did you mean supplementaryConfiguration.ServerSideEncryptionConfiguration?');
    expect(of('absence-decides')[0]).toMatch(
      /^controls\/aws\/a\.yaml:13:\d+ {2}the absence of configuration\.public leads towards a pass here/,
    );
    expect(problems[0]?.severity).toBe('error');
  });

  test('absence that leads away from a pass, or is explained, is no doubt', async () => {
    const sound = `${head('aws-x')}  on: AWS::S3::Bucket
  when: { not: { field: configuration.a, present: false } }
  require:
    all:
    - { field: configuration.a, present: true }
    - { field: configuration.b, equals: true, ifMissing: { then: false, when: configuration } }
    - { field: configuration.c, present: false, because: the block is left out when nothing is public }
    - none: { in: configuration.l, as: e, where: { field: $e.x, equals: 1, ifMissing: { then: true, when: $e } } }
`;
    const loaded = await loadCatalogueSources(catalogueOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': sound }));
    expect(
      lintCatalogue(loaded, { cases: null })
        .filter((problem) => problem.rule === 'absence-decides')
        .map((problem) => problem.line),
    ).toEqual([7]);
    expect(loaded.catalogue.controls[0]?.checks[0]).toMatchObject({
      absences: [
        { path: 'configuration.a', keys: ['a'] },
        { path: 'configuration.c', keys: ['c'], because: 'the block is left out when nothing is public' },
      ],
    });
  });

  test('case files: which kinds are wanting, and paths that none of them holds', async () => {
    const control = `${head('aws-x')}  on: AWS::S3::Bucket\n  require: { all: [ { field: configuration.seen, equals: 1 }, { field: configuration.unseen, equals: 1 } ] }\n`;
    const file = catalogueOf({
      'controls.yaml': entry,
      'controls/aws/a.yaml': control,
      'cases/aws/aws-x.yaml':
        '- { name: a, expect: pass, document: { configuration: "{\\"seen\\":1}" } }\n- { name: b, expect: notapplicable, empty: true }\n',
    });
    const problems = (await lintFile(file, { cases: join(dirname(file), 'cases') })).filter(
      (problem) => problem.rule === 'missing-cases' || problem.rule === 'path-unseen',
    );
    expect(problems.map((problem) => problem.message)).toEqual([
      'aws-x has no case that is fail',
      'aws-x has no case that is unknown',
      'no case of aws-x holds configuration.unseen',
    ]);
  });

  const mistaken = `${head('aws-x')}  on: AWS::S3::Bucket
  let:
    key: { lookup: aws.kms.kee, by: { param: nosuch } }
    spare: { path: configuration.spare }
  require:
    all:
    - { field: 'supplementaryConfiguration.ServerSideEncryptionConfigurations.rules[0].x', equal: 1 }
    - { field: $kee.configuration.enabled, present: true, type: strnig }
    - { field: supplementaryConfiguration.BucketPolicys, equals: { param: maxDay } }
${head('aws-y').replace('automated', 'automatd').replace('level: 2', 'level: 3').replace('Storage', 'Storge')}  on: AWS::KMS::Key
  references: [ftp://x]
  require: { field: configuration.keyMangaer, equals: a }
  let: { policies: { lookup: aws.kms.kii, by: configuration.a } }
`;

  test('mistakes of every kind come at once: operators, parameters, tables, paths', async () => {
    const file = catalogueOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': mistaken });
    const problems = await lintFile(file, { cases: join(dirname(file), 'test', 'cases') });
    const told = problems
      .filter(({ rule }) => rule !== 'missing-prose')
      .map((problem) => formatProblem(problem).replace('controls/aws/a.yaml:', ''));
    const wanted = [
      /^8:\d+ {2}unknown lookup table aws\.kms\.kee \(did you mean aws\.kms\.key\?\)/,
      /^8:\d+ {2}.*nosuch/,
      /^12:\d+ {2}unknown operator `equal` \(did you mean equals\?\)/,
      /^13:\d+ {2}unknown type strnig \(did you mean string\?\)/,
      /^13:\d+ {2}unknown variable \$kee \(did you mean \$key\?\)/,
      /^14:\d+ {2}.*maxDay\b.*did you mean maxDays\?/,
      /^17:\d+ {2}unknown section AWS \/ Storge \(did you mean AWS \/ Storage\?\)/,
      /^18:\d+ {2}`level` must be 1 or 2/,
      /^19:\d+ {2}`assessment` must be "automated" or "manual": did you mean `automated`\?/,
      /^23:\d+ {2}unknown lookup table aws\.kms\.kii/,
      /has no supplementaryConfiguration\.ServerSideEncryptionConfigurations \(did you mean/,
      /has no supplementaryConfiguration\.BucketPolicys \(did you mean/,
      /^20:\d+ {2}AWS::KMS::Key has no configuration\.keyMangaer \(did you mean configuration\.keyManager\?\)/,
    ];
    for (const one of wanted) expect(told).toContainEqual(expect.stringMatching(one));
    // What a wrong condition may have used is not called unused.
    expect(told.filter((line) => /never used|no control/.test(line))).toEqual([]);
    const severities = problems.map(({ severity }) => severity);
    expect(severities).toEqual([...severities].sort());
    expect(severities).toContain('warning');
  });

  test('a mistake in controls.yaml itself does not hide those of the controls', async () => {
    const file = catalogueOf({ 'controls.yaml': `${entry}autor: me\n`, 'controls/aws/a.yaml': mistaken });
    const told = (await lintFile(file, { cases: null })).map(formatProblem);
    expect(told).toContainEqual(expect.stringMatching(/^controls\.yaml:\d+:1 {2}unknown key `autor`/));
    expect(told).toContainEqual(expect.stringContaining('unknown operator `equal`'));
    expect(told.filter((line) => line.includes('unknown section'))).toHaveLength(1);
  });

  test('of words that can stand in a place the nearest is named', async () => {
    const control = `${head('aws-x')}  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n  aggregate: { per: acountId, atLeast: 1, emptyScope: fial }\n`;
    const told = (await lintFile(catalogueOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': control }), { cases: null })).map(
      formatProblem,
    );
    expect(told.slice(0, 2)).toEqual([
      expect.stringContaining('`per` is accountId or scope (did you mean accountId?)'),
      expect.stringContaining('`emptyScope` is fail, notapplicable or pass (did you mean fail?)'),
    ]);
  });

  test('what is wanting in case files comes last, and is not asked where there are none to be had', async () => {
    const two = ['aws-x', 'aws-y'].map((id) => `${head(id)}  on: AWS::S3::Bucket\n  require: { field: a, equals: 1 }\n`).join('');
    const file = catalogueOf({ 'controls.yaml': entry, 'controls/aws/a.yaml': two });
    const told = async (cases: string | null): Promise<string[]> =>
      (await lintFile(file, { cases })).slice(-2).map(({ message }) => message);
    expect(await told(join(dirname(file), 'test', 'cases'))).toEqual(['aws-x has no cases', 'aws-y has no cases']);
    expect((await told(null)).join()).not.toContain('cases');
  });

  test('the rules are listed', () => {
    expect(new Set(lintRules).size).toBe(lintRules.length);
  });
});
