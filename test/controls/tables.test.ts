import { describe, expect, test } from 'vitest';
import { azureScopesOf, gcpKeyName, gcpRelativeName, parseKmsReference, vaultHost } from '../../src/controls/lookups/references.ts';
import { lookupTable, tableFamilies, tableNames, tablesNeeded } from '../../src/controls/lookups/tables.ts';
import { replacement } from '../../src/evidence/redaction/rules.ts';
import { indexOf, record } from '../support/records.ts';

const id = '11111111-2222-3333-4444-555555555555';
const keyArn = `arn:aws:kms:eu-west-1:111122223333:key/${id}`;
const key = record({
  type: 'AWS::KMS::Key',
  uid: keyArn,
  document: { resourceId: id, configuration: { keyId: id, arn: keyArn, keyManager: 'CUSTOMER', keyState: 'Enabled' } },
});
const alias = record({
  type: 'AWS::KMS::Alias',
  uid: 'arn:aws:kms:eu-west-1:111122223333:alias/data',
  document: { configuration: { AliasName: 'alias/data', TargetKeyId: id } },
});
const volume = record({
  type: 'AWS::EC2::Volume',
  uid: 'arn:aws:ec2:eu-west-1:111122223333:volume/v',
  document: { awsRegion: 'eu-west-1' },
});
const elsewhere = record({
  type: 'AWS::EC2::Volume',
  uid: 'arn:aws:ec2:eu-north-1:111122223333:volume/v',
  document: { awsRegion: 'eu-north-1' },
});
const both = ['AWS::KMS::Key', 'AWS::KMS::Alias'];
const kms = (complete: Parameters<typeof indexOf>[2] = both, records = [key, alias]) =>
  indexOf({ 'aws.kms.key': ['configuration.keyManager'] }, records, complete);

describe('a record whose name was withheld as a secret', () => {
  const withheld = replacement('password');
  const nameless = record({ ...alias, document: { configuration: { AliasName: withheld, TargetKeyId: id } } });

  test('may be any that is not found: a miss is unknown, what is found stays found', () => {
    const missing = kms(both, [key, alias]).lookup('aws.kms.key', 'alias/other', false, volume);
    expect(missing.outcome).toBe('absent');
    const index = kms(both, [key, alias, nameless]);
    expect(index.lookup('aws.kms.key', 'alias/other', false, volume)).toMatchObject({
      outcome: 'unknown',
      because: expect.stringContaining('withheld') as string,
    });
    expect(index.lookup('aws.kms.key', 'alias/data', false, volume).outcome).toBe('found');
  });

  test('is not reached by what was withheld', () => {
    expect(kms(both, [key, nameless]).lookup('aws.kms.key', withheld, false, volume).outcome).toBe('unknown');
  });
});

describe('aws.kms.key', () => {
  test.each([
    ['an ARN', keyArn],
    ['a bare id', id],
    ['a bare id in capitals', id.toUpperCase()],
    ['key/<id>', `key/${id}`],
    ['an alias name', 'alias/data'],
    ['an alias ARN', 'arn:aws:kms:eu-west-1:111122223333:alias/data'],
  ])('is found by %s', (_, reference) => {
    const hit = kms().lookup('aws.kms.key', reference, false, volume);
    expect(hit).toMatchObject({ outcome: 'found', records: [{ uid: keyArn, document: { configuration: { keyManager: 'CUSTOMER' } } }] });
  });

  test('keeps only what is read', () => {
    const hit = kms().lookup('aws.kms.key', keyArn, false, volume);
    expect(hit.outcome === 'found' && hit.records[0]?.document).toEqual({ configuration: { keyManager: 'CUSTOMER' } });
  });

  test('bare ids and aliases belong to the account and region of who names them', () => {
    expect(kms().lookup('aws.kms.key', id, false, elsewhere).outcome).toBe('absent');
    expect(kms().lookup('aws.kms.key', 'alias/data', false, elsewhere).outcome).toBe('absent');
  });

  test('a miss is absent only where the table is whole for that account and region', () => {
    const other = 'arn:aws:kms:eu-west-1:111122223333:key/99999999-2222-3333-4444-555555555555';
    expect(kms().lookup('aws.kms.key', other, false, volume).outcome).toBe('absent');
    expect(kms([]).lookup('aws.kms.key', other, false, volume).outcome).toBe('unknown');
    expect(kms(['AWS::KMS::Key']).lookup('aws.kms.key', 'alias/other', false, volume).outcome).toBe('unknown');
    const scoped = kms((home) => (home.account === '111122223333' ? null : `no evidence of ${home.account}`));
    expect(scoped.lookup('aws.kms.key', `arn:aws:kms:eu-west-1:999988887777:key/${id}`, false, volume)).toMatchObject({
      outcome: 'unknown',
      because: expect.stringContaining('999988887777') as string,
    });
  });

  test.each([
    ['null', null],
    ['a number', 7],
    ['an object', { arn: keyArn }],
    ['nothing', ''],
    ['something else', 'arn:aws:s3:::bucket'],
  ])('%s is unknown, never absent', (_, reference) => {
    expect(kms().lookup('aws.kms.key', reference, false, volume).outcome).toBe('unknown');
  });

  test('a name is unknown where nothing says which account and region it belongs to; an ARN says so itself', () => {
    const nowhere = [
      { ...volume, account: '000000000000' },
      { ...volume, document: {}, scope: { ...volume.scope, region: 'unknown' } },
    ];
    for (const from of nowhere) {
      expect(kms().lookup('aws.kms.key', 'alias/data', false, from).outcome).toBe('unknown');
      expect(kms().lookup('aws.kms.key', id, false, from)).toMatchObject({
        outcome: 'unknown',
        because: expect.stringContaining('names no account') as string,
      });
      expect(kms().lookup('aws.kms.key', keyArn, false, from).outcome).toBe('found');
    }
  });

  test('a record that does not say where it belongs may be any of its name that is not found', () => {
    const adrift = record({ ...alias, uid: 'AWS::KMS::Alias/000000000000/unknown/alias/other', account: '000000000000' });
    const index = kms(both, [key, alias, adrift]);
    expect(index.lookup('aws.kms.key', 'alias/other', false, volume).outcome).toBe('unknown');
    expect(index.lookup('aws.kms.key', 'alias/data', false, volume).outcome).toBe('found');
  });

  test('an id of an odd form is found by its ARN, and never alone', () => {
    const arn = 'arn:aws:kms:eu-west-1:111122223333:key/payments';
    const odd = record({ type: 'AWS::KMS::Key', uid: arn, document: { configuration: { keyId: 'payments', keyManager: 'CUSTOMER' } } });
    expect(kms(both, [odd]).lookup('aws.kms.key', arn, false, volume).outcome).toBe('found');
    expect(kms(both, [odd]).lookup('aws.kms.key', 'payments', false, volume).outcome).toBe('unknown');
  });

  test('an alias without a target is unknown', () => {
    const bare = record({
      type: 'AWS::KMS::Alias',
      uid: 'arn:aws:kms:eu-west-1:111122223333:alias/aws/s3',
      document: { configuration: { AliasName: 'alias/aws/s3' } },
    });
    expect(kms(both, [key, bare]).lookup('aws.kms.key', 'alias/aws/s3', false, volume).outcome).toBe('unknown');
  });

  test('a key recorded twice is one; with different contents nothing can rest on it', () => {
    expect(kms(both, [key, key]).lookup('aws.kms.key', id, false, volume).outcome).toBe('found');
    const changed = { ...key, document: { ...key.document, configuration: { keyId: id, keyManager: 'AWS' } } };
    expect(kms(both, [key, changed]).lookup('aws.kms.key', id, false, volume)).toMatchObject({
      outcome: 'unknown',
      because: expect.stringContaining('twice') as string,
    });
  });

  test('references are read as services write them', () => {
    expect(parseKmsReference(`arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-${'a'.repeat(32)}`, '', '')).toEqual({
      kind: 'key',
      account: '111122223333',
      region: 'us-gov-west-1',
      id: `mrk-${'a'.repeat(32)}`,
    });
    expect(parseKmsReference('my-key', '1', 'r')).toBeNull();
  });
});

describe('Azure tables', () => {
  const sub = 'aaaaaaaa-0000-0000-0000-000000000001';
  const storeId = `/subscriptions/${sub}/resourceGroups/rg-data/providers/Microsoft.Storage/storageAccounts/acc`;
  const store = record({ type: 'microsoft.storage/storageaccounts', uid: storeId.toLowerCase(), document: { tenantId: 'T1' } });
  const vault = record({
    type: 'microsoft.keyvault/vaults',
    uid: `/subscriptions/${sub}/resourcegroups/rg/providers/microsoft.keyvault/vaults/kv`,
    document: { id: 'x', properties: { vaultUri: 'https://KV.vault.azure.net/', enablePurgeProtection: true } },
  });
  const hsm = record({
    type: 'microsoft.keyvault/managedhsms',
    uid: `/subscriptions/${sub}/resourcegroups/rg/providers/microsoft.keyvault/managedhsms/hsm`,
    document: { properties: { hsmUri: 'https://hsm.managedhsm.azure.net/' } },
  });

  test.each(['https://kv.vault.azure.net', 'https://kv.vault.azure.net:443/', 'https://KV.VAULT.azure.net/keys/k/0123'])(
    'a vault is found by %s',
    (uri) => {
      const index = indexOf({ 'azure.keyvault.by-uri': ['properties.enablePurgeProtection'] }, [vault, hsm], []);
      expect(index.lookup('azure.keyvault.by-uri', uri, false, store)).toMatchObject({ outcome: 'found', records: [{ uid: vault.uid }] });
      expect(index.lookup('azure.keyvault.by-uri', 'https://hsm.managedhsm.azure.net/keys/k', false, store)).toMatchObject({
        outcome: 'found',
        records: [{ uid: hsm.uid }],
      });
    },
  );

  test('a vault that is not there may lie in another tenant: unknown even where all is whole', () => {
    const index = indexOf({ 'azure.keyvault.by-uri': [] }, [vault], () => null);
    expect(index.lookup('azure.keyvault.by-uri', 'https://other.vault.azure.net', false, store).outcome).toBe('unknown');
  });

  test('ids compare without case, and are absent where their subscription is whole', () => {
    const des = record({
      type: 'microsoft.compute/diskencryptionsets',
      uid: `/subscriptions/${sub}/resourcegroups/rg/providers/microsoft.compute/diskencryptionsets/des`,
      document: {},
    });
    const index = indexOf({ 'azure.disk-encryption-set.by-id': [] }, [des], ['microsoft.compute/diskencryptionsets']);
    expect(
      index.lookup(
        'azure.disk-encryption-set.by-id',
        `/subscriptions/${sub.toUpperCase()}/resourceGroups/RG/providers/Microsoft.Compute/diskEncryptionSets/DES`,
        false,
        store,
      ).outcome,
    ).toBe('found');
    expect(
      index.lookup(
        'azure.disk-encryption-set.by-id',
        `/subscriptions/${sub}/resourceGroups/rg/providers/Microsoft.Compute/diskEncryptionSets/none`,
        false,
        store,
      ).outcome,
    ).toBe('absent');
  });

  test('scopes above an id, nearest first', () => {
    expect(azureScopesOf(`${storeId}/blobServices/default/containers/c`)).toEqual(
      [
        `${storeId}/blobServices/default/containers/c`,
        `${storeId}/blobServices/default`,
        storeId,
        `/subscriptions/${sub}/resourceGroups/rg-data`,
        `/subscriptions/${sub}`,
      ].map((one) => one.toLowerCase()),
    );
    expect(azureScopesOf(`${storeId}/providers/Microsoft.Authorization/locks/l`)).toContain(storeId.toLowerCase());
    expect(azureScopesOf(`/subscriptions/${sub}`)).toEqual([`/subscriptions/${sub}`]);
  });

  describe('role assignments by scope', () => {
    const assignment = (scope: string, name: string) =>
      record({
        type: 'microsoft.authorization/roleassignments',
        uid: `${scope}/providers/microsoft.authorization/roleassignments/${name}`.toLowerCase(),
        account: 'x',
        document: { properties: { scope, roleDefinitionId: `/x/${name}`, principalId: name } },
      });
    const container = record({
      type: 'microsoft.resources/subscriptions',
      uid: `/subscriptions/${sub}`,
      document: {
        tenantId: 'T1',
        properties: { managedByTenants: [], managementGroupAncestorsChain: [{ name: 'Data' }, { name: 'Root' }] },
      },
    });
    const assignments = [
      storeId,
      `/subscriptions/${sub}/resourceGroups/RG-data`,
      `/subscriptions/${sub}`,
      '/providers/Microsoft.Management/managementGroups/root',
      '/',
      `/subscriptions/${sub}/resourceGroups/rg-other`,
    ].map((scope, at) => assignment(scope, `a${at}`));
    const reads = { 'azure.role-assignments.by-scope': ['properties.principalId'] };
    const principals = (hit: ReturnType<ReturnType<typeof indexOf>['lookup']>): unknown =>
      hit.outcome === 'found' && hit.records.map((one) => (one.document['properties'] as Record<string, unknown>)['principalId']);

    test('finds direct and inherited ones, and no others', () => {
      const hit = indexOf(reads, [container, ...assignments], () => null).lookup('azure.role-assignments.by-scope', storeId, true, store);
      expect(principals(hit)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
      expect(hit).toMatchObject({ complete: true });
    });

    test('of one principal: its own at each level, and those that name nobody', () => {
      const nameless = assignment(`/subscriptions/${sub}`, '');
      const index = indexOf(
        { 'azure.role-assignments.of-principal': ['properties.principalId'] },
        [container, ...assignments, nameless],
        () => null,
      );
      const of = (key: string) => index.lookup('azure.role-assignments.of-principal', key, true, store);
      expect(principals(of(`A2 ${storeId}`))).toEqual(['a2', '']);
      expect(principals(of(`a5 ${storeId}`))).toEqual(['']);
      expect(of(`a0 ${storeId}`)).toMatchObject({ complete: true });
      expect(of('a0 elsewhere')).toMatchObject({ outcome: 'unknown' });
      expect(of(` ${storeId}`)).toMatchObject({ outcome: 'unknown' });
    });

    test('may be more where the subscription, its tenant or its management groups are not whole', () => {
      const all = [container, ...assignments];
      expect(
        indexOf(reads, all, (home) => (home.account === 'tenants/t1' ? 'denied' : null)).lookup(
          'azure.role-assignments.by-scope',
          storeId,
          true,
          store,
        ),
      ).toMatchObject({ outcome: 'found', complete: false });
      expect(indexOf(reads, assignments, () => null).lookup('azure.role-assignments.by-scope', storeId, true, store)).toMatchObject({
        outcome: 'found',
        complete: false,
        because: expect.stringContaining('management groups') as string,
      });
    });
  });

  test('a role definition is one thing under its GUID, wherever it is listed', () => {
    const guid = 'e147488a-f6f5-4113-8e2d-b22465e65bf6';
    const listed = [`/subscriptions/${sub}`, ''].map((at) =>
      record({
        type: 'microsoft.authorization/roledefinitions',
        account: 'x',
        uid: `${at}/providers/microsoft.authorization/roledefinitions/${guid}`,
        document: { properties: { roleName: 'Encryption User' } },
      }),
    );
    const index = indexOf({ 'azure.role-definition': ['properties.roleName'] }, listed, []);
    expect(
      index.lookup(
        'azure.role-definition',
        `/subscriptions/other/providers/Microsoft.Authorization/roleDefinitions/${guid.toUpperCase()}`,
        false,
        store,
      ).outcome,
    ).toBe('found');
  });

  test('vault hosts', () => {
    expect(vaultHost('https://a.vault.azure.cn/keys/x')).toBe('a.vault.azure.cn');
    expect(vaultHost('a.vault.azure.net')).toBeNull();
  });
});

describe('Google Cloud tables', () => {
  const name = 'projects/data-prod/locations/europe-west1/keyRings/ring/cryptoKeys/key';
  const ancestors = ['projects/123', 'folders/4', 'organizations/5'];
  const cryptoKey = record({
    type: 'cloudkms.googleapis.com/CryptoKey',
    uid: `//cloudkms.googleapis.com/${name}`,
    document: { ancestors, resource: { data: { rotationPeriod: '7776000s' } } },
  });
  const project = record({
    type: 'cloudresourcemanager.googleapis.com/Project',
    uid: '//cloudresourcemanager.googleapis.com/projects/data-prod',
    document: { ancestors, resource: { data: { projectId: 'data-prod', projectNumber: '123' } } },
  });
  const bucket = record({
    type: 'storage.googleapis.com/Bucket',
    uid: '//storage.googleapis.com/bucket',
    account: 'data-prod',
    document: { ancestors },
  });

  test.each([
    name,
    `${name}/cryptoKeyVersions/3`,
    `//cloudkms.googleapis.com/${name}`,
    `https://cloudkms.googleapis.com/v1/${name}`,
    name.replace('data-prod', '123'),
  ])('a key is found by %s', (reference) => {
    const index = indexOf({ 'gcp.kms.key': ['resource.data.rotationPeriod'] }, [cryptoKey, project], []);
    expect(index.lookup('gcp.kms.key', reference, false, bucket)).toMatchObject({ outcome: 'found', records: [{ uid: cryptoKey.uid }] });
  });

  test('a key, and its policies, are found by the number of the project without the record of that', () => {
    const numbered = name.replace('data-prod', '123');
    const policy = record({
      kind: 'iam-policy',
      type: 'cloudkms.googleapis.com/CryptoKey',
      uid: cryptoKey.uid,
      document: { ancestors, iamPolicy: { bindings: [] } },
    });
    const index = indexOf({ 'gcp.kms.key': [], 'gcp.kms.key-iam': [] }, [cryptoKey, policy], () => null);
    expect(index.lookup('gcp.kms.key', numbered, false, bucket)).toMatchObject({ outcome: 'found', records: [{ uid: cryptoKey.uid }] });
    expect(index.lookup('gcp.kms.key-iam', numbered, true, bucket)).toMatchObject({ complete: true, records: [{ uid: policy.uid }] });
    expect(index.lookup('gcp.kms.key', name.replace('data-prod', '124'), false, bucket).outcome).toBe('absent');
  });

  test('a key of a project that is whole and does not hold it is absent; of any other, unknown', () => {
    const index = indexOf({ 'gcp.kms.key': [] }, [cryptoKey, project], (home) => (home.account === 'data-prod' ? null : 'not collected'));
    expect(index.lookup('gcp.kms.key', name.replace(/key$/, 'other'), false, bucket).outcome).toBe('absent');
    expect(index.lookup('gcp.kms.key', name.replace('data-prod', 'elsewhere'), false, bucket).outcome).toBe('unknown');
  });

  test("policies in force on a key: its own, the ring's, project's, folders' and organisation's", () => {
    const policy = (type: string, relative: string, of: string[] = ancestors) =>
      record({
        kind: 'iam-policy',
        type,
        uid: `//x.googleapis.com/${relative}`,
        account: 'x',
        document: { ancestors: of, iamPolicy: { bindings: [] } },
      });
    const policies = [
      policy('cloudkms.googleapis.com/CryptoKey', name),
      policy('cloudkms.googleapis.com/KeyRing', name.replace('/cryptoKeys/key', '')),
      policy('cloudresourcemanager.googleapis.com/Project', 'projects/123'),
      policy('cloudresourcemanager.googleapis.com/Folder', 'folders/4', ancestors.slice(1)),
      policy('cloudresourcemanager.googleapis.com/Organization', 'organizations/5', ancestors.slice(2)),
      policy('cloudresourcemanager.googleapis.com/Folder', 'folders/6', ['folders/6']),
    ];
    const at = (complete: Parameters<typeof indexOf>[2], records = [cryptoKey, project, ...policies]) =>
      indexOf({ 'gcp.kms.key-iam': ['iamPolicy'] }, records, complete).lookup(
        'gcp.kms.key-iam',
        `${name}/cryptoKeyVersions/1`,
        true,
        bucket,
      );
    const whole = at(() => null);
    expect(whole).toMatchObject({ outcome: 'found', complete: true });
    expect(whole.outcome === 'found' && whole.records.map((one) => one.uid)).toEqual(
      policies
        .slice(0, 5)
        .map((one) => one.uid)
        .sort((a, b) => policies.findIndex((one) => one.uid === a) - policies.findIndex((one) => one.uid === b)),
    );
    expect(at((home) => (home.account === 'organizations/5' ? 'denied' : null))).toMatchObject({ outcome: 'found', complete: false });
    const byId = { ...cryptoKey, document: { ...cryptoKey.document, ancestors: ['projects/data-prod', ...ancestors.slice(1)] } };
    expect(at(() => null, [byId, project, ...policies])).toMatchObject({ outcome: 'found', complete: false });
    expect(at(() => null, [project, ...policies])).toMatchObject({
      outcome: 'found',
      complete: false,
      because: expect.stringContaining('ancestors') as string,
    });
  });

  test('policies under a name that is no key are found, and may be more', () => {
    const named = record({
      kind: 'iam-policy',
      type: 'cloudkms.googleapis.com/CryptoKey',
      uid: '//cloudkms.googleapis.com/data-prod/global/ring/key',
      document: { ancestors, iamPolicy: { bindings: [] } },
    });
    const hit = indexOf({ 'gcp.kms.key-iam': [] }, [named], () => null).lookup('gcp.kms.key-iam', named.uid, true, bucket);
    expect(hit).toMatchObject({ outcome: 'found', complete: false, records: [{ uid: named.uid }] });
  });

  test('names', () => {
    expect(gcpRelativeName('https://www.googleapis.com/compute/v1/projects/p/zones/z/disks/d')).toBe('projects/p/zones/z/disks/d');
    expect(gcpRelativeName('//storage.googleapis.com/projects/_/buckets/b')).toBe(gcpRelativeName('//storage.googleapis.com/b'));
    expect(gcpKeyName(`${name}/cryptoKeyVersions/12`)).toBe(name);
  });
});

describe('registry', () => {
  test('every table is found by its name, and goes only through tables that exist', () => {
    for (const name of tableNames) {
      expect(lookupTable(name)?.name).toBe(name);
      expect(() => tablesNeeded([name])).not.toThrow();
      expect(lookupTable(name)?.sources.length).toBeGreaterThan(0);
    }
    for (const family of Object.keys(tableFamilies))
      expect(lookupTable(`${family}:AWS::X::Y`)?.name.toLowerCase()).toBe(`${family}:aws::x::y`);
    expect(lookupTable('aws.kms.keys')).toBeUndefined();
    expect(lookupTable('aws.resource:')).toBeUndefined();
    expect(() => tablesNeeded(['nothing'])).toThrow('nothing');
  });

  test('a table that was not indexed is a mistake of the program, not a miss', () => {
    expect(() => kms().lookup('aws.iam.role', 'x', false, volume)).toThrow('aws.iam.role');
  });
});
