import { hash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Observation, Resource, Subject } from '../model/index.ts';
import { isGlobalAwsType } from './population.ts';
import type { CheckOutcome } from './types.ts';

/** Namespace of observation ids (UUID v5), fixed for ever: the same observation has the same id in every run. */
const namespace = Buffer.from('7b0c1f5e9d3a4e6b8f21c4d5a6b7e8f9', 'hex');
let scratch = Buffer.alloc(4096);
namespace.copy(scratch);

/** UUID v5 of a name. */
export function uuidV5(name: string): string {
  const most = namespace.length + name.length * 3;
  if (most > scratch.length) {
    scratch = Buffer.alloc(most * 2);
    namespace.copy(scratch);
  }
  const written = scratch.write(name, namespace.length, 'utf8');
  const digest = hash('sha1', scratch.subarray(0, namespace.length + written), 'hex');
  const variant = ((Number.parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16).padStart(2, '0');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(18, 20)}-${digest.slice(20, 32)}`;
}

export function observationId(control: string, check: string, subject: Pick<Subject, 'kind' | 'scope' | 'type' | 'uid'>): string {
  const { scope, kind, type } = subject;
  // Whichever region speaks for the account, an IAM record is the same subject.
  const region = kind === 'resource' && scope.provider === 'aws' && isGlobalAwsType(type) ? 'global' : scope.region;
  return uuidV5(`${control}\n${check}\n${kind}\n${scope.provider}\n${scope.account}\n${region}\n${type}\n${subject.uid}`);
}

export function subjectOf(resource: Resource): Subject {
  const { provider, type, uid, name, account, location, scope, capturedAt } = resource;
  return { kind: 'resource', provider, type, uid, name, account, location, scope, capturedAt };
}

/** Everything of an observation line but what is the same for all checks of one subject. */
export interface ObservationParts {
  readonly id: string;
  /** `{"control":…,"check":…}` without braces, made once per check. */
  readonly head: string;
  readonly subjectJson: string;
  readonly status: Observation['status'];
  readonly reason: string;
  readonly leaves: CheckOutcome['leaves'];
  readonly citationsJson: string;
  readonly method: Observation['method'];
  readonly waiver?: string | undefined;
}

/** A line of observations.ndjson, without its newline. Composed by hand: this is the hottest writing of a run. */
export function observationLine(parts: ObservationParts): string {
  const waiver = parts.waiver === undefined ? '' : `,"waiver":${JSON.stringify(parts.waiver)}`;
  return `{"id":"${parts.id}",${parts.head},"subject":${parts.subjectJson},"status":"${parts.status}","reason":${JSON.stringify(parts.reason)},"leaves":${JSON.stringify(parts.leaves)},"citations":${parts.citationsJson},"method":"${parts.method}"${waiver}}`;
}

/** Lines gathered in memory up to a bound, then in a file. */
export interface Shard {
  write(line: string): void;
  /** Gives every line's bytes to `take` in order, in blocks that are only lent. */
  drain(take: (block: Uint8Array) => void): void;
  readonly lines: number;
}

export interface Shards {
  open(): Shard;
}

/** Characters that all shards together keep in memory; the largest is written out when they exceed it. */
const kept = 8 * 1024 * 1024;
const blockBytes = 1024 * 1024;

/** Shards below a scratch directory. Few and large writes, and no file at all where the lines fit in memory. */
export function shards(directory: string): Shards {
  interface State {
    readonly path: string;
    pending: string[];
    size: number;
    flushed: boolean;
  }
  const states: State[] = [];
  let total = 0;
  const block = Buffer.allocUnsafe(blockBytes);

  function flush(state: State): void {
    if (!state.flushed) mkdirSync(directory, { recursive: true });
    // Opened for each write: a catalogue of a thousand checks must not need a thousand descriptors.
    const descriptor = openSync(state.path, state.flushed ? 'a' : 'w');
    try {
      writeAll(descriptor, Buffer.from(state.pending.join(''), 'utf8'));
    } finally {
      closeSync(descriptor);
    }
    total -= state.size;
    state.flushed = true;
    state.pending = [];
    state.size = 0;
  }

  return {
    open() {
      const state: State = { path: join(directory, `${states.length}.ndjson`), pending: [], size: 0, flushed: false };
      states.push(state);
      let lines = 0;
      return {
        write(line) {
          state.pending.push(line, '\n');
          state.size += line.length + 1;
          total += line.length + 1;
          lines += 1;
          if (total > kept) flush(states.reduce((largest, one) => (one.size > largest.size ? one : largest)));
        },
        drain(take) {
          if (state.flushed) {
            const descriptor = openSync(state.path, 'r');
            try {
              for (let at = 0; ; ) {
                const read = readSync(descriptor, block, 0, block.length, at);
                if (read === 0) break;
                at += read;
                take(block.subarray(0, read));
              }
            } finally {
              closeSync(descriptor);
            }
          }
          if (state.pending.length > 0) take(Buffer.from(state.pending.join(''), 'utf8'));
        },
        get lines() {
          return lines;
        },
      };
    },
  };
}

/** A file of lines, written in large blocks. */
export interface LineFile {
  write(line: string): void;
  close(): void;
}

export function lineFile(path: string): LineFile {
  const descriptor = openSync(path, 'w');
  let pending: string[] = [];
  let size = 0;
  const flush = (): void => {
    writeAll(descriptor, Buffer.from(pending.join(''), 'utf8'));
    pending = [];
    size = 0;
  };
  return {
    write(line) {
      pending.push(line, '\n');
      size += line.length + 1;
      if (size > blockBytes) flush();
    },
    close() {
      try {
        flush();
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
