import { type EvidenceRecord, isJsonObject, type Json, type JsonObject, type Query, type Scope } from '../../model/index.ts';
import type { PageMap } from '../collector.ts';
import { instant, isDeleted, resourceOf, text } from './document.ts';
import { operations } from './outcome.ts';

/** `111122223333.eu-west-1` → its scope; null for the directory of an aggregator. */
export function scopeOfDirectory(directory: string): Scope | null {
  const match = /^(\d{12})\.([a-z0-9-]+)$/.exec(directory);
  return match?.[1] === undefined || match[2] === undefined ? null : { provider: 'aws', account: match[1], region: match[2] };
}

/** A Select row: an object, or JSON text of one. Null for anything else. */
export function rowOf(row: Json): JsonObject | null {
  let value = row;
  if (typeof row === 'string') {
    try {
      value = JSON.parse(row) as Json;
    } catch {
      return null;
    }
  }
  return isJsonObject(value) ? value : null;
}

/** Rows whose region is `global` (IAM) count where they were asked for; through an aggregator, in the region the ledger names `global`. */
function* selectRows(page: Json, query: Query, file: string): Iterable<EvidenceRecord> {
  const results = isJsonObject(page) ? page['Results'] : undefined;
  if (!Array.isArray(results)) return;
  const asked = scopeOfDirectory(query.scope);
  for (const [index, row] of results.entries()) {
    const item = rowOf(row);
    if (item === null || isDeleted(item)) continue;
    const account = text(item['accountId']);
    const scope: Scope | null =
      asked ?? (account === null ? null : { provider: 'aws', account, region: text(item['awsRegion']) ?? 'global' });
    if (scope === null || (asked !== null && account !== null && account !== asked.account)) continue;
    const resource = resourceOf(item, {
      scope,
      citation: { file, pointer: `/Results/${index}`, encoding: typeof row === 'string' ? 'json-string' : 'json' },
    });
    if (resource !== null) yield { record: 'resource', resource };
  }
}

/** Results of one deployed rule. The query's `types` names the managed rule: `verdict:<identifier>`. */
function* ruleDetails(page: Json, query: Query, file: string): Iterable<EvidenceRecord> {
  const results = isJsonObject(page) ? page['EvaluationResults'] : undefined;
  const rule = query.types.find((type) => type.startsWith('verdict:'))?.slice('verdict:'.length);
  const scope = scopeOfDirectory(query.scope);
  if (!Array.isArray(results) || rule === undefined || scope === null) return;
  for (const [index, result] of results.entries()) {
    const found = evaluationOf(result);
    if (found === null) continue;
    yield {
      record: 'verdict',
      verdict: {
        provider: 'aws',
        rule,
        deployment: found.rule,
        verdict: found.verdict,
        resourceType: found.resourceType,
        uid: found.resourceId,
        scope,
        evaluatedAt: instant(isJsonObject(result) ? (result['ResultRecordedTime'] ?? result['ConfigRuleInvokedTime']) : undefined),
        citation: { file, pointer: `/EvaluationResults/${index}`, encoding: 'json' },
      },
    };
  }
}

export interface Evaluation {
  readonly rule: string;
  readonly resourceType: string;
  readonly resourceId: string;
  readonly verdict: string;
}

/** An `EvaluationResult` by its parts; null where one is missing or no text. */
export function evaluationOf(result: Json): Evaluation | null {
  if (!isJsonObject(result)) return null;
  const identifier = result['EvaluationResultIdentifier'];
  const qualifier = isJsonObject(identifier) ? identifier['EvaluationResultQualifier'] : undefined;
  if (!isJsonObject(qualifier)) return null;
  const rule = text(qualifier['ConfigRuleName']);
  const resourceType = text(qualifier['ResourceType']);
  const resourceId = text(qualifier['ResourceId']);
  const verdict = text(result['ComplianceType']);
  return rule === null || resourceType === null || resourceId === null || verdict === null
    ? null
    : { rule, resourceType, resourceId, verdict };
}

/** Pages that hold no records: they say how whole the others are. */
const noRecords: PageMap = () => [];

export const shapeOf = (operation: string): string => `aws-config/${operation}`;

/** A second asking of the same query, kept as proof that the first was whole: its records are already counted. */
export const confirmationShape = 'aws-config/confirmation';

export const shapes: Readonly<Record<string, PageMap>> = {
  ...Object.fromEntries(operations.map((operation) => [shapeOf(operation), noRecords])),
  [confirmationShape]: noRecords,
  [shapeOf('SelectResourceConfig')]: selectRows,
  [shapeOf('SelectAggregateResourceConfig')]: selectRows,
  [shapeOf('GetComplianceDetailsByConfigRule')]: ruleDetails,
};
