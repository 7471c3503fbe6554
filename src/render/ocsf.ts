import type { Assessment, Control, Finding, Leaf, Observation, Provider, Status } from '../model/index.ts';
import { statusTable } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { inPieces } from './pieces.ts';

/**
 * Observations as Compliance Findings (class 2003) of the Open Cybersecurity Schema Framework 1.8.0 with its cloud profile, a line of JSON
 * each. Ids and names of resources are exact, so that they join with other logs; sentences have what cannot be seen spelt out.
 */
const version = '1.8.0';

const clouds: Record<Provider, { readonly name: string; readonly account: { readonly type: string; readonly type_id: number } }> = {
  aws: { name: 'AWS', account: { type: 'AWS Account', type_id: 10 } },
  azure: { name: 'Azure', account: { type: 'Azure Subscription', type_id: 13 } },
  gcp: { name: 'GCP', account: { type: 'GCP Project', type_id: 11 } },
};

/** Only a pass is one. What is unknown is the framework's unknown; what it has no word for is Other, under our own. */
function complianceStatus(status: Status): { readonly status: string; readonly status_id: number } {
  const label = statusTable.find((row) => row.status === status)?.label ?? status;
  return { status: label, status_id: { pass: 1, fail: 3, unknown: 0, error: 99, notchecked: 99, notapplicable: 99 }[status] };
}

interface Context {
  readonly assessment: Assessment;
  readonly time: number;
  /** Provider and account → name. */
  readonly names: ReadonlyMap<string, string>;
}

export function ocsfFindings(
  assessment: Assessment,
  observations: AsyncIterable<{ readonly finding: Finding; readonly observation: Observation }>,
): AsyncGenerator<string> {
  const context: Context = {
    assessment,
    time: Date.parse(assessment.asOf),
    names: new Map(assessment.scopes.flatMap(({ provider, account, name }) => (name === null ? [] : [[`${provider} ${account}`, name]]))),
  };
  async function* lines(): AsyncGenerator<string> {
    for await (const { finding, observation } of observations) yield `${JSON.stringify(eventOf(finding.control, observation, context))}\n`;
  }
  return inPieces(lines());
}

function eventOf(control: Control, observation: Observation, { assessment, time, names }: Context): object {
  const { id, check, subject, status, reason, method, waiver, citations, leaves } = observation;
  const { runId, tool, catalogue, engagement, profile } = assessment;
  const cloud = clouds[subject.provider];
  const accountName = names.get(`${subject.provider} ${subject.account}`);
  const region = subject.location === '' || subject.location === '*' ? undefined : subject.location;
  const partition = subject.provider === 'aws' ? /^arn:([a-z-]+):/.exec(subject.uid)?.[1] : undefined;
  const result = complianceStatus(status);
  const alone = leaves.filter(({ source }) => source === undefined || citations[source] === undefined);
  const good = status === 'pass' || status === 'notapplicable';
  return {
    activity_id: 1,
    activity_name: 'Create',
    category_uid: 2,
    category_name: 'Findings',
    class_uid: 2003,
    class_name: 'Compliance Finding',
    type_uid: 200301,
    type_name: 'Compliance Finding: Create',
    time,
    // Controls have a level, no severity: what is not well is of unknown severity.
    ...(good ? { severity_id: 1, severity: 'Informational' } : { severity_id: 0, severity: 'Unknown' }),
    message: visible(reason),
    metadata: {
      version,
      product: { name: tool.name, version: tool.version },
      profiles: ['cloud'],
      uid: `${runId}/${id}`,
      correlation_uid: runId,
    },
    cloud: {
      provider: cloud.name,
      account: { uid: subject.account, ...cloud.account, ...(accountName === undefined ? {} : { name: accountName }) },
      ...(region === undefined ? {} : { region }),
      ...(partition === undefined ? {} : { cloud_partition: partition }),
    },
    finding_info: {
      uid: id,
      title: visible(control.title),
      created_time: time,
      types: [control.section],
      analytic: { uid: `${control.id}/${check}`, name: control.id, type: 'Rule', type_id: 1, version: catalogue.version },
    },
    compliance: {
      control: control.id,
      category: control.section,
      standards: Object.keys(control.mappings),
      requirements: Object.entries(control.mappings).flatMap(([framework, ids]) => ids.map((one) => `${framework}: ${one}`)),
      ...result,
      status_detail: visible(reason),
      checks: [{ uid: check, name: titleOf(control, check), ...result }],
    },
    resources: [
      {
        uid: subject.uid,
        name: subject.name,
        type: subject.type,
        provider: cloud.name,
        ...(region === undefined ? {} : { region }),
        ...(partition === undefined ? {} : { cloud_partition: partition }),
      },
    ],
    evidences: citations.map(({ file, pointer, encoding, role, uid }, at) => ({
      name: role,
      uid,
      data: { file, pointer, encoding, conditions: leaves.filter(({ source }) => source === at).map(condition) },
    })),
    ...remediationOf(control, status),
    unmapped: {
      status,
      kind: subject.kind,
      method,
      level: control.level,
      engagement: engagement.id,
      profile: profile.title,
      ...(subject.capturedAt === null ? {} : { captured_at: subject.capturedAt }),
      ...(alone.length === 0 ? {} : { conditions: alone.map(condition) }),
      // What is waived stays a fail.
      ...(waiver === undefined ? {} : { waiver }),
    },
  };
}

function condition({ path, operator, expected, observed, outcome, because }: Leaf): object {
  return { path, operator, expected, observed, outcome, because };
}

function titleOf(control: Control, check: string): string {
  return control.checks.find(({ id }) => id === check)?.title ?? control.title;
}

function remediationOf({ prose }: Control, status: Status): object {
  const desc = prose.remediation.cli.trim() === '' ? prose.remediation.console : prose.remediation.cli;
  if (status !== 'fail' || desc.trim() === '') return {};
  return { remediation: { desc, ...(prose.references.length === 0 ? {} : { references: prose.references }) } };
}
