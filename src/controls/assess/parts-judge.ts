import {
  type Control,
  type ProviderVerdict,
  type Reason,
  type ReconciliationRow,
  type Scope,
  scopeKey,
  type Subject,
} from '../../model/index.ts';
import { checkJudge, type CheckJudge, type CheckResult, judgedWithResource, type JudgeContext, verdictType } from './judge.ts';
import { checkNames } from './observations.ts';
import type { Lines } from './result-files.ts';
import { placeName, unique, type Unit } from './population.ts';
import { emptyTally, reconcile, type Tally, untalliedRow } from './reconcile.ts';
import { gapLine } from './scope-gap.ts';
import type { VerdictCheck, VerdictSubjects } from '../types.ts';
import { nameOf, namesAbove, namesOf, typeOf } from './verdict-names.ts';
import { observeResource, subjectOfResult } from './verdict-resource.ts';
import { emptyRow, nothingThere, unitIn } from './verdict-subjects.ts';

/** A resource whose parts the rule judges. */
interface Parent {
  readonly subject: Subject;
  readonly citationJson: string;
  readonly unit: Unit;
  /** Results about itself. */
  readonly own: ProviderVerdict[];
  /** Results about parts of it. */
  parts: number;
}

const judgedByParts = 'judged by the results about its parts';
const leftOut = 'left out by configuration';

/**
 * Runs a check on a native rule that judges parts of the resources of some types, which no inventory lists: the keys of a vault. Each
 * result is observed for itself. That the rule looked at a resource at all, only a result shows: one that has none, neither about
 * itself nor about a part of it, is unknown.
 */
export function partsJudge(
  control: Control,
  check: VerdictCheck & { readonly about: VerdictSubjects },
  lines: Lines,
  context: JudgeContext,
): CheckJudge {
  const { population } = context;
  const {
    provider,
    about: { types },
  } = check;
  const native = verdictType(provider, check.rule);
  const names = checkNames(control.id, check.id);
  const parents: Parent[] = [];
  /** By account: what an account has once may be recorded in another region than its results. */
  const byName = new Map<string, Parent>();
  const results: ProviderVerdict[] = [];
  const apart = new Map<string, Map<string, number>>();
  /** Scopes of which a gap already tells what is not known of the resources. */
  const told = new Set<string>();
  const tallies = new Map<Unit, Tally>();

  const inner = checkJudge(control, check, lines, context, {
    apart: ({ scope }) => apart.get(scopeKey(scope)) ?? new Map<string, number>(),
    owed(unit) {
      told.add(scopeKey(unit.scope));
      const nothing = nothingThere(population, unit, types);
      return { row: nothing.count ? emptyRow(control.id, check.id, unit, nothing.count, types) : null, gaps: nothing.gaps };
    },
  });

  const tallyOf = (unit: Unit): Tally => {
    const tally = tallies.get(unit) ?? emptyTally();
    tallies.set(unit, tally);
    return tally;
  };
  /** Whoever left the rule's results out left out what they are about. */
  const isLeftOut = (scope: Scope): boolean => unitIn(population, scope, native)?.excluded === true;

  function setApart({ scope }: ProviderVerdict, reason: string): void {
    const known = apart.get(scopeKey(scope)) ?? new Map<string, number>();
    apart.set(scopeKey(scope), known.set(reason, (known.get(reason) ?? 0) + 1));
  }

  function find(verdict: ProviderVerdict): { readonly parent: Parent; readonly itself: boolean } | null {
    const own = nameOf(verdict);
    for (const name of namesAbove(verdict)) {
      const parent = byName.get(`${verdict.scope.account}\u0000${name}`);
      if (parent) return { parent, itself: name === own };
    }
    return null;
  }

  /** Scopes with results about parts of what the inventory does not hold. */
  const orphaned = new Map<string, Scope>();

  /** Gives each result to what it is about. Those about resources of the types that the inventory does not hold are given back. */
  function assign(): ProviderVerdict[] {
    const strays: ProviderVerdict[] = [];
    for (const verdict of results) {
      const ofType = types.includes(typeOf(verdict));
      const found = find(verdict);
      if (isLeftOut(verdict.scope)) {
        if (!ofType) inner.verdict(verdict);
      } else if (found && (found.itself || ofType)) {
        found.parent.own.push(verdict);
        setApart(verdict, judgedWithResource);
      } else if (ofType && unitIn(population, verdict.scope, typeOf(verdict))?.excluded === true) setApart(verdict, leftOut);
      else if (ofType) {
        strays.push(verdict);
        setApart(verdict, judgedWithResource);
      } else {
        if (found) found.parent.parts += 1;
        else if (types.every((type) => unitIn(population, verdict.scope, type)?.excluded !== true))
          orphaned.set(scopeKey(verdict.scope), verdict.scope);
        inner.verdict(verdict);
      }
    }
    return strays;
  }

  function write(result: CheckResult, subject: Subject, verdicts: readonly ProviderVerdict[], citation: string | null, tally: Tally): void {
    const { line, status } = observeResource(
      control,
      check,
      names.head,
      { subject, verdicts, evaluated: verdicts.length > 0, citation, lacking: 'it or for a part of it' },
      tally,
      context,
    );
    result.counts[status] += 1;
    lines.write(line);
  }

  /** Observes results about what the inventory does not hold, resource by resource; gives the units in which they count. */
  function writeStrays(result: CheckResult, strays: readonly ProviderVerdict[]): Set<Unit> {
    const subjects = new Map<string, [ProviderVerdict, ...ProviderVerdict[]]>();
    for (const verdict of strays) {
      const key = `${scopeKey(verdict.scope)}\u0000${nameOf(verdict)}`;
      const known = subjects.get(key);
      if (known) known.push(verdict);
      else subjects.set(key, [verdict]);
    }
    const touched = new Set<Unit>();
    for (const own of subjects.values()) {
      const [{ scope }] = own;
      const unit = population.unitOf(provider, scope.account, scope.region, typeOf(own[0]));
      touched.add(unit);
      write(result, subjectOfResult(own[0]), own, null, tallyOf(unit));
    }
    return touched;
  }

  function writeParents(result: CheckResult): void {
    for (const { subject, citationJson, unit, own, parts } of parents) {
      if (isLeftOut(unit.scope)) continue;
      const tally = tallyOf(unit);
      if (own.length === 0 && parts > 0) tally.excluded.set(judgedByParts, (tally.excluded.get(judgedByParts) ?? 0) + 1);
      else write(result, subject, own, citationJson, tally);
    }
  }

  /** The resources against the provider's count of them, scope by scope. */
  function settle(result: CheckResult, strayed: ReadonlySet<Unit>): CheckResult {
    const rows: ReconciliationRow[] = [];
    const reasons: Reason[] = [];
    let gaps = 0;
    let whole = true;
    const lack = (scope: Scope, type: string, why: readonly Reason[]): void => {
      whole = false;
      if (told.has(scopeKey(scope))) return;
      gaps += 1;
      reasons.push(...why);
      lines.write(gapLine(names, population, scope, type, why));
    };
    for (const type of types) {
      for (const unit of population.units(provider, type)) {
        const left = isLeftOut(unit.scope);
        const row = reconcile(
          control.id,
          check.id,
          left ? { ...unit, excluded: true } : unit,
          tallies.get(unit) ?? emptyTally(),
          population,
        );
        if (strayed.has(unit)) {
          row.balanced = false;
          row.reasons = unique([
            ...row.reasons.filter(({ code }) => code !== 'unbalanced'),
            {
              code: 'not-in-inventory',
              message: `results of ${check.rule} in ${placeName(unit.scope)} are about what is not among its ${type}`,
            },
          ]);
        }
        rows.push(row);
        if (left || unit.excluded || unit.coveredBy !== null || (row.balanced && row.reasons.length === 0)) continue;
        lack(unit.scope, type, row.reasons.length > 0 ? row.reasons : [{ code: 'unbalanced', message: 'the population does not balance' }]);
      }
      for (const { scope, excluded, coveredBy } of population.units(provider, native)) {
        if (excluded || coveredBy !== null || unitIn(population, scope, type) !== null) continue;
        const why: Reason[] = [{ code: 'ledger-missing', message: `the ledger has no entry for ${type} in ${placeName(scope)}` }];
        rows.push(untalliedRow({ control: control.id, check: check.id, scope, type, reasons: why }));
        lack(scope, type, why);
      }
    }
    for (const scope of orphaned.values())
      lack(scope, types.join(', '), [
        {
          code: 'not-in-inventory',
          message: `results of ${check.rule} in ${placeName(scope)} are about parts of what is not among its ${types.join(', ')}`,
        },
      ]);
    const beyondResults = rows.reduce(
      (sum, row) => sum + Object.entries(row.excluded).reduce((all, [why, count]) => all + (why === judgedByParts ? 0 : count), 0),
      0,
    );
    return {
      ...result,
      excluded: result.excluded + beyondResults,
      gaps: result.gaps + gaps,
      waived: result.waived + rows.reduce((sum, row) => sum + row.waived, 0),
      provenEmpty: result.provenEmpty && whole,
      reasons: unique([...result.reasons, ...reasons]),
      // Before the results: what is observed of the resources themselves belongs to their rows.
      rows: [...rows, ...result.rows],
    };
  }

  return {
    types: [native, ...types],
    judge({ resource, subject, citationJson, unit }) {
      const parent: Parent = { subject, citationJson, unit, own: [], parts: 0 };
      parents.push(parent);
      for (const name of namesOf(resource)) {
        const key = `${unit.scope.account}\u0000${name}`;
        if (!byName.has(key)) byName.set(key, parent);
      }
    },
    verdict(verdict) {
      results.push(verdict);
    },
    conflict() {
      // What the two records say of the resource is not judged here: that it exists, both say.
    },
    finish() {
      const strays = assign();
      const result = inner.finish();
      const strayed = writeStrays(result, strays);
      writeParents(result);
      return settle(result, strayed);
    },
  };
}

/** Whether a check is about parts of resources. */
export function isAboutParts(check: VerdictCheck): check is VerdictCheck & { readonly about: VerdictSubjects } {
  return check.about?.as === 'parents';
}
