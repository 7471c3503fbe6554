export type Cell = string | number | boolean | null;

/** Results as rows, whatever they are written in. Rows are as long as `columns`, which are named for machines: `captured_at`. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<readonly Cell[]> | Iterable<readonly Cell[]>;
}
