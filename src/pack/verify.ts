import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceTeller } from '../model/index.ts';
import { packFiles, reportFile } from './layout.ts';
import { readPemCertificates } from './sign/certificate.ts';
import { readArchive } from './verify/archive.ts';
import { note, problemList } from './verify/codes.ts';
import type { Note, Problem, ProblemList } from './verify/codes.ts';
import { whole } from './verify/contents.ts';
import type { Observe, PackContents } from './verify/contents.ts';
import { readDirectory } from './verify/directory.ts';
import { evidenceCheck } from './verify/evidence.ts';
import { packRoot, verifyManifests } from './verify/manifests.ts';
import { verifyPolicy } from './verify/policy.ts';
import type { PolicyOptions, SignerFacts } from './verify/policy.ts';
import { checkStated } from './verify/stated.ts';
import { verifySignatures } from './verify/signatures.ts';

export type { Note, NoteCode, Problem, ProblemCode } from './verify/codes.ts';
export { problemCodes } from './verify/codes.ts';

export interface VerifyOptions extends Omit<PolicyOptions, 'at' | 'timestampRoots'> {
  /** PEM file with the root of the timestamp authority. */
  readonly timestampRoot?: string;
  /** Default: now. */
  readonly at?: Date;
  /** Reads pages of evidence. Without it the ledger is not held against them, and a note says so. */
  readonly teller?: EvidenceTeller;
  /** Largest file that is read whole, in bytes: the manifests, and the report. */
  readonly limits?: { readonly tagFile: number; readonly report: number };
}

export type StepName = 'container' | 'files' | 'signatures' | 'evidence' | 'signer';

export interface VerifyStep {
  readonly name: StepName;
  readonly title: string;
  /** `unchecked`: the step could not be carried out, or was not asked for. */
  readonly status: 'ok' | 'failed' | 'unchecked';
  readonly detail: string;
  readonly problems: readonly Problem[];
}

/** What verification found. `ok` only when every step is: then the pack is what the named signer sealed. */
export interface VerifyReport {
  readonly ok: boolean;
  /** One sentence for people. */
  readonly conclusion: string;
  readonly kind: 'directory' | 'zip' | null;
  /** SHA-256 of tagmanifest-sha256.txt: the name of this pack. */
  readonly root: string | null;
  readonly signer: SignerFacts | null;
  readonly signerEstablished: boolean;
  readonly signedBefore: string | null;
  readonly runId: string | null;
  readonly files: number;
  readonly bytes: number;
  readonly steps: readonly VerifyStep[];
  /** What was not, or could not be, checked. */
  readonly notes: readonly Note[];
}

const defaultLimits = { tagFile: 512 * 1024 * 1024, report: 1024 * 1024 * 1024 };

const tagFileNames = new Set<string>(Object.values(packFiles));

/**
 * Verifies a pack, a directory or a ZIP, reading every file once and writing none. Whatever the pack holds becomes a
 * problem with a code; throws only when `timestampRoot` cannot be read.
 */
export async function verifyPack(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { timestampRoot, at, teller, limits = defaultLimits, ...asked } = options;
  const policy: PolicyOptions = {
    ...asked,
    at: at ?? new Date(),
    ...(timestampRoot === undefined ? {} : { timestampRoots: readPemCertificates(await readFile(timestampRoot, 'utf8')) }),
  };
  const tagFiles = new Map<string, Buffer>();
  let report: Buffer | null = null;
  const container = problemList();
  const evidence = evidenceCheck(teller);
  const observe: Observe = (file) => {
    if (tagFileNames.has(file))
      return whole(limits.tagFile, (bytes) => {
        if (bytes === null) container.add('too-large', undefined, file);
        else tagFiles.set(file, bytes);
      });
    if (file === reportFile)
      return whole(limits.report, (bytes) => {
        if (bytes === null) container.add('too-large', undefined, file);
        report = bytes;
      });
    return evidence.observe(file);
  };

  // 1. What the pack is made of, safely read.
  const contents = await readPack(path, observe, container);
  if (contents === null || !contents.files.has(packFiles.declaration)) {
    if (contents !== null) container.add('not-a-pack');
    return unreadable(container);
  }
  // 2. Every file, and no other.
  const files = problemList();
  const info = verifyManifests(contents, tagFiles, files);
  // 3. The signatures over them.
  const signing = problemList();
  const signatures = await verifySignatures(contents, tagFiles, report, signing);
  // 4. The evidence in them.
  const substance = problemList();
  const held = evidence.finish(contents, report, substance);
  checkStated({ contents, tagFiles, bagInfo: info }, held, signatures.certificates, signatures.statement, substance);
  // 5. The one who signed.
  const trust = problemList();
  const root = packRoot(tagFiles);
  const judged = verifyPolicy(signatures, root, info, policy, trust);

  const bytes = [...contents.files.values()].reduce((sum, file) => sum + file.bytes, 0);
  const steps: VerifyStep[] = [
    step(
      'container',
      'Container',
      container,
      contents.kind === 'zip' ? 'a ZIP, read in place; nothing in it leads outside' : 'a directory; nothing in it leads outside',
    ),
    step(
      'files',
      'Files',
      files,
      `${String(contents.files.size)} files, each with the digest it was sealed with, none missing, none added`,
    ),
    step('signatures', 'Signatures', signing, 'pack, report, bundle and attestation, all by one certificate'),
    step(
      'evidence',
      'Evidence',
      substance,
      `${String(held.pages)} pages as their queries recorded them, ${String(held.observations)} observations with their citations, ${String(held.rows)} populations reconciled`,
    ),
    step(
      'signer',
      'Signer',
      trust,
      judged.established ? `${judged.signer?.subject ?? ''}, under the root whose fingerprint was given` : 'not checked, as asked',
      judged.established ? 'ok' : 'unchecked',
    ),
  ];
  const ok = steps.every((one) => one.problems.length === 0);
  return {
    ok,
    conclusion: conclusion(steps, ok, judged.established),
    kind: contents.kind,
    root,
    signer: judged.signer,
    signerEstablished: judged.established,
    signedBefore: judged.signedBefore,
    runId: info.get('External-Identifier') ?? null,
    files: contents.files.size,
    bytes,
    steps,
    notes: [...contents.notes.map((code) => note(code)), ...(teller === undefined ? [note('pages-unread')] : []), ...judged.notes],
  };
}

async function readPack(path: string, observe: Observe, problems: ProblemList): Promise<PackContents | null> {
  try {
    if (!(await stat(path)).isDirectory()) return await readArchive(path, observe, problems);
    // Whatever else lies in a directory that is no pack is nobody's business, and may be without end.
    if (!existsSync(join(path, packFiles.declaration))) {
      problems.add('not-a-pack');
      return null;
    }
    return await readDirectory(path, observe, problems);
  } catch (error) {
    problems.add('unreadable', error instanceof Error ? error.message : String(error));
    return null;
  }
}

function step(name: StepName, title: string, problems: ProblemList, detail: string, good: 'ok' | 'unchecked' = 'ok'): VerifyStep {
  const failed = problems.count > 0;
  return {
    name,
    title,
    status: failed ? 'failed' : good,
    detail: failed ? `${String(problems.count)} ${problems.count === 1 ? 'problem' : 'problems'}` : detail,
    problems: problems.list(),
  };
}

function unreadable(problems: ProblemList): VerifyReport {
  const first = step('container', 'Container', problems, '');
  const rest = (
    [
      ['files', 'Files'],
      ['signatures', 'Signatures'],
      ['evidence', 'Evidence'],
      ['signer', 'Signer'],
    ] as const
  ).map(([name, title]): VerifyStep => ({ name, title, status: 'unchecked', detail: 'not reached', problems: [] }));
  return {
    ok: false,
    conclusion: 'this cannot be read as an evidence pack',
    kind: null,
    root: null,
    signer: null,
    signerEstablished: false,
    signedBefore: null,
    runId: null,
    files: 0,
    bytes: 0,
    steps: [first, ...rest],
    notes: [],
  };
}

function conclusion(steps: readonly VerifyStep[], ok: boolean, established: boolean): string {
  if (ok) {
    return established
      ? 'every file is as it was sealed by the signer whose fingerprint was given'
      : 'every file is as it was sealed, by whom is not established';
  }
  const failed = steps.filter((one) => one.status === 'failed');
  if (failed.every((one) => one.name === 'signer')) {
    const codes = failed.flatMap((one) => one.problems.map((problem) => problem.code));
    return codes.every((code) => code === 'identity-not-established')
      ? 'every file is as it was sealed, but by whom is NOT established: no fingerprint was given'
      : 'every file is as it was sealed, but the signer is not to be relied on';
  }
  return `${failed.map((one) => one.title.toLowerCase()).join(', ')}: not as sealed`;
}
