import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '../../model/index.ts';
import { writeAll } from './observations.ts';
import type { PartResult } from './part.ts';

type Range = Finding['observations'];

/**
 * Puts the files of the parts together in `work`: observations in the order of `ranges` (one for each control of the catalogue), lines of
 * access in the order of the queries. Returns where each range lies now.
 */
export function mergeFiles(
  work: string,
  parts: readonly PartResult[],
  ranges: readonly (Range & { readonly part: PartResult })[],
): Range[] {
  const [only] = parts;
  if (only && parts.length === 1) {
    for (const name of ['observations.ndjson', 'access.ndjson']) renameSync(join(only.work, name), join(work, name));
    rmSync(only.work, { recursive: true });
    return ranges.map(({ offset, length, count }) => ({ offset, length, count }));
  }
  let at = 0;
  const moved = ranges.map(({ length, count }) => {
    const range = { offset: at, length, count };
    at += length;
    return range;
  });
  splice(join(work, 'observations.ndjson'), 'observations.ndjson', ranges);
  const runs = parts.flatMap((part) => {
    let offset = 0;
    return part.accessRuns.map(({ directory, length }) => {
      const run = { part, directory, offset, length };
      offset += length;
      return run;
    });
  });
  runs.sort((a, b) => (a.directory < b.directory ? -1 : a.directory > b.directory ? 1 : 0));
  splice(join(work, 'access.ndjson'), 'access.ndjson', runs);
  for (const part of parts) rmSync(part.work, { recursive: true });
  return moved;
}

/** Writes pieces of the parts' files one after the other. */
function splice(
  path: string,
  name: string,
  pieces: readonly { readonly part: PartResult; readonly offset: number; readonly length: number }[],
): void {
  const target = openSync(path, 'w');
  const sources = new Map<PartResult, number>();
  const block = Buffer.allocUnsafeSlow(1 << 20);
  try {
    for (const { part, offset, length } of pieces) {
      let source = sources.get(part);
      if (source === undefined) sources.set(part, (source = openSync(join(part.work, name), 'r')));
      for (let done = 0; done < length;) {
        const read = readSync(source, block, 0, Math.min(block.length, length - done), offset + done);
        if (read === 0) throw new Error(`${join(part.work, name)} ends before its time`);
        writeAll(target, block.subarray(0, read));
        done += read;
      }
    }
    fsyncSync(target);
  } finally {
    for (const source of sources.values()) closeSync(source);
    closeSync(target);
  }
}
