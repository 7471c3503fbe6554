import { PDF, PdfArray, PdfDict, PdfRef } from '@libpdf/core';
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
  const pdf = await PDF.load(main);
  for (const volume of volumes) {
    const source = await PDF.load(volume);
    await pdf.copyPagesFrom(source, Array.from({ length: source.getPageCount() }, (_, index) => index));
  }
  pdf.setMetadata({ title: metadata.title, author: metadata.author, subject: metadata.subject, creator: metadata.creator, creationDate: metadata.date, modificationDate: metadata.date });
  return pdf.save();
}
