import type { Json } from '../../../model/index.ts';
import type { At, CheckCompiler, Operand } from '../scope.ts';
import { ListValue } from '../values.ts';
import { type Binding, covered, unresolved } from './binding.ts';

function compileReaders(compiler: CheckCompiler, source: Record<string, unknown>, at: At): Operand | undefined {
  if (source['readers'] !== true) compiler.report([...at, 'readers'], '`readers` is true');
  compiler.usesReaders = true;
  compiler.lowestSlot = -1;
  return {
    text: 'readers',
    source: () => 0,
    display: () => 'who can read it',
    origin: covered,
    shape: 'value',
    read: (evaluation) => {
      const result = evaluation.env.readers(evaluation.subject);
      if (result.outcome === 'unknown') return unresolved('readers-unknown', result.because);
      const { role } = evaluation;
      for (const record of result.records) evaluation.cite(role, record);
      const principals = new ListValue(result.principals, 0, null, result.complete, result.because ?? 'there may be further principals');
      return {
        world: result.world,
        complete: result.complete,
        unsettled: [...result.unsettled],
        principals: principals as unknown as Json,
      };
    },
  };
}

/** Who can read the subject, by the evidence. */
export const readers: Binding = {
  keys: ['readers'],
  compile: (compiler, _, source, at) => compileReaders(compiler, source, at),
};
