import { z } from 'zod';
import type { At } from '../language/scope.ts';
import { mistakeIn } from '../../text/validation.ts';
import { didYouMean } from './suggest.ts';
import type { YamlSource } from './yaml-source.ts';
import type { Problem } from '../types.ts';

/** What is around the conditions. Conditions themselves are checked by the compiler, which knows their words. */
const closed = z.strictObject;
const text = z.string();
const prose = z.string().default('');

const parameterSchema = closed({
  type: z.enum(['string', 'number', 'integer', 'boolean', 'duration', 'list']),
  default: z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]),
  description: text,
});

export const entrySchema = closed({
  name: text.min(1),
  version: text.min(1),
  description: text.optional(),
  parameters: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9]*$/, 'a parameter is named by letters and digits'), parameterSchema)
    .default({}),
  sections: z.array(text.min(1)).min(1),
  include: z.array(text.min(1)).min(1),
  conditions: z.array(text.min(1)).default([]),
});
export type CatalogueEntry = z.infer<typeof entrySchema>;

export const sharedConditionSchema = closed({
  title: text.min(1),
  needs: z.array(text.min(1)).default([]),
  condition: z.unknown(),
});

/** Compiled by compile.ts; here only that they are there. */
const anything = z.unknown().optional();
const conditionParts = {
  on: anything,
  scope: anything,
  when: anything,
  let: anything,
  require: anything,
  aggregate: anything,
  satisfied: anything,
};
const typeName = text.min(1);
const typeList = z.union([typeName, z.array(typeName).min(1)]).optional();
const verdictSchema = z.union([
  closed({
    awsConfigRule: z.string().regex(/^[A-Z0-9_]+$/, 'an AWS managed rule identifier such as ROOT_ACCOUNT_MFA_ENABLED'),
    on: typeList,
    parents: typeList,
  }),
  closed({
    azurePolicy: z.string().regex(/^[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}$/i, 'the GUID of a policy definition'),
    on: typeList,
    parents: typeList,
  }),
]);
const kinds = { verdict: verdictSchema.optional(), question: text.min(1).optional() };

const checkSchema = closed({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and dashes'),
  title: text.optional(),
  ...conditionParts,
  ...kinds,
});

export const controlSchema = closed({
  id: z
    .string()
    .regex(
      /^(aws|azure|gcp)-[a-z0-9]+(-[a-z0-9]+)*$/,
      'an id begins with aws-, azure- or gcp- and is made of lower-case letters, digits and dashes',
    ),
  title: text.min(1),
  section: text.min(1),
  level: z.union([z.literal(1), z.literal(2)]),
  assessment: z.enum(['automated', 'manual']),
  profiles: z.array(text).default([]),
  description: prose,
  rationale: prose,
  impact: closed({ pros: prose, cons: prose }).default({ pros: '', cons: '' }),
  defaultValue: prose,
  prerequisites: prose,
  audit: closed({ console: prose, cli: prose }).default({ console: '', cli: '' }),
  remediation: closed({ console: prose, cli: prose }).default({ console: '', cli: '' }),
  backOut: prose,
  references: z.array(z.string().regex(/^https:\/\/\S+$/, 'an https:// address')).default([]),
  mappings: z.record(z.string(), z.array(z.coerce.string())).default({}),
  checks: z.array(checkSchema).min(1).optional(),
  ...conditionParts,
  ...kinds,
});
export type ControlEntry = z.infer<typeof controlSchema>;
export type CheckEntry = z.infer<typeof checkSchema>;

/** Validates one value; problems name the place and the nearest known word. */
export function validate<S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: YamlSource,
  at: At,
  problems: Problem[],
): z.infer<S> | undefined {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(schema, issue, source, at, problems);
  return undefined;
}

function report(schema: z.ZodType, issue: z.core.$ZodIssue, source: YamlSource, at: At, problems: Problem[]): void {
  const path = [...at, ...issue.path.map((step) => (typeof step === 'number' ? step : String(step)))];
  const name = issue.path.length === 0 ? '' : `\`${issue.path.join('.')}\``;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    for (const key of issue.keys)
      problems.push(
        source.problem(
          [...path, key],
          `unknown key \`${key}\`${name === '' ? '' : ` in ${name}`}`,
          didYouMean(key, known) ?? `known here: ${known.join(', ')}`,
        ),
      );
    return;
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  const told = missing ? `${name} is missing` : mistakeIn(name === '' ? 'this' : name, issue);
  if (told !== undefined) problems.push(source.problem(path, told));
  else if (issue.code === 'invalid_union')
    problems.push(
      source.problem(
        path,
        `${name} is none of the forms it can have`,
        ...(issue.path.includes('verdict')
          ? [
              'verdict: { awsConfigRule: ROOT_ACCOUNT_MFA_ENABLED } or { azurePolicy: <definition guid> }, with `on` or `parents` where there are types',
            ]
          : []),
      ),
    );
  else problems.push(source.problem(path, `${name} ${issue.message.replace(/^Invalid input: /, '')}`.trim()));
}

/** The keys a closed shape knows at a path, looked up through defaults and optionals. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  type Definition = {
    innerType?: z.ZodType;
    element?: z.ZodType;
    valueType?: z.ZodType;
    shape?: Record<string, z.ZodType>;
    options?: z.ZodType[];
  };
  const definition = schema.def as unknown as Definition;
  if (definition.innerType !== undefined) return keysAt(definition.innerType, path);
  if (definition.options !== undefined) return definition.options.flatMap((option) => keysAt(option, path));
  const [head, ...rest] = path;
  if (definition.shape !== undefined) {
    if (head === undefined) return Object.keys(definition.shape);
    const next = definition.shape[String(head)];
    return next === undefined ? [] : keysAt(next, rest);
  }
  const inner = definition.element ?? definition.valueType;
  return inner === undefined ? [] : keysAt(inner, rest);
}
