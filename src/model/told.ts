import type { Json } from './json.ts';
import type { Query } from './evidence.ts';
import type { Scope } from './provider.ts';

/** A record on a stored page, as far as counting goes. */
export interface ToldRecord {
  readonly scope: Scope;
  /** As in the ledger; `verdict:<rule>` in lower case. */
  readonly type: string;
  /** Tells it from the others of its scope and type. */
  readonly id: string;
  /** The name under which observations speak of it. */
  readonly uid: string;
  /** Its place on the page. */
  readonly pointer: string;
  /** False where the provider's own count leaves it out. */
  readonly counted: boolean;
  /** What the provider calls the scope, where that is another name than the ledger's: `projects/123`. */
  readonly place?: string;
}

/** What a counting answer says of a scope and type. */
export interface ToldCount {
  readonly scope: Scope;
  readonly type: string;
  /** Counts of several series are added up: those of a policy's states and of its component states. */
  readonly series: string;
  readonly count: number;
  /** Set where an answer counts by listing: each id once. */
  readonly id?: string;
}

/** Another name under which counts of a scope and type are told. */
export interface ToldAlias {
  readonly scope: Scope;
  readonly type: string;
  readonly alias: string;
}

/** What stored pages say of records and counts: all that is needed to hold a ledger against them. Pure. */
export interface EvidenceTeller {
  /** Null where nobody reads such pages. */
  records(page: Json, query: Query, file: string): Iterable<ToldRecord> | null;
  counts(page: Json, query: Query, file: string): Iterable<ToldCount>;
  aliases(query: Query): readonly ToldAlias[];
  /** Whether the query counts such records there, so that what it does not list is none. `beside`: the queries the records are from. */
  asks(query: Query, scope: Scope, type: string, beside: readonly Query[]): boolean;
}
