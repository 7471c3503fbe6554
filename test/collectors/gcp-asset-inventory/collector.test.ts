import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { doctor } from '../../../src/collectors/collect.ts';
import { gcpAssetInventory } from '../../../src/collectors/gcp-asset-inventory/collector.ts';
import { querySchema } from '../../../src/model/index.ts';
import type { Simulator } from '../../../src/simulator/index.ts';
import { hurried, hurriedPacers, silent } from '../../support/aws.ts';
import { asOf, collectGcp, entriesOf, falselyComplete, needsOf, quickDirectory, readBack, simulate } from '../../support/clouds.ts';

const bucket = 'storage.googleapis.com/Bucket';
const key = 'cloudkms.googleapis.com/CryptoKey';
const organization = 'organizations/437812905561';

let simulator: Simulator;
let directory: ReturnType<typeof quickDirectory>;
let clean: Awaited<ReturnType<typeof readBack>>;
beforeAll(async () => {
  simulator = await simulate(600);
  const first = quickDirectory();
  await collectGcp(simulator, first.path);
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

describe('a clean collection', () => {
  test('every project and type is complete: held equals what the search API counts, and all is read back', async () => {
    const ledger = await collectGcp(simulator, directory.path);
    expect(ledger.entries.filter((entry) => entry.status !== 'complete')).toEqual([]);
    const found = await readBack(directory.path);
    for (const entry of ledger.entries) {
      expect(found.get(`${entry.account} ${entry.type}`)?.size ?? 0, `${entry.account} ${entry.type}`).toBe(entry.held);
      if (entry.type === 'org-policy') expect(entry.count).toBeNull();
      else
        expect(entry.count, `${entry.account} ${entry.type}`).toMatchObject({
          count: entry.held,
          source: entry.type.startsWith('iam-policy:')
            ? 'Cloud Asset Inventory: SearchAllIamPolicies'
            : 'Cloud Asset Inventory: SearchAllResources',
        });
    }
    expect(entriesOf(ledger, bucket).reduce((sum, entry) => sum + entry.held, 0)).toBeGreaterThan(3);
    expect(ledger.scopes.map((scope) => scope.account)).toEqual(
      expect.arrayContaining([organization, ...simulator.estate.gcp.projects.map((project) => project.id)]),
    );
  });

  test('a project with nothing in it is there; policies above projects belong to folder and organisation', async () => {
    const ledger = await collectGcp(simulator, directory.path);
    expect(entriesOf(ledger, bucket).find((entry) => entry.account === 'northwind-sandbox')).toMatchObject({
      status: 'complete',
      held: 0,
      count: { count: 0 },
    });
    expect(
      entriesOf(ledger, 'iam-policy:cloudresourcemanager.googleapis.com/Organization').find((entry) => entry.account === organization),
    ).toMatchObject({ status: 'complete', held: 1 });
    expect(entriesOf(ledger, 'org-policy').find((entry) => entry.account === organization)?.held).toBe(1);
  });

  test('all series read at one instant; a page is the message in proto3 JSON with the resource as plain JSON', async () => {
    const ledger = await collectGcp(simulator, directory.path);
    const stored = join(directory.path, 'evidence', 'gcp-asset-inventory', 'organizations.437812905561', 'resource-keys');
    const query = querySchema.parse(JSON.parse(readFileSync(join(stored, 'query.json'), 'utf8')));
    expect(query).toMatchObject({ status: 'complete', operation: 'ListAssets', readTime: asOf, types: [key], identity: 'loopback' });
    const page = JSON.parse(readFileSync(join(stored, 'page-000001.json'), 'utf8')) as {
      readTime: string;
      assets: { name: string; assetType: string; updateTime: string; ancestors: string[]; resource: { data: Record<string, unknown> } }[];
    };
    expect(Date.parse(page.readTime)).toBe(Date.parse(asOf));
    const asset = page.assets[0];
    expect(asset).toMatchObject({ assetType: key, ancestors: expect.arrayContaining([organization]) as unknown });
    expect(asset?.updateTime).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/);
    expect(asset?.resource.data).toMatchObject({
      name: expect.stringMatching(/^projects\//) as unknown,
      purpose: expect.any(String) as unknown,
    });
    const keys = entriesOf(ledger, key).find((entry) => entry.held > 0);
    expect(keys?.freshness.oldest).toMatch(/Z$/);
    expect((keys?.freshness.oldest ?? '') <= (keys?.freshness.newest ?? '')).toBe(true);
  });
});

describe('scopes', () => {
  test('projects can be collected one by one; one that cannot be read is denied under its own id', async () => {
    const ledger = await collectGcp(simulator, directory.path, {
      scopes: { gcp: [{ projects: ['northwind-payments', 'nobody-knows-it'] }] },
    });
    expect(ledger.scopes.map((scope) => [scope.account, scope.status])).toEqual([
      ['nobody-knows-it', 'denied'],
      ['northwind-payments', 'complete'],
    ]);
    expect(entriesOf(ledger, bucket).find((entry) => entry.account === 'nobody-knows-it')).toMatchObject({
      status: 'denied',
      reasons: [{ code: 'access-denied' }],
    });
    expect(falselyComplete(ledger, await readBack(directory.path), clean)).toEqual([]);
  });

  test('an organisation that cannot be read is denied for every type', async () => {
    const ledger = await collectGcp(simulator, directory.path, { scopes: { gcp: [{ organization: '1' }] } });
    expect(ledger.entries.length).toBeGreaterThan(3);
    expect(new Set(ledger.entries.map((entry) => `${entry.account} ${entry.status} ${entry.reasons[0]?.code}`))).toEqual(
      new Set(['organizations/1 denied access-denied']),
    );
  });
});

describe('faults', () => {
  const buckets = { operation: 'ListAssets', type: bucket };

  test.each([
    'throttle',
    'hang',
    'truncated-body',
    'empty-page-with-token',
    'repeated-token',
    'lost-page',
    'duplicated-page',
    'reordered-rows',
  ] as const)('%s once is overcome', async (kind) => {
    simulator.inject({ kind, match: buckets });
    const ledger = await collectGcp(simulator, directory.path);
    expect(ledger.entries.filter((entry) => entry.status !== 'complete')).toEqual([]);
    expect(falselyComplete(ledger, await readBack(directory.path), clean)).toEqual([]);
  });

  test.each([
    ['access-denied', 'denied', 'access-denied'],
    ['expired-credentials', 'denied', 'expired-credentials'],
    ['throttle-without-hint', 'failed', 'throttled'],
    ['http-503', 'failed', 'server-error'],
    ['reset', 'failed', 'connection'],
    ['hang', 'failed', 'timeout'],
    ['malformed-json', 'failed', 'malformed-response'],
    ['duplicated-page', 'partial', 'repeated-row'],
    ['lost-page', 'partial', 'count-mismatch'],
    ['clock-skew', 'failed', 'clock-skew'],
  ] as const)('%s that lasts leaves %s, named %s', async (kind, status, code) => {
    simulator.inject({
      kind,
      match: buckets,
      times: 1000,
      ...(kind === 'clock-skew' ? { match: { operation: 'ListAssets' }, nth: 2 } : {}),
    });
    const ledger = await collectGcp(simulator, directory.path);
    const struck = entriesOf(ledger, bucket).filter((entry) => status !== 'partial' || (entry.count?.count ?? 0) > 0);
    expect(new Set(struck.map((entry) => entry.status))).toEqual(new Set([status]));
    expect(
      struck.every((entry) => entry.reasons.some((reason) => reason.code === code)),
      JSON.stringify(struck[0]?.reasons),
    ).toBe(true);
  });

  test('a lost page of IAM policies is found, though their absence would look like nobody having access', async () => {
    simulator.inject({ kind: 'lost-page', match: { operation: 'ListAssets', type: 'IAM_POLICY' }, times: 1000 });
    const ledger = await collectGcp(simulator, directory.path);
    expect(
      entriesOf(ledger, `iam-policy:${key}`)
        .filter((entry) => (entry.count?.count ?? 0) > 0)
        .every((entry) => entry.status === 'partial'),
    ).toBe(true);
    expect(falselyComplete(ledger, await readBack(directory.path), clean)).toEqual([]);
  });

  test('a type that is not enabled costs only itself', async () => {
    simulator.inject({ kind: 'asset-type-not-enabled', match: { type: bucket } });
    const other = 'pubsub.googleapis.com/Topic';
    const ledger = await collectGcp(simulator, directory.path, {
      needs: needsOf({ gcp: [bucket, other, 'cloudresourcemanager.googleapis.com/Project'] }),
    });
    expect(new Set(entriesOf(ledger, bucket).map((entry) => `${entry.status} ${entry.reasons[0]?.code}`))).toEqual(
      new Set(['not-recorded asset-type-unsupported']),
    );
    expect(entriesOf(ledger, other).every((entry) => entry.status === 'complete')).toBe(true);
  });

  test('folders whose own records are refused stay, by the ancestors of what is in them; the organisation says that others may be missing', async () => {
    const folders = (await collectGcp(simulator, directory.path)).scopes
      .filter((scope) => scope.account.startsWith('folders/'))
      .map((scope) => scope.account);
    expect(folders.length).toBeGreaterThan(0);
    const holding = folders.filter((folder) =>
      simulator.estate.gcp.projects.some((project) => project.folder === folder.slice('folders/'.length)),
    );
    simulator.inject({ kind: 'asset-type-not-enabled', match: { type: 'cloudresourcemanager.googleapis.com/Folder' } });
    const ledger = await collectGcp(simulator, directory.path);
    expect(ledger.scopes.map((scope) => scope.account)).toEqual(expect.arrayContaining(holding));
    expect(ledger.scopes.find((scope) => scope.account === organization)).toMatchObject({
      status: 'partial',
      reasons: [{ code: 'invalid-request', message: expect.stringContaining('the list of folders cannot be had') as unknown }],
    });
  });

  test('assets of projects that the hierarchy lost are kept, under their number, and are not complete', async () => {
    simulator.inject({
      kind: 'lost-page',
      match: { operation: 'ListAssets', type: 'cloudresourcemanager.googleapis.com/Project' },
      times: 1000,
    });
    const ledger = await collectGcp(simulator, directory.path);
    const lost = ledger.entries.filter((entry) => /^projects\/\d+$/.test(entry.account) && entry.held > 0);
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every((entry) => entry.status === 'partial' && entry.reasons.some((reason) => reason.code === 'unknown-scope'))).toBe(true);
    expect(entriesOf(ledger, bucket).find((entry) => entry.account === organization)).toMatchObject({ status: 'partial' });
  });

  test('an abort keeps what was collected, and a resumed run completes it', async () => {
    const controller = new AbortController();
    let pages = 0;
    const progress = {
      ...silent,
      page: () => {
        pages += 1;
        if (pages === 4) controller.abort(new Error('stopped'));
      },
    };
    const ledger = await collectGcp(simulator, directory.path, { signal: controller.signal, progress });
    expect(ledger.entries.some((entry) => entry.reasons.some((reason) => reason.code === 'aborted'))).toBe(true);
    const resumed = await collectGcp(simulator, directory.path, { resume: true });
    expect(resumed.entries.filter((entry) => entry.status !== 'complete')).toEqual([]);
    expect(falselyComplete(resumed, await readBack(directory.path), clean)).toEqual([]);
  });
});

describe('doctor', () => {
  const diagnose = (scopes: Parameters<typeof doctor>[0]['config']['scopes']): ReturnType<typeof doctor> =>
    doctor({
      config: { scopes, endpoints: simulator.endpoints },
      needs: needsOf({ gcp: [bucket], iamPolicies: [key], orgPolicies: true }),
      asOf,
      signal: new AbortController().signal,
      progress: silent,
      collectors: [gcpAssetInventory],
      patience: hurried,
      pacers: hurriedPacers(),
    });

  test('a sound set-up passes every check, also of a simulator that has been up for weeks', async () => {
    const findings = await diagnose({ gcp: simulator.config.scopes.gcp });
    // A machine whose clock is before the estate's instant finds the simulator ahead of it.
    const told = Date.now() >= Date.parse(asOf) ? findings : findings.filter((finding) => finding.check !== 'clock');
    expect(told.filter((finding) => !finding.ok)).toEqual([]);
    expect(findings.map((finding) => finding.check)).toEqual([
      'identity',
      'cloudasset.assets.listResource',
      'cloudasset.assets.listIamPolicy',
      'cloudasset.assets.searchAllIamPolicies',
      'cloudasset.assets.listOrgPolicy',
      'cloudasset.assets.searchAllResources',
      'clock',
    ]);
  });

  test('what is missing comes with the command that grants it', async () => {
    const findings = await diagnose({ gcp: [{ organization: '1', quotaProject: 'payer' }] });
    expect(findings.find((finding) => finding.check === 'cloudasset.assets.listResource')).toMatchObject({
      ok: false,
      remedy: expect.stringContaining('gcloud organizations add-iam-policy-binding 1') as unknown,
    });
  });
});
