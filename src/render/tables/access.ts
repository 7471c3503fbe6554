import { scopeKey } from '../../model/index.ts';
import type { Access, Readers } from '../../model/index.ts';
import { distinctPrincipals } from '../stores.ts';
import { citationCell } from './results.ts';
import { type Cell, linesCell, type Table } from './table.ts';

/**
 * Who can read critical data, in two tables as in access.ndjson and readers.ndjson: thousands of stores share a set of readers, and one
 * line for each of both would be more than a spreadsheet opens. `readers` is the id of the set in either.
 */

/** What each line about a store says of its set. */
interface SetFacts {
  readonly world: Readers['world'];
  readonly complete: boolean;
  readonly wide: boolean;
  readonly principals: number;
  readonly ways: number;
  readonly unsettled: number;
}

function setOf({ world, complete, principals, unsettled }: Readers): SetFacts {
  return {
    world,
    complete,
    wide: principals.some((one) => one.wide),
    principals: distinctPrincipals(principals),
    ways: principals.length,
    unsettled: unsettled.length,
  };
}

/** One line a store. */
export function storesTable(stores: AsyncIterable<Access>, sets: AsyncIterable<Readers>): Table {
  async function* rows(): AsyncGenerator<Cell[]> {
    const known = new Map<string, SetFacts>();
    for await (const set of sets) known.set(set.id, setOf(set));
    for await (const { subject, readers } of stores) {
      const set = known.get(readers);
      if (set === undefined)
        throw new Error(`access.ndjson: the readers ${readers} of ${subject.uid} are not in readers.ndjson; assess again`);
      yield [
        subject.provider,
        subject.type,
        subject.uid,
        subject.name,
        subject.account,
        subject.location,
        scopeKey(subject.scope),
        subject.capturedAt,
        set.world,
        set.complete,
        set.wide,
        set.principals,
        set.ways,
        set.unsettled,
        readers,
      ];
    }
  }
  return {
    columns: [
      'provider',
      'type',
      'store',
      'name',
      'account',
      'location',
      'scope',
      'captured_at',
      'world',
      'complete',
      'wide',
      'principals',
      'ways',
      'unsettled',
      'readers',
    ],
    rows: rows(),
  };
}

/** One line a way in, and one for each question that the evidence leaves open; a set without a way in has a line that says so. */
export function readersTable(stores: AsyncIterable<Access>, sets: AsyncIterable<Readers>): Table {
  async function* rows(): AsyncGenerator<Cell[]> {
    const counts = new Map<string, number>();
    for await (const { readers } of stores) counts.set(readers, (counts.get(readers) ?? 0) + 1);
    for await (const { id, principals, unsettled } of sets) {
      const head = [id, counts.get(id) ?? 0];
      if (principals.length === 0) yield [...head, 'no-reader-found', ...none];
      for (const one of principals) {
        yield [
          ...head,
          'reader',
          one.principal,
          one.kind,
          one.via,
          one.inheritedFrom ?? null,
          one.conditional,
          one.wide,
          citationCell(one.citation),
          one.through ? linesCell(one.through.map(citationCell), 'results/readers.ndjson') : null,
          null,
        ];
      }
      for (const question of unsettled) yield [...head, 'unsettled', ...none.slice(1), question];
    }
  }
  return {
    columns: [
      'readers',
      'stores',
      'entry',
      'principal',
      'kind',
      'via',
      'inherited_from',
      'conditional',
      'wide',
      'citation',
      'through',
      'unsettled',
    ],
    rows: rows(),
  };
}

const none = [null, null, null, null, null, null, null, null, null] as const;
