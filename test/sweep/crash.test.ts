import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fault, Simulator } from '../../src/simulator/index.ts';
import {
  askedAgain,
  assessRun,
  begin,
  chance,
  crashEstate,
  type CrashRun,
  differences,
  finishedQueries,
  goOn,
  killIn,
  leftovers,
  plannedRun,
} from '../support/crash.ts';

/** A run that is killed goes on; a disk that is full, read-only or gone ends it with a word, and keeps what was there. */
const asOf = new Date().toISOString();
let simulator: Simulator;
let work: string;
let undisturbed: CrashRun;
let collectMs: number;

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'exhibit-crash-'));
  simulator = await crashEstate(asOf);
  undisturbed = plannedRun(simulator, join(work, 'undisturbed'), asOf, ['gcp']);
  const started = performance.now();
  expect((await goOn(undisturbed, 'collect')).code).toBe(0);
  collectMs = performance.now() - started;
  expect((await assessRun(undisturbed)).code).toBe(0);
}, 120_000);

afterAll(async () => {
  await simulator.close();
  rmSync(work, { recursive: true, force: true });
});

describe('kill -9 while collecting', () => {
  test('is resumed without asking a finished query again, to the results of an undisturbed run', async () => {
    const run = plannedRun(simulator, join(work, 'killed'), asOf, ['gcp']);
    let kills = 0;
    for (const nth of [1, 2]) {
      const before = finishedQueries(run);
      if (await killIn(run, 'collect', 'collect', chance(`collect ${nth}`) * 0.4 * collectMs)) kills += 1;
      expect(askedAgain(run, before)).toEqual([]);
    }
    expect(kills).toBeGreaterThan(0);
    const before = finishedQueries(run);
    expect((await goOn(run, 'collect')).code).toBe(0);
    expect(askedAgain(run, before)).toEqual([]);
    expect((await assessRun(run)).code).toBe(0);
    expect(differences(undisturbed, run)).toEqual([]);
    expect(leftovers(run)).toEqual([]);
  }, 120_000);
});

describe('the run directory', () => {
  const mountable = ((): boolean => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux') return false;
    const directory = mkdtempSync(join(tmpdir(), 'exhibit-mount-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory], { stdio: 'ignore' });
      execFileSync('umount', [directory], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  })();

  test.skipIf(!mountable)(
    'full, then read-only: status 2, the word, and what was collected is kept; with room it goes on',
    async () => {
      const disk = join(work, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', disk]);
      try {
        const run = plannedRun(simulator, disk, asOf, ['gcp']);
        const full = await goOn(run, 'collect');
        expect(full.stderr).toContain('the disk is full');
        expect(full.code).toBe(2);
        const kept = finishedQueries(run);
        expect(leftovers(run)).toEqual([]);
        execFileSync('mount', ['-o', 'remount,ro', disk]);
        const readOnly = await goOn(run, 'collect');
        expect(readOnly.stderr).toContain('the file system is read-only');
        expect(readOnly.code).toBe(2);
        expect(askedAgain(run, kept)).toEqual([]);
        execFileSync('mount', ['-o', 'remount,rw,size=100m', disk]);
        expect((await goOn(run, 'collect')).code).toBe(0);
        expect(askedAgain(run, kept)).toEqual([]);
        expect((await assessRun(run)).code).toBe(0);
        expect(differences(undisturbed, run)).toEqual([]);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
    120_000,
  );

  test('in use by one run refuses another; the lock of a run that died does not stand in the way', async () => {
    const run = plannedRun(simulator, join(work, 'busy'), asOf, ['gcp']);
    const { child, finished } = await heldUp(run, { kind: 'hang', provider: 'gcp', match: { operation: 'SearchAllResources' } });
    const second = await goOn(run, 'collect');
    expect(second.stderr).toContain('is in use by process');
    expect(second.code).toBe(2);
    child.kill('SIGKILL');
    await finished;
    expect((await goOn(run, 'collect')).code).toBe(0);
    expect(leftovers(run)).toEqual([]);
  }, 120_000);

  test('taken away ends the run with a word', async () => {
    const run = plannedRun(simulator, join(work, 'gone'), asOf, ['gcp']);
    const { finished } = await heldUp(run, { kind: 'throttle', provider: 'gcp', match: { operation: 'SearchAllResources' }, times: 3 });
    rmSync(run.path, { recursive: true, force: true });
    const first = await finished;
    expect(first.stderr).toContain('was it removed meanwhile?');
    expect(first.code).toBe(2);
    expect(existsSync(run.path)).toBe(false);
  }, 120_000);

  /** A run that a fault keeps from its end. */
  async function heldUp(run: CrashRun, fault: Fault): Promise<ReturnType<typeof begin>> {
    const before = simulator.struck().length;
    simulator.inject(fault);
    const started = begin(run, 'collect');
    while (simulator.struck().length === before) await new Promise((resolve) => setTimeout(resolve, 20));
    return started;
  }
});
