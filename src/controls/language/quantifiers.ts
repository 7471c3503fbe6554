import type { Json } from '../../model/index.ts';
import { declareElement, type Elements, elementsOf, enter, quietly } from './bindings/elements.ts';
import { compileLet } from './bindings/let.ts';
import { compileOperand } from './bindings/operand.ts';
import { flip, nothing } from './condition.ts';
import type { Condition, Polarity, Why } from './condition.ts';
import { compileMissing } from './absence.ts';
import { checkKeys, isObject } from './operands.ts';
import { leafSite, SeenLeaf } from './seen-leaf.ts';
import type { At, CheckCompiler, Evaluation, Scope } from './scope.ts';
import { cutValue, FALSE, negate, TRUE, triName, UNKNOWN, Void } from './values.ts';
import type { Tri } from './values.ts';

export type Quantifier = 'some' | 'every' | 'none' | 'count';

/** How many records a verdict over a list cites when no single one decides it; the count is always given. */
const citedRecords = 25;

export function compileQuantifier(
  compiler: CheckCompiler,
  scope: Scope,
  parent: Record<string, unknown>,
  kind: Quantifier,
  at: At,
  polarity: Polarity,
  id: string,
): Condition | undefined {
  const source = parent[kind];
  if (!isObject(source)) {
    compiler.report(at, `\`${kind}\` is a map`, `${kind}: { in: path, as: name, where: condition }`);
    return undefined;
  }
  checkKeys(compiler, source, ['in', 'as', 'where', 'let', 'single', 'ifEmpty', 'ifMissing'], at, `\`${kind}\``);
  const single = source['single'] === true;
  if (source['single'] !== undefined && typeof source['single'] !== 'boolean')
    compiler.report([...at, 'single'], '`single` is true or false');
  const { ifEmpty } = source;
  if (ifEmpty !== undefined && (kind !== 'every' || typeof ifEmpty !== 'boolean'))
    compiler.report(
      [...at, 'ifEmpty'],
      '`ifEmpty` is true or false, and belongs to `every`',
      '`some` of an empty list is false, `none` of it is true',
    );
  const list = compileOperand(compiler, scope, source['in'], [...at, 'in'], true);
  if (list === undefined) return undefined;
  const declared = declareElement(compiler, scope, list, source['as'], [...at, 'as']);
  if (declared === undefined) return undefined;
  const { inner, element } = declared;
  const outside = compiler.lowestSlot;
  compiler.lowestSlot = Infinity;
  const lets = compileLet(compiler, inner, source['let'], [...at, 'let']);
  const bounds = kind === 'count' ? compileBounds(compiler, parent, at) : null;
  if (bounds === undefined) return undefined;
  const below =
    kind === 'none'
      ? flip(polarity)
      : bounds === null || bounds.atMost === Infinity
        ? polarity
        : bounds.atLeast === 0
          ? flip(polarity)
          : 'both';
  if (source['where'] === undefined && kind !== 'count') compiler.report(at, `\`${kind}\` needs \`where\``);
  const where = source['where'] === undefined ? always : compiler.condition(compiler, inner, source['where'], [...at, 'where'], below, id);
  if (where === undefined) return undefined;
  const missing =
    source['ifMissing'] === undefined
      ? null
      : compileMissing(compiler, scope, source['ifMissing'], [...at, 'ifMissing'], polarity, list.text);
  // Judged by its elements alone, a list met again (a key's policy, the readers of all stores under one key) comes out the same.
  const closed = compiler.lowestSlot >= element.slot;
  compiler.lowestSlot = Math.min(outside, compiler.lowestSlot);
  const settled = new WeakMap<readonly Json[], Settled>();
  const slots = [element.slot, ...lets.map((variable) => variable.slot)];
  const falseWhenAbsent = kind === 'some' && polarity === 'up';
  const site = leafSite(id === '' ? kind : id, list.text, kind, expectedOf(kind, bounds));
  const tally = (evaluation: Evaluation): Tally => {
    const value = list.read(evaluation);
    const elements = elementsOf(value, list.source(evaluation), single);
    if (elements instanceof Void) {
      if (elements.kind === 'absent' && falseWhenAbsent) return { decided: FALSE, elements, witness: -1, hits: 0, undecided: 0 };
      if ((elements.kind === 'missing' || elements.kind === 'no-container') && missing !== null && missing.when(evaluation))
        return { decided: missing.then, elements, witness: -1, hits: 0, undecided: 0 };
      return { decided: UNKNOWN, elements, witness: -1, hits: 0, undecided: 0 };
    }
    const known = closed ? settled.get(elements.items) : undefined;
    if (
      known !== undefined &&
      known.complete === elements.complete &&
      known.comparison === evaluation.comparison &&
      known.parameters === evaluation.env.parameters
    )
      return { ...known.result, elements };
    const result = quietly(evaluation, () => decideOver(evaluation, kind, elements, where, slots, bounds, ifEmpty as boolean | undefined));
    if (closed)
      settled.set(elements.items, {
        complete: elements.complete,
        comparison: evaluation.comparison,
        parameters: evaluation.env.parameters,
        result,
      });
    return result;
  };
  const show = (evaluation: Evaluation, result: Tally, action: () => void): void => {
    if (result.elements instanceof Void || result.witness < 0) return;
    enter(evaluation, slots, result.elements.items[result.witness] as Json, result.elements.sourceOf(result.witness));
    action();
  };
  const whyQuantified = (evaluation: Evaluation, result: Tally, value: Tri): Why => {
    const name = list.display(evaluation);
    if (result.elements instanceof Void)
      return {
        text: value === UNKNOWN ? `${name} cannot be judged: ${result.elements.because}` : `${name}: ${result.elements.because}`,
        authored: false,
      };
    const { items, complete, because } = result.elements;
    if (result.witness >= 0) {
      let reason: Why = nothing;
      const inside = kind === 'none' ? negate(value) : value;
      show(evaluation, result, () => {
        reason = where.why(evaluation, inside);
      });
      if (reason.authored) return reason;
      return {
        text:
          items.length === 1 && single
            ? `in ${name}, ${reason.text}`
            : `in entry ${result.witness + 1} of ${items.length} of ${name}, ${reason.text}`,
        authored: false,
      };
    }
    if (value === UNKNOWN && !complete) return { text: `${name} is not known completely: ${because}`, authored: false };
    if (items.length === 0) return { text: `${name} is empty`, authored: false };
    if (kind === 'count')
      return {
        text: `${result.hits} of the ${items.length} entries of ${name} match${result.undecided > 0 ? `, ${result.undecided} cannot be decided` : ''}, expected ${expectedOf(kind, bounds)}`,
        authored: false,
      };
    if (kind === 'some') {
      if (items.length === 1) {
        enter(evaluation, slots, items[0] as Json, result.elements.sourceOf(0));
        const reason = where.why(evaluation, FALSE);
        return reason.authored ? reason : { text: `in the only entry of ${name}, ${reason.text}`, authored: false };
      }
      return { text: `none of the ${items.length} entries of ${name} is as required`, authored: false };
    }
    return { text: kind === 'none' ? `no entry of ${name} matches` : `every entry of ${name} is as required`, authored: false };
  };
  return {
    evaluate: (evaluation) => {
      const result = tally(evaluation);
      if (evaluation.quiet) return result.decided;
      const leaf = new SeenLeaf(site, triName(result.decided), list.shape === 'value' ? list.source(evaluation) : undefined);
      evaluation.leaves.push(leaf);
      if (result.elements instanceof Void) {
        leaf.because = result.elements.code;
        return result.decided;
      }
      const { items, complete, because } = result.elements;
      const observed: Record<string, Json> = { count: items.length, matching: result.hits };
      if (result.undecided > 0) observed['undecided'] = result.undecided;
      if (!complete) observed['incomplete'] = because;
      if (result.witness >= 0) observed['witnesses'] = [{ position: result.witness, entry: cutValue(items[result.witness] as Json, 1) }];
      else if (items.length > 0 && list.shape === 'list') {
        const cited = Math.min(items.length, citedRecords);
        for (let index = 0; index < cited; index++) result.elements.sourceOf(index);
        if (cited < items.length) observed['cited'] = cited;
      }
      leaf.observed = observed;
      if (result.decided === UNKNOWN) leaf.because = complete ? 'undecided' : 'list-incomplete';
      show(evaluation, result, () => where.evaluate(evaluation));
      return result.decided;
    },
    why: (evaluation, value) => whyQuantified(evaluation, tally(evaluation), value),
  };
}

const always: Condition = { evaluate: () => TRUE, why: () => nothing };

interface Tally {
  readonly decided: Tri;
  readonly elements: Elements | Void;
  /** The element that decided, or the first that could not be decided; -1 where none did alone. */
  readonly witness: number;
  readonly hits: number;
  readonly undecided: number;
}

/** What came of a list, and all that it depended on besides the elements. */
interface Settled {
  readonly complete: boolean;
  readonly comparison: Evaluation['comparison'];
  readonly parameters: Evaluation['env']['parameters'];
  readonly result: Tally;
}

interface Bounds {
  readonly atLeast: number;
  readonly atMost: number;
}

function decideOver(
  evaluation: Evaluation,
  kind: Quantifier,
  elements: Elements,
  where: Condition,
  slots: readonly number[],
  bounds: Bounds | null,
  ifEmpty: boolean | undefined,
): Tally {
  const { items, complete } = elements;
  let hits = 0;
  let undecided = 0;
  let firstUndecided = -1;
  // The value of one element that settles the whole, where one can.
  const settling = kind === 'every' ? FALSE : kind === 'count' ? null : TRUE;
  for (let index = 0; index < items.length; index++) {
    evaluation.visit();
    enter(evaluation, slots, items[index] as Json, 0);
    const value = where.evaluate(evaluation);
    if (value === UNKNOWN) {
      undecided += 1;
      if (firstUndecided < 0) firstUndecided = index;
    } else if (value === TRUE) hits += 1;
    if (value === settling) return { decided: kind === 'some' ? TRUE : FALSE, elements, witness: index, hits, undecided };
  }
  const open = { elements, witness: firstUndecided, hits, undecided };
  if (bounds !== null) {
    const most = complete ? hits + undecided : Infinity;
    if (hits > bounds.atMost || most < bounds.atLeast) return { decided: FALSE, elements, witness: -1, hits, undecided };
    if (hits >= bounds.atLeast && most <= bounds.atMost) return { decided: TRUE, elements, witness: -1, hits, undecided };
    return { decided: UNKNOWN, ...open };
  }
  if (undecided > 0 || !complete) return { decided: UNKNOWN, ...open };
  if (items.length === 0 && kind === 'every') return { decided: ifEmpty === undefined ? UNKNOWN : ifEmpty ? TRUE : FALSE, ...open };
  return { decided: kind === 'some' ? FALSE : TRUE, elements, witness: -1, hits, undecided };
}

function compileBounds(compiler: CheckCompiler, source: Record<string, unknown>, at: At): Bounds | undefined {
  const given = ['atLeast', 'atMost', 'equals'].filter((key) => source[key] !== undefined);
  if (given.length === 0 || given.some((key) => !Number.isInteger(source[key]) || (source[key] as number) < 0)) {
    compiler.report(at.slice(0, -1), '`count` needs `atLeast`, `atMost` or `equals` beside it, each a whole number');
    return undefined;
  }
  const exact = source['equals'] as number | undefined;
  return {
    atLeast: exact ?? (source['atLeast'] as number | undefined) ?? 0,
    atMost: exact ?? (source['atMost'] as number | undefined) ?? Infinity,
  };
}

function expectedOf(kind: Quantifier, bounds: Bounds | null): string {
  if (bounds === null)
    return { some: 'at least one entry matches', every: 'every entry matches', none: 'no entry matches', count: '' }[kind];
  if (bounds.atLeast === bounds.atMost) return `exactly ${bounds.atLeast}`;
  if (bounds.atMost === Infinity) return `at least ${bounds.atLeast}`;
  return bounds.atLeast === 0 ? `at most ${bounds.atMost}` : `${bounds.atLeast} to ${bounds.atMost}`;
}
