import {
  DescribeComplianceByConfigRuleCommand,
  DescribeConfigRuleEvaluationStatusCommand,
  DescribeConfigRulesCommand,
  DescribeConfigurationAggregatorsCommand,
  DescribeConfigurationAggregatorSourcesStatusCommand,
  DescribeConfigurationRecordersCommand,
  DescribeConfigurationRecorderStatusCommand,
  DescribeConformancePacksCommand,
  GetAggregateComplianceDetailsByConfigRuleCommand,
  GetAggregateDiscoveredResourceCountsCommand,
  GetConformancePackComplianceDetailsCommand,
  GetDiscoveredResourceCountsCommand,
  ListDiscoveredResourcesCommand,
  paginateGetComplianceDetailsByConfigRule,
  paginateSelectAggregateResourceConfig,
  paginateSelectResourceConfig,
  SelectAggregateResourceConfigCommand,
  SelectResourceConfigCommand,
} from '@aws-sdk/client-config-service';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aggregatorName, type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { BatchGetResourceConfigCommand, configClient } from '../support/simulator-clients.ts';

const asOf = '2026-09-30T12:00:00.000Z';
const columns =
  'SELECT resourceId, resourceName, resourceType, arn, accountId, awsRegion, configurationItemCaptureTime, configurationItemStatus, configuration, supplementaryConfiguration, tags';

type Row = Record<string, unknown> & {
  arn: string;
  configuration: Record<string, unknown>;
  supplementaryConfiguration: Record<string, unknown>;
};

async function rows(simulator: Simulator, type: string, of: { account?: string; region?: string } = {}): Promise<string[]> {
  const found: string[] = [];
  for await (const page of paginateSelectResourceConfig(
    { client: configClient(simulator, of), pageSize: 100 },
    { Expression: `${columns} WHERE resourceType = '${type}'` },
  )) {
    expect(page.Results?.length).toBeLessThanOrEqual(100);
    found.push(...(page.Results ?? []));
  }
  return found;
}

describe('AWS Config', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ resources: 8000, asOf, quotas: 'off' });
  });
  afterAll(() => simulator.close());

  test('pages through every record once, as many as the independent counts say', async () => {
    const account = '222233334444';
    const client = configClient(simulator, { account });
    const volumes = await rows(simulator, 'AWS::EC2::Volume', { account });
    const counts = await client.send(new GetDiscoveredResourceCountsCommand({ resourceTypes: ['AWS::EC2::Volume'] }));
    const counted = await client.send(
      new SelectResourceConfigCommand({
        Expression: "SELECT resourceType, COUNT(*) WHERE resourceType = 'AWS::EC2::Volume' GROUP BY resourceType",
      }),
    );
    expect(volumes.length).toBeGreaterThan(100);
    expect(new Set(volumes.map((row) => (JSON.parse(row) as Row).arn)).size).toBe(volumes.length);
    expect(counts.resourceCounts).toEqual([{ resourceType: 'AWS::EC2::Volume', count: volumes.length }]);
    expect(JSON.parse(counted.Results?.[0] ?? '{}')).toEqual({ 'COUNT(*)': volumes.length, resourceType: 'AWS::EC2::Volume' });
    expect(volumes.every((row) => row.includes(`"accountId":"${account}","awsRegion":"eu-west-1"`))).toBe(true);
  });

  test('keeps accounts and regions apart', async () => {
    const here = await rows(simulator, 'AWS::KMS::Key', { account: '222233334444' });
    const there = await rows(simulator, 'AWS::KMS::Key', { account: '222233334444', region: 'eu-central-1' });
    expect(here.length).toBeGreaterThan(0);
    expect(there.some((row) => here.includes(row))).toBe(false);
    expect(await rows(simulator, 'AWS::S3::Bucket', { account: '012345678901' })).toEqual([]);
    expect(await rows(simulator, 'AWS::IAM::Role', { account: '222233334444', region: 'eu-central-1' })).toEqual([]);
  });

  test('writes the Select encoding: fractions, no nulls, policies as text', async () => {
    const [bucket = ''] = await rows(simulator, 'AWS::S3::Bucket', { account: '222233334444' });
    const queue = (await rows(simulator, 'AWS::SQS::Queue', { account: '222233334444' }))[0] ?? '';
    const key = JSON.parse((await rows(simulator, 'AWS::KMS::Key', { account: '222233334444' }))[0] ?? '{}') as Row;
    const parsed = JSON.parse(bucket) as Row;
    expect(queue).toContain('"VisibilityTimeout":30.0');
    expect(bucket).not.toMatch(/[^\\]":null/);
    expect(parsed.supplementaryConfiguration['ServerSideEncryptionConfiguration']).toBeTypeOf('object');
    expect(parsed.supplementaryConfiguration['AccessControlList']).toBeTypeOf('string');
    expect(JSON.parse(key.supplementaryConfiguration['Policy'] as string)).toHaveProperty('Statement');
    expect(key.supplementaryConfiguration['KeyRotationStatus']).toBeTypeOf('boolean');
    expect(parsed['tags']).toEqual(expect.arrayContaining([expect.objectContaining({ key: 'owner' })]));
  });

  test('writes the BatchGet encoding: strings within strings, no tags', async () => {
    const bucket = JSON.parse((await rows(simulator, 'AWS::S3::Bucket', { account: '222233334444' }))[0] ?? '{}') as Row;
    const client = configClient(simulator, { account: '222233334444' });
    const answer = await client.send(
      new BatchGetResourceConfigCommand({
        resourceKeys: [
          { resourceType: 'AWS::S3::Bucket', resourceId: String(bucket['resourceId']) },
          { resourceType: 'AWS::S3::Bucket', resourceId: 'gone' },
        ],
      }),
    );
    expect(answer.baseConfigurationItems).toHaveLength(1);
    const item = answer.baseConfigurationItems?.[0];
    const supplementary = item?.supplementaryConfiguration ?? {};
    expect(JSON.parse(item?.configuration ?? '')).toMatchObject({ name: bucket['resourceId'] });
    expect(JSON.parse(supplementary['ServerSideEncryptionConfiguration'] ?? '')).toHaveProperty('rules');
    expect(JSON.parse(JSON.parse(supplementary['AccessControlList'] ?? '') as string)).toHaveProperty('owner');
    expect(item).not.toHaveProperty('tags');
    expect(item?.configurationItemCaptureTime?.toISOString()).toBe(bucket['configurationItemCaptureTime']);
  });

  test('URL-encodes IAM policy documents', async () => {
    const policies = (await rows(simulator, 'AWS::IAM::Policy', { account: '222233334444' })).map((row) => JSON.parse(row) as Row);
    const list = policies[0]?.configuration['policyVersionList'] as { document: string; isDefaultVersion: boolean }[];
    expect(list[0]?.document).toMatch(/^%7B%22Version%22/);
    expect(JSON.parse(decodeURIComponent(list[0]?.document ?? ''))).toHaveProperty('Statement');
    expect(policies.every((policy) => policy['awsRegion'] === 'global')).toBe(true);
  });

  test('`SELECT *` gives top-level scalars only, a path only itself', async () => {
    const client = configClient(simulator, { account: '222233334444' });
    const star = await client.send(
      new SelectResourceConfigCommand({ Expression: "SELECT * WHERE resourceType = 'AWS::KMS::Key'", Limit: 1 }),
    );
    expect(Object.keys(JSON.parse(star.Results?.[0] ?? '{}') as object)).not.toContain('configuration');
    const path = await client.send(
      new SelectResourceConfigCommand({
        Expression: "SELECT configuration.keyManager WHERE resourceType = 'AWS::KMS::Key' AND configuration.keyManager = 'AWS'",
        Limit: 1,
      }),
    );
    expect(path.Results).toEqual(['{"configuration":{"keyManager":"AWS"}}']);
    expect(path.NextToken).toBeTypeOf('string');
  });

  test('evaluates conditions beyond the type', async () => {
    const client = configClient(simulator, { account: '222233334444' });
    const count = async (condition: string): Promise<number> => {
      const answer = await client.send(
        new SelectResourceConfigCommand({ Expression: `SELECT COUNT(*) WHERE resourceType = 'AWS::EC2::Volume'${condition}` }),
      );
      return (JSON.parse(answer.Results?.[0] ?? '{}') as Record<string, number>)['COUNT(*)'] ?? NaN;
    };
    const [whole, encrypted, open, tagged] = [
      await count(''),
      await count(' AND configuration.encrypted = true'),
      await count(' AND NOT configuration.encrypted = true'),
      await count(" AND tags.tag = 'data-classification=critical'"),
    ];
    expect(encrypted + open).toBe(whole);
    expect(open).toBeGreaterThan(0);
    expect(tagged).toBeGreaterThan(0);
    expect(tagged).toBeLessThan(whole);
  });

  test.each([
    ['FROM', 'SELECT resourceId FROM resources'],
    ['JOIN', "SELECT resourceId WHERE resourceType = 'A' JOIN x"],
    ['DISTINCT', 'SELECT DISTINCT resourceType'],
    ['unknown property', "SELECT nonsense WHERE resourceType = 'A'"],
    ['unfinished', 'SELECT resourceId WHERE resourceType ='],
    ['AS', 'SELECT resourceId AS id'],
  ])('refuses what advanced queries do not know: %s', async (_, Expression) => {
    await expect(configClient(simulator).send(new SelectResourceConfigCommand({ Expression }))).rejects.toMatchObject({
      name: 'InvalidExpressionException',
    });
  });

  test('refuses pages that are too large, foreign tokens, unknown names and strangers', async () => {
    const client = configClient(simulator);
    const Expression = "SELECT resourceId WHERE resourceType = 'AWS::KMS::Key'";
    await expect(client.send(new SelectResourceConfigCommand({ Expression, Limit: 101 }))).rejects.toMatchObject({
      name: 'InvalidLimitException',
    });
    const { NextToken } = await client.send(new SelectResourceConfigCommand({ Expression, Limit: 1 }));
    await expect(client.send(new SelectResourceConfigCommand({ Expression, Limit: 2, NextToken }))).rejects.toMatchObject({
      name: 'InvalidNextTokenException',
    });
    await expect(client.send(new DescribeConfigRulesCommand({ ConfigRuleNames: ['none'] }))).rejects.toMatchObject({
      name: 'NoSuchConfigRuleException',
    });
    await expect(configClient(simulator, { account: '999999999999' }).send(new DescribeConfigRulesCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    const response = await fetch(simulator.endpoints.aws.config, {
      method: 'POST',
      headers: { 'x-amz-target': 'StarlingDoveService.DescribeConfigRules' },
      body: '{}',
    });
    expect(response.status).toBe(403);
  });

  test('describes recorders as they are', async () => {
    const client = configClient(simulator);
    const { ConfigurationRecorders } = await client.send(new DescribeConfigurationRecordersCommand({}));
    const { ConfigurationRecordersStatus } = await client.send(new DescribeConfigurationRecorderStatusCommand({}));
    expect(ConfigurationRecorders?.[0]).toMatchObject({
      name: 'default',
      recordingGroup: { allSupported: true, includeGlobalResourceTypes: true },
      recordingMode: { recordingFrequency: 'CONTINUOUS' },
    });
    expect(ConfigurationRecordersStatus?.[0]).toMatchObject({ recording: true, lastStatus: 'SUCCESS' });
    expect(
      (await configClient(simulator, { region: 'ap-southeast-2' }).send(new DescribeConfigurationRecordersCommand({})))
        .ConfigurationRecorders,
    ).toEqual([]);
  });

  test('aggregates over every account and region, with counts of its own', async () => {
    const client = configClient(simulator);
    const found: string[] = [];
    for await (const page of paginateSelectAggregateResourceConfig(
      { client, pageSize: 100 },
      {
        ConfigurationAggregatorName: aggregatorName,
        Expression: "SELECT accountId, awsRegion, arn WHERE resourceType = 'AWS::S3::Bucket'",
      },
    ))
      found.push(...(page.Results ?? []));
    const counts = await client.send(
      new GetAggregateDiscoveredResourceCountsCommand({ ConfigurationAggregatorName: aggregatorName, GroupByKey: 'RESOURCE_TYPE' }),
    );
    expect(counts.GroupedResourceCounts).toContainEqual({ GroupName: 'AWS::S3::Bucket', ResourceCount: found.length });
    expect(counts.TotalDiscoveredResources).toBe(Object.values(simulator.estate.counts.aws).reduce((a, b) => a + b, 0));
    const first = await client.send(
      new SelectAggregateResourceConfigCommand({
        ConfigurationAggregatorName: aggregatorName,
        Expression: "SELECT arn WHERE resourceType = 'AWS::S3::Bucket'",
      }),
    );
    expect(first.Results).toHaveLength(25);
    expect(
      (await client.send(new DescribeConfigurationAggregatorsCommand({}))).ConfigurationAggregators?.[0]?.ConfigurationAggregatorName,
    ).toBe(aggregatorName);
    const sources = await client.send(
      new DescribeConfigurationAggregatorSourcesStatusCommand({ ConfigurationAggregatorName: aggregatorName }),
    );
    expect(new Set(sources.AggregatedSourceStatusList?.map((source) => source.SourceId))).toEqual(
      new Set(simulator.estate.aws.accounts.map((account) => account.id)),
    );
    await expect(
      configClient(simulator, { account: '222233334444' }).send(
        new GetAggregateDiscoveredResourceCountsCommand({ ConfigurationAggregatorName: aggregatorName }),
      ),
    ).rejects.toMatchObject({ name: 'NoSuchConfigurationAggregatorException' });
  });

  test('rules: compliance, evaluation and details agree with what is planted', async () => {
    const client = configClient(simulator, { account: '222233334444' });
    const name = 'exhibit-rds-storage-encrypted';
    const { ConfigRules } = await client.send(new DescribeConfigRulesCommand({ ConfigRuleNames: [name] }));
    expect(ConfigRules?.[0]?.Source).toMatchObject({ Owner: 'AWS', SourceIdentifier: 'RDS_STORAGE_ENCRYPTED' });
    const results = [];
    for await (const page of paginateGetComplianceDetailsByConfigRule({ client, pageSize: 100 }, { ConfigRuleName: name }))
      results.push(...(page.EvaluationResults ?? []));
    const instances = (await rows(simulator, 'AWS::RDS::DBInstance', { account: '222233334444' })).map((row) => JSON.parse(row) as Row);
    expect(results).toHaveLength(instances.length);
    for (const result of results) {
      const instance = instances.find(
        (one) => one['resourceId'] === result.EvaluationResultIdentifier?.EvaluationResultQualifier?.ResourceId,
      );
      expect(result.ComplianceType).toBe(instance?.configuration['storageEncrypted'] === true ? 'COMPLIANT' : 'NON_COMPLIANT');
    }
    const compliance = await client.send(new DescribeComplianceByConfigRuleCommand({ ConfigRuleNames: [name] }));
    expect(compliance.ComplianceByConfigRules?.[0]?.Compliance?.ComplianceType).toBe('NON_COMPLIANT');
    const evaluation = await client.send(new DescribeConfigRuleEvaluationStatusCommand({ ConfigRuleNames: [name] }));
    expect(evaluation.ConfigRulesEvaluationStatus?.[0]).toMatchObject({ FirstEvaluationStarted: true });
    const aggregate = await configClient(simulator).send(
      new GetAggregateComplianceDetailsByConfigRuleCommand({
        ConfigurationAggregatorName: aggregatorName,
        ConfigRuleName: name,
        AccountId: '222233334444',
        AwsRegion: 'eu-west-1',
        Limit: 5,
      }),
    );
    expect(aggregate.AggregateEvaluationResults?.[0]).toMatchObject({ AccountId: '222233334444', AwsRegion: 'eu-west-1' });
    const packs = await client.send(new DescribeConformancePacksCommand({}));
    const pack = await client.send(
      new GetConformancePackComplianceDetailsCommand({
        ConformancePackName: packs.ConformancePackDetails?.[0]?.ConformancePackName ?? '',
        Limit: 100,
      }),
    );
    expect(pack.ConformancePackRuleEvaluationResults).toHaveLength(100);
    expect(pack.NextToken).toBeTypeOf('string');
  });

  test('lists identifiers', async () => {
    const answer = await configClient(simulator, { account: '222233334444' }).send(
      new ListDiscoveredResourcesCommand({ resourceType: 'AWS::KMS::Alias' }),
    );
    expect(answer.resourceIdentifiers?.every((one) => one.resourceId?.startsWith('alias/') === true)).toBe(true);
  });

  test('STS hands out credentials of another account, and says who holds them', async () => {
    const sts = new STSClient({
      region: 'eu-west-1',
      endpoint: simulator.endpoints.aws.sts,
      credentials: { accessKeyId: simulator.credentials['AWS_ACCESS_KEY_ID'] ?? '', secretAccessKey: 'x' },
    });
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe('111122223333');
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::012345678901:role/ExhibitCollector', RoleSessionName: 'exhibit' }),
    );
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    };
    const assumed = new STSClient({ region: 'eu-west-1', endpoint: simulator.endpoints.aws.sts, credentials });
    expect((await assumed.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      'arn:aws:sts::012345678901:assumed-role/ExhibitCollector/exhibit',
    );
    await expect(
      sts.send(new AssumeRoleCommand({ RoleArn: 'arn:aws:iam::012345678901:role/Administrator', RoleSessionName: 'exhibit' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});
