import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../src/config/load.ts';
import { requireSigningFiles } from '../src/preflight.ts';
import { catalogueOf } from '../src/run.ts';
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

const loaded = (rest: string): ReturnType<typeof loadConfig> => {
  writeFileSync(join(directory, 'exhibit.yaml'), base + rest);
  return loadConfig(join(directory, 'exhibit.yaml'));
};
async function problems(rest: string): Promise<string[]> {
  try {
    await catalogueOf(loaded(rest));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.line}:${p.column} ${p.message}`);
    throw error;
  }
  return [];
}

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
  expect(() => requireSigningFiles(loaded(signing))).toThrow(
    /a\.key is not there[\s\S]*b\.pem is not there[\s\S]*NO_SUCH_SECRET is not set[\s\S]*c\.pem is not there/,
  );
});

test('nothing is begun with such a configuration', async () => {
  loaded(waiver('gcp-kms-key-rotatoin'));
  for (const verb of ['collect', 'run', 'doctor']) {
    const { code, stderr } = await exhibit([verb, '--config', join(directory, 'exhibit.yaml')]);
    expect(stderr).toMatch(
      /exhibit\.yaml:3:31 {2}`gcp-kms-key-rotatoin` is no control of the catalogue: did you mean `gcp-kms-key-rotation`\?/,
    );
    expect(code).toBe(2);
  }
  expect(existsSync(join(directory, 'out'))).toBe(false);
});
