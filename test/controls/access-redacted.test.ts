import { describe, expect, test } from 'vitest';
import { policyStatements } from '../../src/controls/access/policy-document.ts';
import type { ReadersResult } from '../../src/controls/types.ts';
import { replacement } from '../../src/evidence/redaction/rules.ts';
import { isJsonObject, type Json, type JsonObject, type Resource } from '../../src/model/index.ts';
import { accessOver, type FoundReaders } from '../support/access.ts';
import { record } from '../support/records.ts';

/**
 * Who can read a store, where some value was withheld as a secret before it reached disk. What it was is not known: each text of each
 * record is withheld in turn, and the answer must not have become milder by it.
 */

const withheld = replacement('environment-variable');

interface Leaf {
  readonly path: readonly (string | number)[];
}

/** Every text of a document, those inside JSON texts (plain or URL-encoded) included: there `path` leads on. */
function leavesOf(value: Json | undefined, path: readonly (string | number)[] = []): Leaf[] {
  if (typeof value === 'string') return [{ path }, ...(decoded(value) === null ? [] : leavesOf(decoded(value), path))];
  if (Array.isArray(value)) return value.flatMap((one, at) => leavesOf(one, [...path, at]));
  return isJsonObject(value) ? Object.entries(value).flatMap(([key, one]) => leavesOf(one, [...path, key])) : [];
}

function decoded(text: string): Json | null {
  for (const decode of [(plain: string) => plain, decodeURIComponent]) {
    try {
      const json = JSON.parse(decode(text)) as Json;
      if (typeof json === 'object' && json !== null) return json;
    } catch {
      // no JSON, then
    }
  }
  return null;
}

function withoutLeaf(value: Json, [step, ...rest]: Leaf['path']): Json {
  if (typeof value === 'string') {
    if (step === undefined) return withheld;
    const inner = JSON.stringify(withoutLeaf(decoded(value), [step, ...rest]));
    return value.startsWith('%') ? encodeURIComponent(inner) : inner;
  }
  if (Array.isArray(value)) return value.map((one, at) => (at === step ? withoutLeaf(one, rest) : one));
  return Object.fromEntries<Json>(
    Object.entries(value as JsonObject).map(([key, one]) => [key, key === step && one !== undefined ? withoutLeaf(one, rest) : one]),
  );
}

const ask = (records: readonly Resource[], store: Resource): ReadersResult =>
  accessOver(store.provider, [store.type], [...records], 'everything').readers(store);
const readersOf = ({ principals }: FoundReaders): string[] =>
  principals.map((one) => `${String(one['principal'])} ${one['wide'] ? 'wide' : ''}`);

/** What became milder: readers that are gone, or are said to be bound by a condition, where the answer still counts as whole. */
function milder(before: FoundReaders, after: ReadersResult): string[] {
  if (after.outcome === 'unknown' || !after.complete) return [];
  const now = new Map(after.principals.map((one) => [String(one['principal']), one]));
  const found = readersOf(before).filter((reader) => !readersOf(after).includes(reader));
  for (const one of before.principals)
    if (one['conditional'] === false && now.get(String(one['principal']))?.['conditional'] === true && one['wide'] === true)
      found.push(`${String(one['principal'])} is conditional now`);
  for (const one of after.principals)
    if (
      one['conditional'] === false &&
      before.principals.find((other) => other['principal'] === one['principal'])?.['conditional'] === true
    )
      found.push(`${String(one['principal'])} is unconditional now`);
  if (after.world !== before.world) found.push(`it lives in the world of ${after.world} now`);
  if (readersOf(after).some((reader) => reader.includes('redacted'))) found.push('a withheld value is taken for a reader');
  return found;
}

const own = '111122223333';
const keyArn = `arn:aws:kms:eu-west-1:${own}:key/11111111-2222-3333-4444-555555555555`;
const url = (document: JsonObject): string => encodeURIComponent(JSON.stringify(document));
const statement = (more: JsonObject): JsonObject => ({
  Statement: [{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: keyArn, ...more }],
});
const identity = (kind: 'Role' | 'User' | 'Group', name: string, configuration: JsonObject): Resource =>
  record({
    type: `AWS::IAM::${kind}`,
    uid: `arn:aws:iam::${own}:${kind.toLowerCase()}/${name}`,
    document: { configuration: { [`${kind.toLowerCase()}Name`]: name, ...configuration } },
  });
const policy = (name: string, document: JsonObject): Resource =>
  record({
    type: 'AWS::IAM::Policy',
    uid: `arn:aws:iam::${own}:policy/${name}`,
    document: {
      configuration: {
        arn: `arn:aws:iam::${own}:policy/${name}`,
        policyVersionList: [{ isDefaultVersion: true, document: url(document) }],
      },
    },
  });
const arn = (name: string): JsonObject => ({ policyArn: `arn:aws:iam::${own}:policy/${name}` });
const awsRecords = [
  record({
    type: 'AWS::KMS::Key',
    uid: keyArn,
    document: {
      arn: keyArn,
      configuration: { keyId: keyArn.slice(-36), arn: keyArn, keyManager: 'CUSTOMER' },
      supplementaryConfiguration: {
        Policy: JSON.stringify({
          Statement: [
            { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${own}:root` }, Action: 'kms:*', Resource: '*' },
            { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::999900001111:root' }, Action: 'kms:Decrypt', Resource: '*' },
            {
              Effect: 'Allow',
              Principal: '*',
              Action: 'kms:Decrypt',
              Resource: '*',
              Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-example' } },
            },
          ],
        }),
      },
    },
  }),
  identity('Role', 'inline', { rolePolicyList: [{ policyName: 'p', policyDocument: url(statement({})) }], attachedManagedPolicies: [] }),
  identity('Role', 'attached', { rolePolicyList: [], attachedManagedPolicies: [arn('decrypts')] }),
  identity('Role', 'bounded', {
    rolePolicyList: [],
    attachedManagedPolicies: [arn('decrypts')],
    permissionsBoundary: { permissionsBoundaryArn: `arn:aws:iam::${own}:policy/bound` },
  }),
  identity('User', 'member', { userPolicyList: [], attachedManagedPolicies: [], groupList: ['team'] }),
  identity('Group', 'team', { groupPolicyList: [], attachedManagedPolicies: [arn('decrypts')] }),
  policy('decrypts', statement({})),
  policy('bound', statement({ Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } } })),
];
const bucketWith = (rule: JsonObject, more: JsonObject = {}): Resource =>
  record({
    type: 'AWS::S3::Bucket',
    uid: 'arn:aws:s3:::data',
    account: own,
    document: {
      awsRegion: 'eu-west-1',
      supplementaryConfiguration: {
        ServerSideEncryptionConfiguration: { rules: [{ applyServerSideEncryptionByDefault: rule }] },
        ...more,
      },
    },
  });
const secret = record({
  type: 'AWS::SecretsManager::Secret',
  uid: `arn:aws:secretsmanager:eu-west-1:${own}:secret:s`,
  account: own,
  document: { awsRegion: 'eu-west-1', configuration: { KMSKeyId: keyArn } },
});
const openBucket = bucketWith(
  { sseAlgorithm: 'AES256' },
  {
    BucketPolicy: {
      policyText: JSON.stringify({
        Statement: [
          { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/*' },
          { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::999900001111:role/x' }, Action: 's3:Get*', Resource: 'arn:aws:s3:::data/*' },
        ],
      }),
    },
    AccessControlList: {
      grantList: [
        { grantee: { id: 'c0' }, permission: 'FullControl' },
        { grantee: 'AllUsers', permission: 'Read' },
      ],
      owner: { id: 'c0' },
    },
  },
);

const sub = 'aaaaaaaa-0000-0000-0000-000000000001';
const group = `/subscriptions/${sub}/resourcegroups/rg`;
const account = record({
  type: 'microsoft.storage/storageaccounts',
  uid: `${group}/providers/microsoft.storage/storageaccounts/acc`,
  document: { tenantId: 't', properties: { allowBlobPublicAccess: false } },
});
const definition = (id: string, permission: JsonObject): Resource =>
  record({
    type: 'microsoft.authorization/roledefinitions',
    uid: `/providers/microsoft.authorization/roledefinitions/${id}`,
    account: 'tenants/t',
    document: {
      properties: { roleName: id, permissions: [{ actions: [], notActions: [], dataActions: [], notDataActions: [], ...permission }] },
    },
  });
const assign = (scope: string, role: string, more: JsonObject = {}): Resource =>
  record({
    type: 'microsoft.authorization/roleassignments',
    account: sub,
    uid: `${scope}/providers/microsoft.authorization/roleassignments/${role}`,
    document: {
      properties: {
        scope,
        roleDefinitionId: `/subscriptions/${sub}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
        principalId: `p-${role}`,
        principalType: 'User',
        ...more,
      },
    },
  });
const azureRecords = [
  record({
    type: 'microsoft.resources/subscriptions',
    uid: `/subscriptions/${sub}`,
    document: { tenantId: 't', properties: { managedByTenants: [], managementGroupAncestorsChain: [{ name: 'root' }] } },
  }),
  definition('owner', { actions: ['*'], notActions: ['Microsoft.Authorization/*/delete'] }),
  definition('blob', { dataActions: ['Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read'] }),
  assign(group, 'owner'),
  assign(account.uid, 'blob', { condition: "@Resource[tag] StringEquals 'x'" }),
  assign('/providers/Microsoft.Management/managementGroups/root', 'blob', { principalType: 'ForeignGroup' }),
];

const ancestors = ['projects/123', 'folders/4', 'organizations/5'];
const iam = (type: string, relative: string, bindings: JsonObject[], of = ancestors): Resource =>
  record({
    kind: 'iam-policy',
    type,
    uid: `//x.googleapis.com/${relative}`,
    account: 'x',
    document: { ancestors: of, iamPolicy: { bindings } },
  });
const gcpBucket = record({
  type: 'storage.googleapis.com/Bucket',
  uid: '//storage.googleapis.com/data',
  account: 'data-prod',
  document: {
    ancestors,
    resource: { data: { iamConfiguration: { uniformBucketLevelAccess: { enabled: true }, publicAccessPrevention: 'inherited' } } },
  },
});
const gcpRecords = [
  iam('storage.googleapis.com/Bucket', 'data', [
    { role: 'roles/storage.objectViewer', members: ['allUsers', 'user:eva@n.example'] },
    { role: 'projects/data-prod/roles/reads', members: ['domain:n.example'], condition: { expression: 'x' } },
  ]),
  iam('cloudresourcemanager.googleapis.com/Project', 'projects/data-prod', [{ role: 'roles/owner', members: ['user:o@n.example'] }]),
  record({
    type: 'iam.googleapis.com/Role',
    uid: '//iam.googleapis.com/projects/data-prod/roles/reads',
    document: { resource: { data: { includedPermissions: ['storage.objects.get', 'storage.objects.list'] } } },
  }),
];
const dataset = record({
  type: 'bigquery.googleapis.com/Dataset',
  uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d',
  account: 'data-prod',
  document: {
    ancestors,
    resource: {
      data: {
        access: [
          { role: 'READER', specialGroup: 'allAuthenticatedUsers' },
          { role: 'OWNER', userByEmail: 'o@n.example' },
          { role: 'WRITER', groupByEmail: 'g@n.example' },
          { role: 'READER', domain: 'n.example' },
          { role: 'roles/bigquery.dataViewer', iamMember: 'allUsers' },
        ],
      },
    },
  },
});

const estates: Record<string, { records: Resource[]; store: Resource; least: number }> = {
  'a bucket under a customer managed key': {
    records: awsRecords,
    store: bucketWith({ sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn }),
    least: 6,
  },
  'a secret under a customer managed key': { records: awsRecords, store: secret, least: 6 },
  'a bucket with a policy of its own': { records: awsRecords, store: openBucket, least: 2 },
  'a storage account': { records: azureRecords, store: account, least: 3 },
  'a bucket of Google Cloud': { records: gcpRecords, store: gcpBucket, least: 4 },
  'a dataset': { records: gcpRecords, store: dataset, least: 5 },
};

describe('a value that was withheld is never read as a value', () => {
  test.each(Object.entries(estates))('%s', (_, { records, store, least }) => {
    const before = ask(records, store);
    if (before.outcome !== 'found') throw new Error(before.because);
    expect(before.complete).toBe(true);
    expect(before.principals.length).toBeGreaterThanOrEqual(least);
    const found: string[] = [];
    let tried = 0;
    for (const one of [...records, store]) {
      for (const { path } of leavesOf(one.document)) {
        const changed = { ...one, document: withoutLeaf(one.document, path) as JsonObject };
        const after = ask(
          records.map((other) => (other === one ? changed : other)),
          one === store ? changed : store,
        );
        tried += 1;
        found.push(...milder(before, after).map((what) => `${one.uid} ${path.join('.')}: ${what}`));
      }
    }
    expect(tried).toBeGreaterThan(10);
    expect(found).toEqual([]);
  });

  test('of a policy, only the name of a statement may be withheld', () => {
    const document = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'reads',
          Effect: 'Allow',
          Principal: { AWS: ['arn:aws:iam::999900001111:root', '*'] },
          Action: ['kms:Decrypt'],
          Resource: '*',
          Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-example' } },
        },
      ],
    };
    const readable = leavesOf(document).filter(
      ({ path }) => policyStatements(withoutLeaf(document, path), 'resource') !== null && path[0] !== 'Version',
    );
    expect(readable.map(({ path }) => path.at(-1))).toEqual(['Sid']);
    expect(leavesOf(document).length).toBe(8);
  });
});
