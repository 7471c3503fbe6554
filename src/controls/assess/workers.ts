import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { evidenceReader, type PageReader } from '../../evidence/reader.ts';
import { loadCatalogue } from '../catalogue/load.ts';
import type { Catalogue } from '../types.ts';
import { judgePart, type PartRequest, type PartResult } from './part.ts';
import type { Part } from './partition.ts';
import { type ResultFiles, resultFiles } from './result-files.ts';

type Common = Pick<PartRequest, 'parameters' | 'config' | 'expected'>;

/** What a thread is told: names and numbers, never documents. It compiles its controls itself. */
interface Order {
  readonly catalogue: { readonly file: string; readonly files: Catalogue['files'] };
  /** Ids of the controls of each part. */
  readonly parts: readonly (readonly string[])[];
  readonly common: Common;
  readonly runDirectory: string;
  /** Existing, for the thread alone. */
  readonly directory: string;
}

type Told = { readonly kind: 'pages'; readonly read: number } | { readonly kind: 'results'; readonly results: PartResult[] };

export interface Threads {
  readonly count: number;
  /** Module that a thread runs: it calls `serveParts` with the collectors' page maps. */
  readonly module: URL;
  /** Evidence of fewer bytes is not worth a second thread. Default: 64 MiB. */
  readonly fromBytes?: number;
}

export interface Elsewhere {
  readonly module: URL;
  readonly runDirectory: string;
  readonly catalogue: Catalogue;
  readonly signal: AbortSignal | undefined;
  /** Those of each thread. */
  readonly parts: readonly (readonly Part[])[];
  readonly common: Common;
  readonly files: Pick<ResultFiles, 'directory'>;
  /** Told of pages that were read. */
  readonly pages: (read: number) => void;
}

/** Bounds the garbage a thread may leave lying before it is collected. */
const youngGenerationMb = 32;

/** Judges parts on threads. What each wrote lies in its `directory`. `stop` ends those still at work. */
export function judgeElsewhere({ module, runDirectory, catalogue, signal, parts, common, files, pages }: Elsewhere): {
  readonly results: Promise<{ readonly directory: string; readonly results: PartResult[] }[]>;
  stop(): Promise<void>;
} {
  const workers: Worker[] = [];
  const results = parts.map(async (own, at) => {
    const directory = join(files.directory, `thread-${at}`);
    mkdirSync(directory);
    const order: Order = {
      catalogue: { file: join(catalogue.directory, catalogue.files[0]?.file ?? ''), files: catalogue.files },
      parts: own.map(({ controls }) => controls.map(({ control }) => control.id)),
      common,
      runDirectory,
      directory,
    };
    const worker = new Worker(module, { workerData: order, resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } });
    workers.push(worker);
    const judged = await new Promise<PartResult[]>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      worker.on('message', (told: Told) => {
        if (told.kind === 'results') resolve(told.results);
        else pages(told.read);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`a judging thread ended with ${code} before its part was done`)));
    });
    return { directory, results: judged };
  });
  const all = Promise.all(results);
  // Told to whoever waits for it; until then a failure is nobody's business.
  all.catch(() => undefined);
  return {
    results: all,
    async stop() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** The body of a thread: judges the parts it was ordered to and posts what came of them. Errors end the thread and reach the one that ordered. */
export async function serveParts(readers: Readonly<Record<string, PageReader>>): Promise<void> {
  const { catalogue: ordered, parts, common, runDirectory, directory } = workerData as Order;
  const catalogue = await loadCatalogue(ordered.file);
  const digests = (files: Catalogue['files']): string => files.map(({ file, sha256 }) => `${sha256}  ${file}`).join('\n');
  if (digests(catalogue.files) !== digests(ordered.files)) throw new Error('the control files changed while they were judging');
  const files = resultFiles(directory);
  const reader = evidenceReader(runDirectory, readers);
  const tell = (told: Told): void => parentPort?.postMessage(told);
  let read = 0;
  let told = 0;
  const results: PartResult[] = [];
  for (const ids of parts) {
    const wanted = new Set(ids);
    results.push(
      await judgePart({
        ...common,
        reader,
        files,
        controls: catalogue.controls.filter(({ control }) => wanted.has(control.id)),
        page: () => {
          read += 1;
          if (performance.now() - told < 200) return;
          told = performance.now();
          tell({ kind: 'pages', read });
          read = 0;
        },
      }),
    );
  }
  await files.close();
  tell({ kind: 'pages', read });
  tell({ kind: 'results', results });
}
