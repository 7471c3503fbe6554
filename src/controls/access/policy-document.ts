import { isIPv4, isIPv6 } from 'node:net';
import { isJsonObject, type Json, type JsonObject } from '../../model/index.ts';
import { isDeletedPrincipal, isPrincipalId } from '../aws-principals.ts';
import { parseArn } from '../lookups/references.ts';
import { holdsRedacted } from '../lookups/told.ts';

/** AWS policy documents as far as access to data depends on them. Pure: nothing is looked up. */

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** Position in the document, for people. */
  readonly at: number;
  readonly sid: string | null;
  readonly actions: readonly string[] | null;
  readonly notActions: readonly string[] | null;
  readonly resources: readonly string[] | null;
  readonly notResources: readonly string[] | null;
  readonly principal: Json | undefined;
  readonly notPrincipal: Json | undefined;
  readonly condition: JsonObject | null;
}

/**
 * The statements of a policy in whatever encoding AWS Config gives it: an object, JSON text, or URL-encoded JSON text.
 * Null where it cannot be read: a statement without an effect or actions, with parts of another type than IAM takes, or with parts
 * that were withheld as secrets, may have allowed anything, and nothing may be concluded from the rest. Policies of a resource name their principals as well.
 */
export function policyStatements(policy: Json | undefined, of: 'identity' | 'resource' = 'identity'): Statement[] | null {
  const document = decodedJson(policy);
  if (!isJsonObject(document)) return null;
  const listed = document['Statement'];
  if (listed === undefined || listed === null) return null;
  const statements = Array.isArray(listed) ? listed : [listed];
  const read = statements.map((statement, at) =>
    isJsonObject(statement) && wellFormed(statement, of) ? readStatement(statement, at) : null,
  );
  return read.every((statement) => statement !== null) ? read : null;
}

/** What AWS takes for them: anything else was not written by it, and may have been anything. */
const forms = { Action: /^(?:\*|[\w*?-]+:\S+)$/, Resource: /^(?:[*?]|arn:|[a-z-]+:\/)/ } as const;

/** Exactly one of the two, each a text or a list of texts. */
function oneOf(statement: JsonObject, name: keyof typeof forms, required: boolean): boolean {
  const given = [name, `Not${name}`].filter((key) => statement[key] !== undefined);
  if (given.length !== 1) return given.length === 0 && !required;
  return given.every((key) => isTexts(statement[key]) && [statement[key]].flat().every((one) => forms[name].test(one as string)));
}

/** A text, or a list of them. AWS stores no empty ones: where nothing is left, something was lost. */
function isTexts(value: Json | undefined): boolean {
  const isText = (one: Json | undefined): boolean => typeof one === 'string' && one !== '';
  return Array.isArray(value) ? value.length > 0 && value.every(isText) : isText(value);
}

function isPrincipal(value: Json | undefined): boolean {
  if (value === '*') return true;
  if (!isJsonObject(value) || Object.keys(value).length === 0) return false;
  return Object.entries(value).every(([kind, ids]) => isTexts(ids) && [ids].flat().every((id) => isPrincipalId(kind, id as string)));
}

function wellFormed(statement: JsonObject, of: 'identity' | 'resource'): boolean {
  const { Condition: condition, Principal: principal, NotPrincipal: notPrincipal, Sid: _name, ...rest } = statement;
  if ([condition, principal, notPrincipal, rest].some((part) => holdsRedacted(part))) return false;
  if (!oneOf(statement, 'Action', true) || !oneOf(statement, 'Resource', of === 'identity')) return false;
  if (condition !== undefined && !(isJsonObject(condition) && Object.values(condition).every((keys) => isJsonObject(keys)))) return false;
  if (of === 'identity') return true;
  return (principal === undefined) !== (notPrincipal === undefined) && isPrincipal(principal ?? notPrincipal);
}

/** What AWS Config gives as an object or a list, or as JSON text of it, URL-encoded or not. */
export function decodedJson(value: Json | undefined): Json | undefined {
  let found = value;
  for (let depth = 0; typeof found === 'string' && depth < 3; depth += 1) found = decoded(found);
  return found;
}

function decoded(text: string): Json | undefined {
  for (const decode of [(value: string) => value, decodeURIComponent]) {
    try {
      return JSON.parse(decode(text)) as Json;
    } catch {
      // the other encoding, then
    }
  }
  return undefined;
}

function texts(value: Json | undefined): string[] | null {
  if (value === undefined) return null;
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === 'string');
}

function readStatement(statement: JsonObject, at: number): Statement | null {
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny') return null;
  const condition = statement['Condition'];
  return {
    effect,
    at,
    sid: typeof statement['Sid'] === 'string' ? statement['Sid'] : null,
    actions: texts(statement['Action']),
    notActions: texts(statement['NotAction']),
    resources: texts(statement['Resource']),
    notResources: texts(statement['NotResource']),
    principal: statement['Principal'],
    notPrincipal: statement['NotPrincipal'],
    condition: isJsonObject(condition) && Object.keys(condition).length > 0 ? condition : null,
  };
}

/** `*` any run, `?` one character; linear in practice and never exponential. */
export function wildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === '?' || (pattern[p] === text[t] && pattern[p] !== '*'))) {
      p += 1;
      t += 1;
    } else if (p < pattern.length && pattern[p] === '*') {
      star = p;
      mark = t;
      p += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else return false;
  }
  while (p < pattern.length && pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** Whether a statement speaks of an action (compared without case). One that names neither Action nor NotAction speaks of none. */
export function coversAction(statement: Statement, action: string): boolean {
  const lower = action.toLowerCase();
  if (statement.actions) return statement.actions.some((pattern) => wildcard(pattern.toLowerCase(), lower));
  return statement.notActions !== null && !statement.notActions.some((pattern) => wildcard(pattern.toLowerCase(), lower));
}

/**
 * Whether a statement speaks of one of the resources; a pattern counts when it matches, or when the resource is itself a
 * pattern (`arn:aws:s3:::b/*`) that it lies within. A policy of the resource itself may leave the element out.
 */
export function coversResource(statement: Statement, resources: readonly string[], implied: boolean): boolean {
  const hit = (pattern: string): boolean =>
    resources.some(
      (resource) => wildcard(unvaried(pattern), resource) || (resource.endsWith('*') && wildcard(resource, unvaried(pattern))),
    );
  if (statement.resources) return statement.resources.some(hit);
  if (statement.notResources)
    return !resources.every((resource) => statement.notResources?.some((pattern) => wildcard(unvaried(pattern), resource)));
  return implied;
}

/** Whether one of a statement's patterns takes in the whole of each resource. `NotResource` is never taken to: what it leaves out may lie within. */
export function coversAll(statement: Statement, resources: readonly string[], implied: boolean): boolean {
  if (statement.resources === null) return implied && statement.notResources === null;
  return resources.every((resource) => statement.resources?.some((pattern) => spans(pattern, resource)));
}

function spans(pattern: string, resource: string): boolean {
  if (pattern.includes('${')) return false;
  return resource.endsWith('*') ? pattern.endsWith('*') && wildcard(pattern, resource.slice(0, -1)) : wildcard(pattern, resource);
}

/** Policy variables (`${aws:username}`) can be anything. */
function unvaried(pattern: string): string {
  return pattern.includes('${') ? pattern.replace(/\$\{[^}]*\}/g, '*') : pattern;
}

export interface PolicyPrincipal {
  readonly principal: string;
  readonly kind:
    'everyone' | 'account' | 'role' | 'user' | 'assumed-role' | 'federated' | 'service' | 'deleted' | 'canonical-user' | 'other';
  readonly account: string | null;
}

/** The principals a statement of a resource policy names. `NotPrincipal` names everyone else. */
export function principalsOf(statement: Statement): PolicyPrincipal[] {
  if (statement.notPrincipal !== undefined) return [{ principal: '* (all but those named)', kind: 'everyone', account: null }];
  const { principal } = statement;
  if (principal === '*') return [{ principal: '*', kind: 'everyone', account: null }];
  if (!isJsonObject(principal)) return [];
  const named = Object.keys(principal).flatMap((family) => (texts(principal[family]) ?? []).map((name) => namedPrincipal(family, name)));
  return [...new Map(named.map((one) => [`${one.kind}\u0000${one.principal}`, one])).values()];
}

function namedPrincipal(family: string, name: string): PolicyPrincipal {
  if (name === '*') return { principal: '*', kind: 'everyone', account: null };
  if (family === 'Service') return { principal: name, kind: 'service', account: null };
  if (family === 'Federated') return { principal: name, kind: 'federated', account: parseArn(name)?.account || null };
  if (family === 'CanonicalUser') return { principal: name, kind: 'canonical-user', account: null };
  if (/^\d{12}$/.test(name)) return { principal: name, kind: 'account', account: name };
  const arn = parseArn(name);
  if (!arn) return { principal: name, kind: isDeletedPrincipal(name) ? 'deleted' : 'other', account: null };
  const account = arn.account || null;
  if (arn.resource === 'root') return { principal: name, kind: 'account', account };
  const kinds: readonly (readonly [string, PolicyPrincipal['kind']])[] = [
    ['role/', 'role'],
    ['user/', 'user'],
    ['assumed-role/', 'assumed-role'],
    ['federated-user/', 'federated'],
  ];
  return { principal: name, kind: kinds.find(([prefix]) => arn.resource.startsWith(prefix))?.[1] ?? 'other', account };
}

const narrowing = new Set(['stringequals', 'stringequalsignorecase', 'stringlike', 'arnequals', 'arnlike']);

/** What a condition narrows "everyone" to, where it positively does. */
export interface Narrowed {
  readonly accounts: readonly string[] | null;
  readonly arns: readonly string[] | null;
  readonly organizations: readonly string[] | null;
  /** Accounts whose access points the request has to come through: their policies decide. */
  readonly accessPoints: readonly string[] | null;
  /** Networks the request has to come from, or endpoints that alone are served: who is there is not the policy's to say. */
  readonly networks: readonly string[] | null;
}

const accountKeys = new Set(['kms:calleraccount', 'aws:principalaccount', 'aws:sourceaccount', 'aws:sourceowner', 'aws:userid:account']);
const arnKeys = new Set(['aws:principalarn', 'aws:sourcearn']);
const organizationKeys = new Set(['aws:principalorgid', 'aws:sourceorgid', 'aws:principalorgpaths', 'aws:sourceorgpaths']);

const accessPointKeys = new Set(['s3:dataaccesspointaccount', 's3:dataaccesspointarn']);
const networkKeys = new Set(['aws:sourcevpc', 'aws:sourcevpce']);
const mountTargets = 'elasticfilesystem:accessedviamounttarget';

/** Reads the keys of a condition that bound who a wide principal can be. A wildcard in a value bounds nothing. */
export function narrowedBy(condition: JsonObject | null): Narrowed {
  const found: { -readonly [part in keyof Narrowed]: Narrowed[part] } = {
    accounts: null,
    arns: null,
    organizations: null,
    accessPoints: null,
    networks: null,
  };
  for (const operator of Object.keys(condition ?? {})) {
    // `…IfExists` and `ForAllValues:` let requests through that do not carry the key at all.
    const name = operator.toLowerCase().replace(/^foranyvalue:/, '');
    const keys = condition?.[operator];
    if (!isJsonObject(keys)) continue;
    if (name === 'ipaddress') found.networks = ranges(keys) ?? found.networks;
    if (name === 'bool' && onlyTrue(keys, mountTargets)) found.networks = ['the mount targets of the file system'];
    if (!narrowing.has(name)) continue;
    for (const key of Object.keys(keys)) {
      const values = words(keys[key]);
      if (values.length === 0 || values.some((value) => value === '*' || value.includes('${'))) continue;
      const lower = key.toLowerCase();
      if (accountKeys.has(lower) && values.every((value) => accountId.test(value))) found.accounts = values;
      else if (arnKeys.has(lower) && arnAccounts(values, name)) found.arns = values;
      else if (organizationKeys.has(lower)) found.organizations = values;
      else if (accessPointKeys.has(lower))
        found.accessPoints = (values.every((value) => accountId.test(value)) ? values : arnAccounts(values, name)) ?? found.accessPoints;
      else if (lower === 'sns:endpoint' && values.every((value) => /^(\*@)?[^*?]+$/.test(value))) found.networks = values;
      else if (networkKeys.has(lower) && values.every((value) => /^vpce?-[0-9a-z]+$/.test(value))) found.networks = values;
    }
  }
  return found;
}

/** IAM takes numbers and booleans among the values of a condition; with anything else it is none. */
function words(value: Json | undefined): string[] {
  const values = [value].flat();
  const scalars = values.filter((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean');
  return scalars.length === values.length ? scalars.map(String) : [];
}

const accountId = /^\d{12}$/;

/** The accounts that ARNs name; null unless each names one. */
function arnAccounts(arns: readonly string[], operator: string): string[] | null {
  const accounts = arns.map((text) => {
    const arn = parseArn(text);
    // Compared as text, a wildcard before the account takes in colons as well, and with them any account.
    const anywhere = operator === 'stringlike' && /[*?]/.test(text.split(':', 4).join(':'));
    return arn !== null && !anywhere && accountId.test(arn.account) ? arn.account : null;
  });
  return accounts.every((account) => account !== null) ? [...new Set(accounts)] : null;
}

/** Ranges of addresses that a request has to come from; null where one is so wide that Amazon S3 calls it public. */
function ranges(keys: JsonObject): string[] | null {
  const named = Object.keys(keys).filter((key) => ['aws:sourceip', 'aws:vpcsourceip'].includes(key.toLowerCase()));
  const values = named.flatMap((key) => words(keys[key]));
  const bounded = (value: string): boolean => {
    const [, address = '', length] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(value) ?? [];
    const least = isIPv4(address) ? 8 : isIPv6(address) ? 32 : Infinity;
    return (length === undefined ? 128 : Number(length)) >= least;
  };
  return values.length > 0 && values.every(bounded) ? values : null;
}

function onlyTrue(keys: JsonObject, name: string): boolean {
  return Object.keys(keys).some((key) => key.toLowerCase() === name && [keys[key]].flat().every((value) => String(value) === 'true'));
}
