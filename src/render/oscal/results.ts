import type { Assessment, Finding, Leaf, Observation, Subject } from '../../model/index.ts';
import { scopeKey } from '../../model/index.ts';
import { clip, jsonText } from '../text.ts';
import { catalogFile, idOf, listed, markup, markupLine, member, objectiveOf, oscalVersion, property, stateOf } from './terms.ts';

export interface ResultsSource {
  readonly assessment: Assessment;
  readonly observations: () => AsyncIterable<{ readonly finding: Finding; readonly observation: Observation }>;
  readonly observationIds: (finding: Finding) => AsyncIterable<string>;
}

const PLAN = idOf('resource', 'plan');
const CATALOG = idOf('resource', 'catalog');

/** The run as OSCAL assessment results: every observation and every finding, written as they are read. */
export async function* oscalResults(source: ResultsSource): AsyncGenerator<string> {
  const { assessment } = source;
  const { engagement, asOf, collected, runId, tool } = assessment;
  const people = new Map(
    assessment.answers.map(({ control, respondent, role }) => [control, { respondent, role, id: idOf('person', respondent) }]),
  );
  const entity = idOf('organization', engagement.entity);
  const toolId = idOf('tool', `${tool.name} ${tool.version}`);
  const head = {
    uuid: idOf('assessment-results', JSON.stringify(assessment)),
    metadata: {
      title: markupLine(engagement.title),
      'last-modified': asOf,
      version: runId,
      'oscal-version': oscalVersion,
      props: [...property('engagement', engagement.id), ...property('marking', engagement.classification)],
      roles: [
        { id: 'audited-entity', title: 'Audited entity' },
        { id: 'respondent', title: 'Respondent' },
      ],
      parties: [
        { uuid: entity, type: 'organization', ...named(engagement.entity) },
        ...[...new Map([...people.values()].map((one) => [one.id, one])).values()].map(({ id, respondent, role }) => ({
          uuid: id,
          type: 'person',
          ...named(respondent),
          ...listed('props', property('job-title', role)),
        })),
      ],
      'responsible-parties': [{ 'role-id': 'audited-entity', 'party-uuids': [entity] }],
    },
    'import-ap': {
      href: `#${PLAN}`,
      remarks:
        'There is no assessment plan in OSCAL: what was planned are the configuration and the catalogue of controls in the back matter.',
    },
  };
  const { score } = assessment.summary;
  const result = {
    uuid: idOf('result', `${head.uuid}`),
    title: markupLine(`${engagement.title}, ${assessment.profile.title}`),
    description: markup(
      `${engagement.entity}, ${engagement.period.from} to ${engagement.period.to}: the judged controls over the collected evidence as of ${asOf}.`,
    ),
    start: collected.startedAt,
    ...(collected.endedAt === null ? {} : { end: collected.endedAt }),
    props: [
      ...property('run', runId),
      ...property('level', assessment.profile.level),
      ...property('period-from', engagement.period.from),
      ...property('period-to', engagement.period.to),
      ...property('evidence-complete', assessment.evidenceComplete ? 'yes' : 'no'),
      ...property('evidence-sha256', assessment.evidenceDigest),
      ...property('score', score),
    ],
    'reviewed-controls': {
      description: 'Every control of the catalogue that the engagement selects.',
      links: [{ href: `#${CATALOG}`, rel: 'reference' }],
      'control-selections': [
        assessment.findings.length === 0
          ? { 'include-all': {} }
          : { 'include-controls': assessment.findings.map(({ control }) => ({ 'control-id': control.id })) },
      ],
    },
    ...listed('attestations', assessment.answers.map(attestation)),
  };
  yield `{"assessment-results":${open(head)},\n"results":[${open(result)},\n"local-definitions":${open(assets(assessment, toolId))}`;
  const others = new Map<string, Subject>();
  yield* member('inventory-items', inventory(source, others));
  yield* member(
    'components',
    [...others].map(([id, subject]) => component(id, subject)),
  );
  yield '}';
  yield* member(
    'observations',
    observed(source, toolId, (control) => people.get(control)?.id),
  );
  yield* member('risks', waived(assessment));
  yield* member('findings', found(source));
  yield `}],\n"back-matter":${JSON.stringify(backMatter(assessment))}}}\n`;
}

/** An object to which more is written. */
function open(value: object): string {
  return JSON.stringify(value).slice(0, -1);
}

function named(name: string): { readonly name?: string } {
  const [one] = property('name', name);
  return one === undefined ? {} : { name: one.value };
}

function assets({ tool }: Assessment, toolId: string): object {
  return {
    'assessment-assets': {
      components: [
        {
          uuid: toolId,
          type: 'software',
          title: markupLine(tool.name),
          description: 'Collects configuration evidence from cloud inventories and judges it against declarative controls.',
          props: property('version', tool.version),
          status: { state: 'operational' },
        },
      ],
      'assessment-platforms': [
        { uuid: idOf('platform', `${tool.name} ${tool.version}`), 'uses-components': [{ 'component-uuid': toolId }] },
      ],
    },
  };
}

function subjectId(subject: Subject): string {
  return idOf(subject.kind, `${scopeKey(subject.scope)}\n${subject.type}\n${subject.uid}`);
}

function subjectProperties(subject: Subject): ReturnType<typeof property> {
  return [
    ...property('provider', subject.provider),
    ...property('type', subject.type),
    ...property('uid', subject.uid),
    ...property('account', subject.account),
    ...property('location', subject.location),
  ];
}

/** Each judged resource once. What is no resource goes to `others`: scopes and questions, of which there are few. */
async function* inventory({ observations }: ResultsSource, others: Map<string, Subject>): AsyncGenerator<object> {
  const told = new Set<string>();
  for await (const { observation } of observations()) {
    const { subject } = observation;
    const uuid = subjectId(subject);
    if (subject.kind !== 'resource') others.set(uuid, subject);
    else if (!told.has(uuid)) {
      told.add(uuid);
      yield { uuid, description: markup(clip(subject.uid)), props: subjectProperties(subject) };
    }
  }
}

function component(uuid: string, subject: Subject): object {
  return {
    uuid,
    type: subject.kind === 'question' ? 'process-procedure' : 'service',
    title: markupLine(clip(subject.name)),
    description: markup(subject.kind === 'question' ? subject.uid : `${subject.type} of ${scopeKey(subject.scope)}`),
    props: subjectProperties(subject),
    status: { state: 'operational' },
  };
}

async function* observed(
  { observations, assessment }: ResultsSource,
  toolId: string,
  person: (control: string) => string | undefined,
): AsyncGenerator<object> {
  const collected = assessment.collected.endedAt ?? assessment.asOf;
  for await (const { finding, observation } of observations()) {
    const { id, control, check, subject, status, reason, method, waiver, citations, leaves } = observation;
    const respondent = method === 'TEST' ? undefined : person(control);
    const alone = leaves.filter(({ source }) => source === undefined || citations[source] === undefined);
    yield {
      uuid: id,
      title: markupLine(finding.control.title),
      description: markup(reason),
      props: [
        ...property('status', status),
        ...property('control', control),
        ...property('check', check),
        ...property('waiver', waiver),
        ...property('captured-at', subject.capturedAt),
        ...alone.flatMap(condition),
      ],
      methods: [method],
      types: ['control-objective'],
      origins: [
        { actors: [respondent === undefined ? { type: 'tool', 'actor-uuid': toolId } : { type: 'party', 'actor-uuid': respondent }] },
      ],
      subjects: [
        {
          'subject-uuid': subjectId(subject),
          type: subject.kind === 'resource' ? 'inventory-item' : 'component',
          title: markupLine(clip(subject.name)),
        },
      ],
      ...listed(
        'relevant-evidence',
        citations.map((citation, at) => ({
          href: hrefOf(citation),
          description: markup(`${citation.role}: ${clip(citation.uid)}`),
          props: [
            ...property('role', citation.role),
            ...property('encoding', citation.encoding),
            ...leaves.filter(({ source }) => source === at).flatMap(condition),
          ],
        })),
      ),
      collected,
    };
  }
}

/** From beside the results to the page, with the RFC 6901 pointer as fragment. */
function hrefOf({ file, pointer }: Observation['citations'][number]): string {
  const fragment = pointer.split('/').map((token) => encodeURIComponent(token.toWellFormed()));
  return `../${file.split('/').map(encodeURIComponent).join('/')}#${fragment.join('/')}`;
}

/** What a condition saw; its outcome is the class. */
function condition({ path, operator, expected, observed: seen, outcome, because }: Leaf): ReturnType<typeof property> {
  const why = because === undefined ? '' : ` (${because})`;
  return property('condition', `${path} ${operator} ${jsonText(expected)}: ${jsonText(seen)}${why}`, outcome);
}

async function* found({ assessment, observationIds }: ResultsSource): AsyncGenerator<object> {
  for (const finding of assessment.findings) {
    const { control, status, counts, waived: excepted, excluded, gaps, reasons } = finding;
    const related: object[] = [];
    for await (const id of observationIds(finding)) related.push({ 'observation-uuid': id });
    const risks = assessment.waivers.filter((waiver) => waiver.control === control.id && (waiver.used ?? 0) > 0);
    yield {
      uuid: idOf('finding', control.id),
      title: markupLine(control.title),
      description: markup(summary(finding)),
      props: [
        ...property('status', status),
        ...Object.entries(counts).flatMap(([name, count]) => property(name, count, 'count')),
        ...property('waived', excepted, 'count'),
        ...property('excluded', excluded, 'count'),
        ...property('gaps', gaps, 'count'),
      ],
      target: { type: 'objective-id', 'target-id': objectiveOf(control.id), title: markupLine(control.title), status: stateOf(status) },
      ...listed('related-observations', related),
      ...listed(
        'related-risks',
        risks.map(({ id }) => ({ 'risk-uuid': idOf('risk', id) })),
      ),
      ...(reasons.length === 0 ? {} : { remarks: reasons.map(({ code, message }) => `- ${markup(`${code}: ${message}`)}`).join('\n') }),
    };
  }
}

function summary({ control, status, counts, waived: excepted, gaps }: Finding): string {
  const parts = Object.entries(counts).flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`]));
  const more = [...(excepted > 0 ? [`${excepted} of the fails waived`] : []), ...(gaps > 0 ? [`${gaps} gaps in the evidence`] : [])];
  return `${control.id}: ${status}. Observations: ${parts.length === 0 ? 'none' : parts.join(', ')}${more.map((one) => `; ${one}`).join('')}.`;
}

/** A waiver that excepts something: what it excepts stays failed. */
function waived({ waivers }: Assessment): object[] {
  return waivers
    .filter(({ used }) => (used ?? 0) > 0)
    .map((waiver) => ({
      uuid: idOf('risk', waiver.id),
      title: markupLine(`Waiver ${waiver.id}`),
      description: markup(waiver.justification),
      statement: markup(
        `${waiver.used ?? 0} failed observations of ${waiver.control} are accepted by ${waiver.approver}. They stay failed.`,
      ),
      props: [
        ...property('waiver', waiver.id),
        ...property('owner', waiver.owner),
        ...property('approver', waiver.approver),
        ...property('approved-on', waiver.approvedOn),
        ...property('expires', waiver.expires),
      ],
      status: 'deviation-approved',
    }));
}

function attestation(answer: Assessment['answers'][number]): object {
  return {
    'responsible-parties': [{ 'role-id': 'respondent', 'party-uuids': [idOf('person', answer.respondent)] }],
    parts: [
      {
        name: 'answer',
        title: markupLine(answer.control),
        props: [
          ...property('control', answer.control),
          ...property('answer', answer.answer),
          ...property('date', answer.date),
          ...property('valid-until', answer.validUntil),
          ...answer.attachments.flatMap((name) => property('attachment', name)),
        ],
        prose: markup(answer.statement),
      },
    ],
  };
}

function backMatter({ catalogue }: Assessment): object {
  const files = catalogue.files.map(({ file, sha256 }) => ({
    href: `../inputs/catalogue/${file.split('/').map(encodeURIComponent).join('/')}`,
    'media-type': 'application/yaml',
    hashes: [{ algorithm: 'SHA-256', value: sha256 }],
  }));
  return {
    resources: [
      {
        uuid: PLAN,
        title: 'Configuration and catalogue that were judged by',
        description: 'What was to be collected and judged: exhibit.yaml, and the control files in the order they were read.',
        rlinks: [{ href: '../inputs/exhibit.yaml', 'media-type': 'application/yaml' }, ...files],
      },
      {
        uuid: CATALOG,
        title: 'The judged controls as an OSCAL catalog',
        description: 'Findings point at the assessment objectives of its controls.',
        rlinks: [{ href: catalogFile, 'media-type': 'application/json' }],
      },
    ],
  };
}
