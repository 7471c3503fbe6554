import type { PassThrough } from 'node:stream';
import { Readable } from 'node:stream';
import yazl from 'yazl';
import type { Cell, Table } from '../tables/table.ts';
import { sheetRows, sheetXml, xmlText } from './sheet.ts';

export interface NamedTable {
  /** At most 24 characters, none of `[]:*?/\`: what does not fit into one sheet goes on in a second of that name and a number. */
  readonly name: string;
  readonly table: Table;
}

/** One time for every entry: the same results are the same bytes. */
const options = { mtime: new Date(1980, 0, 1, 12), mode: 0o100644, compressionLevel: 3, forceDosTimestamp: true } as const;

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const documents = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006';
const types = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** Sheets are all that has no entry of its own: how many there will be is not known yet. */
const contentTypes = `${head}<Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="${types}.worksheet+xml"/><Override PartName="/xl/workbook.xml" ContentType="${types}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${types}.styles+xml"/></Types>`;
const relations = `${head}<Relationships xmlns="${packages}/relationships"><Relationship Id="rId1" Type="${documents}/officeDocument" Target="xl/workbook.xml"/></Relationships>`;
/** Style 1 is that of headings. */
const styles = `${head}<styleSheet xmlns="${main}"><fonts count="2"><font><sz val="10"/><name val="Calibri"/></font><font><b/><sz val="10"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>`;

/** A workbook of some tables as a ZIP in pieces; neither rows nor sheets are held. `rowsOfSheet`: with the heading. */
export async function* workbook(tables: readonly NamedTable[], rowsOfSheet = sheetRows): AsyncGenerator<Uint8Array> {
  const zip = new yazl.ZipFile();
  const output = zip.outputStream as PassThrough;
  zip.on('error', (error: Error) => output.destroy(error));
  write(zip, tables, rowsOfSheet - 1).catch((error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error))));
  yield* output as AsyncIterable<Uint8Array>;
}

async function write(zip: yazl.ZipFile, tables: readonly NamedTable[], rowsOfSheet: number): Promise<void> {
  const add = (path: string, xml: string): void => zip.addBuffer(Buffer.from(xml), path, options);
  add('[Content_Types].xml', contentTypes);
  add('_rels/.rels', relations);
  add('xl/styles.xml', styles);
  const sheets: string[] = [];
  for (const { name, table } of tables) {
    const rows = rowsOf(table);
    let next = await rows.next();
    async function* some(): AsyncGenerator<readonly Cell[]> {
      for (let row = 0; row < rowsOfSheet && next.done !== true; row += 1, next = await rows.next()) yield next.value;
    }
    for (let part = 1; part === 1 || next.done !== true; part += 1) {
      sheets.push(part === 1 ? name : `${name} ${part}`);
      await addSheet(zip, `xl/worksheets/sheet${sheets.length}.xml`, sheetXml(table.columns, some()));
    }
  }
  const ids = sheets.map((_, at) => `rId${at + 1}`);
  add(
    'xl/workbook.xml',
    `${head}<workbook xmlns="${main}" xmlns:r="${documents}"><sheets>${sheets.map((name, at) => `<sheet name="${xmlText(name)}" sheetId="${at + 1}" r:id="${ids[at]}"/>`).join('')}</sheets></workbook>`,
  );
  add(
    'xl/_rels/workbook.xml.rels',
    `${head}<Relationships xmlns="${packages}/relationships">${ids.map((id, at) => `<Relationship Id="${id}" Type="${documents}/worksheet" Target="worksheets/sheet${at + 1}.xml"/>`).join('')}<Relationship Id="rId${ids.length + 1}" Type="${documents}/styles" Target="styles.xml"/></Relationships>`,
  );
  zip.end();
}

async function* rowsOf({ rows }: Table): AsyncGenerator<readonly Cell[], undefined> {
  for await (const row of rows) yield row;
}

/** Written when the archive comes to it, and awaited: so one sheet at a time is under way. */
function addSheet(zip: yazl.ZipFile, path: string, pieces: AsyncGenerator<string>): Promise<void> {
  return new Promise((done, fail) => {
    zip.addReadStreamLazy(path, options, (opened) => {
      // The archive does not watch the streams it is given.
      opened(null, Readable.from(pieces, { objectMode: false }).on('end', done).on('error', fail));
    });
  });
}
