import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packFiles } from '../../src/pack/layout.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { has, shell } from '../support/programs.ts';
import { copyOf, newSigner, sealedSample } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';

/** SWEEP=full changes every byte of the files around the payload, and thousands of the rest. */
const full = process.env['SWEEP'] === 'full';
const perFile = full ? 2000 : 12;
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

/** Places and masks to change: the ends always, the rest at random. Also single bits, upper case and spaces, which text formats forgive. */
function changes(length: number, next: () => number, count: number): { at: number; mask: number }[] {
  const masks = [0x01, 0x20, 0x80, 0xff, 0x0a, 0x10];
  if (full && length <= count) return Array.from({ length }, (_, at) => masks.map((mask) => ({ at, mask }))).flat();
  const places = [0, length - 1, ...Array.from({ length: count }, () => Math.floor(next() * length))];
  return places.map((at, index) => ({ at, mask: masks[index % masks.length] ?? 1 }));
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
      for (const { at, mask } of changes(good.length, next, full ? 20_000 : 250)) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ mask;
        writeFileSync(path, bad);
        if ((await verifyPack(path, { fingerprint: sample.sealed.fingerprint })).ok) missed.push(`${String(at)}^${String(mask)}`);
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
      for (const name of files) {
        const path = join(copy, name);
        const good = readFileSync(path);
        if (good.length === 0) continue;
        for (const { at } of changes(good.length, next, full ? 200 : 1)) {
          const bad = Buffer.from(good);
          bad[at] = (bad[at] ?? 0) ^ 0x01;
          writeFileSync(path, bad);
          if (shell(check, copy).status === 0) missed.push(`${name}@${String(at)}`);
        }
        writeFileSync(path, good);
      }
      expect(missed).toEqual([]);
    },
    full ? 3_600_000 : 60_000,
  );
});
