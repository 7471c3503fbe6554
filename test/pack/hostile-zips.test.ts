import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyPack } from '../../src/pack/verify.ts';
import { temporaryDirectory } from '../support/pack-run.ts';
import { codesOf, newSigner, sealedSample, trusted } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';
import { zipBytes, zipWith } from '../support/zip-bytes.ts';
import type { ZipMember } from '../support/zip-bytes.ts';

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

  /** A header's field: its number and its contents. */
  const field = (id: number, data: Uint8Array): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(data.length, 2);
    return Buffer.concat([head, data]);
  };
  const file = { name: 'data/x', content: 'contents' };

  test.each<[string, Partial<ZipMember>, string]>([
    ['another name, in Unicode', { extra: field(0x7075, Buffer.from('\x01abcddata/y')) }, 'extra fields'],
    ['the same before the data alone', { localExtra: field(0x7075, Buffer.from('\x01abcddata/y')) }, 'extra fields'],
    ['whole files hidden in a field', { localExtra: field(0x5455, Buffer.alloc(500)) }, 'extra fields'],
    ['a field cut short', { localExtra: field(0x5455, Buffer.alloc(8)).subarray(0, 7) }, 'extra fields'],
    ['a field twice', { extra: Buffer.concat([field(0x5455, Buffer.alloc(5)), field(0x5455, Buffer.alloc(5))]) }, 'extra fields'],
    ['other sizes in a field before the data', { localExtra: field(0x0001, Buffer.alloc(16)) }, 'its two descriptions'],
    ['a comment', { fileComment: 'PK\x03\x04' }, 'a comment'],
    ['said to be a directory', { mode: 0o040755 }, 'said to be a directory'],
    ['said to be a directory, to DOS', { attributes: 0x10 }, 'said to be a directory'],
    ['a device', { mode: 0o060644 }, 'the kind of file'],
    ['a patch', { flags: 0x820 }, 'unusual flags'],
    ['names that are masked', { flags: 0x2800 }, 'unusual flags'],
    ['stored, with its end only told behind it', { flags: 0x808, method: 0, behind: Buffer.alloc(12) }, 'stored, with its sizes behind it'],
    ['other sizes behind it', { flags: 0x808, behind: Buffer.alloc(16) }, 'the sizes behind it'],
  ])('a file that tools see differently: %s', async (_name, lie, why) => {
    const report = await verifyPack(zipWith({ ...file, ...lie }));
    const messages = report.steps.flatMap(({ problems }) => problems.map(({ message }) => message)).join('\n');
    expect(codesOf(report)).toContain('zip-header-mismatch');
    expect(messages).toContain(`data/x: ${why}`);
  });

  test.each([
    ['leads outside', '../../x/', 'unsafe-path'],
    ['stands where a file does', 'data/x/', 'duplicate-name'],
  ])('a directory that %s', async (_name, name, code) => {
    expect(codesOf(await verifyPack(zipWith(file, { name, content: '', mode: 0o040755 })))).toContain(code);
  });

  test.each([
    ['the number of files', 8],
    ['the length of the list', 12],
    ['the disk', 6],
  ])('%s misstated at the end', async (_name, at) => {
    const bytes = zipBytes([{ name: 'bagit.txt', content: 'BagIt-Version: 1.0\n' }, file]);
    const end = bytes.length - 22;
    bytes.writeUInt16LE(bytes.readUInt16LE(end + at) + 1, end + at);
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    writeFileSync(path, bytes);
    expect(codesOf(await verifyPack(path))).toContain('zip-header-mismatch');
  });

  test('a second record of where its files are listed, for tools that look there first', async () => {
    const bytes = zipBytes([{ name: 'bagit.txt', content: 'BagIt-Version: 1.0\n' }, file]);
    const end = bytes.length - 22;
    const [count, size, start] = [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)];
    const record = Buffer.alloc(76);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(44n, 4);
    [count, count, size, start].forEach((value, index) => record.writeBigUInt64LE(BigInt(value), 24 + index * 8));
    record.writeUInt32LE(0x07064b50, 56);
    record.writeBigUInt64LE(BigInt(end), 64);
    record.writeUInt32LE(1, 72);
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    const codes = async (): Promise<string[]> => {
      writeFileSync(path, Buffer.concat([bytes.subarray(0, end), record, bytes.subarray(end)]));
      return codesOf(await verifyPack(path));
    };
    expect(await codes()).not.toContain('zip-header-mismatch');
    bytes.writeUInt32LE(start - 10, end + 16);
    expect(await codes()).toContain('zip-header-mismatch');
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
