import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import type { PassThrough, TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

/** One time for every entry (ZIP holds local fields, so the zone does not matter): times of files are no part of the evidence. */
const mtime = new Date(1980, 0, 1, 12);
const batchFiles = 64;
const batchBytes = 32 * 1024 * 1024;
/** Deflate's fast levels shrink JSON nearly as well as the default, in a fraction of its time. */
const compressionLevel = 3;

/** The archive's comment: SHA-256 of every byte of the ZIP before the hex digits. It tells damage to the container, no more. */
export const containerComment = 'exhibit container sha256:';

/**
 * Writes `members` (paths below `directory`) as a ZIP whose bytes depend on nothing but names and contents: sorted, fixed
 * times and modes, no directories. Streams: memory does not grow with the pack.
 */
export async function writeZip(
  directory: string,
  members: readonly { readonly path: string; readonly bytes: number }[],
  target: string,
): Promise<void> {
  const zip = new yazl.ZipFile();
  const failed = new Promise<never>((_, reject) => {
    zip.on('error', reject);
  });
  const output = zip.outputStream as PassThrough;
  const sorted = [...members].sort((a, b) => (a.path < b.path ? -1 : 1));
  const written = pipeline(output, sealContainer(), createWriteStream(target, { flags: 'wx', mode: 0o644 }));
  const options = { mtime, mode: 0o100644, compressionLevel, forceDosTimestamp: true };
  const added = (async () => {
    let files = 0;
    let bytes = 0;
    for (const file of sorted) {
      const path = join(directory, file.path);
      files += 1;
      bytes += file.bytes;
      if (files < batchFiles && bytes < batchBytes) {
        // Compressed at once, several at a time.
        zip.addBuffer(await readFile(path), file.path, options);
        continue;
      }
      // Opened only when everything before it is written: so a batch is all that is ever held in memory.
      await new Promise<void>((opened) => {
        zip.addReadStreamLazy(file.path, { ...options, size: file.bytes }, (done) => {
          // The archive does not watch the streams it is given.
          done(
            null,
            createReadStream(path).on('error', (error) => zip.emit('error', error)),
          );
          opened();
        });
      });
      if (output.writableNeedDrain) await once(output, 'drain');
      files = 0;
      bytes = 0;
    }
    zip.end({ comment: containerComment + '0'.repeat(64), forceZip64Format: false });
  })();
  try {
    await Promise.race([Promise.all([written, added]), failed]);
  } catch (error) {
    output.destroy();
    await written.catch(() => undefined);
    throw error;
  }
}

/** Replaces the zeros at the end of the archive's comment by the digest of all that precedes them. */
function sealContainer(): Transform {
  const hash = createHash('sha256');
  let held = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
      const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const ready = all.subarray(0, Math.max(0, all.length - 64));
      held = Buffer.from(all.subarray(ready.length));
      hash.update(ready);
      done(null, ready);
    },
    flush(done: TransformCallback): void {
      done(null, Buffer.from(hash.digest('hex'), 'latin1'));
    },
  });
}
