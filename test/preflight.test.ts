import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../src/config/load.ts';
import { catalogueOf, prepare } from '../src/run.ts';
import { exhibit } from './support/command.ts';

const base = `engagement: { id: q3, title: T, entity: E, period: { from: 2026-07-01, to: 2026-09-30 } }
scopes: { gcp: [{ organization: "123456789012" }] }
`;
const waiver = (control: string): string =>
  `waivers: [{ id: W-1, control: ${control}, resources: ["*"], owner: a, approver: b, justification: c, approvedOn: 2026-08-01, expires: 2026-12-31 }]\n`;
const answer = (control: string): string =>
  `answers: [{ control: ${control}, answer: satisfied, statement: a, respondent: b, role: c, date: 2026-09-20 }]\n`;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'exhibit-preflight-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const file = (text: string): string => {
  const path = join(directory, 'exhibit.yaml');
  writeFileSync(path, text);
  return path;
};
async function problemsOf(text: string, signing = false): Promise<string[]> {
  try {
    await prepare(file(text), { signing });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.line}:${p.column} ${p.message}`);
    throw error;
  }
  return [];
}
const problems = (rest: string): Promise<string[]> => problemsOf(base + rest);

test('what the catalogue does not have is named where it stands, all of it at once', async () => {
  expect(
    await problems(`${waiver('aws-s3-bucket-cmkk')}parameters: { gcpKeyRotationMaxDays: 180, gcpKeyRotationMaximumDays: half }\n`),
  ).toEqual([
    '3:31 `aws-s3-bucket-cmkk` is no control of the catalogue: did you mean `aws-s3-bucket-cmk`?',
    '4:15 unknown parameter gcpKeyRotationMaxDays (did you mean gcpKeyRotationMaximumDays?)',
    '4:43 the parameter gcpKeyRotationMaximumDays must be a whole number',
  ]);
  expect(await problems('profile: { include: [gcp-*], exclude: [gcp-kms-rotation] }\n')).toEqual([
    expect.stringMatching(/^3:40 the profile names `gcp-kms-rotation`, which is no control/),
  ]);
});

test('an answer is for a control that asks a person', async () => {
  expect(await problems(answer('aws-kms-key-custdy'))).toEqual([expect.stringContaining('did you mean `aws-kms-key-custody`?')]);
  expect(await problems(answer('aws-s3-bucket-cmk'))).toEqual([
    expect.stringMatching(/`aws-s3-bucket-cmk` asks no person: .*aws-kms-key-custody/),
  ]);
});

test('patterns, clouds that are not configured, and bounds on the age of evidence are no mistakes', async () => {
  expect(await problems(`${waiver('"aws-*-cmk"')}${answer('aws-kms-key-custody')}parameters: { gcpKeyRotationMaximumDays: 30 }\n`)).toEqual(
    [],
  );
});

test('files that are not there are known at the start', async () => {
  expect(await problems('catalogue: mine/controls.yaml\n')).toEqual([expect.stringMatching(/^3:12 .*mine\/controls\.yaml is not there/)]);
  expect(await problems('catalogue: .\n')).toEqual([expect.stringMatching(/^3:12 .* is no file/)]);
  const signing =
    'signing: { certificate: { key: a.key, chain: [b.pem], passphraseFrom: NO_SUCH_SECRET }, timestamp: { url: "https://tsa", root: c.pem } }\n';
  expect((await problemsOf(base + signing, true)).join('\n')).toMatch(
    /a\.key is not there[\s\S]*b\.pem is not there[\s\S]*NO_SUCH_SECRET is not set[\s\S]*c\.pem is not there/,
  );
  expect(await problemsOf(base + signing)).toEqual([]);
});

test('a misspelt pattern is told the nearest that matches something', async () => {
  expect(await problems('profile: { include: ["azuer-*", "gcp-*"], exclude: ["*-cmkk", "aws-s3-bukcet-*", "qqqq*"] }\n')).toEqual([
    expect.stringContaining('`azuer-*`, which is no control of the catalogue: did you mean `azure-*`?'),
    expect.stringContaining('did you mean `*-cmk`?'),
    expect.stringContaining('did you mean `aws-s3-bucket-*`?'),
    expect.stringContaining('`qqqq*`, which is no control of the catalogue; `exhibit controls list` shows them all'),
  ]);
  expect(await problems(waiver('"gpc-*"'))).toEqual([expect.stringContaining('did you mean `gcp-*`?')]);
});

test('the mistakes of the shape, between fields, against the catalogue and in files come at once', async () => {
  const two = waiver('aws-s3-bucket-cmkk').trim().slice('waivers: ['.length, -1);
  const text = `engagment: { id: q3, title: T, entity: E, period: { from: 2026-09-30, to: 2026-07-01 } }
scopes: { gcp: [{ organization: "123456789012", folders: ["1"] }], aws: 5 }
profile: { level: 3, include: [gcp-kms-key-rotatoin] }
parameters: { gcpKeyRotationMaxDays: 180, gcpKeyRotationMaximumDays: { a: 1 } }
waivers: [${two}, ${two}]
answers: [{ control: aws-kms-key-custdy, answer: satisfyed, statement: a, respondent: b, role: c, date: 2026-09-20 }]
signing: { certificate: { key: a.key, chain: [] } }
`;
  expect(await problemsOf(text, true)).toEqual([
    '1:1 unknown key `engagment`: did you mean `engagement`?',
    '1:59 `engagement.period` ends (2026-07-01) before it starts (2026-09-30)',
    expect.stringMatching(/^2:17 `scopes\.gcp\[0\]` needs exactly one of/),
    expect.stringMatching(/^2:73 `scopes\.aws` must be a list/),
    '3:19 `profile.level` must be 1 or 2',
    expect.stringMatching(/^3:32 the profile names `gcp-kms-key-rotatoin`.*did you mean `gcp-kms-key-rotation`/),
    '4:15 unknown parameter gcpKeyRotationMaxDays (did you mean gcpKeyRotationMaximumDays?)',
    '4:70 `parameters.gcpKeyRotationMaximumDays` must be a text, or a number, or true or false, or a list: [a, b], or lines that begin with a dash',
    expect.stringMatching(/^5:31 `aws-s3-bucket-cmkk` is no control/),
    expect.stringMatching(/ waiver id `W-1` is used twice \(also by `waivers\[0\]`\)/),
    expect.stringContaining(' `aws-s3-bucket-cmkk` is no control'),
    expect.stringMatching(/^6:22 .*did you mean `aws-kms-key-custody`/),
    '6:50 `answers[0].answer` must be "satisfied" or "not-satisfied" or "not-applicable": did you mean `satisfied`?',
    expect.stringMatching(/^7:32 .*a\.key is not there/),
    '7:46 `signing.certificate.chain` is an empty list: put at least one entry into it, or remove the key if it may be left out',
  ]);
});

test('a catalogue with mistakes of its own, or that is named wrongly, does not hide those of the configuration', async () => {
  writeFileSync(join(directory, 'controls.yaml'), 'nam: x\n');
  expect(await problems('catalogue: controls.yaml\nprofile: { level: 3 }\n')).toEqual([
    expect.stringMatching(/^3:12 .*controls\.yaml has mistakes of its own: `exhibit controls lint --catalogue/),
    '4:19 `profile.level` must be 1 or 2',
  ]);
  await expect(problems('catalogue: controls.yaml\n')).rejects.toThrow(/unknown key `nam`/);
  expect(await problems('catalogue: [controls.yaml]\nprofile: { include: [mine-*] }\n')).toEqual(['3:12 `catalogue` must be a text']);
  expect(await problems('catalogue: none.yaml\nprofile: { level: 3 }\n')).toHaveLength(2);
});

test('a stage that goes on with a run refuses such a configuration too', async () => {
  const loaded = loadConfig(file(base + waiver('gcp-kms-key-rotatoin')));
  await expect(catalogueOf(loaded)).rejects.toThrow(/exhibit\.yaml:3:31 {2}`gcp-kms-key-rotatoin` is no control/);
});

test('nothing is begun with such a configuration', async () => {
  file(base + waiver('gcp-kms-key-rotatoin'));
  for (const verb of ['collect', 'run', 'doctor']) {
    const { code, stderr } = await exhibit([verb, '--config', join(directory, 'exhibit.yaml')]);
    expect(stderr).toMatch(
      /exhibit\.yaml:3:31 {2}`gcp-kms-key-rotatoin` is no control of the catalogue: did you mean `gcp-kms-key-rotation`\?/,
    );
    expect(code).toBe(2);
  }
  expect(existsSync(join(directory, 'out'))).toBe(false);
});
