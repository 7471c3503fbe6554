import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inParallel, readInPieces } from '../files.ts';
import { judgeNames, readingOrder } from './contents.ts';
import type { Observe, PackContents, SeenFile } from './contents.ts';
import type { ProblemList } from './codes.ts';

const lanes = 4;

/** Reads a pack that lies unpacked in a directory. Links are reported and never followed. */
export async function readDirectory(root: string, observe: Observe, problems: ProblemList): Promise<PackContents> {
  const names: string[] = [];
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(join(root, path), { withFileTypes: true }).catch((error: unknown) => {
      problems.add('unreadable', error instanceof Error ? error.message : String(error), path === '' ? '.' : path);
      return [];
    });
    for (const entry of entries) {
      const name = path === '' ? entry.name : `${path}/${entry.name}`;
      if (entry.isSymbolicLink()) problems.add('symlink', undefined, name);
      else if (entry.isDirectory()) await walk(name);
      else if (entry.isFile()) names.push(name);
      else problems.add('special-file', undefined, name);
    }
  };
  await walk('');
  const files = new Map<string, SeenFile>();
  const read = async (name: string): Promise<void> => {
    const hash = createHash('sha256');
    const sink = observe(name);
    let bytes = 0;
    try {
      await readInPieces(join(root, name), (piece) => {
        hash.update(piece);
        sink?.piece(piece);
        bytes += piece.length;
      });
    } catch (error) {
      problems.add('unreadable', error instanceof Error ? error.message : String(error), name);
      return;
    }
    sink?.end();
    files.set(name, { sha256: hash.digest('hex'), bytes });
  };
  for (const stage of readingOrder(judgeNames(names, problems))) await inParallel(stage, lanes, read);
  return { kind: 'directory', files, notes: [] };
}
