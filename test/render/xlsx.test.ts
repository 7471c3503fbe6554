import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import yauzl from 'yauzl';
import type { Assessment } from '../../src/model/index.ts';
import { render } from '../../src/render/index.ts';
import type { Cell } from '../../src/render/tables/table.ts';
import { cellText, columnName, sheetXml } from '../../src/render/xlsx/sheet.ts';
import { workbook } from '../../src/render/xlsx/workbook.ts';
import { writeFixture } from '../support/assessment.ts';
import { has, ran } from '../support/programs.ts';

const partsOf = (bytes: Buffer): Promise<Map<string, string>> =>
  new Promise((done, fail) => {
    yauzl.fromBuffer(bytes, { lazyEntries: true }, (error, zip) => {
      if (error) {
        fail(error);
        return;
      }
      const parts = new Map<string, string>();
      zip.on('entry', (entry: yauzl.Entry) => {
        zip.openReadStream(entry, (failure, stream) => {
          if (failure) {
            fail(failure);
            return;
          }
          void text(stream).then((content) => {
            parts.set(entry.fileName, content);
            zip.readEntry();
          });
        });
      });
      zip.on('end', () => done(parts));
      zip.readEntry();
    });
  });

const plain = (xml: string): string =>
  xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replace(/_x005F_/g, '_');

/** Rows of a sheet by column name; an empty cell is not there. */
const rowsOf = (xml: string): Map<string, string>[] =>
  [...xml.matchAll(/<row r="(\d+)">(.*?)<\/row>/gs)].map(
    ([, , cells = '']) =>
      new Map(
        [...cells.matchAll(/<c r="([A-Z]+)\d+"[^>]*>(?:<v>(.*?)<\/v>|<is><t xml:space="preserve">(.*?)<\/t><\/is>)<\/c>/gs)].map(
          ([, column = '', value, words]) => [column, value ?? plain(words ?? '')] as const,
        ),
      ),
  );

const sheetNames = (parts: Map<string, string>): string[] =>
  [...(parts.get('xl/workbook.xml') ?? '').matchAll(/<sheet name="([^"]*)"/g)].map(([, name = '']) => name);

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

describe('the workbook of a run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'exhibit-xlsx-'));
  const file = join(directory, 'results', 'results.xlsx');
  let assessment: Assessment;
  let parts: Map<string, string>;
  const draw = async (): Promise<Buffer> => {
    await render({ runDirectory: directory, signing: null, log: () => undefined, formats: ['xlsx'] });
    return readFileSync(file);
  };
  beforeAll(async () => {
    assessment = writeFixture(directory, { observations: 300, hostile: true, huge: true });
    parts = await partsOf(await draw());
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('has a sheet for each table, and every row', () => {
    expect(sheetNames(parts)).toEqual([
      'Engagement',
      'Findings',
      'Observations',
      'Reconciliation',
      'Evidence not whole',
      'Exceptions',
      'Critical stores',
      'Readers',
    ]);
    const rows = (sheet: number): Map<string, string>[] => rowsOf(parts.get(`xl/worksheets/sheet${sheet}.xml`) ?? '');
    const observations = rows(3);
    expect(observations).toHaveLength(1 + assessment.findings.reduce((sum, finding) => sum + finding.observations.count, 0));
    expect([...(observations[0]?.values() ?? [])].slice(0, 5)).toEqual(['observation', 'control', 'title', 'check', 'status']);
    expect(rows(2)).toHaveLength(1 + assessment.findings.length);
    expect(rows(4)).toHaveLength(1 + assessment.reconciliation.length);
    expect(rows(6)).toHaveLength(1 + assessment.waivers.length);
    expect(rows(7)).toHaveLength(1 + assessment.access.stores);
  });

  test('holds no formula, and no cell longer than a spreadsheet takes', () => {
    for (const [name, xml] of parts) {
      if (!name.startsWith('xl/worksheets/')) continue;
      expect(xml).not.toMatch(/<f[ >]/);
      for (const row of rowsOf(xml)) for (const cell of row.values()) expect(cell.length).toBeLessThanOrEqual(32_767);
    }
    expect(parts.get('xl/worksheets/sheet3.xml')).toContain('characters in all)');
  });

  test('is the same bytes when made again', async () => {
    const before = readFileSync(file);
    expect((await draw()).equals(before)).toBe(true);
  });

  test.skipIf(!has('python3'))('is well-formed by a parser that is not ours', () => {
    const script = join(directory, 'read.py');
    writeFileSync(
      script,
      `import sys, zipfile, xml.etree.ElementTree as tree
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None and archive.namelist()[0] == '[Content_Types].xml'
space = '{http://schemas.openxmlformats.org/spreadsheetml/2006/main}'
for name in archive.namelist():
    root = tree.fromstring(archive.read(name))
    if name.startswith('xl/worksheets/'): print(name, len(root.find(space + 'sheetData')))
`,
    );
    const { status, output } = ran('python3', [script, file]);
    expect(status, output).toBe(0);
    expect(output).toContain(`xl/worksheets/sheet2.xml ${assessment.findings.length + 1}\n`);
  });

  test.skipIf(!has('unzip'))('is a whole archive for unzip', () => {
    expect(ran('unzip', ['-t', file]).status).toBe(0);
  });
});

describe('a table', () => {
  const counted = function* (count: number): Generator<Cell[]> {
    for (let row = 0; row < count; row += 1) yield [row];
  };
  test.each([
    [0, ['T']],
    [9, ['T']],
    [10, ['T', 'T 2']],
    [28, ['T', 'T 2', 'T 3', 'T 4']],
  ])('of %i rows goes on in as many sheets of ten as it takes', async (count, names) => {
    const parts = await partsOf(await bytesOf(workbook([{ name: 'T', table: { columns: ['n'], rows: counted(count) } }], 10)));
    expect(sheetNames(parts)).toEqual(names);
    const rows = names.flatMap((_, at) => rowsOf(parts.get(`xl/worksheets/sheet${at + 1}.xml`) ?? '').slice(1));
    expect(rows.map((row) => Number(row.get('A')))).toEqual([...Array(count).keys()]);
  });
  test('that cannot be read fails the workbook', async () => {
    const broken = function* (): Generator<Cell[]> {
      yield [1];
      throw new Error('assess again');
    };
    await expect(bytesOf(workbook([{ name: 'T', table: { columns: ['n'], rows: broken() } }]))).rejects.toThrow('assess again');
  });
});

describe('a cell', () => {
  test.each([
    ['=1+1', '=1+1'],
    ['<b>&"', '&lt;b&gt;&amp;&quot;'],
    ['a\u0000\u202eb\ufffe', 'a[U+0000][U+202E]b[U+FFFE]'],
    ['_x0041_', '_x005F_x0041_'],
    ['two\r\nlines', 'two\nlines'],
  ])('%j is %j', (value, xml) => {
    expect(cellText(value)).toBe(xml);
  });
  test('that is too long is cut with a mark, never inside a character', () => {
    for (const shift of ['', 'x']) {
      const cut = cellText(`${shift}${'🔥'.repeat(20_000)}`);
      expect(cut.length).toBeLessThanOrEqual(32_767);
      expect(cut.isWellFormed()).toBe(true);
      expect(cut).toMatch(/🔥… \(cut: 40,00[01] characters in all\)$/u);
    }
  });
  test('numbers and truth are no text, and what is nothing is not there', async () => {
    const rows = (async function* (): AsyncGenerator<Cell[]> {
      yield await Promise.resolve([1.5, true, null, 'x']);
    })();
    let sheet = '';
    for await (const piece of sheetXml(['a', 'b', 'c', 'd'], rows)) sheet += piece;
    expect(sheet).toContain(
      '<row r="2"><c r="A2"><v>1.5</v></c><c r="B2" t="b"><v>1</v></c><c r="D2" t="inlineStr"><is><t xml:space="preserve">x</t></is></c></row>',
    );
    expect(sheet).toContain('<autoFilter ref="A1:D2"/>');
  });
  test('columns are named as spreadsheets do', () => {
    expect([0, 25, 26, 51, 52, 701, 702].map(columnName)).toEqual(['A', 'Z', 'AA', 'AZ', 'BA', 'ZZ', 'AAA']);
  });
});
