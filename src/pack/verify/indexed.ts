import { posix } from 'node:path';
import type { Query, QueryIndex } from '../../model/index.ts';
import { dataDirectory } from '../layout.ts';
import type { ProblemList } from './codes.ts';
import type { PackContents } from './contents.ts';

export interface IndexCheck {
  query(path: string, query: Query): void;
  /** Once all queries have passed: the index of the evidence, as the report shows it, is that of the evidence. */
  finish(
    assessment: { readonly queries: readonly QueryIndex[]; readonly redactions: number },
    contents: PackContents,
    problems: ProblemList,
  ): void;
}

/** Whether the results tell of each query what the query says of itself, and the query what its pages are. */
export function indexCheck(): IndexCheck {
  const found = new Map<string, Omit<QueryIndex, 'directory' | 'sha256'>>();
  const sizes = new Map<string, number>();
  let redactions = 0;
  return {
    query(path, query) {
      const { provider, collector, scope, operation, text, identity, endpoint, status, startedAt, endedAt, reasons, pages } = query;
      const [items, bytes] = [pages.reduce((sum, page) => sum + page.items, 0), pages.reduce((sum, page) => sum + page.bytes, 0)];
      const told = { provider, collector, scope, operation, text, identity, endpoint, status, startedAt, endedAt, reasons };
      found.set(path, { ...told, pages: pages.length, items, bytes });
      for (const page of pages) {
        sizes.set(`${posix.dirname(path)}/${page.file}`, page.bytes);
        redactions += page.redactions.length;
      }
    },
    finish(assessment, contents, problems) {
      const indexed = new Map(assessment.queries.map((query) => [`${dataDirectory}/${query.directory}/query.json`, query]));
      for (const [path, { sha256, directory: _, ...told }] of indexed) {
        if (contents.files.get(path)?.sha256 !== sha256)
          problems.add('results-disagree', 'the index of evidence tells another digest', path);
        const own = found.get(path);
        const differing = own === undefined ? [] : differences(told, own);
        if (differing.length > 0) problems.add('results-disagree', `the index of evidence tells another ${differing.join(', ')}`, path);
      }
      for (const path of contents.files.keys())
        if (path.startsWith(`${dataDirectory}/evidence/`) && posix.basename(path) === 'query.json' && !indexed.has(path))
          problems.add('results-disagree', 'it is not in the index of evidence', path);
      for (const [path, bytes] of sizes) {
        const seen = contents.files.get(path)?.bytes;
        if (seen !== undefined && seen !== bytes) problems.add('page-altered', 'its query tells another size', path);
      }
      if (assessment.redactions !== redactions)
        problems.add(
          'results-disagree',
          `${String(assessment.redactions)} redactions by the results, ${String(redactions)} by the queries`,
        );
    },
  };
}

function differences(told: Readonly<Record<string, unknown>>, own: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(own).filter((name) => JSON.stringify(told[name]) !== JSON.stringify(own[name]));
}
