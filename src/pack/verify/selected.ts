import { posix } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { isLike } from '../../model/index.ts';
import { dataDirectory } from '../layout.ts';
import type { ProblemList } from './codes.ts';

const inputs = `${dataDirectory}/inputs/catalogue`;

/** Of the results, which controls there are, and which were left out. */
export const selectedSchema = z.object({
  profile: z.object({ level: z.number() }),
  catalogue: z.object({ name: z.string(), version: z.string(), files: z.array(z.object({ file: z.string() })) }),
  choices: z
    .object({
      ownCatalogue: z.boolean(),
      leftOut: z.array(z.object({ control: z.string(), title: z.string(), level: z.number(), why: z.string() })),
    })
    .optional(),
  findings: z.array(
    z.object({
      control: z.object({
        id: z.string(),
        title: z.string().optional(),
        section: z.string().optional(),
        level: z.number().optional(),
        checks: z.array(z.object({ id: z.string() })).default([]),
      }),
    }),
  ),
});
export type Selected = z.infer<typeof selectedSchema>;

const profileSchema = z.object({
  profile: z.object({ include: z.array(z.string()).default([]), exclude: z.array(z.string()).default([]) }).prefault({}),
  scopes: z.record(z.string(), z.unknown()).default({}),
  catalogue: z.string().optional(),
});
const entrySchema = z.object({ name: z.unknown().optional(), version: z.unknown().optional() });
const controlSchema = z.object({
  id: z.string(),
  title: z.unknown().optional(),
  section: z.unknown().optional(),
  level: z.unknown().optional(),
  checks: z.array(z.object({ id: z.string() })).optional(),
  on: z.unknown().optional(),
  verdict: z.unknown().optional(),
  question: z.unknown().optional(),
});
type Written = z.infer<typeof controlSchema>;

function read(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parse(text, { merge: true, maxAliasCount: 1000, logLevel: 'silent' });
  } catch {
    return undefined;
  }
}

/**
 * Every control of the catalogue in the pack was judged, or is listed as left out for a reason that the configuration gives; and none was
 * judged that the catalogue does not have, or under another title, section or level. `texts`: configuration and catalogue by path.
 */
export function checkSelected(
  stated: Selected,
  configuration: string | undefined,
  texts: ReadonlyMap<string, string>,
  problems: ProblemList,
): void {
  const disagree = (what: string): void => problems.add('inputs-disagree', what);
  const [entryFile, ...others] = stated.catalogue.files.map(({ file }) => posix.join(inputs, file));
  const entry = entrySchema.safeParse(read(texts.get(entryFile ?? ''))).data;
  if (entry === undefined) return; // told with the parameters, which stand in it
  if (entry.name !== stated.catalogue.name || String(entry.version) !== stated.catalogue.version)
    disagree(
      `the catalogue is ${JSON.stringify(stated.catalogue.name)} ${stated.catalogue.version} by the results, and says otherwise of itself`,
    );

  const written = new Map<string, Written>();
  for (const file of others) {
    const list = read(texts.get(file));
    // Files of shared conditions hold no list.
    if (!Array.isArray(list)) continue;
    for (const one of list) {
      const control = controlSchema.safeParse(one).data;
      if (control === undefined) disagree(`${file} holds what is no control`);
      else written.set(control.id, control);
    }
  }
  const configured = profileSchema.safeParse(read(configuration)).data;
  const leftOut = new Map((stated.choices?.leftOut ?? []).map((one) => [one.control, one]));
  const judged = new Set<string>();
  for (const { control } of stated.findings) {
    judged.add(control.id);
    const own = written.get(control.id);
    if (own === undefined) disagree(`${control.id} is found, and no control of the catalogue`);
    else for (const what of differences(control, own)) disagree(`${control.id} has another ${what} in the results than in the catalogue`);
    if (leftOut.has(control.id)) disagree(`${control.id} is found, and listed as left out`);
  }
  // Results of former versions did not list what was left out.
  if (stated.choices === undefined) return;
  if (configured !== undefined && stated.choices.ownCatalogue !== (configured.catalogue !== undefined))
    disagree(`the results say that the catalogue is ${stated.choices.ownCatalogue ? '' : 'not '}one of the entity's own`);
  for (const id of leftOut.keys()) if (!written.has(id)) disagree(`${id} is listed as left out, and no control of the catalogue`);
  for (const [id, own] of written) {
    const one = leftOut.get(id);
    if (one === undefined) {
      if (!judged.has(id)) disagree(`${id} was neither judged nor listed as left out`);
    } else if (one.level !== own.level || one.title !== own.title) disagree(`${id} is listed as left out under another title or level`);
    else if (configured !== undefined && why(id, own, stated.profile.level, configured) !== one.why)
      disagree(`${id} is listed as left out for a reason that the configuration does not give: ${one.why}`);
  }
}

function differences(control: Selected['findings'][number]['control'], own: Written): string[] {
  const inline = own.on !== undefined || own.verdict !== undefined || own.question !== undefined;
  const checks = own.checks?.map(({ id }) => id) ?? (inline ? ['main'] : []);
  return [
    ...(['title', 'section', 'level'] as const).filter((what) => control[what] !== own[what]),
    ...(JSON.stringify(control.checks.map(({ id }) => id)) === JSON.stringify(checks) ? [] : ['list of checks']),
  ];
}

/** As controls are selected. */
function why(id: string, { level }: Written, upTo: number, { profile, scopes }: z.infer<typeof profileSchema>): string | null {
  const matches = (globs: readonly string[]): boolean => globs.some((glob) => isLike(id, glob));
  if (scopes[id.slice(0, id.indexOf('-'))] === undefined) return 'cloud-not-configured';
  if (matches(profile.exclude)) return 'excluded';
  if (profile.include.length > 0) return matches(profile.include) ? null : 'not-included';
  return typeof level === 'number' && level <= upTo ? null : 'above-level';
}
