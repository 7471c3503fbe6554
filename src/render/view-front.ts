import type { Assessment, Provider } from '../model/index.ts';
import { isJsonObject, providers, statusTable } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { pillOf, PROVIDERS } from './view-control.ts';
import { cell, clip, grouped, instant, jsonText, longDate, percent, plural } from './text.ts';
import { choiceLimits, leftOutView, parametersView } from './view-choices.ts';
import type { View } from './view-schema.ts';
import { resultOf, unprovedPopulations } from './view-summary.ts';

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
  const populations = assessment.reconciliation.length;
  const reconciled =
    unproved > 0
      ? `${grouped(unproved)} of ${plural(populations, 'population')} not reconciled`
      : populations === 0
        ? 'no population to reconcile'
        : `${populations === 1 ? 'the one population' : `all ${grouped(populations)} populations`} reconciled`;
  const completeness = `${collected}; ${reconciled}`;
  const result = resultOf(assessment);
  return {
    kicker: 'Compliance evidence pack',
    title: cell(engagement.title, 160),
    // A date is not broken at the end of a line.
    subtitle: [
      engagementProfile(assessment),
      accountsText(assessment),
      periodText(assessment).replaceAll(/(?<=\d) | (?=\d{4})/g, '\u00a0'),
    ].join(' · '),
    facts: [
      { name: 'Entity', value: cell(engagement.entity, 120) },
      { name: 'Prepared for', value: engagement.preparedFor === undefined ? 'not stated' : cell(engagement.preparedFor, 120) },
      { name: 'Classification', value: engagement.classification === undefined ? 'not stated' : cell(engagement.classification, 120) },
      { name: 'Evidence collected', value: instant(assessment.collected.endedAt ?? assessment.collected.startedAt) },
      { name: 'Tool', value: visible(`${assessment.tool.name} ${assessment.tool.version}`) },
      { name: 'Run', value: cell(assessment.runId, 80) },
    ],
    result: result.text,
    resultTone: result.tone,
    complete: assessment.evidenceComplete && unproved === 0,
    completeness,
    evidenceDigest: visible(assessment.evidenceDigest),
    fingerprint: signing === null ? null : visible(signing.fingerprint),
  };
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
    if (count > 0) return [plural(count, one, many)];
    return assessment.scopes.some((scope) => scope.provider === provider) ? [`no ${one} reached`] : [];
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
      { name: 'Kind of evidence', value: 'Configuration at the time of collection: a point in time, not operation over the period' },
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
          accounts: accountsOf(assessment, provider) === 0 ? `no ${one} reached` : plural(accountsOf(assessment, provider), one, many),
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
  const needed = lacking.filter(({ judgedBy, lookedUpBy }) => judgedBy.length + lookedUpBy.length > 0).length;
  const idle = lacking.length - needed;
  const { counts } = assessment.summary;
  const particular = [
    ...periodLimits(assessment),
    ...choiceLimits(assessment),
    ...(scopes > 0
      ? [
          `${plural(scopes, 'scope')} of ${grouped(assessment.scopes.length)} could not be read in full. Nothing is claimed about what they hold beyond what is listed.`,
        ]
      : []),
    ...(needed > 0
      ? [
          `In ${plural(needed, 'case')} a control needs evidence of a type of resource that is not whole in some account; each is listed with its cause and the controls that need it.`,
        ]
      : []),
    ...(idle > 0
      ? [`In ${plural(idle, 'case')} evidence that no control of this report needs is not whole; each is listed with its cause.`]
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
