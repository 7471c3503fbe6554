import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import type { AwsItem } from './estate/aws-model.ts';
import { printJson } from './estate/hostile.ts';
import { iso, plain } from './estate/population.ts';

/** A row as advanced queries see it: nulls dropped, `configuration` and `supplementaryConfiguration` as objects. */
export function selectRow(item: AwsItem, capturedAt = item.capturedAt): JsonObject {
  return dropNulls({
    resourceId: item.resourceId,
    resourceName: item.resourceName,
    resourceType: item.resourceType,
    arn: item.arn,
    accountId: item.accountId,
    awsRegion: item.awsRegion,
    availabilityZone: item.availabilityZone,
    version: '1.3',
    configurationItemCaptureTime: iso(capturedAt),
    configurationItemStatus: 'OK',
    configurationStateId: String(capturedAt),
    resourceCreationTime: item.createdAt === null ? null : iso(item.createdAt),
    tags: Object.entries(item.tags).map(([key, value]) => ({ tag: `${key}=${value}`, key, value })),
    relationships: [],
    configuration: item.configuration,
    supplementaryConfiguration: item.supplementaryConfiguration,
  }) as JsonObject;
}

/**
 * An item as BatchGet hands it out: `configuration` and every supplementary value are JSON strings, so that what was
 * text already (a policy, an access control list) is encoded twice. Nulls stay; there are no tags.
 */
export function batchItem(item: AwsItem, capturedAt = item.capturedAt): JsonObject {
  return dropNulls({
    version: '1.3',
    accountId: item.accountId,
    configurationItemCaptureTime: capturedAt / 1000,
    configurationItemStatus: 'OK',
    configurationStateId: String(capturedAt),
    arn: item.arn,
    resourceType: item.resourceType,
    resourceId: item.resourceId,
    resourceName: item.resourceName,
    awsRegion: item.awsRegion,
    availabilityZone: item.availabilityZone,
    resourceCreationTime: item.createdAt === null ? null : item.createdAt / 1000,
    configuration: JSON.stringify(item.configuration),
    supplementaryConfiguration: Object.fromEntries(
      Object.entries(item.supplementaryConfiguration).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
  }) as JsonObject;
}

// Loops, not chains of lists: every row of every page goes through these two.
function dropNulls(value: Json): Json {
  if (Array.isArray(value)) {
    const kept: Json[] = [];
    for (const element of value) if (element !== null) kept.push(dropNulls(element));
    return kept;
  }
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const name of Object.keys(value)) {
    const inner = value[name] as Json;
    if (inner !== null) setOwn(kept, name, dropNulls(inner));
  }
  return kept;
}

/** Like `target[name] = value`, also for the name `__proto__`. */
function setOwn(target: JsonObject, name: string, value: Json): void {
  if (name === '__proto__') Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  else target[name] = value;
}

/** JSON as advanced queries print it: numbers of the configuration always carry a fraction (`60.0`). */
export function selectText(value: Json): string {
  return printJson(withFractions(value));
}

function withFractions(value: Json): Json {
  if (typeof value === 'number') return Number.isInteger(value) ? rawJson(`${String(value)}.0`) : value;
  if (Array.isArray(value)) return value.map(withFractions);
  if (!isJsonObject(value)) return value;
  const shown: JsonObject = {};
  for (const name of Object.keys(value)) setOwn(shown, name, withFractions(value[name] as Json));
  return shown;
}

/** Stands for this very text where JSON.stringify meets it (TypeScript's libraries do not know it yet). */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => Json };

export type SelectField = { readonly kind: 'all' } | { readonly kind: 'path'; readonly path: string } | { readonly kind: 'count' };
export interface SelectQuery {
  readonly fields: readonly SelectField[];
  readonly where: Predicate | null;
  readonly groupBy: readonly string[];
  /** Types the query can return, where the condition pins them; null for any. */
  readonly types: readonly string[] | null;
  /** The condition does nothing but pin types. */
  readonly typesOnly: boolean;
}
type Predicate =
  | { readonly op: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly op: 'not'; readonly of: Predicate }
  | { readonly op: '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like'; readonly path: string; readonly value: string | number | boolean }
  | { readonly op: 'in'; readonly path: string; readonly values: readonly (string | number | boolean)[] }
  | { readonly op: 'between'; readonly path: string; readonly low: string | number | boolean; readonly high: string | number | boolean };

export class InvalidExpression extends Error {}

const tokenPattern = /\s*(?:('(?:[^'\\]|\\.|'')*')|([A-Za-z_][A-Za-z0-9_.:-]*(?:\.\*)?)|(-?\d+(?:\.\d+)?)|(<=|>=|!=|<>|[(),=<>*]))/y;

function tokens(text: string): string[] {
  const found: string[] = [];
  tokenPattern.lastIndex = 0;
  let at = 0;
  while (text.slice(at).trim() !== '') {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(text);
    if (match === null) throw new InvalidExpression(`The expression has a syntax error near '${text.slice(at, at + 20).trim()}'.`);
    found.push(match[0].trim());
    at = tokenPattern.lastIndex;
  }
  return found;
}

const topLevel = new Set([
  'resourceId',
  'resourceName',
  'resourceType',
  'arn',
  'accountId',
  'awsRegion',
  'availabilityZone',
  'version',
  'configurationItemCaptureTime',
  'configurationItemStatus',
  'configurationStateId',
  'resourceCreationTime',
  'tags',
  'relationships',
  'configuration',
  'supplementaryConfiguration',
]);
const refused = /^(FROM|AS|DISTINCT|HAVING|UNION|JOIN|NULL|LIMIT|EXISTS|CASE|WITH)$/i;

/** Parses the subset of SQL that advanced queries take; throws InvalidExpression otherwise. */
export function parseSelect(expression: string): SelectQuery {
  const list = tokens(expression);
  let at = 0;
  const peek = (): string => list[at] ?? '';
  const is = (word: string): boolean => peek().toUpperCase() === word;
  const fail = (): never => {
    throw new InvalidExpression(`The expression has a syntax error near '${peek() || 'end of expression'}'.`);
  };
  const expect = (word: string): void => {
    if (!is(word)) fail();
    at += 1;
  };
  const path = (): string => {
    const token = peek();
    if (!/^[A-Za-z_]/.test(token) || refused.test(token)) fail();
    if (!topLevel.has(token.split('.')[0] ?? '')) throw new InvalidExpression(`The property '${token}' is not a valid property.`);
    at += 1;
    return token;
  };
  const literal = (): string | number | boolean => {
    const token = peek();
    at += 1;
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'").replaceAll("\\'", "'");
    if (/^-?\d/.test(token)) return Number(token);
    if (/^true$/i.test(token)) return true;
    if (/^false$/i.test(token)) return false;
    at -= 1;
    return fail();
  };
  const field = (): SelectField => {
    if (is('*')) {
      at += 1;
      return { kind: 'all' };
    }
    if (is('COUNT')) {
      at += 1;
      expect('(');
      if (is('*')) at += 1;
      else path();
      expect(')');
      return { kind: 'count' };
    }
    return { kind: 'path', path: path() };
  };
  const comparison = (): Predicate => {
    if (is('(')) {
      at += 1;
      const inner = disjunction();
      expect(')');
      return inner;
    }
    if (is('NOT')) {
      at += 1;
      return { op: 'not', of: comparison() };
    }
    const name = path();
    const negated = is('NOT');
    if (negated) at += 1;
    const wrap = (predicate: Predicate): Predicate => (negated ? { op: 'not', of: predicate } : predicate);
    if (is('IN')) {
      at += 1;
      expect('(');
      const values = [literal()];
      while (is(',')) {
        at += 1;
        values.push(literal());
      }
      expect(')');
      return wrap({ op: 'in', path: name, values });
    }
    if (is('BETWEEN')) {
      at += 1;
      const low = literal();
      expect('AND');
      return wrap({ op: 'between', path: name, low, high: literal() });
    }
    if (is('LIKE')) {
      at += 1;
      return wrap({ op: 'like', path: name, value: literal() });
    }
    const operator = peek() === '<>' ? '!=' : peek();
    if (operator !== '=' && operator !== '!=' && operator !== '<' && operator !== '<=' && operator !== '>' && operator !== '>=')
      return fail();
    at += 1;
    return { op: operator, path: name, value: literal() };
  };
  const conjunction = (): Predicate => {
    const of = [comparison()];
    while (is('AND')) {
      at += 1;
      of.push(comparison());
    }
    return of.length === 1 ? (of[0] as Predicate) : { op: 'and', of };
  };
  const disjunction = (): Predicate => {
    const of = [conjunction()];
    while (is('OR')) {
      at += 1;
      of.push(conjunction());
    }
    return of.length === 1 ? (of[0] as Predicate) : { op: 'or', of };
  };
  expect('SELECT');
  const fields = [field()];
  while (is(',')) {
    at += 1;
    fields.push(field());
  }
  let where: Predicate | null = null;
  if (is('WHERE')) {
    at += 1;
    where = disjunction();
  }
  const groupBy: string[] = [];
  if (is('GROUP')) {
    at += 1;
    expect('BY');
    groupBy.push(path());
    while (is(',')) {
      at += 1;
      groupBy.push(path());
    }
  }
  if (is('ORDER')) {
    at += 1;
    expect('BY');
    if (is('COUNT')) field();
    else path();
    if (is('ASC') || is('DESC')) at += 1;
  }
  if (at < list.length) fail();
  if (groupBy.length > 0 && fields.some((one) => one.kind === 'all' || (one.kind === 'path' && !groupBy.includes(one.path))))
    throw new InvalidExpression('Every selected property must be in GROUP BY.');
  const { types, only } = pinnedTypes(where);
  return { fields, where, groupBy, types, typesOnly: where === null || only };
}

function pinnedTypes(where: Predicate | null): { types: string[] | null; only: boolean } {
  if (where === null) return { types: null, only: false };
  if (where.op === '=' && where.path === 'resourceType') return { types: [String(where.value)], only: true };
  if (where.op === 'in' && where.path === 'resourceType') return { types: where.values.map(String), only: true };
  if (where.op === 'and') {
    for (const part of where.of) {
      const pinned = pinnedTypes(part);
      if (pinned.types !== null) return { types: pinned.types, only: false };
    }
  }
  return { types: null, only: false };
}

/** All values a path reaches; an array on the way fans out. */
function reach(value: Json | undefined, parts: readonly string[]): Json[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((element) => reach(element, parts));
  const [head, ...rest] = parts;
  if (head === undefined) return [value];
  return isJsonObject(value) ? reach(value[head], rest) : [];
}

export function holds(predicate: Predicate, row: JsonObject): boolean {
  switch (predicate.op) {
    case 'and':
      return predicate.of.every((part) => holds(part, row));
    case 'or':
      return predicate.of.some((part) => holds(part, row));
    case 'not':
      return !holds(predicate.of, row);
    case 'in':
      return reach(row, predicate.path.split('.')).some((value) => predicate.values.some((one) => String(one) === plain(value)));
    case 'between':
      return reach(row, predicate.path.split('.')).some(
        (value) => compare(value, predicate.low) >= 0 && compare(value, predicate.high) <= 0,
      );
    case 'like': {
      const pattern = new RegExp(
        `^${String(predicate.value)
          .split('%')
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')}$`,
        's',
      );
      return reach(row, predicate.path.split('.')).some((value) => pattern.test(plain(value)));
    }
    default: {
      const values = reach(row, predicate.path.split('.'));
      const at = (value: Json): number => compare(value, predicate.value);
      if (predicate.op === '=') return values.some((value) => at(value) === 0);
      if (predicate.op === '!=') return values.some((value) => at(value) !== 0);
      if (predicate.op === '<') return values.some((value) => at(value) < 0);
      if (predicate.op === '<=') return values.some((value) => at(value) <= 0);
      return predicate.op === '>' ? values.some((value) => at(value) > 0) : values.some((value) => at(value) >= 0);
    }
  }
}

function compare(left: Json, right: string | number | boolean): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const a = plain(left);
  const b = String(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The selected part of a row, nested as it was; `*` gives the top-level scalars alone. */
export function project(query: SelectQuery, row: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const field of query.fields) {
    if (field.kind === 'count') continue;
    if (field.kind === 'all') {
      for (const [name, value] of Object.entries(row)) if (typeof value !== 'object') out[name] = value;
      continue;
    }
    place(out, row, field.path.split('.'));
  }
  return out;
}

function place(target: JsonObject, source: JsonObject, parts: readonly string[]): void {
  const [head, ...rest] = parts;
  if (head === undefined) return;
  const value = source[head];
  if (value === undefined) return;
  if (rest.length === 0 || !isJsonObject(value)) {
    target[head] =
      rest.length > 0 && Array.isArray(value)
        ? value.map((element) => {
            const part: JsonObject = {};
            if (isJsonObject(element)) place(part, element, rest);
            return part;
          })
        : value;
    return;
  }
  const inner = isJsonObject(target[head]) ? target[head] : {};
  target[head] = inner;
  place(inner, value, rest);
}
