import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { deflateSync } from 'node:zlib';
import { PDF } from '@libpdf/core';
import { afterAll } from 'vitest';
import { stringify } from 'yaml';
import { resultSources } from '../../src/model/index.ts';
import type { Assessment, Control, EvidencePage, Query, QueryIndex, ReconciliationRow } from '../../src/model/index.ts';

/** A run that is ready to be sealed: a real PDF, evidence with its digests, and results that agree with it. */
export interface SampleRun {
  readonly directory: string;
  readonly packDirectory: string;
  readonly zipPath: string;
}

const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

/** A directory that goes when the test file is done. */
export function temporaryDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `exhibit-${name}-`));
  made.push(directory);
  return directory;
}

/** The second page of evidence of a sample run. */
export const pagePath = 'evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket/page-000002.json';

/** The query that counts what the sample holds. */
export const countsPath = 'evidence/aws-config/111122223333.eu-west-1/Counts';

const emptyPage: Omit<EvidencePage, 'file' | 'sha256' | 'receivedSha256' | 'bytes' | 'items'> = {
  receivedAt: '2026-09-30T00:00:01Z',
  requestId: 'r',
  httpStatus: 200,
  attempts: 1,
  nextTokenSha256: null,
  redactions: [],
};

export async function sampleRun(options: { pages?: number } = {}): Promise<SampleRun> {
  const directory = join(temporaryDirectory('run'), 'acme-2026-q3.v1');
  const put = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    if (path.startsWith('evidence/')) evidence.set(path, createHash('sha256').update(content).digest('hex'));
  };
  const evidence = new Map<string, string>();
  const query = 'evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket';
  const pages = Array.from({ length: options.pages ?? 3 }, (_, index) => {
    const name = `page-${String(index + 1).padStart(6, '0')}.json`;
    const body = JSON.stringify({
      Results: [0, 1].map((n) =>
        JSON.stringify({
          resourceType: 'AWS::S3::Bucket',
          resourceId: `bucket-${String(index)}-${String(n)}`,
          arn: `bucket-${String(index)}-${String(n)}`,
          configuration: { encrypted: n === 0 },
        }),
      ),
    });
    put(`${query}/${name}`, body);
    const digest = createHash('sha256').update(body).digest('hex');
    return {
      file: name,
      sha256: digest,
      receivedSha256: digest,
      bytes: Buffer.byteLength(body),
      items: 2,
      receivedAt: '2026-09-30T00:00:01Z',
      requestId: `r-${String(index)}`,
      httpStatus: 200,
      attempts: 1,
      nextTokenSha256: null,
      redactions: [],
    };
  });
  const asked = {
    version: 1,
    collector: 'aws-config',
    scope: '111122223333.eu-west-1',
    provider: 'aws',
    parameters: {},
    endpoint: 'https://config.eu-west-1.amazonaws.com',
    identity: 'arn:aws:sts::111122223333:assumed-role/exhibit/run',
    status: 'complete',
    reasons: [],
    startedAt: '2026-09-30T00:00:00Z',
    endedAt: '2026-09-30T00:00:02Z',
    readTime: null,
    resumeToken: null,
  } as const;
  const listing: Query = {
    ...asked,
    name: 'AWS.S3.Bucket',
    operation: 'SelectResourceConfig',
    shape: 'aws-config/SelectResourceConfig',
    text: "SELECT * WHERE resourceType = 'AWS::S3::Bucket'",
    types: ['AWS::S3::Bucket'],
    reasons: [],
    pages,
  };
  const counting: Query = {
    ...asked,
    name: 'Counts',
    operation: 'GetDiscoveredResourceCounts',
    shape: 'aws-config/GetDiscoveredResourceCounts',
    text: null,
    types: [],
    reasons: [],
    pages: [],
  };
  const counted = JSON.stringify({
    resourceCounts: [{ count: pages.length * 2, resourceType: 'AWS::S3::Bucket' }],
    totalDiscoveredResources: pages.length * 2,
  });
  const countDigest = createHash('sha256').update(counted).digest('hex');
  counting.pages.push({
    ...(pages[0] ?? emptyPage),
    file: 'page-000001.json',
    sha256: countDigest,
    receivedSha256: countDigest,
    bytes: Buffer.byteLength(counted),
    items: 1,
  });
  put(`${countsPath}/page-000001.json`, counted);
  put(`${query}/query.json`, JSON.stringify(listing, null, 2));
  put(`${countsPath}/query.json`, JSON.stringify(counting, null, 2));
  const total = pages.length * 2;
  const scope = { provider: 'aws' as const, account: '111122223333', region: 'eu-west-1' };
  const count = {
    count: total,
    source: 'GetDiscoveredResourceCounts',
    citation: { file: `${countsPath}/page-000001.json`, pointer: '/resourceCounts/0', encoding: 'json' as const },
  };
  put(
    'evidence/ledger.json',
    JSON.stringify({
      version: 1,
      runId: 'acme-2026-q3.v1',
      asOf: '2026-09-30T00:00:00Z',
      startedAt: '2026-09-30T00:00:00Z',
      endedAt: '2026-09-30T00:00:03Z',
      tool: { name: 'exhibit', version: '0.1.0' },
      scopes: [],
      entries: [
        {
          collector: 'aws-config',
          ...scope,
          type: 'AWS::S3::Bucket',
          status: 'complete',
          held: total,
          count,
          freshness: { oldest: null, newest: null },
          reasons: [],
          queries: [query, countsPath],
        },
      ],
    }),
  );
  const row: ReconciliationRow = {
    control: 'aws-s3-bucket-cmk',
    check: 'cmk',
    scope,
    type: 'AWS::S3::Bucket',
    count,
    held: total,
    pass: pages.length,
    fail: total - pages.length,
    unknown: 0,
    error: 0,
    notapplicable: 0,
    excluded: {},
    waived: 0,
    balanced: true,
    reasons: [],
  };
  const indexed = (directory: string, of: Query): QueryIndex => {
    const { provider, collector, scope, operation, text, identity, endpoint, status, startedAt, endedAt, reasons } = of;
    const sum = (what: 'items' | 'bytes'): number => of.pages.reduce((all, page) => all + page[what], 0);
    return {
      ...{ directory, provider, collector, scope, operation, text, identity, endpoint, status, startedAt, endedAt, reasons },
      ...{ pages: of.pages.length, items: sum('items'), bytes: sum('bytes'), sha256: evidence.get(`${directory}/query.json`) ?? '' },
    };
  };
  const counts = { fail: total - pages.length, error: 0, unknown: 0, notchecked: 0, pass: pages.length, notapplicable: 0 };
  const lines = [...evidence].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, digest]) => `${digest}  ${path}\n`);
  const controls = { fail: 1, error: 0, unknown: 0, notchecked: 0, pass: 0, notapplicable: 0 };
  const control = { id: 'aws-s3-bucket-cmk' } as Control;
  const catalogue = 'name: sample\nversion: 1.0.0\nparameters:\n  longestDays:\n    type: integer\n    default: 90\n';
  put('inputs/catalogue/controls.yaml', catalogue);
  const storage = '- id: aws-s3-bucket-cmk\n';
  put('inputs/catalogue/controls/aws/s3.yaml', storage);
  const catalogueFiles = [
    { file: 'controls.yaml', sha256: createHash('sha256').update(catalogue).digest('hex') },
    { file: 'controls/aws/s3.yaml', sha256: createHash('sha256').update(storage).digest('hex') },
  ];
  const waiver = {
    id: 'legacy',
    control: 'aws-s3-*',
    resources: ['*'],
    owner: 'Dana Fields',
    approver: 'Ruth Okafor',
    justification: 'replaced by the end of the year',
    approvedOn: '2026-01-15',
    expires: '2026-03-31',
  };
  const observations = pages
    .flatMap((page, index) =>
      [0, 1].map(
        (n) =>
          `${JSON.stringify({
            id: `00000000-0000-5000-8000-${String(index * 2 + n).padStart(12, '0')}`,
            control: 'aws-s3-bucket-cmk',
            check: 'cmk',
            subject: {
              kind: 'resource',
              provider: 'aws',
              type: 'AWS::S3::Bucket',
              uid: `bucket-${String(index)}-${String(n)}`,
              name: 'b',
              account: '111122223333',
              location: 'eu-west-1',
              scope,
              capturedAt: null,
            },
            status: n === 0 ? 'pass' : 'fail',
            reason: 'sample',
            leaves: [],
            citations: [
              {
                file: `${query}/${page.file}`,
                pointer: `/Results/${String(n)}`,
                encoding: 'json-string',
                role: 'subject',
                uid: `bucket-${String(index)}-${String(n)}`,
              },
            ],
            method: 'EXAMINE',
          })}\n`,
      ),
    )
    .join('');
  put('results/observations.ndjson', observations);
  const assessment: Assessment = {
    version: 1,
    runId: 'acme-2026-q3.v1',
    tool: { name: 'exhibit', version: '0.1.0' },
    catalogue: {
      name: 'sample',
      version: '1.0.0',
      sha256: createHash('sha256')
        .update(
          catalogueFiles
            .map((one) => `${one.sha256}  ${one.file}\n`)
            .sort()
            .join(''),
        )
        .digest('hex'),
      files: catalogueFiles,
    },
    engagement: {
      id: 'acme-2026-q3',
      title: 'Acme: critical data encryption',
      entity: 'Acme AG',
      period: { from: '2026-07-01', to: '2026-09-30' },
    },
    profile: { level: 2, title: 'Level 2' },
    parameters: { longestDays: 30 },
    choices: { ownCatalogue: true, leftOut: [], parameters: [{ name: 'longestDays', default: 90 }] },
    critical: { names: ['*-prod-*'], unclassified: 'critical' },
    asOf: '2026-09-30T00:00:00Z',
    collected: { startedAt: '2026-09-30T00:00:00Z', endedAt: '2026-09-30T00:00:03Z' },
    summary: { counts: controls, score: 0, sections: [], levels: [], resources: counts },
    findings: [
      {
        control,
        status: 'fail',
        counts,
        waived: 0,
        excluded: 0,
        gaps: 0,
        reasons: [],
        observations: { count: total, blocks: total === 0 ? [] : [[0, Buffer.byteLength(observations)]] },
      },
    ],
    scopes: [],
    reconciliation: [row],
    shortfalls: [],
    waivers: [{ ...waiver, expired: true, used: 0 }],
    answers: [],
    queries: [indexed(query, listing), indexed(countsPath, counting)],
    access: { stores: 0, keyBoundary: 0, dataRoles: 0, wide: 0, incomplete: 0 },
    redactions: 0,
    evidenceDigest: createHash('sha256').update(lines.join('')).digest('hex'),
    evidenceComplete: true,
  };
  put('results/assessment.json', JSON.stringify(assessment));
  put('results/reconciliation.json', JSON.stringify([row]));
  put('results/access.ndjson', '');
  put('results/readers.ndjson', '');
  const { engagement } = assessment;
  put(
    'inputs/exhibit.yaml',
    stringify({
      engagement,
      catalogue: 'controls.yaml',
      parameters: { longestDays: 30 },
      critical: { names: ['*-prod-*'] },
      waivers: [waiver],
    }),
  );
  put('report.html', htmlReport(observations));
  put('report.pdf', await samplePdf());
  stateRendering(directory);
  return { directory, packDirectory: join(directory, 'pack'), zipPath: join(directory, 'pack.zip') };
}

/** A report with the rows that are searched in it. */
export function htmlReport(observations: string): string {
  const rows = observations
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { status: string; subject: { uid: string } });
  const statuses = ['pass', 'fail'];
  const block = {
    control: rows.map(() => 0),
    status: rows.map(({ status }) => statuses.indexOf(status)),
    uid: rows.map(({ subject }) => subject.uid),
  };
  const header = { rows: rows.length, statuses: statuses.map((one) => [one, one]), controls: [['aws-s3-bucket-cmk', 'Buckets']] };
  return `<!doctype html><title>Report</title><p>Report</p>
<script type="text/plain" class="x-index">${deflateSync(JSON.stringify(block)).toString('base64')}</script>
<script type="application/json" id="x-header">${JSON.stringify(header)}</script>
`;
}

/** The digest over the evidence, as assessing would state it now. */
export function evidenceDigest(directory: string): string {
  const digest = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
  const files = readdirSync(join(directory, 'evidence'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
  return digest(files.map((path) => `${digest(readFileSync(join(directory, path)))}  ${path}\n`).join(''));
}

/** As rendering states it: which results the reports were made of. Also for a run whose results were changed on purpose, all of them. */
export function stateRendering(directory: string): void {
  const bytes = (path: string): Buffer => readFileSync(join(directory, path));
  const digest = (path: string): string => createHash('sha256').update(bytes(path)).digest('hex');
  const sources = resultSources.map((name) => `results/${name}`);
  const files = ['report.html', 'report.pdf'].map((file) => ({ file, bytes: bytes(file).length, sha256: digest(file) }));
  const path = join(directory, 'results/rendering.json');
  const former = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { signer?: string | null }) : {};
  writeFileSync(
    path,
    JSON.stringify({
      version: 1,
      ...('signer' in former ? { signer: former.signer } : {}),
      sources: Object.fromEntries(sources.map((file) => [file, digest(file)])),
      files,
    }),
  );
}

export async function samplePdf(): Promise<Uint8Array> {
  const pdf = PDF.create();
  for (let page = 0; page < 3; page += 1)
    pdf.addPage({ size: 'a4' }).drawText(`Evidence report, page ${String(page + 1)}`, { x: 60, y: 760, size: 14 });
  pdf.setTitle('Evidence report');
  return pdf.save();
}
