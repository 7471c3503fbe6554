import type { Json, JsonObject, Provider } from '../../model/index.ts';
import { ListValue, MISSING, MISTYPED, NO_CONTAINER, Void } from './values.ts';
import type { Value } from './values.ts';

export type Segment = string | number;

/** Azure does not tell field names apart by case, and AWS Config spells one field in several ways (`KMSKeyId`, `KmsKeyId`; `aWSAccountId`, `awsaccountId`). */
export function namesWithoutCase(provider: Provider): boolean {
  return provider !== 'gcp';
}

/** `$key.configuration.keyManager` → variable `key`, segments `configuration`, `keyManager`. `variable: null` starts at the subject. */
export interface Path {
  readonly text: string;
  readonly variable: string | null;
  readonly segments: readonly Segment[];
}

const name = /[A-Za-z_@-][A-Za-z0-9_@$:-]*/y;
const variableName = /\$([A-Za-z_][A-Za-z0-9_]*)/y;
const index = /\[(-?\d+)\]/y;
const quoted = /\["((?:[^"\\]|\\.)*)"\]/y;

/**
 * `a.b[0].c`, `a["odd.key"].b`, `$variable.rest`, `$variable`. Throws an Error whose message is fit for the author.
 */
export function parsePath(text: string): Path {
  const segments: Segment[] = [];
  let at = 0;
  let variable: string | null = null;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  const root = take(variableName);
  if (root !== null) variable = root[1] as string;
  let needsDot = root !== null;
  while (at < text.length) {
    const position = take(index);
    if (position !== null) {
      segments.push(Number(position[1]));
    } else {
      const key = take(quoted);
      if (key !== null) {
        segments.push(JSON.parse(`"${key[1] as string}"`) as string);
      } else {
        if (needsDot) {
          if (text[at] !== '.') throw new Error(`not a path at character ${at + 1}: ${text}`);
          at += 1;
        }
        const word = take(name);
        if (word === null) throw new Error(`not a path at character ${at + 1}: ${text} (write odd keys as a["odd.key"])`);
        segments.push(word[0]);
      }
    }
    needsDot = true;
  }
  if (variable === null && segments.length === 0) throw new Error('the path is empty');
  return { text, variable, segments };
}

export function formatSegments(segments: readonly Segment[]): string {
  let text = '';
  for (const segment of segments) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (/^[A-Za-z_@-][A-Za-z0-9_@$:-]*$/.test(segment)) text += text === '' ? segment : `.${segment}`;
    else text += `[${JSON.stringify(segment)}]`;
  }
  return text;
}

/** The value of an own key. Without case, an exact spelling wins over another one. */
function member(container: JsonObject, key: string, lower: string | null): Json | undefined {
  if (Object.hasOwn(container, key)) return container[key];
  if (lower === null) return undefined;
  for (const candidate of Object.keys(container)) {
    if (candidate.length === lower.length && candidate.toLowerCase() === lower) return container[candidate];
  }
  return undefined;
}

export type Walk = (root: Value) => Value;

/**
 * Walks own properties only, so `__proto__` and `constructor` are names like any other. A list known in part cannot be
 * indexed. Null on the way counts as not there: one encoding of AWS drops nulls, the other keeps them.
 */
export function compileWalk(segments: readonly Segment[], caseless: boolean): Walk {
  if (segments.length === 0) return (root) => root;
  const steps = segments.map((segment) => ({
    key: typeof segment === 'string' ? segment : null,
    lower: typeof segment === 'string' && caseless ? segment.toLowerCase() : null,
    position: typeof segment === 'number' ? segment : 0,
  }));
  const last = steps.length - 1;
  return (root) => {
    if (root instanceof Void) return root.kind === 'missing' ? NO_CONTAINER : root;
    if (root instanceof ListValue) return MISTYPED;
    let current = root;
    for (let i = 0; i <= last; i++) {
      const step = steps[i] as (typeof steps)[number];
      if (current === null) return NO_CONTAINER;
      if (typeof current !== 'object') return MISTYPED;
      let next: Json | undefined;
      if (step.key === null) {
        if (!Array.isArray(current)) return MISTYPED;
        next = current.at(step.position);
      } else {
        if (Array.isArray(current) || (current as unknown) instanceof ListValue) return MISTYPED;
        next = member(current, step.key, step.lower);
      }
      if (next === undefined) return i === last ? MISSING : NO_CONTAINER;
      current = next;
    }
    return current;
  };
}

/** The path of a noted read, without the mark of how it is read (`?`: whether it is there; `{}`: whether anything is in it). */
export function readPath(read: string): string {
  return read.replace(/(?:\?|\{\})$/, '');
}

interface ProjectionNode {
  whole: boolean;
  readonly children: Map<string, ProjectionNode>;
}

/**
 * Keeps of a document what the given paths read, in the document's own spelling, so that every condition over those paths sees
 * exactly what it would see in the whole document: containers on the way stay (emptied), nulls and wrong types stay as they are.
 * A path ending in `?` keeps only whether something is there and of what type. Lists are kept whole where a path goes through them.
 */
export function compileProjection(paths: readonly string[] | '*', caseless: boolean): (document: JsonObject) => JsonObject {
  if (paths === '*') return (document) => document;
  const root: ProjectionNode = { whole: false, children: new Map() };
  for (const text of paths) {
    const presence = text.endsWith('?');
    let node = root;
    for (const segment of parsePath(readPath(text)).segments) {
      if (typeof segment === 'number') {
        node.whole = true;
        break;
      }
      const key = caseless ? segment.toLowerCase() : segment;
      let child = node.children.get(key);
      if (child === undefined) {
        child = { whole: false, children: new Map() };
        node.children.set(key, child);
      }
      node = child;
    }
    if (!presence) node.whole = true;
  }
  const project = (value: Json, node: ProjectionNode): Json => {
    if (node.whole || typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return [];
    const kept: JsonObject = {};
    for (const key of Object.keys(value)) {
      const child = node.children.get(caseless ? key.toLowerCase() : key);
      if (child === undefined) continue;
      const projected = project(value[key] as Json, child);
      if (key === '__proto__') Object.defineProperty(kept, key, { value: projected, enumerable: true, writable: true, configurable: true });
      else kept[key] = projected;
    }
    return kept;
  };
  return (document) => project(document, root) as JsonObject;
}
