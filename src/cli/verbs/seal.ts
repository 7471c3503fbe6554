import { Command } from 'commander';
import { UsageError } from '../exit.ts';
import { configOf, existingRun, stageContext, terminalOf, timed } from '../session.ts';

export function sealVerb(): Command {
  return new Command('seal')
    .description('sign the report and seal everything into a pack')
    .argument('<run>', 'the run directory')
    .option('-c, --config <file>', 'another configuration than the one kept with the run')
    .addHelpText('after', '\nExample:\n  exhibit seal out/northwind-2026-q3.v1 --config exhibit.yaml')
    .action(async (path: string, options: { config?: string }, command: Command) => {
      const here = terminalOf(command);
      const { hasPack, sealStage } = await import('../../run.ts');
      const run = existingRun(path);
      if (hasPack(run))
        throw new UsageError(`${path} is sealed already`, 'a pack is never overwritten: start a new version with `exhibit run`');
      const { value: sealed } = await timed(
        here,
        'seal',
        () => sealStage(stageContext(here, configOf(run, options.config), run, true)),
        (done) => done.summary,
      );
      here.print(`Pack         ${sealed.zipPath}`);
      here.print(`Fingerprint  ${sealed.fingerprint}`);
      here.result({ pack: sealed.zipPath, fingerprint: sealed.fingerprint });
    });
}
