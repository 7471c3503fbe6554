import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const chunkBytes = 1024 * 1024;

/** Reads a file in bounded pieces, in order. The pieces share one buffer: use each before asking for the next. */
export async function readInPieces(path: string, piece: (bytes: Buffer) => void | Promise<void>): Promise<void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    // One byte more than a small file holds, so that its end is seen without a second buffer.
    const buffer = Buffer.allocUnsafe(Math.min(size + 1, chunkBytes));
    for (let read = 0; ;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      await piece(buffer.subarray(0, bytesRead));
      read += bytesRead;
      if (read === size && bytesRead < buffer.length) return;
    }
  } finally {
    await file.close();
  }
}

/** Copies `from` to `to` (which must not exist) and hashes it on the way: one reading for both, and for whoever watches. */
export async function copyAndHash(
  from: string,
  to: string,
  watch: (piece: Buffer) => void = () => undefined,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  const target = await open(to, 'wx', 0o644);
  let bytes = 0;
  try {
    await readInPieces(from, async (piece) => {
      hash.update(piece);
      watch(piece);
      bytes += piece.length;
      for (let at = 0; at < piece.length;) at += (await target.write(piece, at)).bytesWritten;
    });
  } finally {
    await target.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await readInPieces(path, (piece) => {
    hash.update(piece);
  });
  return hash.digest('hex');
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Runs `work` over `items`, at most `width` at a time. The first failure ends it. */
export async function inParallel<T>(items: Iterable<T>, width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: width }, lane));
}
