import type { AwsScopeConfig } from '../../config/schema.ts';

/** Rows a page of Select, counts and compliance details may hold at most. */
export const pageSize = 100;

/** Requests to AWS Config under way at once, over all accounts and regions: what one process can answer for without keeping them waiting. */
const configCrowd = { name: 'aws-config', atOnce: 24 } as const;

/** AWS Config publishes no request rate. Ten a second for an account and region has proved polite, and is what the pacer keeps. */
export const configQuota = { permits: 10, perMs: 1000, crowd: configCrowd } as const;

/** Queries of one account and region that run at once. */
export const queriesInFlight = 4;

/** The longest expression that AWS Config takes. */
const maxExpression = 4096;

const columns =
  'resourceId, resourceName, resourceType, arn, accountId, awsRegion, configurationItemCaptureTime, configurationItemStatus, configuration, supplementaryConfiguration, tags';

/** The advanced query for all current resources of a type; columns are named because `*` leaves the configuration out. At most 4096 characters. */
export function selectExpression(type: string, withoutAccounts: readonly string[] = []): string {
  if (!/^[A-Za-z0-9]+(::[A-Za-z0-9]+)+$/.test(type) || type.length > 200) throw new Error(`not an AWS resource type: ${type}`);
  const rest = withoutAccounts.map((account) => ` AND accountId != '${account}'`).join('');
  const expression = `SELECT ${columns} WHERE resourceType = '${type}'${rest}`;
  if (expression.length > maxExpression)
    throw new Error(
      `${withoutAccounts.length} accounts read directly beside an aggregator are more than one query can leave out (${maxExpression} characters)`,
    );
  return expression;
}

/**
 * Counts the resources that a deployed rule has judged: Config keeps an item of its own for each, apart from the results
 * that `GetComplianceDetailsByConfigRule` lists. Null for a name that cannot be written into a query.
 */
export function complianceCountExpression(rule: string): string | null {
  if (!/^[^'"\\\u0000-\u001f]+$/.test(rule)) return null;
  return `SELECT COUNT(*) WHERE resourceType = 'AWS::Config::ResourceCompliance' AND configuration.configRuleList.configRuleName = '${rule}'`;
}

/** Types that belong to the account as a whole. Config records a copy in every region whose recorder includes them. */
const globalTypes = new Set(['AWS::IAM::User', 'AWS::IAM::Group', 'AWS::IAM::Role', 'AWS::IAM::Policy']);

export function isGlobal(type: string): boolean {
  return globalTypes.has(type);
}

/** Regions opened after February 2022: Config does not record IAM there, whatever the recorder says. */
const regionsWithoutIam = new Set([
  'ap-east-2',
  'ap-south-2',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-west-1',
  'eu-central-2',
  'eu-south-2',
  'il-central-1',
  'me-central-1',
  'mx-central-1',
]);

export function recordsIam(region: string): boolean {
  return !regionsWithoutIam.has(region);
}

export function partitionOf(region: string): string {
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  if (region.startsWith('cn-')) return 'aws-cn';
  return 'aws';
}

/** ARN of the role to assume in an account: `{account}` is replaced, a bare role name is completed. */
export function roleArn(role: string | undefined, account: string, region: string): string | undefined {
  if (role === undefined) return undefined;
  const filled = role.replaceAll('{account}', account);
  return filled.startsWith('arn:') ? filled : `arn:${partitionOf(region)}:iam::${account}:role/${filled}`;
}

/** Every account and region that is configured to be read directly. */
export function directScopes(scopes: readonly AwsScopeConfig[]): { account: string; region: string; scope: AwsScopeConfig }[] {
  const seen = new Set<string>();
  return scopes.flatMap((scope) =>
    (scope.accounts ?? []).flatMap((account) =>
      (scope.regions ?? []).flatMap((region) => {
        const key = `${account}/${region}`;
        if (seen.has(key)) return [];
        seen.add(key);
        return [{ account, region, scope }];
      }),
    ),
  );
}

export function directoryOf(account: string, region: string): string {
  return `${account}.${region}`;
}

/** Stands in the ledger for an aggregator itself: the list of its sources, which no region holds. */
export function aggregatorRegion(name: string): string {
  return `aggregator/${name}`;
}
