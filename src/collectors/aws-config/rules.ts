import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject, type LedgerEntry, type LedgerStatus, type Reason } from '../../model/index.ts';
import { instant, text } from './document.ts';
import { emptyEntry, type RegionContext, worst } from './entries.ts';
import { type DetailFold, detailFold, type ListFold, listFold } from './folds.ts';
import { confirmationShape, evaluationOf, shapeOf } from './map.ts';
import { askAgain, page, type Paged, type PagedQuery } from './paging.ts';
import { directoryOf, pageSize } from './queries.ts';
import type { RecorderState } from './recorders.ts';

const ruleName = (item: JsonObject): string | null => text(item['ConfigRuleName']);

interface RuleLists {
  readonly rules: Paged<ListFold>;
  readonly statuses: Paged<ListFold>;
  readonly compliance: Paged<ListFold>;
}

function listQuery(context: RegionContext, operation: PagedQuery<ListFold>['operation'], list: string, key: (item: JsonObject) => string | null, input: JsonObject = {}, name: string = operation): PagedQuery<ListFold> {
  return {
    operation,
    input,
    tokenField: 'NextToken',
    request: { scope: directoryOf(context.account, context.region), name, shape: shapeOf(operation), text: null, endpoint: context.endpoint, identity: context.identity, types: [] },
    fold: () => listFold(list, key),
  };
}

/** A name for a directory: rule names may hold what file names may not, and may be long. */
function directoryName(prefix: string, name: string): string {
  const plain = /^[A-Za-z0-9_-]{1,80}$/.test(name);
  return plain ? `${prefix}.${name}` : `${prefix}.${name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 60)}.${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}

/**
 * The three lists of rules: what is deployed, when each was last evaluated, what each came to. Every rule of the other two
 * must be among the deployed, else the first list lost something and all are asked again, a bounded number of times.
 */
async function ruleLists(context: RegionContext): Promise<{ lists: RuleLists; disagreement: Reason[] }> {
  const queries = {
    rules: listQuery(context, 'DescribeConfigRules', 'ConfigRules', ruleName),
    statuses: listQuery(context, 'DescribeConfigRuleEvaluationStatus', 'ConfigRulesEvaluationStatus', ruleName),
    compliance: listQuery(context, 'DescribeComplianceByConfigRule', 'ComplianceByConfigRules', ruleName),
  };
  const [rules, statuses, compliance] = await Promise.all([page(context.paging, queries.rules), page(context.paging, queries.statuses), page(context.paging, queries.compliance)]);
  let lists: RuleLists = { rules, statuses, compliance };
  for (let round = 0; ; round += 1) {
    const reason = unlisted(lists);
    if (reason === null) return { lists, disagreement: [] };
    if (round >= context.paging.requeries) return { lists, disagreement: [reason] };
    lists = {
      rules: await askAgain(context.paging, queries.rules, lists.rules, reason),
      statuses: await askAgain(context.paging, queries.statuses, lists.statuses, reason),
      compliance: await askAgain(context.paging, queries.compliance, lists.compliance, reason),
    };
  }
}

function unlisted(lists: RuleLists): Reason | null {
  if (lists.rules.status !== 'complete') return null;
  const known = new Set(lists.rules.fold.items.map(ruleName));
  const missing = [...lists.statuses.fold.items, ...lists.compliance.fold.items].map(ruleName).find((name) => !known.has(name));
  return missing === undefined ? null : { code: 'count-mismatch', message: `the rule ${String(missing)} has results but is not among the deployed rules: the lists do not agree` };
}

/** Entries `verdict:<RULE>` for every managed rule that is needed, and one for the conformance packs. */
export async function collectRules(context: RegionContext, identifiers: readonly string[], recorders: RecorderState): Promise<LedgerEntry[]> {
  if (identifiers.length === 0) return [];
  const [{ lists, disagreement }, packs] = await Promise.all([ruleLists(context), collectPacks(context)]);
  const entries = await Promise.all(identifiers.map((identifier) => context.limit(() => verdictEntry(context, identifier, lists, disagreement, recorders))));
  return [...entries, packs];
}

async function verdictEntry(context: RegionContext, identifier: string, lists: RuleLists, disagreement: readonly Reason[], recorders: RecorderState): Promise<LedgerEntry> {
  const entry = emptyEntry(context, `verdict:${identifier}`);
  const listed = [lists.rules, lists.statuses, lists.compliance];
  const queries = listed.map((list) => list.directory);
  const listReasons = [...listed.flatMap((list) => list.reasons), ...disagreement];
  const deployed = lists.rules.fold.items.filter((rule) => isManaged(rule, identifier));
  if (deployed.length === 0) {
    if (lists.rules.status !== 'complete' || disagreement.length > 0) {
      const status = lists.rules.status === 'complete' ? 'partial' : lists.rules.status;
      return { ...entry, status, reasons: listReasons, queries };
    }
    const reason: Reason = { code: 'rule-not-deployed', message: `no rule with the managed identifier ${identifier} is deployed in ${context.account} ${context.region}` };
    return { ...entry, status: 'not-recorded', reasons: [reason], queries };
  }

  const results: RuleResult[] = [];
  for (const rule of deployed) results.push(await ruleResult(context, identifier, rule, lists));
  const listStatus: LedgerStatus = listed.every((list) => list.status === 'complete') && disagreement.length === 0 ? 'complete' : 'partial';
  const recorderStale = recorderProblem(recorders);
  const times = results.flatMap((result) => [result.oldest, result.newest]).filter((time) => time !== null).sort();
  return {
    ...entry,
    status: worst([listStatus, recorderStale === null ? 'complete' : 'stale', ...results.map((result) => result.status)]),
    held: results.reduce((sum, result) => sum + result.held, 0),
    freshness: { oldest: times[0] ?? null, newest: times.at(-1) ?? null },
    reasons: [...listReasons, ...(recorderStale === null ? [] : [recorderStale]), ...results.flatMap((result) => result.reasons)],
    queries: [...queries, ...results.flatMap((result) => result.queries)],
  };
}

function isManaged(rule: JsonObject, identifier: string): boolean {
  const source = rule['Source'];
  return isJsonObject(source) && source['Owner'] === 'AWS' && source['SourceIdentifier'] === identifier;
}

/** Rules judge what the recorder recorded: where none is running, their results tell of the past. */
function recorderProblem(state: RecorderState): Reason | null {
  if (state.recorders.length === 0) return state.unread[0] ?? { code: 'no-recorder', message: 'AWS Config has no configuration recorder here: rules judge nothing' };
  if (state.recorders.some((recorder) => recorder.recording === true)) return null;
  return { code: 'recorder-stopped', message: 'no configuration recorder is running: rule results tell of an earlier state' };
}

interface RuleResult {
  readonly status: LedgerStatus;
  readonly held: number;
  readonly oldest: string | null;
  readonly newest: string | null;
  readonly reasons: Reason[];
  readonly queries: string[];
}

async function ruleResult(context: RegionContext, identifier: string, rule: JsonObject, lists: RuleLists): Promise<RuleResult> {
  const name = ruleName(rule) ?? '';
  const query: PagedQuery<DetailFold> = {
    operation: 'GetComplianceDetailsByConfigRule',
    input: { ConfigRuleName: name, Limit: pageSize },
    tokenField: 'NextToken',
    request: {
      scope: directoryOf(context.account, context.region),
      name: directoryName('Rule', name),
      shape: shapeOf('GetComplianceDetailsByConfigRule'),
      text: null,
      endpoint: context.endpoint,
      identity: context.identity,
      types: [`verdict:${identifier}`],
    },
    fold: detailFold,
  };
  const compliance = lists.compliance.fold.items.find((item) => ruleName(item) === name);
  const status = lists.statuses.fold.items.find((item) => ruleName(item) === name);
  let details = await page(context.paging, query);
  const queries = [details.directory];

  let confirmed = await confirm(context, query, details, queries);
  for (let round = 0; round < context.paging.requeries && details.status === 'complete'; round += 1) {
    const doubt = disagreement(name, compliance, details.fold) ?? confirmed;
    if (doubt === null) break;
    details = await askAgain(context.paging, query, details, doubt);
    confirmed = await confirm(context, query, details, queries);
  }
  const reasons: Reason[] = [...details.reasons];
  const states: LedgerStatus[] = [details.status];
  const doubt = details.status === 'complete' ? (disagreement(name, compliance, details.fold) ?? confirmed) : null;
  if (doubt !== null) {
    states.push('partial');
    reasons.push(doubt);
    await details.writer.finish('partial', [doubt]);
  }
  for (const problem of evaluationProblems(name, rule, status, compliance)) {
    states.push(problem.status);
    reasons.push(problem.reason);
  }
  return { status: worst(states), held: details.fold.total(), ...details.fold.freshness(), reasons, queries };
}

/** Results that span pages are asked for twice: no count says how many there should be, so a lost page shows only by comparison. */
async function confirm(context: RegionContext, query: PagedQuery<DetailFold>, details: Paged<DetailFold>, queries: string[]): Promise<Reason | null> {
  if (details.status !== 'complete' || details.writer.query.pages.length < 2) return null;
  const again: PagedQuery<DetailFold> = { ...query, request: { ...query.request, name: `${query.request.name}.again-${queries.length}`, shape: confirmationShape, types: [] } };
  const second = await page(context.paging, again);
  queries.push(second.directory);
  if (second.status === 'complete' && second.fold.fingerprint() === details.fold.fingerprint()) return null;
  return second.reasons[0] ?? { code: 'count-mismatch', message: `two askings for the results of ${String(query.input['ConfigRuleName'])} differ` };
}

/** The summary of a rule against the results held for it. */
function disagreement(name: string, compliance: JsonObject | undefined, details: DetailFold): Reason | null {
  const summary = compliance?.['Compliance'];
  const type = isJsonObject(summary) ? summary['ComplianceType'] : undefined;
  const contributors = isJsonObject(summary) ? summary['ComplianceContributorCount'] : undefined;
  const failing = details.verdicts().get('NON_COMPLIANT') ?? 0;
  const compliant = details.verdicts().get('COMPLIANT') ?? 0;
  const differ = (message: string): Reason => ({ code: 'count-mismatch', message: `${name}: ${message}` });
  if (type === 'COMPLIANT' && (failing > 0 || compliant === 0)) return differ(`summarised as COMPLIANT, but ${failing} NON_COMPLIANT and ${compliant} COMPLIANT results are held`);
  if (type !== 'NON_COMPLIANT') return null;
  const capped = isJsonObject(contributors) ? contributors['CappedCount'] : undefined;
  if (typeof capped !== 'number') return failing > 0 ? null : differ('summarised as NON_COMPLIANT, but no such result is held');
  const exceeded = isJsonObject(contributors) && contributors['CapExceeded'] === true;
  if (exceeded ? failing >= capped : failing === capped) return null;
  return differ(`${failing} NON_COMPLIANT results are held, the provider counts ${capped}${exceeded ? ' or more' : ''}`);
}

function evaluationProblems(name: string, rule: JsonObject, status: JsonObject | undefined, compliance: JsonObject | undefined): { status: LedgerStatus; reason: Reason }[] {
  const problems: { status: LedgerStatus; reason: Reason }[] = [];
  const state = text(rule['ConfigRuleState']);
  if (state !== null && state !== 'ACTIVE' && state !== 'EVALUATING') problems.push({ status: 'partial', reason: { code: 'rule-not-active', message: `the rule ${name} is in the state ${state}` } });

  const succeeded = instant(status?.['LastSuccessfulEvaluationTime']);
  const failed = instant(status?.['LastFailedEvaluationTime']);
  const error = [text(status?.['LastErrorCode']), text(status?.['LastErrorMessage'])].filter((part) => part !== null).join(': ');
  if (status === undefined) problems.push({ status: 'partial', reason: { code: 'rule-status-unknown', message: `when the rule ${name} was last evaluated is not known` } });
  else if (succeeded === null) problems.push({ status: 'partial', reason: { code: 'rule-never-evaluated', message: `the rule ${name} has never been evaluated successfully${error === '' ? '' : ` (${error})`}` } });
  else if (failed !== null && failed > succeeded) problems.push({ status: 'stale', reason: { code: 'rule-evaluation-failed', message: `the last evaluation of ${name} failed at ${failed}${error === '' ? '' : ` (${error})`}; its results are of ${succeeded}` } });

  const summary = compliance?.['Compliance'];
  const type = isJsonObject(summary) ? text(summary['ComplianceType']) : null;
  if (type === null) problems.push({ status: 'partial', reason: { code: 'rule-status-unknown', message: `the provider gives no summary for the rule ${name}` } });
  else if (type === 'INSUFFICIENT_DATA') problems.push({ status: 'partial', reason: { code: 'insufficient-data', message: `the rule ${name} reports INSUFFICIENT_DATA: never run, failed, or nothing in its scope` } });
  else if (type !== 'COMPLIANT' && type !== 'NON_COMPLIANT' && type !== 'NOT_APPLICABLE') problems.push({ status: 'partial', reason: { code: 'rule-status-unknown', message: `the rule ${name} reports ${type}, which is not known` } });
  return problems;
}

/** Conformance packs and their results: kept as evidence of what is deployed; their rules' results are collected rule by rule. */
async function collectPacks(context: RegionContext): Promise<LedgerEntry> {
  const packs = await page(context.paging, listQuery(context, 'DescribeConformancePacks', 'ConformancePackDetails', (item) => text(item['ConformancePackName'])));
  const details: Paged<ListFold>[] = [];
  for (const pack of packs.fold.items) {
    const name = text(pack['ConformancePackName']) ?? '';
    const key = (item: JsonObject): string | null => {
      const evaluation = evaluationOf(item);
      return evaluation === null ? null : `${evaluation.rule} ${evaluation.resourceType} ${evaluation.resourceId}`;
    };
    details.push(
      await page(context.paging, listQuery(context, 'GetConformancePackComplianceDetails', 'ConformancePackRuleEvaluationResults', key, { ConformancePackName: name, Limit: pageSize }, directoryName('ConformancePack', name))),
    );
  }
  const all = [packs, ...details];
  return {
    ...emptyEntry(context, 'conformance-packs'),
    status: worst(all.map((one) => one.status)),
    held: details.reduce((sum, one) => sum + one.fold.items.length, 0),
    reasons: all.flatMap((one) => one.reasons),
    queries: all.map((one) => one.directory),
  };
}
