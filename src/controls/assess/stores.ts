import { type AccessTotals, accessSchema, type Citation, type Resource, scopeKey } from '../../model/index.ts';
import { type AccessAnalysis, type ReadersLine, undecided } from '../access/access.ts';
import type { ResultFiles } from './result-files.ts';
import type { JudgedSubject } from './subject.ts';

/** The critical stores of some controls, each with who can read it. */
export interface StoreBook {
  tell(one: JudgedSubject): void;
  /** The record was met before with other contents: who can read the store cannot be told by either. */
  doubt(one: JudgedSubject, earlier: Resource): void;
  finish(): AccessTotals;
}

const nameOf = ({ scope, type, uid }: JudgedSubject['subject']): string => `${scopeKey(scope)}\n${type}\n${uid}`;

export function storeBook(files: Pick<ResultFiles, 'access' | 'readers'>, access: Pick<AccessAnalysis, 'access'>): StoreBook {
  const begin = files.access.size;
  const stores = files.access.open();
  const readers = files.readers.open();
  const totals: AccessTotals = { stores: 0, keyBoundary: 0, dataRoles: 0, wide: 0, incomplete: 0 };
  /** What each set of readers counts as. */
  const told = new Map<string, Pick<ReadersLine, 'world' | 'wide' | 'complete'>>();
  const doubted = new Map<string, { readonly subjectJson: string; readonly reason: string }>();

  function count({ world, wide, complete }: Pick<ReadersLine, 'world' | 'wide' | 'complete'>, by: 1 | -1): void {
    totals.stores += by;
    totals[world === 'key-boundary' ? 'keyBoundary' : 'dataRoles'] += by;
    if (wide) totals.wide += by;
    if (!complete) totals.incomplete += by;
  }

  function line(subjectJson: string, { line, ...found }: ReadersLine): string {
    count(found, 1);
    if (!told.has(found.id)) {
      told.set(found.id, { world: found.world, wide: found.wide, complete: found.complete });
      readers.write(line);
    }
    return `{"subject":${subjectJson},"readers":"${found.id}"}`;
  }

  /** Writes the stores again, those in doubt as undecided. */
  function settle(): void {
    const { blocks } = files.access.finish(stores);
    files.access.rewrite(begin, (settled) => {
      const lines = settled.open();
      files.access.eachLine(blocks, (text) => {
        const { subject, readers: id } = accessSchema.parse(JSON.parse(text));
        const doubt = doubted.get(nameOf(subject));
        const before = told.get(id);
        if (doubt === undefined || before === undefined) {
          lines.write(text);
          return;
        }
        doubted.delete(nameOf(subject));
        count(before, -1);
        lines.write(line(doubt.subjectJson, undecided(before.world, doubt.reason)));
      });
      // Not critical by the record that was met first: now that it is in doubt, it may be.
      for (const { subjectJson, reason } of doubted.values()) lines.write(line(subjectJson, undecided('data-roles', reason)));
      settled.finish(lines);
    });
  }

  return {
    tell({ resource, subjectJson }) {
      stores.write(line(subjectJson, access.access(resource)));
    },
    doubt({ subject, subjectJson, resource }, earlier) {
      const place = ({ file, pointer }: Citation): string => `${file}#${pointer}`;
      const reason = `it was recorded twice with different contents (${place(earlier.citation)} and ${place(resource.citation)})`;
      doubted.set(nameOf(subject), { subjectJson, reason });
    },
    finish() {
      if (doubted.size > 0) settle();
      else files.access.finish(stores);
      files.readers.finish(readers);
      return totals;
    },
  };
}
