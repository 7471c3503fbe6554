import { pdfCoverage } from './fonts.ts';
import { PART_LINK } from './pdf-import.ts';
import type { OutlineItem, PartHeads } from './pdf-document.ts';
import { loadTemplates, styleFor } from './templates.ts';
import type { RowGroup } from './view-rows.ts';
import type { ControlView, View } from './view-schema.ts';

/** A part of the PDF, printed by itself: the browser holds no more than it at a time, however long the report. */
export interface PdfPart extends PartHeads {
  body: string;
}

/** Length of a part in about printed lines, some forty pages: memory stays flat however long the report grows. */
export const PART_LINES = 2400;
const CONTROL_LINES = 95;

/** The part that holds the contents, and is printed last: page numbers are known then. */
export function frontPart(view: View): PdfPart {
  const names = ['cover', 'contents', 'summary', 'scope', 'method', 'limitations', 'controls-intro'];
  return {
    body: names.map((name) => loadTemplates().partial(name, view)).join('\n'),
    head: view.cover.title,
    sections: [...sections(view, ['summary', 'scope', 'method', 'limitations', 'controls'])],
  };
}

/** Everything between the contents and the register. */
export function* middleParts(view: View): Generator<PdfPart> {
  for (const controls of slices(view.controls, controlLines)) {
    yield {
      body: controls.map((control) => loadTemplates().partial('control', control)).join('\n'),
      head: '',
      sections: controls.map(({ anchor, id, pill }) => ({ anchor, head: `${id} · ${pill.word}` })),
    };
  }
  const { access, reconciliation, evidence } = view;
  const stores = slices(access.groups, (group) => 6 + group.stores.length + 2 * group.ways.length);
  yield* continued(view, 'access', stores, (groups, first, last) => ({
    access: {
      ...access,
      groups,
      continued: !first,
      ...(last ? {} : { notes: [], records: [], moreNotes: null }),
    },
  }));
  yield {
    body: ['exceptions', 'coverage'].map((name) => loadTemplates().partial(name, view)).join('\n'),
    head: '',
    sections: sections(view, ['exceptions', 'coverage']),
  };
  const populations = slices(reconciliation.controls, (control) => 3 + control.lines.length);
  yield* continued(view, 'reconciliation', populations, (controls, first) => ({
    reconciliation: { ...reconciliation, controls, continued: !first },
  }));
  const places = slices(evidence.places, (place) => 5 + place.queries.length);
  yield* continued(view, 'evidence', places, (list, first, last) => ({
    evidence: { ...evidence, places: list, continued: !first, ...(last ? {} : { texts: [], more: null }) },
  }));
  yield {
    body: ['versions', 'signature'].map((name) => loadTemplates().partial(name, view)).join('\n'),
    head: '',
    sections: sections(view, ['versions', 'signature']),
  };
}

function controlLines(control: ControlView): number {
  return control.groups.reduce((sum, group) => sum + groupLines(group), CONTROL_LINES);
}

export function groupLines(group: RowGroup): number {
  return 4 + 2 * group.leaves.length + 3 * group.members.length;
}

/** Items in their order, cut into runs that fit a part each; at least one run, so that an empty section is printed as well. */
function slices<T>(items: readonly T[], lines: (item: T) => number): T[][] {
  const cut: T[][] = [[]];
  let held = 0;
  for (const item of items) {
    const length = lines(item);
    if (held > 0 && held + length > PART_LINES) {
      cut.push([]);
      held = 0;
    }
    cut.at(-1)?.push(item);
    held += length;
  }
  return cut;
}

function* continued<T>(
  view: View,
  name: 'access' | 'reconciliation' | 'evidence',
  runs: readonly T[][],
  context: (items: T[], first: boolean, last: boolean) => object,
): Generator<PdfPart> {
  for (const [index, items] of runs.entries()) {
    yield {
      body: loadTemplates().partial(name, { ...context(items, index === 0, index === runs.length - 1), pdf: true }),
      head: titleOf(view, name),
      sections: sections(view, [name]),
    };
  }
}

function titleOf(view: View, anchor: string): string {
  return view.contents.find((entry) => entry.anchor === anchor)?.title ?? '';
}

function sections(view: View, anchors: readonly string[]): PartHeads['sections'] {
  return anchors.map((anchor) => ({ anchor, head: titleOf(view, anchor) }));
}

/** Sections, and what lies in them. */
export function outlineOf(view: View): OutlineItem[] {
  const items: OutlineItem[] = [];
  for (const { title, anchor, depth } of view.contents) {
    const item = { title, anchor, children: [] };
    if (depth === 0) items.push(item);
    else items.at(-1)?.children.push(item);
  }
  return items;
}

/** A part as a document of its own. Its first page, which is not kept, loads every letter: so all parts embed the same fonts. */
export function partHtml(view: View, part: PdfPart): string {
  const anchors = [...part.body.matchAll(/ id="([^"]+)"/g)].map(([, anchor = '']) => anchor).filter((anchor) => !anchor.startsWith('o-'));
  const page = loadTemplates().partial('pdf-part', { lang: view.lang, title: view.title, letters: lettersOf(view), anchors });
  const [beforeStyle = '', afterStyle = ''] = page.split('<!--style-->');
  const [before = '', after = ''] = afterStyle.split('<!--body-->');
  const body = part.body.replaceAll(' href="#', ` href="${PART_LINK}`).replaceAll(`<use href="${PART_LINK}`, '<use href="#');
  return [beforeStyle, styleFor('pdf'), before, body, after].join('');
}

let latin: string | undefined;

/** The letters of Western texts, and those of the running heads. */
function lettersOf(view: View): string {
  latin ??= [...pdfCoverage()]
    .filter((code) => (code > 0x20 && code < 0x7f) || (code > 0xa0 && code < 0x100 && code !== 0xad) || (code >= 0x2013 && code <= 0x2026))
    .map((code) => String.fromCodePoint(code))
    .join('');
  const heads = [
    view.cover.title,
    ...view.cover.facts.map(({ value }) => value),
    view.footer,
    ...view.contents.flatMap(({ id, title, word }) => [id, title, word]),
  ];
  const others = new Set([...heads.join('')].filter((letter) => !latin?.includes(letter)));
  return `${latin} fi fl ff ffi ffl ${[...others].sort().join('')}`;
}
