import { type Command, Option } from 'commander';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quotaFloor } from '../collectors/rate.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Catalogue } from '../controls/types.ts';
import type { Assessment, Ledger, LedgerEntry } from '../model/index.ts';
import type { SealReport } from '../pack/seal.ts';
import type { RenderReport } from '../render/render.ts';
import { openRun, type RunDirectory } from '../run-directory.ts';
import type { StageContext } from '../run.ts';
import { visible, visibleLines } from '../text/visible.ts';
import { bytes, count, plural, seconds, type Terminal, terminal, wantsColor } from './console.ts';
import { exitStatus, type ExitStatus, UsageError } from './exit.ts';
import { collectProgress, ticker } from './progress.ts';

/** The terminal of a verb, from the global options. */
export function terminalOf(command: Command): Terminal {
  const options = command.optsWithGlobals<{ json?: boolean; quiet?: boolean; color?: boolean }>();
  const stream = options.json === true ? process.stderr : process.stdout;
  return terminal({ json: options.json === true, quiet: options.quiet === true, color: wantsColor(options.color, stream, process.env) });
}

export const configOption = (): Option => new Option('-c, --config <file>', 'the configuration').default('exhibit.yaml');

export const failOnOption = (): Option =>
  new Option('--fail-on <status...>', 'exit with 1 when a control has one of these')
    .choices(['fail', 'error', 'unknown', 'notchecked'])
    .default([]);

/**
 * Ctrl-C asks for a clean stop: the stage under way ends, keeps what it has and says so. A second Ctrl-C stops at once.
 */
export function interruptible(terminalHere: Terminal): AbortSignal {
  const controller = new AbortController();
  let asked = false;
  const stop = (): void => {
    if (asked) process.kill(process.pid, 'SIGKILL');
    asked = true;
    terminalHere.warn('\nStopping: what is under way ends first, and all of it is kept. Ctrl-C again stops at once.');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}

/** An existing run, or a clear word on what is missing. */
export function existingRun(path: string): RunDirectory {
  const run = openRun(path);
  if (run) return run;
  throw new UsageError(
    `${path} holds no run`,
    'name the directory that `exhibit collect` or `exhibit run` printed: it holds run.json and evidence/',
  );
}

/** A word before a sealed run is worked on again. */
export function warnIfSealed(here: Terminal, run: RunDirectory): void {
  if (run.isDone('seal')) here.warn(`${run.path} is sealed: its pack stays as it is, and what is made now lies beside it, unsealed.`);
}

/** The directory of a run that was judged, or a clear word on what comes first. */
export function assessedRun(path: string): RunDirectory {
  const run = existingRun(path);
  if (run.isDone('assess')) return run;
  throw new UsageError(
    `${path} has not been judged`,
    `\`exhibit assess ${path}\` comes first${run.isDone('collect') ? '' : ', and `exhibit collect --resume` before it'}`,
  );
}

/** A word where there was nothing to go on with, so that nobody takes a new version for the one that was meant. */
export function sayWhatResumes(here: Terminal, run: RunDirectory, resume: boolean): void {
  if (!resume) return;
  const begun = existsSync(join(run.path, 'evidence'));
  here.say(begun ? `  Going on with ${run.state.runId}` : `  There is no unsealed run to go on with: ${run.state.runId} is a new version`);
}

/** Everything the stages share, made once for a verb. `stop` ends the progress display. */
export function stageContext(here: Terminal, loaded: LoadedConfig, run: RunDirectory, resume: boolean): StageContext & { stop(): void } {
  const signal = interruptible(here);
  const progress = collectProgress(here, signal);
  return {
    loaded,
    run,
    signal,
    progress,
    resume,
    note: (message) => here.say(`  ${visibleLines(message)}`),
    stop: () => progress.stop(),
  };
}

/** The configuration of a run that exists already: the one kept with it, unless another is named. */
export function configOf(run: RunDirectory, named: string | undefined): LoadedConfig {
  if (named !== undefined) return loadConfig(named);
  return { ...loadConfig(join(run.path, 'inputs', 'exhibit.yaml')), directory: dirname(run.state.config) };
}

export interface StageResult {
  readonly stage: string;
  readonly seconds: number;
  readonly summary: string;
}

/** Runs one stage with its heading, its time and its one-line result. */
export async function timed<T>(
  here: Terminal,
  stage: string,
  work: () => Promise<T>,
  summarise: (value: T) => string,
): Promise<{ value: T; result: StageResult }> {
  here.say(here.style.bold(stage));
  const started = performance.now();
  // Collection draws its own bars.
  const stop = stage === 'collect' ? () => undefined : ticker(here);
  const value = await work().finally(stop);
  const elapsed = performance.now() - started;
  const summary = summarise(value);
  here.say(`  ${here.style.dim(seconds(elapsed).padStart(7))}  ${summary}`);
  return { value, result: { stage, seconds: Math.round(elapsed) / 1000, summary } };
}

/** What the quotas made a collection take at least, beside what it took. */
function quotaNote(ledger: Ledger): string {
  const floor = quotaFloor(ledger.quotas);
  return floor.key === null ? 'no quota held it back' : `at least ${seconds(floor.ms)} by the quota of ${visible(floor.key)}`;
}

export function collectSummary(ledger: Ledger): string {
  const held = ledger.entries.reduce((sum, entry) => sum + entry.held, 0);
  const whole = ledger.scopes.filter((scope) => scope.status === 'complete' || scope.status === 'excluded').length;
  return `${plural(held, 'record')} of ${plural(ledger.scopes.length, 'scope')}, ${count(whole)} of them complete; ${quotaNote(ledger)}`;
}

/** Causes that a collection spells out. */
const causes = 5;

/**
 * What a collection lacks. A rule or policy that the provider has not evaluated somewhere was read as it is: only judging can tell whether there is
 * anything that it should have judged.
 */
export function collectionGaps(ledger: Ledger): { readonly gaps: LedgerEntry[]; readonly unevaluated: LedgerEntry[] } {
  const lacking = ledger.entries.filter(({ status }) => status !== 'complete' && status !== 'excluded');
  const isUnevaluated = ({ type, status }: LedgerEntry): boolean => type.startsWith('verdict:') && status === 'not-recorded';
  return { gaps: lacking.filter((entry) => !isUnevaluated(entry)), unevaluated: lacking.filter(isUnevaluated) };
}

/** Why evidence is not whole, each cause once: a person mends causes, not scopes. */
export function sayGaps(here: Terminal, ledger: Ledger): void {
  const { gaps, unevaluated } = collectionGaps(ledger);
  const found = new Map<string, { message: string; scopes: Set<string> }>();
  const lacking = ledger.scopes.filter(({ status }) => status !== 'complete' && status !== 'excluded');
  for (const { reasons, ...scope } of [...lacking, ...gaps]) {
    for (const { code, message } of reasons) {
      const cause = found.get(code) ?? { message, scopes: new Set() };
      cause.scopes.add(`${scope.provider} ${scope.account} ${scope.region}`);
      found.set(code, cause);
    }
  }
  for (const [code, { message, scopes }] of [...found].slice(0, causes))
    here.say(`  ${here.style.yellow('!')} ${visibleLines(`${plural(scopes.size, 'scope')}, ${code}: ${message}`)}`);
  if (found.size > causes) here.say(`    and ${plural(found.size - causes, 'more cause')}`);
  if (found.size > 0) here.say('    `exhibit doctor` says what to grant or mend');
  if (unevaluated.length > 0) {
    const rules = new Set(unevaluated.map(({ type }) => type));
    const places = new Set(unevaluated.map(({ account, region }) => `${account} ${region}`));
    here.say(
      `  ${here.style.dim('–')} ${plural(rules.size, 'rule')} of the provider without a result in ${plural(places.size, 'scope')}: judging tells whether one is needed there`,
    );
  }
}

export function assessSummary(assessment: Assessment): string {
  const { counts, score } = assessment.summary;
  const parts = (['pass', 'fail', 'error', 'unknown', 'notchecked', 'notapplicable'] as const)
    .filter((status) => counts[status] > 0)
    .map((status) => `${count(counts[status])} ${status}`);
  return `${plural(assessment.findings.length, 'control')}: ${parts.join(', ')}${score === null ? '' : `; score ${Math.round(score * 100)} %`}`;
}

export function renderSummary(report: RenderReport): string {
  const results = report.files.filter(({ file }) => file.startsWith('results/'));
  const reports = report.files.filter((one) => !results.includes(one)).map(({ file, bytes: size }) => `${file} ${bytes(size)}`);
  const size = results.reduce((sum, one) => sum + one.bytes, 0);
  return [...reports, `${plural(results.length, 'file')} of results ${bytes(size)}`].join(', ');
}

/** The exit status that an assessment deserves. A gap in the evidence outranks a failing control that nobody asked about. */
export function statusOf(assessment: Assessment, failOn: readonly string[]): ExitStatus {
  if (failOn.some((status) => assessment.findings.some((finding) => finding.status === status))) return exitStatus.failOn;
  return assessment.evidenceComplete ? exitStatus.done : exitStatus.gaps;
}

export interface LineOutcome {
  readonly assessment: Assessment;
  readonly sealed: SealReport;
  readonly stages: StageResult[];
}

/** The whole line on one run directory; stages that an interrupted run finished are not done again. */
export async function wholeLine(here: Terminal, context: StageContext & { stop(): void }, ready?: Catalogue): Promise<LineOutcome> {
  const { assessStage, collectStage, renderStage, sealStage } = await import('../run.ts');
  const stages: StageResult[] = [];
  const stage = async <T>(name: string, work: () => Promise<T>, summarise: (value: T) => string): Promise<T> => {
    context.signal.throwIfAborted();
    const { value, result } = await timed(here, name, work, summarise);
    stages.push(result);
    return value;
  };
  const ledger = await stage('collect', () => collectStage(context, ready).finally(() => context.stop()), collectSummary);
  sayGaps(here, ledger);
  const assessment = await stage('assess', () => assessStage(context), assessSummary);
  await stage('render', () => renderStage(context), renderSummary);
  const sealed = await stage(
    'seal',
    () => sealStage(context),
    (report) => report.summary,
  );
  return { assessment, sealed, stages };
}
