import { describe, expect, test } from 'vitest';
import type { Json, JsonObject, Resource } from '../../src/model/index.ts';
import { accessAnalysis } from '../../src/controls/access/access.ts';
import { tableReads } from '../../src/controls/assess/needs.ts';
import { tableIndex } from '../../src/controls/lookups/table-index.ts';
import { accessOver, namesOf, readersOf } from '../support/access.ts';
import { conditionCheck, outcome } from '../support/judging.ts';
import { record } from '../support/records.ts';

/** Who gets at a store by its own policy, by sharing, and by the key of another account. */
const own = '111122223333';
const other = '444455556666';
const foreign = '999988887777';
const keyOf = (account: string): string => `arn:aws:kms:eu-west-1:${account}:key/11111111-2222-3333-4444-555555555555`;
const app = `arn:aws:iam::${own}:role/app`;

const allow = (Principal: Json, more: JsonObject = {}): JsonObject => ({ Effect: 'Allow', Principal, Action: '*', Resource: '*', ...more });
const deny = (Principal: Json, more: JsonObject = {}): JsonObject => ({ ...allow(Principal, more), Effect: 'Deny' });
const text = (...statements: JsonObject[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });

const store = (type: string, arn: string, configuration: JsonObject, supplementaryConfiguration: JsonObject = {}) =>
  record({ type, uid: arn, account: own, document: { awsRegion: 'eu-west-1', configuration, supplementaryConfiguration } });
const key = (statements: JsonObject[], account = own) =>
  record({
    type: 'AWS::KMS::Key',
    uid: keyOf(account),
    account,
    document: {
      arn: keyOf(account),
      configuration: { keyId: keyOf(account).slice(-36), arn: keyOf(account), keyManager: 'CUSTOMER' },
      supplementaryConfiguration: { Policy: text(...statements) },
    },
  });
const decrypter = (name: string, account = own) =>
  record({
    type: 'AWS::IAM::Role',
    uid: `arn:aws:iam::${account}:role/${name}`,
    account,
    document: {
      configuration: {
        roleName: name,
        rolePolicyList: [
          { policyName: 'p', policyDocument: text({ Effect: 'Allow', Action: ['kms:Decrypt', 's3:GetObjectVersion'], Resource: '*' }) },
        ],
        attachedManagedPolicies: [],
      },
    },
  });

const canonical = 'a'.repeat(64);
/** An access control list as AWS Config writes it: JSON text that holds the owner besides the further grants. */
const acl = (...grants: JsonObject[]): string =>
  JSON.stringify({
    grantSet: null,
    grantList: [{ grantee: { id: canonical, displayName: null }, permission: 'FullControl' }, ...grants],
    owner: { id: canonical, displayName: null },
  });
const bucket = (policy: Json | undefined, more: JsonObject = {}, rule: JsonObject = { sseAlgorithm: 'AES256' }): Resource =>
  store(
    'AWS::S3::Bucket',
    'arn:aws:s3:::b',
    { name: 'b', owner: { id: canonical } },
    {
      ServerSideEncryptionConfiguration: { rules: [{ applyServerSideEncryptionByDefault: rule }] },
      AccessControlList: acl(),
      ...(policy === undefined ? {} : { BucketPolicy: { policyText: policy } }),
      ...more,
    },
  );
const wide = (one: Resource, records: Resource[] = []): unknown[] =>
  readersOf(records, one)
    .principals.filter((reader) => reader['wide'])
    .map((reader) => reader['principal']);

describe('a refusal takes a reader away only where it covers all of the store', () => {
  const open = allow('*', { Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' });
  test.each([
    ['of a part', deny('*', { Resource: 'arn:aws:s3:::b/secret/*' })],
    ['of all but a part', deny('*', { Resource: undefined as unknown as Json, NotResource: 'arn:aws:s3:::b/public/*' })],
    ['of names of one length', deny('*', { Resource: 'arn:aws:s3:::b/?' })],
    ['of names that a variable decides', deny('*', { Resource: 'arn:aws:s3:::b/${aws:username}*' })],
    ['of services alone', deny({ Service: '*' })],
    ['of listing', deny('*', { Action: 's3:ListBucket' })],
  ])('%s', (_, refusal) => {
    expect(wide(bucket(text(open, refusal)))).toEqual(['*']);
  });

  test.each([
    ['all of it', 'arn:aws:s3:::b/*'],
    ['all of it and the bucket', ['arn:aws:s3:::b', 'arn:aws:s3:::b/*']],
    ['more than it', 'arn:aws:s3:::b*'],
    ['everything', '*'],
  ])('%s', (_, Resource) => {
    expect(namesOf(readersOf([], bucket(text(open, deny('*', { Resource })))))).toEqual([]);
  });

  test('an account that is refused a part is still admitted to the rest, and the part is named', () => {
    const partner = { AWS: `arn:aws:iam::${foreign}:root` };
    const result = readersOf([], bucket(text(allow(partner), deny(partner, { Resource: 'arn:aws:s3:::b/secret/*' }))));
    expect(result.principals).toMatchObject([{ principal: `arn:aws:iam::${foreign}:root`, wide: true }]);
    expect(result.unsettled).toContain('statements of the policy of the store that deny a part');
    expect(wide(bucket(text(allow(partner), deny(partner))))).toEqual([]);
  });
});

describe('snapshots', () => {
  const snapshot = (attributes: Json | undefined, configuration: JsonObject = { encrypted: false, snapshotType: 'manual' }) =>
    store('AWS::RDS::DBSnapshot', `arn:aws:rds:eu-west-1:${own}:snapshot:s`, configuration, {
      ...(attributes === undefined ? {} : { DBSnapshotAttributes: attributes }),
    });
  const restore = (...attributeValues: Json[]): Json => [{ attributeName: 'restore', attributeValues }];

  test('are read by those they are shared with', () => {
    expect(wide(snapshot(restore('all')))).toEqual(['*']);
    expect(wide(snapshot(JSON.stringify(restore(foreign, own))))).toEqual([foreign]);
    expect(readersOf([], snapshot(restore()))).toMatchObject({ principals: [], complete: true });
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['no list', 7],
    ['an empty list', []],
    ['an attribute that was lost', [null]],
    ['an attribute without a name', [{ attributeValues: [] }]],
    ['values that were lost', [{ attributeName: 'restore', attributeValues: null }]],
    ['a value that was lost', restore(null)],
    ['a value that is no account', restore('someone')],
  ] as [string, Json | undefined][])('whom they are shared with is not known from %s', (_, attributes) => {
    expect(readersOf([], snapshot(attributes))).toMatchObject({ complete: false });
  });

  test('that are automated cannot be shared', () => {
    expect(readersOf([], snapshot([], { encrypted: false, snapshotType: 'automated' }))).toMatchObject({ complete: true });
  });

  test('under a customer managed key leave it to the key, and say so', () => {
    const encrypted = { encrypted: true, kmsKeyId: keyOf(own), snapshotType: 'manual' };
    const result = readersOf([key([allow({ AWS: app })])], snapshot(restore(foreign), encrypted));
    expect(result).toMatchObject({ world: 'key-boundary', complete: true, principals: [{ principal: app }] });
    expect(result.unsettled[0]).toContain(`shared with account ${foreign}`);
    expect(wide(snapshot(restore(foreign), encrypted), [key([allow({ AWS: foreign })])])).toEqual([foreign]);
  });
});

describe('a service that decrypts for its clients is read by whoever its own policy admits', () => {
  const named = key([allow({ AWS: app })]);
  const kms = { KmsMasterKeyId: keyOf(own), KmsKey: keyOf(own), KmsKeyId: keyOf(own) };
  const domain = (policies: Json | undefined, more: JsonObject = {}) =>
    store('AWS::OpenSearch::Domain', `arn:aws:es:eu-west-1:${own}:domain/d`, {
      EncryptionAtRestOptions: { Enabled: true, ...kms },
      ...(policies === undefined ? {} : { AccessPolicies: policies }),
      ...more,
    });
  const fileSystem = (policy: Json | undefined) =>
    store('AWS::EFS::FileSystem', `arn:aws:elasticfilesystem:eu-west-1:${own}:file-system/fs-1`, {
      Encrypted: true,
      ...kms,
      ...(policy === undefined ? {} : { FileSystemPolicy: policy }),
    });
  const repository = (policy: Json) =>
    store('AWS::ECR::Repository', `arn:aws:ecr:eu-west-1:${own}:repository/r`, {
      EncryptionConfiguration: { EncryptionType: 'KMS', ...kms },
      RepositoryPolicyText: policy,
    });
  const topic = (policy: JsonObject) => store('AWS::SNS::Topic', `arn:aws:sns:eu-west-1:${own}:t`, { ...kms, ...policy });

  test.each([
    ['repository', repository(text(allow('*', { Action: 'ecr:BatchGetImage' })))],
    ['topic', topic({ Policy: text(allow({ AWS: '*' }, { Action: 'SNS:Subscribe' })) })],
    ['domain', domain({ Statement: [allow({ AWS: '*' }, { Action: 'es:*' })] })],
    ['domain, searched only', domain(text(allow('*', { Action: 'es:ESHttpPost' })))],
    ['file system', fileSystem(text(allow('*', { Action: 'elasticfilesystem:Client*' })))],
  ])('%s', (_, one) => {
    expect(wide(one, [named])).toEqual(['*']);
    expect(readersOf([named], one)).toMatchObject({ world: 'data-roles', records: [{ uid: keyOf(own) }] });
    expect(namesOf(readersOf([named], one))).toContain(app);
    // What is proved wide stays so, whatever the key.
    expect(wide(one)).toEqual(['*']);
  });

  test('without a policy the key and the identities remain', () => {
    expect(readersOf([named], repository({}))).toMatchObject({ complete: true, principals: [{ principal: app }] });
    expect(readersOf([named], fileSystem({}))).toMatchObject({ complete: true });
    expect(readersOf([named], domain(undefined)).unsettled).toContain('configuration.AccessPolicies is not in the evidence');
    expect(readersOf([named], domain(7))).toMatchObject({ complete: false });
  });

  test('what a record always carries is not taken for absent', () => {
    for (const lost of [{}, { Policy: null }, { Policy: '' }, { Policy: {} }, { Policy: 7 }])
      expect(readersOf([named], topic(lost))).toMatchObject({ complete: false });
    expect(readersOf([], bucket(undefined))).toMatchObject({ complete: false });
    expect(readersOf([], bucket(undefined, { BucketPolicy: null }))).toMatchObject({ complete: false });
    expect(readersOf([], bucket(null))).toMatchObject({ complete: true });
  });

  test('a domain within a VPC is open to those who reach it, and who does is not known', () => {
    const result = readersOf([named], domain(text(allow('*')), { VPCOptions: { SubnetIds: ['subnet-1'] } }));
    expect(result).toMatchObject({ complete: false, because: expect.stringContaining('VPC') as string });
    expect(result.principals).toContainEqual(expect.objectContaining({ principal: '*', wide: false, conditional: true }));
    expect(wide(domain(text(allow('*')), { VPCOptions: {} }), [named])).toEqual(['*']);
  });
});

describe('buckets', () => {
  test('reading an old version is reading', () => {
    expect(wide(bucket(text(allow('*', { Action: 's3:GetObjectVersion' }))))).toEqual(['*']);
    expect(namesOf(readersOf([decrypter('archivist')], bucket(null)))).toEqual([`arn:aws:iam::${own}:role/archivist`]);
  });

  test('a block of public access over the account holds for its buckets, where it is on for certain', () => {
    const block = (restrictPublicBuckets: Json, account = own) =>
      record({
        type: 'AWS::S3::AccountPublicAccessBlock',
        uid: `arn:aws:s3::${account}:accountPublicAccessBlock`,
        account,
        document: { resourceId: account, configuration: { restrictPublicBuckets } },
      });
    const open = bucket(text(allow('*')));
    expect(wide(open, [block(true)])).toEqual([]);
    expect(readersOf([block(true)], open).principals).toMatchObject([
      { principal: `every principal of account ${own}`, conditional: true },
    ]);
    for (const records of [[block(false)], [block('true')], [block(true, other)], [block(true), block(false)], [block(false), block(true)]])
      expect(wide(open, records)).toEqual(['*']);
    const complete = ['AWS::KMS::Key', 'AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::Policy'];
    expect(readersOf([block(true)], open, complete).principals).toMatchObject([{ principal: '*', wide: true }]);
    // Whole other accounts that are named are left as they are, and topics are no buckets.
    expect(wide(bucket(text(allow({ AWS: foreign }))), [block(true)])).toEqual([foreign]);
    const topic = store('AWS::SNS::Topic', `arn:aws:sns:eu-west-1:${own}:t`, { Policy: text(allow('*')) });
    expect(wide(topic, [block(true)])).toEqual(['*']);
  });

  test('a canonical user that is not the owner may be a whole other account', () => {
    const to = (user: string) => readersOf([], bucket(text(allow({ CanonicalUser: user }))));
    expect(to('b'.repeat(64))).toMatchObject({ complete: false, because: expect.stringContaining('canonical user') as string });
    expect(to('a'.repeat(64))).toMatchObject({ complete: true, principals: [] });
  });

  test.each([
    ['access points', { StringEquals: { 's3:DataAccessPointAccount': own } }],
    ['access points by name', { ArnLike: { 's3:DataAccessPointArn': `arn:aws:s3:*:${own}:accesspoint/*` } }],
    ['an endpoint', { StringEquals: { 'aws:SourceVpce': 'vpce-0a1b2c' } }],
    ['a range of addresses', { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '10.0.0.1', '2001:db8::/32'] } }],
    ['a network', { StringEquals: { 'aws:sourceVpc': ['vpc-0a1b2c', 'vpc-1a2b3c'] } }],
  ])('what is left to %s is not known', (_, Condition) => {
    const result = readersOf([], bucket(text(allow('*', { Condition }))));
    expect(result).toMatchObject({ complete: false, principals: [{ wide: false, conditional: true }] });
  });

  test.each([
    ['access points of another account', { StringEquals: { 's3:DataAccessPointAccount': foreign } }],
    ['access points of any account', { ArnLike: { 's3:DataAccessPointArn': 'arn:aws:s3:*:*:accesspoint/*' } }],
    ['all addresses', { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '0.0.0.0/0'] } }],
    ['a great part of all addresses', { IpAddress: { 'aws:SourceIp': '128.0.0.0/7' } }],
    ['a great part of all long addresses', { IpAddress: { 'aws:SourceIp': '2000::/3' } }],
    ['what is no address', { IpAddress: { 'aws:SourceIp': '*' } }],
    ['all addresses but some', { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }],
    ['any endpoint', { StringLike: { 'aws:SourceVpce': 'vpce-*' } }],
    ['an endpoint, if there is one', { StringEqualsIfExists: { 'aws:SourceVpce': 'vpce-0a1b2c' } }],
    ['an account after a wildcard that takes in colons', { StringLike: { 'aws:PrincipalArn': `arn:aws:iam:*:${own}:*` } }],
  ])('%s bound nobody', (_, Condition) => {
    expect(wide(bucket(text(allow('*', { Condition }))))).toHaveLength(1);
  });
});

describe('a key of another account', () => {
  const under = bucket(null, {}, { sseAlgorithm: 'aws:kms', kmsMasterKeyID: keyOf(other) });
  test.each([
    ['root', allow({ AWS: `arn:aws:iam::${own}:root` })],
    ['number', allow({ AWS: own })],
    ['condition', allow('*', { Condition: { StringEquals: { 'kms:CallerAccount': own } } })],
  ])('that leaves it to the account of the store, by its %s, is read by identities of that account', (_, statement) => {
    const records = [key([statement], other), decrypter('mine'), decrypter('theirs', other)];
    expect(readersOf(records, under)).toMatchObject({ complete: true });
    expect(namesOf(readersOf(records, under))).toEqual([`arn:aws:iam::${own}:role/mine`]);
    expect(readersOf(records, under, ['AWS::KMS::Key', 'AWS::KMS::Alias'])).toMatchObject({ complete: false });
  });

  test('asks for the identities of each account it is left to, and is wide only for a third one', () => {
    const both = [allow({ AWS: `arn:aws:iam::${own}:root` }), allow({ AWS: `arn:aws:iam::${other}:root` })];
    expect(namesOf(readersOf([key(both, other), decrypter('mine'), decrypter('theirs', other)], under))).toEqual([
      `arn:aws:iam::${own}:role/mine`,
      `arn:aws:iam::${other}:role/theirs`,
    ]);
    expect(wide(under, [key([...both, allow({ AWS: foreign })], other)])).toEqual([foreign]);
    // The same key is another account's for a store of its own.
    const theirs: Resource = { ...under, account: other };
    expect(wide(theirs, [key(both, other)])).toEqual([`arn:aws:iam::${own}:root`]);
  });
});

test.each([
  ['AWS::DynamoDB::Table', 'the resource policy of the table'],
  ['AWS::Kinesis::Stream', 'the resource policy of the stream'],
])('%s: what AWS Config does not record is named', (type, unsettled) => {
  expect(readersOf([], store(type, `arn:aws:x:eu-west-1:${own}:y`, {})).unsettled).toContain(unsettled);
});

describe('what a policy is about', () => {
  const open = allow('*', { Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' });
  const asked = (one: Resource) => accessOver('aws', [one.type], []).readers(one);

  test.each(['b', '', 'arn:aws:s3'])('a store whose ARN reads %j is undecided', (uid) => {
    expect(asked({ ...bucket(text(open)), uid })).toMatchObject({ outcome: 'unknown' });
  });

  test('a policy that names another resource than its own shows that the ARN is not its own', () => {
    expect(asked({ ...bucket(text(open)), uid: 'arn:aws:s3:::other' })).toMatchObject({ complete: false });
    expect(asked(bucket(text(open)))).toMatchObject({ complete: true });
  });

  test('a block of public access reaches what S3 calls public, and buckets alone', () => {
    const blocked = { PublicAccessBlockConfiguration: { restrictPublicBuckets: true } };
    const bounded = { ...open, Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } };
    expect(wide(bucket(text(open), blocked))).toEqual([]);
    expect(asked(bucket(text(bounded), blocked))).toMatchObject({ complete: false, principals: [{ kind: 'everyone within a network' }] });
    const topic = store('AWS::SNS::Topic', `arn:aws:sns:eu-west-1:${own}:t`, { Policy: text(allow('*')) }, blocked);
    expect(wide(topic)).toEqual(['*']);
  });

  test('a policy that is there and holds nothing was lost', () => {
    const domain = (more: JsonObject) =>
      store('AWS::OpenSearch::Domain', `arn:aws:es:eu-west-1:${own}:domain/d`, { EncryptionAtRestOptions: { Enabled: false }, ...more });
    expect(asked(domain({ AccessPolicies: null }))).toMatchObject({ complete: false });
    expect(asked(domain({ AccessPolicies: '' }))).toMatchObject({ complete: true });
  });

  test('identities too old to rely on leave the list open', () => {
    const check = conditionCheck({ on: ['AWS::S3::Bucket'], usesReaders: true, evaluate: () => outcome('pass') }, 'aws');
    const of = (stale: string | null) => {
      const index = tableIndex(tableReads([check]), () => null);
      const access = accessAnalysis([check], index.lookup, () => null);
      access.add(decrypter('reads'), stale);
      return access.readers(bucket(null));
    };
    expect(of(null)).toMatchObject({ complete: true });
    expect(of('captured 900 hours before')).toMatchObject({ complete: false, because: 'captured 900 hours before' });
  });
});

test.each([
  ['by name', { grantList: [{ grantee: 'AllUsers', permission: 'Read' }] }],
  ['in the older list', { grantSet: [{ grantee: 'AllUsers', permission: 'FullControl' }], grantList: null }],
  ['by URI', { Grants: [{ Grantee: { Type: 'Group', URI: 'http://acs.amazonaws.com/groups/global/AllUsers' }, Permission: 'READ' }] }],
  ['who may write the list', { grantList: [{ grantee: 'AllUsers', permission: 'WriteAcp' }] }],
])('an access control list names everyone %s', (_, AccessControlList) => {
  expect(wide(bucket(null, { AccessControlList: JSON.stringify(AccessControlList) }))).toEqual(['AllUsers']);
});

test.each([
  [
    'delivers logs',
    { grantee: { id: 'c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0' }, permission: 'FullControl' },
    true,
  ],
  ['reads the list alone', { grantee: 'AllUsers', permission: 'ReadAcp' }, true],
  ['is not named', { grantee: null, permission: 'Read' }, false],
  ['may do what is not known', { grantee: 'AllUsers', permission: 'Peek' }, false],
  ['is someone else', { grantee: { id: 'b'.repeat(64) }, permission: 'Read' }, false],
])('an access control list with one who %s', (_, grant, complete) => {
  expect(readersOf([], bucket(null, { AccessControlList: acl(grant) }))).toMatchObject({ complete, principals: [] });
});

test('the account of a store that does not name its own is not told from another one', () => {
  const adrift = (policy: JsonObject) => ({ ...bucket(text(policy)), account: '000000000000' });
  expect(readersOf([], adrift(allow({ AWS: own })))).toMatchObject({ complete: false, principals: [{ wide: false }] });
  expect(wide(adrift(allow('*')))).toEqual(['*']);
  expect(wide(adrift(allow('*', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } })))).toHaveLength(1);
});

test('identities of another partition are asked with its ARNs', () => {
  const reader = (partition: string) =>
    record({
      type: 'AWS::IAM::Role',
      uid: `arn:${partition}:iam::${own}:role/app`,
      account: own,
      document: {
        configuration: {
          roleName: 'app',
          rolePolicyList: [
            {
              policyName: 'p',
              policyDocument: text({
                Effect: 'Allow',
                Action: 'rds-db:connect',
                Resource: `arn:${partition}:rds-db:cn-north-1:${own}:dbuser:db-1/app`,
              }),
            },
          ],
        },
      },
    });
  const instance = store('AWS::RDS::DBInstance', `arn:aws-cn:rds:cn-north-1:${own}:db:d`, { storageEncrypted: false });
  expect(namesOf(readersOf([reader('aws-cn')], instance))).toEqual([`arn:aws-cn:iam::${own}:role/app`]);
  expect(namesOf(readersOf([reader('aws')], instance))).toEqual([]);
});
