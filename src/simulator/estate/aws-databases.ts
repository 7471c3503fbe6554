import { chooseEncryption } from './aws-keys.ts';
import type { AwsCell, AwsDraft } from './aws-model.ts';
import { opened, sharing } from './aws-sharing.ts';
import { common, keyValue, upperKeyValue, zoneOf } from './aws-store.ts';
import { day, iso } from './population.ts';
import { random, type Random } from './random.ts';

/* Databases: one maker a type, in the shapes that AWS Config gives them. */

const engines = [
  ['postgres', '16.4'],
  ['mysql', '8.0.39'],
  ['mariadb', '10.11.8'],
  ['sqlserver-se', '15.00.4395.2.v1'],
] as const;

export function dbInstance(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  const [engine, version] = pick.pick(engines);
  const resource = `db-${pick.code(26)}`;
  const insights = pick.chance(0.6);
  return {
    id: resource,
    name: c.name,
    arn: c.arn('rds', `db:${c.name}`),
    zone: 'Multiple Availability Zones',
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      dBInstanceIdentifier: c.name,
      dBInstanceClass: pick.pick(['db.m6g.large', 'db.r6g.xlarge', 'db.t4g.medium']),
      engine,
      dBInstanceStatus: 'available',
      masterUsername: 'nwadmin',
      dBName: 'northwind',
      endpoint: {
        address: `${c.name}.c${pick.hex(11)}.${cell.region}.rds.amazonaws.com`,
        port: engine === 'postgres' ? 5432 : 3306,
        hostedZoneId: `Z${pick.code(13)}`,
      },
      allocatedStorage: 100,
      instanceCreateTime: iso(c.createdAt),
      backupRetentionPeriod: pick.pick([7, 14, 35]),
      vpcSecurityGroups: [{ vpcSecurityGroupId: `sg-${pick.hex(17)}`, status: 'active' }],
      multiAZ: pick.chance(0.7),
      engineVersion: version,
      autoMinorVersionUpgrade: true,
      licenseModel: 'general-public-license',
      publiclyAccessible: pick.chance(0.02),
      storageType: 'gp3',
      dBClusterIdentifier: null,
      storageEncrypted: encryption.arn !== null,
      kmsKeyId: encryption.arn,
      dbiResourceId: resource,
      cACertificateIdentifier: 'rds-ca-rsa2048-g1',
      copyTagsToSnapshot: true,
      monitoringInterval: 60,
      dBInstanceArn: c.arn('rds', `db:${c.name}`),
      iAMDatabaseAuthenticationEnabled: pick.chance(0.5),
      performanceInsightsEnabled: insights,
      performanceInsightsKMSKeyId: insights ? (encryption.arn ?? cell.keys.find((key) => key.service === 'rds')?.arn ?? null) : null,
      deletionProtection: pick.chance(0.85),
      tagList: keyValue(c.tags),
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function dbCluster(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  const resource = `cluster-${pick.code(26)}`;
  return {
    id: resource,
    name: c.name,
    arn: c.arn('rds', `cluster:${c.name}`),
    zone: 'Multiple Availability Zones',
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      allocatedStorage: 1,
      availabilityZones: ['a', 'b', 'c'].map((zone) => ({ value: `${cell.region}${zone}` })),
      backupRetentionPeriod: pick.pick([7, 14, 35]),
      databaseName: 'northwind',
      dbclusterIdentifier: c.name,
      dbclusterParameterGroup: 'default.aurora-postgresql16',
      dbsubnetGroup: 'private',
      status: 'available',
      endpoint: { value: `${c.name}.cluster-${pick.hex(12)}.${cell.region}.rds.amazonaws.com` },
      multiAZ: true,
      engine: pick.weighted({ 'aurora-postgresql': 70, 'aurora-mysql': 24, docdb: 6 }),
      engineVersion: '16.4',
      port: 5432,
      masterUsername: 'nwadmin',
      dbclusterMembers: [],
      vpcSecurityGroups: [{ vpcSecurityGroupId: `sg-${pick.hex(17)}`, status: 'active' }],
      storageEncrypted: encryption.arn !== null,
      kmsKeyId: encryption.arn,
      dbClusterResourceId: resource,
      dbclusterArn: c.arn('rds', `cluster:${c.name}`),
      iamdatabaseAuthenticationEnabled: true,
      clusterCreateTime: c.createdAt,
      engineMode: 'provisioned',
      deletionProtection: pick.chance(0.9),
      activityStreamStatus: 'stopped',
      copyTagsToSnapshot: true,
      crossAccountClone: false,
      tagList: keyValue(c.tags),
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function dbSnapshot(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `${c.name}-final`;
  const arn = c.arn('rds', `snapshot:${name}`);
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  const shared = sharing(cell, arn, encryption);
  return {
    id: name,
    name,
    arn,
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      dBSnapshotIdentifier: name,
      dBInstanceIdentifier: c.name,
      snapshotCreateTime: iso(c.createdAt),
      engine: 'postgres',
      allocatedStorage: 100,
      status: 'available',
      port: 5432,
      availabilityZone: zoneOf(cell, pick),
      vpcId: `vpc-${pick.hex(17)}`,
      instanceCreateTime: iso(c.createdAt - 90 * day),
      masterUsername: 'nwadmin',
      engineVersion: '16.4',
      licenseModel: 'postgresql-license',
      snapshotType: 'manual',
      percentProgress: 100,
      storageType: 'gp3',
      encrypted: encryption.arn !== null,
      kmsKeyId: encryption.arn,
      dBSnapshotArn: arn,
      iAMDatabaseAuthenticationEnabled: false,
      processorFeatures: [],
      dbiResourceId: `db-${pick.code(26)}`,
      tagList: keyValue(c.tags),
    },
    supplementary: { DBSnapshotAttributes: shared.attributes, Tags: keyValue(c.tags) },
    troubles: [...encryption.troubles, ...shared.troubles],
    classification: c.classification,
  };
}

export function dbClusterSnapshot(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `${c.name}-monthly`;
  const arn = c.arn('rds', `cluster-snapshot:${name}`);
  const encryption = chooseEncryption(cell, pick, 'rds', 'none');
  const shared = sharing(cell, arn, encryption);
  return {
    id: name,
    name,
    arn,
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      dbclusterSnapshotIdentifier: name,
      dbclusterIdentifier: c.name,
      snapshotCreateTime: c.createdAt,
      engine: 'aurora-postgresql',
      allocatedStorage: 0,
      status: 'available',
      port: 0,
      vpcId: `vpc-${pick.hex(17)}`,
      clusterCreateTime: c.createdAt - 90 * day,
      masterUsername: 'nwadmin',
      engineVersion: '16.4',
      licenseModel: 'postgresql-license',
      snapshotType: 'manual',
      percentProgress: 100,
      storageEncrypted: encryption.arn !== null,
      kmsKeyId: encryption.arn,
      dbclusterSnapshotArn: arn,
      iamdatabaseAuthenticationEnabled: true,
      tagList: keyValue(c.tags),
    },
    supplementary: { DBClusterSnapshotAttributes: shared.attributes, Tags: keyValue(c.tags) },
    troubles: [...encryption.troubles, ...shared.troubles],
    classification: c.classification,
  };
}

export function dynamoTable(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'dynamodb', 'default');
  return {
    id: c.name,
    name: c.name,
    arn: c.arn('dynamodb', `table/${c.name}`),
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      attributeDefinitions: [{ attributeName: 'pk', attributeType: 'S' }],
      tableName: c.name,
      keySchema: [{ attributeName: 'pk', keyType: 'HASH' }],
      tableStatus: 'ACTIVE',
      creationDateTime: c.createdAt,
      provisionedThroughput: { numberOfDecreasesToday: 0, readCapacityUnits: 0, writeCapacityUnits: 0 },
      tableSizeBytes: pick.int(1_000_000_000),
      itemCount: pick.int(1_000_000),
      tableArn: c.arn('dynamodb', `table/${c.name}`),
      tableId: pick.guid(),
      billingModeSummary: { billingMode: 'PAY_PER_REQUEST' },
      replicas: [],
      deletionProtectionEnabled: pick.chance(0.7),
      ...(encryption.arn === null ? {} : { ssedescription: { status: 'ENABLED', ssetype: 'KMS', kmsmasterKeyArn: encryption.arn } }),
    },
    supplementary: {
      ContinuousBackups: {
        continuousBackupsStatus: 'ENABLED',
        pointInTimeRecoveryDescription: { pointInTimeRecoveryStatus: pick.chance(0.85) ? 'ENABLED' : 'DISABLED' },
      },
      Tags: keyValue(c.tags),
    },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function redshift(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'redshift', 'none');
  return {
    id: c.name,
    name: c.name,
    arn: c.arn('redshift', `cluster:${c.name}`),
    zone: zoneOf(cell, pick),
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      clusterIdentifier: c.name,
      nodeType: 'ra3.xlplus',
      clusterStatus: 'available',
      masterUsername: 'nwadmin',
      dBName: 'warehouse',
      endpoint: { address: `${c.name}.c${pick.hex(11)}.${cell.region}.redshift.amazonaws.com`, port: 5439 },
      clusterCreateTime: iso(c.createdAt),
      automatedSnapshotRetentionPeriod: 7,
      publiclyAccessible: pick.chance(0.04),
      numberOfNodes: 2,
      encrypted: encryption.arn !== null,
      kmsKeyId: encryption.arn,
      enhancedVpcRouting: true,
      tags: keyValue(c.tags),
    },
    supplementary: { LoggingStatus: { loggingEnabled: pick.chance(0.85), bucketName: 'nw-redshift-logs' }, Tags: keyValue(c.tags) },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function searchDomain(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = c.name.slice(0, 27);
  const arn = c.arn('es', `domain/${name}`);
  const encryption = chooseEncryption(cell, pick, 'es', 'none');
  const open = opened(cell, arn, ['es:ESHttp*'], `${arn}/*`);
  const inVpc = open.statements.length === 0 && random(cell.seed, 'vpc', arn).chance(0.7);
  return {
    id: `${cell.account.id}/${name}`,
    name,
    arn,
    tags: c.tags,
    createdAt: null,
    configuration: {
      DomainName: name,
      DomainArn: arn,
      Id: `${cell.account.id}/${name}`,
      EngineVersion: 'OpenSearch_2.17',
      ClusterConfig: { InstanceType: 'r6g.large.search', InstanceCount: 3, DedicatedMasterEnabled: true, ZoneAwarenessEnabled: true },
      EBSOptions: { EBSEnabled: true, VolumeType: 'gp3', VolumeSize: 100 },
      AccessPolicies: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${cell.account.id}:root` }, Action: 'es:*', Resource: `${arn}/*` },
          ...open.statements,
        ],
      },
      ...(inVpc ? { VPCOptions: { SubnetIds: ['subnet-0a1b2c3d4e5f60718'], SecurityGroupIds: ['sg-0a1b2c3d4e5f60718'] } } : {}),
      EncryptionAtRestOptions: encryption.arn === null ? { Enabled: false } : { Enabled: true, KmsKeyId: encryption.arn },
      NodeToNodeEncryptionOptions: { Enabled: pick.chance(0.95) },
      DomainEndpointOptions: { EnforceHTTPS: pick.chance(0.95), TLSSecurityPolicy: 'Policy-Min-TLS-1-2-PFS-2023-10' },
      Tags: upperKeyValue(c.tags),
    },
    troubles: [...encryption.troubles, ...open.troubles],
    classification: c.classification,
  };
}
