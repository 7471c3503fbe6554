import {
  type Assessment,
  emptyCounts,
  type Finding,
  type Reason,
  rollUp,
  type Status,
  type StatusCounts,
  statuses,
} from '../../model/index.ts';
import { unique } from './population.ts';

export interface RollUpInput {
  /** Verdicts by status, gaps not included. */
  readonly counts: StatusCounts;
  /** Scope observations that say the evidence is not whole. Each is an unknown. */
  readonly gaps: number;
  readonly excluded: number;
  /** Whether at least one scope was there to be looked at, and each that was is whole. */
  readonly provenEmpty: boolean;
  readonly reasons: readonly Reason[];
}

/**
 * The status of a control. A gap is an unknown and outranks any number of passes. Where there is nothing to judge, only
 * complete evidence makes that "not applicable"; else it is unknown.
 */
export function rollUpControl(input: RollUpInput): { status: Status; reasons: Reason[] } {
  const present = statuses.filter((status) => input.counts[status] > 0);
  const decided = rollUp(input.gaps > 0 ? [...present, 'unknown'] : present);
  const reasons = unique(input.reasons);
  if (decided !== undefined) return { status: decided, reasons };
  if (!input.provenEmpty)
    return {
      status: 'unknown',
      reasons: [...reasons, { code: 'nothing-proved', message: 'no scope was there to be looked at, or its evidence is not whole' }],
    };
  const why: Reason =
    input.excluded > 0
      ? {
          code: 'all-excluded',
          message:
            input.excluded === 1
              ? 'nothing to judge: the only resource was excluded'
              : `nothing to judge: all ${input.excluded} resources were excluded`,
        }
      : { code: 'empty-population', message: 'nothing to judge: the complete evidence shows no such resource' };
  return { status: 'notapplicable', reasons: [...reasons, why] };
}

export function addCounts(into: StatusCounts, from: StatusCounts): void {
  for (const status of statuses) into[status] += from[status];
}

/** pass / (pass + fail), null when nothing was scored. */
export function score(counts: StatusCounts): number | null {
  const scored = counts.pass + counts.fail;
  return scored === 0 ? null : counts.pass / scored;
}

/** Controls by status: overall, by section in the catalogue's order, by level. */
export function summarise(findings: readonly Finding[], sectionOrder: readonly string[]): Assessment['summary'] {
  const counts = emptyCounts();
  const resources = emptyCounts();
  const sections = new Map<string, { section: string; provider: Finding['control']['provider']; counts: StatusCounts }>();
  const levels = new Map<number, StatusCounts>();
  for (const { control, status, counts: own } of findings) {
    counts[status] += 1;
    addCounts(resources, own);
    const key = `${control.provider}\u0000${control.section}`;
    const section = sections.get(key) ?? { section: control.section, provider: control.provider, counts: emptyCounts() };
    section.counts[status] += 1;
    sections.set(key, section);
    const level = levels.get(control.level) ?? emptyCounts();
    level[status] += 1;
    levels.set(control.level, level);
  }
  const rank = (section: string): number => {
    const at = sectionOrder.indexOf(section);
    return at < 0 ? sectionOrder.length : at;
  };
  return {
    counts,
    score: score(counts),
    sections: [...sections.values()].sort((a, b) => rank(a.section) - rank(b.section)).map((one) => ({ ...one, score: score(one.counts) })),
    levels: [...levels].sort(([a], [b]) => a - b).map(([level, own]) => ({ level, counts: own, score: score(own) })),
    resources,
  };
}
