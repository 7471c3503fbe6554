import type { Assessment, Citation, Control, Json, JsonObject, Leaf, Provider, Resource } from '../model/index.ts';

/** A mistake in the catalogue: where it is, what it is, and the nearest known word or the remedy. */
export interface Problem {
  /** Path as given: relative to the directory of controls.yaml. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** `did you mean configuration.encrypted?`, or what to do. */
  readonly hint?: string;
  /** Errors stop loading; warnings are the lint's. */
  readonly severity: 'error' | 'warning';
  /** Stable name of the lint rule; absent for errors of loading. */
  readonly rule?: string;
}

export type ParameterType = 'string' | 'number' | 'integer' | 'boolean' | 'duration' | 'list';

export interface ParameterDefinition {
  readonly name: string;
  readonly type: ParameterType;
  readonly default: Json;
  readonly description: string;
}

/** The whole catalogue, compiled. Built once a run; shared by every subject. */
export interface Catalogue {
  readonly name: string;
  readonly version: string;
  /** Directory of controls.yaml: `files` are relative to it. */
  readonly directory: string;
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
  /** In the order of the report. */
  readonly sections: readonly string[];
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  readonly controls: readonly CompiledControl[];
  /** Controls that a selection took out, in the catalogue's order. */
  readonly leftOut?: NonNullable<Assessment['choices']>['leftOut'];
}

export interface CompiledControl {
  readonly control: Control;
  readonly checks: readonly CompiledCheck[];
  readonly source: { readonly file: string; readonly line: number };
}

/** How many subjects must meet the condition per group, instead of every one of them. */
export interface Aggregate {
  /** `accountId`: per account (subscription, project); `scope`: per account and region. */
  readonly per: 'accountId' | 'scope';
  readonly atLeast?: number;
  readonly atMost?: number;
  /** What a group with no subject at all is. */
  readonly emptyScope: 'fail' | 'notapplicable' | 'pass';
}

export interface ConditionCheck {
  readonly kind: 'condition';
  readonly id: string;
  readonly title: string;
  readonly provider: Provider;
  /** Resource types judged; Azure types in lower case. */
  readonly on: readonly string[];
  /** Only subjects that the critical-data selector picks are judged; the others are excluded and counted. */
  readonly critical: boolean;
  readonly aggregate?: Aggregate;
  /**
   * What is read of the records of each lookup table, as paths for `compileProjection` (paths.ts): `configuration.enabled`,
   * `properties?` (only whether and of what type it is there), `tags{}` (only whether anything is in it); `*` is the whole record.
   */
  readonly reads: ReadonlyMap<string, readonly string[] | '*'>;
  /** Paths read of the subject itself, in the same notation. */
  readonly subjectReads: readonly string[];
  /** Whether some binding asks who can read the subject. */
  readonly usesReaders: boolean;
  /** Where the absence of a value leads towards a pass: the keys whose absence does, and the control's reason for it. */
  readonly absences: readonly { readonly path: string; readonly keys: readonly string[]; readonly because: string }[];
  /** The check as written, with the shared conditions that it meets put in, for those who explain it. */
  readonly definition: JsonObject;
  /** Total: whatever the document holds, an outcome; an exception inside comes out as `error`. */
  readonly evaluate: (subject: Resource, env: EvaluationEnvironment) => CheckOutcome;
}

/** A check that rests on a native evaluation of the provider. `rule`: AWS managed rule identifier, or Azure policy definition GUID. */
export interface VerdictCheck {
  readonly kind: 'verdict';
  readonly id: string;
  readonly title: string;
  readonly provider: Provider;
  readonly rule: string;
  /** What the rule speaks about, where the control says it; Azure types in lower case. */
  readonly about?: VerdictSubjects;
}

/**
 * `resources`: the rule judges every resource of these types, so each needs a result. `parents`: it judges parts of these that no
 * inventory lists (the keys of a vault), so each needs a result for itself or for a part of it.
 */
export interface VerdictSubjects {
  readonly as: 'resources' | 'parents';
  readonly types: readonly string[];
}

/** A question for a person. */
export interface ManualCheck {
  readonly kind: 'manual';
  readonly id: string;
  readonly title: string;
  readonly question: string;
}

export type CompiledCheck = ConditionCheck | VerdictCheck | ManualCheck;

/** All that a condition may know besides its subject. */
export interface EvaluationEnvironment {
  /** RFC 3339; the only `now` there is. */
  readonly asOf: string;
  /** Every declared parameter, overrides applied (see `resolveParameters`). Same object for a whole run. */
  readonly parameters: Readonly<Record<string, Json>>;
  /** `key` is whatever the evidence held there: any JSON. */
  lookup(table: string, key: Json, many: boolean, from: Resource): LookupResult;
  readers(from: Resource): ReadersResult;
}

export interface IndexedRecord {
  readonly uid: string;
  /** Projected to what the controls read. */
  readonly document: JsonObject;
  readonly citation: Citation;
  readonly capturedAt: string | null;
}

/**
 * `found`: for a single lookup exactly one record; for `many` any number, also none, and `complete: false` says that there may be more.
 * `absent`: the ledger says the table is complete where the key would live, and it is not there.
 * `unknown`: everything else. `because` is a sentence fragment a person can read: `the keys of 111122223333/eu-west-1 were denied`.
 */
export type LookupResult =
  | { readonly outcome: 'found'; readonly records: readonly IndexedRecord[]; readonly complete: boolean; readonly because?: string }
  | { readonly outcome: 'absent'; readonly because: string }
  | { readonly outcome: 'unknown'; readonly because: string };

/** Who can read the subject, as `$readers.principals`, `$readers.world`, `$readers.unsettled` read it. */
export type ReadersResult =
  | {
      readonly outcome: 'found';
      readonly world: 'key-boundary' | 'data-roles';
      /** Objects `{ principal, kind, via, wide, conditional, inheritedFrom? }`. */
      readonly principals: readonly JsonObject[];
      readonly unsettled: readonly string[];
      /** False: there may be more principals, so `none` and `every` cannot be settled by the ones listed. */
      readonly complete: boolean;
      readonly because?: string;
      readonly records: readonly IndexedRecord[];
    }
  | { readonly outcome: 'unknown'; readonly because: string };

/** A record the verdict rests on besides the subject. `role` is the binding's name: `$key`. */
export interface JoinedRecord {
  readonly role: string;
  readonly uid: string;
  readonly citation: Citation;
}

export interface CheckOutcome {
  readonly status: 'pass' | 'fail' | 'unknown' | 'error' | 'notapplicable';
  /** One sentence a person can act on. */
  readonly reason: string;
  /** `source` of a leaf: 0 is the subject, i + 1 is `joined[i]`. Bounded, whatever the size of the document. */
  readonly leaves: readonly Leaf[];
  readonly joined: readonly JoinedRecord[];
}
