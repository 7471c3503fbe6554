import {
  compareText,
  type Control,
  type LedgerEntry,
  type Reason,
  type ReconciliationRow,
  scopeKey,
  type Shortfall,
} from '../../model/index.ts';
import type { CompiledControl } from '../types.ts';
import { lookedUpTypes } from './needs.ts';
import { mergeEntries, type Population, unique } from './population.ts';

const keyOf = ({ scope, type }: Pick<Shortfall, 'scope' | 'type'>): string => `${scopeKey(scope)}/${type}`;

/** Whether a count that the provider gives did not come: it is missing, also where other evidence made up for it. */
export function countIsMissing(entry: Pick<LedgerEntry, 'status' | 'reasons'> | null): boolean {
  return entry !== null && entry.status !== 'excluded' && entry.reasons.some(({ code }) => code === 'count-missing');
}

/** What the populations of a control lack, by scope. */
function lackingOf(rows: readonly ReconciliationRow[]): Set<string> {
  return new Set(rows.flatMap(({ scope, reasons }) => reasons.map((reason) => lack(scope, reason))));
}

const lack = (scope: Shortfall['scope'], { code, message }: Reason): string => `${scopeKey(scope)}\n${code}\n${message}`;

/**
 * What of the evidence that these controls need is not whole, once it has been read. `judged`: what the checks of each judge, and the rows
 * that came of it: results of a rule that are not there for want of resources are lacking to nobody.
 * A count that no provider gives is none: it is said where the population is reconciled.
 */
export function shortfallsOf(
  population: Population,
  controls: readonly CompiledControl[],
  judged: readonly { readonly control: Control; readonly types: readonly string[]; readonly rows: readonly ReconciliationRow[] }[],
): Shortfall[] {
  const needs = new Map<string, { provider: Control['provider']; type: string; judgedBy: Set<string>; lookedUpBy: Set<string> }>();
  const need = ({ provider, id }: Control, type: string, how: 'judgedBy' | 'lookedUpBy'): void => {
    const key = `${provider}/${type}`;
    const known = needs.get(key) ?? { provider, type, judgedBy: new Set(), lookedUpBy: new Set() };
    known[how].add(id);
    needs.set(key, known);
  };
  for (const { control, types } of judged) for (const type of types) need(control, type, 'judgedBy');
  for (const one of controls) for (const type of lookedUpTypes(one.checks)) need(one.control, type, 'lookedUpBy');
  const lacking = new Map<string, Set<string>>();
  const lackingTo = (id: string): Set<string> => {
    let known = lacking.get(id);
    if (known === undefined) lacking.set(id, (known = lackingOf(judged.flatMap(({ control, rows }) => (control.id === id ? rows : [])))));
    return known;
  };

  const found: Shortfall[] = [];
  for (const { provider, type, judgedBy, lookedUpBy } of needs.values()) {
    for (const unit of population.units(provider, type)) {
      if (unit.excluded || unit.coveredBy !== null) continue;
      const uncounted = countIsMissing(unit.entry);
      const reasons = unique([...population.gaps(unit, true), ...(uncounted ? (unit.entry?.reasons ?? []) : [])]);
      if (reasons.length === 0) continue;
      const judging = [...judgedBy].filter((id) => uncounted || reasons.some((reason) => lackingTo(id).has(lack(unit.scope, reason))));
      if (judging.length === 0 && lookedUpBy.size === 0) continue;
      found.push({
        scope: unit.scope,
        type: unit.type,
        status: unit.entry === null || unit.entry.status === 'complete' ? null : unit.entry.status,
        reasons,
        judgedBy: judging.sort(compareText),
        lookedUpBy: [...lookedUpBy].filter((id) => !judging.includes(id)).sort(compareText),
      });
    }
  }
  return found;
}

/** The shortfalls of all parts, and what the ledger calls not whole besides, which no judged control needs. Sorted by scope and type. */
export function mergeShortfalls(entries: readonly LedgerEntry[], parts: readonly (readonly Shortfall[])[]): Shortfall[] {
  const merged = new Map<string, Shortfall>();
  for (const one of parts.flat()) {
    const known = merged.get(keyOf(one));
    const join = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])].sort(compareText);
    merged.set(
      keyOf(one),
      known === undefined
        ? one
        : {
            ...known,
            reasons: unique([...known.reasons, ...one.reasons]),
            judgedBy: join(known.judgedBy, one.judgedBy),
            lookedUpBy: join(known.lookedUpBy, one.lookedUpBy),
          },
    );
  }
  const lacking = new Map<string, LedgerEntry[]>();
  for (const entry of entries) {
    if (entry.status === 'complete' || entry.status === 'excluded') continue;
    const key = `${scopeKey(entry)}/${entry.type}`;
    lacking.set(key, [...(lacking.get(key) ?? []), entry]);
  }
  for (const [key, own] of lacking) {
    const entry = mergeEntries(own);
    if (entry === null || merged.has(key)) continue;
    const { provider, account, region, type, status } = entry;
    const reasons: Reason[] = unique(entry.reasons);
    merged.set(key, { scope: { provider, account, region }, type, status, reasons, judgedBy: [], lookedUpBy: [] });
  }
  return [...merged].sort(([a], [b]) => compareText(a, b)).map(([, one]) => one);
}
