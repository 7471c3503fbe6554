import type { JsonObject } from '../model/index.ts';
import { type AwsCall, AwsError, limitOf, object, page, seconds, spoil, strings, text } from './aws-call.ts';
import { type AwsHeld, type AwsOperations, insufficient } from './aws-held.ts';
import { deployedRules, type DeployedRule, describeRule, ruleCompliance } from './aws-rules.ts';
import { day, hour } from './estate/population.ts';

const packName = 'northwind-encryption';
const packRules = new Set(deployedRules.slice(0, 5).map((rule) => rule.identifier));

/** What the rules came to, one by one and by conformance pack. */
export function ruleOperations(held: AwsHeld): AwsOperations {
  const { asOf, regions, rules, requireAggregator } = held;

  const ruleByName = (call: AwsCall, account: string, region: string): DeployedRule => {
    const name = text(call.input, 'ConfigRuleName');
    const rule = rules(account, region).find((one) => one.name === name);
    if (rule === undefined)
      throw new AwsError(
        'NoSuchConfigRuleException',
        `The ConfigRule '${name}' provided in the request is invalid. Please check the configRule name.`,
      );
    return rule;
  };
  const selectedRules = (call: AwsCall): DeployedRule[] => {
    const names = strings(call.input['ConfigRuleNames']);
    const all = rules(call.account, call.region);
    const missing = names.find((name) => !all.some((rule) => rule.name === name));
    if (missing !== undefined)
      throw new AwsError(
        'NoSuchConfigRuleException',
        `The ConfigRule '${missing}' provided in the request is invalid. Please check the configRule name.`,
      );
    return names.length === 0 ? all : all.filter((rule) => names.includes(rule.name));
  };
  const details = (call: AwsCall, rule: DeployedRule, aggregate: boolean): { rows: readonly JsonObject[]; token: string | undefined } => {
    const wanted = aggregate ? [text(call.input, 'ComplianceType')].filter((one) => one !== '') : strings(call.input['ComplianceTypes']);
    const indexes: number[] = [];
    if (!insufficient(call, rule)) {
      for (let i = 0; i < rule.count; i += 1) if (wanted.length === 0 || wanted.includes(rule.compliance(i))) indexes.push(i);
    }
    return page(call, indexes.length, limitOf(call, 'Limit', 10, 100), (i) => {
      const result = rule.result(indexes[i] ?? 0);
      return spoil(call, {
        EvaluationResultIdentifier: {
          EvaluationResultQualifier: {
            ConfigRuleName: rule.name,
            ResourceType: result.resourceType,
            ResourceId: result.resourceId,
            EvaluationMode: 'DETECTIVE',
          },
          OrderingTimestamp: seconds(result.recordedAt),
        },
        ComplianceType: result.compliance,
        ResultRecordedTime: seconds(result.recordedAt),
        ConfigRuleInvokedTime: seconds(result.recordedAt - 2000),
        ...(aggregate ? { AccountId: rule.account, AwsRegion: rule.region } : {}),
      });
    });
  };

  return {
    DescribeConfigRules: (call) => {
      const all = selectedRules(call);
      const cut = page(call, all.length, 25, (i) => describeRule(all[i] as DeployedRule));
      return { ConfigRules: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    DescribeConfigRuleEvaluationStatus: (call) => {
      const all = selectedRules(call);
      const cut = page(call, all.length, limitOf(call, 'Limit', 50, 150), (i) => {
        const rule = all[i] as DeployedRule;
        const never = insufficient(call, rule);
        return {
          ConfigRuleName: rule.name,
          ConfigRuleArn: rule.arn,
          ConfigRuleId: rule.id,
          FirstActivatedTime: seconds(asOf - 300 * day),
          FirstEvaluationStarted: !never,
          ...(never
            ? {}
            : { LastSuccessfulInvocationTime: seconds(asOf - 2 * hour), LastSuccessfulEvaluationTime: seconds(asOf - 2 * hour) }),
        };
      });
      return { ConfigRulesEvaluationStatus: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    DescribeComplianceByConfigRule: (call) => {
      const wanted = strings(call.input['ComplianceTypes']);
      const all = selectedRules(call)
        .map((rule) => ({ rule, compliance: insufficient(call, rule) ? { type: 'INSUFFICIENT_DATA', failing: 0 } : ruleCompliance(rule) }))
        .filter(({ compliance }) => wanted.length === 0 || wanted.includes(compliance.type));
      const cut = page(call, all.length, 25, (i) => {
        const { rule, compliance } = all[i] as (typeof all)[number];
        return {
          ConfigRuleName: rule.name,
          Compliance: {
            ComplianceType: compliance.type,
            ...(compliance.failing > 0
              ? { ComplianceContributorCount: { CappedCount: Math.min(25, compliance.failing), CapExceeded: compliance.failing > 25 } }
              : {}),
          },
        };
      });
      return { ComplianceByConfigRules: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    GetComplianceDetailsByConfigRule: (call) => {
      const cut = details(call, ruleByName(call, call.account, call.region), false);
      return { EvaluationResults: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    GetAggregateComplianceDetailsByConfigRule: (call) => {
      requireAggregator(call);
      const cut = details(call, ruleByName(call, text(call.input, 'AccountId'), text(call.input, 'AwsRegion')), true);
      return {
        AggregateEvaluationResults: cut.rows.map((row) => {
          const { EvaluationResultIdentifier, ...rest } = row;
          return { ...rest, EvaluationResultIdentifier: EvaluationResultIdentifier ?? {} };
        }),
        ...(cut.token === undefined ? {} : { NextToken: cut.token }),
      };
    },
    DescribeConformancePacks: (call) => ({
      ConformancePackDetails:
        regions.has(call.region) && rules(call.account, call.region).length > 0
          ? [
              {
                ConformancePackName: packName,
                ConformancePackArn: `arn:aws:config:${call.region}:${call.account}:conformance-pack/${packName}/conformance-pack-nwexhibit`,
                ConformancePackId: 'conformance-pack-nwexhibit',
                DeliveryS3Bucket: '',
                ConformancePackInputParameters: [],
                LastUpdateRequestedTime: seconds(asOf - 90 * day),
                CreatedBy: '',
              },
            ]
          : [],
    }),
    GetConformancePackComplianceDetails: (call) => {
      if (text(call.input, 'ConformancePackName') !== packName)
        throw new AwsError('NoSuchConformancePackException', 'You specified one or more conformance packs that do not exist.');
      const filters = object(call.input['Filters']);
      const names = strings(filters['ConfigRuleNames']);
      const chosen = rules(call.account, call.region).filter(
        (rule) => packRules.has(rule.spec.identifier) && (names.length === 0 || names.includes(rule.name)),
      );
      const entries = chosen.flatMap((rule) =>
        insufficient(call, rule) ? [] : Array.from({ length: rule.count }, (_, index) => ({ rule, index })),
      );
      const wanted = text(filters, 'ComplianceType');
      const kept = wanted === '' ? entries : entries.filter(({ rule, index }) => rule.compliance(index) === wanted);
      const cut = page(call, kept.length, limitOf(call, 'Limit', 10, 100), (i) => {
        const { rule, index } = kept[i] as (typeof kept)[number];
        const result = rule.result(index);
        return {
          ComplianceType: result.compliance,
          EvaluationResultIdentifier: {
            EvaluationResultQualifier: { ConfigRuleName: rule.name, ResourceType: result.resourceType, ResourceId: result.resourceId },
            OrderingTimestamp: seconds(result.recordedAt),
          },
          ConfigRuleInvokedTime: seconds(result.recordedAt - 2000),
          ResultRecordedTime: seconds(result.recordedAt),
        };
      });
      return {
        ConformancePackName: packName,
        ConformancePackRuleEvaluationResults: [...cut.rows],
        ...(cut.token === undefined ? {} : { NextToken: cut.token }),
      };
    },
  };
}
