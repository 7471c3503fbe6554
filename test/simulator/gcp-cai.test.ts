import type { AssetServiceClient, protos } from '@google-cloud/asset';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { assetClient } from '../support/simulator-clients.ts';

const asOf = '2026-09-30T12:00:00.000Z';
const readTime = { seconds: Date.parse(asOf) / 1000, nanos: 0 };
const organization = 'organizations/437812905561';
type Asset = protos.google.cloud.asset.v1.IAsset;

describe('Cloud Asset Inventory', () => {
  let simulator: Simulator;
  let client: AssetServiceClient;
  beforeAll(async () => {
    simulator = await startSimulator({ resources: 8000, asOf, quotas: 'off' });
    client = assetClient(simulator);
  });
  afterAll(async () => {
    await client.close();
    await simulator.close();
  });

  async function list(of: {
    parent?: string;
    contentType?: 'RESOURCE' | 'IAM_POLICY' | 'ORG_POLICY';
    assetTypes?: string[];
  }): Promise<{ assets: Asset[]; sizes: number[] }> {
    const assets: Asset[] = [];
    const sizes: number[] = [];
    let pageToken = '';
    do {
      const [page, , raw] = await client.listAssets(
        {
          parent: of.parent ?? organization,
          contentType: of.contentType ?? 'RESOURCE',
          assetTypes: of.assetTypes ?? [],
          pageSize: 1000,
          readTime,
          ...(pageToken === '' ? {} : { pageToken }),
        },
        { autoPaginate: false },
      );
      assets.push(...page);
      sizes.push(page.length);
      pageToken = raw?.nextPageToken ?? '';
    } while (pageToken !== '');
    return { assets, sizes };
  }

  test('lists every asset once, in pages that may be short, as many as it searches', async () => {
    const { assets, sizes } = await list({});
    expect(assets).toHaveLength(Object.values(simulator.estate.counts.gcp).reduce((a, b) => a + b, 0));
    expect(new Set(assets.map((asset) => asset.name)).size).toBe(assets.length);
    expect(sizes.slice(0, -1).some((size) => size < 1000)).toBe(true);
    let found = 0;
    let pageToken = '';
    do {
      const [results, , raw] = await client.searchAllResources(
        { scope: organization, pageSize: 500, ...(pageToken === '' ? {} : { pageToken }) },
        { autoPaginate: false },
      );
      expect(results.length).toBeLessThanOrEqual(500);
      found += results.length;
      pageToken = raw?.nextPageToken ?? '';
    } while (pageToken !== '');
    expect(found).toBe(assets.length);
  });

  test('scopes by folder and project, by id or number, and by type or pattern', async () => {
    const buckets = await list({ assetTypes: ['storage.googleapis.com/Bucket'] });
    const production = await list({ parent: 'folders/561200934410', assetTypes: ['storage.googleapis.com/Bucket'] });
    const development = await list({ parent: 'projects/northwind-development', assetTypes: ['storage.googleapis.com/Bucket'] });
    const byNumber = await list({ parent: 'projects/300100200304', assetTypes: ['storage.googleapis.com.*'] });
    expect(production.assets.length + development.assets.length).toBe(buckets.assets.length);
    expect(byNumber.assets.map((asset) => asset.name)).toEqual(development.assets.map((asset) => asset.name));
  });

  test('carries data as Struct, policies with conditions, and organisation policies', async () => {
    const bucket = (await list({ assetTypes: ['storage.googleapis.com/Bucket'] })).assets[0];
    expect(bucket?.resource?.data?.fields?.['projectNumber']).toMatchObject({ stringValue: expect.stringMatching(/^\d+$/) as string });
    const projects = await list({ contentType: 'IAM_POLICY', assetTypes: ['cloudresourcemanager.googleapis.com/Project'] });
    expect(
      projects.assets.some((asset) => asset.iamPolicy?.bindings?.some((binding) => (binding.condition?.expression ?? '') !== '') === true),
    ).toBe(true);
    expect(projects.assets[0]?.resource).toBeNull();
    const policies = await list({ contentType: 'ORG_POLICY' });
    expect(policies.assets[0]?.orgPolicy?.map((policy) => policy.constraint)).toContain('constraints/gcp.restrictNonCmekServices');
  });

  test('the Cloud SQL name and the type disagree, disks name key versions, secrets name project numbers', async () => {
    const sql = (await list({ assetTypes: ['sqladmin.googleapis.com/Instance'] })).assets[0];
    expect(sql?.name).toMatch(/^\/\/cloudsql\.googleapis\.com\//);
    const disks = (await list({ assetTypes: ['compute.googleapis.com/Disk'] })).assets;
    const key = disks
      .map((disk) => disk.resource?.data?.fields?.['diskEncryptionKey']?.structValue?.fields?.['kmsKeyName']?.stringValue)
      .find((name) => typeof name === 'string');
    expect(key).toMatch(/\/cryptoKeyVersions\/\d+$/);
    expect((await list({ assetTypes: ['secretmanager.googleapis.com/Secret'] })).assets[0]?.name).toMatch(/projects\/\d+\/secrets/);
  });

  test('every key a store names is there, but for the planted ones', async () => {
    const keys = new Set((await list({ assetTypes: ['cloudkms.googleapis.com/CryptoKey'] })).assets.map((asset) => asset.name));
    for (const asset of (await list({ assetTypes: ['storage.googleapis.com/Bucket'] })).assets) {
      const name = asset.resource?.data?.fields?.['encryption']?.structValue?.fields?.['defaultKmsKeyName']?.stringValue;
      if (typeof name !== 'string') continue;
      const planted = simulator.truth(asset.name ?? '');
      expect(keys.has(`//cloudkms.googleapis.com/${name}`)).toBe(
        !planted?.some((trouble) => trouble === 'key-outside-the-organisation' || trouble === 'key-not-recorded'),
      );
    }
  });

  test('searches policies', async () => {
    const [results] = await client.searchAllIamPolicies({ scope: 'projects/northwind-keys', pageSize: 10 }, { autoPaginate: false });
    expect(results.length).toBe(10);
  });

  test('refuses with the codes of gRPC', async () => {
    await expect(client.listAssets({ parent: 'organizations/1', contentType: 'RESOURCE' }, { autoPaginate: false })).rejects.toMatchObject({
      code: 7,
    });
    await expect(
      client.listAssets({ parent: organization, contentType: 'RESOURCE', assetTypes: ['nonsense'] }, { autoPaginate: false }),
    ).rejects.toMatchObject({ code: 3 });
    await expect(
      client.listAssets({ parent: organization, contentType: 'RESOURCE', pageToken: 'made-up' }, { autoPaginate: false }),
    ).rejects.toMatchObject({ code: 3 });
    await expect(
      client.listAssets(
        { parent: organization, contentType: 'RESOURCE', readTime: { seconds: readTime.seconds - 40 * 86_400 } },
        { autoPaginate: false },
      ),
    ).rejects.toMatchObject({ code: 3 });
    await expect(
      client.listAssets(
        { parent: organization, contentType: 'RESOURCE', readTime: { seconds: Math.floor(Date.now() / 1000) + 86_400 } },
        { autoPaginate: false },
      ),
    ).rejects.toMatchObject({ code: 3 });
    await expect(
      client.analyzeOrgPolicies({ scope: organization, constraint: 'constraints/x' }, { autoPaginate: false }),
    ).rejects.toMatchObject({ code: 12 });
  });
});
