import type { Assessment } from '../model/index.ts';
import { openBrowser } from './browser.ts';
import type { BrowserRecord, OpenBrowser } from './browser.ts';
import { printToPdf } from './page-pdf.ts';
import { finishPdf, pdfFacts } from './pdf-document.ts';
import { registerChunks, registerHtml } from './register.ts';
import type { RegisterChunk, RegisterRow } from './register.ts';
import { cssString, renderParts, styleFor } from './templates.ts';
import { buildView } from './view.ts';
import type { Gathered } from './view.ts';
import type { SigningInfo } from './view-front.ts';
import type { View } from './view-schema.ts';

export interface PdfInput {
  assessment: Assessment;
  gathered: Gathered;
  signing: SigningInfo | null;
  /** Every non-passing row of the controls that the document shows only in part; read twice. */
  registerRows: () => AsyncIterable<RegisterRow>;
  browser?: string;
  log: (message: string) => void;
}

export interface PdfReport {
  bytes: Uint8Array;
  pages: number;
  browser: BrowserRecord;
}

/** Passes after which page numbers must have settled: they are padded to one width, so the second is normally the last. */
const PASSES = 4;

/**
 * The report as a PDF: printed once to learn the page numbers, again with them in the contents, and as often as it takes for both to
 * agree. The register of a large estate is printed in parts by two pages of the same browser, then appended.
 */
export async function pdfReport(input: PdfInput): Promise<PdfReport> {
  const opened = await openBrowser(input.browser);
  try {
    for (const warning of opened.record.warnings) input.log(warning);
    const counts = input.gathered.register ? await registerPages(opened, input) : [];
    const registerLength = counts.reduce((sum, count) => sum + count, 0);
    const main = await mainDocument(opened, input, registerLength);
    const volumes = registerLength === 0 ? [] : await printRegister(opened, input, main.pages, counts);
    const { assessment } = input;
    const bytes = await finishPdf(main.bytes, volumes, {
      title: main.view.title,
      author: main.view.cover.facts[0]?.value ?? '',
      subject: main.view.description,
      creator: `${assessment.tool.name} ${assessment.tool.version}`,
      date: new Date(assessment.asOf),
    });
    return { bytes, pages: main.pages + registerLength, browser: opened.record };
  } finally {
    await opened.close();
  }
}

interface MainDocument {
  bytes: Uint8Array;
  pages: number;
  view: View;
}

async function mainDocument(opened: OpenBrowser, input: PdfInput, registerLength: number): Promise<MainDocument> {
  let pages = new Map<string, string>();
  let total = 0;
  for (let pass = 0; pass < PASSES; pass += 1) {
    const view = buildView(input.assessment, input.gathered, input.signing, { format: 'pdf', pages });
    const bytes = await printToPdf(opened.browser, mainHtml(view, registerLength === 0 ? null : total + registerLength), {
      tagged: pass > 0,
      end: 'end',
    });
    const facts = await pdfFacts(bytes);
    const next = new Map([...facts.destinations].map(([anchor, page]) => [anchor, String(page)]));
    if (registerLength > 0) next.set('register', String(facts.pages + 1));
    const missing = view.contents.filter((entry) => !next.has(entry.anchor));
    if (missing.length > 0) throw new Error(`the printed report lacks ${missing.map((entry) => entry.anchor).join(', ')}`);
    // The first pass only measures, and does without tags.
    if (pass > 0 && facts.pages === total && sameNumbers(view, pages, next)) return { bytes, pages: facts.pages, view };
    pages = next;
    total = facts.pages;
  }
  throw new Error(`page numbers did not settle in ${PASSES} passes`);
}

function sameNumbers(view: View, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): boolean {
  return view.contents.every(({ anchor }) => before.get(anchor) === after.get(anchor));
}

/** Running heads and feet as page margin boxes; texts are CSS strings, so no name can leave its quotes. */
function marginBoxes(view: View, left: string, totalPages: number | null): string {
  const text = 'font: 400 7.6pt "IBM Plex Sans"; color: #55627a;';
  const total = totalPages === null ? 'counter(pages)' : cssString(String(totalPages));
  return `@page {
    @top-left { content: ${cssString(left)}; ${text} }
    @top-right { content: ${cssString(`${view.cover.facts[0]?.value ?? ''} · ${view.cover.facts[2]?.value ?? ''}`)}; ${text} }
    @bottom-left { content: ${cssString(view.footer)}; ${text} }
    @bottom-right { content: "Page " counter(page) " of " ${total}; ${text} }
  }`;
}

function mainHtml(view: View, totalPages: number | null): string {
  const controls = view.controls.map(
    ({ pageName, id, pill }) => `.${pageName}{page:${pageName}} @page ${pageName}{@top-left{content:${cssString(`${id} · ${pill.word}`)}}}`,
  );
  const sections = (
    [
      'summary',
      'scope',
      'method',
      'limitations',
      'access',
      'exceptions',
      'coverage',
      'reconciliation',
      'evidence',
      'versions',
      'signature',
    ] as const
  ).map(
    (id) =>
      `#${id}{page:${id === 'limitations' ? 'method' : id}} @page ${id}{@top-left{content:${cssString(id === 'method' ? 'Method, score and limitations' : (view.contents.find((entry) => entry.anchor === id)?.title ?? ''))}}}`,
  );
  const parts = renderParts(view);
  const style = styleFor('pdf', [marginBoxes(view, view.cover.title, totalPages), ...sections, ...controls].join('\n'));
  return parts.beforeStyle + style + parts.beforeData + parts.end;
}

/** Pages of the browser that print at the same time. */
const PRINTERS = 2;

/** Page counts of the register's parts: the first of its two passes. */
async function registerPages(opened: OpenBrowser, input: PdfInput): Promise<number[]> {
  const counts: number[] = [];
  await eachVolume(
    opened,
    input,
    () => 0,
    0,
    async (bytes, index) => {
      counts[index] = (await pdfFacts(bytes)).pages;
    },
  );
  return counts;
}

async function printRegister(opened: OpenBrowser, input: PdfInput, after: number, counts: readonly number[]): Promise<Uint8Array[]> {
  const before = (index: number): number => counts.slice(0, index).reduce((sum, count) => sum + count, after);
  const volumes: Uint8Array[] = [];
  await eachVolume(opened, input, before, before(counts.length), async (bytes, index) => {
    const { pages } = await pdfFacts(bytes);
    if (pages !== counts[index]) throw new Error(`part ${index + 1} of the register took ${pages} pages, then ${String(counts[index])}`);
    volumes[index] = bytes;
  });
  return volumes;
}

/** Prints the parts of the register, a few at a time and no more of them in memory. */
async function eachVolume(
  opened: OpenBrowser,
  input: PdfInput,
  before: (index: number) => number,
  total: number,
  use: (bytes: Uint8Array, index: number) => Promise<void>,
): Promise<void> {
  const view = buildView(input.assessment, input.gathered, input.signing, { format: 'pdf' });
  const running = new Set<Promise<void>>();
  const all: Promise<void>[] = [];
  let index = 0;
  for await (const chunk of registerChunks(input.registerRows())) {
    const at = index;
    const work = printChunk(opened, view, chunk, before(at), total).then((bytes) => use(bytes, at));
    const tracked = work.finally(() => running.delete(tracked));
    tracked.catch(() => undefined);
    running.add(tracked);
    all.push(tracked);
    index += 1;
    if (running.size >= PRINTERS) await Promise.race(running);
  }
  await Promise.all(all);
}

function printChunk(opened: OpenBrowser, view: View, chunk: RegisterChunk, offset: number, total: number): Promise<Uint8Array> {
  const style = styleFor('pdf', `${marginBoxes(view, 'Register of non-passing resources', total)}\nhtml{counter-reset:page ${offset}}`);
  return printToPdf(opened.browser, registerHtml(view, chunk, style), { tagged: false, end: 'end' });
}
