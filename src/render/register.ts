import { loadTemplates } from './templates.ts';
import { anchorOf, groupRows } from './view-control.ts';
import { groupLines, PART_LINES } from './pdf-parts.ts';
import type { PdfPart } from './pdf-parts.ts';
import { rowGroupSchema } from './view-rows.ts';
import type { RowGroup, RowView } from './view-rows.ts';
import { forPdf } from './view.ts';

/** Rows of a control that are grouped together: what is held at a time. A longer control is grouped in several goes. */
const WINDOW_ROWS = 4000;

/** Members of a group that go into a part together; a longer group is cut. */
const MEMBERS = 500;

export interface RegisterRow {
  control: string;
  title: string;
  row: RowView;
}

interface RegisterControl {
  control: string;
  title: string;
  /** Where the control begins; empty where it goes on. */
  anchor: string;
  continued: boolean;
  groups: RowGroup[];
}

/** The register in parts: rows in their order, grouped by what they have in common; a control that is cut is marked as continued. */
export async function* registerParts(rows: AsyncIterable<RegisterRow>): AsyncGenerator<PdfPart> {
  let controls: RegisterControl[] = [];
  let held = 0;
  let first = true;
  let last = '';
  const part = (end: boolean): PdfPart => {
    const body = loadTemplates().partial('register', { first, controls, end });
    first = false;
    controls = [];
    held = 0;
    return { body, head: 'Register of non-passing resources', sections: [] };
  };
  for await (const window of windows(rows)) {
    const { control, title } = window[0] ?? { control: '', title: '' };
    for (const group of groupRows(window.map(({ row }) => row))) {
      for (let from = 0; from < group.members.length; from += MEMBERS) {
        // Only when more follows: the last part ends the report.
        if (held >= PART_LINES) yield part(false);
        const members = group.members.slice(from, from + MEMBERS);
        let place = controls.at(-1);
        if (place?.control !== control) {
          const continued = last === control;
          place = { control, title: forPdf(title), anchor: continued ? '' : anchorOf('register', control), continued, groups: [] };
          controls.push(place);
          last = control;
        }
        place.groups.push(rowGroupSchema.parse(forPdf({ ...group, members })));
        held += groupLines({ ...group, members });
      }
    }
  }
  if (held > 0) yield part(true);
}

/** Rows of one control at a time, and never more than a window of them. */
async function* windows(rows: AsyncIterable<RegisterRow>): AsyncGenerator<RegisterRow[]> {
  let window: RegisterRow[] = [];
  for await (const row of rows) {
    if (window.length === WINDOW_ROWS || (window[0] !== undefined && window[0].control !== row.control)) {
      yield window;
      window = [];
    }
    window.push(row);
  }
  if (window.length > 0) yield window;
}
