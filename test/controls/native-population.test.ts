import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CatalogueError, compileControls } from '../../src/controls/catalogue/load.ts';
import { needsOf } from '../../src/controls/assess/needs.ts';
import { type Ledger, type LedgerEntry, ledgerStatuses, rollUp, type Status } from '../../src/model/index.ts';
import { fixtureRun, type FixtureUnit, type FixtureVerdict, tamper } from '../support/evidence.ts';
import { catalogue, control, judge, judgeRun } from '../support/judging.ts';
import { guid, idOf, inventory, notAssigned, one, servers, states, two, vaults, verdictControl } from '../support/native.ts';

const sql = verdictControl('azure', guid, 'resources', [servers]);

describe('a rule that judges every resource of a type', () => {
  test('passes where each has a compliant result; the inventory is the population', async () => {
    const { assessment, observations } = await judge(
      { units: [inventory(one, ['a', 'b']), states(one, { a: 'Compliant', b: 'Compliant' })] },
      [sql],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 2 }, gaps: 0 });
    expect(assessment.reconciliation).toMatchObject([
      { type: servers, count: { count: 2, source: 'provider count' }, pass: 2, balanced: true, reasons: [] },
    ]);
    expect(observations[0]).toMatchObject({
      subject: { uid: idOf(one, 'a'), type: servers },
      citations: [
        { role: 'subject', pointer: '/records/0' },
        { role: 'verdict', pointer: '/verdicts/0' },
      ],
      leaves: [{ observed: 'Compliant', source: 1 }],
    });
    expect(assessment.evidenceComplete).toBe(true);
  });

  test('the provider need not count the results', async () => {
    const { assessment } = await judge({ units: [inventory(one, ['a']), states(one, { a: 'Compliant' }, { entry: { count: null } })] }, [
      sql,
    ]);
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', gaps: 0 });
  });

  test('a resource without a result is unknown, and counted', async () => {
    const { assessment, observations } = await judge({ units: [inventory(one, ['a', 'b']), states(one, { a: 'Compliant' })] }, [sql]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 1, unknown: 1 } });
    expect(assessment.reconciliation[0]).toMatchObject({ count: { count: 2 }, pass: 1, unknown: 1, balanced: true });
    expect(observations.find((line) => line.status === 'unknown')).toMatchObject({
      subject: { uid: idOf(one, 'b') },
      reason: expect.stringMatching(/^Not evaluated/) as string,
      leaves: [{ because: 'not-evaluated' }],
    });
  });

  test('a scope that holds none owes no result', async () => {
    const empty = [inventory(two, []), states(two, {}, notAssigned)];
    const alone = await judge({ units: empty }, [sql]);
    expect(alone.assessment.findings[0]).toMatchObject({ status: 'notapplicable', gaps: 0, reasons: [{ code: 'empty-population' }] });
    expect(alone.assessment.reconciliation).toMatchObject([
      { scope: { account: two }, type: servers, count: { count: 0 }, balanced: true, reasons: [] },
    ]);
    expect(alone.assessment.evidenceComplete).toBe(true);
    const beside = await judge({ units: [inventory(one, ['a']), states(one, { a: 'Compliant' }), ...empty] }, [sql]);
    expect(beside.assessment.findings[0]).toMatchObject({ status: 'pass', gaps: 0 });
    expect(beside.assessment.evidenceComplete).toBe(true);
  });

  test('resources without the rule are a gap, and each of them is unknown', async () => {
    const { assessment } = await judge({ units: [inventory(one, ['a', 'b']), states(one, {}, notAssigned)] }, [sql]);
    expect(assessment.findings[0]).toMatchObject({
      status: 'unknown',
      counts: { unknown: 2 },
      gaps: 1,
      reasons: [{ code: 'policy-not-assigned' }],
    });
    expect(assessment.reconciliation[0]).toMatchObject({ unknown: 2, reasons: [{ code: 'policy-not-assigned' }] });
    expect(assessment.evidenceComplete).toBe(false);
  });

  test('results about what the inventory does not hold stay in sight, and let nothing pass', async () => {
    const { assessment, observations } = await judge(
      { units: [inventory(one, []), states(one, { gone: 'Compliant', lost: 'NonCompliant' })] },
      [sql],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { fail: 1, unknown: 1, pass: 0 } });
    expect(assessment.reconciliation[0]).toMatchObject({ balanced: false, reasons: [{ code: 'not-in-inventory' }] });
    expect(observations.map((line) => line.subject.uid)).toEqual(expect.arrayContaining([idOf(one, 'gone'), idOf(one, 'lost')]));
    const child: FixtureVerdict = { uid: idOf(one, 'other', vaults), verdict: 'Compliant', resourceType: vaults };
    const other = await judge({ units: [inventory(one, ['a']), states(one, { a: 'Compliant', child })] }, [sql]);
    expect(other.assessment.findings[0]?.status).toBe('unknown');
    expect(other.assessment.reconciliation).toMatchObject([
      { type: servers, pass: 1, balanced: true },
      { type: `verdict:${guid}`, unknown: 1, balanced: false },
    ]);
  });

  test('several deployments judge a resource together: the worst stands', async () => {
    const on = (deployment: string, verdict: string): FixtureVerdict => ({
      uid: idOf(one, 'a').toUpperCase(),
      verdict,
      resourceType: servers,
      deployment,
    });
    const of = (first: string, second: string) =>
      judge({ units: [inventory(one, ['a']), states(one, { first: on('first', first), second: on('second', second) })] }, [sql]);
    const { assessment, observations } = await of('Compliant', 'NonCompliant');
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { fail: 1, pass: 0 } });
    expect(observations).toMatchObject([
      {
        reason: expect.stringMatching(/second/) as string,
        citations: [{ role: 'subject' }, { pointer: '/verdicts/1' }, { pointer: '/verdicts/0' }],
      },
    ]);
    expect((await of('Compliant', 'Compliant')).assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 1 } });
    expect((await of('Compliant', 'Exempt')).assessment.findings[0]?.status).toBe('unknown');
  });

  test('results about its parts count for a resource, but do not stand for it', async () => {
    const part = (verdict: string): FixtureVerdict => ({
      uid: `${idOf(one, 'a')}/encryptionProtector/current`,
      verdict,
      resourceType: `${servers}/encryptionprotector`,
    });
    const of = async (verdicts: Record<string, string | FixtureVerdict>) =>
      (await judge({ units: [inventory(one, ['a']), states(one, verdicts)] }, [sql])).assessment.findings[0];
    expect(await of({ a: 'Compliant', part: part('Compliant') })).toMatchObject({ status: 'pass', counts: { pass: 1 }, gaps: 0 });
    expect(await of({ a: 'Compliant', part: part('NonCompliant') })).toMatchObject({ status: 'fail', counts: { fail: 1, pass: 0 } });
    expect(await of({ part: part('Compliant') })).toMatchObject({ status: 'unknown', counts: { unknown: 1 } });
    expect(await of({ part: part('NonCompliant') })).toMatchObject({ status: 'fail' });
  });

  test('a result older than its limit passes nothing', async () => {
    const old: FixtureVerdict = { uid: idOf(one, 'a'), verdict: 'Compliant', resourceType: servers, evaluatedAt: '2026-09-20T00:00:00Z' };
    expect((await judge({ units: [inventory(one, ['a']), states(one, { old })] }, [sql])).assessment.findings[0]).toMatchObject({
      status: 'unknown',
      counts: { unknown: 1 },
    });
  });

  test('what the configuration left out is excluded with its count', async () => {
    const { assessment } = await judge(
      {
        units: [
          inventory(one, ['a']),
          states(one, { a: 'Compliant' }),
          inventory(two, ['x', 'y']),
          states(two, { x: 'NonCompliant' }, { entry: { status: 'excluded' } }),
        ],
      },
      [sql],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', excluded: 2 });
    expect(assessment.reconciliation[1]).toMatchObject({ excluded: { 'left out by configuration': 2 } });
  });

  test('a waived fail stays a fail', async () => {
    const waiver = {
      id: 'w',
      control: 'azure-native',
      resources: [idOf(one, 'a')],
      owner: 'o',
      approver: 'p',
      justification: 'j',
      approvedOn: '2026-09-01',
      expires: '2026-12-31',
    };
    const { assessment, observations } = await judge({ units: [inventory(one, ['a']), states(one, { a: 'NonCompliant' })] }, [sql], {
      waivers: [waiver],
    });
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', waived: 1 });
    expect(observations[0]?.waiver).toBe('w');
  });
});

describe('AWS Config rules', () => {
  const rule = 'S3_RULE';
  const bucket = 'AWS::S3::Bucket';
  const s3 = verdictControl('aws', rule, 'resources', [bucket]);
  const at = { provider: 'aws' as const, account: '111122223333', region: 'eu-west-1' };
  const buckets = (...names: string[]): FixtureUnit => ({
    ...at,
    type: bucket,
    records: names.map((name) => ({ uid: `arn:aws:s3:::${name}`, document: { resourceId: name } })),
  });
  const results = (verdicts: Record<string, string>, more: Partial<FixtureUnit> = {}): FixtureUnit => ({
    ...at,
    type: `verdict:${rule}`,
    verdicts: Object.entries(verdicts).map(([uid, verdict]) => ({ uid, verdict, resourceType: bucket })),
    ...more,
  });

  test('name a resource by its id, not its ARN', async () => {
    const { assessment, observations } = await judge(
      { units: [buckets('a', 'b'), results({ a: 'COMPLIANT', b: 'NON_COMPLIANT' }, { entry: { count: null } })] },
      [s3],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'fail', counts: { pass: 1, fail: 1 }, gaps: 0 });
    expect(observations[0]?.subject.uid).toBe('arn:aws:s3:::a');
  });

  test('insufficient data is unknown, never skipped; without any resource it does not matter', async () => {
    const insufficient = { entry: { status: 'partial' as const, reasons: [{ code: 'insufficient-data', message: 'INSUFFICIENT_DATA' }] } };
    expect(
      (await judge({ units: [buckets('a', 'b'), results({ a: 'COMPLIANT', b: 'INSUFFICIENT_DATA' })] }, [s3])).assessment.findings[0],
    ).toMatchObject({ status: 'unknown', counts: { pass: 1, unknown: 1 } });
    expect((await judge({ units: [buckets('a'), results({}, insufficient)] }, [s3])).assessment.findings[0]).toMatchObject({
      status: 'unknown',
      counts: { unknown: 1 },
      gaps: 1,
    });
    expect((await judge({ units: [buckets(), results({}, insufficient)] }, [s3])).assessment.findings[0]?.status).toBe('notapplicable');
  });

  test('what an account has once is judged by the region in which the rule runs', async () => {
    const user = 'AWS::IAM::User';
    const iam = verdictControl('aws', 'IAM_RULE', 'resources', [user]);
    const users = (region: string): FixtureUnit => ({
      ...at,
      region,
      type: user,
      records: [{ uid: 'arn:aws:iam::111122223333:user/u', document: { resourceId: 'AIDA1' } }],
    });
    const of = (region: string, verdicts: FixtureVerdict[], entry: Partial<LedgerEntry> = {}): FixtureUnit => ({
      ...at,
      region,
      type: 'verdict:IAM_RULE',
      verdicts,
      entry,
    });
    const compliant: FixtureVerdict = { uid: 'AIDA1', verdict: 'COMPLIANT', resourceType: user };
    const units = (there: FixtureUnit) => [
      users('eu-central-1'),
      users('us-east-1'),
      of('eu-central-1', [], { status: 'not-recorded', count: null }),
      there,
    ];
    const { assessment } = await judge({ units: units(of('us-east-1', [compliant])) }, [iam]);
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 1 }, gaps: 0 });
    expect(
      (await judge({ units: units(of('us-east-1', [], { status: 'not-recorded', count: null })) }, [iam])).assessment.findings[0],
    ).toMatchObject({ status: 'unknown', counts: { unknown: 1 }, gaps: 1 });
  });
});

describe('whatever the ledger says of the resources and of the results', () => {
  type Claim = (entry: LedgerEntry) => LedgerEntry | null;
  const claims: Record<string, Claim> = {
    ...Object.fromEntries(ledgerStatuses.map((status): [string, Claim] => [status, (entry) => ({ ...entry, status })])),
    missing: () => null,
    'no count': (entry) => ({ ...entry, count: null }),
    'count off by one': (entry) => ({ ...entry, count: { count: entry.held + 1, source: 'provider count' } }),
    'one more held': (entry) => ({ ...entry, held: entry.held + 1, count: { count: entry.held + 1, source: 'provider count' } }),
  };
  const words = ['Compliant', 'NonCompliant', 'Exempt', 'Brandnew'];
  const populations: { names: string[]; verdicts: Record<string, string> }[] = [
    { names: [], verdicts: {} },
    { names: [], verdicts: { stray: 'Compliant' } },
    { names: ['a', 'b'], verdicts: {} },
    { names: ['a', 'b'], verdicts: { a: 'Compliant' } },
    ...words.map((word) => ({ names: ['a', 'b'], verdicts: { a: 'Compliant', b: word } })),
  ];

  /** What may come out, told from the evidence alone. */
  function allowed(
    as: 'resources' | 'parents',
    names: string[],
    verdicts: Record<string, string>,
    types: string,
    results: string,
  ): Status[] {
    const given = Object.values(verdicts);
    if (types === 'excluded' || results === 'excluded')
      return [
        'notapplicable',
        'unknown',
        ...(as === 'parents' && results === 'complete' && given.length > 0 && given.every((word) => word === 'Compliant')
          ? (['pass'] as const)
          : []),
        ...(given.includes('NonCompliant') ? (['fail'] as const) : []),
      ];
    if (given.includes('NonCompliant')) return ['fail'];
    const resultsWhole = results === 'complete' || (as === 'resources' && results === 'no count');
    // No result, none held by the ledger either, and no resource, proved: whatever else is said of the results.
    if (names.length === 0 && given.length === 0 && types === 'complete' && !['count off by one', 'one more held'].includes(results))
      return ['notapplicable'];
    return types === 'complete' &&
      resultsWhole &&
      names.length > 0 &&
      names.every((name) => verdicts[name] === 'Compliant') &&
      given.length === names.length
      ? ['pass']
      : ['unknown'];
  }

  test('no false pass, no false not-applicable, nothing lost', async () => {
    // One subscription for each population and claim on its results; the claims on its resources follow one another.
    const cells = populations
      .flatMap((population) => Object.keys(claims).map((ofResults) => ({ ...population, ofResults })))
      .map((cell, at) => ({ ...cell, account: `00000000-0000-0000-0000-${String(at).padStart(12, '0')}` }));
    const run = await fixtureRun({
      units: cells.flatMap(({ account, names, verdicts }) => [inventory(account, names), states(account, verdicts)]),
    });
    const ledger = JSON.parse(readFileSync(join(run, 'evidence', 'ledger.json'), 'utf8')) as Ledger;
    const controls = {
      resources: sql,
      parents: control('azure-parents', 'azure', [
        { kind: 'verdict', id: 'main', title: 'Rule', provider: 'azure', rule: guid, about: { as: 'parents', types: [servers] } },
      ]),
    };
    let tried = 0;
    for (const [ofTypes, claim] of Object.entries(claims)) {
      const entries = ledger.entries
        .map((entry) =>
          entry.type === servers
            ? claim(entry)
            : (claims[cells.find(({ account }) => account === entry.account)?.ofResults ?? '']?.(entry) ?? null),
        )
        .filter((entry) => entry !== null);
      tamper(run, 'evidence/ledger.json', () => JSON.stringify({ ...ledger, entries }));
      const { assessment, observations } = await judgeRun(run, Object.values(controls));
      if (assessment.evidenceComplete) expect(assessment.shortfalls?.filter(({ judgedBy }) => judgedBy.length > 0)).toEqual([]);
      for (const { account, names, verdicts, ofResults } of cells) {
        for (const as of ['resources', 'parents'] as const) {
          const where = `${as}: ${names.length} resources, ${Object.values(verdicts).join('+') || 'no'} results; types ${ofTypes}, results ${ofResults}`;
          const id = controls[as].control.id;
          const own = observations.filter((line) => line.control === id && line.subject.account === account);
          expect(allowed(as, names, verdicts, ofTypes, ofResults), where).toContain(
            rollUp(own.map(({ status }) => status)) ?? 'notapplicable',
          );
          expect(
            assessment.reconciliation.some((row) => row.control === id && row.scope.account === account),
            where,
          ).toBe(true);
          if (ofTypes !== 'excluded' && ofResults !== 'excluded')
            for (const name of Object.keys(verdicts))
              expect(
                own.some((line) => line.subject.uid.endsWith(`/${name}`)),
                `${where}: ${name}`,
              ).toBe(true);
          tried += 1;
        }
      }
    }
    expect(tried).toBe(2 * populations.length * Object.keys(claims).length ** 2);
  }, 60_000);
});

describe('as it is written', () => {
  const head = (id: string): string => `- id: ${id}\n  title: T\n  section: S\n  level: 1\n  assessment: automated\n`;
  const compiled = (id: string, verdict: string) => compileControls(`${head(id)}  verdict: ${verdict}\n`)[0];
  const problems = (id: string, verdict: string): string => {
    try {
      compiled(id, verdict);
      return '';
    } catch (error) {
      return error instanceof CatalogueError ? error.message : String(error);
    }
  };

  test('one type or a list; Azure types in lower case; collected', () => {
    const azure = compiled('azure-a-b', `{ azurePolicy: ${guid.toUpperCase()}, on: Microsoft.Sql/servers }`);
    expect(azure?.checks[0]).toMatchObject({ kind: 'verdict', rule: guid, about: { as: 'resources', types: [servers] } });
    expect(azure?.control.checks[0]?.on).toContain(servers);
    const aws = compiled('aws-a-b', '{ awsConfigRule: R, parents: [AWS::KMS::Key, AWS::EC2::Volume] }');
    expect(aws?.checks[0]).toMatchObject({ about: { as: 'parents', types: ['AWS::KMS::Key', 'AWS::EC2::Volume'] } });
    expect(compiled('aws-a-b', '{ awsConfigRule: R }')?.checks[0]).not.toHaveProperty('about');
    expect(needsOf(catalogue(azure as NonNullable<typeof azure>, aws as NonNullable<typeof aws>))).toMatchObject({
      types: { aws: ['AWS::EC2::Volume', 'AWS::KMS::Key'], azure: expect.arrayContaining([servers]) as string[] },
      azurePolicies: [guid],
      awsConfigRules: ['R'],
    });
  });

  test.each([
    ['azure-a-b', `{ azurePolicy: ${guid}, on: microsoft.sql/servers, parents: microsoft.sql/servers }`, /exclude each other/],
    ['azure-a-b', `{ azurePolicy: ${guid}, on: AWS::S3::Bucket }`, /no resource type of azure/],
    ['azure-a-b', `{ azurePolicy: ${guid}, on: [] }`, /forms it can have|at least|Too small/],
    ['azure-a-b', `{ azurePolicy: ${guid}, on: [microsoft.sql/servers, Microsoft.Sql/Servers] }`, /named twice/],
    ['aws-a-b', '{ awsConfigRule: R, on: AWS::::Account }', /no type of the inventory/],
    ['aws-a-b', '{ awsConfigRule: R, on: microsoft.sql/servers }', /no resource type of aws/],
    ['gcp-a-b', `{ azurePolicy: ${guid} }`, /cannot rest on azurePolicy/],
  ])('%s %s', (id, verdict, expected) => {
    expect(problems(id, verdict)).toMatch(expected);
  });
});
