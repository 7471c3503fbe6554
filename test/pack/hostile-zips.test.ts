import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyPack } from '../../src/pack/verify.ts';
import { temporaryDirectory } from '../support/pack-run.ts';
import { codesOf, newSigner, sealedSample, trusted } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';
import { zipWith } from '../support/zip-bytes.ts';

let sample: SealedSample;
beforeAll(async () => {
  sample = await sealedSample(await newSigner());
});

describe('hostile ZIPs', () => {
  test.each([
    ['absolute path', '/etc/passwd'],
    ['parent', 'data/../../x'],
    ['backslash', 'data\\..\\x'],
    ['drive', 'C:/x'],
    ['dot', 'data/./x'],
    ['empty part', 'data//x'],
  ])('%s', async (_, name) => {
    expect(codesOf(await verifyPack(zipWith({ name, content: 'x' })))).toContain('unsafe-path');
  });

  test('a symbolic link in a ZIP', async () => {
    expect(codesOf(await verifyPack(zipWith({ name: 'data/link', content: '/etc/passwd', mode: 0o120777 })))).toContain('symlink');
  });

  test('more than it says, less than it says', async () => {
    for (const statedSize of [1, 1_000_000]) {
      expect(codesOf(await verifyPack(zipWith({ name: 'data/x', content: 'x'.repeat(1000), statedSize })))).toContain('zip-entry-damaged');
    }
  });

  test('a file that is also a directory', async () => {
    expect(codesOf(await verifyPack(zipWith({ name: 'data', content: 'x' }, { name: 'data/x', content: 'x' })))).toContain(
      'duplicate-name',
    );
  });

  test('a name is shown without the power to deceive', async () => {
    const report = await verifyPack(zipWith({ name: 'data/\u202e\u0007\n', content: 'x' }));
    const text = report.steps.flatMap((step) => step.problems.map((problem) => problem.message)).join(' ');
    expect(text).toMatch(/\\u202e/);
    expect(text).not.toMatch(/[^\x20-\x7e]/);
  });

  test('bytes after the end', async () => {
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    writeFileSync(path, Buffer.concat([readFileSync(sample.run.zipPath), Buffer.from('more')]));
    expect((await verifyPack(path, trusted(sample))).ok).toBe(false);
  });

  test('cut short anywhere, it is refused and nothing is thrown', async () => {
    const bytes = readFileSync(sample.run.zipPath);
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    for (let keep = 0; keep < bytes.length; keep += Math.ceil(bytes.length / 40)) {
      writeFileSync(path, bytes.subarray(0, keep));
      expect((await verifyPack(path, trusted(sample))).ok).toBe(false);
    }
  });
});
