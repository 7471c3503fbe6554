import type { StoredQuery } from '../../evidence/reader.ts';
import { type Provider, providers } from '../../model/index.ts';
import type { CompiledControl } from '../types.ts';

/** The controls of one cloud: no record of it is looked at by the controls of another. */
export interface Part {
  readonly provider: Provider;
  readonly controls: readonly CompiledControl[];
  /** Bytes of its evidence. */
  readonly bytes: number;
}

/** Cuts a catalogue by cloud. Results are written part after part, whoever judges them. */
export function partsOf(controls: readonly CompiledControl[], queries: readonly StoredQuery[]): Part[] {
  return providers.flatMap((provider): Part[] => {
    const own = controls.filter(({ control }) => control.provider === provider);
    const bytes = queries
      .filter(({ query }) => query.provider === provider)
      .reduce((sum, { query }) => sum + query.pages.reduce((inner, page) => inner + page.bytes, 0), 0);
    return own.length === 0 ? [] : [{ provider, controls: own, bytes }];
  });
}

/** Deals parts to at most `count` threads, each what stands next to each other, so that the one with most has as little as can be. */
export function deal(parts: readonly Part[], count: number): Part[][] {
  if (parts.length === 0) return [];
  const weight = (some: readonly Part[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0);
  const [first, ...rest] = parts as [Part, ...Part[]];
  const ways: Part[][][] = rest.reduce<Part[][][]>(
    (all, part) =>
      all.flatMap((groups) => {
        const joined = [...groups.slice(0, -1), [...(groups.at(-1) ?? []), part]];
        return groups.length < count ? [joined, [...groups, [part]]] : [joined];
      }),
    [[[first]]],
  );
  const most = (groups: readonly Part[][]): number => Math.max(...groups.map(weight));
  return ways.reduce((best, groups) => (most(groups) < most(best) ? groups : best));
}
