import type { EndpointsConfig, ExhibitConfig } from '../config/schema.ts';
import type { EvidenceWriter } from '../evidence/writer.ts';
import type {
  EvidenceRecord,
  Json,
  LedgerEntry,
  Needs,
  Provider,
  ProviderVerdict,
  Query,
  Reason,
  Resource,
  Scope,
  ScopeCoverage,
  ToldAlias,
  ToldCount,
} from '../model/index.ts';
import type { Pacers, Patience } from './rate.ts';

/** Where collection reports what it is doing. The command line draws it; a log prints it. */
export interface CollectProgress {
  /** A unit of work is known: `aws-config 111122223333.eu-west-1`, with the calls expected where that is known. */
  scope(collector: string, scope: string, expectedCalls?: number): void;
  page(collector: string, scope: string, query: string, items: number): void;
  done(collector: string, scope: string, status: string): void;
  note(collector: string, scope: string, message: string): void;
}

export interface CollectContext {
  readonly config: Pick<ExhibitConfig, 'scopes'>;
  readonly endpoints: EndpointsConfig;
  readonly needs: Needs;
  readonly writer: EvidenceWriter;
  /** RFC 3339; the one instant of the run. GCP reads at it. */
  readonly asOf: string;
  readonly signal: AbortSignal;
  readonly progress: CollectProgress;
  /**
   * Runs one unit of work (an account and region, a subscription batch, a project) under the collector's one p-limit.
   * A unit never calls it again: one limiter is never nested. `collect` itself runs outside it.
   */
  readonly unit: <T>(work: () => Promise<T>) => Promise<T>;
  /** Request quotas shared by all collectors of the run; every attempt on the wire takes a permit. */
  readonly pacers: Pacers;
  /** How long to wait and how often to try again. */
  readonly patience: Patience;
}

/** A scope that a collector means to collect, and the ledger types it owes for it. Pure: known before any call. */
export interface PlannedScope {
  readonly account: string;
  readonly region: string;
  readonly types: readonly string[];
  /**
   * The scope stands for others that only the provider can name (an aggregator, a management group, an organisation):
   * it is owed an entry only when the collector comes to nothing.
   */
  readonly expands: boolean;
}

/** What a collector leaves behind besides the pages it wrote. */
export interface CollectResult {
  readonly scopes: ScopeCoverage[];
  readonly entries: LedgerEntry[];
}

/** One line of `exhibit doctor`: something tried against the provider before a run, and the remedy where it failed. */
export interface DoctorFinding {
  readonly collector: string;
  readonly scope: string;
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
  readonly reasons?: Reason[];
}

/**
 * The port. A collector judges nothing: it asks, stores each response as received, and says how whole it is.
 * What a provider can do (deny, throttle, truncate) is a value in the result, never an exception; it throws only
 * for programmer and configuration errors, and for an abort.
 */
export interface Collector {
  readonly id: string;
  readonly provider: Provider;
  /** Units (accounts and regions, series of pages) worked on at once: few where pages are large, because each is in memory meanwhile. */
  readonly unitsInFlight?: number;
  /** What `collect` owes: a scope and type left without an entry is entered as failed, so that nothing disappears. */
  plan(context: Pick<CollectContext, 'config' | 'needs'>): PlannedScope[];
  collect(context: CollectContext): Promise<CollectResult>;
  /** Loads the provider's client, so that it is there when `collect` asks for it. Optional. */
  load?(): Promise<unknown>;
  doctor(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]>;
  /** Reads stored pages back: pure, and total over whatever JSON a page holds. Keyed by `query.shape`. */
  readonly shapes: Readonly<Record<string, PageMap>>;
  /** Reads stored answers that count, as `shapes` does those with records. */
  readonly counts?: Readonly<Record<string, CountMap>>;
  /** Names under which its counting answers speak of what a query holds, where they are not those of the ledger. */
  readonly countAliases?: (query: Query) => readonly ToldAlias[];
  /** Reads one document in any shape the provider hands out, for `controls try`; null when it is not this provider's. */
  readDocument?(document: Json, hint: { readonly type: string; readonly id: string }): Resource[] | null;
  /** Reads one document that holds verdicts of the provider; null when it holds none. */
  readVerdicts?(document: Json): ProviderVerdict[] | null;
}

/** `file` is the page's path below the data root, for citations. */
export type PageMap = (page: Json, query: Query, file: string) => Iterable<EvidenceRecord>;

export interface CountMap {
  told(page: Json, query: Query, file: string): Iterable<ToldCount>;
  /** Whether the query counts such records there: what it does not list is then none. `beside`: the queries the records are from. */
  asks(query: Query, scope: Scope, type: string, beside: readonly Query[]): boolean;
}
