import { createHash, generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { packFiles } from '../../src/pack/layout.ts';
import { signPdf } from '../../src/pack/pades.ts';
import { issueCertificate, writePem } from '../../src/pack/sign/certificate.ts';
import { signCms } from '../../src/pack/sign/cms.ts';
import { integer, oid, sequence } from '../../src/pack/sign/der.ts';
import { oids } from '../../src/pack/sign/oids.ts';
import { checked, signWith } from '../../src/pack/sign/signer.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import type { ProblemCode, VerifyOptions } from '../../src/pack/verify.ts';
import { flip, replace } from './file-edits.ts';
import { pagePath, temporaryDirectory } from './pack-run.ts';
import { copyOf, sealedSample, trusted } from './packs.ts';
import type { SealedSample } from './packs.ts';
import { startTimestampAuthority } from './timestamp-authority.ts';
import { zipBytes, zipWith } from './zip-bytes.ts';

/** A pack that has come to harm: a directory or ZIP path, and where it is not the signer's fingerprint, what to verify with. */
export type HarmedPack = string | { path: string; options: VerifyOptions };
type Harm = () => HarmedPack | Promise<HarmedPack>;

const reconciliation = 'results/reconciliation.json';

/** A self-signed certificate that may issue but not sign documents. */
async function authorityAsSigner(): Promise<Signer> {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sign = (tbs: Buffer): Promise<Buffer> => Promise.resolve(signWith(pair.privateKey, tbs));
  const certificate = await issueCertificate(
    {
      subject: { commonName: 'Not for documents' },
      publicKey: pair.publicKey,
      serial: Buffer.from([1]),
      notBefore: new Date('2020-01-01'),
      notAfter: new Date('2045-01-01'),
      role: 'root',
    },
    null,
    'ES256',
    sign,
  );
  return checked({ algorithm: 'ES256', certificate, chain: [], sign });
}

/** Writes a signature over the pack as it is now, by whom one likes. */
export async function signAnew(pack: string, by: Signer, timestamp: Buffer | null = null): Promise<void> {
  const root = readFileSync(join(pack, packFiles.root));
  writeFileSync(
    join(pack, packFiles.signature),
    await signCms(createHash('sha256').update(root).digest(), by, () => Promise.resolve(timestamp)),
  );
}

/** For each code, a way to make a pack that must be refused with it, out of a sealed one. */
export function packHarms(sample: SealedSample, stranger: Signer): Record<ProblemCode, Harm> {
  const onCopy =
    (harm: (pack: string) => void | Promise<void>): Harm =>
    async () => {
      const pack = copyOf(sample.run.packDirectory);
      await harm(pack);
      return pack;
    };

  const spoiltRun =
    (harm: (run: string) => void, by?: () => Promise<Signer>): Harm =>
    async () =>
      (
        await sealedSample(
          by === undefined ? sample.signer : await by(),
          (run) => {
            harm(run.directory);
          },
          { evenIfInconsistent: true },
        )
      ).run.packDirectory;

  return {
    unreadable: () => join(temporaryDirectory('none'), 'nothing-here'),
    'not-a-pack': () => temporaryDirectory('empty'),
    'zip-malformed': () => {
      const path = join(temporaryDirectory('zip'), 'pack.zip');
      writeFileSync(path, 'this is no ZIP at all');
      return path;
    },
    'zip-prefix': () => {
      const path = join(temporaryDirectory('zip'), 'pack.zip');
      writeFileSync(path, zipBytes([{ name: 'bagit.txt', content: 'x', gap: Buffer.from('#!/bin/sh\n') }]));
      return path;
    },
    'zip-gap': () => zipWith({ name: 'data/x', content: 'x', gap: Buffer.from('hidden') }),
    'zip-header-mismatch': () => zipWith({ name: 'data/x', content: 'x', localName: 'data/y' }),
    'zip-container-altered': () => {
      const path = join(temporaryDirectory('zip'), 'pack.zip');
      const bytes = readFileSync(sample.run.zipPath);
      // The "version made by" of the first entry of the list: no tool looks at it.
      bytes[bytes.indexOf('PK\x01\x02', 0, 'latin1') + 4]! ^= 1;
      writeFileSync(path, bytes);
      return path;
    },
    'zip-entry-damaged': () => {
      const path = join(temporaryDirectory('zip'), 'pack.zip');
      const bytes = readFileSync(sample.run.zipPath);
      bytes[bytes.indexOf('VERIFY.txt') + 40]! ^= 0x10;
      writeFileSync(path, bytes);
      return path;
    },
    'zip-unsupported': () => zipWith({ name: 'data/x', content: 'x', flags: 0x801 }),
    'zip-bomb': () => zipWith({ name: 'data/x', content: Buffer.alloc(64 * 1024 * 1024) }),
    'too-large': () => ({ path: sample.run.packDirectory, options: { ...trusted(sample), limits: { tagFile: 1024, report: 1024 } } }),
    'duplicate-name': () => zipWith({ name: 'data/x', content: 'one' }, { name: 'data/x', content: 'two' }),
    'case-collision': onCopy((pack) => {
      writeFileSync(join(pack, 'data/REPORT.html'), 'other');
    }),
    symlink: onCopy((pack) => {
      symlinkSync('/etc/passwd', join(pack, 'data/link'));
    }),
    'special-file': onCopy(
      (pack) =>
        new Promise((resolve) => {
          const server = createServer();
          afterAll(() => server.close());
          server.listen(join(pack, 'data/s'), () => {
            resolve();
          });
        }),
    ),
    'unsafe-path': () => zipWith({ name: '../../etc/cron.d/x', content: 'x' }),
    'unsafe-name': () => zipWith({ name: 'data/report\u202efdp.html', content: 'x' }),
    'manifest-missing': onCopy((pack) => {
      rmSync(join(pack, packFiles.manifest));
    }),
    'manifest-malformed': onCopy((pack) => {
      replace(join(pack, packFiles.manifest), /^[0-9a-f]{64}/, (match) => match.toUpperCase());
    }),
    'weak-manifest': onCopy((pack) => {
      writeFileSync(join(pack, 'manifest-md5.txt'), '');
    }),
    'declaration-wrong': onCopy((pack) => {
      replace(join(pack, packFiles.declaration), '1.0', '0.9');
    }),
    'info-malformed': onCopy((pack) => {
      appendFileSync(join(pack, packFiles.info), 'no colon here\n');
    }),
    'format-unknown': onCopy((pack) => {
      replace(join(pack, packFiles.info), 'Pack-Format: 1', 'Pack-Format: 9');
    }),
    'file-altered': onCopy((pack) => {
      flip(join(pack, 'data', pagePath), 10);
    }),
    'file-missing': onCopy((pack) => {
      rmSync(join(pack, 'data', pagePath));
    }),
    'file-extra': onCopy((pack) => {
      writeFileSync(join(pack, 'data/extra.json'), '{}');
    }),
    'tag-file-altered': onCopy((pack) => {
      appendFileSync(join(pack, packFiles.instructions), 'Send the fingerprint to me.\n');
    }),
    'tag-file-missing': onCopy((pack) => {
      rmSync(join(pack, packFiles.instructions));
    }),
    'signature-digests-wrong': onCopy((pack) => {
      // Another digit, never another character: a line that is none has a code of its own.
      replace(join(pack, packFiles.signatureDigests), /^[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0'));
    }),
    'info-contradicts': onCopy((pack) => {
      replace(join(pack, packFiles.info), 'Evidence-Complete: yes', 'Evidence-Complete: no');
    }),
    'file-unknown': spoiltRun((run) => {
      writeFileSync(join(run, 'inputs/opinion.txt'), 'all is well');
    }),
    'count-wrong': onCopy((pack) => {
      writeFileSync(join(pack, 'data/extra.json'), '{}');
    }),
    'certificates-unreadable': onCopy((pack) => {
      writeFileSync(join(pack, packFiles.certificates), 'no certificate');
    }),
    'signature-missing': onCopy((pack) => {
      rmSync(join(pack, packFiles.signature));
    }),
    'signature-malformed': onCopy((pack) => {
      appendFileSync(join(pack, packFiles.signature), 'x');
    }),
    // The version of the signed data, which OpenSSL does not look at.
    'signature-not-canonical': onCopy((pack) => {
      const file = join(pack, packFiles.signature);
      flip(file, readFileSync(file).indexOf(Buffer.from('020101310d', 'hex')) + 2, 0x02);
    }),
    'signature-over-other-content': onCopy((pack) => {
      replace(join(pack, packFiles.root), /^[0-9a-f]/, (digit) => (digit === '0' ? '1' : '0'));
    }),
    'signature-wrong': onCopy((pack) => {
      flip(join(pack, packFiles.signature), -1);
    }),
    'signature-algorithm': onCopy((pack) => {
      const file = join(pack, packFiles.signature);
      flip(file, readFileSync(file).lastIndexOf(oid(oids.sha256)) + oid(oids.sha256).length - 1, 0x03);
    }),
    're-signed': onCopy(async (pack) => {
      await signAnew(pack, stranger);
    }),
    'bundle-invalid': onCopy((pack) => {
      flip(join(pack, packFiles.bundle), 200);
    }),
    'attestation-invalid': onCopy((pack) => {
      flip(join(pack, packFiles.attestation), 400);
    }),
    'attestation-contradicts': onCopy(async (pack) => {
      await signAnew(pack, sample.signer);
    }),
    'report-missing': onCopy((pack) => {
      rmSync(join(pack, 'data/report.pdf'));
    }),
    'report-unsigned': onCopy((pack) => {
      cpSync(join(sample.run.directory, 'report.pdf'), join(pack, 'data/report.pdf'));
    }),
    'report-several-signatures': onCopy(async (pack) => {
      const file = join(pack, 'data/report.pdf');
      writeFileSync(
        file,
        await signPdf(readFileSync(file), stranger, { signedAt: new Date(), reason: 'mine', timestamp: () => Promise.resolve(null) }),
      );
    }),
    'report-appended': onCopy((pack) => {
      appendFileSync(join(pack, 'data/report.pdf'), '\n%%EOF\n');
    }),
    'report-gap': onCopy((pack) => {
      const file = join(pack, 'data/report.pdf');
      flip(file, readFileSync(file).lastIndexOf('0000000000000>') + 5, 0x01);
    }),
    'report-signature-wrong': onCopy((pack) => {
      flip(join(pack, 'data/report.pdf'), 20);
    }),
    'evidence-unreadable': spoiltRun((run) => {
      writeFileSync(join(run, 'evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket/query.json'), '{"pages":[{"file":1}]}');
    }),
    'page-missing': spoiltRun((run) => {
      rmSync(join(run, pagePath));
    }),
    'page-altered': spoiltRun((run) => {
      flip(join(run, pagePath), 30);
    }),
    'page-unlisted': spoiltRun((run) => {
      writeFileSync(join(run, pagePath.replace('000002', '000009')), '{}');
    }),
    'evidence-digest-wrong': spoiltRun((run) => {
      appendFileSync(join(run, 'evidence/ledger.json'), '\n');
    }),
    'results-disagree': spoiltRun((run) => {
      replace(join(run, 'results/observations.ndjson'), '"status":"fail"', '"status":"pass"');
    }),
    'ledger-disagrees': spoiltRun((run) => {
      replace(join(run, 'evidence/ledger.json'), '"held":6', '"held":7');
    }),
    'ledger-contradicted': spoiltRun((run) => {
      replace(join(run, 'evidence/ledger.json'), '"count":6', '"count":5');
    }),
    'record-missing': spoiltRun((run) => {
      replace(join(run, 'results/observations.ndjson'), '/Results/1', '/Results/7');
    }),
    'query-unfinished': spoiltRun((run) => {
      replace(
        join(run, pagePath, '../query.json'),
        /"nextTokenSha256": null,\n(?=.*\n *\}\n *\])/,
        `"nextTokenSha256": "${'a'.repeat(64)}",\n`,
      );
    }),
    'inputs-disagree': spoiltRun((run) => {
      appendFileSync(join(run, 'inputs/catalogue/controls.yaml'), '# weaker\n');
    }),
    'configuration-disagrees': spoiltRun((run) => {
      replace(join(run, 'inputs/exhibit.yaml'), 'longestDays: 30', 'longestDays: 9');
    }),
    'report-stale': spoiltRun((run) => {
      appendFileSync(join(run, 'report.html'), '<p>all is well</p>');
    }),
    'citation-missing': spoiltRun((run) => {
      replace(join(run, 'results/observations.ndjson'), 'page-000001', 'page-000007');
    }),
    'reconciliation-unreadable': spoiltRun((run) => {
      rmSync(join(run, reconciliation));
    }),
    'reconciliation-unbalanced': spoiltRun((run) => {
      replace(join(run, reconciliation), '"fail":3', '"fail":2');
    }),
    'identity-not-established': () => ({ path: sample.run.packDirectory, options: {} }),
    'unknown-signer': async () => ({ path: (await sealedSample(stranger)).run.packDirectory, options: trusted(sample) }),
    'fingerprint-malformed': () => ({ path: sample.run.packDirectory, options: { fingerprint: 'AB:CD' } }),
    'path-broken': onCopy((pack) => {
      writeFileSync(
        join(pack, packFiles.certificates),
        [sample.signer.certificate, ...stranger.chain].map((certificate) => writePem(certificate.der)).join(''),
      );
    }),
    'certificate-expired': () => ({ path: sample.run.packDirectory, options: { ...trusted(sample), at: new Date('2099-01-01') } }),
    'certificate-not-yet-valid': () => ({ path: sample.run.packDirectory, options: { ...trusted(sample), at: new Date('2001-01-01') } }),
    'certificate-usage': spoiltRun(() => undefined, authorityAsSigner),
    'timestamp-missing': async () => {
      const authority = await startTimestampAuthority();
      try {
        const root = join(temporaryDirectory('tsa'), 'root.pem');
        writeFileSync(root, authority.rootPem);
        const stamped = await sealedSample(sample.signer, undefined, { timestamp: { url: authority.url, root } });
        const pack = copyOf(stamped.run.packDirectory);
        await signAnew(pack, sample.signer);
        return pack;
      } finally {
        await authority.close();
      }
    },
    'timestamp-invalid': onCopy(async (pack) => {
      await signAnew(pack, sample.signer, sequence(integer(1)));
    }),
    'root-unexpected': () => ({ path: sample.run.packDirectory, options: { ...trusted(sample), expectedRoot: 'a'.repeat(64) } }),
  };
}
