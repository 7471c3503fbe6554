import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { replace } from '../support/file-edits.ts';
import { newSigner, sealedSample, trusted } from '../support/packs.ts';

let signer: Signer;
beforeAll(async () => {
  signer = await newSigner();
});

const reconciliation = 'results/reconciliation.json';

describe('results that a signer could have made up', () => {
  const disagrees = async (harm: (run: string) => void): Promise<string> => {
    await expect(
      sealedSample(signer, ({ directory }) => {
        harm(directory);
      }),
    ).rejects.toThrow(/does not agree with itself/);
    const forced = await sealedSample(
      signer,
      ({ directory }) => {
        harm(directory);
      },
      { evenIfInconsistent: true },
    );
    const report = await verifyPack(forced.run.packDirectory, trusted(forced));
    expect(report.ok).toBe(false);
    return report.steps.flatMap((step) => step.problems.map((problem) => `${problem.code} ${problem.message}`)).join('\n');
  };
  const assessment = 'results/assessment.json';

  test('a control that passes over failing observations', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, assessment), '"status":"fail"', '"status":"pass"');
      }),
    ).toContain('passes, with observations that are fail');
  });

  test('a control that passes over nothing', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, assessment), '"status":"fail"', '"status":"pass"');
        writeFileSync(join(run, 'results/observations.ndjson'), '');
        replace(join(run, reconciliation), '"pass":3,"fail":3', '"pass":0,"fail":0');
      }),
    ).toContain('passes without any observation');
  });

  test('a population that does not balance under a control that passes', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, assessment), '"status":"fail"', '"status":"pass"');
        replace(
          join(run, reconciliation),
          '"balanced":true,"reasons":[]',
          '"balanced":false,"reasons":[{"code":"unbalanced","message":"more exist"}]',
        );
      }),
    ).toContain('does not balance, and the control passes');
  });

  test('an observation of a population that is not reconciled', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, reconciliation), /^\[.*\]$/, '[]');
      }),
    ).toContain('observations without a population');
  });

  test('a count that nobody gave', async () => {
    expect(
      await disagrees((run) => {
        replace(join(run, reconciliation), /"count":\{[^}]*\}/, '"count":null');
      }),
    ).toContain('the provider counts nothing');
  });

  test('malformed lines and records are named', async () => {
    expect(
      await disagrees((run) => {
        appendFileSync(join(run, 'results/observations.ndjson'), '{"control":1}\nnot json\n');
      }),
    ).toMatch(/line 8: it is not JSON/);
    expect(
      await disagrees((run) => {
        writeFileSync(join(run, reconciliation), '{}');
      }),
    ).toContain('reconciliation-unreadable');
  });
});
