import type { Json } from '../../../model/index.ts';
import { checkKeys, compileParameter, compilePath, compileText, convertOperand, isObject, literalOperand } from '../operands.ts';
import type { At, CheckCompiler, Operand, Scope } from '../scope.ts';
import type { Binding } from './binding.ts';
import { choose } from './choose.ts';
import { all, first } from './filter.ts';
import { lookup } from './lookup.ts';
import { readers } from './readers.ts';
import { decode, replace, split } from './texts.ts';

/** A path, named outright or as a reference to a variable. */
const pathUnder = (key: 'path' | 'ref'): Binding => ({
  keys: [key, 'as'],
  compile: (compiler, scope, source, at, alias) => {
    const path = compilePath(compiler, scope, source[key], [...at, key], { alias: alias && source['as'] === undefined });
    return path === undefined ? undefined : convertOperand(compiler, path, source['as'], [...at, 'as']);
  },
});

const param: Binding = {
  keys: ['param'],
  compile: (compiler, _, source, at) => compileParameter(compiler, source['param'], [...at, 'param']),
};

const literal: Binding = { keys: ['literal'], compile: (_compiler, _scope, source) => literalOperand(source['literal'] as Json) };

const text: Binding = {
  keys: ['text', 'as'],
  compile: (compiler, scope, source, at) => {
    const composed = compileText(compiler, scope, source['text'], [...at, 'text']);
    return composed === undefined ? undefined : convertOperand(compiler, composed, source['as'], [...at, 'as']);
  },
};

/** Every kind of binding, for `let`, `by` and expected values, in the order of the reference; the first key found decides. */
const bindings: ReadonlyMap<string, Binding> = new Map(
  Object.entries({
    path: pathUnder('path'),
    ref: pathUnder('ref'),
    param,
    literal,
    text,
    lookup,
    first,
    all,
    decode,
    split,
    replace,
    choose,
    readers,
  }),
);

export const bindingKinds: readonly string[] = [...bindings.keys()];

/** A binding or a bare path. `alias`: reads are noted where the variable is used, not here. */
export function compileOperand(compiler: CheckCompiler, scope: Scope, source: unknown, at: At, alias = false): Operand | undefined {
  if (typeof source === 'string') return compilePath(compiler, scope, source, at, { alias });
  if (!isObject(source)) {
    compiler.report(at, 'a path or a binding is needed here', `a path, or one of ${bindingKinds.join(', ')}`);
    return undefined;
  }
  // `decode` stands beside `path`, and `all`, `first` stand beside `as`: the more telling key decides.
  const named = [...bindings].filter(([key]) => Object.hasOwn(source, key));
  const [kind, binding] = named.find(([key]) => key !== 'path') ?? named[0] ?? [];
  if (kind === undefined || binding === undefined) {
    compiler.report(at, 'this binding says nothing that is known', `it needs one of ${bindingKinds.join(', ')}`);
    return undefined;
  }
  checkKeys(compiler, source, binding.keys, at, `\`${kind}\``);
  return binding.compile(compiler, scope, source, at, alias);
}
