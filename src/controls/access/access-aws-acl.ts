import { isJsonObject, type Json, type Resource } from '../../model/index.ts';
import { valueAt } from '../lookups/references.ts';
import { toldAt } from '../lookups/told.ts';
import type { Reader } from './access-principal.ts';
import { decodedJson } from './policy-document.ts';

/** Whom the access control list of a bucket lets see what is in it. */
export interface Granted {
  readonly readers: readonly Reader[];
  /** Why there may be more. */
  readonly gap: string | null;
}

const permissions = new Set(['read', 'write', 'readacp', 'writeacp', 'fullcontrol']);
/** Who may write the list may give itself the reading. */
const reading = new Set(['read', 'writeacp', 'fullcontrol']);
/** Everyone, and everyone with an AWS account. */
const groups = new Set(['AllUsers', 'AuthenticatedUsers']);
/** Logs are delivered by them: the group, and the canonical users that CloudFront delivers by, elsewhere and in China. */
const deliverers = new Set([
  'LogDelivery',
  'c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0',
  'a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56',
]);

/** `ignored`: grants to everyone are without effect. */
export function grantedBy(resource: Resource, path: readonly string[], ignored: boolean): Granted {
  const list = decodedJson(valueAt(resource.document, ...path));
  const held = ['grantList', 'grantSet', 'grants'].map((name) => valueAt(list, name)).filter((grants) => Array.isArray(grants));
  const owner = toldAt(list, 'owner', 'id') ?? toldAt(resource.document, 'configuration', 'owner', 'id');
  if (held.length === 0) return { readers: [], gap: 'the access control list of the bucket is not in the evidence' };
  const readers: Reader[] = [];
  let gap: string | null = null;
  for (const grant of held.flat()) {
    const permission = toldAt(grant, 'permission')?.replaceAll('_', '').toLowerCase() ?? '';
    const grantee = granteeOf(valueAt(grant, 'grantee'));
    if (grantee === null || !permissions.has(permission)) gap ??= 'the access control list of the bucket cannot be read';
    else if (!reading.has(permission) || deliverers.has(grantee) || grantee === owner) continue;
    else if (!groups.has(grantee))
      gap ??= `whether canonical user ${grantee} of the access control list is a whole other account is not in the evidence`;
    else if (!ignored)
      readers.push({
        principal: grantee,
        kind: 'everyone',
        via: 'access control list of the bucket',
        conditional: false,
        wide: true,
        citation: resource.citation,
      });
  }
  return { readers, gap };
}

/** A group by its name or its URI, or the id of a canonical user. */
function granteeOf(grantee: Json | undefined): string | null {
  if (isJsonObject(grantee)) return toldAt(grantee, 'id') ?? toldAt(grantee, 'uri')?.replace(/^.*\//, '') ?? null;
  return toldAt({ grantee: grantee ?? null }, 'grantee');
}
