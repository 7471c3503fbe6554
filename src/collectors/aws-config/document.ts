import { isJsonObject, type Json, type JsonObject, type Resource, type Scope, unstated } from '../../model/index.ts';

/** Statuses of an item whose resource is gone: neither judged nor counted. */
const deletedStatuses = new Set(['ResourceDeleted', 'ResourceDeletedNotRecorded']);

export function isDeleted(item: JsonObject): boolean {
  return typeof item['configurationItemStatus'] === 'string' && deletedStatuses.has(item['configurationItemStatus']);
}

export function text(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function parsed(value: string): Json | undefined {
  try {
    return JSON.parse(value) as Json;
  } catch {
    return undefined;
  }
}

/** A JSON object or array held as text, up to three layers deep; every other value stays as it is. */
function structure(value: Json): Json {
  if (typeof value !== 'string') return value;
  let current: Json = value;
  for (let layer = 0; layer < 3 && typeof current === 'string' && /^\s*["[{]/.test(current); layer += 1) {
    const inner = parsed(current);
    if (inner === undefined) return value;
    current = inner;
  }
  return typeof current === 'object' ? current : value;
}

/** A value of the history encoding, where everything is JSON text: `"false"` is false, `"\"{…}\""` an object. */
function decoded(value: Json): Json {
  if (typeof value !== 'string') return value;
  const inner = parsed(value);
  if (inner === undefined) return value;
  return typeof inner === 'string' ? structure(inner) : inner;
}

/**
 * One item in the one form that conditions read, whichever way it was handed out (Select row; BatchGet, history and
 * event items): `configuration` and the supplementary values as values, `accountId` and `arn` under these names.
 * Nothing is dropped, nothing else is renamed; text inside `configuration` (policies) stays text.
 */
export function normalise(item: JsonObject): JsonObject {
  const textual = typeof item['configuration'] === 'string';
  const configuration = textual ? decoded(item['configuration'] as string) : item['configuration'];
  const outer = item['supplementaryConfiguration'];
  const supplementary = typeof outer === 'string' ? structure(outer) : outer;
  const accountId = text(item['accountId']) ?? text(item['awsAccountId']);
  const arn = text(item['arn']) ?? text(item['ARN']);
  const values = isJsonObject(supplementary) ? supplementaryValues(supplementary, textual) : supplementary;
  // A Select row is in this form already, and need not be copied.
  const changed =
    (accountId !== null && accountId !== item['accountId']) ||
    (arn !== null && arn !== item['arn']) ||
    configuration !== item['configuration'] ||
    values !== outer;
  if (!changed) return item;
  return {
    ...item,
    ...(accountId === null ? {} : { accountId }),
    ...(arn === null ? {} : { arn }),
    ...(configuration === undefined ? {} : { configuration }),
    ...(values === undefined ? {} : { supplementaryConfiguration: values }),
  };
}

/** The same object where no value was text that had to be read. */
function supplementaryValues(values: JsonObject, textual: boolean): JsonObject {
  let read: [string, Json][] | null = null;
  const names = Object.keys(values);
  for (const [at, name] of names.entries()) {
    const value = values[name] as Json;
    const meant = textual ? decoded(value) : structure(value);
    if (meant !== value && read === null) read = names.slice(0, at).map((before) => [before, values[before] as Json]);
    read?.push([name, meant]);
  }
  return read === null ? values : Object.fromEntries<Json>(read);
}

/** Tags in any of their shapes: `key/value`, `tagKey/tagValue`, a map, or either as JSON text. Earlier sources win. */
export function tagsOf(item: JsonObject): Record<string, string> {
  const found = new Map<string, string>();
  const add = (key: Json | undefined, value: Json | undefined): void => {
    if (typeof key !== 'string' || found.has(key)) return;
    found.set(key, typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value));
  };
  const read = (source: Json | undefined): void => {
    const tags = source === undefined ? undefined : structure(source);
    if (Array.isArray(tags)) {
      for (const tag of tags) {
        if (isJsonObject(tag))
          add(
            tag['key'] ?? tag['Key'] ?? tag['tagKey'] ?? tag['TagKey'],
            tag['value'] ?? tag['Value'] ?? tag['tagValue'] ?? tag['TagValue'],
          );
      }
    } else if (isJsonObject(tags)) {
      for (const [key, value] of Object.entries(tags)) add(key, value);
    }
  };
  read(item['tags']);
  const supplementary = item['supplementaryConfiguration'];
  if (isJsonObject(supplementary)) {
    read(supplementary['Tags']);
    read(supplementary['tags']);
    const sets = isJsonObject(supplementary['BucketTaggingConfiguration'])
      ? supplementary['BucketTaggingConfiguration']['tagSets']
      : undefined;
    if (Array.isArray(sets)) for (const set of sets) if (isJsonObject(set)) read(set['tags']);
  }
  const configuration = item['configuration'];
  if (isJsonObject(configuration)) for (const name of ['tags', 'Tags', 'tagList', 'TagList', 'tagSet']) read(configuration[name]);
  return Object.fromEntries(found);
}

/** RFC 3339 from either form of an AWS time: ISO text, or epoch seconds. */
export function instant(value: Json | undefined): string | null {
  const time = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) && Math.abs(time) < 8.64e15 ? new Date(time).toISOString() : null;
}

/** Account and region named by an ARN; empty parts are null. */
export function arnParts(arn: string | null): { account: string | null; region: string | null } {
  const parts = arn?.split(':') ?? [];
  if (parts[0] !== 'arn') return { account: null, region: null };
  return {
    account: parts[4] === undefined || parts[4] === '' ? null : parts[4],
    region: parts[3] === undefined || parts[3] === '' ? null : parts[3],
  };
}

/** The ARN that the configuration itself gives its resource: `arn`, or `TopicArn` for a topic. A bucket's follows from its name. */
function ownArn(type: string, id: string | null, region: string | null, configuration: Json | undefined): string | null {
  if (isJsonObject(configuration)) {
    const names = new Set(['arn', `${type.slice(type.lastIndexOf(':') + 1).toLowerCase()}arn`]);
    const name = Object.keys(configuration).find((key) => names.has(key.toLowerCase()));
    const arn = name === undefined ? null : text(configuration[name]);
    if (arn?.startsWith('arn:') === true) return arn;
  }
  if (type !== 'AWS::S3::Bucket' || id === null || !/^[a-z0-9][a-z0-9.-]+$/.test(id)) return null;
  const partition = region?.startsWith('cn-') === true ? 'aws-cn' : region?.startsWith('us-gov-') === true ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:s3:::${id}`;
}

/**
 * The item as a resource. `scope` is whose ledger it counts in, which for a global type is not its own region.
 * Null when the item names no type or no id: nothing can be said of it.
 */
export function resourceOf(
  item: JsonObject,
  at: { readonly scope?: Scope; readonly citation: Resource['citation']; readonly type?: string; readonly id?: string },
): Resource | null {
  const document = normalise(item);
  const type = text(document['resourceType']) ?? at.type ?? null;
  const own = text(document['resourceId']);
  const arn = text(document['arn']) ?? (type === null ? null : ownArn(type, own, text(document['awsRegion']), document['configuration']));
  const id = own ?? arn ?? at.id ?? null;
  if (type === null || id === null) return null;
  const named = arnParts(arn ?? id);
  const account = text(document['accountId']) ?? named.account ?? at.scope?.account ?? unstated.account;
  const location = text(document['awsRegion']) ?? named.region ?? at.scope?.region ?? unstated.region;
  return {
    kind: 'resource',
    provider: 'aws',
    type,
    uid: arn ?? (id.startsWith('arn:') ? id : `${type}/${account}/${location}/${id}`),
    name: text(document['resourceName']) ?? id,
    account,
    location,
    scope: at.scope ?? { provider: 'aws', account, region: location },
    tags: tagsOf(document),
    capturedAt: instant(document['configurationItemCaptureTime']),
    document,
    citation: at.citation,
  };
}
