import type { Json, Provider, Resource } from '../../model/index.ts';

/** Records a table is filled from. */
export interface TableSource {
  readonly type: string;
  readonly kind: Resource['kind'];
}

/**
 * Evidence that has to be whole before a miss means "absent". `type` as in the ledger (`iam-policy:<asset type>` for
 * policies); account `every` means each account of the provider that the ledger knows; region `any` means that one
 * whole entry of the account is enough (AWS records global types in one region, or in several).
 */
export interface Home {
  readonly type: string;
  readonly account: string;
  readonly region: string;
}

/** What another table answers while a reference is being resolved. */
export type Hop =
  { readonly outcome: 'found'; readonly document: Json } | { readonly outcome: 'absent' | 'unknown'; readonly because: string };

export type Hopper = (table: string, key: string, from: Resource) => Hop;

/** Where to look. `elsewhere` says why a miss cannot mean absent even where every home is whole. */
export type Resolution =
  | { readonly outcome: 'keys'; readonly keys: readonly string[]; readonly homes: readonly Home[]; readonly elsewhere?: string }
  | { readonly outcome: 'absent' | 'unknown'; readonly because: string };

/**
 * A lookup table of the control language, found by `{ lookup: <name>, by: … }`. To add one: one entry in the list of its provider
 * (`tables-<provider>.ts`), which names the records it holds, the keys under which a record is found, and how a reference becomes keys.
 */
export interface LookupTable {
  readonly name: string;
  /** For people: what a record is. */
  readonly title: string;
  readonly provider: Provider;
  readonly sources: readonly TableSource[];
  /** True where a reference leads to several records; the catalogue then says `many: true`. */
  readonly many: boolean;
  /** Top-level paths the table or a table that goes through it reads, kept besides those that controls read. */
  readonly keeps: readonly string[];
  /** `key`: records under one key are one thing, listed several times. Otherwise uids tell records apart. */
  readonly identity: 'uid' | 'key';
  /** True where resolving reads the subject's document, not only where the subject lives. */
  readonly readsSubject: boolean;
  /** True where every record belongs under some key: one that shows none may be any that is not found. */
  readonly alwaysKeyed: boolean;
  /** Tables that references are resolved through. Their sources are needed too. */
  readonly through: readonly string[];
  keys(record: Resource): readonly string[];
  resolve(key: string, from: Resource, hop: Hopper): Resolution;
}

/** Families of tables, one per resource type, written `<prefix>:<type>`: `aws.resource:AWS::EC2::Subnet`. */
export type TableFamilies = Readonly<Record<string, { readonly title: string; readonly of: (type: string) => LookupTable }>>;

type Defaulted = 'many' | 'keeps' | 'through' | 'identity' | 'readsSubject' | 'alwaysKeyed';
type TableEntry = Omit<LookupTable, Defaulted> & Partial<Pick<LookupTable, Defaulted>>;

/** A table, with what most leave out. */
export const table = (entry: TableEntry): LookupTable => ({
  many: false,
  keeps: [],
  through: [],
  identity: 'uid',
  readsSubject: false,
  alwaysKeyed: false,
  ...entry,
});
export const resource = (type: string): TableSource => ({ type, kind: 'resource' });
export const policy = (type: string): TableSource => ({ type, kind: 'iam-policy' });
/** A reference read: where to look, and where the evidence would have to be. */
export const found = (keys: readonly string[], homes: readonly Home[], elsewhere?: string): Resolution =>
  elsewhere === undefined ? { outcome: 'keys', keys, homes } : { outcome: 'keys', keys, homes, elsewhere };
/** A reference that cannot be read as one of this table's. */
export const unknown = (because: string): Resolution => ({ outcome: 'unknown', because });
/** Those that are there, each once: the keys of a record. */
export const present = (values: readonly (string | null | undefined)[]): string[] => [
  ...new Set(values.filter((value): value is string => typeof value === 'string' && value !== '')),
];

/** The ledger's name for the records of a source. */
export function ledgerType(source: TableSource): string {
  if (source.kind === 'iam-policy') return `iam-policy:${source.type}`;
  return source.kind === 'org-policy' ? 'org-policy' : source.type;
}
