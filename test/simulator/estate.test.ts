import { describe, expect, test } from 'vitest';
import { buildEstate, type Estate } from '../../src/simulator/index.ts';
import { apportion } from '../../src/simulator/estate/population.ts';
import { random } from '../../src/simulator/estate/random.ts';

const asOf = '2026-09-30T12:00:00.000Z';
const all = (estate: Estate) => [...estate.aws.populations, ...estate.azure.populations, ...estate.gcp.populations];

describe('the estate', () => {
  const estate = buildEstate({ seed: 7, resources: 2000, asOf });

  test('has as many records as asked for', () => {
    expect(estate.counts.total).toBe(2000);
    expect(buildEstate({ resources: 12_345, asOf }).counts.total).toBe(12_345);
  });

  test('is the same for the same seed, and another for another', () => {
    const dump = (one: Estate): string =>
      JSON.stringify(all(one).map((population) => Array.from({ length: Math.min(3, population.count) }, (_, i) => population.record(i))));
    expect(dump(buildEstate({ seed: 7, resources: 2000, asOf }))).toBe(dump(estate));
    expect(dump(buildEstate({ seed: 8, resources: 2000, asOf }))).not.toBe(dump(estate));
  });

  test('makes any record without making those before it', () => {
    const population = estate.aws.populations.find((one) => one.type === 'AWS::S3::Bucket' && one.count > 4);
    const late = JSON.stringify(population?.record(4));
    population?.record(0);
    expect(JSON.stringify(population?.record(4))).toBe(late);
  });

  test.each([2000, 12_000])('gives every record of %i its own uid', (resources) => {
    const one = buildEstate({ seed: 3, resources, asOf });
    expect(one.planted().size).toBe(all(one).reduce((sum, population) => sum + population.count, 0));
  });

  test('is laid out at once at any size', () => {
    const start = performance.now();
    expect(buildEstate({ resources: 1_000_000, asOf }).counts.total).toBe(1_000_000);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test('has an account, a subscription and a project with nothing stored in them', () => {
    const stores = (account: string) =>
      all(estate)
        .filter((population) => population.account === account)
        .map((population) => population.type);
    expect(stores('012345678901')).toEqual(['AWS::IAM::Role']);
    expect(stores('5a4d7cae-96bb-4f4c-8da1-64abe8c5fd05').filter((type) => type.startsWith('microsoft.storage'))).toEqual([]);
    expect(stores('northwind-sandbox')).toEqual(['cloudresourcemanager.googleapis.com/Project']);
  });

  test('keys grow slowly with size', () => {
    const keys = (resources: number): number =>
      buildEstate({ resources, asOf, limits: { awsRegions: 2 } }).counts.aws['AWS::KMS::Key'] ?? 0;
    expect(keys(100_000)).toBeLessThan(keys(2000) * 3);
  });

  test('is mostly sound, and every kind of trouble is there', () => {
    const large = buildEstate({ seed: 1, resources: 10_000, asOf });
    const troubles = new Map<string, number>();
    let sound = 0;
    let stores = 0;
    for (const population of [
      ...large.aws.populations,
      ...large.gcp.populations,
      ...large.azure.populations.filter((one) => one.table === 'resources'),
    ]) {
      if (/KMS|IAM|keyvault|cloudkms|cloudresourcemanager/.test(population.type)) {
        for (let i = 0; i < population.count; i += 1) for (const trouble of population.record(i).troubles) troubles.set(trouble, 1);
        continue;
      }
      for (let i = 0; i < population.count; i += 1) {
        const record = population.record(i);
        stores += 1;
        if (record.troubles.length === 0) sound += 1;
        for (const trouble of record.troubles) troubles.set(trouble, (troubles.get(trouble) ?? 0) + 1);
      }
    }
    expect(sound / stores).toBeGreaterThan(0.65);
    expect(sound / stores).toBeLessThan(0.85);
    expect([...troubles.keys()].sort()).toEqual([
      'administrator-policy',
      'aws-managed-key',
      'aws-owned-key',
      'customer-supplied-key',
      'decrypts-everything',
      'direct-grant',
      'disk-set-no-rotation',
      'google-managed-key',
      'identity-cannot-decrypt',
      'identity-cannot-wrap',
      'key-administrators-use',
      'key-destroy-scheduled',
      'key-disabled',
      'key-imported-expiring',
      'key-in-another-account',
      'key-in-software',
      'key-long-rotation',
      'key-no-rotation',
      'key-not-recorded',
      'key-open-policy',
      'key-open-to-a-partner',
      'key-open-to-the-organisation',
      'key-outside-the-organisation',
      'key-pending-deletion',
      'key-rotation-off',
      'key-without-agent',
      'no-infrastructure-encryption',
      'not-action',
      'open-to-a-partner',
      'open-to-everyone',
      'pinned-old-version',
      'platform-key',
      'public-data-access',
      'public-read',
      's3-managed-key',
      'secrets-not-encrypted',
      'secrets-platform-key',
      'service-scope-keys',
      'snapshot-public',
      'snapshot-shared',
      'sqs-managed-key',
      'unencrypted',
      'vault-in-another-tenant',
      'vault-no-purge-protection',
      'vault-not-found',
      'vault-open-network',
      'vault-soft-delete-off',
      'wide-data-access',
    ]);
  });

  test('can be small', () => {
    const small = buildEstate({ resources: 200, asOf, limits: { awsAccounts: 2, awsRegions: 1, azureSubscriptions: 2, gcpProjects: 2 } });
    expect(small.aws.accounts).toHaveLength(2);
    expect(new Set(small.aws.populations.map((population) => population.region))).toEqual(new Set(['eu-west-1']));
    expect(small.counts.aws['AWS::CloudTrail::Trail']).toBe(1);
    expect(small.counts.gcp['storage.googleapis.com/Bucket']).toBeGreaterThan(0);
  });
});

describe('the estate hangs together', () => {
  const estate = buildEstate({ seed: 5, resources: 6000, asOf });
  const records = (type: string) =>
    estate.azure.populations
      .filter((population) => population.type === type)
      .flatMap((population) => Array.from({ length: population.count }, (_, i) => population.record(i)));

  test('an Azure identity that is to unwrap holds a policy or a role, on the vault or above; a planted one does not', () => {
    const vaults = records('microsoft.keyvault/vaults').map(
      ({ row }) =>
        row as unknown as {
          id: string;
          properties: {
            vaultUri: string;
            enableRbacAuthorization?: boolean;
            accessPolicies: { objectId: string; permissions: { keys: string[] } }[];
          };
        },
    );
    const grants = records('microsoft.authorization/roleassignments').map(
      ({ row }) => row['properties'] as { principalId: string; roleDefinitionId: string; scope: string },
    );
    let checked = 0;
    for (const { row, troubles } of records('microsoft.storage/storageaccounts')) {
      const { encryption } = row['properties'] as {
        encryption: { keyvaultproperties?: { keyvaulturi: string }; identity?: { userAssignedIdentity?: string } };
      };
      const vault = vaults.find((one) => one.properties.vaultUri === `${encryption.keyvaultproperties?.keyvaulturi ?? ''}/`);
      if (vault === undefined) continue;
      const identity = row['identity'] as { principalId?: string; userAssignedIdentities?: Record<string, { principalId: string }> };
      const principal =
        encryption.identity?.userAssignedIdentity === undefined
          ? identity.principalId
          : identity.userAssignedIdentities?.[encryption.identity.userAssignedIdentity]?.principalId;
      const byPolicy = vault.properties.accessPolicies.some(
        (policy) =>
          policy.objectId === principal &&
          ['get', 'wrapkey', 'unwrapkey'].every((need) => policy.permissions.keys.some((key) => key.toLowerCase() === need)),
      );
      const byRole = grants.some(
        (grant) =>
          grant.principalId === principal &&
          grant.roleDefinitionId.endsWith('e147488a-f6f5-4113-8e2d-b22465e65bf6') &&
          vault.id.startsWith(grant.scope),
      );
      expect([row['id'], vault.properties.enableRbacAuthorization === true ? byRole : byPolicy]).toEqual([
        row['id'],
        !troubles.includes('identity-cannot-wrap'),
      ]);
      checked += 1;
    }
    expect(checked).toBeGreaterThan(100);
  });

  test('a KMS key that an AWS store names is recorded, unless planted otherwise', () => {
    const keys = new Map<string, string>();
    for (const population of estate.aws.populations.filter((one) => one.type === 'AWS::KMS::Key'))
      for (let i = 0; i < population.count; i += 1) {
        const item = population.record(i);
        keys.set(item.arn, String(item.configuration['keyManager']));
      }
    for (const population of estate.aws.populations.filter((one) => one.type === 'AWS::EC2::Volume')) {
      for (let i = 0; i < population.count; i += 1) {
        const { configuration, troubles } = population.record(i);
        const key = configuration['kmsKeyId'] as string | null;
        const expected = key === null ? undefined : keys.get(key);
        if (troubles.includes('unencrypted')) expect(key).toBeNull();
        else if (troubles.some((trouble) => trouble === 'key-outside-the-organisation' || trouble === 'key-not-recorded'))
          expect(expected).toBeUndefined();
        else expect(expected).toBe(troubles.includes('aws-managed-key') ? 'AWS' : 'CUSTOMER');
      }
    }
  });
});

test('apportions by weight, exactly', () => {
  expect(apportion(10, [1, 1, 1])).toEqual([4, 3, 3]);
  expect(apportion(7, [0, 5, 2])).toEqual([0, 5, 2]);
  expect(apportion(0, [1, 2])).toEqual([0, 0]);
});

test('random values depend on names alone', () => {
  expect(random(1, 'a', 'b').guid()).toBe(random(1, 'a', 'b').guid());
  expect(random(1, 'a', 'b').guid()).not.toBe(random(1, 'ab').guid());
  expect(random(1, 'a').guid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
