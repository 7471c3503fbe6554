import type { z } from 'zod';
import { nearest } from '../text/nearest.ts';
import { knownKeys } from './draft.ts';
import { configSchema } from './schema.ts';

export type Path = readonly PropertyKey[];

/** A mistake at a path of the configuration: at the key there, or at its value. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly atKey: boolean;
}

export const dotted = (path: Path): string =>
  path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');

/** The schema's types in the words of the file. */
const shapes: Readonly<Record<string, string>> = {
  array: 'a list: [a, b], or lines that begin with a dash',
  object: 'a section: keys with values below it',
  record: 'a section: keys with values below it',
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
};
const shapeOf = (expected: string): string => shapes[expected] ?? expected;

/** A misspelt key, and the known one that it most likely means. */
export interface UnknownKey {
  readonly path: Path;
  readonly key: string;
  readonly guess: string | undefined;
  readonly finding: Finding;
}

export function unknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys): UnknownKey[] {
  const { path } = issue;
  const known = knownKeys(configSchema, path);
  return issue.keys.map((key) => {
    const guess = nearest(key, known);
    const remedy = guess ? `did you mean \`${guess}\`?` : known.length > 0 ? `known here: ${known.join(', ')}` : 'remove it';
    const message = `unknown key \`${key}\`${path.length > 0 ? ` in \`${dotted(path)}\`` : ''}: ${remedy}`;
    return { path, key, guess, finding: { path: [...path, key], message, atKey: true } };
  });
}

/** The mistake that the schema found, in the words of the file and with its remedy. */
export function describe(issue: z.core.$ZodIssue, prefix: Path = []): Finding[] {
  const path = [...prefix, ...issue.path];
  const at = (message: string): Finding[] => [{ path, message, atKey: false }];
  const name = path.length > 0 ? `\`${dotted(path)}\`` : 'the file';
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKeys({ ...issue, path }).map(({ finding }) => finding);
    case 'invalid_union': {
      const whole = issue.errors.flat().filter((one) => one.code === 'invalid_type' && one.path.length === 0);
      if (whole.length > 1 && whole.length === issue.errors.length)
        return at(
          `${name} must be ${[...new Set(whole.map((one) => shapeOf((one as z.core.$ZodIssueInvalidType).expected)))].join(', or ')}`,
        );
      // The form that was meant is the one that the value comes nearest to.
      const [best] = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
      return best === undefined ? at(`${name} is none of the forms it can have`) : best.flatMap((inner) => describe(inner, path));
    }
    case 'invalid_value': {
      const words = issue.values.filter((value) => typeof value === 'string');
      const guess = typeof issue.input === 'string' ? nearest(issue.input, words) : undefined;
      const listed = issue.values.map((value) => JSON.stringify(value)).join(' or ');
      return at(`${name} must be ${listed}${guess === undefined ? '' : `: did you mean \`${guess}\`?`}`);
    }
    case 'invalid_type':
      return at(
        issue.input === undefined ? `${name} is required (${shapeOf(issue.expected)})` : `${name} must be ${shapeOf(issue.expected)}`,
      );
    case 'too_small':
      return at(
        issue.origin === 'array' || issue.origin === 'set'
          ? `${name} is an empty list: put at least one entry into it${path.at(-1) === 'chain' ? '' : ', or remove the key'}`
          : `${name} must not be empty: write something there`,
      );
    default:
      return at(path.length > 0 ? `${name} ${issue.message}` : issue.message);
  }
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map(({ path }) => path.length));
