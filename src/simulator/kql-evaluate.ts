import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import type { Expression } from './kql.ts';

/** A value as Kusto prints it. */
export const asText = (value: Json): string =>
  value === null ? '' : typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);

/** Missing is null, as everywhere in Kusto; property names compare with case. */
export function evaluate(expression: Expression, row: JsonObject): Json {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'list':
      return expression.of.map((one) => evaluate(one, row));
    case 'not':
      return evaluate(expression.of, row) !== true;
    case 'path': {
      let value: Json = row;
      for (const part of expression.parts) {
        if (Array.isArray(value) && typeof part === 'number') value = value[part] ?? null;
        else if (isJsonObject(value)) value = value[String(part)] ?? null;
        else return null;
      }
      return value;
    }
    case 'call': {
      const args = expression.args.map((one) => evaluate(one, row));
      const first = args[0] ?? null;
      switch (expression.name) {
        case 'tolower':
          return asText(first).toLowerCase();
        case 'toupper':
          return asText(first).toUpperCase();
        case 'tostring':
          return asText(first);
        case 'toint':
        case 'tolong':
          return first === null || Number.isNaN(Number(first)) ? null : Math.trunc(Number(first));
        case 'tobool':
          return first === true || asText(first).toLowerCase() === 'true';
        case 'isnotempty':
          return asText(first) !== '';
        case 'isempty':
          return asText(first) === '';
        case 'isnull':
          return first === null;
        case 'isnotnull':
          return first !== null;
        case 'strcat':
          return args.map(asText).join('');
        case 'strlen':
          return asText(first).length;
        case 'array_length':
          return Array.isArray(first) ? first.length : null;
        case 'coalesce':
          return args.find((one) => one !== null && one !== '') ?? null;
        case 'iff':
          return first === true ? (args[1] ?? null) : (args[2] ?? null);
        case 'split':
          return asText(first).split(asText(args[1] ?? ''));
        case 'bag_keys':
          return isJsonObject(first) ? Object.keys(first) : null;
        default:
          return typeof first === 'string' ? parseDynamic(first) : first;
      }
    }
    case 'binary':
      return compare(expression.op, expression, row);
  }
}

function parseDynamic(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function compare(op: string, { left, right }: { left: Expression; right: Expression }, row: JsonObject): boolean {
  if (op === 'and') return evaluate(left, row) === true && evaluate(right, row) === true;
  if (op === 'or') return evaluate(left, row) === true || evaluate(right, row) === true;
  if (op.startsWith('!') && op !== '!=' && op !== '!~') return !compare(op.slice(1), { left, right }, row);
  const a = evaluate(left, row);
  const b = evaluate(right, row);
  if (op === 'in' || op === 'in~') {
    const list = (Array.isArray(b) ? b : [b]).map(asText);
    return op === 'in' ? list.includes(asText(a)) : list.some((one) => one.toLowerCase() === asText(a).toLowerCase());
  }
  const x = asText(a);
  const y = asText(b);
  const low = x.toLowerCase();
  const other = y.toLowerCase();
  switch (op) {
    case '==':
      return typeof a === typeof b ? x === y : x === y;
    case '!=':
      return x !== y;
    case '=~':
      return low === other;
    case '!~':
      return low !== other;
    case 'contains':
      return low.includes(other);
    case 'contains_cs':
      return x.includes(y);
    case 'startswith':
      return low.startsWith(other);
    case 'endswith':
      return low.endsWith(other);
    case 'has':
      return low.split(/[^a-z0-9]+/).includes(other) || (/[^a-z0-9]/.test(other) && low.includes(other));
    default: {
      const sign = typeof a === 'number' && typeof b === 'number' ? a - b : x < y ? -1 : x > y ? 1 : 0;
      return op === '<' ? sign < 0 : op === '<=' ? sign <= 0 : op === '>' ? sign > 0 : sign >= 0;
    }
  }
}
