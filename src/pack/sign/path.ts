import { oids } from './oids.ts';
import type { Certificate } from './certificate.ts';

/**
 * Whether each certificate of `chain` issued the one before it. Null when it holds, else what breaks, in words.
 * Dates are judged apart (`validityAt`), because what they should be compared with depends on the timestamp.
 */
export function checkPath(certificate: Certificate, chain: readonly Certificate[]): string | null {
  let subject = certificate;
  for (const member of [certificate, ...chain]) if (member.flaw !== null) return `"${oneLine(member)}" ${member.flaw}`;
  for (const [between, issuer] of chain.entries()) {
    if (!subject.issuer.equals(issuer.subject)) return `"${oneLine(subject)}" was not issued by "${oneLine(issuer)}"`;
    if (!issuer.authority || issuer.keyUsage?.certSign === false) return `"${oneLine(issuer)}" may not issue certificates`;
    if (issuer.pathLength !== null && between > issuer.pathLength)
      return `"${oneLine(issuer)}" may not issue to ${between === 1 ? 'an authority' : `${String(between)} authorities`} below it`;
    if (!verifies(subject, issuer)) return `the signature on "${oneLine(subject)}" is not by "${oneLine(issuer)}"`;
    subject = issuer;
  }
  if (subject.issuer.equals(subject.subject) && !verifies(subject, subject)) return `"${oneLine(subject)}" is not properly self-signed`;
  return null;
}

function verifies(subject: Certificate, issuer: Certificate): boolean {
  try {
    return subject.x509.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

export type Validity = 'valid' | 'not-yet-valid' | 'expired';

/** The validity of the whole path at an instant: the worst of its members. */
export function validityAt(path: readonly Certificate[], at: Date): Validity {
  if (path.some((certificate) => at < certificate.notBefore)) return 'not-yet-valid';
  if (path.some((certificate) => at > certificate.notAfter)) return 'expired';
  return 'valid';
}

/** Whether a leaf may sign documents: digitalSignature or nonRepudiation, and a fitting purpose where purposes are named. */
export function maySignDocuments(certificate: Certificate): boolean {
  const usage = certificate.keyUsage;
  if (usage !== null && !usage.digitalSignature && !usage.nonRepudiation) return false;
  const purposes = certificate.extendedKeyUsage?.purposes;
  if (purposes === undefined) return true;
  return purposes.includes(oids.documentSigning) || purposes.includes(oids.emailProtection);
}

function oneLine(certificate: Certificate): string {
  return certificate.x509.subject.replaceAll('\n', ', ');
}
