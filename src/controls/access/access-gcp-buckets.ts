import { isJsonObject, type JsonObject, type Resource } from '../../model/index.ts';
import type { Reader } from './access-principal.ts';
import { gcpRelativeName, valueAt } from '../lookups/references.ts';
import { toldAt } from '../lookups/told.ts';

export const bucketType = 'storage.googleapis.com/Bucket';

/** What a bucket itself says of who can read its objects, beside the IAM policies in force. */
interface BucketAccess {
  /** Uniform access is on: no access control list counts. Null where the evidence does not say. */
  readonly uniform: boolean | null;
  /** The bucket itself prevents public access, whatever policies and lists say. */
  readonly publicBlocked: boolean;
  /** Whole groups whom its lists let read: the bucket's objects as they are made. */
  readonly wide: readonly string[];
}

const everyone = new Set(['allUsers', 'allAuthenticatedUsers']);

export function bucketAccess(document: JsonObject): BucketAccess {
  const settings = valueAt(document, 'resource', 'data', 'iamConfiguration');
  const uniform = valueAt(settings, 'uniformBucketLevelAccess', 'enabled');
  const list = valueAt(document, 'resource', 'data', 'defaultObjectAcl');
  const entities = (Array.isArray(list) ? list : []).flatMap((entry) => (isJsonObject(entry) ? (toldAt(entry, 'entity') ?? []) : []));
  return {
    uniform: typeof uniform === 'boolean' ? uniform : isJsonObject(settings) && uniform === undefined ? false : null,
    publicBlocked: toldAt(settings, 'publicAccessPrevention') === 'enforced',
    wide: entities.filter((entity) => everyone.has(entity) || entity.startsWith('domain-')),
  };
}

/** Adds what the lists of a bucket let through, and takes away whom it keeps out. */
export function addBucketAccess(bucket: Resource, found: { readers: Reader[]; gap: string | null }): void {
  const { uniform, publicBlocked, wide } = bucketAccess(bucket.document);
  if (uniform !== true) {
    for (const entity of wide)
      found.readers.push({
        principal: entity,
        kind: everyone.has(entity) ? 'everyone' : 'domain',
        via: `default access control list for objects of ${gcpRelativeName(bucket.uid)}`,
        conditional: false,
        wide: true,
      });
    found.gap ??=
      uniform === null
        ? 'whether access control lists of objects count is not in the evidence of the bucket'
        : 'uniform access is off, so each object may have an access control list of its own, which is not in the evidence';
  }
  if (publicBlocked) found.readers = found.readers.filter(({ principal }) => !everyone.has(principal));
}
