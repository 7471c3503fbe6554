import { Command } from 'commander';
import { assessedRun, configOf, renderSummary, stageContext, terminalOf, timed, warnIfSealed } from '../session.ts';

export function renderVerb(): Command {
  return new Command('render')
    .description('make report.pdf, report.html and the results in CSV, XLSX, OSCAL and OCSF of an assessed run')
    .argument('<run>', 'the run directory')
    .option('-c, --config <file>', 'another configuration than the one kept with the run')
    .addHelpText('after', '\nExample:\n  exhibit render out/northwind-2026-q3.v1')
    .action(async (path: string, options: { config?: string }, command: Command) => {
      const here = terminalOf(command);
      const { renderStage } = await import('../../run.ts');
      const run = assessedRun(path);
      warnIfSealed(here, run);
      const { value: report } = await timed(
        here,
        'render',
        () => renderStage(stageContext(here, configOf(run, options.config), run, true)),
        renderSummary,
      );
      for (const file of report.files) here.print(file.file);
      here.result(report);
    });
}
