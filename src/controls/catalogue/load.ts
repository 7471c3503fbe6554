import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Control, Provider } from '../../model/index.ts';
import { compileCheck, typeShape } from '../language/compile.ts';
import type { CheckCompilation, CheckSource, ReadPaths } from '../language/compile.ts';
import { controlSchema, entrySchema, validate } from './envelope.ts';
import type { CatalogueEntry, CheckEntry, ControlEntry } from './envelope.ts';
import { included } from './include.ts';
import { isObject } from '../language/operands.ts';
import type { At } from '../language/scope.ts';
import { loadConditions, noConditions } from './shared-conditions.ts';
import type { LoadedConditions } from './shared-conditions.ts';
import { parametersOf } from './parameters.ts';
import { didYouMean } from './suggest.ts';
import type { Catalogue, CompiledCheck, CompiledControl, ParameterDefinition, Problem, VerdictCheck } from '../types.ts';
import { loadVerdict } from './verdict.ts';
import { parseYaml } from './yaml-source.ts';
import type { YamlSource } from './yaml-source.ts';

/** Everything that is wrong with a catalogue, all of it at once. */
export class CatalogueError extends Error {
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'CatalogueError';
    this.problems = problems;
  }
}

/** `controls/aws/s3.yaml:77:19  unknown operator \`equal\` (did you mean equals?)`. */
export function formatProblem(problem: Problem): string {
  return `${problem.file}:${problem.line}:${problem.column}  ${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`;
}

/** A loaded catalogue with what the lint needs besides: doubts of the compiler and where things stand. */
export interface LoadedCatalogue {
  readonly catalogue: Catalogue;
  readonly doubts: readonly Problem[];
  readonly sources: ReadonlyMap<string, YamlSource>;
  readonly entry: YamlSource;
  /** Where each control stands. */
  readonly places: ReadonlyMap<string, { readonly source: YamlSource; readonly at: At }>;
  readonly usedParameters: ReadonlySet<string>;
  /** Where each shared condition stands. */
  readonly conditions: LoadedConditions['places'];
  readonly usedConditions: ReadonlySet<string>;
  readonly tables: readonly {
    readonly table: string;
    readonly many: boolean;
    readonly problem: (message: string, hint?: string) => Problem;
  }[];
  /** The paths of every check with conditions, those of wrong ones too. */
  readonly paths: readonly (ReadPaths & { readonly provider: Provider; readonly source: YamlSource; readonly at: At })[];
  /** Mistakes: with any, the catalogue holds only what is right, and cannot be used. */
  readonly mistakes: readonly Problem[];
}

/** Reads controls.yaml and the files it names, and compiles them. Throws CatalogueError with every mistake found. */
export async function loadCatalogue(file: string): Promise<Catalogue> {
  return (await loadCatalogueSources(file)).catalogue;
}

/** The same, with what the lint needs besides. */
export async function loadCatalogueSources(file: string): Promise<LoadedCatalogue> {
  const loaded = await readCatalogueSources(file);
  if (loaded.mistakes.length > 0) throw new CatalogueError(loaded.mistakes);
  return loaded;
}

/** The same, whatever is wrong in it. Throws CatalogueError only where controls.yaml itself cannot be made out. */
export async function readCatalogueSources(file: string): Promise<LoadedCatalogue> {
  const directory = dirname(file);
  const problems: Problem[] = [];
  const files: { file: string; sha256: string }[] = [];
  const read = async (name: string): Promise<YamlSource> => {
    const bytes = await readFile(join(directory, name));
    files.push({ file: name, sha256: createHash('sha256').update(bytes).digest('hex') });
    const source = parseYaml(name, bytes.toString('utf8'));
    problems.push(...source.problems);
    return source;
  };
  const entrySource = await read(basename(file));
  const entry =
    entrySource.problems.length > 0
      ? undefined
      : (validate(entrySchema, entrySource.value, entrySource, [], problems) ?? usableEntry(entrySource.value));
  if (entry === undefined) throw new CatalogueError(problems);
  const parameters = parametersOf(entry, entrySource, problems);
  const shared: YamlSource[] = [];
  for (const name of await included(directory, entry, 'conditions', entrySource, problems)) shared.push(await read(name));
  const sources = new Map<string, YamlSource>();
  for (const name of await included(directory, entry, 'include', entrySource, problems)) sources.set(name, await read(name));
  const loader = newLoader(entry, parameters, problems, loadConditions(shared, parameters, problems));
  for (const source of sources.values()) loadFile(loader, source);
  const order = new Map(entry.sections.map((section, index) => [section, index]));
  const controls = loader.controls.toSorted((a, b) => (order.get(a.control.section) ?? 0) - (order.get(b.control.section) ?? 0));
  return {
    catalogue: { name: entry.name, version: entry.version, directory, files, sections: entry.sections, parameters, controls },
    doubts: loader.doubts,
    sources,
    entry: entrySource,
    places: loader.places,
    usedParameters: loader.usedParameters,
    conditions: loader.shared.places,
    usedConditions: loader.usedConditions,
    tables: loader.tables,
    paths: loader.paths,
    mistakes: problems,
  };
}

/** Of a wrong controls.yaml what the controls can be checked with; undefined where its mistakes would make theirs. */
function usableEntry(value: unknown): CatalogueEntry | undefined {
  if (!isObject(value)) return undefined;
  const { parameters, include, conditions, sections } = entrySchema.shape;
  const parts = z.object({ parameters, include, conditions, sections: sections.catch([]) }).safeParse(value);
  return parts.success ? { name: '', version: '', ...parts.data } : undefined;
}

/** Compiles controls given as text, for tests and for judging a draft: same rules, one file. */
export function compileControls(
  text: string,
  parameters: Readonly<Record<string, ParameterDefinition>> = {},
  sections: readonly string[] = [],
): CompiledControl[] {
  const source = parseYaml('controls.yaml', text);
  const problems: Problem[] = [...source.problems];
  const loader = newLoader(
    { name: '', version: '', parameters: {}, sections: [...sections], include: [], conditions: [] },
    parameters,
    problems,
  );
  if (problems.length === 0) loadFile(loader, source);
  if (problems.length > 0) throw new CatalogueError(problems);
  return loader.controls;
}

interface Loader {
  readonly entry: CatalogueEntry;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  readonly problems: Problem[];
  readonly doubts: Problem[];
  readonly controls: CompiledControl[];
  readonly places: Map<string, { source: YamlSource; at: At }>;
  readonly usedParameters: Set<string>;
  readonly shared: LoadedConditions;
  readonly usedConditions: Set<string>;
  readonly tables: LoadedCatalogue['tables'][number][];
  readonly paths: LoadedCatalogue['paths'][number][];
}

function newLoader(
  entry: CatalogueEntry,
  parameters: Loader['parameters'],
  problems: Problem[],
  shared: LoadedConditions = noConditions,
): Loader {
  const loader: Loader = {
    entry,
    parameters,
    problems,
    doubts: [],
    controls: [],
    places: new Map(),
    usedParameters: new Set(),
    shared,
    usedConditions: new Set(),
    tables: [],
    paths: [],
  };
  for (const { source, table } of shared.tables) noteTable(loader, source, table);
  return loader;
}

function noteTable({ tables }: Loader, source: YamlSource, { table, many, at }: CheckCompilation['tables'][number]): void {
  tables.push({ table, many, problem: (message, hint) => source.problem(at, message, hint) });
}

/** A doubt stands where its words do. What each use of a shared condition doubts is told once. */
function noteDoubt({ doubts, shared }: Loader, source: YamlSource, doubt: CheckCompilation['doubts'][number]): void {
  const where = doubt.within === undefined ? source : (shared.places.get(doubt.within)?.source ?? source);
  const problem = where.problem(doubt.at, doubt.message, doubt.hint, doubt.rule);
  const { file, line, column, rule } = problem;
  if (
    doubt.within === undefined ||
    !doubts.some((one) => one.file === file && one.line === line && one.column === column && one.rule === rule)
  )
    doubts.push(problem);
}

function loadFile(loader: Loader, source: YamlSource): void {
  const { problems } = loader;
  if (source.problems.length > 0 || source.value === null) return;
  if (!Array.isArray(source.value)) {
    problems.push(source.problem([], 'a control file is a list of controls', 'begin each control with - id: …'));
    return;
  }
  for (const [index, value] of source.value.entries()) {
    const at = [index];
    const entry = validate(controlSchema, value, source, at, problems);
    if (entry === undefined) {
      if (isObject(value)) checkSection(loader, source, at, value['section']);
      tellConditions(loader, source, at, value);
      continue;
    }
    const before = loader.places.get(entry.id);
    if (before !== undefined) {
      const { line } = before.source.position(before.at);
      problems.push(source.problem([...at, 'id'], `there is a control ${entry.id} already`, `at ${before.source.file}:${line}`));
      tellConditions(loader, source, at, value);
      continue;
    }
    loader.places.set(entry.id, { source, at });
    checkSection(loader, source, at, entry.section);
    loadControl(loader, source, at, entry, value as Record<string, unknown>);
  }
}

function checkSection({ entry: { sections }, problems }: Loader, source: YamlSource, at: At, section: unknown): void {
  if (typeof section !== 'string' || section === '' || sections.length === 0 || sections.includes(section)) return;
  const hint = didYouMean(section, sections) ?? 'add it to `sections` in controls.yaml';
  problems.push(source.problem([...at, 'section'], `unknown section ${section}`, hint));
}

const checkWords = ['on', 'scope', 'when', 'let', 'require', 'aggregate', 'satisfied', 'verdict', 'question'] as const;

function loadControl(loader: Loader, source: YamlSource, at: At, entry: ControlEntry, raw: Record<string, unknown>): void {
  const { problems } = loader;
  const provider = entry.id.slice(0, entry.id.indexOf('-')) as Provider;
  const inline = checkWords.filter((word) => raw[word] !== undefined);
  const written: { check: CheckEntry; raw: Record<string, unknown>; at: At }[] = [];
  if (entry.checks === undefined) {
    if (inline.length === 0)
      problems.push(
        source.problem(
          [...at, 'id'],
          `${entry.id} checks nothing`,
          'add `on` and `require`, a `verdict`, a `question`, or a list of `checks`',
        ),
      );
    else
      written.push({
        check: { ...Object.fromEntries(checkWords.map((word) => [word, raw[word]])), id: 'main', title: entry.title },
        raw,
        at,
      });
  } else {
    for (const word of inline)
      problems.push(source.problem([...at, word], `\`${word}\` stands beside \`checks\``, 'put it into one of them'));
    const seen = new Set<string>();
    for (const [index, check] of entry.checks.entries()) {
      const where = [...at, 'checks', index];
      if (seen.has(check.id)) problems.push(source.problem([...where, 'id'], `there is a check ${check.id} already`));
      seen.add(check.id);
      written.push({ check, raw: (raw['checks'] as Record<string, unknown>[])[index] as Record<string, unknown>, at: where });
    }
  }
  const checks: CompiledCheck[] = [];
  for (const one of written) {
    const check = loadCheck(loader, source, provider, entry, one.check, one.raw, one.at);
    if (check !== undefined) checks.push(check);
  }
  for (const check of checks) {
    if ((check.kind === 'manual') !== (entry.assessment === 'manual'))
      problems.push(
        source.problem(
          [...at, 'assessment'],
          `the assessment is ${entry.assessment}, and check ${check.id} is ${check.kind === 'manual' ? 'a question for a person' : 'judged from evidence'}`,
        ),
      );
  }
  const { file } = source;
  const { line } = source.position(at);
  loader.controls.push({ control: controlOf(entry, provider, checks, `${file}:${line}`), checks, source: { file, line } });
}

function loadCheck(
  loader: Loader,
  source: YamlSource,
  provider: Provider,
  entry: ControlEntry,
  check: CheckEntry,
  raw: Record<string, unknown>,
  at: At,
): CompiledCheck | undefined {
  const { problems } = loader;
  const title = check.title ?? entry.title;
  const forms = [check.verdict !== undefined, check.question !== undefined, check.require !== undefined || check.on !== undefined].filter(
    Boolean,
  ).length;
  if (forms !== 1) {
    problems.push(
      source.problem(
        at,
        forms === 0
          ? 'this check has neither `on` with `require`, nor `verdict`, nor `question`'
          : '`verdict`, `question` and `on` with `require` exclude each other',
      ),
    );
    return undefined;
  }
  if (check.question !== undefined) return { kind: 'manual', id: check.id, title, question: check.question };
  if (check.verdict !== undefined) {
    return loadVerdict(problems, source, provider, { ...check, title, verdict: check.verdict }, [...at, 'verdict']);
  }
  const compiled = compileWritten(loader, source, { id: check.id, title, provider }, raw, at);
  // What is not compiled may be what uses a variable.
  for (const doubt of compiled.doubts) if (compiled.check !== undefined || doubt.rule !== 'unused-let') noteDoubt(loader, source, doubt);
  for (const name of compiled.usedParameters) loader.usedParameters.add(name);
  for (const name of compiled.usedConditions) loader.usedConditions.add(name);
  return compiled.check;
}

const providers = Object.keys(typeShape) as Provider[];

/** Types of the three are spelled so differently that one tells. */
function providerOfTypes(on: unknown): Provider | undefined {
  const types: unknown[] = Array.isArray(on) ? on : [on];
  return providers.find((provider) => types.some((type) => typeof type === 'string' && typeShape[provider].test(type)));
}

/** Mistakes in the conditions of a control that is wrong elsewhere: they are told together with those. */
function tellConditions(loader: Loader, source: YamlSource, at: At, value: unknown): void {
  if (!isObject(value)) return;
  const { id, checks } = value;
  const written = Array.isArray(checks)
    ? checks.map((raw: unknown, index) => ({ raw, at: [...at, 'checks', index] }))
    : [{ raw: value, at }];
  for (const one of written) {
    if (!isObject(one.raw) || one.raw['on'] === undefined || one.raw['require'] === undefined) continue;
    const provider = providers.find((name) => (typeof id === 'string' ? id : '').startsWith(`${name}-`)) ?? providerOfTypes(one.raw['on']);
    if (provider !== undefined) compileWritten(loader, source, { id: '', title: '', provider }, one.raw, one.at);
  }
}

function compileWritten(
  loader: Loader,
  source: YamlSource,
  of: Pick<CheckSource, 'id' | 'title' | 'provider'>,
  raw: Record<string, unknown>,
  at: At,
): CheckCompilation {
  const definition = Object.fromEntries(checkWords.filter((word) => raw[word] !== undefined).map((word) => [word, raw[word]]));
  const compiled = compileCheck({ ...of, definition, at }, loader.parameters, loader.shared.conditions);
  for (const error of compiled.errors) loader.problems.push(source.problem(error.at, error.message, error.hint));
  for (const table of compiled.tables) noteTable(loader, source, table);
  loader.paths.push({ ...compiled.paths, provider: of.provider, source, at });
  return compiled;
}

function ruleText({ rule, about }: VerdictCheck): string {
  return about === undefined ? rule : `${rule} ${about.as === 'resources' ? 'on' : 'within'} ${about.types.join(', ')}`;
}

function controlOf(entry: ControlEntry, provider: Provider, checks: readonly CompiledCheck[], source: string): Control {
  const { description, rationale, impact, defaultValue, prerequisites, audit, remediation, backOut, references } = entry;
  return {
    id: entry.id,
    title: entry.title,
    provider,
    section: entry.section,
    level: entry.level,
    assessment: entry.assessment,
    profileApplicability: entry.profiles,
    mappings: entry.mappings,
    source,
    prose: { description, rationale, impact, defaultValue, prerequisites, audit, remediation, backOut, references },
    checks: checks.map((check) => ({
      id: check.id,
      kind: check.kind,
      title: check.title,
      on: check.kind === 'condition' ? check.on.join(', ') : check.kind === 'verdict' ? ruleText(check) : check.question,
    })),
  };
}
