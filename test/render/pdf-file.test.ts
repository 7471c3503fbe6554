import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PDF } from '@libpdf/core';
import { afterAll, describe, expect, test } from 'vitest';
import { nameOf, numberOf, PdfFile, textString } from '../../src/render/pdf-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'exhibit-pdf-file-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const hasQpdf = spawnSync('qpdf', ['--version']).error === undefined;

/** A document of many pages, each with a content stream that all share. */
function written(pages: number): Buffer {
  const file = new PdfFile();
  const pieces: Buffer[] = [];
  const [catalog, tree] = [file.reserve(), file.reserve()];
  const unused = file.reserve();
  file.release(unused);
  const kids: number[] = [];
  for (let page = 0; page < pages; page += 1) {
    const content = file.share('', Buffer.from('q Q\n'));
    kids.push(file.add(`<</Type/Page/Parent ${tree} 0 R/MediaBox[0 0 595 842]/Contents ${content} 0 R/Resources<<>>>>`));
    pieces.push(...file.take());
  }
  file.put(tree, `<</Type/Pages/Count ${pages}/Kids[${kids.map((kid) => `${kid} 0 R`).join(' ')}]>>`);
  file.put(catalog, `<</Type/Catalog/Pages ${tree} 0 R>>`);
  file.end(catalog, file.add(`<</Title${textString('Größe (1)')}>>`));
  pieces.push(...file.take());
  return Buffer.concat(pieces);
}

describe('a PDF written from first byte to last', () => {
  test('is read by others, and is the same each time', async () => {
    const bytes = written(700);
    expect(written(700).equals(bytes)).toBe(true);
    const pdf = await PDF.load(bytes);
    expect(pdf.getPageCount()).toBe(700);
    expect(pdf.getTitle()).toBe('Größe (1)');
    expect(pdf.canSaveIncrementally()).toBeNull();
    expect(bytes.toString('latin1').match(/q Q\n/g)).toHaveLength(1);
  });

  test.skipIf(!hasQpdf)('has no error that qpdf finds', () => {
    const file = join(directory, 'a.pdf');
    writeFileSync(file, written(450));
    expect(spawnSync('qpdf', ['--check', file]).status).toBe(0);
    expect(execFileSync('qpdf', ['--show-npages', file], { encoding: 'utf8' }).trim()).toBe('450');
  });

  test('refuses an object that is missing, or written twice', () => {
    const missing = new PdfFile();
    const number = missing.reserve();
    expect(() => missing.end(number, missing.add('<<>>'))).toThrow(/never written/);
    const twice = new PdfFile();
    const again = twice.add('1');
    twice.put(again, '2');
    expect(() => twice.end(again, again)).toThrow(/written twice/);
  });
});

test('PDF syntax', () => {
  expect(textString('a(b)\\')).toBe('(a\\(b\\)\\\\)');
  expect(textString('é')).toBe('<feff00e9>');
  expect(nameOf('a b#/')).toBe('/a#20b#23#2f');
  expect(numberOf(0.0000001)).toBe('0');
  expect(numberOf(841.91998)).toBe('841.91998');
  expect(numberOf(12)).toBe('12');
});
