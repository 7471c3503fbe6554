#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { assessVerb } from './cli/verbs/assess.ts';
import { collectVerb } from './cli/verbs/collect.ts';
import { controlsVerb } from './cli/verbs/controls.ts';
import { demoVerb } from './cli/verbs/demo.ts';
import { doctorVerb } from './cli/verbs/doctor.ts';
import { keysVerb } from './cli/verbs/keys.ts';
import { renderVerb } from './cli/verbs/render.ts';
import { runVerb } from './cli/verbs/run.ts';
import { sealVerb } from './cli/verbs/seal.ts';
import { simulateVerb } from './cli/verbs/simulate.ts';
import { verifyVerb } from './cli/verbs/verify.ts';
import { exitStatus } from './cli/exit.ts';
import { reportFailure } from './cli/failure.ts';
import { tool } from './version.ts';

const program = new Command('exhibit')
  .description(
    'Collects compliance evidence from AWS, Azure and Google Cloud, judges it against declarative\ncontrols, and seals signed evidence packs that an auditor can verify offline.',
  )
  .version(tool.version, '-V, --version')
  .addOption(new Option('--json', 'write the result as JSON to stdout'))
  .addOption(new Option('--quiet', 'no progress on stderr'))
  .addOption(new Option('--no-color', 'plain text (also NO_COLOR)'))
  .showHelpAfterError('(add --help for usage and an example)')
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()
  .addHelpText(
    'after',
    `
Exit status:
  0  done, all evidence complete       3  done, with gaps in the evidence
  1  a control fails and --fail-on     4  verification failed
     asks for it                       5  internal error
  2  bad usage or configuration        130  stopped by Ctrl-C

Example:
  exhibit demo                         the whole line on simulated clouds
  exhibit doctor --config exhibit.yaml
  exhibit run --config exhibit.yaml`,
  );

for (const verb of [
  runVerb,
  collectVerb,
  assessVerb,
  renderVerb,
  sealVerb,
  verifyVerb,
  demoVerb,
  controlsVerb,
  keysVerb,
  simulateVerb,
  doctorVerb,
]) {
  const command = verb();
  const inherit = (one: Command): void => {
    one.exitOverride().configureHelp({ showGlobalOptions: true }).showHelpAfterError('(add --help for usage and an example)');
    one.commands.forEach(inherit);
  };
  inherit(command);
  program.addCommand(command);
}

// What the library that looks for Google credentials thinks of the host is told as a finding, with what to do about it.
const emitWarning = process.emitWarning.bind(process) as (...all: unknown[]) => void;
process.emitWarning = (...all: unknown[]): void => {
  if (all[1] !== 'MetadataLookupWarning') emitWarning(...all);
};

// A reader that has seen enough (`| head`) ends the output, not the run.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitStatus.done);
});

try {
  await program.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
  else process.exitCode = reportFailure(error, program.opts());
}
