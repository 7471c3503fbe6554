import { Worker } from 'node:worker_threads';
import type { Redaction } from '../../model/index.ts';
import { type RedactedPage, redactPage } from './redact.ts';

/** A page for the thread. */
export interface Order {
  readonly id: number;
  readonly received: Uint8Array;
  readonly location: string;
  readonly key: Uint8Array;
}

/** Its answer; `bytes` null: as received. */
export interface Told {
  readonly id: number;
  readonly bytes: Uint8Array | null;
  readonly redactions: Redaction[];
}

/** Smaller pages are done sooner than they are handed over. */
const worthHandingOver = 32 * 1024;

/** Bounds the garbage that the thread may leave lying before it is collected. */
const youngGenerationMb = 16;

const module = new URL(import.meta.url.endsWith('.js') ? './thread.js' : './thread.ts', import.meta.url);

interface Waiting {
  readonly order: Order;
  readonly done: (page: RedactedPage | Promise<RedactedPage>) => void;
}

/** One thread for the process, started for the first large page; it keeps the process alive only while it works. */
let thread: Worker | null = null;
let last = 0;
const waiting = new Map<number, Waiting>();

function started(): Worker {
  if (thread !== null) return thread;
  const worker = new Worker(module, { resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb } });
  worker.on('message', ({ id, bytes, redactions }: Told) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    one?.done({ bytes: bytes ?? one.order.received, redactions });
  });
  // A thread that fails costs time and nothing else: its pages are redacted here.
  const lost = (): void => {
    if (thread !== worker) return;
    thread = null;
    const left = [...waiting.values()];
    waiting.clear();
    for (const { order, done } of left) done(redactPage(order.received, order.location, order.key));
  };
  worker.on('error', lost);
  worker.on('exit', lost);
  thread = worker;
  return worker;
}

/** `redactPage`, on a thread of its own where the page is large: the process that paces calls and answers stays free for them. */
export function redactElsewhere(received: Uint8Array, location: string, key: Uint8Array): Promise<RedactedPage> {
  if (received.length < worthHandingOver) return redactPage(received, location, key);
  return new Promise((done) => {
    const order: Order = { id: (last += 1), received, location, key };
    const worker = started();
    waiting.set(order.id, { order, done });
    worker.ref();
    worker.postMessage(order);
  });
}
