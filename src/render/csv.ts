import { visibleLines } from '../text/visible.ts';
import { inPieces } from './pieces.ts';
import type { Cell, Table } from './tables/table.ts';

/**
 * CSV after RFC 4180: UTF-8 with a byte order mark, CRLF, quotes where needed. A text that a spreadsheet would take for a formula
 * (first character `=`, `+`, `-`, `@`, `|`, `%`, their full-width forms, a tab or a line break, blanks before it skipped) gets an
 * apostrophe in front, and so does what another separator would make the first of a cell. Characters that cannot be seen, or turn
 * the text around, are spelt out. A reader that needs the value exactly finds it in observations.ndjson. Numbers are never touched.
 */
const FORMULA = /^\s*[=+\-@\t\r\n|%＝＋－＠]/u;

/** What a spreadsheet that separates cells by semicolons or tabs, as in half of Europe, would take for the beginning of another cell. */
const FORMULA_WITHIN = /([;\t\n][^\S\n]*)(?=[=+\-@|%＝＋－＠])/gu;

/** Most cells: printable ASCII that no rule below is about. */
const PLAIN = /^[\w/([{.#*:][\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]*$/;

export function csvCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  if (PLAIN.test(value)) return value;
  const clean = visibleLines(value.replaceAll('\r\n', '\n')).replace(FORMULA_WITHIN, "$1'");
  const guarded = FORMULA.test(clean) || /^\s/u.test(clean) ? `'${clean}` : clean;
  return /[",;\t\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

function csvLine(values: readonly Cell[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}

const BOM = '\ufeff';

export function csv({ columns, rows }: Table): AsyncGenerator<string> {
  async function* lines(): AsyncGenerator<string> {
    yield BOM + csvLine(columns);
    for await (const row of rows) yield csvLine(row);
  }
  return inPieces(lines());
}
