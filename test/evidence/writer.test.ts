import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { safeName } from '../../src/evidence/files.ts';
import { evidenceReader, type PageDefect } from '../../src/evidence/reader.ts';
import { evidenceWriter, type QueryRequest } from '../../src/evidence/writer.ts';
import type { Json } from '../../src/model/index.ts';

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'exhibit-'));
});
afterEach(() => {
  rmSync(run, { recursive: true, force: true });
});

const request: QueryRequest = {
  collector: 'aws-config',
  scope: '111122223333.eu-west-1',
  name: 'AWS::S3::Bucket',
  provider: 'aws',
  operation: 'SelectResourceConfig',
  shape: 'test',
  text: 'SELECT …',
  parameters: { Limit: 100 },
  endpoint: 'https://config.eu-west-1.amazonaws.com',
  identity: 'arn:aws:iam::111122223333:role/auditor',
  types: ['AWS::S3::Bucket'],
};
const received = (body: string, nextToken: string | null) => ({
  body,
  items: 1,
  requestId: 'r-1',
  httpStatus: 200,
  attempts: 1,
  nextToken,
});
const directory = 'evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket';

describe('evidence writer', () => {
  test('a ledger that a killed run left half written is cleared', async () => {
    mkdirSync(join(run, 'evidence'), { recursive: true });
    writeFileSync(join(run, 'evidence', 'ledger.json.0123456789ab.tmp'), '{"vers');
    const ledger = {
      version: 1 as const,
      runId: 'r',
      asOf: 'now',
      startedAt: 'now',
      endedAt: null,
      tool: { name: 'exhibit', version: '0' },
      scopes: [],
      entries: [],
      quotas: [],
    };
    await evidenceWriter(run, { resume: true }).writeLedger(ledger);
    expect(readdirSync(join(run, 'evidence'))).toEqual(['ledger.json']);
  });

  test('a page is the body byte for byte, and query.json holds its digest', async () => {
    const query = await evidenceWriter(run, { resume: false }).open(request);
    const body = '{ "Results" : [ "ü" ] }\n';
    const page = await query.page(received(body, 'token-1'));
    expect(readFileSync(join(run, directory, page.file), 'utf8')).toBe(body);
    expect(page.sha256).toBe(page.receivedSha256);
    expect(query.query).toMatchObject({
      status: 'running',
      resumeToken: 'token-1',
      pages: [{ file: 'page-000001.json', requestId: 'r-1', redactions: [] }],
    });
    const done = await query.finish('complete');
    expect(done).toMatchObject({ status: 'complete', resumeToken: null });
    expect(JSON.parse(readFileSync(join(run, directory, 'query.json'), 'utf8'))).toEqual(done);
  });

  test('an interrupted query goes on after its last whole page', async () => {
    const first = await evidenceWriter(run, { resume: true }).open(request);
    await first.page(received('{"a":1}', 'token-1'));
    // What a kill can leave behind: half a file, and a page that query.json does not name.
    writeFileSync(join(run, directory, 'page-000002.json.abc.tmp'), '{"b"');
    writeFileSync(join(run, directory, 'page-000002.json'), '{"b":2}');
    const again = await evidenceWriter(run, { resume: true }).open(request);
    expect(again).toMatchObject({ finished: false, resumeToken: 'token-1' });
    expect(again.stored).toHaveLength(1);
    expect(readdirSync(join(run, directory)).sort()).toEqual(['page-000001.json', 'query.json']);
    await again.page(received('{"b":2}', null));
    await again.finish('complete');
    const last = await evidenceWriter(run, { resume: true }).open(request);
    expect(last.finished).toBe(true);
    expect(last.stored.map((page) => page.file)).toEqual(['page-000001.json', 'page-000002.json']);
  });

  test('another question, an altered page or a failed query is asked again from the start', async () => {
    const store = async (status: 'complete' | 'failed'): Promise<void> => {
      const query = await evidenceWriter(run, { resume: false }).open(request);
      await query.page(received('{"a":1}', null));
      await query.finish(status);
    };
    await store('complete');
    expect((await evidenceWriter(run, { resume: true }).open({ ...request, text: 'SELECT other' })).stored).toEqual([]);
    await store('complete');
    writeFileSync(join(run, directory, 'page-000001.json'), '{"a":2}');
    expect((await evidenceWriter(run, { resume: true }).open(request)).stored).toEqual([]);
    await store('failed');
    expect((await evidenceWriter(run, { resume: true }).open(request)).finished).toBe(false);
    await store('complete');
    writeFileSync(join(run, directory, 'query.json'), '{"version"');
    expect((await evidenceWriter(run, { resume: true }).open(request)).stored).toEqual([]);
  });

  test('without resume an earlier answer is not mixed with a new one', async () => {
    const first = await evidenceWriter(run, { resume: false }).open(request);
    await first.page(received('{"a":1}', null));
    await first.finish('complete');
    expect((await evidenceWriter(run, { resume: false }).open(request)).stored).toEqual([]);
    expect(existsSync(join(run, directory, 'page-000001.json'))).toBe(false);
  });

  test('secrets do not reach the disk, and the key of their commitments is private and outside the evidence', async () => {
    const query = await evidenceWriter(run, { resume: false }).open(request);
    const page = await query.page(received('{"configuration":{"userData":"c2VjcmV0"}}', null));
    expect(readFileSync(join(run, directory, page.file), 'utf8')).toBe('{"configuration":{"userData":"[redacted by exhibit: user-data]"}}');
    expect(page.sha256).not.toBe(page.receivedSha256);
    expect(page.redactions).toHaveLength(1);
    expect(statSync(join(run, 'redaction.key')).mode & 0o777).toBe(0o600);
  });
});

describe('evidence reader', () => {
  const readers = {
    test: function* (page: Json, _query: unknown, file: string) {
      if (JSON.stringify(page).includes('boom')) throw new Error('unexpected shape');
      yield { record: 'verdict' as const, verdict: { file, page } as never };
    },
  };
  const read = async (): Promise<{ files: string[]; defects: PageDefect[] }> => {
    const reader = evidenceReader(run, readers);
    const files: string[] = [];
    const defects: PageDefect[] = [];
    for (const query of reader.queries()) {
      for await (const record of reader.records(query, (defect) => defects.push(defect)))
        files.push((record as unknown as { verdict: { file: string } }).verdict.file);
    }
    return { files, defects };
  };

  test('missing, altered, unparsable and unmappable pages are each named, and the others still read', async () => {
    const query = await evidenceWriter(run, { resume: false }).open(request);
    for (const body of ['{"n":1}', '{"n":2}', '{"n":3}', 'not json', '{"n":"boom"}']) await query.page(received(body, 'more'));
    await query.finish('complete');
    rmSync(join(run, directory, 'page-000002.json'));
    writeFileSync(join(run, directory, 'page-000003.json'), '{"n":4}');
    const { files, defects } = await read();
    expect(files).toEqual([`${directory}/page-000001.json`]);
    expect(defects.map((defect) => [defect.file.slice(-11, -5), defect.code])).toEqual([
      ['000002', 'missing'],
      ['000003', 'altered'],
      ['000004', 'unparsable'],
      ['000005', 'unmappable'],
    ]);
  });
});

describe('file names', () => {
  test.each([
    ['AWS::S3::Bucket', 'AWS.S3.Bucket'],
    ['../../etc/passwd', 'etc.passwd'],
    ['microsoft.storage/storageaccounts', 'microsoft.storage.storageaccounts'],
    ['…', '_'],
  ])('%s becomes %s', (name, safe) => {
    expect(safeName(name)).toBe(safe);
  });
});
