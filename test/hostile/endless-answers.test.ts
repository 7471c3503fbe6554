import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { graphFacts } from '../../src/collectors/azure-graph.ts';
import { rowFold } from '../../src/collectors/aws-config/folds.ts';
import { shapeOf } from '../../src/collectors/aws-config/map.ts';
import { failure } from '../../src/collectors/aws-config/outcome.ts';
import { page } from '../../src/collectors/aws-config/paging.ts';
import { assetFacts, searchFacts } from '../../src/collectors/gcp-asset-inventory/facts.ts';
import { pagedSeries } from '../../src/collectors/paging.ts';
import { evidenceWriter } from '../../src/evidence/writer.ts';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { temporaryDirectory } from '../support/aws.ts';

/** Answers of a provider, or of whoever stands in its place, that have no end or no measure. */

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

const type = 'AWS::S3::Bucket';
const row = (id: number): JsonObject => ({
  resourceType: type,
  resourceId: `b${id}`,
  arn: `arn:aws:s3:::b${id}`,
  accountId: '111122223333',
});

/** How often AWS Config is asked until its listing is given up, or has ended. */
async function asked(rows: (call: number) => Json[], last = Infinity, copies = false): Promise<{ calls: number; status: string }> {
  let calls = 0;
  const { status } = await page(
    {
      writer: evidenceWriter(directory.path, { resume: false }),
      call: () => {
        calls += 1;
        const body: JsonObject = { Results: rows(calls), ...(calls < last ? { NextToken: `token ${calls}` } : {}) };
        const response = { body, bytes: Buffer.from(JSON.stringify(body)), requestId: null, httpStatus: 200, attempts: 1 };
        return Promise.resolve({ ok: true, response } as never);
      },
      signal: new AbortController().signal,
      requeries: 0,
      onPage: () => undefined,
    },
    {
      operation: 'SelectResourceConfig',
      input: {},
      tokenField: 'NextToken',
      request: { scope: 's', name: 'n', shape: shapeOf('SelectResourceConfig'), text: null, endpoint: 'e', identity: 'i', types: [type] },
      fold: () => rowFold({ type, asked: { account: '111122223333', region: 'eu-west-1' }, copies }),
    },
  );
  return { calls, status };
}

describe('a listing of AWS Config', () => {
  test.each<[string, (call: number) => Json[]]>([
    ['the same rows', () => [row(1), row(2)]],
    ['rows that are none', () => ['{', 7, null]],
    ['rows of another account', (call) => [{ ...row(call), accountId: '999900001111' }]],
  ])('that hands out %s for ever, each page with a token of its own, is given up', async (_name, rows) => {
    expect(await asked(rows)).toEqual({ calls: expect.toSatisfy((calls: number) => calls < 30) as unknown, status: 'partial' });
  });

  test('that is long is not', async () => {
    expect(await asked((call) => [row(call)], 60)).toEqual({ calls: 60, status: 'complete' });
  });

  test('whose pages hold the copies of another region is not', async () => {
    expect(await asked((call) => [row(call % 30)], 60, true)).toEqual({ calls: 60, status: 'complete' });
  });
});

describe('a page of entries that are none', () => {
  const many = (name: string): Json => ({ [name]: Array<number>(200_000).fill(0) });

  test.each([
    ['Resource Graph', graphFacts(many('data'), () => null)],
    ['assets', assetFacts(many('assets'), 'RESOURCE', '2026-01-01T00:00:00Z')],
    ['searches', searchFacts(many('results'), 'RESOURCE', '2026-01-01T00:00:00Z')],
  ])('%s: one reason, which counts them', (_name, { gaps }) => {
    expect(gaps).toEqual([{ code: 'malformed-record', message: expect.stringContaining('200000 entries of a page') as unknown }]);
  });

  test('however many reasons a page has, collecting goes on', async () => {
    const writer = await evidenceWriter(directory.path, { resume: false }).open({
      ...{ collector: 'c', scope: 's', name: 'n', provider: 'azure', operation: 'o', shape: 'x' },
      ...{ text: null, parameters: {}, endpoint: 'e', identity: 'i', types: [] },
    });
    const gaps = Array.from({ length: 200_000 }, () => ({ code: 'malformed-record', message: 'm' }));
    const series = pagedSeries({
      writer,
      runDirectory: directory.path,
      requeries: 0,
      facts: () => ({ records: [], items: 0, nextToken: null, total: null, gaps, contradiction: null }),
      ask: () => Promise.resolve({ ok: true, attempts: 1, value: { body: '{}', json: {}, requestId: null, httpStatus: 200 } }),
    });
    expect(await series.run()).toMatchObject({ status: 'partial', reasons: [{ code: 'malformed-record' }] });
  });
});

test('an error by a name without end is told in a line', () => {
  const { message } = failure('SelectResourceConfig', Object.assign(new Error('m'.repeat(1e6)), { name: 'n'.repeat(1e6) }));
  expect(message.length).toBeLessThan(1000);
});
