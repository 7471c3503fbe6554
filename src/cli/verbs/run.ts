import { Command } from 'commander';
import { nextRun } from '../../run-directory.ts';
import { configOption, failOnOption, stageContext, statusOf, sayWhatResumes, terminalOf, wholeLine } from '../session.ts';

export function runVerb(): Command {
  return new Command('run')
    .description('collect, assess, render and seal: one evidence pack')
    .addOption(configOption())
    .option('--resume', 'go on with the newest unsealed run instead of starting a new version')
    .addOption(failOnOption())
    .addHelpText('after', '\nExample:\n  exhibit run --config exhibit.yaml --fail-on fail error')
    .action(async (options: { config: string; resume?: boolean; failOn: string[] }, command: Command) => {
      const here = terminalOf(command);
      const { assertReady } = await import('../../run.ts');
      const { loaded, catalogue } = await assertReady(options.config);
      const run = nextRun(loaded, options.resume === true, new Date());
      sayWhatResumes(here, run, options.resume === true);
      here.say(`${here.style.bold(loaded.config.engagement.title)}  ${here.style.dim(run.path)}`);
      const { assessment, sealed, stages } = await wholeLine(here, stageContext(here, loaded, run, true), catalogue);
      here.print(`Pack         ${sealed.zipPath}`);
      here.print(`Fingerprint  ${sealed.fingerprint}`);
      here.print('             Give it to the auditor by another way than the pack.');
      if (!assessment.evidenceComplete) here.warn('The evidence has gaps: see "Accounts covered and gaps" in the report.');
      here.result({
        run: run.path,
        runId: run.state.runId,
        pack: sealed.zipPath,
        fingerprint: sealed.fingerprint,
        summary: assessment.summary,
        evidenceComplete: assessment.evidenceComplete,
        stages,
      });
      process.exitCode = statusOf(assessment, options.failOn);
    });
}
