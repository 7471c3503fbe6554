import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readersSchema, type Json, type JsonObject, type Resource } from '../../src/model/index.ts';
import { accessOver, namesOf, readersOf } from '../support/access.ts';
import { record } from '../support/records.ts';

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

/** Who can read a bucket under the customer managed key, or another store. */
const readers = (records: Resource[], store: Resource = bucket(), complete?: string[]) => readersOf(records, store, complete);

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
    expect(namesOf(readers([key([allow({ AWS: `arn:aws:iam::${own}:role/app` })]), role('other', [decrypting()])]))).toEqual([
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
    expect(namesOf(result)).toEqual(
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
    expect(namesOf(readers([key([allow('*'), { Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*' }])]))).toEqual([]);
  });

  test('a permissions boundary has to allow as well', () => {
    const boundary = { permissionsBoundary: { permissionsBoundaryArn: `arn:aws:iam::${own}:policy/boundary` } };
    const within = (document: JsonObject) =>
      readers([key([root]), managed('boundary', document), role('bounded', [decrypting()], [], boundary)]);
    expect(namesOf(within({ Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } }))).toEqual([]);
    expect(namesOf(within({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }))).toHaveLength(1);
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
    expect(unknown([key([root])], bucket({}))).toBe('unknown');
    expect(readers([], bucket(null))).toMatchObject({ complete: false });
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

test('a line of readers.ndjson follows its schema, and its id is made of what it says', () => {
  const access = accessOver('aws', ['AWS::S3::Bucket'], [key([allow('*'), root]), role('inline', [decrypting()])]);
  const { id, line, wide, complete } = access.access(bucket());
  expect(readersSchema.parse(JSON.parse(line))).toMatchObject({
    id,
    principals: [
      { principal: '*', wide: true },
      { kind: 'role', wide: false },
    ],
    complete: true,
  });
  expect([wide, complete]).toEqual([true, true]);
  const { id: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
  expect(createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 32)).toBe(id);
  expect(access.access(bucket({ sseAlgorithm: 'AES256' })).id).not.toBe(id);
});
