import { Command } from 'commander';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { createRun, openRun } from '../../run-directory.ts';
import { bytes, count } from '../console.ts';
import { exitStatus, UsageError } from '../exit.ts';
import { stageContext, terminalOf, timed, wholeLine } from '../session.ts';
import { whole } from './simulate.ts';

/** The whole line on simulated clouds: the real SDK clients over loopback, so what is shown is what production runs. */
export function demoVerb(): Command {
  return new Command('demo')
    .description('the whole line on simulated clouds: collect, assess, render, seal, verify')
    .option('--resources <n>', 'resources in the simulated estate', whole('resources', 50, 1_000_000), 2000)
    .option('--seed <n>', 'seed of the estate', whole('seed', 0, 2 ** 31 - 1), 1)
    .option('-o, --output <directory>', 'where to leave the pack', join('out', 'demo'))
    .addHelpText('after', '\nExample:\n  npm run demo\n  npm run demo -- --resources 10000')
    .action(async (options: { resources: number; seed: number; output: string }, command: Command) => {
      const here = terminalOf(command);
      const directory = resolve(options.output);
      const [{ verifyPack }, { evidenceTeller }, { startSimulator }] = await Promise.all([
        import('../../pack/verify.ts'),
        import('../../collectors/told.ts'),
        import('../../simulator/index.ts'),
      ]);
      clearDemo(directory);
      mkdirSync(directory, { recursive: true });
      here.say(`${here.style.bold('Exhibit demo')}  ${count(options.resources)} resources in simulated AWS, Azure and Google Cloud`);
      const now = new Date();
      const simulator = await startSimulator({
        resources: options.resources,
        seed: options.seed,
        asOf: now.toISOString(),
        quotas: 'published',
      });
      try {
        for (const [name, value] of Object.entries(simulator.credentials)) process.env[name] = value;
        const configFile = join(directory, 'exhibit.yaml');
        writeFileSync(configFile, simulator.configYaml());
        const loaded = loadConfig(configFile);
        const run = createRun(directory, `${loaded.config.engagement.id}.v1`, configFile, now);
        const context = stageContext(here, loaded, run, false);
        const { assessment, sealed, stages } = await wholeLine(here, context);
        const { value: verified, result } = await timed(
          here,
          'verify',
          () => verifyPack(sealed.zipPath, { fingerprint: sealed.fingerprint, teller: evidenceTeller() }),
          (report) => (report.ok ? 'valid' : 'NOT VALID'),
        );
        stages.push(result);
        const path = (name: string): string => relative(process.cwd(), join(directory, name));
        const size = (name: string): string => bytes(statSync(join(directory, name)).size);
        here.print();
        for (const stage of stages) here.print(`  ${stage.stage.padEnd(8)} ${stage.seconds.toFixed(1).padStart(6)} s   ${stage.summary}`);
        here.print();
        here.print('What lies where');
        here.print(`  ${path('pack/data/report.pdf')}   the signed report (${size('pack/data/report.pdf')})`);
        here.print(
          `  ${path('pack/data/report.html')}  the same, with filters and search; open it in a browser (${size('pack/data/report.html')})`,
        );
        here.print(
          `  ${path('pack.zip')}               the evidence pack for the auditor (${size('pack.zip')}); unpacked in ${path('pack')}/`,
        );
        here.print(`  ${path('root.crt')}, ${path('fingerprint.txt')}   the auditor's other channel: they do not travel in the pack`);
        here.print();
        here.print('What to run next');
        here.print(`  npx exhibit verify ${path('pack.zip')} --fingerprint ${path('fingerprint.txt')}`);
        here.print(`  (cd ${path('pack')} && sha256sum -c --quiet manifest-sha256.txt tagmanifest-sha256.txt && cat VERIFY.txt)`);
        here.print('  npx exhibit controls explain aws-s3-bucket-cmk');
        here.print('  README.md: a first run on your own clouds');
        here.result({ pack: sealed.zipPath, fingerprint: sealed.fingerprint, verified: verified.ok, summary: assessment.summary, stages });
        if (!verified.ok) process.exitCode = exitStatus.verification;
      } finally {
        await simulator.close();
      }
    });
}

/** Removes an earlier demo, and only that: a directory with anything else in it, a run of your own above all, is left alone. */
function clearDemo(directory: string): void {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return;
  // Only a demo has the configuration of its run beside it.
  if (openRun(directory)?.state.config !== join(directory, 'exhibit.yaml'))
    throw new UsageError(`${directory} is there and holds no demo`, 'choose another directory with --output');
  rmSync(directory, { recursive: true });
}
