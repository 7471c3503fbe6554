import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { editorSchema } from '../../src/config/editor-schema.ts';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.ts';
import { awsRegions } from '../../src/config/regions.ts';

const good = `
engagement:
  id: northwind-2026-q3
  title: Northwind, third quarter
  entity: Northwind Ltd
  period: { from: 2026-07-01, to: 2026-09-30 }
scopes:
  aws:
    - accounts: ["011122223333"]
      regions: [eu-west-1]
`;

function problems(text: string): string[] {
  try {
    parseConfig(text, 'exhibit.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.line}:${p.column} ${p.message}`);
    throw error;
  }
  return [];
}

describe('exhibit.yaml', () => {
  test('a minimal configuration gets the cautious defaults', () => {
    const config = parseConfig(good, 'exhibit.yaml');
    expect(config.profile.level).toBe(2);
    expect(config.critical.unclassified).toBe('critical');
    expect(config.scopes.aws?.[0]?.accounts).toEqual(['011122223333']);
  });

  test('every mistake is reported at once, where it stands, with the nearest known word', () => {
    const found = problems(`
engagement:
  id: "q3 2026"
  titel: Third quarter
  entity: Northwind
  period: { from: 2026-07-01, to: 2026-13 }
profile: { level: 3 }
scopes:
  aws:
    - accounts: [111122223333, "abc"]
      region: [eu-west-1]
sining: {}
`);
    expect(found).toEqual([
      expect.stringMatching(/^3:7 `engagement.id` must be made of letters, digits/),
      '4:3 unknown key `titel` in `engagement`: did you mean `title`?',
      expect.stringMatching(/^6:35 `engagement.period.to` must be a date/),
      '7:19 `profile.level` must be 1 or 2',
      expect.stringMatching(/^10:32 `scopes.aws\[0\].accounts\[1\]` must be a 12-digit/),
      '11:7 unknown key `region` in `scopes.aws[0]`: did you mean `regions`?',
      '12:1 unknown key `sining`: did you mean `signing`?',
    ]);
  });

  test('dates are days of the calendar, those of waivers and answers too', () => {
    expect(problems(good.replace('2026-09-30', '2026-09-31'))).toEqual(['6:35 `engagement.period.to` is no day of the calendar']);
    const waiver = `waivers:
  - { id: W-1, control: aws-s3-bucket-cmk, resources: ["*"], owner: a, approver: b, justification: c, approvedOn: 1.8.2026, expires: 31.12.2026 }
answers:
  - { control: aws-kms-key-custody, answer: satisfied, statement: a, respondent: b, role: c, date: 2026-02-30 }
`;
    expect(problems(good + waiver)).toEqual([
      expect.stringContaining('`waivers[0].approvedOn` must be a date, YYYY-MM-DD'),
      expect.stringContaining('`waivers[0].expires` must be a date, YYYY-MM-DD'),
      expect.stringContaining('`answers[0].date` is no day of the calendar'),
    ]);
  });

  test('what is below a misspelt key is looked at too', () => {
    expect(
      problems(good.replace('engagement:', 'engagment:').replace('title:', 'titel:').replace('to: 2026-09-30', 'to: 2026-13')),
    ).toEqual([
      '2:1 unknown key `engagment`: did you mean `engagement`?',
      '4:3 unknown key `titel` in `engagement`: did you mean `title`?',
      expect.stringMatching(/^6:35 `engagement.period.to` must be a date/),
    ]);
    // The right key is there besides: the other has no meaning.
    expect(problems(`${good}scope: { aws: 5 }\n`)).toEqual(['11:1 unknown key `scope`: did you mean `scopes`?']);
  });

  test.each([
    ['critical: { unclassified: crtical }', 'did you mean `critical`?'],
    ['output: { formats: [xslx] }', 'did you mean `xlsx`?'],
    ['endpoints: { azure: { cloud: AzureUSGoverment } }', 'did you mean `AzureUSGovernment`?'],
    ['critical: { unclassified: maybe }', 'must be "critical" or "not-critical" or "unknown"'],
    [
      'endpoints: { aws: { regions: [] } }',
      '`endpoints.aws.regions` is an empty list: put at least one entry into it, or remove the key if it may be left out',
    ],
    ['critical: { tags: { class: [] } }', '`critical.tags.class` is an empty list'],
    ['parameters: { days: [[1]] }', '`parameters.days[0]` must be a text, or a number'],
  ])('%s is answered in plain words: %s', (text, answer) => {
    expect(problems(`${good}${text}\n`)).toEqual([expect.stringContaining(answer)]);
  });

  test('a text must not be empty', () => {
    expect(problems(good.replace('title: Northwind, third quarter', 'title: ""'))).toEqual([
      '4:10 `engagement.title` must not be empty: write something there',
    ]);
  });

  test.each([
    ['arn:aws:iam::{account}:role/auditor', true],
    ['arn:aws-us-gov:iam::011122223333:role/path/auditor', true],
    ['arn:aws:iam::role/auditor', false],
    ['arn:aws:iam:::role/auditor', false],
    ['arn:aws:iam::1234:role/auditor', false],
    ['arn:aws:iam::011122223333:user/auditor', false],
    ['auditor', false],
  ])('the role %s: %s', (role, fine) => {
    const found = problems(good.replace('regions: [eu-west-1]', `regions: [eu-west-1]\n      role: "${role}"`));
    expect(found).toEqual(
      fine
        ? []
        : [expect.stringMatching(/`scopes.aws\[0\].role` must be the ARN of a role with its account: arn:aws:iam::\{account\}:role\//)],
    );
    const aggregator = `aggregator: { name: org, account: "011122223333", region: eu-west-1, role: "${role}" }`;
    expect(problems(good.replace('regions: [eu-west-1]', aggregator))).toHaveLength(fine ? 0 : 1);
  });

  test('a region that nobody knows is a mistake, unless it is named as one', () => {
    const wrong = good.replace('eu-west-1', 'eu-wst-1');
    expect(problems(wrong)).toEqual([
      expect.stringMatching(
        /^10:17 `scopes.aws\[0\].regions\[0\]`: no AWS region `eu-wst-1` is known: did you mean `eu-west-1`\?.*`endpoints.aws.regions`/,
      ),
    ]);
    const aggregator = good.replace('accounts: ["011122223333"]', 'aggregator: { name: org, account: "011122223333", region: eu-west-9 }');
    expect(problems(aggregator)).toEqual([expect.stringContaining('`scopes.aws[0].aggregator.region`: no AWS region `eu-west-9`')]);
    expect(problems(`${wrong}endpoints: { aws: { regions: [eu-wst-1] } }\n`)).toEqual([]);
    for (const region of ['us-gov-west-1', 'cn-northwest-1', 'eusc-de-east-1', 'us-isob-east-1'])
      expect(problems(good.replace('eu-west-1', region))).toEqual([]);
  });

  test('the known regions are those of the SDK', () => {
    const sdk = join(
      import.meta.dirname,
      '../../node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js',
    );
    const listed = [...readFileSync(sdk, 'utf8').matchAll(/"([a-z]{2,4}(?:-[a-z]+)+-\d)": \{/g)].map(([, region = '']) => region);
    expect([...awsRegions].sort()).toEqual(listed.sort());
  });

  test('what ends before it begins is refused: waivers and answers', () => {
    const rest = `waivers:
  - { id: W-1, control: "aws-*", resources: ["*"], owner: a, approver: b, justification: c, approvedOn: 2026-08-02, expires: 2026-08-01 }
  - { id: W-2, control: "aws-*", resources: ["*"], owner: a, approver: b, justification: c, approvedOn: 2026-08-02, expires: 2026-08-02 }
answers:
  - { control: aws-kms-key-custody, answer: satisfied, statement: a, respondent: b, role: c, date: 2026-09-20, validUntil: 2026-09-19 }
`;
    expect(problems(good + rest)).toEqual([
      expect.stringMatching(/^12:126 `waivers\[0\].expires` \(2026-08-01\) lies before `approvedOn` \(2026-08-02\)/),
      expect.stringMatching(/^15:.*`answers\[0\].validUntil` \(2026-09-19\) lies before `date`/),
    ]);
  });

  test('what is of another shape is said in the words of the file', () => {
    expect(problems('- a\n')).toEqual(['1:1 the file must be a section: keys with values below it']);
    expect(problems(good.replace('["011122223333"]', '"011122223333"'))).toEqual([
      '9:17 `scopes.aws[0].accounts` must be a list: [a, b], or lines that begin with a dash',
    ]);
  });

  test('scopes with nothing in them are none', () => {
    expect(problems(`${good.slice(0, good.indexOf('scopes:'))}scopes: { aws: [], gcp: [] }\n`)).toEqual([
      expect.stringMatching(/`scopes` needs at least one of .*, with something in it/),
    ]);
  });

  test('a period that ends before it starts is refused', () => {
    expect(problems(good.replace('to: 2026-09-30', 'to: 2026-06-30'))[0]).toMatch(/ends \(2026-06-30\) before it starts/);
  });

  test('plain-text gRPC is refused away from loopback', () => {
    const endpoint = (address: string): string => `${good}endpoints: { gcp: { cloudAsset: "${address}", insecure: true } }\n`;
    expect(problems(endpoint('assets.example.com:443'))[0]).toMatch(/loopback addresses only/);
    expect(problems(endpoint('127.0.0.1.example.com:443'))).toHaveLength(1);
    expect(problems(endpoint('127.0.0.1:4444'))).toEqual([]);
  });

  test('broken YAML names the line', () => {
    expect(problems('engagement: [unclosed\n')[0]).toMatch(/^\d+:\d+ not valid YAML/);
  });

  test('an empty file says what is required', () => {
    expect(problems('')).toContainEqual(expect.stringContaining('`engagement` is required'));
  });

  test('a file that is not there says how to name one', () => {
    expect(() => loadConfig('no/such/exhibit.yaml')).toThrow(/no such file: name the configuration with --config/);
    expect(() => loadConfig(import.meta.dirname)).toThrow(/this is a directory/);
  });

  test('the editor schema in the repository is current', () => {
    const stored: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../exhibit.schema.json'), 'utf8'));
    expect(stored, 'run `node scripts/schemas.ts`').toEqual(JSON.parse(JSON.stringify(editorSchema())));
  });
});

describe("somebody else's file", () => {
  test.each([
    ['aws: { config: "http://config.example" }', 'endpoints.aws.config'],
    ['aws: { sts: "http://10.0.0.1:8080" }', 'endpoints.aws.sts'],
    ['aws: { sts: "http://127.0.0.1.example" }', 'endpoints.aws.sts'],
    ['aws: { sts: "http://[" }', 'endpoints.aws.sts'],
    ['azure: { resourceManager: "http://arm.example" }', 'endpoints.azure.resourceManager'],
    ['azure: { authority: "http://login.example" }', 'endpoints.azure.authority'],
  ])('%s would send credentials in the clear', (endpoint, path) => {
    expect(problems(`${good}endpoints: { ${endpoint} }\n`)).toEqual([expect.stringContaining(`\`${path}\` must be https`)]);
  });

  test.each(['http://127.0.0.1:4566', 'http://localhost:1', 'http://[::1]:80', 'https://config.example'])('%s does not', (address) => {
    expect(problems(`${good}endpoints: { aws: { config: "${address}", sts: "${address}" } }\n`)).toEqual([]);
  });

  test('few aliases that stand for more than memory holds are a mistake in the file', () => {
    const levels = Array.from({ length: 9 }, (_, level) => `  l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`);
    expect(problems(`${good}parameters:\n  l0: &l0 [x, x]\n${levels.join('\n')}\n`)).toEqual([expect.stringContaining('not usable YAML')]);
  });
});

describe('the editor schema', () => {
  const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(editorSchema());
  const engagement = { id: 'q3', title: 'T', entity: 'E', period: { from: '2026-07-01', to: '2026-09-30' } };
  const accounts = ['011122223333'];
  const regions = ['eu-west-1'];
  const aggregator = { name: 'org', account: '011122223333', region: 'eu-west-1' };
  const tenant = '00000000-0000-0000-0000-000000000000';

  test.each([
    [true, { aws: [{ accounts, regions }] }],
    [true, { aws: [{ aggregator }] }],
    [true, { aws: [{ accounts, regions, role: 'arn:aws:iam::{account}:role/x' }] }],
    [false, { aws: [{ accounts, regions, role: 'arn:aws:iam::role/x' }] }],
    [false, { aws: [{ accounts }] }],
    [false, { aws: [{ regions }] }],
    [false, { aws: [{ accounts: [], regions }] }],
    [false, { aws: [{}] }],
    [true, { azure: [{ tenant, subscriptions: [tenant] }] }],
    [true, { azure: [{ tenant, managementGroups: ['root'] }] }],
    [false, { azure: [{ tenant }] }],
    [true, { gcp: [{ organization: '1' }] }],
    [true, { gcp: [{ folders: ['1'], quotaProject: 'p' }] }],
    [true, { gcp: [{ projects: ['p'] }] }],
    [false, { gcp: [{ organization: null }] }],
    [false, { gcp: [{ folders: ['folders/1'] }] }],
    [false, { gcp: [{ quotaProject: 'p' }] }],
    [false, { gcp: [{ organization: '1', projects: ['p'] }] }],
    [false, { gcp: [{ organization: '1', folders: ['1'], projects: ['p'] }] }],
    [true, { aws: [], gcp: [{ projects: ['p'] }] }],
    [false, { aws: [], gcp: [] }],
    [false, {}],
  ])('and the loader say %s to %j', (fine, scopes) => {
    const file = { engagement, scopes };
    expect(accepts(file)).toBe(fine);
    // YAML reads JSON.
    expect(problems(JSON.stringify(file)).length === 0).toBe(fine);
  });
});
