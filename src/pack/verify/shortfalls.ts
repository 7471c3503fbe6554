import { scopeKey } from '../../model/index.ts';
import type { Reason, Shortfall } from '../../model/index.ts';
import type { ProblemList } from './codes.ts';
import type { ResultsToCheck } from './results.ts';

const keyOf = (of: Parameters<typeof scopeKey>[0], type: string): string => `${scopeKey(of)}\n${type}`;
const said = (reason: Reason): string => `${reason.code}\n${reason.message}`;

/** What the ledger calls not whole is listed with its word and reasons; what is listed and needed makes the evidence incomplete. */
export function checkShortfalls({ assessment, rows, ledger }: ResultsToCheck, problems: ProblemList): void {
  const { shortfalls } = assessment;
  // Results of former versions did not list them.
  if (shortfalls === undefined) return;
  const controls = new Set(assessment.findings.map(({ control }) => control.id));
  const listed = new Map<string, Shortfall>();
  const complain = (one: { scope: Shortfall['scope']; type: string }, why: string): void =>
    problems.add('ledger-disagrees', `${one.type} in ${scopeKey(one.scope)}: ${why}`);
  for (const one of shortfalls) {
    const key = keyOf(one.scope, one.type);
    if (listed.has(key)) complain(one, 'it is listed as not whole twice');
    listed.set(key, one);
    for (const id of [...one.judgedBy, ...one.lookedUpBy])
      if (!controls.has(id)) complain(one, `it is said to be needed by ${id}, which is not among the findings`);
    if (assessment.evidenceComplete && one.judgedBy.length + one.lookedUpBy.length > 0)
      complain(one, 'it is not whole and needed, and the evidence is called complete');
  }

  const words = new Map<string, Set<string>>();
  for (const entry of ledger.entries) {
    const key = keyOf(entry, entry.type);
    words.set(key, (words.get(key) ?? new Set()).add(entry.status));
    if (entry.status === 'complete' || entry.status === 'excluded') continue;
    const { type, status, reasons } = entry;
    const scope = { provider: entry.provider, account: entry.account, region: entry.region };
    const one = listed.get(key);
    if (one === undefined) {
      complain({ scope, type }, `the ledger calls it ${status}, and the results do not list it among what is not whole`);
      continue;
    }
    const given = new Set(one.reasons.map(said));
    if (reasons.some((reason) => !given.has(said(reason)))) complain(one, 'the results leave out why it is not whole');
  }
  for (const [key, one] of listed) {
    const known = words.get(key) ?? new Set();
    const agrees = one.status === null ? [...known].every((word) => word === 'complete' || word === 'excluded') : known.has(one.status);
    if (!agrees)
      complain(
        one,
        `the results call it ${one.status ?? 'not whole on judging only'}, the ledger ${[...known].join(' and ') || 'nothing'}`,
      );
  }

  // Who judges a type is known from the populations.
  for (const row of rows) {
    const one = listed.get(keyOf(row.scope, row.type));
    if (one !== undefined && !row.balanced && !one.judgedBy.includes(row.control))
      complain(one, `${row.control} judges it, and is not named`);
  }
}
