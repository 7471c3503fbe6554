import { Command, InvalidArgumentError } from 'commander';
import { assessSummary, configOf, existingRun, failOnOption, stageContext, statusOf, terminalOf, timed, warnIfSealed } from '../session.ts';
import { visible } from '../../text/visible.ts';

function wholeThreads(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 16) throw new InvalidArgumentError('It is a whole number from 1 to 16.');
  return count;
}

export function assessVerb(): Command {
  return new Command('assess')
    .description('judge the collected evidence of a run')
    .argument('<run>', 'the run directory')
    .option('-c, --config <file>', 'another configuration than the one kept with the run')
    .option('--threads <number>', 'judge clouds side by side on this many threads: the same results, for more memory', wholeThreads, 1)
    .addOption(failOnOption())
    .addHelpText('after', '\nExample:\n  exhibit assess out/northwind-2026-q3.v1 --fail-on fail')
    .action(async (path: string, options: { config?: string; threads: number; failOn: string[] }, command: Command) => {
      const here = terminalOf(command);
      const { assessStage, prepare } = await import('../../run.ts');
      const run = existingRun(path);
      warnIfSealed(here, run);
      const named = options.config === undefined ? undefined : (await prepare(options.config, { signing: false })).loaded;
      const context = stageContext(here, named ?? configOf(run, undefined), run, true);
      const { value: assessment } = await timed(here, 'assess', () => assessStage(context, options.threads), assessSummary);
      for (const finding of assessment.findings)
        here.print(`${finding.status.padEnd(14)} ${finding.control.id.padEnd(44)} ${visible(finding.control.title)}`);
      here.result({
        run: run.path,
        summary: assessment.summary,
        evidenceComplete: assessment.evidenceComplete,
        findings: assessment.findings.map(({ control, status, counts, gaps }) => ({ control: control.id, status, counts, gaps })),
      });
      process.exitCode = statusOf(assessment, options.failOn);
    });
}
