import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const toDisk = promisify(fsync);

/** Names that a pack may hold: ASCII letters, digits, dot, underscore, dash. Anything else becomes a dot. */
export function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '.').replace(/^\.+|\.+$/g, '');
  return safe === '' ? '_' : safe.slice(0, 120);
}

/** Writes whole or not at all: a reader (or a resumed run) never meets half a file. The directory must exist. */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  try {
    const descriptor = openSync(temporary, 'wx', 0o644);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * The same without holding up the process for what takes time, which is the disk: other queries go on meanwhile. The rest is
 * done in the time that asking for it to be done elsewhere would take.
 */
export async function storeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
  try {
    const descriptor = openSync(temporary, 'wx', 0o644);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
      await toDisk(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await storeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Reads whole files into one buffer, which is only lent until the next: a buffer for each page would be garbage that nobody hurries to collect. */
export function fileLender(): (path: string) => Buffer {
  let buffer = Buffer.allocUnsafeSlow(1 << 18);
  return (path) => {
    const descriptor = openSync(path, 'r');
    try {
      const { size } = fstatSync(descriptor);
      if (size > buffer.length) buffer = Buffer.allocUnsafeSlow(Math.max(size, buffer.length * 2));
      let length = 0;
      for (let read = -1; read !== 0 && length < size; length += read) read = readSync(descriptor, buffer, length, size - length, length);
      return buffer.subarray(0, length);
    } finally {
      closeSync(descriptor);
    }
  };
}
