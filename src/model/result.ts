import { z } from 'zod';
import { citationSchema, independentCountSchema, ledgerStatusSchema, reasonSchema, scopeCoverageSchema } from './evidence.ts';
import type { Control } from './control.ts';
import type { Json } from './json.ts';
import { providerSchema, scopeSchema } from './provider.ts';
import { statuses } from './status.ts';

export const statusSchema = z.enum(statuses as [(typeof statuses)[number], ...(typeof statuses)[number][]]);

/** What one leaf of a condition saw. `source` indexes Observation.citations: the record the path was read from. */
export const leafSchema = z.object({
  /** The condition's id within the check, `cmk`; nested ones joined by dots. */
  id: z.string(),
  /** `configuration.kmsKeyId`, `$key.configuration.keyManager`. */
  path: z.string(),
  operator: z.string(),
  expected: z.unknown(),
  /** Value seen, cut to a bounded length with a visible mark; absent when nothing was there. */
  observed: z.unknown().optional(),
  outcome: z.enum(['true', 'false', 'unknown']),
  /** Why unknown: `missing`, `type`, `lookup-incomplete`, `stale`, … */
  because: z.string().optional(),
  source: z.number().int().optional(),
});
export interface Leaf extends Omit<z.infer<typeof leafSchema>, 'observed' | 'expected'> {
  expected: Json;
  observed?: Json;
}

/** The subject of an observation: a resource, or a whole scope where the evidence for it is not whole. */
export const subjectSchema = z.object({
  kind: z.enum(['resource', 'scope', 'question']),
  provider: providerSchema,
  type: z.string(),
  uid: z.string(),
  name: z.string(),
  account: z.string(),
  location: z.string(),
  scope: scopeSchema,
  capturedAt: z.string().nullable(),
});
export type Subject = z.infer<typeof subjectSchema>;

export const observationCitationSchema = citationSchema.extend({
  /** `subject`, or the name of the lookup whose record this is (`$key`). */
  role: z.string(),
  uid: z.string(),
});
export type ObservationCitation = z.infer<typeof observationCitationSchema>;

/** A line of `results/observations.ndjson`: one check on one subject. */
export const observationSchema = z.object({
  /** Deterministic UUID v5 of control, check and subject. */
  id: z.string(),
  control: z.string(),
  check: z.string(),
  subject: subjectSchema,
  status: statusSchema,
  /** One sentence a person can act on. */
  reason: z.string(),
  leaves: z.array(leafSchema),
  citations: z.array(observationCitationSchema),
  method: z.enum(['EXAMINE', 'INTERVIEW', 'TEST']),
  /** Id of the waiver attached to a fail; the status stays fail. */
  waiver: z.string().optional(),
});
export interface Observation extends Omit<z.infer<typeof observationSchema>, 'leaves'> {
  leaves: Leaf[];
}

/** One row of the reconciliation: `count` must equal the sum of the outcomes, else the control cannot pass there. */
export const reconciliationRowSchema = z.object({
  control: z.string(),
  check: z.string(),
  scope: scopeSchema,
  type: z.string(),
  count: independentCountSchema.nullable(),
  held: z.number().int(),
  pass: z.number().int(),
  fail: z.number().int(),
  unknown: z.number().int(),
  error: z.number().int(),
  notapplicable: z.number().int(),
  /** By reason: `not critical`, `filtered`, … */
  excluded: z.record(z.string(), z.number().int()),
  /** Waived fails, counted inside `fail`. */
  waived: z.number().int(),
  balanced: z.boolean(),
  reasons: z.array(reasonSchema),
});
export type ReconciliationRow = z.infer<typeof reconciliationRowSchema>;

export const statusCountsSchema = z.object({
  fail: z.number().int(),
  error: z.number().int(),
  unknown: z.number().int(),
  notchecked: z.number().int(),
  pass: z.number().int(),
  notapplicable: z.number().int(),
});

/** One control's outcome. */
export const findingSchema = z.object({
  control: z.custom<Control>(),
  status: statusSchema,
  /** Resource observations by status. Scope gaps are counted apart, in `gaps`. */
  counts: statusCountsSchema,
  waived: z.number().int(),
  excluded: z.number().int(),
  gaps: z.number().int(),
  reasons: z.array(reasonSchema),
  /** Its lines of `results/observations.ndjson`: how many, and where they lie, in order, as offset and length in bytes. */
  observations: z.object({ count: z.number().int(), blocks: z.array(z.tuple([z.number().int(), z.number().int()])) }),
});
export type Finding = z.infer<typeof findingSchema>;

export const waiverSchema = z.object({
  id: z.string(),
  control: z.string(),
  /** uid or glob over uids; `*` for every resource of the control. */
  resources: z.array(z.string()),
  owner: z.string(),
  approver: z.string(),
  justification: z.string(),
  approvedOn: z.string(),
  expires: z.string(),
  /** Set by assess: expired at asOf, and how many fails it is attached to. */
  expired: z.boolean().optional(),
  used: z.number().int().optional(),
});
export type Waiver = z.infer<typeof waiverSchema>;

export const attestedAnswerSchema = z.object({
  control: z.string(),
  answer: z.enum(['satisfied', 'not-satisfied', 'not-applicable']),
  statement: z.string(),
  respondent: z.string(),
  role: z.string(),
  date: z.string(),
  validUntil: z.string().optional(),
  attachments: z.array(z.string()).default([]),
});
export type AttestedAnswer = z.infer<typeof attestedAnswerSchema>;

/** Who can read some critical stores alike, by the evidence: a line of `results/readers.ndjson`. */
export const readersSchema = z.object({
  /** The first 32 hexadecimal digits of the SHA-256 of the line as it is without this field. */
  id: z.string(),
  /** `key-boundary`: the caller needs decrypt on the key (AWS CMK). `data-roles`: a service identity decrypts. */
  world: z.enum(['key-boundary', 'data-roles']),
  principals: z.array(
    z.object({
      principal: z.string(),
      kind: z.string(),
      /** `key policy statement 0`, `IAM policy arn:… (kms:Decrypt)`, `role Storage Blob Data Reader at …`. */
      via: z.string(),
      inheritedFrom: z.string().optional(),
      conditional: z.boolean(),
      /** everyone, all authenticated users, a whole other account or domain. */
      wide: z.boolean(),
      /** The record that holds the right: the policy or role with the permission, the access list, the binding. */
      citation: citationSchema,
      /** Where another record gives it to the principal: those on the way, the one that names the principal last. */
      through: z.array(citationSchema).optional(),
    }),
  ),
  /** What the evidence cannot settle: conditions, grants, group membership, tables not complete. */
  unsettled: z.array(z.string()),
  complete: z.boolean(),
});
export type Readers = z.infer<typeof readersSchema>;

/** A critical store and who can read it: a line of `results/access.ndjson`. */
export const accessSchema = z.object({
  subject: subjectSchema,
  /** `id` of a line of `results/readers.ndjson`. */
  readers: z.string(),
});
export type Access = z.infer<typeof accessSchema>;

/** Critical stores, counted. */
export const accessTotalsSchema = z.object({
  stores: z.number().int(),
  keyBoundary: z.number().int(),
  dataRoles: z.number().int(),
  /** Open to everyone, or to a whole other account, organisation or domain. */
  wide: z.number().int(),
  /** Whose readers the evidence does not settle. */
  incomplete: z.number().int(),
});
export type AccessTotals = z.infer<typeof accessTotalsSchema>;

/** A critical store with those who can read it. */
export interface StoreAccess extends Omit<Access, 'readers'> {
  readonly readers: Readers;
}

export const engagementSchema = z.object({
  id: z.string(),
  title: z.string(),
  entity: z.string(),
  period: z.object({ from: z.string(), to: z.string() }),
  preparedFor: z.string().optional(),
  classification: z.string().optional(),
});
export type Engagement = z.infer<typeof engagementSchema>;

/** A stored query as the evidence index lists it. */
export const queryIndexSchema = z.object({
  directory: z.string(),
  provider: providerSchema,
  collector: z.string(),
  scope: z.string(),
  operation: z.string(),
  text: z.string().nullable(),
  identity: z.string(),
  endpoint: z.string(),
  status: z.string(),
  pages: z.number().int(),
  items: z.number().int(),
  bytes: z.number().int(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** SHA-256 of query.json, which holds the digest of each page. */
  sha256: z.string(),
  reasons: z.array(reasonSchema),
});
export type QueryIndex = z.infer<typeof queryIndexSchema>;

/** Evidence of a type in a scope that is not whole, why, and whom it concerns. */
export const shortfallSchema = z.object({
  scope: scopeSchema,
  /** As in the ledger. */
  type: z.string(),
  /** The ledger's word; null where the ledger calls it complete or has no entry, and judging found otherwise. */
  status: ledgerStatusSchema.nullable(),
  reasons: z.array(reasonSchema),
  /** Controls that judge records of the type, and those that only look some up; sorted. Both empty: no selected control needs it. */
  judgedBy: z.array(z.string()),
  lookedUpBy: z.array(z.string()),
});
export type Shortfall = z.infer<typeof shortfallSchema>;

/** Files of `results/` that assess writes and all reports are made of. */
export const resultSources = ['assessment.json', 'observations.ndjson', 'access.ndjson', 'readers.ndjson'] as const;

/** What results can be had in besides the reports, which lead to CSV files: a workbook, OSCAL assessment results and catalog, OCSF Compliance Findings. */
export const resultFormats = ['xlsx', 'oscal', 'ocsf'] as const;
export type ResultFormat = (typeof resultFormats)[number];

/** Names of what is rendered into `results/`. */
export const renderedResult = /^(?:[a-z-]+\.(?:csv|xlsx)|oscal-[a-z-]+\.json|ocsf-[a-z-]+\.ndjson)$/;

/** `results/assessment.json`: with the lines beside it (see `resultSources`) the renderer's only input. */
export const assessmentSchema = z.object({
  version: z.literal(1),
  runId: z.string(),
  tool: z.object({ name: z.string(), version: z.string() }),
  catalogue: z.object({
    name: z.string(),
    version: z.string(),
    sha256: z.string(),
    files: z.array(z.object({ file: z.string(), sha256: z.string() })),
  }),
  engagement: engagementSchema,
  profile: z.object({ level: z.number().int(), title: z.string() }),
  parameters: z.record(z.string(), z.unknown()),
  /** What the configuration chose where a stricter choice was there: absent in results of former versions. */
  choices: z
    .object({
      /** The configuration names a catalogue; else it is the one that ships with the tool. */
      ownCatalogue: z.boolean(),
      /** Controls of the catalogue that were not judged. */
      leftOut: z.array(
        z.object({
          control: z.string(),
          title: z.string(),
          level: z.number().int(),
          why: z.enum(['excluded', 'not-included', 'above-level', 'cloud-not-configured']),
        }),
      ),
      /** Parameters with another value than the default; null is none. */
      parameters: z.array(z.object({ name: z.string(), default: z.unknown() })),
    })
    .optional(),
  /** The critical-data selector, as configured, for the reader. */
  critical: z.unknown(),
  asOf: z.string(),
  collected: z.object({ startedAt: z.string(), endedAt: z.string().nullable() }),
  /** Controls by status; `score` = pass / (pass + fail), null when nothing was scored. */
  summary: z.object({
    counts: statusCountsSchema,
    score: z.number().nullable(),
    sections: z.array(
      z.object({ section: z.string(), provider: providerSchema, counts: statusCountsSchema, score: z.number().nullable() }),
    ),
    levels: z.array(z.object({ level: z.number().int(), counts: statusCountsSchema, score: z.number().nullable() })),
    resources: statusCountsSchema,
  }),
  findings: z.array(findingSchema),
  scopes: z.array(scopeCoverageSchema),
  reconciliation: z.array(reconciliationRowSchema),
  /** All evidence that is not whole, by scope and type, also where only lookups read it: absent in results of former versions. */
  shortfalls: z.array(shortfallSchema).optional(),
  waivers: z.array(waiverSchema),
  answers: z.array(attestedAnswerSchema),
  queries: z.array(queryIndexSchema),
  access: accessTotalsSchema,
  redactions: z.number().int(),
  /** SHA-256 over the sorted lines `<sha256>  <path>` of every file below evidence/: what `sha256sum` would print. */
  evidenceDigest: z.string(),
  /** True when every scope and type that was needed is complete. */
  evidenceComplete: z.boolean(),
});
export type Assessment = z.infer<typeof assessmentSchema>;
