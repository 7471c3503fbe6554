import { createHash } from 'node:crypto';

/** Deterministic numbers (mulberry32): a fixture must be the same on every machine. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The digest of a text stands for whatever was digested. */
export function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The same id for the same text. */
export function uuid(text: string): string {
  const digest = hex(text);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
