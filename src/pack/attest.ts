import { createHash } from 'node:crypto';
import type { PackInfo, TimestampOutcome } from './info.ts';
import { packFiles, packFormat, reportFile } from './layout.ts';
import type { Signer } from './sign/signer.ts';
import { verifySignature } from './sign/signer.ts';
import type { Certificate } from './sign/certificate.ts';

/** in-toto's and Sigstore's names; see https://github.com/in-toto/attestation and sigstore/protobuf-specs. */
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const payloadType = 'application/vnd.in-toto+json';
const statementType = 'https://in-toto.io/Statement/v1';
const predicateType = 'urn:exhibit:attestation:evidence-pack:v1';

export interface Statement {
  readonly root: string;
  readonly signature: string;
  readonly report: string | null;
  readonly info: PackInfo;
  readonly timestamp: TimestampOutcome;
  readonly previousRoot: string | null;
  readonly payload: { readonly bytes: number; readonly files: number };
}

/** The in-toto statement about a pack: its subjects are the root manifest, the signature over it, and the report. */
export function writeStatement(statement: Statement): Buffer {
  const subject = (name: string, sha256: string): { name: string; digest: { sha256: string } } => ({ name, digest: { sha256 } });
  return Buffer.from(
    JSON.stringify({
      _type: statementType,
      subject: [
        subject(packFiles.root, statement.root),
        subject(packFiles.signature, statement.signature),
        ...(statement.report === null ? [] : [subject(reportFile, statement.report)]),
      ],
      predicateType,
      predicate: {
        packFormat,
        run: { id: statement.info.runId, asOf: statement.info.asOf, tool: statement.info.tool },
        engagement: statement.info.engagement,
        catalogue: statement.info.catalogue,
        evidence: { complete: statement.info.evidenceComplete, digest: { sha256: statement.info.evidenceDigest } },
        payload: statement.payload,
        timestamp: statement.timestamp,
        previousPack: statement.previousRoot === null ? null : { [packFiles.root]: { sha256: statement.previousRoot } },
      },
    }),
    'utf8',
  );
}

/** DSSE's pre-authentication encoding: what the envelope's signature is over. */
function preAuthentication(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${String(Buffer.byteLength(type))} ${type} ${String(payload.length)} `, 'utf8'), payload]);
}

/** Cosign's hint for a public key: base64 of the SHA-256 of its DER. */
function keyHint(certificate: Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ format: 'der', type: 'spki' }))
    .digest('base64');
}

function material(certificate: Certificate): object {
  return { publicKey: { hint: keyHint(certificate) }, tlogEntries: [], timestampVerificationData: { rfc3161Timestamps: [] } };
}

function messageBundle(content: Buffer, signature: Buffer, certificate: Certificate): string {
  const digest = createHash('sha256').update(content).digest('base64');
  return write({
    mediaType: bundleType,
    verificationMaterial: material(certificate),
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature: signature.toString('base64') },
  });
}

function envelopeBundle(payload: Buffer, signature: Buffer, certificate: Certificate): string {
  return write({
    mediaType: bundleType,
    verificationMaterial: material(certificate),
    dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures: [{ sig: signature.toString('base64'), keyid: '' }] },
  });
}

function write(bundle: object): string {
  return `${JSON.stringify(bundle)}\n`;
}

/** A Sigstore bundle (v0.3, no transparency log) with a plain signature over `content`. */
export async function signBundle(content: Buffer, signer: Signer): Promise<string> {
  return messageBundle(content, await signer.sign(content), signer.certificate);
}

/** A Sigstore bundle with a DSSE envelope around an in-toto statement. */
export async function signEnvelope(payload: Buffer, signer: Signer): Promise<string> {
  return envelopeBundle(payload, await signer.sign(preAuthentication(payloadType, payload)), signer.certificate);
}

/** What the attestation says of the timestamp. The envelope must have been verified. */
export function readTimestamp(text: string): TimestampOutcome {
  const payload = base64At(text, ['dsseEnvelope', 'payload']);
  const statement = JSON.parse(payload?.toString('utf8') ?? 'null') as { predicate?: { timestamp?: TimestampOutcome } } | null;
  return statement?.predicate?.timestamp ?? { status: 'not-configured' };
}

export type BundleVerdict<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string };

/** Verifies a message bundle over `content` with the certificate's key; every byte of the text counts. */
export function verifyBundle(text: string, content: Buffer, certificate: Certificate): BundleVerdict<null> {
  const signature = base64At(text, ['messageSignature', 'signature']);
  if (signature === null || messageBundle(content, signature, certificate) !== text) {
    return { ok: false, detail: 'it is not the bundle of this root manifest and this key' };
  }
  if (!verifySignature(certificate.publicKey, content, signature)) return { ok: false, detail: 'its signature does not verify' };
  return { ok: true, value: null };
}

/** Verifies an envelope bundle; its value is the statement's bytes. */
export function verifyEnvelope(text: string, certificate: Certificate): BundleVerdict<Buffer> {
  const payload = base64At(text, ['dsseEnvelope', 'payload']);
  const signature = base64At(text, ['dsseEnvelope', 'signatures', '0', 'sig']);
  if (payload === null || signature === null || envelopeBundle(payload, signature, certificate) !== text) {
    return { ok: false, detail: 'it is not an envelope of this key' };
  }
  if (!verifySignature(certificate.publicKey, preAuthentication(payloadType, payload), signature))
    return { ok: false, detail: 'its signature does not verify' };
  return { ok: true, value: payload };
}

function base64At(text: string, path: readonly string[]): Buffer | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value) ? Buffer.from(value, 'base64') : null;
}
