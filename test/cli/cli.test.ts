import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exhibit, repository } from '../support/command.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'exhibit-cli-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});
const file = (name: string, content: string): string => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

describe('help', () => {
  const verbs = [
    ['run'],
    ['collect'],
    ['assess'],
    ['render'],
    ['seal'],
    ['verify'],
    ['demo'],
    ['controls'],
    ['controls', 'list'],
    ['controls', 'lint'],
    ['controls', 'explain'],
    ['controls', 'try'],
    ['keys', 'init'],
    ['keys', 'show'],
    ['simulate'],
    ['doctor'],
  ];
  test.each(verbs.map((verb) => [verb.join(' '), verb]))('%s --help shows an example and the global options', async (_name, verb) => {
    const { code, stdout } = await exhibit([...verb, '--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Example:\n {2}\S/);
    expect(stdout).toContain('--json');
  });

  test('the whole command lists its exit statuses', async () => {
    const { code, stdout } = await exhibit(['--help']);
    expect(code).toBe(0);
    for (const status of ['0  done', '2  bad usage', '3  done, with gaps', '4  verification', '5  internal'])
      expect(stdout).toContain(status);
  });
});

describe('mistakes end with status 2 and say what to do', () => {
  test.each([
    ['an unknown verb', ['colect'], /unknown command 'colect'[\s\S]*Did you mean collect/],
    ['an unknown option', ['run', '--fail-onn', 'fail'], /unknown option/],
    ['a status that --fail-on does not know', ['run', '--fail-on', 'sad'], /Allowed choices are fail, error, unknown, notchecked/],
    [
      'a configuration that is not there',
      ['run', '--config', 'no/such.yaml'],
      /no\/such\.yaml:1:1 {2}no such file: name the configuration with --config/,
    ],
    ['a run that is not there', ['assess', 'no/such/run'], /holds no run[\s\S]*name the directory/],
    ['a pack that is not there', ['verify', 'no/such/pack.zip'], /no such file or directory/],
    ['a control that is not there', ['controls', 'explain', 'aws-s3-buket-cmk'], /did you mean `aws-s3-bucket-cmk`/],
    ['a number out of range', ['demo', '--resources', '3'], /--resources must be a whole number from 50/],
    ['a fingerprint that is none', ['verify', '.', '--fingerprint', 'abc'], /is no SHA-256 fingerprint/],
  ])('%s', async (_name, args, message) => {
    const { code, stdout, stderr } = await exhibit(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\bat .*\.ts:\d+/);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  test('all mistakes of a configuration at once, also as JSON', async () => {
    const bad = file(
      'bad.yaml',
      'engagement: { id: a, titel: b, entity: c, period: { from: 2026-07-01, to: 2026-09-30 } }\nscopes: {}\nprofile: { include: [awz-*] }\n',
    );
    const { code, stdout, stderr } = await exhibit(['doctor', '--config', bad, '--json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.yaml:1:\d+ {2}unknown key `titel`/);
    const document = JSON.parse(stdout) as { exitStatus: number; problems: { line: number }[] };
    expect(document.exitStatus).toBe(2);
    expect(document.problems.length).toBeGreaterThanOrEqual(3);
  });

  test('all mistakes of a catalogue at once, with line and suggestion', async () => {
    const controls = file('controls.yaml', 'name: Own\nversion: 1.0.0\nsections: [A]\ninclude: [own.yaml]\n');
    file(
      'own.yaml',
      '- id: aws-x-y\n  title: X\n  section: B\n  level: 2\n  assessment: automated\n  on: AWS::S3::Bucket\n  require: { field: a, equal: 1 }\n',
    );
    const { code, stderr } = await exhibit(['controls', 'list', '--catalogue', controls]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/own\.yaml:7:\d+ .*did you mean equals/);
    expect(stderr).toMatch(/own\.yaml:3:\d+/);
  });
});

describe('the catalogue', () => {
  test('list names every control with its level, in the order of the sections', async () => {
    const { code, stdout } = await exhibit(['controls', 'list', '--json']);
    expect(code).toBe(0);
    const controls = JSON.parse(stdout) as { id: string; level: number }[];
    expect(controls.map((control) => control.id)).toContain('aws-s3-bucket-cmk');
    expect(new Set(controls.map((control) => control.id)).size).toBe(controls.length);
  });

  test('lint finds no error', async () => {
    const { code, stdout } = await exhibit(['controls', 'lint', '--json']);
    expect((JSON.parse(stdout) as { severity: string }[]).filter((problem) => problem.severity === 'error')).toEqual([]);
    expect(code).toBe(0);
  });

  test('lint of a catalogue without case files leaves their rules out, and says so in one line', async () => {
    const alone = mkdtempSync(join(directory, 'published-'));
    for (const part of ['controls', 'controls.yaml']) cpSync(join(repository, part), join(alone, part), { recursive: true });
    const { code, stdout } = await exhibit(['controls', 'lint', '--no-color', '--catalogue', join(alone, 'controls.yaml')]);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^\d+ controls, no problem$/),
      expect.stringMatching(/^missing-cases and path-unseen were left out: .*test\/cases/),
    ]);
  });

  test('explain prints the document and the condition in words', async () => {
    const { code, stdout } = await exhibit(['controls', 'explain', 'aws-s3-bucket-cmk']);
    expect(code).toBe(0);
    for (const part of ['Rationale', 'What is checked', 'Implementation: command line', 'Back-out']) expect(stdout).toContain(part);
  });
});

describe('controls try', () => {
  const volume = { id: 'v', type: 'AWS::EC2::Volume', document: { configuration: { encrypted: false } } };

  test('judges lines from stdin and writes one line for each check', async () => {
    const { code, stdout } = await exhibit(['controls', 'try'], { input: `${JSON.stringify(volume)}\n` });
    expect(code).toBe(0);
    const [line] = stdout
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line).toMatchObject({ id: 'v', control: 'aws-ebs-volume-cmk', status: 'fail' });
    expect(Object.keys(line ?? {}).sort()).toEqual(['check', 'control', 'id', 'observed', 'reason', 'status']);
  });

  test('a line that makes no sense is named, the others are judged, and the status is 2', async () => {
    const { code, stdout, stderr } = await exhibit(['controls', 'try'], { input: `not json\n${JSON.stringify(volume)}\n{"id":"x"}\n` });
    expect(code).toBe(2);
    expect(stderr).toMatch(/stdin:1: not JSON/);
    expect(stderr).toMatch(/stdin:3: `type` must be/);
    expect(stdout).toContain('"status":"fail"');
  });

  test('a reader that stops early is no error', async () => {
    const many = `${JSON.stringify(volume)}\n`.repeat(5000);
    const { startExhibit } = await import('../support/command.ts');
    const { child, finished } = startExhibit(['controls', 'try']);
    child.stdin?.on('error', () => undefined);
    child.stdout?.once('data', () => child.stdout?.destroy());
    child.stdin?.end(many);
    const { stderr } = await finished;
    expect(stderr).not.toMatch(/EPIPE|defect/);
  });
});

describe('what is not a pack', () => {
  test('is said at once, whatever else lies there', async () => {
    const { code, stdout } = await exhibit(['verify', join(import.meta.dirname, '../..'), '--integrity-only']);
    expect(code).toBe(4);
    expect(stdout).toMatch(/Container {2}1 problem\n +not-a-pack/);
  });

  test('the directory of a run leads to its pack', async () => {
    const run = mkdtempSync(join(directory, 'run-'));
    writeFileSync(join(run, 'run.json'), '{}');
    const open = await exhibit(['verify', run]);
    expect([open.code, open.stderr]).toEqual([2, expect.stringMatching(/is the directory of a run[\s\S]*exhibit run --resume/)]);
    writeFileSync(join(run, 'pack.zip'), '');
    expect((await exhibit(['verify', run])).stderr).toContain(`name ${join(run, 'pack.zip')}`);
  });

  test('nor are a directory and a certificate a fingerprint', async () => {
    const certificate = file('root.crt', '-----BEGIN CERTIFICATE-----\n');
    const pack = file('some.zip', '');
    expect((await exhibit(['verify', pack, '--fingerprint', directory])).stderr).toMatch(/is a directory/);
    const { code, stderr } = await exhibit(['verify', pack, '--fingerprint', certificate]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/is a certificate, not its fingerprint[\s\S]*openssl x509/)]);
  });
});

describe('a demo', () => {
  test('takes the place of an earlier demo, never of a run', async () => {
    const run = mkdtempSync(join(directory, 'real-'));
    const state = { version: 1, runId: 'q3.v1', asOf: '2026-10-01T00:00:00Z', createdAt: '2026-10-01T00:00:00Z', done: ['seal'] };
    writeFileSync(join(run, 'run.json'), JSON.stringify({ ...state, config: join(directory, 'exhibit.yaml') }));
    const { code, stderr } = await exhibit(['demo', '--resources', '50', '--output', run]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/holds no demo[\s\S]*another directory/)]);
    expect(existsSync(join(run, 'run.json'))).toBe(true);
  });
});

describe('simulate', () => {
  test('never overwrites a configuration, and ends at once where it cannot begin', async () => {
    const there = file('there.yaml', 'mine');
    const { code, stderr } = await exhibit(['simulate', '--resources', '50', '--output', there]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/there\.yaml is there already[\s\S]*name another file/)]);
    const taken = createServer();
    await new Promise<void>((ready) => taken.listen(0, '127.0.0.1', ready));
    const { port } = taken.address() as AddressInfo;
    const second = await exhibit(['simulate', '--resources', '50', '--azure-port', String(port)]);
    await new Promise((closed) => taken.close(closed));
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining(`port ${port} is in use`)]);
  });
});

describe('keys', () => {
  test('init makes them once, show says the same fingerprint', async () => {
    const keys = join(directory, 'keys');
    const first = await exhibit(['keys', 'init', '--directory', keys, '--json']);
    const again = await exhibit(['keys', 'init', '--directory', keys, '--json']);
    const shown = await exhibit(['keys', 'show', '--directory', keys, '--json']);
    const fingerprints = [first, again, shown].map(({ stdout }) => (JSON.parse(stdout) as { fingerprint: string }).fingerprint);
    expect(new Set(fingerprints).size).toBe(1);
    expect((await exhibit(['keys', 'init', '--directory', keys])).stdout).toMatch(/^These keys were there already; nothing was changed\./);
    expect(fingerprints[0]).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  });
});
