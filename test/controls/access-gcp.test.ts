import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { namesOf, readersOf } from '../support/access.ts';
import { record } from '../support/records.ts';

describe('Google Cloud: IAM roles decide', () => {
  const ancestors = ['projects/123', 'folders/4', 'organizations/5'];
  const bucketOf = record({
    type: 'storage.googleapis.com/Bucket',
    uid: '//storage.googleapis.com/data',
    account: 'data-prod',
    document: { ancestors, resource: { data: { iamConfiguration: { uniformBucketLevelAccess: { enabled: true } } } } },
  });
  const policy = (type: string, relative: string, bindings: JsonObject[], of = ancestors) =>
    record({
      kind: 'iam-policy',
      type,
      uid: `//x.googleapis.com/${relative}`,
      account: 'x',
      document: { ancestors: of, iamPolicy: { bindings } },
    });
  const onBucket = (...bindings: JsonObject[]) => policy('storage.googleapis.com/Bucket', 'data', bindings);
  const onProject = (...bindings: JsonObject[]) => policy('cloudresourcemanager.googleapis.com/Project', 'projects/data-prod', bindings);
  const onFolder = (...bindings: JsonObject[]) =>
    policy('cloudresourcemanager.googleapis.com/Folder', 'folders/4', bindings, ancestors.slice(1));

  test('lists who holds a data-read role on the store or above it', () => {
    const result = readersOf(
      [
        onBucket(
          { role: 'roles/storage.objectViewer', members: ['user:eva@n.example', 'group:g@n.example'] },
          { role: 'roles/storage.objectCreator', members: ['user:writer@n.example'] },
        ),
        onProject({ role: 'roles/owner', members: ['user:o@n.example'] }),
        onFolder({ role: 'roles/storage.admin', members: ['user:f@n.example'], condition: { expression: 'x' } }),
      ],
      bucketOf,
    );
    expect(result.principals.map((one) => [one['principal'], one['inheritedFrom'] ?? null, one['conditional']])).toEqual([
      ['group:g@n.example', null, false],
      ['user:eva@n.example', null, false],
      ['user:f@n.example', 'folders/4', true],
      ['user:o@n.example', 'projects/data-prod', false],
    ]);
    expect(result.complete).toBe(true);
    expect(result.unsettled.join()).toContain('group membership');
  });

  test.each([
    ['allUsers', 'roles/storage.objectViewer', true],
    ['allAuthenticatedUsers', 'roles/storage.legacyObjectReader', true],
    ['domain:other.example', 'roles/storage.objectViewer', true],
    ['domain:other.example', 'roles/storage.legacyBucketOwner', true],
    ['domain:other.example', 'roles/resourcemanager.projectIamAdmin', true],
    ['principalSet://cloudresourcemanager.googleapis.com/organizations/99/type/ServiceAccount', 'roles/storage.objectViewer', true],
    ['principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*', 'roles/iam.workloadIdentityUser', true],
    ['domain:other.example', 'roles/iam.serviceAccountUser', true],
    ['user:a@b.example', 'roles/resourcemanager.projectIamAdmin', undefined],
    ['domain:other.example', 'roles/iap.httpsResourceAccessor', undefined],
    ['allUsers', 'roles/some.newRole', undefined],
    ['allUsers', 'roles/storage.objectCreator', undefined],
    ['allUsers', 'roles/storage.legacyBucketReader', true],
    ['allAuthenticatedUsers', 'roles/storage.legacyBucketWriter', true],
    ['domain:other.example', 'roles/storage.legacyBucketReader', undefined],
    ['user:a@b.example', 'roles/some.newRole', undefined],
  ])('%s with %s', (member, held, wide) => {
    expect(readersOf([onBucket({ role: held, members: [member] })], bucketOf).principals[0]?.['wide']).toBe(wide);
  });

  test('what a role allows that everyone holds is not guessed', () => {
    expect(readersOf([onBucket({ role: 'roles/some.newRole', members: ['allUsers'] })], bucketOf)).toMatchObject({ complete: false });
    expect(readersOf([onBucket({ role: 'roles/some.newRole', members: ['user:a@b.example'] })], bucketOf)).toMatchObject({
      complete: true,
    });
  });

  describe('what a bucket says of itself', () => {
    const bucketWith = (data: JsonObject) =>
      record({
        type: 'storage.googleapis.com/Bucket',
        uid: '//storage.googleapis.com/data',
        account: 'data-prod',
        document: { ancestors, resource: { data } },
      });
    const open = onBucket({ role: 'roles/storage.objectViewer', members: ['allUsers', 'domain:n.example'] });
    const uniform = (enabled: boolean, more: JsonObject = {}): JsonObject => ({
      iamConfiguration: { uniformBucketLevelAccess: { enabled }, ...more },
    });

    test('prevention of public access keeps everyone out, and no domain', () => {
      expect(namesOf(readersOf([open], bucketWith(uniform(true, { publicAccessPrevention: 'enforced' }))))).toEqual(['domain:n.example']);
      expect(namesOf(readersOf([open], bucketWith(uniform(true, { publicAccessPrevention: 'inherited' }))))).toContain('allUsers');
    });

    test('without uniform access the lists of its objects are not known', () => {
      expect(readersOf([onBucket()], bucketWith(uniform(true)))).toMatchObject({ complete: true });
      expect(readersOf([onBucket()], bucketWith(uniform(false)))).toMatchObject({ complete: false });
      expect(readersOf([onBucket()], bucketWith({ iamConfiguration: {} }))).toMatchObject({ complete: false });
      expect(readersOf([onBucket()], bucketWith({}))).toMatchObject({ complete: false });
    });

    test('uniform access under its first name counts where the present one is not given', () => {
      const first = (enabled: Json, more: JsonObject = {}) => bucketWith({ iamConfiguration: { bucketPolicyOnly: { enabled }, ...more } });
      expect(readersOf([onBucket()], first(true))).toMatchObject({ complete: true });
      for (const store of [first(false), first('true'), first(true, { uniformBucketLevelAccess: { enabled: false } })])
        expect(readersOf([onBucket()], store)).toMatchObject({ complete: false });
      expect(readersOf([onBucket()], first(true, { uniformBucketLevelAccess: {} }))).toMatchObject({ complete: false });
    });

    test('its own list shows everyone the names of its objects', () => {
      const listed = { acl: [{ entity: 'allUsers', role: 'READER' }, { entity: 'domain-n.example', role: 'READER' }, 1] };
      expect(namesOf(readersOf([onBucket()], bucketWith({ ...uniform(false), ...listed })))).toEqual(['allUsers']);
      expect(namesOf(readersOf([onBucket()], bucketWith({ ...uniform(true), ...listed })))).toEqual([]);
      expect(
        namesOf(readersOf([onBucket()], bucketWith({ ...uniform(false, { publicAccessPrevention: 'enforced' }), ...listed }))),
      ).toEqual([]);
    });

    test('the list for new objects counts where lists count', () => {
      const listed = {
        defaultObjectAcl: [
          { entity: 'allUsers', role: 'READER' },
          { entity: 'user-eva@n.example', role: 'OWNER' },
        ],
      };
      expect(namesOf(readersOf([onBucket()], bucketWith({ ...uniform(false), ...listed })))).toEqual(['allUsers']);
      expect(namesOf(readersOf([onBucket()], bucketWith({ ...uniform(true), ...listed })))).toEqual([]);
    });

    test('buckets under the same policies do not share what they say of themselves', () => {
      // One analysis serves many stores: the second must not get what was made for the first.
      const both = [open];
      expect(namesOf(readersOf(both, bucketWith(uniform(true, { publicAccessPrevention: 'enforced' }))))).not.toContain('allUsers');
      expect(namesOf(readersOf(both, bucketWith(uniform(true))))).toContain('allUsers');
    });
  });

  test.each([
    ['roles/bigquery.admin', true],
    ['roles/bigquery.filteredDataViewer', true],
    ['READER', true],
    ['roles/bigquery.metadataViewer', undefined],
    ['roles/bigquery.metadataViewer', true, 'allAuthenticatedUsers'],
  ])('the access list of a dataset with %s for many', (held, wide, specialGroup?: string) => {
    const dataset = record({
      type: 'bigquery.googleapis.com/Dataset',
      uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d',
      account: 'data-prod',
      document: {
        ancestors,
        resource: {
          data: { access: [{ role: held, ...(specialGroup === undefined ? { domain: 'partner.example' } : { specialGroup }) }] },
        },
      },
    });
    expect(readersOf([], dataset).principals[0]?.['wide']).toBe(wide);
  });

  test('custom roles are judged by their permissions', () => {
    const custom = record({
      type: 'iam.googleapis.com/Role',
      uid: '//iam.googleapis.com/projects/data-prod/roles/reads',
      document: { resource: { data: { includedPermissions: ['storage.objects.get'] } } },
    });
    const binding = { role: 'projects/data-prod/roles/reads', members: ['user:a@b.example'] };
    expect(namesOf(readersOf([custom, onBucket(binding)], bucketOf))).toEqual(['user:a@b.example']);
    const lost = readersOf([onBucket(binding)], bucketOf);
    expect(namesOf(lost)).toEqual([]);
    expect(lost.unsettled.join()).toContain('projects/data-prod/roles/reads');
  });

  test('a custom role that lists objects counts where everyone holds it', () => {
    const custom = record({
      type: 'iam.googleapis.com/Role',
      uid: '//iam.googleapis.com/projects/data-prod/roles/lists',
      document: { resource: { data: { includedPermissions: ['storage.objects.list'] } } },
    });
    const binding = { role: 'projects/data-prod/roles/lists', members: ['allUsers', 'user:a@b.example'] };
    expect(namesOf(readersOf([custom, onBucket(binding)], bucketOf))).toEqual(['allUsers']);
  });

  test('a policy that does not say what it is of may be any', () => {
    const unnamed = record({
      kind: 'iam-policy',
      type: 'cloudresourcemanager.googleapis.com/Project',
      uid: '1/related/0',
      document: { iamPolicy: { bindings: [{ role: 'roles/storage.objectViewer', members: ['allUsers'] }] } },
    });
    expect(readersOf([onBucket()], bucketOf)).toMatchObject({ complete: true });
    expect(readersOf([onBucket(), unnamed], bucketOf)).toMatchObject({ complete: false });
    const named = (uid: string, of?: string[]) => ({
      ...unnamed,
      uid,
      document: { ...unnamed.document, ...(of ? { ancestors: of } : {}) },
    });
    expect(readersOf([onBucket(), named('//x.googleapis.com/projects/124')], bucketOf)).toMatchObject({ complete: true });
    expect(readersOf([onBucket(), named('projects/other', ['projects/124'])], bucketOf)).toMatchObject({ complete: true });
    // By its id alone a project may be the one that the bucket names by its number.
    expect(readersOf([onBucket(), named('//x.googleapis.com/projects/other')], bucketOf)).toMatchObject({ complete: false });
  });

  test('a store that names its project by its id does not say which policies are in force', () => {
    const store = { ...bucketOf, document: { ...bucketOf.document, ancestors: ['projects/data-prod', 'organizations/5'] } };
    expect(readersOf([onBucket()], store)).toMatchObject({ complete: false });
  });

  test('a table inherits the access list of its dataset', () => {
    const table = record({
      type: 'bigquery.googleapis.com/Table',
      uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d/tables/t',
      document: { ancestors },
    });
    const dataset = (access: Json) =>
      record({
        type: 'bigquery.googleapis.com/Dataset',
        uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d',
        document: { ancestors, resource: { data: { access } } },
      });
    expect(
      readersOf(
        [
          dataset([
            { role: 'READER', specialGroup: 'allAuthenticatedUsers' },
            { role: 'READER', specialGroup: 'allUsers' },
            { role: 'OWNER', userByEmail: 'o@n.example' },
            { view: { tableId: 'v' } },
          ]),
        ],
        table,
      ).principals,
    ).toEqual([
      expect.objectContaining({ principal: 'allAuthenticatedUsers', wide: true }),
      expect.objectContaining({ principal: 'allUsers', kind: 'everyone', wide: true }),
      expect.objectContaining({ principal: 'user:o@n.example', wide: false }),
    ]);
    expect(readersOf([], table)).toMatchObject({ complete: false });
    expect(readersOf([dataset(undefined as unknown as Json)], table)).toMatchObject({ complete: false });
  });

  test('a dataset without its access list is settled by its own IAM policy, which says the same', () => {
    const uid = '//bigquery.googleapis.com/projects/data-prod/datasets/d';
    const at = { uid, account: 'data-prod' };
    const dataset = (data: JsonObject) =>
      record({ ...at, type: 'bigquery.googleapis.com/Dataset', document: { ancestors, resource: { data } } });
    const table = record({ ...at, type: 'bigquery.googleapis.com/Table', uid: `${uid}/tables/t`, document: { ancestors } });
    const own = (...members: string[]) =>
      policy('bigquery.googleapis.com/Dataset', 'projects/data-prod/datasets/d', [{ role: 'roles/bigquery.dataViewer', members }]);
    expect(readersOf([], dataset({}))).toMatchObject({ complete: false });
    expect(readersOf([onProject()], dataset({}))).toMatchObject({ complete: false });
    expect(readersOf([own('projectViewer:data-prod')], dataset({}))).toMatchObject({ complete: true });
    expect(readersOf([own('projectViewer:data-prod')], dataset({ access: 'lost' }))).toMatchObject({ complete: false });
    expect(readersOf([own('allUsers')], dataset({ access: null })).principals[0]?.['wide']).toBe(true);
    expect(readersOf([dataset({}), own('projectViewer:data-prod')], table)).toMatchObject({ complete: true });
    expect(readersOf([dataset({})], table)).toMatchObject({ complete: false });
    expect(namesOf(readersOf([dataset({}), own('allUsers')], table))).toEqual(['allUsers']);
  });

  test('is not complete where a level above is not, or a binding cannot be read', () => {
    expect(readersOf([onBucket()], bucketOf, ['iam-policy:storage.googleapis.com/Bucket'])).toMatchObject({ complete: false });
    expect(readersOf([onBucket({ role: 'roles/storage.objectViewer' })], bucketOf)).toMatchObject({ complete: false });
    expect(readersOf([onBucket()], { ...bucketOf, document: {} })).toMatchObject({ complete: false });
  });

  test.each(['*', 'x', 'everyone', ''])('is not complete where a member has no form of a principal: %j', (member) => {
    expect(readersOf([onBucket({ role: 'roles/storage.objectViewer', members: [member] })], bucketOf)).toMatchObject({ complete: false });
  });
});
