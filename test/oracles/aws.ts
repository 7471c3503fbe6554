import type { OracleTable } from './oracle-table.ts';

/**
 * The published verdicts on AWS documents come from tests of rules that ask "is it encrypted", mostly on CloudFormation templates
 * turned into configuration items. Ours ask for a customer managed key and never read absence as evidence where the service always
 * reports the field, so we differ in these.
 */
export const aws: OracleTable = {
  cloud: 'aws',
  judgedBy: {
    'aws.cloudtrail.kms': 'aws-cloudtrail-trail-cmk',
    'aws.dynamodb.kms': 'aws-dynamodb-table-cmk',
    'aws.ebs.encrypted': 'aws-ebs-volume-cmk',
    'aws.efs.encrypted': 'aws-efs-file-system-cmk',
    'aws.eks.secrets-encryption': 'aws-eks-cluster-secrets-cmk',
    'aws.kinesis.encrypted': 'aws-kinesis-stream-cmk',
    'aws.kms.rotation': 'aws-kms-key-rotation',
    'aws.opensearch.encrypted': 'aws-opensearch-domain-cmk/domain',
    'aws.rds.encrypted': 'aws-rds-instance-cmk',
    'aws.redshift.encrypted': 'aws-redshift-cluster-cmk',
    'aws.s3.default-encryption': 'aws-s3-bucket-cmk',
    'aws.s3.encryption-kms': 'aws-s3-bucket-cmk',
    'aws.sqs.kms': 'aws-sqs-queue-cmk',
  },
  judgedByType: {
    'aws.opensearch.encrypted AWS::Elasticsearch::Domain': 'aws-opensearch-domain-cmk/elasticsearch-domain',
  },
  differences: {
    'aws-f5379cffca60': {
      ours: 'unknown',
      because:
        'The description of the encryption names neither type nor key. DynamoDB reports both for a table under a KMS key; without them the AWS managed key cannot be told from a customer managed one.',
    },
    'aws-60802dc4f8a5': { ours: 'fail', because: 'AES256 (SSE-S3) is encryption, but with a key that AWS owns.' },
    'aws-29e876972520': {
      ours: 'unknown',
      because:
        'A queue that names some key is not yet under a customer managed key: the key has to be resolved, and its record is not given.',
    },
    'aws-4b5c9d56212d': {
      ours: 'unknown',
      because: 'The instance is encrypted, but its key is an unresolved template reference, so which class of key it is cannot be told.',
    },
    'aws-42dc4b82feb6': {
      ours: 'unknown',
      because: 'Encryption at rest is on, but the key is not recorded; it may be the AWS managed key aws/es.',
    },
    'aws-9f149ecb99be': {
      ours: 'unknown',
      because: 'Encryption at rest is on, but the key is not recorded; it may be the AWS managed key aws/es.',
    },
    'aws-98e2e2b96aa0': {
      ours: 'unknown',
      because:
        'Amazon RDS always reports whether storage is encrypted. A template may leave it out; a record without it is incomplete, and says nothing either way.',
    },
    'aws-cb43eb08b0eb': {
      ours: 'unknown',
      because:
        'Amazon EFS always reports whether a file system is encrypted. A record without it is incomplete, and says nothing either way.',
    },
    'aws-270726d8a696': {
      ours: 'unknown',
      because:
        'OpenSearch Service always reports the encryption options. A record without them is incomplete, and says nothing either way.',
    },
    'aws-6cbdb65608a8': {
      ours: 'unknown',
      because:
        'The record holds an encryption block with a key but without a type, which Kinesis never reports: it contradicts itself, so nothing is concluded.',
    },
  },
};
