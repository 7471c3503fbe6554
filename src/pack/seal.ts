import { existsSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { PackError } from './error.ts';
import { assessmentSchema, observationSchema, resultSources } from '../model/index.ts';
import type { Citation, EvidenceTeller } from '../model/index.ts';
import { readTimestamp, signBundle, signEnvelope, writeStatement } from './attest.ts';
import { copyPayload, listPayload, writeTagFiles } from './bag.ts';
import { hashFile, inParallel, sha256 } from './files.ts';
import { packInfoOf, timestampText } from './info.ts';
import type { PackInfo, TimestampOutcome } from './info.ts';
import { dataDirectory, packFiles, readManifest, reportFile, safeName, writeManifest } from './layout.ts';
import type { FileDigest } from './layout.ts';
import { signPdf } from './pades.ts';
import { readPemCertificates, subjectText, writePem } from './sign/certificate.ts';
import { signCms } from './sign/cms.ts';
import { rootFingerprint } from './sign/keys.ts';
import { SignerError } from './sign/signer.ts';
import type { Signer } from './sign/signer.ts';
import { requestTimestamp } from './timestamp.ts';
import type { TimestampAuthority } from './timestamp.ts';
import { verifyPack } from './verify.ts';
import { problemList } from './verify/codes.ts';
import { evidenceCheck } from './verify/evidence.ts';
import type { EvidenceCheck } from './verify/evidence.ts';
import { checkSignerNamed } from './verify/stated.ts';
import { writeZip } from './zip.ts';

export interface SealOptions {
  /** Holds evidence/, results/, inputs/, report.html and report.pdf. */
  readonly runDirectory: string;
  /** Made here; must not exist. Sealing goes on in `<packDirectory>.sealing` and is renamed at its end. */
  readonly packDirectory: string;
  readonly zipPath: string;
  readonly signer: Signer;
  /** RFC 3161 authority: its URL, and a PEM file with the root that is pinned. */
  readonly timestamp?: { readonly url: string; readonly root: string };
  /** SHA-256 of the previous pack's tagmanifest-sha256.txt. */
  readonly previousRoot?: string;
  readonly now?: Date;
  /** Reads pages of evidence, to hold the ledger against them. */
  readonly teller?: EvidenceTeller;
  /** Seals a run whose evidence and results disagree, to keep it as it is; its pack will not verify. */
  readonly evenIfInconsistent?: boolean;
  readonly log?: (message: string) => void;
}

export interface SealReport {
  readonly packDirectory: string;
  readonly zipPath: string;
  /** SHA-256 of tagmanifest-sha256.txt: names this pack, and goes into the next one. */
  readonly root: string;
  readonly fingerprint: string;
  readonly rootPem: string;
  readonly files: number;
  readonly bytes: number;
  readonly timestamp: TimestampOutcome;
  /** This very pack had been sealed before; at most its ZIP was missing. */
  readonly already: boolean;
  readonly summary: string;
}

/** A pack cannot be made here: it is there already, or the run is not ready for it. */
export class SealError extends PackError {
  override readonly name = 'SealError';
}

const payloadParts = ['evidence', 'results', 'inputs', 'report.html', 'report.pdf'] as const;
const required = [
  'evidence/ledger.json',
  ...resultSources.map((name) => `results/${name}`),
  'results/rendering.json',
  'report.html',
  'report.pdf',
];

/**
 * Signs the report and seals the run into a pack, as a directory and as a ZIP. The pack appears whole or not at all, and
 * one that is there is never overwritten: sealing the same run again gives the same pack back. Throws SealError, BagError, PadesError or SignerError.
 */
export async function seal(options: SealOptions): Promise<SealReport> {
  const info = await readInfo(options.runDirectory);
  if (existsSync(options.packDirectory)) return finishSealed(options);
  if (existsSync(options.zipPath)) throw new SealError(`${options.zipPath} is there already, and a sealed pack is never overwritten`);
  const authority = await timestampAuthority(options);
  const bag = `${options.packDirectory}.sealing`;
  const zip = `${options.zipPath}.sealing`;
  await rm(bag, { recursive: true, force: true });
  await rm(zip, { force: true });
  try {
    const sealed = await fillBag(bag, options, info, authority);
    await writeZip(bag, sealed.files, zip);
    // The directory first: a seal that dies between the two is finished from it.
    await rename(bag, options.packDirectory);
    await rename(zip, options.zipPath);
    return reportOf(options, sealed, false);
  } catch (error) {
    await rm(bag, { recursive: true, force: true });
    await rm(zip, { force: true });
    throw error;
  }
}

function reportOf(options: SealOptions, sealed: Sealed, already: boolean): SealReport {
  const { files, root, timestamp } = sealed;
  const stamped =
    timestamp.status === 'granted' ? ', timestamped' : timestamp.status === 'failed' ? ', WITHOUT the timestamp that was asked for' : '';
  return {
    packDirectory: options.packDirectory,
    zipPath: options.zipPath,
    root,
    timestamp,
    already,
    fingerprint: rootFingerprint(options.signer),
    rootPem: writePem((options.signer.chain.at(-1) ?? options.signer.certificate).der),
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    summary: already
      ? `${String(files.length)} files, sealed already; nothing was changed`
      : `${String(files.length)} files sealed and signed${stamped}`,
  };
}

/**
 * A pack that is there already is taken for this run's only if it verifies, is by this signer, and holds what the run holds
 * now. Then an interrupted seal is completed (the ZIP may be missing still); nothing of the pack is written again.
 */
async function finishSealed(options: SealOptions): Promise<SealReport> {
  const refuse = (why: string): SealError =>
    new SealError(`${options.packDirectory} is there already${why}, and a sealed pack is never overwritten`);
  const verified = await verifyPack(options.packDirectory, {
    fingerprint: rootFingerprint(options.signer),
    ...(options.teller && { teller: options.teller }),
  });
  if (!verified.ok || verified.root === null) throw refuse(' and does not verify');
  const manifest = readManifest(await readFile(join(options.packDirectory, packFiles.manifest), 'utf8')) ?? new Map<string, string>();
  const paths = await listPayload(options.runDirectory, payloadParts);
  if (paths.length !== manifest.size) throw refuse(' with other content');
  await inParallel(paths, 8, async (path) => {
    if (path === 'report.pdf') return;
    if (manifest.get(`${dataDirectory}/${path}`) !== (await hashFile(join(options.runDirectory, path))))
      throw refuse(' with other content');
  });
  const [unsigned, signed] = await Promise.all([
    readFile(join(options.runDirectory, 'report.pdf')),
    readFile(join(options.packDirectory, reportFile)),
  ]);
  if (!signed.subarray(0, unsigned.length).equals(unsigned)) throw refuse(' with another report');
  const files = await listFiles(options.packDirectory);
  if (!existsSync(options.zipPath)) {
    const zip = `${options.zipPath}.sealing`;
    await rm(zip, { force: true });
    await writeZip(options.packDirectory, files, zip);
    await rename(zip, options.zipPath);
  }
  return reportOf(
    options,
    { root: verified.root, files, timestamp: readTimestamp(await readFile(join(options.packDirectory, packFiles.attestation), 'utf8')) },
    true,
  );
}

async function listFiles(directory: string): Promise<FileDigest[]> {
  const files: FileDigest[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: relative(directory, path).split(sep).join('/'), sha256: '', bytes: (await stat(path)).size });
  }
  return files;
}

async function readInfo(runDirectory: string): Promise<PackInfo> {
  for (const file of required) {
    if (!existsSync(join(runDirectory, file))) throw new SealError(`${join(runDirectory, file)} is missing: run the stages before sealing`);
  }
  const parsed = assessmentSchema.safeParse(JSON.parse(await readFile(join(runDirectory, 'results/assessment.json'), 'utf8')));
  if (!parsed.success) throw new SealError('results/assessment.json is not an assessment');
  return packInfoOf(parsed.data);
}

async function timestampAuthority(options: SealOptions): Promise<TimestampAuthority | null> {
  if (options.timestamp === undefined) return null;
  const roots = readPemCertificates(await readFile(options.timestamp.root, 'utf8'));
  if (roots.length === 0) throw new SignerError(`${options.timestamp.root} holds no certificate to pin the timestamp authority to`);
  return { url: options.timestamp.url, roots };
}

interface Sealed {
  readonly root: string;
  readonly files: FileDigest[];
  readonly timestamp: TimestampOutcome;
}

async function fillBag(bag: string, options: SealOptions, info: PackInfo, authority: TimestampAuthority | null): Promise<Sealed> {
  const { signer } = options;
  const stamp = stamper(authority, options.log ?? (() => undefined));
  await mkdir(join(bag, dataDirectory), { recursive: true });

  const unsigned = await readFile(join(options.runDirectory, 'report.pdf'));
  const report = await signPdf(unsigned, signer, {
    signedAt: options.now ?? new Date(),
    reason: `Sealed as evidence: ${info.runId}`,
    timestamp: stamp.sign,
  });
  const paths = (await listPayload(options.runDirectory, payloadParts)).filter((path) => path !== 'report.pdf');
  const evidence = evidenceCheck(options.teller);
  const payload = await copyPayload(options.runDirectory, bag, paths, (path) => evidence.observe(path));
  if (options.evenIfInconsistent !== true) assertConsistent(evidence, payload, unsigned, rootFingerprint(signer));
  await writeFile(join(bag, reportFile), report, { mode: 0o644, flag: 'wx' });
  payload.push({ path: reportFile, sha256: sha256(report), bytes: report.length });
  const size = { bytes: payload.reduce((sum, file) => sum + file.bytes, 0), files: payload.length };

  const example = await exampleCitation(join(options.runDirectory, 'results/observations.ndjson'));
  const certificates = [signer.certificate, ...signer.chain].map((certificate) => writePem(certificate.der)).join('');
  const writeRoot = (timestamp: TimestampOutcome): ReturnType<typeof writeTagFiles> =>
    writeTagFiles(bag, payload, certificates, {
      info,
      payload: size,
      timestamp,
      previousRoot: options.previousRoot ?? null,
      signer: {
        subject: subjectText(signer.certificate),
        algorithm: signer.algorithm,
        rootFingerprint: rootFingerprint(signer),
        notAfter: signer.certificate.notAfter.toISOString(),
      },
      example,
    });
  let tag = await writeRoot(stamp.outcome());
  let signature = await signCms(sha256Bytes(tag.root), signer, stamp.sign);
  if (stamp.changed()) {
    // The authority failed between the report and the manifest. The pack must say so, and what it says is signed: once more.
    tag = await writeRoot(stamp.outcome());
    signature = await signCms(sha256Bytes(tag.root), signer, () => Promise.resolve(null));
  }
  const root = sha256(tag.root);
  const statement = writeStatement({
    root,
    signature: sha256(signature),
    report: sha256(report),
    info,
    timestamp: stamp.outcome(),
    previousRoot: options.previousRoot ?? null,
    payload: size,
  });
  const signatures = new Map<string, Buffer>([
    [packFiles.signature, signature],
    [packFiles.bundle, Buffer.from(await signBundle(tag.root, signer))],
    [packFiles.attestation, Buffer.from(await signEnvelope(statement, signer))],
  ]);
  const signed: FileDigest[] = [];
  for (const [path, bytes] of signatures) {
    await writeFile(join(bag, path), bytes, { mode: 0o644 });
    signed.push({ path, sha256: sha256(bytes), bytes: bytes.length });
  }
  const digests = Buffer.from(writeManifest(signed));
  await writeFile(join(bag, packFiles.signatureDigests), digests, { mode: 0o644 });
  signed.push({ path: packFiles.signatureDigests, sha256: sha256(digests), bytes: digests.length });
  return { root, files: [...payload, ...tag.files, ...signed], timestamp: stamp.outcome() };
}

/** A run that does not agree with itself makes a pack that does not verify: it is refused before anything is signed. */
function assertConsistent(evidence: EvidenceCheck, payload: readonly FileDigest[], report: Buffer, root: string): void {
  const problems = problemList();
  const { reportsName } = evidence.finish(
    { kind: 'directory', files: new Map(payload.map((file) => [file.path, file])), notes: [] },
    report,
    problems,
  );
  checkSignerNamed(reportsName, root, problems);
  const [first] = problems.list();
  if (first === undefined) return;
  const others = problems.count > 1 ? ` (and ${String(problems.count - 1)} more)` : '';
  throw new SealError(`the run does not agree with itself, and its pack would not verify. ${first.message}${others}`);
}

/** The first citation of a failing observation near the start of the results, else of any; null when there is none. */
async function exampleCitation(file: string): Promise<Citation | null> {
  const handle = await open(file, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4 * 1024 * 1024), 0);
    let first: Citation | null = null;
    for (const line of buffer.subarray(0, bytesRead).toString('utf8').split('\n').slice(0, -1)) {
      const {
        status,
        citations: [citation],
      } = observationCitationsSchema.parse(JSON.parse(line));
      if (citation === undefined || !safeName.test(citation.file) || !plainPointer.test(citation.pointer)) continue;
      if (status === 'fail') return citation;
      first ??= citation;
    }
    return first;
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

/** Pointers that can stand in a command line as they are. */
const plainPointer = /^(?:\/[A-Za-z0-9._-]+)+$/;
const observationCitationsSchema = observationSchema.pick({ status: true, citations: true });

function sha256Bytes(bytes: Buffer): Buffer {
  return Buffer.from(sha256(bytes), 'hex');
}

/** Asks for timestamps and remembers what came of it: one failure, and the whole pack goes without and says so. */
function stamper(
  authority: TimestampAuthority | null,
  log: (message: string) => void,
): {
  sign: (signature: Buffer) => Promise<Buffer | null>;
  outcome: () => TimestampOutcome;
  changed: () => boolean;
} {
  let failure: string | null = null;
  let stated: TimestampOutcome | null = null;
  const outcome = (): TimestampOutcome => {
    if (authority === null) return { status: 'not-configured' };
    return failure === null ? { status: 'granted', url: authority.url } : { status: 'failed', url: authority.url, reason: failure };
  };
  return {
    sign: async (signature) => {
      if (authority === null || failure !== null) return null;
      const result = await requestTimestamp(signature, authority);
      if (result.ok) return result.token;
      failure = result.reason;
      log(`timestamp: ${timestampText(outcome())}`);
      return null;
    },
    outcome: () => {
      stated = outcome();
      return stated;
    },
    changed: () => stated !== null && stated.status !== outcome().status,
  };
}
