import {
  type Citation,
  type Control,
  emptyCounts,
  type Observation,
  type Provider,
  type ProviderVerdict,
  type Reason,
  type ReconciliationRow,
  type Resource,
  type Scope,
  scopeKey,
  type Status,
  type StatusCounts,
  type Subject,
} from '../../model/index.ts';
import { aggregator, decideGroup } from './aggregate.ts';
import type { Freshness } from './freshness.ts';
import { accountSubject, isAccountWide, judgeVerdict } from './native.ts';
import { checkNames, observationId, observationLine } from './observations.ts';
import type { Lines } from './result-files.ts';
import { placeName, type Population, unique, type Unit } from './population.ts';
import { emptyTally, reconcile, type Tally } from './reconcile.ts';
import { gapLine, ledgerCitations } from './scope-gap.ts';
import { citationJson, type JudgedSubject } from './subject.ts';
import type { Aggregate, CheckOutcome, ConditionCheck, EvaluationEnvironment, VerdictCheck } from '../types.ts';
import { subjectOfResult } from './verdict-resource.ts';
import type { ResultBooks } from './verdict-subjects.ts';
import type { WaiverBook } from './waivers.ts';

export interface JudgeContext {
  readonly population: Population;
  readonly environment: EvaluationEnvironment;
  readonly waivers: WaiverBook;
  readonly freshness: Freshness;
}

/** A finished check: what its control is rolled up from. */
export interface CheckResult {
  readonly counts: StatusCounts;
  readonly gaps: number;
  excluded: number;
  waived: number;
  readonly provenEmpty: boolean;
  readonly reasons: Reason[];
  readonly rows: ReconciliationRow[];
  readonly lines: Lines;
  /** Observation id → reason: judged once, then met again with other contents. Settled when the observations are ended (see conflicts.ts). */
  readonly conflicts: ReadonlyMap<string, Conflict>;
  /** Moves a contradicted observation to unknown in the books; null where it had been excluded. */
  settleConflict(conflict: Conflict, observation: Observation | null): void;
}

export interface Conflict {
  readonly reason: string;
  readonly unit: Unit;
  /** See ObservationParts. */
  readonly head: string;
  /** The observation to write where none was written (the first one was excluded). */
  readonly parts: JudgedSubject;
}

export interface CheckJudge {
  /** Ledger types whose records the check judges. */
  readonly types: readonly string[];
  judge(subject: JudgedSubject): void;
  verdict(verdict: ProviderVerdict): void;
  /** The record was met before with other contents: neither version can be relied on. */
  conflict(subject: JudgedSubject, earlier: Resource): void;
  finish(): CheckResult;
}

/** The ledger's name for the verdicts of a rule; GUIDs are entered in lower case. */
export function verdictType(provider: Provider, rule: string): string {
  return `verdict:${provider === 'azure' ? rule.toLowerCase() : rule}`;
}

const notCritical = 'not critical';
const judgedTogether = 'judged together, see the observation of the scope';
/** Of results about a resource of the inventory, where results about parts are observed one by one. */
export const judgedWithResource = 'judged together, see the observation of the resource';

/** Runs one automated check over the subjects that are handed to it and keeps its books. */
export function checkJudge(
  control: Control,
  check: ConditionCheck | VerdictCheck,
  lines: Lines,
  context: JudgeContext,
  books?: ResultBooks,
): CheckJudge {
  const { population, environment, waivers } = context;
  const provider: Provider = control.provider;
  const types = check.kind === 'condition' ? check.on : [verdictType(provider, check.rule)];
  const names = checkNames(control.id, check.id);
  const { head } = names;
  const tallies = new Map<Unit, Tally>();
  const counts = emptyCounts();
  const conflicts = new Map<string, Conflict>();
  const groups = check.kind === 'condition' && check.aggregate ? aggregator(check.aggregate) : null;
  /** Accounts that a native rule judged as a whole. */
  const accountWide = new Set<string>();
  /** Deployments whose verdict is on the account itself, by unit; null where others are among them. */
  const accountVerdicts = new Map<Unit, Set<string> | null>();
  let gaps = 0;
  let waivedGroups = 0;

  const tallyOf = (unit: Unit): Tally => {
    let tally = tallies.get(unit);
    if (!tally) tallies.set(unit, (tally = emptyTally()));
    return tally;
  };

  function write(
    subject: Subject,
    subjectJson: string,
    status: Status,
    reason: string,
    leaves: CheckOutcome['leaves'],
    citationsJson: string,
    method: Observation['method'] = 'TEST',
    waiver?: string,
  ): void {
    const id = observationId(control.id, check.id, subject);
    lines.write(observationLine({ id, head, subjectJson, status, reason, leaves, citationsJson, method, waiver }));
  }

  function settle(one: JudgedSubject, outcome: CheckOutcome): void {
    const tally = tallyOf(one.unit);
    // Only what says "all is well" needs the evidence to be young; an old fail is still a fail seen.
    const aged = one.stale !== null && (outcome.status === 'pass' || outcome.status === 'notapplicable');
    const status = aged ? 'unknown' : outcome.status;
    const reason = aged ? `Too old to rely on: ${one.stale.message}.` : outcome.reason;
    tally[status] += 1;
    counts[status] += 1;
    const waiver = status === 'fail' ? waivers.apply(control.id, one.resource.uid) : undefined;
    if (waiver !== undefined) tally.waived += 1;
    let citations = one.citationJson;
    for (const joined of outcome.joined) citations += `,${citationJson(joined.citation, joined.role, joined.uid)}`;
    write(one.subject, one.subjectJson, status, reason, outcome.leaves, `[${citations}]`, 'TEST', waiver);
  }

  function evaluate(condition: ConditionCheck, resource: Resource): CheckOutcome {
    try {
      return condition.evaluate(resource, environment);
    } catch (error) {
      return {
        status: 'error',
        reason: `The check itself failed on this resource: ${error instanceof Error ? error.message : String(error)}.`,
        leaves: [],
        joined: [],
      };
    }
  }

  /** A scope whose evidence is not whole: never a silent pass. */
  function gap(scope: Scope, type: string, reasons: readonly Reason[]): void {
    gaps += 1;
    lines.write(gapLine(names, population, scope, type, reasons));
  }

  const units = (): Unit[] => types.flatMap((type) => [...population.units(provider, type)]);

  /** Groups of an aggregate come from the ledger's own list of scopes: one without any record still counts. */
  function settleGroups(aggregate: Aggregate): void {
    if (!groups) return;
    const wholes = new Map<string, { scope: Scope; reasons: Reason[]; units: Unit[] }>();
    for (const unit of units()) {
      if (unit.excluded) continue;
      const scope: Scope = aggregate.per === 'scope' ? unit.scope : { ...unit.scope, region: '*' };
      const key = scopeKey(scope);
      const whole = wholes.get(key) ?? { scope, reasons: [], units: [] };
      whole.units.push(unit);
      if (unit.coveredBy === null) whole.reasons.push(...population.gaps(unit));
      wholes.set(key, whole);
    }
    for (const [key, { scope, reasons, units: members }] of [...wholes].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const group = groups.take(key);
      const { status, reason } = decideGroup(aggregate, group, reasons, `${check.title} in ${placeName(scope)}`);
      counts[status] += 1;
      const subject: Subject = {
        kind: 'scope',
        provider,
        type: types.join(', '),
        uid: key,
        name: population.nameOf(scope),
        account: scope.account,
        location: scope.region,
        scope,
        capturedAt: null,
      };
      const waiver = status === 'fail' ? waivers.apply(control.id, key) : undefined;
      if (waiver !== undefined) waivedGroups += 1;
      const cited =
        group.samples.length > 0 ? group.samples : members.flatMap((unit) => ledgerCitations(population, unit.scope, unit.type));
      const leaves: CheckOutcome['leaves'] = [
        ...(aggregate.atLeast === undefined ? [] : [leaf('atLeast', aggregate.atLeast, group.met, status, group.samples.length > 0)]),
        ...(aggregate.atMost === undefined ? [] : [leaf('atMost', aggregate.atMost, group.met, status, group.samples.length > 0)]),
        ...group.leaves,
      ];
      write(subject, JSON.stringify(subject), status, reason, leaves, `[${cited.join(',')}]`, 'TEST', waiver);
      // Its records have no verdict of their own: the group has.
      for (const unit of members) {
        const judged = group.units.get(unit);
        if (judged)
          tallyOf(unit).excluded.set(judgedTogether, judged.met + judged.missed + judged.unknown + judged.error + judged.notapplicable);
      }
    }
  }

  function leaf(
    operator: 'atLeast' | 'atMost',
    expected: number,
    observed: number,
    status: Status,
    cited: boolean,
  ): CheckOutcome['leaves'][number] {
    const outcome = status === 'pass' ? 'true' : status === 'fail' ? 'false' : 'unknown';
    return { id: 'aggregate', path: 'count', operator, expected, observed, outcome, ...(cited ? { source: 0 } : {}) };
  }

  return {
    types,
    judge(one) {
      if (check.kind !== 'condition') return;
      const { resource, unit, criticality } = one;
      if (check.critical && criticality.critical !== 'yes') {
        if (criticality.critical === 'no') {
          const tally = tallyOf(unit);
          tally.excluded.set(notCritical, (tally.excluded.get(notCritical) ?? 0) + 1);
          return;
        }
        const outcome: CheckOutcome = {
          status: 'unknown',
          reason: `Whether it holds critical data cannot be told: ${criticality.because}.`,
          leaves: [],
          joined: [],
        };
        if (groups) groups.add(groupKey(unit), unit, outcome, one);
        else settle(one, outcome);
        return;
      }
      const outcome = evaluate(check, resource);
      if (!groups) {
        settle(one, outcome);
        return;
      }
      const aged = one.stale !== null && (outcome.status === 'pass' || outcome.status === 'notapplicable');
      groups.add(groupKey(unit), unit, aged ? { ...outcome, status: 'unknown', reason: one.stale.message } : outcome, one);
    },
    verdict(verdict) {
      if (check.kind !== 'verdict') return;
      const unit = population.unitOf(provider, verdict.scope.account, verdict.scope.region, verdictType(provider, check.rule));
      const subject: Subject = { ...subjectOfResult(verdict), type: verdict.resourceType };
      const judged = judgeVerdict(verdict);
      const stale = context.freshness.verdict(provider, verdict.evaluatedAt);
      const aged = stale !== null && (judged.status === 'pass' || judged.status === 'notapplicable');
      const status = aged ? 'unknown' : judged.status;
      const tally = tallyOf(unit);
      tally[status] += 1;
      counts[status] += 1;
      if (isAccountWide(provider, verdict.rule) && (status === 'pass' || status === 'fail')) accountWide.add(verdict.scope.account);
      const sole = accountVerdicts.get(unit) === undefined ? new Set<string>() : accountVerdicts.get(unit);
      accountVerdicts.set(unit, sole && verdict.resourceType === accountSubject ? sole.add(verdict.deployment) : null);
      const waiver = status === 'fail' ? waivers.apply(control.id, verdict.uid) : undefined;
      if (waiver !== undefined) tally.waived += 1;
      // Two deployments of one rule may both judge a resource: the id must tell them apart.
      const id = observationId(control.id, `${check.id}\u0000${verdict.deployment}`, subject);
      lines.write(
        observationLine({
          id,
          head,
          subjectJson: JSON.stringify(subject),
          status,
          reason: aged ? `Too old to rely on: ${stale.message}.` : judged.reason,
          leaves: judged.leaves,
          citationsJson: `[${citationJson(verdict.citation, 'subject', verdict.uid)}]`,
          method: 'TEST',
          waiver,
        }),
      );
    },
    conflict(one, earlier) {
      if (check.kind !== 'condition') return;
      const place = ({ file, pointer }: Citation): string => `${file}#${pointer}`;
      const reason = `It was recorded twice with different contents (${place(earlier.citation)} and ${place(one.resource.citation)}), so neither can be relied on.`;
      if (groups) {
        groups.doubt(groupKey(one.unit), reason);
        return;
      }
      conflicts.set(observationId(control.id, check.id, one.subject), { reason, unit: one.unit, head, parts: one });
    },
    finish() {
      if (check.kind === 'condition' && check.aggregate) settleGroups(check.aggregate);
      const rows: ReconciliationRow[] = [];
      const all = units();
      let whole = 0;
      let judgedScopes = 0;
      const reasons: Reason[] = [];
      for (const unit of all) {
        const tally = tallyOf(unit);
        for (const [reason, count] of books?.apart(unit) ?? []) tally.excluded.set(reason, count);
        if (check.kind === 'verdict' && coveredByAccount(unit)) {
          const reason: Reason = {
            code: 'account-wide',
            message: `the rule judges the whole account, and does so in another region of ${unit.scope.account}`,
          };
          rows.push({ ...reconcile(control.id, check.id, { ...unit, excluded: true }, tally, population), reasons: [reason] });
          continue;
        }
        const row = reconcile(control.id, check.id, countedAccount(unit), tally, population);
        rows.push(row);
        if (unit.excluded || unit.coveredBy !== null) continue;
        judgedScopes += 1;
        let missing = row.balanced && row.reasons.length === 0 ? [] : row.reasons;
        if (!row.balanced && missing.length === 0) missing = [{ code: 'unbalanced', message: 'the population does not balance' }];
        if (missing.length > 0 && books) {
          const owed = books.owed(unit);
          if (owed.row) {
            rows.splice(-1, 1, owed.row);
            whole += 1;
            continue;
          }
          missing = unique([...missing, ...owed.gaps]);
        }
        if (missing.length === 0) {
          whole += 1;
          continue;
        }
        gap(unit.scope, unit.type, missing);
        reasons.push(...missing);
      }
      if (all.length === 0) {
        const told = population.scopes.filter((scope) => scope.provider === provider).flatMap((scope) => scope.reasons);
        const missing = told.length > 0 ? told : [{ code: 'no-scope', message: `the ledger names no ${provider} scope` }];
        gap({ provider, account: '*', region: '*' }, types.join(', '), unique(missing));
        reasons.push(...missing);
      }
      let excluded = 0;
      let waived = 0;
      for (const row of rows) {
        for (const [reason, count] of Object.entries(row.excluded))
          if (reason !== judgedTogether && reason !== judgedWithResource) excluded += count;
        waived += row.waived;
      }
      waived += waivedGroups;
      const result: CheckResult = {
        counts,
        gaps,
        excluded,
        waived,
        provenEmpty: judgedScopes > 0 && whole === judgedScopes,
        reasons,
        rows,
        lines,
        conflicts,
        settleConflict({ unit }, observation) {
          const row = rows.find((one) => one.type === unit.type && scopeKey(one.scope) === scopeKey(unit.scope));
          counts.unknown += 1;
          if (row) row.unknown += 1;
          if (observation === null) {
            result.excluded -= 1;
            if (row) row.excluded[notCritical] = (row.excluded[notCritical] ?? 1) - 1;
            return;
          }
          counts[observation.status] -= 1;
          if (row && observation.status !== 'notchecked') row[observation.status] -= 1;
          if (observation.waiver === undefined) return;
          waivers.release(observation.waiver);
          result.waived -= 1;
          if (row) row.waived -= 1;
        },
      };
      return result;
    },
  };

  function groupKey(unit: Unit): string {
    const perScope = check.kind === 'condition' && check.aggregate?.per === 'scope';
    return scopeKey(perScope ? unit.scope : { ...unit.scope, region: '*' });
  }

  /** AWS counts no rule results, but of accounts there is one: each deployment of a rule about it has exactly one verdict. */
  function countedAccount(unit: Unit): Unit {
    const deployments = accountVerdicts.get(unit);
    if (!deployments || !unit.entry || unit.entry.count !== null) return unit;
    return {
      ...unit,
      entry: { ...unit.entry, count: { count: deployments.size, source: 'the account itself, once for each deployed rule' } },
    };
  }

  /** The rule is not deployed here, but judges the account from another region. */
  function coveredByAccount(unit: Unit): boolean {
    return accountWide.has(unit.scope.account) && (unit.entry === null || unit.entry.status === 'not-recorded');
  }
}
