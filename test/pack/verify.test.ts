import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packFiles } from '../../src/pack/layout.ts';
import { problemCodes, verifyPack } from '../../src/pack/verify.ts';
import type { ProblemCode } from '../../src/pack/verify.ts';
import { writePem } from '../../src/pack/sign/certificate.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { flip, replace } from '../support/file-edits.ts';
import { packHarms, signAnew } from '../support/pack-harms.ts';
import { pagePath, temporaryDirectory } from '../support/pack-run.ts';
import { codesOf, copyOf, newSigner, sealedSample, trusted } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';
import { zipBytes } from '../support/zip-bytes.ts';

let stranger: Signer;
let sample: SealedSample;
beforeAll(async () => {
  stranger = await newSigner('Somebody else');
  sample = await sealedSample(await newSigner());
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a pack as sealed', () => {
  test.each(['packDirectory', 'zipPath'] as const)('verifies: %s', async (kind) => {
    const report = await verifyPack(sample.run[kind], trusted(sample));
    expect(codesOf(report)).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      signerEstablished: true,
      root: sample.sealed.root,
      runId: 'acme-2026-q3.v1',
      files: sample.sealed.files,
    });
    expect(report.steps.map((step) => [step.name, step.status])).toEqual([
      ['container', 'ok'],
      ['files', 'ok'],
      ['signatures', 'ok'],
      ['evidence', 'ok'],
      ['signer', 'ok'],
    ]);
  });

  test('accepts a fingerprint as OpenSSL prints it, in small letters, and without colons', async () => {
    for (const written of [
      `sha256 Fingerprint=${sample.sealed.fingerprint}`,
      sample.sealed.fingerprint.toLowerCase(),
      sample.sealed.fingerprint.replaceAll(':', ''),
    ]) {
      expect((await verifyPack(sample.run.zipPath, { fingerprint: written })).ok).toBe(true);
    }
  });

  test('without a fingerprint, integrity is shown and trust is not', async () => {
    const report = await verifyPack(sample.run.zipPath);
    expect(report.ok).toBe(false);
    expect(codesOf(report)).toEqual(['identity-not-established']);
    expect(report.conclusion).toContain('NOT established');
  });

  test('integrity alone can be asked for, and says what it leaves open', async () => {
    const report = await verifyPack(sample.run.zipPath, { identity: 'not-asked' });
    expect(report.ok).toBe(true);
    expect(report.signerEstablished).toBe(false);
    expect(report.notes.map((note) => note.code)).toContain('identity-not-asked');
  });

  test('packed again by another tool it verifies, and the container is said not to have been', async () => {
    const members = readdirSync(sample.run.packDirectory, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(sample.run.packDirectory, name)).isFile())
      .map((name) => ({ name, content: readFileSync(join(sample.run.packDirectory, name)) }));
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    writeFileSync(path, zipBytes(members));
    const report = await verifyPack(path, trusted(sample));
    expect(codesOf(report)).toEqual([]);
    expect(report.notes.map((note) => note.code)).toContain('container-unsealed');
  });
});

describe('every way a pack can be wrong has its own code', () => {
  for (const code of Object.keys(problemCodes) as ProblemCode[]) {
    test(code, async () => {
      const made = await packHarms(sample, stranger)[code]();
      const { path, options } = typeof made === 'string' ? { path: made, options: trusted(sample) } : made;
      const report = await verifyPack(path, options);
      expect(report.ok).toBe(false);
      expect(codesOf(report)).toContain(code);
      const message = report.steps.flatMap((step) => step.problems).find((problem) => problem.code === code)?.message;
      expect(message?.startsWith(problemCodes[code].slice(0, -1))).toBe(true);
    });
  }

  test('and no two share a message', () => {
    expect(new Set(Object.values(problemCodes)).size).toBe(Object.keys(problemCodes).length);
  });
});

test('a re-signed pack that is consistent in itself is an unknown signer', async () => {
  const other = await sealedSample(stranger);
  const report = await verifyPack(other.run.zipPath, trusted(sample));
  expect(codesOf(report)).toEqual(['unknown-signer']);
});

test('an altered page, re-manifested and signed by a stranger, names the re-signing', async () => {
  const pack = copyOf(sample.run.packDirectory);
  flip(join(pack, 'data', pagePath), 12);
  const line = (file: string): string => `${sha256(readFileSync(join(pack, file)))}  ${file}`;
  replace(join(pack, packFiles.manifest), new RegExp(`[0-9a-f]{64}  data/${pagePath.replaceAll('.', '\\.')}`), line(`data/${pagePath}`));
  writeFileSync(
    join(pack, packFiles.certificates),
    [stranger.certificate, ...stranger.chain].map((certificate) => writePem(certificate.der)).join(''),
  );
  for (const file of [packFiles.manifest, packFiles.certificates])
    replace(join(pack, packFiles.root), new RegExp(`[0-9a-f]{64}  ${file}`), line(file));
  await signAnew(pack, stranger);
  const codes = codesOf(await verifyPack(pack, trusted(sample)));
  expect(codes).toContain('re-signed');
  expect(codes).toContain('unknown-signer');
  expect(codes).toContain('page-altered');
});
