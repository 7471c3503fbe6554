import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import type { AwsEstate, AwsItem } from './estate/aws-model.ts';
import { hash32 } from './estate/random.ts';
import { day, hour, iso, plain, type Population } from './estate/population.ts';
import { awsIdentity } from './aws-sts.ts';
import { deployedRules, describeRule, ruleCompliance, rulesOf, type DeployedRule } from './aws-rules.ts';
import { batchItem, holds, InvalidExpression, parseSelect, project, selectRow, selectText } from './aws-select.ts';
import { type CallBook, covers, cutPage, type Fault, strikes } from './faults.ts';
import { clockSkewMilliseconds, type Handled, type HttpRequest } from './http.ts';
import type { Quotas } from './quotas.ts';

interface Context {
  readonly estate: AwsEstate;
  readonly seed: number;
  readonly asOf: number;
  readonly book: CallBook;
  readonly quotas: Quotas;
}

/** One call as the operations see it. */
interface Call {
  readonly account: string;
  readonly region: string;
  readonly input: JsonObject;
  readonly faults: readonly Fault[];
  readonly offset: number;
  /** Same request, another page: what a token is bound to. */
  readonly binding: string;
}

class AwsError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

const text = (input: JsonObject, name: string): string => (typeof input[name] === 'string' ? input[name] : '');
const strings = (value: Json | undefined): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);
const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
const seconds = (milliseconds: number): number => Math.floor(milliseconds) / 1000;

/** Opaque to clients: where to go on, bound to the request it was handed out for. */
function sealToken(offset: number, binding: string, nonce = ''): string {
  return Buffer.from(JSON.stringify({ o: offset, b: hash32(binding).toString(16), ...(nonce === '' ? {} : { n: nonce }) })).toString('base64');
}
function openToken(token: string, binding: string): number {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64').toString('utf8')) as { o: number; b: string };
    if (Number.isInteger(parsed.o) && parsed.b === hash32(binding).toString(16)) return parsed.o;
  } catch { /* not one of ours */ }
  throw new AwsError('InvalidNextTokenException', 'The specified next token is not valid. Specify the nextToken string that was returned in the previous response to get the next page of results.');
}

/** AWS Config over JSON 1.1, for the accounts and regions of the estate. */
export function awsConfigHandler(context: Context): (request: HttpRequest) => Handled {
  const { estate, seed, asOf, book, quotas } = context;
  const regions = new Set(estate.regions);
  const ruleCache = new Map<string, DeployedRule[]>();
  const rules = (account: string, region: string): DeployedRule[] => {
    const key = `${account}.${region}`;
    const held = ruleCache.get(key) ?? (regions.has(region) ? rulesOf(estate, seed, asOf, account, region) : []);
    ruleCache.set(key, held);
    return held;
  };
  const scopeOf = (population: Population<AwsItem>): string => `${population.account}.${population.region}`;
  const sourceFailed = (call: Call, account: string, region: string): boolean => covers(call.faults, 'aggregator-source-failed', { scope: `${account}.${region}` });
  /** Populations a scope's recorder holds: an unrecorded type is not there, and an aggregator has nothing of a source that failed. */
  const recorded = (call: Call, account: string | null, region: string | null, aggregated = false): Population<AwsItem>[] =>
    estate.populations.filter((population) =>
      (account === null || population.account === account) && (region === null || population.region === region)
      && !(aggregated && sourceFailed(call, population.account, population.region))
      && !covers(call.faults, 'type-not-recorded', { scope: scopeOf(population), type: population.type }));
  const capturedAt = (call: Call, item: AwsItem): number =>
    covers(call.faults, 'daily-stale', { scope: `${item.accountId}.${item.recordedIn}`, type: item.resourceType }) ? item.capturedAt - 3 * day : item.capturedAt;

  const page = <T>(call: Call, total: number, limit: number, at: (index: number) => T): { rows: readonly T[]; token: string | undefined } => {
    const cut = cutPage(total, call.offset, limit, at, call.faults, String(call.offset));
    return { rows: cut.rows, token: cut.next === null ? undefined : sealToken(cut.next, call.binding, cut.nonce) };
  };
  const limitOf = (call: Call, name: string, fallback: number, most: number): number => {
    const value = call.input[name];
    if (value === undefined || value === null || value === 0) return fallback;
    if (typeof value !== 'number' || value < 0 || value > most) throw new AwsError('InvalidLimitException', `Value '${plain(value)}' at '${name}' failed to satisfy constraint: Member must have value less than or equal to ${String(most)}`);
    return value;
  };

  const select = (call: Call, account: string | null, region: string | null): JsonObject => {
    const expression = text(call.input, 'Expression');
    if (expression.length > 4096) throw new AwsError('ValidationException', "Value at 'expression' failed to satisfy constraint: Member must have length less than or equal to 4096");
    const query = parseSelect(expression);
    const populations = recorded(call, account, region, account === null).filter((population) => query.types === null || query.types.includes(population.type));
    const limit = limitOf(call, 'Limit', account === null ? 25 : 100, 100);
    const queryInfo: Json = { SelectFields: query.fields.map((field) => ({ Name: field.kind === 'all' ? '*' : field.kind === 'count' ? 'COUNT(*)' : field.path })) };
    const row = (item: AwsItem): JsonObject => selectRow(item, capturedAt(call, item));
    let texts: readonly string[];
    let token: string | undefined;
    if (query.fields.some((field) => field.kind === 'count')) {
      const groups = countGroups(query, populations, row);
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

  const requireAggregator = (call: Call): void => {
    if (text(call.input, 'ConfigurationAggregatorName') !== aggregatorName || call.account !== estate.home.account || call.region !== estate.home.region) {
      throw new AwsError('NoSuchConfigurationAggregatorException', 'The configuration aggregator does not exist.');
    }
  };
  const sources = (): { account: string; region: string }[] => estate.accounts.flatMap((account) => estate.regions.map((region) => ({ account: account.id, region })));

  const typeCounts = (populations: readonly Population<AwsItem>[], of: (population: Population<AwsItem>) => string): [string, number][] => {
    const counts = new Map<string, number>();
    for (const population of populations) counts.set(of(population), (counts.get(of(population)) ?? 0) + population.count);
    return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  };
  const ruleByName = (call: Call, account: string, region: string): DeployedRule => {
    const name = text(call.input, 'ConfigRuleName');
    const rule = rules(account, region).find((one) => one.name === name);
    if (rule === undefined) throw new AwsError('NoSuchConfigRuleException', `The ConfigRule '${name}' provided in the request is invalid. Please check the configRule name.`);
    return rule;
  };
  const selectedRules = (call: Call): DeployedRule[] => {
    const names = strings(call.input['ConfigRuleNames']);
    const all = rules(call.account, call.region);
    const missing = names.find((name) => !all.some((rule) => rule.name === name));
    if (missing !== undefined) throw new AwsError('NoSuchConfigRuleException', `The ConfigRule '${missing}' provided in the request is invalid. Please check the configRule name.`);
    return names.length === 0 ? all : all.filter((rule) => names.includes(rule.name));
  };
  const insufficient = (call: Call, rule: DeployedRule): boolean => covers(call.faults, 'insufficient-data', { scope: `${rule.account}.${rule.region}`, type: rule.spec.identifier });
  const details = (call: Call, rule: DeployedRule, aggregate: boolean): { rows: readonly JsonObject[]; token: string | undefined } => {
    const wanted = aggregate ? [text(call.input, 'ComplianceType')].filter((one) => one !== '') : strings(call.input['ComplianceTypes']);
    const indexes: number[] = [];
    if (!insufficient(call, rule)) {
      for (let i = 0; i < rule.count; i += 1) if (wanted.length === 0 || wanted.includes(rule.result(i).compliance)) indexes.push(i);
    }
    return page(call, indexes.length, limitOf(call, 'Limit', 10, 100), (i) => {
      const result = rule.result(indexes[i] ?? 0);
      return spoil(call, {
        EvaluationResultIdentifier: { EvaluationResultQualifier: { ConfigRuleName: rule.name, ResourceType: result.resourceType, ResourceId: result.resourceId, EvaluationMode: 'DETECTIVE' }, OrderingTimestamp: seconds(result.recordedAt) },
        ComplianceType: result.compliance, ResultRecordedTime: seconds(result.recordedAt), ConfigRuleInvokedTime: seconds(result.recordedAt - 2000),
        ...(aggregate ? { AccountId: rule.account, AwsRegion: rule.region } : {}),
      });
    });
  };
  const lookUp = (call: Call, account: string, region: string, type: string, id: string, aggregated = false): AwsItem | undefined => {
    for (const population of recorded(call, account, region, aggregated)) {
      if (population.type !== type) continue;
      for (let i = 0; i < population.count; i += 1) {
        const item = population.record(i);
        if (item.resourceId === id) return item;
      }
    }
    return undefined;
  };

  const operations: Record<string, (call: Call) => JsonObject> = {
    SelectResourceConfig: (call) => select(call, call.account, call.region),
    SelectAggregateResourceConfig: (call) => { requireAggregator(call); return select(call, null, null); },
    DescribeConfigurationRecorders: (call) => ({ ConfigurationRecorders: regions.has(call.region) ? [recorder(call)] : [] }),
    DescribeConfigurationRecorderStatus: (call) => {
      const stopped = covers(call.faults, 'recorder-stopped', { scope: `${call.account}.${call.region}` });
      return {
        ConfigurationRecordersStatus: regions.has(call.region) ? [{
          arn: recorderArn(call), name: 'default', lastStartTime: seconds(asOf - 400 * day), ...(stopped ? { lastStopTime: seconds(asOf - 9 * day) } : {}),
          recording: !stopped, lastStatus: 'SUCCESS', lastStatusChangeTime: seconds(asOf - (stopped ? 9 * day : 0.2 * hour)),
        }] : [],
      };
    },
    GetDiscoveredResourceCounts: (call) => {
      const wanted = strings(call.input['resourceTypes']);
      const counts = typeCounts(recorded(call, call.account, call.region), (population) => population.type).filter(([type]) => wanted.length === 0 || wanted.includes(type));
      const cut = page(call, counts.length, limitOf(call, 'limit', 100, 100), (i) => ({ resourceType: counts[i]?.[0] ?? '', count: counts[i]?.[1] ?? 0 }));
      return { totalDiscoveredResources: counts.reduce((sum, [, count]) => sum + count, 0), resourceCounts: [...cut.rows], ...(cut.token === undefined ? {} : { nextToken: cut.token }) };
    },
    ListDiscoveredResources: (call) => {
      const type = text(call.input, 'resourceType');
      if (type === '') throw new AwsError('ValidationException', "1 validation error detected: Value null at 'resourceType' failed to satisfy constraint: Member must not be null");
      const found = locate({ typesOnly: true }, recorded(call, call.account, call.region).filter((population) => population.type === type), () => ({}));
      const cut = page(call, found.length, limitOf(call, 'limit', 100, 100), (i) => {
        const item = found.at(i);
        return { resourceType: item.resourceType, resourceId: item.resourceId, ...(item.resourceName === null ? {} : { resourceName: item.resourceName }) };
      });
      return { resourceIdentifiers: [...cut.rows], ...(cut.token === undefined ? {} : { nextToken: cut.token }) };
    },
    BatchGetResourceConfig: (call) => {
      const keys = Array.isArray(call.input['resourceKeys']) ? call.input['resourceKeys'].map(object) : [];
      if (keys.length === 0 || keys.length > 100) throw new AwsError('ValidationException', "1 validation error detected: Value at 'resourceKeys' failed to satisfy constraint: Member must have length between 1 and 100");
      const found = keys.map((key) => ({ key, item: lookUp(call, call.account, call.region, text(key, 'resourceType'), text(key, 'resourceId')) }));
      return { baseConfigurationItems: found.flatMap(({ item }) => (item === undefined ? [] : [spoil(call, batchItem(item, capturedAt(call, item)))])), unprocessedResourceKeys: [] };
    },
    BatchGetAggregateResourceConfig: (call) => {
      requireAggregator(call);
      const keys = Array.isArray(call.input['ResourceIdentifiers']) ? call.input['ResourceIdentifiers'].map(object) : [];
      if (keys.length === 0 || keys.length > 100) throw new AwsError('ValidationException', "1 validation error detected: Value at 'resourceIdentifiers' failed to satisfy constraint: Member must have length between 1 and 100");
      const found = keys.map((key) => ({ key, item: lookUp(call, text(key, 'SourceAccountId'), text(key, 'SourceRegion'), text(key, 'ResourceType'), text(key, 'ResourceId'), true) }));
      return {
        BaseConfigurationItems: found.flatMap(({ item }) => (item === undefined ? [] : [spoil(call, batchItem(item, capturedAt(call, item)))])),
        UnprocessedResourceIdentifiers: found.flatMap(({ item, key }) => (item === undefined ? [key] : [])),
      };
    },
    DescribeConfigurationAggregators: (call) => ({
      ConfigurationAggregators: call.account === estate.home.account && call.region === estate.home.region ? [{
        ConfigurationAggregatorName: aggregatorName, ConfigurationAggregatorArn: `arn:aws:config:${call.region}:${call.account}:config-aggregator/config-aggregator-nwexhibit`,
        OrganizationAggregationSource: { RoleArn: `arn:aws:iam::${call.account}:role/ConfigAggregator`, AllAwsRegions: true }, CreationTime: seconds(asOf - 500 * day), LastUpdatedTime: seconds(asOf - 30 * day),
      }] : [],
    }),
    DescribeConfigurationAggregatorSourcesStatus: (call) => {
      requireAggregator(call);
      const all = sources();
      const cut = page(call, all.length, limitOf(call, 'Limit', 100, 100), (i) => {
        const { account, region } = all[i] ?? { account: '', region: '' };
        const failed = sourceFailed(call, account, region);
        return {
          SourceId: account, SourceType: 'ACCOUNT', AwsRegion: region, LastUpdateStatus: failed ? 'FAILED' : 'SUCCEEDED', LastUpdateTime: seconds(asOf - (failed ? 6 * day : 0.5 * hour)),
          ...(failed ? { LastErrorCode: 'RESOURCE_FORBIDDEN', LastErrorMessage: 'The service-linked role cannot read the source.' } : {}),
        };
      });
      return { AggregatedSourceStatusList: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    GetAggregateDiscoveredResourceCounts: (call) => {
      requireAggregator(call);
      const filters = object(call.input['Filters']);
      const populations = recorded(call, text(filters, 'AccountId') || null, text(filters, 'Region') || null, true).filter((population) => text(filters, 'ResourceType') === '' || population.type === text(filters, 'ResourceType'));
      const by = text(call.input, 'GroupByKey');
      const groups = by === '' ? [] : typeCounts(populations, (population) => (by === 'RESOURCE_TYPE' ? population.type : by === 'ACCOUNT_ID' ? population.account : population.region));
      const cut = page(call, groups.length, limitOf(call, 'Limit', 1000, 1000), (i) => ({ GroupName: groups[i]?.[0] ?? '', ResourceCount: groups[i]?.[1] ?? 0 }));
      return { TotalDiscoveredResources: populations.reduce((sum, population) => sum + population.count, 0), ...(by === '' ? {} : { GroupByKey: by, GroupedResourceCounts: [...cut.rows] }), ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
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
          ConfigRuleName: rule.name, ConfigRuleArn: rule.arn, ConfigRuleId: rule.id, FirstActivatedTime: seconds(asOf - 300 * day), FirstEvaluationStarted: !never,
          ...(never ? {} : { LastSuccessfulInvocationTime: seconds(asOf - 2 * hour), LastSuccessfulEvaluationTime: seconds(asOf - 2 * hour) }),
        };
      });
      return { ConfigRulesEvaluationStatus: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    DescribeComplianceByConfigRule: (call) => {
      const wanted = strings(call.input['ComplianceTypes']);
      const all = selectedRules(call).map((rule) => ({ rule, compliance: insufficient(call, rule) ? { type: 'INSUFFICIENT_DATA', failing: 0 } : ruleCompliance(rule) })).filter(({ compliance }) => wanted.length === 0 || wanted.includes(compliance.type));
      const cut = page(call, all.length, 25, (i) => {
        const { rule, compliance } = all[i] as (typeof all)[number];
        return { ConfigRuleName: rule.name, Compliance: { ComplianceType: compliance.type, ...(compliance.failing > 0 ? { ComplianceContributorCount: { CappedCount: Math.min(25, compliance.failing), CapExceeded: compliance.failing > 25 } } : {}) } };
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
      return { AggregateEvaluationResults: cut.rows.map((row) => { const { EvaluationResultIdentifier, ...rest } = row; return { ...rest, EvaluationResultIdentifier: EvaluationResultIdentifier ?? {} }; }), ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
    DescribeConformancePacks: (call) => ({
      ConformancePackDetails: regions.has(call.region) && rules(call.account, call.region).length > 0 ? [{
        ConformancePackName: packName, ConformancePackArn: `arn:aws:config:${call.region}:${call.account}:conformance-pack/${packName}/conformance-pack-nwexhibit`, ConformancePackId: 'conformance-pack-nwexhibit', DeliveryS3Bucket: '', ConformancePackInputParameters: [], LastUpdateRequestedTime: seconds(asOf - 90 * day), CreatedBy: '',
      }] : [],
    }),
    GetConformancePackComplianceDetails: (call) => {
      if (text(call.input, 'ConformancePackName') !== packName) throw new AwsError('NoSuchConformancePackException', 'You specified one or more conformance packs that do not exist.');
      const filters = object(call.input['Filters']);
      const names = strings(filters['ConfigRuleNames']);
      const chosen = rules(call.account, call.region).filter((rule) => packRules.has(rule.spec.identifier) && (names.length === 0 || names.includes(rule.name)));
      const entries = chosen.flatMap((rule) => (insufficient(call, rule) ? [] : Array.from({ length: rule.count }, (_, index) => ({ rule, index }))));
      const wanted = text(filters, 'ComplianceType');
      const kept = wanted === '' ? entries : entries.filter(({ rule, index }) => rule.result(index).compliance === wanted);
      const cut = page(call, kept.length, limitOf(call, 'Limit', 10, 100), (i) => {
        const { rule, index } = kept[i] as (typeof kept)[number];
        const result = rule.result(index);
        return { ComplianceType: result.compliance, EvaluationResultIdentifier: { EvaluationResultQualifier: { ConfigRuleName: rule.name, ResourceType: result.resourceType, ResourceId: result.resourceId }, OrderingTimestamp: seconds(result.recordedAt) }, ConfigRuleInvokedTime: seconds(result.recordedAt - 2000), ResultRecordedTime: seconds(result.recordedAt) };
      });
      return { ConformancePackName: packName, ConformancePackRuleEvaluationResults: [...cut.rows], ...(cut.token === undefined ? {} : { NextToken: cut.token }) };
    },
  };

  const recorderArn = (call: Call): string => `arn:aws:config:${call.region}:${call.account}:configuration-recorder/default`;
  const recorder = (call: Call): JsonObject => {
    const scope = `${call.account}.${call.region}`;
    const excluded = call.faults.filter((fault) => fault.kind === 'type-not-recorded' && covers([fault], 'type-not-recorded', { scope })).map((fault) => fault.match?.type ?? 'AWS::S3::Bucket');
    const global = call.region === estate.home.region;
    return {
      arn: recorderArn(call), name: 'default', roleARN: `arn:aws:iam::${call.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig`,
      recordingGroup: excluded.length > 0
        ? { allSupported: false, includeGlobalResourceTypes: false, resourceTypes: [], exclusionByResourceTypes: { resourceTypes: excluded }, recordingStrategy: { useOnly: 'EXCLUSION_BY_RESOURCE_TYPES' } }
        : { allSupported: true, includeGlobalResourceTypes: global, resourceTypes: [], exclusionByResourceTypes: { resourceTypes: [] }, recordingStrategy: { useOnly: 'ALL_SUPPORTED_RESOURCE_TYPES' } },
      recordingMode: { recordingFrequency: covers(call.faults, 'daily-stale', { scope }) ? 'DAILY' : 'CONTINUOUS', recordingModeOverrides: [] },
      recordingScope: 'PAID',
    };
  };

  return (request) => {
    const target = request.headers['x-amz-target'];
    const operation = typeof target === 'string' && target.startsWith('StarlingDoveService.') ? target.slice('StarlingDoveService.'.length) : 'unknown';
    const identity = awsIdentity(request, estate);
    let input: JsonObject = {};
    try {
      input = object(request.body === '' ? {} : (JSON.parse(request.body) as Json));
    } catch { /* answered below as a SerializationException */ }
    const { NextToken, nextToken, ...rest } = input;
    const account = identity?.account ?? 'unknown';
    const region = identity?.region ?? 'unknown';
    const aggregate = 'ConfigurationAggregatorName' in input;
    const binding = JSON.stringify([operation, account, region, rest]);
    const token = typeof NextToken === 'string' ? NextToken : typeof nextToken === 'string' ? nextToken : null;
    let offset = 0;
    let refusal: AwsError | null = null;
    try {
      offset = token === null ? 0 : openToken(token, binding);
    } catch (error) {
      refusal = error as AwsError;
    }
    const { call, faults } = book.begin({ provider: 'aws', operation, scope: aggregate ? 'aggregator' : `${account}.${region}`, detail: detailOf(operation, input), offset });
    const requestId = `${hash32(call.key).toString(16).padStart(8, '0')}-${hash32(call.key, 7).toString(16).padStart(8, '0').slice(0, 4)}-4${hash32(call.key, 11).toString(16).padStart(8, '0').slice(0, 3)}-a${hash32(call.key, 13).toString(16).padStart(8, '0').slice(0, 3)}-${String(call.n).padStart(12, '0')}`;
    const reply = (status: number, body: JsonObject, headers: Record<string, string> = {}): Handled => ({
      reply: { status, headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId, ...headers }, body: JSON.stringify(body) }, faults,
    });
    const error = (type: string, message: string, status = 400, headers: Record<string, string> = {}): Handled => reply(status, { __type: type, message }, headers);
    if (identity === null) return error('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
    if (identity.account === null) return error('UnrecognizedClientException', 'The security token included in the request is invalid.');
    if (strikes(faults, 'clock-skew')) {
      const signed = Date.parse((request.headers['x-amz-date'] as string | undefined ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
      if (Math.abs(Date.now() + clockSkewMilliseconds - signed) > 300_000) return error('InvalidSignatureException', `Signature expired: the request was signed at ${iso(signed)}, outside the window of five minutes.`);
    }
    if (strikes(faults, 'access-denied')) return error('AccessDeniedException', `User: ${identity.arn} is not authorized to perform: config:${operation} because no identity-based policy allows the config:${operation} action`);
    if (strikes(faults, 'expired-credentials')) return error('ExpiredTokenException', 'The security token included in the request is expired');
    if (strikes(faults, 'throttle')) return error('ThrottlingException', 'Rate exceeded', 400, { 'retry-after': '1' });
    if (strikes(faults, 'throttle-without-hint')) return error('ThrottlingException', 'Rate exceeded');
    if (strikes(faults, 'http-500')) return error('InternalFailure', 'The request processing has failed because of an unknown error, exception or failure.', 500);
    if (strikes(faults, 'http-503')) return error('ServiceUnavailable', 'The request has failed due to a temporary failure of the server.', 503);
    if (!quotas.take('aws-config', `${account}.${region}`).allowed) return error('ThrottlingException', 'Rate exceeded');
    if (refusal !== null) return error(refusal.type, refusal.message);
    const carryOut = operations[operation];
    if (carryOut === undefined) return error('UnknownOperationException', `The simulator does not know ${operation}`);
    try {
      const body = carryOut({ account: identity.account, region: identity.region, input, faults, offset, binding });
      return reply(200, strikes(faults, 'unknown-enum-and-fields') ? { ...body, ProviderAnnouncement: { Level: 'FUTURE', Text: 'A field that no client knows.' } } : body);
    } catch (caught) {
      if (caught instanceof InvalidExpression) return error('InvalidExpressionException', caught.message);
      if (caught instanceof AwsError) return error(caught.type, caught.message, caught.status);
      throw caught;
    }
  };
}

export const aggregatorName = 'northwind-organisation';
const packName = 'northwind-encryption';
const packRules = new Set(deployedRules.slice(0, 5).map((rule) => rule.identifier));

function detailOf(operation: string, input: JsonObject): string {
  if (operation === 'SelectResourceConfig' || operation === 'SelectAggregateResourceConfig') {
    const expression = text(input, 'Expression');
    const types = [...expression.matchAll(/'(AWS::[A-Za-z0-9:]+)'/g)].map((match) => match[1] ?? '');
    const counting = /COUNT\s*\(/i.test(expression) ? 'count ' : '';
    return `${counting}${types.length === 0 ? '*' : types.length > 3 ? `${types[0] ?? ''}+${String(types.length - 1)}` : types.join(',')}`;
  }
  return text(input, 'ConfigRuleName') || text(input, 'ConformancePackName') || text(input, 'resourceType') || text(object(input['Filters']), 'ResourceType') || text(input, 'GroupByKey') || '-';
}

/** Under `unknown-enum-and-fields`: every record says something no client has heard of. */
function spoil(call: Call, row: JsonObject): JsonObject {
  if (!strikes(call.faults, 'unknown-enum-and-fields')) return row;
  const configuration: Json | undefined = isJsonObject(row['configuration']) ? { ...row['configuration'], providerExtension: { mode: 'FUTURE_MODE', since: 2031 } } : row['configuration'];
  const out: JsonObject = { ...row, providerExtension: { mode: 'FUTURE_MODE' } };
  if (configuration !== undefined) out['configuration'] = configuration;
  if (isJsonObject(configuration)) for (const name of ['keyState', 'state', 'status', 'dBInstanceStatus', 'tableStatus', 'clusterStatus']) if (typeof configuration[name] === 'string') configuration[name] = 'FUTURE_VALUE';
  if (typeof row['ComplianceType'] === 'string') out['ComplianceType'] = 'FUTURE_VALUE';
  return out;
}

interface Located {
  readonly length: number;
  at(index: number): AwsItem;
}

/** The items of a query by position: counted without making them where only types are asked for. */
function locate(query: Pick<ReturnType<typeof parseSelect>, 'typesOnly'> & Partial<Pick<ReturnType<typeof parseSelect>, 'where'>>, populations: readonly Population<AwsItem>[], row: (item: AwsItem) => JsonObject): Located {
  const where = query.where ?? null;
  if (query.typesOnly || where === null) {
    const length = populations.reduce((sum, population) => sum + population.count, 0);
    return {
      length,
      at: (index) => {
        let left = index;
        for (const population of populations) {
          if (left < population.count) return population.record(left);
          left -= population.count;
        }
        throw new Error(`no item at ${String(index)} of ${String(length)}`);
      },
    };
  }
  const found: AwsItem[] = [];
  for (const population of populations) {
    for (let i = 0; i < population.count; i += 1) {
      const item = population.record(i);
      if (holds(where, row(item))) found.push(item);
    }
  }
  return { length: found.length, at: (index) => found[index] as AwsItem };
}

function countGroups(query: ReturnType<typeof parseSelect>, populations: readonly Population<AwsItem>[], row: (item: AwsItem) => JsonObject): JsonObject[] {
  const scopeFields = new Set(['resourceType', 'accountId']);
  const cheap = query.typesOnly && query.groupBy.every((path) => scopeFields.has(path));
  const counts = new Map<string, { group: JsonObject; count: number }>();
  const add = (group: JsonObject, count: number): void => {
    const key = JSON.stringify(group);
    const held = counts.get(key) ?? { group, count: 0 };
    held.count += count;
    counts.set(key, held);
  };
  for (const population of populations) {
    if (cheap) {
      add(Object.fromEntries(query.groupBy.map((path) => [path, path === 'resourceType' ? population.type : population.account])), population.count);
      continue;
    }
    for (let i = 0; i < population.count; i += 1) {
      const shown = row(population.record(i));
      if (query.where !== null && !holds(query.where, shown)) continue;
      add(Object.fromEntries(query.groupBy.map((path) => [path, path.split('.').reduce<Json>((value, part) => (isJsonObject(value) ? (value[part] ?? null) : null), shown)])), 1);
    }
  }
  const groups = [...counts.values()].sort((a, b) => b.count - a.count || (JSON.stringify(a.group) < JSON.stringify(b.group) ? -1 : 1));
  if (query.groupBy.length === 0) return [{ 'COUNT(*)': groups.reduce((sum, { count }) => sum + count, 0) }];
  return groups.map(({ group, count }) => ({ 'COUNT(*)': count, ...group }));
}
