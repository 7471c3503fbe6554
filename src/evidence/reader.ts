import { createHash, hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileLender } from './files.ts';
import { toldApart } from './withheld.ts';
import { compareText, type EvidenceRecord, type Json, type Ledger, ledgerSchema, type Query, querySchema } from '../model/index.ts';

/** `file` is the page's path below the data root, for citations. */
export type PageReader = (page: Json, query: Query, file: string) => Iterable<EvidenceRecord>;

/** A page that could not be read back: its digest differs, it is gone, or it does not parse. */
export interface PageDefect {
  readonly file: string;
  readonly code: 'missing' | 'altered' | 'unparsable' | 'unmappable' | 'no-reader';
  readonly message: string;
}

export interface StoredQuery {
  /** `evidence/aws-config/111122223333.eu-west-1/AWS.S3.Bucket` */
  readonly directory: string;
  readonly query: Query;
  /** SHA-256 of query.json. */
  readonly sha256: string;
}

/** A page whose bytes are those that were recorded. */
export interface StoredPage {
  /** Path below the data root. */
  readonly file: string;
  readonly sha256: string;
  readonly json: Json;
}

/** Evidence that cannot be read at all: no ledger, or a ledger or query.json that does not follow its schema. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
}

export interface EvidenceReader {
  readonly runDirectory: string;
  ledger(): Ledger;
  /** Every stored query, sorted by directory, so that reading order never depends on the file system. */
  queries(): readonly StoredQuery[];
  /** The intact pages of one query in order; the others are reported as defects. */
  pages(stored: StoredQuery, onDefect: (defect: PageDefect) => void): AsyncGenerator<StoredPage>;
  /** Records of a page, by the collector's page map. What the map cannot read is reported, not thrown. */
  recordsOf(stored: StoredQuery, page: StoredPage, onDefect: (defect: PageDefect) => void): Generator<EvidenceRecord>;
  /** The records of one query, page by page in order. Defects are reported, not thrown: their records are simply not there. */
  records(stored: StoredQuery, onDefect: (defect: PageDefect) => void): AsyncGenerator<EvidenceRecord>;
}

function subdirectories(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort(compareText);
}

function parseWith<T>(
  path: string,
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error } },
): { value: T; bytes: Buffer } {
  let bytes: Buffer;
  let json: unknown;
  try {
    bytes = readFileSync(path);
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new EvidenceError(
        `${path} is not there: the run was not collected, or lost it (\`exhibit collect --resume\` goes on with an unfinished one)`,
      );
    throw new EvidenceError(
      `${path} cannot be read, so the evidence of the run cannot be relied on; take it from a copy: ${(error as Error).message}`,
    );
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new EvidenceError(
      `${path} is not what a collection writes, so the evidence of the run cannot be relied on; take it from a copy: ${parsed.error.message}`,
    );
  return { value: parsed.data, bytes };
}

/**
 * Opens `<runDirectory>/evidence` for reading. `readers` maps a query's shape to the collector's page map.
 * Every page is checked against the digest in its query.json before it is read. Throws EvidenceError.
 */
export function evidenceReader(runDirectory: string, readers: Readonly<Record<string, PageReader>>): EvidenceReader {
  let stored: StoredQuery[] | undefined;
  const readPage = fileLender();

  async function* pages(query: StoredQuery, onDefect: (defect: PageDefect) => void): AsyncGenerator<StoredPage> {
    const files = query.query.pages.map((page) => ({ file: `${query.directory}/${page.file}`, sha256: page.sha256 }));
    let yielded = performance.now();
    for (const { file, sha256 } of files) {
      // Reading synchronously costs a third of a promise per page; signals and timers still get their turn.
      if (performance.now() - yielded > 50) {
        await new Promise<void>((resume) => setImmediate(resume));
        yielded = performance.now();
      }
      let bytes: Buffer;
      try {
        bytes = readPage(join(runDirectory, file));
      } catch (error) {
        onDefect({ file, code: 'missing', message: (error as NodeJS.ErrnoException).code ?? 'unreadable' });
        continue;
      }
      if (hash('sha256', bytes) !== sha256) {
        onDefect({ file, code: 'altered', message: 'the stored page differs from the digest recorded in query.json' });
        continue;
      }
      let json: Json;
      try {
        json = JSON.parse(bytes.toString('utf8')) as Json;
      } catch (error) {
        onDefect({ file, code: 'unparsable', message: (error as Error).message });
        continue;
      }
      yield { file, sha256, json };
    }
  }

  function* recordsOf(query: StoredQuery, page: StoredPage, onDefect: (defect: PageDefect) => void): Generator<EvidenceRecord> {
    const read = readers[query.query.shape];
    if (!read) {
      onDefect({ file: page.file, code: 'no-reader', message: `no collector reads pages of the shape ${query.query.shape}` });
      return;
    }
    try {
      for (const record of read(page.json, query.query, page.file)) yield toldApart(record);
    } catch (error) {
      onDefect({ file: page.file, code: 'unmappable', message: (error as Error).message });
    }
  }

  return {
    runDirectory,
    ledger() {
      return parseWith<Ledger>(join(runDirectory, 'evidence', 'ledger.json'), ledgerSchema).value;
    },
    queries() {
      if (stored) return stored;
      stored = [];
      const root = join(runDirectory, 'evidence');
      for (const collector of subdirectories(root)) {
        for (const scope of subdirectories(join(root, collector))) {
          for (const name of subdirectories(join(root, collector, scope))) {
            const directory = ['evidence', collector, scope, name].join('/');
            // A killed run leaves pages that no query.json came to name: no evidence, and asked for again when it is resumed.
            if (!existsSync(join(runDirectory, directory, 'query.json')) && this.ledger().endedAt === null) continue;
            const { value, bytes } = parseWith<Query>(join(runDirectory, directory, 'query.json'), querySchema);
            stored.push({ directory, query: value, sha256: createHash('sha256').update(bytes).digest('hex') });
          }
        }
      }
      return stored;
    },
    pages,
    recordsOf,
    async *records(query, onDefect) {
      for await (const page of pages(query, onDefect)) yield* recordsOf(query, page, onDefect);
    },
  };
}
