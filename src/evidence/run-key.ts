import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EvidenceError } from './reader.ts';

export function keyFile(runDirectory: string): string {
  return join(runDirectory, 'redaction.key');
}

/**
 * The run's secret for redaction commitments: made once, readable by its owner alone, and outside everything that is packed. Throws
 * EvidenceError for one that others can read, or that is none: with a key that is known, short secrets could be guessed from the pack.
 */
export function runKey(runDirectory: string): Buffer {
  const file = keyFile(runDirectory);
  return read(file) ?? make(file);
}

function make(file: string): Buffer {
  const key = randomBytes(32);
  // It appears whole or not at all, and never over another's.
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(temporary, `${key.toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, file);
    return key;
  } catch (error) {
    const others = (error as NodeJS.ErrnoException).code === 'EEXIST' ? read(file) : null;
    if (others === null) throw error;
    return others;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function read(file: string): Buffer | null {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (!stats.isFile()) throw new EvidenceError(`${file} is not a file`);
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0)
    throw new EvidenceError(
      `${file} has mode ${(stats.mode & 0o777).toString(8)}: others may read or change what proves the values that were withheld; chmod 600 it if nobody has`,
    );
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new EvidenceError(`${file} holds no key: what was withheld in this run could not be proved; collect into a new one`);
  return Buffer.from(text, 'hex');
}
