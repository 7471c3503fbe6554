import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import yauzl from 'yauzl';
import type { ZipFile } from 'yauzl';
import { containerComment } from '../zip.ts';
import { checkEnd, checkLayout, isDirectory, judgeDirectories } from './archive-layout.ts';
import type { Member } from './archive-layout.ts';
import { judgeNames, readingOrder } from './contents.ts';
import type { Observe, PackContents, SeenFile } from './contents.ts';
import { show } from './codes.ts';
import type { NoteCode, ProblemList } from './codes.ts';

const stored = 0;
const deflated = 8;
const symlinkMode = 0o120000;
const modeMask = 0o170000;
const inMemory = 8 * 1024 * 1024;
const chunk = 1024 * 1024;
/** Deflate reaches 1032:1. Repetitive JSON stays far below this; small files may be anything. */
const maxRatio = 400;
const ratioMatters = 16 * 1024 * 1024;

/**
 * Reads a pack in a ZIP without unpacking it to disk. Beyond what unpacking tools check: names, the two descriptions of
 * each file, that the files lie end to end and nothing else lies between, and the container's own digest.
 */
export async function readArchive(path: string, observe: Observe, problems: ProblemList): Promise<PackContents> {
  const notes: NoteCode[] = [];
  const files = new Map<string, SeenFile>();
  const nothing: PackContents = { kind: 'zip', files, notes };
  let zip: ZipFile;
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    try {
      zip = await yauzl.openPromise(path, { lazyEntries: true, decodeStrings: false, validateEntrySizes: false, autoClose: false });
    } catch (error) {
      problems.add('zip-malformed', message(error));
      return nothing;
    }
    try {
      const directoryStart = zip.readEntryCursor as unknown as number;
      const members = await readMembers(zip, problems);
      if (members === null) return nothing;
      await checkLayout(handle, members, directoryStart, problems);
      const directory = { start: directoryStart, end: zip.readEntryCursor as unknown as number };
      await checkEnd(handle, { bytes: size, comment: Buffer.byteLength(zip.comment), directory, members: members.length }, problems);
      judgeDirectories(members, problems);
      await checkContainer(handle, size, zip, notes, problems);
      const safe = judgeNames(
        members.filter((member) => !isDirectory(member)).map((member) => member.name),
        problems,
      );
      const byName = new Map(members.toReversed().map((member) => [member.name, member]));
      for (const name of readingOrder(safe).flat()) {
        const member = byName.get(name);
        const seen = member === undefined ? null : await readMember(handle, member, observe, problems);
        if (seen !== null) files.set(name, seen);
      }
    } finally {
      zip.close();
    }
  } finally {
    await handle.close();
  }
  return nothing;
}

function message(error: unknown): string {
  return show(error instanceof Error ? error.message : String(error)).replace(/^"|"$/g, '');
}

async function readMembers(zip: ZipFile, problems: ProblemList): Promise<Member[] | null> {
  const members: Member[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      const local = await zip.readLocalFileHeaderPromise(entry);
      members.push({
        name: entry.fileNameRaw.toString('utf8'),
        entry,
        start: entry.relativeOffsetOfLocalHeader,
        dataStart: local.fileDataStart,
        local,
      });
    }
  } catch (error) {
    problems.add('zip-malformed', message(error));
    return null;
  }
  return members;
}

/** The comment holds the digest of every byte before it, so that no byte of the container can change unnoticed. */
async function checkContainer(handle: FileHandle, size: number, zip: ZipFile, notes: NoteCode[], problems: ProblemList): Promise<void> {
  const comment = Buffer.from(zip.comment as unknown as Uint8Array).toString('latin1');
  if (!comment.startsWith(containerComment) || comment.length !== containerComment.length + 64) {
    // None at all: packed again by another tool. Any other is what was made of ours.
    if (comment === '') notes.push('container-unsealed');
    else problems.add('zip-container-altered');
    return;
  }
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(chunk);
  for (let at = 0; at < size - 64;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(chunk, size - 64 - at), at);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  if (hash.digest('hex') !== comment.slice(containerComment.length)) problems.add('zip-container-altered');
}

async function readMember(handle: FileHandle, member: Member, observe: Observe, problems: ProblemList): Promise<SeenFile | null> {
  const { entry, name } = member;
  const mode = (entry.externalFileAttributes >>> 16) & modeMask;
  if (mode === symlinkMode) {
    problems.add('symlink', undefined, name);
    return null;
  }
  if ((entry.generalPurposeBitFlag & 1) !== 0 || (entry.compressionMethod !== stored && entry.compressionMethod !== deflated)) {
    problems.add('zip-unsupported', undefined, name);
    return null;
  }
  if (entry.uncompressedSize > ratioMatters && entry.uncompressedSize > entry.compressedSize * maxRatio) {
    problems.add('zip-bomb', `${String(entry.compressedSize)} bytes unpack to ${String(entry.uncompressedSize)}`, name);
    return null;
  }
  const hash = createHash('sha256');
  const sink = observe(name);
  let crc = 0;
  let bytes = 0;
  const take = (piece: Buffer): void => {
    hash.update(piece);
    crc = crc32(piece, crc);
    bytes += piece.length;
    if (bytes > entry.uncompressedSize) throw new Error('it unpacks to more than it says');
    sink?.piece(piece);
  };
  try {
    await unpack(handle, member, take);
    if (bytes !== entry.uncompressedSize) throw new Error('it unpacks to less than it says');
    if (crc !== entry.crc32) throw new Error('its checksum is wrong');
  } catch (error) {
    problems.add('zip-entry-damaged', message(error), name);
    return null;
  }
  sink?.end();
  return { sha256: hash.digest('hex'), bytes };
}

async function unpack(handle: FileHandle, member: Member, take: (piece: Buffer) => void): Promise<void> {
  const { entry, dataStart } = member;
  const end = dataStart + entry.compressedSize;
  if (entry.compressionMethod === deflated && entry.compressedSize <= inMemory && entry.uncompressedSize <= inMemory) {
    const data = await readRange(handle, dataStart, entry.compressedSize);
    const result = inflateRawSync(data, { maxOutputLength: Math.max(1, entry.uncompressedSize), info: true }) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    if (result.engine.bytesWritten !== entry.compressedSize) throw new Error('bytes follow its compressed data');
    take(result.buffer);
    return;
  }
  if (entry.compressionMethod === stored) {
    for (let at = dataStart; at < end; at += chunk) take(await readRange(handle, at, Math.min(chunk, end - at)));
    return;
  }
  const inflate = createInflateRaw();
  const feed = (async () => {
    for (let at = dataStart; at < end && !inflate.destroyed; at += chunk) {
      if (!inflate.write(await readRange(handle, at, Math.min(chunk, end - at)))) {
        await new Promise<void>((resolve) => {
          const settle = (): void => {
            inflate.off('drain', settle).off('close', settle);
            resolve();
          };
          inflate.on('drain', settle).on('close', settle);
        });
      }
    }
    inflate.end();
  })();
  // Awaited together: a failure of either ends both, and none goes unhandled.
  const consume = (async () => {
    for await (const piece of inflate) take(piece as Buffer);
  })();
  try {
    await Promise.all([feed, consume]);
  } finally {
    inflate.destroy();
  }
  if (inflate.bytesWritten !== entry.compressedSize) throw new Error('bytes follow its compressed data');
}

async function readRange(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await handle.read(buffer, got, length - got, at + got);
    if (bytesRead === 0) throw new Error('the ZIP ends within it');
    got += bytesRead;
  }
  return buffer;
}
