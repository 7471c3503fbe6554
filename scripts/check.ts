/** The test command: types, lint, format, layers, unused code, then the tests. Stops at nothing, so one run shows everything that is wrong. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const only = process.argv.slice(2);
const report = join(root, '.tmp', 'vitest.json');
mkdirSync(join(root, '.tmp'), { recursive: true });
rmSync(report, { force: true });

const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
const steps: { name: string; command: string; args: string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['--noEmit', '-p', '.'] },
  { name: 'lint', command: bin('eslint'), args: ['--max-warnings=0', '.'] },
  { name: 'format', command: bin('prettier'), args: ['--check', '--log-level', 'warn', 'src', 'scripts', 'test', 'bench'] },
  { name: 'layers', command: bin('depcruise'), args: ['--output-type', 'err-long', 'src'] },
  { name: 'unused', command: bin('knip'), args: ['--no-progress'] },
  { name: 'tests', command: bin('vitest'), args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`] },
];

const failed: string[] = [];
for (const step of steps) {
  if (only.length > 0 && !only.includes(step.name)) continue;
  const started = Date.now();
  process.stdout.write(`\n── ${step.name}\n`);
  const done = spawnSync(process.execPath, [step.command, ...step.args], { cwd: root, stdio: 'inherit' });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(`── ${step.name}: ${done.status === 0 ? 'ok' : 'FAILED'} (${seconds} s)\n`);
  if (done.status !== 0) failed.push(step.name);
}

try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  process.stdout.write(`\nTests: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`);
} catch {
  if (only.length === 0 || only.includes('tests')) failed.push('tests (no result was written)');
}
if (failed.length > 0) process.stdout.write(`Failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
