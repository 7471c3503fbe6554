import { describe, expect, test } from 'vitest';
import { coversAction, narrowedBy, policyStatements, wildcard } from '../../src/controls/access/policy-document.ts';
import type { ReadersResult } from '../../src/controls/types.ts';
import { accessSchema, type Json, type JsonObject, type Resource } from '../../src/model/index.ts';
import { accessOver, record } from '../support/records.ts';

const own = '111122223333';
const keyArn = `arn:aws:kms:eu-west-1:${own}:key/11111111-2222-3333-4444-555555555555`;
const allow = (Principal: Json, more: JsonObject = {}): JsonObject => ({
  Effect: 'Allow',
  Principal,
  Action: ['kms:Decrypt', 'kms:DescribeKey'],
  Resource: '*',
  ...more,
});
const root: JsonObject = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${own}:root` }, Action: 'kms:*', Resource: '*' };
const key = (statements: JsonObject[] | string, manager = 'CUSTOMER') =>
  record({
    type: 'AWS::KMS::Key',
    uid: keyArn,
    document: {
      arn: keyArn,
      configuration: { keyId: keyArn.slice(-36), arn: keyArn, keyManager: manager },
      supplementaryConfiguration: { Policy: typeof statements === 'string' ? statements : JSON.stringify({ Statement: statements }) },
    },
  });
const bucket = (rule: JsonObject | null = { sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyArn }, more: JsonObject = {}) =>
  record({
    type: 'AWS::S3::Bucket',
    uid: 'arn:aws:s3:::data',
    account: own,
    document: {
      awsRegion: 'eu-west-1',
      supplementaryConfiguration: {
        ...(rule ? { ServerSideEncryptionConfiguration: { rules: [{ applyServerSideEncryptionByDefault: rule }] } } : {}),
        ...more,
      },
    },
  });
const url = (document: JsonObject): string => encodeURIComponent(JSON.stringify(document));
const role = (name: string, policies: JsonObject[], attached: string[] = [], more: JsonObject = {}) =>
  record({
    type: 'AWS::IAM::Role',
    uid: `arn:aws:iam::${own}:role/${name}`,
    document: {
      configuration: {
        roleName: name,
        rolePolicyList: policies.map((document, at) => ({ policyName: `p${at}`, policyDocument: url(document) })),
        attachedManagedPolicies: attached.map((policyArn) => ({ policyArn })),
        ...more,
      },
    },
  });
const managed = (name: string, document: JsonObject) =>
  record({
    type: 'AWS::IAM::Policy',
    uid: `arn:aws:iam::${own}:policy/${name}`,
    document: {
      configuration: {
        arn: `arn:aws:iam::${own}:policy/${name}`,
        policyVersionList: [
          { isDefaultVersion: false, document: url({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }) },
          { isDefaultVersion: true, document: url(document) },
        ],
      },
    },
  });
const decrypting = (more: JsonObject = {}): JsonObject => ({
  Statement: { Effect: 'Allow', Action: 'kms:Decrypt', Resource: keyArn, ...more },
});

type Found = ReadersResult & { outcome: 'found' };
function readers(records: Resource[], store: Resource = bucket(), complete?: string[]): Found {
  const result = accessOver(store.provider, [store.type], records, complete ?? 'everything').readers(store);
  if (result.outcome !== 'found') throw new Error(result.because);
  return result;
}
const names = (result: Found): unknown[] => result.principals.map((one) => one['principal']);

describe('AWS: the key is an access boundary', () => {
  test('the principals of the key policy can read', () => {
    const result = readers([
      key([
        allow({ AWS: [`arn:aws:iam::${own}:role/app`, `arn:aws:iam::${own}:user/eva`] }),
        allow({ AWS: `arn:aws:iam::${own}:role/admin` }, { Action: ['kms:Create*', 'kms:Put*'] }),
      ]),
    ]);
    expect(result).toMatchObject({ world: 'key-boundary', complete: true });
    expect(result.principals).toEqual([
      { principal: `arn:aws:iam::${own}:role/app`, kind: 'role', via: 'key policy statement 0', wide: false, conditional: false },
      { principal: `arn:aws:iam::${own}:user/eva`, kind: 'user', via: 'key policy statement 0', wide: false, conditional: false },
    ]);
    expect(result.unsettled.join()).toContain('grants');
  });

  test('without delegation no IAM policy of the account matters', () => {
    expect(names(readers([key([allow({ AWS: `arn:aws:iam::${own}:role/app` })]), role('other', [decrypting()])]))).toEqual([
      `arn:aws:iam::${own}:role/app`,
    ]);
  });

  test('delegated to the account: identities whose policies allow decrypting, inline, attached, or through a group', () => {
    const user = record({
      type: 'AWS::IAM::User',
      uid: `arn:aws:iam::${own}:user/eva`,
      document: { configuration: { userName: 'eva', userPolicyList: [], groupList: ['stewards'], attachedManagedPolicies: [] } },
    });
    const group = record({
      type: 'AWS::IAM::Group',
      uid: `arn:aws:iam::${own}:group/stewards`,
      document: {
        configuration: {
          groupName: 'stewards',
          groupPolicyList: [{ policyName: 'g', policyDocument: url(decrypting()) }],
          attachedManagedPolicies: [],
        },
      },
    });
    const result = readers([
      key([root]),
      user,
      group,
      managed('read', decrypting({ Resource: 'arn:aws:kms:*:*:key/*' })),
      role('inline', [decrypting()]),
      role('attached', [], [`arn:aws:iam::${own}:policy/read`]),
      role('admin', [], ['arn:aws:iam::aws:policy/AdministratorAccess']),
      role('wildcard', [decrypting({ Action: 'kms:De*', Resource: '*' })]),
      role('not-action', [{ Statement: [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }] }]),
      role('other-key', [decrypting({ Resource: keyArn.replace('1111', '9999') })]),
      role('describes', [decrypting({ Action: 'kms:Describe*' })]),
      role('not-resource', [decrypting({ Resource: undefined as unknown as Json, NotResource: keyArn })]),
    ]);
    expect(names(result)).toEqual(
      ['role/admin', 'role/attached', 'role/inline', 'role/not-action', 'role/wildcard', 'user/eva'].map(
        (name) => `arn:aws:iam::${own}:${name}`,
      ),
    );
    expect(result.principals.find((one) => String(one['principal']).endsWith('eva'))?.['via']).toBe(
      'IAM group stewards, inline policy g (kms:Decrypt)',
    );
  });

  test('an explicit deny takes away, one under a condition only casts doubt', () => {
    const denied = (more: JsonObject = {}) => ({
      Statement: [decrypting()['Statement'] as JsonObject, { Effect: 'Deny', Action: 'kms:*', Resource: '*', ...more }],
    });
    const result = readers([
      key([root]),
      role('denied', [denied()]),
      role('doubtful', [denied({ Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } })]),
    ]);
    expect(result.principals).toEqual([expect.objectContaining({ principal: `arn:aws:iam::${own}:role/doubtful`, conditional: true })]);
    expect(names(readers([key([allow('*'), { Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*' }])]))).toEqual([]);
  });

  test('a permissions boundary has to allow as well', () => {
    const boundary = { permissionsBoundary: { permissionsBoundaryArn: `arn:aws:iam::${own}:policy/boundary` } };
    const within = (document: JsonObject) =>
      readers([key([root]), managed('boundary', document), role('bounded', [decrypting()], [], boundary)]);
    expect(names(within({ Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }))).toEqual([]);
    expect(names(within({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }))).toHaveLength(1);
    expect(readers([key([root]), role('bounded', [decrypting()], [], boundary)]).principals).toEqual([
      expect.objectContaining({ conditional: true }),
    ]);
  });

  test('a policy that is not in the evidence is named, not passed over', () => {
    const result = readers([
      key([root]),
      role('auditor', [], ['arn:aws:iam::aws:policy/SecurityAudit']),
      role('lost', [], [`arn:aws:iam::${own}:policy/lost`]),
    ]);
    expect(result.unsettled).toEqual(
      expect.arrayContaining([expect.stringContaining('SecurityAudit'), expect.stringContaining('policy/lost')]),
    );
    expect(result).toMatchObject({ complete: false, because: expect.stringContaining('policy/lost') as string });
    expect(readers([key([root]), role('auditor', [], ['arn:aws:iam::aws:policy/SecurityAudit'])])).toMatchObject({ complete: true });
    expect(readers([key([root]), role('broken', [{ Statement: [{ Effect: 'Allow' }] }])])).toMatchObject({
      complete: false,
      because: expect.stringContaining('role/broken') as string,
    });
  });

  test.each([
    ['everyone', allow('*'), '*', true],
    ['everyone by AWS', allow({ AWS: '*' }), '*', true],
    [
      'all but one',
      { Effect: 'Allow', NotPrincipal: { AWS: `arn:aws:iam::${own}:role/x` }, Action: 'kms:*', Resource: '*' },
      '* (all but those named)',
      true,
    ],
    ['a whole other account', allow({ AWS: '999988887777' }), '999988887777', true],
    ['the root of another account', allow({ AWS: 'arn:aws:iam::999988887777:root' }), 'arn:aws:iam::999988887777:root', true],
    ['a role of another account', allow({ AWS: 'arn:aws:iam::999988887777:role/r' }), 'arn:aws:iam::999988887777:role/r', false],
    [
      'everyone of an organisation',
      allow('*', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } }),
      'every principal of organisation o-1',
      true,
    ],
    [
      'everyone of the own account',
      allow('*', { Condition: { StringEquals: { 'kms:CallerAccount': own } } }),
      `every principal of account ${own}`,
      false,
    ],
    [
      'everyone of another account',
      allow('*', { Condition: { StringEquals: { 'kms:CallerAccount': '999988887777' } } }),
      'every principal of account 999988887777',
      true,
    ],
    [
      'everyone, by a condition that bounds nobody',
      allow('*', { Condition: { StringEqualsIfExists: { 'kms:CallerAccount': own } } }),
      '*',
      true,
    ],
    ['everyone, by a negated condition', allow('*', { Condition: { StringNotEquals: { 'kms:CallerAccount': own } } }), '*', true],
    ['a service', allow({ Service: 'logs.eu-west-1.amazonaws.com' }), 'logs.eu-west-1.amazonaws.com', false],
  ] as const)('%s', (_, statement, principal, wide) => {
    expect(readers([key([statement as JsonObject])]).principals[0]).toMatchObject({ principal, wide });
  });

  test('a wide reader cites the key', () => {
    expect(readers([key([allow('*')])]).records.map((one) => one.uid)).toEqual([keyArn]);
  });

  test('is not complete where the identities of the account are not', () => {
    expect(
      readers([key([root])], bucket(), ['AWS::KMS::Key', 'AWS::KMS::Alias', 'AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group']),
    ).toMatchObject({ complete: false, because: expect.stringContaining('AWS::IAM::Policy') as string });
    expect(readers([key([allow({ AWS: `arn:aws:iam::${own}:role/app` })])], bucket(), ['AWS::KMS::Key'])).toMatchObject({ complete: true });
  });

  test('damaged evidence settles nothing', () => {
    const unknown = (records: Resource[], store: Resource) => accessOver('aws', [store.type], records).readers(store).outcome;
    expect(unknown([key('not a policy')], bucket())).toBe('unknown');
    expect(unknown([key([{ Effect: 'Perhaps' }])], bucket())).toBe('unknown');
    expect(unknown([key([root], undefined as unknown as string)], bucket())).toBe('found');
    expect(unknown([{ ...key([root]), document: { configuration: { keyId: keyArn.slice(-36) } } }], bucket())).toBe('unknown');
    expect(unknown([key([root])], bucket(null))).toBe('unknown');
    expect(unknown([], bucket())).toBe('unknown');
    expect(
      unknown(
        [key([root])],
        record({
          type: 'AWS::EC2::Volume',
          uid: `arn:aws:ec2:eu-west-1:${own}:volume/v`,
          document: { configuration: { kmsKeyId: keyArn } },
        }),
      ),
    ).toBe('unknown');
  });
});

describe('AWS: without a customer managed key data roles decide', () => {
  const open = {
    BucketPolicy: {
      policyText: JSON.stringify({
        Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::data/*' }],
      }),
    },
  };

  test.each([
    ['SSE-S3', { sseAlgorithm: 'AES256' }],
    ['the AWS managed key', { sseAlgorithm: 'aws:kms' }],
  ])('%s', (_, rule) => {
    const result = readers(
      [
        role('reader', [{ Statement: { Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::data/*' } }]),
        role('other', [{ Statement: { Effect: 'Allow', Action: 's3:Get*', Resource: 'arn:aws:s3:::logs/*' } }]),
      ],
      bucket(rule),
    );
    expect(result).toMatchObject({ world: 'data-roles', principals: [{ principal: `arn:aws:iam::${own}:role/reader` }] });
  });

  test('a key that AWS manages is no boundary', () => {
    expect(readers([key([allow('*')], 'AWS')])).toMatchObject({ world: 'data-roles', principals: [] });
  });

  test('a bucket policy open to everyone is wide, unless public access is blocked', () => {
    expect(readers([], bucket({ sseAlgorithm: 'AES256' }, open)).principals[0]).toMatchObject({ principal: '*', wide: true });
    expect(
      readers([], bucket({ sseAlgorithm: 'AES256' }, { ...open, PublicAccessBlockConfiguration: { restrictPublicBuckets: true } }))
        .principals[0],
    ).toMatchObject({ wide: false, conditional: true });
    expect(
      accessOver('aws', ['AWS::S3::Bucket'], []).readers(bucket({ sseAlgorithm: 'AES256' }, { BucketPolicy: { policyText: '{' } })).outcome,
    ).toBe('unknown');
  });
});

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
    const result = readers(
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
    expect(names(readers([...base, assign(storeId, 'all-but-keys')], store()))).toEqual([]);
  });

  test('conditions and foreign principals are marked', () => {
    expect(
      readers(
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
    expect(readers([...base, assign(storeId, 'unheard-of')], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('unheard-of') as string,
    });
    const torn = definition('torn', { dataActions: null });
    expect(readers([...base, torn, assign(storeId, 'torn')], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('what role torn allows') as string,
    });
    expect(readers([...base, assign(storeId, 'blob', { principalType: null })], store())).toMatchObject({
      complete: false,
      because: expect.stringContaining('kind of principal') as string,
    });
    expect(readers(base, store({ allowBlobPublicAccess: true }))).toMatchObject({
      complete: false,
      because: expect.stringContaining('anonymous') as string,
    });
    expect(readers(base, store({}))).toMatchObject({ complete: false });
    expect(
      readers([...base, assign(storeId, 'blob')], store(), [
        'microsoft.authorization/roledefinitions',
        'microsoft.resources/subscriptions',
      ]),
    ).toMatchObject({ complete: false });
  });
});

describe('Google Cloud: IAM roles decide', () => {
  const ancestors = ['projects/123', 'folders/4', 'organizations/5'];
  const bucketOf = record({
    type: 'storage.googleapis.com/Bucket',
    uid: '//storage.googleapis.com/data',
    account: 'data-prod',
    document: { ancestors },
  });
  const policy = (type: string, relative: string, bindings: JsonObject[], of = ancestors) =>
    record({
      kind: 'iam-policy',
      type,
      uid: `//x.googleapis.com/${relative}`,
      account: 'x',
      document: { ancestors: of, iamPolicy: { bindings } },
    });
  const onBucket = (...bindings: JsonObject[]) => policy('storage.googleapis.com/Bucket', 'data', bindings);
  const onProject = (...bindings: JsonObject[]) => policy('cloudresourcemanager.googleapis.com/Project', 'projects/data-prod', bindings);
  const onFolder = (...bindings: JsonObject[]) =>
    policy('cloudresourcemanager.googleapis.com/Folder', 'folders/4', bindings, ancestors.slice(1));

  test('lists who holds a data-read role on the store or above it', () => {
    const result = readers(
      [
        onBucket(
          { role: 'roles/storage.objectViewer', members: ['user:eva@n.example', 'group:g@n.example'] },
          { role: 'roles/storage.objectCreator', members: ['user:writer@n.example'] },
        ),
        onProject({ role: 'roles/owner', members: ['user:o@n.example'] }),
        onFolder({ role: 'roles/storage.admin', members: ['user:f@n.example'], condition: { expression: 'x' } }),
      ],
      bucketOf,
    );
    expect(result.principals.map((one) => [one['principal'], one['inheritedFrom'] ?? null, one['conditional']])).toEqual([
      ['group:g@n.example', null, false],
      ['user:eva@n.example', null, false],
      ['user:f@n.example', 'folders/4', true],
      ['user:o@n.example', 'projects/data-prod', false],
    ]);
    expect(result.complete).toBe(true);
    expect(result.unsettled.join()).toContain('group membership');
  });

  test.each([
    ['allUsers', 'roles/storage.objectViewer', true],
    ['allAuthenticatedUsers', 'roles/storage.legacyObjectReader', true],
    ['domain:other.example', 'roles/storage.objectViewer', true],
    ['allUsers', 'roles/some.newRole', true],
    ['allUsers', 'roles/storage.objectCreator', undefined],
    ['user:a@b.example', 'roles/some.newRole', undefined],
  ])('%s with %s', (member, held, wide) => {
    expect(readers([onBucket({ role: held, members: [member] })], bucketOf).principals[0]?.['wide']).toBe(wide);
  });

  test('custom roles are judged by their permissions', () => {
    const custom = record({
      type: 'iam.googleapis.com/Role',
      uid: '//iam.googleapis.com/projects/data-prod/roles/reads',
      document: { resource: { data: { includedPermissions: ['storage.objects.get'] } } },
    });
    const binding = { role: 'projects/data-prod/roles/reads', members: ['user:a@b.example'] };
    expect(names(readers([custom, onBucket(binding)], bucketOf))).toEqual(['user:a@b.example']);
    const lost = readers([onBucket(binding)], bucketOf);
    expect(names(lost)).toEqual([]);
    expect(lost.unsettled.join()).toContain('projects/data-prod/roles/reads');
  });

  test('a table inherits the access list of its dataset', () => {
    const table = record({
      type: 'bigquery.googleapis.com/Table',
      uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d/tables/t',
      document: { ancestors },
    });
    const dataset = (access: Json) =>
      record({
        type: 'bigquery.googleapis.com/Dataset',
        uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d',
        document: { ancestors, resource: { data: { access } } },
      });
    expect(
      readers(
        [
          dataset([
            { role: 'READER', specialGroup: 'allAuthenticatedUsers' },
            { role: 'OWNER', userByEmail: 'o@n.example' },
            { view: { tableId: 'v' } },
          ]),
        ],
        table,
      ).principals,
    ).toEqual([
      expect.objectContaining({ principal: 'allAuthenticatedUsers', wide: true }),
      expect.objectContaining({ principal: 'user:o@n.example', wide: false }),
    ]);
    expect(readers([], table)).toMatchObject({ complete: false });
    expect(readers([dataset(undefined as unknown as Json)], table)).toMatchObject({ complete: false });
  });

  test('is not complete where a level above is not, or a binding cannot be read', () => {
    expect(readers([onBucket()], bucketOf, ['iam-policy:storage.googleapis.com/Bucket'])).toMatchObject({ complete: false });
    expect(readers([onBucket({ role: 'roles/storage.objectViewer' })], bucketOf)).toMatchObject({ complete: false });
    expect(readers([onBucket()], { ...bucketOf, document: {} })).toMatchObject({ complete: false });
  });
});

describe('policy documents', () => {
  test('are read in every encoding, or not at all', () => {
    const document = { Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }] };
    for (const policy of [document, JSON.stringify(document), url(document), JSON.stringify(JSON.stringify(document))])
      expect(policyStatements(policy)).toHaveLength(1);
    for (const policy of ['{', 7, null, undefined, { Statement: ['x'] }, { Statement: [{ Effect: 'maybe' }] }])
      expect(policyStatements(policy as Json)).toBeNull();
  });

  test('wildcards', () => {
    expect(
      [
        ['*', ''],
        ['a*', 'abc'],
        ['a?c', 'abc'],
        ['*c', 'abc'],
        ['a*b*c', 'a--b--c'],
      ].every(([pattern, text]) => wildcard(pattern as string, text as string)),
    ).toBe(true);
    expect(
      [
        ['a?', 'a'],
        ['a*b', 'ac'],
        ['', 'a'],
        ['abc', 'ab'],
      ].some(([pattern, text]) => wildcard(pattern as string, text as string)),
    ).toBe(false);
    const started = performance.now();
    wildcard('*a*a*a*a*a*a*a*a*b', 'a'.repeat(20_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('actions compare without case, and one that names none cannot be read', () => {
    const [statement] = policyStatements({ Statement: [{ Effect: 'Allow', Action: 'KMS:decrypt', Resource: '*' }] }) ?? [];
    expect(statement && coversAction(statement, 'kms:Decrypt')).toBe(true);
    expect(policyStatements({ Statement: [{ Effect: 'Allow', Resource: '*' }] })).toBeNull();
  });

  test('a condition with a wildcard bounds nobody', () => {
    expect(narrowedBy({ StringLike: { 'kms:CallerAccount': '*' } })).toEqual({ accounts: null, arns: null, organizations: null });
    expect(narrowedBy({ StringEquals: { 'kms:CallerAccount': ['${aws:x}'] } }).accounts).toBeNull();
  });
});

test('a line of access.ndjson follows its schema', () => {
  const access = accessOver('aws', ['AWS::S3::Bucket'], [key([allow('*'), root]), role('inline', [decrypting()])]);
  const { line, wide, complete } = access.access(
    bucket(),
    JSON.stringify({
      kind: 'resource',
      provider: 'aws',
      type: 'AWS::S3::Bucket',
      uid: 'u',
      name: 'n',
      account: own,
      location: 'x',
      scope: { provider: 'aws', account: own, region: 'x' },
      capturedAt: null,
    }),
  );
  expect(accessSchema.parse(JSON.parse(line))).toMatchObject({
    principals: [
      { principal: '*', wide: true },
      { kind: 'role', wide: false },
    ],
    complete: true,
  });
  expect([wide, complete]).toEqual([true, true]);
});
