import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assessment, JsonObject, Leaf, Ledger, Observation } from '../src/model/index.ts';
import { type Simulator, startSimulator } from '../src/simulator/index.ts';
import { exhibit, startExhibit } from './support/command.ts';
import { has } from './support/programs.ts';

/** The whole line as a user runs it: the command line in its own process, the real SDK clients, the simulated clouds. */
let simulator: Simulator;
let work: string;
let run: string;
let fingerprint: string;
/** Exit status of the undisturbed run. */
let whole: number;

const environment = (): NodeJS.ProcessEnv => ({ ...simulator.credentials, NO_PROXY: '127.0.0.1,localhost' });
const sh = (command: string, cwd: string): { status: number | null; output: string } => {
  const done = spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return { status: done.status, output: `${done.stdout}${done.stderr}` };
};
const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(...path), 'utf8')) as T;
const observations = (directory: string): Observation[] =>
  readFileSync(join(directory, 'results/observations.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Observation);

/** A leaf that shows a value of the subject as the provider named it. */
const plain = ({ path, observed }: Leaf): boolean =>
  /^(configuration|supplementaryConfiguration|properties|resource)\.[a-zA-Z.]+$/.test(path) &&
  ['string', 'boolean', 'number'].includes(typeof observed);

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'exhibit-line-'));
  simulator = await startSimulator({ resources: 150, seed: 11, asOf: new Date().toISOString(), quotas: 'off' });
  writeFileSync(join(work, 'exhibit.yaml'), simulator.configYaml());
  const { code, stdout, stderr } = await exhibit(['run', '--config', join(work, 'exhibit.yaml'), '--json'], { env: environment() });
  if (code !== 0 && code !== 3) throw new Error(`exit status ${String(code)}\n${stderr}`);
  ({ run, fingerprint } = JSON.parse(stdout) as { run: string; fingerprint: string });
  whole = code;
}, 300_000);

afterAll(async () => {
  await simulator.close();
  rmSync(work, { recursive: true, force: true });
});

describe('a sealed run', () => {
  test('ends with 0 where all evidence is complete, else with 3', () => {
    expect(whole).toBe(readJson<Assessment>(run, 'results/assessment.json').evidenceComplete ? 0 : 3);
  });

  test('verifies with the fingerprint, and not without', async () => {
    expect((await exhibit(['verify', join(run, 'pack.zip'), '--fingerprint', fingerprint])).code).toBe(0);
    expect((await exhibit(['verify', join(run, 'pack'), '--fingerprint', join(run, 'fingerprint.txt')])).code).toBe(0);
    expect((await exhibit(['verify', join(run, 'pack.zip')])).code).toBe(4);
    expect((await exhibit(['verify', join(run, 'pack.zip'), '--fingerprint', '0'.repeat(64)])).code).toBe(4);
  });

  test.skipIf(!has('sha256sum', 'openssl', 'unzip'))('satisfies sha256sum, openssl and unzip', () => {
    const pack = join(run, 'pack');
    expect(sh('sha256sum -c --quiet manifest-sha256.txt tagmanifest-sha256.txt', pack)).toEqual({ status: 0, output: '' });
    expect(
      sh(
        'openssl cms -verify -binary -inform DER -in tagmanifest-sha256.txt.p7s -content tagmanifest-sha256.txt -CAfile ../root.crt -out /dev/null',
        pack,
      ).status,
    ).toBe(0);
    expect(sh('unzip -tq pack.zip', run).status).toBe(0);
  });

  test.skipIf(!has('pdfsig', 'qpdf', 'pdffonts', 'certutil'))('satisfies pdfsig, qpdf and pdffonts', () => {
    const pdf = join(run, 'pack/data/report.pdf');
    const database = join(work, 'nss');
    sh(
      `mkdir ${database} && certutil -N -d sql:${database} --empty-password && certutil -A -n root -t "CT,C,C" -i ${join(run, 'root.crt')} -d sql:${database}`,
      work,
    );
    const { output } = sh(`pdfsig -nssdir sql:${database} ${pdf}`, work);
    expect(output).toContain('Signature is Valid');
    expect(output).toContain('Total document signed');
    expect(output).toContain('Certificate is Trusted');
    expect(sh(`qpdf --check ${pdf}`, work).status).toBe(0);
    const fonts = sh(`pdffonts ${pdf}`, work).output.trim().split('\n').slice(2);
    expect(fonts.length).toBeGreaterThan(0);
    for (const font of fonts) expect(font).toMatch(/IBMPlex.* yes +yes +yes /);
  });

  test('holds no key, no lock and nothing else of the machine', () => {
    const names = readdirSync(join(run, 'pack'), { recursive: true, encoding: 'utf8' });
    expect(names.filter((name) => /\.key$|\.lock|\.tmp|redaction|run\.json/.test(name))).toEqual([]);
    const results = readFileSync(join(run, 'results/assessment.json'), 'utf8') + readFileSync(join(run, 'report.html'), 'utf8');
    expect(results).not.toContain(work);
  });

  test.skipIf(!has('unzip', 'jq'))('leads from observations picked at random to the raw value, by hand', () => {
    const all = observations(run).filter(({ subject, leaves }) => subject.kind === 'resource' && leaves.some(plain));
    expect(all.length).toBeGreaterThan(50);
    for (let nth = 0; nth < 10; nth += 1) {
      const observation = all[Math.floor((nth + 0.5) * (all.length / 10))];
      const leaf = observation?.leaves.find(plain);
      const citation = observation?.citations[leaf?.source ?? 0];
      if (!observation || !leaf || !citation) throw new Error('no such leaf');
      const pointer = citation.pointer
        .split('/')
        .slice(1)
        .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `[${JSON.stringify(step)}]`))
        .join('');
      const { status, output } = sh(
        `unzip -p pack.zip 'data/${citation.file}' | jq -c '.${pointer}${citation.encoding === 'json-string' ? ' | fromjson' : ''}'`,
        run,
      );
      expect(status, citation.file).toBe(0);
      // Azure compares keys without case; AWS hands some blocks out as text.
      const value = leaf.path.split('.').reduce<unknown>((at, step) => {
        const holder = (typeof at === 'string' ? JSON.parse(at) : at) as JsonObject;
        const key = Object.keys(holder).find((name) => name.toLowerCase() === step.toLowerCase());
        return key === undefined ? undefined : holder[key];
      }, JSON.parse(output));
      expect(value, `${observation.control} ${leaf.path}`).toEqual(leaf.observed);
    }
  });

  test('judged and rendered again elsewhere, in another time zone and locale, gives the same bytes', async () => {
    const copy = join(work, 'again');
    cpSync(run, copy, { recursive: true });
    rmSync(join(copy, 'results'), { recursive: true });
    rmSync(join(copy, 'report.html'));
    rmSync(join(copy, 'report.pdf'));
    const elsewhere = { ...environment(), TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' };
    expect((await exhibit(['assess', copy, '--quiet'], { env: elsewhere })).code).toBe(whole);
    expect((await exhibit(['render', copy, '--quiet'], { env: elsewhere })).code).toBe(0);
    const files = [...readdirSync(join(run, 'results')).map((name) => `results/${name}`), 'report.html', 'report.pdf'];
    expect(files.length).toBeGreaterThan(8);
    for (const file of files) expect(readFileSync(join(copy, file)).equals(readFileSync(join(run, file))), file).toBe(true);
  }, 180_000);

  test('a second run of the same period is a new version beside it', async () => {
    const { code, stdout, stderr } = await exhibit(['collect', '--config', join(work, 'exhibit.yaml'), '--json'], { env: environment() });
    // Collection alone cannot know which gaps no control rests on.
    expect([0, 3]).toContain(code);
    const told = JSON.parse(stdout) as { run: string; seconds: number; quotaFloorSeconds: number; quota: string | null };
    expect(relative(run, told.run)).toMatch(/^\.\.\/.*\.v2$/);
    // What it took, and what the quotas made it take at least.
    const { quotas } = readJson<Ledger>(told.run, 'evidence/ledger.json');
    expect(told.quotaFloorSeconds).toBe(Math.max(...quotas.map((use) => use.floorMs)) / 1000);
    expect(told.seconds).toBeGreaterThan(told.quotaFloorSeconds);
    const { seconds, quotaFloorSeconds, quota } = told;
    expect(readJson(told.run, 'run.json')).toMatchObject({ collection: { seconds, quotaFloorSeconds, quota } });
    expect(stderr).toMatch(/at least \d+\.\d s by the quota of |no quota held it back/);
    expect(existsSync(join(run, 'pack.zip'))).toBe(true);
  }, 120_000);

  test('planted trouble never passes', () => {
    // Troubles that lie in the resource itself or in the key it names: the control of its key must not pass.
    const deadly =
      /google-managed-key|unencrypted|aws-managed|aws-owned|key-disabled|pending-deletion|destroy-scheduled|key-not-recorded|key-outside|no-cmk|provider-key|platform-key/;
    const wrong = observations(run).filter(
      ({ control, status, subject }) =>
        /-(cmk|cmek)$/.test(control) && status === 'pass' && (simulator.truth(subject.uid) ?? []).some((trouble) => deadly.test(trouble)),
    );
    expect(wrong.map(({ control, subject }) => `${control} ${subject.uid}: ${(simulator.truth(subject.uid) ?? []).join(', ')}`)).toEqual(
      [],
    );
  });
});

test('a vault into which no policy has looked is unknown, whatever is known of the others', () => {
  const ofKeys = observations(run).filter(({ control }) => control === 'azure-keyvault-key-expiry');
  const vaults = ofKeys.filter(({ subject }) => subject.type === 'microsoft.keyvault/vaults');
  expect(ofKeys.some(({ status }) => status === 'pass')).toBe(true);
  expect(vaults.map(({ subject }) => subject.name).sort()).toEqual(['kv-nw-2d1a-legacy', 'kv-nw-4f3c-edge']);
  for (const { status, reason } of vaults) expect(`${status}: ${reason}`).toMatch(/^unknown: Not evaluated/);
});

describe('evidence with gaps', () => {
  test('a denied account is named, nothing of it passes, and the status is 3', async () => {
    const denied = readJson<Assessment>(run, 'results/assessment.json').scopes.find((scope) => scope.provider === 'aws');
    if (!denied) throw new Error('no AWS scope');
    simulator.inject({
      kind: 'access-denied',
      provider: 'aws',
      match: { scope: `${denied.account}.${denied.region}`, type: 'AWS::KMS::Key' },
      times: 1_000_000,
    });
    const directory = join(work, 'denied');
    writeFileSync(join(work, 'denied.yaml'), `${simulator.configYaml()}\noutput: { directory: ${directory} }\n`);
    const collected = await exhibit(['collect', '--config', join(work, 'denied.yaml'), '--json'], { env: environment() });
    simulator.clearFaults();
    expect(collected.code).toBe(3);
    const path = (JSON.parse(collected.stdout) as { run: string }).run;
    const assessed = await exhibit(['assess', path, '--json'], { env: environment() });
    expect(assessed.code).toBe(3);
    const assessment = readJson<Assessment>(path, 'results/assessment.json');
    expect(assessment.evidenceComplete).toBe(false);
    const keys = assessment.findings.find((finding) => finding.control.id === 'aws-kms-key-rotation');
    expect(keys?.gaps).toBeGreaterThan(0);
    const gap = observations(path).find(({ control, subject }) => control === 'aws-kms-key-rotation' && subject.kind === 'scope');
    expect(gap).toMatchObject({ status: 'unknown', subject: { account: denied.account } });
    expect(gap?.reason).toMatch(/denied|not authorized/i);
    expect(assessment.findings.map((finding) => finding.control.id)).toEqual(
      readJson<Assessment>(run, 'results/assessment.json').findings.map((finding) => finding.control.id),
    );
  }, 180_000);
});

describe('Ctrl-C', () => {
  test('ends cleanly with 130, keeps what was collected, and --resume goes on to the same pack', async () => {
    const directory = join(work, 'stopped');
    const config = join(work, 'stopped.yaml');
    writeFileSync(config, `${simulator.configYaml()}\noutput: { directory: ${directory} }\n`);
    const { child, finished } = startExhibit(['collect', '--config', config], { env: environment() });
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString('utf8').includes('✓')) resolve();
      });
    });
    child.kill('SIGINT');
    const { code, stderr } = await finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/what was collected is kept/i);
    expect(stderr).not.toMatch(/\bat .*\.ts:\d+/);
    expect(stderr).toMatch(/ records {2}(stopped|partial)$/m);
    expect(stderr).not.toMatch(/ records {2}failed$/m);
    const before = simulator.calls().length;
    const resumed = await exhibit(['collect', '--config', config, '--resume', '--json'], { env: environment() });
    expect([0, 3]).toContain(resumed.code);
    expect(resumed.stderr).toContain('Going on with ');
    const path = (JSON.parse(resumed.stdout) as { run: string }).run;
    expect(path).toMatch(/\.v1$/);
    const asked = simulator.calls().length - before;
    expect(asked).toBeLessThan(before);
  }, 180_000);
});
