import { describe, expect, test } from 'vitest';
import { evaluate } from '../../src/simulator/kql-evaluate.ts';
import { KqlError, parseKql, type Step } from '../../src/simulator/kql.ts';
import type { JsonObject } from '../../src/model/index.ts';

const row: JsonObject = {
  id: '/subscriptions/1/x',
  type: 'Microsoft.Storage/storageAccounts',
  name: 'Alpha-one',
  n: 5,
  empty: '',
  gone: null,
  tags: { 'data-classification': 'critical' },
  properties: { a: { b: [{ c: 'x' }] }, on: true },
};
const holds = (condition: string): unknown =>
  evaluate((parseKql(`t | where ${condition}`).steps[0] as Extract<Step, { step: 'where' }>).condition, row);

describe('conditions', () => {
  test.each([
    ["type =~ 'microsoft.storage/storageaccounts'", true],
    ["type == 'microsoft.storage/storageaccounts'", false],
    ["type != 'x'", true],
    ["type in~ ('a', 'microsoft.storage/storageaccounts')", true],
    ["type in ('a', 'microsoft.storage/storageaccounts')", false],
    ["type !in~ ('a')", true],
    ["name contains 'PHA-o'", true],
    ["name has 'one'", true],
    ["name has 'lph'", false],
    ["name startswith 'alpha'", true],
    ["id !startswith '/subscriptions/'", false],
    ["name endswith 'ONE'", true],
    ['isnotempty(name)', true],
    ['isnotempty(empty)', false],
    ['isnotempty(gone)', false],
    ['isempty(nothing)', true],
    ['isnull(gone)', true],
    ["tags['data-classification'] == 'critical'", true],
    ["properties.a.b[0].c == 'x'", true],
    ['properties.on == true', true],
    ["tostring(properties.on) =~ 'TRUE'", true],
    ["tolower(name) == 'alpha-one'", true],
    ['n > 4 and n <= 5', true],
    ["name == 'q' or not(name == 'z')", true],
    ["(name == 'q' or n == 5) and type =~ 'x'", false],
  ])('%s', (condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });
});

describe('queries', () => {
  test('knows which types are asked for', () => {
    expect(parseKql("Resources | where type =~ 'Microsoft.Compute/disks' | project id").types).toEqual(['microsoft.compute/disks']);
    expect(parseKql("resources | where name == 'x' and type in~ ('A/b', 'C/d')").types).toEqual(['a/b', 'c/d']);
    expect(parseKql('resources | project id').types).toBeNull();
    expect(parseKql("resources | where type =~ 'a/b' | where name == 'x'").typesOnly).toBe(true);
    expect(parseKql("resources | where type =~ 'a/b' and name == 'x'").typesOnly).toBe(false);
  });
  test.each([
    'resources | mv-expand tags',
    'resources | join kind=inner (x) on id',
    'resources | where',
    'resources | where nosuch(name)',
    'resources | summarize avg(n)',
    "resources | where name ? 'x'",
    'resources | project id, | take 1',
  ])('refuses %s', (query) => {
    expect(() => parseKql(query)).toThrow(KqlError);
  });
});
