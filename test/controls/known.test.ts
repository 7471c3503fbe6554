import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/model/index.ts';
import { judge } from '../support/language.ts';
import { catalogueOf, head, problemsOf } from '../support/catalogues.ts';
import { lintCatalogue } from '../../src/controls/catalogue/lint.ts';
import { loadCatalogueSources } from '../../src/controls/catalogue/load.ts';

const statusOf = (require: Record<string, Json>, value: Json, provider: 'aws' | 'azure' = 'aws'): string =>
  judge({ require: { field: 'state', ...require } }, { state: value }, provider).status;

describe('known values', () => {
  const states = ['Enabled', 'Disabled', 'PendingDeletion'];
  test.each([
    [{ notIn: ['PendingDeletion'], known: states }, 'Enabled', 'pass'],
    [{ notIn: ['PendingDeletion'], known: states }, 'PendingDeletion', 'fail'],
    [{ notIn: ['PendingDeletion'], known: states }, 'PendingOblivion', 'unknown'],
    [{ notIn: ['PendingDeletion'] }, 'PendingOblivion', 'pass'],
    [{ notEquals: 'Disabled', known: states }, '', 'unknown'],
    [{ equals: 'Enabled', known: states }, 'enabled', 'unknown'],
    [{ equals: 'Enabled', known: states }, true, 'unknown'],
    [{ equals: 'Enabled', known: states }, 'Disabled', 'fail'],
    [{ notMatches: '^role/', known: '^(role|user)/' }, 'user/a', 'pass'],
    [{ notMatches: '^role/', known: '^(role|user)/' }, 'group/a', 'unknown'],
    [{ containsNone: ['everyone'], known: '^(everyone$|user:)' }, ['user:a'], 'pass'],
    [{ containsNone: ['everyone'], known: '^(everyone$|user:)' }, ['user:a', '*'], 'unknown'],
    [{ containsNone: ['everyone'], known: '^(everyone$|user:)' }, ['everyone', '*'], 'fail'],
    [{ containsAny: ['everyone'], known: '^(everyone$|user:)' }, ['*'], 'unknown'],
    [{ containsOnly: ['user:a'], known: '^(everyone$|user:)' }, ['user:a', '*'], 'unknown'],
    [{ containsNone: ['everyone'], known: '^(everyone$|user:)', single: true }, '*', 'unknown'],
    [{ matches: 'x', known: '^x' }, 'x'.repeat(5000), 'unknown'],
  ] as [Record<string, Json>, Json, string][])('%j of %j is %s', (require, value, status) => {
    expect(statusOf(require, value)).toBe(status);
  });
  test('are without case where values are', () => {
    expect(statusOf({ equals: 'Enabled', known: ['Enabled', 'Disabled'] }, 'ENABLED', 'azure')).toBe('pass');
    expect(statusOf({ equals: 'Enabled', known: '^(Enabled|Disabled)$' }, 'disabled', 'azure')).toBe('fail');
  });
  test('apply to what a conversion makes of the value', () => {
    expect(statusOf({ as: 'lower', notEquals: 'off', known: ['on', 'off'] }, 'ON')).toBe('pass');
  });
  test('decide nothing of what is not there', () => {
    expect(
      judge({ require: { field: 'state', equals: 'a', known: ['a'], ifMissing: { then: false, when: 'other' } } }, { other: {} }).status,
    ).toBe('fail');
  });
  test('in `when`, make applicability unknown', () => {
    const parts = { when: { field: 'manager', equals: 'CUSTOMER', known: ['CUSTOMER', 'AWS'] }, require: { field: 'on', equals: true } };
    expect(judge(parts, { manager: 'AWS', on: false }).status).toBe('notapplicable');
    expect(judge(parts, { manager: '', on: true }).status).toBe('unknown');
  });
  test('the reason says the value, and the evidence why', () => {
    const { reason, leaves } = judge({ require: { field: 'state', notIn: ['a'], known: ['a', 'b'] } }, { state: 'c' });
    expect(reason).toBe('state cannot be judged: it is c, which is none of the values that the control knows of');
    expect(leaves[0]).toMatchObject({ observed: 'c', outcome: 'unknown', because: 'unlisted' });
    expect(judge({ require: { field: 'state', containsNone: ['a'], known: ['a', 'b'] } }, { state: ['b', 'c'] }).reason).toContain(
      'it holds c, which',
    );
  });
});

const entry = 'name: Test\nversion: 1.0.0\nsections: [AWS / Storage]\ninclude: [controls/*.yaml]\n';
const control = (require: string): Record<string, string> => ({
  'controls.yaml': entry,
  'controls/a.yaml': `${head('aws-a')}  on: AWS::S3::Bucket\n  require: ${require}\n`,
});

test.each([
  ['{ field: a, equals: x, known: [y] }', /"x" is compared with, and not known/],
  ['{ field: a, notIn: [x, z], known: "^x$" }', /"z" is compared with, and not known/],
  ['{ field: a, equals: x, known: [] }', /`known` takes a list of values of one type, or a pattern/],
  ['{ field: a, equals: x, known: [x, 1] }', /`known` takes a list/],
  ['{ field: a, equals: x, known: "(a+)+$" }', /without nested repetition/],
  ['{ field: a, isEmpty: true, known: [x] }', /`known` has no meaning for `isEmpty`/],
])('%s is a mistake', async (require, message) => {
  expect((await problemsOf(control(require))).join('\n')).toMatch(message);
});

test.each([
  ['{ field: a, notEquals: x }', 1],
  ['{ field: a, notIn: [x, y] }', 1],
  ['{ not: { field: a, equals: x } }', 1],
  ['{ none: { in: list, as: one, where: { field: $one, in: [x] } } }', 1],
  ['{ field: a, equals: x }', 0],
  ['{ field: a, notEquals: x, known: [x, y] }', 0],
  ['{ field: a, notEquals: x, because: "every other value is meant" }', 0],
  ['{ field: a, notEquals: 7 }', 0],
  ['{ field: a, notEquals: { ref: b } }', 0],
])('the lint asks for them where any other text leads towards a pass: %s', async (require, count) => {
  const found = lintCatalogue(await loadCatalogueSources(catalogueOf(control(require))), { cases: null });
  expect(found.filter(({ rule }) => rule === 'others-decide')).toHaveLength(count);
});
