import { describe, expect, test } from 'vitest';
import { operators } from '../../src/controls/language/operators.ts';
import { replacement } from '../../src/evidence/redaction/rules.ts';
import type { Json } from '../../src/model/index.ts';
import { judge, record, truth } from '../support/language.ts';

/** A withheld value was there, and nobody knows what it was: it decides nothing, in either direction. */

const gone = replacement('password');
const expectedOf: Record<string, Json> = {
  equals: gone,
  notEquals: 'a',
  sameAs: 'other',
  in: [gone, 'a'],
  notIn: ['a'],
  matches: '.',
  notMatches: 'a',
  startsWith: '[',
  endsWith: ']',
  containsText: 'redacted',
  contains: gone,
  containsAll: [gone],
  containsAny: [gone],
  containsNone: ['a'],
  containsOnly: [gone],
  before: 'asOf',
  after: 'asOf-P1D',
  olderThan: 'P1D',
  newerThan: 'P1D',
  validFor: 'P1D',
  atLeast: 1,
  atMost: 1,
  lessThan: 1,
  greaterThan: 1,
  isEmpty: false,
};

describe('a redacted value', () => {
  test.each(operators.map(({ name, listed }) => ({ name, listed })))('is unknown to $name', ({ name, listed }) => {
    const value: Json = name === 'isEmpty' ? `x ${gone}` : gone;
    const leaf = { field: 'secret', [name]: expectedOf[name] ?? null, ...(name === 'isEmpty' && { type: 'string' }) };
    expect(truth(leaf, { secret: value, other: gone })).toBe('unknown');
    expect(truth({ not: leaf }, { secret: value, other: gone })).toBe('unknown');
    if (listed === true) {
      expect(truth(leaf, { secret: [value] })).toBe('unknown');
      expect(truth({ ...leaf, single: true }, { secret: value })).toBe('unknown');
    }
  });

  test('is unknown where only a part of it was withheld', () => {
    expect(truth({ field: 'url', startsWith: 'https://' }, { url: `https://user:${gone}@db` })).toBe('unknown');
  });

  test('is unknown as the value to compare with', () => {
    expect(truth({ field: 'a', equals: { ref: 'b' } }, { a: 'x', b: gone })).toBe('unknown');
    expect(truth({ field: 'a', notIn: { ref: 'b' } }, { a: 'x', b: ['y', gone] })).toBe('unknown');
  });

  test.each<[string, Json]>([
    ['a conversion', { path: 'secret', as: 'length' }],
    ['another conversion', { path: 'secret', as: 'upper' }],
    ['a text', { text: 'x{secret}' }],
    ['a part', { split: 'secret', on: ':', at: 0 }],
    ['a replacement', { replace: 'secret', pattern: '.*', with: 'fine' }],
    ['a decoding', { decode: ['base64'], path: 'secret' }],
  ])('leaves nothing to judge in %s of it', (_name, binding) => {
    const { status } = judge(
      {
        let: { v: binding },
        require: {
          any: [
            { field: '$v', notEquals: 'never' },
            { field: '$v', atLeast: 0 },
          ],
        },
      },
      { secret: gone },
    );
    expect(status).toBe('unknown');
  });

  test('finds nothing in a table', () => {
    const found = judge(
      { let: { key: { lookup: 'aws.kms.key', by: 'secret' } }, require: { field: '$key.good', equals: true } },
      { secret: gone },
      'aws',
      {
        lookup: () => ({ outcome: 'found', records: [record('k', { good: true })], complete: true }),
      },
    );
    expect(found.status).toBe('unknown');
    expect(found.reason).toContain('withheld');
  });

  test('inside a decoded policy leaves the rest of it readable', () => {
    const policy = JSON.stringify({ Statement: [{ Effect: 'Allow', Sid: gone }] });
    const parts = (field: string): Parameters<typeof judge>[0] => ({
      let: { p: { decode: ['json'], path: 'policy' } },
      require: { some: { in: '$p.Statement', as: 's', where: { field, equals: 'Allow' } } },
    });
    expect(judge(parts('$s.Effect'), { policy }).status).toBe('pass');
    expect(judge(parts('$s.Sid'), { policy }).status).toBe('unknown');
  });

  test('was there: its presence can be told', () => {
    expect(truth({ field: 'secret', present: true }, { secret: gone })).toBe('true');
    expect(truth({ field: 'secret', present: false }, { secret: gone })).toBe('false');
  });

  test('a list decides by the elements that are known', () => {
    expect(truth({ field: 'list', contains: 'a' }, { list: ['a', gone] })).toBe('true');
    expect(truth({ field: 'list', containsNone: ['a'] }, { list: ['b', gone] })).toBe('unknown');
    expect(truth({ field: 'list', containsOnly: ['a'] }, { list: ['b', gone] })).toBe('false');
  });

  test('says so', () => {
    expect(judge({ require: { field: 'secret', equals: 'x' } }, { secret: gone })).toMatchObject({
      status: 'unknown',
      leaves: [{ outcome: 'unknown', because: 'redacted' }],
    });
  });
});
