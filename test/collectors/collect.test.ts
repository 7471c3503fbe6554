import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collect, type CollectRequest, orderLedger } from '../../src/collectors/collect.ts';
import type { Collector, CollectResult } from '../../src/collectors/collector.ts';
import type { LedgerEntry } from '../../src/model/index.ts';
import { ledgerSchema } from '../../src/model/index.ts';
import { needsOf, silent, temporaryDirectory } from '../support/aws.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

const entryOf = (account: string, type: string, fields: Partial<LedgerEntry> = {}): LedgerEntry => ({
  collector: 'fake',
  provider: 'aws',
  account,
  region: 'eu-west-1',
  type,
  status: 'complete',
  held: 1,
  count: { count: 1, source: 'count' },
  freshness: { oldest: null, newest: null },
  reasons: [],
  queries: [],
  ...fields,
});

function fake(collecting: Collector['collect'], fields: Partial<Collector> = {}): Collector {
  return {
    id: 'fake',
    provider: 'aws',
    plan: () => [{ account: '111111111111', region: 'eu-west-1', types: ['A', 'B'], expands: false }],
    collect: collecting,
    doctor: () => Promise.resolve([]),
    shapes: {},
    ...fields,
  };
}

function request(collectors: readonly Collector[], fields: Partial<CollectRequest> = {}): CollectRequest {
  return {
    runDirectory: directory.path,
    runId: 'r',
    asOf: '2026-11-01T00:00:00.000Z',
    config: { scopes: { aws: [{ accounts: ['111111111111'], regions: ['eu-west-1'] }] }, endpoints: {} },
    needs: needsOf(['A', 'B']),
    resume: false,
    signal: new AbortController().signal,
    progress: silent,
    tool: { name: 'exhibit', version: '1' },
    collectors,
    ...fields,
  };
}

const nothing: CollectResult = { scopes: [], entries: [] };

describe('collect', () => {
  test('a collector that throws leaves failed entries for all it owed, named, and does not take others with it', async () => {
    const ledger = await collect(
      request([
        fake(() => Promise.reject(new Error('a fault of ours'))),
        fake(
          () =>
            Promise.resolve({
              scopes: [],
              entries: [entryOf('111111111111', 'A', { collector: 'other' }), entryOf('111111111111', 'B', { collector: 'other' })],
            }),
          { id: 'other' },
        ),
      ]),
    );
    const failed = ledger.entries.filter((entry) => entry.collector === 'fake');
    expect(failed.map((entry) => [entry.type, entry.status, entry.reasons[0]?.code])).toEqual([
      ['A', 'failed', 'collector-failed'],
      ['B', 'failed', 'collector-failed'],
    ]);
    expect(failed[0]?.reasons[0]?.message).toContain('a fault of ours');
    expect(ledger.scopes.filter((scope) => scope.collector === 'fake')).toMatchObject([{ status: 'failed' }]);
    expect(ledger.entries.filter((entry) => entry.collector === 'other').map((entry) => entry.status)).toEqual(['complete', 'complete']);
  });

  test('what was planned and not delivered is entered as failed: nothing disappears', async () => {
    const ledger = await collect(request([fake(() => Promise.resolve({ scopes: [], entries: [entryOf('111111111111', 'A')] }))]));
    expect(ledger.entries.map((entry) => [entry.type, entry.status])).toEqual([
      ['A', 'complete'],
      ['B', 'failed'],
    ]);
    expect(ledger.entries[1]?.reasons).toMatchObject([{ code: 'not-collected' }]);
    expect(ledger.scopes).toMatchObject([{ account: '111111111111', status: 'failed' }]);
  });

  test('a scope that stands for others is owed only when the collector came to nothing', async () => {
    const plan: Collector['plan'] = () => [{ account: 'aggregator', region: '*', types: ['A'], expands: true }];
    const some = await collect(request([fake(() => Promise.resolve({ scopes: [], entries: [entryOf('222222222222', 'A')] }), { plan })]));
    expect(some.entries.map((entry) => entry.account)).toEqual(['222222222222']);
    const none = await collect(request([fake(() => Promise.resolve(nothing), { plan })]));
    expect(none.entries).toMatchObject([{ account: 'aggregator', status: 'failed' }]);
  });

  test('an abort is named, and what was collected is kept', async () => {
    const controller = new AbortController();
    const ledger = await collect(
      request(
        [
          fake(() => {
            controller.abort();
            return Promise.reject(new Error('stopped'));
          }),
        ],
        { signal: controller.signal },
      ),
    );
    expect(ledger.entries.map((entry) => entry.reasons[0]?.code)).toEqual(['aborted', 'aborted']);
    expect(existsSync(join(directory.path, 'evidence', 'ledger.json'))).toBe(true);
  });

  test('from its first moment the ledger on disk claims nothing: a run that dies leaves no whole evidence', async () => {
    let during: unknown;
    await collect(
      request([
        fake(() => {
          during = JSON.parse(readFileSync(join(directory.path, 'evidence', 'ledger.json'), 'utf8'));
          return Promise.resolve(nothing);
        }),
      ]),
    );
    const ledger = ledgerSchema.parse(during);
    expect(ledger.endedAt).toBeNull();
    expect(ledger.entries.map((entry) => [entry.status, entry.reasons[0]?.code])).toEqual([
      ['failed', 'interrupted'],
      ['failed', 'interrupted'],
    ]);
  });

  test('a resumed run keeps the instant of the run it goes on with; another run id does not', async () => {
    await collect(request([fake(() => Promise.resolve(nothing))]));
    const later = { asOf: '2026-12-01T00:00:00.000Z', resume: true };
    expect((await collect(request([fake(() => Promise.resolve(nothing))], later))).asOf).toBe('2026-11-01T00:00:00.000Z');
    expect((await collect(request([fake(() => Promise.resolve(nothing))], { ...later, runId: 'other' }))).asOf).toBe(
      '2026-12-01T00:00:00.000Z',
    );
  });

  test('two runs on one directory refuse each other', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    writeFileSync(join(directory.path, '.lock'), JSON.stringify({ pid: child.pid, host: hostname(), processStart: null, since: 'now' }));
    await expect(collect(request([fake(() => Promise.resolve(nothing))]))).rejects.toThrow('is in use by process');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await collect(request([fake(() => Promise.resolve(nothing))]));
  });

  test('units of a collector run under one limiter, bounded', async () => {
    let running = 0;
    let most = 0;
    await collect(
      request([
        fake(async (context) => {
          await Promise.all(
            Array.from({ length: 60 }, () =>
              context.unit(async () => {
                most = Math.max(most, (running += 1));
                await new Promise((resolve) => setTimeout(resolve, 1));
                running -= 1;
              }),
            ),
          );
          return nothing;
        }),
      ]),
    );
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(24);
  });

  test.skipIf(process.getuid?.() === 0)(
    'a run directory that cannot be written is an error of the run, not a gap in the evidence',
    async () => {
      chmodSync(directory.path, 0o500);
      await expect(collect(request([fake(() => Promise.resolve(nothing))]))).rejects.toThrow(/EACCES/);
      chmodSync(directory.path, 0o700);
    },
  );

  test('a collector that meets a file system error of the run ends the run with it', async () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    await expect(collect(request([fake(() => Promise.reject(error))]))).rejects.toThrow('no space left');
    expect(existsSync(join(directory.path, '.lock'))).toBe(false);
  });
});

test('when a run cannot write any more, its other units are stopped and waited for before it ends', async () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  let ended = 0;
  const running = collect(
    request([
      fake((context) =>
        Promise.all([
          context.unit(() => Promise.reject(error)),
          context.unit(
            () =>
              new Promise<never>((_, reject) =>
                context.signal.addEventListener('abort', () =>
                  setTimeout(() => {
                    ended += 1;
                    reject(new Error('stopped'));
                  }, 20),
                ),
              ),
          ),
        ]).then(() => nothing),
      ),
    ]),
  );
  await expect(running).rejects.toThrow('no space left');
  expect(ended).toBe(1);
});

describe('orderLedger', () => {
  test('order of arrival does not show, and of two words on one scope and type the worse stands', () => {
    const a: CollectResult = { scopes: [], entries: [entryOf('2', 'A'), entryOf('1', 'B', { queries: ['q1'] })] };
    const b: CollectResult = {
      scopes: [],
      entries: [
        entryOf('1', 'B', { status: 'denied', count: null, held: 0, queries: ['q2'], reasons: [{ code: 'access-denied', message: 'no' }] }),
        entryOf('1', 'A'),
      ],
    };
    const forwards = orderLedger([a, b]);
    expect(forwards).toEqual(orderLedger([b, a]));
    expect(forwards.entries.map((entry) => `${entry.account}${entry.type}${entry.status}`)).toEqual([
      '1Acomplete',
      '1Bdenied',
      '2Acomplete',
    ]);
    expect(forwards.entries[1]).toMatchObject({
      held: 1,
      count: { count: 1 },
      queries: ['q1', 'q2'],
      reasons: [{ code: 'access-denied' }],
    });
  });
});
