import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/collectors/registry.ts';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { documentJudge } from '../../src/controls/assess/try.ts';
import { rollUp } from '../../src/model/index.ts';
import type { OracleRow } from './oracle-table.ts';
import { tables } from './tables.ts';

const root = join(import.meta.dirname, '../..');
const file = join(root, '../shared/oracles/verdicts.jsonl');
const given = existsSync(file);
const rows: OracleRow[] = given
  ? readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as OracleRow)
  : [];

/** Every published verdict on these subjects has to be judged by a control of ours. */
const topics = ['encryption-cmk', 'encryption-cmek', 'key-rotation'];

describe.each(tables)('verdicts that others published: $cloud', (table) => {
  const own = rows.filter((row) => row.cloud === table.cloud);
  const controlOf = (row: OracleRow): string | undefined =>
    table.judgedByType?.[`${row.control_key} ${row.resource_type}`] ?? table.judgedBy[row.control_key];

  test.skipIf(!given)('those on customer managed keys, rotation and settings of keys are all judged', () => {
    const unjudged = own.filter((row) => topics.includes(row.control_topic) && controlOf(row) === undefined);
    expect(unjudged.map((row) => `${row.id} ${row.control_key}`)).toEqual([]);
    expect(own.length).toBeGreaterThan(0);
  });

  test.skipIf(!given)('ours agree, or differ for a documented reason', async () => {
    const catalogue = await loadCatalogue(join(root, 'controls.yaml'));
    const found: Record<string, string> = {};
    for (const row of own) {
      const target = controlOf(row);
      if (target === undefined) continue;
      const judge = documentJudge(catalogue, readDocument, { asOf: '2026-11-22T00:00:00Z', parameters: table.parameters?.(row) ?? {} });
      const results = judge({ id: row.id, type: row.resource_type, document: row.input, related: row.context, complete: [] });
      if (typeof results === 'string') throw new Error(`${row.id}: ${results}`);
      const judged = target.split(' + ').map((part) => {
        const [control, check = 'main'] = part.split('/');
        // A check that takes over the provider's own verdict has nothing to say on a document.
        const native = catalogue.controls
          .find((one) => one.control.id === control)
          ?.checks.some((one) => one.id === check && one.kind === 'verdict');
        if (native === true) return { status: 'unknown' as const, reason: 'only a verdict of the provider decides, and none is given' };
        const result = results.find((one) => one.control === control && one.check === check);
        if (result === undefined) throw new Error(`${row.id}: ${part} does not judge ${row.resource_type}`);
        return result;
      });
      const status = rollUp(judged.map((result) => result.status));
      const ours = judged.find((result) => result.status === status);
      if (ours === undefined) throw new Error(`${row.id}: nothing judged`);
      const documented = table.differences[row.id];
      if (documented !== undefined && documented.ours === row.expected)
        found[row.id] = `documented as a difference, but both say ${row.expected}`;
      else if (ours.status !== (documented?.ours ?? row.expected))
        found[row.id] = `they say ${row.expected}, we say ${ours.status}: ${ours.reason}`;
    }
    expect(found).toEqual({});
  });

  test.skipIf(!given)('every documented difference belongs to a verdict that is judged, and none makes a pass of a fail', () => {
    for (const [id, difference] of Object.entries(table.differences)) {
      const row = own.find((candidate) => candidate.id === id);
      expect(row, id).toBeDefined();
      expect(row === undefined ? undefined : controlOf(row), id).toBeDefined();
      expect(difference.because.length, id).toBeGreaterThan(40);
      if (difference.ours === 'pass') throw new Error(`${id}: we pass what others fail`);
    }
  });
});
