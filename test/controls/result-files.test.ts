import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { blockFile, resultFiles, type Written } from '../../src/controls/assess/result-files.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-results-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Lines of every kind that buffers trip over: empty, multi-byte at any offset, lone surrogates escaped, longer than a block. */
function lines(count: number, seed: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    JSON.stringify({ at, seed, text: 'ä✓😀'.repeat((at * 7919 + seed) % 97), ...(at % 500 === 499 ? { long: 'é'.repeat(300_000) } : {}) }),
  );
}

const text = (given: readonly string[]): string => given.map((line) => `${line}\n`).join('');
const at = (bytes: Buffer, { blocks }: Written): string =>
  Buffer.concat(blocks.map(([offset, length]) => bytes.subarray(offset, offset + length))).toString('utf8');

describe('a file of blocks', () => {
  test('holds the lines of each writer in order, whoever wrote meanwhile, and nothing else', async () => {
    const path = join(directory, 'turns.ndjson');
    const file = blockFile(path);
    const given = [lines(3, 1), lines(2_000, 2), [], lines(501, 3)];
    const opened = given.map(() => file.open());
    // Written in turns, as checks do.
    for (let nth = 0; nth < 2_000; nth += 1)
      for (const [who, own] of given.entries()) own.slice(nth, nth + 1).forEach((line) => opened[who]?.write(line));
    const written = opened.map((one) => file.finish(one));
    expect(() => file.finish(opened[0] as (typeof opened)[number])).toThrow('ended');
    await file.close();
    const bytes = readFileSync(path);
    for (const [who, one] of written.entries()) {
      expect(at(bytes, one)).toBe(text(given[who] ?? []));
      expect(one.count).toBe(given[who]?.length);
    }
    const all = written.flatMap(({ blocks }) => blocks).toSorted(([a], [b]) => a - b);
    let end = 0;
    for (const [offset, length] of all) {
      expect(offset).toBe(end);
      end += length;
    }
    expect([end, file.size]).toEqual([bytes.length, bytes.length]);
    expect(written[1]?.blocks.length).toBeGreaterThan(1);
    expect(written[2]?.blocks).toEqual([]);
  });

  test('of one writer is one block', () => {
    const file = blockFile(join(directory, 'one.ndjson'));
    const own = file.open();
    const given = lines(1_500, 9);
    for (const line of given) own.write(line);
    expect(file.finish(own).blocks).toEqual([[0, Buffer.byteLength(text(given))]]);
    file.discard();
    expect(existsSync(join(directory, 'one.ndjson'))).toBe(false);
  });
});

test('files of another thread are put behind, and go', async () => {
  const [mine, theirs] = ['mine', 'theirs'].map((name) => {
    mkdirSync(join(directory, name));
    return resultFiles(join(directory, name));
  }) as [ReturnType<typeof resultFiles>, ReturnType<typeof resultFiles>];
  for (const [files, seed] of [
    [mine, 1],
    [theirs, 2],
  ] as const)
    for (const file of [files.observations, files.access, files.readers]) {
      const own = file.open();
      for (const line of lines(600, seed)) own.write(line);
      file.finish(own);
    }
  const before = mine.observations.size;
  await theirs.close();
  expect(mine.append(theirs.directory)).toBe(before);
  await mine.close();
  for (const name of ['observations', 'access', 'readers'])
    expect(readFileSync(join(mine.directory, `${name}.ndjson`), 'utf8')).toBe(text([...lines(600, 1), ...lines(600, 2)]));
  expect(existsSync(theirs.directory)).toBe(false);
});
