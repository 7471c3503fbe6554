import type { AzureScopeConfig } from '../../config/schema.ts';
import type { CollectContext, PlannedScope } from '../collector.ts';
import { tenantAccount } from '../azure-graph.ts';
import { isPolicyType, livesAboveSubscriptions, livesOnlyAboveSubscriptions } from './queries.ts';

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

/** The types that this collector owes, and of those the ones found above subscriptions. */
export function neededTypes(needs: CollectContext['needs']): { inSubscriptions: string[]; above: string[] } {
  const types = needs.types.azure.map((type) => type.toLowerCase()).filter((type) => !isPolicyType(type));
  return {
    inSubscriptions: types.filter((type) => !livesOnlyAboveSubscriptions(type)),
    above: types.filter(livesAboveSubscriptions),
  };
}

export function plan({ config, needs }: Pick<CollectContext, 'config' | 'needs'>): PlannedScope[] {
  const { inSubscriptions, above } = neededTypes(needs);
  return tenantScopes(config.scopes.azure).flatMap((scope) => [
    ...scope.subscriptions.map((account) => ({ account, region: '*', types: inSubscriptions, expands: false })),
    ...(above.length > 0 ? [{ account: tenantAccount(scope.tenant), region: '*', types: above, expands: false }] : []),
    ...(scope.managementGroups.length > 0 ? [{ account: tenantAccount(scope.tenant), region: '*', types: inSubscriptions, expands: true }] : []),
  ]);
}
