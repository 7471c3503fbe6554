import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareText, freshnessParameters, isJsonObject } from '../../model/index.ts';
import type { Json } from '../../model/index.ts';
import { nearest } from '../../text/nearest.ts';
import { knownPaths } from './known-paths.ts';
import { CatalogueError, readCatalogueSources } from './load.ts';
import type { LoadedCatalogue } from './load.ts';
import { parsePath, readPath } from '../language/paths.ts';
import { didYouMean } from './suggest.ts';
import { lookupTable, tableFamilies, tableNames } from '../lookups/tables.ts';
import type { CompiledControl, ConditionCheck, Problem } from '../types.ts';
import { parseYaml } from './yaml-source.ts';

export interface LintOptions {
  /** Directory of the case files, `test/cases`; null leaves the rules about cases out. */
  readonly cases: string | null;
}

/** The rules of the lint, in the order of the reference. */
export const lintRules = [
  'absence-decides',
  'others-decide',
  'unused-let',
  'unused-parameter',
  'unused-condition',
  'unused-section',
  'missing-prose',
  'unknown-table',
  'lookup-many',
  'verdict-subject',
  'path-spelling',
  'path-unseen',
  'missing-cases',
] as const;

/** Everything wrong or doubtful in the catalogue of that file, errors first. Never throws for what the catalogue holds. */
export async function lintFile(file: string, options: LintOptions): Promise<Problem[]> {
  return (await lintWhole(file, options)).problems;
}

/** The same, with the number of its controls. */
export async function lintWhole(file: string, options: LintOptions): Promise<{ problems: Problem[]; controls: number }> {
  try {
    const loaded = await readCatalogueSources(file);
    return { problems: lintCatalogue(loaded, options), controls: loaded.catalogue.controls.length };
  } catch (error) {
    if (error instanceof CatalogueError) return { problems: [...error.problems], controls: 0 };
    throw error;
  }
}

/** Mistakes of a catalogue and doubts about it; what is not used is known only of one that loads. */
export function lintCatalogue(loaded: LoadedCatalogue, options: LintOptions): Problem[] {
  const problems: Problem[] = [...loaded.mistakes, ...loaded.doubts];
  const at = (control: CompiledControl, path: readonly (string | number)[], message: string, rule: string, hint?: string): void => {
    const place = loaded.places.get(control.control.id);
    if (place !== undefined) problems.push(place.source.problem([...place.at, ...path], message, hint, rule));
  };
  for (const { table, many, problem } of loaded.tables) {
    const known = lookupTable(table);
    if (known?.many === true && !many)
      problems.push({
        ...problem(`${table} leads to several records`, 'many: true, and look into them with some, every or none'),
        rule: 'lookup-many',
      });
    if (known !== undefined) continue;
    const names = [...tableNames, ...Object.keys(tableFamilies).map((family) => `${family}:<type>`)];
    problems.push({
      ...problem(`unknown lookup table ${table}`, didYouMean(table, names) ?? `tables are ${names.join(', ')}`),
      rule: 'unknown-table',
    });
  }
  if (loaded.mistakes.length === 0) problems.push(...unusedParts(loaded));
  for (const control of loaded.catalogue.controls) {
    for (const [path, name] of missingProse(control)) at(control, path, `${control.control.id} has no ${name}`, 'missing-prose');
    for (const check of control.checks) {
      if (check.kind === 'verdict' && check.provider === 'azure' && check.about === undefined)
        at(
          control,
          ['id'],
          `${control.control.id} does not say what its policy judges`,
          'verdict-subject',
          'on: <type>, or parents: <type> where the inventory lists only what holds it',
        );
    }
  }
  lintPaths(loaded, problems);
  if (options.cases !== null) {
    const { cases } = options;
    for (const control of loaded.catalogue.controls) if (control.control.assessment === 'automated') lintCases(control, cases, at);
  }
  return problems.sort((a, b) => rank(a) - rank(b) || compareText(a.file, b.file) || a.line - b.line || a.column - b.column);
}

/** Errors first; cases are written last. */
function rank({ severity, rule }: Problem): number {
  return severity === 'error' ? 0 : rule === 'missing-cases' || rule === 'path-unseen' ? 2 : 1;
}

function unusedParts(loaded: LoadedCatalogue): Problem[] {
  const problems: Problem[] = [];
  for (const name of Object.keys(loaded.catalogue.parameters)) {
    if (loaded.usedParameters.has(name) || Object.hasOwn(freshnessParameters, name)) continue;
    problems.push(loaded.entry.problem(['parameters', name], `no control uses the parameter ${name}`, undefined, 'unused-parameter'));
  }
  for (const [name, { source, at: where }] of loaded.conditions)
    if (!loaded.usedConditions.has(name))
      problems.push(source.problem(where, `no control meets the shared condition ${name}`, undefined, 'unused-condition'));
  const used = new Set(loaded.catalogue.controls.map(({ control }) => control.section));
  loaded.catalogue.sections.forEach((section, index) => {
    if (!used.has(section))
      problems.push(loaded.entry.problem(['sections', index], `no control is in the section ${section}`, undefined, 'unused-section'));
  });
  return problems;
}

type At = (control: CompiledControl, path: readonly (string | number)[], message: string, rule: string, hint?: string) => void;

function missingProse({ control }: CompiledControl): [string[], string][] {
  const { prose } = control;
  const wanted: [string[], string, boolean][] = [
    [['profiles'], 'profile applicability', control.profileApplicability.length > 0],
    [['description'], 'description', filled(prose.description)],
    [['rationale'], 'rationale', filled(prose.rationale)],
    [['impact'], 'impact (pros)', filled(prose.impact.pros)],
    [['impact'], 'impact (cons)', filled(prose.impact.cons)],
    [['defaultValue'], 'default value', filled(prose.defaultValue)],
    [['prerequisites'], 'prerequisites', filled(prose.prerequisites)],
    [['audit'], 'audit procedure (console)', filled(prose.audit.console)],
    [['audit'], 'audit procedure (cli)', filled(prose.audit.cli)],
    [['remediation'], 'implementation plan (console)', filled(prose.remediation.console)],
    [['remediation'], 'implementation plan (cli)', filled(prose.remediation.cli)],
    [['backOut'], 'back-out plan', filled(prose.backOut)],
    [['references'], 'references', prose.references.length > 0],
    [['mappings'], 'mappings', Object.values(control.mappings).some((ids) => ids.length > 0)],
  ];
  return wanted.filter(([, , there]) => !there).map(([path, name]) => [path, name]);
}

function filled(text: string): boolean {
  return text.trim() !== '';
}

/** A path one letter away from a published field is a slip. */
function lintPaths({ paths }: LoadedCatalogue, problems: Problem[]): void {
  for (const { on, subjectReads, reads, provider, source, at } of paths) {
    const caseless = provider === 'azure';
    const report = (where: string, type: string) => (path: string, near: string) =>
      problems.push(source.problem([...at, where], `${type} has no ${path}`, `did you mean ${near}?`, 'path-spelling'));
    for (const type of on) spellings(subjectReads, type, caseless, report('on', type));
    for (const [table, read] of reads) {
      if (read === '*') continue;
      const [type, ...others] = (lookupTable(table)?.sources ?? []).flatMap((one) => (one.kind === 'resource' ? [one.type] : []));
      if (type !== undefined && others.length === 0) spellings(read, type, caseless, report('let', type));
    }
  }
}

function spellings(reads: readonly string[], type: string, caseless: boolean, report: (path: string, near: string) => void): void {
  const known = knownPaths(type);
  if (known.length === 0) return;
  const fold = (text: string): string => (caseless ? text.toLowerCase() : text);
  const names = new Set(known.flatMap((path) => path.split('.').map((_, index, all) => fold(all.slice(0, index + 1).join('.')))));
  const reported = new Set<string>();
  for (const read of reads) {
    const segments = parsePath(readPath(read)).segments.filter((segment) => typeof segment === 'string');
    for (let length = 2; length <= segments.length; length++) {
      const path = segments.slice(0, length).join('.');
      const parent = fold(segments.slice(0, length - 1).join('.'));
      if (names.has(fold(path)) || !names.has(parent)) continue;
      const siblings = known.filter((candidate) => fold(candidate.slice(0, candidate.lastIndexOf('.'))) === parent);
      const last = segments[length - 1] ?? '';
      const near = siblings.find((candidate) => slip(last, candidate.slice(candidate.lastIndexOf('.') + 1)));
      if (near === undefined || reported.has(path)) continue;
      reported.add(path);
      report(path, near);
    }
  }
}

/** Differs only in case, or by a letter or two of a longer word. */
function slip(word: string, known: string): boolean {
  if (word === known) return false;
  if (word.toLowerCase() === known.toLowerCase()) return true;
  return (
    word.length > 5 &&
    Math.abs(word.length - known.length) <= 1 &&
    nearest(word, [known]) === known &&
    shared(word, known) >= word.length - 3
  );
}

function shared(a: string, b: string): number {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return start + end;
}

const wantedCases = ['pass', 'fail', 'unknown'] as const;

/** Every automated control has a passing, a failing, an unknown and an empty case, and each path it reads occurs in one of them. */
function lintCases(control: CompiledControl, directory: string, at: At): void {
  const checks = control.checks.filter((check) => check.kind !== 'manual');
  const { id, provider } = control.control;
  const name = `${provider}/${id}.yaml`;
  const file = join(directory, provider, `${id}.yaml`);
  if (!existsSync(file)) {
    at(control, ['id'], `${id} has no cases`, 'missing-cases', `write ${name} among the case files`);
    return;
  }
  const { value, problems } = parseYaml(name, readFileSync(file, 'utf8'));
  if (problems.length > 0 || !Array.isArray(value)) {
    at(control, ['id'], `the case file ${name} cannot be read: ${problems[0]?.message ?? 'it is not a list'}`, 'missing-cases');
    return;
  }
  const cases = value.filter((entry) => isJsonObject(entry));
  for (const check of checks) {
    const own = cases.filter((entry) => entry['check'] === undefined || entry['check'] === check.id);
    const what = checks.length === 1 ? id : `check ${check.id} of ${id}`;
    for (const wanted of wantedCases)
      if (!own.some((entry) => entry['expect'] === wanted && entry['empty'] !== true))
        at(control, ['id'], `${what} has no case that is ${wanted}`, 'missing-cases');
    if (!own.some((entry) => entry['empty'] === true)) at(control, ['id'], `${what} has no empty case`, 'missing-cases');
    if (check.kind === 'condition') lintSeen(control, check, own, at);
  }
}

function lintSeen(control: CompiledControl, check: ConditionCheck, cases: readonly Record<string, Json>[], at: At): void {
  const documents = cases.map((entry) => entry['document']).filter((document) => document !== undefined);
  const known = new Set(check.on.flatMap(knownPaths));
  for (const read of check.subjectReads) {
    const path = readPath(read);
    if (known.has(path) || documents.some((document) => occurs(document, parsePath(path).segments))) continue;
    at(control, ['on'], `no case of ${control.control.id} holds ${path}`, 'path-unseen', 'add it to the document of a case, or correct it');
  }
}

/** Whether a path leads to something, whatever the encoding on the way. */
function occurs(document: Json | undefined, segments: readonly (string | number)[]): boolean {
  let value: Json | undefined = document;
  for (const segment of segments) {
    if (typeof value === 'string' && /^\s*[[{]/.test(value)) {
      try {
        value = JSON.parse(value) as Json;
      } catch {
        return false;
      }
    }
    if (typeof segment === 'number') value = Array.isArray(value) ? value.at(segment) : undefined;
    else if (isJsonObject(value)) {
      const key: string | undefined = Object.keys(value).find((candidate) => candidate.toLowerCase() === segment.toLowerCase());
      value = key === undefined ? undefined : value[key];
    } else return false;
    if (value === undefined) return false;
  }
  return true;
}
