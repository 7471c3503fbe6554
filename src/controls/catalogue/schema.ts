import { z } from 'zod';
import { conversionNames } from '../language/convert.ts';
import { controlSchema, entrySchema, sharedConditionSchema } from './envelope.ts';
import { operators } from '../language/operators.ts';
import type { Operator } from '../language/operators.ts';
import { tableFamilies, tableNames } from '../lookups/tables.ts';

type Schema = Record<string, unknown>;

const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });
const text: Schema = { type: 'string', minLength: 1 };
const flag: Schema = { type: 'boolean' };
const closed = (properties: Record<string, Schema>, required: readonly string[] = [], description?: string): Schema => ({
  type: 'object',
  properties,
  required: [...required],
  additionalProperties: false,
  ...(description === undefined ? {} : { description }),
});

/** What every condition may carry. */
const common: Record<string, Schema> = {
  id: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_-]*$', description: 'Names the evidence of this condition.' },
  otherwise: {
    ...text,
    description:
      'The reason given when this condition decided a fail; {path} stands for a value; [ by {path}] is left out where there is none.',
  },
  unknown: { ...text, description: 'The reason given when this condition could not be decided.' },
};

const literal: Record<string, Schema> = {
  'a text, number or boolean': { type: ['string', 'number', 'boolean'] },
  'a list of texts, of numbers or of booleans': { type: 'array', items: { type: ['string', 'number', 'boolean'] } },
  'a number': { type: 'number' },
  'true or false': flag,
  'an ISO 8601 duration, or a number of days': { type: ['string', 'number'] },
  'a text, or a list of texts': { anyOf: [text, { type: 'array', items: text, minItems: 1 }] },
};

function leafOf(operator: Operator): Schema {
  const expected = operator.path === true ? ref('path') : { anyOf: [literal[operator.expected] ?? text, ref('binding')] };
  return closed(
    {
      field: ref('path'),
      [operator.name]: { ...expected, description: `${operator.summary} Takes ${operator.expected}.` },
      as: ref('conversion'),
      ...(operator.name === 'isEmpty' ? {} : { known: ref('known') }),
      ...(operator.listed === true ? { single: { ...flag, description: 'A lone value counts as a list of one.' } } : {}),
      ...(operator.name === 'isEmpty' ? { type: { enum: ['string', 'list', 'object'] } } : {}),
      ifMissing: ref('ifMissing'),
      because: text,
      ...common,
    },
    ['field', operator.name],
    operator.example,
  );
}

function quantified(word: string, description: string, beside: Record<string, Schema> = {}): Schema {
  return closed({ [word]: ref('quantifier'), ...beside, ...common }, [word], description);
}

function definitions(): Record<string, Schema> {
  const conditions = { type: 'array', items: ref('condition'), minItems: 1 };
  return {
    path: { ...text, description: 'configuration.kmsKeyId, a["odd.key"].b, list[0].c, $variable.rest' },
    conversion: { enum: [...conversionNames] },
    known: {
      anyOf: [{ type: 'array', items: { type: ['string', 'number', 'boolean'] }, minItems: 1 }, text],
      description: 'The values there are, or a pattern of what they look like: any other text is unknown.',
    },
    ifMissing: closed(
      { then: flag, when: { anyOf: [ref('path'), { type: 'array', items: ref('path'), minItems: 1 }] }, because: text },
      ['then', 'when'],
      'What absence means where a named container was collected.',
    ),
    quantifier: closed(
      { in: ref('operand'), as: text, where: ref('condition'), let: ref('let'), single: flag, ifEmpty: flag, ifMissing: ref('ifMissing') },
      ['in', 'as'],
    ),
    condition: {
      anyOf: [
        closed({ all: conditions, ...common }, ['all'], 'True when every member is true.'),
        closed({ any: conditions, ...common }, ['any'], 'True when one member is true.'),
        closed({ not: ref('condition'), ...common }, ['not'], 'True when the condition is false.'),
        quantified('some', 'True when one entry of the list matches.'),
        quantified('every', 'True when every entry of the list matches, and there is one.'),
        quantified('none', 'True when no entry of the list matches.'),
        quantified('count', 'Bounds the number of entries that match.', {
          atLeast: { type: 'integer', minimum: 0 },
          atMost: { type: 'integer', minimum: 0 },
          equals: { type: 'integer', minimum: 0 },
        }),
        closed(
          {
            meets: { ...text, description: 'The name of a shared condition.' },
            with: {
              type: 'object',
              additionalProperties: { type: 'string', pattern: '^\\$[A-Za-z_][A-Za-z0-9_]*$' },
              description: 'Variables for what it needs, where they have other names here: { needed: $variable }.',
            },
            ...common,
          },
          ['meets'],
          'True when the shared condition of this name is true here.',
        ),
        closed(
          {
            field: ref('path'),
            present: { ...flag, description: 'Whether something is there.' },
            within: ref('path'),
            type: { enum: ['string', 'number', 'boolean', 'list', 'object'] },
            because: text,
            ...common,
          },
          ['field', 'present'],
        ),
        ...operators.map(leafOf),
      ],
    },
    operand: { anyOf: [ref('path'), ref('binding')] },
    let: { type: 'object', additionalProperties: ref('operand'), propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' } },
    binding: {
      anyOf: [
        closed({ path: ref('path'), as: ref('conversion') }, ['path']),
        closed({ ref: ref('path'), as: ref('conversion') }, ['ref']),
        closed({ param: text }, ['param']),
        closed({ literal: true as unknown as Schema }, ['literal']),
        closed({ text, as: ref('conversion') }, ['text']),
        closed(
          {
            lookup: {
              anyOf: [
                { enum: [...tableNames] },
                {
                  type: 'string',
                  pattern: `^(${Object.keys(tableFamilies)
                    .map((name) => name.replaceAll('.', '\\.'))
                    .join('|')}):.+$`,
                },
              ],
            },
            by: ref('operand'),
            many: flag,
          },
          ['lookup', 'by'],
        ),
        closed({ first: ref('operand'), as: text, where: ref('condition'), let: ref('let') }, ['first', 'as']),
        closed({ all: ref('operand'), as: text, where: ref('condition'), let: ref('let'), get: ref('operand') }, ['all', 'as']),
        closed(
          {
            decode: {
              anyOf: [{ enum: ['uri', 'json', 'base64'] }, { type: 'array', items: { enum: ['uri', 'json', 'base64'] }, minItems: 1 }],
            },
            path: ref('operand'),
          },
          ['decode', 'path'],
        ),
        closed({ split: ref('operand'), on: text, at: { type: 'integer' } }, ['split', 'on']),
        closed({ replace: ref('operand'), pattern: text, with: { type: 'string' } }, ['replace', 'pattern']),
        closed({ choose: { type: 'array', items: closed({ when: ref('condition'), use: ref('operand') }, ['use']), minItems: 1 } }, [
          'choose',
        ]),
        closed({ readers: { const: true } }, ['readers']),
      ],
    },
    aggregate: closed(
      {
        per: { enum: ['accountId', 'scope'] },
        atLeast: { type: 'integer', minimum: 0 },
        atMost: { type: 'integer', minimum: 0 },
        emptyScope: { enum: ['fail', 'notapplicable', 'pass'] },
      },
      ['per', 'emptyScope'],
    ),
    scope: closed({ critical: flag }, ['critical']),
    types: { anyOf: [text, { type: 'array', items: text, minItems: 1 }] },
  };
}

/** The parts of a check that only the compiler knows. */
const parts: Record<string, Schema> = {
  on: ref('types'),
  scope: ref('scope'),
  when: ref('condition'),
  let: ref('let'),
  require: ref('condition'),
  aggregate: ref('aggregate'),
  satisfied: {
    ...text,
    description: 'The reason given when the check passes; {path} stands for a value; [ by {path}] is left out where there is none.',
  },
};

function withParts(schema: Schema): Schema {
  return { ...schema, properties: { ...(schema['properties'] as Record<string, Schema>), ...parts } };
}

/** JSON schema (draft 7) of controls.yaml and of the control files, for editors. The compiler remains the judge. */
export function catalogueSchema(): Schema {
  const plain = (schema: z.ZodType): Schema => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as Schema;
    return rest;
  };
  const control = plain(controlSchema);
  const shared = plain(sharedConditionSchema);
  const properties = control['properties'] as Record<string, Schema>;
  const checks = properties['checks'] as Schema;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Exhibit catalogue',
    description: 'controls.yaml, or a file of controls or of shared conditions that it names. See docs/control-language.md.',
    anyOf: [
      ref('catalogue'),
      { type: 'array', items: ref('control') },
      { type: 'object', propertyNames: { pattern: '^[a-z0-9][a-z0-9-]*$' }, additionalProperties: ref('sharedCondition') },
    ],
    $defs: {
      catalogue: plain(entrySchema),
      control: withParts({ ...control, properties: { ...properties, checks: { ...checks, items: withParts(checks['items'] as Schema) } } }),
      sharedCondition: { ...shared, properties: { ...(shared['properties'] as Record<string, Schema>), condition: ref('condition') } },
      ...definitions(),
    },
  };
}
