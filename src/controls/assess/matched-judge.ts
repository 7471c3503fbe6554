import {
  type Control,
  emptyCounts,
  type ProviderVerdict,
  type Reason,
  type ReconciliationRow,
  type Scope,
  scopeKey,
  type Subject,
} from '../../model/index.ts';
import { type CheckJudge, type CheckResult, type JudgeContext, verdictType } from './judge.ts';
import { checkNames } from './observations.ts';
import type { Lines } from './result-files.ts';
import { isGlobalAwsType, placeName, unique, type Unit } from './population.ts';
import { emptyTally, reconcile, type Tally, untalliedRow } from './reconcile.ts';
import { gapLine } from './scope-gap.ts';
import type { VerdictCheck, VerdictSubjects } from '../types.ts';
import { nameOf, namesAbove, namesOf, typeOf } from './verdict-names.ts';
import { observeResource, subjectOfResult } from './verdict-resource.ts';
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

/**
 * Runs a check on a native rule that judges every resource of some types. The inventory is the population: each resource needs a
 * result, and the provider's count of the type is what the outcomes must add up to. Where the inventory is whole and holds none,
 * nothing is owed by the rule.
 */
export function matchedJudge(
  control: Control,
  check: VerdictCheck & { readonly about: VerdictSubjects },
  lines: Lines,
  context: JudgeContext,
): CheckJudge {
  const { population } = context;
  const { provider, about } = check;
  const native = verdictType(provider, check.rule);
  const names = checkNames(control.id, check.id);
  const counts = emptyCounts();
  const inventory: Judged[] = [];
  /** Resources by scope and by the names their results may use. */
  const byName = new Map<string, Map<string, Judged>>();
  const results = new Map<string, ProviderVerdict[]>();

  function write(subject: Subject, verdicts: readonly ProviderVerdict[], evaluated: boolean, citation: string | null, tally: Tally): void {
    const { line, status } = observeResource(
      control,
      check,
      names.head,
      { subject, verdicts, evaluated, citation, lacking: 'it' },
      tally,
      context,
    );
    counts[status] += 1;
    lines.write(line);
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
      lines.write(gapLine(names, population, scope, type, why));
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
      lines,
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
