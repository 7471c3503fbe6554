import type { JsonObject } from '../model/index.ts';
import { ancestors } from './estate/azure-containers.ts';
import { type AzureEstate, azureManagementGroups } from './estate/azure-model.ts';
import { assignedPolicies, builtinPolicy, policyAssignment, policySet } from './estate/azure-policy.ts';
import type { HttpRequest } from './http.ts';

/** A list that Resource Manager serves by GET, and the two routes of the token authority. */
export interface Route {
  readonly operation: string;
  readonly scope: string;
  readonly detail: string;
  rows(estate: AzureEstate, asOf: number): JsonObject[] | null;
}

/** The list a request asks for; null for none. */
export function routeOf(request: HttpRequest): Route | null {
  const path = request.url.pathname.replace(/\/$/, '');
  const filter = request.url.searchParams.get('$filter') ?? '';
  const token = /^\/([^/]+)\/oauth2\/v2\.0\/token$/i.exec(path);
  if (token !== null) return { operation: 'token', scope: token[1] ?? '', detail: '-', rows: () => [] };
  const discovery = /^\/([^/]+)\/v2\.0\/\.well-known\/openid-configuration$/i.exec(path);
  if (discovery !== null) return { operation: 'openid-configuration', scope: discovery[1] ?? '', detail: '-', rows: () => [] };
  if (/^\/subscriptions$/i.test(path)) {
    return {
      operation: 'subscriptions.list',
      scope: 'tenant',
      detail: '-',
      rows: (estate) =>
        estate.subscriptions.map((one) => ({
          id: `/subscriptions/${one.id}`,
          subscriptionId: one.id,
          tenantId: estate.tenant,
          displayName: one.name,
          state: 'Enabled',
          authorizationSource: 'RoleBased',
          managedByTenants: [],
        })),
    };
  }
  const one = /^\/subscriptions\/([^/]+)$/i.exec(path);
  if (one !== null)
    return {
      operation: 'subscriptions.get',
      scope: one[1] ?? '',
      detail: '-',
      rows: (estate) =>
        estate.subscriptions
          .filter((subscription) => subscription.id === one[1]?.toLowerCase())
          .map((subscription) => ({
            id: `/subscriptions/${subscription.id}`,
            subscriptionId: subscription.id,
            displayName: subscription.name,
            state: 'Enabled',
          })),
    };
  const descendants = /^\/providers\/Microsoft\.Management\/managementGroups\/([^/]+)\/descendants$/i.exec(path);
  if (descendants !== null) {
    const group = descendants[1] ?? '';
    return {
      operation: 'managementGroups.descendants',
      scope: group,
      detail: '-',
      rows: (estate) => [
        ...azureManagementGroups
          .filter((one) => one.id !== group && ancestors(one.id).some((above) => above.name === group))
          .map((one) => ({
            id: `/providers/Microsoft.Management/managementGroups/${one.id}`,
            type: 'Microsoft.Management/managementGroups',
            name: one.id,
            properties: { displayName: one.name, parent: { id: `/providers/Microsoft.Management/managementGroups/${one.parent ?? ''}` } },
          })),
        ...estate.subscriptions
          .filter((one) => ancestors(one.managementGroup).some((above) => above.name === group))
          .map((one) => ({
            id: `/subscriptions/${one.id}`,
            type: 'Microsoft.Management/managementGroups/subscriptions',
            name: one.id,
            properties: {
              displayName: one.name,
              parent: { id: `/providers/Microsoft.Management/managementGroups/${one.managementGroup}` },
            },
          })),
      ],
    };
  }
  const policy =
    /^(?:\/subscriptions\/([^/]+)|\/providers\/Microsoft\.Management\/managementGroups\/([^/]+))?\/providers\/Microsoft\.Authorization\/(policyAssignments|policyDefinitions|policySetDefinitions)$/i.exec(
      path,
    );
  if (policy === null) return null;
  const [, subscription, group, kind = ''] = policy;
  const name = kind.charAt(0).toLowerCase() + kind.slice(1);
  return {
    operation: `${name}.list`,
    scope: subscription ?? group ?? 'tenant',
    detail: filter === '' ? '-' : filter,
    rows: (estate, asOf) => {
      const found = subscription === undefined ? null : estate.subscriptions.find((entry) => entry.id === subscription.toLowerCase());
      if (subscription !== undefined && found === undefined) return null;
      const scopes = policyScopes(found ?? null, group ?? null);
      if (/policyAssignments/i.test(kind)) return scopes.map((scope) => policyAssignment(scope, asOf));
      const custom = /Custom/i.test(filter);
      const builtin = /BuiltIn/i.test(filter);
      if (/policySetDefinitions/i.test(kind)) return builtin ? [] : scopes.map((scope) => policySet(scope, asOf));
      return custom ? [] : assignedPolicies.map(builtinPolicy);
    },
  };
}

/** Scopes at which the initiative stands for a subscription or management group, inherited ones included. */
function policyScopes(subscription: AzureEstate['subscriptions'][number] | null, group: string | null): string[] {
  const production = '/providers/Microsoft.Management/managementGroups/nw-production';
  if (subscription === null) return group === 'nw-production' ? [production] : [];
  if (ancestors(subscription.managementGroup).some((one) => one.name === 'nw-production')) return [production];
  return subscription.weight === 0 ? [] : [`/subscriptions/${subscription.id}`];
}
