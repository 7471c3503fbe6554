import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Redaction } from '../../model/index.ts';
import { storeFileAtomic } from '../files.ts';
import { redactPage } from '../redaction/redact.ts';

/** Where a file is stored. */
export interface Place {
  /** A directory that is there. */
  readonly root: string;
  /** Directories below it, the outer first. They are made, unless they are `made` already. */
  readonly below: readonly string[];
  readonly made: boolean;
  readonly name: string;
}

/** A response on its way to disk. */
export interface Arrival {
  readonly received: Uint8Array;
  readonly place: Place;
  /** `directory/file` below the data root: part of the salt of each redaction. */
  readonly location: string;
  /** The run's own secret for redaction commitments. */
  readonly key: Uint8Array;
}

/** What is known of a page once it is on disk. SHA-256 in hexadecimal. */
export interface KeptPage {
  readonly sha256: string;
  readonly receivedSha256: string;
  /** Length as stored. */
  readonly bytes: number;
  readonly redactions: Redaction[];
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Makes no directory but those below the root: a run's directory that was taken away must not come back half empty. */
function pathOf({ root, below, made, name }: Place): string {
  let path = root;
  for (const one of below) {
    path = join(path, one);
    if (made) continue;
    try {
      mkdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return join(path, name);
}

/** Takes the secrets out of a page and stores it, whole or not at all. File system errors are thrown as they are. */
export async function keepPage({ received, place, location, key }: Arrival): Promise<KeptPage> {
  const path = pathOf(place);
  const { bytes, redactions } = await redactPage(received, location, key);
  await storeFileAtomic(path, bytes);
  const receivedSha256 = sha256(received);
  return { sha256: bytes === received ? receivedSha256 : sha256(bytes), receivedSha256, bytes: bytes.length, redactions };
}

/** Stores a text as it is, whole or not at all. File system errors are thrown as they are. */
export async function keepText(text: string, place: Place): Promise<void> {
  await storeFileAtomic(pathOf(place), text);
}
