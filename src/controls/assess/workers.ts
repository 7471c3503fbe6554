import { join } from 'node:path';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import type { PageReader } from '../../evidence/reader.ts';
import { loadCatalogue } from '../catalogue/load.ts';
import { judgePart, type PartRequest, type PartResult } from './part.ts';
import type { Catalogue } from '../types.ts';

/** What a worker is told: names and numbers, never documents. It compiles its controls itself. */
interface Order {
  readonly catalogue: { readonly file: string; readonly files: Catalogue['files'] };
  readonly controls: readonly string[];
  readonly part: Omit<PartRequest, 'controls' | 'readers' | 'signal' | 'pages'>;
}

type Told =
  { readonly kind: 'pages'; readonly done: number; readonly total: number } | { readonly kind: 'result'; readonly result: PartResult };

/** Bounds the garbage a worker may leave lying before it is collected. */
const youngGenerationMb = 32;

/** Judges parts on worker threads, one each. `stop` ends those still at work. */
export function judgeElsewhere(
  module: URL,
  catalogue: Catalogue,
  parts: readonly PartRequest[],
): { readonly results: Promise<PartResult[]>; stop(): Promise<void> } {
  const workers: Worker[] = [];
  const results = parts.map(({ controls, readers: _readers, signal, pages, ...part }) => {
    const order: Order = {
      catalogue: { file: join(catalogue.directory, catalogue.files[0]?.file ?? ''), files: catalogue.files },
      controls: controls.map(({ control }) => control.id),
      part,
    };
    const worker = new Worker(module, { workerData: order, resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } });
    workers.push(worker);
    return new Promise<PartResult>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      worker.on('message', (told: Told) => {
        if (told.kind === 'result') resolve(told.result);
        else pages?.(told.done, told.total);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`a judging thread ended with ${code} before its part was done`)));
    });
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

/** The body of a worker: judges the part it was ordered to and posts the result. Errors end the thread and reach the one that ordered. */
export async function serveParts(readers: Readonly<Record<string, PageReader>>): Promise<void> {
  const { catalogue: ordered, controls, part } = workerData as Order;
  const catalogue = await loadCatalogue(ordered.file);
  const digests = (files: Catalogue['files']): string => files.map(({ file, sha256 }) => `${sha256}  ${file}`).join('\n');
  if (digests(catalogue.files) !== digests(ordered.files)) throw new Error('the control files changed while they were judging');
  const wanted = new Set(controls);
  let told = 0;
  const result = await judgePart({
    ...part,
    readers,
    controls: catalogue.controls.filter(({ control }) => wanted.has(control.id)),
    pages: (done, total) => {
      if (done < total && performance.now() - told < 200) return;
      told = performance.now();
      parentPort?.postMessage({ kind: 'pages', done, total } satisfies Told);
    },
  });
  parentPort?.postMessage({ kind: 'result', result } satisfies Told);
}
