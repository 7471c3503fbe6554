import { codePoint, visibleLines } from '../../text/visible.ts';
import { inPieces } from '../pieces.ts';
import { clip, cutMark } from '../text.ts';
import type { Cell } from '../tables/table.ts';

/**
 * A sheet of a workbook in Office Open XML (ECMA-376), written as its rows come. Texts are inline strings, which no spreadsheet takes for
 * a formula, whatever they begin with.
 */

/** What a sheet and a cell hold at most, by Excel's specification. */
export const sheetRows = 1_048_576;
const cellLimit = 32_767;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function xmlText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] as string);
}

/** Fit for a cell: what XML cannot hold or a reader cannot see is spelt out, and an escape that is none stays as it is. */
export function cellText(text: string): string {
  const clean = visibleLines(text.replaceAll('\r\n', '\n'))
    .replace(/[\ufffe\uffff]/g, codePoint)
    .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_');
  if (clean.length <= cellLimit) return xmlText(clean);
  return xmlText(clip(clean, cellLimit - cutMark(clean.length).length));
}

/** `A`, `Z`, `AA`. */
export function columnName(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : columnName(Math.floor(index / 26) - 1) + String.fromCharCode(65 + (index % 26));
}

function cellXml(value: Cell, reference: string, style: string): string {
  if (value === null || value === '') return '';
  if (typeof value === 'number' && Number.isFinite(value)) return `<c r="${reference}"${style}><v>${value}</v></c>`;
  if (typeof value === 'boolean') return `<c r="${reference}"${style} t="b"><v>${value ? 1 : 0}</v></c>`;
  return `<c r="${reference}"${style} t="inlineStr"><is><t xml:space="preserve">${cellText(String(value))}</t></is></c>`;
}

function rowXml(values: readonly Cell[], row: number, style = ''): string {
  let cells = '';
  for (let at = 0; at < values.length; at += 1) cells += cellXml(values[at] as Cell, `${columnName(at)}${row}`, style);
  return `<row r="${row}">${cells}</row>`;
}

/** Columns that hold sentences or ids are wide, by their names; the others as wide as those. */
const wide =
  /^(title|uid|store|reason|reasons|observed|citations?|unsettled|principal|via|justification|resources|value|fact|excluded_reasons|count_source)$/;

/** The sheet with its heading; `rows` gives no more than fit below it. */
export function sheetXml(columns: readonly string[], rows: AsyncIterable<readonly Cell[]>): AsyncGenerator<string> {
  const widths = columns.map(
    (name, at) => `<col min="${at + 1}" max="${at + 1}" width="${wide.test(name) ? 48 : Math.max(12, name.length + 4)}" customWidth="1"/>`,
  );
  const head =
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' +
    '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>' +
    `<cols>${widths.join('')}</cols><sheetData>${rowXml(columns, 1, ' s="1"')}`;
  async function* parts(): AsyncGenerator<string> {
    yield head;
    let row = 1;
    for await (const values of rows) {
      row += 1;
      yield rowXml(values, row);
    }
    yield `</sheetData><autoFilter ref="A1:${columnName(columns.length - 1)}${row}"/></worksheet>`;
  }
  return inPieces(parts());
}
