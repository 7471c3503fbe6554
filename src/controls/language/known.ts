import type { Json } from '../../model/index.ts';
import { leadsToPass } from './absence.ts';
import { longestMatched, nonEmptySet, preparePattern, testIn } from './comparing.ts';
import type { Comparison } from './comparing.ts';
import type { Polarity } from './condition.ts';
import type { Operator } from './operators.ts';
import type { At, CheckCompiler } from './scope.ts';
import { TRUE } from './values.ts';

/** Which values can be read: any other says something that the control does not know of. */
export type Known = (value: Json, comparison: Comparison) => boolean;

/** `known: [A, B]`, or a pattern of what such values look like. Undefined: a mistake, which is reported. */
export function compileKnown(
  compiler: CheckCompiler,
  operator: Operator,
  source: unknown,
  literal: Json | undefined,
  at: At,
): Known | undefined {
  const here = { caseless: compiler.caseless, asOf: 0 };
  if (operator.name === 'isEmpty') {
    compiler.report(at, '`known` has no meaning for `isEmpty`');
    return undefined;
  }
  const set = typeof source === 'string' ? undefined : nonEmptySet(source as Json, here);
  const pattern = preparePattern(source as Json, here);
  if (set === undefined && pattern === undefined) {
    compiler.report(at, '`known` takes a list of values of one type, or a pattern without nested repetition', 'known: [CUSTOMER, AWS]');
    return undefined;
  }
  const knows: Known = (value, comparison) =>
    set !== undefined
      ? testIn(value, set, comparison) === TRUE
      : typeof value === 'string' && value.length <= longestMatched && (pattern as RegExp).test(value);
  const unknownHere = compares.has(operator.name) ? [literal].flat().filter((one) => one !== undefined && !knows(one, here)) : [];
  if (unknownHere.length > 0) {
    compiler.report(at, `${JSON.stringify(unknownHere[0])} is compared with, and not known`, 'add it to `known`');
    return undefined;
  }
  return knows;
}

/** Operators of whole values, by what they say of a value that the control does not name. */
const compares: ReadonlyMap<string, boolean> = new Map([
  ['equals', false],
  ['in', false],
  ['notEquals', true],
  ['notIn', true],
]);

/** Keeps a list of the places where a text that the control does not name leads towards a pass: of numbers and truth no other kind comes up. */
export function noteOthers(
  compiler: CheckCompiler,
  polarity: Polarity,
  operator: Operator,
  literal: Json | undefined,
  path: string,
  told: boolean,
  at: At,
): void {
  const outcome = compares.get(operator.name);
  const texts = [literal].flat();
  if (outcome === undefined || told || texts.length === 0 || !texts.every((one) => typeof one === 'string')) return;
  if (leadsToPass(polarity, outcome)) compiler.others.push({ at, path, within: compiler.within?.name ?? null });
}
