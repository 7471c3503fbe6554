import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { CatalogueError, formatProblem, loadCatalogue } from '../../src/controls/catalogue/load.ts';

/** Catalogues of a few files, for tests of loading. */

const made: string[] = [];
afterAll(() => made.forEach((directory) => rmSync(directory, { recursive: true, force: true })));

/** Writes the files into a directory of their own; its controls.yaml. */
export function catalogueOf(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'catalogue-'));
  made.push(directory);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return join(directory, 'controls.yaml');
}

/** The lines that a control begins with. */
export const head = (id: string): string => `- id: ${id}\n  title: T\n  section: AWS / Storage\n  level: 2\n  assessment: automated\n`;

export async function problemsOf(files: Record<string, string>): Promise<string[]> {
  try {
    await loadCatalogue(catalogueOf(files));
    return [];
  } catch (error) {
    if (error instanceof CatalogueError) return error.problems.map(formatProblem);
    throw error;
  }
}

/** A `controls.yaml` with a parameter and two sections. */
export const entry = `name: Test
version: 1.2.3
parameters:
  maxDays: { type: integer, default: 90, description: Longest }
sections: [AWS / Storage, Azure / Storage]
include: [controls/aws/*.yaml]
`;
