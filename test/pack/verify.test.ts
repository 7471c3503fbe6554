import { createHash, generateKeyPairSync } from 'node:crypto';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packFiles } from '../../src/pack/layout.ts';
import { signPdf } from '../../src/pack/pades.ts';
import { problemCodes, verifyPack } from '../../src/pack/verify.ts';
import type { ProblemCode, VerifyOptions, VerifyReport } from '../../src/pack/verify.ts';
import { issueCertificate, writePem } from '../../src/pack/sign/certificate.ts';
import { signCms } from '../../src/pack/sign/cms.ts';
import { integer, oid, sequence } from '../../src/pack/sign/der.ts';
import { oids } from '../../src/pack/sign/oids.ts';
import { checked, signWith } from '../../src/pack/sign/signer.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { copyOf, newSigner, sealedSample } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';
import { temporaryDirectory } from '../support/pack-run.ts';
import { startTimestampAuthority } from '../support/timestamp-authority.ts';
import { zipBytes } from '../support/zip-bytes.ts';
import type { ZipMember } from '../support/zip-bytes.ts';

let signer: Signer;
let stranger: Signer;
let sample: SealedSample;

beforeAll(async () => {
  signer = await newSigner();
  stranger = await newSigner('Somebody else');
  sample = await sealedSample(signer);
});

function codesOf(report: VerifyReport): ProblemCode[] {
  return report.steps.flatMap((step) => step.problems.map((problem) => problem.code));
}

const trusted = (): VerifyOptions => ({ fingerprint: sample.sealed.fingerprint });
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

function zipWith(...members: ZipMember[]): string {
  const path = join(temporaryDirectory('zip'), 'pack.zip');
  writeFileSync(path, zipBytes([{ name: 'bagit.txt', content: 'BagIt-Version: 1.0\n' }, ...members]));
  return path;
}

/** Changes one byte, found by `at` (negative: from the end). */
function flip(file: string, at: number, mask = 0x01): void {
  const bytes = readFileSync(file);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  writeFileSync(file, bytes);
}

function replace(file: string, from: string | RegExp, to: string | ((match: string) => string)): void {
  const before = readFileSync(file, 'latin1');
  const after = before.replace(from, (match) => (typeof to === 'string' ? to : to(match)));
  if (after === before) throw new Error(`nothing to replace in ${file}`);
  writeFileSync(file, after, 'latin1');
}

/** For each code, a pack that must be refused with it. A directory or ZIP path, and the options to verify with. */
type Harmed = string | { path: string; options: VerifyOptions };
type Harm = () => Harmed | Promise<Harmed>;

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
        by === undefined ? signer : await by(),
        (run) => {
          harm(run.directory);
        },
        { evenIfInconsistent: true },
      )
    ).run.packDirectory;

const pagePath = 'evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket/page-000002.json';
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

const harms: Record<ProblemCode, Harm> = {
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
  'too-large': () => ({ path: sample.run.packDirectory, options: { ...trusted(), limits: { tagFile: 1024, report: 1024 } } }),
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
    flip(join(pack, packFiles.signatureDigests), 0);
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
    const root = readFileSync(join(pack, packFiles.root));
    writeFileSync(join(pack, packFiles.signature), await signCms(sha256(root), stranger, () => Promise.resolve(null)));
  }),
  'bundle-invalid': onCopy((pack) => {
    flip(join(pack, packFiles.bundle), 200);
  }),
  'attestation-invalid': onCopy((pack) => {
    flip(join(pack, packFiles.attestation), 400);
  }),
  'attestation-contradicts': onCopy(async (pack) => {
    const root = readFileSync(join(pack, packFiles.root));
    writeFileSync(join(pack, packFiles.signature), await signCms(sha256(root), signer, () => Promise.resolve(null)));
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
  'unknown-signer': async () => ({ path: (await sealedSample(stranger)).run.packDirectory, options: trusted() }),
  'fingerprint-malformed': () => ({ path: sample.run.packDirectory, options: { fingerprint: 'AB:CD' } }),
  'path-broken': onCopy((pack) => {
    writeFileSync(
      join(pack, packFiles.certificates),
      [signer.certificate, ...stranger.chain].map((certificate) => writePem(certificate.der)).join(''),
    );
  }),
  'certificate-expired': () => ({ path: sample.run.packDirectory, options: { ...trusted(), at: new Date('2099-01-01') } }),
  'certificate-not-yet-valid': () => ({ path: sample.run.packDirectory, options: { ...trusted(), at: new Date('2001-01-01') } }),
  'certificate-usage': spoiltRun(() => undefined, authorityAsSigner),
  'timestamp-missing': async () => {
    const authority = await startTimestampAuthority();
    try {
      const root = join(temporaryDirectory('tsa'), 'root.pem');
      writeFileSync(root, authority.rootPem);
      const stamped = await sealedSample(signer, undefined, { timestamp: { url: authority.url, root } });
      const pack = copyOf(stamped.run.packDirectory);
      writeFileSync(
        join(pack, packFiles.signature),
        await signCms(sha256(readFileSync(join(pack, packFiles.root))), signer, () => Promise.resolve(null)),
      );
      return pack;
    } finally {
      await authority.close();
    }
  },
  'timestamp-invalid': onCopy(async (pack) => {
    const root = readFileSync(join(pack, packFiles.root));
    writeFileSync(join(pack, packFiles.signature), await signCms(sha256(root), signer, () => Promise.resolve(sequence(integer(1)))));
  }),
  'root-unexpected': () => ({ path: sample.run.packDirectory, options: { ...trusted(), expectedRoot: 'a'.repeat(64) } }),
};

describe('a pack as sealed', () => {
  test.each(['packDirectory', 'zipPath'] as const)('verifies: %s', async (kind) => {
    const report = await verifyPack(sample.run[kind], trusted());
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
    const report = await verifyPack(path, trusted());
    expect(codesOf(report)).toEqual([]);
    expect(report.notes.map((note) => note.code)).toContain('container-unsealed');
  });
});

describe('every way a pack can be wrong has its own code', () => {
  for (const code of Object.keys(problemCodes) as ProblemCode[]) {
    test(code, async () => {
      const made = await harms[code]();
      const { path, options } = typeof made === 'string' ? { path: made, options: trusted() } : made;
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

  test('bytes after the end', async () => {
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    writeFileSync(path, Buffer.concat([readFileSync(sample.run.zipPath), Buffer.from('more')]));
    expect((await verifyPack(path, trusted())).ok).toBe(false);
  });

  test('cut short anywhere, it is refused and nothing is thrown', async () => {
    const bytes = readFileSync(sample.run.zipPath);
    const path = join(temporaryDirectory('zip'), 'pack.zip');
    for (let keep = 0; keep < bytes.length; keep += Math.ceil(bytes.length / 40)) {
      writeFileSync(path, bytes.subarray(0, keep));
      expect((await verifyPack(path, trusted())).ok).toBe(false);
    }
  });
});

describe('results that a signer could have made up', () => {
  const disagrees = async (harm: (run: string) => void): Promise<string> => {
    await expect(
      sealedSample(signer, ({ directory }) => {
        harm(directory);
      }),
    ).rejects.toThrow(/does not agree with itself/);
    const { run } = await sealedSample(
      signer,
      ({ directory }) => {
        harm(directory);
      },
      { evenIfInconsistent: true },
    );
    const report = await verifyPack(run.packDirectory, trusted());
    expect(report.ok).toBe(false);
    return report.steps.flatMap((step) => step.problems.map((problem) => `${problem.code} ${problem.message}`)).join('\n');
  };
  const assessment = 'results/assessment.json';

  test('a control that passes over failing observations', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, assessment), '"status":"fail"', '"status":"pass"');
      }),
    ).toContain('passes, with observations that are fail');
  });

  test('a control that passes over nothing', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, assessment), '"status":"fail"', '"status":"pass"');
        writeFileSync(join(run, 'results/observations.ndjson'), '');
        replace(join(run, reconciliation), '"pass":3,"fail":3', '"pass":0,"fail":0');
      }),
    ).toContain('passes without any observation');
  });

  test('a population that does not balance under a control that passes', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, assessment), '"status":"fail"', '"status":"pass"');
        replace(
          join(run, reconciliation),
          '"balanced":true,"reasons":[]',
          '"balanced":false,"reasons":[{"code":"unbalanced","message":"more exist"}]',
        );
      }),
    ).toContain('does not balance, and the control passes');
  });

  test('an observation of a population that is not reconciled', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, reconciliation), /^\[.*\]$/, '[]');
      }),
    ).toContain('observations without a population');
  });

  test('a count that nobody gave', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, reconciliation), /"count":\{[^}]*\}/, '"count":null');
      }),
    ).toContain('the provider counts nothing');
  });

  test('malformed lines and records are named', async () => {
    expect(
      await disagrees((run) => {
        appendFileSync(join(run, 'results/observations.ndjson'), '{"control":1}\nnot json\n');
      }),
    ).toMatch(/line 8: it is not JSON/);
    expect(
      await disagrees((run) => {
        writeFileSync(join(run, reconciliation), '{}');
      }),
    ).toContain('reconciliation-unreadable');
  });
});

test('a re-signed pack that is consistent in itself is an unknown signer', async () => {
  const other = await sealedSample(stranger);
  const report = await verifyPack(other.run.zipPath, trusted());
  expect(codesOf(report)).toEqual(['unknown-signer']);
});

test('an altered page, re-manifested and signed by a stranger, names the re-signing', async () => {
  const pack = copyOf(sample.run.packDirectory);
  flip(join(pack, 'data', pagePath), 12);
  const line = (file: string): string => `${sha256(readFileSync(join(pack, file))).toString('hex')}  ${file}`;
  replace(join(pack, packFiles.manifest), new RegExp(`[0-9a-f]{64}  data/${pagePath.replaceAll('.', '\\.')}`), line(`data/${pagePath}`));
  writeFileSync(
    join(pack, packFiles.certificates),
    [stranger.certificate, ...stranger.chain].map((certificate) => writePem(certificate.der)).join(''),
  );
  for (const file of [packFiles.manifest, packFiles.certificates])
    replace(join(pack, packFiles.root), new RegExp(`[0-9a-f]{64}  ${file}`), line(file));
  writeFileSync(
    join(pack, packFiles.signature),
    await signCms(sha256(readFileSync(join(pack, packFiles.root))), stranger, () => Promise.resolve(null)),
  );
  const codes = codesOf(await verifyPack(pack, trusted()));
  expect(codes).toContain('re-signed');
  expect(codes).toContain('unknown-signer');
  expect(codes).toContain('page-altered');
});
