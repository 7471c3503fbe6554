import { Worker } from 'node:worker_threads';
import type { Arrival, KeptPage, Place } from './keep.ts';

/** What the thread is to keep. */
export type Task = { readonly page: Arrival } | { readonly text: string; readonly place: Place };

export interface Order {
  readonly id: number;
  readonly task: Task;
}

/** Its answer: the page as kept (null for a text), or what the file system said. */
export interface Told {
  readonly id: number;
  readonly page: KeptPage | null;
  readonly failure: Pick<NodeJS.ErrnoException, 'code' | 'message' | 'errno' | 'syscall' | 'path'> | null;
}

/** Bounds the garbage that the thread may leave lying before it is collected. */
const youngGenerationMb = 16;

const module = new URL(import.meta.url.endsWith('.js') ? './thread.js' : './thread.ts', import.meta.url);

interface Waiting {
  readonly done: (page: KeptPage | null) => void;
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
  worker.on('message', ({ id, page, failure }: Told) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (failure === null) one?.done(page);
    else one?.failed(Object.assign(new Error(failure.message), failure));
  });
  const lost = (cause?: Error): void => {
    if (thread !== worker) return;
    thread = null;
    const left = [...waiting.values()];
    waiting.clear();
    for (const { failed } of left) failed(new Error('the thread that keeps pages ended before this one was kept', { cause }));
  };
  worker.on('error', lost);
  worker.on('exit', () => {
    lost();
  });
  // After the listeners: adding one for messages makes the process wait for them.
  worker.unref();
  thread = worker;
  return worker;
}

/** Memory that holds nothing but these bytes, and so may change hands. */
function ownMemory({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

function order(task: Task, given: ArrayBuffer[]): Promise<KeptPage | null> {
  return new Promise((done, failed) => {
    const worker = startKeeper();
    const id = (last += 1);
    waiting.set(id, { done, failed });
    worker.ref();
    worker.postMessage({ id, task } satisfies Order, given);
  });
}

/**
 * `keepPage`, on a thread of its own: the process that paces calls and answers stays free for them. What was received is given
 * away where it can be: the caller must not look at it again.
 */
export async function keepElsewhere(page: Arrival): Promise<KeptPage> {
  return (await order({ page }, ownMemory(page.received))) as KeptPage;
}

/** `keepText` there. */
export async function storeElsewhere(text: string, place: Place): Promise<void> {
  await order({ text, place }, []);
}
