import { isJsonObject } from '../../model/index.ts';
import type { Json } from '../../model/index.ts';
import type { CompiledCheck, CompiledControl, ConditionCheck, VerdictCheck } from '../types.ts';
import { bindingLines, conditionLines } from './words.ts';

/** A control as a person reads it: its documentation, and its conditions in plain words. Plain text, lines up to `width`. */
export function explainControl({ control, checks }: CompiledControl, width = 100): string {
  const { prose } = control;
  const lines: string[] = [
    control.title,
    '='.repeat(Math.min(control.title.length, width)),
    [control.id, control.section, ...levelsOf(control), control.assessment].join(' · '),
    `defined in ${control.source}`,
  ];
  const section = (title: string, ...texts: string[]): void => {
    const filled = texts.map((text) => text.trim()).filter((text) => text !== '');
    if (filled.length > 0)
      lines.push(
        '',
        title,
        '-'.repeat(title.length),
        ...filled.flatMap((text, index) => [...(index === 0 ? [] : ['']), ...wrap(text, width)]),
      );
  };
  section('Description', prose.description);
  section('Rationale', prose.rationale);
  for (const [index, check] of checks.entries()) {
    const title = checks.length === 1 ? 'What is checked' : `Check ${index + 1} of ${checks.length}: ${check.title} (${check.id})`;
    lines.push('', title, '-'.repeat(Math.min(title.length, width)), ...checkLines(check));
  }
  section('Impact', labelled('In favour', prose.impact.pros), labelled('Against', prose.impact.cons));
  section('Default value', prose.defaultValue);
  section('Prerequisites', prose.prerequisites);
  section('Audit: console', prose.audit.console);
  section('Audit: command line', prose.audit.cli);
  section('Implementation: console', prose.remediation.console);
  section('Implementation: command line', prose.remediation.cli);
  section('Back-out', prose.backOut);
  section('References', prose.references.join('\n'));
  section(
    'Mappings',
    Object.entries(control.mappings)
      .map(([framework, ids]) => `${framework}: ${ids.join(', ')}`)
      .join('\n'),
  );
  return `${lines.join('\n')}\n`;
}

function labelled(label: string, text: string): string {
  return text.trim() === '' ? '' : `${label}: ${text.trim()}`;
}

function checkLines(check: CompiledCheck): string[] {
  if (check.kind === 'manual') return [`A person answers: ${check.question}`, 'Until then the control is not checked.'];
  if (check.kind === 'verdict') {
    const rule = check.provider === 'azure' ? `the Azure Policy definition ${check.rule}` : `the AWS Config managed rule ${check.rule}`;
    return [
      `The results of ${rule} decide.`,
      'A resource without a result, or with one that is not a verdict, is unknown.',
      ...aboutLines(check),
    ];
  }
  return conditionCheckLines(check);
}

function aboutLines({ about }: VerdictCheck): string[] {
  if (about === undefined) return [];
  const types = about.types.join(' or ');
  return about.as === 'resources'
    ? [
        `It judges each ${about.types.join(' and each ')}: the provider's count of them is the population, and each needs a result.`,
        `Where complete evidence shows no ${types}, there is nothing to judge, whether or not the rule runs there.`,
      ]
    : [
        `It judges parts of ${about.types.join(' and of ')} that the inventory does not list: its own results are the population.`,
        `Where complete evidence shows no ${types}, there is nothing to judge, whether or not the rule runs there.`,
      ];
}

function conditionCheckLines(check: ConditionCheck): string[] {
  const { definition } = check;
  const lines = [`Judged for each ${check.on.join(' and each ')}${check.critical ? ' that holds critical data' : ''}.`];
  if (definition['when'] !== undefined) lines.push('', 'It applies where', ...topLines(definition['when']));
  if (isJsonObject(definition['let']))
    lines.push('', 'With', ...Object.entries(definition['let']).flatMap(([name, binding]) => bindingLines(name, binding, '  ')));
  const { aggregate } = check;
  if (aggregate === undefined) lines.push('', 'It passes where', ...topLines(definition['require']));
  else {
    const bounds = [
      aggregate.atLeast === undefined ? '' : `at least ${aggregate.atLeast}`,
      aggregate.atMost === undefined ? '' : `at most ${aggregate.atMost}`,
    ]
      .filter((text) => text !== '')
      .join(' and ');
    lines.push(
      '',
      `It passes for each ${aggregate.per === 'accountId' ? 'account' : 'account and region'} in which ${bounds} of them meets this:`,
      ...topLines(definition['require']),
    );
    lines.push('', `Where there is none at all, the result is ${aggregate.emptyScope}.`);
  }
  lines.push('', 'Whatever the evidence does not show, or does not show in the expected form, is unknown and never a pass.');
  if (check.reads.size > 0) lines.push(`It rests on the records of ${[...check.reads.keys()].sort().join(', ')} too.`);
  return lines;
}

/** The members of an outermost `all` need no heading of their own. */
function topLines(condition: Json | undefined): string[] {
  const members = isJsonObject(condition) ? condition['all'] : undefined;
  return Array.isArray(members) ? members.flatMap((member) => conditionLines(member, '  ')) : conditionLines(condition, '  ');
}

/** Wraps paragraphs; lines that begin with white space or look like commands stay as they are. */
function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    if (line.length <= width || /^\s/.test(line)) return [line];
    const wrapped: string[] = [];
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > width) {
        wrapped.push(current);
        current = word;
      } else current = current === '' ? word : `${current} ${word}`;
    }
    return [...wrapped, current];
  });
}

/** The level, and for whom besides, where that says more than the level. */
function levelsOf({ level, profileApplicability }: CompiledControl['control']): string[] {
  return [`level ${level}`, ...profileApplicability.filter((one) => one.toLowerCase() !== `level ${level}`)];
}
