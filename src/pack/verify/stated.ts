import { z } from 'zod';
import { engagementSchema } from '../../model/index.ts';
import { writeStatement } from '../attest.ts';
import { sha256 } from '../files.ts';
import { writeBagInfo } from '../info.ts';
import type { PackInfo, TimestampOutcome } from '../info.ts';
import { dataDirectory, packFiles, reportFile } from '../layout.ts';
import { algorithmOf, fingerprintOf, normalizeFingerprint, subjectText } from '../sign/certificate.ts';
import type { Certificate } from '../sign/certificate.ts';
import type { ProblemList } from './codes.ts';
import type { PackContents } from './contents.ts';
import type { TagFiles } from './manifests.ts';

/** Of `results/assessment.json`, what the files around the payload repeat. */
export const packInfoSchema = z.object({
  runId: z.string(),
  asOf: z.string(),
  tool: z.object({ name: z.string(), version: z.string() }),
  engagement: engagementSchema.pick({ id: true, title: true, entity: true, period: true }),
  evidenceComplete: z.boolean(),
  evidenceDigest: z.string(),
  catalogue: z.object({ name: z.string(), version: z.string(), sha256: z.string() }),
});

const timestampSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('not-configured') }),
  z.object({ status: z.literal('granted'), url: z.string() }),
  z.object({ status: z.literal('failed'), url: z.string(), reason: z.string() }),
]);
const predicateSchema = z.object({ predicate: z.object({ timestamp: timestampSchema }) });

/** Where files may lie below data/, besides the results and the evidence, which are looked through for themselves. */
const known = /^data\/(?:report\.(?:html|pdf)|inputs\/exhibit\.yaml|inputs\/catalogue\/.+|results\/.+|evidence\/.+)$/;

/** The reports name the root that their reader has to know: it is that of the pack. `named`: null in drafts, undefined where it is not told. */
export function checkSignerNamed(named: string | null | undefined, root: string, problems: ProblemList): void {
  if (named === undefined || (named !== null && normalizeFingerprint(named) === root)) return;
  const why = named === null ? 'they were made as drafts' : `they name the root ${named}`;
  problems.add('report-stale', `${why}: render again, then seal`, reportFile);
}

/** What a pack says of itself outside its payload is what the payload says, and nothing else lies in it. */
export function checkStated(
  pack: { readonly contents: PackContents; readonly tagFiles: TagFiles; readonly bagInfo: ReadonlyMap<string, string> },
  { info, reportsName }: { readonly info: PackInfo | null; readonly reportsName: string | null | undefined },
  certificates: readonly Certificate[],
  statement: Buffer | null,
  problems: ProblemList,
): void {
  const { contents, tagFiles, bagInfo } = pack;
  for (const path of contents.files.keys())
    if (path.startsWith(`${dataDirectory}/`) && !known.test(path)) problems.add('file-unknown', undefined, path);
  const [signer] = certificates;
  const root = certificates.at(-1);
  if (info === null || signer === undefined || root === undefined) return;

  const payload = [...contents.files].filter(([path]) => path.startsWith(`${dataDirectory}/`));
  const size = { bytes: payload.reduce((sum, [, file]) => sum + file.bytes, 0), files: payload.length };
  const timestamp = timestampOf(statement);
  const previous = bagInfo.get('Exhibit-Previous-Pack');
  const previousRoot = previous !== undefined && /^[0-9a-f]{64}$/.test(previous) ? previous : null;
  const due = writeBagInfo({
    info,
    payload: size,
    timestamp: timestamp ?? { status: 'not-configured' },
    previousRoot,
    signer: {
      subject: subjectText(signer),
      algorithm: algorithmOf(signer.publicKey) ?? '',
      rootFingerprint: fingerprintOf(root.der),
      notAfter: signer.notAfter.toISOString(),
    },
    example: null,
  });
  for (const line of due.split('\n').slice(0, -1)) {
    const [label = '', value = ''] = [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)];
    // Its number of files has a code of its own.
    if (label === 'Payload-Oxum' || (label === 'Exhibit-Timestamp' && timestamp === null)) continue;
    if (bagInfo.get(label) !== value)
      problems.add(
        'info-contradicts',
        `${label} is ${JSON.stringify(bagInfo.get(label) ?? null)}, and ought to be ${JSON.stringify(value)}`,
        packFiles.info,
      );
  }
  checkSignerNamed(reportsName, fingerprintOf(root.der), problems);
  checkInstructions(tagFiles.get(packFiles.instructions), fingerprintOf(root.der), problems);
  if (statement === null) return;
  const digest = (path: string): string => contents.files.get(path)?.sha256 ?? '';
  const rootManifest = tagFiles.get(packFiles.root);
  const expected = writeStatement({
    root: rootManifest === undefined ? '' : sha256(rootManifest),
    signature: digest(packFiles.signature),
    report: digest(reportFile),
    info,
    timestamp: timestamp ?? { status: 'not-configured' },
    previousRoot,
    payload: size,
  });
  if (!expected.equals(statement)) problems.add('attestation-contradicts', 'it states something else of the pack', packFiles.attestation);
}

function timestampOf(statement: Buffer | null): TimestampOutcome | null {
  try {
    return predicateSchema.parse(JSON.parse(statement?.toString('utf8') ?? 'null')).predicate.timestamp;
  } catch {
    return null;
  }
}

/** Its wording is that of the version that sealed; the fingerprint that it has people ask for is that of the root. */
function checkInstructions(bytes: Buffer | undefined, fingerprint: string, problems: ProblemList): void {
  const others = (bytes?.toString('latin1').match(/\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}\b/g) ?? []).filter((one) => one !== fingerprint);
  if (bytes !== undefined && (others.length > 0 || !bytes.includes(fingerprint)))
    problems.add('info-contradicts', 'it names another root than that of the certificates', packFiles.instructions);
}
