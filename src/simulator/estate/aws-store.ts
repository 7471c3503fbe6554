import type { Json } from '../../model/index.ts';
import type { Encryption } from './aws-keys.ts';
import { type AwsCell, type AwsDraft, storeTags } from './aws-model.ts';
import { businessName, classify, type Classification, day } from './population.ts';
import type { Random } from './random.ts';

/** A kind of store: how much of the estate it is, and how one is made. */
export interface AwsStoreType {
  readonly type: string;
  readonly weight: number;
  readonly homeOnly?: boolean;
  make(cell: AwsCell, pick: Random, index: number): AwsDraft;
}

/** What every store has. */
export interface Common {
  readonly name: string;
  readonly classification: Classification;
  readonly tags: Record<string, string>;
  readonly createdAt: number;
  readonly arn: (service: string, rest: string) => string;
}

export function common(cell: AwsCell, pick: Random, index: number): Common {
  const classification = classify(pick);
  return {
    name: businessName(pick, index),
    classification,
    tags: storeTags(classification, pick, cell.account.name.endsWith('development') ? 'development' : 'production'),
    createdAt: cell.asOf - Math.floor((20 + pick.next() * 1000) * day),
    arn: (service, rest) => `arn:aws:${service}:${cell.region}:${cell.account.id}:${rest}`,
  };
}

export const keyValue = (tags: Record<string, string>): Json => Object.entries(tags).map(([key, value]) => ({ key, value }));
export const upperKeyValue = (tags: Record<string, string>): Json => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
export const zoneOf = (cell: AwsCell, pick: Random): string => `${cell.region}${pick.pick(['a', 'b', 'c'])}`;

/** Services that take any form of name: mostly the ARN, now and then a bare id or an alias. */
export function anyForm(cell: AwsCell, pick: Random, encryption: Encryption): string | null {
  if (encryption.arn === null) return null;
  if (encryption.kind === 'aws-managed') return encryption.alias;
  if (encryption.kind !== 'customer') return encryption.arn;
  const form = pick.weighted({ arn: 70, id: 12, alias: 12, 'alias-arn': 6 });
  if (form === 'id') return encryption.id;
  if (encryption.alias === null || form === 'arn') return encryption.arn;
  return form === 'alias' ? encryption.alias : `arn:aws:kms:${cell.region}:${cell.account.id}:${encryption.alias}`;
}
