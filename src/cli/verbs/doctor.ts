import { Command } from 'commander';
import type { DoctorFinding } from '../../collectors/collector.ts';
import { visible, visibleLines } from '../../text/visible.ts';
import { plural } from '../console.ts';
import { exitStatus } from '../exit.ts';
import { collectProgress } from '../progress.ts';
import { configOption, interruptible, terminalOf } from '../session.ts';

const titleOf = ({ collector, scope }: DoctorFinding): string => `${collector}  ${scope}`;

export function doctorVerb(): Command {
  return new Command('doctor')
    .description('test identity, permissions, recorders, aggregators, API enablement and clock of every scope')
    .addOption(configOption())
    .addHelpText('after', '\nExample:\n  exhibit doctor --config exhibit.yaml')
    .action(async (options: { config: string }, command: Command) => {
      const here = terminalOf(command);
      const [{ doctor }, { needsOf }, { prepare }] = await Promise.all([
        import('../../collectors/collect.ts'),
        import('../../controls/assess/needs.ts'),
        import('../../run.ts'),
      ]);
      const { loaded, catalogue } = await prepare(options.config, { signing: true });
      const progress = collectProgress(here);
      const findings = await doctor({
        config: loaded.config,
        needs: needsOf(catalogue),
        asOf: new Date().toISOString(),
        signal: interruptible(here),
        progress,
      }).finally(() => progress.stop());
      const { green, red, dim } = here.style;
      let heading = '';
      // What a collector asked of one scope stands together, in the order of the first question.
      const titles = [...new Set(findings.map(titleOf))];
      for (const finding of [...findings].sort((a, b) => titles.indexOf(titleOf(a)) - titles.indexOf(titleOf(b)))) {
        const title = titleOf(finding);
        if (title !== heading) here.print(here.style.bold(visible(title)));
        heading = title;
        here.print(`  ${finding.ok ? green('✓') : red('✗')} ${visible(finding.check)}  ${dim(visibleLines(finding.detail))}`);
        if (!finding.ok && finding.remedy) here.print(`      ${visibleLines(finding.remedy)}`);
      }
      const bad = findings.filter((finding) => !finding.ok).length;
      here.print();
      here.print(
        bad === 0
          ? green(`All ${findings.length} checks passed: a run can start.`)
          : red(`${plural(bad, 'check')} of ${findings.length} failed: a run would have gaps there.`),
      );
      here.result({ ok: bad === 0, findings });
      process.exitCode = bad === 0 ? exitStatus.done : exitStatus.gaps;
    });
}
