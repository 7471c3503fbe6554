import { createHash } from 'node:crypto';
import type { Redaction } from '../../model/index.ts';
import { storeFileAtomic } from '../files.ts';
import { redactPage } from '../redaction/redact.ts';

/** A response on its way to disk. */
export interface Arrival {
  readonly received: Uint8Array;
  /** Where it is stored. The directory must exist. */
  readonly path: string;
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

/** Takes the secrets out of a page and stores it, whole or not at all. File system errors are thrown as they are. */
export async function keepPage({ received, path, location, key }: Arrival): Promise<KeptPage> {
  const { bytes, redactions } = await redactPage(received, location, key);
  await storeFileAtomic(path, bytes);
  const receivedSha256 = sha256(received);
  return { sha256: bytes === received ? receivedSha256 : sha256(bytes), receivedSha256, bytes: bytes.length, redactions };
}
