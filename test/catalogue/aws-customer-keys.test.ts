import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { resolveParameters } from '../../src/controls/catalogue/parameters.ts';
import { isJsonObject } from '../../src/model/index.ts';
import type { JsonObject } from '../../src/model/index.ts';
import { checkOf, environmentFor, readCases, recordsOf, root } from '../support/cases.ts';
import type { Case } from '../support/cases.ts';

/**
 * What must hold for every AWS control that asks for a customer managed key, whatever the service: a store passes only under a key
 * whose own record shows that the customer manages it and that it can be used. Other tools pass any key, or recognise keys by alias.
 */
const catalogue = await loadCatalogue(join(root, 'controls.yaml'));
const { parameters } = resolveParameters(catalogue, {});
const controls = catalogue.controls.filter(({ control }) => control.provider === 'aws' && control.id.endsWith('-cmk'));

/** The case with every key record changed, or left out. */
function withKeys(one: Case, change: ((configuration: JsonObject) => JsonObject) | null): Case {
  const related = one.related.flatMap((record) => {
    if (record.type !== 'AWS::KMS::Key') return [record];
    if (change === null || !isJsonObject(record.document)) return [];
    const configuration = record.document['configuration'];
    return [{ ...record, document: { ...record.document, configuration: change(isJsonObject(configuration) ? configuration : {}) } }];
  });
  return { ...one, related };
}

function without(configuration: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(configuration).filter(([name]) => !names.includes(name)));
}

const variants: readonly { readonly name: string; readonly expect: string; readonly change: (one: Case) => Case }[] = [
  { name: 'AWS manages the key', expect: 'fail', change: (one) => withKeys(one, (key) => ({ ...key, keyManager: 'AWS' })) },
  {
    name: 'the key waits to be deleted',
    expect: 'fail',
    change: (one) => withKeys(one, (key) => ({ ...key, keyState: 'PendingDeletion', enabled: false })),
  },
  {
    name: 'the key is disabled',
    expect: 'fail',
    change: (one) => withKeys(one, (key) => ({ ...key, keyState: 'Disabled', enabled: false })),
  },
  { name: 'the key is certainly not there', expect: 'fail', change: (one) => withKeys(one, null) },
  { name: 'the key was not collected', expect: 'unknown', change: (one) => ({ ...withKeys(one, null), complete: [] }) },
  { name: 'nothing was collected besides the store', expect: 'unknown', change: (one) => ({ ...one, related: [], complete: [] }) },
  { name: 'who manages the key is not recorded', expect: 'unknown', change: (one) => withKeys(one, (key) => without(key, 'keyManager')) },
  {
    name: 'the state of the key is not recorded',
    expect: 'unknown',
    change: (one) => withKeys(one, (key) => without(key, 'keyState', 'enabled')),
  },
  { name: 'the record of the key is empty', expect: 'unknown', change: (one) => withKeys(one, () => ({})) },
];

test('there are controls for every service with critical data', () => {
  const types = new Set(controls.flatMap(({ checks }) => checks.flatMap((check) => (check.kind === 'condition' ? check.on : []))));
  for (const type of [
    'S3::Bucket',
    'EC2::Volume',
    'RDS::DBInstance',
    'RDS::DBCluster',
    'RDS::DBSnapshot',
    'RDS::DBClusterSnapshot',
    'DynamoDB::Table',
    'EFS::FileSystem',
    'Redshift::Cluster',
    'SQS::Queue',
    'SNS::Topic',
    'SecretsManager::Secret',
    'CloudTrail::Trail',
    'OpenSearch::Domain',
    'Kinesis::Stream',
    'ECR::Repository',
    'EKS::Cluster',
    'Backup::BackupVault',
    'Lambda::Function',
  ])
    expect(types, type).toContain(`AWS::${type}`);
});

describe.each(controls.map((control) => ({ id: control.control.id, control })))('$id', ({ control }) => {
  const passing = (readCases(control.control) ?? []).filter(
    (one) => one.expect === 'pass' && one.related.some((record) => record.type === 'AWS::KMS::Key'),
  );

  test.each(variants)('passes no more when $name', (variant) => {
    const wrong: string[] = [];
    for (const one of passing) {
      const check = checkOf(control, one);
      const changed = variant.change(one);
      const { subject, others } = recordsOf(check, changed);
      const { status, reason } = check.evaluate(subject, environmentFor(check, changed, [subject, ...others], parameters));
      if (status !== variant.expect) wrong.push(`${one.name}: ${status}, expected ${variant.expect} (${reason})`);
    }
    expect(wrong).toEqual([]);
    expect(passing.length).toBeGreaterThan(0);
  });
});
