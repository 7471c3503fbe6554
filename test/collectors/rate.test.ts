import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff, defaultPatience, pacer, pacers, quotaFloor, sleep } from '../../src/collectors/rate.ts';

/** A clock that only moves when somebody sleeps or is told to. */
function fakeClock() {
  let time = 0;
  return {
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    clock: {
      now: () => time,
      sleep: (milliseconds: number) => {
        time += milliseconds;
        return Promise.resolve();
      },
    },
  };
}

describe('pacer', () => {
  test('no window of the quota, wherever it begins, sees more requests than permitted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 10, max: 5000 }),
        fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 120 }),
        async (permits, perMs, gaps) => {
          const { clock, advance } = fakeClock();
          const paced = pacer('k', { permits, perMs }, clock);
          const at: number[] = [];
          for (const gap of gaps) {
            advance(gap);
            await paced.take();
            at.push(clock.now());
          }
          for (const [index, time] of at.entries()) {
            const after = at[index + permits];
            if (after !== undefined) expect(after - time).toBeGreaterThan(perMs);
          }
        },
      ),
    );
  });

  test('a burst takes hardly longer than its arithmetic floor', async () => {
    const { clock } = fakeClock();
    const paced = pacer('k', { permits: 15, perMs: 5000 }, clock);
    for (let i = 0; i < 300; i += 1) await paced.take();
    const use = paced.use();
    expect(use.calls).toBe(300);
    expect(use.floorMs).toBe(19 * 5000);
    expect(use.elapsedMs / use.floorMs).toBeLessThan(1.1);
    expect(use.elapsedMs).toBeGreaterThanOrEqual(use.floorMs);
  });

  test('no bucket that refills at the published rate runs dry, although some requests take a fifth of a window longer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 60, maxLength: 120 }), async (delays) => {
        const { clock } = fakeClock();
        const paced = pacer('k', { permits: 10, perMs: 1000 }, clock);
        const arrivals: number[] = [];
        for (const delay of delays) {
          await paced.take();
          arrivals.push(clock.now() + delay);
        }
        let [tokens, at] = [10, 0];
        for (const arrival of arrivals.sort((a, b) => a - b)) {
          tokens = Math.min(10, tokens + (arrival - at) / 100) - 1;
          at = arrival;
          expect(tokens).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test('takers at once are let through in order and one at a time', async () => {
    const { clock } = fakeClock();
    const paced = pacer('k', { permits: 2, perMs: 1000 }, clock);
    const order: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map(async (n) => {
        await paced.take();
        order.push(n);
      }),
    );
    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(clock.now()).toBeGreaterThanOrEqual(2000);
  });

  test('a pause holds everybody back', async () => {
    const { clock } = fakeClock();
    const paced = pacer('k', { permits: 10, perMs: 1000 }, clock);
    await paced.take();
    paced.pause(7000);
    await paced.take();
    expect(clock.now()).toBe(7000);
  });

  test('an abort ends the wait and does not block those behind', async () => {
    const paced = pacer('k', { permits: 1, perMs: 60 });
    const controller = new AbortController();
    await paced.take();
    const waiting = paced.take(controller.signal);
    const behind = paced.take();
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await behind;
    expect(paced.use().calls).toBe(2);
  });

  test('one key is one quota', async () => {
    const all = pacers();
    const a = all.of('azure/tenant', { permits: 15, perMs: 5000 });
    expect(all.of('azure/tenant', { permits: 15, perMs: 5000 })).toBe(a);
    await a.take();
    expect(all.uses()).toMatchObject([{ key: 'azure/tenant', calls: 1 }]);
  });
});

describe('a quota that counts from the answer', () => {
  const quota = { permits: 2, perMs: 5000, fromAnswer: true };

  test('is kept however late its requests arrive: the window begins when the answer is here', async () => {
    const { clock, advance } = fakeClock();
    const paced = pacer('k', quota, clock);
    const first = await paced.take();
    const second = await paced.take();
    advance(900);
    first.answered();
    advance(200);
    second.answered();
    await paced.take();
    expect(clock.now()).toBe(900 + 5001);
    await paced.take();
    expect(clock.now()).toBe(1100 + 5001);
  });

  test('does not wait for an answer that does not come, and an answer that comes too late moves nothing', async () => {
    const { clock } = fakeClock();
    const paced = pacer('k', quota, clock);
    const lost = await paced.take();
    for (let call = 0; call < 2; call += 1) await paced.take();
    expect(clock.now()).toBe(5051);
    lost.answered(); // its place is another's by now
    await paced.take();
    expect(clock.now()).toBe(5051);
    await paced.take();
    expect(clock.now()).toBe(10_102);
  });
});

describe('quotaFloor', () => {
  test('is that of the quota that needs longest; quotas run side by side', async () => {
    const { clock } = fakeClock();
    const all = pacers(clock);
    const [slow, quick] = [all.of('slow', { permits: 2, perMs: 5000 }), all.of('quick', { permits: 10, perMs: 1000 })];
    for (let call = 0; call < 7; call += 1) await slow.take();
    for (let call = 0; call < 25; call += 1) await quick.take();
    expect(quotaFloor(all.uses())).toEqual({ ms: 15_000, key: 'slow' });
  });

  test('is nothing where every quota had room', async () => {
    const all = pacers();
    await all.of('a', { permits: 15, perMs: 5000 }).take();
    expect(quotaFloor(all.uses())).toEqual({ ms: 0, key: null });
    expect(quotaFloor([])).toEqual({ ms: 0, key: null });
  });
});

describe('backoff', () => {
  test('grows, stays below its cap, and never falls below half of it', () => {
    for (let attempt = 1; attempt < 20; attempt += 1) {
      const ceiling = Math.min(defaultPatience.backoffBaseMs * 2 ** (attempt - 1), defaultPatience.backoffCapMs);
      const delay = backoff(defaultPatience, attempt);
      expect(delay).toBeGreaterThanOrEqual(ceiling / 2);
      expect(delay).toBeLessThanOrEqual(ceiling);
    }
  });

  test("a provider's hint is honoured, but not beyond the call's deadline", () => {
    expect(backoff(defaultPatience, 1, 4000)).toBe(4000);
    expect(backoff(defaultPatience, 1, 1e9)).toBe(defaultPatience.callDeadlineMs);
    expect(backoff(defaultPatience, 1, -5)).toBe(0);
  });

  test('a hint that is no time is none, and no reason to forget the quota', async () => {
    expect(backoff(defaultPatience, 1, Number.NaN)).toBeGreaterThan(0);
    let now = 0;
    const one = pacer(
      'x',
      { permits: 1, perMs: 1000 },
      { now: () => now, sleep: (milliseconds) => Promise.resolve(void (now += milliseconds)) },
    );
    one.pause(Number.NaN);
    for (let call = 0; call < 3; call += 1) await one.take();
    expect(now).toBeGreaterThan(2000);
  });
});

test('sleep rejects at once when its signal has aborted', async () => {
  const controller = new AbortController();
  controller.abort(new Error('gone'));
  await expect(sleep(10_000, controller.signal)).rejects.toThrow('gone');
});
