import { asStored } from '../../evidence/withheld.ts';
import { type ProviderVerdict, type Resource, withoutCase } from '../../model/index.ts';

/** How results of a rule name what they are about, and how that leads to the resources of the inventory. */

/** The names by which a provider may call the resource in its results. Azure's ids have no case. */
export function namesOf(resource: Resource): string[] {
  const uid = asStored(resource.uid);
  if (resource.provider !== 'aws') return [withoutCase(uid)];
  const id = resource.document['resourceId'];
  return [uid, ...(typeof id === 'string' && id !== uid ? [id] : [])].map((name) => `${resource.type}\u0000${name}`);
}

export function nameOf({ provider, resourceType, uid }: ProviderVerdict): string {
  return provider === 'aws' ? `${resourceType}\u0000${uid}` : withoutCase(uid);
}

/** How far above what a result is about its resource is looked for: parts of parts of a resource. */
const deepestPart = 4;

/** The names of what a result is about, and of that which it is a part of: a policy may judge the protector of a server beside the server. */
export function namesAbove(verdict: ProviderVerdict): string[] {
  const names = [nameOf(verdict)];
  if (verdict.provider !== 'azure') return names;
  for (let name = names[0] as string; names.length <= deepestPart; names.push(name)) {
    // `…/<type>/<name>` is part of what stands before it.
    const end = name.lastIndexOf('/', name.lastIndexOf('/') - 1);
    if (end <= 0) break;
    name = name.slice(0, end);
  }
  return names;
}

export function typeOf({ provider, resourceType }: ProviderVerdict): string {
  return provider === 'azure' ? resourceType.toLowerCase() : resourceType;
}
