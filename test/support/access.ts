import { accessAnalysis, type AccessAnalysis } from '../../src/controls/access/access.ts';
import { tableReads } from '../../src/controls/assess/needs.ts';
import { tableIndex } from '../../src/controls/lookups/table-index.ts';
import type { Home } from '../../src/controls/lookups/table.ts';
import type { ReadersResult } from '../../src/controls/types.ts';
import type { Provider, Resource } from '../../src/model/index.ts';
import { conditionCheck, outcome } from './judging.ts';

/** The access analysis over some records, for stores of the given types. */
export function accessOver(
  provider: Provider,
  types: readonly string[],
  records: readonly Resource[],
  complete: readonly string[] | 'everything' = 'everything',
): AccessAnalysis {
  const checks = [conditionCheck({ on: [...types], usesReaders: true, evaluate: () => outcome('pass') }, provider)];
  const gap = (_provider: Provider, home: Home): string | null =>
    complete === 'everything' || complete.includes(home.type) ? null : `${home.type} of ${home.account} is not whole`;
  const index = tableIndex(tableReads(checks), gap);
  const access = accessAnalysis(checks, index.lookup, gap);
  for (const one of records) {
    index.add(one);
    access.add(one, null);
  }
  return access;
}

export type FoundReaders = ReadersResult & { outcome: 'found' };

/** Who can read a store, by some records; it has to be found. */
export function readersOf(records: readonly Resource[], store: Resource, complete?: readonly string[]): FoundReaders {
  const result = accessOver(store.provider, [store.type], records, complete).readers(store);
  if (result.outcome !== 'found') throw new Error(result.because);
  return result;
}

export const namesOf = (result: FoundReaders): unknown[] => result.principals.map((one) => one['principal']);
