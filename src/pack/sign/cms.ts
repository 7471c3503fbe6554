import { createHash } from 'node:crypto';
import { algorithmOf, readCertificate, signatureAlgorithm } from './certificate.ts';
import type { Algorithm, Certificate } from './certificate.ts';
import { child, context, der, DerError, integer, octets, oid, readDer, readOid, sequence, setOf, sortedMembers, tags } from './der.ts';
import type { Der } from './der.ts';
import { oids } from './oids.ts';
import { verifySignature } from './signer.ts';
import type { Signer } from './signer.ts';

/** The parts of a detached signature; `writeCms` of them is the signature file, byte for byte. */
export interface CmsParts {
  readonly algorithm: Algorithm;
  /** SHA-256 of the content that is signed. */
  readonly contentDigest: Buffer;
  /** The signer's certificate first, then those between it and the root. The root is left out: a reader has to bring it. */
  readonly certificates: readonly Certificate[];
  readonly signature: Buffer;
  /** RFC 3161 token over the signature value, or null. */
  readonly timestampToken: Buffer | null;
}

/**
 * Signs a digest as CAdES / PAdES baseline B does: attributes contentType, messageDigest and signingCertificateV2, and no
 * signing-time (ETSI EN 319 142-1 forbids it in PDF; the pack's time is in what is signed). `timestamp` gets the signature
 * value and returns a token or null. Returns DER ContentInfo.
 */
export async function signCms(
  contentDigest: Buffer,
  signer: Signer,
  timestamp: (signature: Buffer) => Promise<Buffer | null>,
): Promise<Buffer> {
  const tbs = setOf(...signedAttributes(contentDigest, signer.certificate));
  const signature = await signer.sign(tbs);
  return writeCms({
    algorithm: signer.algorithm,
    contentDigest,
    certificates: [signer.certificate, ...signer.chain.filter((issuer) => !issuer.issuer.equals(issuer.subject))],
    signature,
    timestampToken: await timestamp(signature),
  });
}

export function writeCms(parts: CmsParts): Buffer {
  const [certificate] = parts.certificates;
  if (certificate === undefined) throw new DerError('a signature needs its certificate');
  const sha256 = sequence(oid(oids.sha256));
  const signerInfo = sequence(
    integer(1),
    sequence(certificate.issuer, der(tags.integer, certificate.serial)),
    sha256,
    context(0, ...sortedMembers(signedAttributes(parts.contentDigest, certificate))),
    signatureAlgorithm(parts.algorithm, 'cms'),
    octets(parts.signature),
    ...(parts.timestampToken === null ? [] : [context(1, attribute(oids.timeStampToken, parts.timestampToken))]),
  );
  const signedData = sequence(
    integer(1),
    setOf(sha256),
    sequence(oid(oids.data)),
    context(0, ...sortedMembers(parts.certificates.map((member) => member.der))),
    setOf(signerInfo),
  );
  return sequence(oid(oids.signedData), context(0, signedData));
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence(oid(type), setOf(value));
}

function signedAttributes(contentDigest: Buffer, certificate: Certificate): Buffer[] {
  // ESSCertIDv2 with SHA-256, which is the default algorithm and therefore not written (RFC 5035).
  const certificateId = sequence(octets(createHash('sha256').update(certificate.der).digest()));
  return [
    attribute(oids.contentType, oid(oids.data)),
    attribute(oids.messageDigest, octets(contentDigest)),
    attribute(oids.signingCertificateV2, sequence(sequence(certificateId))),
  ];
}

/** A CMS signature as read, before anything about it is believed. */
export interface ReadCms {
  readonly contentType: string;
  /** Content carried inside (timestamp tokens); null when detached. */
  readonly content: Buffer | null;
  readonly certificates: readonly Certificate[];
  readonly signerIssuer: Buffer;
  readonly signerSerial: Buffer;
  readonly digestAlgorithm: string;
  readonly signatureAlgorithm: string;
  /** DER SET OF the signed attributes: what the signature is over. */
  readonly signedAttributes: Buffer;
  readonly attributes: ReadonlyMap<string, Der>;
  readonly signature: Buffer;
  readonly unsigned: ReadonlyMap<string, Der>;
}

/** Reads a CMS SignedData with exactly one signer. Throws DerError for every other thing. */
export function readCms(bytes: Buffer): ReadCms {
  const info = readDer(bytes);
  if (readOid(child(info, 0)) !== oids.signedData) throw new DerError('not signed data');
  const signed = child(child(info, 1, 0xa0), 0, tags.sequence);
  const encapsulated = child(signed, 2, tags.sequence);
  const signerInfos = child(signed, signed.children.length - 1, tags.set);
  if (signerInfos.children.length !== 1) throw new DerError(`${String(signerInfos.children.length)} signers instead of one`);
  const signer = child(signerInfos, 0, tags.sequence);
  const identifier = child(signer, 1, tags.sequence);
  const attributes = child(signer, 3, 0xa0);
  const content = encapsulated.children[1];
  return {
    contentType: readOid(child(encapsulated, 0)),
    content: content === undefined ? null : child(content, 0, tags.octetString).content,
    certificates: signed.children
      .filter((part) => part.tag === 0xa0)
      .flatMap((part) => part.children.map((member) => readCertificate(member.raw))),
    signerIssuer: child(identifier, 0, tags.sequence).raw,
    signerSerial: child(identifier, 1, tags.integer).content,
    digestAlgorithm: readOid(child(child(signer, 2, tags.sequence), 0)),
    signatureAlgorithm: readOid(child(child(signer, 4, tags.sequence), 0)),
    signedAttributes: der(tags.set, attributes.content),
    attributes: readAttributes(attributes),
    signature: child(signer, 5, tags.octetString).content,
    unsigned: signer.children[6] === undefined ? new Map<string, Der>() : readAttributes(child(signer, 6, 0xa1)),
  };
}

function readAttributes(set: Der): Map<string, Der> {
  const found = new Map<string, Der>();
  for (const entry of set.children) {
    const type = readOid(child(entry, 0));
    if (found.has(type)) throw new DerError('an attribute appears twice');
    const values = child(entry, 1, tags.set);
    if (values.children.length !== 1) throw new DerError('an attribute without exactly one value');
    found.set(type, child(values, 0));
  }
  return found;
}

export type CmsProblem = 'malformed' | 'not-canonical' | 'content-differs' | 'signature-wrong' | 'algorithm' | 'key';

export type CmsVerdict =
  | { readonly ok: true; readonly certificates: readonly Certificate[]; readonly signature: Buffer; readonly timestampToken: Buffer | null }
  | { readonly ok: false; readonly problem: CmsProblem; readonly detail: string; readonly certificates: readonly Certificate[] };

/**
 * Verifies a signature file of this project's own form over content with the given SHA-256. Every byte of the file counts:
 * it has to equal `writeCms` of its own parts. Says nothing of whom the certificate belongs to, nor of dates.
 */
export function verifyCms(bytes: Buffer, contentDigest: Buffer): CmsVerdict {
  let cms: ReadCms;
  try {
    cms = readCms(bytes);
  } catch (error) {
    return { ok: false, problem: 'malformed', detail: error instanceof Error ? error.message : String(error), certificates: [] };
  }
  const signerCertificate = cms.certificates.find(
    (member) => member.issuer.equals(cms.signerIssuer) && member.serial.equals(cms.signerSerial),
  );
  const refuse = (problem: CmsProblem, detail: string): CmsVerdict => ({
    ok: false,
    problem,
    detail,
    certificates: signerCertificate === undefined ? [] : [signerCertificate],
  });
  if (signerCertificate === undefined) return refuse('malformed', 'the certificate of the signer is not in the signature');
  if (cms.contentType !== oids.data || cms.content !== null) return refuse('malformed', 'not a detached signature over data');
  if (cms.digestAlgorithm !== oids.sha256) return refuse('algorithm', 'the digest is not SHA-256');
  const algorithm = algorithmOf(signerCertificate.publicKey);
  if (algorithm === null) return refuse('key', 'the key is neither ECDSA P-256 nor RSA of at least 2048 bits');
  const digest = cms.attributes.get(oids.messageDigest);
  if (digest?.tag !== tags.octetString || !digest.content.equals(contentDigest)) {
    return refuse('content-differs', 'the signature is over other content');
  }
  if (!verifySignature(signerCertificate.publicKey, cms.signedAttributes, cms.signature)) {
    return refuse('signature-wrong', 'the signature value does not verify with the certificate');
  }
  const timestampToken = cms.unsigned.get(oids.timeStampToken)?.raw ?? null;
  const others = cms.certificates.filter((member) => member !== signerCertificate);
  const rebuilt = writeCms({
    algorithm,
    contentDigest,
    certificates: [signerCertificate, ...others],
    signature: cms.signature,
    timestampToken,
  });
  if (!rebuilt.equals(bytes)) return refuse('not-canonical', 'it holds bytes that the signature does not account for');
  return { ok: true, certificates: [signerCertificate, ...others], signature: cms.signature, timestampToken };
}
