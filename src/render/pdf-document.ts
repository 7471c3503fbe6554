import { PDF, PdfArray, PdfDict, PdfRef } from '@libpdf/core';
import type { PdfObject } from '@libpdf/core';
import { nameOf, PdfFile, textString } from './pdf-file.ts';
import { importPart } from './pdf-import.ts';
import type { ImportedPart } from './pdf-import.ts';
import type { Letters } from './pdf-letters.ts';

export interface PdfFacts {
  pages: number;
  /** Page number, from 1, of every named destination. */
  destinations: Map<string, number>;
}

/** What a finished PDF says of itself. */
export async function pdfFacts(bytes: Uint8Array): Promise<PdfFacts> {
  const pdf = await PDF.load(bytes);
  const pages = new Map<string, number>();
  const list = pdf.getPages();
  list.forEach((page, index) => pages.set(refKey(page.ref), index + 1));
  const destinations = new Map<string, number>();
  const named = resolve(pdf, pdf.getCatalog().get('Dests'));
  if (named instanceof PdfDict) {
    for (const [name, value] of named) {
      const target = resolve(pdf, value);
      const first = target instanceof PdfArray ? target.at(0) : undefined;
      const page = first instanceof PdfRef ? pages.get(refKey(first)) : undefined;
      if (page !== undefined) destinations.set(name.value, page);
    }
  }
  return { pages: list.length, destinations };
}

function refKey(ref: PdfRef): string {
  return `${ref.objectNumber} ${ref.generation}`;
}

function resolve(pdf: PDF, value: PdfObject | undefined): PdfObject | null {
  if (value instanceof PdfRef) return pdf.getObject(value);
  return value ?? null;
}

export interface PdfMetadata {
  title: string;
  author: string;
  subject: string;
  creator: string;
  /** The instant that both dates of the document state: the run's `asOf`, not the clock. */
  date: Date;
}

export interface OutlineItem {
  title: string;
  anchor: string;
  children: OutlineItem[];
}

/** What stands at the head and foot of the pages, beside their numbers. */
export interface RunningHeads {
  right: string;
  foot: string;
}

/** Heads of a part's pages: the first, and those that begin with an anchor of the part. */
export interface PartHeads {
  head: string;
  sections: readonly { anchor: string; head: string }[];
}

interface Placed extends PartHeads {
  part: ImportedPart;
}

const LEAF = 500;

/**
 * The report's PDF, put together from parts that were printed by themselves: one page tree, one structure tree, one set of named
 * destinations, one outline; fonts once. Parts may come in any order; their pages' order is said at the end.
 */
export class ReportPdf {
  readonly #file = new PdfFile();
  readonly #catalog = this.#file.reserve();
  readonly #pages = this.#file.reserve();
  readonly #structure = this.#file.reserve();
  readonly #document = this.#file.reserve();
  readonly #placed = new Map<string, Placed>();
  #letters: Letters | null = null;
  #parentKey = 0;
  #cells = 0;
  readonly #parents = new Tree('Nums');
  readonly #ids = new Tree('Names');

  /** Copies a printed part into the file. */
  async append(name: string, bytes: Uint8Array, heads: PartHeads): Promise<ImportedPart> {
    const { part, letters, parentKey, cells } = await importPart(this.#file, bytes, {
      pages: this.#pages,
      document: this.#document,
      parentKey: this.#parentKey,
      cells: this.#cells,
      letters: this.#letters,
    });
    this.#letters ??= letters;
    this.#parentKey = parentKey;
    this.#cells = cells;
    for (const [key, number] of part.parents) this.#parents.add(this.#file, String(key), `${number} 0 R`);
    for (const [key, number] of part.ids) this.#ids.add(this.#file, `(${key})`, `${number} 0 R`);
    this.#placed.set(name, { ...heads, part: { ...part, parents: [], ids: [] } });
    return part;
  }

  /** Bytes that are ready to be written, in order. */
  take(): Buffer[] {
    return this.#file.take();
  }

  /** Ends the file. Throws when a link or an entry of the outline leads nowhere. Returns the number of pages. */
  finish(order: readonly string[], outline: readonly OutlineItem[], running: RunningHeads, metadata: PdfMetadata): number {
    const parts = order.map((name) => {
      const placed = this.#placed.get(name);
      if (placed === undefined) throw new Error(`the report has no part ${name}`);
      return placed;
    });
    const file = this.#file;
    const destinations = new Map<string, string>();
    for (const { part } of parts)
      for (const [anchor, { page, view }] of part.destinations)
        if (!destinations.has(anchor)) destinations.set(anchor, `[${part.pages[page]?.page ?? 0} 0 R ${view}]`);
    const lost = parts.flatMap(({ part }) => [...part.links].filter((anchor) => !destinations.has(anchor)));
    if (lost.length > 0) throw new Error(`links of the printed report lead nowhere: ${[...new Set(lost)].slice(0, 5).join(', ')}`);

    const total = parts.reduce((sum, { part }) => sum + part.pages.length, 0);
    this.#stamp(parts, total, running);
    const elements = parts.flatMap(({ part }) => (part.element === null ? [] : [`${part.element} 0 R`]));
    file.put(this.#document, `<</S/Document/P ${this.#structure} 0 R/Lang(en)/K[${elements.join(' ')}]>>`);
    const parents = this.#parents.end(file);
    const ids = this.#ids.end(file);
    file.put(
      this.#structure,
      `<</Type/StructTreeRoot/RoleMap<</Strong/Span/Em/Span>>/K ${this.#document} 0 R/ParentTree ${parents ?? file.add('<</Nums[]>>')} 0 R/ParentTreeNextKey ${this.#parentKey}${ids === null ? '' : `/IDTree ${ids} 0 R`}>>`,
    );
    file.put(this.#pages, `<</Type/Pages/Count ${total}/Kids[${parts.map(({ part }) => `${part.node} 0 R`).join(' ')}]>>`);
    const named = file.add(
      `<<${[...destinations]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([anchor, value]) => `${nameOf(anchor)}${value}`)
        .join('\n')}>>`,
    );
    const outlines = this.#outline(outline, destinations);
    file.put(
      this.#catalog,
      `<</Type/Catalog/Pages ${this.#pages} 0 R/Dests ${named} 0 R/Outlines ${outlines} 0 R/PageMode/UseOutlines/Lang(en)/MarkInfo<</Marked true>>/StructTreeRoot ${this.#structure} 0 R/ViewerPreferences<</DisplayDocTitle true>>>>`,
    );
    file.end(this.#catalog, file.add(infoOf(metadata)));
    return total;
  }

  #stamp(parts: readonly Placed[], total: number, running: RunningHeads): void {
    const letters = this.#letters;
    if (letters === null) return;
    let number = 0;
    for (const { part, head, sections } of parts) {
      const starts = sections
        .flatMap((section) => {
          const at = part.destinations.get(section.anchor);
          return at === undefined ? [] : [{ page: at.page, head: section.head }];
        })
        .sort((a, b) => a.page - b.page);
      let left = head;
      part.pages.forEach(({ heads }, index) => {
        number += 1;
        // Of the sections that begin on a page the first names it, and the last those after it.
        const here = starts.filter(({ page }) => page === index);
        left = here[0]?.head ?? left;
        const lines =
          number === 1
            ? ''
            : letters.line(left, { ...TOP_LEFT, width: 300 }) +
              letters.line(running.right, { ...TOP_RIGHT, width: 190 }) +
              letters.line(running.foot, { ...BOTTOM_LEFT, width: 390 }) +
              letters.line(`Page ${number} of ${total}`, { ...BOTTOM_RIGHT, width: 110 });
        left = here.at(-1)?.head ?? left;
        this.#file.putStream(heads, '', Buffer.from(lines === '' ? 'Q\n' : `Q /Artifact<</Type/Pagination>>BDC\n${lines}EMC\n`, 'latin1'));
      });
    }
  }

  #outline(items: readonly OutlineItem[], destinations: ReadonlyMap<string, string>): number {
    const file = this.#file;
    const write = (list: readonly OutlineItem[], parent: number): { first: number; last: number } => {
      const numbers = list.map(() => file.reserve());
      list.forEach((item, index) => {
        const own = numbers[index] ?? 0;
        const target = destinations.get(item.anchor);
        if (target === undefined) throw new Error(`the printed report lacks ${item.anchor}`);
        const below = item.children.length === 0 ? null : write(item.children, own);
        file.put(
          own,
          `<</Title${textString(item.title)}/Parent ${parent} 0 R/Dest${target}` +
            (index === 0 ? '' : `/Prev ${numbers[index - 1] ?? 0} 0 R`) +
            (index === numbers.length - 1 ? '' : `/Next ${numbers[index + 1] ?? 0} 0 R`) +
            (below === null ? '' : `/First ${below.first} 0 R/Last ${below.last} 0 R/Count -${item.children.length}`) +
            '>>',
        );
      });
      return { first: numbers[0] ?? 0, last: numbers.at(-1) ?? 0 };
    };
    const root = file.reserve();
    const { first, last } = write(items, root);
    file.put(root, `<</Type/Outlines/First ${first} 0 R/Last ${last} 0 R/Count ${items.length}>>`);
    return root;
  }
}

const SIZE = 7.6;
/** In points from the lower left corner of an A4 page with margins of 16 mm. */
const TOP_LEFT = { x: 45.4, y: 809.5, size: SIZE, align: 'left' } as const;
const TOP_RIGHT = { x: 549.6, y: 809.5, size: SIZE, align: 'right' } as const;
const BOTTOM_LEFT = { x: 45.4, y: 24.3, size: SIZE, align: 'left' } as const;
const BOTTOM_RIGHT = { x: 549.6, y: 24.3, size: SIZE, align: 'right' } as const;

/** A number tree or name tree whose leaves leave memory as they fill. */
class Tree {
  readonly #kind: 'Nums' | 'Names';
  readonly #leaves: { number: number; first: string; last: string }[] = [];
  #entries: [string, string][] = [];

  constructor(kind: 'Nums' | 'Names') {
    this.#kind = kind;
  }

  /** Keys come in ascending order. */
  add(file: PdfFile, key: string, value: string): void {
    this.#entries.push([key, value]);
    if (this.#entries.length === LEAF) this.#flush(file);
  }

  #flush(file: PdfFile): void {
    const [first, last] = [this.#entries[0], this.#entries.at(-1)];
    if (first === undefined || last === undefined) return;
    const body = this.#entries.map(([key, value]) => `${key} ${value}`).join(' ');
    this.#leaves.push({ number: file.add(`<</Limits[${first[0]} ${last[0]}]/${this.#kind}[${body}]>>`), first: first[0], last: last[0] });
    this.#entries = [];
  }

  /** Object number of the root; null for an empty tree. */
  end(file: PdfFile): number | null {
    this.#flush(file);
    return this.#leaves.length === 0 ? null : file.add(`<</Kids[${this.#leaves.map(({ number }) => `${number} 0 R`).join(' ')}]>>`);
  }
}

function infoOf(metadata: PdfMetadata): string {
  const date = `(D:${metadata.date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z)`;
  const { title, author, subject, creator } = metadata;
  return `<</Title${textString(title)}/Author${textString(author)}/Subject${textString(subject)}/Creator${textString(creator)}/Producer(Skia/PDF)/CreationDate${date}/ModDate${date}>>`;
}
