import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCms, signCms, verifyCms } from '../../../src/pack/sign/cms.ts';
import {
  DerError,
  child,
  der,
  integer,
  octets,
  oid,
  readDer,
  readOid,
  readTime,
  sequence,
  setOf,
  time,
} from '../../../src/pack/sign/der.ts';
import type { Signer } from '../../../src/pack/sign/signer.ts';
import { readCertificate, readPemCertificates } from '../../../src/pack/sign/certificate.ts';
import { newSigner } from '../../support/packs.ts';

let signer: Signer;
let signature: Buffer;
const digest = createHash('sha256').update('content').digest();
const noTimestamp = (): Promise<null> => Promise.resolve(null);

beforeAll(async () => {
  signer = await newSigner();
  signature = await signCms(digest, signer, noTimestamp);
});

describe('a CMS signature', () => {
  test('verifies over its content and over no other', () => {
    expect(verifyCms(signature, digest)).toMatchObject({ ok: true, timestampToken: null });
    expect(verifyCms(signature, createHash('sha256').update('other').digest())).toMatchObject({ ok: false, problem: 'content-differs' });
  });

  test('does not verify after any change of any byte', () => {
    const missed: number[] = [];
    for (let at = 0; at < signature.length; at += 1) {
      for (const mask of [0x01, 0x20, 0x80, 0xff]) {
        const bad = Buffer.from(signature);
        bad[at] = (bad[at] ?? 0) ^ mask;
        if (verifyCms(bad, digest).ok) missed.push(at);
      }
    }
    expect(missed).toEqual([]);
  });

  test('carries neither the root, which a reader has to bring, nor a signing time', () => {
    const cms = readCms(signature);
    expect(cms.certificates).toHaveLength(1);
    expect(cms.attributes.size).toBe(3);
  });

  test('with a second signer, or none, is refused', () => {
    const outer = readDer(signature);
    const signed = child(child(outer, 1), 0);
    const info = child(signed, 4).children[0];
    const rebuilt = (signers: Buffer): Buffer =>
      sequence(child(outer, 0).raw, der(0xa0, sequence(...signed.children.slice(0, 4).map((part) => part.raw), signers)));
    expect(verifyCms(rebuilt(setOf(info?.raw ?? Buffer.alloc(0))), digest).ok).toBe(true);
    expect(verifyCms(rebuilt(setOf(info?.raw ?? Buffer.alloc(0), info?.raw ?? Buffer.alloc(0))), digest)).toMatchObject({
      problem: 'malformed',
      detail: '2 signers instead of one',
    });
    expect(verifyCms(rebuilt(setOf()), digest)).toMatchObject({ problem: 'malformed' });
  });
});

describe('whatever the bytes, reading them ends in a value or a DerError', () => {
  const survives = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      expect(error).toBeInstanceOf(DerError);
    }
  };

  test('at random', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        survives(() => readCms(Buffer.from(bytes)));
      }),
      { numRuns: 500 },
    );
  });

  test('after changes to a true signature and a true certificate', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const edited = (bytes: Buffer, list: [number, number][]): Buffer => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of list) copy[at % copy.length] = value;
      return copy;
    };
    fc.assert(
      fc.property(edits, fc.nat(), (list, cut) => {
        const bad = edited(signature, list);
        survives(() => readCms(bad));
        survives(() => readCms(bad.subarray(0, cut % bad.length)));
        survives(() => readCertificate(edited(signer.certificate.der, list)));
        const verdict = verifyCms(bad, digest);
        if (verdict.ok) expect(bad.equals(signature)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  test('nested without end', () => {
    let bytes = octets(Buffer.from('x'));
    for (let depth = 0; depth < 100; depth += 1) bytes = sequence(bytes);
    expect(() => readDer(bytes)).toThrow(/nested too deeply/);
  });
});

describe('DER', () => {
  test.each([
    ['indefinite length', '30800000'],
    ['a length longer than needed', '04810100'],
    ['leading zero in a length', '0482000100'],
    ['a long tag', '1f8101'],
    ['an early end', '0405'],
    ['bytes after the end', '050000'],
    ['nothing', ''],
    ['an inner value longer than the outer', '3003040500'],
  ])('%s is refused', (_, hex) => {
    expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow(DerError);
  });

  test('numbers, identifiers, lengths and times read back as written', () => {
    fc.assert(
      fc.property(fc.nat(), (n) => {
        expect(BigInt(`0x${readDer(integer(n)).content.toString('hex')}`)).toBe(BigInt(n));
      }),
    );
    for (const name of ['1.2.840.113549.1.7.2', '2.16.840.1.101.3.4.2.1', '2.999.1', '0.9.2342'])
      expect(readOid(readDer(oid(name)))).toBe(name);
    for (const length of [0, 127, 128, 255, 256, 65_535, 65_536])
      expect(readDer(octets(Buffer.alloc(length))).content).toHaveLength(length);
    for (const at of ['1970-01-01T00:00:00.000Z', '2049-12-31T23:59:59.000Z', '2050-01-01T00:00:00.000Z'])
      expect(readTime(readDer(time(new Date(at)))).toISOString()).toBe(at);
  });

  test('a set is sorted by its members', () => {
    expect(setOf(integer(3), octets(Buffer.from('a')), integer(1)).equals(setOf(octets(Buffer.from('a')), integer(1), integer(3)))).toBe(
      true,
    );
  });

  test('a PEM text without certificates holds none, and damage is an error', () => {
    expect(readPemCertificates('nothing')).toEqual([]);
    expect(() => readPemCertificates('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toThrow(DerError);
  });
});
