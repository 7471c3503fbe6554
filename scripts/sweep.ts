/**
 * `npm run sweep`: every fault at every call of a small estate, every damage to what each control reads, and kills at random moments.
 *   npm run sweep -- --only faults --estate gcp --sample 100 --seed today --match 'ListAssets.*hang'
 */
import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
  },
});
const say = (line: string): void => { process.stdout.write(`${line}\n`); };
const estates = estateNames.filter((name) => values.estate === undefined || values.estate.includes(name));

/** What a worker tells: how many cases there are, then each verdict. */
type Message = { readonly cases: number; readonly calls: number } | { readonly verdict: Verdict };

async function work(share: string): Promise<void> {
  const [own = 0, all = 1] = share.split('/').map(Number);
  const [estate] = estates as [EstateName];
  const sweep = await openSweep(estate);
  const matching = values.match === undefined ? [...sweep.cases] : sweep.cases.filter(({ name }) => new RegExp(values.match ?? '').test(name));
  const chosen = values.sample === undefined ? matching : sampled(matching, Number(values.sample), values.seed);
  const tell = (message: Message): Promise<void> => new Promise((told) => { process.send?.(message, () => { told(); }); });
  await tell({ cases: chosen.length, calls: new Set(sweep.clean.calls.map(({ key }) => key)).size });
  for (let at = own; at < chosen.length; at += all) await tell({ verdict: await sweep.run(chosen[at] as (typeof chosen)[number]) });
  await sweep.close();
}

interface FaultTotals { estate: EstateName; calls: number; cases: number; verdicts: Verdict[]; seconds: number }

async function faultsOf(estate: EstateName): Promise<FaultTotals> {
  const totals: FaultTotals = { estate, calls: 0, cases: 0, verdicts: [], seconds: 0 };
  const started = performance.now();
  const workers = Number(values.workers);
  const passed = ['--estate', estate, '--seed', values.seed, ...(values.sample === undefined ? [] : ['--sample', values.sample]), ...(values.match === undefined ? [] : ['--match', values.match])];
  await Promise.all(Array.from({ length: workers }, (_, at) => new Promise<void>((done, failed) => {
    const child = fork(import.meta.filename, [...passed, '--worker', `${at}/${workers}`], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (message: Message) => {
      if ('cases' in message) {
        Object.assign(totals, message);
        return;
      }
      totals.verdicts.push(message.verdict);
      if (!isSound(message.verdict)) say(describeVerdict(message.verdict));
      if (totals.verdicts.length % 250 === 0) say(`  ${estate}: ${totals.verdicts.length} of ${totals.cases}`);
    });
    child.on('exit', (code) => { if (code === 0) done(); else failed(new Error(`a worker of ${estate} ended with ${code}`)); });
  })));
  totals.seconds = Math.round((performance.now() - started) / 1000);
  return totals;
}

async function sweepFaults(): Promise<boolean> {
  const totals: FaultTotals[] = [];
  for (const estate of estates) totals.push(await faultsOf(estate));
  const sum = (of: readonly Verdict[], pick: (verdict: Verdict) => number): number => of.reduce((total, verdict) => total + pick(verdict), 0);
  const header = ['estate', 'calls', 'pairs', 'struck', 'healed', 'false passes', 'disappearances', 'unnamed', 'unbounded', 'broken', 'longest ms', 'seconds'];
  const rows = totals.map(({ estate, calls, verdicts, seconds }) => [
    estate, calls, verdicts.length, verdicts.filter(({ struck }) => struck > 0).length, verdicts.filter(({ healed }) => healed).length,
    sum(verdicts, (one) => one.falsePasses.length), sum(verdicts, (one) => one.disappearances.length), sum(verdicts, (one) => one.unnamed.length),
    sum(verdicts, (one) => one.unbounded.length), sum(verdicts, (one) => one.broken.length), Math.round(Math.max(0, ...verdicts.map(({ milliseconds }) => milliseconds))), seconds,
  ]);
  say('');
  for (const row of [header, ...rows]) say(row.map((cell, at) => String(cell).padStart(at === 0 ? 0 : 10).padEnd(at === 0 ? 16 : 0)).join('  '));
  mkdirSync(join(root, '.tmp'), { recursive: true });
  writeFileSync(join(root, '.tmp', 'sweep.json'), `${JSON.stringify(totals, null, 1)}\n`);
  return totals.every(({ verdicts, cases }) => verdicts.length === cases && verdicts.every(isSound));
}

if (values.worker !== undefined) await work(values.worker);
else if (!(await sweepFaults())) process.exitCode = 1;
