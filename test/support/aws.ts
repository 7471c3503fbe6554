import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsConfig } from '../../src/collectors/aws-config/collector.ts';
import { shapes } from '../../src/collectors/aws-config/map.ts';
import { collect, type CollectRequest } from '../../src/collectors/collect.ts';
import type { CollectProgress } from '../../src/collectors/collector.ts';
import { type Pacers, pacers, type Patience, sleep } from '../../src/collectors/rate.ts';
import { evidenceReader } from '../../src/evidence/reader.ts';
import type { Ledger, LedgerEntry, Needs } from '../../src/model/index.ts';
import { aggregatorName } from '../../src/simulator/aws-config.ts';
import { awsConfigHandler } from '../../src/simulator/aws-config.ts';
import { accessKeyOf, awsStsHandler, collectorRole } from '../../src/simulator/aws-sts.ts';
import { type AwsEstate, buildAws } from '../../src/simulator/estate/aws.ts';
import { type CallBook, openCallBook } from '../../src/simulator/faults.ts';
import { serveHttp } from '../../src/simulator/http.ts';
import { openQuotas, type QuotaMode } from '../../src/simulator/quotas.ts';

/** The AWS part of the simulator alone: two accounts, two regions. */
export interface SimulatedAws {
  readonly origin: string;
  readonly estate: AwsEstate;
  readonly book: CallBook;
  /** A member account that holds resources; the home account holds few. */
  readonly member: string;
  readonly region: string;
  refused(): number;
  close(): Promise<void>;
}

export async function simulateAws(resources: number, quotas: QuotaMode = 'off'): Promise<SimulatedAws> {
  const asOf = Date.now();
  const seed = 7;
  const estate = buildAws({ seed, resources, asOf, accounts: 2, regions: 2 });
  const book = openCallBook();
  const kept = openQuotas(quotas);
  const config = awsConfigHandler({ estate, seed, asOf, book, quotas: kept });
  const sts = awsStsHandler({ estate, seed, book });
  const server = await serveHttp(0, (request) => (request.headers['x-amz-target'] === undefined ? sts(request) : config(request)));
  process.env['AWS_ACCESS_KEY_ID'] = accessKeyOf(estate.home.account);
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
  const member = estate.accounts.find((account) => account.id !== estate.home.account)?.id ?? estate.home.account;
  return {
    origin: server.origin,
    estate,
    book,
    member,
    region: estate.home.region,
    refused: () => Object.values(kept.refused()).reduce((sum, one) => sum + one, 0),
    close: () => server.close(),
  };
}

export const silent: CollectProgress = { scope: () => undefined, page: () => undefined, done: () => undefined, note: () => undefined };

/** Seconds become milliseconds: what is tested here is not the waiting. */
export function hurriedPacers(): Pacers {
  return pacers({ now: () => performance.now() * 1000, sleep: (milliseconds, signal) => sleep(milliseconds / 1000, signal) });
}

export const hurried: Partial<Patience> = {
  requestTimeoutMs: 2000,
  connectTimeoutMs: 2000,
  callDeadlineMs: 6000,
  backoffBaseMs: 1,
  backoffCapMs: 4,
};

export function needsOf(types: readonly string[], awsConfigRules: readonly string[] = []): Needs {
  return { types: { aws: types, azure: [], gcp: [] }, iamPolicies: [], orgPolicies: false, awsConfigRules, azurePolicies: [] };
}

export function temporaryDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'exhibit-test-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

type Overrides = Partial<Omit<CollectRequest, 'config'>> & { readonly aws?: CollectRequest['config']['scopes']['aws'] };

/** What it takes to collect one account and region of the simulator. */
export function collectRequestOf(
  aws: Pick<SimulatedAws, 'origin' | 'member' | 'region'>,
  runDirectory: string,
  types: readonly string[],
): CollectRequest {
  return {
    runDirectory,
    runId: 'test',
    asOf: '2026-11-01T00:00:00.000Z',
    config: {
      scopes: { aws: [{ accounts: [aws.member], regions: [aws.region], role: collectorRole }] },
      endpoints: { aws: { config: aws.origin, sts: aws.origin } },
    },
    needs: needsOf(types),
    resume: false,
    signal: new AbortController().signal,
    progress: silent,
    tool: { name: 'exhibit', version: 'test' },
    collectors: [awsConfig],
    patience: hurried,
    pacers: hurriedPacers(),
  };
}

/** Collects that, or what `aws` says, through the real SDK. */
export function collectAws(aws: SimulatedAws, runDirectory: string, needs: Needs, overrides: Overrides = {}): Promise<Ledger> {
  const base = collectRequestOf(aws, runDirectory, []);
  const { aws: scopes, ...rest } = overrides;
  return collect({ ...base, needs, config: scopes === undefined ? base.config : { ...base.config, scopes: { aws: scopes } }, ...rest });
}

export function aggregatorScope(
  aws: SimulatedAws,
  role = `arn:aws:iam::{account}:role/${collectorRole}`,
): NonNullable<Overrides['aws']>[number] {
  return { aggregator: { name: aggregatorName, account: aws.estate.home.account, region: aws.estate.home.region, role } };
}

export function entry(ledger: Ledger, type: string, account?: string, region?: string): LedgerEntry {
  const found = ledger.entries.find(
    (one) => one.type === type && (account === undefined || one.account === account) && (region === undefined || one.region === region),
  );
  if (found === undefined) throw new Error(`no ledger entry for ${type}`);
  return found;
}

/** Uids of all records in the evidence by ledger key, sorted; verdicts with their word. */
export async function recordsOf(runDirectory: string): Promise<Map<string, string[]>> {
  const reader = evidenceReader(runDirectory, shapes);
  const found = new Map<string, string[]>();
  for (const query of reader.queries()) {
    for await (const record of reader.records(query, (defect) => {
      throw new Error(`${defect.file}: ${defect.message}`);
    })) {
      const [scope, type, value] =
        record.record === 'resource'
          ? [record.resource.scope, record.resource.type, record.resource.uid]
          : [record.verdict.scope, `verdict:${record.verdict.rule}`, `${record.verdict.uid} ${record.verdict.verdict}`];
      const key = `${scope.account}/${scope.region} ${type}`;
      found.set(key, [...(found.get(key) ?? []), value]);
    }
  }
  for (const list of found.values()) list.sort();
  return found;
}
