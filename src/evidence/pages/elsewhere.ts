import { Worker } from 'node:worker_threads';
import type { Arrival, KeptPage } from './keep.ts';

/** A page for the thread. */
export interface Order extends Arrival {
  readonly id: number;
}

/** Its answer: the page as kept, or what the file system said. */
export interface Told {
  readonly id: number;
  readonly page: KeptPage | null;
  readonly failure: Pick<NodeJS.ErrnoException, 'code' | 'message' | 'errno' | 'syscall' | 'path'> | null;
}

/** Bounds the garbage that the thread may leave lying before it is collected. */
const youngGenerationMb = 16;

const module = new URL(import.meta.url.endsWith('.js') ? './thread.js' : './thread.ts', import.meta.url);

interface Waiting {
  readonly arrival: Arrival;
  readonly done: (page: KeptPage | Promise<KeptPage>) => void;
  readonly failed: (error: Error) => void;
}

/** One thread for the process; it keeps the process alive only while it works. */
let thread: Worker | null = null;
let last = 0;
const waiting = new Map<number, Waiting>();

/** Starts the thread, so that it is ready when the first page comes. */
export function startKeeper(): Worker {
  if (thread !== null) return thread;
  const worker = new Worker(module, { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } });
  worker.unref();
  worker.on('message', ({ id, page, failure }: Told) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (page !== null) one?.done(page);
    else one?.failed(Object.assign(new Error(failure?.message), failure));
  });
  // A thread that fails costs time and nothing else: its pages are kept from here.
  const lost = (): void => {
    if (thread !== worker) return;
    thread = null;
    const left = [...waiting.values()];
    waiting.clear();
    for (const { arrival, done } of left) done(import('./keep.ts').then(({ keepPage }) => keepPage(arrival)));
  };
  worker.on('error', lost);
  worker.on('exit', lost);
  thread = worker;
  return worker;
}

/** `keepPage`, on a thread of its own: the process that paces calls and answers stays free for them. */
export function keepElsewhere(arrival: Arrival): Promise<KeptPage> {
  return new Promise((done, failed) => {
    const worker = startKeeper();
    const id = (last += 1);
    waiting.set(id, { arrival, done, failed });
    worker.ref();
    worker.postMessage({ id, ...arrival } satisfies Order);
  });
}
