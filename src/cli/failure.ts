import { exitStatus, type ExitStatus, UsageError } from './exit.ts';
import { visibleLines } from '../text/visible.ts';

/** A mistake in a configuration or catalogue file, as both loaders report it. */
interface PlacedProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}

/** Errors are told apart by name: their modules are loaded only by the verbs that need them. */
function placedProblems(error: unknown): readonly PlacedProblem[] | undefined {
  if (!(error instanceof Error) || (error.name !== 'ConfigError' && error.name !== 'CatalogueError')) return undefined;
  return (error as Error & { problems: readonly PlacedProblem[] }).problems;
}

/** Errors whose message is all that a user needs. */
const plain: readonly string[] = [
  'SelectionError',
  'EvidenceError',
  'RunLockedError',
  'PackError',
  'BagError',
  'PadesError',
  'SealError',
  'SignerError',
];

/** What went wrong, in the user's words: lines to show, and the exit status. */
interface Failure {
  readonly status: ExitStatus;
  readonly lines: readonly string[];
}

/** Errors of the file system that a person mends: a full disk, a read-only or vanished directory. */
const storageRemedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space; what was written is kept, and `--resume` goes on with it',
  EROFS: 'the file system is read-only: choose another output directory',
  EACCES: 'permission denied: choose a directory that you may write',
  EPERM: 'not permitted: choose a directory that you may write',
  ENOENT: 'the file or directory is not there (was it removed meanwhile?)',
  ENOTDIR: 'a part of this path is not a directory',
  EISDIR: 'this is a directory, a file was expected',
  EEXIST: 'it is already there and is not overwritten: choose another directory',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
  EDQUOT: 'the disk quota is used up: free some space; what was written is kept',
};

function failureOf(error: unknown): Failure {
  const placed = placedProblems(error);
  if (placed) {
    const where = (error as Error).name === 'ConfigError' ? 'configuration' : 'catalogue';
    return {
      status: exitStatus.usage,
      lines: [
        `${placed.length === 1 ? 'One mistake' : `${placed.length} mistakes`} in the ${where}:`,
        ...placed.map((p) => `  ${p.file}:${p.line}:${p.column}  ${p.message}${p.hint ? ` (${p.hint})` : ''}`),
      ],
    };
  }
  if (error instanceof UsageError)
    return { status: exitStatus.usage, lines: [error.message, ...(error.remedy ? [`  ${error.remedy}`] : [])] };
  if (error instanceof Error && plain.includes(error.name)) return { status: exitStatus.usage, lines: [error.message] };
  if (error instanceof Error && error.name === 'AbortError')
    return { status: exitStatus.interrupted, lines: ['Stopped. What was collected is kept; `exhibit run --resume` goes on with it.'] };
  const { code, path: source, dest: path = source } = error as NodeJS.ErrnoException & { dest?: string };
  const remedy = code === undefined ? undefined : storageRemedies[code];
  if (remedy !== undefined) return { status: exitStatus.usage, lines: [`${path === undefined ? '' : `${path}: `}${remedy} (${code})`] };
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: exitStatus.internal, lines: ['This is a defect in Exhibit. Please report it with the lines below.', detail] };
}

/** Writes a failure to stderr (or, with `--json`, as a document to stdout) and returns the exit status. */
export function reportFailure(error: unknown, options: { json?: boolean }): ExitStatus {
  const failure = failureOf(error);
  if (options.json === true) {
    const problems = placedProblems(error);
    process.stdout.write(
      `${JSON.stringify({ error: failure.lines.join('\n'), exitStatus: failure.status, ...(problems && { problems }) }, null, 2)}\n`,
    );
  }
  const [first = 'failed', ...rest] = failure.lines.map(visibleLines);
  process.stderr.write(`exhibit: ${first}\n${rest.map((line) => `${line}\n`).join('')}`);
  return failure.status;
}
