import type { Access, Provider, Resource } from '../model/index.ts';
import { subjectOf } from './observations.ts';
import type { EvaluationEnvironment, ReadersResult } from './types.ts';

/** Tables that the question "who can read a store of this type" looks into. */
export function accessTables(_provider: Provider, _type: string): string[] {
  return [];
}

export interface AccessAnalysis {
  /** Ledger types whose records it is fed, besides those of its tables. */
  readonly types: ReadonlySet<string>;
  add(resource: Resource): void;
  readers(from: Resource): ReadersResult;
  access(from: Resource): Access;
}

/** What access is: the analysis over one run's evidence. */
export function accessAnalysis(_lookup: EvaluationEnvironment['lookup']): AccessAnalysis {
  return {
    types: new Set(),
    add: () => undefined,
    readers: () => ({ outcome: 'unknown', because: 'access has not been analysed' }),
    access: (from) => ({ subject: subjectOf(from), world: from.provider === 'aws' ? 'key-boundary' : 'data-roles', principals: [], unsettled: ['access has not been analysed'], complete: false }),
  };
}
