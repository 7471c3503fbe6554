import { PolicyClient } from '@azure/arm-policy';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { anyToken, graphClient, loopbackClient } from '../support/simulator-clients.ts';

const asOf = '2026-09-30T12:00:00.000Z';
const storage = "resources | where type =~ 'microsoft.storage/storageaccounts'";
const groups = ['nw-production', 'nw-nonproduction'];

describe('Azure Resource Manager', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ resources: 24_000, asOf, quotas: 'off' });
  });
  afterAll(() => simulator.close());

  async function all(
    query: string,
    of: { managementGroups?: string[]; subscriptions?: string[]; top?: number } = { managementGroups: groups },
  ): Promise<Record<string, unknown>[]> {
    const client = graphClient(simulator);
    const found: Record<string, unknown>[] = [];
    let skipToken: string | undefined;
    do {
      const answer = await client.resources({
        query,
        ...(of.managementGroups ? { managementGroups: of.managementGroups } : {}),
        ...(of.subscriptions ? { subscriptions: of.subscriptions } : {}),
        options: { top: of.top ?? 1000, resultFormat: 'objectArray', ...(skipToken === undefined ? {} : { skipToken }) },
      });
      expect(answer.resultTruncated).toBe('false');
      found.push(...(answer.data as Record<string, unknown>[]));
      skipToken = answer.skipToken;
    } while (skipToken !== undefined);
    return found;
  }

  test('pages in order of id, as many as it counts', async () => {
    const rows = await all(`${storage} | project id, name, properties | order by id asc`);
    const ids = rows.map((row) => String(row['id']));
    expect(rows.length).toBeGreaterThan(1000);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
    expect(await all(`${storage} | summarize count()`)).toEqual([{ count_: rows.length }]);
    const counts = await all('resources | summarize count() by subscriptionId, type');
    expect(
      counts.filter((row) => row['type'] === 'microsoft.storage/storageaccounts').reduce((sum, row) => sum + Number(row['count_']), 0),
    ).toBe(rows.length);
    expect(simulator.estate.counts.azure['microsoft.storage/storageaccounts']).toBe(rows.length);
  });

  test('a count that needs rows agrees with one that does not', async () => {
    const quick = await all(
      "resources | where type in~ ('microsoft.sql/servers', 'microsoft.keyvault/vaults') | summarize count() by subscriptionId, type",
    );
    const slow = await all(
      "resources | where type in~ ('microsoft.sql/servers', 'microsoft.keyvault/vaults') | where isnotempty(id) | summarize count() by subscriptionId, type = tolower(type)",
    );
    expect(slow).toEqual(expect.arrayContaining(quick));
    expect(slow).toHaveLength(quick.length);
  });

  test('scopes by subscription and management group; what it may not see it leaves out in silence', async () => {
    const [payments, , development] = simulator.estate.azure.subscriptions;
    const count = async (of: { managementGroups?: string[]; subscriptions?: string[] }): Promise<number> =>
      (await all(`${storage} | project id | order by id asc`, of)).length;
    const one = await count({ subscriptions: [payments?.id ?? ''] });
    expect(await count({ subscriptions: [payments?.id ?? '', '00000000-0000-4000-8000-000000000000'] })).toBe(one);
    expect(await count({ managementGroups: ['nw-nonproduction'] })).toBe(await count({ subscriptions: [development?.id ?? ''] }));
    await expect(
      graphClient(simulator).resources({ query: storage, subscriptions: ['00000000-0000-4000-8000-000000000000'] }),
    ).rejects.toMatchObject({ statusCode: 400 });
  });

  test('without id, without order or with take it does not page: the rest is truncated', async () => {
    const client = graphClient(simulator);
    const answer = await client.resources({ query: `${storage} | project name`, managementGroups: groups, options: { top: 10 } });
    expect(answer).toMatchObject({ resultTruncated: 'true', count: 10 });
    expect(answer.skipToken).toBeUndefined();
    expect(await client.resources({ query: `${storage} | take 3`, managementGroups: groups })).toMatchObject({
      resultTruncated: 'false',
      count: 3,
      totalRecords: 3,
    });
  });

  test('has the shapes of the service', async () => {
    const accounts = await all(`${storage} | project id, type, identity, tags, properties | order by id asc`);
    const withKey = accounts
      .map((row) => row['properties'] as { encryption: Record<string, Record<string, unknown>> })
      .find((properties) => (properties.encryption['keySource'] as unknown) === 'Microsoft.Keyvault');
    expect(Object.keys(withKey?.encryption['keyvaultproperties'] ?? {})).toEqual(
      expect.arrayContaining(['keyvaulturi', 'keyname', 'keyversion']),
    );
    expect(accounts[0]).toMatchObject({ type: 'microsoft.storage/storageaccounts' });
    const vaults = await all("resources | where type =~ 'microsoft.keyvault/vaults' | project id, properties | order by id asc");
    expect(vaults.some((row) => !('enablePurgeProtection' in (row['properties'] as object)))).toBe(true);
  });

  test('role assignments stand at every level; those above a scope only where asked for', async () => {
    const query =
      "authorizationresources | where type =~ 'microsoft.authorization/roleassignments' | where id !startswith '/subscriptions/' | project id, properties | order by id asc";
    const below = await graphClient(simulator).resources({ query, managementGroups: groups });
    const around = await graphClient(simulator).resources({
      query,
      managementGroups: groups,
      options: { authorizationScopeFilter: 'AtScopeAboveAndBelow' },
    });
    expect(below.count).toBe(2);
    expect(around.count).toBe(4);
    const definitions = await all(
      "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions' | project id, name, properties | order by id asc",
    );
    expect(definitions.map((row) => row['name'])).toContain('e147488a-f6f5-4113-8e2d-b22465e65bf6');
  });

  test('policy states say what is planted', async () => {
    const states = await all(
      "policyresources | where type =~ 'microsoft.policyinsights/policystates' | where tostring(properties.policyDefinitionId) in~ ('/providers/microsoft.authorization/policydefinitions/0a370ff3-6cab-4e85-8995-295fd854c5b8') | project id, properties | order by id asc",
    );
    expect(states.length).toBe(simulator.estate.counts.azure['microsoft.sql/servers']);
    for (const state of states) {
      const properties = state['properties'] as { resourceId: string; complianceState: string };
      const planted = simulator.truth(properties.resourceId.toLowerCase());
      expect(properties.complianceState).toBe(planted?.includes('platform-key') === true ? 'NonCompliant' : 'Compliant');
    }
    const keys = await all(
      "policyresources | where type =~ 'microsoft.policyinsights/componentpolicystates' | project id, properties | order by id asc",
    );
    expect(keys[0]?.['properties']).toHaveProperty('componentName');
  });

  test('@azure/arm-policy lists assignments, definitions and sets, inherited ones included', async () => {
    const subscription = simulator.estate.azure.subscriptions[0]?.id ?? '';
    const client = new PolicyClient(anyToken, subscription, { httpClient: loopbackClient(simulator.endpoints.azure.resourceManager) });
    const assignments = [];
    for await (const one of client.policyAssignments.list()) assignments.push(one);
    expect(assignments.map((one) => one.scope)).toEqual(['/providers/Microsoft.Management/managementGroups/nw-production']);
    const definitions = [];
    for await (const one of client.policyDefinitions.listBuiltIn()) definitions.push(one.name);
    expect(definitions).toContain('17k78e20-9358-41c9-923c-fb736d382a12');
    const sets = [];
    for await (const one of client.policySetDefinitions.list({ filter: "policyType eq 'Custom'" })) sets.push(one);
    expect(sets[0]?.policyDefinitions?.length).toBe(definitions.length);
    // Pages follow absolute links.
    const small = [];
    for await (const one of client.policyDefinitions.listBuiltIn({ top: 3 })) small.push(one.name);
    expect(small).toEqual(definitions);
  });

  test('refuses what is not a request: no token, no version, unknown constructs, foreign tokens', async () => {
    const ask = (body: unknown, headers: Record<string, string>, version = '?api-version=2024-04-01') =>
      fetch(`${simulator.endpoints.azure.resourceManager}/providers/Microsoft.ResourceGraph/resources${version}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const bearer = { authorization: 'Bearer x' };
    expect((await ask({ query: storage }, {})).status).toBe(401);
    expect((await ask({ query: storage }, bearer, '')).status).toBe(400);
    expect(await (await ask({ query: 'resources | mv-expand tags' }, bearer)).json()).toMatchObject({
      error: { code: 'BadRequest', details: [{ code: 'InvalidQuery' }] },
    });
    for (const query of ['nonsense | count', "nonsense | where type =~ 'a/b' | summarize count() by type"]) {
      const refused = await ask({ query }, bearer);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({
        error: { code: 'BadRequest', details: [{ code: 'InvalidQuery', message: expect.stringContaining("'nonsense'") as string }] },
      });
    }
    expect((await ask({ query: storage, options: { $skipToken: 'made up' } }, bearer)).status).toBe(400);
    expect((await ask({ query: storage, options: { $top: 1001 } }, bearer)).status).toBe(400);
  });

  test('a table that exists and holds nothing counts zero', async () => {
    expect(await all('SecurityResources | count')).toEqual([{ Count: 0 }]);
    expect(await all('advisorresources | summarize count() by subscriptionId, type')).toEqual([]);
  });

  test('hands out tokens that name their bearer', async () => {
    const origin = simulator.endpoints.azure.authority;
    const discovery = (await (await fetch(`${origin}/${simulator.estate.azure.tenant}/v2.0/.well-known/openid-configuration`)).json()) as {
      token_endpoint: string;
    };
    const token = (await (await fetch(discovery.token_endpoint, { method: 'POST', body: 'grant_type=client_credentials' })).json()) as {
      access_token: string;
    };
    expect(JSON.parse(Buffer.from(token.access_token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({
      tid: simulator.estate.azure.tenant,
    });
  });

  test('gives tables when asked', async () => {
    const answer = await graphClient(simulator).resources({
      query: `${storage} | project id, name | order by id asc`,
      managementGroups: groups,
      options: { top: 2, resultFormat: 'table' },
    });
    expect(answer.data).toMatchObject({
      columns: [
        { name: 'id', type: 'string' },
        { name: 'name', type: 'string' },
      ],
    });
  });
});
