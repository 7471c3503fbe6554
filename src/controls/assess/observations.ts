import { hash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Observation, Resource, Subject } from '../../model/index.ts';
import { isGlobalAwsType } from './population.ts';
import { leavesJson } from '../language/seen-leaf.ts';
import type { CheckOutcome } from '../types.ts';
import { quoted } from '../../text/json.ts';

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

/** A check as its lines name it. */
export interface CheckNames {
  readonly control: string;
  readonly check: string;
  /** See ObservationParts. */
  readonly head: string;
}

export function checkNames(control: string, check: string): CheckNames {
  return { control, check, head: `"control":${JSON.stringify(control)},"check":${JSON.stringify(check)}` };
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
  return `{"id":"${parts.id}",${parts.head},"subject":${parts.subjectJson},"status":"${parts.status}","reason":${quoted(parts.reason)},"leaves":${leavesJson(parts.leaves)},"citations":${parts.citationsJson},"method":"${parts.method}"${waiver}}`;
}

/** Lines gathered in a buffer, and in a file once they outgrow it. */
export interface Shard {
  write(line: string): void;
  /** Gives every line's bytes to `take` in order, in blocks that are only lent. */
  drain(take: (block: Uint8Array) => void): void;
  readonly lines: number;
}

const blockBytes = 256 * 1024;

/**
 * Encodes lines at once: kept as strings, thousands of them would be carried from one garbage collection to the next.
 * Grows to `blockBytes`, then hands whole blocks to `spill`.
 */
function lineBuffer(spill: (bytes: Uint8Array) => void): { readonly write: (line: string) => number; readonly pending: () => Uint8Array } {
  let buffer = Buffer.allocUnsafeSlow(4096);
  let used = 0;
  return {
    write(line) {
      const most = line.length * 3 + 1;
      if (used + most > buffer.length) {
        if (used > 0 && used + most > blockBytes) {
          spill(buffer.subarray(0, used));
          used = 0;
        }
        if (most > blockBytes) {
          const long = Buffer.from(`${line}\n`, 'utf8');
          spill(long);
          return long.length;
        }
        if (used + most > buffer.length) {
          const larger = Buffer.allocUnsafeSlow(Math.min(blockBytes, Math.max(buffer.length * 4, used + most)));
          buffer.copy(larger, 0, 0, used);
          buffer = larger;
        }
      }
      const written = buffer.write(line, used, 'utf8');
      used += written;
      buffer[used] = 10;
      used += 1;
      return written + 1;
    },
    pending: () => buffer.subarray(0, used),
  };
}

/** Shards below a scratch directory. Those that stay small never reach it. */
export function shards(directory: string): { open(): Shard } {
  let opened = 0;
  /** One for all: they are drained one after the other. */
  let lent: Buffer | undefined;
  return {
    open() {
      const path = join(directory, `${opened}.ndjson`);
      opened += 1;
      let flushed = false;
      let lines = 0;
      const buffer = lineBuffer((bytes) => {
        if (!flushed) mkdirSync(directory, { recursive: true });
        // Opened for each block: a catalogue of a thousand checks must not need a thousand descriptors.
        const descriptor = openSync(path, flushed ? 'a' : 'w');
        flushed = true;
        try {
          writeAll(descriptor, bytes);
        } finally {
          closeSync(descriptor);
        }
      });
      return {
        write(line) {
          buffer.write(line);
          lines += 1;
        },
        drain(take) {
          if (flushed) {
            const block = (lent ??= Buffer.allocUnsafeSlow(blockBytes * 4));
            const descriptor = openSync(path, 'r');
            try {
              for (let at = 0; ;) {
                const read = readSync(descriptor, block, 0, block.length, at);
                if (read === 0) break;
                at += read;
                take(block.subarray(0, read));
              }
            } finally {
              closeSync(descriptor);
            }
          }
          const rest = buffer.pending();
          if (rest.length > 0) take(rest);
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
  /** Returns the bytes written, the newline included. */
  write(line: string): number;
  close(): void;
}

export function lineFile(path: string): LineFile {
  const descriptor = openSync(path, 'w');
  const buffer = lineBuffer((bytes) => writeAll(descriptor, bytes));
  return {
    write: buffer.write,
    close() {
      try {
        writeAll(descriptor, buffer.pending());
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
}
