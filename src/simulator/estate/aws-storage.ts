import type { JsonObject } from '../../model/index.ts';
import { chooseEncryption } from './aws-keys.ts';
import type { AwsCell, AwsDraft } from './aws-model.ts';
import { opened, policyOrNone } from './aws-sharing.ts';
import { anyForm, common, keyValue, upperKeyValue, zoneOf } from './aws-store.ts';
import { iso } from './population.ts';
import type { Random } from './random.ts';

/* Storage: one maker a type, in the shapes that AWS Config gives them. */

export function bucket(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `nw-${cell.account.id.slice(0, 4)}-${cell.region}-${c.name}`;
  const encryption = chooseEncryption(cell, pick, 's3', 'default');
  const troubles = encryption.kind === 'default' ? ['s3-managed-key'] : encryption.troubles;
  // The AWS managed key is usually what `aws:kms` without a key means.
  const key =
    encryption.kind === 'aws-managed' && pick.chance(0.6)
      ? null
      : encryption.kind === 'aws-managed'
        ? encryption.arn
        : anyForm(cell, pick, encryption);
  const owner = { displayName: cell.account.name, id: pick.hex(64) };
  const publicRead = pick.chance(0.012);
  const policy: JsonObject = {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'TLS',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      ...(publicRead
        ? [{ Sid: 'PublicRead', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${name}/*` }]
        : []),
    ],
  };
  return {
    id: name,
    name,
    arn: `arn:aws:s3:::${name}`,
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: { name, owner: { ...owner, displayName: null }, creationDate: iso(c.createdAt) },
    supplementary: {
      AccessControlList: JSON.stringify({
        grantSet: null,
        grantList: [{ grantee: { id: owner.id, displayName: null }, permission: 'FullControl' }],
        owner,
        isRequesterCharged: false,
      }),
      BucketLoggingConfiguration: {
        destinationBucketName: pick.chance(0.8) ? `nw-${cell.account.id.slice(0, 4)}-access-logs` : null,
        logFilePrefix: null,
      },
      BucketNotificationConfiguration: { configurations: {} },
      BucketPolicy: { policyText: pick.chance(0.85) || publicRead ? JSON.stringify(policy) : null },
      BucketVersioningConfiguration: { status: pick.chance(0.85) ? 'Enabled' : 'Off', isMfaDeleteEnabled: null },
      IsRequesterPaysEnabled: false,
      PublicAccessBlockConfiguration: {
        blockPublicAcls: !publicRead,
        ignorePublicAcls: !publicRead,
        blockPublicPolicy: !publicRead,
        restrictPublicBuckets: !publicRead,
      },
      ServerSideEncryptionConfiguration: {
        rules: [
          {
            applyServerSideEncryptionByDefault: {
              sseAlgorithm: encryption.kind === 'default' ? 'AES256' : pick.chance(0.06) ? 'aws:kms:dsse' : 'aws:kms',
              kmsMasterKeyID: encryption.kind === 'default' ? null : key,
            },
            bucketKeyEnabled: pick.chance(0.9),
          },
        ],
      },
      BucketTaggingConfiguration: { tagSets: [{ tags: c.tags }] },
    },
    troubles: [...troubles, ...(publicRead ? ['public-read'] : [])],
    classification: c.classification,
  };
}

export function volume(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const id = `vol-${pick.hex(17)}`;
  const encryption = chooseEncryption(cell, pick, 'ebs', 'none');
  const zone = zoneOf(cell, pick);
  const attached = pick.chance(0.85);
  return {
    id,
    name: null,
    arn: c.arn('ec2', `volume/${id}`),
    zone,
    tags: { ...c.tags, Name: c.name },
    createdAt: c.createdAt,
    configuration: {
      attachments: attached
        ? [
            {
              attachTime: iso(c.createdAt + 60_000),
              device: '/dev/xvda',
              instanceId: `i-${pick.hex(17)}`,
              state: 'attached',
              volumeId: id,
              deleteOnTermination: true,
            },
          ]
        : [],
      availabilityZone: zone,
      createTime: iso(c.createdAt),
      encrypted: encryption.arn !== null,
      kmsKeyId: encryption.arn,
      outpostArn: null,
      size: pick.pick([30, 60, 100, 200, 500]),
      snapshotId: attached ? `snap-${pick.hex(17)}` : '',
      state: attached ? 'in-use' : 'available',
      volumeId: id,
      iops: 3000,
      tags: keyValue({ ...c.tags, Name: c.name }),
      volumeType: 'gp3',
      fastRestored: null,
      multiAttachEnabled: false,
      throughput: 125,
    },
    troubles: encryption.troubles,
    classification: c.classification,
  };
}

export function fileSystem(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const id = `fs-${pick.hex(17)}`;
  const encryption = chooseEncryption(cell, pick, 'elasticfilesystem', 'none');
  const arn = c.arn('elasticfilesystem', `file-system/${id}`);
  const open = opened(cell, arn, ['elasticfilesystem:ClientMount']);
  return {
    id,
    name: c.name,
    arn,
    tags: { ...c.tags, Name: c.name },
    createdAt: null,
    configuration: {
      FileSystemId: id,
      Arn: arn,
      Encrypted: encryption.arn !== null,
      ...(encryption.arn === null ? {} : { KmsKeyId: encryption.arn }),
      LifecyclePolicies: [{ TransitionToIA: 'AFTER_30_DAYS' }],
      PerformanceMode: 'generalPurpose',
      ThroughputMode: 'elastic',
      BackupPolicy: { Status: 'ENABLED' },
      FileSystemPolicy: policyOrNone(open),
      FileSystemTags: upperKeyValue({ ...c.tags, Name: c.name }),
    },
    troubles: [...encryption.troubles, ...open.troubles],
    classification: c.classification,
  };
}

export function backupVault(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const encryption = chooseEncryption(cell, pick, 'backup', 'default');
  // A vault always names a key: without a choice it is the AWS managed one.
  const fallback = cell.keys.find((key) => key.service === 'backup')?.arn ?? null;
  return {
    id: c.name,
    name: c.name,
    arn: c.arn('backup', `backup-vault:${c.name}`),
    tags: c.tags,
    createdAt: null,
    configuration: {
      BackupVaultName: c.name,
      BackupVaultArn: c.arn('backup', `backup-vault:${c.name}`),
      EncryptionKeyArn: encryption.arn ?? fallback,
      LockConfiguration: { MinRetentionDays: 30 },
      BackupVaultTags: c.tags,
    },
    troubles: encryption.kind === 'default' ? ['aws-managed-key'] : encryption.troubles,
    classification: c.classification,
  };
}

export function secret(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const arn = c.arn('secretsmanager', `secret:${c.name}-${pick.code(6)}`);
  const encryption = chooseEncryption(cell, pick, 'secretsmanager', 'default');
  const key = anyForm(cell, pick, encryption);
  return {
    id: arn,
    name: c.name,
    arn,
    tags: c.tags,
    createdAt: c.createdAt,
    configuration: {
      Id: arn,
      Name: c.name,
      Description: `Credentials of ${c.name}`,
      RotationEnabled: pick.chance(0.8),
      RotationRules: { AutomaticallyAfterDays: 30 },
      ...(key === null ? {} : { KMSKeyId: key }),
      Tags: upperKeyValue(c.tags),
    },
    troubles: key === null ? ['aws-managed-key'] : encryption.troubles,
    classification: c.classification,
  };
}

export function repository(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const c = common(cell, pick, index);
  const name = `northwind/${c.name}`;
  const arn = c.arn('ecr', `repository/${name}`);
  const encryption = chooseEncryption(cell, pick, null, 'default');
  const open = opened(cell, arn, ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']);
  return {
    id: name,
    name,
    arn,
    tags: c.tags,
    createdAt: null,
    configuration: {
      ImageScanningConfiguration: { ScanOnPush: pick.chance(0.9) },
      EncryptionConfiguration: encryption.arn === null ? { EncryptionType: 'AES256' } : { EncryptionType: 'KMS', KmsKey: encryption.arn },
      RepositoryPolicyText: policyOrNone(open),
      LifecyclePolicy: {},
      RepositoryName: name,
      RepositoryUri: `${cell.account.id}.dkr.ecr.${cell.region}.amazonaws.com/${name}`,
      Arn: arn,
      ImageTagMutability: 'IMMUTABLE',
      Tags: upperKeyValue(c.tags),
    },
    troubles: [...(encryption.kind === 'default' ? ['s3-managed-key'] : encryption.troubles), ...open.troubles],
    classification: c.classification,
  };
}
