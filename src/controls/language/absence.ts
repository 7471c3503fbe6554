import type { Polarity } from './condition.ts';
import { compilePath, isObject } from './operands.ts';
import { parsePath } from './paths.ts';
import type { Segment } from './paths.ts';
import type { At, CheckCompiler, Evaluation, Operand, Scope } from './scope.ts';
import { FALSE, TRUE, Void } from './values.ts';
import type { Tri } from './values.ts';

/** Whether an outcome of a condition leads towards a pass or not applicable. */
export function leadsToPass(polarity: Polarity, outcome: boolean): boolean {
  return polarity === 'both' || (polarity === 'up') === outcome;
}

export function saysWhy(because: unknown): because is string {
  return typeof because === 'string' && because !== '';
}

export interface Missing {
  readonly then: Tri;
  readonly when: (evaluation: Evaluation) => boolean;
}

/** `ifMissing: { then, when }`: absence means something where the container was collected. */
export function compileMissing(
  compiler: CheckCompiler,
  scope: Scope,
  source: unknown,
  at: At,
  polarity: Polarity,
  path: string,
): Missing | null {
  if (!isObject(source) || typeof source['then'] !== 'boolean') {
    compiler.report(at, '`ifMissing` needs `then`, true or false', 'ifMissing: { then: false, when: container }');
    return null;
  }
  if (source['when'] === undefined) {
    compiler.report(
      at,
      '`ifMissing` needs `when`',
      'name the container whose presence proves that the value was left out: when: properties',
    );
    return null;
  }
  for (const key of Object.keys(source))
    if (!['then', 'when', 'because'].includes(key))
      compiler.report([...at, key], `\`ifMissing\` knows no \`${key}\``, 'it knows then, when, because');
  const whens = (Array.isArray(source['when']) ? source['when'] : [source['when']]).map((entry, index) =>
    compilePath(compiler, scope, entry, Array.isArray(source['when']) ? [...at, 'when', index] : [...at, 'when'], { kind: 'presence' }),
  );
  if (whens.includes(undefined)) return null;
  noteAbsence(
    compiler,
    polarity,
    source['then'],
    path,
    (whens as Operand[]).map((when) => when.text),
    source['because'],
    at,
  );
  return {
    then: source['then'] ? TRUE : FALSE,
    when: (evaluation) =>
      (whens as Operand[]).every((when) => {
        const value = when.read(evaluation);
        return !(value instanceof Void) && value !== null;
      }),
  };
}

/** Keeps a list of the places where something not being there leads towards a pass. */
export function noteAbsence(
  compiler: CheckCompiler,
  polarity: Polarity,
  outcome: boolean,
  path: string,
  containers: readonly string[],
  because: unknown,
  at: At,
): void {
  if (!leadsToPass(polarity, outcome)) return;
  compiler.absences.push({
    path,
    keys: keysBelow(path, containers),
    because: saysWhy(because) ? because : null,
    at,
    within: compiler.within?.name ?? null,
  });
}

/** The keys of a path that may be absent: those below the innermost container that must be there, at least the last one. */
function keysBelow(path: string, containers: readonly string[]): string[] {
  let segments: readonly Segment[];
  try {
    segments = parsePath(path).segments;
  } catch {
    return []; // a computed list has no path of its own
  }
  let outer = segments.length - 1;
  for (const container of containers) {
    const inside = parsePath(container);
    const isPrefix = inside.variable === parsePath(path).variable && inside.segments.every((segment, index) => segment === segments[index]);
    if (isPrefix) outer = Math.min(outer, inside.segments.length);
  }
  return segments.slice(Math.max(0, outer)).filter((segment) => typeof segment === 'string');
}
