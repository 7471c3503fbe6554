import { isObject } from '../operands.ts';
import type { At, CheckCompiler, Scope, Variable } from '../scope.ts';
import { covered } from './binding.ts';

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
    const operand = compiler.operand(compiler, scope, binding, where, true);
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
