import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

/** Another live process works on the run directory. */
export class RunLockedError extends Error {
  override readonly name = 'RunLockedError';
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Start time of the process in clock ticks since boot where the system tells, so that a reused pid is not mistaken for the holder. */
  readonly processStart: string | null;
  readonly since: string;
}

function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function alive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true; // cannot be asked from here: respect it
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  const start = processStart(holder.pid);
  return holder.processStart === null || start === null || start === holder.processStart;
}

function readHolder(path: string): { text: string; holder: Holder | null } | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const value = JSON.parse(text) as Holder;
    return { text, holder: typeof value.pid === 'number' && typeof value.host === 'string' ? value : null };
  } catch {
    return { text, holder: null };
  }
}

/** Locks this process holds, counted: the stages of one run lock the same directory each for itself. */
const held = new Map<string, number>();

/**
 * Locks a run directory for this process: `<runDirectory>/.lock`. Two runs on one directory refuse each other; the lock
 * of a process that died is taken over. Returns the release. Throws RunLockedError, or the file system's error.
 */
export function lockRun(runDirectory: string): () => void {
  mkdirSync(runDirectory, { recursive: true });
  const path = join(resolve(runDirectory), '.lock');
  const release = (): void => {
    const left = (held.get(path) ?? 1) - 1;
    if (left > 0) {
      held.set(path, left);
      return;
    }
    held.delete(path);
    rmSync(path, { force: true });
  };
  const mine = held.get(path);
  if (mine !== undefined) {
    held.set(path, mine + 1);
    return release;
  }

  const me: Holder = { pid: process.pid, host: hostname(), processStart: processStart(process.pid), since: new Date().toISOString() };
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(temporary, `${JSON.stringify(me)}\n`, { flag: 'wx' });
  try {
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        linkSync(temporary, path); // appears whole or not at all, and never over another's
        held.set(path, 1);
        return release;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = readHolder(path);
      if (found === null) continue;
      if (found.holder !== null && alive(found.holder)) {
        throw new RunLockedError(
          `${runDirectory} is in use by process ${found.holder.pid} on ${found.holder.host} since ${found.holder.since}; wait for it to end, or remove ${path} if it is certain that it has ended`,
        );
      }
      takeAway(path, found.text);
    }
    throw new RunLockedError(`${runDirectory}: the lock ${path} could not be taken; several runs are trying at once`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Removes a dead process's lock, unless someone else has replaced it meanwhile: then theirs is put back. */
function takeAway(path: string, expected: string): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    if (readFileSync(aside, 'utf8') !== expected) linkSync(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * A full disk, a read-only or a vanished run directory: no gap in a provider's evidence, the run itself cannot go on.
 * Errors of writing to an open file carry no path; others count only below the run directory.
 */
export function isStorageError(error: unknown, runDirectory: string): error is NodeJS.ErrnoException {
  if (!(error instanceof Error)) return false;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return false;
  if (path === undefined)
    return ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EBADF'].includes(code) && ['write', 'fsync', 'close'].includes(syscall);
  return resolve(path).startsWith(resolve(runDirectory));
}
