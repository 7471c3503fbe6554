import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { QueryWriter, ReceivedPage } from '../evidence/writer.ts';
import type { Json, Reason } from '../model/index.ts';
import { type Answer, isRefusal } from './attempts.ts';
import { fingerprint } from './fingerprint.ts';

/** A response that may be stored: its body parsed, and checked to be of the kind that was asked for. */
export interface Received {
  readonly body: string;
  readonly json: Json;
  readonly requestId: string | null;
  readonly httpStatus: number | null;
  /** The provider's clock when it answered, RFC 3339 or an HTTP date, where it says so. */
  readonly date?: string | null;
  /** What the response's headers say is missing: `subscription-limit`. */
  readonly gaps?: readonly Reason[];
}

/** One record on a page, as far as completeness is concerned. */
export interface PageRecord {
  readonly id: string;
  /** The ledger line it counts in. */
  readonly bucket: string;
  /** When the provider captured it, where it says so. */
  readonly capturedAt: string | null;
}

/** What a page says of itself; the same for a page just received and for a stored one. */
export interface PageFacts {
  readonly records: readonly PageRecord[];
  /** Entries of the page, records or not. */
  readonly items: number;
  readonly nextToken: string | null;
  /** The provider's own figure for the whole series, where every page carries it. */
  readonly total: number | null;
  /** Why the series cannot be whole although no call failed: `result-truncated`, `subscription-limit`. */
  readonly gaps: readonly Reason[];
  /** Why the page contradicts itself; asking again may help. */
  readonly contradiction: Reason | null;
}

/** What a series holds, by bucket. */
export interface Tally {
  readonly held: ReadonlyMap<string, number>;
  readonly oldest: ReadonlyMap<string, string>;
  readonly newest: ReadonlyMap<string, string>;
  readonly records: number;
}

export type SeriesStatus = 'complete' | 'partial' | 'failed' | 'denied' | 'aborted';

export interface Series {
  readonly directory: string;
  readonly status: SeriesStatus;
  /** Empty when complete. */
  readonly reasons: readonly Reason[];
  readonly tally: Tally;
  /** When its first and last page arrived. */
  readonly received: { readonly oldest: string | null; readonly newest: string | null };
  /** Pages stored. */
  readonly pages: number;
}

interface SeriesRequest {
  readonly writer: QueryWriter;
  /** Parent of `evidence/`, to read stored pages back. */
  readonly runDirectory: string;
  readonly ask: (token: string | null) => Promise<Answer<Received>>;
  readonly facts: (json: Json) => PageFacts;
  /** How often a series whose pages contradict each other is asked again from the start. */
  readonly requeries: number;
  readonly onPage?: (items: number) => void;
}

type Taken =
  | { readonly ok: true; readonly facts: PageFacts; readonly page: ReceivedPage; readonly gaps: readonly Reason[] }
  | { readonly ok: false; readonly reason: Reason };

/** What of a page is none of what was asked for, in one reason however many entries it is; none where nothing is. */
export function malformedEntries(entries: readonly number[], due: string): Reason[] {
  const [first] = entries;
  if (first === undefined) return [];
  const which = entries.length === 1 ? `entry ${first} of a page is` : `${entries.length} entries of a page, from entry ${first} on, are`;
  return [{ code: 'malformed-record', message: `${which} not ${due}` }];
}

/** More pages than any scope can fill; a provider that hands out rows for ever is stopped here. */
const maxPages = 100_000;

/** Services answer with an empty page now and then; one that never ends must not hold up the run. */
export const maxEmptyPages = 10;

interface Count {
  held: Map<string, number>;
  oldest: Map<string, string>;
  newest: Map<string, string>;
  ids: Set<number>;
  tokens: Set<string>;
  total: number | null;
  /** Pages in a row that brought nothing new. */
  emptyRun: number;
  gaps: Reason[];
}

function emptyCount(): Count {
  return { held: new Map(), oldest: new Map(), newest: new Map(), ids: new Set(), tokens: new Set(), total: null, emptyRun: 0, gaps: [] };
}

/** Adds a page; what it returns is a contradiction between pages that asking again may settle. */
function add(count: Count, facts: PageFacts): Reason | null {
  let contradiction = facts.contradiction;
  const known = count.ids.size;
  for (const record of facts.records) {
    const id = fingerprint(record.id);
    if (count.ids.has(id)) {
      contradiction ??= { code: 'repeated-row', message: `${record.id} came twice while paging` };
      continue;
    }
    count.ids.add(id);
    count.held.set(record.bucket, (count.held.get(record.bucket) ?? 0) + 1);
    if (record.capturedAt === null) continue;
    const oldest = count.oldest.get(record.bucket);
    const newest = count.newest.get(record.bucket);
    if (oldest === undefined || record.capturedAt < oldest) count.oldest.set(record.bucket, record.capturedAt);
    if (newest === undefined || record.capturedAt > newest) count.newest.set(record.bucket, record.capturedAt);
  }
  if (facts.total !== null) {
    if (count.total !== null && count.total !== facts.total)
      contradiction ??= {
        code: 'rows-changed',
        message: `the provider counted ${count.total} records on one page and ${facts.total} on a later one`,
      };
    count.total = facts.total;
  }
  for (const gap of facts.gaps) count.gaps.push(gap);
  count.emptyRun = count.ids.size === known ? count.emptyRun + 1 : 0;
  if (facts.nextToken !== null) {
    if (count.tokens.has(facts.nextToken)) {
      // Whatever else is wrong with the page: a listing that comes back to where it was has no end.
      if (contradiction !== null) count.gaps.push(contradiction);
      contradiction = { code: 'repeated-token', message: 'the provider gave the same continuation token twice' };
    }
    count.tokens.add(facts.nextToken);
  }
  return contradiction;
}

function tallyOf(count: Count): Tally {
  return { held: count.held, oldest: count.oldest, newest: count.newest, records: count.ids.size };
}

function unique(reasons: readonly Reason[]): Reason[] {
  return [...new Map(reasons.map((reason) => [`${reason.code}\n${reason.message}`, reason])).values()];
}

/**
 * A series of pages: read to its end, stored as it comes, continued where an earlier run stopped, and asked again a bounded
 * number of times where its pages contradict each other. `again` is for contradictions that only others can see (a count).
 */
export interface PagedSeries {
  run(): Promise<Series>;
  again(reason: Reason): Promise<Series>;
  /** Records that a finished series is not whole after all. */
  demote(reason: Reason): Promise<Series>;
}

export function pagedSeries(request: SeriesRequest): PagedSeries {
  const { writer } = request;
  let last: Series | undefined;

  function replay(): Count {
    const count = emptyCount();
    for (const page of writer.query.pages) {
      const json = JSON.parse(readFileSync(join(request.runDirectory, writer.directory, page.file), 'utf8')) as Json;
      add(count, request.facts(json));
    }
    return count;
  }

  function received(): Series['received'] {
    return { oldest: writer.query.pages[0]?.receivedAt ?? null, newest: writer.query.pages.at(-1)?.receivedAt ?? null };
  }

  async function end(status: SeriesStatus, reasons: readonly Reason[], count: Count): Promise<Series> {
    if (status !== 'aborted') await writer.finish(status, reasons);
    last = {
      directory: writer.directory,
      status,
      reasons: unique(reasons),
      tally: tallyOf(count),
      received: received(),
      pages: writer.query.pages.length,
    };
    return last;
  }

  /** Asks for a page. What comes back names its bytes and facts alone: parsed it is several times as large, and not held while it is stored. */
  async function take(token: string | null): Promise<Taken> {
    const answer = await request.ask(token);
    if (!answer.ok) return answer;
    const { json, body, requestId, httpStatus, gaps } = answer.value;
    const facts = request.facts(json);
    const { items, nextToken } = facts;
    const page: ReceivedPage = { body: Buffer.from(body, 'utf8'), requestId, httpStatus, items, attempts: answer.attempts, nextToken };
    return { ok: true, facts, page, gaps: gaps ?? [] };
  }

  async function read(start: Count, startToken: string | null, restarts: number): Promise<Series> {
    let count = start;
    let token = startToken;
    let left = restarts;
    let standing: Reason[] = [];
    for (;;) {
      const taken = await take(token);
      if (!taken.ok) {
        if (taken.reason.code === 'aborted') return end('aborted', [taken.reason], count);
        if (writer.query.pages.length > 0) return end('partial', [...standing, taken.reason], count);
        return end(isRefusal(taken.reason) ? 'denied' : 'failed', [taken.reason], count);
      }
      const { facts } = taken;
      await writer.page(taken.page);
      request.onPage?.(facts.items);
      let contradiction = add(count, facts);
      count.gaps.push(...taken.gaps);
      const over = facts.nextToken === null || contradiction?.code === 'repeated-token';
      if (over && contradiction === null && count.total !== null && count.total !== count.ids.size) {
        contradiction = { code: 'rows-lost', message: `the provider counted ${count.total} records and handed out ${count.ids.size}` };
      }
      if (contradiction !== null && left > 0) {
        left -= 1;
        await writer.restart({ code: contradiction.code, message: `${contradiction.message}; asked again from the start` });
        count = emptyCount();
        token = null;
        standing = [];
        continue;
      }
      if (contradiction !== null) standing.push(contradiction);
      if (over) {
        const reasons = [...standing, ...count.gaps];
        return end(reasons.length === 0 ? 'complete' : 'partial', reasons, count);
      }
      if (writer.query.pages.length >= maxPages)
        return end(
          'partial',
          [...standing, ...count.gaps, { code: 'endless-pages', message: `it did not end within ${maxPages} pages` }],
          count,
        );
      if (count.emptyRun > maxEmptyPages)
        return end(
          'partial',
          [
            ...standing,
            ...count.gaps,
            { code: 'empty-pages', message: `${count.emptyRun} pages in a row brought nothing but a continuation token` },
          ],
          count,
        );
      token = facts.nextToken;
    }
  }

  return {
    async run() {
      const count = replay();
      if (writer.finished) {
        const status = writer.query.status === 'running' ? 'partial' : writer.query.status;
        last = {
          directory: writer.directory,
          status,
          reasons: status === 'complete' ? [] : unique(writer.query.reasons),
          tally: tallyOf(count),
          received: received(),
          pages: writer.query.pages.length,
        };
        return last;
      }
      return read(count, writer.resumeToken, request.requeries);
    },
    async again(reason) {
      await writer.restart(reason);
      return read(emptyCount(), null, request.requeries);
    },
    async demote(reason) {
      if (last === undefined) throw new Error('a series is demoted only after it was read');
      last = { ...last, status: last.status === 'complete' ? 'partial' : last.status, reasons: unique([...last.reasons, reason]) };
      if (last.status !== 'aborted') await writer.finish(last.status, [reason]);
      return last;
    },
  };
}
