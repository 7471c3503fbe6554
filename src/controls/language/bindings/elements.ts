import type { Json } from '../../../model/index.ts';
import { type At, type CheckCompiler, type Evaluation, noteRead, type Operand, Scope, type Variable } from '../scope.ts';
import { ListValue, MISTYPED, Void } from '../values.ts';
import type { Value } from '../values.ts';
import { covered } from './binding.ts';

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

/** Sets the element of an iteration and forgets what was computed for the one before. */
export function enter(evaluation: Evaluation, slots: readonly number[], item: Json, source: number): void {
  for (const slot of slots) evaluation.slots[slot] = undefined;
  evaluation.slots[slots[0] as number] = item;
  evaluation.sources[slots[0] as number] = source;
}

/** Does something of which no evidence is left. */
export function quietly<T>(evaluation: Evaluation, action: () => T): T {
  const before = evaluation.quiet;
  evaluation.quiet = true;
  try {
    return action();
  } finally {
    evaluation.quiet = before;
  }
}
