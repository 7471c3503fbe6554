import type { Json } from '../model/index.ts';
import { asText } from './kql-evaluate.ts';

/** The subset of the Kusto query language that inventory queries use. Anything else is refused, never guessed. */

export class KqlError extends Error {}

export type Expression =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'path'; readonly parts: readonly (string | number)[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'list'; readonly of: readonly Expression[] }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'binary'; readonly op: string; readonly left: Expression; readonly right: Expression };

interface Named {
  readonly name: string;
  readonly expression: Expression;
}
export type Step =
  | { readonly step: 'where'; readonly condition: Expression }
  | { readonly step: 'extend' | 'project'; readonly columns: readonly Named[] }
  | { readonly step: 'project-away'; readonly names: readonly string[] }
  | { readonly step: 'order'; readonly by: readonly { readonly expression: Expression; readonly descending: boolean }[] }
  | { readonly step: 'take'; readonly count: number }
  | { readonly step: 'count' }
  | { readonly step: 'distinct'; readonly columns: readonly Named[] }
  | {
      readonly step: 'summarize';
      readonly aggregates: readonly {
        readonly name: string;
        readonly fn: 'count' | 'dcount' | 'countif' | 'min' | 'max';
        readonly of: Expression | null;
      }[];
      readonly by: readonly Named[];
    };

export interface KqlQuery {
  readonly table: string;
  readonly steps: readonly Step[];
  /** Types that the leading conditions leave, in lower case; null for any. */
  readonly types: readonly string[] | null;
  /** The first condition says nothing but which types. */
  readonly typesOnly: boolean;
}

const lexer =
  /\s*(?:\/\/[^\n]*\n\s*)*(?:('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|@'[^']*'|@"[^"]*")|(\d+(?:\.\d+)?)|([A-Za-z_$][A-Za-z0-9_]*)|(!contains_cs|!contains|!startswith|!endswith|!has|!in~|!in|in~|==|=~|!=|!~|<=|>=|[|(),.=<>[\]!~-]))/y;

interface Token {
  readonly kind: 'text' | 'number' | 'word' | 'sign';
  readonly text: string;
}

function tokenize(source: string): Token[] {
  const found: Token[] = [];
  let at = 0;
  while (
    source
      .slice(at)
      .replace(/\/\/[^\n]*/g, '')
      .trim() !== ''
  ) {
    lexer.lastIndex = at;
    const match = lexer.exec(source);
    if (match === null) throw new KqlError(`Query is invalid near '${source.slice(at, at + 24).trim()}'.`);
    if (match[1] !== undefined) found.push({ kind: 'text', text: match[1] });
    else if (match[2] !== undefined) found.push({ kind: 'number', text: match[2] });
    else if (match[3] !== undefined) {
      // `in~` begins like a word.
      if (match[3] === 'in' && source[lexer.lastIndex] === '~') {
        found.push({ kind: 'sign', text: 'in~' });
        at = lexer.lastIndex + 1;
        continue;
      }
      found.push({ kind: 'word', text: match[3] });
    } else found.push({ kind: 'sign', text: match[4] ?? '' });
    at = lexer.lastIndex;
  }
  return found;
}

function unquote(text: string): string {
  if (text.startsWith('@')) return text.slice(2, -1);
  return text.slice(1, -1).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c === 't' ? '\t' : c));
}

const comparisons = new Set([
  '==',
  '=~',
  '!=',
  '!~',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'in~',
  '!in',
  '!in~',
  'contains',
  '!contains',
  'contains_cs',
  '!contains_cs',
  'has',
  '!has',
  'startswith',
  '!startswith',
  'endswith',
  '!endswith',
]);
const functions = new Set([
  'tolower',
  'toupper',
  'tostring',
  'toint',
  'tolong',
  'tobool',
  'isnotempty',
  'isempty',
  'isnull',
  'isnotnull',
  'strcat',
  'array_length',
  'coalesce',
  'iff',
  'split',
  'not',
  'parse_json',
  'todynamic',
  'bag_keys',
  'strlen',
]);
const aggregates = new Set(['count', 'dcount', 'countif', 'min', 'max']);

export function parseKql(source: string): KqlQuery {
  const list = tokenize(source);
  let at = 0;
  const peek = (ahead = 0): string => list[at + ahead]?.text ?? '';
  const fail = (): never => {
    throw new KqlError(`Query is invalid near '${peek() || 'end of query'}'.`);
  };
  const word = (): string => {
    const token = list[at];
    if (token?.kind !== 'word') return fail();
    at += 1;
    return token.text;
  };
  const expect = (text: string): void => {
    if (peek() !== text) fail();
    at += 1;
  };
  const primary = (): Expression => {
    const token = list[at];
    if (token === undefined) return fail();
    if (token.kind === 'text') {
      at += 1;
      return { kind: 'literal', value: unquote(token.text) };
    }
    if (token.kind === 'number') {
      at += 1;
      return { kind: 'literal', value: Number(token.text) };
    }
    if (token.text === '-' && list[at + 1]?.kind === 'number') {
      at += 2;
      return { kind: 'literal', value: -Number(list[at - 1]?.text) };
    }
    if (token.text === '(') {
      at += 1;
      const first = expression();
      if (peek() !== ',') {
        expect(')');
        return first;
      }
      const of = [first];
      while (peek() === ',') {
        at += 1;
        of.push(expression());
      }
      expect(')');
      return { kind: 'list', of };
    }
    if (token.kind !== 'word') return fail();
    at += 1;
    if (token.text === 'true' || token.text === 'false') return { kind: 'literal', value: token.text === 'true' };
    if (peek() === '(') {
      if (!functions.has(token.text)) throw new KqlError(`Function '${token.text}' is not supported.`);
      at += 1;
      const args: Expression[] = [];
      while (peek() !== ')') {
        args.push(expression());
        if (peek() === ',') at += 1;
        else if (peek() !== ')') fail();
      }
      at += 1;
      if (token.text === 'not') return { kind: 'not', of: args[0] ?? fail() };
      return { kind: 'call', name: token.text, args };
    }
    const parts: (string | number)[] = [token.text];
    for (;;) {
      if (peek() === '.') {
        at += 1;
        parts.push(word());
        continue;
      }
      if (peek() === '[') {
        at += 1;
        const key = list[at];
        if (key?.kind === 'text') parts.push(unquote(key.text));
        else if (key?.kind === 'number') parts.push(Number(key.text));
        else fail();
        at += 1;
        expect(']');
        continue;
      }
      return { kind: 'path', parts };
    }
  };
  const comparison = (): Expression => {
    const left = primary();
    const op = peek();
    if (!comparisons.has(op)) return left;
    at += 1;
    if (op.includes('in') && !op.includes('contains')) {
      const right = primary();
      return { kind: 'binary', op, left, right: right.kind === 'list' ? right : { kind: 'list', of: [right] } };
    }
    return { kind: 'binary', op, left, right: primary() };
  };
  const conjunction = (): Expression => {
    let left = comparison();
    while (peek() === 'and') {
      at += 1;
      left = { kind: 'binary', op: 'and', left, right: comparison() };
    }
    return left;
  };
  const expression = (): Expression => {
    let left = conjunction();
    while (peek() === 'or') {
      at += 1;
      left = { kind: 'binary', op: 'or', left, right: conjunction() };
    }
    return left;
  };
  const named = (): Named => {
    if (list[at]?.kind === 'word' && peek(1) === '=') {
      const name = word();
      at += 1;
      return { name, expression: expression() };
    }
    const value = expression();
    if (value.kind === 'path')
      return { name: value.parts.length === 1 ? String(value.parts[0]) : value.parts.join('_'), expression: value };
    return { name: 'Column1', expression: value };
  };
  const many = <T>(one: () => T): T[] => {
    const out = [one()];
    while (peek() === ',') {
      at += 1;
      out.push(one());
    }
    return out;
  };
  const table = word().toLowerCase();
  const steps: Step[] = [];
  while (at < list.length) {
    expect('|');
    let operator = word().toLowerCase();
    if (operator === 'project' && peek() === '-') {
      at += 1;
      operator = `project-${word()}`;
    }
    if (operator === 'where') steps.push({ step: 'where', condition: expression() });
    else if (operator === 'extend' || operator === 'project') steps.push({ step: operator, columns: many(named) });
    else if (operator === 'project-away') steps.push({ step: 'project-away', names: many(word) });
    else if (operator === 'distinct') steps.push({ step: 'distinct', columns: many(named) });
    else if (operator === 'take' || operator === 'limit') {
      const count = Number(peek());
      if (!Number.isInteger(count)) fail();
      at += 1;
      steps.push({ step: 'take', count });
    } else if (operator === 'count') steps.push({ step: 'count' });
    else if (operator === 'order' || operator === 'sort') {
      if (word() !== 'by') fail();
      steps.push({
        step: 'order',
        by: many(() => {
          const value = expression();
          const direction = peek();
          if (direction === 'asc' || direction === 'desc') at += 1;
          return { expression: value, descending: direction !== 'asc' };
        }),
      });
    } else if (operator === 'summarize') {
      const found: { name: string; fn: 'count' | 'dcount' | 'countif' | 'min' | 'max'; of: Expression | null }[] = [];
      const aggregate = (): void => {
        let name: string | null = null;
        if (list[at]?.kind === 'word' && peek(1) === '=') {
          name = word();
          at += 1;
        }
        const fn = word();
        if (!aggregates.has(fn)) throw new KqlError(`Aggregation '${fn}' is not supported.`);
        expect('(');
        const of = peek() === ')' ? null : expression();
        expect(')');
        found.push({ name: name ?? `${fn}_`, fn: fn as 'count', of });
      };
      if (peek() !== 'by') {
        aggregate();
        while (peek() === ',') {
          at += 1;
          aggregate();
        }
      }
      let by: Named[] = [];
      if (peek() === 'by') {
        at += 1;
        by = many(named);
      }
      steps.push({ step: 'summarize', aggregates: found, by });
    } else throw new KqlError(`Operator '${operator}' is not supported.`);
  }
  const first = steps[0];
  return {
    table,
    steps,
    types: typesOf(steps),
    typesOnly:
      first?.step === 'where' && first.condition.kind === 'binary' && first.condition.op !== 'and' && pinned(first.condition) !== null,
  };
}

function typesOf(steps: readonly Step[]): string[] | null {
  for (const step of steps) {
    if (step.step !== 'where') return null;
    const types = pinned(step.condition);
    if (types !== null) return types;
  }
  return null;
}

function pinned(condition: Expression): string[] | null {
  if (condition.kind !== 'binary') return null;
  if (condition.op === 'and') return pinned(condition.left) ?? pinned(condition.right);
  const left = condition.left;
  const isType =
    (left.kind === 'path' && left.parts.length === 1 && left.parts[0] === 'type') ||
    (left.kind === 'call' && left.name === 'tolower' && left.args[0]?.kind === 'path' && left.args[0].parts[0] === 'type');
  if (!isType) return null;
  if ((condition.op === '=~' || condition.op === '==') && condition.right.kind === 'literal')
    return [asText(condition.right.value).toLowerCase()];
  if ((condition.op === 'in' || condition.op === 'in~') && condition.right.kind === 'list') {
    const values = condition.right.of.map((one) => (one.kind === 'literal' ? asText(one.value).toLowerCase() : null));
    return values.includes(null) ? null : (values as string[]);
  }
  return null;
}
