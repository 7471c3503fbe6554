import { createHash } from 'node:crypto';
import type { PdfRef } from '@libpdf/core';
import { PDF, PdfArray, PdfDict, PdfName, PdfNumber, PdfString } from '@libpdf/core';
import { PackError } from './error.ts';
import { readDerPrefix } from './sign/der.ts';
import { signCms, verifyCms } from './sign/cms.ts';
import type { CmsVerdict } from './sign/cms.ts';
import type { Signer } from './sign/signer.ts';

/** Room for the signature in the file, in bytes: a chain of several RSA certificates and a timestamp token fit. */
const contentsBytes = 16_384;

export interface PadesOptions {
  /** Written as the signature's /M, the claimed time of signing; a timestamp is what proves a time. */
  readonly signedAt: Date;
  readonly reason: string;
  readonly name?: string;
  /** Gets the signature value, returns an RFC 3161 token or null. */
  readonly timestamp: (signature: Buffer) => Promise<Buffer | null>;
}

/** The PDF cannot be signed without rewriting it (encrypted, damaged, linearized, without pages). */
export class PadesError extends PackError {
  override readonly name = 'PadesError';
}

/**
 * Signs a PDF as PAdES baseline B-B (B-T when `timestamp` gives a token): the document's own bytes stay as they are and
 * one incremental update adds an invisible signature field on the first page. Throws PadesError.
 */
export async function signPdf(document: Buffer, signer: Signer, options: PadesOptions): Promise<Buffer> {
  const pdf = await PDF.load(document).catch((error: unknown) => {
    throw new PadesError(`the report cannot be read as a PDF: ${error instanceof Error ? error.message : String(error)}`);
  });
  const blocker = pdf.canSaveIncrementally();
  if (blocker !== null) throw new PadesError(`the PDF cannot be extended in place: ${blocker}`);
  const page = pdf.getPage(0);
  if (page === null) throw new PadesError('the PDF has no page');
  addSignatureField(pdf, page.ref, page.dict, options);
  const saved = Buffer.from(await pdf.save({ incremental: true }));
  if (!saved.subarray(0, document.length).equals(document)) throw new PadesError('saving would have changed bytes of the document');

  const contentsStart = saved.lastIndexOf(contentsPlaceholder());
  const rangeStart = saved.lastIndexOf(byteRangePlaceholder);
  if (contentsStart < document.length || rangeStart < document.length) throw new PadesError('the signature did not reach the file');
  const gapEnd = contentsStart + contentsBytes * 2 + 2;
  const range = `[0 ${String(contentsStart)} ${String(gapEnd)} ${String(saved.length - gapEnd)}`;
  saved.write(`${range.padEnd(byteRangePlaceholder.length - 1)}]`, rangeStart, 'latin1');

  const digest = digestAround(saved, contentsStart, gapEnd);
  const cms = await signCms(digest, signer, options.timestamp);
  if (cms.length > contentsBytes)
    throw new PadesError(`the signature needs ${String(cms.length)} bytes and only ${String(contentsBytes)} are reserved`);
  saved.write(cms.toString('hex'), contentsStart + 1, 'latin1');
  return saved;
}

/** Ten digits, so that every offset fits in its place once it is known. */
const unsetOffset = 9_999_999_999;
const byteRangePlaceholder = `[0 ${[unsetOffset, unsetOffset, unsetOffset].join(' ')}]`;

function contentsPlaceholder(): string {
  return `<${'00'.repeat(contentsBytes)}>`;
}

function addSignatureField(pdf: PDF, pageRef: PdfRef, page: PdfDict, options: PadesOptions): void {
  const signature = PdfDict.of({
    Type: PdfName.of('Sig'),
    Filter: PdfName.of('Adobe.PPKLite'),
    SubFilter: PdfName.of('ETSI.CAdES.detached'),
    ByteRange: new PdfArray([0, unsetOffset, unsetOffset, unsetOffset].map((n) => PdfNumber.of(n))),
    Contents: PdfString.fromBytes(new Uint8Array(contentsBytes)),
    M: PdfString.fromString(pdfDate(options.signedAt)),
    Reason: PdfString.fromString(options.reason),
  });
  if (options.name !== undefined) signature.set('Name', PdfString.fromString(options.name));
  const field = pdf.register(
    PdfDict.of({
      FT: PdfName.of('Sig'),
      T: PdfString.fromString('Exhibit seal'),
      TU: PdfString.fromString('Digital signature of this report'),
      V: pdf.register(signature),
      Type: PdfName.of('Annot'),
      Subtype: PdfName.of('Widget'),
      // Print and Locked: the field is invisible (its rectangle is empty) and not to be moved.
      F: PdfNumber.of(132),
      P: pageRef,
      Rect: new PdfArray([0, 0, 0, 0].map((n) => PdfNumber.of(n))),
    }),
  );
  const resolve = (ref: PdfRef): ReturnType<PDF['getObject']> => pdf.getObject(ref);
  const annotations = page.getArray('Annots', resolve);
  page.set('Annots', new PdfArray([...(annotations ?? []), field]));
  const catalog = pdf.getCatalog();
  const form = catalog.getDict('AcroForm', resolve);
  const fields = form?.getArray('Fields', resolve);
  const entries = form === undefined ? [] : [...form];
  const next = new PdfDict(entries);
  // SignaturesExist and AppendOnly.
  next.set('SigFlags', PdfNumber.of(3));
  next.set('Fields', new PdfArray([...(fields ?? []), field]));
  catalog.set('AcroForm', next);
}

/** Where a range of signed bytes is written, or something that reads like one. */
function rangePlaces(file: Buffer): number[] {
  const places: number[] = [];
  for (let at = file.indexOf('/ByteRange'); at >= 0; at = file.indexOf('/ByteRange', at + 1)) {
    if (byteRangePattern.test(file.subarray(at, at + 200).toString('latin1'))) places.push(at);
  }
  return places;
}

/** Signature fields that are signed; null when the PDF cannot be parsed. */
async function signedFields(file: Buffer): Promise<number | null> {
  try {
    const form = (await PDF.load(file)).getForm();
    return form?.getSignatureFields().filter((field) => field.isSigned()).length ?? 0;
  } catch {
    return null;
  }
}

function pdfDate(at: Date): string {
  return `D:${at.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

function digestAround(file: Buffer, gapStart: number, gapEnd: number): Buffer {
  return createHash('sha256').update(file.subarray(0, gapStart)).update(file.subarray(gapEnd)).digest();
}

export type PdfProblem = 'no-signature' | 'several-signatures' | 'appended' | 'gap' | 'subfilter';

export type PdfVerdict =
  { readonly ok: true; readonly cms: CmsVerdict } | { readonly ok: false; readonly problem: PdfProblem; readonly detail: string };

const byteRangePattern = /^\/ByteRange\s*\[\s*(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s+(\d{1,12})\s*\]/;

/**
 * Verifies the signature of a report: there is exactly one, it covers the file from its first byte to its last except for
 * the signature itself, and the space reserved for the signature holds nothing else. Stricter than PDF readers, which
 * accept appended content and bytes hidden after the signature.
 */
export async function verifyPdf(file: Buffer): Promise<PdfVerdict> {
  const refuse = (problem: PdfProblem, detail: string): PdfVerdict => ({ ok: false, problem, detail });
  const places = rangePlaces(file);
  const at = places.at(-1);
  if (at === undefined) return refuse('no-signature', 'the PDF carries no signature');
  // More than one such text may also be a resource's name that looks like one: then the document's own fields decide.
  if (places.length > 1 && (await signedFields(file)) !== 1) return refuse('several-signatures', 'the PDF carries more than one signature');
  const dictionary = file.subarray(Math.max(0, at - 512), at + 512).toString('latin1');
  const match = byteRangePattern.exec(file.subarray(at, at + 200).toString('latin1'));
  if (match === null) return refuse('no-signature', 'the range of bytes that the signature covers is unreadable');
  const [start, length, resume, rest] = match.slice(1).map(Number) as [number, number, number, number];
  if (start !== 0 || resume < length || resume > file.length)
    return refuse('gap', 'the signature leaves out bytes at the start of the PDF');
  if (resume + rest < file.length) return refuse('appended', `${String(file.length - resume - rest)} bytes follow what was signed`);
  if (resume + rest > file.length) return refuse('gap', 'the PDF is shorter than what was signed');
  if (!dictionary.includes('/ETSI.CAdES.detached')) return refuse('subfilter', 'the signature is not of the kind ETSI.CAdES.detached');
  const gap = file.subarray(length, resume);
  if (gap.length < 4 || gap[0] !== 0x3c || gap.at(-1) !== 0x3e)
    return refuse('gap', 'more than the signature is left out of what was signed');
  const hex = gap.subarray(1, -1).toString('latin1');
  if (!/^(?:[0-9a-f]{2})+$/.test(hex)) return refuse('gap', 'the space of the signature holds other bytes');
  const contents = Buffer.from(hex, 'hex');
  let end: number;
  try {
    end = readDerPrefix(contents).end;
  } catch (error) {
    return refuse('gap', `the signature is unreadable: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (contents.subarray(end).some((byte) => byte !== 0)) return refuse('gap', 'bytes are hidden after the signature');
  return { ok: true, cms: verifyCms(contents.subarray(0, end), digestAround(file, length, resume)) };
}
