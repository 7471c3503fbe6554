import type { JsonObject } from '../../model/index.ts';
import type { KeySpec } from './aws-keys.ts';
import { type Classification, hour, owners, type Planted, type Population } from './population.ts';
import type { Random } from './random.ts';

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
