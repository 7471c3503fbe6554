import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { inflateSync } from 'node:zlib';

/** IBM Plex (OFL) from the installed @fontsource packages: data URIs for both reports, TrueType for the browser's only system font. */

const require = createRequire(import.meta.url);

type Family = 'sans' | 'mono';
type Weight = 400 | 600;

function fontFile(family: Family, subset: string, weight: Weight, format: 'woff' | 'woff2'): string {
  const packageDirectory = dirname(require.resolve(`@fontsource/ibm-plex-${family}/package.json`));
  return join(packageDirectory, 'files', `ibm-plex-${family}-${subset}-${weight}-normal.${format}`);
}

function unicodeRanges(family: Family): Record<string, string> {
  return JSON.parse(readFileSync(require.resolve(`@fontsource/ibm-plex-${family}/unicode.json`), 'utf8')) as Record<string, string>;
}

/** The subsets shipped inside the reports; other scripts fall back to the reader's fonts in HTML and are spelt out in PDF. */
const SUBSETS = ['latin', 'latin-ext', 'cyrillic', 'greek'] as const;
const FACES: readonly (readonly [Family, Weight])[] = [
  ['sans', 400],
  ['sans', 600],
  ['mono', 400],
  ['mono', 600],
];

/** `@font-face` rules with the fonts as data URIs. HTML carries the Latin subsets only, to stay light. */
export function fontFaces(format: 'pdf' | 'html'): string {
  const rules: string[] = [];
  for (const [family, weight] of FACES) {
    const ranges = unicodeRanges(family);
    for (const subset of SUBSETS) {
      const range = ranges[subset];
      if (range === undefined || (format === 'html' && subset !== 'latin')) continue;
      const data = readFileSync(fontFile(family, subset, weight, 'woff2')).toString('base64');
      const name = family === 'sans' ? 'IBM Plex Sans' : 'IBM Plex Mono';
      rules.push(
        `@font-face{font-family:"${name}";font-style:normal;font-weight:${weight};font-display:block;src:url(data:font/woff2;base64,${data}) format("woff2");unicode-range:${range}}`,
      );
    }
  }
  return rules.join('\n');
}

/** WOFF 1 → TrueType: the same tables, inflated. */
export function woffToTrueType(woff: Buffer): Buffer {
  if (woff.toString('latin1', 0, 4) !== 'wOFF') throw new Error('not a WOFF font');
  const count = woff.readUInt16BE(12);
  const tables = Array.from({ length: count }, (_, index) => {
    const at = 44 + index * 20;
    const offset = woff.readUInt32BE(at + 4);
    const packed = woff.readUInt32BE(at + 8);
    const length = woff.readUInt32BE(at + 12);
    const raw = woff.subarray(offset, offset + packed);
    return {
      tag: woff.toString('latin1', at, at + 4),
      checksum: woff.readUInt32BE(at + 16),
      bytes: packed < length ? inflateSync(raw) : raw,
    };
  });
  const power = Math.floor(Math.log2(count));
  const header = Buffer.alloc(12 + count * 16);
  woff.copy(header, 0, 4, 8);
  header.writeUInt16BE(count, 4);
  header.writeUInt16BE(2 ** power * 16, 6);
  header.writeUInt16BE(power, 8);
  header.writeUInt16BE(count * 16 - 2 ** power * 16, 10);
  let offset = header.length;
  const body: Buffer[] = [];
  tables.forEach((table, index) => {
    const at = 12 + index * 16;
    header.write(table.tag, at, 'latin1');
    header.writeUInt32BE(table.checksum, at + 4);
    header.writeUInt32BE(offset, at + 8);
    header.writeUInt32BE(table.bytes.length, at + 12);
    const padding = (4 - (table.bytes.length % 4)) % 4;
    body.push(table.bytes, Buffer.alloc(padding));
    offset += table.bytes.length + padding;
  });
  return Buffer.concat([header, ...body]);
}

/** The one font that the browser finds on its "system". */
export function systemFont(): Buffer {
  return woffToTrueType(readFileSync(fontFile('sans', 'latin', 400, 'woff')));
}

/** Code points of a TrueType font's Unicode character map (formats 4 and 12). */
export function characterMap(font: Buffer): Set<number> {
  const found = new Set<number>();
  const tables = font.readUInt16BE(4);
  for (let index = 0; index < tables; index += 1) {
    const at = 12 + index * 16;
    if (font.toString('latin1', at, at + 4) !== 'cmap') continue;
    const cmap = font.subarray(font.readUInt32BE(at + 8));
    const encodings = cmap.readUInt16BE(2);
    for (let encoding = 0; encoding < encodings; encoding += 1) {
      const table = cmap.subarray(cmap.readUInt32BE(4 + encoding * 8 + 4));
      const format = table.readUInt16BE(0);
      if (format === 4) readFormat4(table, found);
      if (format === 12) readFormat12(table, found);
    }
  }
  return found;
}

function readFormat4(table: Buffer, found: Set<number>): void {
  const segments = table.readUInt16BE(6) / 2;
  for (let segment = 0; segment < segments; segment += 1) {
    const end = table.readUInt16BE(14 + segment * 2);
    const start = table.readUInt16BE(16 + segments * 2 + segment * 2);
    for (let code = start; code <= end && code !== 0xffff; code += 1) found.add(code);
  }
}

function readFormat12(table: Buffer, found: Set<number>): void {
  const groups = table.readUInt32BE(12);
  for (let group = 0; group < groups; group += 1) {
    const end = table.readUInt32BE(20 + group * 12);
    for (let code = table.readUInt32BE(16 + group * 12); code <= end; code += 1) found.add(code);
  }
}

let covered: Set<number> | undefined;

/** Code points that every face embedded in the PDF can draw. A character outside is spelt out there: an empty box says nothing. */
export function pdfCoverage(): ReadonlySet<number> {
  if (covered) return covered;
  let common: Set<number> | undefined;
  for (const [family, weight] of FACES) {
    const face = new Set<number>();
    const ranges = unicodeRanges(family);
    for (const subset of SUBSETS) {
      if (ranges[subset] === undefined) continue;
      for (const code of characterMap(woffToTrueType(readFileSync(fontFile(family, subset, weight, 'woff'))))) {
        if (inRange(code, ranges[subset])) face.add(code);
      }
    }
    common = common === undefined ? face : common.intersection(face);
  }
  covered = common ?? new Set();
  return covered;
}

function inRange(code: number, ranges: string): boolean {
  return ranges.split(',').some((range) => {
    const [from = '', to] = range.replace('U+', '').split('-');
    return code >= parseInt(from, 16) && code <= parseInt(to ?? from, 16);
  });
}
