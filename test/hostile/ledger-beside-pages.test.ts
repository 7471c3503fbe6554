import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ledger, LedgerEntry } from '../../src/model/index.ts';
import { aggregatorScope, collectAws, needsOf } from '../support/aws.ts';
import { collectGcp, collectGraph, collectPolicy, quickDirectory, simulate } from '../support/clouds.ts';
import { ledgerProblems } from '../support/ledger-check.ts';
import { emptyRunDirectory, simulatedAws } from '../support/simulated-aws.ts';

/** Ledgers that collecting wrote are borne out by its pages, whatever the cloud; edited ones are not. */

const bucket = 'AWS::S3::Bucket';
const types = [bucket, 'AWS::IAM::User'];
const aws = simulatedAws();
const directory = emptyRunDirectory();

function edit(run: string, which: (entry: LedgerEntry) => boolean, change: (entry: LedgerEntry, ledger: Ledger) => void): void {
  const path = join(run, 'evidence/ledger.json');
  const ledger = JSON.parse(readFileSync(path, 'utf8')) as Ledger;
  const entries = ledger.entries.filter((entry) => entry.count !== null && entry.count.count > 0 && which(entry));
  expect(entries.length).toBeGreaterThan(0);
  change(entries[0] as LedgerEntry, ledger);
  writeFileSync(path, JSON.stringify(ledger));
}

const lower = (entry: LedgerEntry): void => {
  if (entry.count) Object.assign(entry, { held: entry.held - 1, count: { ...entry.count, count: entry.count.count - 1 } });
};

describe('AWS', () => {
  test.each([false, true])('collected by region, or through an aggregator (%s)', async (aggregated) => {
    const needs = needsOf(types, ['ENCRYPTED_VOLUMES', 'S3_BUCKET_VERSIONING_ENABLED']);
    await collectAws(aws, directory.path, needs, aggregated ? { aws: [aggregatorScope(aws)] } : {});
    expect(ledgerProblems(directory.path)).toEqual([]);
    edit(directory.path, ({ type }) => type === bucket, lower);
    const found = ledgerProblems(directory.path).join('\n');
    expect(found).toMatch(/AWS::S3::Bucket in aws\/\d+\/\S+: the ledger holds \d+, and its pages hold/);
    expect(found).toMatch(/the ledger counts \d+, and evidence\/\S+, which it cites, comes to \d+/);
  });

  test('a lowered count of what a rule judged', async () => {
    await collectAws(aws, directory.path, needsOf(types, ['ENCRYPTED_VOLUMES']));
    edit(directory.path, ({ type }) => type.startsWith('verdict:'), lower);
    expect(ledgerProblems(directory.path).join('\n')).toMatch(/verdict:ENCRYPTED_VOLUMES .* the ledger counts/);
  });

  test('another number cited for the count: of a listing, of another type, of another region, or none', async () => {
    await collectAws(aws, directory.path, needsOf(types), {
      aws: [{ accounts: [aws.member], regions: [...aws.estate.regions], role: 'ExhibitCollector' }],
    });
    const path = join(directory.path, 'evidence/ledger.json');
    const clean = readFileSync(path, 'utf8');
    expect(ledgerProblems(directory.path)).toEqual([]);
    const harms: ((entry: LedgerEntry, ledger: Ledger) => void)[] = [
      (entry) =>
        Object.assign(entry.count?.citation ?? {}, { file: `${entry.queries.find((one) => one.endsWith('S3.Bucket'))}/page-000001.json` }),
      (entry, { entries }) => {
        const other = entries.find((one) => one.type === entry.type && one.region !== entry.region);
        if (entry.count && other?.count) entry.count = { ...other.count, count: entry.count.count };
      },
      (entry) => {
        if (entry.count) delete entry.count.citation;
      },
    ];
    for (const harm of harms) {
      writeFileSync(path, clean);
      edit(directory.path, ({ type }) => type === bucket, harm);
      expect(ledgerProblems(directory.path).join('\n')).toMatch(/cites no answer|counts nothing of the kind/);
    }
  });
});

describe('Azure and Google Cloud', () => {
  let simulator: Awaited<ReturnType<typeof simulate>>;
  let run: ReturnType<typeof quickDirectory>;
  beforeAll(async () => {
    simulator = await simulate(300);
    run = quickDirectory();
  });
  afterAll(async () => {
    run.remove();
    await simulator.close();
  });

  test.each<[string, (simulator: Awaited<ReturnType<typeof simulate>>, run: string) => Promise<Ledger>, RegExp]>([
    ['Resource Graph', collectGraph, /^microsoft\.storage/],
    ['policy objects and states', collectPolicy, /^(?:microsoft|verdict)/],
    ['assets', collectGcp, /^storage/],
    ['policies of assets', collectGcp, /^iam-policy:/],
  ])('%s', async (_name, collect, type) => {
    await collect(simulator, run.path);
    expect(ledgerProblems(run.path)).toEqual([]);
    edit(run.path, (entry) => type.test(entry.type), lower);
    const found = ledgerProblems(run.path).join('\n');
    expect(found).toContain('the ledger counts');
    expect(found).toContain('the ledger holds');
  });
});
