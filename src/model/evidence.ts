import { z } from 'zod';
import { providerSchema } from './provider.ts';

/**
 * Where a record lies in the raw evidence. `file` is relative to the data root (`evidence/…/page-000001.json`),
 * `pointer` an RFC 6901 pointer into that file. `encoding: 'json-string'` says the value at the pointer is a string
 * that itself holds JSON (AWS Config Select rows): `jq '<pointer> | fromjson'`.
 */
export const citationSchema = z.object({
  file: z.string(),
  pointer: z.string(),
  encoding: z.enum(['json', 'json-string']).default('json'),
});
export type Citation = z.infer<typeof citationSchema>;

/**
 * A value, or a key, replaced before the page reached disk. `commitment` is SHA-256(salt ‖ value) in hex; the salt stays with the
 * audited entity and is disclosed with the value, so that a weak value cannot be guessed from the pack.
 */
export const redactionSchema = z.object({
  pointer: z.string(),
  /** Pointer inside the decoded value where `pointer` leads to a JSON string; else absent. `#key` at its end: what was replaced is the last key on the way. */
  within: z.string().optional(),
  rule: z.string(),
  commitment: z.string(),
});
export type Redaction = z.infer<typeof redactionSchema>;

/** One stored response. `sha256` is of the bytes on disk; `receivedSha256` of the body before redaction. */
export const pageSchema = z.object({
  /** Name of the page beside its query.json: `page-000001.json`. */
  file: z.string(),
  sha256: z.string(),
  receivedSha256: z.string(),
  bytes: z.number().int(),
  items: z.number().int(),
  receivedAt: z.string(),
  requestId: z.string().nullable(),
  httpStatus: z.number().int().nullable(),
  attempts: z.number().int(),
  /** SHA-256 of the continuation token this page carried; null on the last page. */
  nextTokenSha256: z.string().nullable(),
  redactions: z.array(redactionSchema).default([]),
});
export type EvidencePage = z.infer<typeof pageSchema>;

export const ledgerStatuses = ['complete', 'partial', 'failed', 'denied', 'not-recorded', 'stale', 'excluded'] as const;
export const ledgerStatusSchema = z.enum(ledgerStatuses);
export type LedgerStatus = z.infer<typeof ledgerStatusSchema>;

/** Why evidence is not whole. `code` is stable (`access-denied`, `throttled`, `count-mismatch`, …), `message` is for people. */
export const reasonSchema = z.object({ code: z.string(), message: z.string(), citation: citationSchema.optional() });
export type Reason = z.infer<typeof reasonSchema>;

/** `query.json`: the request that produced the pages beside it. */
export const querySchema = z.object({
  version: z.literal(1),
  collector: z.string(),
  /** Directory name of the scope below the collector: `111122223333.eu-west-1`. */
  scope: z.string(),
  /** Directory name of the query below the scope: `AWS.S3.Bucket`. */
  name: z.string(),
  provider: providerSchema,
  /** What the provider calls it: `SelectResourceConfig`, `Microsoft.ResourceGraph/resources`, `ListAssets`. */
  operation: z.string(),
  /** What the pages hold: names the collector's page map (see collectors/registry.ts). */
  shape: z.string(),
  /** Exact query text, where the operation has one. */
  text: z.string().nullable(),
  parameters: z.record(z.string(), z.unknown()),
  endpoint: z.string(),
  /** Who asked: caller ARN, Azure object/application id, service account. */
  identity: z.string(),
  /** Resource types the pages can hold; readers skip whole queries by it. Empty for operations without resources. */
  types: z.array(z.string()),
  status: z.enum(['running', 'complete', 'partial', 'failed', 'denied']),
  reasons: z.array(reasonSchema),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  /** The instant the provider was asked to read at (GCP), RFC 3339. */
  readTime: z.string().nullable(),
  /** Continuation token of the last stored page, kept only while running so that a resumed run can go on. */
  resumeToken: z.string().nullable().default(null),
  pages: z.array(pageSchema),
});
export type Query = z.infer<typeof querySchema>;

/** An independent count by the provider of what a scope and type hold, and where it was read. */
export const independentCountSchema = z.object({
  count: z.number().int(),
  source: z.string(),
  citation: citationSchema.optional(),
});
export type IndependentCount = z.infer<typeof independentCountSchema>;

/** How whole the evidence is for one (collector, account, region, type). */
export const ledgerEntrySchema = z.object({
  collector: z.string(),
  provider: providerSchema,
  account: z.string(),
  region: z.string(),
  /** Resource type, or `iam-policy:<type>`, `org-policy`, `verdict:<rule id>` for the other kinds of record. */
  type: z.string(),
  status: ledgerStatusSchema,
  /** Distinct records held. */
  held: z.number().int(),
  count: independentCountSchema.nullable(),
  freshness: z.object({ oldest: z.string().nullable(), newest: z.string().nullable() }),
  reasons: z.array(reasonSchema),
  /** Directories of the queries it rests on: `evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket`. */
  queries: z.array(z.string()),
});
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;

/** An account, subscription or project of the engagement, how it came to be known, and what became of it. */
export const scopeCoverageSchema = z.object({
  collector: z.string(),
  provider: providerSchema,
  account: z.string(),
  region: z.string(),
  name: z.string().nullable(),
  /** `configured`, or the independent list that named it (`aggregator sources`, `resourcecontainers`, …). */
  knownFrom: z.array(z.string()),
  status: ledgerStatusSchema,
  identity: z.string().nullable(),
  reasons: z.array(reasonSchema),
});
export type ScopeCoverage = z.infer<typeof scopeCoverageSchema>;

/** What a published request quota cost a run: `floorMs` is the least time that `calls` requests need under it. */
export const quotaUseSchema = z.object({
  /** Whose quota: `aws-config/111122223333/eu-west-1`, `azure-resource-graph/<tenant>`, `gcp-asset-inventory/<project>/ListAssets`. */
  key: z.string(),
  permits: z.number().int(),
  perMs: z.number(),
  calls: z.number().int(),
  floorMs: z.number(),
  /** From the first request to the last. */
  elapsedMs: z.number(),
  /** Time spent waiting for the quota. */
  waitedMs: z.number(),
});
export type QuotaUse = z.infer<typeof quotaUseSchema>;

/** `evidence/ledger.json`. */
export const ledgerSchema = z.object({
  version: z.literal(1),
  runId: z.string(),
  /** The instant that judging compares with; fixed when collection starts. */
  asOf: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  tool: z.object({ name: z.string(), version: z.string() }),
  scopes: z.array(scopeCoverageSchema),
  entries: z.array(ledgerEntrySchema),
  quotas: z.array(quotaUseSchema).default([]),
});
export type Ledger = z.infer<typeof ledgerSchema>;
