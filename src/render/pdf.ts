import type { Assessment } from '../model/index.ts';
import { openBrowser } from './browser.ts';
import type { BrowserRecord, OpenBrowser } from './browser.ts';
import { printToPdf } from './page-pdf.ts';
import { ReportPdf } from './pdf-document.ts';
import { frontPart, middleParts, outlineOf, partHtml } from './pdf-parts.ts';
import type { PdfPart } from './pdf-parts.ts';
import { registerParts } from './register.ts';
import type { RegisterRow } from './register.ts';
import { buildView } from './view.ts';
import type { Gathered } from './view.ts';
import type { SigningInfo } from './view-front.ts';
import type { View } from './view-schema.ts';

export interface PdfInput {
  assessment: Assessment;
  gathered: Gathered;
  signing: SigningInfo | null;
  /** Every non-passing row of the controls that the document shows only in part; read once. */
  registerRows: () => AsyncIterable<RegisterRow>;
  browser?: string;
  log: (message: string) => void;
}

export interface PdfReport {
  pages: number;
  browser: BrowserRecord;
}

/** Passes after which the contents must agree with the pages: they are padded to one width, so the second is normally the last. */
const PASSES = 4;

/** Pages of the browser that print at the same time. */
const PRINTERS = 2;

/**
 * The report as a PDF, piece by piece. It is printed in parts of bounded length, which leave memory as they are joined; the part
 * with the contents comes last, when the page numbers are known, and is printed until both agree.
 */
export async function* pdfReport(input: PdfInput): AsyncGenerator<Uint8Array, PdfReport> {
  const opened = await openBrowser(input.browser);
  try {
    for (const warning of opened.record.warnings) input.log(warning);
    const { assessment } = input;
    const view = buildView(assessment, input.gathered, input.signing, { format: 'pdf' });
    const report = new ReportPdf();
    const names: string[] = [];
    const pages = new Map<string, number>();
    let length = 0;
    for await (const { part, bytes } of inOrder(opened, view, bodyParts(view, input))) {
      const name = `part ${names.length + 1}`;
      const imported = await report.append(name, bytes, part);
      for (const [anchor, { page }] of imported.destinations) pages.set(anchor, length + page + 1);
      names.push(name);
      length += imported.pages.length;
      yield* report.take();
    }
    const front = await printFront(opened, input, pages);
    await report.append('front', front.bytes, front.part);
    const total = report.finish(
      ['front', ...names],
      outlineOf(view),
      { right: view.running, foot: view.footer },
      {
        title: view.title,
        author: view.cover.facts[0]?.value ?? '',
        subject: view.description,
        creator: `${assessment.tool.name} ${assessment.tool.version}`,
        date: new Date(assessment.asOf),
      },
    );
    yield* report.take();
    return { pages: total, browser: opened.record };
  } finally {
    await opened.close();
  }
}

async function* bodyParts(view: View, input: PdfInput): AsyncGenerator<PdfPart> {
  yield* middleParts(view);
  if (view.register) yield* registerParts(input.registerRows());
}

/** Prints a few parts at a time, and hands them out in their order. */
async function* inOrder(
  opened: OpenBrowser,
  view: View,
  parts: AsyncIterable<PdfPart>,
): AsyncGenerator<{ part: PdfPart; bytes: Uint8Array }> {
  const running: Promise<{ part: PdfPart; bytes: Uint8Array }>[] = [];
  for await (const part of parts) {
    const work = print(opened, view, part).then((bytes) => ({ part: { ...part, body: '' }, bytes }));
    work.catch(() => undefined);
    running.push(work);
    const next = running.length >= PRINTERS ? running.shift() : undefined;
    if (next !== undefined) yield await next;
  }
  for (const work of running) yield await work;
}

function print(opened: OpenBrowser, view: View, part: PdfPart): Promise<Uint8Array> {
  return printToPdf(opened.browser, partHtml(view, part), { end: 'end' });
}

/** @param body pages of anchors, counted from the first page after the front */
async function printFront(
  opened: OpenBrowser,
  input: PdfInput,
  body: ReadonlyMap<string, number>,
): Promise<{ part: PdfPart; bytes: Uint8Array }> {
  let front = new Map<string, number>();
  let length = 0;
  for (let pass = 0; pass < PASSES; pass += 1) {
    const numbers = new Map(front);
    for (const [anchor, page] of body) numbers.set(anchor, length + page);
    const pages = new Map([...numbers].map(([anchor, page]) => [anchor, String(page)]));
    const view = buildView(input.assessment, input.gathered, input.signing, { format: 'pdf', pages: pass === 0 ? new Map() : pages });
    const part = frontPart(view);
    const bytes = await print(opened, view, part);
    const probe = new ReportPdf();
    const printed = await probe.append('front', bytes, part);
    const next = new Map([...printed.destinations].map(([anchor, { page }]) => [anchor, page + 1]));
    const missing = view.contents.filter(({ anchor }) => !next.has(anchor) && !body.has(anchor));
    if (missing.length > 0) throw new Error(`the printed report lacks ${missing.map(({ anchor }) => anchor).join(', ')}`);
    const settled = pass > 0 && printed.pages.length === length && [...next].every(([anchor, page]) => front.get(anchor) === page);
    if (settled) return { part, bytes };
    front = next;
    length = printed.pages.length;
  }
  throw new Error(`page numbers did not settle in ${PASSES} passes`);
}
