import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { countGroups, locate } from './aws-locate.ts';
import { deployedRules, type DeployedRule, describeRule, ruleCompliance, rulesOf } from './aws-rules.ts';
import { batchItem, parseSelect, project, selectRow, selectText, type SelectQuery } from './aws-select.ts';
import type { AwsEstate, AwsItem } from './estate/aws-model.ts';
import { day, hour, plain, type Population } from './estate/population.ts';
import { hash32 } from './estate/random.ts';
import { covers, cutPage, type Fault, strikes } from './faults.ts';

/** One call as the operations see it. */
export interface AwsCall {
  readonly account: string;
  readonly region: string;
  readonly input: JsonObject;
  readonly faults: readonly Fault[];
  readonly offset: number;
  /** Same request, another page: what a token is bound to. */
  readonly binding: string;
}

export class AwsError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export const text = (input: JsonObject, name: string): string => (typeof input[name] === 'string' ? input[name] : '');
const strings = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
export const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const seconds = (milliseconds: number): number => Math.floor(milliseconds) / 1000;

/** Opaque to clients: where to go on, bound to the request it was handed out for. */
function sealToken(offset: number, binding: string, nonce = ''): string {
  return Buffer.from(JSON.stringify({ o: offset, b: hash32(binding).toString(16), ...(nonce === '' ? {} : { n: nonce }) })).toString(
    'base64',
  );
}
export function openToken(token: string, binding: string): number {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64').toString('utf8')) as { o: number; b: string };
    if (Number.isInteger(parsed.o) && parsed.b === hash32(binding).toString(16)) return parsed.o;
  } catch {
    /* not one of ours */
  }
  throw new AwsError(
    'InvalidNextTokenException',
    'The specified next token is not valid. Specify the nextToken string that was returned in the previous response to get the next page of results.',
  );
}

/** The one aggregator of the organisation. */
export const aggregatorName = 'northwind-organisation';
const packName = 'northwind-encryption';
const packRules = new Set(deployedRules.slice(0, 5).map((rule) => rule.identifier));

/** The type under which Config keeps what its rules came to, one item for each resource. */
const complianceType = 'AWS::Config::ResourceCompliance';

/** What AWS Config answers, by operation; throws AwsError and InvalidExpression for what it refuses. */
export function awsOperations({
  estate,
  seed,
  asOf,
}: {
  estate: AwsEstate;
  seed: number;
  asOf: number;
}): Readonly<Record<string, (call: AwsCall) => JsonObject>> {
  const regions = new Set(estate.regions);
  const ruleCache = new Map<string, DeployedRule[]>();
  const rules = (account: string, region: string): DeployedRule[] => {
    const key = `${account}.${region}`;
    const held = ruleCache.get(key) ?? (regions.has(region) ? rulesOf(estate, seed, asOf, account, region) : []);
    ruleCache.set(key, held);
    return held;
  };
  const scopeOf = (population: Population<AwsItem>): string => `${population.account}.${population.region}`;
  const sourceFailed = (call: AwsCall, account: string, region: string): boolean =>
    covers(call.faults, 'aggregator-source-failed', { scope: `${account}.${region}` });
  /** Populations a scope's recorder holds: an unrecorded type is not there, and an aggregator has nothing of a source that failed. */
  const recorded = (call: AwsCall, account: string | null, region: string | null, aggregated = false): Population<AwsItem>[] =>
    estate.populations.filter(
      (population) =>
        (account === null || population.account === account) &&
        (region === null || population.region === region) &&
        !(aggregated && sourceFailed(call, population.account, population.region)) &&
        !covers(call.faults, 'type-not-recorded', { scope: scopeOf(population), type: population.type }),
    );
  const capturedAt = (call: AwsCall, item: AwsItem): number =>
    covers(call.faults, 'daily-stale', { scope: `${item.accountId}.${item.recordedIn}`, type: item.resourceType })
      ? item.capturedAt - 3 * day
      : item.capturedAt;

  const page = <T>(
    call: AwsCall,
    total: number,
    limit: number,
    at: (index: number) => T,
  ): { rows: readonly T[]; token: string | undefined } => {
    const cut = cutPage(total, call.offset, limit, at, call.faults, String(call.offset));
    return { rows: cut.rows, token: cut.next === null ? undefined : sealToken(cut.next, call.binding, cut.nonce) };
  };
  const limitOf = (call: AwsCall, name: string, fallback: number, most: number): number => {
    const value = call.input[name];
    if (value === undefined || value === null || value === 0) return fallback;
    if (typeof value !== 'number' || value < 0 || value > most)
      throw new AwsError(
        'InvalidLimitException',
        `Value '${plain(value)}' at '${name}' failed to satisfy constraint: Member must have value less than or equal to ${String(most)}`,
      );
    return value;
  };

  const select = (call: AwsCall, account: string | null, region: string | null): JsonObject => {
    const expression = text(call.input, 'Expression');
    if (expression.length > 4096)
      throw new AwsError(
        'ValidationException',
        "Value at 'expression' failed to satisfy constraint: Member must have length less than or equal to 4096",
      );
    const query = parseSelect(expression);
    const populations = recorded(call, account, region, account === null).filter(
      (population) => query.types === null || query.types.includes(population.type),
    );
    const limit = limitOf(call, 'Limit', account === null ? 25 : 100, 100);
    const queryInfo: Json = {
      SelectFields: query.fields.map((field) => ({ Name: field.kind === 'all' ? '*' : field.kind === 'count' ? 'COUNT(*)' : field.path })),
    };
    const row = (item: AwsItem): JsonObject => selectRow(item, capturedAt(call, item));
    let texts: readonly string[];
    let token: string | undefined;
    if (query.fields.some((field) => field.kind === 'count')) {
      const judged = query.types?.length === 1 && query.types[0] === complianceType ? judgedBy(call, query, account, region) : null;
      const groups = judged === null ? countGroups(query, populations, row) : [{ 'COUNT(*)': judged }];
      const cut = page(call, groups.length, limit, (i) => JSON.stringify(groups[i]));
      texts = cut.rows;
      token = cut.token;
    } else {
      const found = locate(query, populations, row);
      const cut = page(call, found.length, limit, (i) => selectText(spoil(call, project(query, row(found.at(i))))));
      texts = cut.rows;
      token = cut.token;
    }
    return { QueryInfo: queryInfo, Results: [...texts], ...(token === undefined ? {} : { NextToken: token }) };
  };

  /** How many resources the rule named in the query has judged: Config keeps one compliance item for each. */
  const judgedBy = (call: AwsCall, query: SelectQuery, account: string | null, region: string | null): number => {
    const parts = query.where === null ? [] : query.where.op === 'and' ? query.where.of : [query.where];
    const name = parts
      .map((part) => (part.op === '=' && part.path === 'configuration.configRuleList.configRuleName' ? part.value : null))
      .find((one) => one !== null);
    return sources()
      .filter((source) => (account === null || source.account === account) && (region === null || source.region === region))
      .flatMap((source) => rules(source.account, source.region))
      .filter((rule) => rule.name === name && !insufficient(call, rule))
      .reduce((sum, rule) => sum + rule.count, 0);
  };

  const requireAggregator = (call: AwsCall): void => {
    if (
      text(call.input, 'ConfigurationAggregatorName') !== aggregatorName ||
      call.account !== estate.home.account ||
      call.region !== estate.home.region
    ) {
      throw new AwsError('NoSuchConfigurationAggregatorException', 'The configuration aggregator does not exist.');
    }
  };
  const sources = (): { account: string; region: string }[] =>
    estate.accounts.flatMap((account) => estate.regions.map((region) => ({ account: account.id, region })));

  const typeCounts = (populations: readonly Population<AwsItem>[], of: (population: Population<AwsItem>) => string): [string, number][] => {
    const counts = new Map<string, number>();
    for (const population of populations) counts.set(of(population), (counts.get(of(population)) ?? 0) + population.count);
    return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  };
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
  const insufficient = (call: AwsCall, rule: DeployedRule): boolean =>
    covers(call.faults, 'insufficient-data', { scope: `${rule.account}.${rule.region}`, type: rule.spec.identifier });
  const details = (call: AwsCall, rule: DeployedRule, aggregate: boolean): { rows: readonly JsonObject[]; token: string | undefined } => {
    const wanted = aggregate ? [text(call.input, 'ComplianceType')].filter((one) => one !== '') : strings(call.input['ComplianceTypes']);
    const indexes: number[] = [];
    if (!insufficient(call, rule)) {
      for (let i = 0; i < rule.count; i += 1) if (wanted.length === 0 || wanted.includes(rule.result(i).compliance)) indexes.push(i);
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
  const lookUp = (call: AwsCall, account: string, region: string, type: string, id: string, aggregated = false): AwsItem | undefined => {
    for (const population of recorded(call, account, region, aggregated)) {
      if (population.type !== type) continue;
      for (let i = 0; i < population.count; i += 1) {
        const item = population.record(i);
        if (item.resourceId === id) return item;
      }
    }
    return undefined;
  };

  const operations: Record<string, (call: AwsCall) => JsonObject> = {
    SelectResourceConfig: (call) => select(call, call.account, call.region),
    SelectAggregateResourceConfig: (call) => {
      requireAggregator(call);
      return select(call, null, null);
    },
    DescribeConfigurationRecorders: (call) => ({ ConfigurationRecorders: regions.has(call.region) ? [recorder(call)] : [] }),
    DescribeConfigurationRecorderStatus: (call) => {
      const stopped = covers(call.faults, 'recorder-stopped', { scope: `${call.account}.${call.region}` });
      return {
        ConfigurationRecordersStatus: regions.has(call.region)
          ? [
              {
                arn: recorderArn(call),
                name: 'default',
                lastStartTime: seconds(asOf - 400 * day),
                ...(stopped ? { lastStopTime: seconds(asOf - 9 * day) } : {}),
                recording: !stopped,
                lastStatus: 'SUCCESS',
                lastStatusChangeTime: seconds(asOf - (stopped ? 9 * day : 0.2 * hour)),
              },
            ]
          : [],
      };
    },
    GetDiscoveredResourceCounts: (call) => {
      const wanted = strings(call.input['resourceTypes']);
      const counts = typeCounts(recorded(call, call.account, call.region), (population) => population.type).filter(
        ([type]) => wanted.length === 0 || wanted.includes(type),
      );
      const cut = page(call, counts.length, limitOf(call, 'limit', 100, 100), (i) => ({
        resourceType: counts[i]?.[0] ?? '',
        count: counts[i]?.[1] ?? 0,
      }));
      return {
        totalDiscoveredResources: counts.reduce((sum, [, count]) => sum + count, 0),
        resourceCounts: [...cut.rows],
        ...(cut.token === undefined ? {} : { nextToken: cut.token }),
      };
    },
    ListDiscoveredResources: (call) => {
      const type = text(call.input, 'resourceType');
      if (type === '')
        throw new AwsError(
          'ValidationException',
          "1 validation error detected: Value null at 'resourceType' failed to satisfy constraint: Member must not be null",
        );
      const found = locate(
        { typesOnly: true },
        recorded(call, call.account, call.region).filter((population) => population.type === type),
        () => ({}),
      );
      const cut = page(call, found.length, limitOf(call, 'limit', 100, 100), (i) => {
        const item = found.at(i);
        return {
          resourceType: item.resourceType,
          resourceId: item.resourceId,
          ...(item.resourceName === null ? {} : { resourceName: item.resourceName }),
        };
      });
      return { resourceIdentifiers: [...cut.rows], ...(cut.token === undefined ? {} : { nextToken: cut.token }) };
    },
    BatchGetResourceConfig: (call) => {
      const keys = Array.isArray(call.input['resourceKeys']) ? call.input['resourceKeys'].map(object) : [];
      if (keys.length === 0 || keys.length > 100)
        throw new AwsError(
          'ValidationException',
          "1 validation error detected: Value at 'resourceKeys' failed to satisfy constraint: Member must have length between 1 and 100",
        );
      const found = keys.map((key) => ({
        key,
        item: lookUp(call, call.account, call.region, text(key, 'resourceType'), text(key, 'resourceId')),
      }));
      return {
        baseConfigurationItems: found.flatMap(({ item }) =>
          item === undefined ? [] : [spoil(call, batchItem(item, capturedAt(call, item)))],
        ),
        unprocessedResourceKeys: [],
      };
    },
    BatchGetAggregateResourceConfig: (call) => {
      requireAggregator(call);
      const keys = Array.isArray(call.input['ResourceIdentifiers']) ? call.input['ResourceIdentifiers'].map(object) : [];
      if (keys.length === 0 || keys.length > 100)
        throw new AwsError(
          'ValidationException',
          "1 validation error detected: Value at 'resourceIdentifiers' failed to satisfy constraint: Member must have length between 1 and 100",
        );
      const found = keys.map((key) => ({
        key,
        item: lookUp(
          call,
          text(key, 'SourceAccountId'),
          text(key, 'SourceRegion'),
          text(key, 'ResourceType'),
          text(key, 'ResourceId'),
          true,
        ),
      }));
      return {
        BaseConfigurationItems: found.flatMap(({ item }) =>
          item === undefined ? [] : [spoil(call, batchItem(item, capturedAt(call, item)))],
        ),
        UnprocessedResourceIdentifiers: found.flatMap(({ item, key }) => (item === undefined ? [key] : [])),
      };
    },
    DescribeConfigurationAggregators: (call) => ({
      ConfigurationAggregators:
        call.account === estate.home.account && call.region === estate.home.region
          ? [
              {
                ConfigurationAggregatorName: aggregatorName,
                ConfigurationAggregatorArn: `arn:aws:config:${call.region}:${call.account}:config-aggregator/config-aggregator-nwexhibit`,
                OrganizationAggregationSource: { RoleArn: `arn:aws:iam::${call.account}:role/ConfigAggregator`, AllAwsRegions: true },
                CreationTime: seconds(asOf - 500 * day),
                LastUpdatedTime: seconds(asOf - 30 * day),
              },
            ]
          : [],
    }),
    DescribeConfigurationAggregatorSourcesStatus: (call) => {
      requireAggregator(call);
      const all = sources();
      const cut = page(call, all.length, limitOf(call, 'Limit', 100, 100), (i) => {
        const { account, region } = all[i] ?? { account: '', region: '' };
        const failed = sourceFailed(call, account, region);
        return {
          SourceId: account,
          SourceType: 'ACCOUNT',
          AwsRegion: region,
          LastUpdateStatus: failed ? 'FAILED' : 'SUCCEEDED',
          LastUpdateTime: seconds(asOf - (failed ? 6 * day : 0.5 * hour)),
          ...(failed ? { LastErrorCode: 'RESOURCE_FORBIDDEN', LastErrorMessage: 'The service-linked role cannot read the source.' } : {}),
        };
      });
      return { AggregatedSourceStatusList: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    GetAggregateDiscoveredResourceCounts: (call) => {
      requireAggregator(call);
      const filters = object(call.input['Filters']);
      const populations = recorded(call, text(filters, 'AccountId') || null, text(filters, 'Region') || null, true).filter(
        (population) => text(filters, 'ResourceType') === '' || population.type === text(filters, 'ResourceType'),
      );
      const by = text(call.input, 'GroupByKey');
      const groups =
        by === ''
          ? []
          : typeCounts(populations, (population) =>
              by === 'RESOURCE_TYPE' ? population.type : by === 'ACCOUNT_ID' ? population.account : population.region,
            );
      const cut = page(call, groups.length, limitOf(call, 'Limit', 1000, 1000), (i) => ({
        GroupName: groups[i]?.[0] ?? '',
        ResourceCount: groups[i]?.[1] ?? 0,
      }));
      return {
        TotalDiscoveredResources: populations.reduce((sum, population) => sum + population.count, 0),
        ...(by === '' ? {} : { GroupByKey: by, GroupedResourceCounts: [...cut.rows] }),
        ...(cut.token === undefined ? {} : { NextToken: cut.token }),
      };
    },
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
      const kept = wanted === '' ? entries : entries.filter(({ rule, index }) => rule.result(index).compliance === wanted);
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

  const recorderArn = (call: AwsCall): string => `arn:aws:config:${call.region}:${call.account}:configuration-recorder/default`;
  const recorder = (call: AwsCall): JsonObject => {
    const scope = `${call.account}.${call.region}`;
    const excluded = call.faults
      .filter((fault) => fault.kind === 'type-not-recorded' && covers([fault], 'type-not-recorded', { scope }))
      .map((fault) => fault.match?.type ?? 'AWS::S3::Bucket');
    const global = call.region === estate.home.region;
    return {
      arn: recorderArn(call),
      name: 'default',
      roleARN: `arn:aws:iam::${call.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`,
      recordingGroup:
        excluded.length > 0
          ? {
              allSupported: false,
              includeGlobalResourceTypes: false,
              resourceTypes: [],
              exclusionByResourceTypes: { resourceTypes: excluded },
              recordingStrategy: { useOnly: 'EXCLUSION_BY_RESOURCE_TYPES' },
            }
          : {
              allSupported: true,
              includeGlobalResourceTypes: global,
              resourceTypes: [],
              exclusionByResourceTypes: { resourceTypes: [] },
              recordingStrategy: { useOnly: 'ALL_SUPPORTED_RESOURCE_TYPES' },
            },
      recordingMode: {
        recordingFrequency: covers(call.faults, 'daily-stale', { scope }) ? 'DAILY' : 'CONTINUOUS',
        recordingModeOverrides: [],
      },
      recordingScope: 'PAID',
    };
  };

  return operations;
}

/** Under `unknown-enum-and-fields`: every record says something no client has heard of. */
function spoil(call: AwsCall, row: JsonObject): JsonObject {
  if (!strikes(call.faults, 'unknown-enum-and-fields')) return row;
  const configuration: Json | undefined = isJsonObject(row['configuration'])
    ? { ...row['configuration'], providerExtension: { mode: 'FUTURE_MODE', since: 2031 } }
    : row['configuration'];
  const out: JsonObject = { ...row, providerExtension: { mode: 'FUTURE_MODE' } };
  if (configuration !== undefined) out['configuration'] = configuration;
  if (isJsonObject(configuration))
    for (const name of ['keyState', 'state', 'status', 'dBInstanceStatus', 'tableStatus', 'clusterStatus'])
      if (typeof configuration[name] === 'string') configuration[name] = 'FUTURE_VALUE';
  if (typeof row['ComplianceType'] === 'string') out['ComplianceType'] = 'FUTURE_VALUE';
  return out;
}
