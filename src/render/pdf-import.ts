import { PDF, PdfArray, PdfDict, PdfName, PdfNumber, PdfRef, PdfStream, PdfString } from '@libpdf/core';
import type { PdfObject } from '@libpdf/core';
import { nameOf, numberOf } from './pdf-file.ts';
import type { PdfFile } from './pdf-file.ts';
import { fontLetters } from './pdf-letters.ts';
import type { Letters } from './pdf-letters.ts';

/** Links between parts are printed as addresses of this host, and become links within the document. */
export const PART_LINK = 'https://part.invalid/#';

export interface ImportedPage {
  /** Object number of the page, and of the stream that will hold its running heads. */
  page: number;
  heads: number;
}

export interface ImportedPart {
  pages: ImportedPage[];
  /** Object number of the node of the page tree that holds them. */
  node: number;
  /** Object number of the part's root in the structure tree; null when nothing is tagged. */
  element: number | null;
  /** By anchor: index among `pages`, and what follows the page in the destination. */
  destinations: Map<string, { page: number; view: string }>;
  /** Anchors that links of the part lead to. */
  links: Set<string>;
  /** Entries of the parent tree: key and object number, ascending. */
  parents: [number, number][];
  /** Names of table cells, and their elements, ascending. */
  ids: [string, number][];
}

export interface ImportPlace {
  /** Root of the page tree, and of the structure tree's one document. */
  pages: number;
  document: number;
  /** First free key of the parent tree, and number of table cells named so far. */
  parentKey: number;
  cells: number;
  /** Letters for running heads: null for the first part, which brings them. */
  letters: Letters | null;
}

/**
 * Copies a printed part into the file, except its first page, which only loads the fonts. What other parts brought already
 * (fonts, graphics states) is not written again.
 */
export async function importPart(
  file: PdfFile,
  bytes: Uint8Array,
  place: ImportPlace,
): Promise<{ part: ImportedPart; letters: Letters; parentKey: number; cells: number }> {
  const pdf = await PDF.load(bytes);
  const copy = new PartCopy(file, pdf, place);
  const result = copy.run();
  return { part: result, letters: copy.letters, parentKey: copy.parentKey, cells: copy.cells };
}

class PartCopy {
  readonly letters: Letters;
  parentKey: number;
  cells: number;
  readonly #file: PdfFile;
  readonly #pdf: PDF;
  readonly #place: ImportPlace;
  /** New numbers of copied objects, by their old numbers. */
  readonly #numbers = new Map<number, number>();
  readonly #pageNumbers = new Map<number, ImportedPage>();
  /** Element that stands for one that was left out, by old numbers: marked content of an element without meaning is its parent's. */
  readonly #elements = new Map<number, number>();
  readonly #cellNames = new Map<string, string>();
  readonly #ids: [string, number][] = [];
  readonly #links = new Set<string>();
  readonly #node: number;
  readonly #saved: number;

  constructor(file: PdfFile, pdf: PDF, place: ImportPlace) {
    this.#file = file;
    this.#pdf = pdf;
    this.#place = place;
    this.parentKey = place.parentKey;
    this.cells = place.cells;
    this.#node = file.reserve();
    this.#saved = file.share('', Buffer.from('q\n'));
    this.letters = place.letters ?? this.#readLetters();
  }

  run(): ImportedPart {
    const pages = this.#pdf.getPages().slice(1);
    if (pages.length === 0) throw new Error('a part of the report was printed without pages');
    for (const { ref } of pages) this.#pageNumbers.set(ref.objectNumber, { page: this.#file.reserve(), heads: this.#file.reserve() });
    const listed = [...this.#pageNumbers.values()];
    const catalog = this.#pdf.getCatalog();
    const root = this.#dict(catalog.get('StructTreeRoot'));
    const element = root === null ? null : this.#tree(root);
    for (const { ref, dict } of pages) this.#page(ref.objectNumber, dict);
    this.#file.put(
      this.#node,
      `<</Type/Pages/Parent ${this.#place.pages} 0 R/Count ${listed.length}/Kids[${listed.map(({ page }) => `${page} 0 R`).join(' ')}]>>`,
    );
    return {
      pages: listed,
      node: this.#node,
      element,
      destinations: this.#destinations(catalog),
      links: this.#links,
      parents: root === null ? [] : this.#parents(root),
      ids: this.#ids.sort(([a], [b]) => (a < b ? -1 : 1)),
    };
  }

  #resolve(value: PdfObject | undefined): PdfObject | null {
    return value instanceof PdfRef ? this.#pdf.getObject(value) : (value ?? null);
  }

  #dict(value: PdfObject | undefined): PdfDict | null {
    const found = this.#resolve(value);
    return found instanceof PdfDict ? found : null;
  }

  #items(value: PdfObject | undefined): PdfObject[] {
    const found = this.#resolve(value);
    return found instanceof PdfArray ? [...found] : [];
  }

  #number(value: PdfObject | undefined): number | null {
    const found = this.#resolve(value);
    return found instanceof PdfNumber ? found.value : null;
  }

  #readLetters(): Letters {
    const first = this.#pdf.getPages()[0];
    const fonts = this.#dict(this.#dict(first?.dict.get('Resources'))?.get('Font'));
    return fontLetters(
      [...(fonts ?? [])].map(([, value]) => ({ number: this.#referred(value), font: this.#dict(value) })),
      (value) => this.#resolve(value),
    );
  }

  /** New number of an object that others may share: only what leads nowhere back is copied this way. */
  #referred(value: PdfObject): number {
    if (!(value instanceof PdfRef)) return this.#file.share(this.#syntax(value));
    const known = this.#numbers.get(value.objectNumber);
    if (known !== undefined) return known;
    const object = this.#pdf.getObject(value);
    const number =
      object instanceof PdfStream
        ? this.#file.share(this.#entries(object, ['Length']), object.data)
        : this.#file.share(object === null ? 'null' : this.#syntax(object));
    this.#numbers.set(value.objectNumber, number);
    return number;
  }

  #entries(dict: PdfDict, without: readonly string[] = []): string {
    let text = '';
    for (const [key, value] of dict) if (!without.includes(key.value)) text += `${nameOf(key.value)} ${this.#syntax(value)}`;
    return text;
  }

  #syntax(value: PdfObject): string {
    if (value instanceof PdfRef) {
      const page = this.#pageNumbers.get(value.objectNumber);
      return `${page?.page ?? this.#referred(value)} 0 R`;
    }
    if (value instanceof PdfDict) return `<<${this.#entries(value)}>>`;
    if (value instanceof PdfArray) return `[${[...value].map((item) => this.#syntax(item)).join(' ')}]`;
    if (value instanceof PdfName) return nameOf(value.value);
    if (value instanceof PdfNumber) return numberOf(value.value);
    if (value instanceof PdfString) return `<${Buffer.from(value.bytes).toString('hex')}>`;
    return value.type === 'bool' ? String((value as unknown as { value: boolean }).value) : 'null';
  }

  #page(old: number, dict: PdfDict): void {
    const own = this.#pageNumbers.get(old);
    if (own === undefined) return;
    const resources = this.#dict(dict.get('Resources'));
    const fonts = this.#dict(resources?.get('Font'));
    const fontEntries = (fonts === null ? '' : this.#entries(fonts)) + this.letters.resources;
    const contents = this.#resolve(dict.get('Contents')) instanceof PdfArray ? this.#items(dict.get('Contents')) : [dict.get('Contents')];
    const streams = contents.flatMap((content) => (content === undefined ? [] : [`${this.#referred(content)} 0 R`]));
    const annotations = this.#items(dict.get('Annots')).flatMap((annotation) => this.#annotation(annotation, own.page));
    const key = this.#number(dict.get('StructParents'));
    this.#file.put(
      own.page,
      `<</Type/Page/Parent ${this.#node} 0 R/MediaBox ${this.#syntax(dict.get('MediaBox') ?? new PdfArray([]))}` +
        `/Resources<<${resources === null ? '' : this.#entries(resources, ['Font'])}/Font<<${fontEntries}>>>>` +
        `/Contents[${this.#saved} 0 R ${streams.join(' ')} ${own.heads} 0 R]` +
        (key === null ? '' : `/StructParents ${this.#place.parentKey + key}/Tabs/S`) +
        (annotations.length === 0 ? '' : `/Annots[${annotations.join(' ')}]`) +
        '>>',
    );
  }

  /** A link, which leads to a place of the document or to an address. */
  #annotation(value: PdfObject, page: number): string[] {
    const dict = this.#dict(value);
    if (dict === null) return [];
    const number = value instanceof PdfRef ? this.#annotationNumber(value.objectNumber) : this.#file.reserve();
    const address = this.#dict(dict.get('A'))?.get('URI');
    const uri = address instanceof PdfString ? address.asString() : '';
    const named = dict.get('Dest');
    const anchor = uri.startsWith(PART_LINK) ? uri.slice(PART_LINK.length) : named instanceof PdfName ? named.value : null;
    if (anchor !== null) this.#links.add(anchor);
    const key = this.#number(dict.get('StructParent'));
    this.#file.put(
      number,
      `<<${this.#entries(dict, ['P', 'StructParent', ...(anchor === null ? [] : ['A', 'Dest'])])}/P ${page} 0 R` +
        (anchor === null ? '' : `/Dest ${nameOf(anchor)}`) +
        (key === null ? '' : `/StructParent ${this.#place.parentKey + key}`) +
        '>>',
    );
    return [`${number} 0 R`];
  }

  #annotationNumber(old: number): number {
    const number = this.#numbers.get(old) ?? this.#file.reserve();
    this.#numbers.set(old, number);
    return number;
  }

  #destinations(catalog: PdfDict): ImportedPart['destinations'] {
    const found: ImportedPart['destinations'] = new Map();
    const order = [...this.#pageNumbers.keys()];
    for (const [name, value] of this.#dict(catalog.get('Dests')) ?? []) {
      const [page, ...view] = this.#items(value);
      const index = page instanceof PdfRef ? order.indexOf(page.objectNumber) : -1;
      if (index !== -1) found.set(name.value, { page: index, view: view.map((item) => this.#syntax(item)).join(' ') });
    }
    return found;
  }

  /** Copies the structure tree below one element, which becomes a part of the document. */
  #tree(root: PdfDict): number | null {
    const top = root.get('K');
    const ref = top instanceof PdfRef ? top : this.#items(top).find((item) => item instanceof PdfRef);
    if (!(ref instanceof PdfRef)) return null;
    const copied = this.#element(ref, this.#place.document, 'Part');
    return typeof copied === 'number' ? copied : null;
  }

  /**
   * An element with all that lies in it. Marked content that stands in an element without meaning is returned as such, for the parent
   * to hold; an element that holds nothing is left out.
   */
  #element(ref: PdfRef, parent: number, role?: string): number | Marked[] | null {
    const dict = this.#dict(ref);
    if (dict === null) return null;
    const own = dict.getName('S')?.value ?? 'NonStruct';
    const page = dict.get('Pg');
    const number = this.#file.reserve();
    const kids: (string | Marked)[] = [];
    const folded: number[] = [];
    const kid = dict.get('K');
    const items =
      kid instanceof PdfArray ? [...kid] : kid === undefined ? [] : this.#resolve(kid) instanceof PdfArray ? this.#items(kid) : [kid];
    for (const item of items) {
      if (item instanceof PdfNumber) {
        const at = page instanceof PdfRef ? this.#pageNumbers.get(page.objectNumber) : undefined;
        if (at !== undefined) kids.push({ page: at.page, id: item.value });
      } else if (item instanceof PdfDict) kids.push(...this.#marked(item));
      else if (item instanceof PdfRef) {
        const copied = this.#element(item, number);
        if (typeof copied === 'number') kids.push(`${copied} 0 R`);
        else if (copied !== null) {
          kids.push(...copied);
          folded.push(item.objectNumber);
        }
      }
    }
    if (role === undefined && own === 'NonStruct' && kids.every((one) => typeof one !== 'string')) {
      for (const old of folded) this.#elements.set(old, -ref.objectNumber);
      this.#file.release(number);
      return kids.length === 0 ? null : kids;
    }
    if (kids.length === 0) {
      this.#file.release(number);
      return null;
    }
    for (const old of folded) this.#elements.set(old, number);
    this.#elements.set(ref.objectNumber, number);
    this.#writeElement(number, dict, role ?? own, parent, kids);
    return number;
  }

  #writeElement(number: number, dict: PdfDict, role: string, parent: number, kids: readonly (string | Marked)[]): void {
    const home = kids.find((one) => typeof one !== 'string')?.page;
    const list = kids.map((one) =>
      typeof one === 'string' ? one : one.page === home ? String(one.id) : `<</Type/MCR/Pg ${one.page} 0 R/MCID ${one.id}>>`,
    );
    const name = dict.get('ID');
    const cell = name instanceof PdfString ? this.#cellName(name) : null;
    if (cell !== null) this.#ids.push([cell, number]);
    const attributes = dict.get('A');
    this.#file.put(
      number,
      `<</S${nameOf(role)}/P ${parent} 0 R${this.#entries(dict, ['Type', 'S', 'P', 'Pg', 'K', 'ID', 'A'])}` +
        (home === undefined ? '' : `/Pg ${home} 0 R`) +
        (cell === null ? '' : `/ID(${cell})`) +
        (attributes === undefined ? '' : `/A ${this.#attributes(attributes)}`) +
        `/K${list.length === 1 && !(list[0] ?? '').startsWith('<<') ? ` ${list[0] ?? ''}` : `[${list.join(' ')}]`}>>`,
    );
  }

  /** A place of marked content, or a link, named by a dictionary. */
  #marked(item: PdfDict): (string | Marked)[] {
    const page = item.get('Pg');
    const at = page instanceof PdfRef ? this.#pageNumbers.get(page.objectNumber) : undefined;
    if (at === undefined) return [];
    const id = item.get('MCID');
    if (id instanceof PdfNumber) return [{ page: at.page, id: id.value }];
    const object = item.get('Obj');
    return object instanceof PdfRef ? [`<</Type/OBJR/Pg ${at.page} 0 R/Obj ${this.#annotationNumber(object.objectNumber)} 0 R>>`] : [];
  }

  /** Attributes of an element; what they say of the headers of a cell goes by the names that cells have here. */
  #attributes(value: PdfObject): string {
    const item = this.#resolve(value);
    if (item instanceof PdfArray) return `[${[...item].map((one) => this.#attributes(one)).join(' ')}]`;
    if (item instanceof PdfString && /^node\d+$/.test(item.asString())) return `(${this.#cellName(item)})`;
    if (item instanceof PdfDict) return `<<${[...item].map(([key, one]) => `${nameOf(key.value)} ${this.#attributes(one)}`).join('')}>>`;
    return item === null ? 'null' : this.#syntax(item);
  }

  /** The browser names table cells by numbers that differ from run to run; here they are numbered as they are met. */
  #cellName(name: PdfString): string {
    const given = name.asString();
    let own = this.#cellNames.get(given);
    if (own === undefined) {
      this.cells += 1;
      own = `node${String(this.cells).padStart(8, '0')}`;
      this.#cellNames.set(given, own);
    }
    return own;
  }

  /** The new number of the element that holds what an old one held. */
  #elementOf(ref: PdfRef): number | null {
    let at = this.#elements.get(ref.objectNumber);
    while (at !== undefined && at < 0) at = this.#elements.get(-at);
    return at ?? null;
  }

  #parents(root: PdfDict): [number, number][] {
    const found: [number, number][] = [];
    const walk = (node: PdfDict | null): void => {
      if (node === null) return;
      const numbers = this.#items(node.get('Nums'));
      for (let at = 0; at + 1 < numbers.length; at += 2) {
        const key = this.#number(numbers[at]);
        const value = numbers[at + 1];
        if (key === null || value === undefined) continue;
        this.parentKey = Math.max(this.parentKey, this.#place.parentKey + key + 1);
        const list = this.#resolve(value);
        if (list instanceof PdfArray) {
          const elements = [...list].map((one) => (one instanceof PdfRef ? this.#elementOf(one) : null));
          if (elements.every((one) => one === null)) continue;
          found.push([
            this.#place.parentKey + key,
            this.#file.add(`[${elements.map((one) => (one === null ? 'null' : `${one} 0 R`)).join(' ')}]`),
          ]);
        } else if (value instanceof PdfRef) {
          const element = this.#elementOf(value);
          if (element !== null) found.push([this.#place.parentKey + key, element]);
        }
      }
      for (const kid of this.#items(node.get('Kids'))) walk(this.#dict(kid));
    };
    walk(this.#dict(root.get('ParentTree')));
    return found.sort(([a], [b]) => a - b);
  }
}

interface Marked {
  page: number;
  id: number;
}
