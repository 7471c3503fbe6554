import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/collectors/registry.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { tryDocuments } from '../../src/controls/assess/try.ts';
import { rollUp } from '../../src/model/index.ts';
import type { Json, Status } from '../../src/model/index.ts';

/**
 * Documents whose verdicts other projects state in their own tests, judged here. Where ours differs, it must be for a reason written
 * down below, and it must be the stricter one: a pass is never ours alone.
 */
const root = join(import.meta.dirname, '../..');
const file = join(root, '../shared/oracles/verdicts.jsonl');

interface Oracle {
  readonly id: string;
  readonly resource_type: string;
  readonly control_key: string;
  readonly expected: 'pass' | 'fail';
  readonly parameters: Record<string, string> | null;
  readonly input: Json;
  readonly context: { type?: string; resource_type?: string; document?: Json; input?: Json }[];
}

/** Which of our checks (`control` or `control/check`) answer the question of an oracle. */
const answers: Record<string, string[]> = {
  'aws.cloudtrail.kms': ['aws-cloudtrail-trail-cmk'],
  'aws.dynamodb.kms': ['aws-dynamodb-table-cmk'],
  'aws.ebs.encrypted': ['aws-ebs-volume-cmk'],
  'aws.efs.encrypted': ['aws-efs-file-system-cmk'],
  'aws.eks.secrets-encryption': ['aws-eks-cluster-secrets-cmk'],
  'aws.kinesis.encrypted': ['aws-kinesis-stream-cmk'],
  'aws.kms.rotation': ['aws-kms-key-rotation'],
  'aws.opensearch.encrypted': ['aws-opensearch-domain-cmk'],
  'aws.rds.encrypted': ['aws-rds-instance-cmk'],
  'aws.s3.default-encryption': ['aws-s3-bucket-cmk'],
  'aws.s3.encryption-kms': ['aws-s3-bucket-cmk'],
  'azure.keyvault.recovery': ['azure-keyvault-protected'],
  'azure.keyvault.rotation': ['azure-keyvault-key-rotation'],
  'azure.sql.tde-cmk': ['azure-sql-server-protector-policy'],
  'gcp.bigquery.cmek': ['gcp-bigquery-table-cmek'],
  'gcp.kms.rotation': ['gcp-kms-key-rotation/period'],
  'gcp.kms.settings': ['gcp-kms-key-rotation/period', 'gcp-kms-key-settings'],
  'gcp.storage.cmek': ['gcp-storage-bucket-cmek'],
};

const noKey = 'It asks whether there is encryption; we ask under whose key. No key is named, so that cannot be known.';
const notRecorded = 'The template leaves the property out and its default is off; in a recorded item a missing property proves nothing.';
const unseenKey = 'It is content with the name of a key; we ask for the record of the key, which the document does not bring along.';
const nativeVerdict = 'It reads the rotation policies of keys out of the vault\'s own template; they are no part of the inventory, so we rest on the results of the provider\'s policy.';
const otherLimits = 'It sets no limits; we compare with those of the catalogue, which are stricter.';

/** Oracle → our differing verdict, and why it is meant. */
const stricter: Record<string, { ours: Status | 'rests on a native verdict'; why: string }> = {
  'aws-f5379cffca60': { ours: 'unknown', why: 'Encryption is enabled, but not under which kind of key: `ssetype` and the key are not in the item.' },
  'aws-cb43eb08b0eb': { ours: 'unknown', why: notRecorded },
  'aws-98e2e2b96aa0': { ours: 'unknown', why: notRecorded },
  'aws-270726d8a696': { ours: 'unknown', why: notRecorded },
  'aws-6cbdb65608a8': { ours: 'unknown', why: notRecorded },
  'aws-4b5c9d56212d': { ours: 'unknown', why: 'The key is a reference inside a template, not the name of a key.' },
  'aws-60802dc4f8a5': { ours: 'fail', why: 'It accepts AES256, a key that AWS owns; the control asks for a customer managed key.' },
  'aws-42dc4b82feb6': { ours: 'unknown', why: noKey },
  'aws-9f149ecb99be': { ours: 'unknown', why: noKey },
  'azure-f711a1e804d6': { ours: 'rests on a native verdict', why: nativeVerdict },
  'azure-27ce11e2902a': { ours: 'rests on a native verdict', why: nativeVerdict },
  'azure-a3290a91c619': { ours: 'rests on a native verdict', why: nativeVerdict },
  'azure-e2aeff7536a2': { ours: 'rests on a native verdict', why: 'It reads the protector out of the database\'s own template; Resource Graph does not hold it, so we rest on the results of the provider\'s policy.' },
  'gcp-fa4163f75e83': { ours: 'unknown', why: unseenKey },
  'gcp-232a3f073797': { ours: 'unknown', why: unseenKey },
  'gcp-b859d247876d': { ours: 'fail', why: otherLimits },
  'gcp-8d9560010b57': { ours: 'fail', why: otherLimits },
  'gcp-7f600ce7d86b': { ours: 'fail', why: otherLimits },
};

/** The limits that an oracle states, as parameters of our catalogue; its own default for rotation is a year. */
function parametersOf(oracle: Oracle): Record<string, Json> {
  const { period, rotation_period: rotation, protection_level: level, algorithm } = oracle.parameters ?? {};
  const hours = period ?? rotation;
  if (!oracle.control_key.startsWith('gcp.kms.')) return {};
  return {
    ...(hours === undefined && oracle.control_key === 'gcp.kms.settings' ? {} : { gcpKeyRotationMaximumDays: hours === undefined ? 365 : Number(hours.replace('h', '')) / 24 }),
    ...(level === undefined ? {} : { gcpKeyProtectionLevels: [level] }),
    ...(algorithm === undefined ? {} : { gcpKeyAlgorithms: [algorithm] }),
  };
}

const oracles = existsSync(file)
  ? readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Oracle).filter((oracle) => Object.hasOwn(answers, oracle.control_key))
  : [];
const catalogue = await loadCatalogue(join(root, 'controls.yaml'));

/** Whether everything that answers the question is left to an evaluation by the provider, which a document alone does not have. */
function isNative(names: readonly string[]): boolean {
  return catalogue.controls.filter(({ control }) => names.includes(control.id)).flatMap(({ checks }) => checks).every((check) => check.kind === 'verdict');
}

async function verdictOf(oracle: Oracle): Promise<Status | 'rests on a native verdict' | undefined> {
  const related = oracle.context.map((one) => ({ type: one.type ?? one.resource_type, document: one.document ?? one.input }));
  const line = JSON.stringify({ id: oracle.id, type: oracle.resource_type, document: oracle.input, related });
  const wanted = answers[oracle.control_key] ?? [];
  const found: Status[] = [];
  // Before the rotations that the recorded keys have scheduled.
  for await (const { control, check, status } of tryDocuments([line], catalogue, readDocument, { asOf: '2019-06-01T00:00:00Z', parameters: parametersOf(oracle) })) {
    if (wanted.includes(control) || wanted.includes(`${control}/${check}`)) found.push(status);
  }
  if (found.length === 0 && isNative(wanted)) return 'rests on a native verdict';
  return rollUp(found);
}

describe.skipIf(oracles.length === 0)('verdicts stated by other projects', () => {
  test.each(oracles.map((oracle) => [oracle.id, oracle.control_key, oracle.expected, oracle] as const))('%s %s: %s', async (id, _key, expected, oracle) => {
    const ours = await verdictOf(oracle);
    const explained = stricter[id];
    if (expected === 'fail') expect(ours).not.toBe('pass');
    expect(ours).toBe(explained?.ours ?? expected);
    if (explained !== undefined) expect(ours).not.toBe(expected);
  });

  test('every control that answers is in the catalogue', () => {
    const ids = new Set(catalogue.controls.map(({ control }) => control.id));
    expect(Object.values(answers).flat().filter((name) => !ids.has(name.split('/')[0] ?? ''))).toEqual([]);
  });

  test('every explanation belongs to a verdict', () => {
    const ids = new Set(oracles.map(({ id }) => id));
    expect(Object.keys(stricter).filter((id) => !ids.has(id))).toEqual([]);
  });
});
