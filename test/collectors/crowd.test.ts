import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { turnstile } from '../../src/collectors/crowd.ts';
import { pacers, type Permit } from '../../src/collectors/rate.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a crowd', () => {
  test('never has more under way than it may, whoever comes and leaves when', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.record({ left: fc.nat(50), leaves: fc.nat(3) }), { maxLength: 40 }),
        async (atOnce, visitors) => {
          const gate = turnstile({ name: 'g', atOnce });
          let inside = 0;
          let served = 0;
          await Promise.all(
            visitors.map(async ({ left, leaves }) => {
              const leave = await gate.enter(() => left);
              inside += 1;
              expect(inside).toBeLessThanOrEqual(atOnce);
              for (let turn = 0; turn < leaves; turn += 1) await settle();
              inside -= 1;
              served += 1;
              leave();
              leave();
            }),
          );
          expect(served).toBe(visitors.length);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('of those that wait, whoever has most left goes first; nobody is passed over for long', async () => {
    let time = 0;
    const gate = turnstile({ name: 'g', atOnce: 1 }, () => time);
    const order: string[] = [];
    const come = (name: string, left: number): Promise<() => void> =>
      gate
        .enter(() => left)
        .then((leave) => {
          order.push(name);
          return leave;
        });
    const first = await come('first', 0);
    const small = come('small', 3);
    const large = come('large', 300);
    const unknown = come('unknown', Number.POSITIVE_INFINITY);
    first();
    (await unknown)();
    const leaveLarge = await large;
    expect(order).toEqual(['first', 'unknown', 'large']);
    const larger = come('larger', 400);
    time = 1_001;
    leaveLarge();
    (await small)();
    (await larger)();
    expect(order).toEqual(['first', 'unknown', 'large', 'small', 'larger']);
  });

  test('who is aborted while waiting gives way', async () => {
    const gate = turnstile({ name: 'g', atOnce: 1 });
    const leave = await gate.enter(() => 1);
    const controller = new AbortController();
    const aborted = gate.enter(() => 9, controller.signal);
    const behind = gate.enter(() => 1);
    controller.abort(new Error('stop'));
    await expect(aborted).rejects.toThrow('stop');
    leave();
    (await behind)();
    await expect(gate.enter(() => 1, controller.signal)).rejects.toThrow('stop');
  });
});

describe('quotas of one crowd', () => {
  const crowd = { name: 'c', atOnce: 2 };
  const quota = { permits: 100, perMs: 1000, crowd };

  test('share its places until they are answered, and the one with most to ask is served first', async () => {
    const all = pacers();
    const [few, many] = [all.of('few', quota), all.of('many', quota)];
    few.expect(5);
    many.expect(50);
    const held = [await few.take(), await few.take()];
    const granted: string[] = [];
    const take = (name: string, from: typeof few): Promise<Permit> =>
      from.take().then((permit) => {
        granted.push(name);
        return permit;
      });
    const waiting = [take('few', few), take('many', many), take('many', many)];
    await settle();
    expect(granted).toEqual([]);
    for (const permit of held) permit.answered();
    await settle();
    // Each quota asks for one place at a time, so that its own requests stay in order.
    expect(granted.toSorted()).toEqual(['few', 'many']);
    (await (waiting[1] as Promise<Permit>)).answered();
    await settle();
    expect(granted).toHaveLength(3);
  });

  test('a quota that waits for its own window takes no place meanwhile', async () => {
    const all = pacers();
    const slow = all.of('slow', { permits: 1, perMs: 60_000, crowd: { name: 'c', atOnce: 1 } });
    const quick = all.of('quick', { permits: 10, perMs: 1000, crowd: { name: 'c', atOnce: 1 } });
    (await slow.take()).answered();
    const controller = new AbortController();
    const late = slow.take(controller.signal);
    for (let call = 0; call < 3; call += 1) (await quick.take()).answered();
    expect(quick.use().calls).toBe(3);
    controller.abort(new Error('stop'));
    await expect(late).rejects.toThrow('stop');
  });
});
