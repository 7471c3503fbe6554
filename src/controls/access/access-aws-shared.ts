import { isJsonObject, type Resource } from '../../model/index.ts';
import { valueAt } from '../lookups/references.ts';
import { toldAt } from '../lookups/told.ts';
import type { Reader } from './access-principal.ts';
import { decodedJson } from './policy-document.ts';

/** Whom a snapshot is shared with, by its `restore` attribute. */
export interface Shared {
  readonly readers: readonly Reader[];
  /** Why there may be more. */
  readonly gap: string | null;
}

const unread = 'whom the snapshot is shared with is not in the evidence';

export function sharedWith(resource: Resource, path: readonly string[]): Shared {
  const attributes = decodedJson(valueAt(resource.document, ...path));
  if (!Array.isArray(attributes)) return { readers: [], gap: unread };
  const named = attributes.map((attribute) => toldAt(attribute, 'attributeName'));
  const restore = attributes.filter((_, at) => named[at] === 'restore').map((attribute) => valueAt(attribute, 'attributeValues'));
  // RDS gives the attribute for every snapshot that can be shared; automated ones cannot.
  const unshareable = restore.length === 0 && toldAt(resource.document, 'configuration', 'snapshotType') === 'automated';
  const values = restore.flatMap((list) => (Array.isArray(list) ? list : [null]));
  const accounts = values.filter((value) => typeof value === 'string' && (value === 'all' || /^\d{12}$/.test(value))) as string[];
  const whole =
    attributes.every((attribute) => isJsonObject(attribute)) &&
    !named.includes(null) &&
    accounts.length === values.length &&
    (restore.length > 0 || unshareable);
  return {
    readers: accounts
      .filter((account) => account !== resource.account)
      .map((account) => ({
        principal: account === 'all' ? '*' : account,
        kind: account === 'all' ? 'everyone' : 'account',
        via: 'restore attribute of the snapshot',
        conditional: false,
        wide: true,
        citation: resource.citation,
      })),
    gap: whole ? null : unread,
  };
}
