import { isJsonObject, type Json, type Resource } from '../../model/index.ts';
import { parseArn, valueAt } from '../lookups/references.ts';
import { isGiven, toldAt } from '../lookups/told.ts';

/** The key a store names: its reference, that it has none of the customer's (as far as the record goes: `doubt`), or why it cannot be told. */
type StoreKey = { readonly key: string } | { readonly none: true; readonly doubt?: string } | { readonly unknown: string };

/** Where a record holds the store's policy, and what its absence says. */
interface PolicyField {
  readonly at: readonly string[];
  /**
   * `none`: a store without a policy goes without the field. `unsettled`: it may, and then the service's default holds.
   * `gap`: it is always there, and a record without it is not whole.
   */
  readonly absent: 'none' | 'unsettled' | 'gap';
  /** Null says that there is no policy; else it counts as absent. */
  readonly nullable?: true;
}

export interface AwsStore {
  readonly key: (document: Json) => StoreKey;
  /** The actions that read data, where keys do not decide: each of them does. */
  readonly actions: readonly string[];
  /** What the action is allowed on. */
  readonly resources: (resource: Resource) => readonly string[];
  /** The store's own policy, where Config records one. */
  readonly policy?: PolicyField;
  /** The actions that show what data the store holds, and on what: whom its policy lets do so widely sees it. */
  readonly listing?: { readonly actions: readonly string[]; readonly resources: (resource: Resource) => readonly string[] };
  /** The access control list of the store. */
  readonly acl?: readonly string[];
  /** Types of records that bear on who can read it, besides the identities. */
  readonly besides?: readonly string[];
  /** The list of attributes that says which accounts may restore the snapshot. */
  readonly shared?: readonly string[];
  /** The service decrypts for its clients, who need nothing of the key: whoever gets at the store reads, whatever the key admits. */
  readonly serviceDecrypts?: true;
  /** What evidence of this kind never settles. */
  readonly unsettled?: string;
}

const none: StoreKey = { none: true };
/** A store whose own policy AWS Config does not record. A key, be it managed by AWS, keeps other accounts out; here there is none. */
const unguarded = (what: string): StoreKey => ({
  none: true,
  doubt: `the resource policy of the ${what} is not recorded by AWS Config, and no key keeps other accounts out`,
});
const arnOf = (resource: Resource): readonly string[] => [resource.uid];
/** Everything of a service, in the partition of the resource. */
const allOf =
  (service: string) =>
  ({ uid }: Resource): readonly string[] => [`arn:${parseArn(uid)?.partition ?? 'aws'}:${service}:*`];
const underArn = (resource: Resource): readonly string[] => [resource.uid, `${resource.uid}/*`];

/** A flag and a key side by side: `encrypted: false` is no key, `true` without one is not evidence. */
function flagged(flag: readonly string[], key: readonly string[]): AwsStore['key'] {
  return (document) => {
    const encrypted = valueAt(document, ...flag);
    if (encrypted === false) return none;
    if (encrypted !== true) return { unknown: `${flag.join('.')} is not in the evidence` };
    const named = toldAt(document, ...key);
    return named === null ? { unknown: `${key.join('.')} is not in the evidence` } : { key: named };
  };
}

/** A key that is simply absent where the service uses its own. Its container has to be there, and to hold something. */
function optional(container: readonly string[], key: string): AwsStore['key'] {
  return (document) => {
    const holder = valueAt(document, ...container);
    if (!isJsonObject(holder) || Object.keys(holder).length === 0) return { unknown: `${container.join('.')} is not in the evidence` };
    const named = toldAt(holder, key);
    if (named !== null) return { key: named };
    return isGiven(holder, key) ? { unknown: `${key} is not a name` } : none;
  };
}

/** The block of public access over all buckets of an account. */
export const accountBlock = 'AWS::S3::AccountPublicAccessBlock';

const databaseLogins = 'logins of the database itself';

/** A domain, in either of the types that AWS Config records it as. */
const domain: AwsStore = {
  key: flagged(['configuration', 'EncryptionAtRestOptions', 'Enabled'], ['configuration', 'EncryptionAtRestOptions', 'KmsKeyId']),
  // Searches are posted as well.
  actions: ['es:ESHttpGet', 'es:ESHttpPost'],
  resources: underArn,
  policy: { at: ['configuration', 'AccessPolicies'], absent: 'unsettled' },
  serviceDecrypts: true,
  unsettled: 'users of the fine-grained access control of the domain',
};

/** Stores whose readers are analysed: where the key is named, and what reads them. */
const stores: Readonly<Record<string, AwsStore>> = {
  'AWS::S3::Bucket': {
    key(document) {
      const supplementary = valueAt(document, 'supplementaryConfiguration');
      const setting = valueAt(supplementary, 'ServerSideEncryptionConfiguration');
      const rules = valueAt(setting, 'rules');
      const [rule] = Array.isArray(rules) ? rules : [];
      const algorithm = toldAt(rule, 'applyServerSideEncryptionByDefault', 'sseAlgorithm');
      const because = 'the default encryption of the bucket is not in the evidence';
      // Older items leave out a rule that was never set: what they show is enough to blame, not to clear.
      if (isJsonObject(supplementary) && setting === undefined) return { none: true, doubt: because };
      if (algorithm === null) return { unknown: because };
      if (!algorithm.startsWith('aws:kms')) return none;
      const key = toldAt(rule, 'applyServerSideEncryptionByDefault', 'kmsMasterKeyID');
      if (key !== null) return { key };
      return isGiven(rule, 'applyServerSideEncryptionByDefault', 'kmsMasterKeyID') ? { unknown: 'kmsMasterKeyID is not a name' } : none;
    },
    actions: ['s3:GetObject', 's3:GetObjectVersion'],
    resources: (resource) => [`${resource.uid}/*`],
    policy: { at: ['supplementaryConfiguration', 'BucketPolicy', 'policyText'], absent: 'gap', nullable: true },
    listing: { actions: ['s3:ListBucket', 's3:ListBucketVersions'], resources: arnOf },
    acl: ['supplementaryConfiguration', 'AccessControlList'],
    besides: [accountBlock],
    unsettled: 'access control lists of single objects, and objects encrypted otherwise than by default',
  },
  'AWS::EC2::Volume': {
    key: flagged(['configuration', 'encrypted'], ['configuration', 'kmsKeyId']),
    actions: ['ec2:CreateSnapshot'],
    resources: arnOf,
    unsettled: 'whoever can log in to the instance that the volume is attached to',
  },
  'AWS::EFS::FileSystem': {
    key: flagged(['configuration', 'Encrypted'], ['configuration', 'KmsKeyId']),
    actions: ['elasticfilesystem:ClientMount'],
    resources: arnOf,
    policy: { at: ['configuration', 'FileSystemPolicy'], absent: 'unsettled' },
    serviceDecrypts: true,
    unsettled: 'clients that mount it over the network without IAM authorisation',
  },
  'AWS::RDS::DBInstance': {
    key: flagged(['configuration', 'storageEncrypted'], ['configuration', 'kmsKeyId']),
    actions: ['rds-db:connect'],
    resources: allOf('rds-db'),
    unsettled: databaseLogins,
  },
  'AWS::RDS::DBCluster': {
    key: flagged(['configuration', 'storageEncrypted'], ['configuration', 'kmsKeyId']),
    actions: ['rds-db:connect'],
    resources: allOf('rds-db'),
    unsettled: databaseLogins,
  },
  'AWS::RDS::DBSnapshot': {
    key: flagged(['configuration', 'encrypted'], ['configuration', 'kmsKeyId']),
    actions: ['rds:RestoreDBInstanceFromDBSnapshot'],
    resources: arnOf,
    shared: ['supplementaryConfiguration', 'DBSnapshotAttributes'],
  },
  'AWS::RDS::DBClusterSnapshot': {
    key: flagged(['configuration', 'storageEncrypted'], ['configuration', 'kmsKeyId']),
    actions: ['rds:RestoreDBClusterFromSnapshot'],
    resources: arnOf,
    shared: ['supplementaryConfiguration', 'DBClusterSnapshotAttributes'],
  },
  'AWS::DynamoDB::Table': {
    key(document) {
      const configuration = valueAt(document, 'configuration');
      if (!isJsonObject(configuration)) return { unknown: 'configuration is not in the evidence' };
      const sse = valueAt(configuration, 'ssedescription');
      if (sse === undefined || sse === null) return unguarded('table');
      const key = toldAt(sse, 'kmsmasterKeyArn');
      return key === null ? { unknown: 'ssedescription.kmsmasterKeyArn is not in the evidence' } : { key };
    },
    actions: ['dynamodb:GetItem'],
    resources: arnOf,
    unsettled: 'the resource policy of the table',
  },
  'AWS::Redshift::Cluster': {
    key: flagged(['configuration', 'encrypted'], ['configuration', 'kmsKeyId']),
    actions: ['redshift:GetClusterCredentials'],
    resources: allOf('redshift'),
    unsettled: databaseLogins,
  },
  'AWS::OpenSearch::Domain': domain,
  'AWS::Elasticsearch::Domain': domain,
  'AWS::SecretsManager::Secret': {
    key: optional(['configuration'], 'KMSKeyId'),
    actions: ['secretsmanager:GetSecretValue'],
    resources: arnOf,
    unsettled: 'the resource policy of the secret',
  },
  'AWS::SQS::Queue': {
    key: optional(['configuration'], 'KmsMasterKeyId'),
    actions: ['sqs:ReceiveMessage'],
    resources: arnOf,
    policy: { at: ['configuration', 'Policy'], absent: 'none' },
  },
  'AWS::SNS::Topic': {
    key: optional(['configuration'], 'KmsMasterKeyId'),
    actions: ['sns:Subscribe'],
    resources: arnOf,
    policy: { at: ['configuration', 'Policy'], absent: 'gap' },
    serviceDecrypts: true,
  },
  'AWS::Kinesis::Stream': {
    key(document) {
      const configuration = valueAt(document, 'configuration');
      if (!isJsonObject(configuration)) return { unknown: 'configuration is not in the evidence' };
      const encryption = valueAt(configuration, 'StreamEncryption');
      if (encryption === undefined || encryption === null) return unguarded('stream');
      const key = toldAt(encryption, 'KeyId');
      if (key !== null) return { key };
      return toldAt(encryption, 'EncryptionType') === 'NONE'
        ? unguarded('stream')
        : { unknown: 'StreamEncryption.KeyId is not in the evidence' };
    },
    actions: ['kinesis:GetRecords'],
    resources: arnOf,
    unsettled: 'the resource policy of the stream',
  },
  'AWS::Backup::BackupVault': {
    key: optional(['configuration'], 'EncryptionKeyArn'),
    actions: ['backup:StartRestoreJob'],
    resources: () => ['*'],
    policy: { at: ['configuration', 'AccessPolicy'], absent: 'none' },
  },
  'AWS::ECR::Repository': {
    key(document) {
      const encryption = valueAt(document, 'configuration', 'EncryptionConfiguration');
      if (!isJsonObject(encryption)) return { unknown: 'EncryptionConfiguration is not in the evidence' };
      if (toldAt(encryption, 'EncryptionType') === 'AES256') return none;
      const key = toldAt(encryption, 'KmsKey');
      return key === null ? { unknown: 'EncryptionConfiguration.KmsKey is not in the evidence' } : { key };
    },
    actions: ['ecr:BatchGetImage'],
    resources: arnOf,
    policy: { at: ['configuration', 'RepositoryPolicyText'], absent: 'none' },
    serviceDecrypts: true,
  },
  'AWS::CloudTrail::Trail': {
    key: optional(['configuration'], 'kmsKeyId'),
    actions: ['s3:GetObject'],
    resources: allOf('s3'),
    unsettled: 'the bucket that the trail writes to decides who reads its files',
  },
  'AWS::Lambda::Function': {
    key: optional(['configuration'], 'kmskeyArn'),
    actions: ['lambda:GetFunctionConfiguration'],
    resources: arnOf,
  },
};

export function isAwsStore(type: string): boolean {
  return Object.hasOwn(stores, type);
}

/** How data of that type is read; undefined where its readers are not analysed. */
export function awsStore(type: string): AwsStore | undefined {
  return Object.hasOwn(stores, type) ? stores[type] : undefined;
}

export const decrypt = 'kms:Decrypt';

/** Every action that analysis asks about. */
export const awsReadActions: readonly string[] = [decrypt, ...new Set(Object.values(stores).flatMap((store) => store.actions))];
