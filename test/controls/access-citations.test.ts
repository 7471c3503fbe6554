import { describe, expect, test } from 'vitest';
import { readersSchema, type JsonObject, type Resource } from '../../src/model/index.ts';
import { accessOver } from '../support/access.ts';
import { record } from '../support/records.ts';

/** A record that is cited by its own id. */
const cited = (given: Parameters<typeof record>[0]): Resource => ({
  ...record(given),
  citation: { file: 'evidence/x/page-000001.json', pointer: `/${given.uid}`, encoding: 'json' },
});

/** Principals by the records that they are cited from: that which holds the right first. */
function citedBy(records: readonly Resource[], store: Resource): Record<string, string[]> {
  const { line } = accessOver(store.provider, [store.type], records).access(store);
  const { principals } = readersSchema.parse(JSON.parse(line));
  return Object.fromEntries(
    principals.map(({ principal, citation, through = [] }) => [principal, [citation, ...through].map(({ pointer }) => pointer.slice(1))]),
  );
}

describe('AWS: readers lead to the record that holds the statement, and on to the identity', () => {
  const iam = (name: string): string => `arn:aws:iam::111122223333:${name}`;
  const keyArn = 'arn:aws:kms:eu-west-1:111122223333:key/k';
  const policyText = (principal: JsonObject = {}): JsonObject => ({
    Statement: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', ...principal },
  });
  const key = (principals: string[]): Resource =>
    cited({
      type: 'AWS::KMS::Key',
      uid: keyArn,
      document: {
        configuration: { arn: keyArn, keyManager: 'CUSTOMER' },
        supplementaryConfiguration: { Policy: policyText({ Principal: { AWS: principals } }) },
      },
    });
  const bucket = cited({
    type: 'AWS::S3::Bucket',
    uid: 'arn:aws:s3:::data',
    document: {
      supplementaryConfiguration: {
        ServerSideEncryptionConfiguration: {
          rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn } }],
        },
      },
    },
  });
  const identity = (type: 'Role' | 'User' | 'Group', name: string, configuration: JsonObject): Resource =>
    cited({
      type: `AWS::IAM::${type}`,
      uid: iam(`${type.toLowerCase()}/${name}`),
      document: { configuration: { [`${type.toLowerCase()}Name`]: name, ...configuration } },
    });
  const attached = (policyArn: string): JsonObject => ({ attachedManagedPolicies: [{ policyArn }] });
  const inline = { policyName: 'own', policyDocument: policyText() };
  const breakGlass = cited({
    type: 'AWS::IAM::Policy',
    uid: iam('policy/BreakGlass'),
    document: {
      configuration: { arn: iam('policy/BreakGlass'), policyVersionList: [{ isDefaultVersion: true, document: policyText() }] },
    },
  });
  const by = (...records: Resource[]): Record<string, string[]> => citedBy([key([iam('root')]), breakGlass, ...records], bucket);

  test('named by the key policy: the key', () => {
    expect(citedBy([key([iam('role/app')])], bucket)).toEqual({ [iam('role/app')]: [keyArn] });
  });

  test('a policy of the account: the policy, through the identity that it is attached to', () => {
    expect(by(identity('Role', 'BreakGlass', attached(iam('policy/BreakGlass'))))).toEqual({
      [iam('role/BreakGlass')]: [iam('policy/BreakGlass'), iam('role/BreakGlass')],
    });
  });

  test('through a group: the policy or the group that holds one, the group, the user', () => {
    const groups = [
      identity('Group', 'attached', attached(iam('policy/BreakGlass'))),
      identity('Group', 'inline', { groupPolicyList: [inline] }),
    ];
    const users = [identity('User', 'eva', { groupList: ['attached'] }), identity('User', 'ben', { groupList: ['inline'] })];
    expect(by(...groups, ...users)).toEqual({
      [iam('user/eva')]: [iam('policy/BreakGlass'), iam('group/attached'), iam('user/eva')],
      [iam('user/ben')]: [iam('group/inline'), iam('user/ben')],
    });
  });

  test('an inline policy, and one that AWS owns, of which no account has a record: the identity', () => {
    const roles = [
      identity('Role', 'inline', { rolePolicyList: [inline] }),
      identity('Role', 'admin', attached('arn:aws:iam::aws:policy/AdministratorAccess')),
    ];
    expect(by(...roles)).toEqual({ [iam('role/inline')]: [iam('role/inline')], [iam('role/admin')]: [iam('role/admin')] });
  });

  test('ways that differ in what they cite are not taken for one another', () => {
    const both = identity('Role', 'both', { rolePolicyList: [inline], ...attached(iam('policy/BreakGlass')) });
    const plain = identity('Role', 'plain', attached(iam('policy/BreakGlass')));
    expect(by(both, plain)).toEqual({
      [iam('role/both')]: [iam('role/both')],
      [iam('role/plain')]: [iam('policy/BreakGlass'), iam('role/plain')],
    });
  });
});

test('Azure: readers lead to the definition that holds the data action, through the assignment', () => {
  const subscription = '/subscriptions/aaaaaaaa-0000-0000-0000-000000000001';
  const roles = 'providers/microsoft.authorization';
  const definition = `/${roles}/roledefinitions/blob`;
  const assignment = `${subscription}/${roles}/roleassignments/a`;
  const records = [
    cited({
      type: 'microsoft.resources/subscriptions',
      uid: subscription,
      document: { tenantId: 't', properties: { managedByTenants: [], managementGroupAncestorsChain: [] } },
    }),
    cited({
      type: 'microsoft.authorization/roledefinitions',
      uid: definition,
      account: 'tenants/t',
      document: {
        properties: {
          roleName: 'blob',
          permissions: [{ actions: [], dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'] }],
        },
      },
    }),
    cited({
      type: 'microsoft.authorization/roleassignments',
      uid: assignment,
      document: {
        properties: {
          scope: subscription,
          roleDefinitionId: `${subscription}${definition}`,
          principalId: 'p',
          principalType: 'Everyone',
        },
      },
    }),
  ];
  const store = cited({
    type: 'microsoft.storage/storageaccounts',
    uid: `${subscription}/resourcegroups/rg/providers/microsoft.storage/storageaccounts/acc`,
    document: { tenantId: 't', properties: { allowBlobPublicAccess: false } },
  });
  expect(citedBy(records, store)).toEqual({ 'Everyone p': [definition, assignment] });
  // What a control says of those open to many rests on both.
  const result = accessOver('azure', [store.type], records).readers(store);
  expect(result.outcome === 'found' && result.records.map(({ uid }) => uid)).toEqual([assignment, definition]);
});

describe('Google Cloud: readers lead to the list or binding that names them, and to a role of the customer', () => {
  const ancestors = ['projects/1', 'organizations/5'];
  const datasetUid = '//bigquery.googleapis.com/projects/p/datasets/d';
  const custom = 'projects/p/roles/reader';
  const role = cited({
    type: 'iam.googleapis.com/Role',
    uid: `//iam.googleapis.com/${custom}`,
    document: { resource: { data: { includedPermissions: ['bigquery.tables.getData', 'storage.objects.get'] } } },
  });
  const policy = (type: string, uid: string, bindings: JsonObject[]): Resource =>
    cited({ kind: 'iam-policy', type, uid, account: 'p', document: { ancestors, iamPolicy: { bindings } } });
  const dataset = cited({
    type: 'bigquery.googleapis.com/Dataset',
    uid: datasetUid,
    document: {
      ancestors,
      resource: {
        data: {
          access: [
            { role: 'OWNER', specialGroup: 'projectOwners' },
            { role: 'READER', specialGroup: 'projectReaders' },
            { role: 'READER', specialGroup: 'allAuthenticatedUsers' },
            { role: custom, userByEmail: 'eva@n.example' },
            { view: { projectId: 'p', datasetId: 'e', tableId: 'v' } },
          ],
        },
      },
    },
  });
  const byList = {
    projectOwners: [datasetUid],
    projectReaders: [datasetUid],
    allAuthenticatedUsers: [datasetUid],
    'user:eva@n.example': [role.uid, datasetUid],
  };
  const project = policy('cloudresourcemanager.googleapis.com/Project', '//cloudresourcemanager.googleapis.com/projects/p', [
    { role: custom, members: ['user:ben@n.example'] },
    { role: 'roles/bigquery.dataViewer', members: ['user:ada@n.example'] },
  ]);

  test('the access list of a dataset', () => {
    expect(citedBy([dataset, role, project], dataset)).toEqual({
      ...byList,
      'user:ben@n.example': [role.uid, project.uid],
      'user:ada@n.example': [project.uid],
    });
  });

  test('a table, by the access list of its dataset', () => {
    const table = cited({
      type: 'bigquery.googleapis.com/Table',
      uid: `${datasetUid}/tables/t`,
      document: { ancestors, resource: { data: {} } },
    });
    expect(citedBy([dataset, role, project], table)).toMatchObject(byList);
    const result = accessOver('gcp', [table.type], [dataset, role, project]).readers(table);
    expect(result.outcome === 'found' && result.records.map(({ uid }) => uid)).toEqual([datasetUid]);
  });

  test('the access control lists of a bucket', () => {
    const bucket = cited({
      type: 'storage.googleapis.com/Bucket',
      uid: '//storage.googleapis.com/data',
      account: 'p',
      document: {
        ancestors,
        resource: { data: { acl: [{ entity: 'allUsers' }], defaultObjectAcl: [{ entity: 'domain-n.example' }] } },
      },
    });
    expect(citedBy([], bucket)).toEqual({ allUsers: [bucket.uid], 'domain-n.example': [bucket.uid] });
  });
});
