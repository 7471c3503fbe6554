import type { JsonObject } from '../model/index.ts';
import type { AwsEstate, AwsItem } from './estate/aws-model.ts';
import { hour, type Population } from './estate/population.ts';
import { random } from './estate/random.ts';

type Compliance = 'COMPLIANT' | 'NON_COMPLIANT';

interface RuleSpec {
  readonly identifier: string;
  /** Type whose records the rule judges; null where what it judges is not in the inventory. */
  readonly over: string | null;
  /** Type written into its results where `over` is null. */
  readonly as?: string;
  readonly homeOnly?: boolean;
  readonly troubles?: readonly string[];
}

const keyTrouble = ['unencrypted'];
/** The managed rules deployed in every account and region. */
export const deployedRules: readonly RuleSpec[] = [
  { identifier: 'S3_DEFAULT_ENCRYPTION_KMS', over: 'AWS::S3::Bucket', troubles: ['s3-managed-key'] },
  { identifier: 'ENCRYPTED_VOLUMES', over: 'AWS::EC2::Volume', troubles: keyTrouble },
  { identifier: 'RDS_STORAGE_ENCRYPTED', over: 'AWS::RDS::DBInstance', troubles: keyTrouble },
  { identifier: 'RDS_SNAPSHOT_ENCRYPTED', over: 'AWS::RDS::DBSnapshot', troubles: keyTrouble },
  { identifier: 'DYNAMODB_TABLE_ENCRYPTED_KMS', over: 'AWS::DynamoDB::Table', troubles: ['aws-owned-key'] },
  { identifier: 'EFS_ENCRYPTED_CHECK', over: 'AWS::EFS::FileSystem', troubles: keyTrouble },
  { identifier: 'SNS_ENCRYPTED_KMS', over: 'AWS::SNS::Topic', troubles: keyTrouble },
  { identifier: 'SECRETSMANAGER_USING_CMK', over: 'AWS::SecretsManager::Secret', troubles: ['aws-managed-key'] },
  { identifier: 'CLOUD_TRAIL_ENCRYPTION_ENABLED', over: 'AWS::CloudTrail::Trail', troubles: ['s3-managed-key'] },
  { identifier: 'CMK_BACKING_KEY_ROTATION_ENABLED', over: 'AWS::KMS::Key', troubles: ['key-rotation-off'] },
  { identifier: 'KMS_CMK_NOT_SCHEDULED_FOR_DELETION', over: 'AWS::KMS::Key', troubles: ['key-pending-deletion'] },
  { identifier: 'CLOUDWATCH_LOG_GROUP_ENCRYPTED', over: null, as: 'AWS::Logs::LogGroup' },
  { identifier: 'EC2_EBS_ENCRYPTION_BY_DEFAULT', over: null, as: 'AWS::::Account' },
  { identifier: 'ROOT_ACCOUNT_MFA_ENABLED', over: null, as: 'AWS::::Account', homeOnly: true },
  { identifier: 'IAM_PASSWORD_POLICY', over: null, as: 'AWS::::Account', homeOnly: true },
];

export interface RuleResult {
  readonly resourceType: string;
  readonly resourceId: string;
  readonly compliance: Compliance;
  /** Milliseconds. */
  readonly recordedAt: number;
}

export interface DeployedRule {
  readonly spec: RuleSpec;
  readonly name: string;
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly count: number;
  result(index: number): RuleResult;
  /** What `result` says of compliance; kept once it was asked for, as every page of a filtered list asks for all. */
  compliance(index: number): Compliance;
}

/** The rules of one account and region, with their results on demand. */
export function rulesOf(estate: AwsEstate, seed: number, asOf: number, account: string, region: string): DeployedRule[] {
  const here = estate.populations.filter((population) => population.account === account && population.region === region);
  return deployedRules
    .filter((spec) => spec.homeOnly !== true || region === estate.home.region)
    .map((spec): DeployedRule => {
      const id = `config-rule-${random(seed, 'rule', account, region, spec.identifier).code(6).toLowerCase()}`;
      const judged: Population<AwsItem> | undefined = here.find((population) => population.type === spec.over);
      const customerKeys =
        spec.over === 'AWS::KMS::Key' && judged !== undefined
          ? Array.from({ length: judged.count }, (_, i) => i).filter((i) => judged.record(i).configuration['keyManager'] === 'CUSTOMER')
          : null;
      const count =
        spec.over !== null ? (customerKeys?.length ?? judged?.count ?? 0) : spec.as === 'AWS::::Account' ? 1 : here.length > 0 ? 4 : 1;
      const result = (index: number): RuleResult => {
        const pick = random(seed, 'rule-result', account, region, spec.identifier, index);
        const recordedAt = asOf - Math.floor((0.2 + pick.next() * 10) * hour);
        if (judged !== undefined) {
          const item = judged.record(customerKeys === null ? index : (customerKeys[index] ?? 0));
          const bad = item.troubles.some((trouble) => spec.troubles?.includes(trouble) === true);
          return {
            resourceType: item.resourceType,
            resourceId: item.resourceId,
            compliance: bad ? 'NON_COMPLIANT' : 'COMPLIANT',
            recordedAt,
          };
        }
        const resourceId =
          spec.as === 'AWS::::Account' ? account : `/northwind/${pick.pick(['orders', 'payments', 'audit', 'etl'])}-${String(index)}`;
        return {
          resourceType: spec.as ?? 'AWS::::Account',
          resourceId,
          compliance: pick.chance(0.85) ? 'COMPLIANT' : 'NON_COMPLIANT',
          recordedAt,
        };
      };
      const known: Compliance[] = [];
      return {
        spec,
        name: `exhibit-${spec.identifier.toLowerCase().replaceAll('_', '-')}`,
        id,
        arn: `arn:aws:config:${region}:${account}:config-rule/${id}`,
        account,
        region,
        count,
        result,
        compliance: (index) => (known[index] ??= result(index).compliance),
      };
    });
}

export function describeRule(rule: DeployedRule): JsonObject {
  return {
    ConfigRuleName: rule.name,
    ConfigRuleArn: rule.arn,
    ConfigRuleId: rule.id,
    Description: '',
    ConfigRuleState: 'ACTIVE',
    ...(rule.spec.over === null ? {} : { Scope: { ComplianceResourceTypes: [rule.spec.over] } }),
    Source: { Owner: 'AWS', SourceIdentifier: rule.spec.identifier },
    InputParameters: '{}',
    EvaluationModes: [{ Mode: 'DETECTIVE' }],
  };
}

export function ruleCompliance(rule: DeployedRule): { type: 'COMPLIANT' | 'NON_COMPLIANT' | 'INSUFFICIENT_DATA'; failing: number } {
  let failing = 0;
  for (let i = 0; i < rule.count; i += 1) if (rule.compliance(i) === 'NON_COMPLIANT') failing += 1;
  return { type: rule.count === 0 ? 'INSUFFICIENT_DATA' : failing > 0 ? 'NON_COMPLIANT' : 'COMPLIANT', failing };
}
