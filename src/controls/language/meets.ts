import { isJsonObject } from '../../model/index.ts';
import type { Json } from '../../model/index.ts';
import type { Condition, Polarity } from './condition.ts';
import { isObject } from './operands.ts';
import { Scope, unknownVariable } from './scope.ts';
import type { At, CheckCompiler, SharedCondition, SharedConditions, Variable } from './scope.ts';
import { didYouMean } from '../catalogue/suggest.ts';

const sentences = ['otherwise', 'unknown'] as const;

/**
 * `{ meets: name, with: { needed: $variable } }`: the shared condition, compiled as if it stood here, except that it sees nothing of
 * this place but what it needs.
 */
export function compileMeets(
  compiler: CheckCompiler,
  scope: Scope,
  source: Record<string, unknown>,
  at: At,
  polarity: Polarity,
  id: string,
): Condition | undefined {
  const name = source['meets'];
  const shared = typeof name === 'string' ? compiler.shared.get(name) : undefined;
  if (typeof name !== 'string' || shared === undefined) {
    compiler.report(
      [...at, 'meets'],
      typeof name === 'string' ? `unknown shared condition ${name}` : '`meets` takes the name of a shared condition',
      didYouMean(String(name), compiler.shared.keys()) ?? 'they stand in the files that `conditions` in controls.yaml names',
    );
    return undefined;
  }
  compiler.usedConditions.add(name);
  if (shared === null) return undefined;
  const borrowed = borrow(compiler, scope, name, shared, source['with'], at);
  if (borrowed === undefined) return undefined;
  const outer = compiler.within;
  compiler.within = { name, at: outer?.at ?? at };
  const condition = compiler.condition(compiler, new Scope(scope, borrowed), beneath(shared, source), shared.at, polarity, id);
  compiler.within = outer;
  return condition;
}

/** The condition without the sentences that its use says better. */
function beneath({ condition }: SharedCondition, use: Record<string, unknown>): unknown {
  if (!isObject(condition) || sentences.every((word) => use[word] === undefined)) return condition;
  return Object.fromEntries(
    Object.entries(condition).filter(([key]) => use[key] === undefined || !(sentences as readonly string[]).includes(key)),
  );
}

function borrow(
  compiler: CheckCompiler,
  scope: Scope,
  name: string,
  { needs }: SharedCondition,
  given: unknown,
  at: At,
): Map<string, Variable> | undefined {
  if (given !== undefined && !isObject(given)) {
    compiler.report([...at, 'with'], '`with` is a map of names to variables', 'with: { needed: $variable }');
    return undefined;
  }
  let fine = true;
  const renamed = new Map<string, string>();
  for (const [need, variable] of Object.entries(given ?? {})) {
    const where = [...at, 'with', need];
    const found = typeof variable === 'string' ? /^\$([A-Za-z_][A-Za-z0-9_]*)$/.exec(variable)?.[1] : undefined;
    if (!needs.includes(need)) {
      fine = false;
      compiler.report(where, `${name} needs no $${need}`, didYouMean(need, needs) ?? `it needs ${needs.join(', ') || 'nothing'}`);
    } else if (found === undefined) {
      fine = false;
      compiler.report(where, '`with` gives a variable as it is', `${need}: $variable`);
    } else renamed.set(need, found);
  }
  const borrowed = new Map<string, Variable>();
  for (const need of needs) {
    const other = renamed.get(need);
    const variable = scope.find(other ?? need);
    if (variable !== undefined) borrowed.set(need, variable);
    else if (other !== undefined) unknownVariable(compiler, scope, other, [...at, 'with', need]);
    else if (!isObject(given) || !Object.hasOwn(given, need))
      compiler.report(
        [...at, 'meets'],
        `${name} needs $${need}, which is not declared here`,
        `declare it, or say which variable it is: with: { ${need}: $… }`,
      );
  }
  return fine && borrowed.size === needs.length ? borrowed : undefined;
}

/** Whether a condition's sentence goes before those inside it, as that of `any` and of a list's `some` does. */
export function speaksFirst(source: unknown, shared: SharedConditions): boolean {
  if (!isObject(source)) return false;
  const { meets } = source;
  if (typeof meets === 'string') return speaksFirst(shared.get(meets)?.condition, shared);
  return ['field', 'any', 'some', 'count'].some((word) => Object.hasOwn(source, word));
}

/** A definition with the shared conditions put in where they are used, for those who explain it. */
export function filledIn(source: Json, shared: SharedConditions): Json {
  if (Array.isArray(source)) return source.map((entry) => filledIn(entry, shared));
  if (!isJsonObject(source)) return source;
  const used = typeof source['meets'] === 'string' ? shared.get(source['meets']) : undefined;
  const filled = Object.fromEntries(Object.entries(source).map(([key, value]) => [key, filledIn(value, shared)]));
  return used === undefined || used === null
    ? filled
    : { ...filled, title: used.title, condition: filledIn(used.condition as Json, shared) };
}
