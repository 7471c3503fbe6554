import { fingerprintOf, normalizeFingerprint, subjectText } from '../sign/certificate.ts';
import type { Certificate } from '../sign/certificate.ts';
import { checkPath, maySignDocuments, validityAt } from '../sign/path.ts';
import { verifyTimestamp } from '../timestamp.ts';
import { note } from './codes.ts';
import type { Note, ProblemList } from './codes.ts';
import type { Signatures } from './signatures.ts';

export interface PolicyOptions {
  /** SHA-256 of the root certificate, had by another way than the pack. */
  readonly fingerprint?: string;
  /** Integrity alone is wanted: a missing fingerprint is a note and not a failure. */
  readonly identity?: 'required' | 'not-asked';
  /** Roots of the timestamp authority. */
  readonly timestampRoots?: readonly Certificate[];
  /** SHA-256 of the root manifest, where it is known by another way. */
  readonly expectedRoot?: string;
  /** The instant to judge certificates at, where no timestamp says otherwise. */
  readonly at: Date;
}

export interface SignerFacts {
  readonly subject: string;
  readonly fingerprint: string;
  readonly rootSubject: string;
  readonly rootFingerprint: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

export interface Policy {
  readonly signer: SignerFacts | null;
  readonly established: boolean;
  /** The time a timestamp authority vouches for, RFC 3339. */
  readonly signedBefore: string | null;
  readonly notes: readonly Note[];
}

/** Whether the one who signed is who was expected, was entitled to sign, and when. */
export function verifyPolicy(
  signatures: Signatures,
  root: string | null,
  info: ReadonlyMap<string, string>,
  options: PolicyOptions,
  problems: ProblemList,
): Policy {
  const notes: Note[] = [];
  const time = verifyTime(signatures, info, options, notes, problems);
  if (options.expectedRoot !== undefined && options.expectedRoot.toLowerCase() !== root)
    problems.add('root-unexpected', `its root is ${root ?? 'missing'}`);
  const previous = info.get('Exhibit-Previous-Pack');
  if (previous !== undefined && /^[0-9a-f]{64}$/.test(previous)) notes.push(note('previous-pack-unchecked', `Its root is ${previous}.`));

  const [certificate, ...chain] = signatures.certificates;
  if (certificate === undefined) {
    problems.add('identity-not-established', 'the pack holds no readable certificate');
    return { signer: null, established: false, signedBefore: time?.toISOString() ?? null, notes };
  }
  const last = chain.at(-1) ?? certificate;
  const signer: SignerFacts = {
    subject: subjectText(certificate),
    fingerprint: fingerprintOf(certificate.der),
    rootSubject: subjectText(last),
    rootFingerprint: fingerprintOf(last.der),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
  };
  const broken = checkPath(certificate, chain);
  if (broken !== null) problems.add('path-broken', broken);
  if (!maySignDocuments(certificate)) problems.add('certificate-usage', signer.subject);
  const validity = validityAt([certificate, ...chain], time ?? options.at);
  if (validity === 'expired')
    problems.add(
      'certificate-expired',
      `valid until ${signer.notAfter}${time === null ? '; without a timestamp nothing shows that it was signed before' : ''}`,
    );
  if (validity === 'not-yet-valid') problems.add('certificate-not-yet-valid', `valid from ${signer.notBefore}`);
  const stated = info.get('Exhibit-Signer-Root');
  if (stated !== undefined && stated !== signer.rootFingerprint)
    problems.add('re-signed', `bag-info.txt names the root ${stated}, and the certificates lead to ${signer.rootFingerprint}`);
  const established = verifyIdentity(signer, options, notes, problems) && broken === null;
  return { signer, established, signedBefore: time?.toISOString() ?? null, notes };
}

function verifyIdentity(signer: SignerFacts, options: PolicyOptions, notes: Note[], problems: ProblemList): boolean {
  if (options.fingerprint === undefined) {
    if (options.identity === 'not-asked') notes.push(note('identity-not-asked'));
    else
      problems.add(
        'identity-not-established',
        `whoever changed the pack could have signed it again; give the fingerprint of the root that you had by another way (the pack claims ${signer.rootFingerprint})`,
      );
    return false;
  }
  const expected = normalizeFingerprint(options.fingerprint);
  if (expected === null) {
    problems.add('fingerprint-malformed');
    return false;
  }
  if (expected === signer.rootFingerprint) return true;
  problems.add(
    'unknown-signer',
    `it is signed under the root ${signer.rootFingerprint} ("${signer.rootSubject}"), expected was ${expected}. Either the fingerprint belongs to someone else, or someone else made or re-signed this pack`,
  );
  return false;
}

/** The earliest time that an authority vouches for over the pack's own signature; null without one that holds. */
function verifyTime(
  signatures: Signatures,
  info: ReadonlyMap<string, string>,
  options: PolicyOptions,
  notes: Note[],
  problems: ProblemList,
): Date | null {
  const stated = info.get('Exhibit-Timestamp')?.startsWith('granted') === true;
  let time: Date | null = null;
  for (const signature of signatures.good) {
    if (signature.timestampToken === null) {
      if (stated) problems.add('timestamp-missing', `the signature of the ${signature.of} carries none`);
      continue;
    }
    const verdict = verifyTimestamp(signature.timestampToken, signature.signature, options.timestampRoots ?? null);
    if (!verdict.ok) problems.add('timestamp-invalid', `of the ${signature.of}: ${verdict.reason}`);
    else if (!verdict.pinned)
      notes.push(
        note(
          'timestamp-authority-unchecked',
          `"${verdict.authority}" says the ${signature.of} was signed before ${verdict.time.toISOString()}.`,
        ),
      );
    else if (signature.of === 'pack') time = verdict.time;
  }
  if (!stated && signatures.good.every((signature) => signature.timestampToken === null)) notes.push(note('timestamp-none'));
  return time;
}
