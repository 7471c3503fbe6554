import type { Json, JsonObject } from '../../model/index.ts';
import { type AwsCell, type AwsDraft, type AwsItem, awsItem } from './aws-model.ts';
import { day, iso, type Population } from './population.ts';
import { random, type Random } from './random.ts';

const encode = (document: JsonObject): string =>
  encodeURIComponent(JSON.stringify(document)).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const allow = (Action: Json, Resource: Json, Condition?: JsonObject): JsonObject => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, ...(Condition === undefined ? {} : { Condition }) }],
});
const trust = (Principal: JsonObject): string =>
  encode({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] });

interface PolicySpec {
  readonly name: string;
  readonly document: (cell: AwsCell) => JsonObject;
  readonly troubles?: readonly string[];
}

const keysOf = (cell: AwsCell): string[] => cell.keys.filter((key) => key.service === null && key.kind === 'sound').map((key) => key.arn);

/** Customer managed policies: what they allow on keys is what decides who can decrypt. */
const policies: readonly PolicySpec[] = [
  { name: 'DecryptApplicationData', document: (cell) => allow(['kms:Decrypt', 'kms:GenerateDataKey'], keysOf(cell).slice(0, 2)) },
  {
    name: 'DecryptThroughStorage',
    document: (cell) => allow('kms:Decrypt', '*', { StringEquals: { 'kms:ViaService': `s3.${cell.region}.amazonaws.com` } }),
  },
  {
    name: 'ReadOrders',
    document: (cell) => allow(['s3:GetObject', 's3:ListBucket'], [`arn:aws:s3:::nw-${cell.account.id.slice(0, 4)}-*`]),
  },
  {
    name: 'DenyDecryptOutsideVpc',
    document: () => ({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Action: 'kms:Decrypt',
          Resource: '*',
          Condition: { StringNotEquals: { 'aws:SourceVpc': 'vpc-0a1b2c3d4e5f60718' } },
        },
      ],
    }),
  },
  {
    name: 'KeyAdministration',
    document: () =>
      allow(
        ['kms:Create*', 'kms:Describe*', 'kms:Enable*', 'kms:List*', 'kms:Put*', 'kms:Update*', 'kms:Disable*', 'kms:ScheduleKeyDeletion'],
        '*',
      ),
  },
  { name: 'DecryptEverything', document: () => allow(['kms:*'], '*'), troubles: ['decrypts-everything'] },
  { name: 'BreakGlass', document: () => allow('*', '*'), troubles: ['administrator-policy'] },
  {
    name: 'AllButIdentity',
    document: () => ({ Version: '2012-10-17', Statement: { Effect: 'Allow', NotAction: ['iam:*', 'organizations:*'], Resource: '*' } }),
    troubles: ['not-action'],
  },
];

const applicationRoles = ['app-payments', 'app-reporting', 'app-orders', 'data-pipeline'] as const;

function roleDraft(cell: AwsCell, pick: Random, name: string): AwsDraft {
  const account = cell.account.id;
  const id = `AROA${pick.code(17)}`;
  const managed = (policy: string): JsonObject => ({ policyName: policy, policyArn: `arn:aws:iam::${account}:policy/${policy}` });
  const attached: JsonObject[] =
    name === 'KeyAdministrator'
      ? [managed('KeyAdministration')]
      : name === 'BreakGlass'
        ? [managed('BreakGlass')]
        : name === 'ExhibitCollector'
          ? [{ policyName: 'SecurityAudit', policyArn: 'arn:aws:iam::aws:policy/SecurityAudit' }]
          : name === 'app-payments'
            ? [managed('DecryptApplicationData')]
            : name === 'data-pipeline'
              ? [managed('DecryptThroughStorage'), managed('DenyDecryptOutsideVpc')]
              : name === 'app-orders'
                ? [managed('ReadOrders')]
                : pick.chance(0.3)
                  ? [managed('DecryptEverything')]
                  : [];
  const inline: JsonObject[] =
    name === 'app-reporting'
      ? [{ policyName: 'decrypt-reports', policyDocument: encode(allow('kms:Decrypt', keysOf(cell).slice(-1))) }]
      : [];
  const createdAt = cell.asOf - Math.floor((100 + pick.next() * 900) * day);
  return {
    id,
    name,
    arn: `arn:aws:iam::${account}:role/${name}`,
    region: 'global',
    zone: 'Not Applicable',
    createdAt,
    configuration: {
      path: '/',
      roleName: name,
      roleId: id,
      arn: `arn:aws:iam::${account}:role/${name}`,
      createDate: iso(createdAt),
      assumeRolePolicyDocument:
        name === 'ExhibitCollector' || name === 'BreakGlass'
          ? trust({ AWS: 'arn:aws:iam::111122223333:root' })
          : trust({ Service: 'lambda.amazonaws.com' }),
      instanceProfileList: [],
      rolePolicyList: inline,
      attachedManagedPolicies: attached,
      permissionsBoundary: null,
      tags: [],
      roleLastUsed: null,
    },
    troubles: [],
    classification: 'unclassified',
  };
}

function userDraft(cell: AwsCell, pick: Random, index: number): AwsDraft {
  const account = cell.account.id;
  const name = `${pick.pick(['ada', 'grace', 'linus', 'radia', 'ken', 'barbara', 'tim', 'frances'])}.${pick.pick(['holm', 'okafor', 'lindqvist', 'moreau', 'tanaka', 'silva'])}.${String(index).padStart(2, '0')}`;
  const id = `AIDA${pick.code(17)}`;
  const createdAt = cell.asOf - Math.floor((10 + pick.next() * 900) * day);
  const direct = pick.chance(0.15);
  return {
    id,
    name,
    arn: `arn:aws:iam::${account}:user/${name}`,
    region: 'global',
    zone: 'Not Applicable',
    createdAt,
    configuration: {
      path: '/',
      userName: name,
      userId: id,
      arn: `arn:aws:iam::${account}:user/${name}`,
      createDate: iso(createdAt),
      userPolicyList: direct ? [{ policyName: 'temporary', policyDocument: encode(allow(['kms:Decrypt', 's3:GetObject'], '*')) }] : [],
      groupList: [pick.chance(0.25) ? 'DataStewards' : 'Engineers'],
      attachedManagedPolicies: [],
      permissionsBoundary: null,
      tags: [],
    },
    troubles: direct ? ['direct-grant'] : [],
    classification: 'unclassified',
  };
}

function groupDraft(cell: AwsCell, pick: Random, name: string): AwsDraft {
  const account = cell.account.id;
  const id = `AGPA${pick.code(17)}`;
  const policy = name === 'DataStewards' ? 'DecryptApplicationData' : 'ReadOrders';
  const createdAt = cell.asOf - 700 * day;
  return {
    id,
    name,
    arn: `arn:aws:iam::${account}:group/${name}`,
    region: 'global',
    zone: 'Not Applicable',
    createdAt,
    configuration: {
      path: '/',
      groupName: name,
      groupId: id,
      arn: `arn:aws:iam::${account}:group/${name}`,
      createDate: iso(createdAt),
      groupPolicyList: [],
      attachedManagedPolicies: [{ policyName: policy, policyArn: `arn:aws:iam::${account}:policy/${policy}` }],
    },
    troubles: [],
    classification: 'unclassified',
  };
}

function policyDraft(cell: AwsCell, pick: Random, spec: PolicySpec): AwsDraft {
  const account = cell.account.id;
  const id = `ANPA${pick.code(17)}`;
  const createdAt = cell.asOf - Math.floor((100 + pick.next() * 900) * day);
  const arn = `arn:aws:iam::${account}:policy/${spec.name}`;
  return {
    id,
    name: spec.name,
    arn,
    region: 'global',
    zone: 'Not Applicable',
    createdAt,
    configuration: {
      policyName: spec.name,
      policyId: id,
      arn,
      path: '/',
      defaultVersionId: 'v2',
      attachmentCount: 1,
      permissionsBoundaryUsageCount: 0,
      isAttachable: true,
      description: null,
      createDate: iso(createdAt),
      updateDate: iso(createdAt + 5 * day),
      tags: [],
      policyVersionList: [
        { document: encode(spec.document(cell)), versionId: 'v2', isDefaultVersion: true, createDate: iso(createdAt + 5 * day) },
        { document: encode(allow('kms:DescribeKey', '*')), versionId: 'v1', isDefaultVersion: false, createDate: iso(createdAt) },
      ],
    },
    troubles: spec.troubles ?? [],
    classification: 'unclassified',
  };
}

/** IAM users, groups, roles and customer managed policies of one account; recorded in the home region only. */
export function awsIamPopulations(cell: AwsCell, perCell: number): Population<AwsItem>[] {
  const growth = Math.max(0, Math.floor(Math.log2(Math.max(1, perCell / 50))));
  const empty = cell.account.weight === 0;
  const roles = empty
    ? ['ExhibitCollector']
    : [
        'ExhibitCollector',
        'KeyAdministrator',
        ...applicationRoles,
        'BreakGlass',
        ...Array.from({ length: growth }, (_, i) => `app-batch-${String(i)}`),
      ];
  const groups = empty ? [] : ['DataStewards', 'Engineers'];
  const users = empty ? 0 : 3 + growth * 2;
  const heldPolicies = empty ? [] : policies;
  const population = (type: string, count: number, draft: (pick: Random, index: number) => AwsDraft): Population<AwsItem> => ({
    type,
    account: cell.account.id,
    region: cell.region,
    count,
    record: (index) => {
      const pick = random(cell.seed, cell.account.id, type, index);
      return awsItem(cell, type, pick, draft(pick, index));
    },
  });
  return [
    population('AWS::IAM::Role', roles.length, (pick, i) => roleDraft(cell, pick, roles[i] as string)),
    population('AWS::IAM::User', users, (pick, i) => userDraft(cell, pick, i)),
    population('AWS::IAM::Group', groups.length, (pick, i) => groupDraft(cell, pick, groups[i] as string)),
    population('AWS::IAM::Policy', heldPolicies.length, (pick, i) => policyDraft(cell, pick, heldPolicies[i] as PolicySpec)),
  ];
}
