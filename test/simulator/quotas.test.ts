import { SelectResourceConfigCommand } from '@aws-sdk/client-config-service';
import { describe, expect, test } from 'vitest';
import { startSimulator } from '../../src/simulator/index.ts';
import { openQuotas } from '../../src/simulator/quotas.ts';
import { assetClient, configClient, graphClient } from '../support/simulator-clients.ts';

const asOf = '2026-09-30T12:00:00.000Z';

describe('quotas', () => {
  test('Resource Graph: 15 in a window of five seconds, then none until it closes', () => {
    let now = 0;
    const quotas = openQuotas('published', () => now);
    const take = () => quotas.take('azure-resource-graph', 'user');
    for (let i = 0; i < 15; i += 1) expect(take()).toMatchObject({ allowed: true, remaining: 14 - i });
    now = 4000;
    expect(take()).toEqual({ allowed: false, remaining: 0, waitMilliseconds: 1000 });
    now = 5000;
    expect(take()).toMatchObject({ allowed: true, remaining: 14 });
    expect(quotas.refused()).toEqual({ 'azure-resource-graph': 1 });
  });

  test('Asset Inventory: 100 at once, then one every 600 ms; projects apart', () => {
    let now = 0;
    const quotas = openQuotas('published', () => now);
    for (let i = 0; i < 100; i += 1) expect(quotas.take('gcp-list-assets', 'a').allowed).toBe(true);
    expect(quotas.take('gcp-list-assets', 'a')).toMatchObject({ allowed: false, waitMilliseconds: 600 });
    expect(quotas.take('gcp-list-assets', 'b').allowed).toBe(true);
    now = 600;
    expect(quotas.take('gcp-list-assets', 'a').allowed).toBe(true);
    expect(quotas.take('gcp-list-assets', 'a').allowed).toBe(false);
  });

  test('can be scaled and switched off', () => {
    let now = 0;
    const fast = openQuotas({ scale: 10 }, () => now);
    for (let i = 0; i < 15; i += 1) fast.take('azure-resource-graph', 'user');
    expect(fast.take('azure-resource-graph', 'user')).toMatchObject({ allowed: false, waitMilliseconds: 500 });
    now = 500;
    expect(fast.take('azure-resource-graph', 'user').allowed).toBe(true);
    const off = openQuotas('off', () => now);
    expect(Array.from({ length: 1000 }, () => off.take('aws-config', 'a').allowed).every(Boolean)).toBe(true);
  });

  test('the servers throttle as the services do', async () => {
    const simulator = await startSimulator({ resources: 300, asOf, quotas: { scale: 0.01 } });
    try {
      const aws = configClient(simulator);
      const select = () =>
        aws.send(new SelectResourceConfigCommand({ Expression: "SELECT resourceId WHERE resourceType = 'AWS::KMS::Key'" }));
      for (let i = 0; i < 10; i += 1) await select();
      await expect(select()).rejects.toMatchObject({ name: 'ThrottlingException' });
      // Another account is another bucket.
      await configClient(simulator, { account: '222233334444' }).send(
        new SelectResourceConfigCommand({ Expression: "SELECT resourceId WHERE resourceType = 'AWS::KMS::Key'" }),
      );

      const graph = graphClient(simulator);
      const headers: (string | undefined)[] = [];
      const ask = () =>
        graph.resources(
          { query: 'resources | summarize count()' },
          {
            onResponse: (raw) => {
              headers.push(raw.headers.get('x-ms-user-quota-remaining'), raw.headers.get('x-ms-user-quota-resets-after'));
            },
          },
        );
      for (let i = 0; i < 15; i += 1) await ask();
      await expect(ask()).rejects.toMatchObject({ statusCode: 429, code: 'RateLimiting' });
      expect(headers.slice(0, 2)).toEqual(['14', '00:08:20']);
      expect(headers.at(-2)).toBe('0');

      const gcp = assetClient(simulator);
      const list = () =>
        gcp.listAssets({ parent: 'projects/northwind-keys', contentType: 'RESOURCE', pageSize: 1 }, { autoPaginate: false, retry: null });
      await Promise.all(Array.from({ length: 100 }, list));
      await expect(list()).rejects.toMatchObject({ code: 8 });
      await gcp.close();
      expect(simulator.refused()).toEqual({ 'aws-config': 1, 'azure-resource-graph': 1, 'gcp-list-assets': 1 });
    } finally {
      await simulator.close();
    }
  });
});
