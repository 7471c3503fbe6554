import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operations } from '../../../src/collectors/aws-config/outcome.ts';

test('the published policy grants what the collector calls, and nothing else', () => {
  const policy = JSON.parse(readFileSync(new URL('../../../docs/permissions/aws-policy.json', import.meta.url), 'utf8')) as {
    Statement: { Effect: string; Action: string[]; Resource: string }[];
  };
  const granted = policy.Statement.flatMap((statement) => statement.Action);
  expect(granted.toSorted()).toEqual(operations.map((operation) => `config:${operation}`).toSorted());
  expect(new Set(granted).size).toBe(granted.length);
  expect(policy.Statement.every((statement) => statement.Effect === 'Allow')).toBe(true);
  for (const action of granted) expect(action).toMatch(/^config:(Select|Get|Describe)/); // reads only
});
