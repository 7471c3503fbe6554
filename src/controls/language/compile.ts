import type { JsonObject, Provider, Resource } from '../../model/index.ts';
import { didYouMean } from '../catalogue/suggest.ts';
import { compileLet } from './bindings/let.ts';
import { compileOperand } from './bindings/operand.ts';
import type { Condition } from './condition.ts';
import { compileCondition } from './conditions.ts';
import { filledIn } from './meets.ts';
import { checkKeys, compileSentence, isObject } from './operands.ts';
import { namesWithoutCase } from './paths.ts';
import { Evaluation, Scope } from './scope.ts';
import type { At, CheckCompiler, SharedCondition, SharedConditions } from './scope.ts';
import type { Comparison } from './comparing.ts';
import type { Aggregate, CheckOutcome, ConditionCheck, EvaluationEnvironment, ParameterDefinition } from '../types.ts';
import { FALSE, TRUE, UNKNOWN } from './values.ts';

/** A mistake or doubt found while compiling; `rule` names a lint rule, absent for errors. */
export interface Reported {
  readonly at: At;
  readonly message: string;
  readonly hint?: string;
  readonly rule?: string;
  /** The shared condition in whose file `at` is. */
  readonly within?: string;
}

export interface CheckSource {
  readonly id: string;
  readonly title: string;
  readonly provider: Provider;
  readonly definition: Record<string, unknown>;
  readonly at: At;
}

export interface CheckCompilation {
  /** Undefined when there are errors. */
  readonly check: ConditionCheck | undefined;
  readonly errors: readonly Reported[];
  readonly doubts: readonly Reported[];
  readonly usedParameters: ReadonlySet<string>;
  readonly usedConditions: ReadonlySet<string>;
  readonly tables: CheckCompiler['tables'];
  /** What is read of which types, as far as it compiles: the lint looks at the paths of a wrong check too. */
  readonly paths: ReadPaths;
}

/** The paths that a check reads: of its own types, and in each lookup table. */
export type ReadPaths = Pick<ConditionCheck, 'on' | 'subjectReads' | 'reads'>;

type Parameters = Readonly<Record<string, ParameterDefinition>>;

function newCompiler(provider: Provider, parameters: Parameters, shared: SharedConditions, errors: Reported[]): CheckCompiler {
  const compiler: CheckCompiler = {
    provider,
    caseless: provider === 'azure',
    caselessNames: namesWithoutCase(provider),
    parameters,
    reads: new Map(),
    subjectReads: new Set(),
    absences: [],
    others: [],
    usedParameters: new Set(),
    shared,
    usedConditions: new Set(),
    within: null,
    tables: [],
    usesReaders: false,
    slots: 0,
    lowestSlot: Infinity,
    operand: compileOperand,
    condition: compileCondition,
    report: (where, message, hint) => {
      const { within } = compiler;
      // A shared condition has no mistake of its own: what is wrong in it here is wrong with its use.
      const told = within === null ? { at: where, message } : { at: within.at, message: `${within.name} cannot stand here: ${message}` };
      if (within !== null && errors.some((error) => error.at === told.at && error.message === told.message)) return;
      errors.push({ ...told, ...(hint === undefined ? {} : { hint }) });
    },
  };
  return compiler;
}

/** Compiles a shared condition by itself, where what it needs may be anything. It is sound where it and all that it meets compile. */
export function compileShared(
  shared: SharedCondition,
  others: SharedConditions,
  parameters: Parameters,
): { readonly sound: boolean } & Pick<CheckCompilation, 'errors' | 'tables'> {
  const errors: Reported[] = [];
  // None of the rules that differ between providers makes a mistake of anything.
  const compiler = newCompiler('aws', parameters, others, errors);
  const { at, condition, needs } = shared;
  const outside = new Scope(null);
  const needAt = (index: number): At => [...at.slice(0, -1), 'needs', index];
  needs.forEach((name, index) => outside.declare(compiler, name, { kind: 'covered' }, 'value', false, needAt(index)));
  if (isObject(condition) && condition['id'] !== undefined)
    compiler.report([...at, 'id'], 'a shared condition gets its id where it is used');
  const compiled = compileCondition(compiler, new Scope(outside, outside.variables), condition, at, 'up', '');
  // What is not compiled may be what reads it.
  if (compiled !== undefined && errors.length === 0) {
    for (const [index, name] of needs.entries())
      if (outside.variables.get(name)?.used === false)
        compiler.report(needAt(index), `the condition does not read $${name}`, 'leave it out');
  }
  return { sound: compiled !== undefined && errors.length === 0, errors, tables: compiler.tables };
}

/** Compiles one check to closures. Total: every mistake is in `errors`, or in a shared condition, which has reported it. */
export function compileCheck(source: CheckSource, parameters: Parameters, shared: SharedConditions = new Map()): CheckCompilation {
  const errors: Reported[] = [];
  const doubts: Reported[] = [];
  const { definition, at, provider } = source;
  const compiler = newCompiler(provider, parameters, shared, errors);
  const on = typesOf(compiler, definition['on'], [...at, 'on']);
  const critical = criticalOf(compiler, definition['scope'], [...at, 'scope']);
  const aggregate = aggregateOf(compiler, definition['aggregate'], [...at, 'aggregate']);
  const scope = new Scope(null);
  compileLet(compiler, scope, definition['let'], [...at, 'let']);
  const when =
    definition['when'] === undefined ? null : compileCondition(compiler, scope, definition['when'], [...at, 'when'], 'down', 'when');
  const require =
    definition['require'] === undefined
      ? undefined
      : compileCondition(compiler, scope, definition['require'], [...at, 'require'], 'up', '');
  if (definition['require'] === undefined)
    compiler.report(at, 'this check has no `require`', 'the condition that a passing resource meets');
  const satisfied =
    definition['satisfied'] === undefined
      ? null
      : (compileSentence(compiler, scope, definition['satisfied'], [...at, 'satisfied']) ?? null);
  for (const variable of scope.variables.values()) {
    if (!variable.used) doubts.push({ at: variable.at, rule: 'unused-let', message: `$${variable.name} is never used` });
  }
  for (const absence of compiler.absences) {
    if (absence.because === null)
      doubts.push({
        at: absence.at,
        rule: 'absence-decides',
        message: `the absence of ${absence.path} leads towards a pass here`,
        hint: 'say why that is evidence: because: "…", or turn the condition round',
        ...(absence.within === null ? {} : { within: absence.within }),
      });
  }
  for (const { at: where, path, within } of compiler.others)
    doubts.push({
      at: where,
      rule: 'others-decide',
      message: `any other text in ${path} leads towards a pass here`,
      hint: 'say which values are known: known: [A, B], or why any other may: because: "…"',
      ...(within === null ? {} : { within }),
    });
  const paths: ReadPaths = {
    on: on ?? [],
    reads: new Map([...compiler.reads].map(([table, read]) => [table, read.has('*') ? ('*' as const) : [...read].sort()])),
    subjectReads: [...compiler.subjectReads].sort(),
  };
  const usable = errors.length === 0 && require !== undefined && when !== undefined && on !== undefined;
  const check: ConditionCheck | undefined = usable
    ? {
        kind: 'condition',
        id: source.id,
        title: source.title,
        provider,
        critical,
        ...(aggregate === undefined ? {} : { aggregate }),
        ...paths,
        usesReaders: compiler.usesReaders,
        absences: compiler.absences.map((absence) => ({ path: absence.path, keys: absence.keys, because: absence.because ?? '' })),
        definition: filledIn(definition as JsonObject, shared) as JsonObject,
        evaluate: evaluator(when, require, satisfied, compiler.slots, compiler.caseless),
      }
    : undefined;
  const { usedParameters, usedConditions, tables } = compiler;
  return { check, errors, doubts, usedParameters, usedConditions, tables, paths };
}

const holds = 'Every condition of this check holds.';

function evaluator(
  when: Condition | null,
  require: Condition,
  satisfied: ((evaluation: Evaluation) => string) | null,
  slots: number,
  caseless: boolean,
): ConditionCheck['evaluate'] {
  let preparedFor: EvaluationEnvironment | null = null;
  let comparison: Comparison = { caseless, asOf: 0 };
  return (subject: Resource, env: EvaluationEnvironment): CheckOutcome => {
    if (env !== preparedFor) {
      comparison = { caseless, asOf: instant(env.asOf) };
      preparedFor = env;
    }
    const evaluation = new Evaluation(subject, env, comparison, slots);
    const { leaves, joined } = evaluation;
    const because = (condition: Condition, value: typeof FALSE | typeof UNKNOWN, lead = ''): string => {
      evaluation.quiet = true;
      const { text, authored } = condition.why(evaluation, value);
      return authored ? text : `${lead}${text}`;
    };
    try {
      if (when !== null) {
        const applies = when.evaluate(evaluation);
        if (applies === FALSE) return { status: 'notapplicable', reason: because(when, FALSE, 'does not apply: '), leaves, joined };
        if (applies === UNKNOWN) return { status: 'unknown', reason: because(when, UNKNOWN, 'whether this applies: '), leaves, joined };
      }
      const value = require.evaluate(evaluation);
      if (value === TRUE) return { status: 'pass', reason: satisfied === null ? holds : satisfied(evaluation), leaves, joined };
      return { status: value === FALSE ? 'fail' : 'unknown', reason: because(require, value), leaves, joined };
    } catch (error) {
      return {
        status: 'error',
        reason: `the check could not be carried out: ${error instanceof Error ? error.message : String(error)}`,
        leaves,
        joined,
      };
    }
  };
}

function instant(asOf: string): number {
  const at = Date.parse(asOf);
  if (Number.isNaN(at)) throw new Error(`asOf is not a date: ${asOf}`);
  return at;
}

/** How the types of a provider are spelled; those of Azure in lower case. */
export const typeShape: Record<Provider, RegExp> = {
  aws: /^AWS::[A-Za-z0-9]+::[A-Za-z0-9]+$/,
  azure: /^[a-z0-9.]+(\/[a-z0-9]+)+$/,
  gcp: /^[a-z0-9-]+\.googleapis\.com\/[A-Za-z]+$/,
};

function typesOf(compiler: CheckCompiler, source: unknown, at: At): string[] | undefined {
  const list = Array.isArray(source) ? source : [source];
  if (list.length === 0 || !list.every((type) => typeof type === 'string' && type !== '')) {
    compiler.report(
      at,
      source === undefined ? 'this check says not what it is on' : '`on` is a resource type or a list of them',
      'on: AWS::S3::Bucket',
    );
    return undefined;
  }
  const types = (list as string[]).map((type) => (compiler.provider === 'azure' ? type.toLowerCase() : type));
  for (const type of types)
    if (!typeShape[compiler.provider].test(type)) compiler.report(at, `${type} is no resource type of ${compiler.provider}`);
  return types;
}

function criticalOf(compiler: CheckCompiler, source: unknown, at: At): boolean {
  if (source === undefined) return false;
  if (!isObject(source) || typeof source['critical'] !== 'boolean') {
    compiler.report(at, '`scope` is { critical: true }');
    return false;
  }
  checkKeys(compiler, source, ['critical'], at, '`scope`');
  return source['critical'];
}

function aggregateOf(compiler: CheckCompiler, source: unknown, at: At): Aggregate | undefined {
  if (source === undefined) return undefined;
  if (!isObject(source)) {
    compiler.report(at, '`aggregate` is a map', 'aggregate: { per: accountId, atLeast: 1, emptyScope: fail }');
    return undefined;
  }
  checkKeys(compiler, source, ['per', 'atLeast', 'atMost', 'emptyScope'], at, '`aggregate`');
  const { per, atLeast, atMost, emptyScope } = source;
  const before = compilerErrors(compiler, at, source);
  if (!before) return undefined;
  return {
    per: per as Aggregate['per'],
    emptyScope: emptyScope as Aggregate['emptyScope'],
    ...(atLeast === undefined ? {} : { atLeast: atLeast as number }),
    ...(atMost === undefined ? {} : { atMost: atMost as number }),
  };
}

function compilerErrors(compiler: CheckCompiler, at: At, source: Record<string, unknown>): boolean {
  let fine = true;
  const wrong = (key: string, message: string, words: readonly string[] = []): void => {
    fine = false;
    const written = source[key];
    compiler.report(
      written === undefined ? at : [...at, key],
      message,
      typeof written === 'string' ? didYouMean(written, words) : undefined,
    );
  };
  const per = ['accountId', 'scope'];
  if (!per.includes(source['per'] as string)) wrong('per', '`per` is accountId or scope', per);
  const emptyScope = ['fail', 'notapplicable', 'pass'];
  if (!emptyScope.includes(source['emptyScope'] as string)) wrong('emptyScope', '`emptyScope` is fail, notapplicable or pass', emptyScope);
  if (source['atLeast'] === undefined && source['atMost'] === undefined) wrong('atLeast', '`aggregate` needs `atLeast` or `atMost`');
  for (const key of ['atLeast', 'atMost'])
    if (source[key] !== undefined && (!Number.isInteger(source[key]) || (source[key] as number) < 0))
      wrong(key, `\`${key}\` is a whole number`);
  return fine;
}
