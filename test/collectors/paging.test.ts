import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Answer } from '../../src/collectors/attempts.ts';
import { type PageFacts, pagedSeries, type Received, type Series } from '../../src/collectors/paging.ts';
import { reconcile } from '../../src/collectors/reconcile.ts';
import { defaultPatience } from '../../src/collectors/rate.ts';
import { evidenceWriter } from '../../src/evidence/writer.ts';
import type { Json } from '../../src/model/index.ts';
import { temporaryDirectory } from '../support/aws.ts';

interface Page {
  ids: string[];
  next?: string;
  total?: number;
}
type Script = (token: string | null, call: number) => Page | { code: string };

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

const facts = (json: Json): PageFacts => {
  const page = json as unknown as Page;
  return {
    records: page.ids.map((id) => ({ id, bucket: id.slice(0, 1), capturedAt: null })),
    items: page.ids.length,
    nextToken: page.next ?? null,
    total: page.total ?? null,
    gaps: [],
    contradiction: null,
  };
};

async function open(script: Script, options: { resume?: boolean; requeries?: number } = {}) {
  const writer = await evidenceWriter(directory.path, { resume: options.resume ?? false }).open({
    collector: 'c',
    scope: 's',
    name: 'n',
    provider: 'azure',
    operation: 'o',
    shape: 'x',
    text: null,
    parameters: {},
    endpoint: 'e',
    identity: 'i',
    types: [],
  });
  let calls = 0;
  const asked: (string | null)[] = [];
  const series = pagedSeries({
    writer,
    runDirectory: directory.path,
    requeries: options.requeries ?? 2,
    facts,
    ask: (token): Promise<Answer<Received>> => {
      calls += 1;
      asked.push(token);
      const page = script(token, calls);
      if ('code' in page) return Promise.resolve({ ok: false, attempts: 1, reason: { code: page.code, message: 'm' } });
      return Promise.resolve({
        ok: true,
        attempts: 1,
        value: { body: JSON.stringify(page), json: page as unknown as Json, requestId: null, httpStatus: 200 },
      });
    },
  });
  return { series, asked, calls: () => calls };
}

const held = (series: Series): Record<string, number> => Object.fromEntries(series.tally.held);
const stored = () =>
  JSON.parse(readFileSync(join(directory.path, 'evidence', 'c', 's', 'n', 'query.json'), 'utf8')) as {
    status: string;
    pages: unknown[];
    reasons: { code: string }[];
    resumeToken: string | null;
  };
const three: Script = (token) =>
  token === null
    ? { ids: ['a1', 'a2'], next: 't1', total: 5 }
    : token === 't1'
      ? { ids: ['a3', 'b1'], next: 't2', total: 5 }
      : { ids: ['b2'], total: 5 };

describe('a series', () => {
  test('is read to its end, tallied by bucket and stored', async () => {
    const { series, asked } = await open(three);
    const read = await series.run();
    expect(read).toMatchObject({ status: 'complete', reasons: [], pages: 3 });
    expect(held(read)).toEqual({ a: 3, b: 2 });
    expect(asked).toEqual([null, 't1', 't2']);
    expect(stored()).toMatchObject({ status: 'complete', resumeToken: null });
  });

  test('whose rows repeat once is asked again from the start, and keeps no page of the first try', async () => {
    const { series } = await open((token, call) => (call === 2 ? { ids: ['a2'], next: 't2', total: 5 } : three(token, call)));
    const read = await series.run();
    expect(read).toMatchObject({ status: 'complete', pages: 3 });
    expect(held(read)).toEqual({ a: 3, b: 2 });
    expect(stored().reasons).toMatchObject([{ code: 'repeated-row' }]);
  });

  test('that leads back to a page it gave before ends there, whatever its rows say', async () => {
    const { series, calls } = await open(() => ({ ids: ['a1'], next: 't' }));
    const read = await series.run();
    expect(read.status).toBe('partial');
    expect(read.reasons.map(({ code }) => code)).toEqual(['repeated-token', 'repeated-row']);
    // Each asking sees it on its second page.
    expect(calls()).toBe(2 * 3);
  });

  test.each([
    ['repeated-row', (token: string | null) => (token === null ? { ids: ['a1'], next: 't' } : { ids: ['a1'] })],
    ['repeated-token', () => ({ ids: [], next: 't' })],
    ['rows-lost', () => ({ ids: ['a1'], total: 2 })],
    ['rows-changed', (token: string | null) => (token === null ? { ids: ['a1'], next: 't', total: 2 } : { ids: ['a2'], total: 3 })],
  ] as const)('that contradicts itself every time is partial, named %s, after bounded calls', async (code, script) => {
    const { series, calls } = await open(script);
    const read = await series.run();
    expect(read.status).toBe('partial');
    expect(read.reasons.map((reason) => reason.code)).toContain(code);
    expect(calls()).toBeLessThan(10);
  });

  test('of empty pages that never end is cut', async () => {
    const { series, calls } = await open((_, call) => ({ ids: [], next: `t${call}` }));
    expect(await series.run()).toMatchObject({ status: 'partial', reasons: [{ code: 'empty-pages' }] });
    expect(calls()).toBeLessThan(20);
  });

  test('of repeated pages with ever new tokens is cut', async () => {
    const { series, calls } = await open((_, call) => ({ ids: ['a1'], next: `t${call}` }));
    const read = await series.run();
    expect(read.status).toBe('partial');
    expect(held(read)).toEqual({ a: 1 });
    expect(calls()).toBeLessThan(30);
  });

  test('that fails at first is failed or denied; later, partial with what came', async () => {
    expect(await (await open(() => ({ code: 'server-error' }))).series.run()).toMatchObject({ status: 'failed' });
    expect(await (await open(() => ({ code: 'access-denied' }))).series.run()).toMatchObject({ status: 'denied' });
    const late = await (await open((_, call) => (call === 1 ? { ids: ['a1'], next: 't' } : { code: 'expired-credentials' }))).series.run();
    expect(late).toMatchObject({ status: 'partial', reasons: [{ code: 'expired-credentials' }] });
    expect(held(late)).toEqual({ a: 1 });
  });

  test('that was aborted goes on after its last page; a finished one asks nothing', async () => {
    const first = await open((token, call) => (call === 2 ? { code: 'aborted' } : three(token, call)));
    expect(await first.series.run()).toMatchObject({ status: 'aborted' });
    expect(stored()).toMatchObject({ status: 'running', resumeToken: 't1' });
    const second = await open(three, { resume: true });
    const read = await second.series.run();
    expect(held(read)).toEqual({ a: 3, b: 2 });
    expect(read.status).toBe('complete');
    expect(second.asked).toEqual(['t1', 't2']);
    const third = await open(three, { resume: true });
    expect(held(await third.series.run())).toEqual({ a: 3, b: 2 });
    expect(third.asked).toEqual([]);
  });
});

describe('reconcile', () => {
  const run = (counts: number[]) => {
    let asked = 0;
    const context = {
      unit: <T>(work: () => Promise<T>) => work(),
      patience: { ...defaultPatience, requeries: 2 },
      signal: new AbortController().signal,
    };
    return reconcile<number>({
      context,
      keys: ['k'],
      countBefore: true,
      open: async () =>
        (
          await open((token, call) => {
            void token;
            return { ids: Array.from({ length: Math.min(3, 1 + call) }, (_, index) => `a${index}`) };
          })
        ).series,
      count: (keys) => Promise.resolve(new Map(keys.map((key) => [key, counts[asked++] ?? counts.at(-1) ?? 0]))),
      disagreement: (one) =>
        one.list.tally.records !== one.after || one.before !== one.after ? { code: 'count-mismatch', message: 'differs' } : null,
    });
  };

  test('what changed while it was listed is listed again until both counts and the list agree', async () => {
    const [one] = await run([2, 3, 3]);
    expect(one).toMatchObject({ before: 3, after: 3, list: { status: 'complete' } });
    expect(one?.list.tally.records).toBe(3);
  });

  test('what never agrees is partial, and says so in the stored query', async () => {
    const [one] = await run([9]);
    expect(one).toMatchObject({ list: { status: 'partial', reasons: [{ code: 'count-mismatch' }] } });
    expect(stored()).toMatchObject({ status: 'partial' });
  });
});
