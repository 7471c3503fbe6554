import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { Ledger } from '../../src/model/index.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { newSigner, sealedSample, trusted } from '../support/packs.ts';

/** Accounts taken out of a run before it is sealed: the configuration in the pack still names them. */

let signer: Signer;
beforeAll(async () => {
  signer = await newSigner();
});

async function problemsOf(scopes: object, change: (ledger: Ledger) => void = () => undefined): Promise<string> {
  const sample = await sealedSample(
    signer,
    ({ directory }) => {
      const configuration = join(directory, 'inputs/exhibit.yaml');
      writeFileSync(configuration, stringify({ ...(parse(readFileSync(configuration, 'utf8')) as object), scopes }));
      const path = join(directory, 'evidence/ledger.json');
      const ledger = JSON.parse(readFileSync(path, 'utf8')) as Ledger;
      const scope = { provider: 'aws' as const, account: '111122223333', region: 'eu-west-1' };
      ledger.scopes.push({ collector: 'aws-config', ...scope, name: null, knownFrom: [], status: 'complete', identity: null, reasons: [] });
      change(ledger);
      writeFileSync(path, JSON.stringify(ledger));
    },
    { evenIfInconsistent: true },
  );
  const report = await verifyPack(sample.run.packDirectory, trusted(sample));
  return report.steps.flatMap((step) => step.problems.map(({ code, message }) => `${code} ${message}`)).join('\n');
}

const own = { aws: [{ accounts: ['111122223333'], regions: ['eu-west-1'] }] };

test('what the configuration names and the ledger has is no problem', async () => {
  expect(await problemsOf(own)).not.toMatch(/the configuration names|left out by configuration/);
});

test.each([
  ['an account', { aws: [{ accounts: ['111122223333', '999900001111'], regions: ['eu-west-1'] }] }, 'aws/999900001111/eu-west-1'],
  ['a region', { aws: [{ accounts: ['111122223333'], regions: ['eu-west-1', 'eu-west-2'] }] }, 'aws/111122223333/eu-west-2'],
  ['a subscription', { ...own, azure: [{ tenant: 't', subscriptions: ['AB'] }] }, 'azure/ab/*'],
  ['a project', { ...own, gcp: [{ projects: ['projects/shop'] }] }, 'gcp/shop/*'],
])('%s that the ledger lost', async (_name, scopes, scope) => {
  expect(await problemsOf(scopes)).toContain(`the configuration names ${scope}, and the ledger does not know it`);
});

test('an account, or a type of it, called left out by the configuration that names it', async () => {
  const found = await problemsOf(own, ({ scopes, entries }) => {
    for (const one of [...scopes, ...entries]) one.status = 'excluded';
  });
  expect(found).toContain('and the ledger has it left out by configuration');
  expect(found).toContain('AWS::S3::Bucket in aws/111122223333/eu-west-1: the ledger has it left out by configuration, which names it');
});
