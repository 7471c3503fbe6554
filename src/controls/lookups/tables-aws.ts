import { type Resource, unstated } from '../../model/index.ts';
import { awsRegionOf, lastSegment, parseArn, parseKmsReference, textAt } from './references.ts';
import { found, type LookupTable, present, resource, table, type TableFamilies, unknown } from './table.ts';

const kmsKeyIndex = (account: string, region: string, id: string): string => `${account}/${region}/${id}`;

/** Account and region of an AWS record, from its ARN where it has one. */
function awsHome(record: Resource): { account: string; region: string } {
  const arn = parseArn(record.uid);
  return { account: arn?.account || record.account, region: arn?.region || awsRegionOf(record) };
}

/** Why a name cannot be told apart from the same one elsewhere; null where it can. An ARN says itself where it belongs. */
function unplaced(key: string, from: Resource): string | null {
  if (parseArn(key) !== null || (from.account !== unstated.account && awsRegionOf(from) !== unstated.region)) return null;
  return `\`${key}\` names no account and region, and the record that names it neither`;
}

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
  // Whichever region records them, and whichever asks.
  const ofAccount = type.startsWith('AWS::IAM::');
  return table({
    name: `aws.resource:${type}`,
    title: `${type} by ARN, id or name`,
    provider: 'aws',
    sources: [resource(type)],
    keys(record) {
      const home = awsHome(record);
      const { account } = home;
      const region = ofAccount ? 'any' : home.region;
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
      // An ARN that names no region is of a service without regions, which any of them may have recorded.
      if (arn?.region === '' && !ofAccount) return found([key], [{ type, account: 'every', region: '*' }]);
      const region = arn?.region || (ofAccount ? 'any' : awsRegionOf(from));
      return found([arn ? key : `${account}/${region}/${key}`], [{ type, account, region }]);
    },
  });
}

export const awsTables: readonly LookupTable[] = [
  table({
    name: 'aws.kms.key',
    title: 'KMS key by ARN, bare id, alias name or alias ARN',
    provider: 'aws',
    sources: [resource('AWS::KMS::Key')],
    through: ['aws.kms.alias'],
    keys(record) {
      const { account, region } = awsHome(record);
      const id = textAt(record.document, 'configuration', 'keyId') ?? textAt(record.document, 'resourceId') ?? lastSegment(record.uid);
      // A record's own ARN tells a key from an alias whatever its id looks like.
      const normal = parseKmsReference(id, account, region) ?? parseKmsReference(record.uid, account, region);
      return normal?.kind === 'key' ? [kmsKeyIndex(normal.account, normal.region, normal.id)] : [];
    },
    resolve(key, from, hop) {
      const reference = parseKmsReference(key, from.account, awsRegionOf(from));
      if (!reference) return unknown(`\`${key}\` does not read as a KMS key`);
      const nowhere = unplaced(key, from);
      if (nowhere !== null) return unknown(nowhere);
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
  }),
  table({
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
  }),
  awsIamTable('aws.iam.role', 'AWS::IAM::Role', 'IAM role by ARN or name', 'roleName'),
  awsIamTable('aws.iam.user', 'AWS::IAM::User', 'IAM user by ARN or name', 'userName'),
  awsIamTable('aws.iam.group', 'AWS::IAM::Group', 'IAM group by ARN or name', 'groupName'),
  awsIamTable('aws.iam.policy', 'AWS::IAM::Policy', 'Customer managed IAM policy by ARN', 'policyName'),
];

export const awsTableFamilies: TableFamilies = {
  'aws.resource': { title: 'a resource of an AWS type by ARN, id or name', of: awsResourceTable },
};
