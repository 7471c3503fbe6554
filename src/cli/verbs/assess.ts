import { Command } from 'commander';
import { visible } from '../console.ts';
import { assessSummary, configOf, existingRun, failOnOption, stageContext, statusOf, terminalOf, timed } from '../session.ts';

export function assessVerb(): Command {
  return new Command('assess')
    .description('judge the collected evidence of a run')
    .argument('<run>', 'the run directory')
    .option('-c, --config <file>', 'another configuration than the one kept with the run')
    .addOption(failOnOption())
    .addHelpText('after', '\nExample:\n  exhibit assess out/northwind-2026-q3.v1 --fail-on fail')
    .action(async (path: string, options: { config?: string; failOn: string[] }, command: Command) => {
      const here = terminalOf(command);
      const { assessStage } = await import('../../run.ts');
      const run = existingRun(path);
      const context = stageContext(here, configOf(run, options.config), run, true);
      const { value: assessment } = await timed(here, 'assess', () => assessStage(context), assessSummary);
      for (const finding of assessment.findings) here.print(`${finding.status.padEnd(14)} ${finding.control.id.padEnd(44)} ${visible(finding.control.title)}`);
      here.result({ run: run.path, summary: assessment.summary, evidenceComplete: assessment.evidenceComplete, findings: assessment.findings.map(({ control, status, counts, gaps }) => ({ control: control.id, status, counts, gaps })) });
      process.exitCode = statusOf(assessment, options.failOn);
    });
}
