import type { Control, Leaf, ProviderVerdict, Subject } from '../../model/index.ts';
import { rollUp } from '../../model/index.ts';
import type { JudgeContext } from './judge.ts';
import { judgeVerdict } from './native.ts';
import { observationId, observationLine } from './observations.ts';
import type { Tally } from './reconcile.ts';
import { citationJson } from './subject.ts';
import type { CheckOutcome, VerdictCheck } from '../types.ts';
import { typeOf } from './verdict-names.ts';

/** Results that one observation cites, the worst first: several deployments of a rule may judge a resource. */
const citedResults = 12;

/** One resource, as its results tell of it. */
export interface ResultsOfOne {
  readonly subject: Subject;
  readonly verdicts: readonly ProviderVerdict[];
  /** Whether one of them is about the resource itself: without it nothing passes. */
  readonly evaluated: boolean;
  /** Its record in the inventory; null where that does not hold it. */
  readonly citation: string | null;
  /** What there is no result for. */
  readonly lacking: string;
}

/** One observation of a resource: what its results come to together. Entered in its tally; gives the line and the status. */
export function observeResource(
  control: Control,
  check: VerdictCheck,
  head: string,
  { subject, verdicts, evaluated, citation, lacking }: ResultsOfOne,
  tally: Tally,
  context: JudgeContext,
): { readonly line: string; readonly status: CheckOutcome['status'] } {
  const { provider } = check;
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
      ? `Not evaluated: there is no result of ${check.rule} for ${lacking}.`
      : [...new Set(deciding.slice(0, 3).map((one) => one.reason))].join(' ') +
        (deciding.length > 3 ? ` (And ${deciding.length - 3} more results like these.)` : '');
  tally[status] += 1;
  const waiver = status === 'fail' ? context.waivers.apply(control.id, subject.uid) : undefined;
  if (waiver !== undefined) tally.waived += 1;
  const citations = [
    ...(citation === null ? [] : [citation]),
    ...cited.map(({ verdict }) => citationJson(verdict.citation, citation === null ? 'subject' : 'verdict', verdict.uid)),
  ];
  const times = verdicts
    .map((one) => one.evaluatedAt)
    .filter((at) => at !== null)
    .sort();
  const line = observationLine({
    id: observationId(control.id, check.id, subject),
    head,
    subjectJson: JSON.stringify({ ...subject, capturedAt: times[0] ?? subject.capturedAt }),
    status,
    reason,
    leaves,
    citationsJson: `[${citations.join(',')}]`,
    method: 'TEST',
    waiver,
  });
  return { line, status };
}

/** What a result is about, where the inventory does not hold it. */
export function subjectOfResult(verdict: ProviderVerdict): Subject {
  const { provider, uid, scope, evaluatedAt } = verdict;
  return {
    kind: 'resource',
    provider,
    type: typeOf(verdict),
    uid,
    name: uid.slice(uid.lastIndexOf('/') + 1) || uid,
    account: scope.account,
    location: scope.region,
    scope,
    capturedAt: evaluatedAt,
  };
}
