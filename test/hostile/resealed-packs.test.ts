import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { replace } from '../support/file-edits.ts';
import { newSigner, type SealedSample, sealedSample, trusted } from '../support/packs.ts';
import { resealed } from '../support/resealed.ts';

/** Packs that the holder of the key changed after sealing, and signed again: every digest and signature holds, the contents do not. */

let signer: Signer;
let sample: SealedSample;
beforeAll(async () => {
  signer = await newSigner();
  sample = await sealedSample(signer);
});

async function problemsOf(change: (pack: string) => void, attest?: Parameters<typeof resealed>[3]): Promise<string[]> {
  const report = await verifyPack(await resealed(sample.run.packDirectory, signer, change, attest), trusted(sample));
  return report.steps.flatMap((step) => step.problems.map(({ code, message }) => `${code} ${message}`));
}

test('sealed again without a change it is a pack', async () => {
  expect(await problemsOf(() => undefined)).toEqual([]);
});

describe('what the pack says of itself', () => {
  test.each([
    ['External-Identifier', 'acme-2026-q4.v1'],
    ['Exhibit-As-Of', '2026-12-31T00:00:00Z'],
    ['Exhibit-Evidence-Complete', 'no: the gaps are listed in the report'],
    ['Exhibit-Evidence-Digest', 'a'.repeat(64)],
    ['Exhibit-Catalogue', 'CIS 9.9.9 sha256:00'],
    ['Exhibit-Signer', 'CN=Big Four'],
    ['Source-Organization', 'Somebody Else AG'],
  ])('%s', async (label, value) => {
    const found = await problemsOf((pack) => {
      replace(join(pack, 'bag-info.txt'), new RegExp(`^${label}: .*$`, 'm'), `${label}: ${value}`);
    });
    expect(found.join('\n')).toMatch(new RegExp(`info-contradicts .*${label} is `));
  });

  test('its root left out', async () => {
    const found = await problemsOf((pack) => {
      replace(join(pack, 'bag-info.txt'), /^Exhibit-Signer-Root: .*\n/m, '');
    });
    expect(found.join('\n')).toContain('Exhibit-Signer-Root is null');
  });

  test('a fingerprint in the instructions that is not that of the root', async () => {
    const found = await problemsOf((pack) => {
      replace(join(pack, 'VERIFY.txt'), /SHA-256 [0-9A-F]{2}:/, (match) =>
        match.replace(/[0-9A-F]{2}:$/, (two) => (two === '00:' ? '11:' : '00:')),
      );
    });
    expect(found.join('\n')).toContain('it names another root');
  });

  test('a statement that says more than the pack', async () => {
    const found = await problemsOf(
      () => undefined,
      ({ predicate }) => {
        Object.assign(predicate, { evidence: { complete: true, digest: { sha256: '0'.repeat(64) } } });
      },
    );
    expect(found.join('\n')).toContain('attestation-contradicts');
  });
});

test.each(['data/summary.pdf', 'data/report.htm', 'data/inputs/opinion.txt', 'data/inputs/exhibit.yml'])(
  'a file besides the pack: %s',
  async (path) => {
    const found = await problemsOf((pack) => {
      writeFileSync(join(pack, path), 'all is well');
    });
    expect(found.join('\n')).toContain('file-unknown');
  },
);
