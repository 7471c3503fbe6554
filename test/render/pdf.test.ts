import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PDF, PdfArray, PdfDict, PdfNumber, PdfRef, PdfString } from '@libpdf/core';
import type { PdfObject } from '@libpdf/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBrowser } from '../../src/render/browser.ts';
import { isNonPassing, observationsOf } from '../../src/render/observations.ts';
import { storesOf } from '../../src/render/stores.ts';
import { printToPdf } from '../../src/render/page-pdf.ts';
import { pdfReport } from '../../src/render/pdf.ts';
import { pdfFacts } from '../../src/render/pdf-document.ts';
import { gather } from '../../src/render/view.ts';
import { rowView } from '../../src/render/view-control.ts';
import type { Observation } from '../../src/model/index.ts';
import { writeFixture } from '../support/assessment.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const directory = mkdtempSync(join(tmpdir(), 'exhibit-pdf-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const script = fileURLToPath(new URL('../support/report-script.ts', import.meta.url));
const file = join(directory, 'report.pdf');
const words = (text: string): string => text.replace(/\s+/g, '');

let observations: Observation[] = [];
let digest = '';

beforeAll(() => {
  writeFixture(directory, { observations: 260, controls: 12, hostile: true });
  observations = readFileSync(join(directory, 'results', 'observations.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Observation);
  execFileSync(process.execPath, [script, directory, 'pdf'], { env: { ...process.env, TZ: 'UTC', LANG: 'C' } });
  digest = createHash('sha256').update(readFileSync(file)).digest('hex');
}, 90_000);

describe('report.pdf', () => {
  test('same bytes in another time zone and locale', () => {
    execFileSync(process.execPath, [script, directory, 'pdf'], {
      env: { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
    });
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(digest);
  }, 60_000);

  test('contents lead to the pages they name', async () => {
    const { pages, destinations } = await pdfFacts(readFileSync(file));
    expect(pages).toBeGreaterThan(20);
    for (const anchor of ['summary', 'scope', 'access', 'coverage', 'reconciliation', 'evidence', 'signature'])
      expect(destinations.get(anchor)).toBeGreaterThan(1);
    const order = [
      'summary',
      'scope',
      'method',
      'controls',
      'access',
      'exceptions',
      'coverage',
      'reconciliation',
      'evidence',
      'versions',
      'signature',
    ].map((anchor) => destinations.get(anchor) ?? 0);
    expect([...order].sort((a, b) => a - b)).toEqual(order);
  });

  test.skipIf(!has('pdftotext'))('every resource that does not pass is in its text, and so are page numbers', async () => {
    const text = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8', maxBuffer: 1 << 28 });
    const dense = words(text);
    const nonPassing = observations.filter(
      (observation) =>
        isNonPassing(observation.status) && observation.subject.kind === 'resource' && /^[\x21-\x7e]{1,80}$/.test(observation.subject.uid),
    );
    expect(nonPassing.length).toBeGreaterThan(20);
    for (const { subject, citations } of nonPassing) {
      expect(dense.includes(words(subject.uid)), subject.uid).toBe(true);
      for (const citation of citations) expect(dense.includes(`${citation.file}#${citation.pointer}`), citation.file).toBe(true);
    }
    const { pages, destinations } = await pdfFacts(readFileSync(file));
    for (let page = 2; page <= pages; page += 1) expect(text.includes(`Page ${page} of ${pages}`), `page ${page}`).toBe(true);
    expect(new RegExp(`Population reconciliation\\s+${destinations.get('reconciliation') ?? -1}\\b`).test(text)).toBe(true);
    expect(dense.includes('invoice[U+202E]xcod.exe')).toBe(true);
  });

  test.skipIf(!has('pdffonts'))('embeds IBM Plex and no other font', () => {
    const fonts = execFileSync('pdffonts', [file], { encoding: 'utf8' }).trim().split('\n').slice(2);
    expect(fonts.length).toBeGreaterThanOrEqual(3);
    for (const font of fonts) {
      expect(font).toMatch(/\+IBMPlex(Sans|Mono)-(Regular|SemiBold)/);
      expect(font).toMatch(/\syes yes yes\s/);
    }
  });

  test.skipIf(!has('pdfinfo'))('is tagged, titled, and dated by the evidence', () => {
    const info = execFileSync('pdfinfo', [file], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
    expect(info).toMatch(/Title: +Customer managed keys for critical data: evidence pack/);
    expect(info).toMatch(/Author: +Northwind Traders Ltd/);
    expect(info).toMatch(/Creator: +exhibit 0\.1\.0/);
    expect(info).toMatch(/Tagged: +yes/);
    expect(info).toMatch(/CreationDate: .*Sep 30 22:00:00 2026/);
    expect(info).toMatch(/JavaScript: +no/);
  });

  test('one tree of tags covers the pages of all parts, and every link leads somewhere', async () => {
    const pdf = await PDF.load(readFileSync(file));
    const at = (value: PdfObject | undefined): PdfObject | null => (value instanceof PdfRef ? pdf.getObject(value) : (value ?? null));
    const dict = (value: PdfObject | undefined): PdfDict => {
      const found = at(value);
      if (!(found instanceof PdfDict)) throw new Error('no dictionary');
      return found;
    };
    const list = (value: PdfObject | undefined): PdfObject[] => {
      const found = at(value);
      return found instanceof PdfArray ? [...found] : [];
    };
    const root = dict(pdf.getCatalog().get('StructTreeRoot'));
    const parts = list(dict(root.get('K')).get('K')).map((part) => dict(part).getName('S')?.value);
    expect(parts.length).toBeGreaterThan(3);
    expect(new Set(parts)).toEqual(new Set(['Part']));
    const keys = list(dict(root.get('ParentTree')).get('Kids')).flatMap((kid) => list(dict(kid).get('Nums')));
    const parents = new Map(
      keys.flatMap((key, index) => (key instanceof PdfNumber && index % 2 === 0 ? [[key.value, keys[index + 1]]] : [])),
    );
    const named = dict(pdf.getCatalog().get('Dests'));
    let links = 0;
    for (const page of pdf.getPages()) {
      const key = page.dict.getNumber('StructParents');
      // Every piece of a page's marked content has its element, which names the page as its own or that of the piece.
      if (key !== undefined) expect(list(parents.get(key.value)).some((element) => element instanceof PdfRef)).toBe(true);
      for (const annotation of list(page.dict.get('Annots')).map(dict)) {
        links += 1;
        const target = annotation.getName('Dest')?.value;
        const address = annotation.get('A') === undefined ? null : dict(annotation.get('A')).getString('URI')?.asString();
        if (target === undefined) expect(address).toMatch(/^(https:|mailto:)/);
        else expect(named.has(target), target).toBe(true);
        expect(address ?? '').not.toContain('part.invalid');
        const parent = annotation.getNumber('StructParent');
        if (parent !== undefined) expect(dict(parents.get(parent.value)).getName('S')?.value).toBe('Link');
      }
    }
    expect(links).toBeGreaterThan(50);
    const cells = list(dict(root.get('IDTree')).get('Kids')).flatMap((kid) => list(dict(kid).get('Names')));
    const names = cells.flatMap((cell) => (cell instanceof PdfString ? [cell.asString()] : []));
    expect(names.length).toBeGreaterThan(20);
    expect([...new Set(names)].sort()).toEqual(names);
  });

  test.skipIf(!has('qpdf'))('is sound and has an outline', () => {
    expect(spawnSync('qpdf', ['--check', file]).status).toBe(0);
    const json = JSON.parse(execFileSync('qpdf', ['--json', '--json-key=outlines', file], { encoding: 'utf8', maxBuffer: 1 << 28 })) as {
      outlines: { title: string; kids: unknown[] }[];
    };
    const titles = json.outlines.map((outline) => outline.title);
    expect(titles).toEqual(
      expect.arrayContaining(['Executive summary', 'Controls', 'Population reconciliation', 'Signature and verification']),
    );
  });
});

test('a large report goes on in a register, numbered through', async () => {
  const run = join(directory, 'large');
  const assessment = writeFixture(run, { observations: 300, controls: 8, hostile: true, failing: 0.5 });
  const source = join(run, 'results', 'observations.ndjson');
  const gathered = await gather(assessment, (finding) => observationsOf(source, finding), storesOf(join(run, 'results')), {
    total: 20,
    each: 3,
  });
  const report = pdfReport({
    assessment,
    gathered,
    signing: null,
    log: () => undefined,
    registerRows: async function* () {
      for (const finding of assessment.findings)
        for await (const observation of observationsOf(source, finding))
          if (isNonPassing(observation.status))
            yield { control: finding.control.id, title: finding.control.title, row: rowView(observation, 1) };
    },
  });
  const pieces: Uint8Array[] = [];
  let step = await report.next();
  for (; step.done !== true; step = await report.next()) pieces.push(step.value);
  const { pages } = step.value;
  const bytes = Buffer.concat(pieces);
  // Pieces leave as they are ready: no single one is most of the file.
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(bytes.length / 2);
  const facts = await pdfFacts(bytes);
  expect(facts.pages).toBe(pages);
  if (!has('pdftotext')) return;
  const large = join(run, 'large.pdf');
  writeFileSync(large, bytes);
  const text = execFileSync('pdftotext', ['-layout', large, '-'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  for (let page = 2; page <= pages; page += 1) expect(text.includes(`Page ${page} of ${pages}`), `page ${page}`).toBe(true);
  const dense = words(text);
  for (const line of readFileSync(source, 'utf8').trim().split('\n')) {
    const observation = JSON.parse(line) as Observation;
    if (isNonPassing(observation.status) && observation.subject.kind === 'resource' && /^[\x21-\x7e]{1,80}$/.test(observation.subject.uid))
      expect(dense.includes(words(observation.subject.uid)), observation.subject.uid).toBe(true);
  }
  expect(dense.includes('Registerofnon-passingresources')).toBe(true);
}, 90_000);

describe('printing', () => {
  test('refuses a document that reaches out, moves on, or is cut short', async () => {
    const opened = await openBrowser();
    try {
      const print = (body: string): Promise<Uint8Array> =>
        printToPdf(opened.browser, `<!doctype html><title>t</title>${body}`, { end: 'end' });
      await expect(print('<p id="end">whole</p>')).resolves.toBeInstanceOf(Uint8Array);
      await expect(print('<p>cut</p>')).rejects.toThrow(/not whole/);
      await expect(print('<meta http-equiv="refresh" content="0;url=https://evil.invalid/"><p id="end"></p>')).rejects.toThrow(
        /no report may hold/,
      );
      await expect(print('<iframe src="https://evil.invalid/"></iframe><p id="end"></p>')).rejects.toThrow(/no report may hold/);
      await expect(print('<script>document.body.textContent="x"</script><p id="end"></p>')).rejects.toThrow(/no report may hold/);
      expect(opened.record.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(opened.record.version).toMatch(/Chrome\/\d+/);
      expect(opened.record.sandbox === 'none').toBe(opened.record.warnings.length > 0);
    } finally {
      await opened.close();
    }
  }, 60_000);

  test('a browser that is named and absent stops with the remedy', async () => {
    await expect(openBrowser('/nowhere/chromium')).rejects.toThrow(/not an executable file/);
  });
});
