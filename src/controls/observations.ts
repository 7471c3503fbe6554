import { hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Observation, Resource, Subject } from '../model/index.ts';
import { isGlobalAwsType } from './population.ts';
import type { CheckOutcome } from './types.ts';

/** Namespace of observation ids (UUID v5), fixed for ever: the same observation has the same id in every run. */
const namespace = Buffer.from('7b0c1f5e9d3a4e6b8f21c4d5a6b7e8f9', 'hex').toString('latin1');

/** UUID v5 of a name. */
export function uuidV5(name: string): string {
  const digest = hash('sha1', Buffer.concat([Buffer.from(namespace, 'latin1'), Buffer.from(name, 'utf8')]), 'hex');
  const variant = ((Number.parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16).padStart(2, '0');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(18, 20)}-${digest.slice(20, 32)}`;
}

export function observationId(control: string, check: string, subject: Pick<Subject, 'kind' | 'scope' | 'type' | 'uid'>): string {
  const { scope } = subject;
  // Whichever region speaks for the account, an IAM record is the same subject.
  const region = subject.kind === 'resource' && scope.provider === 'aws' && isGlobalAwsType(subject.type) ? 'global' : scope.region;
  return uuidV5([control, check, subject.kind, scope.provider, scope.account, region, subject.type, subject.uid].join('\n'));
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

const flushAt = 64 * 1024;

/** Lines gathered in memory up to a bound, then in a file. */
export interface Shard {
  write(line: string): void;
  /** Flushes and gives every line's bytes to `take` in order, in blocks. */
  drain(take: (block: Buffer) => void): void;
  readonly bytes: number;
  readonly lines: number;
}

/** A shard below a scratch directory; its file exists only once the lines outgrow memory. */
export function shard(path: string): Shard {
  let pending: string[] = [];
  let size = 0;
  let bytes = 0;
  let lines = 0;
  let flushed = false;
  function flush(): void {
    if (pending.length === 0) return;
    if (!flushed) mkdirSync(dirname(path), { recursive: true });
    // Opened for each block: a catalogue of a thousand checks must not need a thousand descriptors.
    const descriptor = openSync(path, flushed ? 'a' : 'w');
    try {
      writeAll(descriptor, Buffer.from(pending.join(''), 'utf8'));
    } finally {
      closeSync(descriptor);
    }
    flushed = true;
    pending = [];
    size = 0;
  }
  return {
    write(line) {
      pending.push(line, '\n');
      size += line.length + 1;
      bytes += Buffer.byteLength(line, 'utf8') + 1;
      lines += 1;
      if (size >= flushAt) flush();
    },
    drain(take) {
      if (flushed) {
        flush();
        const descriptor = openSync(path, 'r');
        try {
          for (let at = 0; ; ) {
            const block = Buffer.allocUnsafe(256 * 1024);
            const read = readSync(descriptor, block, 0, block.length, at);
            if (read === 0) break;
            at += read;
            take(block.subarray(0, read));
          }
        } finally {
          closeSync(descriptor);
        }
        return;
      }
      if (pending.length > 0) take(Buffer.from(pending.join(''), 'utf8'));
    },
    get bytes() {
      return bytes;
    },
    get lines() {
      return lines;
    },
  };
}

export function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
