import { createHash } from 'node:crypto';
import { type IndependentCount, isJsonObject, type JsonObject, type LedgerStatus, type Reason } from '../../model/index.ts';
import { instant, text } from './document.ts';
import { type RegionContext, worst } from './entries.ts';
import { type DetailFold, detailFold, type ListFold, type TotalFold, totalFold } from './folds.ts';
import { confirmationShape, shapeOf } from './map.ts';
import { askAgain, page, type Paged, type PagedQuery } from './paging.ts';
import { complianceCountExpression, directoryOf, pageSize } from './queries.ts';
import { keepsCompliance, type RecorderState } from './recorders.ts';

export const ruleName = (item: JsonObject): string | null => text(item['ConfigRuleName']);

/** What is deployed, when each rule was last evaluated, what each came to. */
export interface RuleLists {
  readonly rules: Paged<ListFold>;
  readonly statuses: Paged<ListFold>;
  readonly compliance: Paged<ListFold>;
}

export function requestOf(
  context: RegionContext,
  operation: string,
  name: string,
  types: readonly string[],
): PagedQuery<ListFold>['request'] {
  return {
    scope: directoryOf(context.account, context.region),
    name,
    shape: shapeOf(operation),
    text: null,
    endpoint: context.endpoint,
    identity: context.identity,
    types,
  };
}

/** A name for a directory: rule names may hold what file names may not, and may be long. */
export function directoryName(prefix: string, name: string): string {
  const plain = /^[A-Za-z0-9_-]{1,80}$/.test(name);
  return plain
    ? `${prefix}.${name}`
    : `${prefix}.${name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 60)}.${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}

/**
 * The provider's own count of the resources a rule has judged; null where it keeps none (nothing judged, or not recorded). Where it ought
 * to keep one of `judged` resources and none comes, `unhad` says why.
 */
async function countJudged(
  context: RegionContext,
  rule: string,
  judged: number,
  queries: string[],
  unhad: Reason[],
): Promise<IndependentCount | null> {
  const expression = complianceCountExpression(rule);
  if (expression === null) return null;
  const counting: PagedQuery<TotalFold> = {
    operation: 'SelectResourceConfig',
    input: { Expression: expression },
    tokenField: 'NextToken',
    request: {
      ...requestOf(context, 'SelectResourceConfig', `${directoryName('Rule', rule)}.count-${queries.length}`, []),
      shape: confirmationShape,
      text: expression,
    },
    fold: () => totalFold(Math.min(1, judged)),
  };
  const answer = await page(context.paging, counting);
  // A count that could not be had is no gap in the results: they are then compared with a second asking.
  if (answer.status === 'complete') queries.push(answer.directory);
  else {
    const named = answer.reasons.some(({ code }) => code === 'count-missing');
    const missing: Reason = { code: 'count-missing', message: `the provider's own count of what ${rule} judged could not be had` };
    unhad.push(...(named ? [] : [missing]), ...answer.reasons);
  }
  const found = answer.status === 'complete' ? answer.fold.total() : null;
  if (found === null || found.count === 0) return null;
  return {
    count: found.count,
    source: 'AWS Config resource compliance items',
    citation: { file: found.file, pointer: found.pointer, encoding: 'json-string' },
  };
}

export interface RuleResult {
  readonly status: LedgerStatus;
  readonly held: number;
  /** Null where the provider keeps no count of what the rule has judged. */
  readonly count: IndependentCount | null;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly reasons: Reason[];
  readonly queries: string[];
}

export async function ruleResult(
  context: RegionContext,
  identifier: string,
  rule: JsonObject,
  lists: RuleLists,
  recorders: RecorderState,
): Promise<RuleResult> {
  const name = ruleName(rule) ?? '';
  const query: PagedQuery<DetailFold> = {
    operation: 'GetComplianceDetailsByConfigRule',
    input: { ConfigRuleName: name, Limit: pageSize },
    tokenField: 'NextToken',
    request: requestOf(context, 'GetComplianceDetailsByConfigRule', directoryName('Rule', name), [`verdict:${identifier}`]),
    fold: () => detailFold('EvaluationResults'),
  };
  const compliance = lists.compliance.fold.items.find((item) => ruleName(item) === name);
  const status = lists.statuses.fold.items.find((item) => ruleName(item) === name);
  let count: IndependentCount | null = null;
  let unhad: Reason[] = [];
  const settled = await settle(context, query, async (details, queries) => {
    const summarised = disagreement(name, compliance, details.fold);
    if (summarised !== null) return summarised;
    unhad = [];
    const verdicts = details.fold.verdicts();
    const judged = keepsCompliance(recorders) ? (verdicts.get('COMPLIANT') ?? 0) + (verdicts.get('NON_COMPLIANT') ?? 0) : 0;
    const counted = await countJudged(context, name, judged, queries, unhad);
    // What does not apply has no compliance item: it is counted by its result.
    count = counted === null ? null : { ...counted, count: counted.count + (verdicts.get('NOT_APPLICABLE') ?? 0) };
    if (count === null) return spansPages(details) ? confirm(context, query, details, queries) : null;
    const held = details.fold.total();
    return count.count === held
      ? null
      : { code: 'count-mismatch', message: `${name}: ${held} results are held, the provider keeps ${count.count} judged resources` };
  });
  const { details, queries } = settled;
  const reasons: Reason[] = [...details.reasons, ...settled.doubt, ...unhad];
  const states: LedgerStatus[] = [details.status, settled.doubt.length > 0 ? 'partial' : 'complete'];
  for (const problem of evaluationProblems(name, rule, status, compliance)) {
    states.push(problem.status);
    reasons.push(problem.reason);
  }
  return { status: worst(states), held: details.fold.total(), count, ...details.fold.freshness(), reasons, queries };
}

export interface Settled {
  readonly details: Paged<DetailFold>;
  readonly queries: string[];
  readonly doubt: Reason[];
}

/** Asks until nothing speaks against the answer, a bounded number of times. */
export async function settle(
  context: RegionContext,
  query: PagedQuery<DetailFold>,
  against: (details: Paged<DetailFold>, queries: string[]) => Promise<Reason | null>,
): Promise<Settled> {
  let details = await page(context.paging, query);
  const queries = [details.directory];
  for (let round = 0; details.status === 'complete' && !context.paging.signal.aborted; round += 1) {
    const doubt = await against(details, queries);
    if (doubt === null) break;
    if (round >= context.paging.requeries) {
      await details.writer.finish('partial', [doubt]);
      return { details, queries, doubt: [doubt] };
    }
    details = await askAgain(context.paging, query, details, doubt);
  }
  return { details, queries, doubt: [] };
}

/** Page size of a second asking: its pages hold other rows than the first's, so that two answers that each lost a page differ. */
const confirmingPageSize = pageSize - 1;

/** The second asking for what `query` asks, the `round`th of it. */
export function askSecondTime(context: RegionContext, query: PagedQuery<DetailFold>, round: number): Promise<Paged<DetailFold>> {
  return page(context.paging, {
    ...query,
    input: { ...query.input, Limit: confirmingPageSize },
    request: { ...query.request, name: `${query.request.name}.again-${round}`, shape: confirmationShape, types: [] },
  });
}

/** Asks a second time: no count says how many results there should be, so a lost page shows only by comparison. `begun`: it is asked already. */
export async function confirm(
  context: RegionContext,
  query: PagedQuery<DetailFold>,
  details: Paged<DetailFold>,
  queries: string[],
  begun?: Promise<Paged<DetailFold>>,
): Promise<Reason | null> {
  if (details.status !== 'complete') return null;
  const second = await (begun ?? askSecondTime(context, query, queries.length));
  queries.push(second.directory);
  if (second.status === 'complete' && second.fold.fingerprint() === details.fold.fingerprint()) return null;
  return second.reasons[0] ?? { code: 'count-mismatch', message: `two askings for the results in ${query.request.name} differ` };
}

/** A rule's results on one page are held against the rule's own summary; results that span pages are asked for twice. */
function spansPages(details: Paged<DetailFold>): boolean {
  return details.writer.query.pages.length > 1;
}

/** The summary of a rule against the results held for it. */
function disagreement(name: string, compliance: JsonObject | undefined, details: DetailFold): Reason | null {
  const summary = compliance?.['Compliance'];
  const type = isJsonObject(summary) ? summary['ComplianceType'] : undefined;
  const contributors = isJsonObject(summary) ? summary['ComplianceContributorCount'] : undefined;
  const failing = details.verdicts().get('NON_COMPLIANT') ?? 0;
  const compliant = details.verdicts().get('COMPLIANT') ?? 0;
  const differ = (message: string): Reason => ({ code: 'count-mismatch', message: `${name}: ${message}` });
  if (type === 'COMPLIANT' && (failing > 0 || compliant === 0))
    return differ(`summarised as COMPLIANT, but ${failing} NON_COMPLIANT and ${compliant} COMPLIANT results are held`);
  if (type !== 'NON_COMPLIANT') return null;
  const capped = isJsonObject(contributors) ? contributors['CappedCount'] : undefined;
  if (typeof capped !== 'number') return failing > 0 ? null : differ('summarised as NON_COMPLIANT, but no such result is held');
  const exceeded = isJsonObject(contributors) && contributors['CapExceeded'] === true;
  if (exceeded ? failing >= capped : failing === capped) return null;
  return differ(`${failing} NON_COMPLIANT results are held, the provider counts ${capped}${exceeded ? ' or more' : ''}`);
}

function evaluationProblems(
  name: string,
  rule: JsonObject,
  status: JsonObject | undefined,
  compliance: JsonObject | undefined,
): { status: LedgerStatus; reason: Reason }[] {
  const problems: { status: LedgerStatus; reason: Reason }[] = [];
  const state = text(rule['ConfigRuleState']);
  if (state !== null && state !== 'ACTIVE' && state !== 'EVALUATING')
    problems.push({ status: 'partial', reason: { code: 'rule-not-active', message: `the rule ${name} is in the state ${state}` } });

  const succeeded = instant(status?.['LastSuccessfulEvaluationTime']);
  const failed = instant(status?.['LastFailedEvaluationTime']);
  const error = [text(status?.['LastErrorCode']), text(status?.['LastErrorMessage'])].filter((part) => part !== null).join(': ');
  if (status === undefined)
    problems.push({
      status: 'partial',
      reason: { code: 'rule-status-unknown', message: `when the rule ${name} was last evaluated is not known` },
    });
  else if (succeeded === null)
    problems.push({
      status: 'partial',
      reason: {
        code: 'rule-never-evaluated',
        message: `the rule ${name} has never been evaluated successfully${error === '' ? '' : ` (${error})`}`,
      },
    });
  else if (failed !== null && failed > succeeded)
    problems.push({
      status: 'stale',
      reason: {
        code: 'rule-evaluation-failed',
        message: `the last evaluation of ${name} failed at ${failed}${error === '' ? '' : ` (${error})`}; its results are of ${succeeded}`,
      },
    });

  const summary = compliance?.['Compliance'];
  const type = isJsonObject(summary) ? text(summary['ComplianceType']) : null;
  if (type === null)
    problems.push({
      status: 'partial',
      reason: { code: 'rule-status-unknown', message: `the provider gives no summary for the rule ${name}` },
    });
  else if (type === 'INSUFFICIENT_DATA')
    problems.push({
      status: 'partial',
      reason: {
        code: 'insufficient-data',
        message: `the rule ${name} reports INSUFFICIENT_DATA: never run, failed, or nothing in its scope`,
      },
    });
  else if (type !== 'COMPLIANT' && type !== 'NON_COMPLIANT' && type !== 'NOT_APPLICABLE')
    problems.push({
      status: 'partial',
      reason: { code: 'rule-status-unknown', message: `the rule ${name} reports ${type}, which is not known` },
    });
  return problems;
}
