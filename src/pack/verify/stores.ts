import { createHash } from 'node:crypto';
import { accessSchema, type AccessTotals, readersSchema, scopeKey } from '../../model/index.ts';
import type { ProblemList } from './codes.ts';
import { lines } from './contents.ts';
import type { Sink } from './contents.ts';
import { digests } from './lines-told.ts';

const lineLimit = 64 * 1024 * 1024;
const readersPartSchema = readersSchema.pick({ id: true, world: true, principals: true, complete: true });

export const storePaths = { access: 'data/results/access.ndjson', readers: 'data/results/readers.ndjson' } as const;

export interface StoresCheck {
  observe(path: string): Sink | null;
  /** Once both files have passed: what they say against one another and against the totals that the assessment states. */
  finish(totals: AccessTotals | null, problems: ProblemList): void;
}

/**
 * Whether every critical store names readers that are in the pack, and the readers are what their ids were made of. `cite` is told each
 * file that a reader is cited from.
 */
export function storesCheck(cite: (file: string) => void): StoresCheck {
  const sets = new Map<string, { readonly keyBoundary: boolean; readonly wide: boolean; readonly complete: boolean }>();
  /** How many stores name each. */
  const named = new Map<string, number>();
  const subjects = digests();
  const wrong: { readonly path: string; readonly why: string }[] = [];
  const counts = { access: 0, readers: 0 };

  const reading = (name: keyof typeof storePaths, take: (value: unknown, text: string) => string | null): Sink =>
    lines(lineLimit, (text) => {
      counts[name] += 1;
      const why = text === null ? 'it is too long' : taken(text, take);
      if (why !== null) wrong.push({ path: storePaths[name], why: `line ${String(counts[name])}: ${why}` });
    });

  return {
    observe(path) {
      if (path === storePaths.access)
        return reading('access', (value) => {
          const { subject, readers } = accessSchema.parse(value);
          if (!subjects.add(`${scopeKey(subject.scope)}\n${subject.type}\n${subject.uid}`))
            return `the store ${subject.uid} is there twice`;
          named.set(readers, (named.get(readers) ?? 0) + 1);
          return null;
        });
      if (path === storePaths.readers)
        return reading('readers', (value, text) => {
          const { id, world, principals, complete } = readersPartSchema.parse(value);
          const head = `{"id":"${id}",`;
          if (!text.startsWith(head) || digest(`{${text.slice(head.length)}`) !== id) return 'its id is not made of what it says';
          if (sets.has(id)) return 'it is there twice';
          for (const { citation, through = [] } of principals) for (const { file } of [citation, ...through]) cite(file);
          sets.set(id, { keyBoundary: world === 'key-boundary', wide: principals.some((principal) => principal.wide), complete });
          return null;
        });
      return null;
    },
    finish(totals, problems) {
      for (const { path, why } of wrong) problems.add('evidence-unreadable', why, path);
      if (wrong.length > 0 || totals === null) return;
      const found: AccessTotals = { stores: 0, keyBoundary: 0, dataRoles: 0, wide: 0, incomplete: 0 };
      for (const [id, stores] of named) {
        const set = sets.get(id);
        if (set === undefined) {
          problems.add(
            'results-disagree',
            `${String(stores)} stores name the readers ${id}, which are not in readers.ndjson`,
            storePaths.access,
          );
          continue;
        }
        found.stores += stores;
        found[set.keyBoundary ? 'keyBoundary' : 'dataRoles'] += stores;
        if (set.wide) found.wide += stores;
        if (!set.complete) found.incomplete += stores;
      }
      const differing = (Object.keys(found) as (keyof AccessTotals)[]).filter((one) => found[one] !== totals[one]);
      if (differing.length > 0)
        problems.add(
          'results-disagree',
          `critical stores: ${differing.map((one) => `${one} ${String(totals[one])} in the assessment, ${String(found[one])} in the lines`).join('; ')}`,
          storePaths.access,
        );
    },
  };
}

function taken(text: string, take: (value: unknown, text: string) => string | null): string | null {
  try {
    return take(JSON.parse(text), text);
  } catch {
    return 'it is not what stands in such a file';
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32);
}
