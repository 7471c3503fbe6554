import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assetFacts, searchFacts } from '../../../src/collectors/gcp-asset-inventory/facts.ts';
import { assetRecords } from '../../../src/collectors/gcp-asset-inventory/map.ts';
import { type Descriptor, protoJson, structJson } from '../../../src/collectors/gcp-asset-inventory/proto-json.ts';
import { assetQueries, readTime } from '../../../src/collectors/gcp-asset-inventory/queries.ts';
import type { Json, Query } from '../../../src/model/index.ts';
import { needsOf } from '../../support/clouds.ts';

const descriptors = createRequire(import.meta.url)('@google-cloud/asset/build/protos/protos.json') as Descriptor;
const query = { parameters: { projectIds: { '12': 'my-project' } } } as unknown as Query;
const records = (page: Json) =>
  [...assetRecords(page, query, 'f.json')].flatMap((record) => (record.record === 'resource' ? [record.resource] : []));
const bucket = {
  name: '//storage.googleapis.com/b',
  assetType: 'storage.googleapis.com/Bucket',
  updateTime: '2026-11-01T00:00:00Z',
  ancestors: ['projects/12', 'organizations/1'],
  resource: { location: 'europe-west1', data: { name: 'b', labels: { env: 'prod' } } },
};

describe('assets', () => {
  test('an asset is a record of the project its number stands for', () => {
    expect(records({ assets: [bucket] })).toMatchObject([
      {
        kind: 'resource',
        provider: 'gcp',
        type: bucket.assetType,
        uid: bucket.name,
        name: 'b',
        account: 'my-project',
        location: 'europe-west1',
        tags: { env: 'prod' },
        capturedAt: bucket.updateTime,
        citation: { pointer: '/assets/0' },
      },
    ]);
  });

  test('an unknown number stays a number; folders and organisations are accounts of their own', () => {
    expect(
      records({
        assets: [
          { ...bucket, ancestors: ['projects/99'] },
          { ...bucket, ancestors: ['folders/3'] },
        ],
      }).map((one) => one.account),
    ).toEqual(['projects/99', 'folders/3']);
  });

  test('policies are records besides the resource; an empty one is none', () => {
    const asset = { ...bucket, iamPolicy: { bindings: [{ role: 'r', members: ['allUsers'] }] }, orgPolicy: [{ constraint: 'c' }] };
    expect(records({ assets: [asset] }).map((one) => one.kind)).toEqual(['resource', 'iam-policy', 'org-policy']);
    expect(records({ assets: [{ ...bucket, resource: undefined as unknown as Json, iamPolicy: { etag: 'x' }, orgPolicy: [] }] })).toEqual(
      [],
    );
  });

  test.each<Json>(['lost', 7, ['x'], { bindings: 'lost' }, { bindings: { a: 1 } }])(
    'a policy that cannot be read is not an empty one: %j',
    (iamPolicy) => {
      expect(records({ assets: [{ ...bucket, iamPolicy }] }).map((one) => one.kind)).toEqual(['resource', 'iam-policy']);
      const facts = searchFacts(
        { results: [{ resource: '//a/b', assetType: 'a/B', project: 'projects/1', policy: iamPolicy }] },
        'IAM_POLICY',
        '2026-11-01T00:00:00Z',
      );
      expect(facts.records).toHaveLength(1);
    },
  );

  test.each<Json>([{}, { etag: 'x' }, { bindings: [] }, { bindings: null, auditConfigs: [] }, null])('an empty policy: %j', (iamPolicy) => {
    expect(records({ assets: [{ ...bucket, iamPolicy }] }).map((one) => one.kind)).toEqual(['resource']);
  });

  test('total over any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        records(value as Json);
        records({ assets: [value as Json] });
        assetFacts(value as Json, 'RESOURCE', '2026-11-01T00:00:00Z');
        searchFacts({ results: [value as Json] }, 'IAM_POLICY', '2026-11-01T00:00:00Z');
      }),
    );
  });
});

describe('proto3 JSON', () => {
  test('structs, timestamps, bytes, defaults and oneofs as the REST form has them', () => {
    const value = (kind: string, held: unknown): unknown => ({ kind, [kind]: held });
    const message = {
      readTime: { seconds: '1762000000', nanos: 120000000 },
      nextPageToken: '',
      assets: [
        {
          name: '//x',
          assetType: 't',
          updateTime: { seconds: '0', nanos: 0 },
          ancestors: [],
          relatedAssets: null,
          resource: {
            version: '',
            data: {
              fields: {
                s: value('stringValue', ''),
                n: value('numberValue', 60),
                b: value('boolValue', false),
                z: value('nullValue', 'NULL_VALUE'),
                o: value('structValue', { fields: { __proto__: value('stringValue', 'no') } }),
                l: value('listValue', { values: [value('numberValue', 1)] }),
              },
            },
          },
          iamPolicy: {
            version: 1,
            etag: Buffer.from('ab'),
            bindings: [{ role: 'r', members: ['m'], condition: null }],
            auditConfigs: [{ service: 's', auditLogConfigs: [{ logType: 'LOG_TYPE_UNSPECIFIED', exemptedMembers: [] }] }],
          },
          orgPolicy: [{ version: 0, constraint: 'c', booleanPolicy: { enforced: false }, policyType: 'booleanPolicy', listPolicy: null }],
        },
      ],
    };
    expect(protoJson(descriptors, 'google.cloud.asset.v1.ListAssetsResponse', message)).toEqual({
      readTime: '2025-11-01T12:26:40.120Z',
      assets: [
        {
          name: '//x',
          assetType: 't',
          updateTime: '1970-01-01T00:00:00Z',
          resource: { data: { s: '', n: 60, b: false, z: null, o: {}, l: [1] } },
          iamPolicy: {
            version: 1,
            etag: 'YWI=',
            bindings: [{ role: 'r', members: ['m'] }],
            auditConfigs: [{ service: 's', auditLogConfigs: [{}] }],
          },
          orgPolicy: [{ constraint: 'c', booleanPolicy: {} }],
        },
      ],
    });
  });

  test('label maps keep their empty values, unknown enum numbers stay numbers', () => {
    const found = protoJson(descriptors, 'google.cloud.asset.v1.SearchAllResourcesResponse', {
      results: [{ name: 'n', labels: { a: '', b: 'x' } }],
    });
    expect(found).toEqual({ results: [{ name: 'n', labels: { a: '', b: 'x' } }] });
    expect(protoJson(descriptors, 'google.iam.v1.AuditLogConfig', { logType: 7 })).toEqual({ logType: 7 });
  });

  test('prototype keys of a struct are data', () => {
    const json = structJson({ fields: JSON.parse('{"__proto__":{"kind":"stringValue","stringValue":"x"}}') as unknown });
    expect(JSON.stringify(json)).toBe('{"__proto__":"x"}');
  });

  test('total over any message', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        protoJson(descriptors, 'google.cloud.asset.v1.ListAssetsResponse', { assets: [value], readTime: value });
      }),
    );
  });
});

describe('queries', () => {
  test('lookup tables are kept apart from large subject types', () => {
    const queries = assetQueries(
      needsOf({
        gcp: [
          'storage.googleapis.com/Bucket',
          'cloudkms.googleapis.com/CryptoKey',
          'compute.googleapis.com/Disk',
          'cloudresourcemanager.googleapis.com/Project',
        ],
        iamPolicies: ['cloudkms.googleapis.com/CryptoKey'],
        orgPolicies: true,
      }),
    );
    expect(queries).toEqual([
      { name: 'resource-keys', content: 'RESOURCE', types: ['cloudkms.googleapis.com/CryptoKey'] },
      { name: 'resource-subjects', content: 'RESOURCE', types: ['compute.googleapis.com/Disk', 'storage.googleapis.com/Bucket'] },
      { name: 'iam-policy-keys', content: 'IAM_POLICY', types: ['cloudkms.googleapis.com/CryptoKey'] },
      { name: 'org-policy', content: 'ORG_POLICY', types: [] },
    ]);
  });

  test("the read time is the run's, never in this machine's future", () => {
    expect(readTime('2026-01-01T00:00:00.000Z', Date.parse('2026-02-01T00:00:00Z'))).toBe('2026-01-01T00:00:00.000Z');
    expect(readTime('2026-03-01T00:00:00.000Z', Date.parse('2026-02-01T00:00:00Z'))).toBe('2026-02-01T00:00:00.000Z');
  });

  test('a search result made after the read time is no part of the population', () => {
    const results = ['2026-01-01T00:00:00Z', '2026-03-01T00:00:00Z'].map((createTime, index) => ({
      name: `n${index}`,
      assetType: 't',
      project: 'projects/1',
      createTime,
    }));
    expect(searchFacts({ results }, 'RESOURCE', '2026-02-01T00:00:00Z').records.map((record) => record.id)).toEqual(['t n0']);
  });

  test('a page read at another instant contradicts the series', () => {
    expect(assetFacts({ readTime: '2026-02-01T00:00:01Z', assets: [] }, 'RESOURCE', '2026-02-01T00:00:00.000Z').contradiction?.code).toBe(
      'read-time-changed',
    );
  });
});
