import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leafSite, leavesJson, SeenLeaf } from '../../src/controls/language/seen-leaf.ts';
import type { Json, Leaf } from '../../src/model/index.ts';

const json = fc.jsonValue() as fc.Arbitrary<Json>;
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', 'a"b', 'line\nbreak', '\u2028', '__proto__'));

describe('leaves as lines show them', () => {
  test('are what JSON.stringify writes', () => {
    fc.assert(
      fc.property(
        fc.record({ id: text, path: text, operator: text, fixed: fc.option(json, { nil: undefined }), expected: json }),
        fc.record({
          outcome: fc.constantFrom<Leaf['outcome']>('true', 'false', 'unknown'),
          source: fc.option(fc.nat(), { nil: undefined }),
          observed: fc.option(fc.oneof(json, text), { nil: undefined }),
          because: fc.option(text, { nil: undefined }),
        }),
        ({ id, path, operator, fixed, expected }, { outcome, source, observed, because }) => {
          const leaf = new SeenLeaf(leafSite(id, path, operator, fixed), outcome, source, expected);
          if (observed !== undefined) leaf.observed = observed;
          if (because !== undefined) leaf.because = because;
          const plain = {
            id,
            path,
            operator,
            expected: fixed === undefined ? expected : fixed,
            outcome,
            ...(source === undefined ? {} : { source }),
            ...(observed === undefined ? {} : { observed }),
            ...(because === undefined ? {} : { because }),
          };
          expect(JSON.parse(leavesJson([leaf, plain]))).toEqual(JSON.parse(JSON.stringify([plain, plain])));
          expect(JSON.stringify(leaf)).toBe(leavesJson([leaf]).slice(1, -1));
        },
      ),
    );
  });
});
