import type { Assessment, Provider, StatusCounts } from '../model/index.ts';
import { isJsonObject, providers, statusTable } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { countsLabel, donut, stackedBar } from './charts.ts';
import { anchorOf, pillOf, PROVIDERS } from './view-control.ts';
import { cell, clip, grouped, instant, jsonText, longDate, percent, plural } from './text.ts';
import { choiceLimits, emptied, leftOutView, parametersView } from './view-choices.ts';
import type { View } from './view-schema.ts';

/** Who signed, or will sign, the pack. */
export interface SigningInfo {
  /** SHA-256 of the root certificate, lower-case hex, with or without colons. */
  fingerprint: string;
  subject: string;
  algorithm: string;
}

export function coverView(assessment: Assessment, signing: SigningInfo | null): View['cover'] {
  const { engagement } = assessment;
  const whole = assessment.scopes.filter((scope) => scope.status === 'complete').length;
  const gaps = assessment.queries.filter((query) => query.status !== 'complete').length;
  const unproved = unprovedPopulations(assessment);
  const collected = assessment.evidenceComplete
    ? `${unproved === 0 ? 'Complete' : 'Collected'}: ${plural(assessment.scopes.length, 'scope')}, ${plural(assessment.queries.length, 'query', 'queries')}`
    : `Gaps: ${grouped(whole)} of ${plural(assessment.scopes.length, 'scope')} complete, ${plural(gaps, 'query', 'queries')} of ${grouped(assessment.queries.length)} incomplete`;
  const completeness =
    unproved === 0
      ? collected
      : `${collected}; ${grouped(unproved)} of ${plural(assessment.reconciliation.length, 'population')} not reconciled`;
  return {
    kicker: 'Compliance evidence pack',
    title: cell(engagement.title, 160),
    subtitle: [engagementProfile(assessment), accountsText(assessment), periodText(assessment)].join(' · '),
    facts: [
      { name: 'Entity', value: cell(engagement.entity, 120) },
      { name: 'Prepared for', value: engagement.preparedFor === undefined ? 'not stated' : cell(engagement.preparedFor, 120) },
      { name: 'Classification', value: engagement.classification === undefined ? 'not stated' : cell(engagement.classification, 120) },
      { name: 'Evidence collected', value: instant(assessment.collected.endedAt ?? assessment.collected.startedAt) },
      { name: 'Tool', value: visible(`${assessment.tool.name} ${assessment.tool.version}`) },
      { name: 'Run', value: cell(assessment.runId, 80) },
    ],
    complete: assessment.evidenceComplete && unproved === 0,
    completeness,
    evidenceDigest: visible(assessment.evidenceDigest),
    fingerprint: signing === null ? null : visible(signing.fingerprint),
  };
}

/** Populations that no independent count confirms. */
function unprovedPopulations(assessment: Assessment): number {
  return assessment.reconciliation.filter((row) => !row.balanced).length;
}

function engagementProfile(assessment: Assessment): string {
  return cell(assessment.profile.title === '' ? `Level ${assessment.profile.level}` : assessment.profile.title, 120);
}

export function periodText(assessment: Assessment): string {
  const { from, to } = assessment.engagement.period;
  return `${longDate(from)} to ${longDate(to)}`;
}

const ACCOUNT_NOUN = {
  aws: ['AWS account', 'AWS accounts'],
  azure: ['Azure subscription', 'Azure subscriptions'],
  gcp: ['Google Cloud project', 'Google Cloud projects'],
} as const;

/** Accounts, subscriptions and projects: what lies above them (`tenants/…`, `folders/…`, `organizations/…`) is a scope, and none of them. */
function accountsOf(assessment: Assessment, provider: Provider): number {
  return new Set(
    assessment.scopes.filter((scope) => scope.provider === provider && !scope.account.includes('/')).map((scope) => scope.account),
  ).size;
}

function accountsText(assessment: Assessment): string {
  const parts = providers.flatMap((provider) => {
    const count = accountsOf(assessment, provider);
    const [one, many] = ACCOUNT_NOUN[provider];
    return count === 0 ? [] : [plural(count, one, many)];
  });
  return parts.length === 0 ? 'no scopes' : parts.join(', ');
}

export function scopeView(assessment: Assessment): View['scope'] {
  return {
    period: periodText(assessment),
    facts: [
      { name: 'Entity', value: cell(assessment.engagement.entity, 200) },
      { name: 'Engagement', value: cell(assessment.engagement.id, 120) },
      { name: 'Period under review', value: periodText(assessment) },
      { name: 'Profile', value: engagementProfile(assessment) },
      { name: 'Controls', value: controlsText(assessment) },
      {
        name: 'Collection',
        value: `${instant(assessment.collected.startedAt)} to ${assessment.collected.endedAt === null ? 'not finished' : instant(assessment.collected.endedAt)}`,
      },
      { name: 'Judged as of', value: instant(assessment.asOf) },
    ],
    providers: providers.flatMap((provider) => {
      const scopes = assessment.scopes.filter((scope) => scope.provider === provider);
      if (scopes.length === 0) return [];
      const whole = scopes.filter((scope) => scope.status === 'complete').length;
      const regions = new Set(scopes.map((scope) => scope.region).filter((region) => region !== '*' && region !== ''));
      const [one, many] = ACCOUNT_NOUN[provider];
      return [
        {
          provider: PROVIDERS[provider],
          accounts: plural(accountsOf(assessment, provider), one, many),
          regions:
            regions.size === 0
              ? 'all locations'
              : [...regions]
                  .sort()
                  .map((region) => cell(region, 40))
                  .join(', '),
          scopes: grouped(scopes.length),
          complete: grouped(whole),
          incomplete: grouped(scopes.length - whole),
          whole: whole === scopes.length,
        },
      ];
    }),
    critical: criticalPairs(assessment.critical),
    parameters: parametersView(assessment),
    leftOut: leftOutView(assessment),
  };
}

function controlsText({ findings, choices }: Assessment): string {
  const out = choices?.leftOut.length ?? 0;
  return out === 0
    ? plural(findings.length, 'control')
    : `${plural(findings.length, 'control')} of the ${grouped(findings.length + out)} in the catalogue`;
}

const UNCLASSIFIED = {
  critical: 'counts as critical (the cautious reading)',
  'not-critical': 'counts as not critical',
  unknown: 'is unknown: it neither passes nor is left out',
} as const;

function criticalPairs(critical: unknown): View['scope']['critical'] {
  if (!isJsonObject(critical)) return [{ name: 'Selector', value: 'none recorded' }];
  const pairs: { name: string; value: string }[] = [];
  const tags = (label: string, value: unknown): void => {
    if (!isJsonObject(value)) return;
    for (const [tag, values] of Object.entries(value))
      pairs.push({ name: label, value: cell(`${tag} = ${Array.isArray(values) ? values.join(' or ') : jsonText(values)}`, 300) });
  };
  const list = (label: string, value: unknown): void => {
    if (Array.isArray(value) && value.length > 0) pairs.push({ name: label, value: cell(value.join(', '), 400) });
  };
  tags('Critical by tag or label', critical['tags']);
  list('Critical by name', critical['names']);
  list('Critical by id', critical['ids']);
  tags('Not critical by tag or label', critical['notCriticalTags']);
  const unclassified = critical['unclassified'];
  pairs.push({
    name: 'An unclassified resource',
    value:
      typeof unclassified === 'string' && unclassified in UNCLASSIFIED
        ? UNCLASSIFIED[unclassified as keyof typeof UNCLASSIFIED]
        : cell(clip(jsonText(unclassified)), 200),
  });
  return pairs;
}

const SCORED = {
  pass: 'counts for the score',
  fail: 'counts against the score',
  error: 'not scored, shown beside it',
  unknown: 'not scored, shown beside it',
  notchecked: 'not scored, shown beside it',
  notapplicable: 'not scored',
} as const;

export function methodView(assessment: Assessment): View['method'] {
  const { counts, score } = assessment.summary;
  return {
    statuses: statusTable.map((row) => ({ pill: pillOf(row.status), meaning: row.meaning, scored: SCORED[row.status] })),
    score: `${grouped(counts.pass)} / (${grouped(counts.pass)} + ${grouped(counts.fail)}) = ${percent(score)}`,
  };
}

/** Evidence shows the day of its collection; where that is no day of the period, or not its last, a reader has to know. */
function periodLimits({ engagement: { period }, asOf }: Assessment): string[] {
  const days = (from: string, to: string): number => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
  const day = asOf.slice(0, 10);
  if (days(period.to, day) > 0)
    return [
      `The evidence is of ${longDate(day)}, ${plural(days(period.to, day), 'day')} after the period under review ended. Whether the resources stood like this within the period is not shown.`,
    ];
  if (days(day, period.from) > 0)
    return [`The evidence is of ${longDate(day)}, ${plural(days(day, period.from), 'day')} before the period under review began.`];
  if (days(day, period.to) > 0)
    return [
      `The evidence is of ${longDate(day)}. The period under review goes on for ${plural(days(day, period.to), 'day')} after it, and nothing is claimed about them.`,
    ];
  return [];
}

export function limitationsView(assessment: Assessment): View['limitations'] {
  const gaps = assessment.queries.filter((query) => query.status !== 'complete').length;
  const scopes = assessment.scopes.filter((scope) => scope.status !== 'complete').length;
  const unbalanced = unprovedPopulations(assessment);
  const lacking = assessment.shortfalls ?? [];
  const { counts } = assessment.summary;
  const particular = [
    ...periodLimits(assessment),
    ...choiceLimits(assessment),
    ...(scopes > 0
      ? [
          `${plural(scopes, 'scope')} of ${grouped(assessment.scopes.length)} could not be read in full. Nothing is claimed about what they hold beyond what is listed.`,
        ]
      : []),
    ...(lacking.length > 0
      ? [
          `In ${plural(lacking.length, 'case')} the evidence of a type of resource is not whole in some account; each is listed with its cause and the controls that need it.`,
        ]
      : []),
    ...(gaps > 0 ? [`${plural(gaps, 'query', 'queries')} of ${grouped(assessment.queries.length)} ended without a complete answer.`] : []),
    ...(unbalanced > 0
      ? [
          `${plural(unbalanced, 'population')} of ${grouped(assessment.reconciliation.length)} could not be reconciled with an independent count.`,
        ]
      : []),
    ...(counts.notchecked > 0
      ? [`${plural(counts.notchecked, 'manual control')} ${counts.notchecked === 1 ? 'awaits' : 'await'} a person's answer.`]
      : []),
    ...(assessment.access.incomplete > 0
      ? [`For ${plural(assessment.access.incomplete, 'critical store')} the evidence of who can read the data is incomplete.`]
      : []),
    ...(assessment.redactions > 0
      ? [
          `${plural(assessment.redactions, 'value')} ${assessment.redactions === 1 ? 'was' : 'were'} redacted before reaching disk; each is declared and committed to by a salted hash.`,
        ]
      : []),
  ];
  return {
    general: [
      "The evidence is the configuration that the providers' inventory services reported at the time of collection. It does not show what the configuration was at other moments of the period, nor whether a control operated in between.",
      'An inventory service reports what it records, when it records it. The time of capture is shown with each resource where the provider states it.',
      'Configuration says what is set, not what happens: data in transit, application-level encryption, copies outside the listed scopes, and the conduct of people are not tested.',
      'A signature proves that the pack is unaltered since it was sealed and who holds the key. It does not prove that the accounts and regions examined are all that the entity uses.',
      "This is evidence and re-performable testing of it. It is not an opinion, and takes no one's place who has to form one.",
    ],
    particular,
  };
}

type Scored = { counts: StatusCounts; score: number | null };

function scoreRow(title: string, anchor: string | null, { counts, score }: Scored): View['summary']['overall'] {
  return {
    title: cell(title, 160),
    anchor,
    bar: stackedBar(counts),
    pass: grouped(counts.pass),
    fail: grouped(counts.fail),
    error: grouped(counts.error),
    unknown: grouped(counts.unknown),
    manual: grouped(counts.notchecked),
    notApplicable: grouped(counts.notapplicable),
    score: grouped(counts.pass),
    max: grouped(counts.pass + counts.fail),
    percent: percent(score),
  };
}

export function untestedOf(counts: StatusCounts): number {
  return counts.error + counts.unknown + counts.notchecked;
}

export function summaryView(assessment: Assessment, pages: ReadonlyMap<string, string>): View['summary'] {
  const { summary } = assessment;
  const { counts, resources } = summary;
  const untested = untestedOf(counts);
  const attention = assessment.findings
    .filter((finding) => finding.status === 'fail' || finding.status === 'error')
    .sort((a, b) => b.counts.fail - a.counts.fail || (a.control.id < b.control.id ? -1 : 1))
    .slice(0, Math.min(6, Math.max(3, 15 - summary.sections.length)));
  return {
    percent: percent(summary.score),
    fraction: `${grouped(counts.pass)} of ${grouped(counts.pass + counts.fail)} scored`,
    donut: donut(counts, ['pass', 'fail', 'error', 'unknown', 'notchecked']),
    donutLabel: `Controls: ${countsLabel(counts)}. Score ${percent(summary.score)}.`,
    figures: [
      { value: grouped(counts.pass), label: 'controls passed', tone: 'pass' },
      { value: grouped(counts.fail), label: 'controls failed', tone: 'fail' },
      {
        value: grouped(counts.error + counts.unknown),
        label: 'could not be tested',
        tone: counts.error + counts.unknown > 0 ? 'unknown' : 'muted',
      },
      { value: grouped(counts.notchecked), label: 'await an answer', tone: 'muted' },
      { value: grouped(counts.notapplicable), label: 'not applicable', tone: 'muted' },
    ],
    overall: scoreRow('All controls', null, summary),
    sections: summary.sections.map((section) => scoreRow(section.section, anchorOf('section', section.section), section)),
    levels: summary.levels.map((level) => scoreRow(`Level ${level.level}`, null, level)),
    resources: [
      { value: grouped(resources.pass), label: 'passed', tone: 'pass' },
      { value: grouped(resources.fail), label: 'failed', tone: resources.fail > 0 ? 'fail' : 'muted' },
      {
        value: grouped(resources.unknown + resources.error + resources.notchecked),
        label: 'not tested',
        tone: untestedOf(resources) > 0 ? 'unknown' : 'muted',
      },
      { value: grouped(resources.notapplicable), label: 'not applicable', tone: 'muted' },
    ],
    resourcesTotal: grouped(Object.values(resources).reduce((sum, count) => sum + count, 0)),
    headline: headline(assessment, untested),
    attention: attention.map((finding) => ({
      id: visible(finding.control.id),
      title: cell(finding.control.title, 200),
      anchor: anchorOf('control', finding.control.id),
      pill: pillOf(finding.status),
      fail: grouped(finding.counts.fail),
      untested: grouped(untestedOf(finding.counts) + finding.gaps),
      page: pages.get(anchorOf('control', finding.control.id)) ?? '',
    })),
    controls: assessment.findings.map((finding) => ({
      id: visible(finding.control.id),
      title: cell(finding.control.title, 200),
      anchor: anchorOf('control', finding.control.id),
      pill: pillOf(finding.status),
      level: `L${finding.control.level}`,
      pass: grouped(finding.counts.pass),
      fail: grouped(finding.counts.fail),
      untested: grouped(untestedOf(finding.counts) + finding.gaps),
      notApplicable: grouped(finding.counts.notapplicable),
      page: pages.get(anchorOf('control', finding.control.id)) ?? '',
    })),
  };
}

function headline(assessment: Assessment, untested: number): string {
  const { counts, score } = assessment.summary;
  const scored = counts.pass + counts.fail;
  const first =
    score === null || scored === 0
      ? 'No control could be scored.'
      : `${grouped(counts.pass)} of ${plural(scored, 'scored control')} ${counts.pass === 1 ? 'passes' : 'pass'} (${percent(score)}).`;
  const second =
    untested > 0
      ? ` ${plural(untested, 'control')} could not be tested or ${untested === 1 ? 'awaits' : 'await'} an answer; untested is not passed.`
      : '';
  const third = assessment.evidenceComplete
    ? ' All evidence that was asked for was received.'
    : ' The evidence has gaps, and they are named in this report.';
  const unproved = unprovedPopulations(assessment);
  const fourth =
    unproved > 0
      ? ` ${plural(unproved, 'population')} of ${grouped(assessment.reconciliation.length)} could not be reconciled with an independent count.`
      : '';
  const empty = emptied(assessment);
  const fifth =
    empty.length > 0
      ? ` ${plural(empty.length, 'control')} ${empty.length === 1 ? 'has' : 'have'} nothing left to judge, because the selection of critical data excludes every resource.`
      : '';
  return first + second + third + fourth + fifth;
}
