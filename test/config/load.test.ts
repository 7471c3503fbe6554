import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { editorSchema } from '../../src/config/editor-schema.ts';
import { ConfigError, loadConfig, parseConfig } from '../../src/config/load.ts';

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
      '3:3 `engagement.title` is required (a text)',
      expect.stringMatching(/^3:7 `engagement.id` must be made of letters, digits/),
      '4:3 unknown key `titel` in `engagement`: did you mean `title`?',
      expect.stringMatching(/^6:35 `engagement.period.to` must be a date/),
      '7:19 `profile.level` must be 1 or 2',
      expect.stringMatching(/^10:7 `scopes.aws\[0\]` needs either/),
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
