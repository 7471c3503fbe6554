import { describe, expect, test } from 'vitest';
import { connectionFailure, type Failure, MalformedResponse, persist } from '../../src/collectors/attempts.ts';
import { defaultPatience, pacer, type Patience } from '../../src/collectors/rate.ts';

const patience: Patience = {
  ...defaultPatience,
  requestTimeoutMs: 30,
  callDeadlineMs: 400,
  maxAttempts: 4,
  backoffBaseMs: 1,
  backoffCapMs: 2,
};
const unlimited = () => pacer('test', { permits: 1000, perMs: 1 });
const failing = (failure: Failure) => () => failure;

describe('persist', () => {
  test('an answer after failures counts its attempts', async () => {
    let calls = 0;
    const answer = await persist({
      pacer: unlimited(),
      signal: new AbortController().signal,
      patience,
      classify: failing({ code: 'server-error', message: 'x', retry: true }),
      call: () => {
        calls += 1;
        return calls < 3 ? Promise.reject(new Error('503')) : Promise.resolve('yes');
      },
    });
    expect(answer).toEqual({ ok: true, value: 'yes', attempts: 3 });
  });

  test('what is final is asked once; what is not, a bounded number of times', async () => {
    const run = (retry: boolean) =>
      persist({
        pacer: unlimited(),
        signal: new AbortController().signal,
        patience,
        classify: failing({ code: 'c', message: 'm', retry }),
        call: () => Promise.reject(new Error('x')),
      });
    expect(await run(false)).toEqual({ ok: false, attempts: 1, reason: { code: 'c', message: 'm' } });
    expect(await run(true)).toEqual({ ok: false, attempts: 4, reason: { code: 'c', message: 'm (after 4 attempts)' } });
  });

  test('a call that never answers is a timeout, even where it cannot be cancelled; its signal is aborted', async () => {
    const signals: AbortSignal[] = [];
    const answer = await persist({
      pacer: unlimited(),
      signal: new AbortController().signal,
      patience: { ...patience, maxAttempts: 2 },
      classify: failing({ code: 'no', message: '', retry: false }),
      call: (signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    expect(answer).toMatchObject({ ok: false, attempts: 2, reason: { code: 'timeout' } });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  });

  test('a malformed answer is asked for again', async () => {
    const answer = await persist({
      pacer: unlimited(),
      signal: new AbortController().signal,
      patience,
      classify: failing({ code: 'no', message: '', retry: false }),
      call: () => Promise.reject(new MalformedResponse('half a page')),
    });
    expect(answer).toMatchObject({ ok: false, attempts: 4, reason: { code: 'malformed-response' } });
  });

  test('an abort is an answer: before, between and within attempts', async () => {
    const before = new AbortController();
    before.abort(new Error('stop'));
    expect(
      await persist({
        pacer: unlimited(),
        signal: before.signal,
        patience,
        classify: failing({ code: 'x', message: '', retry: true }),
        call: () => Promise.resolve(1),
      }),
    ).toMatchObject({ ok: false, attempts: 0, reason: { code: 'aborted' } });
    const within = new AbortController();
    const answer = persist({
      pacer: unlimited(),
      signal: within.signal,
      patience: { ...patience, requestTimeoutMs: 60_000 },
      classify: failing({ code: 'x', message: '', retry: true }),
      call: () => new Promise(() => undefined),
    });
    setTimeout(() => {
      within.abort(new Error('stop'));
    }, 20);
    expect(await answer).toMatchObject({ ok: false, attempts: 1, reason: { code: 'aborted' } });
  });

  test('throttling pauses the quota for everybody, and a hint beyond the deadline ends the call at once', async () => {
    const shared = unlimited();
    let calls = 0;
    const began = performance.now();
    const answer = await persist({
      pacer: shared,
      signal: new AbortController().signal,
      patience,
      classify: failing({ code: 'throttled', message: 'x', retry: true, retryAfterMs: 60 }),
      call: () => {
        calls += 1;
        return calls === 1 ? Promise.reject(new Error('429')) : Promise.resolve('yes');
      },
    });
    expect(answer).toMatchObject({ ok: true, attempts: 2 });
    expect(performance.now() - began).toBeGreaterThan(55);
    const hinted = await persist({
      pacer: unlimited(),
      signal: new AbortController().signal,
      patience,
      classify: failing({ code: 'throttled', message: 'x', retry: true, retryAfterMs: 3_600_000 }),
      call: () => Promise.reject(new Error('429')),
    });
    expect(hinted).toMatchObject({ ok: false, attempts: 1, reason: { code: 'throttled' } });
  });

  test('every attempt takes a permit', async () => {
    const counted = unlimited();
    await persist({
      pacer: counted,
      signal: new AbortController().signal,
      patience,
      classify: failing({ code: 'x', message: '', retry: true }),
      call: () => Promise.reject(new Error('x')),
    });
    expect(counted.use().calls).toBe(4);
  });
});

test('connection failures are told from their causes', () => {
  const wrapped = new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNRESET' }) });
  expect(connectionFailure(wrapped)).toMatchObject({ code: 'connection', retry: true });
  expect(connectionFailure(Object.assign(new Error('x'), { code: 'SELF_SIGNED_CERT_IN_CHAIN' }))).toMatchObject({
    code: 'connection',
    retry: false,
  });
  expect(connectionFailure(new Error('other'))).toBeNull();
});
