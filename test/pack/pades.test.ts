import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PDF, PdfDict, PdfName, PdfString } from '@libpdf/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { signPdf, verifyPdf } from '../../src/pack/pades.ts';
import type { PadesOptions } from '../../src/pack/pades.ts';
import { readCms } from '../../src/pack/sign/cms.ts';
import { oids } from '../../src/pack/sign/oids.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { newSigner } from '../support/packs.ts';
import { samplePdf, temporaryDirectory } from '../support/pack-run.ts';
import { has, ran, shell } from '../support/programs.ts';

let signer: Signer;
let document: Buffer;
let signed: Buffer;
const options: PadesOptions = {
  signedAt: new Date('2026-10-01T08:00:00Z'),
  reason: 'Sealed as evidence: acme-2026-q3.v1',
  timestamp: () => Promise.resolve(null),
};

beforeAll(async () => {
  signer = await newSigner();
  document = Buffer.from(await samplePdf());
  signed = await signPdf(document, signer, options);
});

async function problemOf(file: Buffer): Promise<string> {
  const verdict = await verifyPdf(file);
  if (!verdict.ok) return verdict.problem;
  return verdict.cms.ok ? 'none' : `cms ${verdict.cms.problem}`;
}

/** The signed file with its signature taken out and put back changed. */
function withContents(change: (hex: string) => string): Buffer {
  const text = signed.toString('latin1');
  return Buffer.from(
    text.replace(/\/Contents <([0-9a-f]+)>/, (_, hex: string) => `/Contents <${change(hex)}>`),
    'latin1',
  );
}

describe('signing', () => {
  test('keeps every byte of the document and adds one update after it', async () => {
    expect(signed.subarray(0, document.length).equals(document)).toBe(true);
    expect(await problemOf(signed)).toBe('none');
  });

  test('the signature names its certificate and holds no signing time, as PAdES demands', () => {
    const hex = /\/Contents <([0-9a-f]+?)(?:00)*>/.exec(signed.toString('latin1'))?.[1] ?? '';
    const bytes = Buffer.from(hex, 'hex');
    const cms = readCms(bytes.subarray(0, 4 + bytes.readUInt16BE(2)));
    expect([...cms.attributes.keys()].sort()).toEqual([oids.contentType, oids.messageDigest, oids.signingCertificateV2].sort());
    expect(signed.toString('latin1')).toContain('/M (D:20261001080000Z)');
  });

  test('a form and annotations that are there stay', async () => {
    const pdf = PDF.create();
    const page = pdf.addPage({ size: 'a4' });
    page.addLinkAnnotation({ rect: { x: 10, y: 10, width: 50, height: 20 }, uri: 'https://example.com/' });
    pdf.getOrCreateForm().createTextField('note');
    const again = await PDF.load(await signPdf(Buffer.from(await pdf.save()), signer, options));
    expect(
      again
        .getForm()
        ?.getFields()
        .map((field) => field.name)
        .sort(),
    ).toEqual(['Exhibit seal', 'note']);
    expect(again.getPage(0)?.getLinkAnnotations()).toHaveLength(1);
  });

  test('a document that speaks of byte ranges is no second signature', async () => {
    const pdf = await PDF.load(document);
    pdf.getCatalog().set('Note', PdfString.fromString('bucket /ByteRange [0 1 2 3] of someone'));
    pdf.register(PdfDict.of({ Type: PdfName.of('Note') }));
    const odd = Buffer.from(await pdf.save());
    expect(odd.includes('/ByteRange [0 1 2 3]')).toBe(true);
    expect(await problemOf(await signPdf(odd, signer, options))).toBe('none');
  });

  test.each([
    ['no PDF', 'hello'],
    ['nothing', ''],
  ])('%s is refused', async (_, text) => {
    await expect(signPdf(Buffer.from(text), signer, options)).rejects.toThrow();
  });

  test('a signature that does not fit is refused', async () => {
    await expect(
      signPdf(document, signer, {
        ...options,
        timestamp: () => Promise.resolve(Buffer.from(`3082${(17_000).toString(16).padStart(4, '0')}${'00'.repeat(17_000)}`, 'hex')),
      }),
    ).rejects.toThrow(/only 16384 are reserved/);
  });
});

describe('verifying', () => {
  test.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['an unsigned document', () => document, 'no-signature'],
    ['appended bytes', () => Buffer.concat([signed, Buffer.from('\n')]), 'appended'],
    [
      'an appended update',
      async () => {
        const pdf = await PDF.load(signed);
        pdf.setTitle('Another title');
        return Buffer.from(await pdf.save({ incremental: true }));
      },
      'appended',
    ],
    ['a cut end', () => signed.subarray(0, -1), 'gap'],
    ['a second signature', async () => signPdf(signed, await newSigner('Other'), options), 'several-signatures'],
    ['bytes hidden after the signature', () => withContents((hex) => `${hex.slice(0, -8)}deadbeef`), 'gap'],
    ['text in the place of the signature', () => withContents((hex) => `${hex.slice(0, -8)}>/X (  `), 'gap'],
    ['capital letters in the signature', () => withContents((hex) => hex.toUpperCase()), 'gap'],
    ['no signature in its place', () => withContents((hex) => '0'.repeat(hex.length)), 'cms malformed'],
    [
      'another kind of signature',
      () => Buffer.from(signed.toString('latin1').replace('ETSI.CAdES.detached', 'adbe.pkcs7.detached'), 'latin1'),
      'subfilter',
    ],
    ['a changed page', () => Buffer.from(signed.toString('latin1').replace('595.28', '595.29'), 'latin1'), 'cms content-differs'],
    [
      'a range that starts later',
      () => Buffer.from(signed.toString('latin1').replace('/ByteRange [0 ', '/ByteRange [1 '), 'latin1'),
      'gap',
    ],
  ])('%s', async (_, make, problem) => {
    expect(await problemOf(await make())).toBe(problem);
  });

  test('a larger gap than the signature needs cannot hide content', async () => {
    // The range is moved so that a byte of the dictionary is left out.
    const text = signed.toString('latin1').replace(/\/ByteRange \[0 (\d+)/, (_, n: string) => `/ByteRange [0 ${String(Number(n) - 1)}`);
    expect(await problemOf(Buffer.from(text, 'latin1'))).toBe('gap');
  });
});

describe('other readers', () => {
  const write = (bytes: Buffer): string => {
    const file = join(temporaryDirectory('pdf'), 'report.pdf');
    writeFileSync(file, bytes);
    return file;
  };

  test.skipIf(!has('qpdf'))('qpdf finds the file sound, with its one signature field', () => {
    const file = write(signed);
    expect(ran('qpdf', ['--check', file]).status).toBe(0);
    expect(shell(`qpdf --json ${file}`).output).toContain('"hasacroform": true');
  });

  test.skipIf(!has('pdfsig'))('pdfsig tells an altered, an appended and a whole file apart', async () => {
    expect(shell(`pdfsig ${write(signed)}`).output).toMatch(/Total document signed[\s\S]*Signature is Valid/);
    const altered = Buffer.from(signed);
    altered[20] = (altered[20] ?? 0) ^ 1;
    expect(shell(`pdfsig ${write(altered)}`).output).not.toContain('Signature is Valid');
    const pdf = await PDF.load(signed);
    pdf.setTitle('Another title');
    expect(shell(`pdfsig ${write(Buffer.from(await pdf.save({ incremental: true })))}`).output).toContain('Not total document signed');
  });

  test.skipIf(!has('openssl'))('openssl verifies the signature over the bytes of its range', () => {
    const [, first = '', second = '', third = ''] = /\/ByteRange \[0 (\d+) (\d+) (\d+)/.exec(signed.toString('latin1')) ?? [];
    const directory = temporaryDirectory('pdf');
    writeFileSync(
      join(directory, 'content'),
      Buffer.concat([signed.subarray(0, Number(first)), signed.subarray(Number(second), Number(second) + Number(third))]),
    );
    const contents = Buffer.from(signed.subarray(Number(first) + 1, Number(second) - 1).toString('latin1'), 'hex');
    writeFileSync(join(directory, 'signature'), contents.subarray(0, 4 + contents.readUInt16BE(2)));
    writeFileSync(join(directory, 'root.crt'), signer.chain.at(-1)?.x509.toString() ?? '');
    const { output } = ran(
      'openssl',
      [
        'cms',
        '-verify',
        '-binary',
        '-cades',
        '-inform',
        'DER',
        '-in',
        'signature',
        '-content',
        'content',
        '-CAfile',
        'root.crt',
        '-out',
        '/dev/null',
      ],
      directory,
    );
    expect(output).toContain('CAdES Verification successful');
    expect(readFileSync(join(directory, 'root.crt'), 'utf8')).toContain('BEGIN CERTIFICATE');
  });
});
