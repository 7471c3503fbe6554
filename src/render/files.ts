import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

/** Writes a file whole or not at all: beside its place first, flushed, then renamed. An error leaves what was there. */
export async function writeAtomically(
  file: string,
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  let bytes = 0;
  const hash = createHash('sha256');
  try {
    const stream = createWriteStream(temporary, { highWaterMark: 1 << 20 });
    const failed = once(stream, 'error').then(([error]) => Promise.reject(error as Error));
    failed.catch(() => undefined);
    for await (const piece of pieces) {
      hash.update(piece);
      bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength;
      if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), failed]);
    }
    stream.end();
    await finished(stream);
    const handle = await open(temporary, 'r+');
    await handle.sync();
    await handle.close();
    await rename(temporary, file);
    return { bytes, sha256: hash.digest('hex') };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** SHA-256 of a file, read as a stream. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest('hex');
}

/** Removes what a render that was killed left half-written in a directory. */
export async function removeHalfWritten(directory: string): Promise<void> {
  for (const name of await readdir(directory))
    if (/^[a-z-]+\.[a-z]+\.\d+\.tmp$/.test(name)) await rm(join(directory, name), { force: true });
}
