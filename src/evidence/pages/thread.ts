/** What the thread that keeps pages runs: responses and texts in; what became of them out, once they are on disk. See elsewhere.ts. */
import { parentPort } from 'node:worker_threads';
import type { Order, Told } from './elsewhere.ts';
import { type KeptPage, keepPage, keepText } from './keep.ts';

/** What survives of a system error on the way to another thread. */
function failureOf(error: unknown): Told['failure'] {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const { code, message, errno, syscall, path } = error as NodeJS.ErrnoException;
  return { code, message, errno, syscall, path };
}

function carryOut({ page, text }: Order): Promise<KeptPage | null> {
  return page === null ? keepText(text.content, text.place).then(() => null) : keepPage(page);
}

parentPort?.on('message', (order: Order) => {
  const tell = (told: Omit<Told, 'id'>): void => parentPort?.postMessage({ id: order.id, ...told } satisfies Told);
  carryOut(order).then(
    (page) => {
      tell({ page, failure: null });
    },
    (error: unknown) => {
      const failure = failureOf(error);
      // Anything but a disk's refusal ends the thread, and with it every page that waits.
      if (failure === null) throw error;
      tell({ page: null, failure });
    },
  );
});
