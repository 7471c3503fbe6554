import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultKind } from '../../src/simulator/index.ts';
import { sampled } from '../support/damage.ts';
import { describeVerdict, estateNames, isSound, openSweep, type Sweep } from '../support/fault-sweep.ts';

/** A sample of what `npm run sweep` tries whole: real clients, the whole catalogue, one fault at one call. */
const sizes = { aws: 18, 'aws-aggregator': 8, azure: 18, gcp: 24 } as const;

describe.each(estateNames)('%s', (estate) => {
  let sweep: Sweep;
  beforeAll(async () => {
    sweep = await openSweep(estate);
  });
  afterAll(() => sweep.close());

  test('every kind of fault has calls that it can strike', () => {
    const kinds = new Set(sweep.cases.map(({ fault }) => fault.kind));
    const common: FaultKind[] = [
      'access-denied',
      'expired-credentials',
      'throttle',
      'http-500',
      'reset',
      'hang',
      'truncated-body',
      'lost-page',
      'duplicated-page',
      'repeated-token',
      'clock-skew',
    ];
    expect(common.filter((kind) => !kinds.has(kind))).toEqual([]);
    expect(sweep.cases.length).toBeGreaterThan(800);
  });

  test('no fault makes anything pass, or disappear, or goes unnamed, or is tried without end', async () => {
    const unsound: string[] = [];
    let struck = 0;
    for (const one of sampled(sweep.cases, sizes[estate], `sample of ${estate}`)) {
      const verdict = await sweep.run(one);
      struck += Math.min(1, verdict.struck);
      if (!isSound(verdict)) unsound.push(describeVerdict(verdict));
    }
    expect(unsound).toEqual([]);
    expect(struck).toBeGreaterThan(sizes[estate] * 0.8);
  }, 180_000);
});
