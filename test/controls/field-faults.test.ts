import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/collectors/registry.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { tryDocuments } from '../../src/controls/assess/try.ts';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { judge, truth } from '../support/language.ts';

/** Known faults of other tools, each of which made a report greener or emptier than the truth. */
const catalogue = await loadCatalogue(join(import.meta.dirname, '../../controls.yaml'));

const account = { accountId: '111122223333', awsRegion: 'eu-west-1' };
const keyId = '0a1b2c3d-1111-4222-8333-444455556666';
const keyArn = `arn:aws:kms:eu-west-1:111122223333:key/${keyId}`;
const key = (configuration: JsonObject): { type: string; document: JsonObject } => ({
  type: 'AWS::KMS::Key',
  document: {
    resourceType: 'AWS::KMS::Key',
    resourceId: keyId,
    arn: keyArn,
    ...account,
    configuration: { keyId, arn: keyArn, keyManager: 'CUSTOMER', keyState: 'Enabled', enabled: true, ...configuration },
  },
});
const alias = (name: string): { type: string; document: JsonObject } => ({
  type: 'AWS::KMS::Alias',
  document: {
    resourceType: 'AWS::KMS::Alias',
    resourceId: name,
    resourceName: name,
    ...account,
    configuration: { AliasName: name, TargetKeyId: keyId },
  },
});
const complete = ['AWS::KMS::Key', 'AWS::KMS::Alias'];

async function status(
  control: string,
  type: string,
  parts: JsonObject,
  related: { type: string; document: JsonObject }[] = [],
  whole: string[] = complete,
): Promise<string | undefined> {
  const line = JSON.stringify({
    id: '1',
    type,
    document: { resourceType: type, resourceId: 'subject', resourceName: 'subject', ...account, ...parts },
    related,
    complete: whole,
  });
  for await (const result of tryDocuments([line], catalogue, readDocument, { asOf: '2026-06-30T12:00:00Z' }))
    if (result.control === control) return result.status;
  return undefined;
}

const bucket = (byDefault: JsonObject): JsonObject => ({
  configuration: {},
  supplementaryConfiguration: { ServerSideEncryptionConfiguration: { rules: [{ applyServerSideEncryptionByDefault: byDefault }] } },
});

describe('keys', () => {
  test('aws:kms without a key is the AWS managed key, not a customer key', async () => {
    expect(await status('aws-s3-bucket-cmk', 'AWS::S3::Bucket', bucket({ sseAlgorithm: 'aws:kms' }))).toBe('fail');
    expect(
      await status('aws-s3-bucket-cmk', 'AWS::S3::Bucket', bucket({ sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn }), [key({})]),
    ).toBe('pass');
  });

  test('a key that AWS manages does not count, though it is named by its ARN', async () => {
    expect(
      await status('aws-s3-bucket-cmk', 'AWS::S3::Bucket', bucket({ sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn }), [
        key({ keyManager: 'AWS' }),
      ]),
    ).toBe('fail');
    expect(
      await status('aws-ebs-volume-cmk', 'AWS::EC2::Volume', { configuration: { encrypted: true, kmsKeyId: keyArn } }, [
        key({ keyManager: 'AWS' }),
      ]),
    ).toBe('fail');
  });

  test('a key is what its record says, not what its alias is called', async () => {
    const queue = (name: string): JsonObject => ({ configuration: { KmsMasterKeyId: name } });
    expect(
      await status('aws-sqs-queue-cmk', 'AWS::SQS::Queue', queue('alias/customer-cmk'), [
        key({ keyManager: 'AWS' }),
        alias('alias/customer-cmk'),
      ]),
    ).toBe('fail');
    expect(await status('aws-sqs-queue-cmk', 'AWS::SQS::Queue', queue('alias/payments'), [key({}), alias('alias/payments')])).toBe('pass');
    expect(await status('aws-sqs-queue-cmk', 'AWS::SQS::Queue', queue('alias/payments'), [], [])).toBe('unknown');
  });

  test('a key in another account, or not recorded, is unknown', async () => {
    const elsewhere = keyArn.replace('111122223333', '999988887777');
    expect(
      await status('aws-s3-bucket-cmk', 'AWS::S3::Bucket', bucket({ sseAlgorithm: 'aws:kms', kmsMasterKeyID: elsewhere }), [key({})], []),
    ).toBe('unknown');
    expect(await status('aws-s3-bucket-cmk', 'AWS::S3::Bucket', bucket({ sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn }), [], [])).toBe(
      'unknown',
    );
  });

  test('what is not encrypted at all fails the key check instead of being left out of it', async () => {
    expect(await status('aws-efs-file-system-cmk', 'AWS::EFS::FileSystem', { configuration: { Encrypted: false } })).toBe('fail');
    expect(await status('aws-ebs-volume-cmk', 'AWS::EC2::Volume', { configuration: { encrypted: false } })).toBe('fail');
  });
});

describe('engines', () => {
  const flaw: Json = { none: { in: 'list', as: 'e', where: { field: '$e.public', equals: true } } };

  test('lists are read to their end', () => {
    const list = Array.from({ length: 100_000 }, (_, index) => ({ public: index === 99_999 }));
    expect(truth(flaw, { list })).toBe('false');
  });

  test('nothing found is not the same as nothing there', () => {
    expect(truth(flaw, { list: [] })).toBe('true');
    expect(truth(flaw, {})).toBe('unknown');
    expect(truth(flaw, { list: null })).toBe('unknown');
    expect(truth({ every: { in: 'list', as: 'e', where: { field: '$e.x', equals: 1 } } }, { list: [] })).toBe('unknown');
  });

  test('null is not "something else"', () => {
    for (const condition of [
      { field: 'x', notEquals: 'Enabled' },
      { field: 'x', notIn: ['Enabled'] },
      { not: { field: 'x', equals: 'Enabled' } },
    ] as Json[]) {
      expect(truth(condition, { x: null })).toBe('unknown');
      expect(truth(condition, {})).toBe('unknown');
      expect(truth(condition, { x: 'Disabled' })).toBe('true');
    }
  });

  test('an exception in a check is an error: neither a violation nor a control that vanishes', () => {
    const outcome = judge({ let: { k: { lookup: 'aws.kms.key', by: 'k' } }, require: { field: '$k.x', equals: 1 } }, { k: 'k' }, 'aws', {
      lookup: () => {
        throw new Error('broken');
      },
    });
    expect(outcome.status).toBe('error');
    expect(outcome.reason).toContain('broken');
  });
});
