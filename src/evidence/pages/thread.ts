/** What the thread that keeps pages runs: responses and texts in; what became of them out, once they are on disk. See elsewhere.ts. */
import { parentPort } from 'node:worker_threads';
import type { Order, Task, Told } from './elsewhere.ts';
import { type KeptPage, keepPage, keepText } from './keep.ts';

/** What survives of a system error on the way to another thread. */
function failureOf(error: unknown): Told['failure'] {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const { code, message, errno, syscall, path } = error as NodeJS.ErrnoException;
  return { code, message, errno, syscall, path };
}

function carryOut(task: Task): Promise<KeptPage | null> {
  return 'page' in task ? keepPage(task.page) : keepText(task.text, task.place).then(() => null);
}

parentPort?.on('message', ({ id, task }: Order) => {
  const tell = (told: Omit<Told, 'id'>): void => parentPort?.postMessage({ id, ...told } satisfies Told);
  carryOut(task).then(
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
