import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/model/index.ts';
import { compileParts, subjectOf, surroundings, truth } from '../support/language.ts';
import { damaged, damagesOf } from '../support/damage.ts';

/** Random conditions over random documents: the algebra of three values, and that losing evidence never helps. */

const words = ['x', 'y', 'xy'] as const;
const text = fc.constantFrom<Json>(...words);
const number = fc.constantFrom<Json>(0, 1, 2);
const texts = fc.array(text, { maxLength: 3 }) as fc.Arbitrary<Json>;
const anything = fc.oneof(text, number, fc.boolean(), fc.constant<Json>(null), texts, fc.constant<Json>({}), fc.constant<Json>({ s: 'x' }));

/** Mostly what the key promises, now and then something else, now and then nothing. */
function field(value: fc.Arbitrary<Json>): fc.Arbitrary<Json | undefined> {
  return fc.oneof({ arbitrary: value, weight: 8 }, { arbitrary: anything, weight: 1 }, { arbitrary: fc.constant(undefined), weight: 1 });
}

function objectOf(fields: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<JsonObject> {
  const names = Object.keys(fields);
  return fc
    .tuple(...names.map((name) => field(fields[name] as fc.Arbitrary<Json>)))
    .map(
      (values) =>
        Object.fromEntries(names.map((name, index) => [name, values[index]]).filter(([, value]) => value !== undefined)) as JsonObject,
    );
}

const inner: Record<string, fc.Arbitrary<Json>> = { s: text, n: number, t: fc.boolean(), l: texts, __proto__x: text };
const document = objectOf({
  ...inner,
  ['__proto__']: objectOf(inner),
  o: objectOf(inner),
  m: fc.array(
    field(objectOf(inner)).map((entry) => entry ?? null),
    { maxLength: 3 },
  ),
});

const under = (prefixes: readonly string[], names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...prefixes),
      fc.oneof({ arbitrary: fc.constantFrom(...names), weight: 9 }, { arbitrary: fc.constantFrom('s', 'n', 't', 'l', 'z'), weight: 1 }),
    )
    .map(([prefix, key]) => `${prefix}${key}`);

function leaf(prefixes: readonly string[]): fc.Arbitrary<Json> {
  const textLeaf = fc
    .tuple(
      under(prefixes, ['s']),
      fc.constantFrom('equals', 'notEquals', 'startsWith', 'endsWith', 'containsText', 'matches', 'notMatches'),
      fc.constantFrom(...words),
    )
    .map(([path, name, expected]) => ({ field: path, [name]: expected }));
  const memberLeaf = fc
    .tuple(under(prefixes, ['s']), fc.constantFrom('in', 'notIn'), fc.subarray([...words], { minLength: 1 }))
    .map(([path, name, expected]) => ({ field: path, [name]: expected }));
  const setLeaf = fc
    .tuple(
      under(prefixes, ['l']),
      fc.constantFrom('containsAll', 'containsAny', 'containsNone', 'containsOnly'),
      fc.subarray([...words], { minLength: 1 }),
      fc.boolean(),
    )
    .map(([path, name, expected, single]) => ({ field: path, [name]: expected, single }));
  const numberLeaf = fc
    .tuple(
      under(prefixes, ['n']),
      fc.constantFrom('equals', 'notEquals', 'atLeast', 'atMost', 'lessThan', 'greaterThan'),
      fc.constantFrom(0, 1, 2),
    )
    .map(([path, name, expected]) => ({ field: path, [name]: expected }));
  const otherLeaf = fc.oneof(
    fc.tuple(under(prefixes, ['t']), fc.boolean()).map(([path, expected]) => ({ field: path, equals: expected })),
    fc.tuple(under(prefixes, ['l']), fc.constantFrom(...words)).map(([path, expected]) => ({ field: path, contains: expected })),
    fc.tuple(under(prefixes, ['l']), fc.boolean()).map(([path, expected]) => ({ field: path, isEmpty: expected })),
    fc.tuple(under(prefixes, ['s']), under(['', 'o.'], ['s'])).map(([path, other]) => ({ field: path, sameAs: other })),
    fc.tuple(under(prefixes, ['s']), under(['', 'o.'], ['s'])).map(([path, other]) => ({ field: path, notEquals: { ref: other } })),
    fc.tuple(under(prefixes, ['l']), fc.constantFrom(0, 1, 2)).map(([path, expected]) => ({ field: path, as: 'count', atLeast: expected })),
  );
  return fc.oneof(textLeaf, memberLeaf, setLeaf, numberLeaf, otherLeaf);
}

const top = leaf(['', 'o.', '__proto__.']);
const ofEntry = leaf(['$e.']);

/** Conditions that never decide on absence: those that may are the author's explicit word, and tested apart. */
const condition: fc.Arbitrary<Json> = fc.letrec<{ condition: Json }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { arbitrary: top, weight: 3 },
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
    fc.array(tie('condition'), { minLength: 1, maxLength: 3 }).map((any) => ({ any })),
    tie('condition').map((not) => ({ not })),
    fc
      .tuple(fc.constantFrom('some', 'every', 'none'), fc.constantFrom('m', 'm', 'o'), ofEntry, fc.boolean())
      .map(([word, list, where, single]) => ({ [word]: { in: list, as: 'e', where, single } })),
    fc
      .tuple(ofEntry, fc.constantFrom<Record<string, Json>>({ atLeast: 1 }, { atMost: 1 }, { equals: 1 }))
      .map(([where, bounds]) => ({ count: { in: 'm', as: 'e', where }, ...bounds })),
  ),
})).condition;

const runs = { numRuns: 400 };

test('the random conditions decide often enough to prove something', () => {
  const seen = { true: 0, false: 0, unknown: 0, error: 0 };
  for (const [one, of] of fc.sample(fc.tuple(condition, document), { numRuns: 1500, seed: 7 })) seen[truth(one, of)] += 1;
  expect(seen.true).toBeGreaterThan(150);
  expect(seen.false).toBeGreaterThan(150);
  expect(seen.unknown).toBeGreaterThan(150);
  expect(seen.error).toBe(0);
});

describe('Kleene algebra', () => {
  const same = (left: (c: Json, d: Json) => Json, right: (c: Json, d: Json) => Json): void => {
    fc.assert(
      fc.property(condition, condition, document, (c, d, of) => {
        expect(truth(left(c, d), of)).toBe(truth(right(c, d), of));
      }),
      runs,
    );
  };

  test('double negation', () =>
    same(
      (c) => ({ not: { not: c } }),
      (c) => c,
    ));
  test('De Morgan', () =>
    same(
      (c, d) => ({ not: { all: [c, d] } }),
      (c, d) => ({ any: [{ not: c }, { not: d }] }),
    ));
  test('order of members does not matter', () =>
    same(
      (c, d) => ({ all: [c, d] }),
      (c, d) => ({ all: [d, c] }),
    ));
  test('all is idempotent', () =>
    same(
      (c) => ({ all: [c, c] }),
      (c) => c,
    ));
  test('absorption', () =>
    same(
      (c, d) => ({ any: [c, { all: [c, d] }] }),
      (c) => c,
    ));
  test('distribution', () =>
    same(
      (c, d) => ({ all: [c, { any: [d, c] }] }),
      (c, d) => ({ any: [{ all: [c, d] }, c] }),
    ));

  test('none is not some; every is none of the negation, of lists that are not empty', () => {
    fc.assert(
      fc.property(fc.constantFrom('m', 'o', 'l'), ofEntry, document, (list, where, of) => {
        expect(truth({ none: { in: list, as: 'e', where } }, of)).toBe(truth({ not: { some: { in: list, as: 'e', where } } }, of));
        expect(truth({ every: { in: list, as: 'e', where, ifEmpty: true } }, of)).toBe(
          truth({ none: { in: list, as: 'e', where: { not: where } } }, of),
        );
      }),
      runs,
    );
  });
});

describe('losing evidence', () => {
  const status = (compiled: ReturnType<typeof compileParts>, of: JsonObject): string =>
    compiled.evaluate(subjectOf(of), surroundings()).status;

  test('deleting or nulling a value leaves a verdict as it is or makes it unknown', () => {
    fc.assert(
      fc.property(condition, condition, document, (when, require, of) => {
        const compiled = compileParts({ when, require });
        const base = status(compiled, of);
        for (const damage of damagesOf(of, '*', false)) {
          if (damage.kind === 'retype') continue;
          const after = status(compiled, damaged(of, damage) as JsonObject);
          // Undecided applicability hides the verdict; it never turns into another one.
          expect([base, 'unknown'], `${damage.kind} ${damage.path.join('.')}`).toContain(after);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('retyping a value never turns a fail into a pass, nor what applied into what does not', () => {
    fc.assert(
      fc.property(condition, condition, document, (when, require, of) => {
        const compiled = compileParts({ when, require });
        const base = status(compiled, of);
        if (base === 'unknown') return;
        for (const damage of damagesOf(of, '*', false)) {
          if (damage.kind !== 'retype') continue;
          const after = status(compiled, damaged(of, damage) as JsonObject);
          if (base !== 'pass') expect(after, damage.path.join('.')).not.toBe('pass');
          if (base !== 'notapplicable') expect(after, damage.path.join('.')).not.toBe('notapplicable');
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a lookup table that turns incomplete never creates a pass', () => {
    fc.assert(
      fc.property(condition, document, fc.boolean(), (where, of, many) => {
        const parts = {
          let: { r: { lookup: 'aws.kms.key', by: 'id', many } },
          require: (many
            ? {
                any: [
                  { none: { in: '$r', as: 'x', where: { field: '$x.s', equals: 'x' } } },
                  { some: { in: '$r', as: 'x', where: { field: '$x.s', equals: 'x' } } },
                ],
              }
            : { any: [where, { field: '$r.s', equals: 'x' }, { not: { field: '$r.s', equals: 'x' } }] }) as Json,
        };
        const compiled = compileParts(parts);
        const subject = subjectOf({ ...of, id: 'key' });
        const records = [{ uid: 'r', document: of, citation: subject.citation, capturedAt: null }];
        const full = compiled.evaluate(subject, surroundings({ lookup: () => ({ outcome: 'found', records, complete: true }) })).status;
        const absent = compiled.evaluate(
          subject,
          surroundings({
            lookup: () => (many ? { outcome: 'found', records: [], complete: true } : { outcome: 'absent', because: 'gone' }),
          }),
        ).status;
        const partial = compiled.evaluate(
          subject,
          surroundings({
            lookup: () => (many ? { outcome: 'found', records: [], complete: false } : { outcome: 'unknown', because: 'denied' }),
          }),
        ).status;
        if (partial === 'pass') expect(full).toBe('pass');
        if (partial === 'pass') expect(absent).toBe('pass');
      }),
      runs,
    );
  });
});
