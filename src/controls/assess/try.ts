import type { Json, Leaf, Provider, ProviderVerdict, Resource } from '../../model/index.ts';
import { accessAnalysis } from '../access/access.ts';
import { decideGroup } from './aggregate.ts';
import { resolveParameters } from '../catalogue/parameters.ts';
import { judgeVerdict } from './native.ts';
import { tableReads } from './needs.ts';
import { tableIndex } from '../lookups/table-index.ts';
import { gcpAncestors } from '../lookups/references.ts';
import { isGiven } from '../lookups/told.ts';
import type { Home } from '../lookups/table.ts';
import type { Catalogue, CheckOutcome, ConditionCheck, EvaluationEnvironment } from '../types.ts';

/** Reads one document in any shape its provider hands out; null when nobody knows the shape. See Collector.readDocument. */
export type DocumentReader = (document: Json, hint: { type: string; id: string }) => Resource[] | null;

/** One line of output: a check on a document. `observed` is the evidence of the verdict. */
export interface TryResult {
  readonly id: string;
  readonly control: string;
  readonly check: string;
  readonly status: CheckOutcome['status'];
  readonly reason: string;
  readonly observed: readonly Leaf[];
}

export interface TryOptions {
  /** RFC 3339: what dates are compared with. */
  readonly asOf: string;
  /** Values of the catalogue's parameters that differ from the defaults. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Reads the provider's own verdicts in a document; null when it holds none. */
  readonly readVerdicts?: (document: Json) => ProviderVerdict[] | null;
  /** Told of every line whose type no check is on. */
  readonly onUnmatched?: (line: number, id: string, type: string) => void;
}

/** Lines of UTF-8 text, ended by a line feed only: JSON may hold the other line separators of Unicode inside its texts. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  for await (const chunk of chunks) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      yield rest.join('') + text.slice(start, end);
      rest = [];
      start = end + 1;
    }
    if (start < text.length) rest.push(text.slice(start));
  }
  rest.push(decoder.decode());
  const last = rest.join('');
  if (last !== '') yield last;
}

/** Lines of input that cannot be judged, all of them. */
export class TryInputError extends Error {
  readonly lines: readonly { readonly line: number; readonly message: string }[];
  constructor(lines: readonly { line: number; message: string }[]) {
    super(lines.map(({ line, message }) => `line ${line}: ${message}`).join('\n'));
    this.name = 'TryInputError';
    this.lines = lines;
  }
}

/** What a line asks. */
export interface TryRequest {
  readonly id: string;
  readonly type: string;
  readonly document: Json;
  readonly related: readonly { readonly type: string; readonly document: Json }[];
  readonly complete: readonly string[];
}

/**
 * Judges NDJSON lines `{"id","type","document","related","complete"}` one by one, in memory that does not grow. Lines that make no
 * sense do not stop the others: they are thrown together, as TryInputError, after the last result.
 */
export async function* tryDocuments(
  lines: AsyncIterable<string> | Iterable<string>,
  catalogue: Catalogue,
  read: DocumentReader,
  options: TryOptions,
): AsyncGenerator<TryResult> {
  const judge = documentJudge(catalogue, read, options);
  const bad: { line: number; message: string }[] = [];
  let number = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === '') continue;
    const request = parseRequest(line);
    if (typeof request === 'string') {
      bad.push({ line: number, message: request });
      continue;
    }
    const results = judge(request);
    if (typeof results === 'string') bad.push({ line: number, message: results });
    else {
      if (results.length === 0) options.onUnmatched?.(number, request.id, request.type);
      yield* results;
    }
  }
  if (bad.length > 0) throw new TryInputError(bad);
}

function parseRequest(line: string): TryRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return `not JSON: ${(error as Error).message.slice(0, 200)}`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object with id, type and document';
  const { id, type, document, related = [], complete = [] } = value as Record<string, unknown>;
  if (typeof id !== 'string' && typeof id !== 'number') return '`id` must be a text';
  if (typeof type !== 'string' || type === '') return '`type` must be a resource type, such as AWS::S3::Bucket';
  if (document === undefined || document === null) return '`document` is missing';
  if (!Array.isArray(related)) return '`related` must be a list of { type, document }';
  for (const [index, entry] of related.entries()) {
    const { type: relatedType, document: relatedDocument } = (entry ?? {}) as Record<string, unknown>;
    if (typeof relatedType !== 'string' || relatedDocument === undefined || relatedDocument === null)
      return `\`related[${index}]\` must be { type, document }`;
  }
  if (!Array.isArray(complete) || !complete.every((entry) => typeof entry === 'string'))
    return '`complete` must be a list of resource types';
  return { id: String(id), type, document: document as Json, related: related as TryRequest['related'], complete: complete };
}

interface TryCheck {
  readonly control: string;
  readonly title: string;
  readonly check: ConditionCheck;
}

/** Judges single requests; a text says why a request cannot be judged. Throws for parameters that the catalogue does not have. */
export function documentJudge(
  catalogue: Catalogue,
  read: DocumentReader,
  options: TryOptions,
): (request: TryRequest) => TryResult[] | string {
  const { parameters, mistakes } = resolveParameters(catalogue, options.parameters ?? {});
  if (mistakes.length > 0) throw new Error(mistakes.map((mistake) => mistake.message).join('; '));
  const byType = new Map<string, TryCheck[]>();
  for (const { control, checks } of catalogue.controls) {
    for (const check of checks) {
      if (check.kind !== 'condition') continue;
      for (const type of check.on) {
        const key = type.toLowerCase();
        byType.set(key, [...(byType.get(key) ?? []), { control: control.id, title: control.title, check }]);
      }
    }
  }
  return (request) => {
    const verdicts = options.readVerdicts?.(request.document) ?? null;
    if (verdicts !== null) return verdicts.flatMap((verdict) => judgeGiven(request.id, verdict, catalogue));
    const checks = byType.get(request.type.toLowerCase()) ?? [];
    if (checks.length === 0) return [];
    const spelling = checks[0]?.check.on.find((type) => type.toLowerCase() === request.type.toLowerCase()) ?? request.type;
    const { resources, trouble } = readAll(request, spelling, read);
    if (trouble !== null && resources === null) return trouble;
    const given = withoutHollow(resources ?? []);
    const held = given.flatMap((one) => (one.of === 'document' && one.resource.kind === 'resource' ? [one.resource] : []));
    const subjects = subjectsOf(held, request.type.toLowerCase());
    if (subjects.length === 0) {
      const found = held[0] === undefined ? 'no resource that exists' : `no ${request.type} but ${held[0].type}`;
      const reason = trouble ?? `the document holds ${found}`;
      return checks.map(({ control, check }) => ({ id: request.id, control, check: check.id, status: 'unknown', reason, observed: [] }));
    }
    const environment = environmentOf(
      checks.map(({ check }) => check),
      given.map((one) => one.resource),
      request.complete,
      options.asOf,
      parameters,
    );
    return subjects.flatMap((subject) =>
      checks.map(({ control, title, check }) => {
        const outcome = check.evaluate(subject, environment);
        const { status, reason } = check.aggregate === undefined ? outcome : alone(check, outcome, title);
        return { id: request.id, control, check: check.id, status, reason, observed: outcome.leaves };
      }),
    );
  };
}

/** A verdict of the provider, by every check that rests on its rule. */
function judgeGiven(id: string, verdict: ProviderVerdict, catalogue: Catalogue): TryResult[] {
  return catalogue.controls.flatMap(({ control, checks }) =>
    checks
      .filter((check) => check.kind === 'verdict' && check.provider === verdict.provider && check.rule === verdict.rule)
      .map((check) => {
        const { status, reason, leaves } = judgeVerdict(verdict);
        return { id, control: control.id, check: check.id, status, reason, observed: leaves };
      }),
  );
}

/**
 * The records of a document that are judged: each of the type that was asked for, once. Where there is none, the first that may
 * stand for one: hand-made documents misspell their type.
 */
function subjectsOf(given: readonly Resource[], wanted: string): Resource[] {
  const byUid = new Map<string, Resource>();
  for (const resource of given) if (resource.type.toLowerCase() === wanted && !byUid.has(resource.uid)) byUid.set(resource.uid, resource);
  return byUid.size > 0 ? [...byUid.values()] : given.filter((resource) => mayStandFor(resource, wanted)).slice(0, 1);
}

/**
 * AWS and Google Cloud name types in one way only. A part of an Azure resource, what is said about it and what is left of it when it was
 * deleted lack its settings: their absence says nothing.
 */
function mayStandFor({ provider, type }: Resource, wanted: string): boolean {
  if (provider !== 'azure') return false;
  const [namespace, ...kinds] = type.toLowerCase().split('/');
  const [wantedNamespace, ...wantedKinds] = wanted.split('/');
  return namespace === wantedNamespace && kinds.length === wantedKinds.length && !kinds.some((kind) => kind.startsWith('deleted'));
}

interface ReadResource {
  readonly of: 'document' | 'related';
  readonly resource: Resource;
}

/**
 * Cloud Asset Inventory lists resources and IAM policies apart, and both are read as the resource: what came without it gives way to
 * what came with it.
 */
function withoutHollow(given: readonly ReadResource[]): ReadResource[] {
  const nameOf = ({ resource }: ReadResource): string => `${resource.type} ${resource.uid}`;
  const hollow = ({ resource: { kind, provider, document } }: ReadResource): boolean =>
    kind === 'resource' && provider === 'gcp' && !isGiven(document, 'resource', 'data');
  const whole = new Map<string, ReadResource>();
  const first = new Set<string>();
  for (const one of given) if (one.resource.kind === 'resource' && !hollow(one)) whole.set(nameOf(one), one);
  return given.flatMap((one) => {
    if (!hollow(one)) return [one];
    const name = nameOf(one);
    const better = whole.get(name);
    if (better !== undefined) return one.of === 'document' && better.of === 'related' ? [{ ...better, of: one.of }] : [];
    return first.has(name) ? [] : (first.add(name), [one]);
  });
}

function readAll(
  request: TryRequest,
  spelling: string,
  read: DocumentReader,
): { resources: ReadResource[] | null; trouble: string | null } {
  const resources: ReadResource[] = [];
  const one = (document: Json, type: string, id: string, of: ReadResource['of'], where: string): string | null => {
    const records = read(document, { type, id });
    if (records === null) return `${where} does not read as ${type}`;
    resources.push(...records.map((resource) => ({ of, resource })));
    return null;
  };
  try {
    const trouble = one(request.document, spelling, request.id, 'document', 'the document');
    if (trouble !== null) return { resources: null, trouble };
    for (const [index, related] of request.related.entries()) {
      const wrong = one(related.document, related.type, `${request.id}/related/${index}`, 'related', `related[${index}]`);
      if (wrong !== null) return { resources: null, trouble: wrong };
    }
    return { resources, trouble: null };
  } catch (error) {
    return { resources: [], trouble: `the document cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Accounts, subscriptions and projects (by id and by number) that some given record lives in, and what stands above them. */
function accountsOf(resources: readonly Resource[]): ReadonlySet<string> {
  const accounts = new Set<string>();
  for (const { account, uid, document } of resources) {
    accounts.add(account);
    const project = /\/projects\/([^/]+)/.exec(uid)?.[1];
    if (project !== undefined) accounts.add(project);
    for (const ancestor of gcpAncestors(document) ?? []) accounts.add(ancestor).add(ancestor.replace(/^projects\//, ''));
  }
  return accounts;
}

/** What the checks may know: the given records, and whether those of a type are all there are. */
export function environmentOf(
  checks: readonly ConditionCheck[],
  resources: readonly Resource[],
  complete: readonly string[],
  asOf: string,
  parameters: Readonly<Record<string, Json>>,
): EvaluationEnvironment {
  const whole = new Set(complete.map((type) => type.toLowerCase()));
  const accounts = accountsOf(resources);
  const homeGap = (_provider: Provider, home: Home): string | null => {
    const type = home.type.toLowerCase();
    if (!whole.has(type) && !whole.has(type.replace(/^iam-policy:/, ''))) return `${home.type} is not given as complete`;
    // Complete is what was collected, and nothing shows that another account was.
    return home.account === 'every' || home.account.startsWith('tenants/') || accounts.has(home.account)
      ? null
      : `no record of ${home.account} is given, so it may not have been collected`;
  };
  const index = tableIndex(tableReads(checks), homeGap);
  const lookup: EvaluationEnvironment['lookup'] = (table, key, many, from) => index.lookup(table, key, many, from);
  const access = accessAnalysis(checks, lookup, homeGap);
  for (const resource of resources) {
    index.add(resource);
    access.add(resource, null);
  }
  return { asOf, parameters, lookup, readers: (from) => access.readers(from) };
}

/** A check over groups, on a group of this one document. */
function alone(check: ConditionCheck, outcome: CheckOutcome, title: string): { status: CheckOutcome['status']; reason: string } {
  const { status } = outcome;
  if (check.aggregate === undefined || status === 'notapplicable') return outcome;
  const count = (wanted: CheckOutcome['status']): number => (status === wanted ? 1 : 0);
  const group = {
    met: count('pass'),
    missed: count('fail'),
    unknown: count('unknown'),
    error: count('error'),
    doubt: status === 'unknown' || status === 'error' ? outcome.reason : null,
  };
  const decided = decideGroup(check.aggregate, group, [], title);
  return decided.status === status ? outcome : decided;
}
