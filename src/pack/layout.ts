/**
 * The layout of a pack, in one place. Format version 1: see docs/pack-format.md.
 *
 * ```
 * bagit.txt  bag-info.txt  VERIFY.txt  signer-certificate.pem
 * manifest-sha256.txt                        every file below data/
 * tagmanifest-sha256.txt                     the five files above: the signed root
 * tagmanifest-sha256.txt.p7s                 CMS signature of the root
 * tagmanifest-sha256.txt.sigstore.json       the same as a Sigstore bundle
 * attestation.intoto.sigstore.json           in-toto statement in a DSSE envelope
 * signatures-sha256.txt                      digests of the three signature files, against accidents only
 * data/                                      report.pdf  report.html  results/  evidence/
 * ```
 */
export const packFormat = '1';

export const packFiles = {
  declaration: 'bagit.txt',
  info: 'bag-info.txt',
  instructions: 'VERIFY.txt',
  certificates: 'signer-certificate.pem',
  manifest: 'manifest-sha256.txt',
  root: 'tagmanifest-sha256.txt',
  signature: 'tagmanifest-sha256.txt.p7s',
  bundle: 'tagmanifest-sha256.txt.sigstore.json',
  attestation: 'attestation.intoto.sigstore.json',
  signatureDigests: 'signatures-sha256.txt',
} as const;

/** What the root manifest lists: every tag file but itself and the signatures over it. */
export const rootedFiles: readonly string[] = [
  packFiles.info,
  packFiles.declaration,
  packFiles.manifest,
  packFiles.certificates,
  packFiles.instructions,
].toSorted((a, b) => (a < b ? -1 : 1));

export const signatureFiles: readonly string[] = [packFiles.attestation, packFiles.signature, packFiles.bundle];

export const dataDirectory = 'data';
export const reportFile = 'data/report.pdf';

/** File names that are the same on every system and in every tool; resource names live inside the JSON. */
export const safeName = /^(?!\/)(?!.*\/\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[A-Za-z0-9._/-]+(?<!\/)$/;

export interface FileDigest {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** A BagIt manifest: what `sha256sum` prints, in the order of the paths' bytes. */
export function writeManifest(files: readonly Pick<FileDigest, 'path' | 'sha256'>[]): string {
  return [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map((file) => `${file.sha256}  ${file.path}\n`)
    .join('');
}

/** Path → digest of a manifest in the one form that `writeManifest` gives; null for any other text. */
export function readManifest(text: string): Map<string, string> | null {
  const entries = new Map<string, string>();
  if (text !== '' && !text.endsWith('\n')) return null;
  let previous = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const match = /^([0-9a-f]{64}) {2}(.+)$/.exec(line);
    const [, sha256, path] = match ?? [];
    if (sha256 === undefined || path === undefined || !safeName.test(path) || path <= previous) return null;
    entries.set(path, sha256);
    previous = path;
  }
  return entries;
}
