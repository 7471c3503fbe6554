import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { documentJudge } from '../../src/controls/assess/try.ts';
import { readDocument } from '../../src/collectors/registry.ts';
import type { Json } from '../../src/model/index.ts';
import { casesAsOf, root } from '../support/cases.ts';

/** docs/adding-a-control.md shows a control of the catalogue: what it shows has to be what there is. */
const text = readFileSync(join(root, 'docs/adding-a-control.md'), 'utf8');
const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, body]) => ({ language, body: body ?? '' }));
const yaml = blocks.filter((block) => block.language === 'yaml').map((block) => parse(block.body) as unknown);

interface Shown {
  readonly name: string;
  readonly expect: string;
  readonly document?: Json;
  readonly related?: readonly { readonly type: string; readonly document: Json }[];
  readonly complete?: readonly string[];
  readonly reason?: string;
}

describe('the walkthrough', () => {
  const catalogue = loadCatalogue(join(root, 'controls.yaml'));
  const judge = async (request: {
    type: string;
    document: Json;
    related?: NonNullable<Shown['related']>;
    complete?: readonly string[];
  }) => {
    const results = documentJudge(await catalogue, readDocument, { asOf: casesAsOf })({ id: '1', related: [], complete: [], ...request });
    if (typeof results === 'string') throw new Error(results);
    return results.find((result) => result.control === 'aws-sns-topic-cmk');
  };

  test('shows the check as it stands in the catalogue', () => {
    const [control] = parse(readFileSync(join(root, 'controls/aws/sns.yaml'), 'utf8')) as [Record<string, unknown>];
    const shown = yaml.find((block) => typeof block === 'object' && block !== null && 'require' in block);
    expect(shown).toBeDefined();
    for (const [key, value] of Object.entries(shown as Record<string, unknown>)) expect(control[key], key).toEqual(value);
  });

  test('shows cases that come out as it says', async () => {
    const cases = yaml.find((block): block is Shown[] => Array.isArray(block)) ?? [];
    expect(cases.length).toBeGreaterThanOrEqual(5);
    for (const one of cases) {
      if (one.document === undefined) continue;
      const result = await judge({
        type: 'AWS::SNS::Topic',
        document: one.document,
        related: one.related ?? [],
        complete: one.complete ?? [],
      });
      expect(result?.status, one.name).toBe(one.expect);
      if (one.reason !== undefined) expect(result?.reason, one.name).toContain(one.reason);
    }
  });

  test('shows a command whose answer is the one it prints', async () => {
    const command = blocks.find((block) => block.language === 'sh' && block.body.includes('controls try'))?.body ?? '';
    const request = JSON.parse(/'(\{[\s\S]*\})'/.exec(command)?.[1] ?? '') as { type: string; document: Json; complete: string[] };
    const printed = JSON.parse(
      (blocks.find((block) => block.language === 'json' && block.body.includes('"status"'))?.body ?? '').replace('[…]', '[]'),
    ) as { status: string; reason: string };
    const result = await judge(request);
    expect({ status: result?.status, reason: result?.reason }).toEqual({ status: printed.status, reason: printed.reason });
  });
});
