import type { Assessment, ReconciliationRow } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { sharedCauses } from './view-causes.ts';
import { anchorOf, PROVIDERS } from './view-control.ts';
import { cell, grouped, plural } from './text.ts';
import type { ReconciliationLine, View } from './view-schema.ts';
import { gapLines, notWhole } from './view-gaps.ts';
import { LEDGER_WORDS, regionText, shortfallsView } from './view-shortfalls.ts';

/** Rows of a listing that the document prints; beyond, it says how many there are and where they all are. */
export const LISTED = 1500;

type Coverage = View['coverage'];
type Reconciliation = View['reconciliation'];

export function coverageView(assessment: Assessment): Coverage {
  const scopes = assessment.scopes;
  const gaps = gapLines(assessment);
  const count = scopes.filter(notWhole).length + assessment.queries.filter(notWhole).length;
  const shortfalls = shortfallsView(assessment);
  return {
    scopes: scopes.slice(0, LISTED).map((scope) => ({
      provider: PROVIDERS[scope.provider],
      account: cell(scope.account, 80),
      region: scope.region === '*' ? '' : regionText(scope.region),
      name: scope.name === null ? '' : cell(scope.name, 80),
      collector: visible(scope.collector),
      knownFrom: scope.knownFrom.map((from) => cell(from, 120)).join(', '),
      identity: scope.identity === null ? 'none: never reached' : cell(scope.identity, 200),
      status: LEDGER_WORDS[scope.status],
      whole: scope.status === 'complete',
      reasons: scope.reasons.map((reason) => cell(reason.message, 400)),
    })),
    moreScopes: scopes.length > LISTED ? more(scopes.length - LISTED, 'scope', 'results/assessment.json (.scopes)') : null,
    gaps: gaps.slice(0, LISTED),
    moreGaps: gaps.length > LISTED ? more(gaps.length - LISTED, 'gap', 'results/assessment.json (.scopes, .queries)') : null,
    noGaps: gaps.length === 0,
    gapsTitle:
      gaps.length > 0
        ? `What was not seen, and why (${grouped(count)})`
        : shortfalls.none
          ? 'Nothing that was asked for is missing'
          : 'Every scope and query was answered in full',
    shortfalls,
  };
}

function more(count: number, noun: string, where: string): string {
  return `${plural(count, `more ${noun}`)} not printed here: all are in ${where}.`;
}

export function sumOf(row: ReconciliationRow): number {
  const excluded = Object.values(row.excluded).reduce((sum, count) => sum + count, 0);
  return row.pass + row.fail + row.unknown + row.error + row.notapplicable + excluded;
}

function lineOf(row: ReconciliationRow, place: string, sourceShown = true): ReconciliationLine {
  const excluded = Object.entries(row.excluded).sort(([a], [b]) => (a < b ? -1 : 1));
  const exclusions = excluded
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${grouped(count)} ${cell(reason, 80)}`)
    .join(', ');
  const sum = sumOf(row);
  const difference = row.count === null ? null : row.count.count - sum;
  const verdict = row.balanced
    ? 'balances'
    : difference === null
      ? 'no independent count'
      : difference === 0
        ? 'cannot be proved'
        : difference > 0
          ? `${grouped(difference)} not seen`
          : `${grouped(-difference)} too many`;
  return {
    place,
    type: cell(row.type, 120),
    check: cell(row.check, 80),
    count: row.count === null ? 'none' : grouped(row.count.count),
    source: sourceOf(row),
    detail: [...(sourceShown && row.count !== null ? [sourceOf(row)] : []), ...(exclusions === '' ? [] : [`excluded: ${exclusions}`])].join(
      ' · ',
    ),
    total: false,
    held: grouped(row.held),
    pass: grouped(row.pass),
    fail: grouped(row.fail),
    waived: row.waived > 0 ? grouped(row.waived) : null,
    unknown: grouped(row.unknown),
    error: grouped(row.error),
    notApplicable: grouped(row.notapplicable),
    excluded: grouped(excluded.reduce((total, [, count]) => total + count, 0)),
    sum: grouped(sum),
    balanced: row.balanced,
    verdict,
    notes: [
      ...row.reasons.map((reason) => cell(reason.message, 500)),
      ...(row.balanced || row.reasons.length > 0
        ? []
        : ['It does not balance, and no reason was recorded: treat the difference as not seen.']),
    ],
  };
}

function sourceOf(row: ReconciliationRow): string {
  return row.count === null ? 'no independent count could be had' : cell(row.count.source, 200);
}

/** All scopes of a control together; it balances only when each of them does. */
function totalOf(rows: readonly ReconciliationRow[]): ReconciliationLine {
  const add = (of: (row: ReconciliationRow) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  const balanced = rows.every((row) => row.balanced);
  const off = rows.filter((row) => !row.balanced).length;
  const waived = add((row) => row.waived);
  return {
    place: `All ${grouped(rows.length)}`,
    type: '',
    check: '',
    source: '',
    detail: '',
    total: true,
    count: rows.some((row) => row.count === null) ? 'not known' : grouped(add((row) => row.count?.count ?? 0)),
    held: grouped(add((row) => row.held)),
    pass: grouped(add((row) => row.pass)),
    fail: grouped(add((row) => row.fail)),
    waived: waived > 0 ? grouped(waived) : null,
    unknown: grouped(add((row) => row.unknown)),
    error: grouped(add((row) => row.error)),
    notApplicable: grouped(add((row) => row.notapplicable)),
    excluded: grouped(add((row) => Object.values(row.excluded).reduce((sum, count) => sum + count, 0))),
    sum: grouped(add(sumOf)),
    balanced,
    verdict: balanced ? 'balances' : `${grouped(off)} ${off === 1 ? 'does' : 'do'} not`,
    notes: [],
  };
}

export function placeOfScope(row: { scope: ReconciliationRow['scope'] }): string {
  return `${PROVIDERS[row.scope.provider]} · ${accountOfScope(row)}`;
}

function accountOfScope(row: { scope: ReconciliationRow['scope'] }): string {
  return [cell(row.scope.account, 80), regionText(row.scope.region)].join(' · ');
}

function byControlOf(rows: readonly ReconciliationRow[]): Map<string, ReconciliationRow[]> {
  const byControl = new Map<string, ReconciliationRow[]>();
  for (const row of rows) {
    const list = byControl.get(row.control) ?? [];
    list.push(row);
    byControl.set(row.control, list);
  }
  return byControl;
}

/** Scopes without a resource of the type, by the provider's count and by what is held; of several types, how many scopes each. */
function emptyText(rows: readonly ReconciliationRow[], several: boolean): string {
  const nothing = 'with a count of 0 and nothing held, balanced';
  if (several) {
    const types = new Map<string, number>();
    for (const { type } of rows) types.set(type, (types.get(type) ?? 0) + 1);
    const each = [...types].map(([type, count]) => `${cell(type, 80)} in ${plural(count, 'scope')}`);
    return `${plural(rows.length, 'population')} ${nothing}: ${each.join(', ')}; each is a line of results/reconciliation.csv`;
  }
  const places = rows.map((row) =>
    [cell(row.scope.account, 80), ...(row.scope.region === '*' ? [] : [cell(row.scope.region, 60)])].join(' '),
  );
  return `${plural(rows.length, 'scope')} ${nothing}: ${places.join(', ')}`;
}

/** The population of every control and scope, unbalanced first; all lines of the rest as long as they fit. */
export function reconciliationView(assessment: Assessment): Reconciliation {
  const rows = assessment.reconciliation;
  const unbalanced = rows.filter((row) => !row.balanced);
  const listed = unbalanced.slice(0, LISTED);
  const causes = sharedCauses(listed.map(({ reasons }) => reasons.map(({ message }) => message)));
  const listAll = rows.length <= LISTED;
  const exclusions = new Map<string, number>();
  for (const row of rows)
    for (const [reason, count] of Object.entries(row.excluded)) exclusions.set(reason, (exclusions.get(reason) ?? 0) + count);
  const titles = new Map(assessment.findings.map((finding) => [finding.control.id, finding.control.title]));
  return {
    continued: false,
    figures: [
      { value: grouped(rows.length), label: 'Populations', tone: 'plain' },
      { value: grouped(rows.length - unbalanced.length), label: 'Balance', tone: rows.length > unbalanced.length ? 'pass' : 'muted' },
      { value: grouped(unbalanced.length), label: 'Do not balance', tone: unbalanced.length > 0 ? 'fail' : 'muted' },
      {
        value: grouped(rows.filter((row) => row.count === null).length),
        label: 'No independent count',
        tone: rows.some((row) => row.count === null) ? 'unknown' : 'muted',
      },
    ],
    allBalanced: unbalanced.length === 0 && rows.length > 0,
    verdict:
      rows.length === 0
        ? 'No population was reconciled. Nothing in this report shows that everything was seen.'
        : unbalanced.length === 0
          ? 'Every population balances: for every control and scope, what the provider says exists is what was judged or excluded for a stated reason.'
          : `${plural(unbalanced.length, 'population')} of ${grouped(rows.length)} ${unbalanced.length === 1 ? 'does' : 'do'} not balance. The controls concerned cannot pass there.`,
    causes: causes.causes,
    unbalanced: [...byControlOf(listed)].map(([control, list]) => ({
      control: visible(control),
      anchor: anchorOf('control', control),
      title: cell(titles.get(control) ?? control, 240),
      lines: list.map((row) => {
        const line = lineOf(row, `${placeOfScope(row)} · ${cell(row.type, 120)}`);
        return row.reasons.length === 0 ? line : { ...line, notes: causes.of(listed.indexOf(row)) };
      }),
    })),
    moreUnbalanced: unbalanced.length > LISTED ? more(unbalanced.length - LISTED, 'population', 'results/reconciliation.csv') : null,
    controls: [...byControlOf(rows)].map(([control, list]) => {
      const several = new Set(list.map((row) => row.type)).size > 1;
      const sources = new Set(list.map(sourceOf));
      const oneSource = sources.size === 1 && list.every((row) => row.count !== null) ? ([...sources][0] ?? null) : null;
      // A scope that holds nothing, counted and balanced, is named with the others of its kind.
      const nothing = list.length > 1 ? list.filter((row) => row.balanced && row.count?.count === 0 && row.held === 0) : [];
      const lines = list.filter((row) => !nothing.includes(row));
      return {
        control: visible(control),
        anchor: anchorOf('control', control),
        title: cell(titles.get(control) ?? control, 240),
        balanced: list.every((row) => row.balanced),
        empty: listAll && nothing.length > 0 ? emptyText(nothing, several) : null,
        source: oneSource ?? '',
        lines: listAll
          ? lines.map((row) => {
              const line = lineOf(
                row,
                several ? `${accountOfScope(row)} · ${cell(row.type, 80)}` : accountOfScope(row),
                oneSource === null,
              );
              // Why it does not balance stands with it above.
              return row.balanced ? line : { ...line, notes: [] };
            })
          : [],
        total: listAll && list.length > 1 ? totalOf(list) : null,
        summarised: listAll
          ? null
          : `${plural(list.length, 'population')}, ${grouped(list.filter((row) => row.balanced).length)} balanced; every line is in results/reconciliation.csv.`,
      };
    }),
    exclusions: [...exclusions]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([reason, count]) => ({ reason: cell(reason, 200), count: grouped(count) })),
    noExclusions: exclusions.size === 0,
  };
}
