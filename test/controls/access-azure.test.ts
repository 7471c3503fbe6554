import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/index.ts';
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
    document: { tenantId: 't', properties: { managementGroupAncestorsChain: [{ name: 'root' }] } },
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
      notActions: ['Microsoft.Storage/storageAccounts/listKeys/*', 'microsoft.storage/storageaccounts/listaccountsas/action'],
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
});
