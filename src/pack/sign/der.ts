/**
 * DER as signatures and certificates need it: written in one way only, and read strictly (definite, minimal lengths,
 * single-byte tags, nothing after the end). Reading strictly is what lets verification demand that a signature file is
 * byte for byte the one its parts produce, so that no byte of it can change unnoticed.
 */

export class DerError extends Error {}

/** One value: `raw` is tag, length and content; `children` are the parsed contents of constructed values. */
export interface Der {
  readonly tag: number;
  readonly raw: Buffer;
  readonly content: Buffer;
  readonly children: readonly Der[];
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

const maxDepth = 24;

/** Reads exactly one value that fills `bytes`. Throws DerError for anything else. */
export function readDer(bytes: Buffer): Der {
  const { value, end } = readAt(bytes, 0, 0);
  if (end !== bytes.length) throw new DerError('bytes after the end of the value');
  return value;
}

/** Reads the one value at the start of `bytes`; `end` is where it stops. Throws DerError. */
export function readDerPrefix(bytes: Buffer): { value: Der; end: number } {
  return readAt(bytes, 0, 0);
}

function readAt(bytes: Buffer, start: number, depth: number): { value: Der; end: number } {
  if (depth > maxDepth) throw new DerError('nested too deeply');
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw new DerError('ends too early');
  if ((tag & 0x1f) === 0x1f) throw new DerError('tag of more than one byte');
  let length = first;
  let body = start + 2;
  if (first === 0x80) throw new DerError('indefinite length');
  if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 4 || body + count > bytes.length) throw new DerError('length out of range');
    length = bytes.readUIntBE(body, count);
    if (length < 0x80 || (count > 1 && bytes[body] === 0)) throw new DerError('length not minimal');
    body += count;
  }
  const end = body + length;
  if (end > bytes.length) throw new DerError('ends too early');
  const children: Der[] = [];
  if ((tag & 0x20) !== 0) {
    for (let at = body; at < end;) {
      const child = readAt(bytes.subarray(0, end), at, depth + 1);
      children.push(child.value);
      at = child.end;
    }
  }
  return { value: { tag, raw: bytes.subarray(start, end), content: bytes.subarray(body, end), children }, end };
}

/** The child at `index`, which must exist and, if given, carry `tag`. Throws DerError. */
export function child(value: Der | undefined, index: number, tag?: number): Der {
  const found = value?.children[index];
  if (found === undefined) throw new DerError('a required part is missing');
  if (tag !== undefined && found.tag !== tag) throw new DerError(`expected tag ${tag.toString(16)}, found ${found.tag.toString(16)}`);
  return found;
}

/** Dotted text of an OBJECT IDENTIFIER. Throws DerError. */
export function readOid(value: Der): string {
  if (value.tag !== tags.oid || value.content.length === 0) throw new DerError('not an object identifier');
  const parts: number[] = [];
  let arc = 0;
  for (const byte of value.content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER) throw new DerError('object identifier out of range');
    if ((byte & 0x80) === 0) {
      parts.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = parts;
  const top = Math.min(2, Math.floor(head / 40));
  return [top, head - top * 40, ...rest].join('.');
}

/** UTCTime or GeneralizedTime in its DER form (UTC, with seconds). Throws DerError. */
export function readTime(value: Der): Date {
  const text = value.content.toString('latin1');
  const match =
    value.tag === tags.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
      : value.tag === tags.generalizedTime
        ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text)
        : null;
  if (match === null) throw new DerError('not a time in UTC');
  const written = Number(match[1]);
  const year = value.tag === tags.utcTime ? written + (written < 50 ? 2000 : 1900) : written;
  const fraction = match[7] === undefined ? 0 : Math.floor(Number(`0.${match[7]}`) * 1000);
  const time = new Date(
    Date.UTC(year, Number(match[2]) - 1, Number(match[3]), Number(match[4]), Number(match[5]), Number(match[6]), fraction),
  );
  if (Number.isNaN(time.getTime())) throw new DerError('not a date');
  return time;
}

/** A value of `tag` holding `contents` one after the other. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const bytes: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), body]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(tags.sequence, ...parts);
export const octets = (bytes: Uint8Array): Buffer => der(tags.octetString, bytes);
export const bits = (bytes: Uint8Array, unused = 0): Buffer => der(tags.bitString, Buffer.from([unused]), bytes);
export const boolean = (value: boolean): Buffer => der(tags.boolean, Buffer.from([value ? 0xff : 0]));
export const utf8 = (text: string): Buffer => der(tags.utf8String, Buffer.from(text, 'utf8'));
export const none = (): Buffer => der(tags.null);
/** Context-specific, constructed: `[n] EXPLICIT`, or `[n] IMPLICIT` of a set or sequence given its contents. */
export const context = (n: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 | n, ...parts);

/** SET OF: DER sorts the members by their encoded bytes. */
export function setOf(...members: readonly Uint8Array[]): Buffer {
  return der(tags.set, ...sortedMembers(members));
}

export function sortedMembers(members: readonly Uint8Array[]): Uint8Array[] {
  return [...members].sort((a, b) => Buffer.compare(a, b));
}

/** A non-negative INTEGER from a number or big-endian bytes. */
export function integer(value: number | Uint8Array): Buffer {
  const hex = typeof value === 'number' ? value.toString(16) : Buffer.from(value).toString('hex');
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  let bytes = Buffer.from(even, 'hex');
  while (bytes.length > 1 && bytes[0] === 0 && (bytes[1] ?? 0) < 0x80) bytes = bytes.subarray(1);
  if ((bytes[0] ?? 0) >= 0x80) bytes = Buffer.concat([Buffer.from([0]), bytes]);
  return der(tags.integer, bytes);
}

export function oid(dotted: string): Buffer {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [a * 40 + b, ...rest]) {
    const groups = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) | 0x80);
    bytes.push(...groups);
  }
  return der(tags.oid, Buffer.from(bytes));
}

/** A certificate's time: UTCTime before 2050, GeneralizedTime from then on (RFC 5280, 4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return at.getUTCFullYear() < 2050
    ? der(tags.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : der(tags.generalizedTime, Buffer.from(digits, 'latin1'));
}
