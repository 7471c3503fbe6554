import {
  type Control,
  emptyCounts,
  type Leaf,
  type ProviderVerdict,
  type Reason,
  type ReconciliationRow,
  type Resource,
  rollUp,
  type Scope,
  scopeKey,
  type Subject,
} from '../../model/index.ts';
import { type CheckJudge, type CheckResult, type JudgeContext, verdictType } from './judge.ts';
import { judgeVerdict } from './native.ts';
import { observationId, observationLine, type Shard } from './observations.ts';
import { isGlobalAwsType, placeName, unique, type Unit } from './population.ts';
import { emptyTally, reconcile, type Tally, untalliedRow } from './reconcile.ts';
import { gapLine } from './scope-gap.ts';
import { citationJson } from './subject.ts';
import type { CheckOutcome, VerdictCheck, VerdictSubjects } from '../types.ts';
import { hasVerdicts, provenNone } from './verdict-subjects.ts';

/** A resource that needs a result of the rule, and those it has. */
interface Judged {
  readonly subject: Subject;
  readonly citationJson: string;
  readonly unit: Unit;
  readonly verdicts: ProviderVerdict[];
  /** Whether one of them is about the resource itself, and not only about a part of it. */
  evaluated: boolean;
}

/** Results that one observation cites, the worst first: several deployments of a rule may judge a resource. */
const citedResults = 12;

/** The names by which a provider may call the resource in its results. Azure's ids have no case. */
function namesOf(resource: Resource): string[] {
  if (resource.provider !== 'aws') return [resource.uid.toLowerCase()];
  const id = resource.document['resourceId'];
  return [resource.uid, ...(typeof id === 'string' && id !== resource.uid ? [id] : [])].map((name) => `${resource.type}\u0000${name}`);
}

function nameOf({ provider, resourceType, uid }: ProviderVerdict): string {
  return provider === 'aws' ? `${resourceType}\u0000${uid}` : uid.toLowerCase();
}

/** How far above what a result is about its resource is looked for: parts of parts of a resource. */
const deepestPart = 4;

/** The names of what a result is about, and of that which it is a part of: a policy may judge the protector of a server beside the server. */
function namesAbove(verdict: ProviderVerdict): string[] {
  const names = [nameOf(verdict)];
  if (verdict.provider !== 'azure') return names;
  for (let name = names[0] as string; names.length <= deepestPart; names.push(name)) {
    // `…/<type>/<name>` is part of what stands before it.
    const end = name.lastIndexOf('/', name.lastIndexOf('/') - 1);
    if (end <= 0) break;
    name = name.slice(0, end);
  }
  return names;
}

function typeOf({ provider, resourceType }: ProviderVerdict): string {
  return provider === 'azure' ? resourceType.toLowerCase() : resourceType;
}

/**
 * Runs a check on a native rule that judges every resource of some types. The inventory is the population: each resource needs a
 * result, and the provider's count of the type is what the outcomes must add up to. Where the inventory is whole and holds none,
 * nothing is owed by the rule.
 */
export function matchedJudge(
  control: Control,
  check: VerdictCheck & { readonly about: VerdictSubjects },
  shard: Shard,
  context: JudgeContext,
): CheckJudge {
  const { population, waivers } = context;
  const { provider, about } = check;
  const native = verdictType(provider, check.rule);
  const names = {
    control: control.id,
    check: check.id,
    head: `"control":${JSON.stringify(control.id)},"check":${JSON.stringify(check.id)}`,
  };
  const counts = emptyCounts();
  const inventory: Judged[] = [];
  /** Resources by scope and by the names their results may use. */
  const byName = new Map<string, Map<string, Judged>>();
  const results = new Map<string, ProviderVerdict[]>();

  /** One observation of a resource: what its results, and those of its parts, come to together. Without one of its own it passes nothing. */
  function write(subject: Subject, verdicts: readonly ProviderVerdict[], evaluated: boolean, citation: string | null, tally: Tally): void {
    const outcomes = verdicts.map((verdict) => {
      const judged = judgeVerdict(verdict);
      const stale = context.freshness.verdict(provider, verdict.evaluatedAt);
      const allWell = judged.status === 'pass' || judged.status === 'notapplicable';
      const doubt = !allWell
        ? null
        : stale !== null
          ? `Too old to rely on: ${stale.message}.`
          : citation === null
            ? `${judged.reason.replace(/\.$/, '')}, but the inventory does not hold it.`
            : null;
      return {
        verdict,
        leaves: judged.leaves,
        status: doubt === null ? judged.status : ('unknown' as const),
        reason: doubt ?? judged.reason,
      };
    });
    const status = (rollUp([...outcomes.map((one) => one.status), ...(evaluated ? [] : (['unknown'] as const))]) ??
      'unknown') as CheckOutcome['status'];
    const deciding = outcomes.filter((one) => one.status === status);
    const cited = [...deciding, ...outcomes.filter((one) => one.status !== status)].slice(0, citedResults);
    const first = citation === null ? 0 : 1;
    const leaves: Leaf[] = cited.flatMap((one, at) => one.leaves.map((leaf) => ({ ...leaf, source: first + at })));
    if (!evaluated)
      leaves.push({
        id: 'verdict',
        path: 'verdict',
        operator: 'equals',
        expected: provider === 'aws' ? 'COMPLIANT' : 'Compliant',
        outcome: 'unknown',
        because: 'not-evaluated',
        source: 0,
      });
    const reason =
      deciding.length === 0
        ? `Not evaluated: there is no result of ${check.rule} for it.`
        : [...new Set(deciding.slice(0, 3).map((one) => one.reason))].join(' ') +
          (deciding.length > 3 ? ` (And ${deciding.length - 3} more results like these.)` : '');
    tally[status] += 1;
    counts[status] += 1;
    const waiver = status === 'fail' ? waivers.apply(control.id, subject.uid) : undefined;
    if (waiver !== undefined) tally.waived += 1;
    const citations = [
      ...(citation === null ? [] : [citation]),
      ...cited.map(({ verdict }) => citationJson(verdict.citation, citation === null ? 'subject' : 'verdict', verdict.uid)),
    ];
    const times = verdicts
      .map((one) => one.evaluatedAt)
      .filter((at) => at !== null)
      .sort();
    shard.write(
      observationLine({
        id: observationId(control.id, check.id, subject),
        head: names.head,
        subjectJson: JSON.stringify({ ...subject, capturedAt: times[0] ?? subject.capturedAt }),
        status,
        reason,
        leaves,
        citationsJson: `[${citations.join(',')}]`,
        method: 'TEST',
        waiver,
      }),
    );
  }

  /** The scopes whose resources a result of this scope may be about: its own, and that which speaks for the account. */
  function homesOf(scope: Scope, units: readonly Unit[]): string[] {
    return [scopeKey(scope), ...units.flatMap(({ coveredBy }) => (coveredBy === null ? [] : [scopeKey({ ...scope, region: coveredBy })]))];
  }

  function find(verdict: ProviderVerdict, homes: readonly string[]): { readonly one: Judged; readonly itself: boolean } | null {
    const own = nameOf(verdict);
    for (const name of namesAbove(verdict)) {
      for (const home of homes) {
        const one = byName.get(home)?.get(name);
        if (one) return { one, itself: name === own };
      }
    }
    return null;
  }

  function subjectOfResult({ resourceType, uid, scope, evaluatedAt }: ProviderVerdict): Subject {
    return {
      kind: 'resource',
      provider,
      type: provider === 'azure' ? resourceType.toLowerCase() : resourceType,
      uid,
      name: uid.slice(uid.lastIndexOf('/') + 1) || uid,
      account: scope.account,
      location: scope.region,
      scope,
      capturedAt: evaluatedAt,
    };
  }

  return {
    types: [native, ...about.types],
    judge({ resource, subject, citationJson: citation, unit }) {
      const judged: Judged = { subject, citationJson: citation, unit, verdicts: [], evaluated: false };
      inventory.push(judged);
      const key = scopeKey(unit.scope);
      const named = byName.get(key) ?? new Map<string, Judged>();
      byName.set(key, named);
      for (const name of namesOf(resource)) if (!named.has(name)) named.set(name, judged);
    },
    verdict(verdict) {
      const key = scopeKey(verdict.scope);
      const known = results.get(key);
      if (known) known.push(verdict);
      else results.set(key, [verdict]);
    },
    conflict() {
      // What the two records say of the resource is not judged here: that it exists, both say.
    },
    finish() {
      const scopes = new Map<string, { scope: Scope; verdicts: Unit | null; units: Unit[] }>();
      for (const type of [native, ...about.types]) {
        for (const unit of population.units(provider, type)) {
          const key = scopeKey(unit.scope);
          const one = scopes.get(key) ?? { scope: unit.scope, verdicts: null, units: [] };
          if (type === native) one.verdicts = unit;
          else one.units.push(unit);
          scopes.set(key, one);
        }
      }
      const order = [...scopes].sort(([a], [b]) => (a < b ? -1 : 1));
      const strays = new Map<string, ProviderVerdict[]>();
      for (const [key, { scope, units }] of order) {
        for (const verdict of results.get(key) ?? []) {
          const found = find(verdict, homesOf(scope, units));
          if (found) {
            found.one.verdicts.push(verdict);
            if (found.itself) found.one.evaluated = true;
          } else if (!units.some((unit) => unit.excluded && unit.type === typeOf(verdict)))
            strays.set(key, [...(strays.get(key) ?? []), verdict]);
        }
      }
      const tallies = new Map<Unit, Tally>();
      for (const one of inventory) {
        const tally = tallies.get(one.unit) ?? emptyTally();
        tallies.set(one.unit, tally);
        // Whoever left the rule's results out left its resources out: they are counted as such.
        if (scopes.get(scopeKey(one.unit.scope))?.verdicts?.excluded !== true)
          write(one.subject, one.verdicts, one.evaluated, one.citationJson, tally);
      }
      return settle(order, strays, tallies);
    },
  };

  /** Whether the results of a scope are whole. Of what an account has once, any region with whole results tells. */
  function resultGaps(verdicts: Unit | null, active: readonly Unit[], scope: Scope): Reason[] {
    const own = verdicts
      ? population.gaps(verdicts, true)
      : [{ code: 'ledger-missing', message: `the ledger has no entry for ${native} in ${placeName(scope)}` }];
    if (own.length === 0 || !active.every((unit) => isGlobalAwsType(unit.type))) return own;
    const elsewhere = population
      .units(provider, native)
      .some((unit) => unit.scope.account === scope.account && !unit.excluded && population.gaps(unit, true).length === 0);
    return elsewhere ? [] : own;
  }

  function settle(
    order: readonly (readonly [string, { scope: Scope; verdicts: Unit | null; units: readonly Unit[] }])[],
    strays: ReadonlyMap<string, readonly ProviderVerdict[]>,
    tallies: Map<Unit, Tally>,
  ): CheckResult {
    const rows: ReconciliationRow[] = [];
    const reasons: Reason[] = [];
    let gaps = 0;
    let judgedScopes = 0;
    let whole = 0;
    const gap = (scope: Scope, type: string, why: readonly Reason[]): void => {
      gaps += 1;
      reasons.push(...why);
      shard.write(gapLine(names, population, scope, type, why));
    };
    for (const [key, { scope, verdicts, units }] of order) {
      const left = verdicts?.excluded === true;
      const active = left ? [] : units.filter((unit) => !unit.excluded && unit.coveredBy === null);
      const unlisted = left ? [] : about.types.filter((type) => !units.some((unit) => unit.type === type));
      const stray = strays.get(key) ?? [];
      const owed =
        active.some((unit) => !provenNone(population, unit)) || (active.length > 0 && verdicts !== null && hasVerdicts(verdicts));
      const untold = owed ? resultGaps(verdicts, active, scope) : [];
      const strayed = writeStrays(stray, units, tallies);
      const beyond: Reason | null =
        stray.length === 0
          ? null
          : {
              code: 'not-in-inventory',
              message: `results of ${check.rule} in ${placeName(scope)} are about what is not among its ${about.types.join(', ')}`,
            };
      for (const unit of units) {
        const row = reconcile(
          control.id,
          check.id,
          left ? { ...unit, excluded: true } : unit,
          tallies.get(unit) ?? emptyTally(),
          population,
        );
        if (beyond && strayed.units.has(unit)) {
          row.balanced = false;
          row.reasons = unique([...row.reasons.filter(({ code }) => code !== 'unbalanced'), beyond]);
        }
        rows.push(row);
        if (!active.includes(unit)) continue;
        judgedScopes += 1;
        const missing =
          !row.balanced && row.reasons.length === 0
            ? [{ code: 'unbalanced', message: 'the population does not balance' }]
            : [...row.reasons];
        if (untold.length > 0 && !provenNone(population, unit)) row.reasons.push(...untold);
        if (missing.length > 0) gap(scope, unit.type, unique(missing));
        else if (untold.length === 0) whole += 1;
      }
      const doubts = [...untold];
      for (const type of unlisted) {
        const reason: Reason = { code: 'ledger-missing', message: `the ledger has no entry for ${type} in ${placeName(scope)}` };
        rows.push(untalliedRow({ control: control.id, check: check.id, scope, type, reasons: [reason] }));
        doubts.push(reason);
      }
      if (beyond) doubts.push(beyond);
      if (beyond && strayed.others) {
        const { excluded: _, ...outcomes } = strayed.others;
        const held = verdicts?.entry?.held ?? stray.length;
        rows.push(untalliedRow({ control: control.id, check: check.id, scope, type: native, held, ...outcomes, reasons: [beyond] }));
      }
      if (doubts.length > 0) {
        if (active.length === 0) judgedScopes += 1;
        gap(scope, native, unique(doubts));
      }
    }
    if (order.length === 0) {
      const told = population.scopes.filter((scope) => scope.provider === provider).flatMap((scope) => scope.reasons);
      gap(
        { provider, account: '*', region: '*' },
        about.types.join(', '),
        unique(told.length > 0 ? told : [{ code: 'no-scope', message: `the ledger names no ${provider} scope` }]),
      );
    }
    const sum = (of: (row: ReconciliationRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
    return {
      counts,
      gaps,
      excluded: sum((row) => Object.values(row.excluded).reduce((total, count) => total + count, 0)),
      waived: sum((row) => row.waived),
      provenEmpty: judgedScopes > 0 && whole === judgedScopes && gaps === 0,
      reasons,
      rows,
      shard,
      conflicts: new Map(),
      settleConflict() {
        // no observation here rests on what a record holds
      },
    };
  }

  /** Results about what the inventory does not hold: shown, and counted with their type, or apart where it is none of the named. */
  function writeStrays(
    stray: readonly ProviderVerdict[],
    units: readonly Unit[],
    tallies: Map<Unit, Tally>,
  ): { readonly units: ReadonlySet<Unit>; readonly others: Tally | null } {
    const subjects = new Map<string, ProviderVerdict[]>();
    for (const verdict of stray) {
      const key = `${typeOf(verdict)}\u0000${verdict.uid}`;
      subjects.set(key, [...(subjects.get(key) ?? []), verdict]);
    }
    const touched = new Set<Unit>();
    let others: Tally | null = null;
    for (const own of subjects.values()) {
      const [first] = own as [ProviderVerdict, ...ProviderVerdict[]];
      const unit = units.find(({ type }) => type === typeOf(first));
      let tally: Tally;
      if (unit) {
        tally = tallies.get(unit) ?? emptyTally();
        tallies.set(unit, tally);
        touched.add(unit);
      } else {
        tally = others ?? emptyTally();
        others = tally;
      }
      write(subjectOfResult(first), own, true, null, tally);
    }
    return { units: touched, others };
  }
}

/** Whether every resource of some types needs a result of the check's rule. */
export function isMatched(check: VerdictCheck): check is VerdictCheck & { readonly about: VerdictSubjects } {
  return check.about?.as === 'resources';
}
