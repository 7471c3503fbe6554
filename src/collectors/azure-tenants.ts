import type { AzureScopeConfig } from '../config/schema.ts';
import { isJsonObject, type Reason } from '../model/index.ts';
import { openGraphSeries, subscriptionOf, text } from './azure-graph.ts';
import type { GraphClient, GraphScope } from './azure-graph-client.ts';
import type { CollectContext } from './collector.ts';
import type { Series } from './paging.ts';
import { storedPages } from './stored.ts';

/** The tenants of an engagement and the subscriptions that can be seen in them. */

/** One tenant of the engagement: everything configured for it, in lower case and without repeats. */
export interface TenantScope {
  readonly tenant: string;
  readonly subscriptions: readonly string[];
  readonly managementGroups: readonly string[];
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

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
    .sort(([a], [b]) => compare(a, b))
    .map(([tenant, { subscriptions, managementGroups }]) => ({ tenant, subscriptions: [...subscriptions].sort(compare), managementGroups: [...managementGroups].sort(compare) }));
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
  /** A list that is not whole; null when all are. */
  readonly gap: Series | null;
  readonly reasons: readonly Reason[];
}

/** Lists the subscriptions of a tenant's configured scopes. Stored below the collector that asks. */
export async function discover(
  context: CollectContext,
  client: GraphClient,
  identity: string,
  asker: { readonly collector: string; readonly shape: string },
  { tenant, subscriptions, managementGroups }: TenantScope,
): Promise<Discovery> {
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
    ...chunks(subscriptions, subscriptionsPerQuery).map((part, index) => list({ subscriptions: part }, `scope-subscriptions-${index + 1}`)),
    ...(managementGroups.length > 0 ? [list({ managementGroups }, 'scope-management-groups')] : []),
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
  const gaps = lists.filter((series) => series.status !== 'complete');
  return {
    names,
    visible: [...names.keys()].sort(compare),
    gap: gaps[0] ?? null,
    reasons: gaps.flatMap((series) => series.reasons.map((reason) => ({ ...reason, message: `the list of subscriptions is not whole: ${reason.message}` }))),
  };
}
