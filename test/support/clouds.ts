import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { azurePolicy } from '../../src/collectors/azure-policy/collector.ts';
import { azureResourceGraph } from '../../src/collectors/azure-resource-graph/collector.ts';
import { collect, type CollectRequest } from '../../src/collectors/collect.ts';
import type { Collector } from '../../src/collectors/collector.ts';
import { gcpAssetInventory } from '../../src/collectors/gcp-asset-inventory/collector.ts';
import { pageReaders } from '../../src/collectors/registry.ts';
import { evidenceReader } from '../../src/evidence/reader.ts';
import type { Ledger, LedgerEntry, Needs } from '../../src/model/index.ts';
import { startSimulator, type Simulator } from '../../src/simulator/index.ts';
import { hurried, hurriedPacers, silent } from './aws.ts';

/** Azure and Google Cloud of the simulator, collected by the real clients at a hurried pace. */

export const asOf = '2026-11-20T12:00:00.000Z';

export const azureNeeds = [
  'microsoft.authorization/roleassignments',
  'microsoft.keyvault/vaults',
  'microsoft.resources/subscriptions',
  'microsoft.storage/storageaccounts',
];
export const gcpNeeds = [
  'cloudkms.googleapis.com/CryptoKey',
  'cloudresourcemanager.googleapis.com/Project',
  'storage.googleapis.com/Bucket',
];
export const policy = 'd8cf8476-a2ec-4916-896e-992351803c44';

export function needsOf(needs: Partial<Omit<Needs, 'types'>> & { azure?: readonly string[]; gcp?: readonly string[] }): Needs {
  const { azure = [], gcp = [], ...rest } = needs;
  return { types: { aws: [], azure, gcp }, iamPolicies: [], orgPolicies: false, awsConfigRules: [], azurePolicies: [], ...rest };
}

function memoryOrDisk(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

/** In memory where there is such a place: each stored page is synced to its disk, and here nobody minds losing it. */
export function quickDirectory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(memoryOrDisk(), 'exhibit-test-'));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** `resources` over all three clouds. */
export function simulate(resources: number): Promise<Simulator> {
  return startSimulator({ resources, seed: 7, asOf, quotas: 'off' });
}

type Overrides = Partial<Omit<CollectRequest, 'config'>> & { readonly scopes?: CollectRequest['config']['scopes'] };

function requestOf(
  simulator: Simulator,
  runDirectory: string,
  collectors: readonly Collector[],
  needs: Needs,
  overrides: Overrides,
): CollectRequest {
  const { scopes = { azure: simulator.config.scopes.azure, gcp: simulator.config.scopes.gcp }, ...rest } = overrides;
  return {
    runDirectory,
    runId: 'test',
    asOf,
    config: { scopes, endpoints: simulator.endpoints },
    needs,
    resume: false,
    signal: new AbortController().signal,
    progress: silent,
    tool: { name: 'exhibit', version: 'test' },
    collectors,
    patience: hurried,
    pacers: hurriedPacers(),
    ...rest,
  };
}

export function collectGraph(simulator: Simulator, runDirectory: string, overrides: Overrides = {}): Promise<Ledger> {
  return collect(requestOf(simulator, runDirectory, [azureResourceGraph], needsOf({ azure: azureNeeds }), overrides));
}

export function collectPolicy(simulator: Simulator, runDirectory: string, overrides: Overrides = {}): Promise<Ledger> {
  return collect(requestOf(simulator, runDirectory, [azurePolicy], needsOf({ azurePolicies: [policy] }), overrides));
}

export function collectGcp(simulator: Simulator, runDirectory: string, overrides: Overrides = {}): Promise<Ledger> {
  const needs = needsOf({
    gcp: gcpNeeds,
    iamPolicies: [
      'cloudkms.googleapis.com/CryptoKey',
      'cloudresourcemanager.googleapis.com/Organization',
      'cloudresourcemanager.googleapis.com/Project',
    ],
    orgPolicies: true,
  });
  return collect(requestOf(simulator, runDirectory, [gcpAssetInventory], needs, overrides));
}

/** `<account> <ledger type>` → what is read back: uid → document or verdict. */
export async function readBack(runDirectory: string): Promise<Map<string, Map<string, string>>> {
  const reader = evidenceReader(runDirectory, pageReaders());
  const found = new Map<string, Map<string, string>>();
  for (const query of reader.queries()) {
    for await (const record of reader.records(query, (defect) => {
      throw new Error(`${join(runDirectory, defect.file)}: ${defect.message}`);
    })) {
      const [key, uid, value] =
        record.record === 'verdict'
          ? [
              `${record.verdict.scope.account} verdict:${record.verdict.rule}`,
              `${record.verdict.uid} ${record.verdict.deployment}`,
              record.verdict.verdict,
            ]
          : [`${record.resource.scope.account} ${typeOf(record.resource)}`, record.resource.uid, JSON.stringify(record.resource.document)];
      const list = found.get(key) ?? new Map<string, string>();
      list.set(uid, value);
      found.set(key, list);
    }
  }
  return found;
}

function typeOf(resource: { kind: string; type: string }): string {
  return resource.kind === 'resource' ? resource.type : resource.kind === 'iam-policy' ? `iam-policy:${resource.type}` : 'org-policy';
}

export function entriesOf(ledger: Ledger, type: string): LedgerEntry[] {
  return ledger.entries.filter((entry) => entry.type === type);
}

/** Entries that claim to be complete and hold something else than the clean run held there. */
export function falselyComplete(
  ledger: Ledger,
  found: Map<string, Map<string, string>>,
  clean: Map<string, Map<string, string>>,
): string[] {
  return ledger.entries
    .filter((entry) => entry.status === 'complete')
    .map((entry) => `${entry.account} ${entry.type}`)
    .filter((key) => JSON.stringify([...(found.get(key) ?? [])].sort()) !== JSON.stringify([...(clean.get(key) ?? [])].sort()));
}
