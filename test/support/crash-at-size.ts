import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger } from '../../src/model/index.ts';
import { startSimulator } from '../../src/simulator/index.ts';
import {
  assessRun,
  askedAgain,
  chance,
  type CrashRun,
  differences,
  finishedQueries,
  goOn,
  killIn,
  leftovers,
  plannedRun,
} from './crash.ts';

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

/** Parts of a run after which it is killed, as fractions of its whole length: seeded, in order, none too close to the last. */
export function moments(seed: string, kills: number): number[] {
  return Array.from({ length: kills }, (_, at) => (at + 0.15 + 0.7 * chance(`${seed} kill ${at + 1}`)) / (kills + 0.5));
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
    let before = 0;
    for (const moment of moments(seed, options.kills)) {
      const finished = finishedQueries(run);
      const struck = await killIn(run, 'collect', 'collect', (moment - before) * seconds * 1000);
      const again = askedAgain(run, finished);
      if (struck) kills += 1;
      say(
        `  ${struck ? 'killed' : 'ended by itself'} ${((moment - before) * seconds).toFixed(1)} s into collecting: ${finished.size} queries were finished before, ${finishedQueries(run).size} are now, ${again.length} were asked again`,
      );
      found.push(...again.map((file) => `${file} was asked again`));
      before = moment;
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
