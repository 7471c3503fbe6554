import { type Json, type Resource, withoutCase } from '../../model/index.ts';

/** How the providers name things: ARNs, Azure ids, Cloud Asset names. Pure string work; nothing is looked up here. */

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

export function parseArn(text: string): Arn | null {
  const match = /^arn:([^:]*):([^:]*):([^:]*):([^:]*):(.+)$/s.exec(text);
  if (!match) return null;
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return { partition, service, region, account, resource };
}

export type KmsReference =
  | { readonly kind: 'key'; readonly account: string; readonly region: string; readonly id: string }
  | { readonly kind: 'alias'; readonly account: string; readonly region: string; readonly alias: string };

const keyId = /^(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** A KMS key as services name it: key ARN, alias ARN, `key/<id>`, bare id, `alias/<name>`. Null when it is none of these. */
export function parseKmsReference(text: string, account: string, region: string): KmsReference | null {
  const arn = parseArn(text);
  if (arn) {
    if (arn.service !== 'kms' || arn.account === '' || arn.region === '') return null;
    if (arn.resource.startsWith('key/'))
      return { kind: 'key', account: arn.account, region: arn.region, id: arn.resource.slice(4).toLowerCase() };
    if (arn.resource.startsWith('alias/')) return { kind: 'alias', account: arn.account, region: arn.region, alias: arn.resource };
    return null;
  }
  if (text.startsWith('alias/')) return { kind: 'alias', account, region, alias: text };
  const bare = text.startsWith('key/') ? text.slice(4) : text;
  return keyId.test(bare) ? { kind: 'key', account, region, id: bare.toLowerCase() } : null;
}

/** The AWS region a record speaks of: its own, or the region of the scope that recorded it. */
export function awsRegionOf(resource: Resource): string {
  const own = resource.document['awsRegion'];
  return typeof own === 'string' && own !== '' ? own : resource.scope.region;
}

/** Azure ids compare without case; a trailing slash means nothing. */
export function azureId(text: string): string {
  const id = withoutCase(text.trim()).replace(/\/+$/, '');
  return id === '' ? '/' : id.startsWith('/') ? id : `/${id}`;
}

/** Subscription of an Azure id, null for management groups and the tenant. */
export function azureSubscription(id: string): string | null {
  return /^\/subscriptions\/([^/]+)/.exec(azureId(id))?.[1] ?? null;
}

/** Every scope at which a role assignment reaches an Azure id, nearest first, down to its subscription. */
export function azureScopesOf(id: string): string[] {
  const scopes: string[] = [];
  const normal = azureId(id);
  const [base = '', ...providers] = normal.split('/providers/');
  for (let count = providers.length; count > 0; count -= 1) {
    const head = [base, ...providers.slice(0, count - 1)].join('/providers/');
    const segments = (providers[count - 1] ?? '').split('/');
    for (let length = segments.length - (segments.length % 2 === 0 ? 1 : 0); length >= 3; length -= 2) {
      scopes.push(`${head}/providers/${segments.slice(0, length).join('/')}`);
    }
  }
  const group = /^\/subscriptions\/[^/]+\/resourcegroups\/[^/]+/.exec(base)?.[0];
  if (group) scopes.push(group);
  const subscription = /^\/subscriptions\/[^/]+/.exec(base)?.[0];
  if (subscription) scopes.push(subscription);
  return scopes;
}

/** Host of a vault, Managed HSM or key URI, lower case: `https://v.vault.azure.net/keys/k/1` → `v.vault.azure.net`. */
export function vaultHost(uri: string): string | null {
  return /^https?:\/\/([^/:?#\s]+)/i.exec(uri.trim())?.[1]?.toLowerCase() ?? null;
}

/** Last segment of a path-like id: the GUID of a role definition. */
export function lastSegment(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** A Google resource name without its service and API version: `projects/p/locations/l/…`; of a bucket, whose name says no project, the name alone. */
export function gcpRelativeName(name: string): string {
  return name
    .replace(/^https?:\/\/[^/]+\/(?:[a-z]+\/)?(?:v\d[a-z0-9]*\/)?/, '')
    .replace(/^\/\/[^/]+\//, '')
    .replace(/^projects\/_\/buckets\//, '')
    .replace(/^\/+|\/+$/g, '');
}

/** A key's name; a version of it names the same key. */
export function gcpKeyName(name: string): string {
  return gcpRelativeName(name).replace(/\/cryptoKeyVersions\/[^/]+$/, '');
}

/** Project segment of a relative name: an id or a number. */
export function gcpProjectOf(relative: string): string | null {
  return /^projects\/([^/]+)/.exec(relative)?.[1] ?? null;
}

/** Walks plain object keys without case; undefined where anything on the way is missing. For table keys only, never for judging. */
export function valueAt(document: Json | undefined, ...path: readonly string[]): Json | undefined {
  let value: Json | undefined = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    let next: Json | undefined = Object.hasOwn(value, name) ? value[name] : undefined;
    if (next === undefined) {
      const lower = name.toLowerCase();
      for (const key of Object.keys(value)) {
        if (key.length === lower.length && key.toLowerCase() === lower) {
          next = value[key];
          break;
        }
      }
    }
    value = next;
  }
  return value;
}

export function textAt(document: Json | undefined, ...path: readonly string[]): string | null {
  const value = valueAt(document, ...path);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The asset's ancestors, nearest first: `projects/123`, `folders/4`, `organizations/5`. Null when the record does not say. */
export function gcpAncestors(document: Json): string[] | null {
  const ancestors = valueAt(document, 'ancestors');
  return Array.isArray(ancestors) && ancestors.length > 0 && ancestors.every((one) => typeof one === 'string') ? ancestors : null;
}
