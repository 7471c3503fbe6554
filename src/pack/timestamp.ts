import { createHash, randomBytes } from 'node:crypto';
import { child, DerError, integer, none, octets, oid, readDer, readOid, readTime, sequence, tags, boolean } from './sign/der.ts';
import type { Der } from './sign/der.ts';
import { subjectText } from './sign/certificate.ts';
import type { Certificate } from './sign/certificate.ts';
import { readCms } from './sign/cms.ts';
import type { ReadCms } from './sign/cms.ts';
import { oids } from './sign/oids.ts';
import { checkPath, validityAt } from './sign/path.ts';
import { verifySignature } from './sign/signer.ts';

export interface TimestampAuthority {
  readonly url: string;
  /** The authority's roots, pinned: a token that does not lead to one of them is refused. */
  readonly roots: readonly Certificate[];
  readonly timeoutMs?: number;
}

export type TimestampResult =
  | { readonly ok: true; readonly token: Buffer; readonly time: Date; readonly authority: string }
  | { readonly ok: false; readonly reason: string };

const maxResponseBytes = 65_536;
const defaultTimeoutMs = 15_000;

/** Asks an RFC 3161 authority to timestamp `value` (a signature value). What can go wrong is a reason, never an exception. */
export async function requestTimestamp(value: Buffer, authority: TimestampAuthority): Promise<TimestampResult> {
  const nonce = randomBytes(16);
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40;
  const request = sequence(integer(1), imprintOf(value), integer(nonce), boolean(true));
  let body: Buffer;
  try {
    body = await post(authority.url, request, authority.timeoutMs ?? defaultTimeoutMs);
  } catch (error) {
    return { ok: false, reason: `could not be reached: ${explain(error)}` };
  }
  try {
    const response = readDer(body);
    const status = child(child(response, 0), 0, tags.integer).content;
    // granted (0) or grantedWithMods (1); everything else carries no token.
    if (status.length !== 1 || (status[0] ?? 2) > 1) return { ok: false, reason: `refused the request (status ${status.toString('hex')})` };
    const token = child(response, 1, tags.sequence).raw;
    const verdict = verifyTimestamp(token, value, authority.roots, nonce);
    if (!verdict.ok) return { ok: false, reason: `gave a token that does not hold: ${verdict.reason}` };
    return { ok: true, token, time: verdict.time, authority: verdict.authority };
  } catch (error) {
    return { ok: false, reason: `answered something that is no timestamp: ${explain(error)}` };
  }
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

async function post(url: string, request: Buffer, timeoutMs: number): Promise<Buffer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body: new Uint8Array(request),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`HTTP ${String(response.status)}`);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    const piece = chunk as Uint8Array;
    bytes += piece.length;
    if (bytes > maxResponseBytes) throw new Error(`the answer is larger than ${String(maxResponseBytes)} bytes`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function imprintOf(value: Buffer): Buffer {
  return sequence(sequence(oid(oids.sha256), none()), octets(createHash('sha256').update(value).digest()));
}

export type TimestampVerdict =
  | { readonly ok: true; readonly time: Date; readonly authority: string; readonly pinned: boolean }
  | { readonly ok: false; readonly reason: string };

const hashOf: Readonly<Record<string, string>> = {
  [oids.sha256]: 'sha256',
  [oids.sha384]: 'sha384',
  [oids.sha512]: 'sha512',
  [oids.ecdsaWithSha256]: 'sha256',
  [oids.ecdsaWithSha384]: 'sha384',
  [oids.ecdsaWithSha512]: 'sha512',
  [oids.sha256WithRsa]: 'sha256',
  [oids.sha384WithRsa]: 'sha384',
  [oids.sha512WithRsa]: 'sha512',
};

/**
 * Verifies a timestamp token over `value`. With `roots` the authority has to lead to one of them; with null only the token
 * itself is checked, and `pinned` is false: then the time is that of an authority nobody vouched for.
 */
export function verifyTimestamp(
  token: Buffer,
  value: Buffer,
  roots: readonly Certificate[] | null,
  nonce: Buffer | null = null,
): TimestampVerdict {
  try {
    return verifyRead(readCms(token), value, roots, nonce);
  } catch (error) {
    if (error instanceof DerError) return { ok: false, reason: error.message };
    throw error;
  }
}

function verifyRead(cms: ReadCms, value: Buffer, roots: readonly Certificate[] | null, nonce: Buffer | null): TimestampVerdict {
  const refuse = (reason: string): TimestampVerdict => ({ ok: false, reason });
  if (cms.contentType !== oids.tstInfo || cms.content === null) return refuse('it is not a timestamp');
  const info = readDer(cms.content);
  const imprint = child(info, 2, tags.sequence);
  if (readOid(child(child(imprint, 0), 0)) !== oids.sha256) return refuse('its imprint is not SHA-256');
  if (!child(imprint, 1, tags.octetString).content.equals(createHash('sha256').update(value).digest()))
    return refuse('it is for other content');
  const time = readTime(child(info, 4, tags.generalizedTime));
  if (nonce !== null && !nonceOf(info)?.equals(nonce)) return refuse('it answers another request');

  const certificate = cms.certificates.find((member) => member.issuer.equals(cms.signerIssuer) && member.serial.equals(cms.signerSerial));
  if (certificate === undefined) return refuse("it lacks the authority's certificate");
  const digestHash = hashOf[cms.digestAlgorithm];
  const signatureHash = cms.signatureAlgorithm === oids.rsaEncryption ? digestHash : hashOf[cms.signatureAlgorithm];
  if (digestHash === undefined || signatureHash === undefined) return refuse('it uses an algorithm that is not accepted');
  const typed = cms.attributes.get(oids.contentType);
  if (typed === undefined || readOid(typed) !== oids.tstInfo) return refuse('its signed content type is not that of a timestamp');
  if (cms.attributes.get(oids.messageDigest)?.content.equals(createHash(digestHash).update(cms.content).digest()) !== true)
    return refuse('its digest is wrong');
  if (!namesCertificate(cms, certificate)) return refuse('it does not name the certificate it was signed with');
  if (!verifySignature(certificate.publicKey, cms.signedAttributes, cms.signature, signatureHash))
    return refuse('its signature does not verify');
  const purposes = certificate.extendedKeyUsage;
  if (purposes === null || !purposes.critical || purposes.purposes.length !== 1 || purposes.purposes[0] !== oids.timeStamping) {
    return refuse("its certificate is not a timestamp authority's");
  }
  if (validityAt([certificate], time) !== 'valid') return refuse("its certificate was not valid at the token's time");
  if (roots === null) return { ok: true, time, authority: subjectText(certificate), pinned: false };
  const path = pathTo(certificate, cms.certificates, roots);
  if (path === null) return refuse('its authority is not the one that was pinned');
  if (validityAt(path, time) !== 'valid') return refuse("the authority's chain was not valid at the token's time");
  return { ok: true, time, authority: subjectText(certificate), pinned: true };
}

function nonceOf(info: Der): Buffer | null {
  const found = info.children.slice(5).find((part) => part.tag === tags.integer);
  return found?.content ?? null;
}

/** ESSCertID (SHA-1, RFC 2634) or ESSCertIDv2 (RFC 5035): one must name the certificate. */
function namesCertificate(cms: ReadCms, certificate: Certificate): boolean {
  const second = cms.attributes.get(oids.signingCertificateV2);
  if (second !== undefined) {
    const id = child(child(second, 0), 0, tags.sequence);
    const named = id.children[0]?.tag === tags.sequence ? hashOf[readOid(child(id.children[0], 0))] : 'sha256';
    const hash = id.children.find((part) => part.tag === tags.octetString);
    return named !== undefined && hash !== undefined && hash.content.equals(createHash(named).update(certificate.der).digest());
  }
  const first = cms.attributes.get(oids.signingCertificate);
  if (first === undefined) return false;
  const hash = child(child(child(first, 0), 0, tags.sequence), 0, tags.octetString);
  return hash.content.equals(createHash('sha1').update(certificate.der).digest());
}

function pathTo(certificate: Certificate, pool: readonly Certificate[], roots: readonly Certificate[]): Certificate[] | null {
  const path = [certificate];
  for (let subject = certificate; path.length < 8;) {
    if (roots.some((root) => root.der.equals(subject.der))) return path;
    const current = subject;
    const issuer = [...roots, ...pool].find(
      (candidate) => candidate.subject.equals(current.issuer) && checkPath(current, [candidate]) === null,
    );
    if (issuer === undefined || path.includes(issuer)) return null;
    path.push(issuer);
    // The whole of it: how many authorities may follow another shows only there.
    if (checkPath(certificate, path.slice(1)) !== null) return null;
    subject = issuer;
  }
  return null;
}
