import { posix } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { attestedAnswerSchema, engagementSchema, freshnessParameters, waiverSchema } from '../../model/index.ts';
import { dataDirectory } from '../layout.ts';
import type { ProblemList } from './codes.ts';

export const configurationPath = `${dataDirectory}/inputs/exhibit.yaml`;
/** The catalogue's files: its entry declares the parameters, the others hold the controls. */
export const cataloguePath = /^data\/inputs\/catalogue\/.+\.ya?ml$/;

const settledWaiver = z.object({ expired: z.boolean().optional(), used: z.number().optional() });

/** Of `results/assessment.json`, what the configuration in the pack says too. */
export const configuredSchema = z.object({
  engagement: engagementSchema,
  profile: z.object({ level: z.number() }),
  parameters: z.record(z.string(), z.unknown()),
  choices: z.object({ parameters: z.array(z.object({ name: z.string(), default: z.unknown() })) }).optional(),
  critical: z.unknown(),
  asOf: z.string(),
  catalogue: z.object({ files: z.array(z.object({ file: z.string() })) }),
  waivers: z.array(waiverSchema.omit({ expired: true, used: true }).extend(settledWaiver.shape)),
  answers: z.array(attestedAnswerSchema),
});
export type Configured = z.infer<typeof configuredSchema>;

/** Of `inputs/exhibit.yaml`, what judging goes by, with the defaults that it has. */
const configurationSchema = z.object({
  engagement: engagementSchema,
  profile: z.object({ level: z.number().default(2) }).default({ level: 2 }),
  parameters: z.record(z.string(), z.unknown()).default({}),
  critical: z.looseObject({ unclassified: z.string().default('critical') }).default({ unclassified: 'critical' }),
  waivers: z.array(waiverSchema.omit({ expired: true, used: true })).default([]),
  answers: z.array(attestedAnswerSchema).default([]),
});

const declaredSchema = z.object({ parameters: z.record(z.string(), z.object({ default: z.unknown() })).default({}) });

/** Key order does not matter, that of lists does. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

const same = (a: unknown, b: unknown): boolean => canonical(a ?? null) === canonical(b ?? null);

function read<T>(text: string | undefined, schema: z.ZodType<T>): T | null {
  if (text === undefined) return null;
  try {
    // A file that few names make large is no configuration.
    return schema.safeParse(parse(text, { maxAliasCount: 100, logLevel: 'silent' }) ?? {}).data ?? null;
  } catch {
    return null;
  }
}

/**
 * The results state the choices that they were judged under; the configuration in the pack has to make the same ones. `texts`: the
 * configuration and the catalogue's files by path; `waived`: observations by the waiver that they name.
 */
export function checkConfiguration(
  stated: Configured,
  texts: ReadonlyMap<string, string>,
  waived: ReadonlyMap<string, number>,
  problems: ProblemList,
): void {
  const disagree = (what: string, file = configurationPath): void => problems.add('configuration-disagrees', what, file);
  const configured = read(texts.get(configurationPath), configurationSchema);
  if (configured === null) {
    disagree('it is missing or cannot be read');
    return;
  }
  if (!same(stated.engagement, configured.engagement)) disagree('the results are of another engagement');
  if (stated.profile.level !== configured.profile.level)
    disagree(`the results are of level ${String(stated.profile.level)}, it asks for level ${String(configured.profile.level)}`);
  if (!same(stated.critical, configured.critical)) disagree('the results were made with another choice of critical data');
  if (!same(stated.answers, configured.answers)) disagree('the results hold other answers');
  checkWaivers(stated, configured.waivers, waived, disagree);
  const [entry] = stated.catalogue.files;
  const entryPath = posix.join(dataDirectory, 'inputs/catalogue', entry?.file ?? '');
  const declared = read(texts.get(entryPath), declaredSchema);
  if (declared === null) disagree('the parameters that it declares cannot be read', entryPath);
  else checkParameters(stated, configured.parameters, declared.parameters, disagree);
}

type Disagree = (what: string) => void;

function checkParameters(
  stated: Configured,
  configured: Readonly<Record<string, unknown>>,
  declared: Readonly<Record<string, { readonly default?: unknown }>>,
  disagree: Disagree,
): void {
  const defaults: Readonly<Record<string, { readonly default?: unknown }>> = { ...freshnessParameters, ...declared };
  const usual = (name: string): unknown => (Object.hasOwn(defaults, name) ? defaults[name]?.default : undefined) ?? null;
  // Bounds on the age of evidence that nobody sets are not stated.
  for (const name of new Set([...Object.keys(declared), ...Object.keys(configured), ...Object.keys(stated.parameters)])) {
    const due = Object.hasOwn(configured, name) ? configured[name] : usual(name);
    const used = Object.hasOwn(stated.parameters, name) ? stated.parameters[name] : undefined;
    if (!same(used, due))
      disagree(`the parameter ${name} is ${JSON.stringify(used ?? null)} in the results, and ought to be ${JSON.stringify(due ?? null)}`);
  }
  if (stated.choices === undefined) return;
  const changed = Object.entries(stated.parameters)
    .filter(([name, value]) => !same(value, usual(name)))
    .map(([name]) => ({ name, default: usual(name) }));
  if (!same(stated.choices.parameters, changed)) disagree('the results do not name the parameters that differ from their defaults');
}

function checkWaivers(
  { waivers, asOf }: Configured,
  configured: readonly unknown[],
  waived: ReadonlyMap<string, number>,
  disagree: Disagree,
): void {
  const granted = waivers.map(({ expired: _expired, used: _used, ...waiver }) => waiver);
  if (!same(granted, configured)) disagree('the results hold other waivers');
  const known = new Set(waivers.map(({ id }) => id));
  for (const id of waived.keys()) if (!known.has(id)) disagree(`observations name the waiver ${id}, which is not there`);
  for (const { id, expires, expired, used } of waivers) {
    const seen = waived.get(id) ?? 0;
    if (used !== undefined && used !== seen)
      disagree(`the waiver ${id} covers ${String(used)} failures by the results, and ${String(seen)} observations name it`);
    if (expires.slice(0, 10) < asOf.slice(0, 10) && (expired === false || seen > 0)) disagree(`the waiver ${id} counts after it expired`);
  }
}
