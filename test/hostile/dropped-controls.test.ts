import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { emptyCounts } from '../../src/model/index.ts';
import type { Assessment } from '../../src/model/index.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { stateRendering } from '../support/pack-run.ts';
import { newSigner, sealedSample, trusted } from '../support/packs.ts';

/** A failing control taken out of a run before it is sealed, everywhere at once: the catalogue in the pack still has it. */

let signer: Signer;
beforeAll(async () => {
  signer = await newSigner();
});

function assessed(run: string, change: (value: Assessment) => void): void {
  const path = join(run, 'results/assessment.json');
  const value = JSON.parse(readFileSync(path, 'utf8')) as Assessment;
  change(value);
  writeFileSync(path, JSON.stringify(value));
}

/** Findings, observations, populations, counts, score. */
function dropControl(run: string): void {
  assessed(run, (value) => {
    const counts = emptyCounts();
    Object.assign(value, { findings: [], reconciliation: [], summary: { ...value.summary, counts, resources: counts, score: null } });
  });
  writeFileSync(join(run, 'results/observations.ndjson'), '');
  writeFileSync(join(run, 'results/reconciliation.json'), '[]');
}

const leftOut = (why: string): NonNullable<Assessment['choices']>['leftOut'] =>
  JSON.parse(`[{ "control": "aws-s3-bucket-cmk", "title": "", "level": 1, "why": "${why}" }]`) as never;

async function problemsOf(harm: (run: string) => void): Promise<string> {
  const sample = await sealedSample(
    signer,
    ({ directory }) => {
      harm(directory);
      stateRendering(directory);
    },
    { evenIfInconsistent: true },
  );
  const report = await verifyPack(sample.run.packDirectory, trusted(sample));
  return report.steps.flatMap((step) => step.problems.map(({ code, message }) => `${code} ${message}`)).join('\n');
}

test('without a word', async () => {
  expect(await problemsOf(dropControl)).toContain('aws-s3-bucket-cmk was neither judged nor listed as left out');
});

test.each(['excluded', 'above-level', 'not-included', 'cloud-not-configured'])(
  'as if the configuration had left it out (%s)',
  async (why) => {
    const found = await problemsOf((run) => {
      dropControl(run);
      const catalogue = join(run, 'inputs/exhibit.yaml');
      writeFileSync(catalogue, `${readFileSync(catalogue, 'utf8')}scopes: { aws: [], azure: [] }\n`);
      assessed(run, ({ choices }) => {
        Object.assign(choices ?? {}, { leftOut: leftOut(why) });
      });
    });
    expect(found).toMatch(/listed as left out (?:under another title or level|for a reason)/);
  },
);

test('under another title, section, level, or with other checks than the catalogue has', async () => {
  const found = await problemsOf((run) => {
    assessed(run, ({ findings }) => {
      Object.assign(findings[0]?.control ?? {}, {
        title: 'Harmless',
        section: 'Other',
        level: 2,
        checks: [{ id: 'cmk', kind: 'condition' }],
      });
    });
  });
  for (const what of ['title', 'section', 'level', 'list of checks'])
    expect(found).toContain(`aws-s3-bucket-cmk has another ${what} in the results than in the catalogue`);
});

test('a catalogue of the own called that of the tool, or by another name', async () => {
  const found = await problemsOf((run) => {
    assessed(run, (value) => {
      Object.assign(value.choices ?? {}, { ownCatalogue: false });
      value.catalogue.version = '9.9';
    });
  });
  expect(found).toContain('the catalogue is not one of the');
  expect(found).toContain('says otherwise of itself');
});
