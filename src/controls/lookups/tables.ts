import type { Json, Provider, Resource } from '../../model/index.ts';
import {
  awsRegionOf,
  azureId,
  azureScopesOf,
  azureSubscription,
  gcpKeyName,
  gcpProjectOf,
  gcpRelativeName,
  lastSegment,
  parseArn,
  parseKmsReference,
  textAt,
  valueAt,
  vaultHost,
} from './references.ts';

/** Records a table is filled from. */
export interface TableSource {
  readonly type: string;
  readonly kind: Resource['kind'];
}

/**
 * Evidence that has to be whole before a miss means "absent". `type` as in the ledger (`iam-policy:<asset type>` for
 * policies); account `every` means each account of the provider that the ledger knows; region `any` means that one
 * whole entry of the account is enough (AWS records global types in one region, or in several).
 */
export interface Home {
  readonly type: string;
  readonly account: string;
  readonly region: string;
}

/** What another table answers while a reference is being resolved. */
export type Hop =
  { readonly outcome: 'found'; readonly document: Json } | { readonly outcome: 'absent' | 'unknown'; readonly because: string };

export type Hopper = (table: string, key: string, from: Resource) => Hop;

/** Where to look. `elsewhere` says why a miss cannot mean absent even where every home is whole. */
export type Resolution =
  | { readonly outcome: 'keys'; readonly keys: readonly string[]; readonly homes: readonly Home[]; readonly elsewhere?: string }
  | { readonly outcome: 'absent' | 'unknown'; readonly because: string };

/**
 * A lookup table of the control language: one entry each, found by `{ lookup: <name>, by: … }`.
 * To add one: name the records it holds, the keys under which a record is found, and how a reference becomes keys.
 */
export interface LookupTable {
  readonly name: string;
  /** For people: what a record is. */
  readonly title: string;
  readonly provider: Provider;
  readonly sources: readonly TableSource[];
  /** True where a reference leads to several records; the catalogue then says `many: true`. */
  readonly many: boolean;
  /** Top-level paths the table or a table that goes through it reads, kept besides those that controls read. */
  readonly keeps: readonly string[];
  /** `key`: records under one key are one thing, listed several times. Otherwise uids tell records apart. */
  readonly identity: 'uid' | 'key';
  /** True where resolving reads the subject's document, not only where the subject lives. */
  readonly readsSubject: boolean;
  /** Tables that references are resolved through. Their sources are needed too. */
  readonly through: readonly string[];
  keys(record: Resource): readonly string[];
  resolve(key: string, from: Resource, hop: Hopper): Resolution;
}

type Defaulted = 'many' | 'keeps' | 'through' | 'identity' | 'readsSubject';
type TableEntry = Omit<LookupTable, Defaulted> & Partial<Pick<LookupTable, Defaulted>>;

const table = (entry: TableEntry): LookupTable => ({ many: false, keeps: [], through: [], identity: 'uid', readsSubject: false, ...entry });
const resource = (type: string): TableSource => ({ type, kind: 'resource' });
const policy = (type: string): TableSource => ({ type, kind: 'iam-policy' });
const found = (keys: readonly string[], homes: readonly Home[], elsewhere?: string): Resolution =>
  elsewhere === undefined ? { outcome: 'keys', keys, homes } : { outcome: 'keys', keys, homes, elsewhere };
const unknown = (because: string): Resolution => ({ outcome: 'unknown', because });
const present = (values: readonly (string | null | undefined)[]): string[] => [
  ...new Set(values.filter((value): value is string => typeof value === 'string' && value !== '')),
];

// ---------------------------------------------------------------- AWS

const kmsKeyIndex = (account: string, region: string, id: string): string => `${account}/${region}/${id}`;

/** Account and region of an AWS record, from its ARN where it has one. */
function awsHome(record: Resource): { account: string; region: string } {
  const arn = parseArn(record.uid);
  return { account: arn?.account || record.account, region: arn?.region || awsRegionOf(record) };
}

const awsKmsKey = table({
  name: 'aws.kms.key',
  title: 'KMS key by ARN, bare id, alias name or alias ARN',
  provider: 'aws',
  sources: [resource('AWS::KMS::Key')],
  through: ['aws.kms.alias'],
  keys(record) {
    const { account, region } = awsHome(record);
    const id = textAt(record.document, 'configuration', 'keyId') ?? textAt(record.document, 'resourceId') ?? lastSegment(record.uid);
    const normal = parseKmsReference(id, account, region);
    return normal?.kind === 'key' ? [kmsKeyIndex(normal.account, normal.region, normal.id)] : [];
  },
  resolve(key, from, hop) {
    const reference = parseKmsReference(key, from.account, awsRegionOf(from));
    if (!reference) return unknown(`\`${key}\` does not read as a KMS key`);
    let target = reference;
    if (reference.kind === 'alias') {
      const alias = hop('aws.kms.alias', `arn:aws:kms:${reference.region}:${reference.account}:${reference.alias}`, from);
      if (alias.outcome !== 'found') return alias;
      const id = textAt(alias.document, 'configuration', 'TargetKeyId') ?? textAt(alias.document, 'configuration', 'targetKeyId');
      // AWS lists the aliases of its own keys before the key exists: such an alias has no target.
      if (id === null) return unknown(`alias \`${reference.alias}\` names no key`);
      const resolved = parseKmsReference(id, reference.account, reference.region);
      if (resolved?.kind !== 'key') return unknown(`alias \`${reference.alias}\` leads to \`${id}\`, which is not a key`);
      target = resolved;
    }
    if (target.kind !== 'key') return unknown(`\`${key}\` does not read as a KMS key`);
    return found(
      [kmsKeyIndex(target.account, target.region, target.id)],
      [{ type: 'AWS::KMS::Key', account: target.account, region: target.region }],
    );
  },
});

const awsKmsAlias = table({
  name: 'aws.kms.alias',
  title: 'KMS alias by name or ARN',
  provider: 'aws',
  sources: [resource('AWS::KMS::Alias')],
  keeps: ['configuration.AliasName', 'configuration.TargetKeyId'],
  keys(record) {
    const { account, region } = awsHome(record);
    const name =
      textAt(record.document, 'configuration', 'AliasName') ??
      textAt(record.document, 'resourceName') ??
      textAt(record.document, 'resourceId');
    const reference = name === null ? null : parseKmsReference(name, account, region);
    return reference?.kind === 'alias' ? [`${reference.account}/${reference.region}/${reference.alias}`] : [];
  },
  resolve(key, from) {
    const reference = parseKmsReference(key, from.account, awsRegionOf(from));
    if (reference?.kind !== 'alias') return unknown(`\`${key}\` does not read as a KMS alias`);
    return found(
      [`${reference.account}/${reference.region}/${reference.alias}`],
      [{ type: 'AWS::KMS::Alias', account: reference.account, region: reference.region }],
    );
  },
});

/** Key policy owner tables aside, IAM is global: a record is found by ARN, or by name or id within its account. */
function awsIamTable(name: string, type: string, title: string, nameField: string): LookupTable {
  return table({
    name,
    title,
    provider: 'aws',
    sources: [resource(type)],
    keys(record) {
      const names = present([
        textAt(record.document, 'configuration', nameField),
        textAt(record.document, 'resourceName'),
        textAt(record.document, 'resourceId'),
      ]);
      return present([
        record.uid,
        textAt(record.document, 'configuration', 'arn'),
        textAt(record.document, 'arn'),
        ...names.map((value) => `${record.account}/${value}`),
      ]);
    },
    resolve(key, from) {
      const arn = parseArn(key);
      const account = arn?.account || from.account;
      // Policies that AWS itself owns have `aws` for an account and belong to no scope.
      if (account === 'aws') return unknown(`\`${key}\` is an AWS managed policy, which no account records`);
      return found([arn ? key : `${account}/${key}`], [{ type, account, region: 'any' }]);
    },
  });
}

/** A regional or global AWS type by ARN, id or name: `aws.resource:<type>`. */
function awsResourceTable(type: string): LookupTable {
  return table({
    name: `aws.resource:${type}`,
    title: `${type} by ARN, id or name`,
    provider: 'aws',
    sources: [resource(type)],
    keys(record) {
      const { account, region } = awsHome(record);
      const names = present([textAt(record.document, 'resourceId'), textAt(record.document, 'resourceName')]);
      // Bucket names are unique in the partition and their ARNs name neither account nor region.
      const anywhere = type === 'AWS::S3::Bucket' ? names : [];
      return present([record.uid, textAt(record.document, 'arn'), ...names.map((value) => `${account}/${region}/${value}`), ...anywhere]);
    },
    resolve(key, from) {
      const arn = parseArn(key);
      if (type === 'AWS::S3::Bucket') {
        const bucket = arn ? arn.resource : key;
        return found(
          [bucket],
          [{ type, account: 'every', region: '*' }],
          `bucket \`${bucket}\` may belong to an account that was not collected`,
        );
      }
      const account = arn?.account || from.account;
      const region = arn?.region || (type.startsWith('AWS::IAM::') ? 'any' : awsRegionOf(from));
      return found([arn ? key : `${account}/${region}/${key}`], [{ type, account, region }]);
    },
  });
}

// ---------------------------------------------------------------- Azure

const azureHomes = (types: readonly string[], account: string): Home[] => types.map((type) => ({ type, account, region: '*' }));

/** An Azure type by id: `azure.resource.by-id:<type>`. */
function azureByIdTable(name: string, title: string, types: readonly string[], keeps: readonly string[] = []): LookupTable {
  return table({
    name,
    title,
    provider: 'azure',
    sources: types.map(resource),
    keeps,
    keys: (record) => [azureId(record.uid)],
    resolve(key) {
      const subscription = azureSubscription(key);
      if (subscription === null) return unknown(`\`${key}\` does not read as an Azure id`);
      return found([azureId(key)], azureHomes(types, subscription));
    },
  });
}

const vaultTypes = ['microsoft.keyvault/vaults', 'microsoft.keyvault/managedhsms'] as const;

const azureVaultByUri = table({
  name: 'azure.keyvault.by-uri',
  title: 'Key Vault or Managed HSM by its URI, or by the URI of a key in it',
  provider: 'azure',
  sources: vaultTypes.map(resource),
  keys(record) {
    const uri = textAt(record.document, 'properties', 'vaultUri') ?? textAt(record.document, 'properties', 'hsmUri');
    const host = uri === null ? null : vaultHost(uri);
    return host === null ? [] : [host];
  },
  resolve(key) {
    const host = vaultHost(key);
    if (host === null) return unknown(`\`${key}\` does not read as a vault or key URI`);
    return found(
      [host],
      azureHomes(vaultTypes, 'every'),
      `vault \`${host}\` may belong to a subscription or tenant that was not collected`,
    );
  },
});

/** Management groups above a subscription, nearest first, from its row in resourcecontainers. Null when the row does not say. */
function managementGroupsOf(subscription: Json): string[] | null {
  const chain = valueAt(subscription, 'properties', 'managementGroupAncestorsChain');
  if (!Array.isArray(chain)) return null;
  const names = chain.map((group) => textAt(group, 'name'));
  return names.every((name) => name !== null)
    ? names.map((name) => azureId(`/providers/microsoft.management/managementgroups/${name}`))
    : null;
}

const assignmentType = 'microsoft.authorization/roleassignments';

/** Where assignments in force at an Azure id stand: at the id, and at everything above it. */
function azureAssignmentScopes(id: string, from: Resource, hop: Hopper): { scopes: string[]; homes: Home[]; elsewhere?: string } | null {
  const subscription = azureSubscription(id);
  if (subscription === null) return null;
  const container = hop('azure.subscription', `/subscriptions/${subscription}`, from);
  const tenant = (container.outcome === 'found' ? textAt(container.document, 'tenantId') : null) ?? textAt(from.document, 'tenantId');
  const homes = [
    ...azureHomes([assignmentType], subscription),
    ...azureHomes([assignmentType], tenant === null ? 'every' : `tenants/${tenant.toLowerCase()}`),
  ];
  const groups = container.outcome === 'found' ? managementGroupsOf(container.document) : null;
  const scopes = [...azureScopesOf(id), ...(groups ?? []), '/'];
  return groups === null
    ? { scopes, homes, elsewhere: `the management groups above subscription ${subscription} are not in the evidence` }
    : { scopes, homes };
}

function assignmentScope(record: Resource): string {
  return azureId(
    textAt(record.document, 'properties', 'scope') ??
      record.uid.replace(/\/providers\/microsoft\.authorization\/roleassignments\/[^/]+$/i, ''),
  );
}

const azureRoleAssignments = table({
  name: 'azure.role-assignments.by-scope',
  title: 'Role assignments in force at an Azure id: made there, or inherited from its resource group, subscription or management groups',
  provider: 'azure',
  sources: [resource(assignmentType)],
  many: true,
  readsSubject: true,
  keeps: ['properties.scope'],
  through: ['azure.subscription'],
  keys: (record) => [assignmentScope(record)],
  resolve(key, from, hop) {
    const reach = azureAssignmentScopes(key, from, hop);
    return reach === null ? unknown(`\`${key}\` does not read as an Azure id`) : found(reach.scopes, reach.homes, reach.elsewhere);
  },
});

/** As by scope, of one principal only: a scope may hold thousands of assignments. One that names no principal is found for each, and left to be judged. */
const azurePrincipalAssignments = table({
  name: 'azure.role-assignments.of-principal',
  title: 'Role assignments of a principal in force at an Azure id, written `<principal id> <Azure id>`',
  provider: 'azure',
  sources: [resource(assignmentType)],
  many: true,
  readsSubject: true,
  keeps: ['properties.scope', 'properties.principalId'],
  through: ['azure.subscription'],
  keys: (record) => [`${(textAt(record.document, 'properties', 'principalId') ?? '').toLowerCase()} ${assignmentScope(record)}`],
  resolve(key, from, hop) {
    const [principal = '', id = ''] = key.trim().split(/ (.*)/, 2);
    const reach = principal === '' ? null : azureAssignmentScopes(id, from, hop);
    if (reach === null) return unknown(`\`${key}\` does not read as a principal and an Azure id`);
    return found(
      reach.scopes.flatMap((scope) => [`${principal.toLowerCase()} ${scope}`, ` ${scope}`]),
      reach.homes,
      reach.elsewhere,
    );
  },
});

const azureRoleDefinition = table({
  name: 'azure.role-definition',
  title: 'Role definition by id or GUID',
  provider: 'azure',
  sources: [resource('microsoft.authorization/roledefinitions')],
  identity: 'key',
  keeps: ['properties'],
  keys: (record) => [lastSegment(azureId(record.uid))],
  // A definition's GUID is unique in the tenant and built-in ones are listed beside every subscription's own.
  resolve: (key) => found([lastSegment(azureId(key))], azureHomes(['microsoft.authorization/roledefinitions'], 'every')),
});

// ---------------------------------------------------------------- Google Cloud

const gcpKeyType = 'cloudkms.googleapis.com/CryptoKey';
const gcpRingType = 'cloudkms.googleapis.com/KeyRing';
const gcpProjectType = 'cloudresourcemanager.googleapis.com/Project';
const gcpFolderType = 'cloudresourcemanager.googleapis.com/Folder';
const gcpOrganizationType = 'cloudresourcemanager.googleapis.com/Organization';

/** The asset's ancestors, nearest first: `projects/123`, `folders/4`, `organizations/5`. Null when the record does not say. */
export function gcpAncestors(document: Json): string[] | null {
  const ancestors = valueAt(document, 'ancestors');
  return Array.isArray(ancestors) && ancestors.length > 0 && ancestors.every((one) => typeof one === 'string') ? ancestors : null;
}

/** The project's id where the evidence knows the number, else as given. */
function projectId(project: string, from: Resource, hop: Hopper): string {
  if (!/^\d+$/.test(project)) return project;
  const hit = hop('gcp.project', project, from);
  return hit.outcome === 'found' ? (textAt(hit.document, 'resource', 'data', 'projectId') ?? project) : project;
}

/** A project-level asset type by name: `gcp.resource:<asset type>`, and the named tables below. */
function gcpByNameTable(
  name: string,
  title: string,
  type: string,
  normalise: (reference: string) => string = gcpRelativeName,
): LookupTable {
  return table({
    name,
    title,
    provider: 'gcp',
    sources: [resource(type)],
    keeps: ['ancestors'],
    through: ['gcp.project'],
    keys: (record) => [normalise(record.uid)],
    resolve(key, from, hop) {
      const relative = normalise(key);
      const project = gcpProjectOf(relative);
      if (project === null)
        return found(
          [relative],
          [{ type, account: 'every', region: '*' }],
          `\`${relative}\` may belong to a project that was not collected`,
        );
      const id = projectId(project, from, hop);
      return found(present([relative, relative.replace(/^projects\/[^/]+/, `projects/${id}`)]), [{ type, account: id, region: '*' }]);
    },
  });
}

const gcpProject = table({
  name: 'gcp.project',
  title: 'Project by id or number',
  provider: 'gcp',
  sources: [resource(gcpProjectType)],
  keeps: ['ancestors', 'resource.data.projectId', 'resource.data.projectNumber', 'resource.data.name'],
  keys(record) {
    const own = gcpAncestors(record.document)?.[0];
    const number = valueAt(record.document, 'resource', 'data', 'projectNumber');
    return present([
      gcpProjectOf(gcpRelativeName(record.uid)),
      textAt(record.document, 'resource', 'data', 'projectId'),
      typeof number === 'number' || typeof number === 'string' ? String(number) : null,
      own?.startsWith('projects/') ? own.slice('projects/'.length) : null,
    ]);
  },
  resolve(key) {
    const project = gcpProjectOf(gcpRelativeName(key)) ?? gcpRelativeName(key);
    return found(
      [project],
      [{ type: gcpProjectType, account: project, region: '*' }],
      `project ${project} may lie outside the scopes that were collected`,
    );
  },
});

/** IAM policies of the levels above a resource: homes and keys, nearest first. */
function inheritedPolicies(ancestors: readonly string[], project: string): { keys: string[]; homes: Home[] } {
  const homes = ancestors.map((ancestor): Home => {
    if (ancestor.startsWith('projects/')) return { type: `iam-policy:${gcpProjectType}`, account: project, region: '*' };
    return { type: `iam-policy:${ancestor.startsWith('folders/') ? gcpFolderType : gcpOrganizationType}`, account: ancestor, region: '*' };
  });
  return { keys: present([`projects/${project}`, ...ancestors]), homes };
}

/** Keys of an IAM policy record: its resource's name, and for a project its number too. */
function policyKeys(record: Resource): string[] {
  const own = gcpAncestors(record.document)?.[0];
  return present([gcpRelativeName(record.uid), record.type === gcpProjectType ? own : null]);
}

const gcpKeyIam = table({
  name: 'gcp.kms.key-iam',
  title: 'IAM policies in force on a key: of the key, its ring, project, folders and organisation',
  provider: 'gcp',
  sources: [gcpKeyType, gcpRingType, gcpProjectType, gcpFolderType, gcpOrganizationType].map(policy),
  many: true,
  through: ['gcp.kms.key', 'gcp.project'],
  keys: policyKeys,
  resolve(key, from, hop) {
    const name = gcpKeyName(key);
    const given = gcpProjectOf(name);
    if (given === null) return unknown(`\`${key}\` does not read as a Cloud KMS key`);
    const project = projectId(given, from, hop);
    const own = name.replace(/^projects\/[^/]+/, `projects/${project}`);
    const ring = own.replace(/\/cryptoKeys\/[^/]+$/, '');
    const homes = [
      { type: `iam-policy:${gcpKeyType}`, account: project, region: '*' },
      { type: `iam-policy:${gcpRingType}`, account: project, region: '*' },
    ];
    const hit = hop('gcp.kms.key', own, from);
    const ancestors = hit.outcome === 'found' ? gcpAncestors(hit.document) : null;
    const above = inheritedPolicies(ancestors ?? [`projects/${project}`], project);
    return found(
      present([own, name, ring, ...above.keys]),
      [...homes, ...above.homes],
      ancestors === null ? `the ancestors of key \`${own}\` are not in the evidence` : undefined,
    );
  },
});

/** IAM policies in force on an asset of one type, inherited ones included: `gcp.iam-policy:<asset type>`, looked up by the asset's own name. */
function gcpIamPolicyTable(type: string): LookupTable {
  const levels = present([type, gcpProjectType, gcpFolderType, gcpOrganizationType]);
  return table({
    name: `gcp.iam-policy:${type}`,
    title: `IAM policies in force on a ${type}: its own, its project's, folders' and organisation's`,
    provider: 'gcp',
    sources: levels.map(policy),
    many: true,
    readsSubject: true,
    keys: policyKeys,
    resolve(key, from) {
      const name = gcpRelativeName(key);
      const ancestors = gcpAncestors(from.document);
      const above = inheritedPolicies(ancestors ?? [], from.account);
      return found(
        present([name, ...above.keys]),
        [{ type: `iam-policy:${type}`, account: from.account, region: '*' }, ...above.homes],
        ancestors === null ? 'the record does not name its ancestors' : undefined,
      );
    },
  });
}

// ---------------------------------------------------------------- registry

const named: readonly LookupTable[] = [
  awsKmsKey,
  awsKmsAlias,
  awsIamTable('aws.iam.role', 'AWS::IAM::Role', 'IAM role by ARN or name', 'roleName'),
  awsIamTable('aws.iam.user', 'AWS::IAM::User', 'IAM user by ARN or name', 'userName'),
  awsIamTable('aws.iam.group', 'AWS::IAM::Group', 'IAM group by ARN or name', 'groupName'),
  awsIamTable('aws.iam.policy', 'AWS::IAM::Policy', 'Customer managed IAM policy by ARN', 'policyName'),
  azureVaultByUri,
  azureByIdTable('azure.keyvault.by-id', 'Key Vault or Managed HSM by id', vaultTypes),
  azureByIdTable('azure.disk-encryption-set.by-id', 'Disk encryption set by id', ['microsoft.compute/diskencryptionsets']),
  azureByIdTable('azure.identity.by-id', 'User assigned identity by id', ['microsoft.managedidentity/userassignedidentities']),
  azureByIdTable(
    'azure.subscription',
    'Subscription by id, with its management groups',
    ['microsoft.resources/subscriptions'],
    ['tenantId', 'properties.managementGroupAncestorsChain'],
  ),
  azureByIdTable('azure.resource-group.by-id', 'Resource group by id', ['microsoft.resources/subscriptions/resourcegroups']),
  azureRoleAssignments,
  azurePrincipalAssignments,
  azureRoleDefinition,
  gcpByNameTable('gcp.kms.key', 'Cloud KMS key by name, or by the name of one of its versions', gcpKeyType, gcpKeyName),
  gcpByNameTable('gcp.kms.key-version', 'Cloud KMS key version by name', 'cloudkms.googleapis.com/CryptoKeyVersion'),
  gcpByNameTable('gcp.kms.key-ring', 'Cloud KMS key ring by name', gcpRingType),
  gcpKeyIam,
  gcpProject,
];

/** Families of tables, one per resource type, written `<prefix>:<type>`: `aws.resource:AWS::EC2::Subnet`. */
export const tableFamilies: Readonly<Record<string, { readonly title: string; readonly of: (type: string) => LookupTable }>> = {
  'aws.resource': { title: 'a resource of an AWS type by ARN, id or name', of: awsResourceTable },
  'azure.resource.by-id': {
    title: 'a resource of an Azure type by id',
    of: (type) => azureByIdTable(`azure.resource.by-id:${type.toLowerCase()}`, `${type} by id`, [type.toLowerCase()]),
  },
  'gcp.resource': {
    title: 'an asset of a Google Cloud type by name',
    of: (type) => gcpByNameTable(`gcp.resource:${type}`, `${type} by name`, type),
  },
  'gcp.iam-policy': { title: 'IAM policies in force on an asset of a type, inherited ones included', of: gcpIamPolicyTable },
};

const tables = new Map(named.map((entry) => [entry.name, entry]));

/** Names of the tables that have one, for lint and suggestions. Families come besides. */
export const tableNames: readonly string[] = named.map((entry) => entry.name);

/** The table of that name, or of a family (`gcp.iam-policy:<asset type>`); undefined when there is none. */
export function lookupTable(name: string): LookupTable | undefined {
  const existing = tables.get(name);
  if (existing) return existing;
  const colon = name.indexOf(':');
  if (colon < 1) return undefined;
  const family = tableFamilies[name.slice(0, colon)];
  const type = name.slice(colon + 1);
  if (!family || type === '') return undefined;
  const made = family.of(type);
  tables.set(name, made);
  return made;
}

/** The tables that a set of names needs, those they are resolved through included, in a fixed order. Throws for a name that is no table. */
export function tablesNeeded(names: Iterable<string>): LookupTable[] {
  const needed = new Map<string, LookupTable>();
  const visit = (name: string): void => {
    if (needed.has(name)) return;
    const entry = lookupTable(name);
    if (!entry) throw new Error(`no lookup table is named ${name}`);
    needed.set(name, entry);
    entry.through.forEach(visit);
  };
  [...names].sort().forEach(visit);
  return [...needed.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The ledger's name for the records of a source. */
export function ledgerType(source: TableSource): string {
  if (source.kind === 'iam-policy') return `iam-policy:${source.type}`;
  return source.kind === 'org-policy' ? 'org-policy' : source.type;
}
