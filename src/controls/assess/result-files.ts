import { closeSync, fstatSync, fsync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Finding } from '../../model/index.ts';

/** Where some whole lines of a file lie: offset and length in bytes. */
export type Block = Finding['observations']['blocks'][number];

/** The lines of one writer among several of a file. */
export interface Lines {
  write(line: string): void;
  readonly count: number;
}

/** What was written of some lines, in order. */
export interface Written {
  readonly count: number;
  readonly blocks: readonly Block[];
}

/** A file of lines that several writers fill in turns, each in blocks of its own: nothing is written twice. */
export interface BlockFile {
  /** Bytes in the file; what writers still hold is not. */
  readonly size: number;
  open(): Lines;
  /** Writes what the writer holds, and ends it. */
  finish(lines: Lines): Written;
  /** Gives the lines of some blocks to `take`. */
  eachLine(blocks: readonly Block[], take: (line: string) => void): void;
  /** Puts the whole of another file behind this one. */
  append(path: string): void;
  /** Puts what is written to another file in place of all that lies behind `begin`, which can be read until then. */
  rewrite<T>(begin: number, write: (other: BlockFile) => T): T;
  /** Resolves once the bytes are safe. */
  close(): Promise<void>;
  /** Closes and removes it. */
  discard(): void;
}

const blockBytes = 256 * 1024;
const synced = promisify(fsync);

interface Writer extends Lines {
  pending(): Uint8Array;
  readonly blocks: Block[];
}

export function blockFile(path: string): BlockFile {
  const descriptor = openSync(path, 'w+');
  let size = 0;
  /** One for all: they are read one after the other. */
  let lent: Buffer | undefined;
  const writers = new Map<Lines, Writer>();

  function put(bytes: Uint8Array, blocks: Block[]): void {
    if (bytes.length === 0) return;
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written, bytes.length - written, size + written);
    const last = blocks.at(-1);
    if (last && last[0] + last[1] === size) last[1] += bytes.length;
    else blocks.push([size, bytes.length]);
    size += bytes.length;
  }

  function readFrom(source: number, [offset, length]: Block, take: (piece: Uint8Array) => void): void {
    lent ??= Buffer.allocUnsafeSlow(blockBytes * 4);
    for (let done = 0; done < length;) {
      const read = readSync(source, lent, 0, Math.min(lent.length, length - done), offset + done);
      if (read === 0) throw new Error(`${path} ends before its time`);
      take(lent.subarray(0, read));
      done += read;
    }
  }

  function append(other: string): void {
    const source = openSync(other, 'r');
    try {
      readFrom(source, [0, fstatSync(source).size], (piece) => put(piece, []));
    } finally {
      closeSync(source);
    }
  }

  return {
    get size() {
      return size;
    },
    open() {
      const blocks: Block[] = [];
      const writer = lineBuffer(blocks, (bytes) => put(bytes, blocks));
      writers.set(writer, writer);
      return writer;
    },
    finish(lines) {
      const writer = writers.get(lines);
      if (!writer) throw new Error('these lines are not of this file, or are ended');
      writers.delete(lines);
      put(writer.pending(), writer.blocks);
      return { count: writer.count, blocks: writer.blocks };
    },
    eachLine(blocks, take) {
      eachLine((give) => {
        for (const block of blocks) readFrom(descriptor, block, give);
      }, take);
    },
    append,
    rewrite(begin, write) {
      const other = blockFile(`${path}.again`);
      const made = write(other);
      ftruncateSync(descriptor, begin);
      size = begin;
      append(`${path}.again`);
      other.discard();
      return made;
    },
    async close() {
      try {
        await synced(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
    discard() {
      closeSync(descriptor);
      rmSync(path);
    },
  };
}

/** Gives each line of what is read in pieces. */
function eachLine(read: (take: (piece: Uint8Array) => void) => void, take: (line: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  read((piece) => {
    const all = Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = all.indexOf(10, start); end >= 0; end = all.indexOf(10, start)) {
      take(all.toString('utf8', start, end));
      start = end + 1;
    }
    rest = Buffer.from(all.subarray(start));
  });
}

/**
 * Encodes lines at once: kept as strings, thousands of them would be carried from one garbage collection to the next.
 * Grows to `blockBytes`, then hands whole blocks to `spill`.
 */
function lineBuffer(blocks: Block[], spill: (bytes: Uint8Array) => void): Writer {
  let buffer = Buffer.allocUnsafeSlow(4096);
  let used = 0;
  let count = 0;
  return {
    blocks,
    get count() {
      return count;
    },
    write(line) {
      count += 1;
      const most = line.length * 3 + 1;
      if (used + most > buffer.length) {
        if (used > 0 && used + most > blockBytes) {
          spill(buffer.subarray(0, used));
          used = 0;
        }
        if (most > blockBytes) {
          spill(Buffer.from(`${line}\n`, 'utf8'));
          return;
        }
        if (used + most > buffer.length) {
          const larger = Buffer.allocUnsafeSlow(Math.min(blockBytes, Math.max(buffer.length * 4, used + most)));
          buffer.copy(larger, 0, 0, used);
          buffer = larger;
        }
      }
      used += buffer.write(line, used, 'utf8');
      buffer[used] = 10;
      used += 1;
    },
    pending: () => buffer.subarray(0, used),
  };
}

/** The files of results that grow with the estate, while they are written. */
export interface ResultFiles {
  readonly directory: string;
  readonly observations: BlockFile;
  readonly access: BlockFile;
  readonly readers: BlockFile;
  /** Puts the files of another directory behind these and removes it; returns where its observations now begin. */
  append(directory: string): number;
  close(): Promise<void>;
}

const names = { observations: 'observations.ndjson', access: 'access.ndjson', readers: 'readers.ndjson' } as const;

/** Opens the files in an existing directory. */
export function resultFiles(directory: string): ResultFiles {
  const files = {
    observations: blockFile(join(directory, names.observations)),
    access: blockFile(join(directory, names.access)),
    readers: blockFile(join(directory, names.readers)),
  };
  return {
    directory,
    ...files,
    append(other) {
      const begin = files.observations.size;
      for (const name of ['observations', 'access', 'readers'] as const) files[name].append(join(other, names[name]));
      rmSync(other, { recursive: true });
      return begin;
    },
    async close() {
      await Promise.all(Object.values(files).map((file) => file.close()));
    },
  };
}
