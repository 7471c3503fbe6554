import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { LoadedConfig } from './config/load.ts';
import { writeFileAtomic } from './evidence/files.ts';

const stageNames = ['collect', 'assess', 'render', 'seal'] as const;
export type StageName = (typeof stageNames)[number];

const runStateSchema = z.object({
  version: z.literal(1),
  /** `<engagement id>.v<n>`: a second run of the same period is a new version, never an overwrite. */
  runId: z.string(),
  asOf: z.string(),
  createdAt: z.string(),
  /** Absolute path of the configuration it was started with: relative paths in the kept copy start there. */
  config: z.string(),
  /** Stages that finished, in order. */
  done: z.array(z.enum(stageNames)),
  /** What the collection that finished took, and the least that the providers' quotas made it take; of the calls it made itself. */
  collection: z.object({ seconds: z.number(), quotaFloorSeconds: z.number(), quota: z.string().nullable() }).optional(),
});
export type RunState = z.infer<typeof runStateSchema>;

export interface RunDirectory {
  readonly path: string;
  readonly state: RunState;
  isDone(stage: StageName): boolean;
  markDone(stage: StageName): void;
  markCollected(collection: NonNullable<RunState['collection']>): void;
}

const stateFile = 'run.json';

function readState(path: string): RunState | null {
  const file = join(path, stateFile);
  if (!existsSync(file)) return null;
  try {
    return runStateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null; // no state that anything could go on from
  }
}

function handle(path: string, initial: RunState): RunDirectory {
  let state = initial;
  const save = (next: RunState): void => {
    state = next;
    writeFileAtomic(join(path, stateFile), `${JSON.stringify(state, null, 2)}\n`);
  };
  return {
    path,
    get state() {
      return state;
    },
    isDone: (stage) => state.done.includes(stage),
    markDone(stage) {
      if (!state.done.includes(stage)) save({ ...state, done: [...state.done, stage] });
    },
    markCollected(collection) {
      save({ ...state, collection, done: state.done.includes('collect') ? state.done : [...state.done, 'collect'] });
    },
  };
}

/** Versions of an engagement below the output directory, oldest first. */
export function runVersions(outputDirectory: string, engagementId: string): { version: number; path: string; state: RunState | null }[] {
  if (!existsSync(outputDirectory)) return [];
  const prefix = `${engagementId}.v`;
  return readdirSync(outputDirectory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix) && /^\d+$/.test(entry.name.slice(prefix.length)))
    .map((entry) => ({
      version: Number(entry.name.slice(prefix.length)),
      path: join(outputDirectory, entry.name),
      state: readState(join(outputDirectory, entry.name)),
    }))
    .sort((a, b) => a.version - b.version);
}

/** Makes a directory for a new run, unless it is there, and fixes its instant. Throws EEXIST for one that holds a run, and for a link. */
export function createRun(path: string, runId: string, config: string, now: Date): RunDirectory {
  // Behind a link evidence would lie where somebody else says, and be theirs to change.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw Object.assign(new Error(`${path} is a symbolic link`), { code: 'EEXIST', path });
  mkdirSync(path, { recursive: true });
  if (existsSync(join(path, stateFile))) throw Object.assign(new Error(`${path} already holds a run`), { code: 'EEXIST' });
  const state: RunState = { version: 1, runId, asOf: now.toISOString(), createdAt: now.toISOString(), config, done: [] };
  writeFileAtomic(join(path, stateFile), `${JSON.stringify(state, null, 2)}\n`);
  return handle(path, state);
}

/** Opens an existing run; null where the directory holds none. */
export function openRun(path: string): RunDirectory | null {
  const state = readState(path);
  return state ? handle(path, state) : null;
}

/** The next version of this engagement, or, to resume, the newest one that has not been sealed. */
export function nextRun(loaded: LoadedConfig, resume: boolean, now: Date): RunDirectory {
  const engagementId = loaded.config.engagement.id;
  const outputDirectory = resolve(loaded.directory, loaded.config.output.directory);
  const versions = runVersions(outputDirectory, engagementId);
  const newest = versions.at(-1);
  if (resume && newest?.state && !newest.state.done.includes('seal')) return handle(newest.path, newest.state);
  const version = (newest?.version ?? 0) + 1;
  const runId = `${engagementId}.v${version}`;
  const path = join(outputDirectory, runId);
  mkdirSync(outputDirectory, { recursive: true });
  // Nobody prepared it: what is there already may be somebody else's.
  mkdirSync(path);
  return createRun(path, runId, loaded.file, now);
}
