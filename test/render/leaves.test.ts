import { describe, expect, test } from 'vitest';
import type { Json, Leaf } from '../../src/model/index.ts';
import { expectedText, observedText } from '../../src/render/leaves.ts';

const leaf = (operator: string, expected: Json, observed?: Json): Leaf => ({
  id: 'l',
  path: 'p',
  operator,
  expected,
  outcome: 'true',
  ...(observed === undefined ? {} : { observed }),
});

describe('what a condition asked for and saw', () => {
  test.each([
    [leaf('none', 'no entry matches'), 'that no entry matches'],
    [leaf('present', true), 'to be present'],
    [leaf('present', false), 'to be absent'],
    [leaf('isEmpty', false), 'not to be empty'],
    [leaf('lookup', 'found'), 'to be found'],
    [leaf('notIn', ['a']), 'not in ["a"]'],
    [leaf('equals', 'no entry matches'), 'equals "no entry matches"'],
  ])('%j is expected as "%s"', (one, words) => {
    expect(expectedText(one)).toBe(words);
  });
  test.each<[Json | undefined, string]>([
    [{ count: 5, matching: 1, witnesses: [{ position: 0, entry: { a: 1 } }] }, '1 of 5 entries matches; decided by [0] {"a":1}'],
    [{ count: 1, matching: 0, incomplete: 'a part was denied' }, '0 of 1 entry match; the list is not whole: a part was denied'],
    [{ count: 1, matching: 1, other: 2 }, '{"count":1,"matching":1,"other":2}'],
    ['no list', '"no list"'],
    [undefined, '(nothing there)'],
  ])('of a list %j is observed as %s', (observed, words) => {
    expect(observedText(leaf('some', 'at least one entry matches', observed))).toBe(words);
  });
  test('an object that only looks like a list stays as it is, and nothing invisible passes', () => {
    expect(observedText(leaf('equals', 1, { count: 1, matching: 1 }))).toBe('{"count":1,"matching":1}');
    expect(observedText(leaf('none', 'no entry matches', { count: 1, matching: 1, incomplete: 'a\u202eb' }))).toContain('[U+202E]');
  });
});
