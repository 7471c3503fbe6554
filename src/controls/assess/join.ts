import { closeSync, fsyncSync, openSync } from 'node:fs';
import type { Observation } from '../../model/index.ts';
import type { CheckResult, Conflict } from './judge.ts';
import { checkNames, observationLine, type Shard, writeAll } from './observations.ts';

/** What joining needs of a check. `settle` keeps its books when an observation turns out to rest on contradictory records. */
type Joinable = Pick<CheckResult, 'shard' | 'conflicts'> & Partial<Pick<CheckResult, 'settleConflict'>>;

/** Writes the shards of each group one after the other into one file; returns each group's byte range and lines. */
export function joinShards(path: string, groups: readonly (readonly Joinable[])[]): { offset: number; length: number; count: number }[] {
  const descriptor = openSync(path, 'w');
  const ranges: { offset: number; length: number; count: number }[] = [];
  let offset = 0;
  try {
    for (const group of groups) {
      const start = offset;
      let count = 0;
      const take = (block: Uint8Array): void => {
        writeAll(descriptor, block);
        offset += block.length;
      };
      for (const one of group) {
        if (one.conflicts.size === 0) {
          one.shard.drain(take);
          count += one.shard.lines;
        } else {
          count += rewrite(one, take);
        }
      }
      ranges.push({ offset: start, length: offset - start, count });
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  return ranges;
}

/** Turns the observations of contradictory records into unknowns; the rest stays byte for byte. */
function rewrite(one: Joinable, take: (block: Uint8Array) => void): number {
  const open = new Map(one.conflicts);
  let lines = 0;
  const put = (line: string): void => {
    lines += 1;
    take(Buffer.from(`${line}\n`, 'utf8'));
  };
  eachLine(one.shard, (line) => {
    const id = line.slice(7, 43);
    const conflict = open.get(id);
    if (!conflict) {
      put(line);
      return;
    }
    open.delete(id);
    const observation = JSON.parse(line) as Observation;
    one.settleConflict?.(conflict, observation);
    put(
      unknownLine(observation.id, checkNames(observation.control, observation.check).head, conflict, JSON.stringify(observation.citations)),
    );
  });
  for (const [id, conflict] of open) {
    // The version met first was excluded: now that it is in doubt, it is not.
    one.settleConflict?.(conflict, null);
    put(unknownLine(id, conflict.head, conflict, `[${conflict.parts.citationJson}]`));
  }
  return lines;
}

function unknownLine(id: string, head: string, conflict: Conflict, citationsJson: string): string {
  return observationLine({
    id,
    head,
    subjectJson: conflict.parts.subjectJson,
    status: 'unknown',
    reason: conflict.reason,
    leaves: [],
    citationsJson,
    method: 'TEST',
  });
}

function eachLine(shard: Shard, take: (line: string) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  shard.drain((block) => {
    const all = Buffer.concat([rest, block]);
    let start = 0;
    for (let end = all.indexOf(10, start); end >= 0; end = all.indexOf(10, start)) {
      take(all.toString('utf8', start, end));
      start = end + 1;
    }
    rest = Buffer.from(all.subarray(start));
  });
}
