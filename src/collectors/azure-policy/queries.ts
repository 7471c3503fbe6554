/** Azure Policy: what is listed through Resource Manager, and what only Resource Graph's `policyresources` pages rightly. */

const columns = 'id, name, type, location, subscriptionId, resourceGroup, tenantId, properties';

function quote(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

export const stateType = 'microsoft.policyinsights/policystates';
export const componentStateType = 'microsoft.policyinsights/componentpolicystates';
export const exemptionType = 'microsoft.authorization/policyexemptions';
export const assignmentType = 'microsoft.authorization/policyassignments';
export const definitionType = 'microsoft.authorization/policydefinitions';
export const setDefinitionType = 'microsoft.authorization/policysetdefinitions';

/** Resource Manager reads of one subscription: a bucket of 250 that refills by 25 a second; the refill rate is kept. */
export const resourceManagerQuota = { permits: 25, perMs: 1000 } as const;

function ofPolicies(type: string, guids: readonly string[]): string {
  const ids = guids.map((guid) => quote(`/providers/microsoft.authorization/policydefinitions/${guid}`)).join(', ');
  return `policyresources | where type =~ ${quote(type)} | where tostring(properties.policyDefinitionId) in~ (${ids})`;
}

/** States (or component states) of the policies that controls read. */
export function statesQuery(type: string, guids: readonly string[]): string {
  return `${ofPolicies(type, guids)} | project ${columns} | order by id asc`;
}

/** How many states there are of each policy and subscription. */
export function stateCountQuery(type: string, guids: readonly string[]): string {
  return `${ofPolicies(type, guids)} | summarize count() by subscriptionId, policyDefinitionId = tolower(tostring(properties.policyDefinitionId))`;
}

export const exemptionsQuery = `policyresources | where type =~ ${quote(exemptionType)} | project ${columns} | order by id asc`;

/** Subscriptions a Resource Graph query may name: fewer than 300. */
export const subscriptionsPerQuery = 250;
export const pageRows = 1000;

/** How many states of how many policies and subscriptions fit into one page, which a count must. */
export function subscriptionsPerCount(groups: number): number {
  return Math.max(1, Math.min(subscriptionsPerQuery, Math.floor((pageRows - 1) / Math.max(1, groups))));
}

/** How many assignments, definitions and exemptions each subscription holds itself. */
export const objectCountQuery =
  `policyresources | where type in~ (${[assignmentType, definitionType, setDefinitionType, exemptionType].map(quote).join(', ')})` +
  " | where id startswith '/subscriptions/' | summarize count() by subscriptionId, type";

/** What is listed through Resource Manager for every subscription, in the order it is asked. */
export const listings = [
  { name: 'policy-assignments', operation: 'policyAssignments.list', type: assignmentType },
  { name: 'policy-definitions', operation: 'policyDefinitions.list', type: definitionType },
  { name: 'policy-set-definitions', operation: 'policySetDefinitions.list', type: setDefinitionType },
] as const;
export type Listing = (typeof listings)[number];
export type ListingName = Listing['name'];

/** Only the definitions made by the organisation are listed per subscription; the built-in ones are the same everywhere. */
export const customOnly = "policyType eq 'Custom'";
