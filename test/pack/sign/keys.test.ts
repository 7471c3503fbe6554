import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { normalizeFingerprint, readPemCertificates } from '../../../src/pack/sign/certificate.ts';
import { initKeys, loadSigner, loadSignerFromFiles, rootFingerprint, showKeys } from '../../../src/pack/sign/keys.ts';
import { checked, verifySignature } from '../../../src/pack/sign/signer.ts';
import { sealedSample } from '../../support/packs.ts';
import { verifyPack } from '../../../src/pack/verify.ts';
import { temporaryDirectory } from '../../support/pack-run.ts';
import { has, ran, shell } from '../../support/programs.ts';

const fresh = (): string => join(temporaryDirectory('keys'), 'deep/er', 'keys');
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('a local identity', () => {
  test('is made on first use, with private keys for its owner alone', async () => {
    const directory = fresh();
    const made = await initKeys(directory, { organization: 'Acme AG' });
    expect(made).toMatchObject({
      created: true,
      subject: 'CN=Exhibit evidence signer, O=Acme AG',
      rootSubject: 'CN=Exhibit local root, O=Acme AG',
      algorithm: 'ES256',
    });
    expect(made.fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(readdirSync(directory).sort()).toEqual(['root.crt', 'root.key', 'signer.crt', 'signer.key']);
    expect([
      mode(directory),
      mode(join(directory, 'root.key')),
      mode(join(directory, 'signer.key')),
      mode(join(directory, 'root.crt')),
    ]).toEqual(['700', '600', '600', '644']);
    expect(readdirSync(join(directory, '..'))).toEqual(['keys']);
  });

  test('is made in a directory that was prepared for it', async () => {
    const directory = temporaryDirectory('keys');
    expect((await initKeys(directory)).created).toBe(true);
    expect(readdirSync(directory)).toHaveLength(4);
    expect(mode(join(directory, 'signer.key'))).toBe('600');
  });

  test('is left alone on later use', async () => {
    const directory = fresh();
    const made = await initKeys(directory);
    const key = readFileSync(join(directory, 'signer.key'), 'utf8');
    expect(await initKeys(directory)).toEqual({ ...made, created: false });
    expect(await showKeys(directory)).toEqual({ ...made, created: false });
    expect(readFileSync(join(directory, 'signer.key'), 'utf8')).toBe(key);
  });

  test('two asked for at once do not overwrite each other', async () => {
    const directory = fresh();
    const results = await Promise.allSettled([initKeys(directory), initKeys(directory)]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled']);
    expect(results.filter((result) => result.status === 'fulfilled' && result.value.created)).toHaveLength(1);
    const signer = await loadSigner(directory);
    for (const result of results) if (result.status === 'fulfilled') expect(result.value.fingerprint).toBe(rootFingerprint(signer));
  });

  test('lives as long as packs are kept, and starts a day early', async () => {
    const directory = fresh();
    const now = new Date('2026-10-01T12:00:00.500Z');
    const made = await initKeys(directory, { now });
    expect([made.notBefore, made.notAfter, made.rootNotAfter]).toEqual([
      '2026-09-30T12:00:00.000Z',
      '2036-09-30T12:00:00.000Z',
      '2046-09-30T12:00:00.000Z',
    ]);
  });

  test('its certificates say what they are for, critically', async () => {
    const directory = fresh();
    await initKeys(directory);
    const {
      certificate,
      chain: [root],
    } = await loadSigner(directory);
    expect(certificate).toMatchObject({
      authority: false,
      keyUsage: { critical: true, digitalSignature: true, nonRepudiation: true, certSign: false },
      extendedKeyUsage: { purposes: ['1.3.6.1.5.5.7.3.36', '1.3.6.1.5.5.7.3.4'] },
    });
    expect(root).toMatchObject({
      authority: true,
      keyUsage: { critical: true, digitalSignature: false, certSign: true },
      extendedKeyUsage: null,
    });
  });

  test.skipIf(!has('openssl'))('openssl agrees: the path, the purpose and the fingerprint', async () => {
    const directory = fresh();
    const made = await initKeys(directory);
    expect(
      ran('openssl', ['verify', '-x509_strict', '-CAfile', 'root.crt', '-purpose', 'smimesign', 'signer.crt'], directory),
    ).toMatchObject({ status: 0 });
    expect(normalizeFingerprint(ran('openssl', ['x509', '-in', 'root.crt', '-noout', '-fingerprint', '-sha256'], directory).output)).toBe(
      made.fingerprint,
    );
  });
});

describe.skipIf(process.platform === 'win32')('keys that others could read or replace are refused', () => {
  test.each([
    ['a readable private key', 'signer.key', 0o644],
    ['a group-readable private key', 'signer.key', 0o640],
    ['a readable root key', 'root.key', 0o604],
    ['a writable directory', '.', 0o777],
  ])('%s', async (_, file, bits) => {
    const directory = fresh();
    await initKeys(directory);
    chmodSync(join(directory, file), bits);
    await expect(showKeys(directory)).rejects.toThrow(/chmod 0[67]00/);
  });

  test('a link in the place of a key', async () => {
    const directory = fresh();
    await initKeys(directory);
    const other = fresh();
    await initKeys(other);
    rmSync(join(directory, 'signer.key'));
    symlinkSync(join(other, 'signer.key'), join(directory, 'signer.key'));
    await expect(loadSigner(directory)).rejects.toThrow(/is not a file/);
  });
});

describe('keys that do not fit', () => {
  test('none there', async () => {
    await expect(loadSigner(fresh())).rejects.toThrow(/exhibit keys init/);
  });

  test('a directory with half an identity is neither used nor overwritten', async () => {
    const directory = fresh();
    await initKeys(directory);
    rmSync(join(directory, 'signer.key'));
    await expect(initKeys(directory)).rejects.toThrow(/move the remains away/);
    expect(existsSync(join(directory, 'root.key'))).toBe(true);
  });

  test('a certificate of another key, a chain of another root, a damaged key', async () => {
    const [directory, other] = [fresh(), fresh()];
    await initKeys(directory);
    await initKeys(other);
    const file = (where: string, name: string): string => join(where, name);
    await expect(
      loadSignerFromFiles({ key: file(directory, 'signer.key'), certificates: [file(other, 'signer.crt'), file(other, 'root.crt')] }),
    ).rejects.toThrow(/another key/);
    await expect(
      loadSignerFromFiles({ key: file(directory, 'signer.key'), certificates: [file(directory, 'signer.crt'), file(other, 'root.crt')] }),
    ).rejects.toThrow(/chain does not hold/);
    await expect(loadSignerFromFiles({ key: file(directory, 'root.key'), certificates: [file(directory, 'root.crt')] })).rejects.toThrow(
      /not meant for signing documents/,
    );
    await expect(loadSignerFromFiles({ key: file(directory, 'signer.key'), certificates: [] })).rejects.toThrow(/no certificate/);
    writeFileSync(file(directory, 'signer.key'), 'nonsense');
    await expect(loadSigner(directory)).rejects.toThrow(/cannot be read/);
  });

  test('a signer whose key is not its certificate never gets a signature out', async () => {
    const [directory, other] = [fresh(), fresh()];
    await initKeys(directory);
    await initKeys(other);
    const [one, two] = [await loadSigner(directory), await loadSigner(other)];
    await expect(checked({ ...one, sign: (tbs) => two.sign(tbs) }).sign(Buffer.from('x'))).rejects.toThrow(/does not verify/);
  });
});

describe.skipIf(!has('openssl'))("a user's own key and chain", () => {
  const kinds: [string, string, string | undefined][] = [
    ['RSA 3072', 'rsa:3072', undefined],
    ['ECDSA P-256, encrypted', 'ec -pkeyopt ec_paramgen_curve:P-256', 'correct horse'],
  ];
  test.each(kinds)('%s under an intermediate: signs, and the whole pack verifies', async (_, key, passphrase) => {
    const directory = temporaryDirectory('own');
    const made = shell(
      `set -e
openssl req -x509 -newkey ${key} -nodes -keyout ca.key -out ca.crt -days 3000 -subj /O=Corp/CN=Root -addext keyUsage=critical,keyCertSign,cRLSign
openssl req -newkey ${key} -nodes -keyout sub.key -out sub.csr -subj /O=Corp/CN=Issuing
printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign,cRLSign\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' > sub.ext
openssl x509 -req -in sub.csr -CA ca.crt -CAkey ca.key -days 2000 -extfile sub.ext -out sub.crt
openssl req -newkey ${key} ${passphrase === undefined ? '-nodes' : `-passout 'pass:${passphrase}'`} -keyout leaf.key -out leaf.csr -subj '/O=Corp/CN=Audit signing'
printf 'keyUsage=critical,digitalSignature,nonRepudiation\\nextendedKeyUsage=1.3.6.1.5.5.7.3.36,emailProtection\\n' > leaf.ext
openssl x509 -req -in leaf.csr -CA sub.crt -CAkey sub.key -days 1000 -extfile leaf.ext -out leaf.crt
cat leaf.crt sub.crt ca.crt > chain.pem
chmod 600 leaf.key`,
      directory,
    );
    expect(made.status, made.output).toBe(0);
    const signer = await loadSignerFromFiles({
      key: join(directory, 'leaf.key'),
      certificates: [join(directory, 'chain.pem')],
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    const tbs = Buffer.from('to be signed');
    expect(verifySignature(signer.certificate.publicKey, tbs, await signer.sign(tbs))).toBe(true);
    const { run, sealed } = await sealedSample(signer);
    expect(normalizeFingerprint(ran('openssl', ['x509', '-in', 'ca.crt', '-noout', '-fingerprint', '-sha256'], directory).output)).toBe(
      sealed.fingerprint,
    );
    expect(await verifyPack(run.zipPath, { fingerprint: sealed.fingerprint })).toMatchObject({ ok: true });
    // The intermediate travels in the signature; only the root has to be brought.
    const outside = shell(
      `openssl cms -verify -binary -cades -inform DER -in tagmanifest-sha256.txt.p7s -content tagmanifest-sha256.txt -CAfile ${directory}/ca.crt -out /dev/null`,
      run.packDirectory,
    );
    expect(outside.output).toContain('CAdES Verification successful');
    if (!has('pdfsig', 'certutil')) return;
    const trusted = shell(
      `mkdir nss && certutil -N --empty-password -d sql:nss && certutil -A -n root -t CT,C,C -i ca.crt -d sql:nss && pdfsig -nssdir sql:nss ${run.packDirectory}/data/report.pdf`,
      directory,
    );
    expect(trusted.output).toContain('Signature is Valid');
    expect(trusted.output).toContain('Certificate is Trusted');
  });

  test.each([
    ['P-384', 'ec -pkeyopt ec_paramgen_curve:P-384'],
    ['RSA 1024', 'rsa:1024'],
    ['RSA-PSS', 'rsa-pss -pkeyopt rsa_keygen_bits:2048'],
    ['Ed25519', 'ed25519'],
  ])('%s is refused with the reason', async (_, key) => {
    const directory = temporaryDirectory('own');
    shell(`openssl req -x509 -newkey ${key} -nodes -keyout k.key -out k.crt -days 30 -subj /CN=X && chmod 600 k.key`, directory);
    expect(readPemCertificates(readFileSync(join(directory, 'k.crt'), 'utf8'))).toHaveLength(1);
    await expect(loadSignerFromFiles({ key: join(directory, 'k.key'), certificates: [join(directory, 'k.crt')] })).rejects.toThrow(
      /ECDSA P-256, or RSA/,
    );
  });
});
