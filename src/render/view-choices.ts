import type { Assessment, Finding } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { cell, grouped, jsonText, plural } from './text.ts';
import type { View } from './view-schema.ts';

/**
 * What the entity chose, and where a stricter choice was there: a report can be green because little was asked. Everything here is
 * the configuration's; none of it is a finding.
 */

const WHY = {
  excluded: 'excluded by the profile',
  'not-included': 'not included by the profile',
  'above-level': 'of a level above the profile',
  'cloud-not-configured': 'no scope of this cloud is configured',
} as const;

/** Controls whose whole population the selection of critical data left out. */
export function emptied(assessment: Assessment): Finding[] {
  return assessment.findings.filter((finding) => finding.reasons.some((reason) => reason.code === 'all-excluded'));
}

export function leftOutView(assessment: Assessment): View['scope']['leftOut'] {
  return (assessment.choices?.leftOut ?? []).map((one) => ({
    id: visible(one.control),
    title: cell(one.title, 200),
    level: `L${one.level}`,
    why: WHY[one.why],
  }));
}

export function parametersView(assessment: Assessment): View['scope']['parameters'] {
  const changed = new Map((assessment.choices?.parameters ?? []).map((one) => [one.name, one.default]));
  const plain = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
  const text = (value: unknown): string =>
    plain(value) ? String(value) : Array.isArray(value) && value.length > 0 && value.every(plain) ? value.join(', ') : jsonText(value);
  return Object.entries(assessment.parameters)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => ({
      name: visible(name),
      value: cell(changed.has(name) ? `${text(value)} (changed; the default is ${text(changed.get(name) ?? 'none')})` : text(value), 200),
    }));
}

export function catalogueOrigin(assessment: Assessment): string {
  if (assessment.choices === undefined) return 'not recorded';
  return assessment.choices.ownCatalogue ? 'named by the configuration: not the one that ships with the tool' : 'ships with the tool';
}

/** Sentences for the limitations. */
export function choiceLimits(assessment: Assessment): string[] {
  const { choices, waivers } = assessment;
  const empty = emptied(assessment);
  const out = choices?.leftOut.filter((one) => one.why === 'excluded') ?? [];
  const above = (choices?.leftOut.length ?? 0) - out.length;
  const self = waivers.filter(approvedByOwner);
  const days = Math.floor(
    (Date.parse(assessment.collected.endedAt ?? assessment.collected.startedAt) - Date.parse(assessment.asOf)) / 86_400_000,
  );
  return [
    ...(empty.length > 0
      ? [
          `${plural(empty.length, 'control')} ${empty.length === 1 ? 'has' : 'have'} nothing left to judge: the selection of critical data excludes every one of ${grouped(empty.reduce((sum, one) => sum + one.excluded, 0))} resources. Nothing is claimed about them: ${cell(empty.map(({ control }) => control.id).join(', '), 600)}.`,
        ]
      : []),
    ...(out.length > 0
      ? [
          `${plural(out.length, 'control')} of the catalogue ${out.length === 1 ? 'was' : 'were'} excluded by the profile: ${cell(out.map(({ control }) => control).join(', '), 600)}.`,
        ]
      : []),
    ...(above > 0
      ? [
          `${plural(above, 'control')} of the catalogue ${above === 1 ? 'was' : 'were'} not judged, because the profile includes others, is of a lower level, or no scope of that cloud is configured (see Scope). Nothing is claimed about what ${above === 1 ? 'it asks' : 'they ask'}.`,
        ]
      : []),
    ...(choices?.ownCatalogue === true
      ? [
          "The controls are of a catalogue of the entity's own. Compare it with the one that ships with the tool before relying on the names of controls.",
        ]
      : []),
    ...((choices?.parameters.length ?? 0) > 0
      ? [
          `${plural(choices?.parameters.length ?? 0, 'parameter')} of the catalogue ${choices?.parameters.length === 1 ? 'has' : 'have'} another value than the default (see Scope).`,
        ]
      : []),
    ...(days >= 2
      ? [
          `The evidence was collected until ${plural(days, 'day')} after the instant that it was judged as of: ages and exceptions are counted from that instant.`,
        ]
      : []),
    ...(self.length > 0
      ? [
          `${plural(self.length, 'exception')} ${self.length === 1 ? 'was' : 'were'} approved by the one who owns ${self.length === 1 ? 'it' : 'them'}: ${cell(self.map(({ id }) => id).join(', '), 300)}.`,
        ]
      : []),
  ];
}

export function approvedByOwner({ owner, approver }: Assessment['waivers'][number]): boolean {
  const plain = (name: string): string => name.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase();
  return plain(owner) === plain(approver);
}

/** What a reader has to know of a waiver beyond its dates. */
export function waiverMarks(waiver: Assessment['waivers'][number]): string[] {
  return [
    ...(approvedByOwner(waiver) ? ['Approved by its own owner'] : []),
    ...(waiver.resources.some((glob) => /^\*+$/.test(glob)) ? ['Covers every resource, also those to come'] : []),
    ...(/[*?]/.test(waiver.control) ? ['Covers several controls'] : []),
  ];
}
