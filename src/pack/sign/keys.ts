import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmod, link, lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fingerprintOf, issueCertificate, readPemCertificates, subjectText, writePem } from './certificate.ts';
import type { Algorithm, Certificate } from './certificate.ts';
import { signerFromKey, SignerError, signWith } from './signer.ts';
import type { Signer } from './signer.ts';

/** The files of a key directory. Both keys are 0600 in a directory of 0700. */
export const keyFiles = {
  rootKey: 'root.key',
  rootCertificate: 'root.crt',
  signerCertificate: 'signer.crt',
  signerKey: 'signer.key',
} as const;

/** What can be said of a key directory without any secret. Times are RFC 3339; fingerprints SHA-256, `AB:CD:…`. */
export interface KeysReport {
  readonly directory: string;
  /** Whether this call made them. */
  readonly created: boolean;
  readonly rootFile: string;
  readonly rootSubject: string;
  readonly rootNotAfter: string;
  /** Of the root: what an auditor has to be given by another way than the pack. */
  readonly fingerprint: string;
  readonly certificateFile: string;
  /** Of the signing certificate, as are the dates and the algorithm. */
  readonly subject: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly algorithm: Algorithm;
}

export interface InitKeysOptions {
  /** Named in both certificates: who signs. */
  readonly organization?: string;
  readonly now?: Date;
}

const rootYears = 20;
const signerYears = 10;

/**
 * Makes a local root and a signing certificate in `directory`, or leaves those that are there. The signer is valid for ten
 * years and the root for twenty: a pack has to verify for as long as it is kept, and PDF readers judge by today's date.
 * Throws SignerError for an unusable directory.
 */
export async function initKeys(directory: string, options: InitKeysOptions = {}): Promise<KeysReport> {
  const prepared = await exists(directory);
  if (prepared) {
    if (await exists(join(directory, keyFiles.signerKey))) return { ...(await showKeys(directory)), created: false };
    await assertPrivate(directory, 'directory');
    for (const file of Object.values(keyFiles)) {
      if (await exists(join(directory, file)))
        throw new SignerError(`${join(directory, file)} is there but ${keyFiles.signerKey} is not: move the remains away first`);
    }
  }
  // Made beside the place and renamed into it, so that no half-made identity is ever left behind.
  await mkdir(dirname(directory), { recursive: true });
  const making = `${directory}.making-${randomBytes(4).toString('hex')}`;
  await mkdir(making, { mode: 0o700 });
  try {
    await writeIdentity(making, options);
    // Neither way can replace what another process made in the meantime.
    if (prepared) for (const file of Object.values(keyFiles)) await link(join(making, file), join(directory, file));
    else await rename(making, directory);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
    return { ...(await showKeys(directory)), created: false };
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return { ...(await showKeys(directory)), created: true };
}

async function writeIdentity(directory: string, options: InitKeysOptions): Promise<void> {
  const now = options.now ?? new Date();
  // A day of slack: a verifier whose clock is slightly behind must not call a new certificate "not yet valid".
  const notBefore = new Date(Math.floor(now.getTime() / 1000) * 1000 - 86_400_000);
  const organization = options.organization === undefined ? {} : { organization: options.organization.slice(0, 64) };
  const rootPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signerPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signByRoot = (tbs: Buffer): Promise<Buffer> => Promise.resolve(signWith(rootPair.privateKey, tbs));
  const root = await issueCertificate(
    {
      subject: { commonName: 'Exhibit local root', ...organization },
      publicKey: rootPair.publicKey,
      serial: serial(),
      notBefore,
      notAfter: yearsAfter(notBefore, rootYears),
      role: 'root',
    },
    null,
    'ES256',
    signByRoot,
  );
  const signer = await issueCertificate(
    {
      subject: { commonName: 'Exhibit evidence signer', ...organization },
      publicKey: signerPair.publicKey,
      serial: serial(),
      notBefore,
      notAfter: yearsAfter(notBefore, signerYears),
      role: 'signer',
    },
    root,
    'ES256',
    signByRoot,
  );
  const secret = { mode: 0o600, flag: 'wx' };
  await writeFile(join(directory, keyFiles.rootKey), rootPair.privateKey.export({ format: 'pem', type: 'pkcs8' }), secret);
  await writeFile(join(directory, keyFiles.signerKey), signerPair.privateKey.export({ format: 'pem', type: 'pkcs8' }), secret);
  await writeFile(join(directory, keyFiles.rootCertificate), writePem(root.der), { mode: 0o644, flag: 'wx' });
  await writeFile(join(directory, keyFiles.signerCertificate), writePem(signer.der), { mode: 0o644, flag: 'wx' });
  // umask may have taken bits away, never added any; the certificates should be readable whatever it is.
  await chmod(join(directory, keyFiles.rootCertificate), 0o644);
}

function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function yearsAfter(from: Date, years: number): Date {
  const to = new Date(from);
  to.setUTCFullYear(to.getUTCFullYear() + years);
  return to;
}

/** Loads the signer of a key directory. Throws SignerError when it is missing, readable by others, or does not fit together. */
export async function loadSigner(directory: string): Promise<Signer> {
  await assertPrivate(directory, 'directory');
  return loadSignerFromFiles({
    key: join(directory, keyFiles.signerKey),
    certificates: [join(directory, keyFiles.signerCertificate), join(directory, keyFiles.rootCertificate)],
  });
}

/** A key of the user's own: PEM private key, and PEM files holding the certificate first and then its issuers up to the root. */
export interface KeyFiles {
  readonly key: string;
  readonly certificates: readonly string[];
  readonly passphrase?: string;
}

export async function loadSignerFromFiles(files: KeyFiles): Promise<Signer> {
  await assertPrivate(files.key, 'file');
  const certificates: Certificate[] = [];
  for (const file of files.certificates) {
    try {
      certificates.push(...readPemCertificates(await readFile(file, 'utf8')));
    } catch (error) {
      throw new SignerError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return signerFromKey(await readFile(files.key), certificates, files.passphrase);
}

/** What a key directory holds, for people and for the cover of the report. Throws SignerError. */
export async function showKeys(directory: string): Promise<KeysReport> {
  const signer = await loadSigner(directory);
  const root = signer.chain.at(-1) ?? signer.certificate;
  await assertPrivate(join(directory, keyFiles.rootKey), 'file', 'optional');
  return {
    directory,
    created: false,
    rootFile: join(directory, keyFiles.rootCertificate),
    rootSubject: subjectText(root),
    rootNotAfter: root.notAfter.toISOString(),
    fingerprint: fingerprintOf(root.der),
    certificateFile: join(directory, keyFiles.signerCertificate),
    subject: subjectText(signer.certificate),
    notBefore: signer.certificate.notBefore.toISOString(),
    notAfter: signer.certificate.notAfter.toISOString(),
    algorithm: signer.algorithm,
  };
}

/** A signer as the report names it. */
export function describeSigner(signer: Signer): { subject: string; fingerprint: string; algorithm: Algorithm } {
  return { subject: subjectText(signer.certificate), fingerprint: rootFingerprint(signer), algorithm: signer.algorithm };
}

/** The fingerprint an auditor has to be given by another way: of the root, or of the last certificate there is. */
export function rootFingerprint(signer: Signer): string {
  return fingerprintOf((signer.chain.at(-1) ?? signer.certificate).der);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Private keys that others can read or replace are refused, as ssh does. Windows has no such bits. */
async function assertPrivate(path: string, kind: 'file' | 'directory', presence: 'required' | 'optional' = 'required'): Promise<void> {
  const stats = await lstat(path).catch(() => null);
  if (stats === null) {
    if (presence === 'optional') return;
    throw new SignerError(`${path} does not exist: make keys with \`exhibit keys init\``);
  }
  if (kind === 'directory' ? !stats.isDirectory() : !stats.isFile()) throw new SignerError(`${path} is not a ${kind}`);
  if (process.platform === 'win32') return;
  const open = stats.mode & (kind === 'directory' ? 0o022 : 0o177);
  if (open !== 0) {
    const wanted = kind === 'directory' ? '0700' : '0600';
    throw new SignerError(`${path} has mode ${(stats.mode & 0o777).toString(8)} and others may read or change it: chmod ${wanted} ${path}`);
  }
  const user = process.getuid?.();
  if (user !== undefined && user !== 0 && stats.uid !== user) throw new SignerError(`${path} belongs to another user`);
}
