import type { Json } from '../../../model/index.ts';
import { longestMatched } from '../comparing.ts';
import type { At, CheckCompiler, Operand, Scope } from '../scope.ts';
import { isRedacted, MISTYPED, REDACTED, Void } from '../values.ts';
import type { Value } from '../values.ts';
import { type Binding, covered, unresolved } from './binding.ts';

const decodings = ['uri', 'json', 'base64'];

function compileDecode(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const path = compiler.operand(compiler, scope, source['path'], [...at, 'path']);
  const steps = typeof source['decode'] === 'string' ? [source['decode']] : source['decode'];
  if (!Array.isArray(steps) || steps.length === 0 || !steps.every((step) => decodings.includes(step as string))) {
    compiler.report([...at, 'decode'], 'unknown decoding', `a list of ${decodings.join(', ')}, in the order they are undone`);
    return undefined;
  }
  if (path === undefined) return undefined;
  const memo = new Map<string, Value>();
  return madeOf(path, (value) => {
    if (typeof value !== 'string') return value;
    const before = memo.get(value);
    if (before !== undefined) return before;
    const decoded = decodeText(value, steps as string[]);
    if (value.length <= memoisedLength) {
      if (memo.size >= memoisedTexts) memo.clear();
      memo.set(value, decoded);
    }
    return decoded;
  });
}

/** The same key policy is read from hundreds of resources: the last ones decoded are kept. */
const memoisedTexts = 64;
const memoisedLength = 32_768;

function decodeText(text: string, steps: readonly string[]): Value {
  let value: Json = text;
  for (const step of steps) {
    // Some answers hold the document undone already; what follows then has nothing to do.
    if (typeof value !== 'string') return typeof value === 'object' && value !== null ? value : MISTYPED;
    try {
      if (step === 'json') value = JSON.parse(value) as Json;
      else if (step === 'uri') value = /^\s*[[{]/.test(value) ? value : decodeURIComponent(value);
      else if (isRedacted(value)) return REDACTED;
      else value = Buffer.from(value, 'base64').toString('utf8');
    } catch {
      return unresolved('undecodable', `the text there is not ${step === 'json' ? 'JSON' : step}`);
    }
  }
  return value;
}

function compileSplit(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const path = compiler.operand(compiler, scope, source['split'], [...at, 'split']);
  const on = source['on'];
  const position = source['at'];
  if (typeof on !== 'string' || on === '') compiler.report([...at, 'on'], '`on` is the text to split at', 'on: "/"');
  if (position !== undefined && !Number.isInteger(position))
    compiler.report([...at, 'at'], '`at` is the position of the part', '0 is the first, -1 the last');
  if (path === undefined || typeof on !== 'string' || on === '') return undefined;
  return ofText(path, (value) => {
    const parts = value.split(on);
    if (position === undefined) return parts;
    return parts.at(position as number) ?? unresolved('no-part', `the text there has only ${parts.length} parts`);
  });
}

function compileReplace(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const path = compiler.operand(compiler, scope, source['replace'], [...at, 'replace']);
  const replacement = source['with'] ?? '';
  let pattern: RegExp | undefined;
  try {
    if (typeof source['pattern'] === 'string') pattern = new RegExp(source['pattern'], compiler.caseless ? 'giu' : 'gu');
  } catch {
    /* reported below */
  }
  if (pattern === undefined)
    compiler.report([...at, 'pattern'], '`pattern` is a regular expression', "pattern: '/cryptoKeyVersions/[^/]+$'");
  if (typeof replacement !== 'string') compiler.report([...at, 'with'], '`with` is a text');
  if (path === undefined || pattern === undefined || typeof replacement !== 'string') return undefined;
  const expression = pattern;
  return ofText(path, (value) => {
    if (value.length > longestMatched) return unresolved('too-long', `the text there is too long (${value.length} characters)`);
    return value.replace(expression, () => replacement);
  });
}

/** A value that is made of another, and cited and spoken of as that is. */
function madeOf({ text, source, display, read }: Operand, make: (value: Value) => Value): Operand {
  return { text, source, display, origin: covered, shape: 'value', read: (evaluation) => make(read(evaluation)) };
}

/** What is made of the text that an operand holds; anything else there is no text, and what was withheld is not read. */
function ofText(operand: Operand, make: (text: string) => Value): Operand {
  return madeOf(operand, (value) => {
    if (value instanceof Void) return value;
    if (typeof value !== 'string') return MISTYPED;
    if (isRedacted(value)) return REDACTED;
    return make(value);
  });
}

/** A text undone step by step: a document that is kept as text. */
export const decode: Binding = { keys: ['decode', 'path'], compile: compileDecode };

/** A text cut at a separator; with `at`, one of its parts. */
export const split: Binding = { keys: ['split', 'on', 'at'], compile: compileSplit };

/** A text with every match of a pattern replaced. */
export const replace: Binding = { keys: ['replace', 'pattern', 'with'], compile: compileReplace };
