import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { type z } from 'zod';
import { nearest } from '../text/nearest.ts';
import { configSchema, type ExhibitConfig } from './schema.ts';

/** A mistake in a configuration file, where it stands and what to do about it. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** All mistakes of a configuration at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map((p) => `${p.file}:${p.line}:${p.column}  ${p.message}`).join('\n'));
    this.problems = problems;
  }
}

export interface LoadedConfig {
  readonly config: ExhibitConfig;
  /** Absolute path of the file, and of its directory: relative paths in it start there. */
  readonly file: string;
  readonly directory: string;
  /** The file as it was named: for messages. */
  readonly name: string;
}

type Path = readonly PropertyKey[];

/** The names a shape accepts at a path, for suggestions. Looks through defaults, optionals, refinements and unions. */
function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  const definition = schema._zod.def as {
    type: string;
    innerType?: z.core.$ZodType;
    element?: z.core.$ZodType;
    valueType?: z.core.$ZodType;
    shape?: Record<string, z.core.$ZodType>;
    options?: z.core.$ZodType[];
  };
  if (definition.innerType) return knownKeys(definition.innerType, path);
  if (definition.options) return definition.options.flatMap((option) => knownKeys(option, path));
  const [head, ...rest] = path;
  if (definition.shape) {
    if (head === undefined) return Object.keys(definition.shape);
    const next = definition.shape[String(head)];
    return next ? knownKeys(next, rest) : [];
  }
  if (definition.element && typeof head === 'number') return knownKeys(definition.element, rest);
  if (definition.valueType && head !== undefined) return knownKeys(definition.valueType, rest);
  return [];
}

const pairs = new WeakMap<YAMLMap, Map<string, Pair>>();

/** The pairs of a section by key: a file may hold a mistake in each of thousands. */
function pairsOf(map: YAMLMap): Map<string, Pair> {
  let known = pairs.get(map);
  if (known === undefined) {
    known = new Map();
    for (const item of map.items) if (isScalar(item.key) && !known.has(String(item.key.value))) known.set(String(item.key.value), item);
    pairs.set(map, known);
  }
  return known;
}

/** Source offset of the value at a path, or of its key, or of the nearest container that exists. */
function offsetOf(root: Node | null, path: Path, wantKey: boolean): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(step));
      if (!pair) return offset;
      const last = depth === path.length - 1;
      const target = wantKey && last ? pair.key : (pair.value ?? pair.key);
      if (isNode(target) && target.range) offset = target.range[0];
      node = pair.value;
      continue;
    }
    const items = (node as { items?: unknown[] } | null)?.items;
    const next = items?.[Number(step)];
    if (!isNode(next)) return offset;
    if (next.range) offset = next.range[0];
    node = next;
  }
  return offset;
}

const dotted = (path: Path): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');

/** A mistake at a path of the configuration: at the key there, or at its value. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly atKey: boolean;
}

/** The schema's types in the words of the file. */
const shapes: Readonly<Record<string, string>> = {
  array: 'a list: [a, b], or lines that begin with a dash',
  object: 'a section: keys with values below it',
  record: 'a section: keys with values below it',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};

function describe(issue: z.core.$ZodIssue, prefix: Path): Finding[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const known = knownKeys(configSchema, path);
      const guess = nearest(key, known);
      const remedy = guess ? `did you mean \`${guess}\`?` : known.length > 0 ? `known here: ${known.join(', ')}` : 'remove it';
      return {
        path: [...path, key],
        message: `unknown key \`${key}\`${path.length > 0 ? ` in \`${dotted(path)}\`` : ''}: ${remedy}`,
        atKey: true,
      };
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const best = issue.errors.reduce((a, b) => (b.length < a.length ? b : a));
    return best.flatMap((inner) => describe(inner, path));
  }
  if (issue.code === 'invalid_value') {
    return [
      { path, message: `\`${dotted(path)}\` must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`, atKey: false },
    ];
  }
  if (issue.code === 'invalid_type') {
    const missing = issue.input === undefined;
    return [
      {
        path,
        message: missing
          ? `\`${dotted(path)}\` is required (${shapes[issue.expected] ?? issue.expected})`
          : `${path.length > 0 ? `\`${dotted(path)}\`` : 'the file'} must be ${shapes[issue.expected] ?? issue.expected}`,
        atKey: false,
      },
    ];
  }
  return [{ path, message: path.length > 0 ? `\`${dotted(path)}\` ${issue.message}` : issue.message, atKey: false }];
}

function isLoopback(address: string): boolean {
  const hostname = URL.canParse(address) ? new URL(address).hostname : '';
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Rules that join several fields; run only where the shape itself is right. */
function crossChecks(config: ExhibitConfig): Finding[] {
  const found: Finding[] = [];
  const { from, to } = config.engagement.period;
  if (from > to)
    found.push({
      path: ['engagement', 'period', 'from'],
      message: `\`engagement.period\` ends (${to}) before it starts (${from})`,
      atKey: false,
    });
  const gcp = config.endpoints.gcp;
  if (gcp?.insecure === true && !/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/.test(gcp.cloudAsset ?? '')) {
    found.push({
      path: ['endpoints', 'gcp', 'insecure'],
      message: '`endpoints.gcp.insecure` is accepted for loopback addresses only: remove it, or set `cloudAsset` to 127.0.0.1:<port>',
      atKey: true,
    });
  }
  for (const [path, address] of [
    [['endpoints', 'aws', 'config'], config.endpoints.aws?.config],
    [['endpoints', 'aws', 'sts'], config.endpoints.aws?.sts],
    [['endpoints', 'azure', 'resourceManager'], config.endpoints.azure?.resourceManager],
    [['endpoints', 'azure', 'authority'], config.endpoints.azure?.authority],
  ] as const) {
    if (address === undefined || !address.startsWith('http:') || isLoopback(address)) continue;
    found.push({
      path: [...path],
      message: `\`${dotted(path)}\` must be https: credentials and evidence would pass in the clear (plain http is for loopback addresses only)`,
      atKey: false,
    });
  }
  const seen = new Map<string, number>();
  for (const [index, waiver] of config.waivers.entries()) {
    if (seen.has(waiver.id))
      found.push({ path: ['waivers', index, 'id'], message: `waiver id \`${waiver.id}\` is used twice`, atKey: false });
    seen.set(waiver.id, index);
  }
  return found;
}

/** Reads and checks exhibit.yaml. Throws ConfigError with every mistake found. */
export function loadConfig(path: string): LoadedConfig {
  const file = resolve(path);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const message =
      code === 'ENOENT'
        ? 'no such file: name the configuration with --config, or start from the example in the README'
        : code === 'EISDIR'
          ? 'this is a directory: name the file in it with --config'
          : code === 'EACCES'
            ? 'this file may not be read: give yourself permission, or name another with --config'
            : (error as Error).message;
    throw new ConfigError([{ file: path, line: 1, column: 1, message }]);
  }
  return { config: parseConfig(text, path), file, directory: dirname(file), name: path };
}

/** Throws ConfigError with mistakes that only what lies outside the file shows, where they stand in it. */
export function refuseFindings(loaded: Pick<LoadedConfig, 'file' | 'name'>, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  const { document, at } = positions(readFileSync(loaded.file, 'utf8'), loaded.name);
  throw placed(findings, document.contents, at);
}

type At = (offset: number, message: string) => ConfigProblem;

function positions(text: string, file: string): { document: Document.Parsed; at: At } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at: At = (offset, message) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, message };
  };
  return { document, at };
}

function placed(findings: readonly Finding[], contents: Node | null, at: At): ConfigError {
  const problems = findings.map((finding) => at(offsetOf(contents, finding.path, finding.atKey), finding.message));
  return new ConfigError(problems.sort((a, b) => a.line - b.line || a.column - b.column));
}

/** Few aliases can stand for more than memory holds. */
function valueOf(document: Document.Parsed, at: At): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError([at(0, `not usable YAML: ${(error as Error).message}`)]);
  }
}

/** The same on a text; `file` is only for messages. */
export function parseConfig(text: string, file: string): ExhibitConfig {
  const { document, at } = positions(text, file);
  if (document.errors.length > 0)
    throw new ConfigError(document.errors.map((error) => at(error.pos[0], `not valid YAML: ${error.message}`)));
  const parsed = configSchema.safeParse(valueOf(document, at) ?? {}, { reportInput: true });
  const findings = parsed.success ? crossChecks(parsed.data) : parsed.error.issues.flatMap((issue) => describe(issue, []));
  if (findings.length > 0 || !parsed.success) throw placed(findings, document.contents, at);
  return parsed.data;
}
