import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isStorageError, lockRun, RunLockedError } from '../../src/evidence/lock.ts';
import { temporaryDirectory } from '../support/aws.ts';

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  directory.remove();
});

const holder = (pid: number, extra: object = {}): string =>
  JSON.stringify({ pid, host: hostname(), processStart: null, since: '2026-01-01T00:00:00Z', ...extra });

describe('lockRun', () => {
  test('is taken, counted within the process, and released', () => {
    const outer = lockRun(directory.path);
    const inner = lockRun(directory.path);
    inner();
    expect(existsSync(join(directory.path, '.lock'))).toBe(true);
    outer();
    expect(readdirSync(directory.path)).toEqual([]);
  });

  test('another live process is refused by name', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      writeFileSync(join(directory.path, '.lock'), holder(child.pid ?? 0));
      expect(() => lockRun(directory.path)).toThrow(RunLockedError);
      expect(() => lockRun(directory.path)).toThrow(String(child.pid));
      expect(readdirSync(directory.path)).toEqual(['.lock']);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    lockRun(directory.path)(); // it died: its lock is taken over
    expect(readdirSync(directory.path)).toEqual([]);
  });

  test('a pid that was given to another process since does not keep the lock', () => {
    writeFileSync(join(directory.path, '.lock'), holder(process.ppid, { processStart: '1' }));
    if (!existsSync('/proc/self/stat')) return expect(() => lockRun(directory.path)).toThrow(RunLockedError);
    lockRun(directory.path)();
  });

  test('a lock of another machine is respected', () => {
    writeFileSync(join(directory.path, '.lock'), holder(1, { host: 'elsewhere.example' }));
    expect(() => lockRun(directory.path)).toThrow('elsewhere.example');
  });

  test('a damaged lock is taken over', () => {
    writeFileSync(join(directory.path, '.lock'), '{"pid":');
    lockRun(directory.path)();
    expect(readdirSync(directory.path)).toEqual([]);
  });
});

describe('isStorageError', () => {
  const error = (fields: object): Error => Object.assign(new Error('x'), fields);
  test('a full disk is one, and any file system error below the run directory', () => {
    expect(isStorageError(error({ code: 'ENOSPC', syscall: 'write' }), '/run')).toBe(true);
    expect(isStorageError(error({ code: 'EACCES', syscall: 'open', path: '/run/evidence/x' }), '/run')).toBe(true);
  });
  test('a missing credentials file or a refused connection is none', () => {
    expect(isStorageError(error({ code: 'ENOENT', syscall: 'open', path: '/home/x/.aws/config' }), '/run')).toBe(false);
    expect(isStorageError(error({ code: 'ECONNREFUSED', syscall: 'connect' }), '/run')).toBe(false);
    expect(isStorageError('ENOSPC', '/run')).toBe(false);
  });
});
