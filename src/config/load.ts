import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { crossChecks } from './checks.ts';
import { describe, type Finding, type Path, unknownKeys } from './describe.ts';
import { type Draft, wellFormed } from './draft.ts';
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

/** A configuration that was read, right or not, so that what lies outside the file can be checked together with it. */
export interface ConfigReading extends Omit<LoadedConfig, 'config'> {
  /** The well-formed parts; those below a misspelt key stand under the key that is nearest. */
  readonly parts: Draft<ExhibitConfig>;
  /** The sections of the file in which something is wrong. */
  readonly mistaken: ReadonlySet<PropertyKey>;
  /** The configuration; throws ConfigError with every mistake of the file and these. */
  readonly settle: (more: readonly Finding[]) => LoadedConfig;
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

/** Reads and checks exhibit.yaml. Throws ConfigError with every mistake found. */
export function loadConfig(path: string): LoadedConfig {
  return readConfig(path).settle([]);
}

/** Reads exhibit.yaml. Throws ConfigError only where there is nothing to check: no file, or no YAML. */
export function readConfig(path: string): ConfigReading {
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
  const { parts, mistaken, settle } = check(text, path);
  const place = { file, directory: dirname(file), name: path };
  return { ...place, parts, mistaken, settle: (more) => ({ ...place, config: settle(more) }) };
}

/** Throws ConfigError with mistakes that only what lies outside the file shows, where they stand in it. */
export function refuseFindings(loaded: Pick<LoadedConfig, 'file' | 'name'>, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  const { document, at } = positions(readFileSync(loaded.file, 'utf8'), loaded.name);
  throw inOrder(placed(findings, document.contents, at));
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

function inOrder(problems: readonly ConfigProblem[]): ConfigError {
  return new ConfigError(problems.toSorted((a, b) => a.line - b.line || a.column - b.column));
}

function placed(findings: readonly Finding[], contents: Node | null, at: At): ConfigProblem[] {
  return findings.map((finding) => at(offsetOf(contents, finding.path, finding.atKey), finding.message));
}

/** Few aliases can stand for more than memory holds. */
function valueOf(document: Document.Parsed, at: At): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError([at(0, `not usable YAML: ${(error as Error).message}`)]);
  }
}

/** The section at a path; undefined where the way leads through an alias. */
function sectionAt(root: Node | null, path: Path): YAMLMap | undefined {
  let node: unknown = root;
  for (const step of path) {
    if (isMap(node)) node = pairsOf(node).get(String(step))?.value;
    else node = isSeq(node) ? node.items[Number(step)] : undefined;
  }
  return isMap(node) ? node : undefined;
}

/** Each misspelt key hides those below it: the schema is asked once more for each level of sections, of which there are few. */
const levels = 8;

interface Checked {
  readonly parts: Draft<ExhibitConfig>;
  readonly mistaken: ReadonlySet<PropertyKey>;
  readonly settle: (more: readonly Finding[]) => ExhibitConfig;
}

function check(text: string, file: string): Checked {
  const { document, at } = positions(text, file);
  if (document.errors.length > 0)
    throw new ConfigError(document.errors.map((error) => at(error.pos[0], `not valid YAML: ${error.message}`)));
  const parse = (): ReturnType<typeof configSchema.safeParse> => configSchema.safeParse(valueOf(document, at) ?? {}, { reportInput: true });
  const misspelt: ConfigProblem[] = [];
  const mistaken = new Set<PropertyKey>();
  /** Gives misspelt keys the name that is nearest, so that what is below them is checked too. They stay mistakes. */
  const correct = (parsed: ReturnType<typeof parse>): boolean => {
    let corrected = false;
    for (const issue of parsed.error?.issues ?? []) {
      if (issue.code !== 'unrecognized_keys') continue;
      const section = sectionAt(document.contents, issue.path);
      for (const { key, guess, finding } of unknownKeys(issue)) {
        const known = section && pairsOf(section);
        const pair = known?.get(key);
        if (guess === undefined || known === undefined || pair === undefined || !isScalar(pair.key) || known.has(guess)) continue;
        mistaken.add(finding.path[0] ?? '');
        misspelt.push(at(offsetOf(document.contents, finding.path, true), finding.message));
        pair.key.value = guess;
        known.delete(key);
        known.set(guess, pair);
        corrected = true;
      }
    }
    return corrected;
  };
  let parsed = parse();
  for (let level = 0; level < levels && correct(parsed); level += 1) parsed = parse();
  const parts = parsed.success ? parsed.data : (wellFormed(configSchema, valueOf(document, at)) ?? {});
  const findings = [...(parsed.error?.issues ?? []).flatMap((issue) => describe(issue)), ...crossChecks(parts)];
  for (const { path } of findings) mistaken.add(path[0] ?? '');
  return {
    parts,
    mistaken,
    settle: (more) => {
      const problems = placed([...findings, ...more], document.contents, at);
      if (problems.length > 0 || misspelt.length > 0 || !parsed.success) throw inOrder([...misspelt, ...problems]);
      return parsed.data;
    },
  };
}

/** The same on a text; `file` is only for messages. */
export function parseConfig(text: string, file: string): ExhibitConfig {
  return check(text, file).settle([]);
}
