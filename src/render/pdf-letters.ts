import { inflateSync } from 'node:zlib';
import { PdfArray, PdfDict, PdfNumber, PdfStream } from '@libpdf/core';
import type { PdfObject } from '@libpdf/core';
import { numberOf } from './pdf-file.ts';

/** The letters that running heads are set in: those of the report's own sans-serif font, as the browser embedded it. */
export interface Letters {
  /** Entries of a page's font resources. */
  resources: string;
  /** A line of text whose left, or right, end is at `x`. Throws for a letter that the fonts lack. */
  line: (text: string, at: { x: number; y: number; size: number; align: 'left' | 'right'; width: number }) => string;
}

interface Letter {
  font: number;
  code: number;
  /** In thousandths of the font's size. */
  width: number;
}

type Resolve = (value: PdfObject | undefined) => PdfObject | null;

const FACE = /\+IBMPlexSans$|\+IBMPlexSans-Regular$/;

export function fontLetters(fonts: readonly { number: number; font: PdfDict | null }[], resolve: Resolve): Letters {
  const letters = new Map<string, Letter>();
  const used = fonts.filter(({ font }) => FACE.test(font?.getName('BaseFont')?.value ?? ''));
  used.forEach(({ font }, index) => {
    if (font === null) return;
    const widths = widthsOf(font, resolve);
    for (const [code, character] of unicodeOf(resolve(font.get('ToUnicode'))))
      if (!letters.has(character)) letters.set(character, { font: index, code, width: widths(code) });
  });
  return {
    resources: used.map(({ number }, index) => `/Head${index} ${number} 0 R`).join(''),
    line: (text, at) => lineOf(text, at, letters),
  };
}

function lineOf(text: string, at: Parameters<Letters['line']>[1], letters: ReadonlyMap<string, Letter>): string {
  const letterOf = (character: string): Letter => {
    const letter = letters.get(character);
    if (letter === undefined) throw new Error(`the report's font has no letter ${JSON.stringify(character)} for its running heads`);
    return letter;
  };
  const measure = (list: readonly string[]): number => list.reduce((sum, one) => sum + letterOf(one).width, 0) * (at.size / 1000);
  let characters = [...text];
  if (measure(characters) > at.width) {
    while (characters.length > 1 && measure([...characters, '…']) > at.width) characters = characters.slice(0, -1);
    characters.push('…');
  }
  const runs: { font: number; codes: string }[] = [];
  for (const character of characters) {
    const { font, code } = letterOf(character);
    const run = runs.at(-1);
    const hex = code.toString(16).padStart(4, '0');
    if (run?.font === font) run.codes += hex;
    else runs.push({ font, codes: hex });
  }
  const x = at.align === 'left' ? at.x : at.x - measure(characters);
  const shown = runs.map(({ font, codes }) => `/Head${font} ${numberOf(at.size)} Tf<${codes}>Tj`).join(' ');
  return `BT .333 .384 .478 rg 1 0 0 1 ${numberOf(x)} ${numberOf(at.y)} Tm ${shown} ET\n`;
}

/** Codes of a font and the characters that they stand for, by its ToUnicode map. */
function unicodeOf(map: PdfObject | null): [number, string][] {
  if (!(map instanceof PdfStream)) return [];
  const raw = Buffer.from(map.data);
  const text = (map.has('Filter') ? inflateSync(raw) : raw).toString('latin1');
  const found: [number, string][] = [];
  const characters = (hex: string): string => Buffer.from(hex, 'hex').swap16().toString('utf16le');
  for (const [, block = ''] of text.matchAll(/beginbfchar([^]*?)endbfchar/g))
    for (const [, code = '', to = ''] of block.matchAll(/<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>/g))
      found.push([parseInt(code, 16), characters(to)]);
  for (const [, block = ''] of text.matchAll(/beginbfrange([^]*?)endbfrange/g)) {
    for (const [, from = '', to = '', first = ''] of block.matchAll(/<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>/g)) {
      const start = characters(first).codePointAt(0) ?? 0;
      for (let code = parseInt(from, 16); code <= parseInt(to, 16); code += 1)
        found.push([code, String.fromCodePoint(start + code - parseInt(from, 16))]);
    }
  }
  return found;
}

/** Widths of a composite font's codes: `first [w …]` and `first last w`. */
function widthsOf(font: PdfDict, resolve: Resolve): (code: number) => number {
  const descendants = resolve(font.get('DescendantFonts'));
  const descendant = descendants instanceof PdfArray ? resolve(descendants.at(0)) : null;
  const widths = new Map<number, number>();
  let other = 1000;
  if (descendant instanceof PdfDict) {
    const missing = resolve(descendant.get('DW'));
    if (missing instanceof PdfNumber) other = missing.value;
    const list = resolve(descendant.get('W'));
    const items = list instanceof PdfArray ? [...list].map((item) => resolve(item)) : [];
    for (let at = 0; at < items.length;) {
      const [first, second, third] = [items[at], items[at + 1], items[at + 2]];
      if (!(first instanceof PdfNumber)) break;
      if (second instanceof PdfArray) {
        [...second].forEach((width, index) => {
          const value = resolve(width);
          if (value instanceof PdfNumber) widths.set(first.value + index, value.value);
        });
        at += 2;
      } else if (second instanceof PdfNumber && third instanceof PdfNumber) {
        for (let code = first.value; code <= second.value; code += 1) widths.set(code, third.value);
        at += 3;
      } else break;
    }
  }
  return (code) => widths.get(code) ?? other;
}
