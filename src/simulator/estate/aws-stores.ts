import { dbCluster, dbClusterSnapshot, dbInstance, dbSnapshot, dynamoTable, redshift, searchDomain } from './aws-databases.ts';
import { kubernetes, lambda, queue, stream, topic, trail } from './aws-services.ts';
import { backupVault, bucket, fileSystem, repository, secret, volume } from './aws-storage.ts';
import type { AwsStoreType } from './aws-store.ts';

/** Every kind of store, with its share of the estate. */
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
