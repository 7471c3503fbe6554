import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Measured {
  /** Wall seconds. */
  readonly seconds: number;
  /** User and system seconds of the process and its awaited children. */
  readonly cpu: number;
  /** Highest sum of resident memory over the process and everything below it, MiB; sampled every 25 ms. */
  readonly peak: number;
  readonly exit: number | null;
  readonly stdout: string;
}

const pageKiB = 4;

/** What a process has started. Asked of it alone: to read all of /proc every time would disturb what is measured. */
function childrenOf(pid: number): number[] {
  const found: number[] = [];
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      for (const child of readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
        if (child.trim() !== '') found.push(Number(child));
  } catch {
    // A thread or the process ended between the listing and the reading.
  }
  return found;
}

/** Resident MiB of a process and all its descendants. Shared pages count once for each process: an upper bound. */
function residentTree(root: number): number {
  let pages = 0;
  const open = [root];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    try {
      pages += Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    } catch {
      continue;
    }
    open.push(...childrenOf(pid));
  }
  return (pages * pageKiB) / 1024;
}

/** Runs a Node script to its end and measures the whole process tree from outside. Linux only. */
export async function measure(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Measured> {
  const started = performance.now();
  const child = spawn(process.execPath, args, { env: { ...env, EXHIBIT_REPORT_CPU: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString('utf8')}`.slice(-4000)));
  let peak = 0;
  let ticks = 0;
  const sampler = setInterval(() => {
    if (child.pid === undefined) return;
    peak = Math.max(peak, residentTree(child.pid));
    try {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
    } catch {
      // Ended.
    }
  }, 25);
  const exit = await new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  clearInterval(sampler);
  const seconds = (performance.now() - started) / 1000;
  if (exit !== 0 && exit !== 3) process.stderr.write(stderr);
  return { seconds, cpu: ticks / 100, peak, exit, stdout };
}
