import type { StoredQuery } from '../../evidence/reader.ts';
import { verdictType } from './judge.ts';
import type { CompiledControl } from '../types.ts';

/** What judging a record costs against reading it. */
const judging = 0.6;

/** Ledger types whose records a control judges. */
function typesOf({ control, checks }: CompiledControl): string[] {
  return checks.flatMap((check) =>
    check.kind === 'condition'
      ? check.on
      : check.kind === 'verdict'
        ? [verdictType(control.provider, check.rule), ...(check.about?.types ?? [])]
        : [],
  );
}

/**
 * Cuts a catalogue into at most `count` parts of about the same work, each in the catalogue's order. Whatever the cut, the results are the
 * same; it only aims at reading each page in one part. Controls that ask who can read the stores of one provider stay together.
 */
export function partition(controls: readonly CompiledControl[], queries: readonly StoredQuery[], count: number): CompiledControl[][] {
  const bytes = new Map<string, number>();
  for (const { query } of queries) {
    const size = query.pages.reduce((sum, page) => sum + page.bytes, 0) / Math.max(1, query.types.length);
    for (const type of query.types) bytes.set(type, (bytes.get(type) ?? 0) + size);
  }
  const groups = new Map<string, { controls: CompiledControl[]; types: string[]; own: number }>();
  for (const one of controls) {
    const asks = one.checks.some((check) => check.kind === 'condition' && check.usesReaders);
    const key = asks ? `readers ${one.control.provider}` : one.control.id;
    const group = groups.get(key) ?? { controls: [], types: [], own: 0 };
    const types = typesOf(one);
    group.controls.push(one);
    group.types.push(...types);
    group.own += types.reduce((sum, type) => sum + (bytes.get(type) ?? 0), 0) * judging * (asks ? 2 : 1);
    groups.set(key, group);
  }
  const weigh = ({ types, own }: { types: readonly string[]; own: number }): number =>
    own + [...new Set(types)].reduce((sum, type) => sum + (bytes.get(type) ?? 0), 0);
  const heaviest = [...groups].sort(([a, one], [b, other]) => weigh(other) - weigh(one) || (a < b ? -1 : 1));
  const parts = Array.from({ length: Math.max(1, count) }, () => ({
    controls: new Set<CompiledControl>(),
    types: new Set<string>(),
    cost: 0,
  }));
  for (const [, group] of heaviest) {
    const costs = parts.map(
      (part) =>
        part.cost +
        group.own +
        [...new Set(group.types)].reduce((sum, type) => sum + (part.types.has(type) ? 0 : (bytes.get(type) ?? 0)), 0),
    );
    const least = costs.indexOf(Math.min(...costs));
    const part = parts[least];
    if (!part) continue;
    part.cost = costs[least] ?? 0;
    for (const one of group.controls) part.controls.add(one);
    for (const type of group.types) part.types.add(type);
  }
  return parts.map((part) => controls.filter((one) => part.controls.has(one))).filter((part) => part.length > 0);
}
