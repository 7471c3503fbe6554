import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import type { Control, Json, Provider } from '../../model/index.ts';
import { compileCheck, typeShape } from '../language/compile.ts';
import { controlSchema, entrySchema, validate } from './envelope.ts';
import type { CatalogueEntry, CheckEntry, ControlEntry } from './envelope.ts';
import { parseDuration } from '../language/convert.ts';
import type { At } from '../language/scope.ts';
import { didYouMean } from './suggest.ts';
import { accountSubject } from '../assess/native.ts';
import type { Catalogue, CompiledCheck, CompiledControl, ParameterDefinition, Problem, VerdictCheck } from '../types.ts';
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
  readonly tables: readonly {
    readonly table: string;
    readonly many: boolean;
    readonly problem: (message: string, hint?: string) => Problem;
  }[];
}

/** Reads controls.yaml and the files it includes, and compiles them. Throws CatalogueError with every mistake found. */
export async function loadCatalogue(file: string): Promise<Catalogue> {
  return (await loadCatalogueSources(file)).catalogue;
}

export async function loadCatalogueSources(file: string): Promise<LoadedCatalogue> {
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
  const entry = entrySource.problems.length > 0 ? undefined : validate(entrySchema, entrySource.value, entrySource, [], problems);
  if (entry === undefined) throw new CatalogueError(problems);
  const parameters = parametersOf(entry, entrySource, problems);
  const sources = new Map<string, YamlSource>();
  for (const name of await included(directory, entry, entrySource, problems)) sources.set(name, await read(name));
  const loader = newLoader(entry, parameters, problems);
  for (const source of sources.values()) loadFile(loader, source);
  if (problems.length > 0) throw new CatalogueError(problems);
  const order = new Map(entry.sections.map((section, index) => [section, index]));
  const controls = loader.controls.toSorted((a, b) => (order.get(a.control.section) ?? 0) - (order.get(b.control.section) ?? 0));
  return {
    catalogue: { name: entry.name, version: entry.version, directory, files, sections: entry.sections, parameters, controls },
    doubts: loader.doubts,
    sources,
    entry: entrySource,
    places: loader.places,
    usedParameters: loader.usedParameters,
    tables: loader.tables,
  };
}

/** Compiles controls given as text, for tests and for judging a draft: same rules, one file. */
export function compileControls(
  text: string,
  parameters: Readonly<Record<string, ParameterDefinition>> = {},
  sections: readonly string[] = [],
): CompiledControl[] {
  const source = parseYaml('controls.yaml', text);
  const problems: Problem[] = [...source.problems];
  const loader = newLoader({ name: '', version: '', parameters: {}, sections: [...sections], include: [] }, parameters, problems);
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
  readonly tables: { table: string; many: boolean; problem: (message: string, hint?: string) => Problem }[];
}

function newLoader(entry: CatalogueEntry, parameters: Loader['parameters'], problems: Problem[]): Loader {
  return { entry, parameters, problems, doubts: [], controls: [], places: new Map(), usedParameters: new Set(), tables: [] };
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
    if (entry === undefined) continue;
    const before = loader.places.get(entry.id);
    if (before !== undefined) {
      const { line } = before.source.position(before.at);
      problems.push(source.problem([...at, 'id'], `there is a control ${entry.id} already`, `at ${before.source.file}:${line}`));
      continue;
    }
    loader.places.set(entry.id, { source, at });
    if (loader.entry.sections.length > 0 && !loader.entry.sections.includes(entry.section)) {
      problems.push(
        source.problem(
          [...at, 'section'],
          `unknown section ${entry.section}`,
          didYouMean(entry.section, loader.entry.sections) ?? 'add it to `sections` in controls.yaml',
        ),
      );
    }
    loadControl(loader, source, at, entry, value as Record<string, unknown>);
  }
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
    return loadVerdict(loader, source, provider, { ...check, title, verdict: check.verdict }, [...at, 'verdict']);
  }
  const definition = Object.fromEntries(checkWords.filter((word) => raw[word] !== undefined).map((word) => [word, raw[word]]));
  const compiled = compileCheck({ id: check.id, title, provider, definition, at }, loader.parameters);
  for (const error of compiled.errors) problems.push(source.problem(error.at, error.message, error.hint));
  for (const doubt of compiled.doubts) loader.doubts.push(source.problem(doubt.at, doubt.message, doubt.hint, doubt.rule));
  for (const name of compiled.usedParameters) loader.usedParameters.add(name);
  for (const table of compiled.tables)
    loader.tables.push({ table: table.table, many: table.many, problem: (message, hint) => source.problem(table.at, message, hint) });
  return compiled.check;
}

function loadVerdict(
  loader: Loader,
  source: YamlSource,
  provider: Provider,
  check: { id: string; title: string; verdict: NonNullable<CheckEntry['verdict']> },
  at: At,
): VerdictCheck {
  const { problems } = loader;
  const { on, parents } = check.verdict;
  const [kind, named] =
    'awsConfigRule' in check.verdict
      ? (['awsConfigRule', check.verdict.awsConfigRule] as const)
      : (['azurePolicy', check.verdict.azurePolicy] as const);
  if (provider !== (kind === 'awsConfigRule' ? 'aws' : 'azure'))
    problems.push(source.problem(at, `a control of ${provider} cannot rest on ${kind}`));
  if (on !== undefined && parents !== undefined)
    problems.push(
      source.problem(
        [...at, 'parents'],
        '`on` and `parents` exclude each other',
        '`on` where the inventory lists what the rule judges, `parents` where it lists only what holds it',
      ),
    );
  const plain = {
    kind: 'verdict',
    id: check.id,
    title: check.title,
    provider,
    rule: kind === 'azurePolicy' ? named.toLowerCase() : named,
  } as const;
  const as = on !== undefined ? 'resources' : 'parents';
  const written = on ?? parents;
  if (written === undefined) return plain;
  const types = (typeof written === 'string' ? [written] : written).map((type) => (provider === 'azure' ? type.toLowerCase() : type));
  const where = [...at, on !== undefined ? 'on' : 'parents'];
  for (const type of types) {
    if (type === accountSubject)
      problems.push(
        source.problem(where, `${accountSubject} is no type of the inventory`, 'leave it out: of accounts there is one in each account'),
      );
    else if (types.indexOf(type) !== types.lastIndexOf(type)) problems.push(source.problem(where, `${type} is named twice`));
    else if (!typeShape[provider].test(type)) problems.push(source.problem(where, `${type} is no resource type of ${provider}`));
  }
  return { ...plain, about: { as, types } };
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

/** Files named by `include`: plain paths, or `controls/aws/*.yaml`. In the order of the list, sorted within a pattern. */
async function included(directory: string, entry: CatalogueEntry, source: YamlSource, problems: Problem[]): Promise<string[]> {
  const found: string[] = [];
  for (const [index, pattern] of entry.include.entries()) {
    const folder = posix.dirname(pattern);
    const wanted = posix.basename(pattern);
    if (posix.isAbsolute(pattern) || pattern.split('/').includes('..') || folder.includes('*')) {
      problems.push(source.problem(['include', index], `${pattern} must be a path below this directory, with * in the file name only`));
      continue;
    }
    const expression = new RegExp(
      `^${wanted
        .split('*')
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^/]*')}$`,
    );
    let names: string[] = [];
    try {
      names = (await readdir(join(directory, folder))).filter((name) => expression.test(name)).sort();
    } catch {
      // a directory that is not there holds no file
    }
    if (names.length === 0) problems.push(source.problem(['include', index], `${pattern} names no file`));
    for (const name of names) {
      const path = folder === '.' ? name : posix.join(folder, name);
      if (!found.includes(path)) found.push(path);
    }
  }
  return found;
}

function parametersOf(entry: CatalogueEntry, source: YamlSource, problems: Problem[]): Record<string, ParameterDefinition> {
  const parameters: Record<string, ParameterDefinition> = {};
  for (const [name, definition] of Object.entries(entry.parameters)) {
    const mistake = parameterMistake(definition.type, definition.default);
    if (mistake !== null) problems.push(source.problem(['parameters', name, 'default'], `the default of ${name} ${mistake}`));
    parameters[name] = { name, type: definition.type, default: definition.default, description: definition.description };
  }
  return parameters;
}

/** What is wrong with a parameter's value, or null. */
export function parameterMistake(type: ParameterDefinition['type'], value: Json): string | null {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? null : 'must be a text';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? null : 'must be a number';
    case 'integer':
      return Number.isSafeInteger(value) ? null : 'must be a whole number';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'must be true or false';
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== null ? null : 'must be a duration such as P90D';
    case 'list':
      return Array.isArray(value) && new Set(value.map((entry) => typeof entry)).size <= 1 ? null : 'must be a list of texts or of numbers';
  }
}

/**
 * The parameters of a run: defaults with the engagement's values put over them. Mistakes come back as sentences,
 * so that the configuration loader can say where they stand.
 */
export function resolveParameters(
  catalogue: Pick<Catalogue, 'parameters'>,
  overrides: Readonly<Record<string, unknown>>,
): { parameters: Record<string, Json>; mistakes: { name: string; message: string }[] } {
  const parameters: Record<string, Json> = {};
  const mistakes: { name: string; message: string }[] = [];
  for (const definition of Object.values(catalogue.parameters)) parameters[definition.name] = definition.default;
  for (const [name, value] of Object.entries(overrides)) {
    const definition = Object.hasOwn(catalogue.parameters, name) ? catalogue.parameters[name] : undefined;
    if (definition === undefined) {
      mistakes.push({
        name,
        message: `unknown parameter ${name}${didYouMean(name, Object.keys(catalogue.parameters))?.replace(/^/, ' (').concat(')') ?? ''}`,
      });
      continue;
    }
    const mistake = parameterMistake(definition.type, value as Json);
    if (mistake === null) parameters[name] = value as Json;
    else mistakes.push({ name, message: `the parameter ${name} ${mistake}` });
  }
  return { parameters, mistakes };
}
