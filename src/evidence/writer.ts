import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type EvidencePage, type Ledger, ledgerSchema, type Provider, type Query, querySchema, type Reason } from '../model/index.ts';
import { safeName, writeJsonAtomic } from './files.ts';
import { keepElsewhere, startKeeper, storeElsewhere } from './pages/elsewhere.ts';
import type { Place } from './pages/keep.ts';
import { keyFile, runKey } from './run-key.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** What a collector asks; everything of `query.json` that is known before the first response. */
export interface QueryRequest {
  readonly collector: string;
  readonly scope: string;
  readonly name: string;
  readonly provider: Provider;
  readonly operation: string;
  readonly shape: string;
  readonly text: string | null;
  readonly parameters: Record<string, unknown>;
  readonly endpoint: string;
  readonly identity: string;
  readonly types: readonly string[];
  readonly readTime?: string;
}

/** A response as it arrived. `body` is stored byte for byte, declared redactions excepted. */
export interface ReceivedPage {
  readonly body: Uint8Array | string;
  readonly items: number;
  readonly requestId: string | null;
  readonly httpStatus: number | null;
  readonly attempts: number;
  /** The provider's continuation token, null on the last page. */
  readonly nextToken: string | null;
  readonly receivedAt?: string;
}

/**
 * A query being written. Each file on disk is whole at any time, and query.json names the pages that a killed run can go on from:
 * all but the last, which counts with `finish`.
 */
export interface QueryWriter {
  /** Path below the data root: `evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket`. */
  readonly directory: string;
  /** Pages stored by an earlier, interrupted run of the same query; collection goes on after `resumeToken`. */
  readonly stored: readonly EvidencePage[];
  readonly resumeToken: string | null;
  /** True where an earlier run finished this query: nothing needs to be asked again. */
  readonly finished: boolean;
  readonly query: Readonly<Query>;
  page(received: ReceivedPage): Promise<EvidencePage>;
  /** Throws away the pages stored so far, for a query that must be asked again from the start (rows shifted while paging). */
  restart(reason: Reason): Promise<void>;
  finish(status: 'complete' | 'partial' | 'failed' | 'denied', reasons?: readonly Reason[]): Promise<Query>;
}

export interface EvidenceWriter {
  /** The run directory: the parent of `evidence/`. */
  readonly runDirectory: string;
  open(request: QueryRequest): Promise<QueryWriter>;
  writeLedger(ledger: Ledger): Promise<void>;
}

interface WriterOptions {
  /** Keep the finished queries of an interrupted run, and continue unfinished ones. */
  readonly resume: boolean;
  /** The clock: when responses arrived. Evidence states real time; judging uses only the ledger's asOf. */
  readonly now?: () => string;
}

/** The part of a request that decides whether stored pages answer it. Endpoint and identity may differ between attempts. */
function sameQuestion(query: Query, request: QueryRequest): boolean {
  const key = (q: Pick<Query, 'operation' | 'shape' | 'text' | 'parameters' | 'readTime'>): string =>
    JSON.stringify([q.operation, q.shape, q.text, q.parameters, q.readTime]);
  return (
    key(query) ===
    key({
      ...request,
      parameters: JSON.parse(JSON.stringify(request.parameters)) as Record<string, unknown>,
      readTime: request.readTime ?? null,
    })
  );
}

function readStored(path: string): Query | null {
  if (!existsSync(path)) return null;
  try {
    const parsed = querySchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null; // unreadable: asked again from the start
  }
}

/** A killed run can leave a half-written file, or a page that query.json never came to name. They are no evidence. */
async function removeUnnamed(directory: string, query: Query): Promise<void> {
  const named = new Set(['query.json', ...query.pages.map((page) => page.file)]);
  for (const name of readdirSync(directory)) if (!named.has(name)) await rm(join(directory, name), { recursive: true, force: true });
}

/** Opens `<runDirectory>/evidence` for writing. Throws EvidenceError where others have the run's secret. File system errors are thrown as they are: nothing stored is touched. */
export function evidenceWriter(runDirectory: string, options: WriterOptions): EvidenceWriter {
  const now = options.now ?? (() => new Date().toISOString());
  const open = new Set<string>();
  let key: Buffer | undefined;
  const redactionKey = (): Buffer => (key ??= runKey(runDirectory));
  if (existsSync(keyFile(runDirectory))) redactionKey();
  startKeeper();
  mkdirSync(join(runDirectory, 'evidence'), { recursive: true });

  async function openQuery(request: QueryRequest): Promise<QueryWriter> {
    const directory = ['evidence', safeName(request.collector), safeName(request.scope), safeName(request.name)].join('/');
    if (open.has(directory)) throw new Error(`query ${directory} is opened twice`);
    open.add(directory);
    const absolute = join(runDirectory, directory);
    const file = join(absolute, 'query.json');

    const earlier = options.resume ? readStored(file) : null;
    const reusable =
      earlier !== null &&
      sameQuestion(earlier, request) &&
      pagesIntact(runDirectory, earlier) &&
      (earlier.status === 'complete' || earlier.status === 'running');
    const finished = reusable && earlier.status !== 'running';
    const continued = reusable && (finished || earlier.pages.length === 0 || earlier.resumeToken !== null) ? earlier : null;

    if (continued !== null) await removeUnnamed(absolute, continued);
    else if (existsSync(absolute)) await rm(absolute, { recursive: true, force: true });
    let query: Query = continued ?? {
      version: 1,
      collector: request.collector,
      scope: request.scope,
      name: request.name,
      provider: request.provider,
      operation: request.operation,
      shape: request.shape,
      text: request.text,
      parameters: request.parameters,
      endpoint: request.endpoint,
      identity: request.identity,
      types: [...request.types],
      status: 'running',
      reasons: [],
      startedAt: now(),
      endedAt: null,
      readTime: request.readTime ?? null,
      resumeToken: null,
      pages: [],
    };
    // Nothing on disk before there is something to keep: what waits for its first answer costs no time.
    let made = continued !== null;
    const place = (name: string): Place => ({ root: join(runDirectory, 'evidence'), below: directory.split('/').slice(1), made, name });
    const save = async (next: Query): Promise<void> => {
      await storeElsewhere(`${JSON.stringify(next, null, 2)}\n`, place('query.json'));
      made = true;
      query = next;
    };

    return {
      directory,
      stored: [...query.pages],
      resumeToken: query.resumeToken,
      finished,
      get query() {
        return query;
      },
      async page({ body, ...received }) {
        const name = `page-${String(query.pages.length + 1).padStart(6, '0')}.json`;
        const kept = await keepElsewhere({
          received: typeof body === 'string' ? Buffer.from(body, 'utf8') : body,
          place: place(name),
          location: `${directory}/${name}`,
          key: redactionKey(),
        }).catch(async (error: unknown) => {
          // What was kept before stays readable, whatever this one failed of.
          if (query.pages.length === 0) await save(query).catch(() => undefined);
          throw error;
        });
        made = true;
        const page: EvidencePage = {
          file: name,
          sha256: kept.sha256,
          receivedSha256: kept.receivedSha256,
          bytes: kept.bytes,
          items: received.items,
          receivedAt: received.receivedAt ?? now(),
          requestId: received.requestId,
          httpStatus: received.httpStatus,
          attempts: received.attempts,
          nextTokenSha256: received.nextToken === null ? null : sha256(received.nextToken),
          redactions: kept.redactions,
        };
        const next = { ...query, pages: [...query.pages, page], resumeToken: received.nextToken };
        // After the last page comes `finish`, which saves: until then it is a page that query.json does not name.
        if (received.nextToken === null) query = next;
        else await save(next);
        return page;
      },
      async restart(reason) {
        const names = query.pages.map((page) => page.file);
        await save({ ...query, status: 'running', endedAt: null, pages: [], resumeToken: null, reasons: [...query.reasons, reason] });
        for (const name of names) await rm(join(absolute, name), { force: true });
      },
      async finish(status, reasons = []) {
        await save({ ...query, status, reasons: [...query.reasons, ...reasons], endedAt: now(), resumeToken: null });
        return query;
      },
    };
  }

  return {
    runDirectory,
    open: openQuery,
    async writeLedger(ledger) {
      // A killed run can leave a ledger half written under its temporary name: no evidence, and not to be packed.
      const evidence = join(runDirectory, 'evidence');
      for (const name of existsSync(evidence) ? readdirSync(evidence) : [])
        if (/^ledger\.json\.[0-9a-f]+\.tmp$/.test(name)) await rm(join(evidence, name), { force: true });
      await writeJsonAtomic(join(runDirectory, 'evidence', 'ledger.json'), ledgerSchema.parse(ledger));
    },
  };
}

/** Stored pages count only if their bytes are still those that were recorded. */
function pagesIntact(runDirectory: string, query: Query): boolean {
  const directory = join(runDirectory, 'evidence', safeName(query.collector), safeName(query.scope), safeName(query.name));
  return query.pages.every((page) => {
    const path = join(directory, page.file);
    return existsSync(path) && sha256(readFileSync(path)) === page.sha256;
  });
}
