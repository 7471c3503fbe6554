import { isJsonObject } from '../../model/index.ts';
import { azureAuthorizationPopulations } from './azure-authorization.ts';
import { azureContainerPopulations } from './azure-containers.ts';
import { type AzureCell, type AzureEstate, type AzurePopulation, azureSubscriptions, azureTenant } from './azure-model.ts';
import { azurePolicyPopulations } from './azure-policy.ts';
import { azureStoreTypes } from './azure-stores.ts';
import { azureVaultPopulations, vaultEstate } from './azure-vaults.ts';
import { hostileTags, plantHostile } from './hostile.ts';
import { apportion } from './population.ts';
import { random } from './random.ts';

/** Builds the Azure part: about `resources` rows of the table `resources`, and what stands around them. */
export function buildAzure(options: {
  seed: number;
  resources: number;
  asOf: number;
  subscriptions: number;
  hostile?: boolean;
}): AzureEstate {
  const subscriptions = azureSubscriptions.slice(0, options.subscriptions);
  const per = options.resources / Math.max(1, subscriptions.length);
  const cells = subscriptions.map((subscription): AzureCell => ({
    seed: options.seed,
    asOf: options.asOf,
    subscription,
    vaults: vaultEstate({ seed: options.seed, subscription: subscription.id, perSubscription: per, empty: subscription.weight === 0 }),
  }));
  const fixed = cells.flatMap((cell) => azureVaultPopulations(cell));
  const used = fixed.reduce((sum, population) => sum + population.count, 0);
  const slots = cells.flatMap((cell) => azureStoreTypes.map((store) => ({ cell, store, weight: store.weight * cell.subscription.weight })));
  const first = new Map<string, number>();
  slots.forEach((slot, index) => {
    if (slot.weight > 0 && !first.has(slot.store.type)) first.set(slot.store.type, index);
  });
  const counts = apportion(
    Math.max(0, options.resources - used - first.size),
    slots.map((slot) => slot.weight),
  );
  for (const index of first.values()) counts[index] = (counts[index] ?? 0) + 1;
  const stores = slots
    .map(({ cell, store }, index): AzurePopulation => ({
      table: 'resources',
      type: store.type.toLowerCase(),
      account: cell.subscription.id,
      region: '*',
      count: counts[index] ?? 0,
      record: (i) => {
        const made = store.make(cell, random(cell.seed, cell.subscription.id, store.type, i), i);
        if (options.hostile !== true) return made;
        const { tags, properties } = made.row;
        const turn = index + i;
        return {
          ...made,
          row: {
            ...made.row,
            tags: hostileTags(isJsonObject(tags) ? tags : {}, turn),
            properties: plantHostile(isJsonObject(properties) ? properties : {}, turn, 'json'),
          },
        };
      },
    }))
    .filter((population) => population.count > 0);
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
