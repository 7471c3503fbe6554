import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { judge, record, truth } from '../support/language.ts';

const t: Json = { field: 'yes', equals: true };
const f: Json = { field: 'no', equals: true };
const u: Json = { field: 'gone', equals: true };
const doc = { yes: true, no: false };

describe('combinators', () => {
  test.each([
    [{ all: [t, t] }, 'true'],
    [{ all: [t, u] }, 'unknown'],
    [{ all: [u, f] }, 'false'],
    [{ all: [f, u] }, 'false'],
    [{ any: [f, f] }, 'false'],
    [{ any: [f, u] }, 'unknown'],
    [{ any: [u, t] }, 'true'],
    [{ not: t }, 'false'],
    [{ not: f }, 'true'],
    [{ not: u }, 'unknown'],
  ] as [Json, string][])('%j is %s', (condition, outcome) => {
    expect(truth(condition, doc)).toBe(outcome);
  });

  test('all keeps the evidence of every member, any that of the members up to the one that decided', () => {
    expect(judge({ require: { all: [f, t, u] } }, doc).leaves.map((leaf) => leaf.outcome)).toEqual(['false', 'true', 'unknown']);
    expect(judge({ require: { any: [f, t, u] } }, doc).leaves.map((leaf) => leaf.outcome)).toEqual(['false', 'true']);
  });

  test('when decides applicability', () => {
    expect(judge({ when: f, require: f }, doc).status).toBe('notapplicable');
    expect(judge({ when: u, require: t }, doc).status).toBe('unknown');
    expect(judge({ when: t, require: f }, doc).status).toBe('fail');
  });
});

describe('absence', () => {
  const present = (document: Record<string, Json>, condition: Record<string, Json>): string =>
    truth({ field: 'a.b.c', ...condition }, document);

  test('present decides only where the container is there', () => {
    expect(present({ a: { b: { c: 1 } } }, { present: true })).toBe('true');
    expect(present({ a: { b: {} } }, { present: true })).toBe('false');
    expect(present({ a: { b: { c: null } } }, { present: true })).toBe('false');
    expect(present({ a: { b: { c: '' } } }, { present: true })).toBe('false');
    expect(present({ a: {} }, { present: true })).toBe('unknown');
    expect(present({ a: { b: 'text' } }, { present: true })).toBe('unknown');
    expect(present({ a: { b: {} } }, { present: false, because: 'test' })).toBe('true');
    expect(present({ a: {} }, { present: false, because: 'test' })).toBe('unknown');
  });

  test('within names a container further up', () => {
    expect(present({ a: {} }, { present: true, within: 'a' })).toBe('false');
    expect(present({}, { present: true, within: 'a' })).toBe('unknown');
    expect(present({ a: null }, { present: true, within: 'a' })).toBe('unknown');
    expect(present({ a: 'text' }, { present: true, within: 'a' })).toBe('unknown');
    expect(present({ a: { b: 7 } }, { present: true, within: 'a' })).toBe('unknown');
  });

  test('type makes another type unknown', () => {
    expect(present({ a: { b: { c: 5 } } }, { present: true, type: 'string' })).toBe('unknown');
    expect(present({ a: { b: { c: 'x' } } }, { present: true, type: 'string' })).toBe('true');
  });

  test('ifMissing gives absence a meaning where a container is there', () => {
    const condition: Json = { field: 'properties.purge', equals: true, ifMissing: { then: false, when: 'properties' } };
    expect(truth(condition, { properties: { purge: true } })).toBe('true');
    expect(truth(condition, { properties: {} })).toBe('false');
    expect(truth(condition, { properties: { purge: null } })).toBe('false');
    expect(truth(condition, { properties: { purge: 'true' } })).toBe('unknown');
    expect(truth(condition, { properties: 'text' })).toBe('unknown');
    expect(truth(condition, { properties: null })).toBe('unknown');
    expect(truth(condition, {})).toBe('unknown');
    const both: Json = { field: 'a.x', equals: 1, ifMissing: { then: false, when: ['a', 'b'] } };
    expect(truth(both, { a: {}, b: {} })).toBe('false');
    expect(truth(both, { a: {} })).toBe('unknown');
  });
});

describe('lists', () => {
  const over = (word: string, list: Json | undefined, extra: Record<string, Json> = {}): string =>
    truth({ [word]: { in: 'list', as: 'e', where: { field: '$e.ok', equals: true }, ...extra } }, list === undefined ? {} : { list });
  const yes = { ok: true };
  const no = { ok: false };
  const lost = {};

  test.each([
    ['some', [yes, lost], 'true'],
    ['some', [no, lost], 'unknown'],
    ['some', [no], 'false'],
    ['some', [], 'false'],
    ['some', undefined, 'unknown'],
    ['some', null, 'unknown'],
    ['some', yes, 'unknown'],
    ['some', 'x', 'unknown'],
    ['some', [null], 'unknown'],
    ['none', [yes, lost], 'false'],
    ['none', [no, lost], 'unknown'],
    ['none', [no], 'true'],
    ['none', [], 'true'],
    ['none', undefined, 'unknown'],
    ['none', [no, 'text'], 'unknown'],
    ['every', [yes, yes], 'true'],
    ['every', [yes, lost], 'unknown'],
    ['every', [no, lost], 'false'],
    ['every', [], 'unknown'],
    ['every', undefined, 'unknown'],
  ] as [string, Json | undefined, string][])('%s over %j is %s', (word, list, outcome) => {
    expect(over(word, list)).toBe(outcome);
  });

  test('every of an empty list only means something where said so', () => {
    expect(over('every', [], { ifEmpty: true })).toBe('true');
    expect(over('every', [], { ifEmpty: false })).toBe('false');
    expect(over('every', undefined, { ifEmpty: true })).toBe('unknown');
  });

  test('single takes a lone object for a list of one', () => {
    expect(over('some', yes, { single: true })).toBe('true');
    expect(over('none', yes, { single: true })).toBe('false');
    expect(over('none', null, { single: true })).toBe('unknown');
  });

  test('ifMissing says what a missing list means', () => {
    expect(over('none', undefined, { ifMissing: { then: true, when: 'other', because: 'test' } })).toBe('unknown');
    expect(
      truth(
        { none: { in: 'a.list', as: 'e', ifMissing: { then: true, when: 'a', because: 'test' }, where: { field: '$e.ok', equals: true } } },
        { a: {} },
      ),
    ).toBe('true');
  });

  test('count is decided only when it is certain', () => {
    const count = (list: Json, bounds: Record<string, Json>): string =>
      truth({ count: { in: 'list', as: 'e', where: { field: '$e.ok', equals: true } }, ...bounds }, { list });
    expect(count([yes, yes, lost], { atLeast: 2 })).toBe('true');
    expect(count([yes, lost], { atLeast: 2 })).toBe('unknown');
    expect(count([yes, no], { atLeast: 2 })).toBe('false');
    expect(count([yes, lost], { atMost: 1 })).toBe('unknown');
    expect(count([yes, yes], { atMost: 1 })).toBe('false');
    expect(count([yes, no], { equals: 1 })).toBe('true');
  });

  test('quantifiers nest, with bindings of their own for each entry', () => {
    const condition: Json = {
      every: {
        in: 'outer',
        as: 'o',
        let: { limit: { path: '$o.limit' } },
        where: { some: { in: '$o.inner', as: 'i', where: { field: '$i', atMost: { ref: '$limit' } } } },
      },
    };
    expect(
      truth(condition, {
        outer: [
          { limit: 1, inner: [5, 1] },
          { limit: 9, inner: [8] },
        ],
      }),
    ).toBe('true');
    expect(
      truth(condition, {
        outer: [
          { limit: 1, inner: [5, 1] },
          { limit: 7, inner: [8] },
        ],
      }),
    ).toBe('false');
  });

  test('leaves the count and the deciding entry as evidence, not every entry', () => {
    const list = Array.from({ length: 500 }, (_, index) => ({ ok: index !== 321 }));
    const { leaves, reason } = judge(
      { require: { id: 'each', every: { in: 'list', as: 'e', where: { id: 'ok', field: '$e.ok', equals: true } } } },
      { list },
    );
    expect(leaves).toEqual([
      {
        id: 'each',
        path: 'list',
        operator: 'every',
        expected: 'every entry matches',
        outcome: 'false',
        source: 0,
        observed: { count: 500, matching: 321, witnesses: [{ position: 321, entry: { ok: false } }] },
      },
      { id: 'each.ok', path: '$e.ok', operator: 'equals', expected: true, observed: false, outcome: 'false', source: 0 },
    ]);
    expect(reason).toBe('in entry 322 of 500 of list, e.ok is false, expected true');
  });
});

describe('bindings', () => {
  const bound = (binding: Json, condition: Json, document: Record<string, Json>): string => judgeLet({ x: binding }, condition, document);
  const judgeLet = (bindings: Record<string, Json>, require: Json, document: Record<string, Json>): string => {
    const { status } = judge({ let: bindings, require }, document);
    return status === 'pass' ? 'true' : status === 'fail' ? 'false' : status;
  };

  test('first takes the first match, and nothing behind an undecided entry', () => {
    const first: Json = { first: 'list', as: 'v', where: { field: '$v.default', equals: true } };
    expect(
      bound(
        first,
        { field: '$x.id', equals: 2 },
        {
          list: [
            { default: false, id: 1 },
            { default: true, id: 2 },
          ],
        },
      ),
    ).toBe('true');
    expect(bound(first, { field: '$x.id', equals: 2 }, { list: [{ id: 1 }, { default: true, id: 2 }] })).toBe('unknown');
    expect(bound(first, { field: '$x', present: true }, { list: [{ default: false }] })).toBe('false');
    expect(bound(first, { field: '$x', present: true }, { list: [{}] })).toBe('unknown');
    expect(bound(first, { field: '$x', present: true }, {})).toBe('unknown');
  });

  test('all keeps the certain matches, and knows that there may be more', () => {
    const all: Json = { all: 'list', as: 'v', where: { field: '$v.keep', equals: true }, get: '$v.id' };
    expect(
      bound(
        all,
        { field: '$x', containsOnly: [1, 2] },
        {
          list: [
            { keep: true, id: 1 },
            { keep: false, id: 9 },
            { keep: true, id: 2 },
          ],
        },
      ),
    ).toBe('true');
    expect(bound(all, { field: '$x', containsNone: [9] }, { list: [{ keep: true, id: 1 }, { id: 9 }] })).toBe('unknown');
    expect(bound(all, { field: '$x', contains: 1 }, { list: [{ keep: true, id: 1 }, { id: 9 }] })).toBe('true');
    expect(bound(all, { field: '$x', isEmpty: true }, { list: [{ id: 9 }] })).toBe('unknown');
    expect(bound(all, { field: '$x', as: 'count', atLeast: 1 }, { list: [{ keep: true, id: 1 }] })).toBe('true');
  });

  test('text, split, replace', () => {
    expect(bound({ text: 'service-{n}@{a.b} {{x}}' }, { field: '$x', equals: 'service-42@host {x}' }, { n: 42, a: { b: 'host' } })).toBe(
      'true',
    );
    expect(bound({ text: 'service-{n}' }, { field: '$x', notEquals: 'service-1' }, {})).toBe('unknown');
    expect(
      bound({ split: 'arn', on: ':', at: 4 }, { field: '$x', equals: '111122223333' }, { arn: 'arn:aws:kms:eu-west-1:111122223333:key/1' }),
    ).toBe('true');
    expect(bound({ split: 'arn', on: ':', at: 4 }, { field: '$x', notEquals: 'a' }, { arn: 'no' })).toBe('unknown');
    expect(bound({ split: 'arn', on: '/' }, { field: '$x', contains: 'b' }, { arn: 'a/b' })).toBe('true');
    expect(
      bound(
        { replace: 'k', pattern: '/cryptoKeyVersions/[^/]+$', with: '' },
        { field: '$x', endsWith: 'cryptoKeys/k' },
        { k: 'p/cryptoKeys/k/cryptoKeyVersions/3' },
      ),
    ).toBe('true');
    expect(bound({ replace: 'k', pattern: 'a', with: '$&$1' }, { field: '$x', equals: '$&$1b' }, { k: 'ab' })).toBe('true');
  });

  test('decode undoes encodings step by step, and knows what it cannot read', () => {
    const policy = { Statement: [{ Effect: 'Allow' }] };
    const condition: Json = { some: { in: '$x.Statement', as: 's', where: { field: '$s.Effect', equals: 'Allow' } } };
    expect(bound({ decode: ['uri', 'json'], path: 'p' }, condition, { p: encodeURIComponent(JSON.stringify(policy)) })).toBe('true');
    expect(bound({ decode: ['uri', 'json'], path: 'p' }, condition, { p: JSON.stringify({ ...policy, note: '100%' }) })).toBe('true');
    expect(bound({ decode: 'json', path: 'p' }, condition, { p: policy })).toBe('true');
    expect(bound({ decode: ['base64', 'json'], path: 'p' }, condition, { p: Buffer.from(JSON.stringify(policy)).toString('base64') })).toBe(
      'true',
    );
    expect(bound({ decode: 'json', path: 'p' }, condition, { p: '{' })).toBe('unknown');
    expect(bound({ decode: 'uri', path: 'p' }, { field: '$x', notEquals: 'a' }, { p: '%E0%A4%A' })).toBe('unknown');
    expect(bound({ decode: 'json', path: 'p' }, condition, {})).toBe('unknown');
  });

  test('choose takes the first case that certainly applies', () => {
    const choose: Json = { choose: [{ when: { field: 'kind', equals: 'user' }, use: 'user.id' }, { use: 'system.id' }] };
    const document = { user: { id: 'u' }, system: { id: 's' } };
    expect(bound(choose, { field: '$x', equals: 'u' }, { ...document, kind: 'user' })).toBe('true');
    expect(bound(choose, { field: '$x', equals: 's' }, { ...document, kind: 'system' })).toBe('true');
    expect(bound(choose, { field: '$x', in: ['u', 's'] }, document)).toBe('unknown');
  });

  test('expected values may be bindings, of which an unknown one decides nothing', () => {
    expect(truth({ field: 'a', equals: { split: 'arn', on: ':', at: 1 } }, { a: 'x', arn: '0:x' })).toBe('true');
    expect(truth({ field: 'a', notEquals: { ref: 'b' } }, { a: 'x' })).toBe('unknown');
    expect(truth({ field: 'a', notEquals: { ref: 'b' } }, { a: 'x', b: 5 })).toBe('unknown');
    expect(truth({ field: 'a', in: { ref: 'b' } }, { a: 'x', b: ['x', 1] })).toBe('unknown');
  });
});

describe('conversions', () => {
  test.each([
    ['number', '60.0', { equals: 60 }, 'true'],
    ['number', 60, { equals: 60 }, 'true'],
    ['number', 'x60', { notEquals: 60 }, 'unknown'],
    ['number', true, { notEquals: 60 }, 'unknown'],
    ['number', '', { notEquals: 0 }, 'unknown'],
    ['number', ' 6', { notEquals: 0 }, 'unknown'],
    ['boolean', 'True', { equals: true }, 'true'],
    ['boolean', 'yes', { notEquals: true }, 'unknown'],
    ['boolean', 0, { equals: false }, 'unknown'],
    ['seconds', '7776000s', { atMost: 7776000 }, 'true'],
    ['seconds', 'P90D', { atMost: 7776000 }, 'true'],
    ['seconds', '90.00:00:00', { equals: 7776000 }, 'true'],
    ['seconds', 90, { atMost: 91 }, 'unknown'],
    ['seconds', '90', { atMost: 91 }, 'unknown'],
    ['seconds', 'P', { atMost: 91 }, 'unknown'],
    ['days', 'P3M', { equals: 90 }, 'true'],
    ['days', 'PT36H', { equals: 1.5 }, 'true'],
    ['epochSeconds', 1767225600, { before: '2026-01-02' }, 'true'],
    ['epochMillis', '1767225600000', { before: '2026-01-02' }, 'true'],
    ['instant', 1767225600000, { before: '2026-01-02' }, 'true'],
    ['instant', '2026-01-01T00:00:00Z', { before: '2026-01-02' }, 'true'],
    ['instant', 1767225600, { before: '2026-01-02' }, 'unknown'],
    ['instant', 'soon', { before: '2026-01-02' }, 'unknown'],
    ['epochSeconds', 'x', { before: '2026-01-02' }, 'unknown'],
    ['epochSeconds', 1e300, { before: '2026-01-02' }, 'unknown'],
    ['version', 'TLS1_2', { atLeast: 1002000 }, 'true'],
    ['version', '1.10', { greaterThan: 1009999 }, 'true'],
    ['version', 'none', { atLeast: 0 }, 'unknown'],
    ['lower', 'ABC', { equals: 'abc' }, 'true'],
    ['upper', 'abc', { equals: 'ABC' }, 'true'],
    ['trim', ' a ', { equals: 'a' }, 'true'],
    ['length', 'abc', { equals: 3 }, 'true'],
    ['lower', 5, { notEquals: 'x' }, 'unknown'],
    ['count', [1, 2], { equals: 2 }, 'true'],
    ['count', 'ab', { equals: 2 }, 'unknown'],
  ] as [string, Json, Record<string, Json>, string][])('as %s of %j, %j is %s', (as, value, operator, outcome) => {
    expect(truth({ field: 'a', as, ...operator }, { a: value })).toBe(outcome);
  });
});

describe('lookups', () => {
  const parts = {
    let: { key: { lookup: 'aws.kms.key', by: 'keyId' } },
    require: { id: 'customer', field: '$key.configuration.keyManager', equals: 'CUSTOMER' },
  };
  const key = record('arn:key', { configuration: { keyManager: 'CUSTOMER' } });

  test('a record found is read and cited', () => {
    const outcome = judge(parts, { keyId: 'k' }, 'aws', { lookup: () => ({ outcome: 'found', records: [key], complete: true }) });
    expect(outcome.status).toBe('pass');
    expect(outcome.joined).toEqual([{ role: '$key', uid: 'arn:key', citation: key.citation }]);
    expect(outcome.leaves.map(({ operator, source, observed }) => ({ operator, source, observed }))).toEqual([
      { operator: 'lookup', source: 1, observed: { table: 'aws.kms.key', key: 'k', hit: 'found' } },
      { operator: 'equals', source: 1, observed: 'CUSTOMER' },
    ]);
  });

  test('a miss is false only where the table is complete, and then only away from a pass', () => {
    const absent = { lookup: () => ({ outcome: 'absent' as const, because: '`k` does not exist' }) };
    expect(judge(parts, { keyId: 'k' }).status).toBe('unknown');
    expect(judge(parts, { keyId: 'k' }, 'aws', absent)).toMatchObject({
      status: 'fail',
      reason: 'key.configuration.keyManager should be CUSTOMER, but `k` does not exist',
    });
    expect(judge({ ...parts, require: { not: parts.require } }, { keyId: 'k' }, 'aws', absent).status).toBe('unknown');
    expect(
      judge({ ...parts, require: { field: '$key.configuration.keyManager', notEquals: 'AWS' } }, { keyId: 'k' }, 'aws', absent).status,
    ).toBe('fail');
    expect(judge({ ...parts, when: parts.require, require: t }, { keyId: 'k', yes: true }, 'aws', absent).status).toBe('unknown');
    expect(judge({ ...parts, require: { field: '$key', present: true } }, { keyId: 'k' }, 'aws', absent).status).toBe('fail');
    expect(judge({ ...parts, require: { field: '$key', present: true } }, { keyId: 'k' }).status).toBe('unknown');
  });

  test('without a key of its own a lookup asks nothing', () => {
    const lookup = (): never => {
      throw new Error('asked');
    };
    for (const document of [{}, { keyId: null }] as Record<string, Json>[]) {
      const outcome = judge(parts, document, 'aws', { lookup });
      expect(outcome.status).toBe('unknown');
      expect(outcome.reason).toContain('keyId');
    }
  });

  test('many records: known in part, only what is seen decides', () => {
    const many = (word: string): { let: Json; require: Json } => ({
      let: { grants: { lookup: 'azure.role-assignments.by-scope', by: 'id', many: true } },
      require: { [word]: { in: '$grants', as: 'g', where: { field: '$g.role', equals: 'owner' } } },
    });
    const found = (
      roles: string[],
      complete: boolean,
    ): { lookup: () => { outcome: 'found'; records: ReturnType<typeof record>[]; complete: boolean } } => ({
      lookup: () => ({ outcome: 'found', records: roles.map((role, index) => record(`grant-${index}`, { role })), complete }),
    });
    expect(judge(many('some'), { id: 'i' }, 'azure', found(['reader', 'owner'], false)).status).toBe('pass');
    expect(judge(many('some'), { id: 'i' }, 'azure', found(['reader'], false)).status).toBe('unknown');
    expect(judge(many('some'), { id: 'i' }, 'azure', found(['reader'], true)).status).toBe('fail');
    expect(judge(many('none'), { id: 'i' }, 'azure', found(['reader'], false)).status).toBe('unknown');
    expect(judge(many('none'), { id: 'i' }, 'azure', found([], true)).status).toBe('pass');
    expect(judge(many('none'), { id: 'i' }, 'azure', found([], false)).status).toBe('unknown');
    expect(judge(many('none'), { id: 'i' }, 'azure', found(['owner'], false)).status).toBe('fail');
    const cited = judge(many('some'), { id: 'i' }, 'azure', found(['reader', 'owner'], true));
    expect(cited.joined.map(({ uid }) => uid)).toEqual(['grant-1']);
    expect(cited.leaves.find(({ path }) => path === '$g.role')?.source).toBe(1);
    expect(
      judge(
        many('none'),
        { id: 'i' },
        'azure',
        found(
          Array.from({ length: 60 }, () => 'reader'),
          true,
        ),
      ).leaves.at(-1)?.observed,
    ).toMatchObject({ count: 60, cited: 25 });
  });

  test('who can read is a list that may be known in part', () => {
    const parts = {
      let: { r: { readers: true } },
      require: { none: { in: '$r.principals', as: 'p', where: { field: '$p.wide', equals: true } } },
    };
    const readers = (wide: boolean[], complete: boolean): Json => ({
      outcome: 'found',
      world: 'data-roles',
      principals: wide.map((one) => ({ principal: 'p', wide: one })),
      unsettled: [],
      complete,
      records: [],
    });
    const status = (given: Json): string => judge(parts, {}, 'gcp', { readers: given as never }).status;
    expect(status(readers([false], true))).toBe('pass');
    expect(status(readers([false], false))).toBe('unknown');
    expect(status(readers([true], false))).toBe('fail');
    expect(judge(parts, {}, 'gcp').status).toBe('unknown');
  });
});

describe('reasons', () => {
  const reason = (require: Json, document: Record<string, Json>): string => judge({ require }, document).reason;

  test('are generated in words', () => {
    expect(reason({ field: 'configuration.encrypted', equals: true }, { configuration: { encrypted: false } })).toBe(
      'configuration.encrypted is false, expected true',
    );
    expect(reason({ field: 'a', in: ['x', 'y'] }, { a: 'z' })).toBe('a is z, expected one of x, y');
    expect(reason({ field: 'a.b', equals: true }, {})).toBe(
      'a.b cannot be judged: what should contain it is not in the collected evidence',
    );
    expect(
      reason(
        {
          any: [
            { field: 'a', equals: 1 },
            { field: 'b', equals: 2 },
          ],
        },
        { a: 5, b: 6 },
      ),
    ).toBe('a is 5, expected 1; and b is 6, expected 2');
    expect(reason({ not: { field: 'a', equals: 1 } }, { a: 1 })).toBe('a is 1');
    expect(reason({ field: 'a', present: true }, {})).toBe('a is not set');
    expect(reason({ some: { in: 'l', as: 'e', where: { field: '$e', equals: 1 } } }, { l: [] })).toBe('l is empty');
    expect(reason({ some: { in: 'l', as: 'e', where: { field: '$e', equals: 1 } } }, { l: [2, 3] })).toBe(
      'none of the 2 entries of l is as required',
    );
    expect(reason({ none: { in: 'l', as: 'e', where: { field: '$e', equals: 1 } } }, { l: [2, 1] })).toBe('in entry 2 of 2 of l, e is 1');
  });

  test("are the author's own where given: the member's within all, the whole's within any", () => {
    const leaf = { field: 'a', equals: 1, otherwise: 'a is {a}, sadly' };
    expect(reason({ all: [leaf], otherwise: 'whole' }, { a: 5 })).toBe('a is 5, sadly');
    expect(reason({ any: [leaf], otherwise: 'whole {b}' }, { a: 5 })).toBe('whole (not known)');
    const parts: readonly (readonly [JsonObject, string])[] = [
      [{ a: 5, b: [6], c: 7 }, '5[0] of 6, by 7 and 6'],
      [{ a: 5, b: [6] }, '5[0] of 6'],
      [{ a: 5, c: null, b: [] }, '5[0]'],
      [{ a: 5, b: [null], c: 7 }, '5[0]'],
    ];
    for (const [document, text] of parts)
      expect(reason({ ...leaf, otherwise: '{a}[0][ of {b[0]}][, by {c} and {b[0]}]' }, document)).toBe(text);
    expect(reason({ none: { in: 'l', as: 'e', where: { field: '$e.x', equals: 1 } }, otherwise: 'x must not be' }, { l: [{ x: 1 }] })).toBe(
      'x must not be',
    );
    expect(reason(leaf, {})).toBe('a cannot be judged: it is not in the collected evidence');
    expect(reason({ ...leaf, unknown: 'nobody knows' }, {})).toBe('nobody knows');
    expect(judge({ require: { field: 'a', equals: 1 }, satisfied: 'a is {a}' }, { a: 1 }).reason).toBe('a is 1');
  });

  test('an exception inside a check is an error of that subject, with its evidence so far', () => {
    const lookup = (): never => {
      throw new Error('index lost');
    };
    const outcome = judge(
      {
        let: { key: { lookup: 'aws.kms.key', by: 'k' } },
        require: {
          all: [
            { field: 'a', equals: 1 },
            { field: '$key.x', equals: 1 },
          ],
        },
      },
      { a: 1, k: 'k' },
      'aws',
      { lookup },
    );
    expect(outcome).toMatchObject({ status: 'error', reason: 'the check could not be carried out: index lost' });
    expect(outcome.leaves).toHaveLength(1);
  });
});
