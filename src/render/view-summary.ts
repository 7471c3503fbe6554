import type { Assessment, StatusCounts } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { countsLabel, donut, stackedBar } from './charts.ts';
import { cell, grouped, percent, plural } from './text.ts';
import { emptied } from './view-choices.ts';
import { anchorOf, pillOf } from './view-control.ts';
import type { View } from './view-schema.ts';

/** Populations that no independent count confirms. */
export function unprovedPopulations(assessment: Assessment): number {
  return assessment.reconciliation.filter((row) => !row.balanced).length;
}

/** The conclusion of the whole in one sentence or two, and its colour: green only where everything that could be asked was asked, and passed. */
export function resultOf(assessment: Assessment): { text: string; tone: View['cover']['resultTone'] } {
  const { counts, score } = assessment.summary;
  const { findings } = assessment;
  const scored = counts.pass + counts.fail;
  const untested = counts.error + counts.unknown;
  const out = assessment.choices?.leftOut.length ?? 0;
  const parts = [
    ...(scored === 0
      ? ['No control could be scored']
      : counts.fail > 0
        ? [
            `${grouped(counts.fail)} of ${plural(scored, 'scored control')} ${counts.fail === 1 ? 'fails' : 'fail'} (score ${percent(score)})`,
          ]
        : [scored === 1 ? 'The one scored control passes' : `All ${grouped(scored)} scored controls pass`]),
    ...(untested > 0 ? [`${plural(untested, 'control')} could not be tested`] : []),
    ...(counts.notchecked > 0
      ? [`${plural(counts.notchecked, 'control')} ${counts.notchecked === 1 ? 'awaits' : 'await'} a person's answer`]
      : []),
    ...(counts.notapplicable > 0 ? [`${grouped(counts.notapplicable)} not applicable`] : []),
  ];
  const left =
    out > 0
      ? ` ${grouped(out)} of the ${grouped(findings.length + out)} controls of the catalogue ${out === 1 ? 'was' : 'were'} not judged.`
      : '';
  const whole = assessment.evidenceComplete && unprovedPopulations(assessment) === 0;
  return {
    text: `${parts.join('; ')}.${left}`,
    tone: counts.fail > 0 ? 'fail' : untestedOf(counts) > 0 || scored === 0 || !whole ? 'unknown' : out > 0 ? 'plain' : 'pass',
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
  const total = Object.values(resources).reduce((sum, count) => sum + count, 0);
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
    resourcesTotal: grouped(total),
    resourcesLabel: total === 1 ? 'resource result' : 'resource results',
    headline: headline(assessment, untested),
    attention: attention.map((finding) => ({
      id: visible(finding.control.id),
      title: cell(finding.control.title, 200),
      anchor: anchorOf('control', finding.control.id),
      pill: pillOf(finding.status),
      fail: grouped(finding.counts.fail),
      untested: grouped(untestedOf(finding.counts)),
      gaps: grouped(finding.gaps),
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
      untested: grouped(untestedOf(finding.counts)),
      gaps: grouped(finding.gaps),
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
    ? ' All evidence that the controls need was received.'
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
  const out = assessment.choices?.leftOut.length ?? 0;
  const sixth =
    out > 0
      ? ` ${grouped(out)} of the ${grouped(assessment.findings.length + out)} controls of the catalogue ${out === 1 ? 'was' : 'were'} not judged: they are listed under Scope and period.`
      : '';
  const waived = assessment.findings.reduce((sum, finding) => sum + finding.waived, 0);
  const seventh =
    waived > 0
      ? ` ${plural(waived, 'failed result')} ${waived === 1 ? 'has' : 'have'} an exception on record and ${waived === 1 ? 'counts' : 'count'} as failed all the same.`
      : '';
  return first + second + third + fourth + fifth + sixth + seventh;
}
