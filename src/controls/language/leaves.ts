import type { Json } from '../../model/index.ts';
import { compileMissing, noteAbsence, saysWhy } from './absence.ts';
import type { Missing } from './absence.ts';
import { compileOperand } from './bindings/operand.ts';
import { combinators } from './condition.ts';
import type { Condition, Polarity } from './condition.ts';
import { compileKnown, noteOthers } from './known.ts';
import type { Known } from './known.ts';
import { commaHint, compilePath, convertOperand, inWords, isObject, literalOperand } from './operands.ts';
import { operatorNamed, operatorNames, typeInWords } from './operators.ts';
import type { Operator } from './operators.ts';
import { leafSite, SeenLeaf } from './seen-leaf.ts';
import type { At, CheckCompiler, Evaluation, Operand, Scope } from './scope.ts';
import { didYouMean } from '../catalogue/suggest.ts';
import { cutValue, FALSE, isRedacted, jsonType, ListValue, MISTYPED, REDACTED, TRUE, triName, UNKNOWN, UNLISTED, Void } from './values.ts';
import type { JsonType, Tri, Value } from './values.ts';

const modifiers = ['as', 'known', 'single', 'ifMissing', 'within', 'type', 'because', 'id', 'otherwise', 'unknown'];
export const leafWords = ['field', 'present', ...operatorNames, ...modifiers];
const types: readonly JsonType[] = ['string', 'number', 'boolean', 'list', 'object'];

/** `{ field: path, <operator>: expected, … }`. */
export function compileLeaf(
  compiler: CheckCompiler,
  scope: Scope,
  source: Record<string, unknown>,
  at: At,
  polarity: Polarity,
  id: string,
): Condition | undefined {
  let fine = true;
  for (const key of Object.keys(source)) {
    if (leafWords.includes(key) || (combinators as readonly string[]).includes(key)) continue;
    fine = false;
    compiler.report(
      [...at, key],
      `unknown operator \`${key}\``,
      commaHint(key, source[key]) ?? didYouMean(key, leafWords) ?? `operators are present, ${operatorNames.join(', ')}`,
    );
  }
  const chosen = ['present', ...operatorNames].filter((name) => Object.hasOwn(source, name));
  if (chosen.length !== 1) {
    if (chosen.length > 1)
      compiler.report(
        [...at, chosen[1] as string],
        `one operator a condition: \`${chosen[0] as string}\` is there already`,
        'put two conditions into a list under `all`',
      );
    else if (fine) compiler.report(at, 'this condition has no operator', `add one of present, ${operatorNames.join(', ')}`);
    // What is wrong with the path is told together with this.
    compilePath(compiler, scope, source['field'], [...at, 'field']);
    return undefined;
  }
  const type = source['type'] as JsonType | undefined;
  if (type !== undefined && !types.includes(type)) {
    compiler.report([...at, 'type'], `unknown type ${String(type)}`, didYouMean(String(type), types) ?? `one of ${types.join(', ')}`);
    compilePath(compiler, scope, source['field'], [...at, 'field']);
    return undefined;
  }
  const name = chosen[0] as string;
  if (name === 'present') return compilePresent(compiler, scope, source, at, polarity, id, type);
  const operator = operatorNamed(name) as Operator;
  if (type !== undefined && name !== 'isEmpty') compiler.report([...at, 'type'], '`type` belongs to `present` and `isEmpty`');
  if (source['single'] !== undefined && operator.listed !== true)
    compiler.report([...at, 'single'], `\`single\` has no meaning for \`${name}\``);
  if (source['within'] !== undefined)
    compiler.report([...at, 'within'], '`within` belongs to `present`', 'ifMissing: { then: false, when: container }');
  const path = compilePath(compiler, scope, source['field'], [...at, 'field'], { kind: name === 'isEmpty' ? 'emptiness' : 'value' });
  const field = path === undefined ? undefined : convertOperand(compiler, path, source['as'], [...at, 'as']);
  const expected = compileExpected(compiler, scope, operator, source[name], [...at, name]);
  const missing =
    source['ifMissing'] === undefined
      ? null
      : compileMissing(compiler, scope, source['ifMissing'], [...at, 'ifMissing'], polarity, path?.text ?? '');
  const known =
    source['known'] === undefined ? null : compileKnown(compiler, operator, source['known'], expected?.literal, [...at, 'known']);
  if (field === undefined || path === undefined || expected === undefined || known === undefined || !fine) return undefined;
  noteOthers(compiler, polarity, operator, expected.literal, path.text, known !== null || saysWhy(source['because']), at);
  return comparison(id, path, field, operator, expected, {
    single: source['single'] === true,
    type,
    missing,
    known,
    falseWhenAbsent: polarity === 'up',
  });
}

interface Expected {
  readonly operand: Operand;
  readonly literal: Json | undefined;
}

function compileExpected(compiler: CheckCompiler, scope: Scope, operator: Operator, source: unknown, at: At): Expected | undefined {
  if (operator.path === true || isObject(source)) {
    if (operator.path === true && typeof source !== 'string') {
      compiler.report(at, `\`${operator.name}\` takes a path`);
      return undefined;
    }
    const operand = compileOperand(compiler, scope, source, at);
    const parameter = isObject(source) && typeof source['param'] === 'string' ? compiler.parameters[source['param']] : undefined;
    if (parameter !== undefined && operator.prepare(parameter.default, { caseless: compiler.caseless, asOf: 0 }) === undefined) {
      compiler.report(
        at,
        `\`${operator.name}\` takes ${operator.expected}, and the parameter ${parameter.name} is ${typeInWords(parameter.default)}`,
      );
    }
    return operand === undefined ? undefined : { operand, literal: operand.literal };
  }
  const literal = source as Json;
  if (operator.prepare(literal, { caseless: compiler.caseless, asOf: 0 }) === undefined) {
    compiler.report(
      at,
      `\`${operator.name}\` takes ${operator.expected}, not ${typeInWords(literal ?? null)}`,
      `for example ${operator.example}`,
    );
    return undefined;
  }
  return { operand: literalOperand(literal), literal };
}

interface Options {
  readonly single: boolean;
  readonly type: JsonType | undefined;
  readonly missing: Missing | null;
  readonly known: Known | null;
  /** A record that certainly does not exist makes the condition false, where false leads away from a pass. */
  readonly falseWhenAbsent: boolean;
}

function isGone(value: Value): value is Void | null {
  return value === null || (value instanceof Void && (value.kind === 'missing' || value.kind === 'no-container'));
}

function comparison(id: string, path: Operand, field: Operand, operator: Operator, expected: Expected, options: Options): Condition {
  const { operand, literal } = expected;
  const { missing, known, single, type, falseWhenAbsent } = options;
  const accepts = operator.name === 'isEmpty' ? (type ?? 'list') : null;
  const site = leafSite(id, path.text, operator.name, literal);
  const test = operator.test as (observed: Json, prepared: unknown, comparison: Evaluation['comparison']) => Tri;
  let preparedFor: Evaluation['comparison'] | null = null;
  let prepared: unknown;
  /** Decides, and leaves the reason for not knowing in `because`. */
  let because = '';
  let reason = '';
  const unknown = (code: string, words: string): Tri => {
    because = code;
    reason = words;
    return UNKNOWN;
  };
  const decide = (evaluation: Evaluation, value: Value): Tri => {
    because = '';
    if (value === null || value instanceof Void) {
      if (missing !== null && isGone(value) && missing.when(evaluation)) {
        because = 'missing';
        reason = 'it is not there';
        return missing.then;
      }
      if (value === null) return unknown('null', 'it is null in the collected evidence');
      if (value.kind === 'absent' && falseWhenAbsent) {
        because = value.code;
        reason = value.because;
        return FALSE;
      }
      return unknown(value.code, value.because);
    }
    if (isRedacted(value)) return unknown(REDACTED.code, REDACTED.because);
    let against = prepared;
    if (literal === undefined) {
      const wanted = operand.read(evaluation);
      if (wanted instanceof Void || wanted === null)
        return unknown(
          'expected-unknown',
          `what to compare it with is not known: ${operand.display(evaluation)} ${wanted === null ? 'is null' : wanted.because}`,
        );
      const plain = wanted instanceof ListValue ? (wanted.complete ? [...wanted.items] : null) : wanted;
      if (plain === null)
        return unknown('expected-unknown', `what to compare it with is not known completely: ${(wanted as ListValue).because}`);
      if (isRedacted(plain) || (Array.isArray(plain) && plain.some(isRedacted)))
        return unknown('expected-unknown', `what to compare it with is not known: ${REDACTED.because}`);
      against = operator.prepare(plain, evaluation.comparison);
      if (against === undefined) return unknown('expected-type', `what to compare it with is not ${operator.expected}`);
    } else if (preparedFor !== evaluation.comparison) {
      prepared = operator.prepare(literal, evaluation.comparison);
      preparedFor = evaluation.comparison;
      against = prepared;
    }
    let observed: Json;
    let whole = true;
    if (value instanceof ListValue) {
      observed = value.items as Json[];
      whole = value.complete;
      reason = value.because;
    } else observed = single && typeof value !== 'object' ? [value] : value;
    if (accepts !== null && jsonType(observed) !== accepts) return unknown('type', MISTYPED.because);
    let partly = 'list-incomplete';
    if (known !== null && Array.isArray(observed)) {
      // Elements of another type are the operator's to refuse.
      const read = observed.filter((one) => typeof one !== 'string' || known(one, evaluation.comparison));
      if (read.length < observed.length) {
        const [first = null] = observed.filter((one) => !read.includes(one));
        [observed, whole, partly, reason] = [read, false, UNLISTED.code, `it holds ${inWords(first)}, ${UNLISTED.because}`];
      }
    } else if (known !== null && typeof observed === 'string' && !known(observed, evaluation.comparison))
      return unknown(UNLISTED.code, `it is ${inWords(observed)}, ${UNLISTED.because}`);
    const decided = test(observed, against, evaluation.comparison);
    if (decided === UNKNOWN) return unknown('type', MISTYPED.because);
    if (whole) return decided;
    if (operator.name === 'isEmpty' ? (observed as Json[]).length > 0 : operator.partial === triName(decided)) return decided;
    return unknown(partly, reason);
  };
  const expectedNow = (evaluation: Evaluation): Json => {
    const value = operand.read(evaluation);
    return value instanceof Void
      ? `(${operand.text}, not known)`
      : value instanceof ListValue
        ? cutValue(value.items as Json[])
        : cutValue(value);
  };
  return {
    evaluate: (evaluation) => {
      const value = field.read(evaluation);
      const outcome = decide(evaluation, value);
      if (evaluation.quiet) return outcome;
      const source = path.source(evaluation);
      const leaf =
        literal === undefined
          ? new SeenLeaf(site, triName(outcome), source, expectedNow(evaluation))
          : new SeenLeaf(site, triName(outcome), source);
      if (!(value instanceof Void)) leaf.observed = value instanceof ListValue ? cutValue(value.items as Json[]) : cutValue(value);
      if (because !== '') leaf.because = because;
      evaluation.leaves.push(leaf);
      return outcome;
    },
    why: (evaluation, value) => {
      const observed = field.read(evaluation);
      const name = path.display(evaluation);
      decide(evaluation, observed);
      if (value === UNKNOWN) return { text: `${name} cannot be judged: ${reason}`, authored: false };
      const wanted = operator.phrase(
        literal === undefined ? `${inWords(operand.read(evaluation))} (${operand.display(evaluation)})` : inWords(literal),
      );
      if (value === FALSE && observed instanceof Void && observed.kind === 'absent')
        return { text: `${name} should be ${wanted}, but ${reason}`, authored: false, absent: true };
      if (because !== '')
        return { text: value === FALSE ? `${name} should be ${wanted}, but ${reason}` : `${name}: ${reason}`, authored: false };
      return {
        text: value === FALSE ? `${name} is ${inWords(observed)}, expected ${wanted}` : `${name} is ${inWords(observed)}`,
        authored: false,
      };
    },
  };
}

/** The one operator that may decide on absence, and only inside a container that was itself collected. */
function compilePresent(
  compiler: CheckCompiler,
  scope: Scope,
  source: Record<string, unknown>,
  at: At,
  polarity: Polarity,
  id: string,
  type: JsonType | undefined,
): Condition | undefined {
  const wanted = source['present'];
  if (typeof wanted !== 'boolean') {
    compiler.report([...at, 'present'], '`present` is true or false');
    return undefined;
  }
  for (const word of ['as', 'single', 'ifMissing'])
    if (source[word] !== undefined) compiler.report([...at, word], `\`${word}\` has no meaning for \`present\``);
  const field = compilePath(compiler, scope, source['field'], [...at, 'field'], { kind: 'presence' });
  const within =
    source['within'] === undefined ? null : compilePath(compiler, scope, source['within'], [...at, 'within'], { kind: 'presence' });
  if (field === undefined || within === undefined) return undefined;
  noteAbsence(compiler, polarity, !wanted, field.text, within === null ? [] : [within.text], source['because'], at);
  const falseWhenAbsent = polarity === 'up' && wanted;
  const site = leafSite(id, field.text, 'present', wanted);
  const decide = (evaluation: Evaluation, value: Value): Tri => {
    let there: boolean;
    if (value instanceof Void) {
      if (value.kind === 'absent')
        return falseWhenAbsent || (field.origin.kind === 'table' && field.origin.prefix.length === 0) ? (wanted ? FALSE : TRUE) : UNKNOWN;
      if (value.kind === 'no-container' ? !collected(within, evaluation) : value.kind !== 'missing') return UNKNOWN;
      there = false;
    } else if (value === null || value === '') there = false;
    else if (type !== undefined && !(value instanceof ListValue) && jsonType(value) !== type) return UNKNOWN;
    else if (value instanceof ListValue && !value.complete && value.items.length === 0) return UNKNOWN;
    else there = true;
    return there === wanted ? TRUE : FALSE;
  };
  return {
    evaluate: (evaluation) => {
      const value = field.read(evaluation);
      const outcome = decide(evaluation, value);
      if (evaluation.quiet) return outcome;
      const leaf = new SeenLeaf(site, triName(outcome), field.source(evaluation));
      if (!(value instanceof Void)) leaf.observed = value instanceof ListValue ? value.items.length : cutValue(value, 1);
      else if (outcome === UNKNOWN) leaf.because = value.code;
      evaluation.leaves.push(leaf);
      return outcome;
    },
    why: (evaluation, value) => {
      const observed = field.read(evaluation);
      const name = field.display(evaluation);
      if (value === UNKNOWN)
        return {
          text: `whether ${name} is set cannot be judged: ${observed instanceof Void ? observed.because : MISTYPED.because}`,
          authored: false,
        };
      const there = (value === TRUE) === wanted;
      if (there) return { text: `${name} is set (${inWords(observed)})`, authored: false };
      return {
        text: observed instanceof Void && observed.kind === 'absent' ? `${name} does not exist: ${observed.because}` : `${name} is not set`,
        authored: false,
      };
    },
  };
}

function collected(within: Operand | null, evaluation: Evaluation): boolean {
  if (within === null) return false;
  const container = within.read(evaluation);
  return typeof container === 'object' && container !== null && !(container instanceof Void);
}
