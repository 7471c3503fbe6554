import type { Json, JsonObject } from '../../model/index.ts';
import { type AwsCell, type AwsDraft, storeTags } from './aws-model.ts';
import { chooseEncryption, type Encryption } from './aws-keys.ts';
import { businessName, classify, type Classification, day, iso } from './population.ts';
import type { Random } from './random.ts';

export interface AwsStoreType {
  readonly type: string;
  readonly weight: number;
  readonly homeOnly?: boolean;
  make(cell: AwsCell, pick: Random, index: number): AwsDraft;
}

interface Common {
  readonly name: string;
  readonly classification: Classification;
  readonly tags: Record<string, string>;
  readonly createdAt: number;
  readonly arn: (service: string, rest: string) => string;
}

function common(cell: AwsCell, pick: Random, index: number): Common {
  const classification = classify(pick);
  return {
    name: businessName(pick, index),
    classification,
    tags: storeTags(classification, pick, cell.account.name.endsWith('development') ? 'development' : 'production'),
    createdAt: cell.asOf - Math.floor((20 + pick.next() * 1000) * day),
    arn: (service, rest) => `arn:aws:${service}:${cell.region}:${cell.account.id}:${rest}`,
  };
}

const keyValue = (tags: Record<string, string>): Json => Object.entries(tags).map(([key, value]) => ({ key, value }));
const upperKeyValue = (tags: Record<string, string>): Json => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
const zoneOf = (cell: AwsCell, pick: Random): string => `${cell.region}${pick.pick(['a', 'b', 'c'])}`;

/** Services that take any form of name: mostly the ARN, now and then a bare id or an alias. */
function anyForm(cell: AwsCell, pick: Random, encryption: Encryption): string | null {
  if (encryption.arn === null) return null;
  if (encryption.kind === 'aws-managed') return encryption.alias;
  if (encryption.kind !== 'customer') return encryption.arn;
  const form = pick.weighted({ arn: 70, id: 12, alias: 12, 'alias-arn': 6 });
  if (form === 'id') return encryption.id;
  if (encryption.alias === null || form === 'arn') return encryption.arn;
  return form === 'alias' ? encryption.alias : `arn:aws:kms:${cell.region}:${cell.account.id}:${encryption.alias}`;
}

function bucket(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `nw-${cell.account.id.slice(0, 4)}-${cell.region}-${c.name}`;
  const encryption = chooseEncryption(cell, pick, 's3', 'default');
  const troubles = encryption.kind === 'default' ? ['s3-managed-key'] : encryption.troubles;
  // The AWS managed key is usually what `aws:kms` without a key means.
  const key = encryption.kind === 'aws-managed' && pick.chance(0.6) ? null : encryption.kind === 'aws-managed' ? encryption.arn : anyForm(cell, pick, encryption);
  const owner = { displayName: cell.account.name, id: pick.hex(64) };
  const publicRead = pick.chance(0.012);
  const policy: JsonObject = {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'TLS', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`], Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      ...(publicRead ? [{ Sid: 'PublicRead', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${name}/*` }] : []),
    ],
  };
  return {
    id: name, name, arn: `arn:aws:s3:::${name}`, tags: c.tags, createdAt: c.createdAt,
    configuration: { name, owner: { ...owner, displayName: null }, creationDate: iso(c.createdAt) },
    supplementary: {
      AccessControlList: JSON.stringify({ grantSet: null, grantList: [{ grantee: { id: owner.id, displayName: null }, permission: 'FullControl' }], owner, isRequesterCharged: false }),
      BucketLoggingConfiguration: { destinationBucketName: pick.chance(0.8) ? `nw-${cell.account.id.slice(0, 4)}-access-logs` : null, logFilePrefix: null },
      BucketNotificationConfiguration: { configurations: {} },
      BucketPolicy: { policyText: pick.chance(0.85) || publicRead ? JSON.stringify(policy) : null },
      BucketVersioningConfiguration: { status: pick.chance(0.85) ? 'Enabled' : 'Off', isMfaDeleteEnabled: null },
      IsRequesterPaysEnabled: false,
      PublicAccessBlockConfiguration: { blockPublicAcls: !publicRead, ignorePublicAcls: !publicRead, blockPublicPolicy: !publicRead, restrictPublicBuckets: !publicRead },
      ServerSideEncryptionConfiguration: {
        rules: [{
          applyServerSideEncryptionByDefault: { sseAlgorithm: encryption.kind === 'default' ? 'AES256' : pick.chance(0.06) ? 'aws:kms:dsse' : 'aws:kms', kmsMasterKeyID: encryption.kind === 'default' ? null : key },
          bucketKeyEnabled: pick.chance(0.9),
        }],
      },
      BucketTaggingConfiguration: { tagSets: [{ tags: c.tags }] },
    },
    troubles: [...troubles, ...(publicRead ? ['public-read'] : [])], classification: c.classification,
  };
}

function volume(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const id = `vol-${pick.hex(17)}`;
  const encryption = chooseEncryption(cell, pick, 'ebs', 'none');
  const zone = zoneOf(cell, pick);
  const attached = pick.chance(0.85);
  return {
    id, name: null, arn: c.arn('ec2', `volume/${id}`), zone, tags: { ...c.tags, Name: c.name }, createdAt: c.createdAt,
    configuration: {
      attachments: attached ? [{ attachTime: iso(c.createdAt + 60_000), device: '/dev/xvda', instanceId: `i-${pick.hex(17)}`, state: 'attached', volumeId: id, deleteOnTermination: true }] : [],
      availabilityZone: zone, createTime: iso(c.createdAt), encrypted: encryption.arn !== null, kmsKeyId: encryption.arn, outpostArn: null,
      size: pick.pick([30, 60, 100, 200, 500]), snapshotId: attached ? `snap-${pick.hex(17)}` : '', state: attached ? 'in-use' : 'available', volumeId: id, iops: 3000,
      tags: keyValue({ ...c.tags, Name: c.name }), volumeType: 'gp3', fastRestored: null, multiAttachEnabled: false, throughput: 125,
    },
    troubles: encryption.troubles, classification: c.classification,
  };
}

const engines = [['postgres', '16.4'], ['mysql', '8.0.39'], ['mariadb', '10.11.8'], ['sqlserver-se', '15.00.4395.2.v1']] as const;

function dbInstance(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  const [engine, version] = pick.pick(engines);
  const resource = `db-${pick.code(26)}`;
  const insights = pick.chance(0.6);
  return {
    id: resource, name: c.name, arn: c.arn('rds', `db:${c.name}`), zone: 'Multiple Availability Zones', tags: c.tags, createdAt: c.createdAt,
    configuration: {
      dBInstanceIdentifier: c.name, dBInstanceClass: pick.pick(['db.m6g.large', 'db.r6g.xlarge', 'db.t4g.medium']), engine, dBInstanceStatus: 'available', masterUsername: 'nwadmin', dBName: 'northwind',
      endpoint: { address: `${c.name}.c${pick.hex(11)}.${cell.region}.rds.amazonaws.com`, port: engine === 'postgres' ? 5432 : 3306, hostedZoneId: `Z${pick.code(13)}` },
      allocatedStorage: 100, instanceCreateTime: iso(c.createdAt), backupRetentionPeriod: pick.pick([7, 14, 35]), vpcSecurityGroups: [{ vpcSecurityGroupId: `sg-${pick.hex(17)}`, status: 'active' }],
      multiAZ: pick.chance(0.7), engineVersion: version, autoMinorVersionUpgrade: true, licenseModel: 'general-public-license', publiclyAccessible: pick.chance(0.02), storageType: 'gp3', dBClusterIdentifier: null,
      storageEncrypted: encryption.arn !== null, kmsKeyId: encryption.arn, dbiResourceId: resource, cACertificateIdentifier: 'rds-ca-rsa2048-g1', copyTagsToSnapshot: true, monitoringInterval: 60,
      dBInstanceArn: c.arn('rds', `db:${c.name}`), iAMDatabaseAuthenticationEnabled: pick.chance(0.5), performanceInsightsEnabled: insights, performanceInsightsKMSKeyId: insights ? (encryption.arn ?? cell.keys.find((key) => key.service === 'rds')?.arn ?? null) : null, deletionProtection: pick.chance(0.85), tagList: keyValue(c.tags),
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function dbCluster(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  const resource = `cluster-${pick.code(26)}`;
  return {
    id: resource, name: c.name, arn: c.arn('rds', `cluster:${c.name}`), zone: 'Multiple Availability Zones', tags: c.tags, createdAt: c.createdAt,
    configuration: {
      allocatedStorage: 1, availabilityZones: ['a', 'b', 'c'].map((zone) => ({ value: `${cell.region}${zone}` })), backupRetentionPeriod: pick.pick([7, 14, 35]), databaseName: 'northwind', dbclusterIdentifier: c.name, dbclusterParameterGroup: 'default.aurora-postgresql16', dbsubnetGroup: 'private', status: 'available',
      endpoint: { value: `${c.name}.cluster-${pick.hex(12)}.${cell.region}.rds.amazonaws.com` }, multiAZ: true, engine: pick.weighted({ 'aurora-postgresql': 70, 'aurora-mysql': 24, docdb: 6 }), engineVersion: '16.4', port: 5432, masterUsername: 'nwadmin', dbclusterMembers: [], vpcSecurityGroups: [{ vpcSecurityGroupId: `sg-${pick.hex(17)}`, status: 'active' }],
      storageEncrypted: encryption.arn !== null, kmsKeyId: encryption.arn, dbClusterResourceId: resource, dbclusterArn: c.arn('rds', `cluster:${c.name}`), iamdatabaseAuthenticationEnabled: true, clusterCreateTime: c.createdAt, engineMode: 'provisioned', deletionProtection: pick.chance(0.9), activityStreamStatus: 'stopped', copyTagsToSnapshot: true, crossAccountClone: false, tagList: keyValue(c.tags),
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function dbSnapshot(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `${c.name}-final`;
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  return {
    id: name, name, arn: c.arn('rds', `snapshot:${name}`), tags: c.tags, createdAt: c.createdAt,
    configuration: {
      dBSnapshotIdentifier: name, dBInstanceIdentifier: c.name, snapshotCreateTime: iso(c.createdAt), engine: 'postgres', allocatedStorage: 100, status: 'available', port: 5432, availabilityZone: zoneOf(cell, pick), vpcId: `vpc-${pick.hex(17)}`, instanceCreateTime: iso(c.createdAt - 90 * day), masterUsername: 'nwadmin', engineVersion: '16.4', licenseModel: 'postgresql-license', snapshotType: 'manual', percentProgress: 100, storageType: 'gp3',
      encrypted: encryption.arn !== null, kmsKeyId: encryption.arn, dBSnapshotArn: c.arn('rds', `snapshot:${name}`), iAMDatabaseAuthenticationEnabled: false, processorFeatures: [], dbiResourceId: `db-${pick.code(26)}`, tagList: keyValue(c.tags),
    },
    supplementary: { DBSnapshotAttributes: [{ attributeName: 'restore', attributeValues: [] }], Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function dbClusterSnapshot(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `${c.name}-monthly`;
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  return {
    id: name, name, arn: c.arn('rds', `cluster-snapshot:${name}`), tags: c.tags, createdAt: c.createdAt,
    configuration: {
      dbclusterSnapshotIdentifier: name, dbclusterIdentifier: c.name, snapshotCreateTime: c.createdAt, engine: 'aurora-postgresql', allocatedStorage: 0, status: 'available', port: 0, vpcId: `vpc-${pick.hex(17)}`, clusterCreateTime: c.createdAt - 90 * day, masterUsername: 'nwadmin', engineVersion: '16.4', licenseModel: 'postgresql-license', snapshotType: 'manual', percentProgress: 100,
      storageEncrypted: encryption.arn !== null, kmsKeyId: encryption.arn, dbclusterSnapshotArn: c.arn('rds', `cluster-snapshot:${name}`), iamdatabaseAuthenticationEnabled: true, tagList: keyValue(c.tags),
    },
    supplementary: { DBClusterSnapshotAttributes: [{ attributeName: 'restore', attributeValues: [] }], Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function dynamoTable(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'dynamodb', 'default');
  return {
    id: c.name, name: c.name, arn: c.arn('dynamodb', `table/${c.name}`), tags: c.tags, createdAt: c.createdAt,
    configuration: {
      attributeDefinitions: [{ attributeName: 'pk', attributeType: 'S' }], tableName: c.name, keySchema: [{ attributeName: 'pk', keyType: 'HASH' }], tableStatus: 'ACTIVE', creationDateTime: c.createdAt, provisionedThroughput: { numberOfDecreasesToday: 0, readCapacityUnits: 0, writeCapacityUnits: 0 },
      tableSizeBytes: pick.int(1_000_000_000), itemCount: pick.int(1_000_000), tableArn: c.arn('dynamodb', `table/${c.name}`), tableId: pick.guid(), billingModeSummary: { billingMode: 'PAY_PER_REQUEST' }, replicas: [], deletionProtectionEnabled: pick.chance(0.7),
      ...(encryption.arn === null ? {} : { ssedescription: { status: 'ENABLED', ssetype: 'KMS', kmsmasterKeyArn: encryption.arn } }),
    },
    supplementary: { ContinuousBackups: { continuousBackupsStatus: 'ENABLED', pointInTimeRecoveryDescription: { pointInTimeRecoveryStatus: pick.chance(0.85) ? 'ENABLED' : 'DISABLED' } }, Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function fileSystem(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const id = `fs-${pick.hex(17)}`;
  const encryption = chooseEncryption(cell, pick, 'elasticfilesystem', 'none');
  return {
    id, name: c.name, arn: c.arn('elasticfilesystem', `file-system/${id}`), tags: { ...c.tags, Name: c.name }, createdAt: null,
    configuration: {
      FileSystemId: id, Arn: c.arn('elasticfilesystem', `file-system/${id}`), Encrypted: encryption.arn !== null, ...(encryption.arn === null ? {} : { KmsKeyId: encryption.arn }), LifecyclePolicies: [{ TransitionToIA: 'AFTER_30_DAYS' }], PerformanceMode: 'generalPurpose', ThroughputMode: 'elastic', BackupPolicy: { Status: 'ENABLED' }, FileSystemPolicy: {}, FileSystemTags: upperKeyValue({ ...c.tags, Name: c.name }),
    },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function redshift(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'redshift', 'none');
  return {
    id: c.name, name: c.name, arn: c.arn('redshift', `cluster:${c.name}`), zone: zoneOf(cell, pick), tags: c.tags, createdAt: c.createdAt,
    configuration: {
      clusterIdentifier: c.name, nodeType: 'ra3.xlplus', clusterStatus: 'available', masterUsername: 'nwadmin', dBName: 'warehouse', endpoint: { address: `${c.name}.c${pick.hex(11)}.${cell.region}.redshift.amazonaws.com`, port: 5439 }, clusterCreateTime: iso(c.createdAt), automatedSnapshotRetentionPeriod: 7, publiclyAccessible: pick.chance(0.04), numberOfNodes: 2, encrypted: encryption.arn !== null, kmsKeyId: encryption.arn, enhancedVpcRouting: true, tags: keyValue(c.tags),
    },
    supplementary: { LoggingStatus: { loggingEnabled: pick.chance(0.85), bucketName: 'nw-redshift-logs' }, Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function queue(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const url = `https://sqs.${cell.region}.amazonaws.com/${cell.account.id}/${c.name}`;
  const encryption = chooseEncryption(cell, pick, 'sqs', 'default');
  const key = anyForm(cell, pick, encryption);
  const managed = key === null && pick.chance(0.8);
  const troubles = key !== null ? encryption.troubles : managed ? ['sqs-managed-key'] : ['unencrypted'];
  return {
    id: url, name: c.name, arn: c.arn('sqs', c.name), tags: c.tags, createdAt: null,
    configuration: {
      QueueName: c.name, QueueUrl: url, Arn: c.arn('sqs', c.name), DelaySeconds: 0, MaximumMessageSize: 262144, MessageRetentionPeriod: 345600, ReceiveMessageWaitTimeSeconds: 0, VisibilityTimeout: 30, SqsManagedSseEnabled: managed, ...(key === null ? {} : { KmsMasterKeyId: key, KmsDataKeyReusePeriodSeconds: 300 }), Tags: upperKeyValue(c.tags),
    },
    troubles, classification: c.classification,
  };
}

function topic(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const arn = c.arn('sns', c.name);
  const encryption = chooseEncryption(cell, pick, 'sns', 'none');
  const key = anyForm(cell, pick, encryption);
  return {
    id: arn, name: c.name, arn, tags: c.tags, createdAt: null,
    configuration: {
      Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'Publish', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${cell.account.id}:root` }, Action: 'sns:Publish', Resource: arn }] }),
      Owner: cell.account.id, TopicArn: arn, DisplayName: '', SubscriptionsConfirmed: 1, SubscriptionsPending: 0, ...(key === null ? {} : { KmsMasterKeyId: key }),
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function secret(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const arn = c.arn('secretsmanager', `secret:${c.name}-${pick.code(6)}`);
  const encryption = chooseEncryption(cell, pick, 'secretsmanager', 'default');
  const key = anyForm(cell, pick, encryption);
  return {
    id: arn, name: c.name, arn, tags: c.tags, createdAt: c.createdAt,
    configuration: { Id: arn, Name: c.name, Description: `Credentials of ${c.name}`, RotationEnabled: pick.chance(0.8), RotationRules: { AutomaticallyAfterDays: 30 }, ...(key === null ? {} : { KMSKeyId: key }), Tags: upperKeyValue(c.tags) },
    troubles: key === null ? ['aws-managed-key'] : encryption.troubles, classification: c.classification,
  };
}

function trail(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = index === 0 ? 'organisation-trail' : `trail-${c.name}`;
  const arn = c.arn('cloudtrail', `trail/${name}`);
  const encryption = chooseEncryption(cell, pick, null, 'none');
  return {
    id: arn, name, arn, tags: c.tags, createdAt: null,
    configuration: {
      name, s3BucketName: 'nw-cloudtrail-logs', s3KeyPrefix: null, snsTopicName: null, snsTopicARN: null, includeGlobalServiceEvents: true, isMultiRegionTrail: index === 0 || pick.chance(0.8), homeRegion: cell.region, trailARN: arn, logFileValidationEnabled: pick.chance(0.9), cloudWatchLogsLogGroupArn: c.arn('logs', 'log-group:cloudtrail:*'), cloudWatchLogsRoleArn: `arn:aws:iam::${cell.account.id}:role/CloudTrailToLogs`, kmsKeyId: encryption.arn, hasCustomEventSelectors: true, hasInsightSelectors: false, isOrganizationTrail: false,
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.kind === 'none' ? ['s3-managed-key'] : encryption.troubles, classification: c.classification,
  };
}

function searchDomain(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = c.name.slice(0, 27);
  const arn = c.arn('es', `domain/${name}`);
  const encryption = chooseEncryption(cell, pick, 'es', 'none');
  return {
    id: `${cell.account.id}/${name}`, name, arn, tags: c.tags, createdAt: null,
    configuration: {
      DomainName: name, DomainArn: arn, Id: `${cell.account.id}/${name}`, EngineVersion: 'OpenSearch_2.17', ClusterConfig: { InstanceType: 'r6g.large.search', InstanceCount: 3, DedicatedMasterEnabled: true, ZoneAwarenessEnabled: true }, EBSOptions: { EBSEnabled: true, VolumeType: 'gp3', VolumeSize: 100 },
      EncryptionAtRestOptions: encryption.arn === null ? { Enabled: false } : { Enabled: true, KmsKeyId: encryption.arn }, NodeToNodeEncryptionOptions: { Enabled: pick.chance(0.95) }, DomainEndpointOptions: { EnforceHTTPS: pick.chance(0.95), TLSSecurityPolicy: 'Policy-Min-TLS-1-2-PFS-2023-10' }, Tags: upperKeyValue(c.tags),
    },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function stream(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'kinesis', 'none');
  const key = encryption.kind === 'aws-managed' ? encryption.alias : encryption.arn;
  return {
    id: c.name, name: c.name, arn: c.arn('kinesis', `stream/${c.name}`), tags: c.tags, createdAt: null,
    configuration: { Name: c.name, Arn: c.arn('kinesis', `stream/${c.name}`), ShardCount: 2, RetentionPeriodHours: 24, StreamModeDetails: { StreamMode: 'PROVISIONED' }, ...(key === null ? {} : { StreamEncryption: { EncryptionType: 'KMS', KeyId: key } }), Tags: upperKeyValue(c.tags) },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function repository(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `northwind/${c.name}`;
  const encryption = chooseEncryption(cell, pick, null, 'default');
  return {
    id: name, name, arn: c.arn('ecr', `repository/${name}`), tags: c.tags, createdAt: null,
    configuration: {
      ImageScanningConfiguration: { ScanOnPush: pick.chance(0.9) }, EncryptionConfiguration: encryption.arn === null ? { EncryptionType: 'AES256' } : { EncryptionType: 'KMS', KmsKey: encryption.arn }, RepositoryPolicyText: {}, LifecyclePolicy: {}, RepositoryName: name, RepositoryUri: `${cell.account.id}.dkr.ecr.${cell.region}.amazonaws.com/${name}`, Arn: c.arn('ecr', `repository/${name}`), ImageTagMutability: 'IMMUTABLE', Tags: upperKeyValue(c.tags),
    },
    troubles: encryption.kind === 'default' ? ['s3-managed-key'] : encryption.troubles, classification: c.classification,
  };
}

function kubernetes(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, null, 'none');
  return {
    id: c.name, name: c.name, arn: c.arn('eks', `cluster/${c.name}`), tags: c.tags, createdAt: null,
    configuration: {
      Name: c.name, Arn: c.arn('eks', `cluster/${c.name}`), Version: '1.33', RoleArn: `arn:aws:iam::${cell.account.id}:role/EksCluster`, Endpoint: `https://${pick.code(32)}.gr7.${cell.region}.eks.amazonaws.com`, ResourcesVpcConfig: { EndpointPublicAccess: pick.chance(0.2), EndpointPrivateAccess: true, SubnetIds: [`subnet-${pick.hex(17)}`], SecurityGroupIds: [] }, Logging: { ClusterLogging: { EnabledTypes: [{ Type: 'audit' }, { Type: 'api' }] } },
      ...(encryption.arn === null ? {} : { EncryptionConfig: [{ Provider: { KeyArn: encryption.arn }, Resources: ['secrets'] }] }), Tags: upperKeyValue(c.tags),
    },
    troubles: encryption.troubles, classification: c.classification,
  };
}

function backupVault(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'backup', 'default');
  // A vault always names a key: without a choice it is the AWS managed one.
  const fallback = cell.keys.find((key) => key.service === 'backup')?.arn ?? null;
  return {
    id: c.name, name: c.name, arn: c.arn('backup', `backup-vault:${c.name}`), tags: c.tags, createdAt: null,
    configuration: { BackupVaultName: c.name, BackupVaultArn: c.arn('backup', `backup-vault:${c.name}`), EncryptionKeyArn: encryption.arn ?? fallback, LockConfiguration: { MinRetentionDays: 30 }, BackupVaultTags: c.tags },
    troubles: encryption.kind === 'default' ? ['aws-managed-key'] : encryption.troubles, classification: c.classification,
  };
}

function lambda(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, null, 'default');
  const variables: JsonObject = { STAGE: 'production', TABLE_NAME: c.name, ...(pick.chance(0.3) ? { DB_PASSWORD: `sim-${pick.hex(20)}` } : {}) };
  const hasVariables = pick.chance(0.8);
  return {
    id: c.name, name: c.name, arn: c.arn('lambda', `function:${c.name}`), tags: c.tags, createdAt: null,
    configuration: {
      functionName: c.name, functionArn: c.arn('lambda', `function:${c.name}`), runtime: pick.pick(['nodejs22.x', 'python3.13', 'java21']), role: `arn:aws:iam::${cell.account.id}:role/app-orders`, handler: 'index.handler', codeSize: pick.int(9_000_000) + 1000, description: '', timeout: 60, memorySize: 256, lastModified: iso(c.createdAt), codeSha256: `${pick.hex(43)}=`, version: '$LATEST', vpcConfig: { subnetIds: [], securityGroupIds: [] }, tracingConfig: { mode: 'Active' }, revisionId: pick.guid(), layers: [], packageType: 'Zip', architectures: ['arm64'],
      ...(hasVariables ? { environment: { variables } } : {}), ...(hasVariables && encryption.arn !== null ? { kmskeyArn: encryption.arn } : {}),
    },
    supplementary: { Tags: c.tags },
    troubles: hasVariables ? encryption.troubles : [], classification: c.classification,
  };
}

export const awsStoreTypes: readonly AwsStoreType[] = [
  { type: 'AWS::S3::Bucket', weight: 14, make: bucket },
  { type: 'AWS::EC2::Volume', weight: 16, make: volume },
  { type: 'AWS::RDS::DBInstance', weight: 7, make: dbInstance },
  { type: 'AWS::RDS::DBCluster', weight: 4, make: dbCluster },
  { type: 'AWS::RDS::DBSnapshot', weight: 4, make: dbSnapshot },
  { type: 'AWS::RDS::DBClusterSnapshot', weight: 3, make: dbClusterSnapshot },
  { type: 'AWS::DynamoDB::Table', weight: 9, make: dynamoTable },
  { type: 'AWS::EFS::FileSystem', weight: 3, make: fileSystem },
  { type: 'AWS::Redshift::Cluster', weight: 2, make: redshift },
  { type: 'AWS::SQS::Queue', weight: 9, make: queue },
  { type: 'AWS::SNS::Topic', weight: 6, make: topic },
  { type: 'AWS::SecretsManager::Secret', weight: 8, make: secret },
  { type: 'AWS::CloudTrail::Trail', weight: 0.6, homeOnly: true, make: trail },
  { type: 'AWS::OpenSearch::Domain', weight: 2, make: searchDomain },
  { type: 'AWS::Kinesis::Stream', weight: 4, make: stream },
  { type: 'AWS::ECR::Repository', weight: 4, make: repository },
  { type: 'AWS::EKS::Cluster', weight: 2, make: kubernetes },
  { type: 'AWS::Backup::BackupVault', weight: 2, make: backupVault },
  { type: 'AWS::Lambda::Function', weight: 8, make: lambda },
];
