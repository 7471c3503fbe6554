import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runKey } from '../../src/evidence/run-key.ts';
import { evidenceWriter } from '../../src/evidence/writer.ts';
import { createRun } from '../../src/run-directory.ts';

let run: string;
let file: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'exhibit-key-'));
  file = join(run, 'redaction.key');
});
afterEach(() => {
  rmSync(run, { recursive: true, force: true });
});

describe("a run's secret", () => {
  test('is made once, whole, for its owner alone, and nothing is left beside it', () => {
    const key = runKey(run);
    expect(key).toHaveLength(32);
    expect(runKey(run)).toEqual(key);
    expect(readFileSync(file, 'utf8')).toBe(`${key.toString('hex')}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(run)).toEqual(['redaction.key']);
  });

  test.each([
    ['empty, as a run that was killed could leave it', ''],
    ['cut short', 'ab12\n'],
    ['none', 'z'.repeat(64)],
  ])('that is %s is no key', (_name, text) => {
    writeFileSync(file, text, { mode: 0o600 });
    expect(() => runKey(run)).toThrow(/holds no key/);
    expect(() => evidenceWriter(run, { resume: true })).toThrow(/holds no key/);
  });

  test.skipIf(process.platform === 'win32')('that others can read, or that lies elsewhere, is none', () => {
    writeFileSync(file, `${'ab'.repeat(32)}\n`);
    chmodSync(file, 0o644);
    expect(() => runKey(run)).toThrow(/has mode 644/);
    rmSync(file);
    writeFileSync(join(run, 'elsewhere'), `${'ab'.repeat(32)}\n`, { mode: 0o600 });
    symlinkSync(join(run, 'elsewhere'), file);
    expect(() => runKey(run)).toThrow(/is not a file/);
  });
});

test('a link that somebody put where a run is to be made is not followed', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'exhibit-elsewhere-'));
  symlinkSync(elsewhere, join(run, 'acme.v1'));
  expect(() => createRun(join(run, 'acme.v1'), 'acme.v1', '/exhibit.yaml', new Date(0))).toThrow(/symbolic link/);
  expect(readdirSync(elsewhere)).toEqual([]);
  rmSync(elsewhere, { recursive: true });
});
