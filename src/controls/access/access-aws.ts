import { type Citation, isJsonObject, type Json, type Resource } from '../../model/index.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import {
  coversAction,
  coversResource,
  narrowedBy,
  policyStatements,
  type PolicyPrincipal,
  principalsOf,
  type Statement,
} from './policy-document.ts';
import { awsRegionOf, parseArn, valueAt } from '../lookups/references.ts';
import { isRedacted } from '../language/values.ts';
import type { HomeGap } from '../lookups/table-index.ts';
import type { EvaluationEnvironment, IndexedRecord } from '../types.ts';
import { isGiven, toldAt } from '../lookups/told.ts';

/** The key a store names: its reference, that it has none of the customer's, or why it cannot be told. */
type StoreKey = { readonly key: string } | { readonly none: true } | { readonly unknown: string };

interface AwsStore {
  readonly key: (document: Json) => StoreKey;
  /** The action that reads data, where keys do not decide. */
  readonly action: string;
  /** What the action is allowed on. */
  readonly resources: (resource: Resource) => readonly string[];
  /** The store's own policy, where Config records one; undefined where it holds none. */
  readonly policy?: (document: Json) => Json | undefined;
  /** What evidence of this kind never settles. */
  readonly unsettled?: string;
}

const none: StoreKey = { none: true };
const arnOf = (resource: Resource): readonly string[] => [resource.uid];
const underArn = (resource: Resource): readonly string[] => [resource.uid, `${resource.uid}/*`];

/** A flag and a key side by side: `encrypted: false` is no key, `true` without one is not evidence. */
function flagged(flag: readonly string[], key: readonly string[]): AwsStore['key'] {
  return (document) => {
    const encrypted = valueAt(document, ...flag);
    if (encrypted === false) return none;
    if (encrypted !== true) return { unknown: `${flag.join('.')} is not in the evidence` };
    const named = toldAt(document, ...key);
    return named === null ? { unknown: `${key.join('.')} is not in the evidence` } : { key: named };
  };
}

/** A key that is simply absent where the service uses its own. Its container has to be there. */
function optional(container: readonly string[], key: string): AwsStore['key'] {
  return (document) => {
    const holder = valueAt(document, ...container);
    if (!isJsonObject(holder)) return { unknown: `${container.join('.')} is not in the evidence` };
    const named = toldAt(holder, key);
    if (named !== null) return { key: named };
    return isGiven(holder, key) ? { unknown: `${key} is not a name` } : none;
  };
}

const databaseLogins = 'logins of the database itself';

/** Stores whose readers are analysed: where the key is named, and what reads them. */
const stores: Readonly<Record<string, AwsStore>> = {
  'AWS::S3::Bucket': {
    key(document) {
      const rules = valueAt(document, 'supplementaryConfiguration', 'ServerSideEncryptionConfiguration', 'rules');
      const [rule] = Array.isArray(rules) ? rules : [];
      const algorithm = toldAt(rule, 'applyServerSideEncryptionByDefault', 'sseAlgorithm');
      if (algorithm === null) return { unknown: 'the default encryption of the bucket is not in the evidence' };
      if (!algorithm.startsWith('aws:kms')) return none;
      const key = toldAt(rule, 'applyServerSideEncryptionByDefault', 'kmsMasterKeyID');
      if (key !== null) return { key };
      return isGiven(rule, 'applyServerSideEncryptionByDefault', 'kmsMasterKeyID') ? { unknown: 'kmsMasterKeyID is not a name' } : none;
    },
    action: 's3:GetObject',
    resources: (resource) => [`${resource.uid}/*`],
    policy: (document) => valueAt(document, 'supplementaryConfiguration', 'BucketPolicy', 'policyText'),
    unsettled: 'access control lists of single objects, and objects encrypted otherwise than by default',
  },
  'AWS::EC2::Volume': {
    key: flagged(['configuration', 'encrypted'], ['configuration', 'kmsKeyId']),
    action: 'ec2:CreateSnapshot',
    resources: arnOf,
    unsettled: 'whoever can log in to the instance that the volume is attached to',
  },
  'AWS::EFS::FileSystem': {
    key: flagged(['configuration', 'Encrypted'], ['configuration', 'KmsKeyId']),
    action: 'elasticfilesystem:ClientMount',
    resources: arnOf,
    unsettled: 'clients that mount it over the network without IAM authorisation',
  },
  'AWS::RDS::DBInstance': {
    key: flagged(['configuration', 'storageEncrypted'], ['configuration', 'kmsKeyId']),
    action: 'rds-db:connect',
    resources: () => ['arn:aws:rds-db:*'],
    unsettled: databaseLogins,
  },
  'AWS::RDS::DBCluster': {
    key: flagged(['configuration', 'storageEncrypted'], ['configuration', 'kmsKeyId']),
    action: 'rds-db:connect',
    resources: () => ['arn:aws:rds-db:*'],
    unsettled: databaseLogins,
  },
  'AWS::RDS::DBSnapshot': {
    key: flagged(['configuration', 'encrypted'], ['configuration', 'kmsKeyId']),
    action: 'rds:RestoreDBInstanceFromDBSnapshot',
    resources: arnOf,
  },
  'AWS::RDS::DBClusterSnapshot': {
    key: flagged(['configuration', 'storageEncrypted'], ['configuration', 'kmsKeyId']),
    action: 'rds:RestoreDBClusterFromSnapshot',
    resources: arnOf,
  },
  'AWS::DynamoDB::Table': {
    key(document) {
      const configuration = valueAt(document, 'configuration');
      if (!isJsonObject(configuration)) return { unknown: 'configuration is not in the evidence' };
      const sse = valueAt(configuration, 'ssedescription');
      if (sse === undefined || sse === null) return none;
      const key = toldAt(sse, 'kmsmasterKeyArn');
      return key === null ? { unknown: 'ssedescription.kmsmasterKeyArn is not in the evidence' } : { key };
    },
    action: 'dynamodb:GetItem',
    resources: arnOf,
  },
  'AWS::Redshift::Cluster': {
    key: flagged(['configuration', 'encrypted'], ['configuration', 'kmsKeyId']),
    action: 'redshift:GetClusterCredentials',
    resources: () => ['arn:aws:redshift:*'],
    unsettled: databaseLogins,
  },
  'AWS::OpenSearch::Domain': {
    key: flagged(['configuration', 'EncryptionAtRestOptions', 'Enabled'], ['configuration', 'EncryptionAtRestOptions', 'KmsKeyId']),
    action: 'es:ESHttpGet',
    resources: underArn,
    unsettled: 'users of the fine-grained access control of the domain',
  },
  'AWS::SecretsManager::Secret': {
    key: optional(['configuration'], 'KMSKeyId'),
    action: 'secretsmanager:GetSecretValue',
    resources: arnOf,
    unsettled: 'the resource policy of the secret',
  },
  'AWS::SQS::Queue': {
    key: optional(['configuration'], 'KmsMasterKeyId'),
    action: 'sqs:ReceiveMessage',
    resources: arnOf,
    policy: (document) => valueAt(document, 'configuration', 'Policy'),
  },
  'AWS::SNS::Topic': {
    key: optional(['configuration'], 'KmsMasterKeyId'),
    action: 'sns:Subscribe',
    resources: arnOf,
    policy: (document) => valueAt(document, 'configuration', 'Policy'),
  },
  'AWS::Kinesis::Stream': {
    key(document) {
      const configuration = valueAt(document, 'configuration');
      if (!isJsonObject(configuration)) return { unknown: 'configuration is not in the evidence' };
      const encryption = valueAt(configuration, 'StreamEncryption');
      if (encryption === undefined || encryption === null) return none;
      const key = toldAt(encryption, 'KeyId');
      if (key !== null) return { key };
      return toldAt(encryption, 'EncryptionType') === 'NONE' ? none : { unknown: 'StreamEncryption.KeyId is not in the evidence' };
    },
    action: 'kinesis:GetRecords',
    resources: arnOf,
  },
  'AWS::Backup::BackupVault': {
    key: optional(['configuration'], 'EncryptionKeyArn'),
    action: 'backup:StartRestoreJob',
    resources: () => ['*'],
    policy: (document) => valueAt(document, 'configuration', 'AccessPolicy'),
  },
  'AWS::ECR::Repository': {
    key(document) {
      const encryption = valueAt(document, 'configuration', 'EncryptionConfiguration');
      if (!isJsonObject(encryption)) return { unknown: 'EncryptionConfiguration is not in the evidence' };
      if (toldAt(encryption, 'EncryptionType') === 'AES256') return none;
      const key = toldAt(encryption, 'KmsKey');
      return key === null ? { unknown: 'EncryptionConfiguration.KmsKey is not in the evidence' } : { key };
    },
    action: 'ecr:BatchGetImage',
    resources: arnOf,
    policy: (document) => valueAt(document, 'configuration', 'RepositoryPolicyText'),
  },
  'AWS::CloudTrail::Trail': {
    key: optional(['configuration'], 'kmsKeyId'),
    action: 's3:GetObject',
    resources: () => ['arn:aws:s3:::*'],
    unsettled: 'the bucket that the trail writes to decides who reads its files',
  },
  'AWS::Lambda::Function': { key: optional(['configuration'], 'kmskeyArn'), action: 'lambda:GetFunctionConfiguration', resources: arnOf },
};

export function isAwsStore(type: string): boolean {
  return Object.hasOwn(stores, type);
}

export const awsIdentityTypes = ['AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::Policy'] as const;
export const awsKeyReads = ['configuration.keyManager', 'configuration.arn', 'arn', 'supplementaryConfiguration.Policy'] as const;

const decrypt = 'kms:Decrypt';
const actionsOfInterest = [decrypt, ...new Set(Object.values(stores).map((store) => store.action))];

/** AWS managed policies that allow everything, or all but identity management: true by their definition, of which no account holds a copy. */
const managedThatAllow: Readonly<Record<string, Statement[]>> = {
  AdministratorAccess: policyStatements({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }) ?? [],
  PowerUserAccess:
    policyStatements({ Statement: [{ Effect: 'Allow', NotAction: ['iam:*', 'organizations:*', 'account:*'], Resource: '*' }] }) ?? [],
};

interface NamedPolicy {
  readonly name: string;
  readonly statements: readonly Statement[];
}

interface Identity {
  readonly arn: string;
  readonly name: string;
  readonly kind: 'role' | 'user' | 'group';
  readonly inline: readonly NamedPolicy[];
  readonly attached: readonly string[];
  readonly groups: readonly string[];
  readonly boundary: string | null;
  readonly unreadable: boolean;
  readonly citation: Citation;
}

/** An identity that some statement allows an action, and the statements that speak of the action. */
interface Candidate {
  readonly identity: Identity;
  readonly allows: readonly { readonly name: string; readonly statement: Statement }[];
  readonly denies: readonly Statement[];
  /** Its permissions boundary as far as it speaks of the action; null where that is not in the evidence, absent where there is none. */
  readonly boundary?: readonly Statement[] | null;
  /** The readers that it makes, by way and condition. */
  readonly readers: Map<string, Reader>;
}

interface Candidates {
  readonly found: readonly Candidate[];
  readonly unsettled: readonly string[];
  readonly gap: string | null;
}

interface AccountIdentities {
  readonly principals: Identity[];
  readonly groups: Map<string, Identity>;
  readonly policies: Map<string, readonly Statement[] | null>;
}

interface Allowed {
  readonly readers: readonly Reader[];
  readonly unsettled: readonly string[];
  /** Why there may be further ones: a policy of the account itself that is missing or cannot be read. */
  readonly gap: string | null;
}

export interface AwsAccess {
  add(resource: Resource): void;
  analyse(store: Resource): Analysis;
}

/** Who can read the stores of AWS: through the key where it is the customer's, else by the policies of store and identities. */
export function awsAccess(lookup: EvaluationEnvironment['lookup'], homeGap: HomeGap): AwsAccess {
  const accounts = new Map<string, AccountIdentities>();
  const byKey = new Map<string, Analysis>();
  const byReference = new Map<string, Analysis | null>();
  const candidates = new Map<string, Candidates>();

  const accountOf = (account: string): AccountIdentities => {
    let known = accounts.get(account);
    if (!known) accounts.set(account, (known = { principals: [], groups: new Map(), policies: new Map() }));
    return known;
  };

  function add(resource: Resource): void {
    const { document, type, account } = resource;
    if (type === 'AWS::IAM::Policy') {
      const versions = valueAt(document, 'configuration', 'policyVersionList');
      const current = (Array.isArray(versions) ? versions : []).find((version) => valueAt(version, 'isDefaultVersion') === true);
      const statements = policyStatements(valueAt(current, 'document'));
      accountOf(account).policies.set(toldAt(document, 'configuration', 'arn') ?? resource.uid, statements && statements.filter(relevant));
      return;
    }
    const kinds: Readonly<Record<string, Identity['kind']>> = {
      'AWS::IAM::Role': 'role',
      'AWS::IAM::User': 'user',
      'AWS::IAM::Group': 'group',
    };
    const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
    if (!kind) return;
    const list = (name: string): Json[] | null => {
      const value = valueAt(document, 'configuration', name);
      return Array.isArray(value) ? value : value === undefined || value === null ? [] : null;
    };
    const inline = list(`${kind}PolicyList`);
    const attached = list('attachedManagedPolicies');
    const policies = (inline ?? []).map((policy) => ({
      name: toldAt(policy, 'policyName') ?? '',
      statements: policyStatements(valueAt(policy, 'policyDocument')),
    }));
    const groups = kind === 'user' ? list('groupList') : [];
    const policyArns = (attached ?? []).map((policy) => toldAt(policy, 'policyArn'));
    const memberships = (groups ?? []).map((group) => (typeof group === 'string' && !isRedacted(group) ? group : null));
    const identity: Identity = {
      arn: resource.uid,
      name: toldAt(document, 'configuration', `${kind}Name`) ?? resource.name,
      kind,
      inline: policies.flatMap(({ name, statements }) => (statements ? [{ name, statements: statements.filter(relevant) }] : [])),
      attached: policyArns.filter((arn) => arn !== null),
      groups: memberships.filter((group) => group !== null),
      // One that is there and cannot be read is a policy that is not in the evidence.
      boundary:
        toldAt(document, 'configuration', 'permissionsBoundary', 'permissionsBoundaryArn') ??
        (isGiven(document, 'configuration', 'permissionsBoundary') ? '' : null),
      unreadable:
        inline === null ||
        policyArns.includes(null) ||
        memberships.includes(null) ||
        attached === null ||
        groups === null ||
        isRedacted(resource.uid) ||
        !isJsonObject(valueAt(document, 'configuration')) ||
        policies.some(({ statements }) => statements === null),
      citation: resource.citation,
    };
    if (kind === 'group') accountOf(account).groups.set(identity.name, identity);
    else accountOf(account).principals.push(identity);
  }

  /** Those of an account that some statement allows an action at all: the few that have to be asked for each resource. Made once. */
  function candidatesOf(account: string, action: string): Candidates {
    const memo = `${account} ${action}`;
    const known = candidates.get(memo);
    if (known) return known;
    const book = accountOf(account);
    const found: Candidate[] = [];
    const unseen = new Map<string, number>();
    const unreadable = new Set<string>();
    const covers = (statement: Statement): boolean => coversAction(statement, action);
    for (const identity of book.principals) {
      for (const group of identity.groups) if (!book.groups.has(group)) unreadable.add(`group ${group}`);
      const allows: Candidate['allows'][number][] = [];
      const denies: Statement[] = [];
      const take = (name: string, statements: readonly Statement[]): void => {
        for (const statement of statements) {
          if (!covers(statement)) continue;
          if (statement.effect === 'Deny') denies.push(statement);
          else allows.push({ name, statement });
        }
      };
      for (const member of [identity, ...identity.groups.flatMap((group) => book.groups.get(group) ?? [])]) {
        const from = member === identity ? '' : `group ${member.name}, `;
        if (member.unreadable) unreadable.add(member.arn);
        for (const policy of member.inline) take(`${from}inline policy ${policy.name}`, policy.statements);
        for (const arn of member.attached) {
          const statements = statementsOf(book, arn);
          if (statements) take(`${from}policy ${arn}`, statements);
          else unseen.set(arn, (unseen.get(arn) ?? 0) + 1);
        }
      }
      if (allows.length === 0) continue;
      const boundary =
        identity.boundary === null ? undefined : (statementsOf(book, identity.boundary)?.filter((statement) => covers(statement)) ?? null);
      found.push({ identity, allows, denies, readers: new Map(), ...(boundary === undefined ? {} : { boundary }) });
    }
    // Policies that AWS owns are in no account's evidence; those of the account ought to be.
    const own = [...unseen.keys()].sort().filter((arn) => parseArn(arn)?.account !== 'aws');
    const broken = [...unreadable].sort().map((name) => `the policies of ${name} cannot be read`);
    const made: Candidates = {
      found,
      unsettled: [
        ...[...unseen]
          .sort()
          .map(([arn, count]) => `policy ${arn}, attached to ${count} ${count === 1 ? 'identity' : 'identities'}, is not in the evidence`),
        ...broken,
      ],
      gap: broken[0] ?? own.map((arn) => `policy ${arn} is not in the evidence or cannot be read`)[0] ?? null,
    };
    candidates.set(memo, made);
    return made;
  }

  /** Identities of an account whose collected policies allow an action on a resource. */
  function allowedByIam(account: string, action: string, resources: readonly string[]): Allowed {
    const { found, unsettled, gap } = candidatesOf(account, action);
    return { readers: orderReaders(found.flatMap((candidate) => decide(candidate, action, resources) ?? [])), unsettled, gap };
  }

  function statementsOf(book: AccountIdentities, arn: string): readonly Statement[] | null {
    const parsed = parseArn(arn);
    if (parsed?.account === 'aws') {
      const name = parsed.resource.slice('policy/'.length);
      return Object.hasOwn(managedThatAllow, name) ? (managedThatAllow[name] ?? null) : null;
    }
    return book.policies.get(arn) ?? null;
  }

  function decide({ identity, allows, denies, boundary, readers }: Candidate, action: string, resources: readonly string[]): Reader | null {
    const covers = (statement: Statement): boolean => coversResource(statement, resources, false);
    let allow: { name: string; conditional: boolean } | null = null;
    for (const { name, statement } of allows) {
      if (allow !== null && (!allow.conditional || statement.condition !== null)) continue;
      if (covers(statement)) allow = { name, conditional: statement.condition !== null };
    }
    if (allow === null) return null;
    let doubtful = false;
    for (const statement of denies) {
      if (!covers(statement)) continue;
      // A deny on part of the resources, or under a condition, leaves the rest readable.
      if (statement.condition === null && deniesAll(statement, resources)) return null;
      doubtful = true;
    }
    if (boundary !== undefined) {
      if (boundary?.some((statement) => statement.effect === 'Allow' && covers(statement)) === false) return null;
      doubtful = doubtful || boundary === null || boundary.some((statement) => statement.condition !== null || statement.effect === 'Deny');
    }
    // The same identity reads thousands of stores in the same way: one object stands for it.
    const conditional = allow.conditional || doubtful;
    const memo = `${allow.name}\u0000${conditional}`;
    let reader = readers.get(memo);
    if (reader === undefined) {
      reader = {
        principal: identity.arn,
        kind: identity.kind,
        via: `IAM ${allow.name} (${action})`,
        conditional,
        wide: false,
        citation: identity.citation,
      };
      readers.set(memo, reader);
    }
    return reader;
  }

  function deniesAll(statement: Statement, resources: readonly string[]): boolean {
    if (statement.resources?.includes('*')) return true;
    return statement.resources !== null && resources.every((resource) => statement.resources?.some((pattern) => pattern === resource));
  }

  function identitiesGap(account: string): string | null {
    for (const type of awsIdentityTypes) {
      const gap = homeGap('aws', { type, account, region: 'any' });
      if (gap !== null) return gap;
    }
    return null;
  }

  /** Principals that a resource policy admits to an action. `own` is the account of the resource. */
  function admitted(
    statements: readonly Statement[],
    action: string,
    resources: readonly string[],
    own: string,
    what: string,
    citation: Citation,
  ): { readers: Reader[]; delegates: boolean; unsettled: string[] } {
    const covering = statements.filter((statement) => coversAction(statement, action) && coversResource(statement, resources, true));
    const denies = covering.filter((statement) => statement.effect === 'Deny');
    const readers: Reader[] = [];
    const unsettled: string[] = [];
    let delegates = false;
    if (
      denies.some(
        (statement) =>
          statement.condition === null &&
          statement.notPrincipal === undefined &&
          principalsOf(statement).some((one) => one.kind === 'everyone'),
      )
    ) {
      return { readers, delegates, unsettled };
    }
    const denied = new Set(
      denies
        .filter((statement) => statement.condition === null && statement.notPrincipal === undefined)
        .flatMap((statement) => principalsOf(statement).map((one) => one.principal)),
    );
    if (denies.some((statement) => statement.condition !== null || statement.notPrincipal !== undefined))
      unsettled.push(`statements of the ${what} that deny under conditions`);
    for (const statement of covering) {
      if (statement.effect !== 'Allow') continue;
      const via = `${what} statement ${statement.sid ? `"${statement.sid}"` : statement.at}`;
      const conditional = statement.condition !== null;
      for (const principal of principalsOf(statement)) {
        if (denied.has(principal.principal)) continue;
        if (principal.kind === 'account' && principal.account === own) {
          delegates = true;
          continue;
        }
        readers.push(...narrowed(principal, statement, own).map((one) => ({ ...one, via, conditional, citation })));
      }
    }
    return { readers, delegates, unsettled };
  }

  function narrowed(principal: PolicyPrincipal, statement: Statement, own: string): Pick<Reader, 'principal' | 'kind' | 'wide'>[] {
    if (principal.kind !== 'everyone') {
      const foreign = principal.account !== null && principal.account !== own;
      return [
        {
          principal: principal.principal,
          kind: foreign && principal.kind !== 'account' ? `${principal.kind} of another account` : principal.kind,
          wide: principal.kind === 'account' && foreign,
        },
      ];
    }
    const { accounts: only, arns, organizations } = narrowedBy(statement.condition);
    if (arns)
      return arns.map((arn) => ({ principal: arn, kind: 'named by condition', wide: arn.includes('*') && parseArn(arn)?.account !== own }));
    if (only)
      return only.map((account) => ({ principal: `every principal of account ${account}`, kind: 'account', wide: account !== own }));
    if (organizations)
      return organizations.map((organization) => ({
        principal: `every principal of organisation ${organization}`,
        kind: 'organisation',
        wide: true,
      }));
    return [{ principal: principal.principal, kind: 'everyone', wide: true }];
  }

  const keyUnsettled = [
    'grants on the key, which AWS Config does not record',
    'service control policies, session policies and conditions at the time of a request',
  ];

  function analyseKey(record: IndexedRecord, owner: string): Analysis {
    const arn = toldAt(record.document, 'configuration', 'arn') ?? record.uid;
    const known = byKey.get(arn);
    if (known) return known;
    const policy = policyStatements(valueAt(record.document, 'supplementaryConfiguration', 'Policy'), 'resource');
    const made: Analysis =
      policy === null
        ? { outcome: 'unknown', world: 'key-boundary', because: `the policy of key ${arn} is not in the evidence` }
        : judgeKey(policy, arn, owner, record);
    byKey.set(arn, made);
    return made;
  }

  function judgeKey(policy: readonly Statement[], arn: string, owner: string, record: IndexedRecord): Analysis {
    const direct = admitted(policy, decrypt, [arn], owner, 'key policy', record.citation);
    const iam: Allowed = direct.delegates ? allowedByIam(owner, decrypt, [arn]) : { readers: [], unsettled: [], gap: null };
    const gap = direct.delegates ? (identitiesGap(owner) ?? iam.gap) : null;
    return {
      outcome: 'found',
      world: 'key-boundary',
      readers: orderReaders([...direct.readers, ...iam.readers]),
      unsettled: [...direct.unsettled, ...iam.unsettled, ...keyUnsettled],
      gap,
      records: [record],
    };
  }

  /** Keys do not decide: the store's own policy and the identities' policies do. */
  function analyseRoles(store: AwsStore, resource: Resource): Analysis {
    const resources = store.resources(resource);
    const unsettled: string[] = [];
    const readers: Reader[] = [];
    const policy = store.policy?.(resource.document);
    // AWS Config writes `{}` for a repository without a policy.
    const without = policy === undefined || policy === null || policy === '' || (isJsonObject(policy) && Object.keys(policy).length === 0);
    if (!without) {
      const statements = policyStatements(policy, 'resource');
      if (statements === null) return { outcome: 'unknown', world: 'data-roles', because: 'the policy of the store cannot be read' };
      const direct = admitted(statements, store.action, resources, resource.account, 'policy of the store', resource.citation);
      const blocked =
        valueAt(resource.document, 'supplementaryConfiguration', 'PublicAccessBlockConfiguration', 'restrictPublicBuckets') === true;
      readers.push(
        ...direct.readers.map((reader) =>
          blocked && reader.kind === 'everyone'
            ? { ...reader, principal: `every principal of account ${resource.account}`, kind: 'account', wide: false, conditional: true }
            : reader,
        ),
      );
      unsettled.push(...direct.unsettled);
    }
    const iam = allowedByIam(resource.account, store.action, resources);
    unsettled.push(
      ...iam.unsettled,
      ...(store.unsettled ? [store.unsettled] : []),
      'service control policies, session policies and conditions at the time of a request',
    );
    return {
      outcome: 'found',
      world: 'data-roles',
      readers: orderReaders([...readers, ...iam.readers]),
      unsettled,
      gap: identitiesGap(resource.account) ?? iam.gap,
      records: [],
    };
  }

  /** What a named key makes of access; null where it is no boundary. */
  function analyseReference(reference: string, store: AwsStore, from: Resource): Analysis | null {
    const unknown = (because: string): Analysis => ({ outcome: 'unknown', world: 'key-boundary', because });
    const hit = lookup('aws.kms.key', reference, false, from);
    if (hit.outcome !== 'found') return unknown(hit.because);
    const [record] = hit.records;
    if (!record) return unknown(`key ${reference} is not in the evidence`);
    const manager = toldAt(record.document, 'configuration', 'keyManager');
    if (manager === 'AWS') return null;
    if (manager !== 'CUSTOMER') return unknown(`who manages key ${record.uid} is not in the evidence`);
    const owner = parseArn(toldAt(record.document, 'configuration', 'arn') ?? record.uid)?.account ?? from.account;
    const analysis = analyseKey(record, owner);
    return analysis.outcome === 'unknown' || !store.unsettled
      ? analysis
      : { ...analysis, unsettled: [...analysis.unsettled, store.unsettled] };
  }

  return {
    add,
    analyse(resource) {
      const store = Object.hasOwn(stores, resource.type) ? stores[resource.type] : undefined;
      if (!store) return { outcome: 'unknown', world: 'key-boundary', because: `access to ${resource.type} is not analysed` };
      const named = store.key(resource.document);
      if ('unknown' in named) return { outcome: 'unknown', world: 'key-boundary', because: named.unknown };
      // The prefix is reserved for the keys that AWS manages, whether or not their records were collected.
      if ('none' in named || /(^|:)alias\/aws\//.test(named.key)) return analyseRoles(store, resource);
      // Thousands of stores stand under one key: it is looked up once for each account and region that names it.
      const memo = `${named.key}\u0000${resource.account}\u0000${awsRegionOf(resource)}\u0000${store.unsettled ?? ''}`;
      let made = byReference.get(memo);
      if (made === undefined) byReference.set(memo, (made = analyseReference(named.key, store, resource)));
      return made ?? analyseRoles(store, resource);
    },
  };
}

/** Statements that bear on reading data: the rest of an account's policies need not be kept. */
function relevant(statement: Statement): boolean {
  return actionsOfInterest.some((action) => coversAction(statement, action));
}
