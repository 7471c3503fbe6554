import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { decideGroup } from '../../src/controls/assess/aggregate.ts';
import { rollUpControl } from '../../src/controls/assess/rollup.ts';
import { environmentOf } from '../../src/controls/assess/try.ts';
import type { CheckOutcome, CompiledControl, ConditionCheck, EvaluationEnvironment } from '../../src/controls/types.ts';
import { readDocument } from '../../src/collectors/registry.ts';
import { emptyCounts } from '../../src/model/index.ts';
import type { Json, Resource } from '../../src/model/index.ts';

export const root = join(import.meta.dirname, '../..');

const caseSchema = z
  .strictObject({
    name: z.string().min(1),
    expect: z.enum(['pass', 'fail', 'unknown', 'notapplicable', 'error']),
    check: z.string().optional(),
    type: z.string().optional(),
    document: z.custom<Json>().optional(),
    related: z.array(z.strictObject({ type: z.string(), document: z.custom<Json>() })).default([]),
    complete: z.array(z.string()).default([]),
    parameters: z.record(z.string(), z.custom<Json>()).default({}),
    empty: z.boolean().optional(),
    /** The provider's own words on the document, one for each deployment of the rule. */
    verdicts: z.array(z.string()).optional(),
    reason: z.string().optional(),
  })
  .refine((one) => (one.empty === true) !== (one.document !== undefined || one.verdicts !== undefined), {
    message: 'needs either `document`, or `verdicts`, or `empty: true`',
  });
export type Case = z.infer<typeof caseSchema>;

/** The instant at which all case files are judged. */
export const casesAsOf = '2026-06-30T12:00:00Z';

export function caseFile(control: { id: string; provider: string }): string {
  return join(root, 'test/cases', control.provider, `${control.id}.yaml`);
}

/** The cases of a control; null when it has no file. Throws a message that names the file for a file that makes no sense. */
export function readCases(control: { id: string; provider: string }): Case[] | null {
  const file = caseFile(control);
  if (!existsSync(file)) return null;
  const result = z
    .array(caseSchema)
    .min(1)
    .safeParse(parse(readFileSync(file, 'utf8')));
  if (!result.success) throw new Error(`${file}: ${z.prettifyError(result.error)}`);
  return result.data;
}

export function checkOf(control: CompiledControl, one: Case): ConditionCheck {
  const checks = control.checks.filter((check) => check.kind === 'condition');
  const check = one.check === undefined && checks.length === 1 ? checks[0] : checks.find(({ id }) => id === one.check);
  if (check === undefined)
    throw new Error(
      `case "${one.name}": ${one.check === undefined ? 'name the `check`' : `no check ${one.check}`} (${checks.map(({ id }) => id).join(', ')})`,
    );
  return check;
}

/** The records of a case: the subject first, then everything else that is given. */
export function recordsOf(check: ConditionCheck, one: Case): { subject: Resource; others: Resource[] } {
  const type = one.type ?? check.on[0] ?? '';
  const own = readDocument(one.document ?? null, { type, id: 'case' }) ?? [];
  const subject = own.find((resource) => resource.kind === 'resource');
  if (subject === undefined) throw new Error(`case "${one.name}": the document does not read as ${type}`);
  const others = own.filter((resource) => resource !== subject);
  for (const [index, { type: relatedType, document }] of one.related.entries()) {
    const read = readDocument(document, { type: relatedType, id: `related-${index}` });
    if (read === null || read.length === 0) throw new Error(`case "${one.name}": related[${index}] does not read as ${relatedType}`);
    others.push(...read);
  }
  return { subject, others };
}

export function environmentFor(
  check: ConditionCheck,
  one: Case,
  records: readonly Resource[],
  parameters: Readonly<Record<string, Json>>,
): EvaluationEnvironment {
  return environmentOf([check], records, one.complete, casesAsOf, { ...parameters, ...one.parameters });
}

/** What nothing at all amounts to: by the rules that roll a whole scope up. */
export function judgeNothing(check: ConditionCheck, one: Case, title: string): Pick<CheckOutcome, 'status' | 'reason'> {
  const whole = check.on.every((type) => one.complete.some((given) => given.toLowerCase() === type.toLowerCase()));
  const gaps = whole ? [] : [{ code: 'incomplete', message: 'the type is not given as complete' }];
  if (check.aggregate !== undefined)
    return decideGroup(check.aggregate, { met: 0, missed: 0, unknown: 0, error: 0, doubt: null }, gaps, title);
  const rolled = rollUpControl({ counts: emptyCounts(), gaps: gaps.length, excluded: 0, provenEmpty: whole, reasons: gaps });
  return { status: rolled.status as CheckOutcome['status'], reason: rolled.reasons.map((reason) => reason.message).join('; ') };
}
