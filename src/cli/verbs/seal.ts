import { Command } from 'commander';
import { configOf, existingRun, stageContext, terminalOf, timed } from '../session.ts';

export function sealVerb(): Command {
  return new Command('seal')
    .description('sign the report and seal everything into a pack')
    .argument('<run>', 'the run directory')
    .option('-c, --config <file>', 'another configuration than the one kept with the run')
    .addHelpText('after', '\nExample:\n  exhibit seal out/northwind-2026-q3.v1 --config exhibit.yaml')
    .action(async (path: string, options: { config?: string }, command: Command) => {
      const here = terminalOf(command);
      const { sealStage } = await import('../../run.ts');
      const run = existingRun(path);
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
