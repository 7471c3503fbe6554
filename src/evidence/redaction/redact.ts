import { createHash, createHmac } from 'node:crypto';
import type { Redaction } from '../../model/index.ts';
import { cutsOf } from './cuts.ts';
import { replacement } from './rules.ts';

export interface RedactedPage {
  readonly bytes: Uint8Array;
  readonly redactions: Redaction[];
}

/**
 * Replaces secret-bearing values and keys of a page in place before it reaches disk: the page stays valid JSON and every other byte
 * stays as received. `key` is the run's own secret: each value is committed to by SHA-256(salt ‖ value) with
 * salt = HMAC-SHA256(key, `directory/file#pointer#within`), so that a disclosed value can be matched, and a weak one not guessed.
 */
export async function redactPage(received: Uint8Array, location: string, key: Uint8Array): Promise<RedactedPage> {
  // One character per byte: offsets are bytes, and bytes that are no UTF-8 survive.
  const text = Buffer.from(received.buffer, received.byteOffset, received.byteLength).toString('latin1');
  const cuts = (await cutsOf(text)).sort((a, b) => a.start - b.start);
  if (cuts.length === 0) return { bytes: received, redactions: [] };
  const pieces: string[] = [];
  const redactions: Redaction[] = [];
  let at = 0;
  for (const cut of cuts) {
    pieces.push(text.slice(at, cut.start), replacement(cut.rule, cut.key));
    at = cut.end;
    const salt = redactionSalt(key, location, cut.pointer, cut.within);
    redactions.push({
      pointer: cut.pointer,
      ...(cut.within !== undefined && { within: cut.within }),
      rule: cut.rule,
      commitment: createHash('sha256').update(salt).update(cut.value, 'utf8').digest('hex'),
    });
  }
  pieces.push(text.slice(at));
  return { bytes: Buffer.from(pieces.join(''), 'latin1'), redactions };
}

/** The salt of one redaction; disclosed together with the value, never part of a pack. */
export function redactionSalt(key: Uint8Array, location: string, pointer: string, within: string | undefined): Buffer {
  return createHmac('sha256', key)
    .update(`${location}#${pointer}#${within ?? ''}`)
    .digest();
}
