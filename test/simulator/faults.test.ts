import {
  DescribeComplianceByConfigRuleCommand,
  DescribeConfigRuleEvaluationStatusCommand,
  DescribeConfigurationAggregatorSourcesStatusCommand,
  DescribeConfigurationRecordersCommand,
  DescribeConfigurationRecorderStatusCommand,
  GetComplianceDetailsByConfigRuleCommand,
  GetDiscoveredResourceCountsCommand,
  SelectAggregateResourceConfigCommand,
  SelectResourceConfigCommand,
} from '@aws-sdk/client-config-service';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { AssetServiceClient } from '@google-cloud/asset';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  aggregatorName,
  type FaultKind,
  faultKinds,
  faultsFor,
  type Simulator,
  startSimulator,
  wholeRunFaults,
} from '../../src/simulator/index.ts';
import { cutPage, openCallBook } from '../../src/simulator/faults.ts';
import { assetClient, configClient, graphClient } from '../support/simulator-clients.ts';

const asOf = '2026-09-30T12:00:00.000Z';
const organization = 'organizations/437812905561';
const account = '222233334444';
let simulator: Simulator;
let gcp: AssetServiceClient;
beforeAll(async () => {
  simulator = await startSimulator({ resources: 3000, asOf, quotas: 'off' });
  gcp = assetClient(simulator);
});
afterEach(() => {
  simulator.clearFaults();
});
afterAll(async () => {
  await gcp.close();
  await simulator.close();
});

describe('where a fault strikes', () => {
  const call = { provider: 'aws', operation: 'SelectResourceConfig', scope: '1.eu', detail: 'AWS::S3::Bucket', offset: 0 } as const;
  const kinds = (book: ReturnType<typeof openCallBook>, of: Parameters<typeof book.begin>[0] = call): string[] =>
    book.begin(of).faults.map((fault) => fault.kind);

  test('at a numbered call', () => {
    const book = openCallBook([{ call: 2, kind: 'reset' }]);
    expect([kinds(book), kinds(book), kinds(book)]).toEqual([[], ['reset'], []]);
    expect(book.struck()).toEqual([{ fault: { call: 2, kind: 'reset' }, call: expect.objectContaining({ n: 2 }) as object }]);
  });
  test('at a named call and its retries, as often as asked', () => {
    const book = openCallBook([{ key: 'aws SelectResourceConfig 1.eu AWS::S3::Bucket @0', kind: 'http-503', times: 2 }]);
    expect([kinds(book, { ...call, offset: 100 }), kinds(book), kinds(book), kinds(book)]).toEqual([[], ['http-503'], ['http-503'], []]);
  });
  test('at the nth call that matches', () => {
    const book = openCallBook([{ match: { operation: 'SelectResourceConfig', type: 's3' }, nth: 2, kind: 'hang' }]);
    expect([kinds(book), kinds(book, { ...call, detail: 'AWS::SQS::Queue' }), kinds(book), kinds(book)]).toEqual([[], [], ['hang'], []]);
  });
  test('for the whole run where it describes a state', () => {
    const book = openCallBook([{ kind: 'recorder-stopped' }]);
    expect([kinds(book), kinds(book)]).toEqual([['recorder-stopped'], ['recorder-stopped']]);
  });
});

describe('spoilt pages', () => {
  const letters = 'abcdefgh';
  const cut = (kind: FaultKind | null, offset = 2) =>
    cutPage(letters.length, offset, 3, (i) => letters[i] ?? '?', kind === null ? [] : [{ kind }], 'n');
  test.each<[FaultKind | null, string, number | null]>([
    [null, 'cde', 5],
    ['lost-page', 'fgh', null],
    ['empty-page-with-token', '', 2],
    ['repeated-token', 'cde', 2],
    ['duplicated-page', 'cde', 2],
    ['reordered-rows', 'fdc', 5],
  ])('%s', (kind, rows, next) => {
    const page = cut(kind);
    expect([page.rows.join(''), page.next]).toEqual([rows, next]);
  });
});

const select = (attempts = 1, region = 'eu-west-1') =>
  configClient(simulator, { account, attempts, region }).send(
    new SelectResourceConfigCommand({ Expression: "SELECT resourceId, configuration WHERE resourceType = 'AWS::KMS::Key'", Limit: 5 }),
  );
const query = () =>
  graphClient(simulator).resources({
    query: "resources | where type =~ 'microsoft.storage/storageaccounts' | project id, properties | order by id asc",
    managementGroups: ['nw-production'],
    options: { top: 20 },
  });
const list = () =>
  gcp.listAssets(
    {
      parent: organization,
      contentType: 'RESOURCE',
      assetTypes: ['storage.googleapis.com/Bucket'],
      pageSize: 20,
      readTime: { seconds: Date.parse(asOf) / 1000 },
    },
    { autoPaginate: false, retry: null, timeout: 1500 },
  );

describe('faults of the connection, as the real clients see them', () => {
  const cases: [FaultKind, object, object, object][] = [
    ['access-denied', { name: 'AccessDeniedException' }, { statusCode: 403 }, { code: 7 }],
    ['expired-credentials', { name: 'ExpiredTokenException' }, { statusCode: 401 }, { code: 16 }],
    ['throttle', { name: 'ThrottlingException' }, { statusCode: 429 }, { code: 8 }],
    ['throttle-without-hint', { name: 'ThrottlingException' }, { statusCode: 429 }, { code: 8 }],
    ['http-500', { $metadata: { httpStatusCode: 500 } }, { statusCode: 500 }, { code: 13 }],
    ['http-503', { $metadata: { httpStatusCode: 503 } }, { statusCode: 503 }, { code: 14 }],
    ['reset', { code: 'ECONNRESET' }, { code: 'ECONNRESET' }, { code: 14 }],
    ['truncated-body', { message: expect.stringMatching(/aborted|socket|ECONNRESET|terminated|JSON/i) as string }, {}, { code: 13 }],
    ['malformed-json', { name: 'SyntaxError' }, {}, { code: 13 }],
    ['hang', { name: 'TimeoutError' }, { name: 'AbortError' }, { code: 4 }],
  ];
  test.each(cases)('AWS: %s', async (kind, expected) => {
    simulator.inject({ provider: 'aws', kind });
    await expect(select()).rejects.toMatchObject(expected);
  });
  test.each(cases)('Azure: %s', async (kind, _aws, expected) => {
    simulator.inject({ provider: 'azure', kind });
    const asked =
      kind === 'hang' ? graphClient(simulator).resources({ query: 'resources' }, { abortSignal: AbortSignal.timeout(300) }) : query();
    await expect(asked).rejects.toMatchObject(expected);
  });
  test.each(cases)('Google Cloud: %s', async (kind, _aws, _azure, expected) => {
    simulator.inject({ provider: 'gcp', kind });
    await expect(list()).rejects.toMatchObject(expected);
    // One call is struck; the next one is answered.
    expect((await list())[0].length).toBeGreaterThan(0);
  });
  test('a page in another language than agreed', async () => {
    simulator.inject({ kind: 'wrong-content-type', times: 3 });
    await expect(select()).rejects.toThrow();
    // The Azure client reads a web page as an answer without rows: telling them apart is the collector's part.
    expect((await query()).data).toBeUndefined();
    await expect(list()).rejects.toThrow();
  });
  test('a throttled call says when to come back only where it should', async () => {
    const ask = async (): Promise<string | null> =>
      (
        await fetch(`${simulator.endpoints.azure.resourceManager}/subscriptions?api-version=2022-12-01`, {
          headers: { authorization: 'Bearer x' },
        })
      ).headers.get('retry-after');
    simulator.inject({ kind: 'throttle' });
    expect(await ask()).toBe('1');
    simulator.inject({ kind: 'throttle-without-hint' });
    expect(await ask()).toBeNull();
  });
  test('the AWS client gets over one failure by itself', async () => {
    simulator.inject({ provider: 'aws', kind: 'http-503' });
    const answer = await select(3);
    expect(answer.$metadata.attempts).toBe(2);
  });
  test('a clock ten minutes off is refused once, corrected by the client, and then accepted', async () => {
    simulator.inject({ provider: 'aws', kind: 'clock-skew' });
    const before = simulator.calls().length;
    expect((await select(3)).Results?.length).toBe(5);
    expect(simulator.calls().length - before).toBe(2);
    simulator.inject({ provider: 'gcp', kind: 'clock-skew' });
    await expect(list()).rejects.toMatchObject({ code: 3 });
  });
  test('STS fails too', async () => {
    const sts = new STSClient({
      region: 'eu-west-1',
      endpoint: simulator.endpoints.aws.sts,
      maxAttempts: 1,
      credentials: { accessKeyId: 'AKIASIM0111122223333', secretAccessKey: 'x' },
    });
    simulator.inject({ match: { operation: 'AssumeRole', scope: account }, kind: 'access-denied' });
    await expect(
      sts.send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${account}:role/ExhibitCollector`, RoleSessionName: 'x' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('faults of a page', () => {
  test.each<[FaultKind, number, boolean]>([
    ['empty-page-with-token', 0, true],
    ['repeated-token', 5, true],
    ['duplicated-page', 5, true],
    ['lost-page', 5, true],
    ['reordered-rows', 5, true],
  ])('AWS: %s', async (kind, rows, token) => {
    const clean = (await select()).Results ?? [];
    simulator.inject({ provider: 'aws', kind });
    const spoilt = await select();
    expect(spoilt.Results).toHaveLength(rows);
    expect(spoilt.NextToken !== undefined).toBe(token);
    if (kind === 'lost-page' || kind === 'reordered-rows') expect(spoilt.Results).not.toEqual(clean);
  });
  test('a repeated token leads back to where it came from', async () => {
    const client = configClient(simulator, { account });
    const Expression = "SELECT resourceId WHERE resourceType = 'AWS::KMS::Key'";
    const first = await client.send(new SelectResourceConfigCommand({ Expression, Limit: 5 }));
    simulator.inject({ kind: 'repeated-token', match: { operation: 'SelectResourceConfig' }, times: Infinity });
    const second = await client.send(new SelectResourceConfigCommand({ Expression, Limit: 5, NextToken: first.NextToken }));
    const third = await client.send(new SelectResourceConfigCommand({ Expression, Limit: 5, NextToken: second.NextToken }));
    expect(third).toMatchObject({ Results: second.Results, NextToken: second.NextToken });
  });
  test('Azure: truncated results, the subscription limit, a dropped subscription', async () => {
    const clean = await query();
    simulator.inject({ kind: 'result-truncated', provider: 'azure' });
    const truncated = await query();
    expect(truncated).toMatchObject({ resultTruncated: 'true', count: 10, totalRecords: clean.totalRecords });
    expect(truncated.skipToken).toBeUndefined();
    let header: string | undefined;
    simulator.inject({ kind: 'subscription-limit-header', provider: 'azure' });
    await graphClient(simulator).resources(
      { query: 'resources | count' },
      {
        onResponse: (raw) => {
          header = raw.headers.get('x-ms-tenant-subscription-limit-hit');
        },
      },
    );
    expect(header).toBe('true');
    const gone = simulator.estate.azure.subscriptions[0]?.id ?? '';
    simulator.inject({ kind: 'dropped-subscription', match: { scope: gone } });
    const dropped = await query();
    expect(JSON.stringify(dropped.data)).not.toContain(gone);
    expect(dropped.totalRecords).toBeLessThan(clean.totalRecords);
    const seen = await graphClient(simulator).resources({
      query: "resourcecontainers | where type =~ 'microsoft.resources/subscriptions' | project id | order by id asc",
    });
    expect(JSON.stringify(seen.data)).not.toContain(gone);
  });
  test('Google Cloud: a lost page loses rows, an empty one does not', async () => {
    simulator.inject({ provider: 'gcp', kind: 'empty-page-with-token' });
    const [none, , raw] = await list();
    expect(none).toEqual([]);
    expect(raw?.nextPageToken).not.toBe('');
    const [clean] = await list();
    simulator.inject({ provider: 'gcp', kind: 'lost-page' });
    expect((await list())[0][0]?.name).not.toBe(clean[0]?.name);
  });
  test('values and fields from the future', async () => {
    simulator.inject({ kind: 'unknown-enum-and-fields', times: 3 });
    expect((await select()).Results?.[0]).toContain('"keyState":"FUTURE_VALUE"');
    expect((await query()).data).toHaveProperty('0.properties.futureProperty');
    expect((await list())[0][0]?.resource?.data?.fields).toHaveProperty('futureField');
  });
});

describe('faults behind the answer', () => {
  const here = `${account}.eu-west-1`;
  test('a stopped recorder', async () => {
    simulator.inject({ kind: 'recorder-stopped', match: { scope: here } });
    const status = async (region: string): Promise<boolean | undefined> =>
      (await configClient(simulator, { account, region }).send(new DescribeConfigurationRecorderStatusCommand({})))
        .ConfigurationRecordersStatus?.[0]?.recording;
    expect([await status('eu-west-1'), await status('eu-central-1')]).toEqual([false, true]);
  });
  test('a type that is not recorded: neither rows nor counts, and the recorder says so', async () => {
    simulator.inject({ kind: 'type-not-recorded', match: { scope: here, type: 'AWS::KMS::Key' } });
    const client = configClient(simulator, { account });
    expect((await select()).Results).toEqual([]);
    expect((await client.send(new GetDiscoveredResourceCountsCommand({ resourceTypes: ['AWS::KMS::Key'] }))).resourceCounts).toEqual([]);
    expect((await client.send(new DescribeConfigurationRecordersCommand({}))).ConfigurationRecorders?.[0]?.recordingGroup).toMatchObject({
      allSupported: false,
      exclusionByResourceTypes: { resourceTypes: ['AWS::KMS::Key'] },
    });
    expect((await select(1, 'eu-central-1')).Results?.length).toBeGreaterThan(0);
  });
  test('a daily recorder with stale items', async () => {
    const captured = async (): Promise<number> =>
      Date.parse(
        (
          JSON.parse(
            (
              await configClient(simulator, { account }).send(
                new SelectResourceConfigCommand({
                  Expression: "SELECT configurationItemCaptureTime WHERE resourceType = 'AWS::KMS::Key'",
                  Limit: 1,
                }),
              )
            ).Results?.[0] ?? '{}',
          ) as { configurationItemCaptureTime: string }
        ).configurationItemCaptureTime,
      );
    expect(Date.parse(asOf) - (await captured())).toBeLessThan(86_400_000);
    simulator.inject({ kind: 'daily-stale', match: { scope: here } });
    expect(Date.parse(asOf) - (await captured())).toBeGreaterThan(2 * 86_400_000);
    expect(
      (await configClient(simulator, { account }).send(new DescribeConfigurationRecordersCommand({}))).ConfigurationRecorders?.[0]
        ?.recordingMode?.recordingFrequency,
    ).toBe('DAILY');
  });
  test('an aggregator that cannot read one of its sources', async () => {
    simulator.inject({ kind: 'aggregator-source-failed', match: { scope: here } });
    const client = configClient(simulator);
    const sources = await client.send(
      new DescribeConfigurationAggregatorSourcesStatusCommand({ ConfigurationAggregatorName: aggregatorName }),
    );
    expect(sources.AggregatedSourceStatusList?.filter((source) => source.LastUpdateStatus === 'FAILED')).toEqual([
      expect.objectContaining({ SourceId: account, AwsRegion: 'eu-west-1' }),
    ]);
    const rows = await client.send(
      new SelectAggregateResourceConfigCommand({
        ConfigurationAggregatorName: aggregatorName,
        Expression: "SELECT accountId, awsRegion WHERE resourceType = 'AWS::KMS::Key'",
        Limit: 100,
      }),
    );
    expect(rows.Results).not.toContain(`{"accountId":"${account}","awsRegion":"eu-west-1"}`);
  });
  test('a rule without data', async () => {
    const client = configClient(simulator, { account });
    const ConfigRuleName = 'exhibit-rds-storage-encrypted';
    simulator.inject({ kind: 'insufficient-data', match: { type: 'RDS_STORAGE_ENCRYPTED' } });
    expect(
      (await client.send(new DescribeComplianceByConfigRuleCommand({ ConfigRuleNames: [ConfigRuleName] }))).ComplianceByConfigRules?.[0]
        ?.Compliance?.ComplianceType,
    ).toBe('INSUFFICIENT_DATA');
    expect((await client.send(new GetComplianceDetailsByConfigRuleCommand({ ConfigRuleName }))).EvaluationResults).toEqual([]);
    expect(
      (await client.send(new DescribeConfigRuleEvaluationStatusCommand({ ConfigRuleNames: [ConfigRuleName] })))
        .ConfigRulesEvaluationStatus?.[0]?.LastSuccessfulEvaluationTime,
    ).toBeUndefined();
  });
  test('a policy that was never evaluated', async () => {
    const count = async (): Promise<number> =>
      (
        (
          await graphClient(simulator).resources({
            query:
              "policyresources | where type =~ 'microsoft.policyinsights/policystates' | where properties.policyDefinitionName == '0a370ff3-6cab-4e85-8995-295fd854c5b8' | summarize count()",
          })
        ).data as { count_: number }[]
      )[0]?.count_ ?? NaN;
    expect(await count()).toBeGreaterThan(0);
    simulator.inject({ kind: 'policy-never-evaluated', match: { type: '0a370ff3-6cab-4e85-8995-295fd854c5b8' } });
    expect(await count()).toBe(0);
  });
  test('an asset type that is not enabled', async () => {
    simulator.inject({ kind: 'asset-type-not-enabled', match: { type: 'storage.googleapis.com/Bucket' } });
    await expect(list()).rejects.toMatchObject({ code: 3 });
  });
});

test('every kind can be tried on some call or for a whole run', async () => {
  await select();
  await query();
  await list();
  const client = configClient(simulator, { account });
  await client.send(new DescribeConfigurationRecorderStatusCommand({}));
  await client.send(new DescribeComplianceByConfigRuleCommand({}));
  await configClient(simulator).send(
    new DescribeConfigurationAggregatorSourcesStatusCommand({ ConfigurationAggregatorName: aggregatorName }),
  );
  const tried = new Set<string>([
    ...simulator.calls().flatMap((call) => faultsFor(call)),
    ...wholeRunFaults(simulator.estate).map((fault) => fault.kind),
  ]);
  expect([...faultKinds].filter((kind) => !tried.has(kind))).toEqual([]);
});

test('the same calls of two simulators get the same bytes', async () => {
  const other = await startSimulator({ resources: 3000, asOf, quotas: 'off' });
  try {
    const ask = async (one: Simulator): Promise<string> => {
      const aws = await fetch(one.endpoints.aws.config, {
        method: 'POST',
        headers: {
          'x-amz-target': 'StarlingDoveService.SelectResourceConfig',
          authorization: `AWS4-HMAC-SHA256 Credential=AKIASIM0${account}/20260930/eu-west-1/config/aws4_request, SignedHeaders=host, Signature=0`,
        },
        body: JSON.stringify({ Expression: "SELECT resourceId, configuration WHERE resourceType = 'AWS::EC2::Volume'" }),
      });
      const azure = await fetch(
        `${one.endpoints.azure.resourceManager}/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01`,
        { method: 'POST', headers: { authorization: 'Bearer x' }, body: JSON.stringify({ query: 'resources | order by id asc' }) },
      );
      return (await aws.text()) + (await azure.text());
    };
    expect(await ask(other)).toBe(await ask(simulator));
  } finally {
    await other.close();
  }
});
