import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type SimulatedAws, simulateAws, temporaryDirectory } from './aws.ts';

/** A simulated AWS for all tests of a file, with resources enough for pages to follow one another; no fault outlives its test. */
export function simulatedAws(): SimulatedAws {
  let running: SimulatedAws;
  beforeAll(async () => {
    running = await simulateAws(1700);
  });
  afterAll(async () => {
    await running.close();
  });
  beforeEach(() => {
    running.book.clear();
  });
  // It runs only once the tests do: what is handed out now asks it then.
  return {
    get origin() {
      return running.origin;
    },
    get estate() {
      return running.estate;
    },
    get book() {
      return running.book;
    },
    get member() {
      return running.member;
    },
    get region() {
      return running.region;
    },
    refused: () => running.refused(),
    close: () => running.close(),
  };
}

export interface RunDirectory {
  readonly path: string;
  /** Goes on in another one, which is empty. */
  renew(): void;
}

/** An empty run directory for each test of a file. */
export function emptyRunDirectory(): RunDirectory {
  let current: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    current = temporaryDirectory();
  });
  afterEach(() => {
    current.remove();
  });
  return {
    get path() {
      return current.path;
    },
    renew: () => {
      current.remove();
      current = temporaryDirectory();
    },
  };
}
