import type { Assessment, ScopeCoverage } from '../model/index.ts';
import { withoutRequest } from './view-causes.ts';
import { PROVIDERS } from './view-control.ts';
import { cell, grouped, plural } from './text.ts';
import type { View } from './view-schema.ts';
import { LEDGER_WORDS, regionText } from './view-shortfalls.ts';

type Gap = View['coverage']['gaps'][number];

/** Places that one line spells out. */
const PLACES = 40;

export function notWhole({ status }: { readonly status: string }): boolean {
  return status !== 'complete';
}

/** What was not seen: scope by scope, then the queries; those that were refused alike are one line. */
export function gapLines(assessment: Assessment): Gap[] {
  return [...assessment.scopes.filter(notWhole).map(scopeGap), ...queryGaps(assessment)];
}

const ACCOUNT_WORD = { aws: 'Account', azure: 'Subscription', gcp: 'Project' } as const;

function scopeGap(scope: ScopeCoverage): Gap {
  return {
    what: scope.region === '*' || scope.region === '' ? ACCOUNT_WORD[scope.provider] : 'Account and region',
    places: [[PROVIDERS[scope.provider], cell(scope.account, 80), regionText(scope.region)].join(' · ')],
    status: LEDGER_WORDS[scope.status],
    reasons: scope.reasons.length === 0 ? ['No reason was recorded.'] : scope.reasons.map((reason) => cell(reason.message, 500)),
    effect:
      scope.status === 'excluded'
        ? 'Left out on purpose: nothing is claimed about it.'
        : 'No control that needs what is missing passes here.',
  };
}

type Query = Assessment['queries'][number];

function queryGaps(assessment: Assessment): Gap[] {
  const groups = new Map<string, Query[]>();
  for (const query of assessment.queries.filter(notWhole)) {
    const key = JSON.stringify([query.operation, query.status, reasonsOf(query, true)]);
    const known = groups.get(key);
    if (known) known.push(query);
    else groups.set(key, [query]);
  }
  return [...groups.values()].map((queries) => {
    const [first] = queries as [Query];
    const kept = queries.reduce((sum, { items }) => sum + items, 0);
    return {
      what: cell(queries.length === 1 ? first.operation : `${first.operation}, ${plural(queries.length, 'query', 'queries')}`, 160),
      places: [
        ...placesOf(queries.slice(0, PLACES)),
        ...(queries.length > PLACES ? [`and ${grouped(queries.length - PLACES)} more, in results/assessment.json (.queries)`] : []),
      ],
      status:
        first.status === 'denied' || first.status === 'failed' || first.status === 'partial'
          ? LEDGER_WORDS[first.status]
          : cell(first.status, 40),
      reasons: reasonsOf(first, queries.length > 1),
      effect:
        kept > 0 ? `${plural(kept, 'record')} kept; what is missing counts as unknown.` : 'What it would have shown counts as unknown.',
    };
  });
}

/** Directories, those below one another's side by side. */
function placesOf(queries: readonly Query[]): string[] {
  const below = new Map<string, string[]>();
  for (const { directory } of queries) {
    const cut = directory.lastIndexOf('/') + 1;
    const names = below.get(directory.slice(0, cut));
    if (names) names.push(directory.slice(cut));
    else below.set(directory.slice(0, cut), [directory.slice(cut)]);
  }
  return [...below].map(([parent, names]) =>
    cell(names.length === 1 ? `${parent}${names[0] ?? ''}` : `${parent}: ${names.join(', ')}`, 2000),
  );
}

/** @param many as the reasons read for several queries, of which each has an id of its own */
function reasonsOf({ reasons }: Query, many: boolean): string[] {
  if (reasons.length === 0) return ['No reason was recorded.'];
  return reasons.map(({ message }) => cell(many ? withoutRequest(message) : message, 500));
}
