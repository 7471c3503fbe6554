import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { joinShards } from '../../src/controls/assess/join.ts';
import { lineFile, observationId, shards, uuidV5 } from '../../src/controls/assess/observations.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-shards-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Lines of every kind that buffers trip over: empty, multi-byte at any offset, lone surrogates escaped, longer than a block. */
function lines(count: number, seed: number): string[] {
  return Array.from({ length: count }, (_, at) =>
    JSON.stringify({ at, seed, text: 'ä✓😀'.repeat((at * 7919 + seed) % 97), ...(at % 500 === 499 ? { long: 'é'.repeat(300_000) } : {}) }),
  );
}

describe('shards', () => {
  test('give back every line in order, small or spilled, joined group by group', () => {
    const scratch = shards(join(directory, 'work'));
    const given = [lines(3, 1), lines(2_000, 2), [], lines(501, 3)];
    const opened = given.map(() => scratch.open());
    // Written in turns, as checks do.
    for (let at = 0; at < 2_000; at += 1)
      for (const [nth, own] of given.entries()) own.slice(at, at + 1).forEach((line) => opened[nth]?.write(line));
    const path = join(directory, 'joined.ndjson');
    const ranges = joinShards(
      path,
      [[0, 1], [2], [3]].map((group) => group.map((nth) => ({ shard: opened[nth] as (typeof opened)[number], conflicts: new Map() }))),
    );
    const bytes = readFileSync(path);
    const expected = [[...(given[0] ?? []), ...(given[1] ?? [])], [], given[3] ?? []];
    for (const [nth, range] of ranges.entries()) {
      const text = bytes.subarray(range.offset, range.offset + range.length).toString('utf8');
      expect(text).toBe((expected[nth] ?? []).map((line) => `${line}\n`).join(''));
      expect(range.count).toBe(expected[nth]?.length);
    }
    expect(readdirSync(join(directory, 'work')).sort()).toEqual(['1.ndjson', '3.ndjson']);
  });

  test('a file of lines holds what was written', () => {
    const path = join(directory, 'lines.ndjson');
    const file = lineFile(path);
    const given = lines(1_500, 9);
    for (const line of given) file.write(line);
    file.close();
    expect(readFileSync(path, 'utf8')).toBe(given.map((line) => `${line}\n`).join(''));
  });
});

describe('ids', () => {
  test('are UUIDs of version 5 over the whole name, however long', () => {
    expect(uuidV5('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const long = '✓'.repeat(50_000);
    expect(uuidV5(long)).not.toBe(uuidV5(`${long}x`));
    const short = uuidV5('a');
    uuidV5(long);
    expect(uuidV5('a')).toBe(short);
  });

  test('tell scopes apart, but not the regions that record an IAM record', () => {
    const id = (type: string, region: string) =>
      observationId('c', 'k', { kind: 'resource', type, uid: 'u', scope: { provider: 'aws', account: '1', region } });
    expect(id('AWS::EC2::Volume', 'a')).not.toBe(id('AWS::EC2::Volume', 'b'));
    expect(id('AWS::IAM::Role', 'a')).toBe(id('AWS::IAM::Role', 'b'));
  });
});
