import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** Objects of an object stream: enough to compress well, few enough to be read quickly. */
const PACKED = 200;

/**
 * A PDF that is written from its first byte to its last and never read back: what is finished leaves at once, so that memory holds
 * the places of objects and no more. Small objects go into compressed object streams. The same calls give the same bytes.
 */
export class PdfFile {
  #pieces: Buffer[] = [];
  #offset = 0;
  readonly #hash = createHash('sha256');
  /** By object number: the offset; or, negative, -(stream × PACKED + index) of an object inside an object stream; 0 is free. */
  readonly #places: number[] = [0];
  #packed: { number: number; body: string }[] = [];
  readonly #shared = new Map<string, number>();
  readonly #free: number[] = [];

  constructor() {
    this.#write(Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'));
  }

  reserve(): number {
    return this.#free.pop() ?? this.#places.push(0) - 1;
  }

  /** Gives back a number that was reserved and that nothing refers to. */
  release(number: number): void {
    this.#free.push(number);
  }

  /** An object without stream data. `body` is PDF syntax, one byte a character. */
  put(number: number, body: string): void {
    this.#packed.push({ number, body });
    if (this.#packed.length === PACKED) this.#flush();
  }

  add(body: string): number {
    const number = this.reserve();
    this.put(number, body);
    return number;
  }

  /** A stream; `entries` are those of its dictionary but for the length. */
  putStream(number: number, entries: string, data: Uint8Array): void {
    this.#place(number);
    this.#write(Buffer.from(`${number} 0 obj\n<<${entries}/Length ${data.length}>>\nstream\n`, 'latin1'));
    this.#write(data);
    this.#write(Buffer.from('\nendstream\nendobj\n', 'latin1'));
  }

  /** Like `add` and `putStream`, but what was written before is not written again: its number is returned. */
  share(body: string, data?: Uint8Array): number {
    const key = createHash('sha256')
      .update(body, 'latin1')
      .update(data ?? '')
      .update(data === undefined ? 'object' : 'stream')
      .digest('base64');
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const number = this.reserve();
    this.#shared.set(key, number);
    if (data === undefined) this.put(number, body);
    else this.putStream(number, body, data);
    return number;
  }

  /** The bytes that are ready; each is handed out once. */
  take(): Buffer[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** The table of places and the trailer. Its identifier is the digest of everything before it. */
  end(root: number, info: number): void {
    for (const number of this.#free.splice(0)) this.put(number, 'null');
    this.#flush();
    const own = this.reserve();
    this.#place(own);
    const missing = this.#places.findIndex((place, number) => number > 0 && place === 0);
    if (missing !== -1) throw new Error(`object ${missing} of the PDF was never written`);
    const table = Buffer.alloc(this.#places.length * 8);
    this.#places.forEach((place, number) => {
      const at = number * 8;
      table.writeUInt8(number === 0 ? 0 : place < 0 ? 2 : 1, at);
      table.writeUIntBE(place < 0 ? Math.floor(-place / PACKED) : place, at + 1, 5);
      table.writeUInt16BE(number === 0 ? 65535 : place < 0 ? -place % PACKED : 0, at + 6);
    });
    const at = this.#offset;
    const id = this.#hash.copy().digest('hex').slice(0, 32).toUpperCase();
    const data = deflateSync(table);
    this.#write(
      Buffer.from(
        `${own} 0 obj\n<</Type/XRef/Size ${this.#places.length}/W[1 5 2]/Root ${root} 0 R/Info ${info} 0 R/ID[<${id}><${id}>]/Filter/FlateDecode/Length ${data.length}>>\nstream\n`,
        'latin1',
      ),
    );
    this.#write(data);
    this.#write(Buffer.from(`\nendstream\nendobj\nstartxref\n${at}\n%%EOF\n`, 'latin1'));
  }

  #flush(): void {
    if (this.#packed.length === 0) return;
    const stream = this.reserve();
    let at = 0;
    const heads: string[] = [];
    this.#packed.forEach(({ number, body }, index) => {
      if (this.#places[number] !== 0) throw new Error(`object ${number} of the PDF was written twice`);
      this.#places[number] = -(stream * PACKED + index);
      heads.push(`${number} ${at}`);
      at += body.length + 1;
    });
    const head = `${heads.join(' ')}\n`;
    const text = head + this.#packed.map(({ body }) => `${body}\n`).join('');
    const entries = `/Type/ObjStm/N ${this.#packed.length}/First ${head.length}/Filter/FlateDecode`;
    this.#packed = [];
    this.putStream(stream, entries, deflateSync(Buffer.from(text, 'latin1')));
  }

  #place(number: number): void {
    if (this.#places[number] !== 0) throw new Error(`object ${number} of the PDF was written twice`);
    this.#places[number] = this.#offset;
  }

  #write(bytes: Uint8Array): void {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pieces.push(piece);
    this.#hash.update(piece);
    this.#offset += piece.length;
  }
}

/** A text as a PDF string in UTF-16. */
export function textString(text: string): string {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le').swap16();
  return /^[\x20-\x7e]*$/.test(text) ? `(${text.replace(/[\\()]/g, '\\$&')})` : `<${bytes.toString('hex')}>`;
}

export function nameOf(text: string): string {
  return `/${text.replace(/[^A-Za-z0-9_.+-]/g, (character) => `#${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;
}

/** A number without exponent, as PDF wants it. */
export function numberOf(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(5).replace(/\.?0+$/, '');
}
