import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maxEmptyPages as emptyPagesOfConfig } from '../../src/collectors/aws-config/paging.ts';
import { collect } from '../../src/collectors/collect.ts';
import { maxEmptyPages as emptyPagesOfSeries } from '../../src/collectors/paging.ts';
import type { Patience } from '../../src/collectors/rate.ts';
import { pageReaders } from '../../src/collectors/registry.ts';
import { configSchema, type ExhibitConfig } from '../../src/config/schema.ts';
import { assess } from '../../src/controls/assess/assess.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { needsOf } from '../../src/controls/assess/needs.ts';
import { selectControls } from '../../src/controls/catalogue/select.ts';
import type { Catalogue } from '../../src/controls/types.ts';
import type { Assessment, Ledger, LedgerEntry, Observation, Provider, Reason, Status } from '../../src/model/index.ts';
import {
  type Fault,
  type FaultKind,
  faultsFor,
  type SimulatedCall,
  type Simulator,
  startSimulator,
  wholeRunFaults,
} from '../../src/simulator/index.ts';
import { standingFaults } from '../../src/simulator/faults.ts';
import { hurriedPacers, silent } from './aws.ts';
import { root } from './cases.ts';

/**
 * Every fault at every call: the whole catalogue over a small estate, collected by the real clients and judged, once without
 * a fault and then once for each fault, and what the two results may differ in.
 */

export const estateNames = ['aws', 'aws-aggregator', 'azure', 'gcp'] as const;
export type EstateName = (typeof estateNames)[number];

const asOf = new Date().toISOString();
const seed = 7;
/** Enough that every control of the provider has something to judge. */
const resources: Readonly<Record<EstateName, number>> = { aws: 120, 'aws-aggregator': 120, azure: 240, gcp: 120 };
const limits = { awsRegions: 1, azureSubscriptions: 2, gcpProjects: 2 };

/** Waiting is not what is tested: a hang is cut after a third of a second, everything else answers at once or not at all. */
function patienceFor(kind: FaultKind | null): Partial<Patience> {
  const swift = kind === 'hang';
  return {
    requestTimeoutMs: swift ? 400 : 8_000,
    connectTimeoutMs: 4_000,
    callDeadlineMs: swift ? 1_600 : 8_000,
    maxAttempts: 3,
    backoffBaseMs: 1,
    backoffCapMs: 4,
    requeries: 2,
  };
}

/** What one run came to, as far as runs are compared. */
export interface Outcome {
  readonly ledger: Ledger;
  readonly assessment: Assessment;
  readonly observations: ReadonlyMap<string, Pick<Observation, 'control' | 'check' | 'status' | 'reason' | 'subject' | 'leaves'>>;
  readonly calls: readonly SimulatedCall[];
  readonly milliseconds: number;
}

export interface Case {
  readonly estate: EstateName;
  readonly fault: Fault;
  /** Strikes every time the call is made, or once. */
  readonly lasting: boolean;
  /** The call that it strikes; null for a fault behind all of them. */
  readonly call: string | null;
  readonly name: string;
}

export interface Verdict {
  readonly case: Case;
  readonly healed: boolean;
  readonly struck: number;
  readonly falsePasses: readonly string[];
  readonly disappearances: readonly string[];
  readonly unnamed: readonly string[];
  readonly unbounded: readonly string[];
  /** Things that no run may do: throw. */
  readonly broken: readonly string[];
  /** How often the call that was made most often was made. */
  readonly most: number;
  readonly milliseconds: number;
}

export interface Sweep {
  readonly estate: EstateName;
  readonly clean: Outcome;
  readonly cases: readonly Case[];
  run(one: Case): Promise<Verdict>;
  close(): Promise<void>;
}

function providerOf(estate: EstateName): Provider {
  return estate === 'azure' ? 'azure' : estate === 'gcp' ? 'gcp' : 'aws';
}

/** Memory where there is some: a sweep writes a thousand small runs. */
function scratch(): string {
  try {
    if (statSync('/dev/shm').isDirectory()) return mkdtempSync('/dev/shm/exhibit-sweep-');
  } catch {
    // not everywhere
  }
  return mkdtempSync(join(tmpdir(), 'exhibit-sweep-'));
}

let loaded: Promise<Catalogue> | undefined;

async function runOnce(simulator: Simulator, config: ExhibitConfig, catalogue: Catalogue, kind: FaultKind | null): Promise<Outcome> {
  const directory = scratch();
  const before = simulator.calls().length;
  const started = performance.now();
  try {
    const ledger = await collect({
      runDirectory: directory,
      runId: 'sweep.v1',
      asOf,
      config,
      needs: needsOf(catalogue),
      resume: false,
      signal: new AbortController().signal,
      progress: silent,
      tool: { name: 'exhibit', version: 'sweep' },
      patience: patienceFor(kind),
      pacers: hurriedPacers(),
    });
    const assessment = await assess({ runDirectory: directory, catalogue, config, readers: pageReaders() });
    const needed = assessment.shortfalls?.find(({ judgedBy, lookedUpBy }) => judgedBy.length + lookedUpBy.length > 0);
    if (assessment.evidenceComplete && needed)
      throw new Error(`${needed.type} is not whole and needed, and the evidence counts as complete`);
    const lines = readFileSync(join(directory, 'results', 'observations.ndjson'), 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const observations = new Map(
      lines.map((line) => {
        const { id, control, check, status, reason, subject, leaves } = JSON.parse(line) as Observation;
        return [id, { control, check, status, reason, subject, leaves }];
      }),
    );
    return { ledger, assessment, observations, calls: simulator.calls().slice(before), milliseconds: performance.now() - started };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const entryKey = (entry: Pick<LedgerEntry, 'collector' | 'account' | 'region' | 'type'>): string =>
  `${entry.collector} ${entry.account}/${entry.region} ${entry.type}`;

/** Everything that a fault may change without being an effect: reasons of what was healed, times. */
function signature({ ledger, assessment, observations }: Outcome): string {
  return JSON.stringify([
    // Of what nobody counts, only what the observations say of it can be compared.
    ledger.entries.map((entry) => [entryKey(entry), entry.status, ...(entry.count === null ? [] : [entry.held, entry.count.count])]),
    ledger.scopes.map((scope) => [scope.collector, scope.account, scope.region, scope.status]),
    [...observations].map(([id, { status }]) => [id, status]).sort(),
    assessment.findings.map((finding) => [finding.control.id, finding.status]),
    assessment.evidenceComplete,
  ]);
}

const transportCodes: readonly string[] = ['connection', 'timeout', 'malformed-response', 'server-error'];
const pagingCodes: readonly string[] = [
  'repeated-row',
  'repeated-rows',
  'repeated-token',
  'rows-lost',
  'rows-changed',
  'count-mismatch',
  'count-changed',
  'empty-pages',
  'endless-pages',
  'unlisted-source',
  'rule-status-unknown',
  'malformed-response',
];

/** By which codes a ledger may name a fault. */
const causes: Readonly<Record<FaultKind, readonly string[]>> = {
  'access-denied': ['access-denied', 'not-enabled'],
  'expired-credentials': ['expired-credentials'],
  throttle: ['throttled'],
  'throttle-without-hint': ['throttled'],
  'http-500': ['server-error'],
  'http-503': ['server-error'],
  reset: ['connection', 'server-error'],
  hang: ['timeout'],
  'truncated-body': [...transportCodes, 'role-not-assumed'],
  'malformed-json': ['malformed-response', 'server-error', 'role-not-assumed'],
  'wrong-content-type': ['malformed-response', 'server-error', 'role-not-assumed'],
  'empty-page-with-token': pagingCodes,
  'repeated-token': pagingCodes,
  // An answer to a question of how many that holds nothing is a count that is missing.
  'lost-page': [...pagingCodes, 'count-missing'],
  'duplicated-page': pagingCodes,
  'reordered-rows': pagingCodes,
  'result-truncated': ['result-truncated', 'rows-lost', 'count-mismatch'],
  'subscription-limit-header': ['subscription-limit'],
  'unknown-enum-and-fields': ['malformed-response', 'malformed-record', 'unreadable-rows', 'count-mismatch'],
  'dropped-subscription': ['not-visible', 'access-denied'],
  'recorder-stopped': ['recorder-stopped'],
  'type-not-recorded': ['type-not-recorded'],
  'daily-stale': ['daily-recording-late', 'stale', 'recorded-daily'],
  'aggregator-source-failed': ['aggregator-source-failed', 'organisation-source-failed', 'stale'],
  'insufficient-data': ['insufficient-data', 'rule-never-evaluated', 'rule-evaluation-failed'],
  'policy-never-evaluated': ['policy-never-evaluated', 'policy-without-state'],
  'asset-type-not-enabled': ['asset-type-unsupported', 'not-enabled', 'invalid-request'],
  'clock-skew': ['clock-skew', 'read-time-changed'],
  'short-pages': [],
};

/** Starts a simulator of its own for one estate, runs it clean, and lays out every case. Throws when the clean run is not whole. */
export async function openSweep(estate: EstateName): Promise<Sweep> {
  const provider = providerOf(estate);
  const simulator = await startSimulator({
    resources: resources[estate],
    seed,
    asOf,
    quotas: 'off',
    limits: { ...limits, awsAccounts: estate === 'aws' ? 1 : 2 },
    awsThrough: estate === 'aws-aggregator' ? 'aggregator' : 'accounts',
  });
  for (const [name, value] of Object.entries(simulator.credentials)) process.env[name] = value;
  const whole = configSchema.parse(simulator.config);
  const config: ExhibitConfig = { ...whole, scopes: { [provider]: whole.scopes[provider] } };
  const catalogue = selectControls(await (loaded ??= loadCatalogue(join(root, 'controls.yaml'))), config);
  const own = { ...catalogue, controls: catalogue.controls.filter(({ control }) => control.provider === provider) };
  // A small estate with many pages.
  const shortPages: Fault = { provider, kind: 'short-pages' };

  simulator.inject(shortPages);
  const clean = await runOnce(simulator, config, own, null);
  const cleanSignature = signature(clean);
  if (!clean.assessment.evidenceComplete)
    throw new Error(
      `${estate}: the run without a fault is not whole: ${JSON.stringify(clean.ledger.entries.find((entry) => entry.status !== 'complete') ?? clean.ledger.scopes)}`,
    );

  const calls = new Map(clean.calls.map((call) => [call.key, call]));
  // What an account is asked itself is asked alike in the estate without an aggregator, and swept there.
  const swept = [...calls.values()].filter(
    ({ scope, operation }) => estate !== 'aws-aggregator' || scope === 'aggregator' || operation.includes('Aggregat'),
  );
  const atCalls = swept.flatMap((call) =>
    faultsFor(call).flatMap((kind) =>
      [false, true].map((lasting): Case => ({
        estate,
        lasting,
        call: call.key,
        name: `${call.key}: ${kind}${lasting ? ', always' : ', once'}`,
        fault: { provider, kind, key: call.key, times: lasting ? 1_000_000 : 1 },
      })),
    ),
  );
  const behindAll = wholeRunFaults(simulator.estate)
    .filter(
      (fault) =>
        fault.provider === provider &&
        fault.kind !== 'short-pages' &&
        (fault.kind !== 'aggregator-source-failed' || estate === 'aws-aggregator'),
    )
    .map((fault): Case => ({
      estate,
      lasting: true,
      call: null,
      name: `${estate}: ${fault.kind} ${JSON.stringify(fault.match ?? {})}`,
      fault,
    }));

  return {
    estate,
    clean,
    cases: [...atCalls, ...behindAll],
    async run(one) {
      simulator.clearFaults();
      simulator.inject(shortPages);
      simulator.inject(one.fault);
      const struckBefore = simulator.struck().length;
      const started = performance.now();
      let outcome: Outcome;
      try {
        outcome = await runOnce(simulator, config, own, one.fault.kind);
      } catch (error) {
        return {
          case: one,
          healed: false,
          struck: 0,
          falsePasses: [],
          disappearances: [],
          unnamed: [],
          unbounded: [],
          broken: [`the run threw: ${(error as Error).stack ?? String(error)}`],
          most: 0,
          milliseconds: performance.now() - started,
        };
      }
      const struck = simulator
        .struck()
        .slice(struckBefore)
        .filter(({ fault }) => fault === one.fault).length;
      const healed = signature(outcome) === cleanSignature;
      return {
        case: one,
        healed,
        struck,
        broken: [],
        falsePasses: falsePasses(clean, outcome),
        disappearances: disappearances(clean, outcome),
        unnamed: healed ? [] : unnamed(one, clean, outcome),
        unbounded: unbounded(one, clean, outcome),
        most: Math.max(0, ...tally(outcome.calls).values()),
        milliseconds: performance.now() - started,
      };
    },
    close: () => simulator.close(),
  };
}

/** What turned green: an observation or a control that passes, or does not apply, and was not so in the clean run. */
function falsePasses(clean: Outcome, faulty: Outcome): string[] {
  const found: string[] = [];
  // Where the place of a resource cannot be told, its observation is another one: of the same control and resource.
  const elsewhere = new Map<string, Set<Status>>();
  for (const { control, check, status, subject } of clean.observations.values()) {
    const key = `${control} ${check} ${subject.uid}`;
    elsewhere.set(key, (elsewhere.get(key) ?? new Set()).add(status));
  }
  for (const [id, { control, check, status, subject }] of faulty.observations) {
    const before = clean.observations.get(id);
    const other = elsewhere.get(`${control} ${check} ${subject.uid}`);
    if (before === undefined && other?.size === 1 && other.has(status)) continue;
    if ((status === 'pass' || status === 'notapplicable') && before?.status !== status && before?.status !== 'pass')
      found.push(`${control}: ${subject.uid} was ${before?.status ?? 'absent'}, is ${status}`);
  }
  for (const [at, { control, status }] of faulty.assessment.findings.entries()) {
    const before = clean.assessment.findings[at]?.status;
    if ((status === 'pass' || status === 'notapplicable') && before !== status)
      found.push(`control ${control.id} was ${before ?? 'absent'}, is ${status}`);
  }
  return found;
}

/** Accounts that stand above others: where the list of those inside cannot be had, the one above must say so. */
const isContainer = (account: string): boolean =>
  /^(?:tenants|organizations|folders|managementGroups|management-groups|aggregator)\b|aggregator|^organization/i.test(account);

function disappearances(clean: Outcome, faulty: Outcome): string[] {
  const found: string[] = [];
  const controls = new Set(faulty.assessment.findings.map(({ control }) => control.id));
  for (const { control } of clean.assessment.findings) if (!controls.has(control.id)) found.push(`control ${control.id}`);
  const spokenFor = faulty.ledger.scopes.some((scope) => isContainer(scope.account) && scope.status !== 'complete');
  const scopes = new Set(faulty.ledger.scopes.map((scope) => `${scope.collector} ${scope.account}/${scope.region}`));
  const missing = new Set(
    clean.ledger.scopes.filter((scope) => !scopes.has(`${scope.collector} ${scope.account}/${scope.region}`)).map((scope) => scope.account),
  );
  if (!spokenFor) for (const account of missing) found.push(`scope ${account}`);
  const entries = new Set(faulty.ledger.entries.map(entryKey));
  for (const entry of clean.ledger.entries) {
    if (!entries.has(entryKey(entry)) && !(spokenFor && missing.has(entry.account))) found.push(`ledger entry ${entryKey(entry)}`);
  }
  const rowKey = (row: Assessment['reconciliation'][number]): string =>
    `${row.control} ${row.check} ${row.scope.account}/${row.scope.region} ${row.type}`;
  const rows = new Set(faulty.assessment.reconciliation.map(rowKey));
  for (const row of clean.assessment.reconciliation)
    if (!rows.has(rowKey(row)) && !(spokenFor && missing.has(row.scope.account))) found.push(`reconciliation row ${rowKey(row)}`);
  return found;
}

function reasonsOf(ledger: Ledger): Reason[] {
  return [...ledger.entries, ...ledger.scopes].flatMap(({ reasons }) => reasons);
}

/** A run that a fault has touched says so: the evidence is not complete, and ledger and results name the cause. */
function unnamed(one: Case, clean: Outcome, faulty: Outcome): string[] {
  const { kind } = one.fault;
  // A fault behind the provider that shows in one answer only looks like answers that do not agree.
  const codes =
    one.call === null || !(standingFaults as readonly FaultKind[]).includes(one.fault.kind)
      ? causes[kind]
      : [...causes[kind], ...pagingCodes];
  const { assessment, ledger } = faulty;
  const changed = [...faulty.observations].filter(([id, { status }]) => clean.observations.get(id)?.status !== status);
  const lost = [...clean.observations.keys()].filter((id) => !faulty.observations.has(id)).length;
  // A value that no control knows: the evidence is whole, and what it says is not understood.
  if (kind === 'unknown-enum-and-fields' && assessment.evidenceComplete && lost === 0) {
    return changed
      .filter(([, one]) => !/future/i.test(JSON.stringify(one)))
      .map(([, one]) => `${one.control}: ${one.subject.uid} is ${one.status} and does not show the value: ${one.reason}`);
  }
  const found: string[] = [];
  if (assessment.evidenceComplete)
    found.push(`the evidence counts as complete, with ${changed.length} observations changed and ${lost} lost`);
  const told = reasonsOf(ledger);
  if (!told.some(({ code }) => codes.includes(code)))
    found.push(
      `the ledger names none of ${codes.join(', ')}; it names ${[...new Set(told.map(({ code }) => code))].join(', ') || 'nothing'}`,
    );
  const { findings, reconciliation, shortfalls = [], scopes, queries } = assessment;
  const results = [...findings, ...reconciliation, ...shortfalls, ...scopes, ...queries].flatMap(({ reasons }) => reasons);
  if (!results.some(({ code }) => codes.includes(code)))
    found.push(
      `the results name none of ${codes.join(', ')}; they name ${[...new Set(results.map(({ code }) => code))].join(', ') || 'nothing'}`,
    );
  return found;
}

function tally(calls: readonly SimulatedCall[]): Map<string, number> {
  const often = new Map<string, number>();
  for (const { key } of calls) often.set(key, (often.get(key) ?? 0) + 1);
  return often;
}

/**
 * How often a call may be made for each time that the undisturbed run makes it. Either its attempts are used up, which ends the
 * listing; or it is answered, and the listing is asked again from the start: for its own pages' sake, and each time again for that of
 * a count. Pages that bring nothing new are borne a number of times in a row.
 */
function allowance({ estate, fault }: Case): number {
  const { maxAttempts = 1, requeries = 0 } = patienceFor(fault.kind);
  const askings = 1 + requeries;
  const barren = fault.kind === 'empty-page-with-token' || fault.kind === 'duplicated-page';
  // Config's listings begin again for such pages each time; others for what contradicts itself, which shows at the second of them.
  const borne = providerOf(estate) === 'aws' ? askings * emptyPagesOfConfig : requeries * 2 + emptyPagesOfSeries + 2;
  return Math.max(maxAttempts, askings * askings, barren ? borne : 0);
}

/** No call is made more often than attempts and repetitions allow, and no run takes long. */
function unbounded(one: Case, clean: Outcome, faulty: Outcome): string[] {
  const found: string[] = [];
  const often = tally(faulty.calls);
  const before = tally(clean.calls);
  for (const [key, times] of often) {
    const most = (before.get(key) ?? 1) * allowance(one);
    if (times > most) found.push(`${key} was made ${times} times, ${most} are allowed`);
  }
  if (faulty.milliseconds > 60_000) found.push(`the run took ${Math.round(faulty.milliseconds / 1000)} s`);
  return found;
}

export function isSound(verdict: Verdict): boolean {
  return [verdict.falsePasses, verdict.disappearances, verdict.unnamed, verdict.unbounded, verdict.broken].every(
    (list) => list.length === 0,
  );
}

export function describeVerdict(verdict: Verdict): string {
  const parts = (['broken', 'falsePasses', 'disappearances', 'unnamed', 'unbounded'] as const).flatMap((kind) =>
    verdict[kind]
      .slice(0, 4)
      .map((line) => `    ${kind}: ${line}`)
      .concat(verdict[kind].length > 4 ? [`    … and ${verdict[kind].length - 4} more`] : []),
  );
  return [
    `${verdict.case.estate} · ${verdict.case.name} (struck ${verdict.struck}×${verdict.healed ? ', healed' : ''}, ${Math.round(verdict.milliseconds)} ms)`,
    ...parts,
  ].join('\n');
}
