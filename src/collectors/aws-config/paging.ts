import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceWriter, QueryRequest, QueryWriter, ReceivedPage } from '../../evidence/writer.ts';
import { isJsonObject, type Json, type JsonObject, type Reason } from '../../model/index.ts';
import type { CallOutcome, Failure, Operation } from './outcome.ts';
import { reasonOf, statusOf } from './outcome.ts';

/** What a query gathers from its pages. Made anew whenever the query is asked again. */
export interface Fold {
  /** Takes a page in; how many items it held, or null where it is not a page of this operation. `file` is below the data root. */
  add(body: JsonObject, file: string): number | null;
  /** Entries so far, those that came again not counted. */
  fresh(): number;
  /** What is wrong with the rows themselves: repeated, foreign, unreadable. Empty when nothing is. */
  complaints(): Reason[];
}

export interface PagedQuery<F extends Fold> {
  readonly operation: Operation;
  /** Everything but the token. */
  readonly input: JsonObject;
  /** How this operation spells its token. */
  readonly tokenField: 'NextToken' | 'nextToken';
  readonly request: Omit<QueryRequest, 'collector' | 'provider' | 'operation' | 'parameters'>;
  readonly fold: () => F;
}

/** What came of a query: `fold` holds what its stored pages hold. */
export interface Paged<F extends Fold> {
  readonly fold: F;
  readonly status: 'complete' | 'partial' | 'failed' | 'denied';
  readonly reasons: Reason[];
  readonly directory: string;
  readonly writer: QueryWriter;
}

export interface PagingContext {
  readonly writer: EvidenceWriter;
  readonly call: (operation: Operation, input: JsonObject, signal: AbortSignal) => Promise<CallOutcome>;
  readonly signal: AbortSignal;
  readonly requeries: number;
  readonly onPage: (query: string, items: number) => void;
}

/** More pages than any account can fill; a provider that hands out tokens for ever is stopped here. */
const maxPages = 100_000;
/** Pages with a token and nothing new are legitimate, but not without end. */
export const maxEmptyPages = 20;

const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

export function openPaged<F extends Fold>(context: PagingContext, query: PagedQuery<F>): Promise<QueryWriter> {
  return context.writer.open({
    collector: 'aws-config',
    provider: 'aws',
    operation: query.operation,
    parameters: query.input,
    ...query.request,
  });
}

type Ended =
  | { readonly ended: 'complete' }
  | { readonly ended: 'failed'; readonly failure: Failure }
  | { readonly ended: 'inconsistent'; readonly reason: Reason };

/**
 * Asks a query to its end, each page stored as it comes. Rows that repeat, tokens that repeat and pages that are no pages
 * make it start again, a bounded number of times; what then still does not hold together is partial. An aborted query
 * stays `running` on disk, so that a resumed run goes on from its last page. A finished query of an earlier run is only read.
 */
export async function page<F extends Fold>(context: PagingContext, query: PagedQuery<F>): Promise<Paged<F>> {
  const writer = await openPaged(context, query);
  const fold = query.fold();
  const readBack = await restore(context, writer, fold);
  if (writer.finished && readBack) return settled(writer, fold, 'complete', []);
  if (!readBack) {
    await writer.restart({ code: 'unreadable-page', message: 'a page stored by an earlier run does not read back' });
    return ask(context, query, writer, query.fold(), null);
  }
  return ask(context, query, writer, fold, writer.resumeToken);
}

/** Asks a finished query again from the start: its rows and an independent count do not agree. */
export async function askAgain<F extends Fold>(
  context: PagingContext,
  query: PagedQuery<F>,
  before: Paged<F>,
  reason: Reason,
): Promise<Paged<F>> {
  await before.writer.restart(reason);
  return ask(context, query, before.writer, query.fold(), null);
}

function settled<F extends Fold>(writer: QueryWriter, fold: F, status: Paged<F>['status'], reasons: Reason[]): Paged<F> {
  return { fold, status, reasons, directory: writer.directory, writer };
}

async function restore(context: PagingContext, writer: QueryWriter, fold: Fold): Promise<boolean> {
  for (const stored of writer.stored) {
    const file = `${writer.directory}/${stored.file}`;
    try {
      const body = JSON.parse(await readFile(join(context.writer.runDirectory, file), 'utf8')) as Json;
      if (!isJsonObject(body) || fold.add(body, file) === null) return false;
    } catch {
      return false;
    }
  }
  return true;
}

async function ask<F extends Fold>(
  context: PagingContext,
  query: PagedQuery<F>,
  writer: QueryWriter,
  first: F,
  token: string | null,
): Promise<Paged<F>> {
  let fold = first;
  let from = token;
  for (let round = 0; ; round += 1) {
    const outcome = await run(context, query, writer, fold, from);
    if (outcome.ended === 'complete') {
      const complaints = fold.complaints();
      if (complaints.length === 0) {
        await writer.finish('complete');
        return settled(writer, fold, 'complete', []);
      }
      if (round < context.requeries && complaints[0]) {
        await writer.restart(complaints[0]);
      } else {
        await writer.finish('partial', complaints);
        return settled(writer, fold, 'partial', complaints);
      }
    } else if (outcome.ended === 'inconsistent') {
      if (round >= context.requeries) {
        const reasons = [outcome.reason, ...fold.complaints()];
        await writer.finish('partial', reasons);
        return settled(writer, fold, 'partial', reasons);
      }
      await writer.restart(outcome.reason);
    } else {
      const { failure } = outcome;
      const reasons = [reasonOf(failure)];
      // A continuation token outlives neither an hour nor a change of identity: start over once.
      if (failure.code === 'expired-token' && writer.query.pages.length > 0 && round < context.requeries) {
        await writer.restart(reasons[0] as Reason);
      } else if (failure.code === 'aborted') {
        return settled(writer, fold, writer.query.pages.length > 0 ? 'partial' : 'failed', reasons);
      } else {
        const status = writer.query.pages.length > 0 ? 'partial' : statusOf(failure.code);
        await writer.finish(status, reasons);
        return settled(writer, fold, status, reasons);
      }
    }
    fold = query.fold();
    from = null;
  }
}

/** One walk through the pages. While a page is being stored the next is asked for; it waits its turn, so that they are stored in order. */
async function run<F extends Fold>(
  context: PagingContext,
  query: PagedQuery<F>,
  writer: QueryWriter,
  fold: F,
  from: string | null,
): Promise<Ended> {
  let token = from;
  let storing: Promise<void> = Promise.resolve();
  const store = (page: ReceivedPage): void => {
    storing = writer.page(page).then(() => {
      context.onPage(query.request.name, page.items);
    });
    // Whoever waits for it meets the error.
    storing.catch(() => undefined);
  };
  /** Asks for a page and folds it. What comes back names its bytes alone: nothing else of it is held while it is stored. */
  const take = async (from: string | null, file: string): Promise<ReceivedPage | Ended> => {
    const input = from === null ? query.input : { ...query.input, [query.tokenField]: from };
    const outcome = await context.call(query.operation, input, context.signal);
    if (!outcome.ok) return { ended: 'failed', failure: outcome.failure };
    const { body, bytes, ...answer } = outcome.response;
    const next = body[query.tokenField];
    const items = fold.add(body, file);
    if (items === null || (next !== undefined && next !== null && typeof next !== 'string'))
      return {
        ended: 'inconsistent',
        reason: { code: 'malformed-response', message: `${query.operation} answered with JSON that is not its page` },
      };
    return { ...answer, body: bytes, items, nextToken: typeof next === 'string' && next !== '' ? next : null };
  };
  const seen = new Set<string>(token === null ? [] : [digest(token)]);
  let empty = 0;
  let known = fold.fresh();
  try {
    for (let pages = writer.query.pages.length; pages < maxPages; pages += 1) {
      const taken = await take(token, `${writer.directory}/page-${String(pages + 1).padStart(6, '0')}.json`);
      if ('ended' in taken) return taken;
      await storing;
      store(taken);
      const { nextToken } = taken;
      if (nextToken === null) return { ended: 'complete' };
      if (seen.has(digest(nextToken)))
        return {
          ended: 'inconsistent',
          reason: { code: 'repeated-token', message: `${query.operation} handed out the same continuation token twice` },
        };
      seen.add(digest(nextToken));
      empty = fold.fresh() === known ? empty + 1 : 0;
      known = fold.fresh();
      if (empty >= maxEmptyPages)
        return {
          ended: 'inconsistent',
          reason: { code: 'empty-pages', message: `${query.operation} answered ${empty} pages in a row with nothing new but a token` },
        };
      token = nextToken;
    }
    return { ended: 'inconsistent', reason: { code: 'endless-pages', message: `${query.operation} did not end within ${maxPages} pages` } };
  } finally {
    await storing;
  }
}
