import { createHash, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import {
  bits,
  boolean,
  child,
  context,
  der,
  DerError,
  integer,
  none,
  octets,
  oid,
  readDer,
  readOid,
  readTime,
  sequence,
  setOf,
  tags,
  time,
  utf8,
} from './der.ts';
import type { Der } from './der.ts';
import { oids } from './oids.ts';

export type Algorithm = 'ES256' | 'RS256';

/** The parts of an X.509 certificate that signing and verifying rest on. Names are the raw DER, for exact comparison. */
export interface Certificate {
  readonly der: Buffer;
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly serial: Buffer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly authority: boolean;
  /** How many authorities may stand between it and the signer; null where it does not say. */
  readonly pathLength: number | null;
  /** Why nothing that it signed or issued is to be relied on: a critical restriction that is not understood, a digest or key that is too weak. */
  readonly flaw: string | null;
  /** Null where the certificate does not restrict its key's use. */
  readonly keyUsage: {
    readonly critical: boolean;
    readonly digitalSignature: boolean;
    readonly nonRepudiation: boolean;
    readonly certSign: boolean;
  } | null;
  readonly extendedKeyUsage: { readonly critical: boolean; readonly purposes: readonly string[] } | null;
}

/** Reads DER. Throws DerError for anything that is not a strict X.509 v3 certificate. */
export function readCertificate(bytes: Buffer): Certificate {
  const outer = readDer(bytes);
  const tbs = child(outer, 0, tags.sequence);
  const offset = tbs.children[0]?.tag === 0xa0 ? 1 : 0;
  const validity = child(tbs, offset + 3, tags.sequence);
  const extensions = readExtensions(tbs.children.find((part) => part.tag === 0xa3));
  let x509: X509Certificate;
  let publicKey: KeyObject;
  try {
    x509 = new X509Certificate(bytes);
    publicKey = x509.publicKey;
  } catch (error) {
    throw new DerError(`not a certificate: ${error instanceof Error ? error.message : String(error)}`);
  }
  const basic = extensions.get(oids.basicConstraints);
  const usage = extensions.get(oids.keyUsage);
  const purposes = extensions.get(oids.extendedKeyUsage);
  return {
    der: bytes,
    x509,
    publicKey,
    serial: child(tbs, offset, tags.integer).content,
    issuer: child(tbs, offset + 2, tags.sequence).raw,
    subject: child(tbs, offset + 4, tags.sequence).raw,
    notBefore: readTime(child(validity, 0)),
    notAfter: readTime(child(validity, 1)),
    pathLength: pathLengthOf(basic?.value),
    flaw: flawOf(outer, extensions, publicKey),
    authority: basic?.value.children[0]?.tag === tags.boolean && basic.value.children[0].content[0] === 0xff,
    keyUsage: usage === undefined ? null : { critical: usage.critical, ...readKeyUsage(usage.value) },
    extendedKeyUsage: purposes === undefined ? null : { critical: purposes.critical, purposes: purposes.value.children.map(readOid) },
  };
}

function readExtensions(wrapper: Der | undefined): Map<string, { critical: boolean; value: Der }> {
  const found = new Map<string, { critical: boolean; value: Der }>();
  if (wrapper === undefined) return found;
  for (const extension of child(wrapper, 0, tags.sequence).children) {
    const name = readOid(child(extension, 0));
    const critical = extension.children[1]?.tag === tags.boolean && extension.children[1].content[0] === 0xff;
    const value = extension.children.at(-1);
    if (value?.tag !== tags.octetString) throw new DerError('extension without a value');
    if (found.has(name)) throw new DerError('an extension appears twice');
    const known = name === oids.basicConstraints || name === oids.keyUsage || name === oids.extendedKeyUsage;
    found.set(name, { critical, value: known ? readDer(value.content) : value });
  }
  return found;
}

function pathLengthOf(basic: Der | undefined): number | null {
  const length = basic?.children.find((part) => part.tag === tags.integer)?.content;
  return length === undefined ? null : length.length > 1 ? 127 : (length[0] ?? 0);
}

/** Extensions that may be critical: those that are read, other names of the subject, and policies, of which none is asked for. */
const understood = new Set<string>([oids.basicConstraints, oids.keyUsage, oids.extendedKeyUsage, '2.5.29.17', '2.5.29.32']);
/** Signatures by MD2, MD5 and SHA-1, which somebody could have made for another certificate. */
const weakSignatures = new Set([
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]);

function flawOf(outer: Der, extensions: ReadonlyMap<string, { critical: boolean }>, key: KeyObject): string | null {
  const strange = [...extensions].find(([name, { critical }]) => critical && !understood.has(name))?.[0];
  if (strange !== undefined) return `holds a critical extension that is not understood (${strange})`;
  const algorithm = readOid(child(child(outer, 1, tags.sequence), 0));
  const tbs = child(outer, 0, tags.sequence);
  const offset = tbs.children[0]?.tag === 0xa0 ? 1 : 0;
  // What signs itself is trusted by its fingerprint.
  const selfIssued = child(tbs, offset + 2, tags.sequence).raw.equals(child(tbs, offset + 4, tags.sequence).raw);
  if (weakSignatures.has(algorithm) && !selfIssued) return 'is signed by a digest that is not accepted';
  const bits = key.asymmetricKeyType === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 4096;
  return bits < 2048 ? `has a key of ${String(bits)} bits` : null;
}

function readKeyUsage(value: Der): { digitalSignature: boolean; nonRepudiation: boolean; certSign: boolean } {
  if (value.tag !== tags.bitString) throw new DerError('key usage is not a bit string');
  const flags = value.content[1] ?? 0;
  return { digitalSignature: (flags & 0x80) !== 0, nonRepudiation: (flags & 0x40) !== 0, certSign: (flags & 0x04) !== 0 };
}

/** Every certificate of a PEM text in its order. Throws DerError for a damaged one. */
export function readPemCertificates(pem: string): Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => readCertificate(Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64')));
}

/** The one PEM text of a certificate: 64 columns, as OpenSSL writes it. */
export function writePem(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** SHA-256 of the certificate's DER as `openssl x509 -fingerprint -sha256` prints it: `AB:CD:…`. */
export function fingerprintOf(bytes: Uint8Array): string {
  const hex = createHash('sha256').update(bytes).digest('hex').toUpperCase();
  return hex.match(/../g)?.join(':') ?? '';
}

/** Accepts a fingerprint with or without colons, spaces, case or an OpenSSL `sha256 Fingerprint=` lead. Null when it is none. */
export function normalizeFingerprint(text: string): string | null {
  const hex = text
    .trim()
    .replace(/^sha-?256(\s+fingerprint)?\s*[=:]\s*/i, '')
    .replace(/[:\s]/g, '')
    .toUpperCase();
  return /^[0-9A-F]{64}$/.test(hex) ? (hex.match(/../g)?.join(':') ?? null) : null;
}

/** Subject for people: `CN=…, O=…`. */
export function subjectText(certificate: Certificate): string {
  return certificate.x509.subject.split('\n').reverse().join(', ');
}

/** The signature algorithm that a public key calls for; null for keys that packs do not use. */
export function algorithmOf(key: KeyObject): Algorithm | null {
  if (key.asymmetricKeyType === 'ec') return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : null;
  if (key.asymmetricKeyType !== 'rsa') return null;
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? 'RS256' : null;
}

/** AlgorithmIdentifier of a signature. In CMS an RSA signer is named by its key, as most readers expect. */
export function signatureAlgorithm(algorithm: Algorithm, use: 'certificate' | 'cms'): Buffer {
  if (algorithm === 'ES256') return sequence(oid(oids.ecdsaWithSha256));
  return sequence(oid(use === 'cms' ? oids.rsaEncryption : oids.sha256WithRsa), none());
}

export interface CertificateRequest {
  readonly subject: { readonly commonName: string; readonly organization?: string };
  readonly publicKey: KeyObject;
  readonly serial: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly role: 'root' | 'signer';
}

/** Issues a certificate. `issuer` null makes it self-signed: then `sign` must use the request's own key. */
export async function issueCertificate(
  request: CertificateRequest,
  issuer: Certificate | null,
  algorithm: Algorithm,
  sign: (tbs: Buffer) => Promise<Buffer>,
): Promise<Certificate> {
  const subject = distinguishedName(request.subject);
  const spki = request.publicKey.export({ format: 'der', type: 'spki' });
  const issuerSpki = issuer === null ? spki : issuer.publicKey.export({ format: 'der', type: 'spki' });
  const extension = (name: string, critical: boolean, value: Buffer): Buffer =>
    sequence(oid(name), ...(critical ? [boolean(true)] : []), octets(value));
  const extensions = [
    request.role === 'root'
      ? extension(oids.basicConstraints, true, sequence(boolean(true), integer(0)))
      : extension(oids.basicConstraints, true, sequence()),
    // keyCertSign and cRLSign for the root; digitalSignature and nonRepudiation for the signer.
    extension(oids.keyUsage, true, request.role === 'root' ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0xc0]), 6)),
    ...(request.role === 'signer'
      ? [extension(oids.extendedKeyUsage, false, sequence(oid(oids.documentSigning), oid(oids.emailProtection)))]
      : []),
    extension(oids.subjectKeyIdentifier, false, octets(keyIdentifier(spki))),
    extension(oids.authorityKeyIdentifier, false, sequence(der(0x80, keyIdentifier(issuerSpki)))),
  ];
  const tbs = sequence(
    context(0, integer(2)),
    integer(request.serial),
    signatureAlgorithm(algorithm, 'certificate'),
    issuer === null ? subject : issuer.subject,
    sequence(time(request.notBefore), time(request.notAfter)),
    subject,
    spki,
    context(3, sequence(...extensions)),
  );
  return readCertificate(sequence(tbs, signatureAlgorithm(algorithm, 'certificate'), bits(await sign(tbs))));
}

function distinguishedName(name: CertificateRequest['subject']): Buffer {
  const part = (type: string, text: string): Buffer => setOf(sequence(oid(type), utf8(text)));
  return sequence(
    ...(name.organization === undefined ? [] : [part(oids.organizationName, name.organization)]),
    part(oids.commonName, name.commonName),
  );
}

/** SHA-1 of the public key bits: RFC 5280's usual identifier, which names a key and protects nothing. */
function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1')
    .update(child(readDer(spki), 1, tags.bitString).content.subarray(1))
    .digest();
}
