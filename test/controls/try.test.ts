import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { readDocument, readVerdicts } from '../../src/collectors/registry.ts';
import { compileControls } from '../../src/controls/catalogue/load.ts';
import { splitLines, tryDocuments, TryInputError } from '../../src/controls/assess/try.ts';
import type { TryOptions, TryResult } from '../../src/controls/assess/try.ts';
import type { Catalogue } from '../../src/controls/types.ts';

const text = `
- id: aws-bucket-cmk
  title: Buckets use a customer managed key
  section: S
  level: 2
  assessment: automated
  on: AWS::S3::Bucket
  scope: { critical: true }
  let:
    sse: { path: "supplementaryConfiguration.ServerSideEncryptionConfiguration.rules[0].applyServerSideEncryptionByDefault" }
    key: { lookup: aws.kms.key, by: $sse.kmsMasterKeyID }
  require:
    all:
    - { id: key-named, field: $sse.kmsMasterKeyID, present: true }
    - { id: key-customer, field: $key.configuration.keyManager, equals: CUSTOMER }
- id: azure-disk-cmk
  title: Disks
  section: S
  level: 2
  assessment: automated
  on: microsoft.compute/disks
  require: { field: properties.encryption.type, equals: EncryptionAtRestWithCustomerKey }
- id: gcp-bucket-cmek
  title: Buckets
  section: S
  level: 2
  assessment: automated
  on: storage.googleapis.com/Bucket
  require: { field: resource.data.encryption.defaultKmsKeyName, present: true, within: resource.data }
- id: gcp-key-purpose
  title: Keys
  section: S
  level: 2
  assessment: automated
  checks:
    - id: disk
      on: compute.googleapis.com/Disk
      let: { key: { lookup: gcp.kms.key, by: resource.data.diskEncryptionKey.kmsKeyName } }
      require: { field: $key.resource.data.purpose, equals: ENCRYPT_DECRYPT }
    - id: key
      on: cloudkms.googleapis.com/CryptoKey
      require: { field: resource.data.purpose, equals: ENCRYPT_DECRYPT }
- id: aws-trail
  title: Some trail covers all regions
  section: S
  level: 1
  assessment: automated
  on: AWS::CloudTrail::Trail
  aggregate: { per: accountId, atLeast: 1, emptyScope: fail }
  require: { field: configuration.isMultiRegionTrail, equals: true }
- id: azure-keys-rotate
  title: Keys rotate
  section: S
  level: 1
  assessment: automated
  verdict: { azurePolicy: d8cf8476-a2ec-4916-896e-992351803c44, parents: microsoft.keyvault/vaults }
- id: aws-recent
  title: Recent
  section: S
  level: 1
  assessment: automated
  on: AWS::EC2::Volume
  require: { field: configuration.createTime, newerThan: P90D }
`;
const catalogue: Catalogue = {
  name: 't',
  version: '1',
  directory: '.',
  files: [],
  sections: ['S'],
  parameters: {},
  controls: compileControls(text),
};

async function run(lines: (object | string)[], options: Partial<TryOptions> = {}): Promise<TryResult[]> {
  const results: TryResult[] = [];
  const source = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  for await (const result of tryDocuments(source, catalogue, readDocument, { asOf: '2026-06-30T12:00:00Z', ...options }))
    results.push(result);
  return results;
}
const short = (results: TryResult[]): string[] => results.map(({ id, control, check, status }) => `${id} ${control} ${check} ${status}`);

const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-1111-4222-8333-444455556666';
const sse = { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn } }] };
const key = {
  type: 'AWS::KMS::Key',
  document: {
    resourceType: 'AWS::KMS::Key',
    arn: keyArn,
    resourceId: keyArn.split('/')[1],
    accountId: '111122223333',
    awsRegion: 'eu-west-1',
    configuration: { keyId: keyArn.split('/')[1], keyManager: 'CUSTOMER' },
  },
};

describe('judging documents', () => {
  test('a resource and its IAM policy, listed apart as the inventory of Google Cloud does, are one', async () => {
    const key = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
    const type = 'cloudkms.googleapis.com/CryptoKey';
    const asset = { name: `//cloudkms.googleapis.com/${key}`, assetType: type, ancestors: ['projects/1', 'organizations/2'] };
    const data = { ...asset, resource: { data: { purpose: 'ENCRYPT_DECRYPT' } } };
    const policy = { ...asset, iamPolicy: { bindings: [{ role: 'r', members: ['user:a@x.example'] }] } };
    const disk = {
      name: '//compute.googleapis.com/projects/p/zones/z/disks/d',
      assetType: 'compute.googleapis.com/Disk',
      resource: { data: { diskEncryptionKey: { kmsKeyName: key } } },
    };
    const line = (id: string, subject: typeof asset | typeof disk, ...related: object[]): object => {
      return { id, type: subject.assetType, document: subject, related: related.map((document) => ({ type, document })), complete: [type] };
    };
    const lines = [
      line('apart', disk, data, policy),
      line('the other way', disk, policy, data),
      line('its policy twice', disk, policy, { ...policy, updateTime: '2026-06-01T00:00:00Z' }, data),
      line('as the client library lists them', disk, { ...policy, resource: null }, { ...policy, resource: {} }, data),
      line('the policy alone', disk, policy),
      line('at odds', disk, data, { ...data, resource: { data: { purpose: 'MAC' } } }, policy),
      line('the policy is asked about', policy, data),
    ];
    expect(short(await run(lines))).toEqual([
      'apart gcp-key-purpose disk pass',
      'the other way gcp-key-purpose disk pass',
      'its policy twice gcp-key-purpose disk pass',
      'as the client library lists them gcp-key-purpose disk pass',
      'the policy alone gcp-key-purpose disk unknown',
      'at odds gcp-key-purpose disk unknown',
      'the policy is asked about gcp-key-purpose key pass',
    ]);
  });

  test('of a page the resource of the type that was asked for', async () => {
    const asset = (assetType: string, data: object): object => ({ name: `//${assetType}`, assetType, resource: { data } });
    const document = {
      assets: [
        asset('cloudresourcemanager.googleapis.com/Project', { projectId: 'p' }),
        asset('storage.googleapis.com/Bucket', { encryption: { defaultKmsKeyName: 'k' } }),
      ],
    };
    expect(short(await run([{ id: '1', type: 'storage.googleapis.com/bucket', document }]))).toEqual(['1 gcp-bucket-cmek main pass']);
  });

  test('a bucket with and without its key, and with the key known not to be there', async () => {
    const document = {
      resourceType: 'AWS::S3::Bucket',
      resourceId: 'b',
      supplementaryConfiguration: { ServerSideEncryptionConfiguration: sse },
    };
    expect(
      short(
        await run([
          { id: '1', type: 'AWS::S3::Bucket', document, related: [key] },
          { id: '2', type: 'aws::s3::BUCKET', document },
          { id: '3', type: 'AWS::S3::Bucket', document: { ...document, accountId: '111122223333' }, complete: ['AWS::KMS::Key'] },
          {
            id: '3 of another account',
            type: 'AWS::S3::Bucket',
            document: { ...document, accountId: '444455556666' },
            complete: ['AWS::KMS::Key'],
          },
          { id: '3 of no account', type: 'AWS::S3::Bucket', document, complete: ['AWS::KMS::Key'] },
          { id: '4', type: 'AWS::S3::Bucket', document: { ...document, supplementaryConfiguration: {} } },
        ]),
      ),
    ).toEqual([
      '1 aws-bucket-cmk main pass',
      '2 aws-bucket-cmk main unknown',
      '3 aws-bucket-cmk main fail',
      '3 of another account aws-bucket-cmk main unknown',
      '3 of no account aws-bucket-cmk main unknown',
      '4 aws-bucket-cmk main unknown',
    ]);
  });

  test('the same verdict whichever way the provider encodes the document', async () => {
    const item = { resourceType: 'AWS::S3::Bucket', resourceId: 'b', accountId: '111122223333', awsRegion: 'eu-west-1' };
    const shapes = [
      { ...item, supplementaryConfiguration: { ServerSideEncryptionConfiguration: sse } },
      { ...item, supplementaryConfiguration: { ServerSideEncryptionConfiguration: JSON.stringify(sse) } },
      JSON.stringify({ ...item, supplementaryConfiguration: { ServerSideEncryptionConfiguration: sse } }),
      { configurationItem: { ...item, supplementaryConfiguration: { ServerSideEncryptionConfiguration: sse } } },
    ];
    const results = await run(shapes.map((document, index) => ({ id: String(index), type: 'AWS::S3::Bucket', document, related: [key] })));
    expect(results.map(({ status }) => status)).toEqual(['pass', 'pass', 'pass', 'pass']);
    const gcp = [
      {
        name: '//storage.googleapis.com/b',
        assetType: 'storage.googleapis.com/Bucket',
        resource: { data: { encryption: { defaultKmsKeyName: 'k' } } },
      },
      {
        name: '//storage.googleapis.com/b',
        asset_type: 'storage.googleapis.com/Bucket',
        resource: { data: { encryption: { defaultKmsKeyName: 'k' } } },
      },
    ];
    expect(
      (await run(gcp.map((document, index) => ({ id: String(index), type: 'storage.googleapis.com/Bucket', document })))).map(
        ({ status }) => status,
      ),
    ).toEqual(['pass', 'pass']);
    const azure = [
      {
        id: '/subscriptions/0f/resourceGroups/g/providers/Microsoft.Compute/disks/d',
        type: 'Microsoft.Compute/disks',
        properties: { encryption: { type: 'EncryptionAtRestWithCustomerKey' } },
      },
      { type: 'microsoft.compute/disks', Properties: { Encryption: { Type: 'encryptionatrestwithcustomerkey' } } },
    ];
    expect(
      (await run(azure.map((document, index) => ({ id: String(index), type: 'Microsoft.Compute/disks', document })))).map(
        ({ status }) => status,
      ),
    ).toEqual(['pass', 'pass']);
  });

  test('each record of a page is judged, once; what is of another type only stands beside it', async () => {
    const disk = (name: string, type: string): object => ({
      id: `/subscriptions/0f/resourceGroups/g/providers/Microsoft.Compute/disks/${name}`,
      type: 'Microsoft.Compute/disks',
      properties: { encryption: { type } },
    });
    const vault = { id: '/subscriptions/0f/providers/Microsoft.KeyVault/vaults/v', type: 'Microsoft.KeyVault/vaults', properties: {} };
    const good = disk('a', 'EncryptionAtRestWithCustomerKey');
    const bad = disk('b', 'EncryptionAtRestWithPlatformKey');
    const page = { value: [vault, good, bad, good] };
    expect((await run([{ id: 'p', type: 'Microsoft.Compute/disks', document: page }])).map(({ status }) => status)).toEqual([
      'pass',
      'fail',
    ]);
  });

  test('a part of a resource, what is said about it and what is left after its deletion are not judged in its place', async () => {
    const properties = { encryption: { type: 'EncryptionAtRestWithCustomerKey' } };
    const results = await run(
      [
        'Microsoft.Compute/deletedDisks',
        'Microsoft.PolicyInsights/policyStates',
        'Microsoft.Compute/disks/parts',
        'Microsoft.Compute/snapshots',
      ].map((type, at) => ({
        id: String(at),
        type: 'Microsoft.Compute/disks',
        document: { id: `/subscriptions/0f/${at}`, type, properties },
      })),
    );
    expect(results.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown', 'pass']);
    expect(results[0]?.reason).toBe('the document holds no Microsoft.Compute/disks but microsoft.compute/deleteddisks');
  });

  test('a verdict of the provider is judged by the checks that rest on its rule', async () => {
    const state = (complianceState: string, guid = 'd8cf8476-a2ec-4916-896e-992351803c44'): object => ({
      id: complianceState,
      type: 'microsoft.policyinsights/policystates',
      document: {
        resourceId: '/subscriptions/0f/providers/Microsoft.KeyVault/vaults/v',
        policyDefinitionId: `/providers/Microsoft.Authorization/policyDefinitions/${guid}`,
        complianceState,
      },
    });
    const lines = [state('Compliant'), state('NonCompliant'), state('Exempt'), state('Compliant', '0')];
    expect(short(await run(lines, { readVerdicts }))).toEqual([
      'Compliant azure-keys-rotate main pass',
      'NonCompliant azure-keys-rotate main fail',
      'Exempt azure-keys-rotate main unknown',
    ]);
  });

  test('among several records the one of the type asked for is judged; one of another type is none', async () => {
    const bucket = {
      resourceType: 'AWS::S3::Bucket',
      resourceId: 'b',
      supplementaryConfiguration: { ServerSideEncryptionConfiguration: sse },
    };
    const results = await run([
      { id: '1', type: 'AWS::S3::Bucket', document: { configurationItems: [key.document, bucket] } },
      { id: '2', type: 'AWS::CloudTrail::Trail', document: bucket },
    ]);
    expect(results).toMatchObject([
      { id: '1', status: 'pass' },
      { id: '2', status: 'unknown', reason: 'the document holds no AWS::CloudTrail::Trail but AWS::S3::Bucket' },
    ]);
  });

  test('each result says what was observed', async () => {
    const [result] = await run([
      {
        id: 7,
        type: 'microsoft.compute/disks',
        document: { type: 'microsoft.compute/disks', properties: { encryption: { type: 'EncryptionAtRestWithPlatformKey' } } },
      },
    ]);
    expect(result).toEqual({
      id: '7',
      control: 'azure-disk-cmk',
      check: 'main',
      status: 'fail',
      reason: 'properties.encryption.type is EncryptionAtRestWithPlatformKey, expected EncryptionAtRestWithCustomerKey',
      observed: [
        {
          id: 'require',
          path: 'properties.encryption.type',
          operator: 'equals',
          expected: 'EncryptionAtRestWithCustomerKey',
          observed: 'EncryptionAtRestWithPlatformKey',
          outcome: 'false',
          source: 0,
        },
      ],
    });
  });

  test('a document without any metadata is judged by what it shows', async () => {
    expect(
      short(
        await run([
          {
            id: '1',
            type: 'AWS::S3::Bucket',
            document: { supplementaryConfiguration: { ServerSideEncryptionConfiguration: sse } },
            related: [key],
          },
        ]),
      ),
    ).toEqual(['1 aws-bucket-cmk main pass']);
  });

  test('a check over groups takes the document for its group', async () => {
    const trail = (isMultiRegionTrail: unknown): object => ({
      id: 't',
      type: 'AWS::CloudTrail::Trail',
      document: { configuration: { isMultiRegionTrail } },
    });
    expect((await run([trail(true), trail(false), trail('true')])).map(({ status }) => status)).toEqual(['pass', 'fail', 'unknown']);
  });

  test('dates compare with asOf, never with the clock', async () => {
    const volume = { id: 'v', type: 'AWS::EC2::Volume', document: { configuration: { createTime: '2026-06-01T00:00:00Z' } } };
    expect((await run([volume]))[0]?.status).toBe('pass');
    expect((await run([volume], { asOf: '2027-06-30T00:00:00Z' }))[0]?.status).toBe('fail');
  });

  test('bad lines are named together, after the good ones were judged', async () => {
    const good = { id: 'g', type: 'microsoft.compute/disks', document: { type: 'microsoft.compute/disks', properties: {} } };
    const results: TryResult[] = [];
    const bad = async (): Promise<void> => {
      const lines = [
        '{',
        JSON.stringify(good),
        '',
        '[]',
        '{"id":"x"}',
        '{"id":"x","type":"T"}',
        '{"id":"x","type":"T","document":{},"related":[{}]}',
        '{"id":"x","type":"T","document":{},"complete":"T"}',
        JSON.stringify({ ...good, id: 'h' }),
      ];
      for await (const result of tryDocuments(lines, catalogue, readDocument, { asOf: '2026-06-30T12:00:00Z' })) results.push(result);
    };
    const error = await bad().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(TryInputError);
    expect((error as TryInputError).lines.map(({ line }) => line)).toEqual([1, 4, 5, 6, 7, 8]);
    expect((error as TryInputError).message).toMatch(/^line 1: not JSON/);
    expect(results.map(({ id }) => id)).toEqual(['g', 'h']);
  });

  test('a type that no check is on is told, not hidden', async () => {
    const told: string[] = [];
    expect(
      await run([{ id: 'u', type: 'AWS::Unheard::Of', document: {} }], {
        onUnmatched: (line, id, type) => told.push(`${line} ${id} ${type}`),
      }),
    ).toEqual([]);
    expect(told).toEqual(['1 u AWS::Unheard::Of']);
  });

  test('a document that is hostile or of another kind is unknown or named, never a crash', async () => {
    const deep = `{"id":"d","type":"AWS::S3::Bucket","document":{"configuration":${'[['.repeat(5_000)}${']]'.repeat(5_000)}}}`;
    const results = await run([deep, '{"id":"p","type":"AWS::S3::Bucket","document":{"__proto__":{"supplementaryConfiguration":1}}}']);
    expect(results.map(({ status }) => status)).toEqual(['unknown', 'unknown']);
  });
});

test('lines end at line feeds only, wherever the chunks of the input end', async () => {
  const text = '{"a":"é\u2028\u2029\u0085"}\r\n\n{"b":"😀"}';
  for (const size of [1, 2, 3, 7, 1000]) {
    const bytes = new TextEncoder().encode(text);
    const lines: string[] = [];
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
    for await (const line of splitLines(Readable.from(chunks, { objectMode: true }))) lines.push(line);
    expect(lines).toEqual(['{"a":"é\u2028\u2029\u0085"}\r', '', '{"b":"😀"}']);
  }
});

test('the shipped catalogue judges documents', async () => {
  const { loadCatalogue } = await import('../../src/controls/catalogue/load.ts');
  const shipped = await loadCatalogue(join(import.meta.dirname, '../../controls.yaml'));
  const results: TryResult[] = [];
  for await (const result of tryDocuments(
    [JSON.stringify({ id: '1', type: 'AWS::EC2::Volume', document: { configuration: { encrypted: false } } })],
    shipped,
    readDocument,
    { asOf: '2026-06-30T12:00:00Z' },
  ))
    results.push(result);
  expect(results.find(({ control }) => control === 'aws-ebs-volume-cmk')?.status).toBe('fail');
});
