/**
 * `npm run bench [-- --resources 10000,100000] [--json]`: times, ratios to floors measured in the same run, and peak memory
 * of the whole process tree, for each stage. The simulator runs in this process, which is not part of the measured tree; it has
 * most of its answers ready (those of AWS Config) from a collection that is not measured.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startSimulator } from '../src/simulator/index.ts';
import { quotaFloor } from './quota-floor.ts';
import { measure, type Measured } from './process-tree.ts';

const { values } = parseArgs({
  options: {
    resources: { type: 'string', default: '10000,100000' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const sizes = values.resources.split(',').map(Number);
if (sizes.some((size) => !Number.isInteger(size) || size < 50)) throw new Error('--resources takes whole numbers, comma separated');

const cli = join(import.meta.dirname, '..', 'src', 'cli.ts');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

interface Row {
  resources: number;
  stage: string;
  seconds: number;
  floor: number | null;
  ratio: number | null;
  /** User and system seconds: what other load on the machine stretches least. */
  cpu: number;
  cpuRatio: number | null;
  peakMiB: number;
  note: string;
}
const rows: Row[] = [];
const works: string[] = [];

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

const best = <T extends Measured>(all: readonly T[]): T => all.reduce((a, b) => (b.seconds < a.seconds ? b : a));
const highest = (all: readonly Measured[]): number => Math.max(...all.map((one) => one.peak));

function add(
  resources: number,
  stage: string,
  measured: Measured,
  floor: number | null,
  note: string,
  floorCpu: number | null = null,
): void {
  if (measured.exit !== 0 && measured.exit !== 3) throw new Error(`${stage} ended with exit status ${measured.exit}`);
  const row = {
    resources,
    stage,
    seconds: round(measured.seconds),
    floor: floor === null ? null : round(floor),
    ratio: floor === null ? null : round(measured.seconds / floor),
    cpu: round(measured.cpu),
    cpuRatio: floorCpu === null ? null : round(measured.cpu / floorCpu),
    peakMiB: Math.round(measured.peak),
    note,
  };
  rows.push(row);
  say(
    `  ${stage.padEnd(8)} ${String(row.seconds).padStart(8)} s  floor ${String(row.floor ?? '–').padStart(8)} s  ratio ${String(row.ratio ?? '–').padStart(6)}  cpu ${String(row.cpu).padStart(7)} s${row.cpuRatio === null ? '' : ` (×${row.cpuRatio})`}  peak ${String(row.peakMiB).padStart(5)} MiB  ${note}`,
  );
}

for (const resources of sizes) {
  say(`${resources} resources`);
  const work = mkdtempSync(join(tmpdir(), 'exhibit-bench-'));
  const simulator = await startSimulator({ resources, seed: 1, asOf: new Date().toISOString(), quotas: 'published', keepAnswers: true });
  try {
    const config = join(work, 'exhibit.yaml');
    writeFileSync(config, simulator.configYaml());
    const env = { ...process.env, ...simulator.credentials, NO_PROXY: '127.0.0.1,localhost' };

    // Once without looking: clouds do not make up their records on our processors while we ask for them.
    await measure([cli, 'collect', '--config', config, '--quiet'], env);
    // The best of three, as below: what else the machine does only ever adds to it.
    const collects: (Measured & { floor: ReturnType<typeof quotaFloor> })[] = [];
    for (let round = 0; round < 3; round += 1) {
      simulator.forget();
      const measured = await measure([cli, 'collect', '--config', config, '--quiet'], env);
      collects.push({ ...measured, floor: quotaFloor(simulator.calls()) });
    }
    const { floor, ...collected } = best(collects);
    const run = collected.stdout.trim();
    const state = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { collection: { seconds: number } };
    const itself = `without the start of the process ${round(state.collection.seconds, 1)} s (×${round(state.collection.seconds / floor.seconds)})`;
    add(
      resources,
      'collect',
      { ...collected, peak: highest(collects) },
      floor.seconds,
      `${itself}; ${floor.calls} calls; the tightest quota is ${floor.tightest}`,
    );

    // The same pages are read by all within seconds of each other: the page cache is warm for each. Best of three.
    const parses: Measured[] = [];
    const readings: Measured[] = [];
    const assesses: Measured[] = [];
    for (let round = 0; round < 3; round += 1) {
      parses.push(await measure([join(import.meta.dirname, 'parse-floor.ts'), run], env));
      readings.push(await measure([join(import.meta.dirname, 'read-evidence.ts'), run], env));
      assesses.push(await measure([cli, 'assess', run, '--quiet'], env));
    }
    const parsed = JSON.parse(best(parses).stdout) as { pages: number; bytes: number; records: number };
    add(
      resources,
      'assess',
      { ...best(assesses), peak: highest(assesses) },
      best(parses).seconds,
      `floor: JSON.parse of the same ${parsed.pages} pages, ${round(parsed.bytes / 1e6, 1)} MB, ${parsed.records} records; reading them as evidence, without judging: ×${round(best(readings).seconds / best(parses).seconds)}`,
      best(parses).cpu,
    );

    add(resources, 'render', await measure([cli, 'render', run, '--quiet'], env), null, 'PDF, HTML and CSV');
    add(
      resources,
      'seal',
      await measure([cli, 'seal', run, '--quiet'], env),
      null,
      `${readdirSync(run, { recursive: true }).length} files`,
    );
  } finally {
    await simulator.close();
    works.push(work);
  }
}
// Not before: for a minute after files are deleted some file systems (ext4) are slow to make new ones.
if (!values.keep) for (const work of works) rmSync(work, { recursive: true, force: true });

const growth: Record<string, number> = {};
for (const stage of ['collect', 'assess', 'render', 'seal']) {
  const peaks = rows.filter((row) => row.stage === stage).map((row) => row.peakMiB);
  const [first, last] = [peaks[0], peaks.at(-1)];
  if (peaks.length > 1 && first !== undefined && last !== undefined) growth[stage] = round(last / first);
}
if (Object.keys(growth).length > 0)
  say(
    `peak memory, ${sizes.at(-1)} against ${sizes[0]} resources: ${Object.entries(growth)
      .map(([stage, ratio]) => `${stage} ×${ratio}`)
      .join(', ')}`,
  );
say(
  `${cpus().length} processors (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
);
if (values.json) process.stdout.write(`${JSON.stringify({ rows, growth }, null, 2)}\n`);
