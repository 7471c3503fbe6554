import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, ParsedNode } from 'yaml';
import type { At } from '../language/scope.ts';
import type { Problem } from '../types.ts';

/** A YAML file whose every value can be traced to a line and a column. */
export interface YamlSource {
  readonly file: string;
  /** Undefined when the file does not parse. */
  readonly value: unknown;
  /** 1-based position of the value at a path, of its key where the path ends in one that exists, else of the nearest container. */
  position(at: At): { line: number; column: number };
  problem(at: At, message: string, hint?: string, rule?: string): Problem;
  readonly problems: readonly Problem[];
}

/** Parses one document. Syntax errors and repeated keys come out as problems, not as exceptions. */
export function parseYaml(file: string, text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: true });
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = document.errors.map((error) => {
    const hint = error.message.startsWith('Unexpected flow-seq-start at node end')
      ? { hint: 'inside { } a path with [ ] must be quoted' }
      : {};
    return { file, ...at(error.pos[0]), message: plain(error.message), severity: 'error', ...hint };
  });
  let value: unknown;
  if (problems.length === 0) {
    try {
      value = document.toJS({ maxAliasCount: 1000 });
    } catch (error) {
      problems.push({ file, line: 1, column: 1, message: plain((error as Error).message), severity: 'error' });
    }
  }
  const position = (path: At): { line: number; column: number } => at(offsetOf(document, path));
  return {
    file,
    value,
    problems,
    position,
    problem: (path, message, hint, rule) => ({
      file,
      ...position(path),
      message,
      ...(hint === undefined ? {} : { hint }),
      severity: rule === undefined ? 'error' : 'warning',
      ...(rule === undefined ? {} : { rule }),
    }),
  };
}

function plain(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}

function offsetOf(document: Document.Parsed<ParsedNode>, path: At): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) return offset;
      const target = depth === path.length - 1 ? pair.key : (pair.value ?? pair.key);
      if (isNode(target) && target.range) offset = target.range[0];
      node = isNode(pair.value) ? pair.value : null;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (!isNode(item)) return offset;
      if (item.range) offset = item.range[0];
      node = item;
    } else return offset;
  }
  return offset;
}
