import { compileShared } from '../language/compile.ts';
import type { At, CheckCompiler, SharedCondition, SharedConditions } from '../language/scope.ts';
import { isJsonObject } from '../../model/index.ts';
import { sharedConditionSchema, validate } from './envelope.ts';
import type { ParameterDefinition, Problem } from '../types.ts';
import type { YamlSource } from './yaml-source.ts';

/** The shared conditions of a catalogue, and where each stands. */
export interface LoadedConditions {
  readonly conditions: SharedConditions;
  readonly places: ReadonlyMap<string, { readonly source: YamlSource; readonly at: At }>;
  readonly tables: readonly { readonly source: YamlSource; readonly table: CheckCompiler['tables'][number] }[];
}

export const noConditions: LoadedConditions = { conditions: new Map(), places: new Map(), tables: [] };

type Places = Map<string, { readonly source: YamlSource; readonly at: At }>;

/** Reads files of shared conditions. Each is compiled by itself, so that its mistakes are told once and where they are. */
export function loadConditions(
  sources: readonly YamlSource[],
  parameters: Readonly<Record<string, ParameterDefinition>>,
  problems: Problem[],
): LoadedConditions {
  const places: Places = new Map();
  const written = new Map<string, SharedCondition>();
  for (const source of sources) readConditions(source, written, places, problems);
  const conditions = new Map<string, SharedCondition | null>([...places.keys()].map((name) => [name, null]));
  const tables: { source: YamlSource; table: CheckCompiler['tables'][number] }[] = [];
  const report = (name: string, at: At, message: string, hint?: string): void => {
    const problem = places.get(name)?.source.problem(at, message, hint);
    if (problem !== undefined) problems.push(problem);
  };
  for (const [name, shared] of usedFirst(written, report)) {
    const source = places.get(name)?.source;
    if (source === undefined) continue;
    const { sound, errors, tables: read } = compileShared(shared, conditions, parameters);
    for (const { at, message, hint } of errors) report(name, at, message, hint);
    for (const table of read) tables.push({ source, table });
    if (sound) conditions.set(name, shared);
  }
  return { conditions, places, tables };
}

function readConditions(source: YamlSource, written: Map<string, SharedCondition>, places: Places, problems: Problem[]): void {
  if (source.problems.length > 0 || source.value === null) return;
  if (!isJsonObject(source.value)) {
    problems.push(
      source.problem([], 'a file of shared conditions is a map of their names', 'name: { title: …, needs: [variable], condition: … }'),
    );
    return;
  }
  for (const [name, value] of Object.entries(source.value)) {
    const before = places.get(name);
    if (before !== undefined) {
      const { line } = before.source.position(before.at);
      problems.push(source.problem([name], `there is a shared condition ${name} already`, `at ${before.source.file}:${line}`));
      continue;
    }
    places.set(name, { source, at: [name] });
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
      problems.push(source.problem([name], `\`${name}\` cannot name a shared condition`, 'use lower-case letters, digits and dashes'));
    const entry = validate(sharedConditionSchema, value, source, [name], problems);
    if (entry !== undefined) written.set(name, { ...entry, at: [name, 'condition'] });
  }
}

/** Each after those it meets. One that leads back to itself is reported, and comes before one that it meets. */
function usedFirst(
  written: ReadonlyMap<string, SharedCondition>,
  report: (name: string, at: At, message: string, hint: string) => void,
): ReadonlyMap<string, SharedCondition> {
  const ordered = new Map<string, SharedCondition>();
  const open: string[] = [];
  const visit = (name: string, shared: SharedCondition): void => {
    open.push(name);
    for (const { met, at } of meetings(shared.condition, shared.at)) {
      const start = open.indexOf(met);
      const next = written.get(met);
      if (start >= 0) report(name, at, `${met} meets itself`, [...open.slice(start), met].join(' → '));
      else if (next !== undefined && !ordered.has(met)) visit(met, next);
    }
    open.pop();
    ordered.set(name, shared);
  };
  for (const [name, shared] of written) if (!ordered.has(name)) visit(name, shared);
  return ordered;
}

/** Every `meets` in a condition, with its place. */
function* meetings(value: unknown, at: At): Generator<{ met: string; at: At }> {
  if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) yield* meetings(entry, [...at, index]);
    return;
  }
  if (!isJsonObject(value)) return;
  if (typeof value['meets'] === 'string') yield { met: value['meets'], at: [...at, 'meets'] };
  for (const [key, entry] of Object.entries(value)) yield* meetings(entry, [...at, key]);
}
