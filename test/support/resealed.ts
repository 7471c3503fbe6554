import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { signBundle, signEnvelope } from '../../src/pack/attest.ts';
import { packFiles, rootedFiles, signatureFiles, writeManifest } from '../../src/pack/layout.ts';
import { signCms } from '../../src/pack/sign/cms.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { copyOf } from './packs.ts';

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** A pack changed by someone who holds the key, and sealed again by hand: every digest and signature holds. `attest` changes the statement. */
export async function resealed(
  pack: string,
  signer: Signer,
  change: (pack: string) => void,
  attest: (statement: { predicate: Record<string, unknown> }) => void = () => undefined,
): Promise<string> {
  const copy = copyOf(pack);
  change(copy);
  const read = (path: string): Buffer => readFileSync(join(copy, path));
  const manifest = (paths: readonly string[]): string => writeManifest(paths.map((path) => ({ path, sha256: sha256(read(path)) })));
  const payload = readdirSync(join(copy, 'data'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(copy, join(entry.parentPath, entry.name)));
  const bytes = payload.reduce((sum, path) => sum + read(path).length, 0);
  const info = read(packFiles.info).toString('utf8');
  writeFileSync(join(copy, packFiles.info), info.replace(/Payload-Oxum: .*/, `Payload-Oxum: ${String(bytes)}.${String(payload.length)}`));
  writeFileSync(join(copy, packFiles.manifest), manifest(payload));
  const root = Buffer.from(manifest(rootedFiles));
  writeFileSync(join(copy, packFiles.root), root);
  const signature = await signCms(Buffer.from(sha256(root), 'hex'), signer, () => Promise.resolve(null));
  writeFileSync(join(copy, packFiles.signature), signature);
  writeFileSync(join(copy, packFiles.bundle), await signBundle(root, signer));
  const envelope = JSON.parse(read(packFiles.attestation).toString('utf8')) as { dsseEnvelope: { payload: string } };
  const statement = JSON.parse(Buffer.from(envelope.dsseEnvelope.payload, 'base64').toString('utf8')) as {
    subject: { name: string; digest: { sha256: string } }[];
    predicate: { payload: { bytes: number; files: number } } & Record<string, unknown>;
  };
  for (const subject of statement.subject) subject.digest.sha256 = sha256(read(subject.name));
  statement.predicate.payload = { bytes, files: payload.length };
  attest(statement);
  writeFileSync(join(copy, packFiles.attestation), await signEnvelope(Buffer.from(JSON.stringify(statement)), signer));
  writeFileSync(join(copy, packFiles.signatureDigests), manifest(signatureFiles));
  return copy;
}
