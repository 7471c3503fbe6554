import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import yazl from 'yazl';
import { readArchive } from '../../src/pack/verify/archive.ts';
import { problemList } from '../../src/pack/verify/codes.ts';
import { writeZip } from '../../src/pack/zip.ts';
import { ran } from '../support/programs.ts';
import { temporaryDirectory } from '../support/pack-run.ts';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function directoryWith(files: Readonly<Record<string, Uint8Array>>): { directory: string; members: { path: string; bytes: number }[] } {
  const directory = temporaryDirectory('zip-source');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return { directory, members: Object.entries(files).map(([path, content]) => ({ path, bytes: content.length })) };
}

describe('the ZIP of a pack', () => {
  test('has the same bytes in any time zone, on any day and in any order of listing', () => {
    const { directory, members } = directoryWith({
      'data/b.json': Buffer.from('{}'),
      'bagit.txt': Buffer.from('x'),
      'data/a.json': Buffer.alloc(100_000, 'abc'),
    });
    const program = join(directory, '..', `zip-${digest(randomBytes(8)).slice(0, 8)}.ts`);
    const target = join(temporaryDirectory('zip'), 'out.zip');
    writeFileSync(
      program,
      `import { writeZip } from '${new URL('../../src/pack/zip.ts', import.meta.url).pathname}';
await writeZip(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '[]'), process.argv[4] ?? '');\n`,
    );
    const made = ['UTC', 'Pacific/Kiritimati', 'America/St_Johns'].map((zone, index) => {
      const out = `${target}.${String(index)}`;
      const order = index === 1 ? [...members].reverse() : members;
      const { status, output } = ran('env', [
        `TZ=${zone}`,
        'LC_ALL=de_DE.UTF-8',
        process.execPath,
        program,
        directory,
        JSON.stringify(order),
        out,
      ]);
      expect(status, output).toBe(0);
      return digest(readFileSync(out));
    });
    expect(new Set(made).size).toBe(1);
  });

  test('holds many small and some large files, each read back as it was', async () => {
    const files: Record<string, Buffer> = {};
    for (let n = 0; n < 300; n += 1)
      files[`data/page-${String(n).padStart(4, '0')}.json`] = Buffer.from(JSON.stringify({ n, text: 'x'.repeat(n) }));
    files['data/large.bin'] = randomBytes(40 * 1024 * 1024);
    files['data/long.ndjson'] = Buffer.alloc(20 * 1024 * 1024, '{"status":"pass","reason":"the bucket names a customer managed key"}\n');
    for (let at = 0; at < files['data/long.ndjson'].length; at += 512) randomBytes(8).copy(files['data/long.ndjson'], at);
    files['data/empty'] = Buffer.alloc(0);
    const { directory, members } = directoryWith(files);
    const target = join(temporaryDirectory('zip'), 'out.zip');
    await writeZip(directory, members, target);
    const problems = problemList();
    const contents = await readArchive(target, () => null, problems);
    expect(problems.list()).toEqual([]);
    expect(contents.notes).toEqual([]);
    expect(contents.files.size).toBe(members.length);
    for (const [path, content] of Object.entries(files))
      expect(contents.files.get(path)).toEqual({ sha256: digest(content), bytes: content.length });
  }, 30_000);

  test('a file that vanishes while it is written is an error', async () => {
    const { directory } = directoryWith({ 'a.json': Buffer.from('{}') });
    await expect(writeZip(directory, [{ path: 'missing.json', bytes: 3 }], join(directory, 'out.zip'))).rejects.toThrow(/ENOENT/);
    await expect(writeZip(directory, [{ path: 'missing.bin', bytes: 99_000_000 }], join(directory, 'out2.zip'))).rejects.toThrow(/ENOENT/);
  });

  test('one with 64-bit fields is read as well', async () => {
    const target = join(temporaryDirectory('zip'), 'out.zip');
    const zip = new yazl.ZipFile();
    zip.addBuffer(Buffer.from('hello'), 'data/x', { forceZip64Format: true, forceDosTimestamp: true });
    zip.end({ forceZip64Format: true, comment: '' });
    await pipeline(zip.outputStream, createWriteStream(target));
    const problems = problemList();
    const contents = await readArchive(target, () => null, problems);
    expect(problems.list()).toEqual([]);
    expect(contents.files.get('data/x')?.bytes).toBe(5);
  });
});
