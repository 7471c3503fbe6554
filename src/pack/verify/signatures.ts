import { createHash } from 'node:crypto';
import { verifyBundle, verifyEnvelope } from '../attest.ts';
import { sha256 } from '../files.ts';
import { packFiles, reportFile } from '../layout.ts';
import { verifyPdf } from '../pades.ts';
import type { PdfProblem } from '../pades.ts';
import { readPemCertificates, subjectText, writePem } from '../sign/certificate.ts';
import type { Certificate } from '../sign/certificate.ts';
import { verifyCms } from '../sign/cms.ts';
import type { CmsProblem } from '../sign/cms.ts';
import type { ProblemCode, ProblemList } from './codes.ts';
import type { PackContents } from './contents.ts';
import type { TagFiles } from './manifests.ts';

/** A signature that verified, for the timestamp it may carry. */
export interface GoodSignature {
  readonly of: 'pack' | 'report';
  readonly signature: Buffer;
  readonly timestampToken: Buffer | null;
}

export interface Signatures {
  /** Certificates of signer-certificate.pem: the signer's, then up to the root. Empty when unreadable. */
  readonly certificates: readonly Certificate[];
  readonly good: readonly GoodSignature[];
  /** The attested statement; null where it does not verify. */
  readonly statement: Buffer | null;
}

const cmsCodes: Readonly<Record<CmsProblem, ProblemCode>> = {
  malformed: 'signature-malformed',
  'not-canonical': 'signature-not-canonical',
  'content-differs': 'signature-over-other-content',
  'signature-wrong': 'signature-wrong',
  algorithm: 'signature-algorithm',
  key: 'signature-algorithm',
};

const pdfCodes: Readonly<Record<PdfProblem, ProblemCode>> = {
  'no-signature': 'report-unsigned',
  'several-signatures': 'report-several-signatures',
  appended: 'report-appended',
  gap: 'report-gap',
  subfilter: 'report-signature-wrong',
};

/** The signatures over the root manifest, the report and the attestation, all by the one certificate that the pack names. */
export async function verifySignatures(
  contents: PackContents,
  tagFiles: TagFiles,
  report: Buffer | null,
  problems: ProblemList,
): Promise<Signatures> {
  const certificates = readCertificates(tagFiles, problems);
  const [signer] = certificates;
  const good: GoodSignature[] = [];
  const sameSigner = (found: Certificate | undefined, what: string): void => {
    if (found === undefined || signer === undefined || found.der.equals(signer.der)) return;
    problems.add('re-signed', `${what} is signed by "${subjectText(found)}", and signer-certificate.pem names "${subjectText(signer)}"`);
  };
  const root = tagFiles.get(packFiles.root);
  const signature = tagFiles.get(packFiles.signature);
  if (signature === undefined || root === undefined) problems.add('signature-missing', undefined, packFiles.signature);
  else {
    const verdict = verifyCms(signature, createHash('sha256').update(root).digest());
    if (verdict.ok) good.push({ of: 'pack', signature: verdict.signature, timestampToken: verdict.timestampToken });
    else problems.add(cmsCodes[verdict.problem], verdict.detail);
    sameSigner(verdict.certificates[0], 'the pack');
  }
  if (!contents.files.has(reportFile)) problems.add('report-missing', undefined, reportFile);
  else if (report !== null) {
    const pdf = await verifyPdf(report);
    if (!pdf.ok) problems.add(pdfCodes[pdf.problem], pdf.detail);
    else {
      if (pdf.cms.ok) good.push({ of: 'report', signature: pdf.cms.signature, timestampToken: pdf.cms.timestampToken });
      else problems.add('report-signature-wrong', pdf.cms.detail);
      sameSigner(pdf.cms.certificates[0], 'the report');
    }
  }
  const statement = signer === undefined ? null : verifyAttestations(contents, tagFiles, signer, problems);
  return { certificates, good, statement };
}

function readCertificates(tagFiles: TagFiles, problems: ProblemList): Certificate[] {
  const pem = tagFiles.get(packFiles.certificates)?.toString('latin1');
  if (pem === undefined) return [];
  try {
    const certificates = readPemCertificates(pem);
    if (certificates.length > 0 && certificates.map((certificate) => writePem(certificate.der)).join('') === pem) return certificates;
    problems.add('certificates-unreadable');
  } catch (error) {
    problems.add('certificates-unreadable', error instanceof Error ? error.message : String(error));
  }
  return [];
}

function verifyAttestations(contents: PackContents, tagFiles: TagFiles, signer: Certificate, problems: ProblemList): Buffer | null {
  const root = tagFiles.get(packFiles.root);
  const bundle = tagFiles.get(packFiles.bundle);
  if (bundle === undefined) problems.add('bundle-invalid', 'it is missing', packFiles.bundle);
  else if (root !== undefined) {
    const verdict = verifyBundle(bundle.toString('latin1'), root, signer);
    if (!verdict.ok) problems.add('bundle-invalid', verdict.detail, packFiles.bundle);
  }
  const attestation = tagFiles.get(packFiles.attestation);
  if (attestation === undefined) {
    problems.add('attestation-invalid', 'it is missing', packFiles.attestation);
    return null;
  }
  const verdict = verifyEnvelope(attestation.toString('latin1'), signer);
  if (!verdict.ok) {
    problems.add('attestation-invalid', verdict.detail, packFiles.attestation);
    return null;
  }
  const subjects = subjectsOf(verdict.value);
  if (subjects === null) {
    problems.add('attestation-invalid', 'its statement is unreadable', packFiles.attestation);
    return null;
  }
  const expected = new Map<string, string | undefined>([
    [packFiles.root, root === undefined ? undefined : sha256(root)],
    [packFiles.signature, contents.files.get(packFiles.signature)?.sha256],
    [reportFile, contents.files.get(reportFile)?.sha256],
  ]);
  for (const [name, digest] of expected) {
    if (subjects.get(name) !== digest) problems.add('attestation-contradicts', undefined, name);
  }
  return verdict.value;
}

function subjectsOf(statement: Buffer): Map<string, string> | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(statement.toString('utf8'));
  } catch {
    return null;
  }
  const subjects = (parsed as { subject?: unknown } | null)?.subject;
  if (!Array.isArray(subjects)) return null;
  const found = new Map<string, string>();
  for (const entry of subjects as { name?: unknown; digest?: { sha256?: unknown } }[]) {
    if (typeof entry?.name !== 'string' || typeof entry.digest?.sha256 !== 'string' || found.has(entry.name)) return null;
    found.set(entry.name, entry.digest.sha256);
  }
  return found;
}
