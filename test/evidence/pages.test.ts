import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keepElsewhere, storeElsewhere } from '../../src/evidence/pages/elsewhere.ts';
import { redactPage } from '../../src/evidence/redaction/redact.ts';

const key = Buffer.alloc(32, 7);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** A page of about `kilobytes`, every tenth record with a secret. */
const page = (kilobytes: number, secret: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      Results: Array.from({ length: kilobytes }, (_, at) =>
        JSON.stringify({
          id: at,
          name: 'ä'.repeat(400),
          ...(at % 10 === 0 && { configuration: { masterUserPassword: `${secret}-${at}` } }),
        }),
      ),
    }),
  );

describe('keeping pages on a thread of its own', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'exhibit-pages-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const keep = (received: Uint8Array, file: string) =>
    keepElsewhere({
      received: new Uint8Array(received),
      place: { root: directory, below: file.split('/').slice(0, -1), made: true, name: basename(file) },
      location: `evidence/c/s/q/${file}`,
      key,
    });

  test('stores the same bytes and commitments as redaction here comes to, many pages at once', async () => {
    const pages = Array.from({ length: 12 }, (_, at) => page(40 + at, `hunter${at}`));
    const there = await Promise.all(pages.map((one, at) => keep(one, `page-${at}.json`)));
    for (const [at, one] of pages.entries()) {
      const here = await redactPage(one, `evidence/c/s/q/page-${at}.json`, key);
      const stored = readFileSync(join(directory, `page-${at}.json`));
      expect(Buffer.compare(stored, here.bytes)).toBe(0);
      expect(there[at]).toEqual({
        sha256: sha256(stored),
        receivedSha256: sha256(one),
        bytes: stored.length,
        redactions: here.redactions,
      });
      expect(here.redactions.length).toBeGreaterThan(3);
      expect(stored.toString('utf8')).not.toContain(`hunter${at}-`);
    }
    expect(readdirSync(directory)).toHaveLength(pages.length);
  });

  test('a page without secrets stays as received', async () => {
    const plain = Buffer.from(JSON.stringify({ Results: Array.from({ length: 100 }, () => 'x'.repeat(1000)) }));
    const { redactions, sha256: digest, receivedSha256 } = await keep(plain, 'page-000001.json');
    expect(Buffer.compare(readFileSync(join(directory, 'page-000001.json')), plain)).toBe(0);
    expect(redactions).toEqual([]);
    expect(digest).toBe(receivedSha256);
  });

  test('a process that keeps nothing ends', () => {
    const module = new URL('../../src/evidence/pages/elsewhere.ts', import.meta.url).href;
    const code = `const { startKeeper } = await import(${JSON.stringify(module)}); startKeeper(); await new Promise((done) => setTimeout(done, 2000)); process.stdout.write('started');`;
    const script = join(directory, 'keeps-nothing.mjs');
    writeFileSync(script, code);
    const run = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 30_000 });
    expect(run.signal).toBe(null);
    expect(run.stdout).toBe('started');
  }, 40_000);

  test('what the file system says comes back as it was, and the next page is kept', async () => {
    await expect(keep(page(4, 'x'), 'gone/page-000001.json')).rejects.toMatchObject({ code: 'ENOENT', syscall: 'open' });
    await keep(page(4, 'x'), 'page-000002.json');
    expect(readdirSync(directory)).toEqual(['page-000002.json']);
  });

  test('directories are made below the root, and the root never', async () => {
    const place = { root: directory, below: ['a', 'b'], made: false, name: 'query.json' };
    await Promise.all([storeElsewhere('one', place), storeElsewhere('two', { ...place, name: 'other.json' })]);
    expect(readFileSync(join(directory, 'a', 'b', 'query.json'), 'utf8')).toBe('one');
    expect(readFileSync(join(directory, 'a', 'b', 'other.json'), 'utf8')).toBe('two');
    await expect(storeElsewhere('three', { ...place, root: join(directory, 'gone') })).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(directory)).toEqual(['a']);
  });
});
