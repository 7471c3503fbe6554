import { awsIamPopulations } from './aws-iam.ts';
import { awsKeyPopulations, keySpecs, type KeySpec } from './aws-keys.ts';
import { type AwsAccount, awsAccounts, type AwsCell, type AwsEstate, awsItem, type AwsItem, awsRegions } from './aws-model.ts';
import { awsStoreTypes } from './aws-stores.ts';
import { hostileTags, plantHostile } from './hostile.ts';
import { apportion, type Population } from './population.ts';
import { random } from './random.ts';

export type { AwsEstate };

/** Builds the AWS part: about `resources` items over accounts × regions. */
export function buildAws(options: {
  seed: number;
  resources: number;
  asOf: number;
  accounts: number;
  regions: number;
  hostile?: boolean;
}): AwsEstate {
  const accounts = awsAccounts.slice(0, options.accounts);
  const regions = awsRegions.slice(0, options.regions);
  const home = { account: '111122223333', region: 'eu-west-1' };
  const perCell = options.resources / Math.max(1, accounts.length * regions.length);
  const keysOf = (account: AwsAccount, region: string): KeySpec[] =>
    account.weight === 0 ? [] : keySpecs({ seed: options.seed, asOf: options.asOf, account: account.id, region, perCell });
  const cells: AwsCell[] = regions.flatMap((region) => {
    const rings = accounts.map((account) => ({ account, keys: keysOf(account, region) }));
    return rings.map(({ account, keys }) => ({
      seed: options.seed,
      asOf: options.asOf,
      account,
      region,
      keys,
      elsewhere: rings.filter((ring) => ring.account.id !== account.id && ring.keys.length > 0),
    }));
  });
  const fixed: Population<AwsItem>[] = cells.flatMap((cell) => [
    ...awsKeyPopulations(cell),
    ...(cell.region === home.region ? awsIamPopulations(cell, perCell) : []),
  ]);
  const used = fixed.reduce((sum, population) => sum + population.count, 0);
  const slots = cells.flatMap((cell) =>
    awsStoreTypes.map((store) => ({
      cell,
      store,
      weight:
        store.weight *
        cell.account.weight *
        (cell.region === home.region ? 3 : 1) *
        (store.homeOnly === true && cell.region !== home.region ? 0 : 1),
    })),
  );
  // Every type is somewhere, even in the smallest estate: the first record of each goes to the first account that takes it.
  const first = new Map<string, number>();
  slots.forEach((slot, index) => {
    if (slot.weight > 0 && !first.has(slot.store.type)) first.set(slot.store.type, index);
  });
  const budget = Math.max(0, options.resources - used - first.size);
  const counts = apportion(
    budget,
    slots.map((slot) => slot.weight),
  );
  for (const index of first.values()) counts[index] = (counts[index] ?? 0) + 1;
  const stores = slots.map(({ cell, store }, index): Population<AwsItem> => ({
    type: store.type,
    account: cell.account.id,
    region: cell.region,
    count: counts[index] ?? 0,
    record: (i) => {
      const pick = random(cell.seed, cell.account.id, cell.region, store.type, i);
      const item = awsItem(cell, store.type, pick, store.make(cell, pick, i));
      if (options.hostile !== true) return item;
      const turn = index + i;
      return { ...item, tags: hostileTags(item.tags, turn), configuration: plantHostile(item.configuration, turn, 'json') };
    },
  }));
  return { accounts, regions, home, populations: [...fixed, ...stores].filter((population) => population.count > 0) };
}
