import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PackError } from './error.ts';
import { copyAndHash, inParallel, sha256 } from './files.ts';
import { writeBagInfo } from './info.ts';
import type { BagInfo } from './info.ts';
import { writeInstructions } from './instructions.ts';
import { dataDirectory, packFiles, rootedFiles, safeName, writeManifest } from './layout.ts';
import type { FileDigest } from './layout.ts';
import { readingOrder } from './verify/contents.ts';
import type { Observe } from './verify/contents.ts';

/** What lies in the run directory cannot be packed as it is. */
export class BagError extends PackError {
  override readonly name = 'BagError';
}

const copyLanes = 8;

/** Paths of every file below the named parts of `directory`, sorted. Throws BagError for names and kinds that packs do not hold. */
export async function listPayload(directory: string, parts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(directory, path), { withFileTypes: true })) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory()) await walk(child);
      else if (entry.isFile()) found.push(child);
      else throw new BagError(`${child} is neither a file nor a directory`);
    }
  };
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (!parts.includes(entry.name)) continue;
    if (entry.isDirectory()) await walk(entry.name);
    else if (entry.isFile()) found.push(entry.name);
    else throw new BagError(`${entry.name} is neither a file nor a directory`);
  }
  const unsafe = found.filter((path) => !safeName.test(path));
  if (unsafe.length > 0)
    throw new BagError(
      `file names may hold only A-Z a-z 0-9 . _ - /: ${unsafe
        .slice(0, 3)
        .map((path) => JSON.stringify(path))
        .join(', ')}`,
    );
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/**
 * Copies `paths` from `source` into `bag`/data, hashing each in the same reading and showing it to `observe`. Copies and does not link: a pack must
 * not change when someone later writes to the run directory.
 */
export async function copyPayload(source: string, bag: string, paths: readonly string[], observe: Observe): Promise<FileDigest[]> {
  const directories = new Set(paths.map((path) => dirname(join(bag, dataDirectory, path))));
  for (const directory of directories) await mkdir(directory, { recursive: true });
  const files: FileDigest[] = [];
  const copy = async (path: string): Promise<void> => {
    const to = `${dataDirectory}/${path}`;
    const sink = observe(to);
    files.push({ path: to, ...(await copyAndHash(join(source, path), join(bag, to), (piece) => sink?.piece(piece))) });
    sink?.end();
  };
  for (const stage of readingOrder(paths)) await inParallel(stage, copyLanes, copy);
  return files;
}

/** Writes the tag files around the payload. Returns the root manifest, which is what gets signed, and the tag files' digests. */
export async function writeTagFiles(
  bag: string,
  payload: readonly FileDigest[],
  certificatesPem: string,
  info: BagInfo,
): Promise<{ root: Buffer; files: FileDigest[] }> {
  const contents = new Map<string, string>([
    [packFiles.declaration, 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n'],
    [packFiles.info, writeBagInfo(info)],
    [packFiles.instructions, writeInstructions(info)],
    [packFiles.certificates, certificatesPem],
    [packFiles.manifest, writeManifest(payload)],
  ]);
  const files: FileDigest[] = [];
  for (const path of rootedFiles) {
    const bytes = Buffer.from(contents.get(path) ?? '', 'utf8');
    await writeFile(join(bag, path), bytes, { mode: 0o644 });
    files.push({ path, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length });
  }
  const root = Buffer.from(writeManifest(files), 'utf8');
  await writeFile(join(bag, packFiles.root), root, { mode: 0o644 });
  return { root, files: [...files, { path: packFiles.root, sha256: sha256(root), bytes: root.length }] };
}
