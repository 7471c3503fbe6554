/** What the redaction thread runs: pages in, pages with their secrets replaced out. See Elsewhere. */
import { parentPort } from 'node:worker_threads';
import type { Order, Told } from './elsewhere.ts';
import { redactPage } from './redact.ts';

parentPort?.on('message', ({ id, received, location, key }: Order) => {
  redactPage(received, location, key).then(
    ({ bytes, redactions }) => {
      const told: Told = { id, bytes: bytes === received ? null : bytes, redactions };
      parentPort?.postMessage(told);
    },
    (error: unknown) => {
      // Ends the thread: whoever waits redacts for itself, and meets the error there.
      throw error;
    },
  );
});
