import type { CollectContext, PlannedScope } from '../collector.ts';
import { tenantAccount } from '../azure-graph.ts';
import { tenantScopes } from '../azure-tenants.ts';
import { isPolicyType, livesAboveSubscriptions, livesOnlyAboveSubscriptions } from './queries.ts';

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
    ...(scope.managementGroups.length > 0
      ? [{ account: tenantAccount(scope.tenant), region: '*', types: inSubscriptions, expands: true }]
      : []),
  ]);
}
