import { isJsonObject, type Json } from '../../model/index.ts';
import { text } from '../azure-graph.ts';
import { storedPages } from '../stored.ts';
import { policyGuid } from './map.ts';
import type { ObjectListing } from './objects.ts';
import { assignmentType, setDefinitionType } from './queries.ts';

/** Which policies are assigned in a subscription, directly, through an initiative, or inherited from above. */
export interface AssignedPolicies {
  of(account: string): {
    /** Policy GUID → name of an assignment. */
    readonly policies: ReadonlyMap<string, string>;
    /** Whether every assignment and initiative there is known. */
    readonly whole: boolean;
  };
}

function* objectsOf(
  runDirectory: string,
  listing: ObjectListing,
): Generator<{ id: string; name: string; properties: Record<string, Json> }> {
  for (const { json } of storedPages(runDirectory, listing.series)) {
    for (const row of isJsonObject(json) && Array.isArray(json.value) ? json.value : []) {
      if (!isJsonObject(row)) continue;
      yield {
        id: (text(row.id) ?? '').toLowerCase(),
        name: text(row.name) ?? '',
        properties: isJsonObject(row.properties) ? row.properties : {},
      };
    }
  }
}

export function assignedPolicies(runDirectory: string, listings: readonly ObjectListing[]): AssignedPolicies {
  const members = new Map<string, string[]>();
  for (const listing of listings.filter((one) => one.type === setDefinitionType)) {
    for (const { id, properties } of objectsOf(runDirectory, listing)) {
      const references = Array.isArray(properties.policyDefinitions) ? properties.policyDefinitions : [];
      members.set(
        id,
        references
          .flatMap((reference) => (isJsonObject(reference) ? [policyGuid(text(reference.policyDefinitionId) ?? '')] : []))
          .filter((guid) => guid !== ''),
      );
    }
  }
  const builtInWhole = listings
    .filter((one) => one.account === null && one.type === setDefinitionType)
    .every((one) => one.series.status === 'complete');
  const byAccount = new Map<string, { policies: Map<string, string>; whole: boolean }>();
  for (const listing of listings) {
    if (listing.type !== assignmentType || listing.account === null) continue;
    const policies = new Map<string, string>();
    const custom = listings.filter((one) => one.account === listing.account && one.type === setDefinitionType);
    let whole = listing.series.status === 'complete' && builtInWhole && custom.every((one) => one.series.status === 'complete');
    for (const { name, properties } of objectsOf(runDirectory, listing)) {
      const target = (text(properties.policyDefinitionId) ?? '').toLowerCase();
      const guid = policyGuid(target);
      if (guid !== '') policies.set(guid, name);
      else if (members.has(target)) for (const member of members.get(target) ?? []) policies.set(member, name);
      else whole = false;
    }
    byAccount.set(listing.account, { policies, whole });
  }
  return { of: (account) => byAccount.get(account) ?? { policies: new Map(), whole: false } };
}
