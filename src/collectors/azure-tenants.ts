import type { AzureScopeConfig } from '../config/schema.ts';
import { compareText, isJsonObject, type Json, type LedgerEntry, type Reason } from '../model/index.ts';
import { openGraphSeries, subscriptionOf, text } from './azure-graph.ts';
import type { GraphClient, GraphScope } from './azure-graph-client.ts';
import type { CollectContext } from './collector.ts';
import { type PageFacts, pagedSeries, type Series } from './paging.ts';
import { storedPages } from './stored.ts';

/** The tenants of an engagement and the subscriptions that can be seen in them. */

/** One tenant of the engagement: everything configured for it, in lower case and without repeats. */
export interface TenantScope {
  readonly tenant: string;
  readonly subscriptions: readonly string[];
  readonly managementGroups: readonly string[];
}

export function tenantScopes(configured: readonly AzureScopeConfig[] | undefined): TenantScope[] {
  const byTenant = new Map<string, { subscriptions: Set<string>; managementGroups: Set<string> }>();
  for (const scope of configured ?? []) {
    const tenant = scope.tenant.toLowerCase();
    const known = byTenant.get(tenant) ?? { subscriptions: new Set(), managementGroups: new Set() };
    for (const subscription of scope.subscriptions ?? []) known.subscriptions.add(subscription.toLowerCase());
    for (const group of scope.managementGroups ?? []) known.managementGroups.add(group);
    byTenant.set(tenant, known);
  }
  return [...byTenant]
    .sort(([a], [b]) => compareText(a, b))
    .map(([tenant, { subscriptions, managementGroups }]) => ({
      tenant,
      subscriptions: [...subscriptions].sort(compareText),
      managementGroups: [...managementGroups].sort(compareText),
    }));
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += size) parts.push(items.slice(start, start + size));
  return parts;
}

/** Published limit: fewer than 300 subscriptions a query. */
const subscriptionsPerQuery = 250;

/** The provider's own list of subscriptions: what configured ones are compared with, and what management groups stand for. */
export const subscriptionsQuery =
  "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id, name, type, location, subscriptionId, resourceGroup, tenantId, kind, sku, identity, tags, properties | order by id asc";

export interface Discovery {
  /** Visible subscriptions, lower case, with their names. */
  readonly names: ReadonlyMap<string, string | null>;
  /** The same, sorted. */
  readonly visible: readonly string[];
  /** Subscriptions that the management groups hold by Resource Manager and that Resource Graph leaves out, with their names. */
  readonly unlisted: ReadonlyMap<string, string | null>;
  /** A list that is not whole; null when all are. */
  readonly gap: Series | null;
  readonly reasons: readonly Reason[];
}

/** `{value: [{id, type, properties}], nextLink}`: subscriptions and management groups below one; null for one without an id. */
export function descendantsOf(json: Json): { readonly ids: (string | null)[]; readonly next: string | null } {
  const page = isJsonObject(json) ? json : {};
  const rows = Array.isArray(page.value) ? page.value : [];
  return { ids: rows.map((row) => (isJsonObject(row) ? text(row.id) : null)), next: text(page.nextLink) || null };
}

function descendantFacts(json: Json): PageFacts {
  const { ids, next } = descendantsOf(json);
  return {
    records: ids.flatMap((id) => (id === null ? [] : [{ id: id.toLowerCase(), bucket: '', capturedAt: null }])),
    items: ids.length,
    nextToken: next,
    total: null,
    gaps: ids.includes(null) ? [{ code: 'malformed-record', message: 'a descendant of a management group came without an id' }] : [],
    contradiction: null,
  };
}

/** What lies below a management group by Resource Manager, which knows subscriptions that Resource Graph may leave out. */
async function listDescendants(
  context: CollectContext,
  client: GraphClient,
  identity: string,
  asker: { readonly collector: string; readonly shape: string },
  tenant: string,
  group: string,
): Promise<Series> {
  const writer = await context.writer.open({
    ...asker,
    scope: tenant,
    name: `scope-descendants-${group}`,
    provider: 'azure',
    operation: 'Microsoft.Management/managementGroups/descendants',
    text: null,
    parameters: { tenant, managementGroup: group },
    endpoint: client.connection.origin,
    identity,
    types: [],
  });
  const series = pagedSeries({
    writer,
    runDirectory: context.writer.runDirectory,
    requeries: context.patience.requeries,
    ask: (link) => client.descendants(group, link),
    facts: descendantFacts,
  });
  return series.run();
}

/** Lists the subscriptions of a tenant's configured scopes. Stored below the collector that asks. */
export async function discover(
  context: CollectContext,
  client: GraphClient,
  identity: string,
  asker: { readonly collector: string; readonly shape: string },
  { tenant, subscriptions, managementGroups }: TenantScope,
  round: 'before' | 'after',
): Promise<Discovery> {
  const suffix = round === 'before' ? '' : '-after';
  const list = (scope: GraphScope, name: string): Promise<Series> =>
    context.unit(async () => {
      const paged = await openGraphSeries(context, client, identity, {
        ...asker,
        directory: tenant,
        name,
        query: subscriptionsQuery,
        types: [],
        scope,
        ancestors: false,
        tenant,
        top: 1000,
        describe: (row) => {
          const id = text(row.id);
          return id === null || subscriptionOf(id) === null ? null : { id: id.toLowerCase(), bucket: '', capturedAt: null };
        },
      });
      return paged.run();
    });
  const lists = await Promise.all([
    ...chunks(subscriptions, subscriptionsPerQuery).map((part, index) =>
      list({ subscriptions: part }, `scope-subscriptions-${index + 1}${suffix}`),
    ),
    ...(managementGroups.length > 0 ? [list({ managementGroups }, `scope-management-groups${suffix}`)] : []),
  ]);

  const names = new Map<string, string | null>();
  for (const series of lists) {
    for (const { json } of storedPages(context.writer.runDirectory, series)) {
      for (const row of isJsonObject(json) && Array.isArray(json.data) ? json.data : []) {
        const id = isJsonObject(row) ? subscriptionOf(text(row.id) ?? '') : null;
        if (id !== null && isJsonObject(row)) names.set(id, text(row.name));
      }
    }
  }
  const below = await Promise.all(
    (round === 'before' ? managementGroups : []).map((group) =>
      context.unit(() => listDescendants(context, client, identity, asker, tenant, group)),
    ),
  );
  const unlisted = new Map<string, string | null>();
  for (const series of below) {
    for (const { json } of storedPages(context.writer.runDirectory, series)) {
      for (const row of isJsonObject(json) && Array.isArray(json.value) ? json.value : []) {
        const id = isJsonObject(row) ? subscriptionOf(text(row.id) ?? '') : null;
        if (id !== null && isJsonObject(row) && !names.has(id))
          unlisted.set(id, isJsonObject(row.properties) ? text(row.properties.displayName) : null);
      }
    }
  }
  const gaps = [...lists, ...below].filter((series) => series.status !== 'complete');
  return {
    names,
    visible: [...names.keys()].sort(compareText),
    unlisted,
    gap: gaps[0] ?? null,
    reasons: gaps.flatMap((series) =>
      series.reasons.map((reason) => ({ ...reason, message: `the list of subscriptions is not whole: ${reason.message}` })),
    ),
  };
}

/**
 * A subscription that stops being readable while it is collected drops out of every later answer in silence, counts included.
 * Its entries are not whole then, and nobody's are where the list cannot be had a second time.
 */
export function vanished(entries: readonly LedgerEntry[], visible: readonly string[], later: Discovery): LedgerEntry[] {
  const gone = new Set(visible.filter((account) => !later.names.has(account)));
  return entries.map((entry) => {
    if (!visible.includes(entry.account)) return entry;
    const reasons: readonly Reason[] =
      later.reasons.length > 0
        ? later.reasons
        : gone.has(entry.account)
          ? [{ code: 'not-visible', message: `subscription ${entry.account} stopped being visible while it was collected` }]
          : [];
    if (reasons.length === 0) return entry;
    return {
      ...entry,
      status: entry.status === 'complete' || entry.status === 'not-recorded' ? 'partial' : entry.status,
      reasons: [...entry.reasons, ...reasons],
    };
  });
}
