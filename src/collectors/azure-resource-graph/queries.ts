/**
 * The Resource Graph queries: text and scope only. Every list is ordered by id and projects it, without which the
 * service does not page; counts are grouped and do not page, so they are cut to fewer than a page of rows.
 */

/** Rows a page, and the most that a query that cannot page may answer with. */
export const pageRows = 1000;
/** Published limit is fewer than 300 subscriptions a query. */
export const subscriptionsPerQuery = 250;
/** 15 queries per 5 s and user; all collectors that ask Resource Graph as one tenant's identity share it. */
export const graphQuota = { permits: 15, perMs: 5000, fromAnswer: true } as const;

export function graphPacerKey(tenant: string): string {
  return `azure-resource-graph/${tenant}`;
}

const columns = 'id, name, type, location, subscriptionId, resourceGroup, tenantId, kind, sku, identity, tags, properties';

/** Types that live in tables other than `resources`: by exact type, or by a prefix ending in a slash. */
const tableByType: readonly (readonly [string, string])[] = [
  ['microsoft.resources/', 'resourcecontainers'],
  ['microsoft.management/managementgroups', 'resourcecontainers'],
  ['microsoft.authorization/', 'authorizationresources'],
  ['microsoft.security/', 'securityresources'],
  ['microsoft.kubernetesconfiguration/', 'kubernetesconfigurationresources'],
  ['microsoft.web/sites/config', 'appserviceresources'],
  ['microsoft.web/sites/slots/config', 'appserviceresources'],
  ['microsoft.guestconfiguration/', 'guestconfigurationresources'],
  ['microsoft.recoveryservices/vaults/', 'recoveryservicesresources'],
  ['microsoft.advisor/', 'advisorresources'],
];

/** Child types that Resource Graph does not hold at all: their absence from an answer says nothing. */
const notIndexed = new Set([
  'microsoft.sql/servers/encryptionprotector',
  'microsoft.sql/servers/databases/transparentdataencryption',
  'microsoft.sql/servers/auditingsettings',
  'microsoft.sql/servers/firewallrules',
  'microsoft.keyvault/vaults/keys',
  'microsoft.keyvault/vaults/secrets',
  'microsoft.insights/diagnosticsettings',
  'microsoft.storage/storageaccounts/blobservices/containers',
  'microsoft.storage/storageaccounts/encryptionscopes',
]);

/** Policy objects and states: collected by azure-policy. */
export function isPolicyType(type: string): boolean {
  return type.startsWith('microsoft.authorization/policy') || type.startsWith('microsoft.policyinsights/');
}

/** The table a type is queried in; null where Resource Graph does not hold it. */
export function tableOf(type: string): string | null {
  if (notIndexed.has(type)) return null;
  for (const [prefix, table] of tableByType) {
    if (type === prefix || (prefix.endsWith('/') && type.startsWith(prefix))) return table;
  }
  return 'resources';
}

/** Types of which records also live above subscriptions: at a management group or at the tenant root. */
const upperTypes = new Set([
  'microsoft.authorization/roleassignments',
  'microsoft.authorization/roledefinitions',
  'microsoft.management/managementgroups',
]);

export function livesAboveSubscriptions(type: string): boolean {
  return upperTypes.has(type);
}

/** Types that live only above subscriptions. */
export function livesOnlyAboveSubscriptions(type: string): boolean {
  return type === 'microsoft.management/managementgroups';
}

/** `subscriptions`: records inside subscriptions; `above`: records at management groups and the tenant root. */
export type Level = 'subscriptions' | 'above';

export function quote(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

function levelFilter(type: string, level: Level): string {
  if (!livesAboveSubscriptions(type) || livesOnlyAboveSubscriptions(type)) return '';
  return level === 'subscriptions' ? " | where id startswith '/subscriptions/'" : " | where id !startswith '/subscriptions/'";
}

/** Every record of one type. */
export function listQuery(table: string, type: string, level: Level = 'subscriptions'): string {
  return `${table} | where type =~ ${quote(type)}${levelFilter(type, level)} | project ${columns} | order by id asc`;
}

/** How many records there are of each type and subscription. All types lie in `table` and share `level`. */
export function countQuery(table: string, types: readonly string[], level: Level = 'subscriptions'): string {
  const filter = levelFilter(types[0] ?? '', level);
  return `${table} | where type in~ (${types.map(quote).join(', ')})${filter} | summarize count() by subscriptionId, type`;
}

/** How many types one count may ask for, so that subscriptions × types stays below one page of rows. */
export function typesPerCount(subscriptions: number): number {
  return Math.max(1, Math.floor((pageRows - 1) / Math.max(1, subscriptions)));
}
