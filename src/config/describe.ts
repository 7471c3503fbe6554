import type { z } from 'zod';
import { nearest } from '../text/nearest.ts';
import { mistakeIn } from '../text/validation.ts';
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
  if (issue.code === 'unrecognized_keys') return unknownKeys({ ...issue, path }).map(({ finding }) => finding);
  const told = mistakeIn(name, issue);
  if (told !== undefined) return at(told);
  if (issue.code === 'invalid_union') {
    // The form that was meant is the one that the value comes nearest to.
    const [best] = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length);
    if (best !== undefined) return best.flatMap((inner) => describe(inner, path));
  }
  return at(path.length > 0 ? `${name} ${issue.message}` : issue.message);
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map(({ path }) => path.length));
