import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../../src/collectors/collect.ts';
import { pageReaders } from '../../src/collectors/registry.ts';
import { loadConfig } from '../../src/config/load.ts';
import { assess, type AssessRequest } from '../../src/controls/assess/assess.ts';
import type { Threads } from '../../src/controls/assess/workers.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { needsOf } from '../../src/controls/assess/needs.ts';
import { deal, type Part, partsOf } from '../../src/controls/assess/partition.ts';
import { selectControls } from '../../src/controls/catalogue/select.ts';
import { evidenceReader } from '../../src/evidence/reader.ts';
import { type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { hurried, hurriedPacers, silent } from '../support/aws.ts';

/** One collected estate, judged again and again with the shipped catalogue. */
let work: string;
let run: string;
let request: AssessRequest;

const asOf = '2026-11-20T12:00:00.000Z';
const root = join(import.meta.dirname, '..', '..');
const threads = (count: number): Threads => ({ count, module: new URL('../../src/judging-thread.ts', import.meta.url), fromBytes: 0 });

/** Name and digest of every file of the results. */
function results(directory: string): Record<string, string> {
  const path = join(directory, 'results');
  return Object.fromEntries(
    readdirSync(path)
      .sort()
      .map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(join(path, file)))
          .digest('hex'),
      ]),
  );
}

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'exhibit-threads-'));
  run = join(work, 'run');
  const simulator: Simulator = await startSimulator({ resources: 300, seed: 5, asOf, quotas: 'off' });
  const environment = { ...process.env };
  try {
    const file = join(work, 'exhibit.yaml');
    const waivers = [
      ['covers-keys', 'aws-kms-*', '2027-01-01'],
      ['covers-all', '*', '2027-01-01'],
      ['expired', 'gcp-*', '2026-01-01'],
    ].map(
      ([id, control, expires]) =>
        `  - { id: ${String(id)}, control: "${String(control)}", resources: ["*"], owner: a, approver: b, justification: c, approvedOn: "2025-01-01", expires: "${String(expires)}" }`,
    );
    writeFileSync(file, `${simulator.configYaml()}\nwaivers:\n${waivers.join('\n')}\n`);
    Object.assign(process.env, simulator.credentials, { NO_PROXY: '127.0.0.1,localhost' });
    const loaded = loadConfig(file).config;
    // One account in one region is enough of AWS: calls are what takes time here.
    const config = {
      ...loaded,
      scopes: {
        ...loaded.scopes,
        aws: loaded.scopes.aws?.map((scope) =>
          scope.accounts && scope.regions ? { ...scope, accounts: scope.accounts.slice(0, 1), regions: scope.regions.slice(0, 1) } : scope,
        ),
      },
    };
    const catalogue = selectControls(await loadCatalogue(join(root, 'controls.yaml')), config);
    const signal = new AbortController().signal;
    await collect({
      runDirectory: run,
      runId: 'threads.v1',
      asOf,
      config,
      needs: needsOf(catalogue),
      resume: false,
      signal,
      progress: silent,
      patience: hurried,
      pacers: hurriedPacers(),
      tool: { name: 'exhibit', version: '0' },
    });
    request = { runDirectory: run, catalogue, config, readers: pageReaders() };
  } finally {
    process.env = environment;
    await simulator.close();
  }
}, 120_000);

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('judging on several threads', () => {
  test('gives the same bytes for any number of them', async () => {
    const alone = await assess(request);
    const expected = results(run);
    expect(Object.keys(expected)).toEqual([
      'access.ndjson',
      'assessment.json',
      'findings.json',
      'observations.ndjson',
      'readers.ndjson',
      'reconciliation.json',
    ]);
    expect(alone.waivers.map((waiver) => (waiver.used ?? 0) > 0)).toEqual([true, true, false]);
    for (const count of [2, 3]) {
      const together = await assess({ ...request, threads: threads(count) });
      expect(results(run), `${count} threads`).toEqual(expected);
      expect(together).toEqual(alone);
    }
  }, 120_000);

  test('tells of damaged evidence alike', async () => {
    const damaged = join(work, 'damaged');
    cpSync(run, damaged, { recursive: true });
    const reader = evidenceReader(damaged, request.readers);
    for (const type of ['AWS::KMS::Key', 'AWS::S3::Bucket', 'microsoft.keyvault/vaults']) {
      const stored = reader.queries().find(({ query }) => query.types.includes(type) && query.pages.length > 0);
      expect(stored, type).toBeDefined();
      const page = stored?.query.pages[0];
      if (stored && page) writeFileSync(join(damaged, stored.directory, page.file), '{"Results":[],"data":[]}');
    }
    await assess({ ...request, runDirectory: damaged });
    const expected = results(damaged);
    expect(expected).not.toEqual(results(run));
    await assess({ ...request, runDirectory: damaged, threads: threads(2) });
    expect(results(damaged)).toEqual(expected);
  }, 120_000);

  test('is refused where the control files are not those that were loaded', async () => {
    const before = results(run);
    const files = request.catalogue.files.map((file, at) => (at === 0 ? { ...file, sha256: '0'.repeat(64) } : file));
    await expect(assess({ ...request, catalogue: { ...request.catalogue, files }, threads: threads(2) })).rejects.toThrow(
      'control files changed',
    );
    expect(results(run)).toEqual(before);
  }, 120_000);

  test('stops when asked, and leaves the earlier results', async () => {
    const before = results(run);
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(assess({ ...request, threads: threads(2), signal: controller.signal })).rejects.toThrow('enough');
    expect(results(run)).toEqual(before);
  }, 120_000);
});

describe('the partition', () => {
  test('holds every control once, each cloud in a part of its own and in the order of the catalogue', () => {
    const { controls } = request.catalogue;
    const queries = evidenceReader(run, request.readers).queries();
    const parts = partsOf(controls, queries);
    expect(parts.map(({ provider }) => provider)).toEqual(['aws', 'azure', 'gcp']);
    for (const part of parts) {
      expect(part.controls).toEqual(controls.filter(({ control }) => control.provider === part.provider));
      expect(part.bytes).toBeGreaterThan(0);
    }
    expect(partsOf(controls.toReversed(), queries).map(({ provider }) => provider)).toEqual(['aws', 'azure', 'gcp']);
  });

  test('deals neighbours, so that the heaviest load is as light as can be', () => {
    const part = (bytes: number): Part => ({ provider: 'aws', controls: [], bytes });
    const dealt = (weights: number[], count: number): number[][] =>
      deal(weights.map(part), count).map((group) => group.map(({ bytes }) => bytes));
    expect(dealt([5, 3, 3], 1)).toEqual([[5, 3, 3]]);
    expect(dealt([5, 3, 3], 2)).toEqual([[5], [3, 3]]);
    expect(dealt([1, 3, 9], 2)).toEqual([[1, 3], [9]]);
    expect(dealt([5, 3, 3], 3)).toEqual([[5], [3], [3]]);
    expect(dealt([5, 3], 7)).toEqual([[5], [3]]);
    expect(dealt([], 2)).toEqual([]);
  });
});
