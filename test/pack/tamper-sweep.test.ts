import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packFiles } from '../../src/pack/layout.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { has, shell } from '../support/programs.ts';
import { copyOf, newSigner, sealedSample } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';

/** SWEEP=full changes every byte of every file, one after the other: some twenty-five minutes. */
const full = process.env['SWEEP'] === 'full';
const perFile = 12;
const seed = Number(process.env['SEED'] ?? 20260930);

/** Mulberry32: small, seeded, and good enough to choose places. */
function random(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Masks that change a byte: single bits, upper case and spaces, which text formats forgive. */
const masks = [0x01, 0x20, 0x80, 0xff, 0x0a, 0x10, 0x02, 0x40];

/** Places and masks to change: the ends always, the rest at random; or every place. */
function changes(length: number, next: () => number, count: number): { at: number; mask: number }[] {
  const places = full
    ? Array.from({ length }, (_, at) => at)
    : [0, length - 1, ...Array.from({ length: count }, () => Math.floor(next() * length))];
  return places.map((at, index) => ({ at, mask: masks[index % masks.length] ?? 1 }));
}

/** Says how far a sweep of everything has come: it takes long, and what it found must not wait for the end. */
function told(what: string, tried: number, missed: readonly string[]): void {
  if (full && tried % 5000 === 0) process.stderr.write(`${what}: ${String(tried)} changed, ${String(missed.length)} missed\n`);
}

let sample: SealedSample;
let copy: string;
let files: string[];

beforeAll(async () => {
  sample = await sealedSample(await newSigner());
  copy = copyOf(sample.run.packDirectory);
  files = readdirSync(copy, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(copy, name)).isFile())
    .sort();
});

describe('one byte changed anywhere', () => {
  test(
    'in any file of the unpacked pack, verification fails',
    async () => {
      const next = random(seed);
      const missed: string[] = [];
      let tried = 0;
      for (const name of files) {
        const path = join(copy, name);
        const good = readFileSync(path);
        if (good.length === 0) continue;
        for (const { at, mask } of changes(good.length, next, perFile)) {
          const bad = Buffer.from(good);
          bad[at] = (bad[at] ?? 0) ^ mask;
          writeFileSync(path, bad);
          tried += 1;
          if ((await verifyPack(copy, { fingerprint: sample.sealed.fingerprint })).ok) missed.push(`${name}@${String(at)}^${String(mask)}`);
          told('unpacked', tried, missed);
        }
        writeFileSync(path, good);
      }
      expect(missed).toEqual([]);
      expect(tried).toBeGreaterThan(files.length * 10);
      expect((await verifyPack(copy, { fingerprint: sample.sealed.fingerprint })).ok).toBe(true);
    },
    full ? 3_600_000 : 30_000,
  );

  test(
    'anywhere in the ZIP, verification fails',
    async () => {
      const next = random(seed + 1);
      const good = readFileSync(sample.run.zipPath);
      const path = join(sample.run.directory, 'changed.zip');
      const missed: string[] = [];
      // The end, where the container's own digest stands behind its name, is gone through byte by byte.
      const end = Array.from({ length: full ? 0 : 100 }, (_, index) => ({
        at: good.length - 1 - index,
        mask: masks[index % masks.length] ?? 1,
      }));
      for (const [tried, { at, mask }] of [...changes(good.length, next, 250), ...end].entries()) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ mask;
        writeFileSync(path, bad);
        if ((await verifyPack(path, { fingerprint: sample.sealed.fingerprint })).ok) missed.push(`${String(at)}^${String(mask)}`);
        told('ZIP', tried + 1, missed);
      }
      expect(missed).toEqual([]);
    },
    full ? 3_600_000 : 30_000,
  );

  test.skipIf(!has('sha256sum', 'openssl'))(
    'in any file, sha256sum or openssl fails too, as VERIFY.txt uses them',
    () => {
      const next = random(seed + 2);
      writeFileSync(join(sample.run.directory, 'root.crt'), sample.sealed.rootPem);
      // An outside check of the whole pack in one shell command; a change must make one of its parts fail.
      const check =
        `sha256sum --quiet --strict -c ${packFiles.manifest} ${packFiles.root} ${packFiles.signatureDigests} && ` +
        `openssl cms -verify -binary -cades -inform DER -in ${packFiles.signature} -content ${packFiles.root} -CAfile ${join(sample.run.directory, 'root.crt')} -out /dev/null`;
      expect(shell(check, copy).status).toBe(0);
      const missed: string[] = [];
      let tried = 0;
      for (const name of files) {
        const path = join(copy, name);
        const good = readFileSync(path);
        if (good.length === 0) continue;
        // Each of these takes two programs: of a payload that is behind digests, five hundred bytes stand for all.
        const all = changes(good.length, next, 1);
        const step = name.startsWith('data/') ? Math.ceil(all.length / 500) : 1;
        const some = all.filter((_, index) => index % step === 0);
        for (const { at } of some) {
          const bad = Buffer.from(good);
          bad[at] = (bad[at] ?? 0) ^ 0x01;
          writeFileSync(path, bad);
          tried += 1;
          if (shell(check, copy).status === 0) missed.push(`${name}@${String(at)}`);
          told('outside tools', tried, missed);
        }
        writeFileSync(path, good);
      }
      expect(missed).toEqual([]);
    },
    full ? 3_600_000 : 60_000,
  );
});
