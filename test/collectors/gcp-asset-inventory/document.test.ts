import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readGcpDocument } from '../../../src/collectors/gcp-asset-inventory/document.ts';
import type { Json } from '../../../src/model/index.ts';

const bucketType = 'storage.googleapis.com/Bucket';

describe('one document', () => {
  test("snake case is turned round outside the resource's own data", () => {
    const [resource, policy] =
      readGcpDocument(
        {
          name: '//cloudresourcemanager.googleapis.com/projects/p',
          asset_type: 'cloudresourcemanager.googleapis.com/Project',
          resource: { discovery_name: 'Project', data: { snake_case: 1 } },
          iam_policy: {
            bindings: [{ role: 'r', members: [] }],
            audit_configs: [{ audit_log_configs: [{ log_type: 2, exempted_members: ['user:a'] }] }],
          },
        },
        { type: '', id: '' },
      ) ?? [];
    expect(resource).toMatchObject({ kind: 'resource', type: 'cloudresourcemanager.googleapis.com/Project', account: 'p' });
    expect(resource?.document).toMatchObject({
      assetType: 'cloudresourcemanager.googleapis.com/Project',
      resource: { discoveryName: 'Project', data: { snake_case: 1 } },
    });
    expect(policy).toMatchObject({ kind: 'iam-policy' });
    expect(policy?.document.iamPolicy).toMatchObject({
      auditConfigs: [{ auditLogConfigs: [{ logType: 'DATA_WRITE', exemptedMembers: ['user:a'] }] }],
    });
  });

  test('a page, an entry of the history and data as the gRPC client decodes it come to the same asset', () => {
    const hint = { type: bucketType, id: 'x' };
    const asset = (data: Json): Json => ({ name: '//storage.googleapis.com/b', assetType: bucketType, resource: { data } });
    const plain = { name: 'b', encryption: { defaultKmsKeyName: 'k' }, tags: ['a', null], retained: true };
    const struct = {
      fields: {
        name: { stringValue: 'b', kind: 'stringValue' },
        encryption: { structValue: { fields: { defaultKmsKeyName: { stringValue: 'k' } } } },
        tags: { listValue: { values: [{ stringValue: 'a' }, { nullValue: 'NULL_VALUE' }] } },
        retained: { boolValue: true },
      },
    };
    for (const document of [
      asset(plain),
      asset(struct),
      { assets: [asset(struct)], nextPageToken: '' },
      { asset: asset(plain), window: { startTime: '2026-11-01T00:00:00Z' } },
      { assets: [{ asset: asset(plain), window: {} }] },
    ])
      expect(readGcpDocument(document, hint)?.map((resource) => resource.document)).toEqual([asset(plain)]);
    expect(readGcpDocument({ asset: asset(plain), deleted: true }, hint)).toEqual([]);
    // A resource whose data happens to have one field of that name stays as it is.
    const own = { fields: { a: { stringValue: 'x', mode: 'NULLABLE' } } };
    expect(readGcpDocument(asset(own), hint)?.[0]?.document).toEqual(asset(own));
    expect(readGcpDocument({ assets: [] }, { type: 'AWS::S3::Bucket', id: 'x' })).toBeNull();
  });

  test('an asset without a resource can still be tried, and gains none', () => {
    const [resource] = readGcpDocument({ name: '//storage.googleapis.com/b' }, { type: bucketType, id: 'x' }) ?? [];
    expect(resource).toMatchObject({ kind: 'resource', type: bucketType, account: 'unknown' });
    expect(resource?.document).toEqual({ name: '//storage.googleapis.com/b' });
  });

  test('what is not an asset is left to others', () => {
    expect(
      readGcpDocument({ id: '/subscriptions/1', type: 'microsoft.keyvault/vaults' }, { type: 'microsoft.keyvault/vaults', id: 'x' }),
    ).toBeNull();
  });

  const hint = { type: bucketType, id: 'x' };
  const keyType = 'cloudkms.googleapis.com/CryptoKey';
  const keyName = 'projects/p/locations/l/keyRings/r/cryptoKeys/k';
  const key = { name: keyName, purpose: 'ENCRYPT_DECRYPT', rotationPeriod: '7776000s' };
  const keyAsset = { name: `//cloudkms.googleapis.com/${keyName}`, assetType: keyType, resource: { data: key } };
  const documentsOf = (document: Json, type: string): unknown =>
    readGcpDocument(document, { type, id: 'x' })?.map((resource) => resource.document) ?? null;

  test('a list of assets, JSON text, and data that BigQuery keeps in JSON text', () => {
    expect(documentsOf([keyAsset, { ...keyAsset, name: 'other' }], keyType)).toEqual([keyAsset, { ...keyAsset, name: 'other' }]);
    expect(documentsOf(JSON.stringify(keyAsset), keyType)).toEqual([keyAsset]);
    expect(documentsOf(`\uFEFF${JSON.stringify(keyAsset)}`, keyType)).toEqual([keyAsset]);
    expect(documentsOf({ ...keyAsset, resource: { data: JSON.stringify(key) } }, keyType)).toEqual([keyAsset]);
    expect(documentsOf({ ...keyAsset, resource: { data: 'no JSON' } }, keyType)).toEqual([{ ...keyAsset, resource: { data: 'no JSON' } }]);
    expect(documentsOf('no JSON', keyType)).toBeNull();
    expect(documentsOf([keyAsset, 1], keyType)).toBeNull();
  });

  test('an entry of a feed as Pub/Sub delivers it', () => {
    const delivered = (entry: Json): Json => ({ message: { data: Buffer.from(JSON.stringify(entry)).toString('base64'), messageId: '1' } });
    expect(documentsOf(delivered({ asset: keyAsset, window: {} }), keyType)).toEqual([keyAsset]);
    expect(documentsOf(delivered({ asset: keyAsset, deleted: true }), keyType)).toEqual([]);
  });

  test('search results: the newest version, the levels above, and policies', () => {
    const place = { project: 'projects/12', folders: ['folders/3'], organization: 'organizations/4' };
    const row = { name: keyAsset.name, assetType: keyType, versionedResources: [{ version: 'v1', resource: key }] };
    for (const document of [{ ...row, ...place }, { results: [{ ...row, ...place }] }])
      expect(documentsOf(document, keyType)).toMatchObject([
        { name: keyAsset.name, ancestors: ['projects/12', 'folders/3', 'organizations/4'], resource: { data: key } },
      ]);
    // A row that was asked for in part does not say what stands above.
    expect(documentsOf({ ...row, project: 'projects/12' }, keyType)).toEqual([
      expect.not.objectContaining({ ancestors: expect.anything() }),
    ]);
    const policy = { bindings: [{ role: 'r', members: ['allUsers'] }] };
    expect(readGcpDocument({ resource: keyAsset.name, assetType: keyType, ...place, policy }, { type: keyType, id: 'x' })).toMatchObject([
      { kind: 'resource' },
      { kind: 'iam-policy', uid: keyAsset.name, document: { iamPolicy: policy } },
    ]);
  });

  test('the levels above as policy tools write them', () => {
    const ancestors = ['projects/3', 'folders/2', 'organizations/1'];
    for (const path of ['organization/1/folder/2/project/3', 'organizations/1/folders/2/projects/3'])
      expect(documentsOf({ ...keyAsset, ancestry_path: path }, keyType)).toMatchObject([{ ancestors }]);
    expect(documentsOf({ ...keyAsset, ancestry_path: 'organization/9', ancestors }, keyType)).toMatchObject([{ ancestors }]);
  });

  test.each([
    [keyType, key, keyAsset.name],
    [bucketType, { kind: 'storage#bucket', name: 'b' }, '//storage.googleapis.com/b'],
    [bucketType, { selfLink: 'https://www.googleapis.com/storage/v1/b/b', name: 'b' }, '//storage.googleapis.com/b'],
    [
      'compute.googleapis.com/Disk',
      { name: 'd', selfLink: 'https://www.googleapis.com/compute/beta/projects/p/zones/z/disks/d' },
      '//compute.googleapis.com/projects/p/zones/z/disks/d',
    ],
    [
      'sqladmin.googleapis.com/Instance',
      { name: 'i', selfLink: 'https://sqladmin.googleapis.com/sql/v1beta4/projects/p/instances/i' },
      '//cloudsql.googleapis.com/projects/p/instances/i',
    ],
    [
      'sqladmin.googleapis.com/Instance',
      { kind: 'sql#instance', project: 'p', name: 'i' },
      '//cloudsql.googleapis.com/projects/p/instances/i',
    ],
    [
      'bigquery.googleapis.com/Dataset',
      { id: 'p:d', selfLink: 'https://bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d' },
      '//bigquery.googleapis.com/projects/p/datasets/d',
    ],
    [
      'cloudresourcemanager.googleapis.com/Project',
      { name: 'Shop', projectId: 'shop', projectNumber: '12' },
      '//cloudresourcemanager.googleapis.com/projects/12',
    ],
  ])('a %s as its own service hands it out', (type, data, name) => {
    const asset = { name, assetType: type, resource: { data } };
    expect(documentsOf(data, type)).toEqual([asset]);
    expect(documentsOf({ kind: 'a page', items: [data] }, type)).toEqual([asset]);
  });

  test('instants and lengths of time as client libraries hand them out', () => {
    const data = { ...key, nextRotationTime: { seconds: '1796083200', nanos: 0 }, rotationPeriod: { seconds: '7776000', nanos: 0 } };
    expect(documentsOf(data, keyType)).toMatchObject([
      { resource: { data: { nextRotationTime: '2026-12-01T00:00:00Z', rotationPeriod: '7776000s' } } },
    ]);
    const other = { ...key, labels: { seconds: 'x', more: 'y' }, primary: { createTime: { seconds: 'never' } } };
    expect(documentsOf(other, keyType)).toMatchObject([{ resource: { data: { labels: other.labels, primary: { createTime: '' } } } }]);
  });

  test.each([
    ['container.googleapis.com/Cluster', { name: 'c', location: 'l', status: 'RUNNING' }],
    ['dataproc.googleapis.com/Cluster', { projectId: 'p', clusterName: 'c', config: {} }],
    ['sqladmin.googleapis.com/Instance', { name: 'i', databaseVersion: 'POSTGRES_16', settings: {} }],
    [bucketType, { name: 'b', iamConfiguration: {} }],
    [keyType, { name: 'k', purpose: 'ENCRYPT_DECRYPT' }],
  ])('a whole %s without a link to itself goes by the id it was given', (type, data) => {
    expect(documentsOf(data, type)).toEqual([{ name: 'x', assetType: type, resource: { data } }]);
    const [, ...dropped] = Object.entries(data);
    expect(documentsOf(Object.fromEntries(dropped), type)).toEqual([Object.fromEntries(dropped)]);
  });

  test('what does not show that it is a resource of the type gains no data', () => {
    const without = (document: Json, type: string): void =>
      expect(documentsOf(document, type)).toEqual([expect.not.objectContaining({ resource: expect.anything() })]);
    without({ name: 'projects/p/locations/l/keyRings/r' }, keyType);
    without({ name: 'b' }, bucketType);
    // Lists of BigQuery hold abridged data sets.
    without({ datasets: [{ kind: 'bigquery#dataset', id: 'p:d' }] }, 'bigquery.googleapis.com/Dataset');
    without({ cryptoKeys: [key], others: [key] }, keyType);
    without({ projectId: 'shop' }, 'cloudresourcemanager.googleapis.com/Project');
  });

  test('a policy as `get-iam-policy` answers it is that of what was asked for', () => {
    const policy = { bindings: [{ role: 'r', members: ['allUsers'] }], etag: 'x', version: 1 };
    expect(readGcpDocument(policy, { type: keyType, id: 'x' })).toMatchObject([
      { kind: 'resource', uid: 'x' },
      { kind: 'iam-policy', uid: 'x', document: { name: 'x', iamPolicy: policy } },
    ]);
    const ofBucket = { ...policy, kind: 'storage#policy', resourceId: 'projects/_/buckets/b' };
    expect(readGcpDocument(ofBucket, hint)?.map((record) => record.uid)).toEqual([
      '//storage.googleapis.com/b',
      '//storage.googleapis.com/b',
    ]);
  });

  test('the type that was asked for stands where the asset has one of an older naming', () => {
    const asset = { name: '//storage.googleapis.com/b', asset_type: 'google.cloud.storage.Bucket', resource: { data: {} } };
    expect(readGcpDocument(asset, hint)).toMatchObject([{ type: bucketType }]);
  });

  test('total over any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readGcpDocument(value as Json, hint);
        readGcpDocument({ asset: value as Json }, { type: keyType, id: 'x' });
        readGcpDocument({ name: '//x', versionedResources: [value as Json], folders: value as Json }, hint);
      }),
    );
  });
});
