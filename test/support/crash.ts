import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Assessment, Query } from '../../src/model/index.ts';
import { type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { exhibit, type Finished, startExhibit } from './command.ts';

/** Runs of the command line that are killed and resumed, and what must be the same afterwards. */

export interface CrashRun {
  readonly path: string;
  readonly config: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The provider decides how long a run takes: Resource Graph lets 15 queries through in five seconds. */
type Providers = readonly ('aws' | 'azure' | 'gcp')[];

/** A run that has not begun, at an instant of our choosing: two of them must come to the same results. */
export function plannedRun(simulator: Simulator, directory: string, asOf: string, providers: Providers): CrashRun {
  const { engagement, scopes } = simulator.config;
  const runId = `${engagement.id}.v1`;
  const path = join(directory, 'out', runId);
  const config = join(directory, 'exhibit.yaml');
  mkdirSync(path, { recursive: true });
  // JSON is YAML.
  const own = {
    ...simulator.config,
    scopes: Object.fromEntries(Object.entries(scopes).filter(([provider]) => (providers as readonly string[]).includes(provider))),
    output: { directory: 'out' },
  };
  writeFileSync(config, JSON.stringify(own));
  writeFileSync(join(path, 'run.json'), JSON.stringify({ version: 1, runId, asOf, createdAt: asOf, config, done: [] }));
  return { path, config, env: { ...simulator.credentials, NO_PROXY: '127.0.0.1,localhost' } };
}

export const stageNames = ['collect', 'assess', 'render', 'seal'] as const;
export type StageName = (typeof stageNames)[number];

/** `run`: the whole line. `collect`: its first stage, in a fraction of the time. */
type Verb = 'run' | 'collect';
const commandOf = (run: CrashRun, verb: Verb): string[] => [verb, '--resume', '--config', run.config, '--json'];

export function goOn(run: CrashRun, verb: Verb = 'run'): Promise<Finished> {
  return exhibit(commandOf(run, verb), { env: run.env });
}

/** Starts or resumes it, without waiting. */
export function begin(run: CrashRun, verb: Verb): ReturnType<typeof startExhibit> {
  const started = startExhibit(commandOf(run, verb), { env: run.env });
  started.child.stdin?.end();
  return started;
}

export function assessRun(run: CrashRun): Promise<Finished> {
  return exhibit(['assess', run.path, '--json'], { env: run.env });
}

/** Milliseconds of each stage of a run to its end, by its own account. */
export function stageTimes(finished: Finished): Record<StageName, number> {
  const { stages } = JSON.parse(finished.stdout) as { stages: { stage: StageName; seconds: number }[] };
  return Object.fromEntries(stages.map(({ stage, seconds }) => [stage, seconds * 1000])) as Record<StageName, number>;
}

/** Starts or resumes the run and kills it without warning, `delayMs` into a stage. Says whether it was still running. */
export async function killIn(run: CrashRun, verb: Verb, stage: StageName, delayMs: number): Promise<boolean> {
  const { child, finished } = begin(run, verb);
  let said = '';
  let timer: NodeJS.Timeout | undefined;
  let killed = false;
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
    if (timer !== undefined || !new RegExp(`^${stage}$`, 'm').test(said)) return;
    timer = setTimeout(() => {
      killed = child.kill('SIGKILL');
    }, delayMs);
  });
  const { code, stderr } = await finished;
  clearTimeout(timer);
  if (code !== null && code !== 0 && code !== 3) throw new Error(`the run ended with ${code}: ${stderr}`);
  return killed && code === null;
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** The queries that are finished at this moment, as they are on disk: none of them may be asked again. */
export function finishedQueries(run: CrashRun): Map<string, string> {
  const evidence = join(run.path, 'evidence');
  const finished = new Map<string, string>();
  for (const file of filesBelow(evidence)) {
    if (!file.endsWith('query.json')) continue;
    const text = readFileSync(join(evidence, file), 'utf8');
    if ((JSON.parse(text) as Query).status === 'complete') finished.set(file, text);
  }
  return finished;
}

export function askedAgain(run: CrashRun, before: ReadonlyMap<string, string>): string[] {
  return [...before]
    .filter(
      ([file, text]) => !existsSync(join(run.path, 'evidence', file)) || readFileSync(join(run.path, 'evidence', file), 'utf8') !== text,
    )
    .map(([file]) => file);
}

/** When a query was asked is its own; what was answered, and everything that follows from it, is not. */
const ownTimes = new Set(['startedAt', 'endedAt', 'evidenceDigest']);

function comparable(run: CrashRun, file: string): string {
  const text = readFileSync(join(run.path, file), 'latin1');
  if (file === 'results/assessment.json')
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => {
      if (ownTimes.has(key)) return undefined;
      if (key === 'queries' && Array.isArray(value)) return (value as Record<string, unknown>[]).map((query) => ({ ...query, sha256: '' }));
      return value;
    });
  if (file !== 'results/oscal-assessment-results.json') return text;
  const { collected, evidenceDigest } = JSON.parse(readFileSync(join(run.path, 'results/assessment.json'), 'utf8')) as Assessment;
  // Its own ids are made of all that the assessment says.
  return [collected.startedAt, collected.endedAt ?? '-', evidenceDigest]
    .reduce((told, own) => told.replaceAll(own, ''), text)
    .replace(/("assessment-results":\{|"results":\[\{)"uuid":"[^"]*"/g, '$1');
}

/** Files of two runs of one instant that ought to be the same and are not: every page of evidence, every result. */
export function differences(a: CrashRun, b: CrashRun): string[] {
  const wanted = (run: CrashRun): string[] =>
    [
      ...filesBelow(join(run.path, 'evidence')).map((file) => `evidence/${file}`),
      ...filesBelow(join(run.path, 'results')).map((file) => `results/${file}`),
      // The workbook is made of the tables that CSV files hold, and of the times of the run.
    ].filter((file) => !/query\.json$|ledger\.json$|results\/rendering\.json$|results\/results\.xlsx$/.test(file));
  const [left, right] = [wanted(a), wanted(b)];
  const found = [
    ...left.filter((file) => !right.includes(file)).map((file) => `only in one: ${file}`),
    ...right.filter((file) => !left.includes(file)).map((file) => `only in the other: ${file}`),
  ];
  for (const file of left) {
    if (right.includes(file) && comparable(a, file) !== comparable(b, file)) found.push(`differs: ${file}`);
  }
  return found;
}

/** A repeatable number from 0 to 1. */
export function chance(seed: string): number {
  return createHash('sha256').update(seed).digest().readUInt32BE(0) / 2 ** 32;
}

/** The small estate of the kill tests: Google Cloud answers in the fewest calls. */
export async function crashEstate(asOf: string): Promise<Simulator> {
  return startSimulator({
    resources: 60,
    seed: 7,
    asOf,
    quotas: 'off',
    limits: { awsAccounts: 1, awsRegions: 1, azureSubscriptions: 1, gcpProjects: 2 },
  });
}

/** What a finished run leaves that is no part of it: locks, files half written. */
export function leftovers(run: CrashRun): string[] {
  return filesBelow(run.path).filter((file) => /\.tmp(\/|$)|\.lock$|results\.old|\.part$/.test(file));
}
