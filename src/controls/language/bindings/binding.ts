import type { At, CheckCompiler, Operand, Origin, Scope } from '../scope.ts';
import { Void } from '../values.ts';

/** One way to name a value: a line of the table in operand.ts. */
export interface Binding {
  /** Every key that may stand in it, the one that names it included. */
  readonly keys: readonly string[];
  /**
   * Reports what is wrong and returns undefined, or compiles. `alias`: reads are noted where the variable is used, not here; only
   * a binding that adds nothing to a path takes note of it.
   */
  readonly compile: (compiler: CheckCompiler, scope: Scope, source: Record<string, unknown>, at: At, alias: boolean) => Operand | undefined;
}

/** The origin of a value that is made here: nothing below it is left to be read. */
export const covered: Origin = { kind: 'covered' };

export const unresolved = (code: string, because: string): Void => new Void('unresolved', code, because);
