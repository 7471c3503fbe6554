import type { Json } from '../../model/index.ts';
import { checkKeys, compileParameter, compilePath, compileText, convertOperand, isObject, literalOperand } from './operands.ts';
import { longestMatched } from './operators.ts';
import { noteRead, Scope } from '../assess/scope.ts';
import type { At, CheckCompiler, Evaluation, Operand, Origin, Variable } from '../assess/scope.ts';
import type { Condition } from './condition.ts';
import { FALSE, isRedacted, ListValue, MISTYPED, NONE_MATCHED, REDACTED, TRUE, UNKNOWN, Void } from './values.ts';
import type { Value } from './values.ts';

/** Every kind of binding, for `let`, `by` and expected values; the first key found decides. Order is that of the reference. */
export const bindingKinds = [
  'path',
  'ref',
  'param',
  'literal',
  'text',
  'lookup',
  'first',
  'all',
  'decode',
  'split',
  'replace',
  'choose',
  'readers',
] as const;
export type BindingKind = (typeof bindingKinds)[number];

const keysOf: Record<BindingKind, readonly string[]> = {
  path: ['path', 'as'],
  ref: ['ref', 'as'],
  param: ['param'],
  literal: ['literal'],
  text: ['text', 'as'],
  lookup: ['lookup', 'by', 'many'],
  first: ['first', 'as', 'where', 'let'],
  all: ['all', 'as', 'where', 'let', 'get'],
  decode: ['decode', 'path'],
  split: ['split', 'on', 'at'],
  replace: ['replace', 'pattern', 'with'],
  choose: ['choose'],
  readers: ['readers'],
};

const covered: Origin = { kind: 'covered' };
const unresolved = (code: string, because: string): Void => new Void('unresolved', code, because);

/** A binding or a bare path. `alias`: reads are noted where the variable is used, not here. */
export function compileOperand(compiler: CheckCompiler, scope: Scope, source: unknown, at: At, alias = false): Operand | undefined {
  if (typeof source === 'string') return compilePath(compiler, scope, source, at, { alias });
  if (!isObject(source)) {
    compiler.report(at, 'a path or a binding is needed here', `a path, or one of ${bindingKinds.join(', ')}`);
    return undefined;
  }
  // `decode` stands beside `path`, and `all`, `first` stand beside `as`: the more telling key decides.
  const kind =
    bindingKinds.find((candidate) => candidate !== 'path' && Object.hasOwn(source, candidate)) ??
    (Object.hasOwn(source, 'path') ? 'path' : undefined);
  if (kind === undefined) {
    compiler.report(at, 'this binding says nothing that is known', `it needs one of ${bindingKinds.join(', ')}`);
    return undefined;
  }
  checkKeys(compiler, source, keysOf[kind], at, `\`${kind}\``);
  switch (kind) {
    case 'path':
    case 'ref': {
      const path = compilePath(compiler, scope, source[kind], [...at, kind], { alias: alias && source['as'] === undefined });
      return path === undefined ? undefined : convertOperand(compiler, path, source['as'], [...at, 'as']);
    }
    case 'param':
      return compileParameter(compiler, source['param'], [...at, 'param']);
    case 'literal':
      return literalOperand(source['literal'] as Json);
    case 'text': {
      const text = compileText(compiler, scope, source['text'], [...at, 'text']);
      return text === undefined ? undefined : convertOperand(compiler, text, source['as'], [...at, 'as']);
    }
    case 'lookup':
      return compileLookup(compiler, scope, source, at);
    case 'first':
    case 'all':
      return compileFilter(compiler, scope, source, kind, at);
    case 'decode':
      return compileDecode(compiler, scope, source, at);
    case 'split':
      return compileSplit(compiler, scope, source, at);
    case 'replace':
      return compileReplace(compiler, scope, source, at);
    case 'choose':
      return compileChoose(compiler, scope, source, at);
    case 'readers':
      return compileReaders(compiler, source, at);
  }
}

/** `let: { name: binding, … }`: each sees the ones before it. */
export function compileLet(compiler: CheckCompiler, scope: Scope, source: unknown, at: At): Variable[] {
  if (source === undefined) return [];
  if (!isObject(source)) {
    compiler.report(at, '`let` is a map of names to bindings', '{ key: { lookup: aws.kms.key, by: configuration.kmsKeyId } }');
    return [];
  }
  const variables: Variable[] = [];
  for (const [name, binding] of Object.entries(source)) {
    const where = [...at, name];
    const operand = compileOperand(compiler, scope, binding, where, true);
    const isLookup = isObject(binding) && Object.hasOwn(binding, 'lookup');
    const variable = scope.declare(
      compiler,
      name,
      operand?.origin ?? covered,
      operand?.shape ?? 'value',
      isLookup && operand?.shape === 'value',
      where,
    );
    variables.push(variable);
    if (operand === undefined) {
      variable.used = true;
      continue;
    }
    const role = `$${name}`;
    const outermost = scope.parent === null;
    variable.compute = (evaluation) => {
      const { role: roleBefore, quiet } = evaluation;
      evaluation.role = role;
      if (outermost) evaluation.quiet = false; // joined once for the whole check, wherever it is first needed
      const value = operand.read(evaluation);
      evaluation.sources[variable.slot] = operand.source(evaluation);
      evaluation.role = roleBefore;
      evaluation.quiet = quiet;
      return value;
    };
  }
  return variables;
}

function compileLookup(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const table = source['lookup'];
  const by = compileOperand(compiler, scope, source['by'], [...at, 'by']);
  const many = source['many'];
  if (typeof table !== 'string') compiler.report([...at, 'lookup'], 'the name of a table is needed here', 'such as aws.kms.key');
  if (many !== undefined && typeof many !== 'boolean') compiler.report([...at, 'many'], '`many` is true or false');
  if (typeof table !== 'string' || by === undefined) return undefined;
  if (!compiler.reads.has(table)) compiler.reads.set(table, new Set());
  compiler.tables.push({ table, many: many === true, at: [...at, 'lookup'] });
  const list = many === true;
  compiler.lowestSlot = -1; // where the subject lives decides what a reference means
  let last = 0; // `source` is asked for right after `read`
  const read = (evaluation: Evaluation): Value => {
    last = 0;
    const role = evaluation.role === '' ? table : evaluation.role;
    const given = by.read(evaluation);
    const key = isRedacted(given) ? REDACTED : given;
    if (key instanceof Void || key === null || key instanceof ListValue) {
      const because = key instanceof Void ? key.because : key === null ? 'it is null in the collected evidence' : 'it is a list';
      return unresolved('no-key', `${by.display(evaluation)}, the key of the lookup, is not known: ${because}`);
    }
    const result = evaluation.env.lookup(table, key, list, evaluation.subject);
    if (result.outcome !== 'found') {
      evaluation.noteLookup(role, table, key, result.outcome, result.because, 0);
      return new Void(
        result.outcome === 'absent' ? 'absent' : 'unresolved',
        result.outcome === 'absent' ? 'lookup-absent' : 'lookup-unknown',
        result.because,
      );
    }
    if (list) {
      const { records } = result;
      evaluation.noteLookup(
        role,
        table,
        key,
        `found ${records.length}${result.complete ? '' : ' or more'}`,
        result.complete ? undefined : result.because,
        0,
      );
      const cite = (index: number): number => {
        const record = records[index];
        return record === undefined ? 0 : evaluation.cite(role, record);
      };
      return new ListValue(
        records.map((record) => record.document),
        0,
        cite,
        result.complete,
        result.because ?? 'there may be more of them',
      );
    }
    const [record] = result.records;
    if (record === undefined) return unresolved('lookup-unknown', 'the lookup gave no record');
    const cited = evaluation.cite(role, record);
    last = cited;
    evaluation.noteLookup(role, table, key, 'found', undefined, cited);
    return record.document;
  };
  return {
    text: `${table}[${by.text}]`,
    read,
    source: () => last,
    display: (evaluation) => `${table} ${by.display(evaluation)}`,
    origin: { kind: 'table', table, prefix: [] },
    shape: list ? 'list' : 'value',
  };
}

/** The elements of a list value, with a citation for each; null when it is no list. */
export interface Elements {
  readonly items: readonly Json[];
  readonly complete: boolean;
  readonly because: string;
  readonly sourceOf: (index: number) => number;
}

export function elementsOf(value: Value, source: number, single: boolean): Elements | Void {
  if (value instanceof Void) return value;
  if (value instanceof ListValue) {
    const { sources, cite } = value;
    return {
      items: value.items,
      complete: value.complete,
      because: value.because,
      sourceOf: cite ?? ((index) => (typeof sources === 'number' ? sources : (sources[index] ?? 0))),
    };
  }
  const items = Array.isArray(value) ? value : single && value !== null ? [value] : null;
  if (items === null) return value === null ? new Void('missing', 'missing', 'it is null in the collected evidence') : MISTYPED;
  return { items, complete: true, because: '', sourceOf: () => source };
}

/** Declares the element variable of a list, over which a condition or an operand ranges. */
export function declareElement(
  compiler: CheckCompiler,
  scope: Scope,
  list: Operand,
  as: unknown,
  at: At,
): { inner: Scope; element: Variable } | undefined {
  if (typeof as !== 'string') {
    compiler.report(at, '`as` must name the entry of the list', 'as: statement, then $statement.Effect');
    return undefined;
  }
  // Elements of a looked-up list are records: what is read of them is projected. Elements of a list inside a document are kept whole.
  const records = list.shape === 'list' && list.origin.kind === 'table' && list.origin.prefix.length === 0;
  if (!records) noteRead(compiler, list.origin, [], 'value');
  const inner = new Scope(scope);
  const element = inner.declare(compiler, as, records ? list.origin : covered, 'value', records, at);
  return { inner, element };
}

function compileFilter(
  compiler: CheckCompiler,
  scope: Scope,
  source: Record<string, unknown>,
  kind: 'first' | 'all',
  at: At,
): Operand | undefined {
  const list = compileOperand(compiler, scope, source[kind], [...at, kind], true);
  if (list === undefined) return undefined;
  const declared = declareElement(compiler, scope, list, source['as'], [...at, 'as']);
  if (declared === undefined) return undefined;
  const { inner, element } = declared;
  const lets = compileLet(compiler, inner, source['let'], [...at, 'let']);
  const where = source['where'] === undefined ? null : compiler.condition(compiler, inner, source['where'], [...at, 'where'], 'both', '');
  const get = source['get'] === undefined ? null : compileOperand(compiler, inner, source['get'], [...at, 'get']);
  if (where === undefined || get === undefined) return undefined;
  const slots = [element.slot, ...lets.map((variable) => variable.slot)];
  let last = 0;
  const decide = (evaluation: Evaluation, elements: Elements, index: number): number => {
    evaluation.visit();
    enter(evaluation, slots, elements.items[index] as Json, 0);
    return where === null ? TRUE : where.evaluate(evaluation);
  };
  const read = (evaluation: Evaluation): Value => {
    last = 0;
    const value = list.read(evaluation);
    const elements = elementsOf(value, list.source(evaluation), false);
    if (elements instanceof Void)
      return elements.kind === 'missing' ? unresolved(elements.code, `${list.display(evaluation)}: ${elements.because}`) : elements;
    position = -1;
    const found = quietly(evaluation, () => (kind === 'first' ? pickFirst(evaluation, elements) : keepAll(evaluation, elements)));
    if (position >= 0) last = elements.sourceOf(position);
    return found;
  };
  let position = -1;
  const pickFirst = (evaluation: Evaluation, elements: Elements): Value => {
    for (let index = 0; index < elements.items.length; index++) {
      const decided = decide(evaluation, elements, index);
      if (decided === UNKNOWN) return unresolved('undecided', `which entry of ${list.display(evaluation)} is meant cannot be decided`);
      if (decided === FALSE) continue;
      if (!elements.complete) return unresolved('list-incomplete', elements.because);
      position = index;
      return elements.items[index] as Json;
    }
    return elements.complete ? NONE_MATCHED : unresolved('list-incomplete', elements.because);
  };
  const keepAll = (evaluation: Evaluation, elements: Elements): Value => {
    const items: Json[] = [];
    const positions: number[] = [];
    let { complete, because } = elements;
    for (let index = 0; index < elements.items.length; index++) {
      const decided = decide(evaluation, elements, index);
      if (decided === FALSE) continue;
      if (decided === UNKNOWN) {
        complete = false;
        because = `whether some entries of ${list.display(evaluation)} belong to it cannot be decided`;
        continue;
      }
      const item = get === null ? (elements.items[index] as Json) : get.read(evaluation);
      if (item instanceof Void || item instanceof ListValue || item === null) {
        complete = false;
        because = `${get?.text ?? 'a value'} is not known for some entries of ${list.display(evaluation)}`;
        continue;
      }
      items.push(item);
      positions.push(index);
    }
    return new ListValue(items, 0, (index) => elements.sourceOf(positions[index] ?? 0), complete, because);
  };
  return {
    text: `${kind} of ${list.text}`,
    read,
    source: () => last,
    display: (evaluation) => list.display(evaluation),
    origin: kind === 'all' && get === null && element.record ? list.origin : kind === 'first' && element.record ? list.origin : covered,
    shape: kind === 'all' ? 'list' : 'value',
  };
}

/** Sets the element of an iteration and forgets what was computed for the one before. */
export function enter(evaluation: Evaluation, slots: readonly number[], item: Json, source: number): void {
  for (const slot of slots) evaluation.slots[slot] = undefined;
  evaluation.slots[slots[0] as number] = item;
  evaluation.sources[slots[0] as number] = source;
}

export function quietly<T>(evaluation: Evaluation, action: () => T): T {
  const before = evaluation.quiet;
  evaluation.quiet = true;
  try {
    return action();
  } finally {
    evaluation.quiet = before;
  }
}

const decodings = ['uri', 'json', 'base64'];

function compileDecode(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const path = compileOperand(compiler, scope, source['path'], [...at, 'path']);
  const steps = typeof source['decode'] === 'string' ? [source['decode']] : source['decode'];
  if (!Array.isArray(steps) || steps.length === 0 || !steps.every((step) => decodings.includes(step as string))) {
    compiler.report([...at, 'decode'], 'unknown decoding', `a list of ${decodings.join(', ')}, in the order they are undone`);
    return undefined;
  }
  if (path === undefined) return undefined;
  const memo = new Map<string, Value>();
  return {
    text: path.text,
    source: path.source,
    display: path.display,
    origin: covered,
    shape: 'value',
    read: (evaluation) => {
      const value = path.read(evaluation);
      if (typeof value !== 'string') return value;
      const before = memo.get(value);
      if (before !== undefined) return before;
      const decoded = decodeText(value, steps as string[]);
      if (value.length <= memoisedLength) {
        if (memo.size >= memoisedTexts) memo.clear();
        memo.set(value, decoded);
      }
      return decoded;
    },
  };
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
  const path = compileOperand(compiler, scope, source['split'], [...at, 'split']);
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
  const path = compileOperand(compiler, scope, source['replace'], [...at, 'replace']);
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

/** What is made of the text that an operand holds; anything else there is no text, and what was withheld is not read. */
function ofText(operand: Operand, make: (text: string) => Value): Operand {
  return {
    text: operand.text,
    source: operand.source,
    display: operand.display,
    origin: covered,
    shape: 'value',
    read: (evaluation) => {
      const value = operand.read(evaluation);
      if (value instanceof Void) return value;
      if (typeof value !== 'string') return MISTYPED;
      if (isRedacted(value)) return REDACTED;
      return make(value);
    },
  };
}

function compileChoose(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Operand | undefined {
  const cases = source['choose'];
  if (!Array.isArray(cases) || cases.length === 0) {
    compiler.report([...at, 'choose'], '`choose` is a list of cases', '[{ when: condition, use: path }, { use: path }]');
    return undefined;
  }
  const compiled: { when: Condition | null; use: Operand }[] = [];
  for (const [index, entry] of cases.entries()) {
    const where = [...at, 'choose', index];
    if (!isObject(entry)) {
      compiler.report(where, 'a case is { when: condition, use: path }');
      return undefined;
    }
    checkKeys(compiler, entry, ['when', 'use'], where, 'a case of `choose`');
    const when = entry['when'] === undefined ? null : compiler.condition(compiler, scope, entry['when'], [...where, 'when'], 'both', '');
    const use = compileOperand(compiler, scope, entry['use'], [...where, 'use']);
    if (when === undefined || use === undefined) return undefined;
    compiled.push({ when, use });
  }
  let chosen: Operand | null = null;
  return {
    text: compiled.map((entry) => entry.use.text).join(' or '),
    origin: covered,
    shape: 'value',
    source: (evaluation) => chosen?.source(evaluation) ?? 0,
    display: (evaluation) => chosen?.display(evaluation) ?? compiled.map((entry) => entry.use.text).join(' or '),
    read: (evaluation) => {
      chosen = null;
      for (const { when, use } of compiled) {
        const decided = when === null ? TRUE : quietly(evaluation, () => when.evaluate(evaluation));
        if (decided === UNKNOWN)
          return unresolved(
            'undecided',
            quietly(evaluation, () => when?.why(evaluation, UNKNOWN).text ?? ''),
          );
        if (decided === FALSE) continue;
        chosen = use;
        return use.read(evaluation);
      }
      return NONE_MATCHED;
    },
  };
}

function compileReaders(compiler: CheckCompiler, source: Record<string, unknown>, at: At): Operand | undefined {
  if (source['readers'] !== true) compiler.report([...at, 'readers'], '`readers` is true');
  compiler.usesReaders = true;
  compiler.lowestSlot = -1;
  return {
    text: 'readers',
    source: () => 0,
    display: () => 'who can read it',
    origin: covered,
    shape: 'value',
    read: (evaluation) => {
      const result = evaluation.env.readers(evaluation.subject);
      if (result.outcome === 'unknown') return unresolved('readers-unknown', result.because);
      const { role } = evaluation;
      for (const record of result.records) evaluation.cite(role, record);
      const principals = new ListValue(result.principals, 0, null, result.complete, result.because ?? 'there may be further principals');
      return {
        world: result.world,
        complete: result.complete,
        unsettled: [...result.unsettled],
        principals: principals as unknown as Json,
      };
    },
  };
}
