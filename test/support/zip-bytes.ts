import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { temporaryDirectory } from './pack-run.ts';

/** A member of a ZIP built by hand, every field open to lies. */
export interface ZipMember {
  readonly name: string;
  readonly content: string | Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  readonly mode?: number;
  /** Name in the local header, where it differs from the list's. */
  readonly localName?: string;
  /** Bytes put before this member that belong to nothing. */
  readonly gap?: Uint8Array;
  readonly statedSize?: number;
  /** Extra fields, in the list and before the data. */
  readonly extra?: Uint8Array;
  readonly localExtra?: Uint8Array;
  readonly fileComment?: string;
  /** DOS attributes, beside the mode. */
  readonly attributes?: number;
  /** Bytes between the data and the next file. */
  readonly behind?: Uint8Array;
}

/** Builds a ZIP whose offsets are right and whose other statements are whatever the members say. */
export function zipBytes(members: readonly ZipMember[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  const push = (bytes: Buffer): void => {
    parts.push(bytes);
    offset += bytes.length;
  };
  for (const member of members) {
    if (member.gap !== undefined) push(Buffer.from(member.gap));
    const content = Buffer.from(member.content as Uint8Array);
    const method = member.method ?? 8;
    const data = method === 8 ? deflateRawSync(content) : content;
    const size = member.statedSize ?? content.length;
    const start = offset;
    const header = (name: Buffer, extra: Uint8Array): Buffer => {
      const fields = Buffer.alloc(26);
      fields.writeUInt16LE(20, 0);
      fields.writeUInt16LE(member.flags ?? 0x800, 2);
      fields.writeUInt16LE(method, 4);
      fields.writeUInt16LE(0x6000, 6);
      fields.writeUInt16LE(0x0021, 8);
      fields.writeUInt32LE(crc32(content), 10);
      fields.writeUInt32LE(data.length, 14);
      fields.writeUInt32LE(size, 18);
      fields.writeUInt16LE(name.length, 22);
      fields.writeUInt16LE(extra.length, 24);
      return fields;
    };
    const localName = Buffer.from(member.localName ?? member.name);
    const [extra, localExtra] = [member.extra ?? Buffer.alloc(0), member.localExtra ?? Buffer.alloc(0)];
    push(Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), header(localName, localExtra), localName, localExtra]));
    push(data);
    if (member.behind !== undefined) push(Buffer.from(member.behind));
    const name = Buffer.from(member.name);
    const tail = Buffer.alloc(14);
    const fileComment = Buffer.from(member.fileComment ?? '');
    tail.writeUInt16LE(fileComment.length, 0);
    tail.writeUInt32LE((((member.mode ?? 0o100644) << 16) | (member.attributes ?? 0)) >>> 0, 6);
    tail.writeUInt32LE(start, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03', 'latin1'), header(name, extra), tail, name, extra, fileComment]));
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, directory, end, Buffer.from(comment, 'latin1')]);
}

/** A ZIP on disk that begins as a pack does, and goes on with these members. */
export function zipWith(...members: ZipMember[]): string {
  const path = join(temporaryDirectory('zip'), 'pack.zip');
  writeFileSync(path, zipBytes([{ name: 'bagit.txt', content: 'BagIt-Version: 1.0\n' }, ...members]));
  return path;
}
