import type { FileHandle } from 'node:fs/promises';
import type { Entry, LocalFileHeader } from 'yauzl';
import { safeName } from '../layout.ts';
import type { ProblemList } from './codes.ts';

/** What an archive holds at a name, by both of its descriptions. */
export interface Member {
  readonly name: string;
  readonly entry: Entry;
  readonly start: number;
  readonly dataStart: number;
  readonly local: LocalFileHeader;
}

export const endRecordBytes = 22;
const end64Bytes = 56 + 20;
const full16 = 0xffff;
const full32 = 0xffffffff;

const encrypted = 0x0001;
const streamed = 0x0008;
/** How hard deflate tried, that sizes follow the data, and that the name is UTF-8. Others change what tools make of a file. */
const plainFlags = 0x0002 | 0x0004 | streamed | 0x0800;

const zip64Field = 0x0001;
/** Sizes of large files, times, owners, and Java's mark: what ordinary tools write, and none takes for a name or contents. */
const plainFields = new Set([zip64Field, 0x5455, 0x7855, 0x7875, 0x5855, 0x000a, 0xcafe]);
const plainFieldBytes = 64;

const typeMask = 0o170000;
const symlinkMode = 0o120000;
const fileMode = 0o100000;
const directoryMode = 0o040000;
const dosDirectory = 0x10;

export function isDirectory(member: Member): boolean {
  return member.name.endsWith('/') && member.entry.uncompressedSize === 0;
}

/** Directories hold nothing: they only must not lead outside, nor stand where a file does. */
export function judgeDirectories(members: readonly Member[], problems: ProblemList): void {
  const files = new Set(members.filter((member) => !isDirectory(member)).map(({ name }) => name));
  for (const member of members.filter(isDirectory)) {
    const name = member.name.slice(0, -1);
    if (!safeName.test(name)) problems.add('unsafe-path', undefined, member.name);
    else if (files.has(name)) problems.add('duplicate-name', `${name} is both a file and a directory`, member.name);
    // An empty one may be deflated to two bytes; more would be hidden.
    if (member.entry.compressedSize > 2) problems.add('zip-gap', 'in a directory', member.name);
  }
}

/**
 * Every byte before the list of files belongs to exactly one file, both descriptions of it agree, and neither holds anything by which
 * some tools see another name, another kind of file, or other contents.
 */
export async function checkLayout(
  handle: FileHandle,
  members: readonly Member[],
  directoryStart: number,
  problems: ProblemList,
): Promise<void> {
  let expected = 0;
  const inOrder = [...members].sort((a, b) => a.start - b.start);
  for (const [index, member] of inOrder.entries()) {
    const { entry } = member;
    if (member.start !== expected) problems.add(expected === 0 ? 'zip-prefix' : 'zip-gap', `at byte ${String(expected)}`, member.name);
    const why = strangeness(member);
    if (why !== null) problems.add('zip-header-mismatch', why, member.name);
    const end = member.dataStart + entry.compressedSize;
    const next = inOrder[index + 1]?.start ?? directoryStart;
    expected = end;
    if ((entry.generalPurposeBitFlag & streamed) === 0) continue;
    // A streamed file is followed by its sizes: with or without a signature, of 32 or 64 bits.
    const trailer = next - end;
    if (![12, 16, 20, 24].includes(trailer)) continue;
    expected = next;
    if (!isDescriptor(await readAt(handle, end, trailer), entry)) problems.add('zip-header-mismatch', 'the sizes behind it', member.name);
  }
  if (expected !== directoryStart) problems.add('zip-gap', `before the list of files, at byte ${String(expected)}`);
}

/** What in the descriptions of a file could make tools see another one; null when nothing does. */
function strangeness({ name, entry, local }: Member): string | null {
  const sizesFollow = (entry.generalPurposeBitFlag & streamed) !== 0;
  const agrees =
    local.fileName.equals(entry.fileNameRaw) &&
    local.compressionMethod === entry.compressionMethod &&
    local.generalPurposeBitFlag === entry.generalPurposeBitFlag &&
    local.lastModFileDate === entry.lastModFileDate &&
    local.lastModFileTime === entry.lastModFileTime &&
    (sizesFollow || (local.crc32 === entry.crc32 && sizesAgree(local, entry)));
  if (!agrees) return 'its two descriptions';
  if ((entry.generalPurposeBitFlag & ~(plainFlags | encrypted)) !== 0) return 'unusual flags';
  // Where stored data ends, only the list of files tells.
  if (sizesFollow && entry.compressionMethod === 0 && entry.uncompressedSize > 0) return 'stored, with its sizes behind it';
  if (entry.fileCommentLength > 0) return 'a comment';
  if (!isPlain(entry.extraFieldRaw) || !isPlain(local.extraField)) return 'extra fields';
  const type = (entry.externalFileAttributes >>> 16) & typeMask;
  const asDirectory = type === directoryMode || (entry.externalFileAttributes & dosDirectory) !== 0;
  // Links have a code of their own.
  if (type !== 0 && type !== fileMode && type !== directoryMode && type !== symlinkMode) return 'the kind of file that it is said to be';
  return asDirectory && !name.endsWith('/') ? 'said to be a directory' : null;
}

/** The fields of a header, in a buffer that they fill exactly; null where they do not. */
function fieldsOf(raw: Buffer): { id: number; data: Buffer }[] | null {
  const fields: { id: number; data: Buffer }[] = [];
  for (let at = 0; at < raw.length;) {
    if (at + 4 > raw.length) return null;
    const size = raw.readUInt16LE(at + 2);
    if (at + 4 + size > raw.length) return null;
    fields.push({ id: raw.readUInt16LE(at), data: raw.subarray(at + 4, at + 4 + size) });
    at += 4 + size;
  }
  return fields;
}

function isPlain(raw: Buffer): boolean {
  const fields = fieldsOf(raw);
  return (
    fields !== null &&
    new Set(fields.map(({ id }) => id)).size === fields.length &&
    fields.every(({ id, data }) => plainFields.has(id) && data.length <= plainFieldBytes)
  );
}

function sizesAgree(local: LocalFileHeader, entry: Entry): boolean {
  const large = fieldsOf(local.extraField)?.find(({ id }) => id === zip64Field)?.data;
  if (local.compressedSize !== full32 && local.uncompressedSize !== full32)
    return local.compressedSize === entry.compressedSize && local.uncompressedSize === entry.uncompressedSize && large === undefined;
  // Both lie in the field there, the uncompressed one first.
  return (
    large?.length === 16 &&
    Number(large.readBigUInt64LE(0)) === entry.uncompressedSize &&
    Number(large.readBigUInt64LE(8)) === entry.compressedSize
  );
}

function isDescriptor(bytes: Buffer, { crc32, compressedSize, uncompressedSize }: Entry): boolean {
  const signed = bytes.length === 16 || bytes.length === 24;
  const body = signed ? bytes.subarray(4) : bytes;
  if (signed && bytes.readUInt32LE(0) !== 0x08074b50) return false;
  const sizes =
    body.length === 12 ? [body.readUInt32LE(4), body.readUInt32LE(8)] : [Number(body.readBigUInt64LE(4)), Number(body.readBigUInt64LE(12))];
  return body.readUInt32LE(0) === crc32 && sizes[0] === compressedSize && sizes[1] === uncompressedSize;
}

/** The records at the end of the archive say where the list of files is, twice where it is large: all of it has to be so. */
export async function checkEnd(
  handle: FileHandle,
  archive: {
    readonly bytes: number;
    readonly comment: number;
    readonly directory: { readonly start: number; readonly end: number };
    readonly members: number;
  },
  problems: ProblemList,
): Promise<void> {
  const { bytes, comment, directory, members } = archive;
  const tail = bytes - directory.end - endRecordBytes - comment;
  if (tail !== 0 && tail !== end64Bytes) {
    problems.add('zip-gap', 'after the list of files');
    return;
  }
  const record = await readAt(handle, directory.end + tail, endRecordBytes);
  const size = directory.end - directory.start;
  const same = (value: number, due: number, full: number): boolean => value === due || (tail > 0 && value === full);
  const right =
    [record.readUInt16LE(4), record.readUInt16LE(6)].every((disk) => same(disk, 0, full16)) &&
    [record.readUInt16LE(8), record.readUInt16LE(10)].every((count) => same(count, members, full16)) &&
    same(record.readUInt32LE(12), size, full32) &&
    same(record.readUInt32LE(16), directory.start, full32);
  if (
    !right ||
    (tail > 0 && !isEnd64(await readAt(handle, directory.end, end64Bytes), directory.end, [members, members, size, directory.start]))
  )
    problems.add('zip-header-mismatch', 'where its list of files lies');
}

function isEnd64(bytes: Buffer, at: number, due: readonly number[]): boolean {
  const number = (offset: number): number => Number(bytes.readBigUInt64LE(offset));
  return (
    bytes.readUInt32LE(0) === 0x06064b50 &&
    number(4) === 44 &&
    bytes.readUInt32LE(16) === 0 &&
    bytes.readUInt32LE(20) === 0 &&
    due.every((value, index) => number(24 + index * 8) === value) &&
    bytes.readUInt32LE(56) === 0x07064b50 &&
    bytes.readUInt32LE(60) === 0 &&
    number(64) === at &&
    bytes.readUInt32LE(72) === 1
  );
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await handle.read(buffer, 0, length, at);
  return buffer;
}
