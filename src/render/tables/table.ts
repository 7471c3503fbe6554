export type Cell = string | number | boolean | null;

/** Results as rows, whatever they are written in. Rows are as long as `columns`, which are named for machines: `captured_at`. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<readonly Cell[]> | Iterable<readonly Cell[]>;
}

/** Longest cell that spreadsheets read (32,767), less what escaping may add. */
const cellLength = 30_000;

/** Texts one below the other; those that would make the cell longer than a spreadsheet reads are counted, and said where they are. */
export function linesCell(texts: readonly string[], where: string): string {
  let length = 0;
  const fitting = texts.findIndex((text) => (length += text.length + 1) > cellLength);
  if (fitting === -1) return texts.join('\n');
  return [...texts.slice(0, fitting), `(${texts.length - fitting} more: ${where})`].join('\n');
}
