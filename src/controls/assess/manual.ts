import { type AttestedAnswer, type Control, emptyCounts, type Reason, type Status, type Subject } from '../../model/index.ts';
import type { CheckResult } from './judge.ts';
import { checkNames, observationId, observationLine } from './observations.ts';
import type { Lines } from './result-files.ts';
import type { ManualCheck } from '../types.ts';

interface Settled {
  readonly status: Status;
  readonly reason: string;
  readonly reasons: Reason[];
  readonly answer: AttestedAnswer | null;
}

const verdictOf: Readonly<Record<AttestedAnswer['answer'], Status>> = {
  satisfied: 'pass',
  'not-satisfied': 'fail',
  'not-applicable': 'notapplicable',
};

/** The newest answer that is valid at `asOf`: given by then, and not past its end (the whole last day counts, UTC). */
export function settleQuestion(control: string, question: string, answers: readonly AttestedAnswer[], asOf: string): Settled {
  const day = new Date(asOf).toISOString().slice(0, 10);
  const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text));
  const given = answers.filter((answer) => answer.control === control);
  const reasons: Reason[] = [];
  const valid = given.filter((answer) => {
    const until = answer.validUntil;
    if (!isDay(answer.date) || answer.date.slice(0, 10) > day) {
      reasons.push({ code: 'answer-not-yet', message: `the answer of ${answer.respondent} is dated ${answer.date}, after the evidence` });
      return false;
    }
    if (until !== undefined && (!isDay(until) || until.slice(0, 10) < day)) {
      reasons.push({ code: 'answer-expired', message: `the answer of ${answer.respondent} of ${answer.date} was valid until ${until}` });
      return false;
    }
    return true;
  });
  const newest = valid.reduce<AttestedAnswer | null>((best, answer) => (best === null || answer.date >= best.date ? answer : best), null);
  if (newest === null) {
    const why = reasons[0]?.message ?? 'no answer has been given';
    return { status: 'notchecked', reason: `A person has to answer: ${question.trim()} (${why})`, reasons, answer: null };
  }
  const signed = `${newest.respondent}, ${newest.role}, ${newest.date}`;
  return { status: verdictOf[newest.answer], reason: `${newest.statement.trim()} (${signed})`, reasons, answer: newest };
}

/** A question for a person, settled by the attested answers of the configuration or left open. */
export function questionResult(
  control: Control,
  check: ManualCheck,
  answers: readonly AttestedAnswer[],
  asOf: string,
  lines: Lines,
): CheckResult {
  const { status, reason, reasons, answer } = settleQuestion(control.id, check.question, answers, asOf);
  const subject: Subject = {
    kind: 'question',
    provider: control.provider,
    type: 'question',
    uid: `${control.id}/${check.id}`,
    name: check.title,
    account: '*',
    location: '*',
    scope: { provider: control.provider, account: '*', region: '*' },
    capturedAt: answer?.date ?? null,
  };
  const counts = emptyCounts();
  counts[status] = 1;
  const leaves =
    answer === null
      ? []
      : [
          {
            id: 'answer',
            path: 'answer',
            operator: 'equals',
            expected: 'satisfied',
            observed: answer.answer,
            outcome: status === 'pass' ? ('true' as const) : status === 'fail' ? ('false' as const) : ('unknown' as const),
          },
        ];
  lines.write(
    observationLine({
      id: observationId(control.id, check.id, subject),
      head: checkNames(control.id, check.id).head,
      subjectJson: JSON.stringify(subject),
      status,
      reason,
      leaves,
      citationsJson: '[]',
      method: (answer?.attachments.length ?? 0) > 0 ? 'EXAMINE' : 'INTERVIEW',
    }),
  );
  return {
    counts,
    gaps: 0,
    excluded: 0,
    waived: 0,
    provenEmpty: true,
    reasons,
    rows: [],
    lines,
    conflicts: new Map(),
    settleConflict: () => undefined,
  };
}
