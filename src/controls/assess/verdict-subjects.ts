import type { IndependentCount, Reason, ReconciliationRow, Scope } from '../../model/index.ts';
import { placeName, type Population, type Unit } from './population.ts';
import { untalliedRow } from './reconcile.ts';

/** What the books of single results owe to the resources whose parts they are about. */
export interface ResultBooks {
  /** Results of a unit that are not observed one by one, by the reason. */
  apart(unit: Unit): ReadonlyMap<string, number>;
  /** Where results are lacking: the row that shows that none is owed, or what keeps that from being shown. */
  owed(unit: Unit): { readonly row: ReconciliationRow | null; readonly gaps: readonly Reason[] };
}

/** The unit of a type in a scope; null where neither the ledger nor the evidence knows one. Makes none: other checks would owe it. */
export function unitIn(population: Population, { provider, account, region }: Scope, type: string): Unit | null {
  return population.units(provider, type).find(({ scope }) => scope.account === account && scope.region === region) ?? null;
}

/** Whether whole evidence, counted by the provider, shows that the scope holds no resource of the type. */
export function provenNone(population: Population, unit: Unit): boolean {
  return unit.entry !== null && unit.entry.count?.count === 0 && unit.seen === 0 && population.gaps(unit).length === 0;
}

/** Whether the ledger or the pages hold a result of the rule in that scope. */
export function hasVerdicts({ entry, seen }: Unit): boolean {
  return seen > 0 || (entry !== null && (entry.held > 0 || (entry.count?.count ?? 0) > 0));
}

/**
 * Whether there is nothing in a scope that a rule could judge: no result, and whole evidence that none of the types it speaks
 * about is there. Only a count by the provider shows it; otherwise `gaps` says what keeps it from being shown.
 */
export function nothingThere(
  population: Population,
  verdicts: Unit,
  types: readonly string[],
): { readonly count: IndependentCount | null; readonly gaps: readonly Reason[] } {
  const units: Unit[] = [];
  const gaps: Reason[] = [];
  for (const type of types) {
    const unit = unitIn(population, verdicts.scope, type);
    if (unit === null)
      gaps.push({ code: 'ledger-missing', message: `the ledger has no entry for ${type} in ${placeName(verdicts.scope)}` });
    else if (unit.coveredBy === null && !unit.excluded) {
      units.push(unit);
      gaps.push(...population.gaps(unit));
    }
  }
  const [first] = units;
  const count = first?.entry?.count ?? null;
  const none = gaps.length === 0 && !hasVerdicts(verdicts) && units.every((unit) => provenNone(population, unit));
  return { count: none ? count : null, gaps };
}

/** The row of a scope in which there is nothing that the rule could judge. */
export function emptyRow(
  control: string,
  check: string,
  unit: Unit,
  count: IndependentCount,
  parents: readonly string[],
): ReconciliationRow {
  const { scope, type } = unit;
  const reasons: Reason[] = [
    {
      code: 'nothing-to-judge',
      message: `${placeName(scope)} holds no ${parents.join(' and no ')}: there is nothing that the rule could judge`,
    },
  ];
  return untalliedRow({ control, check, scope, type, count, balanced: true, reasons });
}
