import type { Assessment, LedgerStatus, Shortfall } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { sharedCauses } from './view-causes.ts';
import { PROVIDERS } from './view-control.ts';
import { cell, grouped, plural } from './text.ts';
import type { View } from './view-schema.ts';

export const LEDGER_WORDS: Readonly<Record<LedgerStatus, string>> = {
  complete: 'Complete',
  partial: 'Partial',
  failed: 'Failed',
  denied: 'Access denied',
  'not-recorded': 'Not recorded',
  stale: 'Stale',
  excluded: 'Excluded',
};

/** Lines of a table that the document prints; beyond, it says how many there are and where they all are. */
const lines = 400;
/** Places, causes and controls that one line spells out. */
const each = { places: 12, reasons: 4, controls: 12 } as const;

type Line = View['coverage']['shortfalls']['lines'][number];

export function regionText(region: string): string {
  return region === '*' ? 'all locations' : cell(region, 60);
}

/** The first of a list as text, and how many more there are. */
function some(list: readonly string[], limit: number): string[] {
  return list.length <= limit
    ? [...list]
    : [...list.slice(0, limit), `and ${grouped(list.length - limit)} more, in results/assessment.json (.shortfalls)`];
}

/** What lacks alike in several places is one line. */
function alike({ scope, type, status, reasons, judgedBy, lookedUpBy }: Shortfall): string {
  return JSON.stringify([scope.provider, type, status, [...new Set(reasons.map(({ code }) => code))].sort(), judgedBy, lookedUpBy]);
}

/** What a missing type does to the controls that need it. */
function effectsOf({ judgedBy, lookedUpBy }: Shortfall): string[] {
  const named = (list: readonly string[]): string => some(list.map(visible), each.controls).join(', ');
  if (judgedBy.length + lookedUpBy.length === 0) return ['No control of this report needs it there.'];
  return [
    ...(judgedBy.length > 0 ? [`Judged by ${named(judgedBy)}: cannot pass there.`] : []),
    ...(lookedUpBy.length > 0 ? [`Looked up by ${named(lookedUpBy)}: what is not found there counts as unknown, never as absent.`] : []),
  ];
}

/** Evidence that is not whole, type by type: what a person reads to learn what was not seen. */
export function shortfallsView(assessment: Assessment): View['coverage']['shortfalls'] {
  const all = assessment.shortfalls ?? [];
  const groups = new Map<string, Shortfall[]>();
  for (const one of all) {
    const key = alike(one);
    const known = groups.get(key);
    if (known) known.push(one);
    else groups.set(key, [one]);
  }
  // What controls need comes before what none needs.
  const needed = ([first]: readonly Shortfall[]): boolean =>
    first !== undefined && (first.judgedBy.length > 0 || first.lookedUpBy.length > 0);
  const sorted = [...groups.values()].sort((a, b) => Number(needed(b)) - Number(needed(a)));
  const printed = sorted.slice(0, lines);
  const causes = sharedCauses(printed.map((group) => group.flatMap(({ reasons }) => reasons.map(({ message }) => message))));
  return {
    title: `Types whose evidence is not whole (${grouped(all.length)})`,
    none: all.length === 0,
    causes: causes.causes,
    lines: printed.map((group, index) => lineOf(group, causes.of(index))),
    more:
      sorted.length > lines
        ? `${plural(sorted.length - lines, 'more line')} not printed here: all are in results/assessment.json (.shortfalls).`
        : null,
  };
}

function typeText({ type, scope }: Shortfall): string {
  const rule = /^verdict:(.+)$/.exec(type)?.[1];
  if (rule === undefined) return cell(type, 160);
  return cell(`Verdicts of ${scope.provider === 'azure' ? 'policy' : 'rule'} ${rule}`, 160);
}

function lineOf(group: readonly Shortfall[], reasons: readonly string[]): Line {
  const [first] = group as readonly [Shortfall];
  return {
    type: typeText(first),
    provider: PROVIDERS[first.scope.provider],
    places: some(
      group.map(({ scope }) => `${cell(scope.account, 80)} ${regionText(scope.region)}`),
      each.places,
    ),
    status: first.status === null ? 'Found on judging' : LEDGER_WORDS[first.status],
    reasons: some(reasons, each.reasons),
    needed: first.judgedBy.length + first.lookedUpBy.length > 0,
    effects: effectsOf(first),
  };
}
