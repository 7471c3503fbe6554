import type { JsonObject } from '../../model/index.ts';
import { type AwsCell, awsItem, type AwsItem, foreignAccount } from './aws-model.ts';
import { day, iso, type Population } from './population.ts';
import { random, type Random } from './random.ts';

/** What is wrong (or merely unusual) with a key. The ones in `soundKeyKinds` are no trouble. */
export type KeyKind =
  | 'sound'
  | 'multi-region'
  | 'imported'
  | 'custom-key-store'
  | 'external-key-store'
  | 'asymmetric'
  | 'hmac'
  | 'rotation-off'
  | 'disabled'
  | 'pending-deletion'
  | 'imported-expiring'
  | 'open-policy'
  | 'administrators-use'
  | 'aws-managed';

export const soundKeyKinds: readonly KeyKind[] = [
  'sound',
  'multi-region',
  'imported',
  'custom-key-store',
  'external-key-store',
  'asymmetric',
  'hmac',
  'aws-managed',
];

export interface KeySpec {
  readonly id: string;
  readonly arn: string;
  /** `alias/payments-data`, or null for a key without one. */
  readonly alias: string | null;
  readonly kind: KeyKind;
  /** AWS service of a managed key. */
  readonly service: string | null;
}

const purposes = [
  'customer-data',
  'payment-data',
  'reporting',
  'event-streams',
  'backups',
  'secrets',
  'search',
  'partner-exchange',
  'workforce',
  'telemetry',
] as const;
const specials: readonly KeyKind[] = [
  'rotation-off',
  'imported',
  'disabled',
  'multi-region',
  'open-policy',
  'pending-deletion',
  'custom-key-store',
  'administrators-use',
  'imported-expiring',
  'asymmetric',
  'external-key-store',
  'hmac',
];
export const managedServices = [
  's3',
  'ebs',
  'rds',
  'dynamodb',
  'secretsmanager',
  'sqs',
  'sns',
  'kinesis',
  'backup',
  'elasticfilesystem',
  'redshift',
  'es',
] as const;
export type ManagedService = (typeof managedServices)[number];

/** The keys of one account and region: a few sound ones, a rotating share of the special ones, and the AWS managed keys. */
export function keySpecs(of: { seed: number; asOf: number; account: string; region: string; perCell: number }): KeySpec[] {
  const growth = Math.max(0, Math.floor(Math.log2(Math.max(1, of.perCell / 50))));
  const offset = random(of.seed, 'key-offset', of.account, of.region).int(specials.length);
  const special = Array.from(
    { length: Math.min(specials.length, 4 + growth) },
    (_, i) => specials[(offset + i * 5) % specials.length] as KeyKind,
  );
  const kinds: KeyKind[] = [...Array.from({ length: 3 + growth }, (): KeyKind => 'sound'), ...special];
  const customer = kinds.map((kind, index): KeySpec => {
    const pick = random(of.seed, 'key', of.account, of.region, index);
    const id = kind === 'multi-region' ? `mrk-${pick.hex(32)}` : pick.guid();
    const name = `${purposes[index % purposes.length] ?? 'data'}${index >= purposes.length ? `-${String(Math.floor(index / purposes.length) + 1)}` : ''}`;
    return { id, arn: keyArn(of.region, of.account, id), alias: index % 6 === 5 ? null : `alias/${name}`, kind, service: null };
  });
  const managed = managedServices.map((service): KeySpec => {
    const id = random(of.seed, 'managed-key', of.account, of.region, service).guid();
    return { id, arn: keyArn(of.region, of.account, id), alias: `alias/aws/${service}`, kind: 'aws-managed', service };
  });
  return [...customer, ...managed];
}

export function keyArn(region: string, account: string, id: string): string {
  return `arn:aws:kms:${region}:${account}:key/${id}`;
}

const administration = [
  'kms:Create*',
  'kms:Describe*',
  'kms:Enable*',
  'kms:List*',
  'kms:Put*',
  'kms:Update*',
  'kms:Revoke*',
  'kms:Disable*',
  'kms:Get*',
  'kms:Delete*',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:ScheduleKeyDeletion',
  'kms:CancelKeyDeletion',
];
const use = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'];

/** The policy, and what is planted in it beyond the key's kind. */
function keyPolicy(cell: AwsCell, key: KeySpec, pick: Random): { policy: JsonObject; troubles: string[] } {
  const { id: account } = cell.account;
  const arn = (role: string): string => `arn:aws:iam::${account}:role/${role}`;
  if (key.service !== null) {
    const policy: JsonObject = {
      Version: '2012-10-17',
      Id: `auto-${key.service}-2`,
      Statement: [
        {
          Sid: `Allow access through ${key.service} for all principals in the account that are authorized`,
          Effect: 'Allow',
          Principal: { AWS: '*' },
          Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:CreateGrant', 'kms:DescribeKey'],
          Resource: '*',
          Condition: { StringEquals: { 'kms:ViaService': `${key.service}.${cell.region}.amazonaws.com`, 'kms:CallerAccount': account } },
        },
        {
          Sid: 'Allow direct access to key metadata to the account',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${account}:root` },
          Action: ['kms:Describe*', 'kms:Get*', 'kms:List*'],
          Resource: '*',
        },
      ],
    };
    return { policy, troubles: [] };
  }
  const troubles: string[] = [];
  const users = [arn('app-payments'), arn(pick.pick(['app-reporting', 'app-orders', 'data-pipeline']))];
  const statements: JsonObject[] = [
    { Sid: 'Enable IAM policies', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' },
    {
      Sid: 'Allow administration of the key',
      Effect: 'Allow',
      Principal: { AWS: arn('KeyAdministrator') },
      Action: administration,
      Resource: '*',
    },
    {
      Sid: 'Allow use of the key',
      Effect: 'Allow',
      Principal: { AWS: key.kind === 'administrators-use' ? [arn('KeyAdministrator'), ...users] : users },
      Action: use,
      Resource: '*',
    },
    {
      Sid: 'Allow attachment of persistent resources',
      Effect: 'Allow',
      Principal: { AWS: users },
      Action: ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant'],
      Resource: '*',
      Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    },
  ];
  if (key.kind === 'open-policy')
    statements.push({
      Sid: 'Temporary',
      Effect: 'Allow',
      Principal: pick.chance(0.5) ? '*' : { AWS: '*' },
      Action: ['kms:Decrypt', 'kms:DescribeKey'],
      Resource: '*',
    });
  else if (pick.chance(0.08)) {
    troubles.push('key-open-to-the-organisation');
    statements.push({
      Sid: 'Organisation',
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: ['kms:Decrypt', 'kms:DescribeKey'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-nw7exhibit1' } },
    });
  } else if (pick.chance(0.06)) {
    troubles.push('key-open-to-a-partner');
    statements.push({
      Sid: 'Partner',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${foreignAccount}:root` },
      Action: ['kms:Decrypt', 'kms:DescribeKey'],
      Resource: '*',
    });
  }
  return { policy: { Version: '2012-10-17', Id: 'key-policy-1', Statement: statements }, troubles };
}

function keyConfiguration(cell: AwsCell, key: KeySpec, pick: Random): { configuration: JsonObject; rotation: boolean; createdAt: number } {
  const createdAt = cell.asOf - Math.floor((60 + pick.next() * 900) * day);
  const asymmetric = key.kind === 'asymmetric';
  const hmac = key.kind === 'hmac';
  const spec = asymmetric ? 'RSA_2048' : hmac ? 'HMAC_256' : 'SYMMETRIC_DEFAULT';
  const imported = key.kind === 'imported' || key.kind === 'imported-expiring';
  const state = key.kind === 'disabled' ? 'Disabled' : key.kind === 'pending-deletion' ? 'PendingDeletion' : 'Enabled';
  const configuration: JsonObject = {
    awsaccountId: cell.account.id,
    keyId: key.id,
    arn: key.arn,
    creationDate: iso(createdAt),
    enabled: state === 'Enabled',
    description:
      key.service === null
        ? `Northwind ${key.alias?.slice(6) ?? 'application key'}`
        : `Default key that protects my ${key.service} data when no other key is defined`,
    keyUsage: asymmetric ? 'SIGN_VERIFY' : hmac ? 'GENERATE_VERIFY_MAC' : 'ENCRYPT_DECRYPT',
    keyState: state,
    deletionDate: key.kind === 'pending-deletion' ? iso(cell.asOf + 12 * day) : null,
    validTo: key.kind === 'imported-expiring' ? iso(cell.asOf + 20 * day) : null,
    origin: imported
      ? 'EXTERNAL'
      : key.kind === 'custom-key-store'
        ? 'AWS_CLOUDHSM'
        : key.kind === 'external-key-store'
          ? 'EXTERNAL_KEY_STORE'
          : 'AWS_KMS',
    customKeyStoreId: key.kind === 'custom-key-store' || key.kind === 'external-key-store' ? `cks-${pick.hex(17)}` : null,
    cloudHsmClusterId: key.kind === 'custom-key-store' ? `cluster-${pick.hex(11)}` : null,
    expirationModel:
      key.kind === 'imported-expiring' ? 'KEY_MATERIAL_EXPIRES' : key.kind === 'imported' ? 'KEY_MATERIAL_DOES_NOT_EXPIRE' : null,
    keyManager: key.service === null ? 'CUSTOMER' : 'AWS',
    customerMasterKeySpec: spec,
    keySpec: spec,
    encryptionAlgorithms: asymmetric || hmac ? [] : ['SYMMETRIC_DEFAULT'],
    signingAlgorithms: asymmetric ? ['RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PSS_SHA_256'] : [],
    multiRegion: key.kind === 'multi-region',
    multiRegionConfiguration:
      key.kind === 'multi-region'
        ? { multiRegionKeyType: 'PRIMARY', primaryKey: { arn: key.arn, region: cell.region }, replicaKeys: [] }
        : null,
    pendingDeletionWindowInDays: null,
    macAlgorithms: hmac ? ['HMAC_SHA_256'] : [],
  };
  const rotates = spec === 'SYMMETRIC_DEFAULT' && !imported && key.kind !== 'custom-key-store' && key.kind !== 'external-key-store';
  return { configuration, rotation: rotates && key.kind !== 'rotation-off' && key.kind !== 'pending-deletion', createdAt };
}

export function keyTroubles(kind: KeyKind): string[] {
  return soundKeyKinds.includes(kind) ? [] : [`key-${kind}`];
}

/** AWS::KMS::Key and AWS::KMS::Alias of one account and region. */
export function awsKeyPopulations(cell: AwsCell): Population<AwsItem>[] {
  const named = cell.keys.filter((key) => key.alias !== null);
  return [
    {
      type: 'AWS::KMS::Key',
      account: cell.account.id,
      region: cell.region,
      count: cell.keys.length,
      record: (i) => {
        const key = cell.keys[i] as KeySpec;
        const pick = random(cell.seed, 'key-item', key.arn);
        const { configuration, rotation, createdAt } = keyConfiguration(cell, key, pick);
        const { policy, troubles } = keyPolicy(cell, key, pick);
        const owner = key.service === null ? { owner: 'identity-team' } : {};
        return awsItem(cell, 'AWS::KMS::Key', pick, {
          id: key.id,
          name: key.id,
          arn: key.arn,
          createdAt,
          configuration,
          tags: owner,
          supplementary: {
            Policy: JSON.stringify(policy, null, 2),
            KeyRotationStatus: key.service === null ? rotation : true,
            Tags: Object.entries(owner).map(([tagKey, tagValue]) => ({ tagKey, tagValue })),
          },
          troubles: [...keyTroubles(key.kind), ...troubles],
          classification: 'unclassified',
        });
      },
    },
    {
      type: 'AWS::KMS::Alias',
      account: cell.account.id,
      region: cell.region,
      count: named.length,
      record: (i) => {
        const key = named[i] as KeySpec;
        const alias = key.alias as string;
        return awsItem(cell, 'AWS::KMS::Alias', random(cell.seed, 'alias-item', key.arn), {
          id: alias,
          name: alias,
          arn: `arn:aws:kms:${cell.region}:${cell.account.id}:${alias}`,
          configuration: { AliasName: alias, TargetKeyId: key.id },
          troubles: [],
          classification: 'unclassified',
        });
      },
    },
  ];
}

/** How a store is encrypted, and by which key. */
export interface Encryption {
  readonly kind: 'customer' | 'other-account' | 'foreign' | 'unrecorded' | 'aws-managed' | 'default' | 'none';
  readonly arn: string | null;
  readonly id: string | null;
  /** Bare alias, `alias/payment-data`. */
  readonly alias: string | null;
  readonly troubles: string[];
}

/**
 * Chooses for a store. `fallback` is what the service does without a key: nothing (`none`) or a key of its own (`default`).
 * Asymmetric and HMAC keys encrypt nothing, so no store names them.
 */
export function chooseEncryption(cell: AwsCell, pick: Random, service: ManagedService | null, fallback: 'none' | 'default'): Encryption {
  const choice = pick.weighted({
    customer: 78,
    'aws-managed': service === null ? 0 : 8,
    fallback: 8,
    'other-account': cell.elsewhere.length > 0 ? 2.5 : 0,
    foreign: 1.5,
    unrecorded: 1,
  });
  const of = (key: KeySpec, kind: Encryption['kind'], troubles: string[]): Encryption => ({
    kind,
    arn: key.arn,
    id: key.id,
    alias: key.alias,
    troubles,
  });
  const usable = (keys: readonly KeySpec[]): KeySpec => {
    const customer = keys.filter((key) => key.service === null && key.kind !== 'asymmetric' && key.kind !== 'hmac');
    const sound = customer.filter((key) => soundKeyKinds.includes(key.kind));
    return pick.chance(0.92) ? pick.pick(sound) : pick.pick(customer);
  };
  switch (choice) {
    case 'customer': {
      const key = usable(cell.keys);
      return of(key, 'customer', keyTroubles(key.kind));
    }
    case 'other-account': {
      const key = usable(pick.pick(cell.elsewhere).keys);
      return { ...of(key, 'other-account', [...keyTroubles(key.kind), 'key-in-another-account']), alias: null };
    }
    case 'aws-managed':
      return of(cell.keys.find((key) => key.service === service) as KeySpec, 'aws-managed', ['aws-managed-key']);
    case 'foreign': {
      const id = pick.guid();
      return { kind: 'foreign', arn: keyArn(cell.region, foreignAccount, id), id, alias: null, troubles: ['key-outside-the-organisation'] };
    }
    case 'unrecorded': {
      const id = pick.guid();
      return { kind: 'unrecorded', arn: keyArn(cell.region, cell.account.id, id), id, alias: null, troubles: ['key-not-recorded'] };
    }
    case 'fallback':
      return { kind: fallback, arn: null, id: null, alias: null, troubles: [fallback === 'none' ? 'unencrypted' : 'aws-owned-key'] };
  }
}
