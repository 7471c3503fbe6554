import type { Control, Finding, Observation, Status } from '../model/index.ts';
import { statusTable } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { wordOf } from './charts.ts';
import { cell, citationText, clip, commands, grouped, instant, plural, prose, safeUrl } from './text.ts';
import { expectedText, observedText } from './leaves.ts';
import { isNonPassing } from './observations.ts';
import type { ProseBlock } from './text.ts';
import type { RowGroup, RowView } from './view-rows.ts';
import type { ControlView } from './view-schema.ts';

export const PROVIDERS = { aws: 'Amazon Web Services', azure: 'Microsoft Azure', gcp: 'Google Cloud' } as const;

/** Leaves shown in a printed row; all of them are in the HTML report and the CSV file. */
const LEAVES_SHOWN = 8;

export function pillOf(status: Status): { status: Status; word: string } {
  return { status, word: wordOf(status) };
}

/** A fragment name from an id: letters, digits and dashes only. */
export function anchorOf(prefix: string, id: string): string {
  return `${prefix}-${id.replace(/[^A-Za-z0-9]+/g, '-')}`;
}

const rank = new Map<Status, number>(statusTable.map((row) => [row.status, row.rank]));

/** The rows of a control that the document itself shows, worst first, bounded by `limit`. */
export function selectRows(limit: number): { add: (observation: Observation) => void; rows: () => Observation[] } {
  const kept = new Map<Status, Observation[]>();
  return {
    add: (observation) => {
      if (!isNonPassing(observation.status)) return;
      const list = kept.get(observation.status) ?? [];
      if (list.length < limit) list.push(observation);
      kept.set(observation.status, list);
    },
    rows: () =>
      [...kept.entries()]
        .sort(([a], [b]) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0))
        .flatMap(([, list]) => list)
        .slice(0, limit),
  };
}

/** Account and location as one line: `111122223333 · eu-west-1`; what the id says already is left out. */
export function placeBeside(subject: { account: string; location: string; uid: string }): string {
  const said = (part: string): string => (subject.uid.includes(part) ? '' : part);
  return placeOf({ account: said(subject.account), location: said(subject.location) });
}

/** Account and location as one line: `111122223333 · eu-west-1`. */
function placeOf(subject: { account: string; location: string }): string {
  return [subject.account, subject.location]
    .filter((part) => part !== '' && part !== '*')
    .map((part) => cell(part, 120))
    .join(' · ');
}

/**
 * Name and id of a subject. An id that ends with the name is said once: `lead` is what goes before it. Otherwise `uid` follows the
 * name, unless they are the same.
 */
export function whoOf(subject: { name: string; uid: string }): { lead: string; name: string; uid: string } {
  const uid = cell(subject.uid, CELL_UID);
  const name = cell(subject.name === '' ? subject.uid : subject.name, CELL_NAME);
  return uid.endsWith(name) ? { lead: uid.slice(0, uid.length - name.length), name, uid: '' } : { lead: '', name, uid };
}

export function rowView(observation: Observation, checks: number): RowView {
  const { subject } = observation;
  const captured = subject.capturedAt === null ? '' : instant(subject.capturedAt);
  const own = observation.citations.findIndex(({ role }) => role === 'subject');
  const ordered = [...observation.leaves].sort((a, b) => Number(a.outcome === 'true') - Number(b.outcome === 'true'));
  return {
    anchor: `o-${observation.id.replace(/[^A-Za-z0-9-]/g, '')}`,
    id: cell(observation.id, 60),
    pill: pillOf(observation.status),
    waiver: observation.waiver === undefined ? null : cell(observation.waiver, 60),
    ...(subject.kind === 'scope'
      ? { lead: '', name: cell(subject.name === '' ? subject.uid : subject.name, CELL_NAME), uid: '' }
      : whoOf(subject)),
    type: cell(subject.type, 120),
    asked: subject.kind === 'question',
    noun: NOUNS[subject.kind],
    place: subject.kind === 'scope' ? placeOf(subject) : placeBeside(subject),
    captured: own === -1 ? captured : '',
    check: checks > 1 ? cell(observation.check, 80) : null,
    reason: cell(observation.reason, 600),
    leaves: ordered.slice(0, LEAVES_SHOWN).map((leaf) => ({
      path: cell(leaf.path, 200),
      observed: observedText(leaf),
      missing: leaf.observed === undefined,
      expected: expectedText(leaf),
      outcome: leaf.outcome,
      word: OUTCOMES[leaf.outcome],
      // What the reason says already is not said again.
      because: leaf.because === undefined || observation.reason.includes(leaf.because) ? '' : cell(leaf.because, 80),
    })),
    moreLeaves: Math.max(0, ordered.length - LEAVES_SHOWN),
    citations: observation.citations.map((citation, at) => ({
      role: cell(citation.role, 60),
      text: clip(citationText(citation), 400),
      captured: at === own ? captured : '',
    })),
  };
}

/** What stands for a subject's own name or id in what is said of several. */
const ITSELF = '(named below)';

/**
 * A row's reason as it reads for any subject like it; of a gap also without its account, region and refused request, which stand
 * with each. Names that might be plain words are left where they are.
 */
function reasonOfMany({ reason, lead, name, uid, place, noun }: RowView): string {
  const gap = noun === 'gap';
  const own = [lead + name, uid, name, ...(gap ? place.split(' · ') : [])].filter((text) => text.length >= 6 && /[^A-Za-z ]/.test(text));
  const many = own.reduce((text, one) => text.replaceAll(one, ITSELF), reason);
  return gap ? many.replace(REQUEST, `request ${ITSELF}`) : many;
}

/** A provider's ids of refused requests: every row has its own. */
export const REQUEST = /\brequest ([A-Za-z0-9-]*\d[A-Za-z0-9-]*)/g;

/** Rows that say the same of different subjects become one group, where the first of them stood. */
export function groupRows(rows: readonly RowView[]): RowGroup[] {
  const groups = new Map<string, { group: RowGroup; many: string; places: string[] }>();
  for (const row of rows) {
    const { anchor, id, lead, name, uid, place, captured, citations, ...common } = row;
    const requests = row.noun === 'gap' ? new Set([...row.reason.matchAll(REQUEST)].map(([, request = '']) => `request ${request}`)) : [];
    const many = reasonOfMany(row);
    const key = JSON.stringify({ ...common, reason: many });
    const found = groups.get(key) ?? { group: { ...common, total: null, members: [] }, many, places: [] };
    groups.set(key, found);
    found.group.members.push({ anchor, id, lead, name, uid, place, captured, citations });
    found.places.push([place, ...requests].filter((part) => part !== '').join(' · '));
  }
  return [...groups.values()].map(({ group, many, places }) => {
    if (group.members.length === 1) return group;
    const members = group.members.map((member, index) => ({ ...member, place: places[index] ?? member.place }));
    return { ...group, members, reason: many, total: plural(members.length, group.noun) };
  });
}

const NOUNS = { resource: 'resource', scope: 'gap', question: 'question' } as const;
const CELL_UID = 320;
const CELL_NAME = 160;
const OUTCOMES = { true: 'holds', false: 'does not hold', unknown: 'unknown' } as const;

/** Kind of rows that the page says are elsewhere. */
export interface RowPlacement {
  rows: RowView[];
  /** How many non-passing observations there are in all. */
  nonPassing: number;
  register: boolean;
}

export function controlView(finding: Finding, index: number, placement: RowPlacement): ControlView {
  const { control, counts } = finding;
  const untested = counts.error + counts.unknown + counts.notchecked;
  const scope = counts.pass + counts.fail + untested;
  const shown = placement.rows.length;
  return {
    id: visible(control.id),
    anchor: anchorOf('control', control.id),
    pageName: `control${index}`,
    title: cell(control.title, 240),
    pill: pillOf(finding.status),
    failing: finding.status === 'fail' || finding.status === 'error',
    section: visible(control.section),
    level: `Level ${control.level}`,
    assessment: control.assessment === 'automated' ? 'Automated' : 'Manual',
    provider: PROVIDERS[control.provider],
    source: visible(control.source),
    strip: [
      { value: grouped(scope), label: 'In scope', tone: 'plain' },
      { value: grouped(counts.pass), label: 'Passed', tone: counts.pass > 0 ? 'pass' : 'muted' },
      { value: grouped(counts.fail), label: 'Failed', tone: counts.fail > 0 ? 'fail' : 'muted' },
      { value: grouped(untested), label: 'Not tested', tone: untested > 0 ? 'unknown' : 'muted' },
      { value: grouped(finding.gaps), label: finding.gaps === 1 ? 'Gap' : 'Gaps', tone: finding.gaps > 0 ? 'unknown' : 'muted' },
      { value: grouped(finding.waived), label: 'Excepted', tone: finding.waived > 0 ? 'excepted' : 'muted' },
    ],
    outcome: outcomeSentence(finding, scope, untested),
    reasons: causesOf(finding),
    profileApplicability: control.profileApplicability.length > 0 ? control.profileApplicability.map(visible) : [`Level ${control.level}`],
    ...proseViews(control),
    references: control.prose.references.map((reference) => ({ text: cell(reference, 300), url: safeUrl(reference) })),
    mappings: Object.entries(control.mappings)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([framework, ids]) => ({ framework: frameworkName(framework), ids: ids.map(visible).join(', ') })),
    checks: control.checks.map((check) => ({
      id: visible(check.id),
      // A title that is the control's own stands above already.
      title: check.title === control.title ? '' : cell(check.title, 300),
      on: cell(check.on, 2000),
      kind: CHECK_KINDS[check.kind],
      question: check.kind === 'manual',
    })),
    nonPassing: placement.nonPassing,
    groups: groupRows(placement.rows),
    inRegister:
      placement.register && placement.nonPassing > shown
        ? { total: grouped(placement.nonPassing), shown: grouped(shown), anchor: anchorOf('register', control.id) }
        : null,
    passing: grouped(counts.pass),
    somePassing: counts.pass > 0,
    notApplicable: grouped(counts.notapplicable),
    explorerLink: explorerHash({ control: control.id, status: ['fail', 'error', 'unknown', 'notchecked'] }),
    explorerAllLink: explorerHash({ control: control.id }),
  };
}

const CHECK_KINDS = {
  condition: 'Condition on collected configuration',
  verdict: "Provider's own evaluation",
  manual: 'Question to a person',
} as const;

/** `#find?control=…&status=fail,error`: the address of a filtered list in the HTML report. */
export function explorerHash(filter: { control?: string; status?: readonly Status[] }): string {
  const parts = [
    ...(filter.control === undefined ? [] : [`control=${encodeURIComponent(filter.control)}`]),
    ...(filter.status === undefined ? [] : [`status=${filter.status.join(',')}`]),
  ];
  return `#find?${parts.join('&')}`;
}

function outcomeSentence(finding: Finding, scope: number, untested: number): string {
  const { counts } = finding;
  if (finding.control.assessment === 'manual' && scope <= 1) {
    if (finding.status === 'notchecked') return "A person's answer is needed and has not been given.";
    return `Decided by a person's answer: ${wordOf(finding.status).toLowerCase()}. The answer is under "Exceptions and attested answers".`;
  }
  if (scope === 0) {
    const nothing =
      counts.notapplicable > 0
        ? `${plural(counts.notapplicable, 'resource')} examined; the requirement applies to none of them.`
        : 'No resource in scope.';
    return finding.gaps > 0
      ? `${nothing} ${plural(finding.gaps, 'gap')} in the evidence: what could not be seen is not counted as passed.`
      : nothing;
  }
  const none = counts.fail + untested === 0;
  const parts = none
    ? [scope === 1 ? 'The one resource in scope passed' : `All ${grouped(scope)} resources in scope passed`]
    : [`${grouped(counts.fail)} of ${plural(scope, 'resource')} in scope ${counts.fail === 1 ? 'fails' : 'fail'}`];
  if (untested > 0) parts.push(`${grouped(untested)} could not be tested`);
  if (!none) parts.push(`${grouped(counts.pass)} passed`);
  const tail = [
    ...(finding.gaps > 0 ? [`${plural(finding.gaps, 'gap')} in the evidence, listed below: no pass is claimed there.`] : []),
    ...(counts.notapplicable > 0
      ? [`${grouped(counts.notapplicable)} more ${counts.notapplicable === 1 ? 'was' : 'were'} examined and found not applicable.`]
      : []),
    ...(finding.excluded > 0 ? [`${grouped(finding.excluded)} excluded by the scope of the engagement (see the reconciliation).`] : []),
    ...(finding.waived > 0
      ? [
          `${plural(finding.waived, 'failure')} ${finding.waived === 1 ? 'has' : 'have'} an exception on record and still ${finding.waived === 1 ? 'counts' : 'count'} as failed.`,
        ]
      : []),
  ];
  return [`${parts.join('; ')}.`, ...tail].join(' ');
}

/** Causes that a control's page names before its resources; each gap is listed below with its own. */
const CAUSES = 4;

function causesOf({ reasons }: Finding): string[] {
  const causes = reasons.map((reason) => cell(reason.message, 600));
  return causes.length <= CAUSES + 1
    ? causes
    : [...causes.slice(0, CAUSES), `and ${grouped(causes.length - CAUSES)} more, listed below and in results/findings.csv`];
}

type ProseViews = Pick<
  ControlView,
  | 'description'
  | 'rationale'
  | 'impactPros'
  | 'impactCons'
  | 'defaultValue'
  | 'prerequisites'
  | 'auditConsole'
  | 'auditCli'
  | 'planConsole'
  | 'planCli'
  | 'backOut'
>;

function proseViews({ prose: text }: Control): ProseViews {
  return {
    description: blocks(text.description),
    rationale: blocks(text.rationale),
    impactPros: blocks(text.impact.pros),
    impactCons: blocks(text.impact.cons),
    defaultValue: blocks(text.defaultValue),
    prerequisites: blocks(text.prerequisites),
    auditConsole: blocks(text.audit.console),
    auditCli: commandBlocks(text.audit.cli),
    planConsole: blocks(text.remediation.console),
    planCli: commandBlocks(text.remediation.cli),
    backOut: blocks(text.backOut),
  };
}

function blocks(text: string): ControlView['description'] {
  return flagged(prose(text));
}

/** A command-line procedure is commands from its first line to its last, comments and blank lines included. */
function commandBlocks(text: string): ControlView['description'] {
  return flagged(commands(text));
}

function flagged(list: readonly ProseBlock[]): ControlView['description'] {
  return list.map((block) => ({
    ...block,
    paragraph: block.kind === 'paragraph',
    bullets: block.kind === 'bullets',
    steps: block.kind === 'steps',
    commands: block.kind === 'commands',
  }));
}

const FRAMEWORKS: Readonly<Record<string, string>> = {
  cis: 'CIS',
  nist80053: 'NIST SP 800-53 r5',
  nistcsf: 'NIST CSF',
  iso27001: 'ISO/IEC 27001:2022',
  pcidss: 'PCI DSS',
  pci4: 'PCI DSS 4.0',
  pci: 'PCI DSS',
  soc2: 'SOC 2',
  csaccm: 'CSA CCM',
  hipaa: 'HIPAA',
  dora: 'DORA',
  bsic5: 'BSI C5',
};

function frameworkName(key: string): string {
  return FRAMEWORKS[key.toLowerCase().replace(/[^a-z0-9]/g, '')] ?? visible(key);
}
