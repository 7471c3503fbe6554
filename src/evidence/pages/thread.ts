/** What the thread that keeps pages runs: responses in; digests and redactions out, once they are on disk. See Elsewhere. */
import { parentPort } from 'node:worker_threads';
import type { Order, Told } from './elsewhere.ts';
import { keepPage } from './keep.ts';

/** What survives of a system error on the way to another thread. */
function failureOf(error: unknown): Told['failure'] {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const { code, message, errno, syscall, path } = error as NodeJS.ErrnoException;
  return { code, message, errno, syscall, path };
}

parentPort?.on('message', ({ id, ...arrival }: Order) => {
  const tell = (told: Omit<Told, 'id'>): void => parentPort?.postMessage({ id, ...told } satisfies Told);
  keepPage(arrival).then(
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
