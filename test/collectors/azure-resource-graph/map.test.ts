import { readFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { readAzureDocument, rowRecords, rowsShape } from '../../../src/collectors/azure-resource-graph/map.ts';
import { typeOfId } from '../../../src/collectors/azure-records.ts';
import { countQuery, listQuery, tableOf, typesPerCount } from '../../../src/collectors/azure-resource-graph/queries.ts';
import { plan } from '../../../src/collectors/azure-resource-graph/scopes.ts';
import type { Json, Query } from '../../../src/model/index.ts';
import { needsOf } from '../../support/clouds.ts';

const tenant = '7d3f2b10-4c55-4e0e-9b7a-5a1c3e8d9f21';
const subscription = '1c0f3e6a-52d7-4b0e-8f6d-20c7a4e1b901';
const query = { shape: rowsShape, parameters: { tenant }, types: ['microsoft.storage/storageaccounts'] } as unknown as Query;
const records = (page: Json) =>
  [...rowRecords(page, query, 'evidence/x/page-000001.json')].flatMap((record) => (record.record === 'resource' ? [record.resource] : []));

describe('rows', () => {
  test('a row becomes a record: id and type in lower case, the document as it came, the citation to the row', () => {
    const row = {
      id: `/subscriptions/${subscription.toUpperCase()}/resourceGroups/RG/providers/Microsoft.Storage/storageAccounts/Acc`,
      name: 'Acc',
      type: 'Microsoft.Storage/storageAccounts',
      location: 'westeurope',
      tags: { Owner: 'x', n: 1 },
      properties: { encryption: { keySource: 'Microsoft.Keyvault' } },
    };
    const [resource] = records({ data: [{ nothing: true }, row] });
    expect(resource).toMatchObject({
      kind: 'resource',
      provider: 'azure',
      type: 'microsoft.storage/storageaccounts',
      uid: row.id.toLowerCase(),
      name: 'Acc',
      account: subscription,
      location: 'westeurope',
      scope: { provider: 'azure', account: subscription, region: '*' },
      tags: { Owner: 'x' },
      capturedAt: null,
      citation: { file: 'evidence/x/page-000001.json', pointer: '/data/1', encoding: 'json' },
    });
    expect(resource?.document).toBe(row);
  });

  test('records above subscriptions belong to the tenant', () => {
    const id = '/providers/Microsoft.Management/managementGroups/mg/providers/Microsoft.Authorization/roleAssignments/1';
    expect(records({ data: [{ id, type: 'Microsoft.Authorization/roleAssignments' }] })[0]).toMatchObject({
      account: `tenants/${tenant}`,
      type: 'microsoft.authorization/roleassignments',
    });
  });

  test('total over any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        records(value as Json);
        records({ data: [value as Json] });
      }),
    );
  });
});

describe('one document', () => {
  test('Resource Manager resources and partial rows are read; the hint stands in for what is missing', () => {
    const [whole] =
      readAzureDocument(
        {
          id: `/subscriptions/${subscription}/resourceGroups/a/providers/Microsoft.KeyVault/vaults/V`,
          type: 'Microsoft.KeyVault/vaults',
          properties: {},
        },
        { type: '', id: '' },
      ) ?? [];
    expect(whole).toMatchObject({ type: 'microsoft.keyvault/vaults', account: subscription });
    const [partial] = readAzureDocument({ properties: { a: 1 } }, { type: 'microsoft.keyvault/vaults', id: 'doc-1' }) ?? [];
    expect(partial).toMatchObject({ type: 'microsoft.keyvault/vaults', uid: 'doc-1', account: 'tenants/unknown' });
    const [untyped] =
      readAzureDocument(
        { id: `/subscriptions/${subscription}/resourceGroups/a/providers/Microsoft.Sql/servers/s/databases/d` },
        { type: '', id: '' },
      ) ?? [];
    expect(untyped).toMatchObject({ type: 'microsoft.sql/servers/databases' });
  });

  test('a page of Resource Graph or of Resource Manager holds its rows', () => {
    const vault = (name: string): Json => ({
      id: `/subscriptions/${subscription}/providers/Microsoft.KeyVault/vaults/${name}`,
      properties: {},
    });
    const hint = { type: 'microsoft.keyvault/vaults', id: 'x' };
    for (const page of [{ count: 2, data: [vault('a'), vault('b')] }, { value: [vault('a'), vault('b')] }])
      expect(readAzureDocument(page, hint)?.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(readAzureDocument({ data: [] }, hint)).toEqual([]);
    expect(readAzureDocument({ data: [] }, { type: 'AWS::S3::Bucket', id: 'x' })).toBeNull();
  });

  test('what is not Azure is left to others', () => {
    expect(readAzureDocument({ resourceType: 'AWS::S3::Bucket' }, { type: 'AWS::S3::Bucket', id: 'x' })).toBeNull();
    expect(
      readAzureDocument(
        { assetType: 'storage.googleapis.com/Bucket', name: '//storage.googleapis.com/b' },
        { type: 'storage.googleapis.com/Bucket', id: 'x' },
      ),
    ).toBeNull();
    expect(readAzureDocument('text', { type: 'microsoft.keyvault/vaults', id: 'x' })).toBeNull();
  });

  test('prototype keys of tags are data', () => {
    const [resource] =
      readAzureDocument(JSON.parse('{"id":"/subscriptions/1","tags":{"__proto__":"x","constructor":"y"}}') as Json, {
        type: 'microsoft.resources/subscriptions',
        id: '',
      }) ?? [];
    expect(Object.entries(resource?.tags ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  const recorded = new URL('../../../../shared/recordings/azure-arm/c7n-arm-resources.jsonl', import.meta.url);
  test.skipIf(!existsSync(recorded))('recorded Resource Manager resources are all understood', () => {
    const lines = readFileSync(recorded, 'utf8').trim().split('\n');
    const read = lines.map((line) => readAzureDocument((JSON.parse(line) as { resource: Json }).resource, { type: '', id: '' }));
    expect(read.filter((one) => one === null || one.length !== 1)).toEqual([]);
  });
});

describe('queries', () => {
  test('types lead to their tables', () => {
    expect(
      [
        'microsoft.storage/storageaccounts',
        'microsoft.resources/subscriptions/resourcegroups',
        'microsoft.authorization/roledefinitions',
        'microsoft.security/pricings',
        'microsoft.keyvault/vaults/keys',
      ].map(tableOf),
    ).toEqual(['resources', 'resourcecontainers', 'authorizationresources', 'securityresources', null]);
  });

  test('lists are ordered by id and project it; text is quoted', () => {
    expect(listQuery('resources', "o'brien\\x")).toBe(
      "resources | where type =~ 'o\\'brien\\\\x' | project id, name, type, location, subscriptionId, resourceGroup, tenantId, kind, sku, identity, tags, properties | order by id asc",
    );
    expect(listQuery('authorizationresources', 'microsoft.authorization/roleassignments', 'above')).toContain(
      "where id !startswith '/subscriptions/'",
    );
    expect(countQuery('resources', ['a/b', 'c/d'])).toBe(
      "resources | where type in~ ('a/b', 'c/d') | summarize count() by subscriptionId, type",
    );
  });

  test('a count never needs more than one page', () => {
    for (const subscriptions of [1, 7, 250]) expect(typesPerCount(subscriptions) * subscriptions).toBeLessThan(1000);
  });

  test('id tails name types', () => {
    expect(typeOfId('/subscriptions/1/resourceGroups/g/providers/Microsoft.Sql/servers/a/databases/b')).toBe(
      'microsoft.sql/servers/databases',
    );
    expect(typeOfId('/subscriptions/1')).toBe('microsoft.resources/subscriptions');
    expect(typeOfId('nothing')).toBe('');
  });

  test('the plan owes every configured subscription every type, once per tenant', () => {
    const scopes = {
      azure: [
        { tenant, subscriptions: [subscription] },
        { tenant: tenant.toUpperCase(), subscriptions: [subscription.toUpperCase()] },
      ],
    };
    expect(
      plan({
        config: { scopes },
        needs: needsOf({
          azure: ['microsoft.keyvault/vaults', 'microsoft.authorization/roleassignments', 'microsoft.authorization/policyassignments'],
        }),
      }),
    ).toEqual([
      {
        account: subscription,
        region: '*',
        types: ['microsoft.keyvault/vaults', 'microsoft.authorization/roleassignments'],
        expands: false,
      },
      { account: `tenants/${tenant}`, region: '*', types: ['microsoft.authorization/roleassignments'], expands: false },
    ]);
  });
});
