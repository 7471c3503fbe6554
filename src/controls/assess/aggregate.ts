import type { Reason } from '../../model/index.ts';
import type { Unit } from './population.ts';
import { citationJson, type JudgedSubject } from './subject.ts';
import type { Aggregate, CheckOutcome } from '../types.ts';

/** Records shown as the evidence of a group; the counts cover all of them. */
const shown = 20;

interface UnitCounts {
  met: number;
  missed: number;
  unknown: number;
  error: number;
  notapplicable: number;
}

/** The records of one account or scope under an aggregate check. */
export interface Group {
  met: number;
  missed: number;
  unknown: number;
  error: number;
  /** First sentence that made some record undecidable. */
  doubt: string | null;
  readonly units: Map<Unit, UnitCounts>;
  /** Citations as JSON, of records that meet the condition first; at most `shown`. */
  samples: string[];
  leaves: CheckOutcome['leaves'][number][];
  readonly sampledMet: { count: number };
}

export interface Aggregator {
  add(key: string, unit: Unit, outcome: CheckOutcome, subject: JudgedSubject): void;
  doubt(key: string, reason: string): void;
  take(key: string): Group;
}

function emptyGroup(): Group {
  return { met: 0, missed: 0, unknown: 0, error: 0, doubt: null, units: new Map(), samples: [], leaves: [], sampledMet: { count: 0 } };
}

/** Counts per group in constant memory. */
export function aggregator(aggregate: Aggregate): Aggregator {
  const groups = new Map<string, Group>();
  const groupOf = (key: string): Group => {
    let group = groups.get(key);
    if (!group) groups.set(key, (group = emptyGroup()));
    return group;
  };

  /** Keeps the records that speak for the verdict: those that count, then the first others. */
  function sample(group: Group, outcome: CheckOutcome, subject: JudgedSubject, met: boolean): void {
    // Where too many break the limit the counted ones are the evidence; where too few meet it, both kinds are.
    const full = group.samples.length >= shown;
    if (full && (!met || group.sampledMet.count >= shown || aggregate.atLeast === undefined)) return;
    if (full) group.samples.pop();
    const at = met ? group.sampledMet.count : group.samples.length;
    group.samples.splice(at, 0, subject.citationJson);
    if (met) group.sampledMet.count += 1;
    if (group.leaves.length < shown)
      for (const leaf of outcome.leaves.slice(0, shown - group.leaves.length)) group.leaves.push(withoutSource(leaf));
    for (const joined of outcome.joined)
      if (group.samples.length < shown) group.samples.push(citationJson(joined.citation, joined.role, joined.uid));
  }

  return {
    add(key, unit, outcome, subject) {
      const group = groupOf(key);
      let counts = group.units.get(unit);
      if (!counts) group.units.set(unit, (counts = { met: 0, missed: 0, unknown: 0, error: 0, notapplicable: 0 }));
      if (outcome.status === 'notapplicable') {
        counts.notapplicable += 1;
        return;
      }
      if (outcome.status === 'unknown' || outcome.status === 'error') {
        counts[outcome.status] += 1;
        group[outcome.status] += 1;
        group.doubt ??= `${subject.resource.uid}: ${outcome.reason}`;
      } else {
        const met = outcome.status === 'pass';
        counts[met ? 'met' : 'missed'] += 1;
        group[met ? 'met' : 'missed'] += 1;
      }
      sample(group, outcome, subject, outcome.status === 'pass');
    },
    doubt(key, reason) {
      groupOf(key).doubt ??= reason;
    },
    take: groupOf,
  };
}

/** A group cites a mixture of records, so a leaf's own index means nothing there. */
function withoutSource(leaf: CheckOutcome['leaves'][number]): CheckOutcome['leaves'][number] {
  const { source: _, ...rest } = leaf;
  return rest;
}

type Truth = 'true' | 'false' | 'unknown';

/**
 * Decides a group. With evidence that is not whole there may be more records than were met, so "at least" may still
 * hold by what was seen, and "at most" may be broken by it; nothing else can be said.
 */
export function decideGroup(
  aggregate: Aggregate,
  group: Pick<Group, 'met' | 'missed' | 'unknown' | 'error' | 'doubt'>,
  gaps: readonly Reason[],
  title: string,
): { status: 'pass' | 'fail' | 'unknown' | 'error' | 'notapplicable'; reason: string } {
  const undecided = group.unknown + group.error > 0 || group.doubt !== null || gaps.length > 0;
  const seen = group.met + group.missed + group.unknown + group.error;
  const because = gaps[0]?.message ?? group.doubt ?? '';
  if (seen === 0) {
    if (undecided) return { status: 'unknown', reason: `${title}: none was seen, but the evidence is not whole: ${because}` };
    return { status: aggregate.emptyScope, reason: `${title}: the complete evidence shows none.` };
  }
  const enough: Truth = aggregate.atLeast === undefined || group.met >= aggregate.atLeast ? 'true' : undecided ? 'unknown' : 'false';
  const few: Truth = aggregate.atMost === undefined ? 'true' : group.met > aggregate.atMost ? 'false' : undecided ? 'unknown' : 'true';
  const wanted = [
    aggregate.atLeast === undefined ? null : `at least ${aggregate.atLeast}`,
    aggregate.atMost === undefined ? null : `at most ${aggregate.atMost}`,
  ]
    .filter((one) => one !== null)
    .join(' and ');
  const met = `${title}: ${group.met} of ${seen} ${group.met === 1 ? 'meets' : 'meet'} the condition, ${wanted} ${wanted.endsWith(' 1') ? 'is' : 'are'} required`;
  if (enough === 'false' || few === 'false') return { status: 'fail', reason: `${met}.` };
  if (enough === 'unknown' || few === 'unknown')
    return {
      status: group.error > 0 && gaps.length === 0 && group.unknown === 0 ? 'error' : 'unknown',
      reason: `${met}, and the evidence is not whole: ${because}`,
    };
  return { status: 'pass', reason: `${met}.` };
}
