import { accountSubject } from '../../src/controls/assess/native.ts';
import { readDocument } from '../../src/collectors/registry.ts';
import type { CompiledControl, VerdictCheck } from '../../src/controls/types.ts';
import type { LedgerEntry, Resource, Status } from '../../src/model/index.ts';
import type { Case } from './cases.ts';
import { type FixtureUnit, type FixtureVerdict } from './evidence.ts';
import { judge } from './judging.ts';

const account = { aws: '111122223333', azure: '11111111-2222-3333-4444-555555555555', gcp: 'project' } as const;

/** Judges a case of a verdict check through the whole assessment: what its control comes to in one scope. */
export async function judgeVerdictCase(
  control: CompiledControl,
  check: VerdictCheck,
  one: Case,
): Promise<{ status: Status; reason: string }> {
  const scope = { provider: check.provider, account: account[check.provider], region: check.provider === 'azure' ? '*' : 'eu-west-1' };
  const types = check.about?.types ?? [];
  const complete = new Set(one.complete.map((type) => type.toLowerCase()));
  const type = one.type ?? types[0] ?? '';
  const subject = one.document === undefined ? null : subjectOf(one, type);
  const units = types.map((of): FixtureUnit => {
    const records =
      subject !== null && subject.type === of
        ? [{ uid: subject.uid, document: subject.document }]
        : check.about?.as === 'parents' && one.empty !== true
          ? [{ uid: '/parent', document: {} }]
          : [];
    return {
      ...scope,
      type: of,
      records,
      ...(one.empty === true && !complete.has(of.toLowerCase()) ? { entry: { status: 'partial' } } : {}),
    };
  });
  const name =
    subject === null
      ? type === accountSubject
        ? scope.account
        : check.about?.as === 'parents'
          ? '/parent/parts/subject'
          : 'subject'
      : typeof subject.document['resourceId'] === 'string'
        ? subject.document['resourceId']
        : subject.uid;
  const verdicts = (one.verdicts ?? []).map((verdict, at): FixtureVerdict => ({
    uid: name,
    verdict,
    resourceType: type,
    deployment: `deployment ${at + 1}`,
  }));
  const rule: Partial<LedgerEntry> =
    one.verdicts === undefined
      ? { status: 'not-recorded', reasons: [{ code: 'rule-not-deployed', message: 'the rule does not run there' }] }
      : {};
  units.push({ ...scope, type: `verdict:${check.rule}`, verdicts, entry: rule });
  const { assessment, observations } = await judge({ units }, [{ ...control, checks: [check] }]);
  const finding = assessment.findings[0];
  return {
    status: finding?.status ?? 'error',
    reason: [...observations.map((line) => line.reason), ...(finding?.reasons ?? []).map(({ message }) => message)].join('; '),
  };
}

function subjectOf(one: Case, type: string): Resource {
  const read = (readDocument(one.document ?? null, { type, id: 'case' }) ?? []).find((resource) => resource.kind === 'resource');
  if (read === undefined) throw new Error(`case "${one.name}": the document does not read as ${type}`);
  return read;
}
