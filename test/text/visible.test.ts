import { describe, expect, test } from 'vitest';
import { visible, visibleLines } from '../../src/text/visible.ts';

describe('visible', () => {
  test('spells out what re-orders, hides or breaks text', () => {
    expect(visible('invoice\u202excod.exe')).toBe('invoice[U+202E]xcod.exe');
    expect(visible('a\u0000b\u001bc\u200bd\u2028e\ufefff')).toBe('a[U+0000]b[U+001B]c[U+200B]d[U+2028]e[U+FEFF]f');
    expect(visible('\ud800x')).toBe('[U+D800]x');
    expect(visible('tag\u{e0041}')).toBe('tag[U+E0041]');
  });
  test('leaves ordinary text of any script alone', () => {
    for (const text of ['arn:aws:s3:::bucket', '重要データ', 'שלום', 'ünïcödé', '🔥']) expect(visible(text)).toBe(text);
  });
});

describe('visibleLines', () => {
  test('lets lines and tabs stand, and spells out the rest', () => {
    expect(visibleLines('first\n\tsecond\r\u001b[2J\u202e')).toBe('first\n\tsecond[U+000D][U+001B][2J[U+202E]');
  });
});
