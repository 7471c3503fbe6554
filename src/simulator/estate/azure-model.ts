import type { JsonObject } from '../../model/index.ts';
import type { VaultEstate } from './azure-vaults.ts';
import { type Classification, owners, type Planted, type Population } from './population.ts';
import type { Random } from './random.ts';

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
export function azureRow(
  cell: AzureCell,
  of: {
    type: string;
    group: string;
    name: string;
    location: string;
    properties: JsonObject;
    tags?: JsonObject;
    kind?: string;
    sku?: JsonObject | null;
    identity?: JsonObject | null;
    zones?: string[] | null;
  },
): JsonObject {
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
