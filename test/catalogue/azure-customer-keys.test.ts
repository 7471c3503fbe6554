import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/collectors/registry.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { resolveParameters } from '../../src/controls/catalogue/parameters.ts';
import { environmentOf } from '../../src/controls/assess/try.ts';
import type { ConditionCheck } from '../../src/controls/types.ts';
import { isJsonObject } from '../../src/model/index.ts';
import type { JsonObject, Resource } from '../../src/model/index.ts';
import { buildAzure } from '../../src/simulator/estate/azure.ts';
import { checkOf, environmentFor, readCases, recordsOf, root } from '../support/cases.ts';
import type { Case } from '../support/cases.ts';

/**
 * What must hold for every Azure control that asks for a customer managed key, whatever the service: a store passes only under a key
 * whose vault was collected and keeps deleted keys. And what the simulated estate has wrong is found, store by store, and nothing else.
 */
const catalogue = await loadCatalogue(join(root, 'controls.yaml'));
const { parameters } = resolveParameters(catalogue, {});
const vaultTypes = ['microsoft.keyvault/vaults', 'microsoft.keyvault/managedhsms'];
const controls = catalogue.controls.filter(
  ({ control }) => control.provider === 'azure' && (control.id.endsWith('-cmk') || control.id === 'azure-storage-key-vault-protected'),
);
/** Whether the key of an account is protected is a control of its own: naming a known vault is enough for this one. */
const namesOnly = new Set(['azure-storage-account-cmk']);

/** The case with every vault changed, or left out. */
function withVaults(one: Case, change: ((properties: JsonObject) => JsonObject) | null): Case {
  const related = one.related.flatMap((record) => {
    if (!vaultTypes.includes(record.type.toLowerCase())) return [record];
    if (change === null || !isJsonObject(record.document)) return [];
    const properties = record.document['properties'];
    return [{ ...record, document: { ...record.document, properties: change(isJsonObject(properties) ? properties : {}) } }];
  });
  return { ...one, related };
}

const without = (properties: JsonObject, ...names: string[]): JsonObject =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));

const variants: readonly {
  readonly name: string;
  readonly expect: string;
  readonly named: string;
  readonly change: (one: Case) => Case;
}[] = [
  {
    name: 'the vault may purge deleted keys',
    expect: 'fail',
    named: 'pass',
    change: (one) => withVaults(one, (vault) => without(vault, 'enablePurgeProtection')),
  },
  {
    name: 'purge protection is switched off',
    expect: 'fail',
    named: 'pass',
    change: (one) => withVaults(one, (vault) => ({ ...vault, enablePurgeProtection: false })),
  },
  {
    name: 'the vault keeps no deleted keys',
    expect: 'fail',
    named: 'pass',
    change: (one) => withVaults(one, (vault) => ({ ...vault, enableSoftDelete: false })),
  },
  {
    name: 'what the vault keeps is not recorded',
    expect: 'unknown',
    named: 'pass',
    change: (one) => withVaults(one, (vault) => without(vault, 'enableSoftDelete')),
  },
  {
    name: 'the vault belongs to a subscription that was not collected',
    expect: 'unknown',
    named: 'unknown',
    change: (one) => withVaults(one, null),
  },
  {
    name: 'nothing was collected besides the store',
    expect: 'unknown',
    named: 'unknown',
    change: (one) => ({ ...one, related: [], complete: [] }),
  },
  { name: 'the record of the vault is empty', expect: 'unknown', named: 'unknown', change: (one) => withVaults(one, () => ({})) },
];

test('there are controls for every service with critical data', () => {
  const types = new Set(
    catalogue.controls
      .filter(({ control }) => control.provider === 'azure')
      .flatMap(({ checks }) => checks.flatMap((check) => (check.kind === 'condition' ? check.on : []))),
  );
  for (const type of [
    'storage/storageaccounts',
    'compute/disks',
    'compute/snapshots',
    'compute/diskencryptionsets',
    'sql/servers',
    'documentdb/databaseaccounts',
    'dbforpostgresql/flexibleservers',
    'dbformysql/flexibleservers',
    'containerregistry/registries',
    'containerservice/managedclusters',
    'eventhub/namespaces',
    'servicebus/namespaces',
    'datafactory/factories',
    'operationalinsights/clusters',
    'keyvault/vaults',
    'keyvault/managedhsms',
  ])
    expect(types, type).toContain(`microsoft.${type}`);
  const rules = catalogue.controls.flatMap(({ checks }) => checks.flatMap((check) => (check.kind === 'verdict' ? [check.rule] : [])));
  for (const rule of [
    '82067dbb-e53b-4e06-b631-546d197452d9',
    'd8cf8476-a2ec-4916-896e-992351803c44',
    '152b15f7-8e1f-4c1f-ab71-8c010ba5dbc0',
    '0a370ff3-6cab-4e85-8995-295fd854c5b8',
  ])
    expect(rules).toContain(rule);
});

describe.each(controls.map((control) => ({ id: control.control.id, control })))('$id', ({ id, control }) => {
  const passing = (readCases(control.control) ?? []).filter(
    (one) => one.expect === 'pass' && one.related.some((record) => vaultTypes.includes(record.type)),
  );

  test.each(variants)('passes no more when $name', (variant) => {
    const wanted = namesOnly.has(id) ? variant.named : variant.expect;
    const wrong: string[] = [];
    for (const one of passing) {
      const check = checkOf(control, one);
      const changed = variant.change(one);
      const { subject, others } = recordsOf(check, changed);
      const { status, reason } = check.evaluate(subject, environmentFor(check, changed, [subject, ...others], parameters));
      // An empty record of a vault is not found by its address any more, or says nothing.
      if (status !== wanted) wrong.push(`${one.name}: ${status}, expected ${wanted} (${reason})`);
    }
    expect(wrong).toEqual([]);
    expect(passing.length).toBeGreaterThan(0);
  });
});

describe('the simulated estate', () => {
  const asOf = '2026-06-30T12:00:00Z';
  const estate = buildAzure({ seed: 7, resources: 1500, asOf: Date.parse(asOf), subscriptions: 5 });
  const planted = estate.populations.flatMap((population) =>
    Array.from({ length: population.count }, (_, index) => population.record(index)).flatMap((one) =>
      (readDocument(one.row, { type: population.type, id: one.uid }) ?? []).map((resource) => ({ resource, troubles: one.troubles })),
    ),
  );
  const records: Resource[] = planted.map(({ resource }) => resource);
  const everything = [...new Set(records.map(({ type }) => type))];

  /** What a control makes of each store, against the troubles that decide it: all of them fail, and no other store does. */
  const expectations: readonly { readonly id: string; readonly fails: readonly string[]; readonly undecided: readonly string[] }[] = [
    { id: 'azure-storage-account-cmk', fails: ['platform-key'], undecided: ['vault-in-another-tenant', 'vault-not-found'] },
    {
      id: 'azure-storage-key-vault-protected',
      fails: ['vault-no-purge-protection', 'vault-soft-delete-off'],
      undecided: ['vault-in-another-tenant', 'vault-not-found'],
    },
    { id: 'azure-storage-key-version', fails: ['pinned-old-version'], undecided: [] },
    { id: 'azure-keyvault-protected', fails: ['vault-no-purge-protection', 'vault-soft-delete-off'], undecided: [] },
    { id: 'azure-keyvault-network-closed', fails: ['vault-open-network'], undecided: [] },
    { id: 'azure-compute-disk-cmk', fails: ['platform-key'], undecided: [] },
    { id: 'azure-compute-disk-encryption-set-rotation', fails: ['disk-set-no-rotation'], undecided: [] },
    { id: 'azure-compute-disk-encryption-set-may-use-key', fails: ['identity-cannot-wrap'], undecided: [] },
    ...[
      'azure-sql-server-cmk',
      'azure-cosmosdb-account-cmk',
      'azure-postgresql-server-cmk',
      'azure-mysql-server-cmk',
      'azure-acr-registry-cmk',
      'azure-eventhub-namespace-cmk',
      'azure-servicebus-namespace-cmk',
      'azure-datafactory-factory-cmk',
      'azure-loganalytics-cluster-cmk',
    ].map((id) => ({
      id,
      fails: ['platform-key', 'vault-no-purge-protection', 'vault-soft-delete-off'],
      undecided: ['vault-in-another-tenant', 'vault-not-found'],
    })),
  ];

  test.each(expectations)('$id finds what was planted', ({ id, fails, undecided }) => {
    const check = catalogue.controls
      .find(({ control }) => control.id === id)
      ?.checks.find((one): one is ConditionCheck => one.kind === 'condition');
    if (check === undefined) throw new Error(`no control ${id}`);
    const environment = environmentOf([check], records, [...everything, ...check.on], asOf, parameters);
    const wrong: string[] = [];
    let failed = 0;
    for (const { resource, troubles } of planted) {
      if (!check.on.includes(resource.type)) continue;
      const { status, reason } = check.evaluate(resource, environment);
      const wanted = troubles.some((trouble) => fails.includes(trouble))
        ? 'fail'
        : troubles.some((trouble) => undecided.includes(trouble))
          ? 'unknown'
          : 'pass';
      if (status === 'fail') failed += 1;
      // A control about the customer's key leaves stores under the platform's to the control that asks for one.
      if (status !== wanted && !(wanted === 'pass' && status === 'notapplicable' && troubles.includes('platform-key')))
        wrong.push(`${resource.uid} (${troubles.join(', ')}): ${status}, expected ${wanted} (${reason})`);
    }
    expect(wrong).toEqual([]);
    expect(failed).toBeGreaterThan(0);
  });

  /** What keeps a service's identity from its key, and where the evidence cannot tell: the vault is elsewhere, or an HSM that keeps its roles to itself, or the identity is the provider's. */
  const lacking = ['identity-cannot-wrap', 'identity-cannot-decrypt'];
  const traced = catalogue.controls
    .filter(({ control }) => ['azure-keyvault-service-identity-may-use-key', 'azure-storage-identity-may-use-key'].includes(control.id))
    .flatMap(({ checks }) => checks.filter((one): one is ConditionCheck => one.kind === 'condition'))
    // No server of the estate has geo-redundant backups.
    .filter(({ id }) => !id.endsWith('-geo-backup'));

  test.each(traced.map((check) => ({ type: check.on.join(), check })))('the rights of identities are traced: $type', ({ check }) => {
    const environment = environmentOf([check], records, [...everything, ...check.on], asOf, parameters);
    const wrong: string[] = [];
    const seen = { pass: 0, fail: 0, unknown: 0, notapplicable: 0, error: 0 };
    for (const { resource, troubles } of planted) {
      if (!check.on.includes(resource.type)) continue;
      const { status, reason } = check.evaluate(resource, environment);
      seen[status] += 1;
      const lacks = troubles.some((trouble) => lacking.includes(trouble));
      const hidden =
        /managedhsm|FirstPartyIdentity/.test(JSON.stringify(resource.document)) ||
        troubles.some((trouble) => /^vault-(in-another|not-found)/.test(trouble));
      const keyless =
        troubles.includes('secrets-platform-key') || (troubles.includes('platform-key') && !resource.type.endsWith('managedclusters'));
      const wanted = keyless ? 'notapplicable' : hidden ? 'unknown' : lacks ? 'fail' : 'pass';
      if (status !== wanted) wrong.push(`${resource.uid} (${troubles.join(', ')}): ${status}, expected ${wanted} (${reason})`);
    }
    expect(wrong).toEqual([]);
    expect(seen.pass).toBeGreaterThan(0);
    expect(seen.fail).toBeGreaterThan(0);
  });
});
