import type { z } from 'zod';
import { nearest } from './nearest.ts';

/** The schema's types in the words of a YAML file. */
const shapes: Readonly<Record<string, string>> = {
  array: 'a list: [a, b], or lines that begin with a dash',
  object: 'a section: keys with values below it',
  record: 'a section: keys with values below it',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};
const shapeOf = (expected: string): string => shapes[expected] ?? expected;

/** What a schema found wrong with the value of that name, in plain words and with the remedy; undefined where only its caller can say. */
export function mistakeIn(name: string, issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_value':
      return oneOf(name, issue.values, issue.input);
    case 'invalid_type':
      return issue.input === undefined ? `${name} is required (${shapeOf(issue.expected)})` : `${name} must be ${shapeOf(issue.expected)}`;
    case 'too_small':
      return issue.origin === 'array'
        ? `${name} is an empty list: put at least one entry into it, or remove the key if it may be left out`
        : `${name} must not be empty: write something there`;
    case 'invalid_union': {
      const whole = issue.errors.flat();
      if (whole.length !== issue.errors.length || whole.some(({ path }) => path.length > 0)) return undefined;
      const values = whole.flatMap((one) => (one.code === 'invalid_value' ? one.values : []));
      if (values.length > 0) return oneOf(name, values, issue.input);
      const expected = whole.flatMap((one) => (one.code === 'invalid_type' ? [shapeOf(one.expected)] : []));
      return expected.length > 1 && expected.length === whole.length
        ? `${name} must be ${[...new Set(expected)].join(', or ')}`
        : undefined;
    }
    default:
      return undefined;
  }
}

function oneOf(name: string, values: readonly unknown[], input: unknown): string {
  const guess =
    typeof input === 'string'
      ? nearest(
          input,
          values.filter((value) => typeof value === 'string'),
        )
      : undefined;
  return `${name} must be ${values.map((value) => JSON.stringify(value)).join(' or ')}${guess === undefined ? '' : `: did you mean \`${guess}\`?`}`;
}
