import type { JsonObject } from '../../model/index.ts';
import { awsIamPopulations } from './aws-iam.ts';
import { awsKeyPopulations, keySpecs, type KeySpec } from './aws-keys.ts';
import { awsStoreTypes } from './aws-stores.ts';
import { apportion, type Classification, hour, owners, type Planted, type Population } from './population.ts';
import { random, type Random } from './random.ts';

/** A configuration item as AWS Config holds it, before either of its encodings. */
export interface AwsItem extends Planted {
  readonly accountId: string;
  /** `global` for IAM; the region that records it is `recordedIn`. */
  readonly awsRegion: string;
  readonly recordedIn: string;
  readonly availabilityZone: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly resourceName: string | null;
  readonly arn: string;
  /** Milliseconds. */
  readonly capturedAt: number;
  readonly createdAt: number | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly configuration: JsonObject;
  readonly supplementaryConfiguration: JsonObject;
}

export interface AwsAccount {
  readonly id: string;
  readonly name: string;
  /** Share of the stores; 0 for an account with nothing in it. */
  readonly weight: number;
}

/** One account in one region, as generators see it. */
export interface AwsCell {
  readonly seed: number;
  readonly asOf: number;
  readonly account: AwsAccount;
  readonly region: string;
  readonly keys: readonly KeySpec[];
  /** The same cell's neighbours, for keys that live in another account. */
  readonly elsewhere: readonly { readonly account: AwsAccount; readonly keys: readonly KeySpec[] }[];
}

export const awsAccounts: readonly AwsAccount[] = [
  { id: '111122223333', name: 'northwind-security', weight: 8 },
  { id: '222233334444', name: 'northwind-payments', weight: 34 },
  { id: '333344445555', name: 'northwind-analytics', weight: 28 },
  { id: '444455556666', name: 'northwind-platform', weight: 20 },
  { id: '555566667777', name: 'northwind-development', weight: 10 },
  { id: '012345678901', name: 'northwind-archive', weight: 0 },
];
export const awsRegions = ['eu-west-1', 'eu-central-1', 'us-east-1'] as const;
/** An account outside the organisation, whose keys nobody here can look up. */
export const foreignAccount = '999988887777';

export interface AwsEstate {
  readonly accounts: readonly AwsAccount[];
  readonly regions: readonly string[];
  /** Where the aggregator and the organisation's administrator live. */
  readonly home: { readonly account: string; readonly region: string };
  readonly populations: readonly Population<AwsItem>[];
}

/** What a generator must say; the rest of the item follows from its cell. */
export interface AwsDraft {
  readonly id: string;
  readonly name: string | null;
  readonly arn: string;
  readonly zone?: string;
  readonly region?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly createdAt?: number | null;
  readonly configuration: JsonObject;
  readonly supplementary?: JsonObject;
  readonly troubles: readonly string[];
  readonly classification: Classification;
}

export function awsItem(cell: AwsCell, type: string, pick: Random, draft: AwsDraft): AwsItem {
  return {
    uid: draft.arn,
    troubles: draft.troubles,
    classification: draft.classification,
    accountId: cell.account.id,
    awsRegion: draft.region ?? cell.region,
    recordedIn: cell.region,
    availabilityZone: draft.zone ?? 'Regional',
    resourceType: type,
    resourceId: draft.id,
    resourceName: draft.name,
    arn: draft.arn,
    capturedAt: cell.asOf - Math.floor((0.05 + pick.next() * 10) * hour),
    createdAt: draft.createdAt === undefined ? cell.asOf - Math.floor((30 + pick.next() * 1200) * 24 * hour) : draft.createdAt,
    tags: draft.tags ?? {},
    configuration: draft.configuration,
    supplementaryConfiguration: draft.supplementary ?? {},
  };
}

/** The tags of a store: its classification unless nobody said, and who answers for it. */
export function storeTags(classification: Classification, pick: Random, environment: string): Record<string, string> {
  const tags: Record<string, string> = {};
  if (classification !== 'unclassified') tags['data-classification'] = classification;
  tags['owner'] = pick.pick(owners);
  tags['environment'] = environment;
  return tags;
}

/** Builds the AWS part: about `resources` items over accounts × regions. */
export function buildAws(options: { seed: number; resources: number; asOf: number; accounts: number; regions: number }): AwsEstate {
  const accounts = awsAccounts.slice(0, options.accounts);
  const regions = awsRegions.slice(0, options.regions);
  const home = { account: '111122223333', region: 'eu-west-1' };
  const perCell = options.resources / Math.max(1, accounts.length * regions.length);
  const keysOf = (account: AwsAccount, region: string): KeySpec[] =>
    account.weight === 0 ? [] : keySpecs({ seed: options.seed, asOf: options.asOf, account: account.id, region, perCell });
  const cells: AwsCell[] = regions.flatMap((region) => {
    const rings = accounts.map((account) => ({ account, keys: keysOf(account, region) }));
    return rings.map(({ account, keys }) => ({
      seed: options.seed, asOf: options.asOf, account, region, keys,
      elsewhere: rings.filter((ring) => ring.account.id !== account.id && ring.keys.length > 0),
    }));
  });
  const fixed: Population<AwsItem>[] = cells.flatMap((cell) => [
    ...awsKeyPopulations(cell),
    ...(cell.region === home.region ? awsIamPopulations(cell, perCell) : []),
  ]);
  const used = fixed.reduce((sum, population) => sum + population.count, 0);
  const slots = cells.flatMap((cell) =>
    awsStoreTypes.map((store) => ({ cell, store, weight: store.weight * cell.account.weight * (cell.region === home.region ? 3 : 1) * (store.homeOnly === true && cell.region !== home.region ? 0 : 1) })),
  );
  // Every type is somewhere, even in the smallest estate: the first record of each goes to the first account that takes it.
  const first = new Map<string, number>();
  slots.forEach((slot, index) => {
    if (slot.weight > 0 && !first.has(slot.store.type)) first.set(slot.store.type, index);
  });
  const budget = Math.max(0, options.resources - used - first.size);
  const counts = apportion(budget, slots.map((slot) => slot.weight));
  for (const index of first.values()) counts[index] = (counts[index] ?? 0) + 1;
  const stores = slots.map(({ cell, store }, index): Population<AwsItem> => ({
    type: store.type,
    account: cell.account.id,
    region: cell.region,
    count: counts[index] ?? 0,
    record: (i) => {
      const pick = random(cell.seed, cell.account.id, cell.region, store.type, i);
      return awsItem(cell, store.type, pick, store.make(cell, pick, i));
    },
  }));
  return { accounts, regions, home, populations: [...fixed, ...stores].filter((population) => population.count > 0) };
}
