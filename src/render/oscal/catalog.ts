import type { Assessment, Control } from '../../model/index.ts';
import { safeUrl } from '../text.ts';
import { idOf, listed, markupLine, objectiveOf, oscalVersion, property, type Property } from './terms.ts';

interface Part {
  readonly id: string;
  readonly name: string;
  readonly title?: string;
  readonly prose?: string;
  readonly props?: readonly Property[];
  readonly parts?: readonly Part[];
}

/** The judged controls as an OSCAL catalog, for those who import requirements and results. Their prose is the catalogue's own, in Markdown. */
export function* oscalCatalog(assessment: Assessment): Generator<string> {
  const { catalogue, findings, asOf } = assessment;
  const groups = new Map<string, Control[]>();
  for (const { control } of findings) groups.set(control.section, [...(groups.get(control.section) ?? []), control]);
  yield `${JSON.stringify(
    {
      catalog: {
        uuid: idOf('catalog', `${catalogue.sha256}\n${findings.map(({ control }) => control.id).join('\n')}`),
        metadata: {
          title: markupLine(catalogue.name),
          'last-modified': asOf,
          version: catalogue.version,
          'oscal-version': oscalVersion,
          props: property('catalogue-sha256', catalogue.sha256),
        },
        ...listed(
          'groups',
          [...groups].map(([section, controls], at) => ({
            id: `section-${at + 1}`,
            title: markupLine(section),
            controls: controls.map(controlOf),
          })),
        ),
      },
    },
    null,
    1,
  )}\n`;
}

function controlOf(control: Control): object {
  const { id, title, prose, checks, mappings } = control;
  const parts: Part[] = [
    ...part(`${id}_smt`, 'statement', prose.description || title),
    ...part(`${id}_gdn`, 'guidance', prose.rationale),
    {
      id: objectiveOf(id),
      name: 'assessment-objective',
      prose: markupLine(title),
      ...listed(
        'parts',
        checks.map((check) => ({
          id: `${id}_obj.${check.id}`,
          name: 'assessment-objective',
          prose: markupLine(check.title),
          props: [...property('check', check.id), ...property('kind', check.kind), ...property('on', check.on)],
        })),
      ),
    },
    ...part(`${id}_asm-console`, 'assessment-method', prose.audit.console, 'Audit in the console'),
    ...part(`${id}_asm-cli`, 'assessment-method', prose.audit.cli, 'Audit on the command line'),
    ...part(`${id}_rem-console`, 'remediation', prose.remediation.console, 'Remediation in the console'),
    ...part(`${id}_rem-cli`, 'remediation', prose.remediation.cli, 'Remediation on the command line'),
    ...part(`${id}_bck`, 'back-out', prose.backOut, 'How to go back'),
    ...part(`${id}_imp-pros`, 'impact', prose.impact.pros, 'What is gained'),
    ...part(`${id}_imp-cons`, 'impact', prose.impact.cons, 'What it costs'),
    ...part(`${id}_dft`, 'default-value', prose.defaultValue, 'Default value'),
    ...part(`${id}_pre`, 'prerequisites', prose.prerequisites, 'Prerequisites'),
  ];
  return {
    id,
    class: control.provider,
    title: markupLine(title),
    props: [
      ...property('provider', control.provider),
      ...property('level', control.level),
      ...property('assessment', control.assessment),
      ...property('source', control.source),
      ...Object.entries(mappings).flatMap(([framework, ids]) => ids.flatMap((one) => property('mapping', one, framework))),
    ],
    ...listed(
      'links',
      prose.references.flatMap((text) => {
        const href = safeUrl(text);
        return href === null ? [] : [{ href, rel: 'reference' }];
      }),
    ),
    parts,
  };
}

function part(id: string, name: string, prose: string, title?: string): Part[] {
  return prose.trim() === '' ? [] : [{ id, name, ...(title === undefined ? {} : { title }), prose }];
}
