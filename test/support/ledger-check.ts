import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { evidenceTeller } from '../../src/collectors/told.ts';
import { ledgerSchema, querySchema } from '../../src/model/index.ts';
import type { Shortfall } from '../../src/model/index.ts';
import { problemList } from '../../src/pack/verify/codes.ts';
import { readingOrder } from '../../src/pack/verify/contents.ts';
import { recordsCheck } from '../../src/pack/verify/records.ts';

/** What verification finds of the ledger of a run beside its pages: nothing, where nobody touched them. */
export function ledgerProblems(run: string, shortfalls: readonly Shortfall[] = []): string[] {
  const check = recordsCheck(evidenceTeller());
  const files = readdirSync(join(run, 'evidence'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `data/${relative(run, join(entry.parentPath, entry.name))}`);
  for (const file of readingOrder(files).flat()) {
    const bytes = readFileSync(join(run, file.slice('data/'.length)));
    if (file.endsWith('/query.json')) {
      check.query(file, querySchema.parse(JSON.parse(bytes.toString('utf8'))));
      continue;
    }
    const sink = check.observe(file);
    sink?.piece(bytes);
    sink?.end();
  }
  const problems = problemList();
  check.finish(ledgerSchema.parse(JSON.parse(readFileSync(join(run, 'evidence/ledger.json'), 'utf8'))).entries, shortfalls, problems);
  return problems.list().map(({ message }) => message);
}
