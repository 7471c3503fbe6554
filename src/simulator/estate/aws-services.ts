import type { JsonObject } from '../../model/index.ts';
import { chooseEncryption } from './aws-keys.ts';
import type { AwsCell, AwsDraft } from './aws-model.ts';
import { opened } from './aws-sharing.ts';
import { anyForm, common, keyValue, upperKeyValue } from './aws-store.ts';
import { iso } from './population.ts';
import type { Random } from './random.ts';

/* Messaging, compute and audit: one maker a type, in the shapes that AWS Config gives them. */

export function queue(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const url = `https://sqs.${cell.region}.amazonaws.com/${cell.account.id}/${c.name}`;
  const encryption = chooseEncryption(cell, pick, 'sqs', 'default');
  const key = anyForm(cell, pick, encryption);
  const managed = key === null && pick.chance(0.8);
  const troubles = key !== null ? encryption.troubles : managed ? ['sqs-managed-key'] : ['unencrypted'];
  return {
    id: url,
    name: c.name,
    arn: c.arn('sqs', c.name),
    tags: c.tags,
    createdAt: null,
    configuration: {
      QueueName: c.name,
      QueueUrl: url,
      Arn: c.arn('sqs', c.name),
      DelaySeconds: 0,
      MaximumMessageSize: 262144,
      MessageRetentionPeriod: 345600,
      ReceiveMessageWaitTimeSeconds: 0,
      VisibilityTimeout: 30,
      SqsManagedSseEnabled: managed,
      ...(key === null ? {} : { KmsMasterKeyId: key, KmsDataKeyReusePeriodSeconds: 300 }),
      Tags: upperKeyValue(c.tags),
    },
    troubles,
    classification: c.classification,
  };
}

export function topic(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const arn = c.arn('sns', c.name);
  const encryption = chooseEncryption(cell, pick, 'sns', 'none');
  const key = anyForm(cell, pick, encryption);
  const open = opened(cell, arn, ['sns:Subscribe'], arn);
  return {
    id: arn,
    name: c.name,
    arn,
    tags: c.tags,
    createdAt: null,
    configuration: {
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'Publish',
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${cell.account.id}:root` },
            Action: 'sns:Publish',
            Resource: arn,
          },
          ...open.statements,
        ],
      }),
      Owner: cell.account.id,
      TopicArn: arn,
      DisplayName: '',
      SubscriptionsConfirmed: 1,
      SubscriptionsPending: 0,
      ...(key === null ? {} : { KmsMasterKeyId: key }),
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: [...encryption.troubles, ...open.troubles],
    classification: c.classification,
  };
}

export function stream(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'kinesis', 'none');
  const key = encryption.kind === 'aws-managed' ? encryption.alias : encryption.arn;
  return {
    id: c.name,
    name: c.name,
    arn: c.arn('kinesis', `stream/${c.name}`),
    tags: c.tags,
    createdAt: null,
    configuration: {
      Name: c.name,
      Arn: c.arn('kinesis', `stream/${c.name}`),
      ShardCount: 2,
      RetentionPeriodHours: 24,
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      ...(key === null ? {} : { StreamEncryption: { EncryptionType: 'KMS', KeyId: key } }),
      Tags: upperKeyValue(c.tags),
    },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function trail(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = index === 0 ? 'organisation-trail' : `trail-${c.name}`;
  const arn = c.arn('cloudtrail', `trail/${name}`);
  const encryption = chooseEncryption(cell, pick, null, 'none');
  return {
    id: arn,
    name,
    arn,
    tags: c.tags,
    createdAt: null,
    configuration: {
      name,
      s3BucketName: 'nw-cloudtrail-logs',
      s3KeyPrefix: null,
      snsTopicName: null,
      snsTopicARN: null,
      includeGlobalServiceEvents: true,
      isMultiRegionTrail: index === 0 || pick.chance(0.8),
      homeRegion: cell.region,
      trailARN: arn,
      logFileValidationEnabled: pick.chance(0.9),
      cloudWatchLogsLogGroupArn: c.arn('logs', 'log-group:cloudtrail:*'),
      cloudWatchLogsRoleArn: `arn:aws:iam::${cell.account.id}:role/CloudTrailToLogs`,
      kmsKeyId: encryption.arn,
      hasCustomEventSelectors: true,
      hasInsightSelectors: false,
      isOrganizationTrail: false,
    },
    supplementary: { Tags: keyValue(c.tags) },
    troubles: encryption.kind === 'none' ? ['s3-managed-key'] : encryption.troubles,
    classification: c.classification,
  };
}

export function kubernetes(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, null, 'none');
  return {
    id: c.name,
    name: c.name,
    arn: c.arn('eks', `cluster/${c.name}`),
    tags: c.tags,
    createdAt: null,
    configuration: {
      Name: c.name,
      Arn: c.arn('eks', `cluster/${c.name}`),
      Version: '1.33',
      RoleArn: `arn:aws:iam::${cell.account.id}:role/EksCluster`,
      Endpoint: `https://${pick.code(32)}.gr7.${cell.region}.eks.amazonaws.com`,
      ResourcesVpcConfig: {
        EndpointPublicAccess: pick.chance(0.2),
        EndpointPrivateAccess: true,
        SubnetIds: [`subnet-${pick.hex(17)}`],
        SecurityGroupIds: [],
      },
      Logging: { ClusterLogging: { EnabledTypes: [{ Type: 'audit' }, { Type: 'api' }] } },
      ...(encryption.arn === null ? {} : { EncryptionConfig: [{ Provider: { KeyArn: encryption.arn }, Resources: ['secrets'] }] }),
      Tags: upperKeyValue(c.tags),
    },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function lambda(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, null, 'default');
  const variables: JsonObject = {
    STAGE: 'production',
    TABLE_NAME: c.name,
    ...(pick.chance(0.3) ? { DB_PASSWORD: `sim-${pick.hex(20)}` } : {}),
  };
  const hasVariables = pick.chance(0.8);
  return {
    id: c.name,
    name: c.name,
    arn: c.arn('lambda', `function:${c.name}`),
    tags: c.tags,
    createdAt: null,
    configuration: {
      functionName: c.name,
      functionArn: c.arn('lambda', `function:${c.name}`),
      runtime: pick.pick(['nodejs22.x', 'python3.13', 'java21']),
      role: `arn:aws:iam::${cell.account.id}:role/app-orders`,
      handler: 'index.handler',
      codeSize: pick.int(9_000_000) + 1000,
      description: '',
      timeout: 60,
      memorySize: 256,
      lastModified: iso(c.createdAt),
      codeSha256: `${pick.hex(43)}=`,
      version: '$LATEST',
      vpcConfig: { subnetIds: [], securityGroupIds: [] },
      tracingConfig: { mode: 'Active' },
      revisionId: pick.guid(),
      layers: [],
      packageType: 'Zip',
      architectures: ['arm64'],
      ...(hasVariables ? { environment: { variables } } : {}),
      ...(hasVariables && encryption.arn !== null ? { kmskeyArn: encryption.arn } : {}),
    },
    supplementary: { Tags: c.tags },
    troubles: hasVariables ? encryption.troubles : [],
    classification: c.classification,
  };
}
