import { dirname } from 'node:path';
import { z } from 'zod';
import { pageSchema, reconciliationRowSchema } from '../../model/index.ts';
import type { ReconciliationRow } from '../../model/index.ts';
import type { ProblemList } from './codes.ts';
import { lines, whole } from './contents.ts';
import type { PackContents, Sink } from './contents.ts';

const querySizeLimit = 256 * 1024 * 1024;
const resultsSizeLimit = 1024 * 1024 * 1024;
const lineLimit = 16 * 1024 * 1024;

/** The part of query.json that verification reads; the rest may grow. */
const queryPagesSchema = z.object({ pages: z.array(pageSchema.pick({ file: true, sha256: true, bytes: true })) });
const reconciliationSchema = z.array(reconciliationRowSchema);
const findingsSchema = z.object({ findings: z.array(z.object({ control: z.object({ id: z.string() }), status: z.string() })) });

export interface EvidenceCheck {
  /** Watches the files of evidence and results pass by. */
  observe(path: string): Sink | null;
  /** Once all have passed: what they say against what is there. */
  finish(contents: PackContents, problems: ProblemList): { pages: number; observations: number; rows: number };
}

/** Whether the evidence agrees with itself: pages with their queries, observations with pages, populations with outcomes. */
export function evidenceCheck(): EvidenceCheck {
  const listed = new Map<string, { sha256: string; query: string }>();
  const cited = new Set<string>();
  const unreadable = new Map<string, string>();
  let observations = 0;
  let rows: ReconciliationRow[] | null = null;
  let passing: Set<string> | null = null;

  const parsed = <T>(path: string, limit: number, schema: z.ZodType<T>, take: (value: T) => void): Sink => whole(limit, (bytes) => {
    if (bytes === null) {
      unreadable.set(path, 'it is too large');
      return;
    }
    try {
      take(schema.parse(JSON.parse(bytes.toString('utf8'))));
    } catch (error) {
      unreadable.set(path, error instanceof z.ZodError ? `unexpected content at ${error.issues[0]?.path.join('.') ?? 'its top'}` : 'it is not JSON');
    }
  });

  return {
    observe(path) {
      if (/^data\/evidence\/.+\/query\.json$/.test(path)) {
        return parsed(path, querySizeLimit, queryPagesSchema, (query) => {
          for (const page of query.pages) listed.set(`${dirname(path)}/${page.file}`, { sha256: page.sha256, query: path });
        });
      }
      if (path === 'data/results/reconciliation.json') {
        return parsed(path, resultsSizeLimit, reconciliationSchema, (value) => { rows = value as ReconciliationRow[]; });
      }
      if (path === 'data/results/assessment.json') {
        return parsed(path, resultsSizeLimit, findingsSchema, (value) => {
          passing = new Set(value.findings.filter((finding) => finding.status === 'pass').map((finding) => finding.control.id));
        });
      }
      if (path === 'data/results/observations.ndjson') {
        return lines(lineLimit, (text) => {
          observations += 1;
          const files = text === null ? null : citedFiles(text);
          if (files === null) unreadable.set(path, `line ${String(observations)}`);
          else for (const file of files) cited.add(`data/${file}`);
        });
      }
      return null;
    },
    finish(contents, problems) {
      for (const [path, why] of unreadable) {
        problems.add(path === 'data/results/reconciliation.json' ? 'reconciliation-unreadable' : 'evidence-unreadable', why, path);
      }
      for (const [path, page] of listed) {
        const seen = contents.files.get(path);
        if (seen === undefined) problems.add('page-missing', page.query, path);
        else if (seen.sha256 !== page.sha256) problems.add('page-altered', page.query, path);
      }
      for (const path of contents.files.keys()) {
        if (/^data\/evidence\/.+\/page-\d+\.json$/.test(path) && !listed.has(path)) problems.add('page-unlisted', undefined, path);
      }
      for (const path of cited) if (!contents.files.has(path)) problems.add('citation-missing', undefined, path);
      if (rows === null && !unreadable.has('data/results/reconciliation.json')) problems.add('reconciliation-unreadable', 'it is missing', 'data/results/reconciliation.json');
      for (const row of rows ?? []) {
        const why = imbalance(row, passing ?? new Set());
        if (why !== null) problems.add('reconciliation-unbalanced', `${row.control}/${row.check}, ${row.type} in ${row.scope.provider}/${row.scope.account}/${row.scope.region}: ${why}`);
      }
      return { pages: listed.size, observations, rows: rows?.length ?? 0 };
    },
  };
}

function citedFiles(line: string): string[] | null {
  try {
    const { citations } = JSON.parse(line) as { citations?: unknown };
    if (!Array.isArray(citations)) return null;
    const files = citations.map((citation: { file?: unknown } | null) => citation?.file);
    return files.every((file) => typeof file === 'string') ? files : null;
  } catch {
    return null;
  }
}

/** Why a row is not what it claims: null when it holds. A population recorded elsewhere or left out has nothing judged in it. */
function imbalance(row: ReconciliationRow, passing: ReadonlySet<string>): string | null {
  const judged = row.pass + row.fail + row.unknown + row.error + row.notapplicable;
  const excluded = Object.values(row.excluded).reduce((sum, n) => sum + n, 0);
  const sum = judged + excluded;
  if (row.waived > row.fail) return `${String(row.waived)} waived of ${String(row.fail)} failed`;
  if (row.balanced) {
    const holds = row.count !== null ? row.count.count === sum || (judged === 0 && row.reasons.length > 0) : judged === 0;
    return holds ? null : `${String(sum)} are accounted for, and the provider counts ${row.count === null ? 'nothing' : String(row.count.count)}`;
  }
  if (row.reasons.length === 0) return 'it does not balance, and no reason is given';
  return passing.has(row.control) ? 'it does not balance, and the control passes all the same' : null;
}
