import type { Observation } from '../../model/index.ts';
import type { CheckResult, Conflict } from './judge.ts';
import { checkNames, observationLine } from './observations.ts';
import type { Block, Lines, ResultFiles, Written } from './result-files.ts';

/** What settling needs of a check. `settle` keeps its books when an observation turns out to rest on contradictory records. */
export type Settled = Pick<CheckResult, 'lines' | 'conflicts' | 'settleConflict'>;

/**
 * Ends the observations of some checks, in order. Those of contradictory records become unknown: then all that lies behind `begin`, which
 * is theirs alone, is written again.
 */
export function endObservations(files: Pick<ResultFiles, 'observations'>, begin: number, checks: readonly Settled[]): Written[] {
  const { observations } = files;
  const written = checks.map(({ lines }) => observations.finish(lines));
  if (checks.every(({ conflicts }) => conflicts.size === 0)) return written;
  return observations.rewrite(begin, (settled) =>
    checks.map((check, at) => {
      const lines = settled.open();
      settle(check, (take) => observations.eachLine(written[at]?.blocks ?? [], take), lines);
      const { count, blocks } = settled.finish(lines);
      return { count, blocks: moved(blocks, begin) };
    }),
  );
}

/** The blocks of a file that was put behind `by` bytes of another. */
export function moved(blocks: readonly Block[], by: number): Block[] {
  return blocks.map(([offset, length]) => [offset + by, length]);
}

/** Turns the observations of contradictory records into unknowns; the rest stays byte for byte. */
function settle(check: Settled, each: (take: (line: string) => void) => void, into: Lines): void {
  const open = new Map(check.conflicts);
  each((line) => {
    const id = line.slice(7, 43);
    const conflict = open.get(id);
    if (!conflict) {
      into.write(line);
      return;
    }
    open.delete(id);
    const observation = JSON.parse(line) as Observation;
    check.settleConflict(conflict, observation);
    into.write(
      unknownLine(observation.id, checkNames(observation.control, observation.check).head, conflict, JSON.stringify(observation.citations)),
    );
  });
  for (const [id, conflict] of open) {
    // The version met first was excluded: now that it is in doubt, it is not.
    check.settleConflict(conflict, null);
    into.write(unknownLine(id, conflict.head, conflict, `[${conflict.parts.citationJson}]`));
  }
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
