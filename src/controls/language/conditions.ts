import { combinators, flip, nothing } from './condition.ts';
import type { Condition, Polarity, Why } from './condition.ts';
import { compileLeaf } from './leaves.ts';
import { compileMeets, speaksFirst } from './meets.ts';
import { checkKeys, compileSentence, isObject } from './operands.ts';
import { operatorNames } from './operators.ts';
import { compileQuantifier } from './quantifiers.ts';
import type { At, CheckCompiler, Evaluation, Scope } from './scope.ts';
import { didYouMean } from '../catalogue/suggest.ts';
import { FALSE, negate, TRUE, UNKNOWN } from './values.ts';
import type { Tri } from './values.ts';

const common = ['id', 'otherwise', 'unknown'] as const;

/** Compiles a condition; undefined when it is wrong somewhere, which is then reported. `prefix` leads the ids of leaves. */
export function compileCondition(
  compiler: CheckCompiler,
  scope: Scope,
  source: unknown,
  at: At,
  polarity: Polarity,
  prefix: string,
): Condition | undefined {
  if (!isObject(source)) {
    compiler.report(at, 'a condition is needed here', '{ field: path, equals: value }, or all, any, not, some, every, none, count, meets');
    return undefined;
  }
  const kinds = combinators.filter((name) => Object.hasOwn(source, name));
  if (Object.hasOwn(source, 'field')) {
    if (kinds.length > 0)
      compiler.report(at, `\`field\` and \`${kinds[0] as string}\` cannot stand in one condition`, 'put them into a list under `all`');
    const sentences = compileSentences(compiler, scope, source, at);
    const leaf = compileLeaf(compiler, scope, source, at, polarity, idOf(compiler, source, at, prefix, '') || 'require');
    return leaf === undefined ? undefined : withSentences(leaf, sentences, true);
  }
  if (kinds.length !== 1) {
    const [word] = Object.keys(source).filter((key) => !(common as readonly string[]).includes(key));
    if (kinds.length > 1)
      compiler.report(
        at,
        `\`${kinds[0] as string}\` and \`${kinds[1] as string}\` cannot stand in one condition`,
        'put them into a list under `all`',
      );
    else if (word === undefined) compiler.report(at, 'this condition says nothing');
    else
      compiler.report(
        [...at, word],
        operatorNames.includes(word) ? `\`${word}\` needs a \`field\`` : `a condition knows no \`${word}\``,
        didYouMean(word, [...combinators, 'field']) ?? `it has \`field\` and an operator, or one of ${combinators.join(', ')}`,
      );
    return undefined;
  }
  const kind = kinds[0] as (typeof combinators)[number];
  checkKeys(compiler, source, [kind, ...common, ...beside(kind)], at, `\`${kind}\``);
  const sentences = compileSentences(compiler, scope, source, at);
  const id = idOf(compiler, source, at, prefix, '');
  switch (kind) {
    case 'all':
    case 'any': {
      const children = compileChildren(compiler, scope, source[kind], [...at, kind], polarity, id);
      if (children === undefined) return undefined;
      return kind === 'all' ? withSentences(allOf(children), sentences, false) : withSentences(anyOf(children), sentences, true);
    }
    case 'not': {
      const child = compileCondition(compiler, scope, source['not'], [...at, 'not'], flip(polarity), id);
      return child === undefined ? undefined : withSentences(notOf(child), sentences, false);
    }
    case 'meets': {
      const shared = compileMeets(compiler, scope, source, at, polarity, id);
      return shared === undefined ? undefined : withSentences(shared, sentences, speaksFirst(source, compiler.shared));
    }
    default: {
      const quantified = compileQuantifier(compiler, scope, source, kind, [...at, kind], polarity, id);
      return quantified === undefined ? undefined : withSentences(quantified, sentences, kind === 'some' || kind === 'count');
    }
  }
}

function beside(kind: (typeof combinators)[number]): readonly string[] {
  return kind === 'count' ? ['atLeast', 'atMost', 'equals'] : kind === 'meets' ? ['with'] : [];
}

function idOf(compiler: CheckCompiler, source: Record<string, unknown>, at: At, prefix: string, own: string): string {
  const id = source['id'];
  if (id !== undefined && (typeof id !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(id)))
    compiler.report([...at, 'id'], 'an id is made of letters, digits, dash and underscore');
  const segment = typeof id === 'string' ? id : own;
  return prefix === '' ? segment : segment === '' ? prefix : `${prefix}.${segment}`;
}

interface Sentences {
  readonly otherwise: ((evaluation: Evaluation) => string) | undefined;
  readonly unknown: ((evaluation: Evaluation) => string) | undefined;
}

function compileSentences(compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At): Sentences {
  return {
    otherwise: source['otherwise'] === undefined ? undefined : compileSentence(compiler, scope, source['otherwise'], [...at, 'otherwise']),
    unknown: source['unknown'] === undefined ? undefined : compileSentence(compiler, scope, source['unknown'], [...at, 'unknown']),
  };
}

/** `own`: the condition's own sentence goes before those inside it, since no single one of them decided. */
function withSentences(condition: Condition, sentences: Sentences, own: boolean): Condition {
  const { otherwise, unknown } = sentences;
  if (otherwise === undefined && unknown === undefined) return condition;
  return {
    evaluate: condition.evaluate,
    why: (evaluation, value) => {
      const sentence = value === UNKNOWN ? unknown : otherwise;
      if (sentence === undefined) return condition.why(evaluation, value);
      const inner = condition.why(evaluation, value);
      if (inner.absent === true || (!own && inner.authored)) return inner;
      return { text: sentence(evaluation), authored: true };
    },
  };
}

function compileChildren(
  compiler: CheckCompiler,
  scope: Scope,
  source: unknown,
  at: At,
  polarity: Polarity,
  prefix: string,
): Condition[] | undefined {
  if (!Array.isArray(source) || source.length === 0) {
    compiler.report(at, 'a list of one or more conditions is needed here');
    return undefined;
  }
  const children = source.map((entry, index) => {
    const unnamed = !isObject(entry) || entry['id'] === undefined;
    const own = unnamed ? (prefix === '' ? String(index + 1) : `${prefix}.${index + 1}`) : prefix;
    return compileCondition(compiler, scope, entry, [...at, index], polarity, own);
  });
  return children.includes(undefined) ? undefined : (children as Condition[]);
}

/** Evaluates every member while evidence is kept, so that the record shows all that is wrong. */
function allOf(children: readonly Condition[]): Condition {
  return {
    evaluate: (evaluation) => {
      let result: Tri = TRUE;
      for (const child of children) {
        const value = child.evaluate(evaluation);
        if (value === FALSE) {
          if (evaluation.quiet) return FALSE;
          result = FALSE;
        } else if (value === UNKNOWN && result === TRUE) result = UNKNOWN;
      }
      return result;
    },
    why: (evaluation, value) => (value === TRUE ? joined(children, evaluation, TRUE, ' and ') : firstWith(children, evaluation, value)),
  };
}

/** Stops at the first member that is true: what follows has no part in the verdict. */
function anyOf(children: readonly Condition[]): Condition {
  return {
    evaluate: (evaluation) => {
      let result: Tri = FALSE;
      for (const child of children) {
        const value = child.evaluate(evaluation);
        if (value === TRUE) return TRUE;
        if (value === UNKNOWN) result = UNKNOWN;
      }
      return result;
    },
    why: (evaluation, value) => (value === FALSE ? joined(children, evaluation, FALSE, '; and ') : firstWith(children, evaluation, value)),
  };
}

function notOf(child: Condition): Condition {
  return { evaluate: (evaluation) => negate(child.evaluate(evaluation)), why: (evaluation, value) => child.why(evaluation, negate(value)) };
}

function firstWith(children: readonly Condition[], evaluation: Evaluation, value: Tri): Why {
  const child = children.find((candidate) => candidate.evaluate(evaluation) === value);
  return child === undefined ? nothing : child.why(evaluation, value);
}

function joined(children: readonly Condition[], evaluation: Evaluation, value: Tri, by: string): Why {
  const reasons = children.map((child) => child.why(evaluation, value));
  const texts = reasons.slice(0, 4).map((reason) => reason.text);
  if (reasons.length > 4) texts.push(`${reasons.length - 4} more conditions`);
  return {
    text: texts.join(by),
    authored: reasons.some((reason) => reason.authored),
    absent: reasons.every((reason) => reason.absent === true),
  };
}
