import { describe, expect, test } from 'vitest';
import { operators } from '../../src/controls/language/operators.ts';
import type { Json } from '../../src/model/index.ts';
import { truth } from '../support/language.ts';

type Row = [operator: string, expected: Json, observed: Json, outcome: 'true' | 'false' | 'unknown'];

const rows: Row[] = [
  ['equals', 'a', 'a', 'true'],
  ['equals', 'a', 'A', 'false'],
  ['equals', true, true, 'true'],
  ['equals', true, false, 'false'],
  ['equals', 7, 7, 'true'],
  ['equals', 0, -0, 'true'],
  ['equals', true, 'true', 'unknown'],
  ['equals', '7', 7, 'unknown'],
  ['equals', 60, '60.0', 'unknown'],
  ['equals', false, 0, 'unknown'],
  ['equals', false, '', 'unknown'],
  ['equals', 'a', ['a'], 'unknown'],
  ['equals', 'a', { a: 'a' }, 'unknown'],
  ['equals', 1, 9007199254740993, 'unknown'],
  ['notEquals', 'a', 'b', 'true'],
  ['notEquals', 'a', 'a', 'false'],
  ['notEquals', 'a', 5, 'unknown'],
  ['notEquals', 'Enabled', null, 'unknown'],
  ['notEquals', 'a', [], 'unknown'],
  ['in', ['a', 'b'], 'b', 'true'],
  ['in', ['a', 'b'], 'c', 'false'],
  ['in', ['a'], 5, 'unknown'],
  ['in', ['a'], ['a'], 'unknown'],
  ['in', [1, 2], '1', 'unknown'],
  ['in', [], 'a', 'false'],
  ['notIn', ['a', 'b'], 'c', 'true'],
  ['notIn', ['a', 'b'], 'a', 'false'],
  ['notIn', ['a'], null, 'unknown'],
  ['notIn', ['a'], 3, 'unknown'],
  ['matches', '^a+$', 'aaa', 'true'],
  ['matches', '^a+$', 'b', 'false'],
  ['matches', '^a+$', 5, 'unknown'],
  ['matches', 'a', 'a'.repeat(5000), 'unknown'],
  ['notMatches', '^a+$', 'b', 'true'],
  ['notMatches', '^a+$', 'a', 'false'],
  ['notMatches', '^a+$', ['b'], 'unknown'],
  ['notMatches', 'a', 'b'.repeat(5000), 'unknown'],
  ['startsWith', 'ab', 'abc', 'true'],
  ['startsWith', ['x', 'ab'], 'abc', 'true'],
  ['startsWith', 'b', 'abc', 'false'],
  ['startsWith', 'ab', 3, 'unknown'],
  ['endsWith', 'bc', 'abc', 'true'],
  ['endsWith', 'b', 'abc', 'false'],
  ['endsWith', 'b', null, 'unknown'],
  ['containsText', 'b', 'abc', 'true'],
  ['containsText', ['x', 'y'], 'abc', 'false'],
  ['containsText', 'a', ['a'], 'unknown'],
  ['contains', 'a', ['b', 'a'], 'true'],
  ['contains', 'a', ['b'], 'false'],
  ['contains', 'a', [], 'false'],
  ['contains', 'a', 'a', 'unknown'],
  ['contains', 'a', ['b', 5], 'unknown'],
  ['contains', 'a', [5, 'a'], 'true'],
  ['contains', 'a', ['b', null], 'unknown'],
  ['contains', 'a', { a: 'a' }, 'unknown'],
  ['containsAll', ['a', 'b'], ['b', 'a', 'c'], 'true'],
  ['containsAll', ['a', 'b'], ['a'], 'false'],
  ['containsAll', ['a', 'b'], ['a', 7], 'unknown'],
  ['containsAll', ['a'], 'a', 'unknown'],
  ['containsAny', ['a', 'b'], ['b'], 'true'],
  ['containsAny', ['a', 'b'], ['c'], 'false'],
  ['containsAny', ['a', 'b'], ['c', {}], 'unknown'],
  ['containsNone', ['a', 'b'], ['c'], 'true'],
  ['containsNone', ['a', 'b'], ['c', 'b'], 'false'],
  ['containsNone', ['a'], ['c', 5], 'unknown'],
  ['containsNone', ['a'], [5, 'a'], 'false'],
  ['containsNone', ['a'], [], 'true'],
  ['containsNone', ['a'], 'b', 'unknown'],
  ['containsOnly', ['a', 'b'], ['b', 'a'], 'true'],
  ['containsOnly', ['a', 'b'], ['a', 'c'], 'false'],
  ['containsOnly', ['a'], [], 'false'],
  ['containsOnly', ['a'], ['a', null], 'unknown'],
  ['containsOnly', ['a'], ['c', null], 'false'],
  ['atLeast', 7, 7, 'true'],
  ['atLeast', 7, 6.9, 'false'],
  ['atLeast', 7, '8', 'unknown'],
  ['atMost', 7, 7, 'true'],
  ['atMost', 7, 8, 'false'],
  ['atMost', 7, true, 'unknown'],
  ['lessThan', 7, 6, 'true'],
  ['lessThan', 7, 7, 'false'],
  ['lessThan', 7, null, 'unknown'],
  ['greaterThan', 7, 8, 'true'],
  ['greaterThan', 7, 7, 'false'],
  ['greaterThan', 7, [8], 'unknown'],
  ['before', '2026-01-01', '2025-12-31T23:59:59Z', 'true'],
  ['before', '2026-01-01', '2026-01-01T00:00:00Z', 'false'],
  ['before', '2026-01-01', 'soon', 'unknown'],
  ['before', '2026-01-01', 5, 'unknown'],
  ['before', 'asOf+P30D', '2026-07-30T11:59:59Z', 'true'],
  ['before', 'asOf+P30D', '2026-07-30T12:00:00Z', 'false'],
  ['after', 'asOf', '2026-06-30T12:00:01Z', 'true'],
  ['after', 'asOf', '2026-06-30T14:00:00+02:00', 'false'],
  ['after', 'asOf-P1D', '2026-06-30', 'true'],
  ['after', 'asOf', '2026-02-30', 'unknown'],
  ['olderThan', 'P90D', '2026-01-01T00:00:00Z', 'true'],
  ['olderThan', 90, '2026-06-01T00:00:00Z', 'false'],
  ['olderThan', 90, '2027-06-01T00:00:00Z', 'unknown'],
  ['olderThan', 90, 1750000000, 'unknown'],
  ['newerThan', 'P90D', '2026-06-01T00:00:00Z', 'true'],
  ['newerThan', 90, '2026-01-01T00:00:00Z', 'false'],
  ['newerThan', 90, '2026-06-30T12:10:00Z', 'true'],
  ['newerThan', 90, '2026-07-02T12:00:01Z', 'unknown'],
  ['newerThan', 90, '', 'unknown'],
  ['validFor', 30, '2026-07-30T12:00:00Z', 'true'],
  ['validFor', 'P30D', '2026-07-30T11:59:59Z', 'false'],
  ['validFor', 30, '2020-01-01', 'false'],
  ['validFor', 30, 'never', 'unknown'],
  ['isEmpty', true, [], 'true'],
  ['isEmpty', true, [1], 'false'],
  ['isEmpty', false, [1], 'true'],
  ['isEmpty', false, [], 'false'],
  ['isEmpty', true, '', 'unknown'],
  ['isEmpty', true, {}, 'unknown'],
  ['isEmpty', false, 'x', 'unknown'],
];

describe('operators', () => {
  test.each(rows)('%s %j on %j is %s', (operator, expected, observed, outcome) => {
    expect(truth({ field: 'configuration.x', [operator]: expected }, { configuration: { x: observed } })).toBe(outcome);
  });

  test('each has rows for true, false and unknown here', () => {
    const rowsFor = (name: string, outcome: string): number => rows.filter((row) => row[0] === name && row[3] === outcome).length;
    const bare = operators
      .filter(({ name }) => name !== 'sameAs')
      .filter(({ name }) => ['true', 'false', 'unknown'].some((outcome) => rowsFor(name, outcome) === 0));
    expect(bare.map(({ name }) => name)).toEqual([]);
  });

  const samples: Record<string, Json> = {
    before: 'asOf',
    after: 'asOf',
    olderThan: 30,
    newerThan: 30,
    validFor: 30,
    isEmpty: true,
    matches: 'a',
    notMatches: 'a',
    sameAs: 'configuration.y',
  };
  const expectedFor = (operator: (typeof operators)[number]): Json =>
    samples[operator.name] ?? (operator.expected.startsWith('a list') ? ['a'] : operator.expected === 'a number' ? 1 : 'a');

  test.each(operators.map((operator) => [operator.name, operator] as const))(
    '%s is unknown on what is missing, null, or of a type it does not take',
    (name, operator) => {
      const condition = { field: 'configuration.x', [name]: expectedFor(operator) };
      const values: Record<string, Json> = { string: 'text', number: 3, boolean: true, list: ['a'], object: { a: 1 } };
      expect(truth(condition, { configuration: { y: 'a' } })).toBe('unknown');
      expect(truth(condition, { configuration: { x: null, y: 'a' } })).toBe('unknown');
      expect(truth(condition, {})).toBe('unknown');
      for (const [type, value] of Object.entries(values)) {
        if ((operator.observed as readonly string[]).includes(type)) continue;
        expect(truth(condition, { configuration: { x: value, y: 'a' } }), type).toBe('unknown');
        expect(truth({ not: condition }, { configuration: { x: value, y: 'a' } }), `not ${type}`).toBe('unknown');
      }
    },
  );

  test('sameAs compares two fields strictly', () => {
    expect(truth({ field: 'a', sameAs: 'b' }, { a: 'x', b: 'x' })).toBe('true');
    expect(truth({ field: 'a', sameAs: 'b' }, { a: 'x', b: 'y' })).toBe('false');
    expect(truth({ field: 'a', sameAs: 'b' }, { a: 1, b: '1' })).toBe('unknown');
    expect(truth({ field: 'a', sameAs: 'b' }, { a: 'x' })).toBe('unknown');
    expect(truth({ field: 'a', sameAs: 'b' }, { a: null, b: null })).toBe('unknown');
  });

  test('Azure texts compare without case, others with it', () => {
    for (const condition of [
      { field: 'Properties.Mode', equals: 'on' },
      { field: 'properties.mode', in: ['ON'] },
      { field: 'properties.mode', startsWith: 'o' },
      { field: 'properties.mode', matches: '^ON$' },
      { field: 'properties.list', contains: 'A' },
    ] as Json[]) {
      expect(truth(condition, { properties: { mode: 'On', list: ['a'] } }, 'azure')).toBe('true');
      expect(truth(condition, { properties: { mode: 'On', list: ['a'] } }, 'gcp')).not.toBe('true');
    }
  });

  test('a list counts as a lone value only where said so', () => {
    expect(truth({ field: 'a', contains: '*', single: true }, { a: '*' })).toBe('true');
    expect(truth({ field: 'a', contains: '*', single: true }, { a: ['*'] })).toBe('true');
    expect(truth({ field: 'a', contains: '*', single: true }, { a: 'x' })).toBe('false');
    expect(truth({ field: 'a', contains: '*', single: true }, { a: {} })).toBe('unknown');
    expect(truth({ field: 'a', contains: '*', single: true }, { a: 5 })).toBe('unknown');
  });

  test('isEmpty looks at texts and objects only where told so', () => {
    expect(truth({ field: 'a', isEmpty: true, type: 'object' }, { a: {} })).toBe('true');
    expect(truth({ field: 'a', isEmpty: true, type: 'object' }, { a: [] })).toBe('unknown');
    expect(truth({ field: 'a', isEmpty: true, type: 'string' }, { a: '' })).toBe('true');
    expect(truth({ field: 'a', isEmpty: false, type: 'string' }, { a: 5 })).toBe('unknown');
  });
});
