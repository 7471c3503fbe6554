import { isJsonObject, type Json, type JsonObject, type Resource } from '../../model/index.ts';
import type { Reader } from './access-principal.ts';
import { gcpRelativeName, valueAt } from '../lookups/references.ts';
import { isGiven, toldAt } from '../lookups/told.ts';

export const bucketType = 'storage.googleapis.com/Bucket';

/** What a bucket itself says of who can read its objects, beside the IAM policies in force. */
interface BucketAccess {
  /** Uniform access is on: no access control list counts. Null where the evidence does not say. */
  readonly uniform: boolean | null;
  /** The bucket itself prevents public access, whatever policies and lists say. */
  readonly publicBlocked: boolean;
  /** Whole groups whom its lists let read: the bucket's objects as they are made. */
  readonly wide: readonly string[];
  /** Everyone whom its own list lets see which objects there are. */
  readonly listing: readonly string[];
}

export const everyone: ReadonlySet<string> = new Set(['allUsers', 'allAuthenticatedUsers']);

function entitiesOf(list: Json | undefined): string[] {
  return (Array.isArray(list) ? list : []).flatMap((entry) => (isJsonObject(entry) ? (toldAt(entry, 'entity') ?? []) : []));
}

export function bucketAccess(document: JsonObject): BucketAccess {
  const settings = valueAt(document, 'resource', 'data', 'iamConfiguration');
  // `bucketPolicyOnly` is what uniform access was called first; records of that time have nothing else.
  const uniform =
    valueAt(settings, 'uniformBucketLevelAccess', 'enabled') ??
    (isGiven(settings, 'uniformBucketLevelAccess') ? undefined : valueAt(settings, 'bucketPolicyOnly', 'enabled'));
  const entities = entitiesOf(valueAt(document, 'resource', 'data', 'defaultObjectAcl'));
  return {
    uniform: typeof uniform === 'boolean' ? uniform : isJsonObject(settings) && uniform === undefined ? false : null,
    publicBlocked: toldAt(settings, 'publicAccessPrevention') === 'enforced',
    wide: entities.filter((entity) => everyone.has(entity) || entity.startsWith('domain-')),
    listing: entitiesOf(valueAt(document, 'resource', 'data', 'acl')).filter((entity) => everyone.has(entity)),
  };
}

/** Adds what the lists of a bucket let through, and takes away whom it keeps out. */
export function addBucketAccess(bucket: Resource, found: { readers: Reader[]; gap: string | null }): void {
  const { uniform, publicBlocked, wide, listing } = bucketAccess(bucket.document);
  if (uniform !== true) {
    const name = gcpRelativeName(bucket.uid);
    const add = (principal: string, via: string): void => {
      found.readers.push({
        principal,
        kind: everyone.has(principal) ? 'everyone' : 'domain',
        via,
        conditional: false,
        wide: true,
        citation: bucket.citation,
      });
    };
    for (const entity of wide) add(entity, `default access control list for objects of ${name}`);
    for (const entity of listing) add(entity, `access control list of ${name}, which lets see the names of its objects`);
    found.gap ??=
      uniform === null
        ? 'whether access control lists of objects count is not in the evidence of the bucket'
        : 'uniform access is off, so each object may have an access control list of its own, which is not in the evidence';
  }
  if (publicBlocked) found.readers = found.readers.filter(({ principal }) => !everyone.has(principal));
}
