import type { AwsScopeConfig } from '../../config/schema.ts';
import { isJsonObject, type JsonObject } from '../../model/index.ts';
import type { CollectContext, DoctorFinding } from '../collector.ts';
import type { Connection } from './client.ts';
import { text } from './document.ts';
import type { Operation } from './outcome.ts';
import { configQuota, directoryOf, directScopes, isGlobal, pageSize, roleArn, selectExpression } from './queries.ts';
import { recorded, recorderOf } from './recorders.ts';

type DoctorContext = Omit<CollectContext, 'writer'>;

interface Probe {
  readonly operation: Operation;
  readonly input: JsonObject;
}

function tell(scope: string, check: string, ok: boolean, detail: string, remedy?: string): DoctorFinding {
  return { collector: 'aws-config', scope, check, ok, detail, ...(remedy === undefined ? {} : { remedy }) };
}

function remedyFor(code: string, operation: string, arn: string | null): string | undefined {
  switch (code) {
    case 'access-denied':
      return `allow \`config:${operation}\` on "*" for ${arn ?? 'the caller'} (docs/permissions/aws-policy.json holds all that is needed)`;
    case 'expired-credentials':
      return 'renew the credentials (`aws sso login`, or a new session of the role)';
    case 'no-credentials':
      return 'set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run where an instance or workload role is at hand';
    case 'role-not-assumed':
      return 'see what answers at `endpoints.aws.sts`: it is not AWS STS (a proxy, perhaps)';
    case 'clock-skew':
      return 'set the clock of this machine (`timedatectl set-ntp true`)';
    case 'connection':
    case 'timeout':
      return 'check network, proxy and `endpoints.aws`';
    default:
      return undefined;
  }
}

async function connectionFor(
  context: DoctorContext,
  scope: AwsScopeConfig,
  account: string,
  region: string,
  role: string | undefined,
): Promise<Connection> {
  const { connect, credentialProvider } = await import('./client.ts');
  const stsEndpoint = context.endpoints.aws?.sts;
  const credentials = credentialProvider({
    region,
    profile: scope.profile,
    roleArn: roleArn(role, account, region),
    externalId: scope.externalId,
    stsEndpoint,
    patience: context.patience,
  });
  return connect({
    region,
    configEndpoint: context.endpoints.aws?.config,
    stsEndpoint,
    credentials,
    pacer: context.pacers.of(`aws-config/${account}/${region}`, configQuota),
    patience: context.patience,
  });
}

/** Who asks, and whether that is somebody of the account. Null arn where nothing further is worth trying. */
async function identity(
  context: DoctorContext,
  connection: Connection,
  name: string,
  account: string,
  region: string,
  role: string | undefined,
): Promise<{ findings: DoctorFinding[]; arn: string | null }> {
  const caller = await connection.identity(context.signal);
  if (!caller.ok) {
    const arn = roleArn(role, account, region);
    const remedy =
      caller.failure.code === 'access-denied' && arn !== undefined
        ? `create the role ${arn} with docs/permissions/aws-policy.json, let it trust this identity, and allow this identity \`sts:AssumeRole\` on it`
        : remedyFor(caller.failure.code, 'GetCallerIdentity', null);
    return { findings: [tell(name, 'identity', false, caller.failure.message, remedy)], arn: null };
  }
  if (caller.account !== account) {
    return {
      findings: [
        tell(
          name,
          'identity',
          false,
          `${caller.arn} belongs to account ${caller.account}, not ${account}`,
          `set \`role\` to a role of account ${account} that this identity may assume`,
        ),
      ],
      arn: null,
    };
  }
  return { findings: [tell(name, 'identity', true, caller.arn)], arn: caller.arn };
}

async function probe(
  context: DoctorContext,
  connection: Connection,
  name: string,
  arn: string,
  one: Probe,
): Promise<{ finding: DoctorFinding; body: JsonObject | null }> {
  const outcome = await connection.call(one.operation, one.input, context.signal);
  if (outcome.ok) return { finding: tell(name, `config:${one.operation}`, true, 'allowed'), body: outcome.response.body };
  const { code, message } = outcome.failure;
  // What was named to try the permission need not exist: being told so is permission enough.
  if (code === 'not-found') return { finding: tell(name, `config:${one.operation}`, true, 'allowed'), body: null };
  return { finding: tell(name, `config:${one.operation}`, false, message, remedyFor(code, one.operation, arn)), body: null };
}

function clock(connection: Connection, name: string): DoctorFinding[] {
  const offset = connection.clockOffset();
  if (offset === null) return [];
  const seconds = Math.round(offset / 1000);
  const ok = Math.abs(seconds) <= 60;
  return [
    tell(
      name,
      'clock',
      ok,
      `${Math.abs(seconds)} s ${seconds >= 0 ? 'ahead of' : 'behind'} the provider`,
      ok ? undefined : 'set the clock of this machine (`timedatectl set-ntp true`)',
    ),
  ];
}

function objects(body: JsonObject | null, list: string): JsonObject[] {
  const items = body?.[list];
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}

/** Recorder: present, running, last recording a success, and every needed type in its group. */
function recorderFindings(
  context: DoctorContext,
  name: string,
  region: string,
  descriptions: JsonObject[],
  statuses: JsonObject[],
): DoctorFinding[] {
  const recorders = descriptions.map((item) =>
    recorderOf(
      item,
      statuses.find((status) => text(status['name']) === text(item['name'])),
    ),
  );
  const types = context.needs.types.aws.filter((type) => !isGlobal(type));
  const states = types.map((type) => ({ type, ...recorded({ recorders, unread: [] }, type, region) }));
  const bad = states.filter((state) => state.status !== 'complete');
  if (recorders.length === 0)
    return [
      tell(
        name,
        'recorder',
        false,
        `no configuration recorder in ${region}`,
        `turn AWS Config on in ${region} and record all resource types`,
      ),
    ];
  if (bad.length === 0)
    return [
      tell(
        name,
        'recorder',
        true,
        `${recorders.map((one) => one.name).join(', ')} records all ${types.length} needed types${recorders.some((one) => one.frequency !== 'CONTINUOUS') ? ' (DAILY: items up to 24 hours old)' : ''}`,
      ),
    ];
  const byReason = Map.groupBy(bad, (state) => state.reasons[0]?.code ?? state.status);
  return [...byReason].map(([code, of]) => {
    const message = of[0]?.reasons[0]?.message ?? code;
    const list = of.map((state) => state.type);
    const remedy =
      code === 'type-not-recorded'
        ? `add to the recording group of ${region}: ${list.join(', ')}`
        : code === 'recorder-stopped'
          ? `aws configservice start-configuration-recorder --configuration-recorder-name ${recorders[0]?.name ?? 'default'} --region ${region}`
          : `see the status of the recorder: aws configservice describe-configuration-recorder-status --region ${region}`;
    return tell(
      name,
      'recorder',
      false,
      code === 'type-not-recorded' ? `${list.length} of ${types.length} needed types are not recorded` : message,
      remedy,
    );
  });
}

async function checkRegion(context: DoctorContext, scope: AwsScopeConfig, account: string, region: string): Promise<DoctorFinding[]> {
  const name = directoryOf(account, region);
  const connection = await connectionFor(context, scope, account, region, scope.role);
  try {
    const { findings, arn } = await identity(context, connection, name, account, region, scope.role);
    if (arn === null) return findings;
    const call = (operation: Operation, input: JsonObject = {}): ReturnType<typeof probe> =>
      probe(context, connection, name, arn, { operation, input });
    const type = context.needs.types.aws[0] ?? 'AWS::S3::Bucket';
    const results = [
      await call('SelectResourceConfig', { Expression: selectExpression(type), Limit: 1 }),
      await call('GetDiscoveredResourceCounts', { limit: pageSize }),
    ];
    const descriptions = await call('DescribeConfigurationRecorders');
    const statuses = await call('DescribeConfigurationRecorderStatus');
    results.push(descriptions, statuses);
    if (context.needs.awsConfigRules.length > 0) {
      const rules = await call('DescribeConfigRules');
      results.push(rules, await call('DescribeConfigRuleEvaluationStatus'), await call('DescribeComplianceByConfigRule'));
      const rule =
        objects(rules.body, 'ConfigRules')
          .map((one) => text(one['ConfigRuleName']))
          .find((one) => one !== null) ?? 'exhibit-permission-check';
      results.push(await call('GetComplianceDetailsByConfigRule', { ConfigRuleName: rule, Limit: 1 }));
      results.push(
        await call('DescribeConformancePacks'),
        await call('GetConformancePackComplianceDetails', { ConformancePackName: 'exhibit-permission-check', Limit: 1 }),
      );
    }
    findings.push(...results.map((result) => result.finding));
    if (descriptions.body !== null && statuses.body !== null) {
      findings.push(
        ...recorderFindings(
          context,
          name,
          region,
          objects(descriptions.body, 'ConfigurationRecorders'),
          objects(statuses.body, 'ConfigurationRecordersStatus'),
        ),
      );
    }
    return [...findings, ...clock(connection, name)];
  } finally {
    connection.close();
  }
}

async function checkAggregator(
  context: DoctorContext,
  scope: AwsScopeConfig,
  aggregator: NonNullable<AwsScopeConfig['aggregator']>,
): Promise<DoctorFinding[]> {
  const { account, region } = aggregator;
  const name = `aggregator.${account}.${region}.${aggregator.name}`;
  const role = aggregator.role ?? scope.role;
  const connection = await connectionFor(context, scope, account, region, role);
  try {
    const { findings, arn } = await identity(context, connection, name, account, region, role);
    if (arn === null) return findings;
    const named = { ConfigurationAggregatorName: aggregator.name };
    const call = (operation: Operation, input: JsonObject): ReturnType<typeof probe> =>
      probe(context, connection, name, arn, { operation, input });
    const described = await call('DescribeConfigurationAggregators', { ConfigurationAggregatorNames: [aggregator.name] });
    const sources = await call('DescribeConfigurationAggregatorSourcesStatus', { ...named, Limit: pageSize });
    const type = context.needs.types.aws[0] ?? 'AWS::S3::Bucket';
    const select = await call('SelectAggregateResourceConfig', { ...named, Expression: selectExpression(type), Limit: 1 });
    const counts = await call('GetAggregateDiscoveredResourceCounts', { ...named, GroupByKey: 'RESOURCE_TYPE', Limit: 1 });
    findings.push(described.finding, sources.finding, select.finding, counts.finding);
    if (described.finding.ok && objects(described.body, 'ConfigurationAggregators').length === 0) {
      findings.push(
        tell(
          name,
          'aggregator',
          false,
          `no aggregator ${aggregator.name} in ${account} ${region}`,
          'correct `aggregator` in exhibit.yaml: name, account and region must be those of the aggregator itself',
        ),
      );
    }
    const listed = objects(sources.body, 'AggregatedSourceStatusList');
    const failing = listed.filter((item) => item['LastUpdateStatus'] !== 'SUCCEEDED');
    if (listed.length > 0) {
      findings.push(
        failing.length === 0
          ? tell(name, 'aggregator sources', true, `${listed.length} sources, all updated`)
          : tell(
              name,
              'aggregator sources',
              false,
              `${failing.length} of ${listed.length} sources not updated: ${failing
                .slice(0, 5)
                .map((item) =>
                  `${text(item['SourceId']) ?? '?'} ${text(item['AwsRegion']) ?? ''} ${text(item['LastErrorCode']) ?? ''}`.trim(),
                )
                .join('; ')}`,
              'authorise the aggregator in these accounts (aws configservice put-aggregation-authorization), and turn AWS Config on there',
            ),
      );
    }
    return [...findings, ...clock(connection, name)];
  } finally {
    connection.close();
  }
}

/** Tries, for every configured account and region, who asks, each permission, the recorder's state and the clock. Reads only. */
export async function doctor(context: DoctorContext): Promise<DoctorFinding[]> {
  const scopes = context.config.scopes.aws ?? [];
  const direct = directScopes(scopes).map(({ account, region, scope }) => context.unit(() => checkRegion(context, scope, account, region)));
  const aggregators = scopes.flatMap((scope) =>
    scope.aggregator === undefined ? [] : [scope.aggregator].map((one) => context.unit(() => checkAggregator(context, scope, one))),
  );
  return (await Promise.all([...direct, ...aggregators])).flat();
}
