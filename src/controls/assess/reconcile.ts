import type { ReconciliationRow, Reason } from '../../model/index.ts';
import type { Population, Unit } from './population.ts';
import { placeName } from './population.ts';

/** How the records of one unit came out under one check. */
export interface Tally {
  pass: number;
  fail: number;
  unknown: number;
  error: number;
  notapplicable: number;
  waived: number;
  /** By reason. */
  readonly excluded: Map<string, number>;
}

export function emptyTally(): Tally {
  return { pass: 0, fail: 0, unknown: 0, error: 0, notapplicable: 0, waived: 0, excluded: new Map() };
}

export function tallied(tally: Tally): number {
  let sum = tally.pass + tally.fail + tally.unknown + tally.error + tally.notapplicable;
  for (const count of tally.excluded.values()) sum += count;
  return sum;
}

/** A row that was not tallied: nothing in it but what is given. Not balanced, unless that is said. */
export function untalliedRow({
  control,
  check,
  scope,
  type,
  ...said
}: Pick<ReconciliationRow, 'control' | 'check' | 'scope' | 'type' | 'reasons'> & Partial<ReconciliationRow>): ReconciliationRow {
  return {
    control,
    check,
    scope,
    type,
    count: null,
    held: 0,
    pass: 0,
    fail: 0,
    unknown: 0,
    error: 0,
    notapplicable: 0,
    waived: 0,
    excluded: {},
    balanced: false,
    ...said,
  };
}

/**
 * The row of one check, scope and type: the provider's own count against the sum of the outcomes. Where they differ, or
 * there is no count, the row is not balanced and says why; the caller must not let the control pass there.
 */
export function reconcile(control: string, check: string, unit: Unit, tally: Tally, population: Population): ReconciliationRow {
  const { entry, scope, type } = unit;
  const excluded = new Map(tally.excluded);
  const base = {
    control,
    check,
    scope,
    type,
    held: entry?.held ?? unit.seen,
    pass: tally.pass,
    fail: tally.fail,
    unknown: tally.unknown,
    error: tally.error,
    notapplicable: tally.notapplicable,
    waived: tally.waived,
  };
  if (unit.coveredBy !== null) {
    const reason: Reason = {
      code: 'recorded-elsewhere',
      message: `${type} belong to the account and are judged as recorded in ${unit.coveredBy}`,
    };
    const left = unit.seen - tallied(tally);
    if (left > 0) excluded.set(`judged in ${unit.coveredBy}`, left);
    return { ...base, count: entry?.count ?? null, excluded: Object.fromEntries(excluded), balanced: true, reasons: [reason] };
  }
  if (unit.excluded) {
    const left = (entry?.count?.count ?? 0) - tallied(tally);
    if (left > 0) excluded.set('left out by configuration', left);
    return { ...base, count: entry?.count ?? null, excluded: Object.fromEntries(excluded), balanced: true, reasons: entry?.reasons ?? [] };
  }
  const reasons = [...population.gaps(unit)];
  const count = entry?.count ?? null;
  const sum = tallied(tally);
  const balanced = count !== null && count.count === sum;
  if (!balanced && reasons.length === 0) {
    reasons.push({
      code: 'unbalanced',
      message: `${sum} ${type} of ${placeName(scope)} were judged or excluded, ${count?.count ?? 'an unknown number'} exist`,
    });
  }
  return { ...base, count, excluded: Object.fromEntries([...excluded].sort(([a], [b]) => (a < b ? -1 : 1))), balanced, reasons };
}
