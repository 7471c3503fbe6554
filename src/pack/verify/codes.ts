/**
 * Everything verification can find wrong, each with the sentence that explains it. The union is closed: a finding that
 * has no code here cannot be reported, and a reader of JSON output can rely on the names.
 */
export const problemCodes = {
  // container
  unreadable: 'The pack cannot be read.',
  'not-a-pack': 'This is not an evidence pack: it has no bagit.txt at its top.',
  'zip-malformed': 'The ZIP is not well formed.',
  'zip-prefix': 'Bytes precede the first file of the ZIP.',
  'zip-gap': 'The ZIP holds bytes that belong to no file, or files that overlap.',
  'zip-header-mismatch': 'The ZIP describes a file in two ways that differ, so that tools would see different files.',
  'zip-container-altered': 'The ZIP itself was changed after it was written.',
  'zip-entry-damaged': 'A file in the ZIP does not unpack to what the ZIP says it holds.',
  'zip-unsupported': 'The ZIP uses encryption or a compression method that packs do not use.',
  'zip-bomb': 'A file in the ZIP unpacks to far more than evidence ever would.',
  'too-large': 'A file that has to be read whole is larger than any pack needs.',
  'duplicate-name': 'Two files share one name, so that tools would see different files.',
  'case-collision': 'Two names differ only in case, so that some systems would see one file.',
  symlink: 'A symbolic link: it could lead outside the pack.',
  'special-file': 'Something that is neither a file nor a directory.',
  'unsafe-path': 'A path that leads outside the pack.',
  'unsafe-name': 'A name with characters that packs never use.',
  // files
  'manifest-missing': 'A manifest is missing.',
  'manifest-malformed': 'A manifest is not in the form that packs are written in.',
  'weak-manifest': 'A manifest by another digest than SHA-256: tools could be led to trust it instead.',
  'declaration-wrong': 'bagit.txt is not the declaration of BagIt 1.0.',
  'info-malformed': 'bag-info.txt does not hold what a pack states of itself.',
  'format-unknown': 'The pack is of a format that this version does not know.',
  'file-altered': 'A file was altered after sealing.',
  'file-missing': 'A file that was sealed is missing.',
  'file-extra': 'A file was added after sealing.',
  'tag-file-altered': 'A file that describes the pack was altered after sealing.',
  'tag-file-missing': 'A file that describes the pack is missing.',
  'signature-digests-wrong': 'signatures-sha256.txt does not match the signature files.',
  'info-contradicts': 'The pack states something else of itself than it holds.',
  'file-unknown': 'A file that is no part of a pack was sealed with it.',
  'count-wrong': 'The pack holds another number of files or bytes than it states.',
  // signatures
  'certificates-unreadable': 'signer-certificate.pem is not the certificates of a signer.',
  'signature-missing': 'The signature of the pack is missing.',
  'signature-malformed': 'The signature of the pack is damaged.',
  'signature-not-canonical': 'The signature file holds bytes that no sealing writes.',
  'signature-over-other-content': 'The signature is over another root manifest than the one in the pack.',
  'signature-wrong': 'The signature of the pack does not verify.',
  'signature-algorithm': 'The signature uses an algorithm or key that packs do not accept.',
  're-signed': 'Parts of the pack are signed by different keys: it was signed again by someone else.',
  'bundle-invalid': 'The Sigstore bundle does not verify.',
  'attestation-invalid': 'The attestation does not verify.',
  'attestation-contradicts': 'The attestation speaks of other content than the pack holds.',
  'report-missing': 'The report is missing.',
  'report-unsigned': 'The report carries no signature.',
  'report-several-signatures': 'The report carries more than one signature.',
  'report-appended': 'Bytes were appended to the report after it was signed.',
  'report-gap': 'The report holds bytes that its signature does not cover.',
  'report-signature-wrong': 'The signature of the report does not verify.',
  // evidence
  'evidence-unreadable': 'A record of the evidence is unreadable.',
  'page-missing': 'A page of evidence that its query lists is missing.',
  'page-altered': 'A page of evidence is not the one its query recorded.',
  'page-unlisted': 'A file among the evidence belongs to no query.',
  'evidence-digest-wrong': 'The results were drawn from other evidence than the pack holds.',
  'citation-missing': 'An observation cites a page that is not in the pack.',
  'results-disagree': 'The results do not agree with each other.',
  'ledger-disagrees': 'The results claim more than the ledger of the evidence does.',
  'ledger-contradicted': 'The ledger claims something else of the evidence than its pages hold.',
  'record-missing': 'An observation is about a resource that is no record in the place it cites.',
  'query-unfinished': 'A query counts as complete, and its last page announces another.',
  'inputs-disagree': 'The controls in the pack are not those that judged.',
  'configuration-disagrees': 'The results were not made under the configuration in the pack.',
  'report-stale': 'A report was not made from these results.',
  'reconciliation-unreadable': 'The reconciliation is missing or unreadable.',
  'reconciliation-unbalanced': 'A population does not add up, though the results treat it as if it did.',
  // policy
  'identity-not-established': 'Who signed is not established.',
  'unknown-signer': 'The signer is not the one whose fingerprint was given.',
  'fingerprint-malformed': 'The fingerprint given is not a SHA-256 fingerprint.',
  'path-broken': "The signer's certificate does not lead to the root in the pack.",
  'certificate-expired': 'A certificate of the signer has expired.',
  'certificate-not-yet-valid': 'A certificate of the signer is not valid yet.',
  'certificate-usage': "The signer's certificate is not meant for signing documents.",
  'timestamp-missing': 'The pack states a timestamp that it does not carry.',
  'timestamp-invalid': 'A timestamp does not hold.',
  'root-unexpected': 'This is not the pack whose root was expected.',
} as const;
export type ProblemCode = keyof typeof problemCodes;

/** What was not, or could not be, checked. Nothing here makes a pack invalid. */
export const noteCodes = {
  'identity-not-asked': 'Who signed was not checked, as asked: anybody could have made this pack.',
  'container-unsealed': 'The ZIP was not written by sealing, or was packed again: its files were checked, its container was not.',
  'timestamp-none': 'No timestamp: the time of signing is the word of the signer.',
  'timestamp-authority-unchecked': 'The timestamp holds in itself, but no root was given to check its authority with.',
  'pages-unread': 'What the pages of evidence hold was not compared with the ledger: nothing to read them with was given.',
  'previous-pack-unchecked': 'The pack names the one before it, which was not looked at.',
} as const;
export type NoteCode = keyof typeof noteCodes;

export interface Problem {
  readonly code: ProblemCode;
  /** Explanation of the code and what it was found on; safe to print. */
  readonly message: string;
  readonly file?: string;
}

export interface Note {
  readonly code: NoteCode;
  readonly message: string;
}

/** Problems beyond this many of one code are counted, not listed. */
const listed = 20;

/** Collects the problems of a step; an altered pack can have hundreds of thousands. */
export interface ProblemList {
  add(code: ProblemCode, detail?: string, file?: string): void;
  readonly count: number;
  list(): Problem[];
}

export function problemList(): ProblemList {
  const kept: Problem[] = [];
  const counts = new Map<ProblemCode, number>();
  return {
    add(code, detail, file) {
      const seen = (counts.get(code) ?? 0) + 1;
      counts.set(code, seen);
      if (seen > listed) return;
      const sentence = problemCodes[code].slice(0, -1);
      const on = [...(file === undefined ? [] : [show(file)]), ...(detail === undefined ? [] : [detail])].join(': ');
      kept.push({ code, message: on === '' ? `${sentence}.` : `${sentence}: ${on}`, ...(file === undefined ? {} : { file: show(file) }) });
    },
    get count() {
      return [...counts.values()].reduce((sum, n) => sum + n, 0);
    },
    list() {
      const more = [...counts].filter(([, seen]) => seen > listed);
      return [
        ...kept,
        ...more.map(([code, seen]) => ({ code, message: `${problemCodes[code]} And ${String(seen - listed)} more like this.` })),
      ];
    },
  };
}

export function note(code: NoteCode, detail?: string): Note {
  return { code, message: `${noteCodes[code]}${detail === undefined ? '' : ` ${detail}`}` };
}

/** A name from the pack as it can be shown: whatever is not plain ASCII is escaped. */
export function show(name: string): string {
  return /^[A-Za-z0-9._/-]+$/.test(name)
    ? name
    : JSON.stringify(name).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
