import { describe, expect, test } from 'vitest';
import { compileProjection, compileWalk, formatSegments, parsePath } from '../../src/controls/language/paths.ts';
import { MISSING, MISTYPED, NO_CONTAINER } from '../../src/controls/language/values.ts';
import type { Json, JsonObject } from '../../src/model/index.ts';

const at = (path: string, document: Json, caseless = false): unknown => compileWalk(parsePath(path).segments, caseless)(document);

describe('paths', () => {
  test.each([
    ['a.b.c', null, ['a', 'b', 'c']],
    ['rules[0].id', null, ['rules', 0, 'id']],
    ['list[-1]', null, ['list', -1]],
    ['tags["odd.key"].x', null, ['tags', 'odd.key', 'x']],
    ['$key', 'key', []],
    ['$key.configuration.enabled', 'key', ['configuration', 'enabled']],
    ['$s["aws:x"]', 's', ['aws:x']],
    ['["a\\"b"]', null, ['a"b']],
    ['__proto__.x', null, ['__proto__', 'x']],
  ] as const)('%s', (text, variable, segments) => {
    expect(parsePath(text)).toEqual({ text, variable, segments });
  });

  test.each(['', 'a..b', '.a', 'a.', 'a[b]', 'a b', '$', 'a["b]', '$key configuration'])('refuses %j', (text) => {
    expect(() => parsePath(text)).toThrow();
  });

  test('written paths read back', () => {
    for (const segments of [
      ['a', 'b', 0, 'c'],
      ['odd.key', 'x'],
      ['a', '', 'b'],
      ['ключ', '"'],
    ] as (string | number)[][])
      expect(parsePath(formatSegments(segments)).segments).toEqual(segments);
  });

  test('tells a missing key from a missing container and from a wrong type', () => {
    const document = { a: { b: 1, n: null, l: [{ c: 2 }] }, s: 'text' };
    expect(at('a.b', document)).toBe(1);
    expect(at('a.l[0].c', document)).toBe(2);
    expect(at('a.l[-1].c', document)).toBe(2);
    expect(at('a.n', document)).toBe(null);
    expect(at('a.x', document)).toBe(MISSING);
    expect(at('a.l[1]', document)).toBe(MISSING);
    expect(at('a.x.y', document)).toBe(NO_CONTAINER);
    expect(at('a.n.y', document)).toBe(NO_CONTAINER);
    expect(at('s.y', document)).toBe(MISTYPED);
    expect(at('s.length', document)).toBe(MISTYPED);
    expect(at('a.l.length', document)).toBe(MISTYPED);
    expect(at('a[0]', document)).toBe(MISTYPED);
  });

  test('inherited properties are not there, own ones are, whatever their name', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(at(key, {})).toBe(MISSING);
      expect(at(`${key}.x`, {})).toBe(NO_CONTAINER);
    }
    const hostile = JSON.parse('{"__proto__": {"enabled": true}, "constructor": {"name": "x"}}') as JsonObject;
    expect(at('__proto__.enabled', hostile)).toBe(true);
    expect(at('enabled', hostile)).toBe(MISSING);
    expect(at('constructor.name', hostile)).toBe('x');
  });

  test('keys without case, an exact spelling first', () => {
    expect(at('properties.keySource', { PROPERTIES: { keysource: 'x' } }, true)).toBe('x');
    expect(at('properties.keySource', { properties: { keysource: 'x', keySource: 'y' } }, true)).toBe('y');
    expect(at('properties.keySource', { properties: { keysource: 'x' } })).toBe(MISSING);
  });
});

describe('projection', () => {
  const document = { a: { b: 1, c: { d: null, e: 2 }, l: [{ x: 1, y: 2 }], s: 'text' }, other: { big: true } };

  test('keeps what the paths read, containers on the way, nulls and wrong types', () => {
    expect(compileProjection(['a.b', 'a.c.d', 'a.s.t', 'a.x'], false)(document)).toEqual({ a: { b: 1, c: { d: null }, s: 'text' } });
    expect(compileProjection(['a?', 'other?'], false)(document)).toEqual({ a: {}, other: {} });
    expect(compileProjection(['a.l[0].x'], false)(document)).toEqual({ a: { l: [{ x: 1, y: 2 }] } });
    expect(compileProjection(['a.l?'], false)(document)).toEqual({ a: { l: [] } });
    expect(compileProjection('*', false)(document)).toBe(document);
  });

  test('every path reads the same before and after', () => {
    const paths = ['a.b', 'a.c.d', 'a.c.e', 'a.l', 'a.s', 'a.s.t', 'a.missing', 'x.y', 'a.l[0].y', 'a.l[3].y'];
    const kept = compileProjection(paths, false)(document);
    for (const path of paths) expect(at(path, kept), path).toEqual(at(path, document));
  });

  test('keeps keys named like the prototype', () => {
    const hostile = JSON.parse('{"__proto__": {"x": 1}, "a": 2}') as JsonObject;
    const kept = compileProjection(['__proto__.x'], false)(hostile);
    expect(JSON.stringify(kept)).toBe('{"__proto__":{"x":1}}');
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
  });

  test('without case keeps the spelling of the document', () => {
    expect(compileProjection(['properties.keysource'], true)({ Properties: { keySource: 'x', other: 1 } })).toEqual({
      Properties: { keySource: 'x' },
    });
  });
});
