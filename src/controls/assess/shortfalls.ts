import { compareText, type Control, type LedgerEntry, type Reason, scopeKey, type Shortfall } from '../../model/index.ts';
import { accessTypes } from '../access/access.ts';
import { ledgerType, tablesNeeded } from '../lookups/tables.ts';
import type { CompiledControl } from '../types.ts';
import { tableReads } from './needs.ts';
import { mergeEntries, type Population, unique } from './population.ts';

const keyOf = ({ scope, type }: Pick<Shortfall, 'scope' | 'type'>): string => `${scopeKey(scope)}/${type}`;

/** Ledger types that a control looks records up in. */
function lookedUp({ checks }: CompiledControl): Set<string> {
  const types = new Set(tablesNeeded(tableReads(checks).keys()).flatMap(({ sources }) => sources.map(ledgerType)));
  for (const check of checks) {
    if (check.kind !== 'condition' || !check.usesReaders) continue;
    for (const type of check.on.flatMap((one) => accessTypes(check.provider, one))) types.add(type);
  }
  return types;
}

/**
 * What of the evidence that these controls need is not whole, once it has been read. `judged`: what the checks of each judge.
 * A missing independent count alone is none: it is said where the population is reconciled.
 */
export function shortfallsOf(
  population: Population,
  controls: readonly CompiledControl[],
  judged: readonly { readonly control: Control; readonly types: readonly string[] }[],
): Shortfall[] {
  const needs = new Map<string, { judgedBy: Set<string>; lookedUpBy: Set<string> }>();
  const need = ({ provider, id }: Control, type: string, how: 'judgedBy' | 'lookedUpBy'): void => {
    const key = `${provider}/${type}`;
    const known = needs.get(key) ?? { judgedBy: new Set(), lookedUpBy: new Set() };
    known[how].add(id);
    needs.set(key, known);
  };
  for (const { control, types } of judged) for (const type of types) need(control, type, 'judgedBy');
  for (const one of controls) for (const type of lookedUp(one)) need(one.control, type, 'lookedUpBy');

  const found: Shortfall[] = [];
  for (const [key, { judgedBy, lookedUpBy }] of needs) {
    const at = key.indexOf('/');
    const provider = key.slice(0, at) as Control['provider'];
    for (const unit of population.units(provider, key.slice(at + 1))) {
      if (unit.excluded || unit.coveredBy !== null) continue;
      const reasons = population.gaps(unit, true);
      if (reasons.length === 0) continue;
      found.push({
        scope: unit.scope,
        type: unit.type,
        status: unit.entry === null || unit.entry.status === 'complete' ? null : unit.entry.status,
        reasons,
        judgedBy: [...judgedBy].sort(compareText),
        lookedUpBy: [...lookedUpBy].filter((id) => !judgedBy.has(id)).sort(compareText),
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
