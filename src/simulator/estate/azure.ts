import type { JsonObject } from '../../model/index.ts';
import { azureAuthorizationPopulations } from './azure-authorization.ts';
import { azureContainerPopulations } from './azure-containers.ts';
import { azurePolicyPopulations } from './azure-policy.ts';
import { azureStoreTypes } from './azure-stores.ts';
import { azureVaultPopulations, vaultEstate, type VaultEstate } from './azure-vaults.ts';
import { apportion, type Classification, owners, type Planted, type Population } from './population.ts';
import { random, type Random } from './random.ts';

export type AzureTable = 'resources' | 'resourcecontainers' | 'authorizationresources' | 'policyresources';

/** A row of a Resource Graph table: every column that the table has. */
export interface AzureRow extends Planted {
  readonly row: JsonObject;
}

export interface AzurePopulation extends Population<AzureRow> {
  readonly table: AzureTable;
}

export interface AzureSubscription {
  readonly id: string;
  readonly name: string;
  readonly managementGroup: string;
  readonly weight: number;
}

/** One subscription as generators see it. */
export interface AzureCell {
  readonly seed: number;
  readonly asOf: number;
  readonly subscription: AzureSubscription;
  readonly vaults: VaultEstate;
}

export const azureTenant = '7d3f2b10-4c55-4e0e-9b7a-5a1c3e8d9f21';
export const azureManagementGroups = [
  { id: azureTenant, name: 'Tenant Root Group', parent: null },
  { id: 'nw-production', name: 'Northwind production', parent: azureTenant },
  { id: 'nw-nonproduction', name: 'Northwind non-production', parent: azureTenant },
] as const;
export const azureSubscriptions: readonly AzureSubscription[] = [
  { id: '1c0f3e6a-52d7-4b0e-8f6d-20c7a4e1b901', name: 'northwind-payments', managementGroup: 'nw-production', weight: 40 },
  { id: '2d1a4f7b-63e8-4c1f-9a7e-31d8b5f2ca02', name: 'northwind-data', managementGroup: 'nw-production', weight: 32 },
  { id: '3e2b5a8c-74f9-4d2a-ab8f-42e9c6a3db03', name: 'northwind-development', managementGroup: 'nw-nonproduction', weight: 12 },
  { id: '4f3c6b9d-85aa-4e3b-bc90-53fad7b4ec04', name: 'northwind-shared', managementGroup: 'nw-production', weight: 16 },
  { id: '5a4d7cae-96bb-4f4c-8da1-64abe8c5fd05', name: 'northwind-sandbox', managementGroup: 'nw-nonproduction', weight: 0 },
];

export interface AzureEstate {
  readonly tenant: string;
  readonly subscriptions: readonly AzureSubscription[];
  readonly populations: readonly AzurePopulation[];
}

export const azureLocations = ['westeurope', 'northeurope'] as const;
export const resourceGroups = ['rg-payments', 'rg-data', 'rg-platform', 'rg-security'] as const;

export function resourceId(subscription: string, group: string, type: string, name: string): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}/providers/${type}/${name}`;
}

/** Columns that every row of `resources` has, in the service's order; the type in lower case as the service gives it. */
export function azureRow(cell: AzureCell, of: {
  type: string; group: string; name: string; location: string; properties: JsonObject; tags?: JsonObject; kind?: string; sku?: JsonObject | null; identity?: JsonObject | null; zones?: string[] | null;
}): JsonObject {
  return {
    id: resourceId(cell.subscription.id, of.group, of.type, of.name),
    name: of.name,
    type: of.type.toLowerCase(),
    tenantId: azureTenant,
    kind: of.kind ?? '',
    location: of.location,
    resourceGroup: of.group.toLowerCase(),
    subscriptionId: cell.subscription.id,
    managedBy: '',
    sku: of.sku ?? null,
    plan: null,
    properties: of.properties,
    tags: of.tags ?? {},
    identity: of.identity ?? null,
    zones: of.zones ?? null,
    extendedLocation: null,
  };
}

export function azureTags(classification: Classification, pick: Random, environment: string): JsonObject {
  return { ...(classification === 'unclassified' ? {} : { 'data-classification': classification }), owner: pick.pick(owners), environment };
}

/** Builds the Azure part: about `resources` rows of the table `resources`, and what stands around them. */
export function buildAzure(options: { seed: number; resources: number; asOf: number; subscriptions: number }): AzureEstate {
  const subscriptions = azureSubscriptions.slice(0, options.subscriptions);
  const per = options.resources / Math.max(1, subscriptions.length);
  const cells = subscriptions.map((subscription): AzureCell => ({
    seed: options.seed, asOf: options.asOf, subscription,
    vaults: vaultEstate({ seed: options.seed, subscription: subscription.id, perSubscription: per, empty: subscription.weight === 0 }),
  }));
  const fixed = cells.flatMap((cell) => azureVaultPopulations(cell));
  const used = fixed.reduce((sum, population) => sum + population.count, 0);
  const slots = cells.flatMap((cell) => azureStoreTypes.map((store) => ({ cell, store, weight: store.weight * cell.subscription.weight })));
  const first = new Map<string, number>();
  slots.forEach((slot, index) => {
    if (slot.weight > 0 && !first.has(slot.store.type)) first.set(slot.store.type, index);
  });
  const counts = apportion(Math.max(0, options.resources - used - first.size), slots.map((slot) => slot.weight));
  for (const index of first.values()) counts[index] = (counts[index] ?? 0) + 1;
  const stores = slots.map(({ cell, store }, index): AzurePopulation => ({
    table: 'resources', type: store.type.toLowerCase(), account: cell.subscription.id, region: '*', count: counts[index] ?? 0,
    record: (i) => store.make(cell, random(cell.seed, cell.subscription.id, store.type, i), i),
  })).filter((population) => population.count > 0);
  const inventory = [...fixed, ...stores].filter((population) => population.count > 0);
  return {
    tenant: azureTenant,
    subscriptions,
    populations: [
      ...inventory,
      ...azureContainerPopulations(cells),
      ...azureAuthorizationPopulations(cells, stores),
      ...azurePolicyPopulations(cells, inventory),
    ],
  };
}
