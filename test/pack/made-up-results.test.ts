import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { replace } from '../support/file-edits.ts';
import { pagePath } from '../support/pack-run.ts';
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

  test.each([
    ['results/oscal-assessment-results.json', 'report-stale'],
    ['results/ocsf-compliance-findings.ndjson', 'report-stale'],
    ['results/findings.csv', 'report-stale'],
    ['results/results.xlsx', 'report-stale'],
    ['results/oscal-assessment-results.xml', 'it is none of the results'],
    ['results/oscal-.json', 'it is none of the results'],
  ])('results in another format that nobody rendered: %s', async (file, told) => {
    expect(
      await disagrees((run) => {
        writeFileSync(join(run, file), '{"assessment-results":{}}\n');
      }),
    ).toContain(told);
  });

  test.each([
    ['as a draft', null],
    ['for another signer', 'AA:'.repeat(31) + 'AA'],
  ])('a report that was rendered %s', async (_name, root) => {
    expect(
      await disagrees((run) => {
        replace(join(run, 'results/rendering.json'), '{"version":1,', `{"version":1,"signer":${JSON.stringify(root)},`);
      }),
    ).toMatch(/report-stale .*render again, then seal/);
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
        replace(join(run, reconciliation), /"count":\{[^}]*\{[^}]*\}\}/, '"count":null');
      }),
    ).toContain('the provider counts nothing');
  });

  test('readers of critical stores that are not there, not what they were, or other than counted', async () => {
    const set = (rest: object): { id: string; line: string } => {
      const id = createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 32);
      return { id, line: `${JSON.stringify({ id, ...rest })}\n` };
    };
    const at = (file: string): object => ({ file, pointer: '/Results/0', encoding: 'json' });
    const open = { principal: '*', kind: 'everyone', via: 'policy of the store', conditional: false, wide: true, citation: at(pagePath) };
    const { id, line } = set({ world: 'data-roles', principals: [open], unsettled: [], complete: true });
    const storeOf = (uid: string, readers = id): string => {
      const scope = { provider: 'aws', account: '111122223333', region: 'eu-west-1' };
      const subject = {
        kind: 'resource',
        type: 'AWS::S3::Bucket',
        uid,
        name: uid,
        location: 'eu-west-1',
        ...scope,
        scope,
        capturedAt: null,
      };
      return `${JSON.stringify({ subject, readers })}\n`;
    };
    const store = storeOf('a');
    const write = (run: string, access: string, readers: string): void => {
      writeFileSync(join(run, 'results/access.ndjson'), access);
      writeFileSync(join(run, 'results/readers.ndjson'), readers);
    };
    expect(await disagrees((run) => write(run, store, line))).toContain('wide 0 in the assessment, 1 in the lines');
    expect(await disagrees((run) => write(run, store + storeOf('b'), ''))).toContain(`2 stores name the readers ${id}`);
    expect(await disagrees((run) => write(run, store, line.replace('"wide":true', '"wide":false')))).toContain('its id is not made of');
    expect(await disagrees((run) => write(run, store, line + line))).toContain('it is there twice');
    expect(await disagrees((run) => write(run, store + store, line))).toContain('the store a is there twice');
    expect(await disagrees((run) => write(run, `{"readers":"${id}"}\n`, line))).toContain('not what stands in such a file');
    const cited = set({
      world: 'data-roles',
      principals: [{ ...open, through: [at('evidence/nowhere.json')] }],
      unsettled: [],
      complete: true,
    });
    expect(await disagrees((run) => write(run, storeOf('a', cited.id), cited.line))).toContain('data/evidence/nowhere.json');
  });

  const lines = (run: string, change: (lines: string[]) => string[]): void => {
    const file = join(run, 'results/observations.ndjson');
    const changed = change(readFileSync(file, 'utf8').trimEnd().split('\n')).map((line) => `${line}\n`);
    writeFileSync(file, changed.join(''));
    const told = join(run, assessment);
    const blocks = `"blocks":[[0,${Buffer.byteLength(changed.join(''))}]]`;
    writeFileSync(told, readFileSync(told, 'utf8').replace(/"blocks":\[\[0,\d+\]\]/, blocks));
  };
  test('an observation that passes a second time in the place of one that fails', async () => {
    const swapped = (change: (line: string) => string) => (run: string) => {
      lines(run, ([first = '', , ...rest]) => [first, change(first), ...rest]);
    };
    expect(await disagrees(swapped((line) => line))).toMatch(/the observation 0000\S+ is there twice/);
    const renamed = (line: string): string => line.replace('"id":"00000000', '"id":"11111111');
    expect(await disagrees(swapped(renamed))).toContain('aws-s3-bucket-cmk/cmk judges 1 resources more than once');
  });

  test('observations that no report would look for, or look for twice', async () => {
    for (const blocks of ['[]', '[[0,1]]', '[[0,9],[0,9]]'])
      expect(
        await disagrees((run) => {
          replace(join(run, assessment), /"blocks":\[\[0,\d+\]\]/, `"blocks":${blocks}`);
        }),
      ).toContain('aws-s3-bucket-cmk names other places than those where its observations lie');
  });

  test('findings told otherwise a second time, and files among the results that are none', async () => {
    const write = (name: string, text: (findings: string) => string) => (run: string) => {
      const { findings } = JSON.parse(readFileSync(join(run, assessment), 'utf8')) as { findings: unknown };
      writeFileSync(join(run, 'results', name), text(JSON.stringify(findings, null, 2)));
    };
    const passing = write('findings.json', (text) => text.replace('"status": "fail"', '"status": "pass"'));
    expect(await disagrees(passing)).toContain('it holds other findings than the assessment');
    expect(await disagrees(write('findings.json', () => '{}'))).toContain('findings.json');
    expect(await disagrees(write('summary.html', () => '<p>All is well</p>'))).toContain('summary.html: it is none of the results');
    const same = await sealedSample(signer, ({ directory }) => write('findings.json', (text) => text)(directory));
    expect((await verifyPack(same.run.packDirectory, trusted(same))).ok).toBe(true);
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
