/**
 * Fields of resource types as their inventories publish them: for AWS below `configuration` and `supplementaryConfiguration` of the
 * configuration item, for Azure below `properties`, for Google Cloud below `resource.data`. Not complete: a path that is not here is
 * no mistake, but one that differs from these by a letter is.
 */
const listed: Readonly<Record<string, string>> = {
  'AWS::KMS::Key':
    'configuration: keyId arn keyManager keyState enabled origin expirationModel validTo keySpec keyUsage customKeyStoreId deletionDate multiRegion customerMasterKeySpec awsaccountId creationDate description; supplementaryConfiguration: KeyRotationStatus Policy',
  'AWS::KMS::Alias': 'configuration: AliasName TargetKeyId',
  'AWS::S3::Bucket':
    'supplementaryConfiguration: ServerSideEncryptionConfiguration PublicAccessBlockConfiguration BucketVersioningConfiguration BucketLoggingConfiguration ObjectLockConfiguration BucketPolicy AccessControlList',
  'AWS::EC2::Volume': 'configuration: encrypted kmsKeyId volumeId size state volumeType',
  'AWS::RDS::DBInstance':
    'configuration: storageEncrypted kmsKeyId performanceInsightsEnabled performanceInsightsKMSKeyId publiclyAccessible backupRetentionPeriod deletionProtection engine',
  'AWS::RDS::DBCluster':
    'configuration: storageEncrypted kmsKeyId performanceInsightsKMSKeyId backupRetentionPeriod deletionProtection engine',
  'AWS::RDS::DBSnapshot': 'configuration: encrypted kmsKeyId snapshotType',
  'AWS::RDS::DBClusterSnapshot': 'configuration: storageEncrypted kmsKeyId snapshotType',
  'AWS::DynamoDB::Table':
    'configuration: ssedescription tableStatus tableArn; configuration.ssedescription: status ssetype kmsmasterKeyArn',
  'AWS::EFS::FileSystem': 'configuration: Encrypted KmsKeyId FileSystemId',
  'AWS::CloudTrail::Trail':
    'configuration: kmsKeyId logFileValidationEnabled isMultiRegionTrail isOrganizationTrail s3BucketName cloudWatchLogsLogGroupArn homeRegion',
  'AWS::Redshift::Cluster': 'configuration: encrypted kmsKeyId publiclyAccessible; supplementaryConfiguration: LoggingStatus',
  'AWS::SQS::Queue': 'configuration: KmsMasterKeyId SqsManagedSseEnabled KmsDataKeyReusePeriodSeconds QueueUrl',
  'AWS::SNS::Topic': 'configuration: KmsMasterKeyId Policy TopicArn',
  'AWS::SecretsManager::Secret': 'configuration: KMSKeyId KmsKeyId RotationEnabled RotationRules',
  'AWS::OpenSearch::Domain':
    'configuration: EncryptionAtRestOptions NodeToNodeEncryptionOptions DomainEndpointOptions; configuration.EncryptionAtRestOptions: Enabled KmsKeyId',
  'AWS::Lambda::Function': 'configuration: kmskeyArn environment functionName role',
  'AWS::ECR::Repository': 'configuration: EncryptionConfiguration; configuration.EncryptionConfiguration: EncryptionType KmsKey',
  'AWS::EKS::Cluster': 'configuration: EncryptionConfig',
  'AWS::Kinesis::Stream': 'configuration: StreamEncryption; configuration.StreamEncryption: EncryptionType KeyId',
  'AWS::Backup::BackupVault': 'configuration: EncryptionKeyArn BackupVaultName',
  'AWS::IAM::Policy': 'configuration: policyVersionList attachmentCount policyName arn',
  'microsoft.storage/storageaccounts':
    'properties: encryption minimumTlsVersion supportsHttpsTrafficOnly allowBlobPublicAccess allowSharedKeyAccess publicNetworkAccess networkAcls; properties.encryption: keySource keyvaultproperties identity requireInfrastructureEncryption services; properties.encryption.keyvaultproperties: keyname keyversion keyvaulturi currentVersionedKeyIdentifier lastKeyRotationTimestamp; properties.encryption.identity: userAssignedIdentity federatedIdentityClientId; properties.encryption.services: blob file table queue',
  'microsoft.keyvault/vaults':
    'properties: enablePurgeProtection enableSoftDelete softDeleteRetentionInDays enableRbacAuthorization accessPolicies publicNetworkAccess networkAcls vaultUri tenantId sku',
  'microsoft.keyvault/managedhsms':
    'properties: enablePurgeProtection enableSoftDelete softDeleteRetentionInDays hsmUri publicNetworkAccess networkAcls',
  'microsoft.compute/disks':
    'properties: encryption securityProfile diskState diskSizeGB; properties.encryption: type diskEncryptionSetId; properties.securityProfile: securityType secureVMDiskEncryptionSetId',
  'microsoft.compute/diskencryptionsets':
    'properties: activeKey encryptionType rotationToLatestKeyVersionEnabled lastKeyRotationTimestamp autoKeyRotationError federatedClientId; properties.activeKey: keyUrl sourceVault',
  'microsoft.compute/snapshots':
    'properties: encryption securityProfile diskState diskSizeGB; properties.encryption: type diskEncryptionSetId; properties.securityProfile: securityType secureVMDiskEncryptionSetId',
  'microsoft.sql/servers':
    'properties: keyId primaryUserAssignedIdentityId federatedClientId minimalTlsVersion publicNetworkAccess administrators',
  'microsoft.documentdb/databaseaccounts': 'properties: keyVaultKeyUri defaultIdentity publicNetworkAccess',
  'microsoft.dbforpostgresql/flexibleservers':
    'properties: dataEncryption; properties.dataEncryption: type primaryKeyURI primaryUserAssignedIdentityId geoBackupKeyURI geoBackupUserAssignedIdentityId',
  'microsoft.dbformysql/flexibleservers':
    'properties: dataEncryption; properties.dataEncryption: type primaryKeyURI primaryUserAssignedIdentityId geoBackupKeyURI geoBackupUserAssignedIdentityId',
  'microsoft.containerregistry/registries': 'properties: encryption; properties.encryption: status keyVaultProperties',
  'microsoft.containerservice/managedclusters':
    'properties: diskEncryptionSetID securityProfile; properties.securityProfile: azureKeyVaultKms; properties.securityProfile.azureKeyVaultKms: enabled keyId keyVaultNetworkAccess keyVaultResourceId',
  'microsoft.eventhub/namespaces':
    'properties: encryption disableLocalAuth publicNetworkAccess; properties.encryption: keySource keyVaultProperties requireInfrastructureEncryption',
  'microsoft.servicebus/namespaces':
    'properties: encryption disableLocalAuth publicNetworkAccess; properties.encryption: keySource keyVaultProperties requireInfrastructureEncryption',
  'microsoft.datafactory/factories':
    'properties: encryption publicNetworkAccess; properties.encryption: vaultBaseUrl keyName keyVersion identity',
  'microsoft.operationalinsights/clusters':
    'properties: keyVaultProperties isDoubleEncryptionEnabled; properties.keyVaultProperties: keyVaultUri keyName keyVersion keyRsaSize',
  'cloudkms.googleapis.com/CryptoKey':
    'resource.data: rotationPeriod nextRotationTime purpose primary versionTemplate createTime name; resource.data.primary: state protectionLevel createTime algorithm; resource.data.versionTemplate: protectionLevel algorithm',
  'storage.googleapis.com/Bucket':
    'resource.data: encryption iamConfiguration projectNumber location name; resource.data.encryption: defaultKmsKeyName',
  'compute.googleapis.com/Disk':
    'resource.data: diskEncryptionKey; resource.data.diskEncryptionKey: kmsKeyName rawKey sha256 kmsKeyServiceAccount',
  'compute.googleapis.com/Snapshot': 'resource.data: snapshotEncryptionKey; resource.data.snapshotEncryptionKey: kmsKeyName rawKey',
  'compute.googleapis.com/Image': 'resource.data: imageEncryptionKey; resource.data.imageEncryptionKey: kmsKeyName rawKey',
  'sqladmin.googleapis.com/Instance':
    'resource.data: diskEncryptionConfiguration databaseVersion settings; resource.data.diskEncryptionConfiguration: kmsKeyName',
  'bigquery.googleapis.com/Dataset':
    'resource.data: defaultEncryptionConfiguration; resource.data.defaultEncryptionConfiguration: kmsKeyName',
  'bigquery.googleapis.com/Table': 'resource.data: encryptionConfiguration; resource.data.encryptionConfiguration: kmsKeyName',
  'pubsub.googleapis.com/Topic': 'resource.data: kmsKeyName',
  'artifactregistry.googleapis.com/Repository': 'resource.data: kmsKeyName',
  'file.googleapis.com/Instance': 'resource.data: kmsKeyName',
  'spanner.googleapis.com/Database': 'resource.data: encryptionConfig; resource.data.encryptionConfig: kmsKeyName kmsKeyNames',
  'container.googleapis.com/Cluster': 'resource.data: databaseEncryption; resource.data.databaseEncryption: state keyName',
};

/** The listed paths of a type, as `configuration.kmsKeyId`; empty for a type that is not listed. */
export function knownPaths(type: string): string[] {
  const text = listed[type];
  if (text === undefined) return [];
  return text.split(';').flatMap((group) => {
    const [head = '', fields = ''] = group.split(':');
    return fields
      .trim()
      .split(/\s+/)
      .map((field) => `${head.trim()}.${field}`);
  });
}
