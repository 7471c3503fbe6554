/**
 * `npm run sweep`: every fault at every call of a small estate, every damage to what each control reads, and kills at random moments.
 * `--only faults|damage|crash` does one of the three; faults can be narrowed further:
 *   npm run sweep -- --only faults --estate gcp --sample 100 --seed today --match 'ListAssets.*hang'
 * `--kills-at 100000` does another thing: collects an estate of that size under its published quotas, kills that five times
 * (`--kills`), resumes it, and compares it with a collection that nobody disturbed.
 */
import { fork, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exhibit } from '../test/support/command.ts';
import {
  askedAgain,
  chance,
  crashEstate,
  differences,
  finishedQueries,
  goOn,
  killIn,
  leftovers,
  plannedRun,
  stageNames,
  stageTimes,
} from '../test/support/crash.ts';
import { killedAtSize } from '../test/support/crash-at-size.ts';
import { sampled } from '../test/support/damage.ts';
import { describeVerdict, type EstateName, estateNames, isSound, openSweep, type Verdict } from '../test/support/fault-sweep.ts';

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    estate: { type: 'string', multiple: true },
    sample: { type: 'string' },
    seed: { type: 'string', default: 'sweep' },
    match: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism() + 1) },
    worker: { type: 'string' },
    kills: { type: 'string' },
    'kills-at': { type: 'string' },
  },
});
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const estates = estateNames.filter((name) => values.estate === undefined || values.estate.includes(name));

/** What a worker tells: how many cases there are, then each verdict. */
type Message = { readonly cases: number; readonly calls: number } | { readonly verdict: Verdict };

async function work(share: string): Promise<void> {
  const [own = 0, all = 1] = share.split('/').map(Number);
  const [estate] = estates as [EstateName];
  const sweep = await openSweep(estate);
  const matching =
    values.match === undefined ? [...sweep.cases] : sweep.cases.filter(({ name }) => new RegExp(values.match ?? '').test(name));
  const chosen = values.sample === undefined ? matching : sampled(matching, Number(values.sample), values.seed);
  const tell = (message: Message): Promise<void> =>
    new Promise((told) => {
      process.send?.(message, () => {
        told();
      });
    });
  await tell({ cases: chosen.length, calls: new Set(sweep.clean.calls.map(({ key }) => key)).size });
  for (let at = own; at < chosen.length; at += all) await tell({ verdict: await sweep.run(chosen[at] as (typeof chosen)[number]) });
  await sweep.close();
}

interface FaultTotals {
  estate: EstateName;
  calls: number;
  cases: number;
  verdicts: Verdict[];
  seconds: number;
}

async function faultsOf(estate: EstateName): Promise<FaultTotals> {
  const totals: FaultTotals = { estate, calls: 0, cases: 0, verdicts: [], seconds: 0 };
  const started = performance.now();
  const workers = Number(values.workers);
  const passed = [
    '--estate',
    estate,
    '--seed',
    values.seed,
    ...(values.sample === undefined ? [] : ['--sample', values.sample]),
    ...(values.match === undefined ? [] : ['--match', values.match]),
  ];
  await Promise.all(
    Array.from(
      { length: workers },
      (_, at) =>
        new Promise<void>((done, failed) => {
          const child = fork(import.meta.filename, [...passed, '--worker', `${at}/${workers}`], {
            stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
          });
          child.on('message', (message: Message) => {
            if ('cases' in message) {
              Object.assign(totals, message);
              return;
            }
            totals.verdicts.push(message.verdict);
            if (!isSound(message.verdict)) say(describeVerdict(message.verdict));
            if (totals.verdicts.length % 250 === 0) say(`  ${estate}: ${totals.verdicts.length} of ${totals.cases}`);
          });
          child.on('exit', (code) => {
            if (code === 0) done();
            else failed(new Error(`a worker of ${estate} ended with ${code}`));
          });
        }),
    ),
  );
  totals.seconds = Math.round((performance.now() - started) / 1000);
  return totals;
}

async function sweepFaults(): Promise<boolean> {
  const totals: FaultTotals[] = [];
  for (const estate of estates) totals.push(await faultsOf(estate));
  const sum = (of: readonly Verdict[], pick: (verdict: Verdict) => number): number =>
    of.reduce((total, verdict) => total + pick(verdict), 0);
  const header = [
    'estate',
    'calls',
    'pairs',
    'struck',
    'healed',
    'false passes',
    'disappearances',
    'unnamed',
    'unbounded',
    'broken',
    'most calls',
    'longest ms',
    'seconds',
  ];
  const rows = totals.map(({ estate, calls, verdicts, seconds }) => [
    estate,
    calls,
    verdicts.length,
    verdicts.filter(({ struck }) => struck > 0).length,
    verdicts.filter(({ healed }) => healed).length,
    sum(verdicts, (one) => one.falsePasses.length),
    sum(verdicts, (one) => one.disappearances.length),
    sum(verdicts, (one) => one.unnamed.length),
    sum(verdicts, (one) => one.unbounded.length),
    sum(verdicts, (one) => one.broken.length),
    Math.max(0, ...verdicts.map(({ most }) => most)),
    Math.round(Math.max(0, ...verdicts.map(({ milliseconds }) => milliseconds))),
    seconds,
  ]);
  say('');
  for (const row of [header, ...rows])
    say(
      row
        .map((cell, at) =>
          String(cell)
            .padStart(at === 0 ? 0 : 10)
            .padEnd(at === 0 ? 16 : 0),
        )
        .join('  '),
    );
  mkdirSync(join(root, '.tmp'), { recursive: true });
  writeFileSync(join(root, '.tmp', 'sweep.json'), `${JSON.stringify(totals, null, 1)}\n`);
  return totals.every(({ verdicts, cases }) => verdicts.length === cases && verdicts.every(isSound));
}

/** Every damage to what each control reads, on all its documents: the same tests as in `npm test`, without the sampling. */
function sweepDamage(): boolean {
  const done = spawnSync(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/controls/cases.test.ts', '--reporter=dot', '--disable-console-intercept'],
    {
      cwd: root,
      env: { ...process.env, SWEEP: 'full' },
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  const figures = /damaged evidence: .*/.exec(done.stdout)?.[0];
  if (done.status !== 0) say(`${done.stdout.slice(-6000)}${done.stderr.slice(-2000)}`);
  say(figures ?? 'damaged evidence: no figures');
  return done.status === 0 && figures !== undefined;
}

/** Kills the whole line at random moments of each stage, resumes it, and compares with a run that nobody disturbed. */
async function sweepKills(): Promise<boolean> {
  const asOf = new Date().toISOString();
  const work = mkdtempSync(join(tmpdir(), 'exhibit-kills-'));
  const simulator = await crashEstate(asOf);
  const found: string[] = [];
  const kills: Record<string, number> = {};
  try {
    const undisturbed = plannedRun(simulator, join(work, 'undisturbed'), asOf, ['aws', 'gcp']);
    const times = stageTimes(await goOn(undisturbed));
    const rounds = Math.ceil(Number(values.kills ?? '24') / stageNames.length);
    for (let round = 1; round <= rounds; round += 1) {
      // One run, killed once in each stage.
      const run = plannedRun(simulator, join(work, `killed-${round}`), asOf, ['aws', 'gcp']);
      for (const stage of stageNames) {
        const before = finishedQueries(run);
        if (await killIn(run, 'run', stage, chance(`${values.seed} ${round} ${stage}`) * 0.8 * times[stage]))
          kills[stage] = (kills[stage] ?? 0) + 1;
        found.push(...askedAgain(run, before).map((file) => `round ${round}, killed in ${stage}: ${file} was asked again`));
      }
      const before = finishedQueries(run);
      const last = await goOn(run);
      // Killed too late, it may be sealed already: then there is nothing to go on with, and a new version begins.
      if (last.code !== 0) found.push(`round ${round}: the resumed run ended with ${last.code}: ${last.stderr.slice(-300)}`);
      found.push(
        ...askedAgain(run, before).map((file) => `round ${round}: ${file} was asked again`),
        ...differences(undisturbed, run).map((line) => `round ${round}: ${line}`),
        ...leftovers(run).map((file) => `round ${round}: ${file} was left behind`),
      );
      const fingerprint = readFileSync(join(run.path, 'fingerprint.txt'), 'utf8').trim();
      const verified = await exhibit(['verify', join(run.path, 'pack.zip'), '--fingerprint', fingerprint]);
      if (verified.code !== 0) found.push(`round ${round}: the pack does not verify: ${verified.stdout.slice(-300)}`);
      rmSync(join(work, `killed-${round}`), { recursive: true, force: true });
    }
  } finally {
    await simulator.close();
    rmSync(work, { recursive: true, force: true });
  }
  for (const line of found) say(`  ${line}`);
  say(
    `kills: ${stageNames.map((stage) => `${stage} ${kills[stage] ?? 0}`).join(', ')}; ${found.length} queries asked again, differences, files left behind or packs that do not verify`,
  );
  return found.length === 0;
}

async function sweepAtSize(resources: number): Promise<boolean> {
  say(`\n── killed and resumed at ${resources} resources`);
  const { found, kills } = await killedAtSize({ resources, kills: Number(values.kills ?? '5'), seed: values.seed, say });
  for (const line of found.slice(0, 50)) say(`  ${line}`);
  say(`kills: ${kills}; ${found.length} queries asked again, differences or files left behind`);
  return found.length === 0;
}

if (values.worker !== undefined) await work(values.worker);
else if (values['kills-at'] !== undefined) {
  if (!(await sweepAtSize(Number(values['kills-at'])))) process.exitCode = 1;
} else {
  const parts = { faults: sweepFaults, damage: sweepDamage, crash: sweepKills };
  for (const [name, part] of Object.entries(parts)) {
    if (values.only !== undefined && values.only !== name) continue;
    say(`\n── ${name}`);
    if (!(await part())) process.exitCode = 1;
  }
}
