import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { namesOf, readersOf } from '../support/access.ts';
import { record } from '../support/records.ts';

describe('Azure: data roles decide', () => {
  const sub = 'aaaaaaaa-0000-0000-0000-000000000001';
  const group = `/subscriptions/${sub}/resourcegroups/rg`;
  const storeId = `${group}/providers/microsoft.storage/storageaccounts/acc`;
  const store = (properties: JsonObject = { allowBlobPublicAccess: false }) =>
    record({ type: 'microsoft.storage/storageaccounts', uid: storeId, document: { tenantId: 't', properties } });
  const container = record({
    type: 'microsoft.resources/subscriptions',
    uid: `/subscriptions/${sub}`,
    document: { tenantId: 't', properties: { managedByTenants: [], managementGroupAncestorsChain: [{ name: 'root' }] } },
  });
  const definition = (id: string, permission: JsonObject) =>
    record({
      type: 'microsoft.authorization/roledefinitions',
      uid: `/providers/microsoft.authorization/roledefinitions/${id}`,
      account: 'tenants/t',
      document: {
        properties: { roleName: id, permissions: [{ actions: [], notActions: [], dataActions: [], notDataActions: [], ...permission }] },
      },
    });
  const definitions = [
    definition('reader', { actions: ['*/read'] }),
    definition('owner', { actions: ['*'] }),
    definition('blob', { actions: [], dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'] }),
    definition('all-but-keys', {
      actions: ['*'],
      notActions: [
        'Microsoft.Storage/storageAccounts/listKeys/*',
        'Microsoft.Storage/storageAccounts/regenerateKey/action',
        'microsoft.storage/storageaccounts/list*sas/action',
      ],
    }),
  ];
  const assign = (scope: string, roleName: string, more: JsonObject = {}) =>
    record({
      type: 'microsoft.authorization/roleassignments',
      account: sub,
      uid: `${scope}/providers/microsoft.authorization/roleassignments/${roleName}${JSON.stringify(more).length}`,
      document: {
        properties: {
          scope,
          roleDefinitionId: `/subscriptions/${sub}/providers/Microsoft.Authorization/roleDefinitions/${roleName}`,
          principalId: `p-${roleName}`,
          principalType: 'User',
          ...more,
        },
      },
    });
  const base = [container, ...definitions];

  test('lists who holds a data-read role, direct or inherited, and who may take the keys', () => {
    const result = readersOf(
      [
        ...base,
        assign(storeId, 'blob'),
        assign(group, 'reader'),
        assign(`/subscriptions/${sub}`, 'owner'),
        assign('/providers/Microsoft.Management/managementGroups/root', 'blob', { principalType: 'Group' }),
        assign(`${group}2`, 'owner', { principalId: 'x' }),
      ],
      store(),
    );
    expect(result).toMatchObject({ world: 'data-roles', complete: true });
    expect(result.principals.map((one) => [one['principal'], one['inheritedFrom'] ?? null])).toEqual([
      ['Group p-blob', 'management group root'],
      ['User p-blob', null],
      ['User p-owner', `subscription ${sub}`],
    ]);
    expect(result.principals[2]?.['via']).toContain('listkeys');
    expect(result.unsettled.join()).toContain('group membership');
  });

  test('what a role takes out again, it does not grant', () => {
    expect(namesOf(readersOf([...base, assign(storeId, 'all-but-keys')], store()))).toEqual([]);
  });

  test('conditions and foreign principals are marked', () => {
    expect(
      readersOf(
        [
          ...base,
          assign(storeId, 'blob', { condition: '@Resource…' }),
          assign(storeId, 'blob', { principalType: 'ForeignGroup', principalId: 'f' }),
        ],
        store(),
      ).principals,
    ).toEqual([expect.objectContaining({ wide: true, kind: 'ForeignGroup' }), expect.objectContaining({ conditional: true })]);
  });

  test('is not complete where a role is not in the evidence, or anonymous access is possible', () => {
    expect(readersOf([...base, assign(storeId, 'unheard-of')], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('unheard-of') as string,
    });
    expect(readersOf([...base, definition('blank', { dataActions: [''] }), assign(storeId, 'blank')], store())).toMatchObject({
      complete: false,
    });
    const torn = definition('torn', { dataActions: null });
    expect(readersOf([...base, torn, assign(storeId, 'torn')], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('what role torn allows') as string,
    });
    expect(readersOf([...base, assign(storeId, 'blob', { principalType: null })], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('kind of principal') as string,
    });
    expect(readersOf(base, store({ allowBlobPublicAccess: true }))).toMatchObject({
      complete: false,
      because: expect.stringContaining('anonymous') as string,
    });
    expect(readersOf(base, store({}))).toMatchObject({ complete: false });
    expect(
      readersOf([...base, assign(storeId, 'blob')], store(), [
        'microsoft.authorization/roledefinitions',
        'microsoft.resources/subscriptions',
      ]),
    ).toMatchObject({ complete: false });
  });

  test('an assignment that does not say where it is made may be made anywhere', () => {
    const lost = assign(storeId, 'blob', { scope: null });
    // Its id still says where.
    expect(readersOf([...base, lost], store())).toMatchObject({ complete: false, principals: [{ principal: 'User p-blob' }] });
    expect(readersOf([...base, lost], store()).principals[0]).not.toHaveProperty('inheritedFrom');
    expect(readersOf([...base, { ...lost, uid: 'case/related/1' }], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('case/related/1') as string,
      principals: [],
    });
  });

  test('who holds a role on a part of the store reads what is in it', () => {
    const parts = ['blobServices/default/containers/card', 'queueServices/default/queues/q'].map((part) => `${storeId}/${part}`);
    const result = readersOf(
      [
        ...base,
        assign(parts[0] as string, 'blob', { principalType: 'ForeignGroup' }),
        assign(parts[1] as string, 'owner'),
        assign(`${storeId}2/blobServices/default/containers/card`, 'blob'),
      ],
      store(),
    );
    expect(result).toMatchObject({ complete: true });
    expect(result.principals).toEqual([
      expect.objectContaining({ principal: 'ForeignGroup p-blob', wide: true, via: expect.stringContaining('containers/card') as string }),
      expect.objectContaining({ principal: 'User p-owner' }),
    ]);
    expect(result.principals.map((one) => one['inheritedFrom'])).toEqual([undefined, undefined]);
  });

  test('is not complete where another tenant manages the subscription, or may', () => {
    const managed = (properties: JsonObject, more: JsonObject = {}) =>
      readersOf(
        [
          record({
            type: 'microsoft.resources/subscriptions',
            uid: `/subscriptions/${sub}`,
            document: { tenantId: 't', ...more, properties: { managementGroupAncestorsChain: [{ name: 'root' }], ...properties } },
          }),
          ...definitions,
        ],
        store(),
      );
    expect(managed({ managedByTenants: [] })).toMatchObject({ complete: true });
    expect(managed({}, { managedByTenants: [] })).toMatchObject({ complete: true });
    const delegated = { complete: false, because: expect.stringContaining('delegated to another tenant (msp)') as string };
    expect(managed({ managedByTenants: [{ tenantId: 'msp' }] })).toMatchObject(delegated);
    expect(managed({ managedByTenants: [] }, { managedByTenants: [{ tenantId: 'msp' }] })).toMatchObject(delegated);
    for (const lost of [{}, { managedByTenants: null }, { managedByTenants: 'none' }])
      expect(managed(lost)).toMatchObject({ complete: false, because: expect.stringContaining('not in the evidence') as string });
  });

  describe('what settings of the store change', () => {
    const role = (actions: string[], dataActions: string[] = []) => definition('custom', { actions, dataActions });
    const readers = (type: string, properties: JsonObject, ...rest: Parameters<typeof role>) => {
      const uid = `${group}/providers/${type}/x`;
      return namesOf(
        readersOf([...base, role(...rest), assign(uid, 'custom')], record({ type, uid, document: { tenantId: 't', properties } })),
      );
    };

    test('a cluster without Entra ID hands administrators to its plain users', () => {
      const aks = 'microsoft.containerservice/managedclusters';
      const user = ['Microsoft.ContainerService/managedClusters/listClusterUserCredential/action'];
      expect(readers(aks, {}, user)).toEqual(['User p-custom']);
      expect(readers(aks, { aadProfile: null }, user)).toEqual(['User p-custom']);
      expect(readers(aks, { aadProfile: { managed: true } }, user)).toEqual([]);
      for (const action of ['accessProfiles/listCredential/action', 'runCommand/action'])
        expect(readers(aks, { aadProfile: {} }, [`Microsoft.ContainerService/managedClusters/${action}`])).toEqual(['User p-custom']);
    });

    test('a registry with anonymous pull is read by everyone, whoever else is listed', () => {
      const type = 'microsoft.containerregistry/registries';
      const registry = (name: string, anonymousPullEnabled: Json) =>
        readersOf(
          base,
          record({ type, uid: `${group}/providers/${type}/${name}`, document: { tenantId: 't', properties: { anonymousPullEnabled } } }),
        );
      expect(registry('a', true)).toMatchObject({ complete: true, principals: [{ principal: 'Everyone', wide: true }] });
      expect(registry('b', false)).toMatchObject({ complete: true, principals: [] });
      for (const lost of [null, 'true']) expect(registry('c', lost)).toMatchObject({ complete: false, principals: [] });
    });

    test('a registry under repository permissions does not honour the right to pull', () => {
      const acr = 'microsoft.containerregistry/registries';
      const abac = { anonymousPullEnabled: false, roleAssignmentMode: 'AbacRepositoryPermissions' };
      const pull = ['Microsoft.ContainerRegistry/registries/pull/read'];
      expect(readers(acr, { anonymousPullEnabled: false }, pull)).toEqual(['User p-custom']);
      expect(readers(acr, { ...abac, roleAssignmentMode: 'LegacyRegistryPermissions' }, pull)).toEqual(['User p-custom']);
      expect(readers(acr, abac, pull)).toEqual([]);
      expect(readers(acr, abac, [], ['Microsoft.ContainerRegistry/registries/repositories/content/read'])).toEqual(['User p-custom']);
    });
  });

  test.each([
    ['microsoft.storage/storageaccounts', 'Microsoft.Storage/storageAccounts/regenerateKey/action'],
    ['microsoft.storage/storageaccounts', 'Microsoft.Storage/storageAccounts/listServiceSas/action'],
    ['microsoft.servicebus/namespaces', 'Microsoft.ServiceBus/namespaces/queues/authorizationRules/ListKeys/action'],
    ['microsoft.servicebus/namespaces', 'Microsoft.ServiceBus/namespaces/topics/authorizationRules/ListKeys/action'],
    ['microsoft.eventhub/namespaces', 'Microsoft.EventHub/namespaces/eventhubs/authorizationRules/ListKeys/action'],
    ['microsoft.sql/servers', 'Microsoft.Sql/servers/write'],
  ])('a custom role of %s with %s reads', (type, action) => {
    const uid = `${group}/providers/${type}/x`;
    const one = record({ type, uid, document: { tenantId: 't', properties: {} } });
    expect(namesOf(readersOf([...base, definition('custom', { actions: [action] }), assign(uid, 'custom')], one))).toEqual([
      'User p-custom',
    ]);
  });

  test('the definition of a dataset is no data', () => {
    const type = 'microsoft.datafactory/factories';
    const factory = record({ type, uid: `${group}/providers/${type}/x`, document: { tenantId: 't', properties: {} } });
    expect(namesOf(readersOf([...base, assign('/', 'reader')], factory))).toEqual([]);
    expect(namesOf(readersOf([...base, assign('/', 'owner')], factory))).toEqual(['User p-owner']);
  });
});
