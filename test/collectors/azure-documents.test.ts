import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { plainRow, rowsIn } from '../../src/collectors/azure-documents.ts';
import { readAzureDocument } from '../../src/collectors/azure-resource-graph/map.ts';
import type { Json, JsonObject } from '../../src/model/index.ts';

const id = '/subscriptions/1c0f3e6a-52d7-4b0e-8f6d-20c7a4e1b901/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-nw';
const hint = { type: 'microsoft.keyvault/vaults', id: 'x' };
const vault: JsonObject = { id, name: 'kv-nw', type: 'Microsoft.KeyVault/vaults', properties: { enableSoftDelete: true } };
const read = (document: Json) => readAzureDocument(document, hint)?.map((resource) => resource.document);

describe('where the rows of a document are', () => {
  test('a document as text, a list, pages of each tool, and the table format of Resource Graph', () => {
    for (const document of [
      vault,
      JSON.stringify(vault),
      `\uFEFF${JSON.stringify(vault)}`,
      [vault],
      { data: [vault] },
      { SkipToken: null, Data: [vault] },
      { value: [vault], nextLink: 'https://…' },
      {
        count: 1,
        data: {
          columns: Object.keys(vault).map((name) => ({ name, type: 'string' })),
          rows: [Object.values(vault)],
        },
      },
    ])
      expect(read(document), JSON.stringify(document)).toEqual([vault]);
  });

  test('an event about a change holds the resource; one about its deletion holds none', () => {
    const event = (eventType: string): Json => ({ id: '5c', subject: id, eventType, data: { resourceInfo: vault, operationalInfo: {} } });
    expect(read(event('Microsoft.ResourceNotifications.Resources.CreatedOrUpdated'))).toEqual([vault]);
    expect(read(event('Microsoft.ResourceNotifications.Resources.Deleted'))).toEqual([]);
    expect(
      read({ specversion: '1.0', id: '5c', type: 'Microsoft.ResourceNotifications.Resources.Deleted', data: { resourceInfo: vault } }),
    ).toEqual([]);
  });

  test('a row without a type is of the type that its id ends in', () => {
    const { type: _, ...rest } = vault;
    expect(read(rest)).toEqual([{ ...vault, type: 'microsoft.keyvault/vaults' }]);
    const deleted = { id: '/subscriptions/1c0f/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-nw', properties: {} };
    expect(readAzureDocument(deleted, hint)?.[0]?.type).toBe('microsoft.keyvault/locations/deletedvaults');
  });

  test('what holds no object is no document', () => {
    expect(rowsIn('kv-nw')).toBeNull();
    expect(rowsIn(['kv-nw'])).toBeNull();
    expect(read(7)).toBeUndefined();
  });
});

describe('a row with the keys of Resource Graph', () => {
  test('keys in another case, and JSON kept as text', () => {
    const { properties, ...rest } = vault;
    expect(plainRow({ Id: id, Name: 'kv-nw', Type: 'Microsoft.KeyVault/vaults', Properties: properties ?? null })).toEqual(vault);
    expect(plainRow({ ...rest, properties: JSON.stringify(properties), sku: '{"name":"Premium"}', tags: '' })).toEqual({
      ...vault,
      sku: { name: 'Premium' },
      tags: '',
    });
    expect(plainRow({ ...rest, properties: 'cut {' })).toEqual({ ...rest, properties: 'cut {' });
  });

  test('what the command line and the SDKs lay flat is put back below properties', () => {
    const { properties, ...rest } = vault;
    const flat = { ...rest, location: 'westeurope', tenantId: '7d', ...(properties as JsonObject) };
    expect(plainRow(flat)).toEqual({ ...flat, properties: { tenantId: '7d', enableSoftDelete: true } });
  });

  test('a row that lost its properties, or was cut to some columns, is not flat', () => {
    const { properties: _, ...rest } = vault;
    for (const row of [
      { ...rest, tags: {}, sku: { name: 'Premium' }, identity: null, zones: ['1'] },
      { ...rest, count_: 3 },
      { ...rest, properties_vaultUri: 'https://kv-nw.vault.azure.net/', publicNetworkAccess: 'Enabled' },
      { ...rest, properties: null, publicNetworkAccess: 'Enabled' },
      { name: 'kv-nw', publicNetworkAccess: 'Enabled' },
    ])
      expect(plainRow(row), JSON.stringify(row)).toEqual(row);
  });

  test('snake case of the SDK for Python; tags stay as people named them', () => {
    expect(
      plainRow({
        ...vault,
        system_data: {},
        tags: { cost_center: 'a_b' },
        properties: { enable_soft_delete: true, network_acls: { default_action: 'Deny', ip_rules: [{ value: '203.0.113.0/24' }] } },
      }),
    ).toEqual({
      ...vault,
      systemData: {},
      tags: { cost_center: 'a_b' },
      properties: { enableSoftDelete: true, networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '203.0.113.0/24' }] } },
    });
  });

  test('snake case beside the same name in another spelling decides nothing', () => {
    for (const [name, other] of Object.entries({ enableSoftDelete: false, EnableSoftDelete: false }))
      expect(plainRow({ ...vault, properties: { [name]: other, enable_soft_delete: true } }).properties).toEqual({
        [name]: other,
        enable_soft_delete: true,
      });
  });

  test('the identity of the encryption of a storage account, and connections of endpoints, under their names', () => {
    const { properties } = plainRow({
      ...vault,
      properties: {
        encryption: {
          encryptionIdentity: { encryptionUserAssignedIdentity: '/subscriptions/1/id-cmk', encryptionFederatedIdentityClientId: 'app' },
        },
        privateEndpointConnections: [{ id: '/pe', privateLinkServiceConnectionState: { status: 'Approved' } }],
      },
    });
    expect(properties).toMatchObject({
      encryption: { identity: { userAssignedIdentity: '/subscriptions/1/id-cmk', federatedIdentityClientId: 'app' } },
      privateEndpointConnections: [{ properties: { privateLinkServiceConnectionState: { status: 'Approved' } } }],
    });
  });

  test('an identity of the encryption that cannot be read is not taken for none', () => {
    const identity = (encryptionIdentity: Json): Json | undefined => {
      const { properties } = plainRow({ ...vault, properties: { encryption: { encryptionIdentity } } });
      return (properties as { encryption: JsonObject }).encryption.identity;
    };
    expect([null, 'x', 1].map(identity)).toEqual([undefined, 'x', 1]);
  });

  test('total over any JSON, and prototype keys are data', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readAzureDocument(value as Json, hint);
        readAzureDocument({ ...vault, properties: value as Json }, hint);
      }),
    );
    const row = plainRow(JSON.parse('{"__proto__":{"properties":{}},"Id":"/subscriptions/1"}') as JsonObject);
    expect(Object.keys(row)).toEqual(['__proto__', 'id']);
  });
});
