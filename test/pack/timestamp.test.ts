import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packFiles } from '../../src/pack/layout.ts';
import { readPemCertificates, writePem } from '../../src/pack/sign/certificate.ts';
import { requestTimestamp, verifyTimestamp } from '../../src/pack/timestamp.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { newSigner, sealedSample } from '../support/packs.ts';
import { temporaryDirectory } from '../support/pack-run.ts';
import { has, ran, shell } from '../support/programs.ts';
import { startTimestampAuthority } from '../support/timestamp-authority.ts';
import type { TestAuthority, TimestampFault } from '../support/timestamp-authority.ts';

let authority: TestAuthority;
let rootFile: string;
const value = Buffer.from('a signature value');

beforeAll(async () => {
  authority = await startTimestampAuthority();
  rootFile = join(temporaryDirectory('tsa'), 'root.pem');
  writeFileSync(rootFile, authority.rootPem);
});
afterAll(() => authority.close());

function misbehave(fault: (n: number) => TimestampFault | null): void {
  authority.requests = 0;
  authority.fault = fault;
}

describe('asking an authority', () => {
  test('a token that holds is accepted', async () => {
    misbehave(() => null);
    const result = await requestTimestamp(value, { url: authority.url, roots: [authority.root] });
    expect(result).toMatchObject({ ok: true, authority: 'CN=TSA' });
    if (!result.ok) return;
    expect(Math.abs(result.time.getTime() - Date.now())).toBeLessThan(60_000);
    expect(verifyTimestamp(result.token, Buffer.from('another value'), [authority.root])).toMatchObject({
      ok: false,
      reason: 'it is for other content',
    });
    expect(verifyTimestamp(result.token, value, null)).toMatchObject({ ok: true, pinned: false });
  });

  test.each<[TimestampFault, RegExp]>([
    ['refuse', /refused/],
    ['other-imprint', /other content/],
    ['other-nonce', /another request/],
    ['other-purpose', /not a timestamp authority's/],
    ['other-root', /not the one that was pinned/],
    ['bad-signature', /does not verify/],
    ['oversize', /larger than/],
    ['garbage', /no timestamp/],
    ['http-500', /HTTP 500/],
    ['hang', /no answer in time/],
    ['no-certificate-id', /does not name the certificate/],
  ])('%s is refused, with its reason', async (fault, reason) => {
    misbehave(() => fault);
    const result = await requestTimestamp(value, { url: authority.url, roots: [authority.root], timeoutMs: fault === 'hang' ? 150 : 5000 });
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.reason).toMatch(reason);
  });

  test('an authority that is not there is a reason too', async () => {
    const result = await requestTimestamp(value, { url: 'http://127.0.0.1:9/', roots: [authority.root] });
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('could not be reached') as string });
  });

  test('no byte of a token can change unnoticed in what it vouches for', async () => {
    misbehave(() => null);
    const result = await requestTimestamp(value, { url: authority.url, roots: [authority.root] });
    if (!result.ok) throw new Error(result.reason);
    const before = verifyTimestamp(result.token, value, [authority.root]);
    for (let at = 0; at < result.token.length; at += 1) {
      const bad = Buffer.from(result.token);
      bad[at] = (bad[at] ?? 0) ^ 0x01;
      const after = verifyTimestamp(bad, value, [authority.root]);
      if (after.ok) expect(after).toEqual(before);
    }
  });
});

describe('a timestamped pack', () => {
  test('carries the time in both signatures and in what it says of itself', async () => {
    misbehave(() => null);
    const { run, sealed } = await sealedSample(await newSigner(), undefined, { timestamp: { url: authority.url, root: rootFile } });
    expect(sealed.timestamp).toEqual({ status: 'granted', url: authority.url });
    expect(readFileSync(join(run.packDirectory, packFiles.info), 'utf8')).toContain(`Exhibit-Timestamp: granted by ${authority.url}\n`);
    const report = await verifyPack(run.zipPath, { fingerprint: sealed.fingerprint, timestampRoot: rootFile });
    expect(report.ok).toBe(true);
    expect(report.signedBefore).not.toBeNull();
    const unpinned = await verifyPack(run.zipPath, { fingerprint: sealed.fingerprint });
    expect(unpinned.ok).toBe(true);
    expect(unpinned.signedBefore).toBeNull();
    expect(unpinned.notes.map((note) => note.code)).toContain('timestamp-authority-unchecked');
    // Long after the signer's certificate has expired, the pinned timestamp still shows that it was valid when it signed.
    const later = { fingerprint: sealed.fingerprint, at: new Date('2060-01-01') };
    expect((await verifyPack(run.zipPath, { ...later, timestampRoot: rootFile })).ok).toBe(true);
    expect((await verifyPack(run.zipPath, later)).ok).toBe(false);
  });

  test.each([
    ['at the report', 0],
    ['at the manifest', 1],
  ])('an authority that fails %s leaves a pack that says so and verifies', async (_, failing) => {
    misbehave((n) => (n === failing ? 'http-500' : null));
    const logged: string[] = [];
    const { run, sealed } = await sealedSample(await newSigner(), undefined, {
      timestamp: { url: authority.url, root: rootFile },
      log: (message) => logged.push(message),
    });
    expect(sealed.timestamp.status).toBe('failed');
    expect(sealed.summary).toContain('WITHOUT');
    expect(logged.join()).toContain('HTTP 500');
    expect(readFileSync(join(run.packDirectory, packFiles.info), 'utf8')).toMatch(
      /Exhibit-Timestamp: none: .* was asked and could not be reached: HTTP 500/,
    );
    expect((await verifyPack(run.zipPath, { fingerprint: sealed.fingerprint, timestampRoot: rootFile })).ok).toBe(true);
  });

  test.skipIf(!has('openssl'))('openssl still verifies the signature that carries a token, and the token', async () => {
    misbehave(() => null);
    const { run, sealed } = await sealedSample(await newSigner(), undefined, { timestamp: { url: authority.url, root: rootFile } });
    writeFileSync(join(run.directory, 'root.crt'), sealed.rootPem);
    const verified = shell(
      `openssl cms -verify -binary -cades -inform DER -in ${packFiles.signature} -content ${packFiles.root} -CAfile ../root.crt -out /dev/null`,
      run.packDirectory,
    );
    expect(verified.output).toContain('successful');
    // The commands that VERIFY.txt gives for the token, to the letter.
    const text = readFileSync(join(run.packDirectory, packFiles.instructions), 'utf8');
    const section = text.slice(text.indexOf('The signature carries a token'), text.indexOf('\n4. '));
    const commands = section
      .split('\n')
      .filter((line) => line.startsWith('  '))
      .join('\n');
    const followed = shell(`T=$(mktemp -d)\nTSA=${rootFile}\n${commands}`, run.packDirectory);
    expect(followed.output).toContain('Verification: OK');
    expect(followed.output).toContain('Time stamp: ');
  });
});

describe.skipIf(!has('openssl'))('openssl as the authority', () => {
  test.each(['rsa:2048', 'ec'])('its %s tokens are accepted', async (kind) => {
    const directory = temporaryDirectory('openssl-tsa');
    mkdirSync(join(directory, 'files'));
    const key = kind === 'ec' ? 'ec -pkeyopt ec_paramgen_curve:P-384' : kind;
    const made = shell(
      `set -e
openssl req -x509 -newkey ${key} -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=TSA-CA
openssl req -newkey ${key} -nodes -keyout tsa.key -out tsa.csr -subj /CN=OpenSSL-TSA
printf 'extendedKeyUsage=critical,timeStamping\\n' > ext
openssl x509 -req -in tsa.csr -CA ca.crt -CAkey ca.key -days 20 -extfile ext -out tsa.crt
echo 01 > serial
printf '[tsa]\\ndefault_tsa=t\\n[t]\\nserial=serial\\nsigner_cert=tsa.crt\\nsigner_key=tsa.key\\ncerts=ca.crt\\nsigner_digest=sha256\\ndefault_policy=1.2.3.4\\ndigests=sha256\\naccuracy=secs:1\\nordering=yes\\ntsa_name=yes\\ness_cert_id_chain=no\\ness_cert_id_alg=sha256\\n' > tsa.cnf`,
      directory,
    );
    expect(made.status, made.output).toBe(0);
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          writeFileSync(join(directory, 'query'), Buffer.concat(chunks));
          const answered = ran('openssl', ['ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'query', '-out', 'reply'], directory);
          response.end(answered.status === 0 ? readFileSync(join(directory, 'reply')) : answered.output);
        });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const result = await requestTimestamp(value, {
        url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
        roots: readPemCertificates(readFileSync(join(directory, 'ca.crt'), 'utf8')),
      });
      expect(result).toMatchObject({ ok: true, authority: 'CN=OpenSSL-TSA' });
      const other = await newSigner();
      const wrong = other.chain.at(-1);
      if (result.ok && wrong !== undefined) expect(verifyTimestamp(result.token, value, [wrong]).ok).toBe(false);
    } finally {
      server.close();
    }
  });
});

test('a file without certificates cannot pin an authority', async () => {
  const file = join(temporaryDirectory('tsa'), 'empty.pem');
  writeFileSync(file, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }));
  await expect(sealedSample(await newSigner(), undefined, { timestamp: { url: authority.url, root: file } })).rejects.toThrow(
    /no certificate/,
  );
  expect(writePem(authority.root.der)).toBe(authority.rootPem);
});
