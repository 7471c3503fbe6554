import { checkKeys, isObject } from '../operands.ts';
import type { Condition } from '../condition.ts';
import type { At, CheckCompiler, Operand, Scope } from '../scope.ts';
import { FALSE, NONE_MATCHED, TRUE, UNKNOWN } from '../values.ts';
import { type Binding, covered, unresolved } from './binding.ts';
import { quietly } from './elements.ts';

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
    const use = compiler.operand(compiler, scope, entry['use'], [...where, 'use']);
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

/** The operand of the first case whose condition holds. */
export const choose: Binding = { keys: ['choose'], compile: compileChoose };
