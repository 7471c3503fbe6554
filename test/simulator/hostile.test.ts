import { SelectResourceConfigCommand } from '@aws-sdk/client-config-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildEstate, type Simulator, startSimulator } from '../../src/simulator/index.ts';
import { hostileKinds, hostileTexts, printJson } from '../../src/simulator/estate/hostile.ts';
import { assetClient, configClient, graphClient } from '../support/simulator-clients.ts';

const asOf = '2026-09-30T12:00:00.000Z';

describe('a hostile estate', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ resources: 2000, asOf, quotas: 'off', hostile: true });
  });
  afterAll(() => simulator.close());

  test('has the same records as a peaceful one', () => {
    const peaceful = buildEstate({ resources: 2000, asOf });
    expect(simulator.estate.counts).toEqual(peaceful.counts);
    expect([...simulator.estate.planted()]).toEqual([...peaceful.planted()]);
  });

  test('AWS: every value arrives as it was written, numbers and repeated keys included', async () => {
    const text = [];
    for (const type of ['AWS::EC2::Volume', 'AWS::S3::Bucket']) {
      const answer = await configClient(simulator, { account: '222233334444' }).send(
        new SelectResourceConfigCommand({ Expression: `SELECT resourceId, configuration, tags WHERE resourceType = '${type}'` }),
      );
      text.push(...(answer.Results ?? []));
    }
    expect(text.length).toBeGreaterThan(hostileKinds);
    const all = text.join('\n');
    expect(all).toContain('"tenantNote":9007199254740993}');
    expect(all).toContain('"tenantNote":-1e400}');
    expect(all).toContain('{"twice":"first","twice":"second"}');
    expect(all).toContain('"__proto__":{"polluted":true}');
    const notes = text.map((row) => (JSON.parse(row) as { configuration: { tenantNote: unknown } }).configuration.tenantNote);
    for (const hostile of hostileTexts) expect(notes).toContain(hostile);
    expect(notes.some((note) => Array.isArray(note) && note.length === 10_000)).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('Azure and Google Cloud carry them too', async () => {
    const graph = await graphClient(simulator).resources({
      query: "resources | where type =~ 'microsoft.storage/storageaccounts' | project id, tags, properties | order by id asc",
      options: { top: 1000 },
    });
    const rows = graph.data as { tags: Record<string, string>; properties: { tenantNote: unknown } }[];
    expect(rows.map((row) => row.properties.tenantNote)).toContain(hostileTexts[0]);
    expect(rows.every((row) => Object.hasOwn(row.tags, '__proto__'))).toBe(true);
    const client = assetClient(simulator);
    const [assets] = await client.listAssets(
      { parent: 'organizations/437812905561', contentType: 'RESOURCE', assetTypes: ['storage.googleapis.com/Bucket'], pageSize: 1000 },
      { autoPaginate: false },
    );
    await client.close();
    expect(assets.map((asset) => asset.resource?.data?.fields?.['tenantNote']?.stringValue)).toContain(hostileTexts[2]);
  });
});

test('writes out JSON that no value can hold', () => {
  expect(printJson({ a: 'plain', b: '\u0000raw 12345678901234567890\u0000', c: '\u0000raw {"k":1,"k":2}\u0000' })).toBe(
    '{"a":"plain","b":12345678901234567890,"c":{"k":1,"k":2}}',
  );
});
