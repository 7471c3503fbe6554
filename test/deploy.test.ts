import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { repository } from './support/command.ts';

/** The script of the scheduled runs, with a command line in place of Exhibit that tells what it was asked. */
let root: string;
let work: string;
const shipped = readFileSync(join(repository, 'deploy/exhibit.template.yaml'), 'utf8');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'exhibit-deploy-'));
  work = join(root, 'work');
  for (const directory of ['deploy', 'bin', 'path']) mkdirSync(join(root, directory));
  cpSync(join(repository, 'deploy/quarterly.sh'), join(root, 'deploy/quarterly.sh'));
  writeFileSync(
    join(root, 'bin/exhibit.mjs'),
    `import { appendFileSync } from 'node:fs';
const [verb, ...args] = process.argv.slice(2);
appendFileSync(${JSON.stringify(join(root, 'asked'))}, [verb, ...args].join(' ') + '\\n');
if (verb === 'run' && process.env.LINGERS) {
  process.on('SIGTERM', () => setTimeout(() => process.exit(130), 300));
  setTimeout(() => undefined, 20_000);
  console.log('lingers');
} else process.exit(Number(process.env[verb.toUpperCase()] ?? 0));
`,
  );
  writeFileSync(join(root, 'path/date'), '#!/bin/sh\ncase $2 in +%Y) echo "${TODAY%-*}" ;; *) echo "${TODAY#*-}" ;; esac\n');
  chmodSync(join(root, 'path/date'), 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...process.env,
  TODAY: '2026-10',
  ...env,
  PATH: [join(root, 'path'), dirname(process.execPath), process.env['PATH']].join(delimiter),
});
const command = (template: string, ...more: string[]): string[] => {
  writeFileSync(join(root, 'template.yaml'), template);
  return [join(root, 'deploy/quarterly.sh'), join(root, 'template.yaml'), work, ...more];
};
function quarterly({ template = shipped, quarter = '', env = {} }: { template?: string; quarter?: string; env?: NodeJS.ProcessEnv } = {}) {
  const done = spawnSync('sh', command(template, ...(quarter === '' ? [] : [quarter])), { encoding: 'utf8', env: environment(env) });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}
const asked = (): string[] => readFileSync(join(root, 'asked'), 'utf8').trim().split('\n');
const rendered = () => loadConfig(join(work, 'exhibit.yaml')).config;

describe('the quarter that ended last', () => {
  test.each([
    ['2026-01', '2025-q4', '2025-10-01', '2025-12-31'],
    ['2026-03', '2025-q4', '2025-10-01', '2025-12-31'],
    ['2026-04', '2026-q1', '2026-01-01', '2026-03-31'],
    ['2026-07', '2026-q2', '2026-04-01', '2026-06-30'],
    ['2026-08', '2026-q2', '2026-04-01', '2026-06-30'],
    ['2026-09', '2026-q2', '2026-04-01', '2026-06-30'],
    ['2026-10', '2026-q3', '2026-07-01', '2026-09-30'],
    ['2026-12', '2026-q3', '2026-07-01', '2026-09-30'],
  ])('in %s it is %s', (today, quarter, from, to) => {
    expect(quarterly({ env: { TODAY: today } })).toMatchObject({ code: 0, stderr: '' });
    const { engagement, signing } = rendered();
    expect(engagement).toMatchObject({ id: `northwind-${quarter}`, title: `Northwind Ltd, ${quarter}`, period: { from, to } });
    expect(signing).toEqual({ keys: 'keys' });
    expect(asked()).toEqual([
      `doctor --config ${work}/exhibit.yaml --quiet --no-color`,
      `run --config ${work}/exhibit.yaml --resume --no-color`,
    ]);
  });

  test('another one, by name', () => {
    expect(quarterly({ quarter: '2024-q1' }).code).toBe(0);
    expect(rendered().engagement).toMatchObject({ id: 'northwind-2024-q1', period: { from: '2024-01-01', to: '2024-03-31' } });
  });
});

describe('the former pack', () => {
  const pack = (run: string, done: string[] | null = ['collect', 'assess', 'render', 'seal']): string => {
    const text = `root of ${run}\n`;
    mkdirSync(join(work, 'out', run, 'pack'), { recursive: true });
    writeFileSync(join(work, 'out', run, 'pack/tagmanifest-sha256.txt'), text);
    if (done !== null) writeFileSync(join(work, 'out', run, 'run.json'), JSON.stringify({ done }, null, 2));
    return createHash('sha256').update(text).digest('hex');
  };
  const former = (): string | undefined => {
    expect(quarterly()).toMatchObject({ code: 0, stderr: '' });
    return rendered().signing.previousPack;
  };

  test('is the newest sealed version of the last quarter that has one', () => {
    pack('northwind-2025-q4.v1');
    pack('northwind-2026-q1.v9');
    const newest = pack('northwind-2026-q1.v10');
    pack('northwind-2026-q2.v1', ['collect', 'assess', 'render']);
    pack('northwind-2026-q4.v1');
    pack('contoso-2026-q2.v1');
    pack('northwind-2026-q2.v1.bak');
    expect(former()).toBe(newest);
  });

  test('is a version of the same quarter before any other', () => {
    pack('northwind-2026-q2.v3');
    const same = pack('northwind-2026-q3.v1');
    pack('northwind-2026-q3.v2', ['collect']);
    expect(former()).toBe(same);
  });

  test('may be known by its root alone', () => {
    expect(former()).toBeUndefined();
    const root = pack('northwind-2026-q2.v1', null);
    expect(former()).toBe(root);
  });
});

describe('the status', () => {
  test('what doctor finds does not keep the run from starting; a mistake does', () => {
    expect(quarterly({ env: { DOCTOR: '3' } })).toMatchObject({ code: 0, stdout: expect.stringContaining('the run goes on') as string });
    expect(asked()).toHaveLength(2);
    expect(quarterly({ env: { DOCTOR: '2' } }).code).toBe(2);
    expect(asked()).toHaveLength(3);
  });

  test('a pack with gaps stays 3, or is noted and gives 0', () => {
    expect(quarterly({ env: { RUN: '3' } }).code).toBe(3);
    const note = join(root, 'note');
    expect(quarterly({ env: { RUN: '3', EXHIBIT_GAPS_NOTE: note } })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('evidence has gaps') as string,
    });
    expect(readFileSync(note, 'utf8')).toMatch(/^Exhibit made the pack of 2026-q3\. Its evidence has gaps/);
    expect(quarterly({ env: { RUN: '3', EXHIBIT_GAPS_NOTE: join(root, 'no/such/place') } }).code).toBe(3);
  });

  test.each(['1', '2', '5'])('%s stays what it is', (status) => {
    expect(quarterly({ env: { RUN: status, EXHIBIT_GAPS_NOTE: join(root, 'note') } }).code).toBe(Number(status));
    expect(readdirSync(root)).not.toContain('note');
  });

  test('a signal is handed on, and the end of the run waited for', async () => {
    const child = spawn('sh', command(shipped), { env: environment({ LINGERS: '1' }), stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString('utf8').includes('lingers')) child.kill('SIGTERM');
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
  });
});

describe('what would mix up quarters is refused before anything runs', () => {
  test.each([
    ['a fixed id', shipped.replace('northwind-@QUARTER@ ', 'northwind-2026-q3 '), /@QUARTER@ into engagement\.id/],
    ['a fixed end', shipped.replace('"@TO@"', '2026-09-30'), /"@TO@" into engagement\.period/],
    ['an end in a comment', shipped.replace('"@TO@"', '2026-09-30 # @TO@'), /"@TO@" into engagement\.period/],
    ['a word nobody knows', shipped.replace('title: Northwind Ltd', 'title: "@COMPANY@"'), /@COMPANY@[\s\S]*words between @ are/],
    [
      'a former pack beside something else',
      shipped.replace(/ {2}keys: .*\n {2}previousPack: .*\n/, '  { keys: keys, previousPack: "@PREVIOUS@" }\n'),
      /on a line of its own/,
    ],
  ])('%s', (_name, template, message) => {
    const { code, stderr } = quarterly({ template });
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
    expect(readdirSync(root)).not.toContain('asked');
  });

  test.each(['2026-q5', '2026-09', 'q3', '2026-q3.v1'])('%s is no quarter', (quarter) => {
    expect(quarterly({ quarter })).toMatchObject({ code: 2, stderr: expect.stringContaining(`${quarter} is no quarter`) as string });
  });
});

test.each(['systemd/exhibit.service', 'kubernetes/cronjob.yaml', 'github-actions/exhibit.yml'])(
  '%s starts the script, and fetches no package by the name of this project',
  (file) => {
    const text = readFileSync(join(repository, 'deploy', file), 'utf8');
    expect(text).toMatch(/deploy\/quarterly\.sh/);
    expect(text).not.toMatch(/\bnpx\b|npm (exec|install|i|x)\b/);
  },
);
