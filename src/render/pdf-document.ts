import { createHash } from 'node:crypto';
import { PDF, PdfArray, PdfDict, PdfNumber, PdfRef, PdfString } from '@libpdf/core';
import type { PdfObject } from '@libpdf/core';

/** What is read from, and done to, a printed PDF before it is sealed. */

export interface PdfFacts {
  pages: number;
  /** Page number, from 1, of every named destination. */
  destinations: Map<string, number>;
}

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

/**
 * Chromium names the cells of tables after internal node numbers, which differ from run to run. They become their rank instead:
 * the same width, the same order (the tree of ids is sorted), the same bytes.
 */
export function renumberNodes(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const names = [...new Set(text.match(/\(node\d{8}\)/g) ?? [])].sort();
  if (names.length === 0) return bytes;
  const renamed = new Map(names.map((name, index) => [name, `(node${String(index + 1).padStart(8, '0')})`]));
  return Buffer.from(
    text.replace(/\(node\d{8}\)/g, (name) => renamed.get(name) ?? name),
    'latin1',
  );
}

export interface PdfMetadata {
  title: string;
  author: string;
  subject: string;
  creator: string;
  /** The instant that both dates of the document state: the run's `asOf`, not the clock. */
  date: Date;
}

/**
 * Appends the pages of further documents to the first, which keeps its tags, outline and destinations, and states who made it and
 * of when it is. The same input gives the same bytes.
 */
export async function finishPdf(main: Uint8Array, volumes: readonly Uint8Array[], metadata: PdfMetadata): Promise<Uint8Array> {
  const pdf = await PDF.load(renumberNodes(main));
  for (const volume of volumes) {
    const source = await PDF.load(volume);
    await pdf.copyPagesFrom(
      source,
      Array.from({ length: source.getPageCount() }, (_, index) => index),
    );
  }
  tidyOutline(pdf);
  pdf.setMetadata({
    title: metadata.title,
    author: metadata.author,
    subject: metadata.subject,
    creator: metadata.creator,
    creationDate: metadata.date,
    modificationDate: metadata.date,
  });
  return identify(await pdf.save());
}

/** Depth of the outline: sections, and what lies in them. The headings inside a control's page would only hide the controls. */
const OUTLINE_DEPTH = 2;

/**
 * The outline as a reader wants it: closed, two levels deep, and each title once (Chromium writes the title of a heading that
 * begins a page twice over).
 */
function tidyOutline(pdf: PDF): void {
  const outlines = resolve(pdf, pdf.getCatalog().get('Outlines'));
  if (outlines instanceof PdfDict) outlines.set('Count', PdfNumber.of(tidyItems(pdf, outlines, 1)));
}

/** Tidies the children of an outline item and returns how many they are. */
function tidyItems(pdf: PDF, parent: PdfDict, depth: number): number {
  let count = 0;
  for (let item = resolve(pdf, parent.get('First')); item instanceof PdfDict; item = resolve(pdf, item.get('Next'))) {
    count += 1;
    const title = item.get('Title');
    if (title instanceof PdfString) {
      const text = title.asString();
      const half = text.slice(0, text.length / 2);
      if (half !== '' && half + half === text) item.set('Title', PdfString.fromString(half));
    }
    const children = depth < OUTLINE_DEPTH ? tidyItems(pdf, item, depth + 1) : 0;
    if (children > 0) item.set('Count', PdfNumber.of(-children));
    else for (const key of ['First', 'Last', 'Count']) item.delete(key);
  }
  return count;
}

const IDENTIFIER = /\/ID \[<([0-9A-F]{32})> <([0-9A-F]{32})>\]/;

/** The file identifier, which is random as saved, becomes a digest of the rest of the file. */
function identify(bytes: Uint8Array): Uint8Array {
  const from = Math.max(0, bytes.length - 2048);
  const tail = Buffer.from(bytes.subarray(from)).toString('latin1');
  const found = IDENTIFIER.exec(tail);
  if (found === null) throw new Error('the PDF has no file identifier where one was expected');
  const at = from + found.index;
  const digest = createHash('sha256')
    .update(bytes.subarray(0, at))
    .update(bytes.subarray(at + found[0].length))
    .digest('hex')
    .slice(0, 32)
    .toUpperCase();
  bytes.set(Buffer.from(`/ID [<${digest}> <${digest}>]`, 'latin1'), at);
  return bytes;
}
