import type { Json } from '../../../model/index.ts';
import type { At, CheckCompiler, Evaluation, Operand, Scope } from '../scope.ts';
import { FALSE, ListValue, NONE_MATCHED, TRUE, UNKNOWN, Void } from '../values.ts';
import type { Value } from '../values.ts';
import { type Binding, covered, unresolved } from './binding.ts';
import { declareElement, type Elements, elementsOf, enter, quietly } from './elements.ts';
import { compileLet } from './let.ts';

function compileFilter(
  compiler: CheckCompiler,
  scope: Scope,
  source: Record<string, unknown>,
  kind: 'first' | 'all',
  at: At,
): Operand | undefined {
  const list = compiler.operand(compiler, scope, source[kind], [...at, kind], true);
  if (list === undefined) return undefined;
  const declared = declareElement(compiler, scope, list, source['as'], [...at, 'as']);
  if (declared === undefined) return undefined;
  const { inner, element } = declared;
  const lets = compileLet(compiler, inner, source['let'], [...at, 'let']);
  const where = source['where'] === undefined ? null : compiler.condition(compiler, inner, source['where'], [...at, 'where'], 'both', '');
  const get = source['get'] === undefined ? null : compiler.operand(compiler, inner, source['get'], [...at, 'get']);
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

/** The first entry of a list that meets a condition. */
export const first: Binding = {
  keys: ['first', 'as', 'where', 'let'],
  compile: (compiler, scope, source, at) => compileFilter(compiler, scope, source, 'first', at),
};

/** Every entry of a list that meets a condition, or what `get` reads of each. */
export const all: Binding = {
  keys: ['all', 'as', 'where', 'let', 'get'],
  compile: (compiler, scope, source, at) => compileFilter(compiler, scope, source, 'all', at),
};
