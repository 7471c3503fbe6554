import { forPdf } from './view.ts';
import { loadTemplates } from './templates.ts';
import { rowSchema } from './view-schema.ts';
import type { RowView, View } from './view-schema.ts';

/** Rows printed at a time: memory stays flat however long the register grows. */
const CHUNK_ROWS = 2000;

export interface RegisterRow {
  control: string;
  title: string;
  row: RowView;
}

export interface RegisterChunk {
  first: boolean;
  groups: { control: string; title: string; continued: boolean; rows: RowView[] }[];
}

/** Rows in their order, cut into parts; a control that is cut is marked as continued. */
export async function* registerChunks(rows: AsyncIterable<RegisterRow>): AsyncGenerator<RegisterChunk> {
  let chunk: RegisterChunk = { first: true, groups: [] };
  let held = 0;
  let last = '';
  for await (const { control, title, row } of rows) {
    let group = chunk.groups.at(-1);
    if (group?.control !== control) {
      group = { control, title, continued: last === control, rows: [] };
      chunk.groups.push(group);
    }
    group.rows.push(rowSchema.parse(forPdf(row)));
    last = control;
    held += 1;
    if (held === CHUNK_ROWS) {
      yield chunk;
      chunk = { first: false, groups: [] };
      held = 0;
    }
  }
  if (held > 0) yield chunk;
}

export function registerHtml(view: View, chunk: RegisterChunk, style: string): string {
  const body = loadTemplates().partial('register', {
    ...chunk,
    groups: chunk.groups
      .map((group) => forPdf({ ...group, rows: [] }))
      .map((group, index) => ({ ...group, rows: chunk.groups[index]?.rows ?? [] })),
  });
  const [before = '', after = ''] = loadTemplates().partial('register-page', { lang: view.lang, title: view.title }).split('<!--body-->');
  return `${before.replace('<!--style-->', () => style)}${body}${after}`;
}
