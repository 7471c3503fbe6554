import type { Json, JsonObject, Leaf, Provider, Resource } from '../../model/index.ts';
import type { Condition, Polarity } from './condition.ts';
import { formatSegments } from './paths.ts';
import type { Segment } from './paths.ts';
import { didYouMean } from '../catalogue/suggest.ts';
import type { EvaluationEnvironment, IndexedRecord, JoinedRecord, ParameterDefinition } from '../types.ts';
import type { Comparison } from './comparing.ts';
import { type LeafSite, leafSite, SeenLeaf } from './seen-leaf.ts';
import { cutValue, MISSING } from './values.ts';
import type { Value } from './values.ts';

/** Where in a YAML file something stands: keys and indexes from the root. */
export type At = readonly Segment[];

/** A condition that stands once and is used by name. */
export interface SharedCondition {
  readonly title: string;
  /** The variables that it reads from where it is used. */
  readonly needs: readonly string[];
  readonly condition: unknown;
  /** Where the condition stands in its own file. */
  readonly at: At;
}

/** By name; null where one has mistakes, which are reported where it stands. None of them leads back to itself. */
export type SharedConditions = ReadonlyMap<string, SharedCondition | null>;

/** What one check compiles in. Mistakes are reported, never thrown, so that all come out at once. */
export interface CheckCompiler {
  readonly provider: Provider;
  /** Whether values compare without case. */
  readonly caseless: boolean;
  /** Whether the names of fields do. */
  readonly caselessNames: boolean;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  report(at: At, message: string, hint?: string): void;
  /** Table → projected paths. */
  readonly reads: Map<string, Set<string>>;
  readonly subjectReads: Set<string>;
  /** Conditions whose being absent in the evidence leads towards a pass or not applicable, with the author's reason. */
  readonly absences: { path: string; keys: string[]; because: string | null; at: At; within: string | null }[];
  /** Conditions for which a text that the control does not name leads towards a pass. */
  readonly others: { path: string; at: At; within: string | null }[];
  readonly usedParameters: Set<string>;
  readonly shared: SharedConditions;
  readonly usedConditions: Set<string>;
  /** The shared condition that is being compiled, and where the check uses it: places inside it are of another file. */
  within: { readonly name: string; readonly at: At } | null;
  /** Every lookup, for the lint; those of a shared condition are told where it stands. */
  readonly tables: { table: string; many: boolean; at: At }[];
  usesReaders: boolean;
  slots: number;
  /** The lowest slot read since it was last reset; -1 when the subject itself was: tells what depends on a list's element alone. */
  lowestSlot: number;
  /** The compiler of paths and bindings, which hold each other. */
  readonly operand: (compiler: CheckCompiler, scope: Scope, source: unknown, at: At, alias?: boolean) => Operand | undefined;
  /** The condition compiler: bindings hold conditions, and conditions bindings. */
  readonly condition: (
    compiler: CheckCompiler,
    scope: Scope,
    source: unknown,
    at: At,
    polarity: Polarity,
    prefix: string,
  ) => Condition | undefined;
}

/** Where a variable's value comes from, so that what is read below it is known per table. */
export type Origin =
  | { readonly kind: 'table'; readonly table: string; readonly prefix: readonly Segment[] }
  | { readonly kind: 'subject'; readonly prefix: readonly Segment[] }
  /** All of it is read already, or it is made here. */
  | { readonly kind: 'covered' };

export interface Variable {
  readonly name: string;
  readonly slot: number;
  readonly origin: Origin;
  /** `list`: many records, or a filtered list: only quantifiers can look into it. */
  readonly shape: 'value' | 'list';
  /** A looked-up record: how to speak of it. */
  readonly record: boolean;
  readonly at: At;
  used: boolean;
  /** Computes the value on first use. Quantifiers set the slot of their element instead. */
  compute: (evaluation: Evaluation) => Value;
}

export class Scope {
  readonly variables = new Map<string, Variable>();
  readonly parent: Scope | null;
  /** All that a shared condition sees of where it is used, by its own names. */
  readonly borrowed: ReadonlyMap<string, Variable> | null;
  constructor(parent: Scope | null, borrowed: ReadonlyMap<string, Variable> | null = null) {
    this.parent = parent;
    this.borrowed = borrowed;
  }
  find(name: string): Variable | undefined {
    return this.variables.get(name) ?? (this.borrowed === null ? this.parent?.find(name) : this.borrowed.get(name));
  }
  names(): string[] {
    return [...this.variables.keys(), ...(this.borrowed === null ? (this.parent?.names() ?? []) : this.borrowed.keys())];
  }
  /** Also by what a shared condition does not see: evidence and explanations name both. */
  isTaken(name: string): boolean {
    return this.variables.has(name) || this.borrowed?.has(name) === true || this.parent?.isTaken(name) === true;
  }
  isShared(): boolean {
    return this.borrowed !== null || this.parent?.isShared() === true;
  }
  declare(compiler: CheckCompiler, name: string, origin: Origin, shape: 'value' | 'list', record: boolean, at: At): Variable {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      compiler.report(at, `\`${name}\` cannot name a variable`, 'use letters, digits and underscore, beginning with a letter');
    if (this.isTaken(name)) compiler.report(at, `$${name} is already taken`, 'choose another name');
    const variable: Variable = { name, slot: compiler.slots++, origin, shape, record, at, used: false, compute: () => MISSING };
    this.variables.set(name, variable);
    return variable;
  }
}

/** How a path is read: `value`: all of it; `presence`: only whether it is there; `emptiness`: only whether anything is in it. */
export type ReadKind = 'value' | 'presence' | 'emptiness';
const readSuffix: Record<ReadKind, string> = { value: '', presence: '?', emptiness: '{}' };

/** Notes that a path below an origin is read. */
export function noteRead(compiler: CheckCompiler, origin: Origin, segments: readonly Segment[], kind: ReadKind): void {
  if (origin.kind === 'covered') return;
  const path = [...origin.prefix, ...segments];
  const text = path.length === 0 ? (kind === 'presence' ? '' : '*') : `${formatSegments(path)}${readSuffix[kind]}`;
  if (text === '') return;
  if (origin.kind === 'subject') compiler.subjectReads.add(text);
  else compiler.reads.get(origin.table)?.add(text);
}

export function originBelow(origin: Origin, segments: readonly Segment[]): Origin {
  return origin.kind === 'covered' ? origin : { ...origin, prefix: [...origin.prefix, ...segments] };
}

export function unknownVariable(compiler: CheckCompiler, scope: Scope, name: string, at: At): void {
  compiler.report(
    at,
    `unknown variable $${name}`,
    didYouMean(name, scope.names())?.replace('did you mean ', 'did you mean $') ??
      (scope.isShared() ? 'name it under `needs`' : 'declare it under `let`, before its first use'),
  );
}

/** How many list elements one check may visit: hostile evidence must not take unbounded time. */
export const visitLimit = 1_000_000;

/** The state of one check on one subject. */
export class Evaluation {
  readonly subject: Resource;
  readonly document: JsonObject;
  readonly env: EvaluationEnvironment;
  readonly comparison: Comparison;
  readonly slots: (Value | undefined)[];
  /** Citation index per slot. */
  readonly sources: number[];
  leaves: Leaf[] = [];
  readonly joined: JoinedRecord[] = [];
  /** While set, conditions decide without leaving evidence: list elements that turn out not to matter. */
  quiet = false;
  /** The variable being computed: names the records it joins. */
  role = '';
  visited = 0;
  #cited: Map<IndexedRecord, number> | null = null;

  constructor(subject: Resource, env: EvaluationEnvironment, comparison: Comparison, slots: number) {
    this.subject = subject;
    this.document = subject.document;
    this.env = env;
    this.comparison = comparison;
    this.slots = slots === 0 ? none : new Array<Value | undefined>(slots).fill(undefined);
    this.sources = slots === 0 ? noSources : new Array<number>(slots).fill(0);
  }

  /** The citation index of a record, citing it on first use; 0 while it is not known whether it matters. */
  cite(role: string, record: IndexedRecord): number {
    const known = this.#cited?.get(record);
    if (known !== undefined) return known;
    if (this.quiet) return 0;
    this.#cited ??= new Map();
    this.joined.push({ role, uid: record.uid, citation: record.citation });
    this.#cited.set(record, this.joined.length);
    return this.joined.length;
  }

  noteLookup(role: string, table: string, key: Json, hit: string, because: string | undefined, source: number): void {
    if (this.quiet) return;
    const outcome = hit === 'absent' ? 'false' : hit === 'unknown' ? 'unknown' : 'true';
    let site = lookupSites.get(role);
    if (site === undefined) lookupSites.set(role, (site = leafSite(role, role, 'lookup', 'found')));
    const leaf = new SeenLeaf(site, outcome, source);
    leaf.observed = { table, key: cutValue(key), hit };
    if (because !== undefined) leaf.because = because;
    this.leaves.push(leaf);
  }

  visit(): void {
    this.visited += 1;
    if (this.visited > visitLimit)
      throw new Error(`the lists of this resource are too long to be judged (more than ${visitLimit} entries visited)`);
  }
}
/** By the name of the binding: a catalogue has a few dozen. */
const lookupSites = new Map<string, LeafSite>();
const none: undefined[] = [];
const noSources: number[] = [];

/** Something that has a value in an evaluation: a path, a text, a literal, a parameter, a binding. */
export interface Operand {
  /** As the author wrote it, for evidence. */
  readonly text: string;
  readonly read: (evaluation: Evaluation) => Value;
  /** Citation index of the record it was read from; valid after `read`. */
  readonly source: (evaluation: Evaluation) => number;
  /** For people: `configuration.enabled of key arn:…`. */
  readonly display: (evaluation: Evaluation) => string;
  readonly origin: Origin;
  readonly shape: 'value' | 'list';
  /** Set when the value is known at compile time. */
  readonly literal?: Json;
}
