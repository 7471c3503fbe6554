import pLimit from 'p-limit';
import {
  type IndependentCount,
  isJsonObject,
  type JsonObject,
  type LedgerEntry,
  type LedgerStatus,
  type Reason,
} from '../../model/index.ts';
import { text } from './document.ts';
import { emptyEntry, type RegionContext, worst } from './entries.ts';
import { type DetailFold, detailFold, type ListFold, listFold } from './folds.ts';
import { askAgain, page, type PagedQuery } from './paging.ts';
import { pageSize } from './queries.ts';
import type { RecorderState } from './recorders.ts';
import {
  askSecondTime,
  confirm,
  directoryName,
  requestOf,
  type RuleLists,
  ruleName,
  type RuleResult,
  ruleResult,
  type Settled,
  settle,
} from './rule-results.ts';

function listQuery(
  context: RegionContext,
  operation: PagedQuery<ListFold>['operation'],
  list: string,
  key: (item: JsonObject) => string | null,
): PagedQuery<ListFold> {
  return {
    operation,
    input: {},
    tokenField: 'NextToken',
    request: requestOf(context, operation, operation, []),
    fold: () => listFold(list, key),
  };
}

/**
 * The three lists of rules: what is deployed, when each was last evaluated, what each came to. They must name the same rules,
 * else one of them lost something and all are asked again, a bounded number of times. A rule that is then still not among
 * the deployed puts all in doubt; one that lacks its status or summary, only itself.
 */
async function ruleLists(context: RegionContext): Promise<{ lists: RuleLists; disagreement: Reason[] }> {
  const queries = {
    rules: listQuery(context, 'DescribeConfigRules', 'ConfigRules', ruleName),
    statuses: listQuery(context, 'DescribeConfigRuleEvaluationStatus', 'ConfigRulesEvaluationStatus', ruleName),
    compliance: listQuery(context, 'DescribeComplianceByConfigRule', 'ComplianceByConfigRules', ruleName),
  };
  const [rules, statuses, compliance] = await Promise.all([
    page(context.paging, queries.rules),
    page(context.paging, queries.statuses),
    page(context.paging, queries.compliance),
  ]);
  let lists: RuleLists = { rules, statuses, compliance };
  for (let round = 0; ; round += 1) {
    const missing = unlisted(lists);
    const reason = missing ?? incomplete(lists);
    if (reason === null || context.paging.signal.aborted) return { lists, disagreement: [] };
    if (round >= context.paging.requeries) return { lists, disagreement: missing === null ? [] : [missing] };
    lists = {
      rules: await askAgain(context.paging, queries.rules, lists.rules, reason),
      statuses: await askAgain(context.paging, queries.statuses, lists.statuses, reason),
      compliance: await askAgain(context.paging, queries.compliance, lists.compliance, reason),
    };
  }
}

function incomplete(lists: RuleLists): Reason | null {
  if ([lists.rules, lists.statuses, lists.compliance].some((list) => list.status !== 'complete')) return null;
  const [evaluated, summarised] = [lists.statuses, lists.compliance].map((list) => new Set(list.fold.items.map(ruleName)));
  const name = lists.rules.fold.items.map(ruleName).find((one) => evaluated?.has(one) !== true || summarised?.has(one) !== true);
  return name === undefined
    ? null
    : {
        code: 'count-mismatch',
        message: `the rule ${String(name)} is deployed, but lacks its status or its summary: the lists do not agree`,
      };
}

function unlisted(lists: RuleLists): Reason | null {
  if (lists.rules.status !== 'complete') return null;
  const known = new Set(lists.rules.fold.items.map(ruleName));
  const missing = [...lists.statuses.fold.items, ...lists.compliance.fold.items].map(ruleName).find((name) => !known.has(name));
  return missing === undefined
    ? null
    : {
        code: 'count-mismatch',
        message: `the rule ${String(missing)} has results but is not among the deployed rules: the lists do not agree`,
      };
}

/** Entries `verdict:<RULE>` for every managed rule that is needed, and one for the conformance packs. */
export async function collectRules(
  context: RegionContext,
  identifiers: readonly string[],
  recorders: RecorderState,
): Promise<LedgerEntry[]> {
  if (identifiers.length === 0) return [];
  const [{ lists, disagreement }, packs] = await Promise.all([ruleLists(context), collectPacks(context)]);
  const entries = await Promise.all(
    identifiers.map((identifier) => context.limit(() => verdictEntry(context, identifier, lists, disagreement, recorders))),
  );
  return [...entries, packs];
}

async function verdictEntry(
  context: RegionContext,
  identifier: string,
  lists: RuleLists,
  disagreement: readonly Reason[],
  recorders: RecorderState,
): Promise<LedgerEntry> {
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
    const reason: Reason = {
      code: 'rule-not-deployed',
      message: `no rule with the managed identifier ${identifier} is deployed in ${context.account} ${context.region}`,
    };
    return { ...entry, status: 'not-recorded', reasons: [reason], queries };
  }

  const results: RuleResult[] = [];
  for (const rule of deployed) results.push(await ruleResult(context, identifier, rule, lists, recorders));
  const listStatus: LedgerStatus = listed.every((list) => list.status === 'complete') && disagreement.length === 0 ? 'complete' : 'partial';
  const recorderStale = recorderProblem(recorders);
  const times = results
    .flatMap((result) => [result.oldest, result.newest])
    .filter((time) => time !== null)
    .sort();
  return {
    ...entry,
    status: worst([listStatus, recorderStale === null ? 'complete' : 'stale', ...results.map((result) => result.status)]),
    held: results.reduce((sum, result) => sum + result.held, 0),
    count: total(results.map((result) => result.count)),
    freshness: { oldest: times[0] ?? null, newest: times.at(-1) ?? null },
    reasons: [...listReasons, ...(recorderStale === null ? [] : [recorderStale]), ...results.flatMap((result) => result.reasons)],
    queries: [...queries, ...results.flatMap((result) => result.queries)],
  };
}

/** The counts of all deployments of a rule together; null where one of them has none. */
function total(counts: readonly (IndependentCount | null)[]): IndependentCount | null {
  const [first] = counts;
  if (first === undefined || first === null) return null;
  return counts.reduce<IndependentCount | null>(
    (sum, one, index) => (index === 0 ? one : sum === null || one === null ? null : { ...sum, count: sum.count + one.count }),
    first,
  );
}

function isManaged(rule: JsonObject, identifier: string): boolean {
  const source = rule['Source'];
  return isJsonObject(source) && source['Owner'] === 'AWS' && source['SourceIdentifier'] === identifier;
}

/** Rules judge what the recorder recorded: where none is running, their results tell of the past. */
function recorderProblem(state: RecorderState): Reason | null {
  if (state.recorders.length === 0)
    return state.unread[0] ?? { code: 'no-recorder', message: 'AWS Config has no configuration recorder here: rules judge nothing' };
  if (state.recorders.some((recorder) => recorder.recording === true)) return null;
  return { code: 'recorder-stopped', message: 'no configuration recorder is running: rule results tell of an earlier state' };
}

/** Packs that are asked about at once, each twice. */
const packsInFlight = 2;

/** The results of a pack, and a second asking for them beside it: no count says how many there should be. */
async function packResults(context: RegionContext, name: string): Promise<Settled> {
  const query: PagedQuery<DetailFold> = {
    operation: 'GetConformancePackComplianceDetails',
    input: { ConformancePackName: name, Limit: pageSize },
    tokenField: 'NextToken',
    request: requestOf(context, 'GetConformancePackComplianceDetails', directoryName('ConformancePack', name), []),
    fold: () => detailFold('ConformancePackRuleEvaluationResults'),
  };
  const second = askSecondTime(context, query, 1);
  let begun: typeof second | undefined = second;
  const [settled, { directory }] = await Promise.all([
    settle(context, query, (details, queries) => {
      const first = begun;
      begun = undefined;
      return confirm(context, query, details, queries, first);
    }),
    second,
  ]);
  return { ...settled, queries: [...new Set([...settled.queries, directory])] };
}

/** Conformance packs and their results: kept as evidence of what is deployed; their rules' results are collected rule by rule. */
async function collectPacks(context: RegionContext): Promise<LedgerEntry> {
  const packs = await page(
    context.paging,
    listQuery(context, 'DescribeConformancePacks', 'ConformancePackDetails', (item) => text(item['ConformancePackName'])),
  );
  const limit = pLimit(packsInFlight);
  const settled = await Promise.all(
    packs.fold.items.map((pack) => limit(() => packResults(context, text(pack['ConformancePackName']) ?? ''))),
  );
  return {
    ...emptyEntry(context, 'conformance-packs'),
    status: worst([
      packs.status,
      ...settled.flatMap(({ details, doubt }) => [details.status, doubt.length > 0 ? ('partial' as const) : ('complete' as const)]),
    ]),
    held: settled.reduce((sum, { details }) => sum + details.fold.total(), 0),
    reasons: [...packs.reasons, ...settled.flatMap(({ details, doubt }) => [...details.reasons, ...doubt])],
    queries: [packs.directory, ...settled.flatMap(({ queries }) => queries)],
  };
}
