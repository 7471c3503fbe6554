import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { azurePolicy } from '../../../src/collectors/azure-policy/collector.ts';
import { doctor } from '../../../src/collectors/collect.ts';
import type { Simulator } from '../../../src/simulator/index.ts';
import { hurried, hurriedPacers, silent } from '../../support/aws.ts';
import {
  asOf,
  collectPolicy,
  entriesOf,
  falselyComplete,
  needsOf,
  policy,
  quickDirectory,
  readBack,
  simulate,
} from '../../support/clouds.ts';

const onResources = '0a370ff3-6cab-4e85-8995-295fd854c5b8';
const unassigned = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
const type = `verdict:${policy}`;

let simulator: Simulator;
let directory: ReturnType<typeof quickDirectory>;
let clean: Awaited<ReturnType<typeof readBack>>;
beforeAll(async () => {
  simulator = await simulate(300);
  const first = quickDirectory();
  await collectPolicy(simulator, first.path);
  clean = await readBack(first.path);
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

/** Subscriptions in which the policy has states. */
const evaluated = (): string[] =>
  [...clean.keys()]
    .filter((key) => key.endsWith(type))
    .map((key) => key.split(' ')[0] ?? '')
    .sort();

describe('verdicts', () => {
  test('states are collected per policy and subscription, counted by another query, and read back one by one', async () => {
    const ledger = await collectPolicy(simulator, directory.path);
    const found = await readBack(directory.path);
    expect(evaluated().length).toBeGreaterThan(0);
    for (const account of evaluated()) {
      const entry = entriesOf(ledger, type).find((one) => one.account === account);
      expect(entry).toMatchObject({ status: 'complete', reasons: [], count: { count: entry?.held } });
      expect(found.get(`${account} ${type}`)?.size).toBe(entry?.held);
    }
    const verdicts = new Set([...found].filter(([key]) => key.endsWith(type)).flatMap(([, records]) => [...records.values()]));
    expect(
      [...verdicts].every((verdict) => /^[A-Z]/.test(verdict)),
      [...verdicts].join(),
    ).toBe(true);
  });

  test('a policy that is assigned nowhere is not recorded, and says so', async () => {
    const ledger = await collectPolicy(simulator, directory.path, { needs: needsOf({ azurePolicies: [unassigned] }) });
    const entries = entriesOf(ledger, `verdict:${unassigned}`);
    expect(entries).toHaveLength(simulator.estate.azure.subscriptions.length);
    for (const entry of entries)
      expect(entry).toMatchObject({ status: 'not-recorded', held: 0, reasons: [{ code: 'policy-not-assigned' }] });
  });

  test('a policy that is assigned and was never evaluated is not recorded, and names the assignment', async () => {
    simulator.inject({ kind: 'policy-never-evaluated' });
    const ledger = await collectPolicy(simulator, directory.path);
    const account = evaluated()[0];
    expect(entriesOf(ledger, type).find((entry) => entry.account === account)).toMatchObject({
      status: 'not-recorded',
      held: 0,
      reasons: [{ code: 'policy-never-evaluated' }],
    });
    expect(entriesOf(ledger, type).every((entry) => entry.status === 'not-recorded')).toBe(true);
  });

  test('without a policy to read, nothing is asked', async () => {
    const from = simulator.calls().length;
    const ledger = await collectPolicy(simulator, directory.path, { needs: needsOf({}) });
    expect(ledger.entries).toEqual([]);
    expect(simulator.calls().length).toBe(from);
  });
});

describe('objects', () => {
  test('assignments are listed per subscription; only its own are records of it, and Resource Graph counts them', async () => {
    const ledger = await collectPolicy(simulator, directory.path);
    const found = await readBack(directory.path);
    for (const entry of ledger.entries.filter(
      (one) => one.type.startsWith('microsoft.authorization/') && !one.account.startsWith('tenants/'),
    )) {
      expect(entry, `${entry.account} ${entry.type}`).toMatchObject({ status: 'complete', count: { count: entry.held } });
      expect(found.get(`${entry.account} ${entry.type}`)?.size ?? 0).toBe(entry.held);
    }
  });
});

describe('faults', () => {
  const states = 'microsoft.policyinsights/policystates';

  test.each([
    ['access-denied', 'denied', 'access-denied'],
    ['http-500', 'failed', 'server-error'],
    ['lost-page', 'partial', 'rows-lost'],
  ] as const)('%s on the states leaves %s, named %s', async (kind, status, code) => {
    simulator.inject({ kind, match: { operation: 'Microsoft.ResourceGraph/resources', type: `policyresources ${states}` }, times: 1000 });
    const ledger = await collectPolicy(simulator, directory.path, { needs: needsOf({ azurePolicies: [onResources] }) });
    const entries = entriesOf(ledger, `verdict:${onResources}`);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) {
      expect(entry.status).toBe(status);
      expect(entry.reasons.map((reason) => reason.code)).toContain(code);
    }
  });

  test.each(['lost-page', 'repeated-token', 'empty-page-with-token', 'hang', 'truncated-body', 'wrong-content-type'] as const)(
    '%s once on a list of Resource Manager is overcome',
    async (kind) => {
      simulator.inject({ kind, match: { operation: 'policyAssignments.list' } });
      const ledger = await collectPolicy(simulator, directory.path);
      expect(entriesOf(ledger, 'microsoft.authorization/policyassignments').filter((entry) => entry.status !== 'complete')).toEqual([]);
      expect(falselyComplete(ledger, await readBack(directory.path), clean)).toEqual([]);
    },
  );

  test('assignments that cannot be read do not make an unevaluated policy an unassigned one', async () => {
    simulator.inject({ kind: 'access-denied', match: { operation: 'policyAssignments.list' }, times: 1000 });
    simulator.inject({ kind: 'policy-never-evaluated' });
    const ledger = await collectPolicy(simulator, directory.path);
    expect(new Set(entriesOf(ledger, type).map((entry) => entry.reasons[0]?.code))).toEqual(new Set(['policy-without-state']));
    expect(entriesOf(ledger, 'microsoft.authorization/policyassignments').every((entry) => entry.status === 'denied')).toBe(true);
  });
});

test('doctor names the policy that has no state, and how to assign it', async () => {
  const findings = await doctor({
    config: { scopes: { azure: simulator.config.scopes.azure }, endpoints: simulator.endpoints },
    needs: needsOf({ azurePolicies: [policy, unassigned] }),
    asOf,
    signal: new AbortController().signal,
    progress: silent,
    collectors: [azurePolicy],
    patience: hurried,
    pacers: hurriedPacers(),
  });
  expect(findings.find((finding) => finding.check === `policy ${policy} evaluated`)).toMatchObject({ ok: true });
  const finding = findings.find((one) => one.check === `policy ${unassigned} evaluated`);
  expect(finding).toMatchObject({ ok: false });
  expect(finding?.remedy).toContain(`az policy assignment create --policy ${unassigned}`);
});
