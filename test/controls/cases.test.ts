import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadCatalogue } from '../../src/controls/catalogue/load.ts';
import { resolveParameters } from '../../src/controls/catalogue/parameters.ts';
import { compileProjection, namesWithoutCase, parsePath } from '../../src/controls/language/paths.ts';
import type { CheckOutcome, ConditionCheck } from '../../src/controls/types.ts';
import type { JsonObject, Resource } from '../../src/model/index.ts';
import { checkOf, environmentFor, judgeNothing, readCases, recordsOf, root } from '../support/cases.ts';
import type { Case } from '../support/cases.ts';
import { judgeVerdictCase } from '../support/verdict-cases.ts';
import { damaged, damagesOf, losses, sampled } from '../support/damage.ts';
import type { Damage } from '../support/damage.ts';

/** Every control against its own documents, and against the same documents with parts of the evidence lost. */
const catalogue = await loadCatalogue(join(root, 'controls.yaml'));
const { parameters } = resolveParameters(catalogue, {});
const full = process.env['SWEEP'] === 'full';
const automated = catalogue.controls.filter(({ checks }) => checks.some((check) => check.kind === 'condition'));
const cases = automated.map((control) => ({ control, list: readCases(control.control) }));

const totals = { tried: 0, wrong: 0, declared: 0 };
afterAll(() => {
  if (full)
    process.stdout.write(
      `damaged evidence: ${automated.length} controls, ${totals.tried} damages judged, ${totals.wrong} that led to a pass or to not applicable, ${totals.declared} that did so by an absence which the control declares to be evidence\n`,
    );
});

/** What lookup tables read of the subject itself: where it lives. */
const ownReads = ['accountId', 'awsRegion', 'arn', 'id', 'name', 'tenantId', 'subscriptionId', 'ancestors'];

function describeDamage(damage: Damage, of: string): string {
  return `${damage.kind} ${of} ${damage.path.join('.')}`;
}

/** A damage whose effect the control has declared: it says why the absence of just this key is evidence. */
function declared(check: ConditionCheck, damage: Damage, ofSubject: boolean): boolean {
  if (damage.kind === 'retype' || damage.kind === 'reword') return false;
  const fold = (path: readonly (string | number)[]): string => path.join('.').toLowerCase();
  return check.absences.some(({ path, keys, because }) => {
    if (because === '' || !keys.some((key) => key.toLowerCase() === String(damage.path.at(-1)).toLowerCase())) return false;
    const { variable, segments } = parsePath(path);
    // Below a variable the key alone tells; from the subject on, the whole path.
    return variable !== null || (ofSubject && fold(segments.slice(0, damage.path.length)) === fold(damage.path));
  });
}

/** Texts that may be anything: another one names something else, and hides nothing. */
const freeTexts = [/\.keyname$/i, /\.managementGroupAncestorsChain\.\d+\.name$/, /\.includedPermissions\.\d+$/];

function damages(document: JsonObject, reads: readonly string[] | '*', caseless: boolean): Damage[] {
  return damagesOf(document, reads, caseless, [...losses, 'reword']).filter(
    ({ kind, path }) => kind !== 'reword' || !freeTexts.some((free) => free.test(path.join('.'))),
  );
}

/** Everything one case yields when its evidence is damaged: what turned into a pass or not applicable. */
function sweep(
  check: ConditionCheck,
  one: Case,
  subject: Resource,
  others: readonly Resource[],
  base: CheckOutcome['status'],
  id: string,
): { tried: number; wrong: string[] } {
  const caseless = namesWithoutCase(check.provider);
  const trials: { damage: Damage; record: number }[] = damages(subject.document, check.subjectReads, caseless).map((damage) => ({
    damage,
    record: -1,
  }));
  const tableReads = [...check.reads.values()];
  const readOfTables = tableReads.includes('*') || check.usesReaders ? ('*' as const) : [...new Set(tableReads.flat())];
  others.forEach((other, record) => trials.push(...damages(other.document, readOfTables, caseless).map((damage) => ({ damage, record }))));
  const wrong: string[] = [];
  const chosen = full ? trials : sampled(trials, 40, `${id} ${one.name}`);
  for (const { damage, record } of chosen) {
    const own: Resource = record < 0 ? { ...subject, document: damaged(subject.document, damage) as JsonObject } : subject;
    const rest = others.map((other, index) =>
      index === record ? { ...other, document: damaged(other.document, damage) as JsonObject } : other,
    );
    const { status } = check.evaluate(own, environmentFor(check, one, [own, ...rest], parameters));
    const better = (status === 'pass' && base !== 'pass') || (status === 'notapplicable' && base !== 'notapplicable');
    if (better && declared(check, damage, record < 0)) totals.declared += 1;
    else if (better)
      wrong.push(
        `${base} became ${status}: ${describeDamage(damage, record < 0 ? 'document' : `related record ${others[record]?.uid ?? ''}`)}`,
      );
  }
  return { tried: chosen.length, wrong };
}

describe.each(cases.map(({ control, list }) => ({ id: control.control.id, control, list })))('$id', ({ id, control, list }) => {
  test.skipIf(list === null)('judges its cases', () => {
    const problems: string[] = [];
    for (const one of list ?? []) {
      const check = checkOf(control, one);
      const outcome = one.empty === true ? judgeNothing(check, one, control.control.title) : judge(check, one);
      if (outcome.status !== one.expect) problems.push(`${one.name}: expected ${one.expect}, was ${outcome.status} (${outcome.reason})`);
      else if (one.reason !== undefined && !outcome.reason.includes(one.reason))
        problems.push(`${one.name}: the reason does not say "${one.reason}": ${outcome.reason}`);
      // What may be missing where the sentence is said is a part that is left out.
      if (outcome.reason.includes('(not known)')) problems.push(`${one.name}: the reason has a hole: ${outcome.reason}`);
    }
    expect(problems).toEqual([]);
  });

  test.skipIf(list === null)('reads nothing but what it says it reads', () => {
    const differing: string[] = [];
    for (const one of list ?? []) {
      if (one.empty === true) continue;
      const check = checkOf(control, one);
      if (check.usesReaders) continue; // the access analysis reads the whole subject
      const { subject, others } = recordsOf(check, one);
      const whole: ConditionCheck = { ...check, reads: new Map([...check.reads.keys()].map((table) => [table, '*'])) };
      const outcome = check.evaluate(subject, environmentFor(whole, one, [subject, ...others], parameters));
      const project = compileProjection([...check.subjectReads, ...ownReads], namesWithoutCase(check.provider));
      const projected = check.evaluate(
        { ...subject, document: project(subject.document) },
        environmentFor(check, one, [subject, ...others], parameters),
      );
      if (projected.status !== outcome.status || projected.reason !== outcome.reason)
        differing.push(`${one.name}: ${outcome.status} (${outcome.reason}) became ${projected.status} (${projected.reason})`);
    }
    expect(differing).toEqual([]);
  });

  test.skipIf(list === null)('never passes on damaged evidence', () => {
    const wrong: string[] = [];
    let tried = 0;
    for (const one of list ?? []) {
      if (one.empty === true) continue;
      const check = checkOf(control, one);
      const { subject, others } = recordsOf(check, one);
      const base = check.evaluate(subject, environmentFor(check, one, [subject, ...others], parameters)).status;
      const result = sweep(check, one, subject, others, base, id);
      tried += result.tried;
      wrong.push(...result.wrong.map((line) => `${one.name}: ${line}`));
    }
    totals.tried += tried;
    totals.wrong += wrong.length;
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  });
});

function judge(check: ConditionCheck, one: Case): CheckOutcome {
  const { subject, others } = recordsOf(check, one);
  return check.evaluate(subject, environmentFor(check, one, [subject, ...others], parameters));
}

const native = catalogue.controls.flatMap((control) =>
  control.checks.flatMap((check) => (check.kind === 'verdict' ? [{ id: control.control.id, control, check }] : [])),
);

describe.each(native)('$id: verdict $check.id', ({ control, check }) => {
  const list = readCases(control.control)?.filter((one) => one.check === undefined || one.check === check.id) ?? null;
  test.skipIf(list === null)('judges its cases', async () => {
    const problems: string[] = [];
    for (const one of list ?? []) {
      const { status, reason } = await judgeVerdictCase(control, check, one);
      if (status !== one.expect) problems.push(`${one.name}: expected ${one.expect}, was ${status} (${reason})`);
      else if (one.reason !== undefined && !reason.includes(one.reason))
        problems.push(`${one.name}: the reason does not say "${one.reason}": ${reason}`);
    }
    expect(problems).toEqual([]);
  });
});

test('the catalogue has controls to judge', () => {
  expect(automated.length).toBeGreaterThan(0);
});
