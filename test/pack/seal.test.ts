import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyEnvelope } from '../../src/pack/attest.ts';
import { packFiles } from '../../src/pack/layout.ts';
import { seal } from '../../src/pack/seal.ts';
import type { SealOptions } from '../../src/pack/seal.ts';
import { initKeys, loadSigner } from '../../src/pack/sign/keys.ts';
import type { Signer } from '../../src/pack/sign/signer.ts';
import { verifyPack } from '../../src/pack/verify.ts';
import { newSigner, sealedSample, teller } from '../support/packs.ts';
import { sampleRun, stateRendering, temporaryDirectory } from '../support/pack-run.ts';
import type { SampleRun } from '../support/pack-run.ts';

let signer: Signer;
beforeAll(async () => {
  signer = await newSigner();
});

const optionsFor = (run: SampleRun): SealOptions => ({
  runDirectory: run.directory,
  packDirectory: run.packDirectory,
  zipPath: run.zipPath,
  signer,
});
const leftovers = (run: SampleRun): string[] => readdirSync(run.directory).filter((name) => name.includes('sealing'));

describe('sealing', () => {
  test('packs evidence, results, inputs and reports, and nothing else of the run directory', async () => {
    const { run } = await sealedSample(signer, ({ directory }) => {
      writeFileSync(join(directory, 'run.json'), '{}');
      writeFileSync(join(directory, '.lock'), '{}');
      mkdirSync(join(directory, 'keys'));
      writeFileSync(join(directory, 'keys/root.key'), 'secret');
    });
    expect(readdirSync(join(run.packDirectory, 'data')).sort()).toEqual(['evidence', 'inputs', 'report.html', 'report.pdf', 'results']);
    expect(readdirSync(run.packDirectory).sort()).toEqual([...Object.values(packFiles), 'data'].sort());
  });

  test('leaves the run as it was: the unsigned report, and pages that are no links into the pack', async () => {
    const run = await sampleRun();
    const before = readFileSync(join(run.directory, 'report.pdf'));
    await seal(optionsFor(run));
    expect(readFileSync(join(run.directory, 'report.pdf')).equals(before)).toBe(true);
    writeFileSync(join(run.directory, 'report.html'), 'changed later');
    expect(readFileSync(join(run.packDirectory, 'data/report.html'), 'utf8')).not.toBe('changed later');
  });

  test('what a pack says of itself is on one line each, whatever the titles hold', async () => {
    const { run, sealed } = await sealedSample(signer, ({ directory }) => {
      const [title, forged] = ['Acme: critical data encryption', 'Acme\\nExhibit-Evidence-Complete: forged\\u202e\\u0007 Prüfung'];
      for (const [name, from, to] of [
        ['results/assessment.json', title, forged],
        ['inputs/exhibit.yaml', `"${title}"`, `"${forged}"`],
      ] as const) {
        const file = join(directory, name);
        writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
      }
      stateRendering(directory);
    });
    const info = readFileSync(join(run.packDirectory, packFiles.info), 'utf8');
    expect(info).toContain('External-Description: Acme Exhibit-Evidence-Complete: forged Prüfung\n');
    expect(info.match(/^Exhibit-Evidence-Complete: /gm)).toHaveLength(1);
    expect((await verifyPack(run.packDirectory, { fingerprint: sealed.fingerprint, teller })).ok).toBe(true);
  });

  test('the pack before is named in the pack and in the attestation', async () => {
    const first = await sealedSample(signer);
    const second = await sealedSample(signer, undefined, { previousRoot: first.sealed.root });
    expect(readFileSync(join(second.run.packDirectory, packFiles.info), 'utf8')).toContain(`Exhibit-Previous-Pack: ${first.sealed.root}\n`);
    const verdict = verifyEnvelope(readFileSync(join(second.run.packDirectory, packFiles.attestation), 'utf8'), signer.certificate);
    if (!verdict.ok) throw new Error(verdict.detail);
    const statement = JSON.parse(verdict.value.toString('utf8')) as { predicate: { previousPack: unknown } };
    expect(statement.predicate.previousPack).toEqual({ [packFiles.root]: { sha256: first.sealed.root } });
    const report = await verifyPack(second.run.zipPath, { fingerprint: second.sealed.fingerprint });
    expect(report.notes.find((note) => note.code === 'previous-pack-unchecked')?.message).toContain(first.sealed.root);
  });

  test.each([
    [
      'a name with a space',
      (directory: string) => {
        writeFileSync(join(directory, 'evidence/a b.json'), '');
      },
      /file names may hold only/,
    ],
    [
      'a symbolic link',
      (directory: string) => {
        symlinkSync('/etc/passwd', join(directory, 'evidence/link'));
      },
      /neither a file nor a directory/,
    ],
    [
      'no report',
      (directory: string) => {
        rmSync(join(directory, 'report.pdf'));
      },
      /is missing/,
    ],
    [
      'a report that is no PDF',
      (directory: string) => {
        writeFileSync(join(directory, 'report.pdf'), 'hello');
      },
      /./,
    ],
    [
      'an assessment that is none',
      (directory: string) => {
        writeFileSync(join(directory, 'results/assessment.json'), '{}');
      },
      /not an assessment/,
    ],
  ])('%s is refused, and nothing is left behind', async (_, harm, reason) => {
    const run = await sampleRun();
    harm(run.directory);
    await expect(seal(optionsFor(run))).rejects.toThrow(reason);
    expect(existsSync(run.packDirectory)).toBe(false);
    expect(existsSync(run.zipPath)).toBe(false);
    expect(leftovers(run)).toEqual([]);
  });

  test.skipIf(process.getuid?.() === 0)('a directory that cannot be written is an error, and what is there stays', async () => {
    const run = await sampleRun();
    chmodSync(run.directory, 0o500);
    await expect(seal(optionsFor(run))).rejects.toThrow(/EACCES/);
    chmodSync(run.directory, 0o700);
    expect(existsSync(join(run.directory, 'report.pdf'))).toBe(true);
  });
});

describe('a pack that is there already', () => {
  test('is given back untouched when the run is the same', async () => {
    const { run, sealed } = await sealedSample(signer);
    const before = statSync(run.zipPath).mtimeMs;
    const again = await seal(optionsFor(run));
    expect(again).toMatchObject({
      already: true,
      root: sealed.root,
      files: sealed.files,
      bytes: sealed.bytes,
      fingerprint: sealed.fingerprint,
      timestamp: sealed.timestamp,
    });
    expect(statSync(run.zipPath).mtimeMs).toBe(before);
  });

  test('gets its ZIP when only that is missing, the same to the byte', async () => {
    const { run } = await sealedSample(signer);
    const zip = readFileSync(run.zipPath);
    rmSync(run.zipPath);
    expect(await seal(optionsFor(run))).toMatchObject({ already: true });
    expect(readFileSync(run.zipPath).equals(zip)).toBe(true);
  });

  test.each([
    [
      'the run has changed',
      (run: SampleRun) => {
        writeFileSync(join(run.directory, 'report.html'), 'new');
      },
      /with other content/,
    ],
    [
      'the run has more',
      (run: SampleRun) => {
        writeFileSync(join(run.directory, 'results/more.csv'), 'new');
      },
      /with other content/,
    ],
    [
      'the report is another',
      (run: SampleRun) => {
        writeFileSync(join(run.directory, 'report.pdf'), `${readFileSync(join(run.directory, 'report.pdf'), 'latin1')}\n`, 'latin1');
      },
      /another report/,
    ],
    [
      'the pack was altered',
      (run: SampleRun) => {
        writeFileSync(join(run.packDirectory, 'data/report.html'), 'new');
      },
      /does not verify/,
    ],
    [
      'it is something else',
      (run: SampleRun) => {
        rmSync(run.packDirectory, { recursive: true });
        mkdirSync(run.packDirectory);
      },
      /does not verify/,
    ],
    [
      'only a ZIP is there',
      (run: SampleRun) => {
        rmSync(run.packDirectory, { recursive: true });
      },
      /pack\.zip is there already/,
    ],
  ])('is never overwritten: %s', async (_, harm, reason) => {
    const { run } = await sealedSample(signer);
    harm(run);
    const before = readFileSync(run.zipPath);
    await expect(seal(optionsFor(run))).rejects.toThrow(reason);
    expect(readFileSync(run.zipPath).equals(before)).toBe(true);
  });

  test('by another signer is refused', async () => {
    const { run } = await sealedSample(signer);
    await expect(seal({ ...optionsFor(run), signer: await newSigner('Other') })).rejects.toThrow(/does not verify/);
  });
});

test('killed at any moment, sealing again gives a whole pack', async () => {
  const keys = join(temporaryDirectory('keys'), 'keys');
  const { fingerprint } = await initKeys(keys);
  const program = join(temporaryDirectory('program'), 'seal.ts');
  const source = new URL('../../src/pack', import.meta.url).pathname;
  writeFileSync(
    program,
    `import { seal } from '${source}/seal.ts';
import { loadSigner } from '${source}/sign/keys.ts';
const directory = process.argv[2] ?? '';
process.stdout.write('started\\n');
await seal({ runDirectory: directory, packDirectory: directory + '/pack', zipPath: directory + '/pack.zip', signer: await loadSigner(${JSON.stringify(keys)}) });
`,
  );
  for (const delay of [4, 16, 32, 64, 110]) {
    const run = await sampleRun({ pages: 60 });
    const child = spawn(process.execPath, [program, run.directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve) =>
      child.stdout.once('data', () => {
        resolve();
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, delay));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    // Whatever there is under its final name is whole.
    if (existsSync(run.packDirectory)) expect((await verifyPack(run.packDirectory, { fingerprint })).ok).toBe(true);
    if (existsSync(run.zipPath)) expect((await verifyPack(run.zipPath, { fingerprint })).ok).toBe(true);
    await seal({ ...optionsFor(run), signer: await loadSigner(keys) });
    expect((await verifyPack(run.zipPath, { fingerprint })).ok).toBe(true);
    expect(leftovers(run)).toEqual([]);
  }
}, 60_000);

test('a seal that died between the two names is finished, and its remains are cleared', async () => {
  const { run, sealed } = await sealedSample(signer);
  renameSync(run.zipPath, `${run.zipPath}.sealing`);
  const again = await seal(optionsFor(run));
  expect(again.root).toBe(sealed.root);
  expect(leftovers(run)).toEqual([]);
});
