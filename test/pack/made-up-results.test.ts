import { createHash } from 'node:crypto';
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

  test('readers of critical stores that are not there, not what they were, or other than counted', async () => {
    const set = (rest: object): { id: string; line: string } => {
      const id = createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 32);
      return { id, line: `${JSON.stringify({ id, ...rest })}\n` };
    };
    const open = { principal: '*', kind: 'everyone', via: 'policy of the store', conditional: false, wide: true };
    const { id, line } = set({ world: 'data-roles', principals: [open], unsettled: [], complete: true });
    const store = `${JSON.stringify({ subject: {}, readers: id })}\n`;
    const write = (run: string, access: string, readers: string): void => {
      writeFileSync(join(run, 'results/access.ndjson'), access);
      writeFileSync(join(run, 'results/readers.ndjson'), readers);
    };
    expect(await disagrees((run) => write(run, store, line))).toContain('wide 0 in the assessment, 1 in the lines');
    expect(await disagrees((run) => write(run, store + store, ''))).toContain(`2 stores name the readers ${id}`);
    expect(await disagrees((run) => write(run, store, line.replace('"wide":true', '"wide":false')))).toContain('its id is not made of');
    expect(await disagrees((run) => write(run, store, line + line))).toContain('it is there twice');
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
