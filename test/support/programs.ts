import { spawnSync } from 'node:child_process';

/** Whether programs are on the path; tests that need one skip visibly without it. */
export function has(...programs: string[]): boolean {
  return programs.every((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0);
}

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

/** Runs a program with its standard output and error together. */
export function ran(program: string, args: readonly string[], cwd?: string): Ran {
  const result = spawnSync(program, args, { encoding: 'utf8', ...(cwd === undefined ? {} : { cwd }) });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

export function shell(command: string, cwd?: string): Ran {
  return ran('bash', ['-c', command], cwd);
}
