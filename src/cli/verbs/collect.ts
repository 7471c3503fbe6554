import { Command } from 'commander';
import { nextRun } from '../../run-directory.ts';
import { exitStatus } from '../exit.ts';
import { collectionGaps, collectSummary, configOption, sayGaps, sayWhatResumes, stageContext, terminalOf, timed } from '../session.ts';

export function collectVerb(): Command {
  return new Command('collect')
    .description('ask every configured scope and store each response as received')
    .addOption(configOption())
    .option('--resume', 'go on with the newest unsealed run: finished queries are not asked again')
    .addHelpText('after', '\nExample:\n  exhibit collect --config exhibit.yaml')
    .action(async (options: { config: string; resume?: boolean }, command: Command) => {
      const here = terminalOf(command);
      const { collectStage, prepare } = await import('../../run.ts');
      const { loaded, catalogue } = await prepare(options.config, { signing: false });
      const run = nextRun(loaded, options.resume === true, new Date());
      sayWhatResumes(here, run, options.resume === true);
      const context = stageContext(here, loaded, run, options.resume === true);
      const { value: ledger } = await timed(
        here,
        'collect',
        () => collectStage(context, catalogue).finally(() => context.stop()),
        collectSummary,
      );
      sayGaps(here, ledger);
      const { gaps, unevaluated } = collectionGaps(ledger);
      here.print(run.path);
      here.result({
        run: run.path,
        runId: run.state.runId,
        scopes: ledger.scopes.length,
        entries: ledger.entries.length,
        gaps,
        unevaluated,
        ...run.state.collection,
      });
      process.exitCode = gaps.length > 0 ? exitStatus.gaps : exitStatus.done;
    });
}
