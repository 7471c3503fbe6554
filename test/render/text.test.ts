import { describe, expect, test } from 'vitest';
import {
  byteSize,
  cell,
  citationCommand,
  clip,
  commands,
  grouped,
  instant,
  jqPath,
  longDate,
  percent,
  prose,
  safeUrl,
  shellQuote,
} from '../../src/render/text.ts';

describe('clip', () => {
  test('says how much there was', () => {
    expect(clip('x'.repeat(1_000_000), 10)).toBe('xxxxxxxxxx… (cut: 1,000,000 characters in all)');
    expect(clip('short', 10)).toBe('short');
  });
  test('never cuts a surrogate pair', () => {
    expect(cell('🔥🔥🔥', 3)).not.toContain('[U+D83D]');
  });
});

describe('numbers and dates', () => {
  test('need no locale', () => {
    expect(grouped(1234567)).toBe('1,234,567');
    expect(grouped(-1234.5)).toBe('-1,234.5');
    expect(byteSize(999)).toBe('999 bytes');
    expect(byteSize(1_250_000)).toBe('1.3 MB');
    expect(longDate('2026-09-30')).toBe('30 September 2026');
    expect(instant('2026-09-30T23:30:00+02:00')).toBe('2026-09-30 21:30:00 UTC');
    expect(instant('not a date')).toBe('not a date');
  });
  test('a percentage never rounds to all or nothing', () => {
    expect(percent(1)).toBe('100 %');
    expect(percent(0.99999)).toBe('99.9 %');
    expect(percent(0.00001)).toBe('0.1 %');
    expect(percent(0.5)).toBe('50 %');
    expect(percent(null)).toBe('n/a');
  });
});

describe('citations', () => {
  test('a pointer becomes a jq path', () => {
    expect(jqPath('/Results/16')).toBe('.Results[16]');
    expect(jqPath('/0/a~1b/c~0d')).toBe('.[0]["a/b"]["c~d"]');
    expect(jqPath('')).toBe('.');
    expect(jqPath('no-pointer')).toBeNull();
  });
  test('the command reaches JSON inside a string', () => {
    expect(citationCommand({ file: 'evidence/a/page-000001.json', pointer: '/Results/16', encoding: 'json-string' })).toBe(
      "unzip -p pack.zip data/evidence/a/page-000001.json | jq -a '.Results[16] | fromjson'",
    );
  });
  test('nothing hostile reaches a shell', () => {
    expect(citationCommand({ file: "evidence/$(rm -rf ~)'.json", pointer: '/a', encoding: 'json' })).toBeNull();
    expect(citationCommand({ file: 'evidence/../../etc/passwd', pointer: '/a', encoding: 'json' })).toBeNull();
    expect(citationCommand({ file: 'evidence/a.json', pointer: "/it's", encoding: 'json' })).toBe(
      `unzip -p pack.zip data/evidence/a.json | jq -a '.["it'\\''s"]'`,
    );
    expect(shellQuote("a'b")).toBe(`'a'\\''b'`);
  });
});

test('only https and mailto are linked', () => {
  expect(safeUrl('https://docs.aws.amazon.com/x')).toBe('https://docs.aws.amazon.com/x');
  for (const url of ['javascript:alert(1)', 'http://plain.example', 'data:text/html,x', ' https://x', 'https://a\u202eb'])
    expect(safeUrl(url)).toBeNull();
});

describe('prose', () => {
  test('paragraphs, lists, steps and code', () => {
    expect(prose('One `two`\nthree.\n\n- a\n  b\n- c\n\n1. x\n2. y').map((block) => block.kind)).toEqual(['paragraph', 'bullets', 'steps']);
    expect(prose('One `two` three')[0]?.items).toEqual([
      [
        { text: 'One ', code: false, strong: false },
        { text: 'two', code: true, strong: false },
        { text: ' three', code: false, strong: false },
      ],
    ]);
    expect(prose('- a\n  b\n- c')[0]?.items.map((item) => item[0]?.text)).toEqual(['a b', 'c']);
    expect(prose('a **b** `**c**` 2 ** 3')[0]?.items[0]?.map((run) => [run.text, run.code, run.strong])).toEqual([
      ['a ', false, false],
      ['b', false, true],
      [' ', false, false],
      ['**c**', true, false],
      [' 2 ** 3', false, false],
    ]);
    expect(prose('')).toEqual([]);
  });
  test('a command-line procedure keeps its lines', () => {
    const block = commands('aws kms x \\\n  --y\n\n# then\naws z\n')[0];
    expect(block?.items.map((line) => line[0]?.text)).toEqual(['aws kms x \\', '  --y', '', '# then', 'aws z']);
  });
});
