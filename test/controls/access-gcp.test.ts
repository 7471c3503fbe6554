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
  ])('the access list of a dataset with %s for a domain', (held, wide) => {
    const dataset = record({
      type: 'bigquery.googleapis.com/Dataset',
      uid: '//bigquery.googleapis.com/projects/data-prod/datasets/d',
      account: 'data-prod',
      document: { ancestors, resource: { data: { access: [{ role: held, domain: 'partner.example' }] } } },
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

  test('is not complete where a level above is not, or a binding cannot be read', () => {
    expect(readersOf([onBucket()], bucketOf, ['iam-policy:storage.googleapis.com/Bucket'])).toMatchObject({ complete: false });
    expect(readersOf([onBucket({ role: 'roles/storage.objectViewer' })], bucketOf)).toMatchObject({ complete: false });
    expect(readersOf([onBucket()], { ...bucketOf, document: {} })).toMatchObject({ complete: false });
  });
});
