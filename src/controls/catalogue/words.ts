import { isJsonObject } from '../../model/index.ts';
import type { Json, JsonObject } from '../../model/index.ts';
import { operatorNamed, operatorNames } from '../language/operators.ts';
import { lookupTable } from '../lookups/tables.ts';

/** Conditions and bindings as a person reads them: lines, indented by two spaces a level. */

/** Text as it is, anything else as JSON. */
function plain(source: Json | undefined): string {
  return typeof source === 'string' ? source : JSON.stringify(source ?? null);
}

function value(source: Json | undefined): string {
  if (typeof source === 'string') return source;
  if (Array.isArray(source)) return source.map((entry) => value(entry)).join(', ');
  if (!isJsonObject(source)) return plain(source);
  return operand(source);
}

/** A binding in a phrase: `the first part of …`. */
export function operand(source: Json | undefined): string {
  if (typeof source === 'string') return source;
  if (!isJsonObject(source)) return plain(source);
  const { as } = source;
  const converted = typeof as === 'string' && source['first'] === undefined && source['all'] === undefined ? ` (as ${as})` : '';
  if (source['param'] !== undefined) return `the parameter ${plain(source['param'])}`;
  if (source['literal'] !== undefined) return value(source['literal']);
  if (source['ref'] !== undefined) return `the value of ${plain(source['ref'])}${converted}`;
  if (source['text'] !== undefined) return `the text "${plain(source['text'])}"${converted}`;
  if (source['readers'] !== undefined) return 'who can read this resource, by the evidence';
  if (source['lookup'] !== undefined) {
    const name = plain(source['lookup']);
    const title = lookupTable(name)?.title;
    return `${source['many'] === true ? 'all records' : 'the record'} of ${name}${title === undefined ? '' : ` (${title})`} for ${operand(source['by'])}`;
  }
  if (source['decode'] !== undefined) return `${operand(source['path'])}, decoded (${value(source['decode'])})`;
  if (source['split'] !== undefined)
    return source['at'] === undefined
      ? `the parts of ${operand(source['split'])} between "${plain(source['on'])}"`
      : `part ${plain(source['at'])} of ${operand(source['split'])} split at "${plain(source['on'])}"`;
  if (source['replace'] !== undefined)
    return `${operand(source['replace'])} with "${plain(source['pattern'])}" replaced by "${plain(source['with'] ?? '')}"`;
  if (source['path'] !== undefined) return `${operand(source['path'])}${converted}`;
  return 'a value';
}

export function bindingLines(name: string, source: Json, indent = ''): string[] {
  if (isJsonObject(source)) {
    for (const kind of ['first', 'all'] as const) {
      if (source[kind] === undefined) continue;
      const what = kind === 'first' ? 'the first entry' : 'every entry';
      const get = source['get'] === undefined ? '' : `, of each ${operand(source['get'])}`;
      const head = `${indent}$${name}: ${what} $${plain(source['as'])} of ${operand(source[kind])}${get}`;
      return source['where'] === undefined ? [head] : [`${head}, where`, ...conditionLines(source['where'], `${indent}  `)];
    }
    if (Array.isArray(source['choose'])) {
      return [
        `${indent}$${name}: the first that applies of`,
        ...source['choose'].flatMap((entry) => {
          const { use, when } = entry as JsonObject;
          return when === undefined
            ? [`${indent}  - otherwise ${operand(use)}`]
            : [`${indent}  - ${operand(use)}, if`, ...conditionLines(when, `${indent}    `)];
        }),
      ];
    }
  }
  return [`${indent}$${name}: ${operand(source)}`];
}

const listWords = { some: 'at least one entry', every: 'every entry', none: 'no entry', count: 'the number of entries' } as const;

/** A condition as an indented list. */
export function conditionLines(source: Json | undefined, indent = ''): string[] {
  if (!isJsonObject(source)) return [`${indent}- (nothing)`];
  for (const [word, title] of [
    ['all', 'all of these'],
    ['any', 'at least one of these'],
  ] as const) {
    const members = source[word];
    if (!Array.isArray(members)) continue;
    const [only] = members;
    if (members.length === 1 && only !== undefined) return conditionLines(only, indent);
    return [`${indent}- ${title}:`, ...members.flatMap((member) => conditionLines(member, `${indent}  `))];
  }
  if (source['not'] !== undefined) return [`${indent}- it is not so that:`, ...conditionLines(source['not'], `${indent}  `)];
  for (const word of ['some', 'every', 'none', 'count'] as const) {
    const quantifier = source[word];
    if (isJsonObject(quantifier)) return quantifierLines(word, quantifier, source, indent);
  }
  if (source['meets'] !== undefined) return sharedLines(source, indent);
  return [`${indent}- ${leafWords(source)}`];
}

/** A shared condition under its title, with the variables of where it is used. */
function sharedLines(source: JsonObject, indent: string): string[] {
  const given = isJsonObject(source['with']) ? source['with'] : {};
  const renamed = (line: string): string =>
    line.replace(/\$([A-Za-z_][A-Za-z0-9_]*)/g, (whole, name: string) => (Object.hasOwn(given, name) ? plain(given[name]) : whole));
  return [`${indent}- ${plain(source['title'])}:`, ...conditionLines(source['condition'], `${indent}  `).map(renamed)];
}

function quantifierLines(word: keyof typeof listWords, quantifier: JsonObject, parent: JsonObject, indent: string): string[] {
  const bounds =
    word === 'count'
      ? ` is ${[
          ['atLeast', 'at least'],
          ['atMost', 'at most'],
          ['equals', 'exactly'],
        ]
          .filter(([key]) => parent[key as string] !== undefined)
          .map(([key, text]) => `${plain(text)} ${plain(parent[key as string])}`)
          .join(' and ')}`
      : '';
  const empty =
    quantifier['ifEmpty'] === undefined ? '' : ` (an empty list ${quantifier['ifEmpty'] === true ? 'counts as met' : 'counts as not met'})`;
  const head = `${indent}- ${listWords[word]} $${plain(quantifier['as'])} of ${operand(quantifier['in'])}${bounds}${empty}${missingWords(quantifier)}`;
  const lets = isJsonObject(quantifier['let'])
    ? Object.entries(quantifier['let']).flatMap(([name, binding]) => bindingLines(name, binding, `${indent}  with `))
    : [];
  if (quantifier['where'] === undefined) return [head, ...lets];
  return [`${head}, ${word === 'count' ? 'counting those' : 'for'} which`, ...lets, ...conditionLines(quantifier['where'], `${indent}  `)];
}

function leafWords(source: JsonObject): string {
  const as = source['as'] === undefined ? '' : ` (as ${plain(source['as'])})`;
  const field = `${plain(source['field'])}${as}`;
  if (source['present'] !== undefined) {
    const within = source['within'] === undefined ? '' : `, within ${plain(source['within'])}`;
    const because = source['because'] === undefined ? '' : ` (${plain(source['because'])})`;
    return `${field} is ${source['present'] === true ? 'set' : 'not set'}${within}${because}`;
  }
  const name = operatorNames.find((known) => source[known] !== undefined);
  const operator = name === undefined ? undefined : operatorNamed(name);
  if (name === undefined || operator === undefined) return field;
  if (name === 'isEmpty') return `${field} is ${source['isEmpty'] === true ? 'empty' : 'not empty'}${missingWords(source)}`;
  const known = source['known'] === undefined ? '' : `; known are ${value(source['known'])}, any other is undecided`;
  const single = source['single'] === true ? ' (a lone value counts as a list of one)' : '';
  return `${field} is ${operator.phrase(value(source[name]))}${single}${known}${missingWords(source)}`;
}

function missingWords(source: JsonObject): string {
  const missing = source['ifMissing'];
  if (!isJsonObject(missing)) return '';
  const because = missing['because'] === undefined ? '' : `: ${plain(missing['because'])}`;
  return `; where it is missing although ${value(missing['when'])} is there, this counts as ${missing['then'] === true ? 'met' : 'not met'}${because}`;
}
