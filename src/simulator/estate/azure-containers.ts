import type { JsonObject } from '../../model/index.ts';
import { type AzureCell, azureManagementGroups, type AzurePopulation, type AzureRow, azureTenant, resourceGroups } from './azure-model.ts';
import { textOf } from './population.ts';

interface GroupReference {
  readonly name: string;
  readonly displayName: string;
}

/** A management group's ancestors, nearest first. */
export function ancestors(managementGroup: string): GroupReference[] {
  const found: GroupReference[] = [];
  let at = azureManagementGroups.find((group) => group.id === managementGroup);
  while (at !== undefined) {
    found.push({ name: at.id, displayName: at.name });
    const parent = at.parent;
    at = azureManagementGroups.find((group) => group.id === parent);
  }
  return found;
}

const blank = { kind: '', managedBy: '', sku: null, plan: null, identity: null, zones: null, extendedLocation: null };

/** Subscriptions, resource groups and management groups: the table `resourcecontainers`. */
export function azureContainerPopulations(cells: readonly AzureCell[]): AzurePopulation[] {
  const plain = (row: JsonObject): AzureRow => ({
    uid: textOf(row, 'id').toLowerCase(),
    troubles: [],
    classification: 'unclassified',
    row,
  });
  const chain = (managementGroup: string): JsonObject[] => ancestors(managementGroup).map((group) => ({ ...group }));
  const perSubscription = cells.flatMap((cell): AzurePopulation[] => {
    const { id, name, managementGroup, weight } = cell.subscription;
    const groups = weight === 0 ? [] : resourceGroups;
    return [
      {
        table: 'resourcecontainers',
        type: 'microsoft.resources/subscriptions',
        account: id,
        region: '*',
        count: 1,
        record: () =>
          plain({
            id: `/subscriptions/${id}`,
            name,
            type: 'microsoft.resources/subscriptions',
            tenantId: azureTenant,
            location: '',
            resourceGroup: '',
            subscriptionId: id,
            ...blank,
            tags: { owner: 'platform-team' },
            properties: {
              state: 'Enabled',
              subscriptionPolicies: {
                locationPlacementId: 'Public_2014-09-01',
                quotaId: 'EnterpriseAgreement_2014-09-01',
                spendingLimit: 'Off',
              },
              managementGroupAncestorsChain: chain(managementGroup),
              managedByTenants: [],
            },
          }),
      },
      {
        table: 'resourcecontainers',
        type: 'microsoft.resources/subscriptions/resourcegroups',
        account: id,
        region: '*',
        count: groups.length,
        record: (i) =>
          plain({
            id: `/subscriptions/${id}/resourceGroups/${groups[i] ?? ''}`,
            name: groups[i] ?? '',
            type: 'microsoft.resources/subscriptions/resourcegroups',
            tenantId: azureTenant,
            location: 'westeurope',
            resourceGroup: groups[i] ?? '',
            subscriptionId: id,
            ...blank,
            tags: {},
            properties: { provisioningState: 'Succeeded' },
          }),
      },
    ];
  });
  return [
    ...perSubscription,
    {
      table: 'resourcecontainers',
      type: 'microsoft.management/managementgroups',
      account: '',
      region: '*',
      count: azureManagementGroups.length,
      record: (i) => {
        const group = azureManagementGroups[i] as (typeof azureManagementGroups)[number];
        const parent = azureManagementGroups.find((one) => one.id === group.parent);
        return plain({
          id: `/providers/Microsoft.Management/managementGroups/${group.id}`,
          name: group.id,
          type: 'microsoft.management/managementgroups',
          tenantId: azureTenant,
          location: '',
          resourceGroup: '',
          subscriptionId: '',
          ...blank,
          tags: {},
          properties: {
            tenantId: azureTenant,
            displayName: group.name,
            details: {
              version: 3,
              updatedBy: 'system',
              managementGroupAncestorsChain: parent === undefined ? [] : chain(parent.id),
              parent:
                parent === undefined
                  ? null
                  : { id: `/providers/Microsoft.Management/managementGroups/${parent.id}`, name: parent.id, displayName: parent.name },
            },
          },
        });
      },
    },
  ];
}
