import type { JsonObject } from '../../model/index.ts';
import { type AzureCell, azureLocations, azureRow, type AzureRow, azureTags, azureTenant, resourceGroups } from './azure-model.ts';
import { chooseCustomerKey, type CustomerKey } from './azure-vaults.ts';
import { businessName, classify, type Classification, day, textOf } from './population.ts';
import type { Random } from './random.ts';

/** A kind of store: how much of the estate it is, and how one is made. */
export interface AzureStoreType {
  /** In the provider's own case. */
  readonly type: string;
  readonly weight: number;
  make(cell: AzureCell, pick: Random, index: number): AzureRow;
}

interface Draft {
  readonly properties: JsonObject;
  readonly kind?: string;
  readonly sku?: JsonObject;
  readonly identity?: JsonObject | null;
  readonly zones?: string[];
  readonly troubles: readonly string[];
}

interface Store {
  readonly name: string;
  readonly location: string;
  readonly classification: Classification;
  readonly createdAt: number;
  readonly key: CustomerKey | null;
  readonly keyTroubles: readonly string[];
}

/** A type from what is particular to it. `weight` is its share of the estate. */
export function storeType(
  type: string,
  weight: number,
  options: {
    name?: (name: string, cell: AzureCell, pick: Random) => string;
    draft: (store: Store, cell: AzureCell, pick: Random) => Draft;
  },
): AzureStoreType {
  return {
    type,
    weight,
    make(cell, pick, index) {
      const classification = classify(pick);
      const base = businessName(pick, index);
      const name = options.name?.(base, cell, pick) ?? base;
      const location = pick.chance(0.85) ? azureLocations[0] : azureLocations[1];
      const group = pick.pick(resourceGroups.slice(0, 3));
      const key = chooseCustomerKey(cell, pick, type, index);
      const createdAt = cell.asOf - Math.floor((30 + pick.next() * 900) * day);
      const draft = options.draft(
        { name, location, classification, createdAt, key, keyTroubles: key?.troubles ?? ['platform-key'] },
        cell,
        pick,
      );
      const environment = cell.subscription.name.endsWith('development') ? 'development' : 'production';
      const row = azureRow(cell, {
        type,
        group,
        name,
        location,
        tags: azureTags(classification, pick, environment),
        kind: draft.kind ?? '',
        sku: draft.sku ?? null,
        identity: draft.identity === undefined ? identityOf(key) : draft.identity,
        zones: draft.zones ?? null,
        properties: draft.properties,
      });
      return { uid: textOf(row, 'id').toLowerCase(), troubles: draft.troubles, classification, row };
    },
  };
}

/** The managed identity column: user assigned identities are keyed by id. */
export function identityOf(key: CustomerKey | null): JsonObject | null {
  if (key === null) return null;
  if (key.identity.kind === 'system') return { type: 'SystemAssigned', principalId: key.identity.principalId, tenantId: azureTenant };
  return {
    type: 'UserAssigned',
    userAssignedIdentities: {
      [key.identity.id]: {
        principalId: key.identity.principalId,
        clientId: key.identity.clientId,
      },
    },
  };
}

export const keyUrl = (key: CustomerKey, version = key.keyVersion): string =>
  `${key.vaultUri}keys/${key.keyName}${version === '' ? '' : `/${version}`}`;
export const userIdentity = (key: CustomerKey): JsonObject =>
  key.identity.kind === 'user' ? { userAssignedIdentity: key.identity.id } : {};
export const compact = (name: string): string => name.replaceAll('-', '');
