import { describe, expect, test } from 'vitest';
import type { FixtureUnit, FixtureVerdict } from '../support/evidence.ts';
import { judge } from '../support/judging.ts';
import { guid, idOf, inventory, notAssigned, one, states, two, vaults, verdictControl } from '../support/native.ts';

const keys = verdictControl('azure', guid, 'parents', [vaults]);

describe('a rule that judges parts of what the inventory lists', () => {
  const key: FixtureVerdict = {
    uid: `${idOf(one, 'v', vaults)}/keys/k`,
    verdict: 'Compliant',
    resourceType: 'microsoft.keyvault.data/vaults/keys',
  };

  test('each result is observed for itself; without a parent there is nothing to judge', async () => {
    const { assessment } = await judge(
      { units: [inventory(one, ['v'], {}, vaults), states(one, { key }), inventory(two, [], {}, vaults), states(two, {}, notAssigned)] },
      [keys],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 1 }, gaps: 0 });
    expect(assessment.reconciliation).toMatchObject([
      { type: vaults, count: { count: 1 }, excluded: { 'judged by the results about its parts': 1 }, balanced: true, reasons: [] },
      { type: vaults, scope: { account: two }, count: { count: 0 }, balanced: true, reasons: [] },
      { type: `verdict:${guid}`, count: { count: 1 }, pass: 1 },
      { scope: { account: two }, count: { count: 0 }, balanced: true, reasons: [{ code: 'nothing-to-judge' }] },
    ]);
    expect(assessment.evidenceComplete).toBe(true);
  });

  const about = (name: string, verdict: string, more: Partial<FixtureVerdict> = {}): FixtureVerdict => ({
    ...key,
    uid: `${idOf(one, name, vaults)}/keys/k`,
    verdict,
    ...more,
  });

  test('a parent without a result, for itself or for a part of it, is unknown, and counted', async () => {
    const { assessment, observations } = await judge(
      { units: [inventory(one, ['v', 'outside'], {}, vaults), states(one, { key: about('v', 'Compliant') })] },
      [keys],
    );
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 1, unknown: 1 }, gaps: 0, excluded: 0 });
    expect(assessment.reconciliation).toMatchObject([
      { type: vaults, count: { count: 2 }, unknown: 1, balanced: true, reasons: [] },
      { type: `verdict:${guid}`, count: { count: 1 }, pass: 1, balanced: true },
    ]);
    expect(observations.find(({ status }) => status === 'unknown')).toMatchObject({
      subject: { uid: idOf(one, 'outside', vaults), type: vaults },
      reason: expect.stringMatching(/^Not evaluated.* for it or for a part of it/) as string,
      leaves: [{ because: 'not-evaluated' }],
      citations: [{ role: 'subject', pointer: '/records/1' }],
    });
    const part = about('outside', 'Compliant', {
      uid: `${idOf(one, 'outside', vaults)}/microsoft.keyvault.data/vaults/keys/k`.toUpperCase(),
    });
    const whole = await judge({ units: [inventory(one, ['v', 'outside'], {}, vaults), states(one, { key, part })] }, [keys]);
    expect(whole.assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 2, unknown: 0 } });
  });

  test('results about parts of what the inventory does not hold keep it from passing', async () => {
    const gone = about('gone', 'Compliant');
    for (const names of [['v'], []]) {
      const present = names.length > 0 ? { key } : {};
      const { assessment } = await judge({ units: [inventory(one, names, {}, vaults), states(one, { ...present, gone })] }, [keys]);
      expect(assessment.findings[0]).toMatchObject({ status: 'unknown', gaps: 1 });
      expect(assessment.findings[0]?.reasons.map(({ code }) => code)).toContain('not-in-inventory');
    }
  });

  test('results about the parent itself are judged together, and count with it', async () => {
    const itself = (verdict: string, deployment: string): FixtureVerdict => ({
      uid: idOf(one, 'v', vaults),
      verdict,
      resourceType: vaults,
      deployment,
    });
    const of = (first: string, second: string, more: Record<string, FixtureVerdict> = {}) =>
      judge({ units: [inventory(one, ['v'], {}, vaults), states(one, { a: itself(first, 'a'), b: itself(second, 'b'), ...more })] }, [
        keys,
      ]);
    const { assessment } = await of('Compliant', 'Compliant', { key });
    expect(assessment.findings[0]).toMatchObject({ status: 'pass', counts: { pass: 2 }, gaps: 0, excluded: 0 });
    expect(assessment.reconciliation).toMatchObject([
      { type: vaults, count: { count: 1 }, pass: 1, excluded: {}, balanced: true },
      {
        type: `verdict:${guid}`,
        count: { count: 3 },
        pass: 1,
        excluded: { 'judged together, see the observation of the resource': 2 },
        balanced: true,
      },
    ]);
    expect((await of('Compliant', 'NonCompliant')).assessment.findings[0]).toMatchObject({ status: 'fail', counts: { fail: 1, pass: 0 } });
    expect((await of('Compliant', 'Exempt')).assessment.findings[0]).toMatchObject({ status: 'unknown' });
  });

  test('results about a parent that the inventory does not hold let nothing pass', async () => {
    const gone: FixtureVerdict = { uid: idOf(one, 'gone', vaults), verdict: 'Compliant', resourceType: vaults };
    const { assessment, observations } = await judge({ units: [inventory(one, ['v'], {}, vaults), states(one, { key, gone })] }, [keys]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 1, unknown: 1 }, gaps: 1 });
    expect(assessment.reconciliation[0]).toMatchObject({
      type: vaults,
      unknown: 1,
      balanced: false,
      reasons: [{ code: 'not-in-inventory' }],
    });
    expect(observations.map((line) => line.subject.uid)).toContain(gone.uid);
  });

  test('parents that were not wholly seen let nothing pass', async () => {
    const partial = { entry: { status: 'partial' as const, reasons: [{ code: 'throttled', message: 'throttled' }] } };
    const { assessment } = await judge({ units: [inventory(one, ['v'], partial, vaults), states(one, { key })] }, [keys]);
    expect(assessment.findings[0]).toMatchObject({ status: 'unknown', counts: { pass: 1 }, gaps: 1, reasons: [{ code: 'throttled' }] });
  });

  test('parents without the rule are a gap, and so are parents that were not seen', async () => {
    const of = (vault: FixtureUnit) => judge({ units: [vault, states(one, {}, notAssigned)] }, [keys]);
    expect((await of(inventory(one, ['v'], {}, vaults))).assessment.findings[0]).toMatchObject({
      status: 'unknown',
      gaps: 1,
      reasons: [{ code: 'policy-not-assigned' }],
    });
    expect(
      (
        await of(
          inventory(one, [], { entry: { status: 'denied', count: null, reasons: [{ code: 'access-denied', message: 'no' }] } }, vaults),
        )
      ).assessment.findings[0],
    ).toMatchObject({ status: 'unknown', gaps: 1, reasons: [{ code: 'policy-not-assigned' }, { code: 'access-denied' }] });
    expect((await of(inventory(one, [], {}, vaults))).assessment.findings[0]).toMatchObject({ status: 'notapplicable', gaps: 0 });
  });
});
