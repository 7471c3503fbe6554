import { renderedResult, resultSources } from '../../model/index.ts';
import { sha256 } from '../files.ts';
import type { ProblemList } from './codes.ts';
import type { PackContents } from './contents.ts';

const results = 'data/results';
/** Holds the findings of the assessment once more, for those who want nothing else. */
export const findingsPath = `${results}/findings.json`;

const known = new Set([...resultSources, 'findings.json', 'reconciliation.json', 'rendering.json'].map((name) => `${results}/${name}`));

/** Of the findings in a value of `findings.json`, or of an assessment: what they come to, however they are laid out. */
export function digestOfFindings(findings: unknown): string {
  return sha256(JSON.stringify(findings) ?? '');
}

/** What is told twice is the same twice, and nothing lies among the results that verification knows nothing of. */
export function checkRepeatedFindings(
  contents: PackContents,
  digests: { readonly assessment: string | null; readonly findings: string | null },
  problems: ProblemList,
): void {
  if (contents.files.has(findingsPath) && digests.assessment !== null && digests.findings !== digests.assessment)
    problems.add('results-disagree', 'it holds other findings than the assessment', findingsPath);
  for (const path of contents.files.keys())
    if (path.startsWith(`${results}/`) && !known.has(path) && !renderedResult.test(path.slice(results.length + 1)))
      problems.add('results-disagree', 'it is none of the results', path);
}
