import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredQuery } from '../../evidence/reader.ts';
import { isJsonObject, type Json, type LedgerEntry, type Reason } from '../../model/index.ts';

/**
 * The provider's own count is what proves a population, so the ledger's word for it is not enough: where it cites the answer it was read
 * from, that answer has to say the same. Null where it does, or where the count was summed up over more than the place cited.
 */
export function countWitness(runDirectory: string, stored: ReadonlyMap<string, StoredQuery>): (entry: LedgerEntry) => Reason | null {
  const known = new Map<LedgerEntry, Reason | null>();
  // Entries of a scope cite the same page, one after the other.
  let last: { readonly file: string; readonly page: Json | Reason } | null = null;
  const pageOf = (file: string): Json | Reason =>
    (last?.file === file ? last : (last = { file, page: readPage(runDirectory, stored, file) })).page;
  return (entry) => {
    const before = known.get(entry);
    if (before !== undefined) return before;
    const reason = contradiction(entry, pageOf);
    known.set(entry, reason);
    return reason;
  };
}

function readPage(runDirectory: string, stored: ReadonlyMap<string, StoredQuery>, file: string): Json | Reason {
  const slash = file.lastIndexOf('/');
  const page = stored.get(file.slice(0, slash))?.query.pages.find((one) => one.file === file.slice(slash + 1));
  if (!page) return { code: 'count-uncited', message: `${file}, which the count is said to be from, is not among the evidence` };
  try {
    const bytes = readFileSync(join(runDirectory, file));
    if (hash('sha256', bytes) !== page.sha256)
      return { code: 'page-altered', message: `${file}: the stored page differs from the digest recorded in query.json` };
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch (error) {
    return { code: 'page-missing', message: `${file}: ${(error as Error).message}` };
  }
}

function isReason(value: Json | Reason): value is Reason {
  return (
    isJsonObject(value) && Object.keys(value).length === 2 && typeof value['code'] === 'string' && typeof value['message'] === 'string'
  );
}

function contradiction(entry: LedgerEntry, pageOf: (file: string) => Json | Reason): Reason | null {
  const citation = entry.count?.citation;
  if (!entry.count || !citation) return null;
  const page = pageOf(citation.file);
  if (isReason(page)) return page;
  let value: Json | undefined = page;
  for (const step of citation.pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = Array.isArray(value) ? value[Number(name)] : isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }
  const place = `${citation.file}#${citation.pointer}`;
  if (value === undefined) return { code: 'count-uncited', message: `${place}, which the count is said to be from, is not there` };
  if (citation.encoding === 'json-string') {
    try {
      value = JSON.parse(value as string) as Json;
    } catch {
      return { code: 'count-uncited', message: `${place}, which the count is said to be from, cannot be read` };
    }
  }
  const said = numberSaid(value, entry);
  if (said === null || comesTo(said, entry, entry.count.count)) return null;
  return {
    code: 'count-contradicted',
    message: `the ledger counts ${entry.count.count} ${entry.type}, and ${place}, which it is said to be from, says ${said}`,
  };
}

/** Results of several deployments are added up; what all regions of an account record alike is counted by the provider for each. */
function comesTo(said: number, { type, provider, region }: LedgerEntry, count: number): boolean {
  if (type.startsWith('verdict:')) return said <= count;
  return said === count || (provider === 'aws' && region === 'global' && count > 0 && said % count === 0);
}

/** The number a count's source states: a number, a row with one number, or a list of rows without one for this type. Null for other forms. */
function numberSaid(value: Json, { type, account }: LedgerEntry): number | null {
  if (typeof value === 'number') return value;
  if (Array.isArray(value)) {
    if (!value.every(isJsonObject)) return null;
    const own = value.filter((row) => {
      const texts = Object.values(row)
        .filter((one) => typeof one === 'string')
        .map((one) => one.toLowerCase());
      return texts.includes(type.toLowerCase()) && (row['subscriptionId'] === undefined || texts.includes(account.toLowerCase()));
    });
    return own.length === 0 ? 0 : own.length === 1 ? soleNumber(own[0] as Json) : null;
  }
  return soleNumber(value);
}

function soleNumber(value: Json): number | null {
  if (!isJsonObject(value)) return null;
  const numbers = Object.values(value).filter((one) => typeof one === 'number');
  return numbers.length === 1 && Object.values(value).every((one) => typeof one !== 'object') ? (numbers[0] as number) : null;
}
