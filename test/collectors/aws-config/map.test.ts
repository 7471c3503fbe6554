import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant, normalise, tagsOf } from '../../../src/collectors/aws-config/document.ts';
import { scopeOfDirectory, shapes } from '../../../src/collectors/aws-config/map.ts';
import { readDocument } from '../../../src/collectors/aws-config/read-document.ts';
import type { EvidenceRecord, Json, JsonObject, Query } from '../../../src/model/index.ts';

const query = (shape: string, fields: Partial<Query> = {}): Query => ({
  version: 1,
  collector: 'aws-config',
  scope: '111122223333.eu-west-1',
  name: 'AWS.S3.Bucket',
  provider: 'aws',
  operation: 'SelectResourceConfig',
  shape,
  text: null,
  parameters: {},
  endpoint: '',
  identity: '',
  types: ['AWS::S3::Bucket'],
  status: 'complete',
  reasons: [],
  startedAt: '',
  endedAt: null,
  readTime: null,
  resumeToken: null,
  pages: [],
  ...fields,
});
const read = (shape: string, page: Json, fields: Partial<Query> = {}): EvidenceRecord[] => [
  ...(shapes[shape]?.(page, query(shape, fields), 'evidence/p.json') ?? []),
];
const select = 'aws-config/SelectResourceConfig';

const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }] };
const row: JsonObject = {
  resourceId: 'ledger',
  resourceName: 'ledger',
  resourceType: 'AWS::S3::Bucket',
  arn: 'arn:aws:s3:::ledger',
  accountId: '111122223333',
  awsRegion: 'eu-west-1',
  configurationItemCaptureTime: '2026-10-01T10:00:00.000Z',
  configurationItemStatus: 'OK',
  tags: [{ tag: 'env=prod', key: 'env', value: 'prod' }],
  configuration: { name: 'ledger', owner: { id: 'x' } },
  supplementaryConfiguration: {
    ServerSideEncryptionConfiguration: { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms' } }] },
    AccessControlList: '{"grantList":[]}',
    IsRequesterPaysEnabled: false,
  },
};

describe('Select rows', () => {
  test('a row, text or object, becomes a resource that cites its place', () => {
    const [text, object] = read(select, { Results: [JSON.stringify(row), row] });
    expect(text).toMatchObject({
      record: 'resource',
      resource: {
        kind: 'resource',
        type: 'AWS::S3::Bucket',
        uid: 'arn:aws:s3:::ledger',
        name: 'ledger',
        account: '111122223333',
        location: 'eu-west-1',
        scope: { provider: 'aws', account: '111122223333', region: 'eu-west-1' },
        tags: { env: 'prod' },
        capturedAt: '2026-10-01T10:00:00.000Z',
        citation: { file: 'evidence/p.json', pointer: '/Results/0', encoding: 'json-string' },
      },
    });
    expect(object).toMatchObject({ resource: { citation: { pointer: '/Results/1', encoding: 'json' } } });
  });

  test('rows that are broken, of deleted resources, or of another account are no records; the others keep their place', () => {
    const records = read(select, {
      Results: [
        '{"resourceType":',
        'null',
        '7',
        JSON.stringify({ ...row, configurationItemStatus: 'ResourceDeleted' }),
        JSON.stringify({ ...row, accountId: '999999999999' }),
        JSON.stringify(row),
      ],
    });
    expect(records.map((one) => (one.record === 'resource' ? one.resource.citation.pointer : ''))).toEqual(['/Results/5']);
  });

  test('IAM counts in the region that was asked, and shows its own', () => {
    const [record] = read(select, {
      Results: [{ ...row, resourceType: 'AWS::IAM::Role', arn: 'arn:aws:iam::111122223333:role/r', awsRegion: 'global' }],
    });
    expect(record).toMatchObject({ resource: { location: 'global', scope: { region: 'eu-west-1' } } });
  });

  test('through an aggregator each row names its own scope', () => {
    const records = read(
      'aws-config/SelectAggregateResourceConfig',
      {
        Results: [
          JSON.stringify({ ...row, accountId: '222222222222', awsRegion: 'us-east-1' }),
          JSON.stringify({ ...row, accountId: undefined }),
        ],
      },
      { scope: 'aggregator.111122223333.eu-west-1.org' },
    );
    expect(records).toMatchObject([{ resource: { scope: { account: '222222222222', region: 'us-east-1' } } }]);
  });

  test('an item without an ARN still has one name for itself', () => {
    const { arn: _, ...without } = row;
    const volume = { ...without, resourceType: 'AWS::EC2::Volume', configuration: { volumeId: 'ledger' } };
    expect(read(select, { Results: [volume] })).toMatchObject([{ resource: { uid: 'AWS::EC2::Volume/111122223333/eu-west-1/ledger' } }]);
  });

  test('the ARN may stand in the configuration alone; that of a bucket follows from its name', () => {
    const { arn: _, accountId: _account, ...without } = row;
    const uid = (resourceType: string, configuration: JsonObject, more: JsonObject = {}): unknown =>
      read(select, { Results: [{ ...without, resourceType, configuration, ...more }] })[0];
    const topic = 'arn:aws:sns:eu-west-1:444455556666:t';
    expect(uid('AWS::SNS::Topic', { TopicArn: topic })).toMatchObject({ resource: { uid: topic } });
    expect(uid('AWS::RDS::DBClusterSnapshot', { dbclusterArn: 'arn:aws:rds:x', dbclusterSnapshotArn: topic })).toMatchObject({
      resource: { uid: topic },
    });
    expect(uid('AWS::SNS::Topic', { TopicArn: 'no ARN' })).toMatchObject({
      resource: { uid: 'AWS::SNS::Topic/111122223333/eu-west-1/ledger' },
    });
    expect(uid('AWS::S3::Bucket', {}, { awsRegion: 'cn-north-1' })).toMatchObject({ resource: { uid: 'arn:aws-cn:s3:::ledger' } });
    expect(uid('AWS::S3::Bucket', {}, { resourceId: 'not a bucket' })).toMatchObject({
      resource: { uid: 'AWS::S3::Bucket/111122223333/eu-west-1/not a bucket' },
    });
  });

  test('total over whatever a page holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(shapes)), (page, shape) => {
        read(shape, page as Json);
        read(shape, { Results: [page], EvaluationResults: [page] } as JsonObject);
        readDocument(page as Json, { type: 'AWS::S3::Bucket', id: 'x' });
      }),
    );
  });

  test('hostile keys stay data', () => {
    const hostile = JSON.parse(
      '{"resourceType":"AWS::S3::Bucket","resourceId":"x","accountId":"111122223333","configuration":{"__proto__":{"polluted":true}},"tags":[{"key":"__proto__","value":"v"}],"supplementaryConfiguration":{"__proto__":"{\\"polluted\\":true}"}}',
    ) as JsonObject;
    const [record] = read(select, { Results: [hostile] });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(record?.record === 'resource' && Object.hasOwn(record.resource.tags, '__proto__')).toBe(true);
    expect(
      record?.record === 'resource' && Object.hasOwn(record.resource.document['supplementaryConfiguration'] as object, '__proto__'),
    ).toBe(true);
  });
});

describe('both encodings come to one document', () => {
  const history: JsonObject = {
    ...row,
    configuration: JSON.stringify(row['configuration']),
    supplementaryConfiguration: {
      ServerSideEncryptionConfiguration: JSON.stringify(
        (row['supplementaryConfiguration'] as JsonObject)['ServerSideEncryptionConfiguration'],
      ),
      AccessControlList: JSON.stringify('{"grantList":[]}'),
      IsRequesterPaysEnabled: 'false',
    },
  };
  test('Select and history agree', () => {
    expect(normalise(history)).toEqual(normalise(row));
    expect(normalise(row)).toMatchObject({
      supplementaryConfiguration: { AccessControlList: { grantList: [] }, IsRequesterPaysEnabled: false },
    });
  });
  test('a key policy is an object in each', () => {
    const text = JSON.stringify(policy);
    expect(normalise({ configuration: {}, supplementaryConfiguration: { Policy: text } })).toMatchObject({
      supplementaryConfiguration: { Policy: policy },
    });
    expect(normalise({ configuration: '{}', supplementaryConfiguration: { Policy: text } })).toMatchObject({
      supplementaryConfiguration: { Policy: policy },
    });
    expect(normalise({ configuration: '{}', supplementaryConfiguration: { Policy: JSON.stringify(text) } })).toMatchObject({
      supplementaryConfiguration: { Policy: policy },
    });
  });
  test('text that only looks like JSON stays text, and so does text in a Select row that would read as a boolean', () => {
    expect(normalise({ configuration: {}, supplementaryConfiguration: { A: '{broken', B: 'false', C: '"quoted"' } })).toMatchObject({
      supplementaryConfiguration: { A: '{broken', B: 'false', C: '"quoted"' },
    });
  });
  test('account and ARN under either name', () => {
    expect(normalise({ awsAccountId: '1', ARN: 'arn:x' })).toMatchObject({ accountId: '1', arn: 'arn:x', awsAccountId: '1', ARN: 'arn:x' });
  });
});

test('tags in each of their shapes', () => {
  expect(tagsOf({ tags: [{ tag: 'a=1', key: 'a', value: '1' }] })).toEqual({ a: '1' });
  expect(tagsOf({ tags: { a: '1' } })).toEqual({ a: '1' });
  expect(tagsOf({ configuration: { tags: [{ tagKey: 'a', tagValue: '1' }] } })).toEqual({ a: '1' });
  expect(tagsOf({ supplementaryConfiguration: { Tags: [{ key: 'a', value: '1' }] } })).toEqual({ a: '1' });
  expect(tagsOf({ supplementaryConfiguration: { Tags: '[{"tagKey":"a","tagValue":"1"}]' } })).toEqual({ a: '1' });
  expect(tagsOf({ supplementaryConfiguration: { Tags: { a: '1' } }, tags: { a: 'own' } })).toEqual({ a: 'own' });
  expect(tagsOf({ supplementaryConfiguration: { BucketTaggingConfiguration: { tagSets: [{ tags: { a: '1' } }] } } })).toEqual({ a: '1' });
  expect(tagsOf({ tags: [{ key: 'empty' }, { value: 'no key' }, 7] })).toEqual({ empty: '' });
});

test('times in each of their forms', () => {
  expect(instant(1700000000.5)).toBe('2023-11-14T22:13:20.500Z');
  expect(instant('2017-11-09T12:35:43.639000-05:00')).toBe('2017-11-09T17:35:43.639Z');
  for (const nonsense of ['soon', null, undefined, 1e300, {}, true]) expect(instant(nonsense as Json)).toBeNull();
});

test('directories of scopes', () => {
  expect(scopeOfDirectory('111122223333.eu-west-1')).toEqual({ provider: 'aws', account: '111122223333', region: 'eu-west-1' });
  expect(scopeOfDirectory('aggregator.111122223333.eu-west-1.org')).toBeNull();
});

test('rule results become verdicts under the managed rule that the query names', () => {
  const result = {
    EvaluationResultIdentifier: {
      EvaluationResultQualifier: { ConfigRuleName: 'our-rule', ResourceType: 'AWS::EC2::Volume', ResourceId: 'vol-1' },
    },
    ComplianceType: 'NON_COMPLIANT',
    ResultRecordedTime: 1700000000,
  };
  expect(
    read(
      'aws-config/GetComplianceDetailsByConfigRule',
      { EvaluationResults: [result, { ...result, ComplianceType: null }, 'x'] },
      { types: ['verdict:ENCRYPTED_VOLUMES'] },
    ),
  ).toEqual([
    {
      record: 'verdict',
      verdict: {
        provider: 'aws',
        rule: 'ENCRYPTED_VOLUMES',
        deployment: 'our-rule',
        verdict: 'NON_COMPLIANT',
        resourceType: 'AWS::EC2::Volume',
        uid: 'vol-1',
        scope: { provider: 'aws', account: '111122223333', region: 'eu-west-1' },
        evaluatedAt: '2023-11-14T22:13:20.000Z',
        citation: { file: 'evidence/p.json', pointer: '/EvaluationResults/0', encoding: 'json' },
      },
    },
  ]);
});

describe('readDocument', () => {
  const hint = { type: 'AWS::S3::Bucket', id: 'case-1' };
  test('a Select row, object or text', () => {
    expect(readDocument(row, hint)).toMatchObject([{ uid: 'arn:aws:s3:::ledger' }]);
    expect(readDocument(JSON.stringify(row), hint)).toMatchObject([{ uid: 'arn:aws:s3:::ledger', citation: { encoding: 'json-string' } }]);
  });
  test('an item inside the event that a rule receives', () => {
    const event = {
      invokingEvent: JSON.stringify({
        configurationItem: { ...row, configuration: '{"name":"ledger"}' },
        messageType: 'ConfigurationItemChangeNotification',
      }),
      ruleParameters: '{}',
    };
    expect(readDocument(event, hint)).toMatchObject([{ uid: 'arn:aws:s3:::ledger', document: { configuration: { name: 'ledger' } } }]);
  });
  test('BatchGet and history answers', () => {
    expect(readDocument({ baseConfigurationItems: [row, row] }, hint)).toHaveLength(2);
    expect(readDocument({ configurationItems: [row] }, hint)).toHaveLength(1);
  });
  test('a partial item written by hand: account from its ARN, type from the line', () => {
    expect(
      readDocument(
        { arn: 'arn:aws:kms:eu-west-1:444455556666:key/k', configuration: { keyManager: 'CUSTOMER' } },
        { type: 'AWS::KMS::Key', id: 'k' },
      ),
    ).toMatchObject([{ type: 'AWS::KMS::Key', account: '444455556666', location: 'eu-west-1' }]);
    expect(readDocument({ configuration: {} }, hint)).toMatchObject([{ type: 'AWS::S3::Bucket', name: 'case-1', account: '000000000000' }]);
  });
  test('a deleted resource is not judged; a document of another provider is not ours', () => {
    expect(readDocument({ ...row, configurationItemStatus: 'ResourceDeleted' }, hint)).toEqual([]);
    expect(
      readDocument(
        { id: '/subscriptions/x', type: 'microsoft.storage/storageaccounts' },
        { type: 'microsoft.storage/storageaccounts', id: 'x' },
      ),
    ).toBeNull();
  });
});

const recordings = new URL('../../../../shared/recordings/aws-config/', import.meta.url);
test.skipIf(!existsSync(recordings))('recorded items of both encodings are read, and none keeps its configuration as text', () => {
  const items = ['c7n-history-items.json', 'c7n-select-results.json'].flatMap(
    (file) => JSON.parse(readFileSync(new URL(file, recordings), 'utf8')) as JsonObject[],
  );
  let resources = 0;
  for (const item of items) {
    const read = readDocument(item, { type: 'AWS::Recorded::Item', id: 'x' });
    expect(read).not.toBeNull();
    for (const { document } of read ?? []) {
      resources += 1;
      expect(typeof document['configuration']).not.toBe('string');
      for (const value of Object.values((document['supplementaryConfiguration'] ?? {}) as JsonObject))
        if (typeof value === 'string') expect(value).not.toMatch(/^\s*[[{]/);
    }
  }
  expect(resources).toBeGreaterThan(60);
});
