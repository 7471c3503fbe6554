import { isJsonObject } from '../../model/index.ts';
import type { Json } from '../../model/index.ts';
import { conversionNamed, conversionNames } from './convert.ts';
import { compileWalk, formatSegments, parsePath } from './paths.ts';
import type { Path } from './paths.ts';
import { noteRead, originBelow, unknownVariable } from './scope.ts';
import type { At, CheckCompiler, Evaluation, Operand, Origin, ReadKind, Scope, Variable } from './scope.ts';
import { didYouMean } from '../catalogue/suggest.ts';
import { cutText, isRedacted, ListValue, REDACTED, Void } from './values.ts';
import type { Value } from './values.ts';

const covered: Origin = { kind: 'covered' };

export interface PathUse {
  readonly kind?: ReadKind;
  /** Do not note a read: a binding notes its reads where it is used. */
  readonly alias?: boolean;
}

/** A path as the author wrote it. Undefined when it is not one; the mistake is then reported. */
export function compilePath(compiler: CheckCompiler, scope: Scope, text: unknown, at: At, use: PathUse = {}): Operand | undefined {
  if (typeof text !== 'string') {
    compiler.report(at, 'a path is needed here', 'such as configuration.kmsKeyId or $key.configuration.enabled');
    return undefined;
  }
  let path: Path;
  try {
    path = parsePath(text);
  } catch (error) {
    compiler.report(at, (error as Error).message);
    return undefined;
  }
  return path.variable === null ? subjectPath(compiler, path, use) : variablePath(compiler, scope, path, path.variable, at, use);
}

function subjectPath(compiler: CheckCompiler, path: Path, use: PathUse): Operand {
  const origin: Origin = { kind: 'subject', prefix: path.segments };
  compiler.lowestSlot = -1;
  if (use.alias !== true) noteRead(compiler, { kind: 'subject', prefix: [] }, path.segments, use.kind ?? 'value');
  const walk = compileWalk(path.segments, compiler.caselessNames);
  return {
    text: path.text,
    read: (evaluation) => walk(evaluation.document),
    source: () => 0,
    display: () => path.text,
    origin,
    shape: 'value',
  };
}

function variablePath(compiler: CheckCompiler, scope: Scope, path: Path, name: string, at: At, use: PathUse): Operand | undefined {
  const variable = scope.find(name);
  if (variable === undefined) {
    unknownVariable(compiler, scope, name, at);
    return undefined;
  }
  variable.used = true;
  const { slot } = variable;
  compiler.lowestSlot = Math.min(compiler.lowestSlot, slot);
  if (variable.shape === 'list' && path.segments.length > 0) {
    compiler.report(
      at,
      `$${variable.name} is a list: nothing can be read below it`,
      'look into it with some, every or none, or take one entry with first',
    );
    return undefined;
  }
  if (use.alias !== true) noteRead(compiler, variable.origin, path.segments, use.kind ?? 'value');
  const walk = compileWalk(path.segments, compiler.caselessNames);
  const below = formatSegments(path.segments);
  // A shared condition has names of its own: evidence shows those of where it is used.
  const own = variable.name;
  const shown = below === '' ? own : below.startsWith('[') ? `${own}${below}` : `${own}.${below}`;
  return {
    text: `$${own}${path.text.slice(name.length + 1)}`,
    read: (evaluation) => walk(readVariable(evaluation, variable)),
    source: (evaluation) => evaluation.sources[slot] ?? 0,
    display: (evaluation) => {
      const source = evaluation.sources[slot] ?? 0;
      const uid = variable.record && source > 0 ? evaluation.joined[source - 1]?.uid : undefined;
      if (uid === undefined) return shown;
      return below === '' ? `${own} ${cutText(uid, 160)}` : `${below} of ${own} ${cutText(uid, 160)}`;
    },
    origin: originBelow(variable.origin, path.segments),
    shape: variable.shape,
  };
}

export function readVariable(evaluation: Evaluation, variable: Variable): Value {
  const known = evaluation.slots[variable.slot];
  if (known !== undefined) return known;
  const value = variable.compute(evaluation);
  evaluation.slots[variable.slot] = value;
  return value;
}

/** `"text with {path}"`; `{{` is a brace. A hole without a value makes the whole text unknown. */
export function compileText(compiler: CheckCompiler, scope: Scope, template: unknown, at: At): Operand | undefined {
  const parts = splitTemplate(template);
  if (parts === undefined) {
    compiler.report(at, 'a text is needed here', '"serviceAccount:service-{resource.data.projectNumber}@…", braces in pairs');
    return undefined;
  }
  const holes = parts.map((part) => (typeof part === 'string' ? part : compilePath(compiler, scope, part.path, at)));
  if (holes.includes(undefined)) return undefined;
  const text = holes.reduce<string>((whole, hole, index) => {
    const part = parts[index];
    return typeof hole === 'object' && typeof part === 'object' ? whole.replace(`{${part.path}}`, () => `{${hole.text}}`) : whole;
  }, template as string);
  return {
    text,
    origin: covered,
    shape: 'value',
    display: () => text,
    source: (evaluation) => {
      for (const hole of holes) if (typeof hole === 'object') return hole.source(evaluation);
      return 0;
    },
    read: (evaluation) => {
      let whole = '';
      for (const hole of holes) {
        if (typeof hole === 'string') whole += hole;
        else {
          const value = (hole as Operand).read(evaluation);
          if (value instanceof Void)
            return new Void('unresolved', value.code, `${(hole as Operand).display(evaluation)}: ${value.because}`);
          if (isRedacted(value)) return REDACTED;
          if (typeof value === 'object')
            return new Void('unresolved', 'type', `${(hole as Operand).display(evaluation)} is not a text or a number`);
          whole += String(value);
        }
      }
      return whole;
    },
  };
}

/** In a sentence, square brackets around a hole. Those around none are text, as are those of a path. */
const optionalPart = /\[((?:[^[\]{}]*\{[^{}]*\})+[^[\]{}]*)\]/;

/**
 * For sentences: like compileText, but a hole without a value reads `(not known)`, and values are cut. A part in square brackets is left
 * out where one of its holes has no value.
 */
export function compileSentence(
  compiler: CheckCompiler,
  scope: Scope,
  template: unknown,
  at: At,
): ((evaluation: Evaluation) => string) | undefined {
  // Split by a pattern with one group: every other text is what the group held.
  const texts = typeof template === 'string' && template !== '' ? template.split(optionalPart) : [template];
  const sections = texts.map((text, index) => ({
    optional: index % 2 === 1,
    parts: text === '' && texts.length > 1 ? [] : splitTemplate(text),
  }));
  if (sections.some(({ parts }) => parts === undefined)) {
    compiler.report(at, 'a sentence is needed here', 'a text in which {path} stands for the value observed');
    return undefined;
  }
  const compiled = sections.map(({ optional, parts = [] }) => ({
    optional,
    holes: parts.map((part) => (typeof part === 'string' ? part : compilePath(compiler, scope, part.path, at))),
  }));
  if (compiled.some(({ holes }) => holes.includes(undefined))) return undefined;
  return (evaluation) => compiled.map(({ optional, holes }) => sectionText(holes as (string | Operand)[], optional, evaluation)).join('');
}

function sectionText(holes: readonly (string | Operand)[], optional: boolean, evaluation: Evaluation): string {
  let text = '';
  for (const hole of holes) {
    if (typeof hole === 'string') text += hole;
    else {
      const value = hole.read(evaluation);
      if (optional && (value === null || value instanceof Void)) return '';
      text += inWords(value);
    }
  }
  return text;
}

/** A value inside a sentence. */
export function inWords(value: Value, depth = 0): string {
  if (value instanceof Void) return '(not known)';
  if (value instanceof ListValue) return `${value.complete ? '' : 'at least '}${value.items.length} entries`;
  if (typeof value === 'string') return value === '' ? '(empty)' : cutText(value, 160);
  if (Array.isArray(value) && depth > 2) return `a list of ${value.length}`;
  if (Array.isArray(value))
    return value.length === 0
      ? 'an empty list'
      : cutText(
          value
            .slice(0, 8)
            .map((entry) => inWords(entry, depth + 1))
            .join(', '),
          160,
        ) + (value.length > 8 ? ` and ${value.length - 8} more` : '');
  if (typeof value === 'object') return value === null ? 'null' : `an object with ${Object.keys(value).length} keys`;
  return String(value);
}

function splitTemplate(template: unknown): (string | { path: string })[] | undefined {
  if (typeof template !== 'string' || template === '') return undefined;
  const parts: (string | { path: string })[] = [];
  const pattern = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g;
  for (const found of template.matchAll(pattern)) {
    const [whole, path] = found;
    if (whole === '{' || whole === '}') return undefined;
    if (path !== undefined) parts.push({ path: path.trim() });
    else parts.push(whole === '{{' ? '{' : whole === '}}' ? '}' : whole);
  }
  return parts;
}

export function literalOperand(value: Json): Operand {
  return {
    text: JSON.stringify(value),
    read: () => value,
    source: () => 0,
    display: () => inWords(value),
    origin: covered,
    shape: 'value',
    literal: value,
  };
}

/** `{ param: name }`: its value is that of the run. */
export function compileParameter(compiler: CheckCompiler, name: unknown, at: At): Operand | undefined {
  if (typeof name !== 'string' || !Object.hasOwn(compiler.parameters, name)) {
    compiler.report(
      at,
      `unknown parameter ${String(name)}`,
      didYouMean(String(name), Object.keys(compiler.parameters)) ?? 'declare it under `parameters` in controls.yaml',
    );
    return undefined;
  }
  compiler.usedParameters.add(name);
  return {
    text: `parameter ${name}`,
    origin: covered,
    shape: 'value',
    source: () => 0,
    display: () => `the parameter ${name}`,
    read: (evaluation) => evaluation.env.parameters[name] ?? new Void('unresolved', 'parameter', `the parameter ${name} has no value`),
  };
}

/** Applies `as:` to an operand. */
export function convertOperand(compiler: CheckCompiler, operand: Operand, as: unknown, at: At): Operand | undefined {
  if (as === undefined) return operand;
  const name = typeof as === 'string' ? as : JSON.stringify(as);
  const convert = conversionNamed(name);
  if (convert === undefined) {
    compiler.report(at, `unknown conversion ${name}`, didYouMean(name, conversionNames) ?? `one of ${conversionNames.join(', ')}`);
    return undefined;
  }
  return { ...operand, read: (evaluation) => convert(operand.read(evaluation)), origin: covered, shape: 'value' };
}

/** A key of several words without a value is what YAML makes of the rest of a text after a comma. */
export function commaHint(key: string, value: unknown): string | undefined {
  return value === null && key.includes(' ') ? 'inside { } a text with a comma must be quoted' : undefined;
}

/** Key words of an object, with the unknown ones reported. */
export function checkKeys(compiler: CheckCompiler, value: object, known: readonly string[], at: At, what: string): boolean {
  let fine = true;
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    fine = false;
    compiler.report(
      [...at, key],
      `${what} knows no \`${key}\``,
      commaHint(key, (value as Record<string, unknown>)[key]) ?? didYouMean(key, known) ?? `it knows ${known.join(', ')}`,
    );
  }
  return fine;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return isJsonObject(value);
}
