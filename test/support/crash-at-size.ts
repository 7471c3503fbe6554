import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '../../src/model/index.ts';
import { startSimulator } from '../../src/simulator/index.ts';
import { askedAgain, assessRun, begin, chance, type CrashRun, differences, finishedQueries, goOn, leftovers, plannedRun } from './crash.ts';

/** A large estate under its published quotas: collected once undisturbed, and once killed and resumed again and again. */

const providers = ['aws', 'azure', 'gcp'] as const;

interface Collected {
  readonly seconds: number;
  readonly quotaFloorSeconds: number;
}

/** What `exhibit collect --json` says that it took. */
function told(stdout: string): Collected {
  const { seconds, quotaFloorSeconds } = JSON.parse(stdout) as Partial<Collected>;
  if (typeof seconds !== 'number' || typeof quotaFloorSeconds !== 'number') throw new Error('the collection told no times');
  return { seconds, quotaFloorSeconds };
}

/** A ledger without the times at which things were asked and answered. */
function claims(run: CrashRun): string[] {
  const ledger = JSON.parse(readFileSync(join(run.path, 'evidence', 'ledger.json'), 'utf8')) as Ledger;
  return [
    ...ledger.scopes.map(({ provider, collector, account, region, status }) =>
      JSON.stringify([provider, collector, account, region, status]),
    ),
    ...ledger.entries.map(({ provider, collector, account, region, type, status, held, count, queries }) =>
      JSON.stringify([provider, collector, account, region, type, status, held, count, queries]),
    ),
  ];
}

/** How many further calls each part of the run makes before it is killed: seeded fractions of all calls, which leave some for the last part. */
function callsBetween(seed: string, kills: number, calls: number): number[] {
  return Array.from({ length: kills }, (_, at) => Math.round(((0.1 + 0.8 * chance(`${seed} kill ${at + 1}`)) / (kills + 0.5)) * calls));
}

/** Resumes the collection and kills it without warning once it has made so many calls. Says whether it was still running. */
async function killAfter(run: CrashRun, made: () => number, calls: number, delayMs: number): Promise<boolean> {
  const target = made() + calls;
  const { child, finished } = begin(run, 'collect');
  let killed = false;
  const watch = setInterval(() => {
    if (made() < target) return;
    clearInterval(watch);
    setTimeout(() => (killed = child.kill('SIGKILL')), delayMs);
  }, 5);
  const { code, stderr } = await finished;
  clearInterval(watch);
  if (code !== null && code !== 0 && code !== 3) throw new Error(`the collection ended with ${code}: ${stderr.slice(-500)}`);
  return killed && code === null;
}

export interface AtSize {
  /** What is wrong; empty when the promise holds. */
  readonly found: string[];
  /** Kills that struck a run at work. */
  readonly kills: number;
}

export async function killedAtSize(options: {
  readonly resources: number;
  readonly kills: number;
  readonly seed: string;
  readonly say: (line: string) => void;
}): Promise<AtSize> {
  const { resources, seed, say } = options;
  const asOf = new Date().toISOString();
  const work = mkdtempSync(join(tmpdir(), 'exhibit-at-size-'));
  const simulator = await startSimulator({ resources, seed: 1, asOf, quotas: 'published' });
  const found: string[] = [];
  let kills = 0;
  const must = (what: string, finished: { code: number | null; stderr: string }): void => {
    if (finished.code !== 0 && finished.code !== 3)
      throw new Error(`${what} ended with ${String(finished.code)}: ${finished.stderr.slice(-500)}`);
  };
  try {
    const undisturbed = plannedRun(simulator, join(work, 'undisturbed'), asOf, providers);
    const whole = await goOn(undisturbed, 'collect');
    must('the undisturbed collection', whole);
    const { seconds, quotaFloorSeconds } = told(whole.stdout);
    const calls = simulator.calls().length;
    say(
      `undisturbed: ${calls} calls in ${seconds.toFixed(1)} s; at least ${quotaFloorSeconds.toFixed(1)} s by the quotas (×${(seconds / quotaFloorSeconds).toFixed(2)}); ${JSON.stringify(simulator.refused())} refused`,
    );

    const run = plannedRun(simulator, join(work, 'killed'), asOf, providers);
    const made = (): number => simulator.calls().length;
    for (const [at, more] of callsBetween(seed, options.kills, calls).entries()) {
      const finished = finishedQueries(run);
      const began = performance.now();
      const struck = await killAfter(run, made, more, 40 * chance(`${seed} delay ${at + 1}`));
      const again = askedAgain(run, finished);
      if (struck) kills += 1;
      say(
        `  ${struck ? 'killed' : 'ended by itself'} after ${more} calls and ${((performance.now() - began) / 1000).toFixed(1)} s: ${finished.size} queries were finished before, ${finishedQueries(run).size} are now, ${again.length} were asked again`,
      );
      found.push(...again.map((file) => `${file} was asked again`));
    }
    const finished = finishedQueries(run);
    const last = await goOn(run, 'collect');
    must('the resumed collection', last);
    found.push(...askedAgain(run, finished).map((file) => `${file} was asked again`));
    say(`resumed: done after ${told(last.stdout).seconds.toFixed(1)} s; ${simulator.calls().length - calls} calls over all its parts`);

    must('judging the undisturbed run', await assessRun(undisturbed));
    must('judging the resumed run', await assessRun(run));
    const [left, right] = [claims(undisturbed), claims(run)];
    found.push(
      ...differences(undisturbed, run),
      ...left.filter((claim) => !right.includes(claim)).map((claim) => `only the undisturbed ledger says ${claim}`),
      ...right.filter((claim) => !left.includes(claim)).map((claim) => `only the resumed ledger says ${claim}`),
      ...leftovers(run).map((file) => `${file} was left behind`),
    );
    if (kills < options.kills) found.push(`${kills} of ${options.kills} kills struck: the others came too late`);
    return { found, kills };
  } finally {
    await simulator.close();
    rmSync(work, { recursive: true, force: true });
  }
}
