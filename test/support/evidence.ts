import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { PageReader } from '../../src/evidence/reader.ts';
import { evidenceWriter } from '../../src/evidence/writer.ts';
import type { JsonObject, Ledger, LedgerEntry, Provider, ProviderVerdict, Resource, ScopeCoverage } from '../../src/model/index.ts';

export const asOf = '2026-09-30T12:00:00.000Z';

/** A record as the fixture pages hold it. */
export interface FixtureRecord {
  uid: string;
  kind?: Resource['kind'];
  name?: string;
  account?: string;
  region?: string;
  type?: string;
  tags?: Record<string, string>;
  capturedAt?: string | null;
  document: JsonObject;
}

export interface FixtureVerdict {
  uid: string;
  verdict: string;
  resourceType: string;
  deployment?: string;
  evaluatedAt?: string | null;
}

/** One ledger entry with the pages behind it. */
export interface FixtureUnit {
  provider: Provider;
  account: string;
  region: string;
  type: string;
  records?: FixtureRecord[];
  verdicts?: FixtureVerdict[];
  /** Records a page; default all on one. */
  pageSize?: number;
  /** Changes to the truthful entry; null leaves it out. */
  entry?: Partial<LedgerEntry> | null;
  queryStatus?: 'complete' | 'partial' | 'failed' | 'denied';
}

export interface Fixture {
  units: FixtureUnit[];
  /** Default: the scopes of the units, complete. */
  scopes?: Partial<ScopeCoverage>[];
  ledger?: Partial<Ledger>;
}

const shape = 'fixture/records';

const reader: PageReader = function* (page, query, file) {
  const body = page as unknown as { records?: FixtureRecord[]; verdicts?: FixtureVerdict[]; type: string };
  const scope = { provider: query.provider, account: String(query.parameters['account']), region: String(query.parameters['region']) };
  for (const [at, record] of (body.records ?? []).entries()) {
    const type = record.type ?? body.type.replace(/^iam-policy:/, '');
    yield {
      record: 'resource',
      resource: {
        kind: record.kind ?? (body.type.startsWith('iam-policy:') ? 'iam-policy' : 'resource'),
        provider: query.provider,
        type,
        uid: record.uid,
        name: record.name ?? record.uid,
        account: record.account ?? scope.account,
        location: scope.region,
        scope: { ...scope, account: record.account ?? scope.account, region: record.region ?? scope.region },
        tags: record.tags ?? {},
        capturedAt: record.capturedAt === undefined ? '2026-09-30T11:00:00Z' : record.capturedAt,
        document: record.document,
        citation: { file, pointer: `/records/${at}`, encoding: 'json' },
      },
    };
  }
  for (const [at, verdict] of (body.verdicts ?? []).entries()) {
    const made: ProviderVerdict = {
      provider: query.provider,
      rule: body.type.replace(/^verdict:/, ''),
      deployment: verdict.deployment ?? 'rule',
      verdict: verdict.verdict,
      resourceType: verdict.resourceType,
      uid: verdict.uid,
      scope,
      evaluatedAt: verdict.evaluatedAt === undefined ? '2026-09-30T10:00:00Z' : verdict.evaluatedAt,
      citation: { file, pointer: `/verdicts/${at}`, encoding: 'json' },
    };
    yield { record: 'verdict', verdict: made };
  }
};

export const fixtureReaders: Readonly<Record<string, PageReader>> = { [shape]: reader };

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** Writes a run directory through the real evidence writer, and a ledger that tells the truth unless told otherwise. */
export async function fixtureRun(fixture: Fixture): Promise<string> {
  const runDirectory = mkdtempSync(join(tmpdir(), 'exhibit-assess-'));
  made.push(runDirectory);
  const writer = evidenceWriter(runDirectory, { resume: false, now: () => asOf });
  const entries: LedgerEntry[] = [];
  const scopes = new Map<string, ScopeCoverage>();
  for (const [nth, unit] of fixture.units.entries()) {
    const collector = `${unit.provider}-fixture`;
    const { provider, account, region, type } = unit;
    const items = [
      ...(unit.records ?? []).map((record) => ({ records: [record] })),
      ...(unit.verdicts ?? []).map((verdict) => ({ verdicts: [verdict] })),
    ];
    const query = await writer.open({
      collector,
      scope: `${account}_${region}`,
      name: `${type}.${nth}`,
      provider,
      operation: 'List',
      shape,
      text: null,
      parameters: { account, region },
      endpoint: 'https://fixture.invalid',
      identity: 'auditor',
      types: [type],
    });
    const size = unit.pageSize ?? Math.max(1, items.length);
    for (let at = 0; at < Math.max(1, items.length); at += size) {
      const page = items.slice(at, at + size);
      const body = {
        type,
        records: page.flatMap((item) => ('records' in item ? item.records : [])),
        verdicts: page.flatMap((item) => ('verdicts' in item ? item.verdicts : [])),
      };
      await query.page({
        body: JSON.stringify(body),
        items: page.length,
        requestId: `r${at}`,
        httpStatus: 200,
        attempts: 1,
        nextToken: at + size < items.length ? 'next' : null,
      });
    }
    await query.finish(unit.queryStatus ?? 'complete');
    const held = new Set((unit.records ?? []).map((record) => record.uid)).size + (unit.verdicts ?? []).length;
    const truthful: LedgerEntry = {
      collector,
      provider,
      account,
      region,
      type,
      status: 'complete',
      held,
      count: { count: held, source: 'provider count' },
      freshness: { oldest: null, newest: null },
      reasons: [],
      queries: [query.directory],
    };
    if (unit.entry !== null) entries.push({ ...truthful, ...unit.entry });
    const key = `${provider}/${account}/${region}`;
    scopes.set(key, {
      collector,
      provider,
      account,
      region,
      name: null,
      knownFrom: ['configured'],
      status: 'complete',
      identity: 'auditor',
      reasons: [],
    });
  }
  const listed = fixture.scopes?.map((scope): ScopeCoverage => ({
    collector: `${scope.provider ?? 'aws'}-fixture`,
    provider: 'aws',
    account: '',
    region: '*',
    name: null,
    knownFrom: ['configured'],
    status: 'complete',
    identity: null,
    reasons: [],
    ...scope,
  }));
  await writer.writeLedger({
    version: 1,
    runId: 'fixture.v1',
    asOf,
    startedAt: asOf,
    endedAt: asOf,
    tool: { name: 'exhibit', version: '0.0.0' },
    scopes: listed ?? [...scopes.values()],
    entries,
    ...fixture.ledger,
  } as Ledger);
  return runDirectory;
}

/** Changes a stored JSON file in place, as a fault or a forger would. */
export function tamper(runDirectory: string, file: string, change: (text: string) => string): void {
  const path = join(runDirectory, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}
