import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { azureResourceGraph } from '../../../src/collectors/azure-resource-graph/collector.ts';
import { doctor } from '../../../src/collectors/collect.ts';
import { querySchema } from '../../../src/model/index.ts';
import type { Fault } from '../../../src/simulator/faults.ts';
import type { Simulator } from '../../../src/simulator/index.ts';
import { hurried, hurriedPacers, silent } from '../../support/aws.ts';
import {
  asOf,
  azureNeeds,
  collectGraph,
  entriesOf,
  falselyComplete,
  needsOf,
  quickDirectory,
  readBack,
  simulate,
} from '../../support/clouds.ts';

const storage = 'microsoft.storage/storageaccounts';
const graph = 'Microsoft.ResourceGraph/resources';

let simulator: Simulator;
let tenant: string;
let directory: ReturnType<typeof quickDirectory>;
let clean: Awaited<ReturnType<typeof readBack>>;
/** The listing of storage accounts, by its stable name. */
let listing: string;
beforeAll(async () => {
  simulator = await simulate(400);
  tenant = simulator.estate.azure.tenant;
  const first = quickDirectory();
  await collectGraph(simulator, first.path);
  clean = await readBack(first.path);
  listing =
    simulator.calls().find((call) => call.operation === graph && /^resources microsoft\.storage\/storageaccounts/.test(call.detail))?.key ??
    '';
  first.remove();
});
afterAll(() => simulator.close());
beforeEach(() => {
  directory = quickDirectory();
  simulator.clearFaults();
});
afterEach(() => {
  directory.remove();
});

describe('a clean collection', () => {
  test('every subscription and type is complete: held equals the count, and the count cites its row', async () => {
    const ledger = await collectGraph(simulator, directory.path);
    expect(ledger.entries.filter((entry) => entry.status !== 'complete')).toEqual([]);
    const found = await readBack(directory.path);
    for (const entry of ledger.entries) {
      expect(entry.count?.count, `${entry.account} ${entry.type}`).toBe(entry.held);
      expect(found.get(`${entry.account} ${entry.type}`)?.size ?? 0, `${entry.account} ${entry.type}`).toBe(entry.held);
    }
    const largest = entriesOf(ledger, storage).sort((a, b) => b.held - a.held)[0];
    expect(largest?.held).toBeGreaterThan(3);
    const { file, pointer } = largest?.count?.citation ?? { file: '', pointer: '' };
    const page = JSON.parse(readFileSync(join(directory.path, file), 'utf8')) as {
      data: { subscriptionId: string; type: string; count_: number }[];
    };
    expect(page.data[Number(pointer.split('/')[2])]).toEqual({ subscriptionId: largest?.account, type: storage, count_: largest?.held });
  });

  test('a subscription with nothing in it is there, with counts of zero', async () => {
    const ledger = await collectGraph(simulator, directory.path);
    const empty = simulator.estate.azure.subscriptions.find((one) => one.weight === 0)?.id ?? '';
    expect(ledger.scopes.find((scope) => scope.account === empty)).toMatchObject({
      status: 'complete',
      name: 'northwind-sandbox',
      knownFrom: ['resourcecontainers'],
    });
    expect(entriesOf(ledger, storage).find((entry) => entry.account === empty)).toMatchObject({
      status: 'complete',
      held: 0,
      count: { count: 0 },
    });
  });

  test('role assignments made above subscriptions belong to the tenant', async () => {
    const ledger = await collectGraph(simulator, directory.path);
    const above = entriesOf(ledger, 'microsoft.authorization/roleassignments').find((entry) => entry.account === `tenants/${tenant}`);
    expect(above).toMatchObject({ status: 'complete' });
    expect(above?.held).toBeGreaterThan(0);
  });

  test('query.json holds the query, scope and pages; a page is the body as received', async () => {
    await collectGraph(simulator, directory.path);
    const stored = join(directory.path, 'evidence', 'azure-resource-graph', tenant, 'microsoft.storage.storageaccounts');
    const query = querySchema.parse(JSON.parse(readFileSync(join(stored, 'query.json'), 'utf8')));
    expect(query).toMatchObject({
      status: 'complete',
      operation: graph,
      types: [storage],
      endpoint: simulator.endpoints.azure.resourceManager,
      identity: 'loopback',
    });
    expect(query.text).toBe(
      `resources | where type =~ '${storage}' | project id, name, type, location, subscriptionId, resourceGroup, tenantId, kind, sku, identity, tags, properties | order by id asc`,
    );
    expect(query.pages).toHaveLength(1);
    expect(query.pages.every((page) => page.httpStatus === 200 && page.attempts === 1 && page.requestId !== null)).toBe(true);
    expect(readFileSync(join(stored, 'page-000001.json'), 'utf8')).toMatch(
      /^\{"totalRecords":\d+,"count":\d+,"data":\[\{"id":"\/subscriptions\//,
    );
  });

  test('every call stays within fewer than 300 subscriptions and 1000 rows, ordered by id', async () => {
    const from = simulator.calls().length;
    await collectGraph(simulator, directory.path);
    expect(
      simulator
        .calls()
        .slice(from)
        .filter((call) => call.operation === graph).length,
    ).toBeLessThan(25);
  });
});

describe('what cannot be read', () => {
  const subscriptions = (): string[] => simulator.estate.azure.subscriptions.map((one) => one.id);

  test('a configured subscription that Resource Graph drops in silence is denied, not absent', async () => {
    const stranger = '99999999-9999-4999-8999-999999999999';
    const ledger = await collectGraph(simulator, directory.path, {
      scopes: { azure: [{ tenant, subscriptions: [...subscriptions().slice(0, 2), stranger.toUpperCase()] }] },
    });
    expect(ledger.scopes.find((scope) => scope.account === stranger)).toMatchObject({
      status: 'denied',
      knownFrom: ['configured'],
      reasons: [{ code: 'not-visible' }],
    });
    expect(ledger.entries.filter((entry) => entry.account === stranger).map((entry) => [entry.type, entry.status])).toEqual(
      azureNeeds.map((type) => [type, 'denied']),
    );
    expect(
      entriesOf(ledger, storage)
        .filter((entry) => entry.account !== stranger)
        .every((entry) => entry.status === 'complete'),
    ).toBe(true);
  });

  test('one that a management group holds and Resource Graph leaves out is known from Resource Manager', async () => {
    simulator.inject({ kind: 'dropped-subscription' });
    const ledger = await collectGraph(simulator, directory.path);
    const dropped = ledger.scopes.filter((scope) => scope.status === 'denied');
    expect(dropped).toMatchObject([{ knownFrom: ['management group descendants'], reasons: [{ code: 'not-visible' }] }]);
    expect(
      ledger.scopes
        .map((scope) => scope.account)
        .filter((account) => !account.startsWith('tenants/'))
        .sort(),
    ).toEqual(subscriptions().sort());
  });

  test('one that stops being visible midway is whole nowhere, although counts and lists agree that it is empty', async () => {
    simulator.inject({ kind: 'dropped-subscription', nth: 2 });
    const ledger = await collectGraph(simulator, directory.path);
    const gone = ledger.entries.filter((entry) => entry.reasons.some((reason) => reason.code === 'not-visible'));
    expect(new Set(gone.map((entry) => entry.status))).toEqual(new Set(['partial']));
    expect(gone).toHaveLength(azureNeeds.length);
    expect(falselyComplete(ledger, await readBack(directory.path), clean)).toEqual([]);
  });

  test('no subscription at all below a management group is no empty population', async () => {
    const ledger = await collectGraph(simulator, directory.path, {
      scopes: { azure: [{ tenant, managementGroups: ['nobody-knows-it'] }] },
    });
    expect(ledger.entries.length).toBeGreaterThan(0);
    expect(ledger.entries.every((entry) => entry.status !== 'complete' && entry.reasons.length > 0)).toBe(true);
  });

  test('types that Resource Graph does not hold are not recorded, and never asked for', async () => {
    const type = 'microsoft.sql/servers/encryptionprotector';
    const ledger = await collectGraph(simulator, directory.path, { needs: needsOf({ azure: [type] }) });
    expect(entriesOf(ledger, type).map((entry) => [entry.status, entry.reasons[0]?.code])).toEqual(
      subscriptions().map(() => ['not-recorded', 'not-in-resource-graph']),
    );
    expect(existsSync(join(directory.path, 'evidence', 'azure-resource-graph', tenant, 'microsoft.sql.servers.encryptionprotector'))).toBe(
      false,
    );
  });
});

describe('faults', () => {
  const strike = (fault: Omit<Fault, 'key' | 'kind'> & { kind: Fault['kind'] }): void => {
    simulator.inject({ ...fault, key: listing });
  };

  test.each([
    'throttle',
    'hang',
    'truncated-body',
    'empty-page-with-token',
    'repeated-token',
    'lost-page',
    'duplicated-page',
    'reordered-rows',
  ] as const)('%s once is overcome: everything is complete and as in the clean run', async (kind) => {
    strike({ kind });
    const ledger = await collectGraph(simulator, directory.path);
    expect(ledger.entries.filter((entry) => entry.status !== 'complete')).toEqual([]);
    expect(falselyComplete(ledger, await readBack(directory.path), clean)).toEqual([]);
  });

  test.each([
    ['access-denied', 'denied', 'access-denied'],
    ['expired-credentials', 'denied', 'expired-credentials'],
    ['throttle-without-hint', 'failed', 'throttled'],
    ['http-503', 'failed', 'server-error'],
    ['reset', 'failed', 'connection'],
    ['hang', 'failed', 'timeout'],
    ['truncated-body', 'failed', 'malformed-response'],
    ['malformed-json', 'failed', 'malformed-response'],
    ['wrong-content-type', 'failed', 'malformed-response'],
    ['duplicated-page', 'partial', 'repeated-row'],
    ['lost-page', 'partial', 'rows-lost'],
    ['result-truncated', 'partial', 'result-truncated'],
    ['subscription-limit-header', 'partial', 'subscription-limit'],
  ] as const)('%s that lasts leaves %s, named %s, and touches no other type', async (kind, status, code) => {
    strike({ kind, times: 1000 });
    const ledger = await collectGraph(simulator, directory.path);
    const struck = entriesOf(ledger, storage);
    expect(new Set(struck.map((entry) => entry.status))).toEqual(new Set([status]));
    expect(
      struck.every((entry) => entry.reasons.some((reason) => reason.code === code)),
      JSON.stringify(struck[0]?.reasons),
    ).toBe(true);
    expect(ledger.entries.filter((entry) => entry.type !== storage && entry.status !== 'complete')).toEqual([]);
  });

  test('a count that cannot be had leaves nothing complete', async () => {
    simulator.inject({ kind: 'access-denied', match: { operation: graph, type: 'resources count' }, times: 1000 });
    const ledger = await collectGraph(simulator, directory.path);
    expect(
      entriesOf(ledger, storage).every(
        (entry) => entry.status === 'partial' && entry.count === null && entry.reasons[0]?.code === 'access-denied',
      ),
    ).toBe(true);
  });

  test('records above subscriptions that cannot be read take the inherited ones from every subscription', async () => {
    simulator.inject({ kind: 'access-denied', match: { operation: graph, type: 'roleassignments above' }, times: 1000 });
    const ledger = await collectGraph(simulator, directory.path);
    const entries = entriesOf(ledger, 'microsoft.authorization/roleassignments');
    expect(entries.every((entry) => entry.status !== 'complete' && entry.reasons[0]?.code === 'access-denied')).toBe(true);
    expect(entriesOf(ledger, storage).every((entry) => entry.status === 'complete')).toBe(true);
  });

  test('an abort keeps what was collected, names itself, and a resumed run asks only for the rest', async () => {
    const controller = new AbortController();
    let pages = 0;
    const progress = {
      ...silent,
      page: () => {
        pages += 1;
        if (pages === 6) controller.abort(new Error('stopped'));
      },
    };
    const ledger = await collectGraph(simulator, directory.path, { signal: controller.signal, progress });
    expect(ledger.entries.some((entry) => entry.reasons.some((reason) => reason.code === 'aborted'))).toBe(true);
    const from = simulator.calls().length;
    const resumed = await collectGraph(simulator, directory.path, { resume: true });
    expect(resumed.entries.filter((entry) => entry.status !== 'complete')).toEqual([]);
    expect(falselyComplete(resumed, await readBack(directory.path), clean)).toEqual([]);
    const again = simulator.calls().length - from;
    const fresh = quickDirectory();
    const whole = simulator.calls().length;
    await collectGraph(simulator, fresh.path);
    expect(again).toBeLessThan(simulator.calls().length - whole);
    fresh.remove();
  });
});

describe('doctor', () => {
  const diagnose = (scopes: Parameters<typeof doctor>[0]['config']['scopes']): ReturnType<typeof doctor> =>
    doctor({
      config: { scopes, endpoints: simulator.endpoints },
      needs: needsOf({ azure: azureNeeds }),
      asOf,
      signal: new AbortController().signal,
      progress: silent,
      collectors: [azureResourceGraph],
      patience: hurried,
      pacers: hurriedPacers(),
    });

  test('a sound set-up passes every check', async () => {
    const findings = await diagnose({ azure: simulator.config.scopes.azure });
    expect(findings.filter((finding) => !finding.ok)).toEqual([]);
    expect(findings.map((finding) => finding.check)).toEqual(
      expect.arrayContaining(['identity', 'management group visible', 'table resources', 'table authorizationresources', 'clock']),
    );
  });

  test('a subscription below a configured group that Resource Graph leaves out is named', async () => {
    const gone = simulator.estate.azure.subscriptions[0]?.id ?? '';
    simulator.inject({ kind: 'dropped-subscription', match: { scope: gone } });
    const finding = (await diagnose({ azure: simulator.config.scopes.azure })).find((one) => one.check === 'visible' && !one.ok);
    simulator.clearFaults();
    expect(finding).toMatchObject({ ok: false, scope: gone });
    expect(finding?.remedy).toContain(`--role Reader --scope /subscriptions/${gone}`);
  });

  test('an invisible subscription comes with the command that mends it', async () => {
    const stranger = '99999999-9999-4999-8999-999999999999';
    const findings = await diagnose({ azure: [{ tenant, subscriptions: [stranger] }] });
    const finding = findings.find((one) => one.check === 'visible');
    expect(finding).toMatchObject({ ok: false, scope: stranger });
    expect(finding?.remedy).toContain(`--role Reader --scope /subscriptions/${stranger}`);
  });
});
