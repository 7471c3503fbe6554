import { Command, Option } from 'commander';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Catalogue } from '../../controls/types.ts';
import { nearest } from '../../text/nearest.ts';
import { packageRoot } from '../../version.ts';
import { visible } from '../../text/visible.ts';
import { plural } from '../console.ts';
import { exitStatus, UsageError } from '../exit.ts';
import { terminalOf } from '../session.ts';

const catalogueOption = (): Option =>
  new Option('--catalogue <file>', 'another catalogue than the one that ships with Exhibit').default(
    join(packageRoot, 'controls.yaml'),
    'the shipped controls.yaml',
  );

function catalogueFile({ catalogue }: { catalogue: string }): string {
  const found = statSync(catalogue, { throwIfNoEntry: false });
  if (found?.isFile() === true) return resolve(catalogue);
  throw new UsageError(
    `${catalogue}: ${found === undefined ? 'no such file' : 'a directory, not a file'}`,
    'name the controls.yaml of a catalogue',
  );
}

async function load(options: { catalogue: string }): Promise<Catalogue> {
  const { loadCatalogue } = await import('../../controls/catalogue/load.ts');
  return loadCatalogue(catalogueFile(options));
}

function list(): Command {
  return new Command('list')
    .description('every control: id, level, title')
    .addOption(catalogueOption())
    .addHelpText('after', '\nExample:\n  exhibit controls list')
    .action(async (options: { catalogue: string }, command: Command) => {
      const here = terminalOf(command);
      const catalogue = await load(options);
      let section = '';
      for (const { control } of catalogue.controls) {
        if (control.section !== section) here.print(`${section === '' ? '' : '\n'}${here.style.bold(control.section)}`);
        section = control.section;
        here.print(`  ${control.id.padEnd(46)} L${control.level}  ${control.title}`);
      }
      here.print(`\n${plural(catalogue.controls.length, 'control')} of ${catalogue.name} ${catalogue.version}`);
      here.result(
        catalogue.controls.map(({ control }) => ({
          id: control.id,
          title: control.title,
          section: control.section,
          level: control.level,
          assessment: control.assessment,
          source: control.source,
        })),
      );
    });
}

function explain(): Command {
  return new Command('explain')
    .description('a control as a person reads it')
    .argument('<id>', 'control id')
    .addOption(catalogueOption())
    .addHelpText('after', '\nExample:\n  exhibit controls explain aws-s3-bucket-cmk')
    .action(async (id: string, options: { catalogue: string }, command: Command) => {
      const here = terminalOf(command);
      const catalogue = await load(options);
      const compiled = catalogue.controls.find((one) => one.control.id === id);
      if (!compiled) {
        const guess = nearest(
          id,
          catalogue.controls.map(({ control }) => control.id),
        );
        throw new UsageError(`no control \`${id}\``, guess ? `did you mean \`${guess}\`?` : '`exhibit controls list` shows them all');
      }
      const { explainControl } = await import('../../controls/catalogue/explain.ts');
      here.print(explainControl(compiled).trimEnd());
      here.result(compiled.control);
    });
}

function lint(): Command {
  return new Command('lint')
    .description('check the catalogue: conditions, paths, parameters, prose, case files')
    .addOption(catalogueOption())
    .addHelpText('after', '\nExample:\n  exhibit controls lint')
    .action(async (options: { catalogue: string }, command: Command) => {
      const here = terminalOf(command);
      const [{ formatProblem }, { lintWhole }] = await Promise.all([
        import('../../controls/catalogue/load.ts'),
        import('../../controls/catalogue/lint.ts'),
      ]);
      const file = catalogueFile(options);
      const cases = join(dirname(file), 'test', 'cases');
      const hasCases = statSync(cases, { throwIfNoEntry: false })?.isDirectory() === true;
      const { problems, controls } = await lintWhole(file, { cases: hasCases ? cases : null });
      for (const problem of problems) here.print(formatProblem(problem));
      const errors = problems.filter((problem) => problem.severity === 'error').length;
      here.print(
        problems.length === 0
          ? here.style.green(`${plural(controls, 'control')}, no problem`)
          : `${plural(errors, 'error')}, ${plural(problems.length - errors, 'warning')}`,
      );
      // The published package carries controls without their case files.
      if (!hasCases)
        here.print(
          here.style.dim(`missing-cases and path-unseen were left out: ${cases} is no directory of case files (docs/control-language.md)`),
        );
      here.result(problems);
      process.exitCode = errors > 0 ? exitStatus.usage : exitStatus.done;
    });
}

function tryVerb(): Command {
  return new Command('try')
    .description('judge documents without a cloud: NDJSON in, NDJSON out')
    .argument('[file]', 'lines {"id","type","document","related":[{"type","document"}],"complete":["type",…]}; stdin by default')
    .addOption(catalogueOption())
    .option('--as-of <instant>', 'what dates are compared with (RFC 3339); default: now')
    .addHelpText(
      'after',
      `
Documents come in any shape the provider hands out. Each line of output is
{"id","control","check","status","reason","observed"}; every document counts as critical.

Example:
  echo '{"id":"1","type":"AWS::EC2::Volume","document":{"configuration":{"encrypted":false}}}' | exhibit controls try`,
    )
    .action(async (file: string | undefined, options: { catalogue: string; asOf?: string }, command: Command) => {
      const here = terminalOf(command);
      if (file !== undefined && statSync(file, { throwIfNoEntry: false })?.isDirectory() !== false)
        throw new UsageError(
          `${file}: ${existsSync(file) ? 'a directory, not a file' : 'no such file'}`,
          'name a file of JSON lines, or pipe them in',
        );
      const [{ readDocument, readVerdicts }, { splitLines, TryInputError, tryDocuments }] = await Promise.all([
        import('../../collectors/registry.ts'),
        import('../../controls/assess/try.ts'),
      ]);
      const asOf = options.asOf ?? new Date().toISOString();
      if (Number.isNaN(Date.parse(asOf))) throw new UsageError(`--as-of \`${asOf}\` is no instant`, 'for example 2026-09-30T00:00:00Z');
      const catalogue = await load(options);
      const lines = splitLines(file === undefined ? process.stdin : createReadStream(file));
      try {
        const onUnmatched = (line: number, id: string, type: string): void =>
          here.say(`line ${line} (${visible(id)}): no control is on ${visible(type)}`);
        for await (const result of tryDocuments(lines, catalogue, readDocument, { asOf, onUnmatched, readVerdicts }))
          process.stdout.write(`${JSON.stringify(result)}\n`);
      } catch (error) {
        if (!(error instanceof TryInputError)) throw error;
        throw new UsageError(
          error.lines.map(({ line, message }) => `${file ?? 'stdin'}:${line}: ${message}`).join('\n'),
          'the other lines were judged',
        );
      }
    });
}

export function controlsVerb(): Command {
  const controls = new Command('controls')
    .description('the catalogue: list, lint, explain, try')
    .addHelpText('after', '\nExample:\n  exhibit controls explain aws-s3-bucket-cmk');
  for (const verb of [list, lint, explain, tryVerb]) controls.addCommand(verb());
  return controls;
}
