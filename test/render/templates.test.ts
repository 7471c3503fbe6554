import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { characterMap, pdfCoverage, systemFont } from '../../src/render/fonts.ts';
import { checkTemplate, forbiddenConstructs, styleFor, TEMPLATES } from '../../src/render/templates.ts';

describe('templates', () => {
  test('unescaped output is refused', () => {
    expect(() => checkTemplate('x.hbs', '<p>{{{name}}}</p>')).toThrow(/unescaped/);
    expect(() => checkTemplate('x.hbs', '<p>{{& name}}</p>')).toThrow(/unescaped/);
  });
  test('no template has any, nor inline styles or handlers', () => {
    const partials = readdirSync(join(TEMPLATES, 'partials')).map((file) => join('partials', file));
    expect(partials.length).toBeGreaterThan(15);
    for (const file of ['report.hbs', ...partials]) {
      const source = readFileSync(join(TEMPLATES, file), 'utf8');
      expect(() => checkTemplate(file, source)).not.toThrow();
      expect(source.replace(/\{\{[^}]*\}\}/g, '')).not.toMatch(/\s(style|on[a-z]+)=/);
    }
  });
  test('a style sheet asks for nothing from outside', () => {
    for (const format of ['pdf', 'html'] as const) {
      const style = styleFor(format);
      expect(style).not.toMatch(/@import|expression\(|https?:/);
      for (const [, url] of style.matchAll(/url\(([^)]{0,40})/g)) expect(url).toMatch(/^data:font\/woff2;base64,/);
    }
  });
});

describe('forbidden constructs', () => {
  test.each([
    '<meta http-equiv="refresh" content="0;url=https://evil.invalid">',
    '<META HTTP-EQUIV=refresh content=0>',
    '<iframe src="https://x.invalid"></iframe>',
    '<base href="https://x.invalid/">',
    '<form action="https://x.invalid"><input></form>',
    '<object data="x"></object>',
    '<embed src="x">',
    '<p onclick="x()">',
    '<svg/onload=alert(1)>',
    '<a href="javascript:alert(1)">x</a>',
    '<link rel="stylesheet" href="https://x.invalid">',
    '<img src="https://x.invalid/p.gif">',
    '<p style="color:red">',
    '<a href="http://x.invalid">x</a>',
    '<iframe',
    '<svg><animate href="#a"/></svg>',
  ])('%s', (html) => {
    expect(forbiddenConstructs(`<p>before</p>${html}`)).not.toEqual([]);
  });
  test('text may speak of them', () => {
    expect(forbiddenConstructs('<p>&lt;iframe onload=x&gt; onclick= javascript: and <a href="#x" title="onload=1">style=</a></p>')).toEqual(
      [],
    );
  });
});

describe('fonts', () => {
  test('the system font is TrueType with Latin letters', () => {
    const font = systemFont();
    expect(font.readUInt32BE(0)).toBe(0x00010000);
    expect(characterMap(font).has('A'.codePointAt(0) ?? 0)).toBe(true);
  });
  test('coverage knows what the embedded fonts draw', () => {
    for (const character of 'Aé…—·Ж€') expect(pdfCoverage().has(character.codePointAt(0) ?? 0)).toBe(true);
    for (const character of '重ש🔥') expect(pdfCoverage().has(character.codePointAt(0) ?? 0)).toBe(false);
  });
});
