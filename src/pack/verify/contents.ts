import { safeName } from '../layout.ts';
import type { NoteCode, ProblemList } from './codes.ts';

/** What a file of the pack turned out to be: its digest and length. */
export interface SeenFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** Takes a file's bytes while they pass by for hashing; the bytes are only valid during the call. */
export interface Sink {
  piece(bytes: Buffer): void;
  end(): void;
}

/** Which files someone wants to see pass by; null for those of no interest. */
export type Observe = (path: string) => Sink | null;

export interface PackContents {
  readonly kind: 'directory' | 'zip';
  readonly files: ReadonlyMap<string, SeenFile>;
  readonly notes: readonly NoteCode[];
}

/** Reads every file of a pack once. Adds to `problems` whatever is unsafe; never throws for what the pack holds. */
export type ReadPack = (path: string, observe: Observe, problems: ProblemList) => Promise<PackContents>;

/** Names in the order in which their files pass: what queries say before their pages, and results behind the evidence. */
export function readingOrder(names: Iterable<string>): string[][] {
  const stages: string[][] = [[], [], []];
  for (const name of names) stages[/(?:^|\/)query\.json$/.test(name) ? 0 : /^(?:data\/)?results\//.test(name) ? 2 : 1]?.push(name);
  return stages;
}

/** Judges the names of a pack before anything is read by them. Returns those that are safe to go on with. */
export function judgeNames(names: readonly string[], problems: ProblemList): Set<string> {
  const safe = new Set<string>();
  const folded = new Map<string, string>();
  for (const name of names) {
    if (safe.has(name)) {
      problems.add('duplicate-name', undefined, name);
      continue;
    }
    if (!safeName.test(name)) {
      const leadsOut =
        name.startsWith('/') ||
        name.includes('\\') ||
        /^[A-Za-z]:/.test(name) ||
        name.split('/').some((part) => part === '..' || part === '.' || part === '');
      problems.add(leadsOut ? 'unsafe-path' : 'unsafe-name', undefined, name);
      continue;
    }
    const same = folded.get(name.toLowerCase());
    if (same !== undefined) problems.add('case-collision', same, name);
    else folded.set(name.toLowerCase(), name);
    safe.add(name);
  }
  for (const name of safe) {
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
      if (safe.has(name.slice(0, slash))) problems.add('duplicate-name', `${name.slice(0, slash)} is both a file and a directory`, name);
    }
  }
  return safe;
}

/** Keeps a whole file in memory up to `limit` bytes, then gives it to `done`; beyond the limit, null. */
export function whole(limit: number, done: (bytes: Buffer | null) => void): Sink {
  let pieces: Buffer[] | null = [];
  let bytes = 0;
  return {
    piece(piece) {
      bytes += piece.length;
      if (bytes > limit) pieces = null;
      pieces?.push(Buffer.from(piece));
    },
    end() {
      done(pieces === null ? null : Buffer.concat(pieces));
    },
  };
}

/** Gives a file's lines to `line`, without their ends, and how long they are. Lines longer than `limit` bytes come as null. */
export function lines(limit: number, line: (text: string | null, bytes: number) => void): Sink {
  let held: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    line(size > limit ? null : Buffer.concat(held).toString('utf8'), size);
    held = [];
    size = 0;
  };
  const hold = (part: Buffer): void => {
    size += part.length;
    if (size <= limit) held.push(Buffer.from(part));
    else held = [];
  };
  return {
    piece(piece) {
      let from = 0;
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, from)) {
        hold(piece.subarray(from, at));
        flush();
        from = at + 1;
      }
      if (from < piece.length) hold(piece.subarray(from));
    },
    end() {
      if (size > 0) flush();
    },
  };
}
