import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { jqPath } from '../../src/pack/instructions.ts';
import { has, shell } from '../support/programs.ts';
import { newSigner, sealedSample } from '../support/packs.ts';
import type { SealedSample } from '../support/packs.ts';

let sample: SealedSample;
let pack: string;
let work: string;

beforeAll(async () => {
  sample = await sealedSample(await newSigner());
  pack = sample.run.packDirectory;
  work = join(sample.run.directory, 'work');
  mkdirSync(work);
  writeFileSync(join(work, 'root.crt'), sample.sealed.rootPem);
});

/** The commands of a numbered section of VERIFY.txt: its indented lines, joined where they end in a backslash. */
function commandsOf(section: number): string {
  const text = readFileSync(join(pack, 'VERIFY.txt'), 'utf8');
  const from = text.indexOf(`\n${String(section)}. `);
  const to = text.indexOf(`\n${String(section + 1)}. `);
  return text
    .slice(from, to < 0 ? undefined : to)
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .join('\n');
}

/** Runs the commands of sections in one shell, as an auditor would. */
function follow(...sections: number[]): ReturnType<typeof shell> {
  return shell(['set -e', 'T=$(mktemp -d)', ...sections.map(commandsOf)].join('\n'), pack);
}

describe('VERIFY.txt, followed to the letter', () => {
  test.skipIf(!has('sha256sum'))('before: the ZIP ends in the digest of what comes before, and any byte of it tells', () => {
    const instructions = readFileSync(join(pack, 'VERIFY.txt'), 'utf8');
    const command = / {2}(test "\$\(head .*)\n/.exec(instructions)?.[1] ?? 'false';
    const of = (zip: string): string => shell(command.replaceAll('../pack.zip', zip)).output;
    expect(of(sample.run.zipPath)).toBe('container unaltered\n');
    const bytes = readFileSync(sample.run.zipPath);
    const directory = bytes.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
    for (const at of [0, 40, directory + 8, directory + 40, bytes.length - 100, bytes.length - 1]) {
      const copy = Buffer.from(bytes);
      copy.writeUInt8((copy.readUInt8(at) + 1) % 256, at);
      const zip = join(work, `flipped-${String(at)}.zip`);
      writeFileSync(zip, copy);
      expect(of(zip), `byte ${String(at)}`).toBe('');
    }
  });

  test.skipIf(!has('openssl'))('0: the fingerprint printed is the one given out', () => {
    const { status, output } = follow(0);
    expect(status).toBe(0);
    expect(output).toContain(sample.sealed.fingerprint);
  });

  test.skipIf(!has('sha256sum'))('1: sha256sum finds nothing altered', () => {
    expect(follow(1)).toEqual({ status: 0, output: 'unaltered\n' });
  });

  test('2: diff finds nothing added, and finds what is added', () => {
    expect(follow(2)).toEqual({ status: 0, output: 'nothing added\n' });
    const copy = join(work, 'added');
    shell(`cp -r ${pack} ${copy} && echo hi > ${copy}/data/new.json`);
    expect(shell(`T=$(mktemp -d)\n${commandsOf(2)}`, copy).output).toContain('data/new.json');
  });

  test.skipIf(!has('openssl'))('3: openssl verifies the signature', () => {
    const { status, output } = follow(0, 3);
    expect(output).toContain('CAdES Verification successful');
    expect(status).toBe(0);
  });

  test.skipIf(!has('pdfsig', 'certutil', 'openssl'))('4: pdfsig trusts the report and finds it signed whole', () => {
    const { output } = follow(0, 4);
    expect(output).toContain('Signature is Valid');
    expect(output).toContain('Total document signed');
    expect(output).toContain('Certificate is Trusted');
    expect(output).toContain('ETSI.CAdES.detached');
  });

  test.skipIf(!has('jq', 'unzip'))('5: the citation it names reads, with and without unpacking', () => {
    const commands = commandsOf(5)
      .split('\n')
      .filter((line) => /^ {2}(jq|unzip) /.test(line));
    expect(commands).toHaveLength(3);
    const [direct, zipped, list] = commands.map((command) => shell(command.replace('pack.zip', sample.run.zipPath), pack));
    expect(direct?.output).toContain('"encrypted": false');
    expect(zipped?.output).toBe(direct?.output);
    expect(list?.output.split('\n').filter((line) => line !== '')).toHaveLength(3);
  });

  test('5: any pointer is put into the words of jq', () => {
    expect(jqPath({ pointer: '/Results/16', encoding: 'json-string' })).toBe('.Results[16] | fromjson');
    expect(jqPath({ pointer: '/data/0/properties', encoding: 'json' })).toBe('.data[0].properties');
    expect(jqPath({ pointer: '/a~1b/c d', encoding: 'json' })).toBe('.["a/b"]["c d"]');
    expect(jqPath({ pointer: '/0/x', encoding: 'json' })).toBe('.[0].x');
  });

  test.skipIf(!has('openssl', 'jq'))('6: the bundle verifies with openssl alone, and the attestation reads', () => {
    const commands = commandsOf(6)
      .split('\n')
      .filter((line) => !line.includes('cosign') && !line.includes('--insecure'))
      .join('\n');
    const { status, output } = shell(`set -e\nT=$(mktemp -d)\n${commands}`, pack);
    expect(status).toBe(0);
    expect(output).toContain('Verified OK');
    expect(output).toContain('"predicateType"');
  });
});

describe('other tools', () => {
  test.skipIf(!has('unzip'))('unzip finds the ZIP whole', () => {
    const { status, output } = shell(`unzip -t ${sample.run.zipPath}`);
    expect(status).toBe(0);
    expect(output).toContain('No errors detected');
  });

  test.skipIf(!has('unzip', 'jq'))('a citation of the results leads through the ZIP to the record', () => {
    const observation = JSON.parse(readFileSync(join(pack, 'data/results/observations.ndjson'), 'utf8').split('\n')[1] ?? '') as {
      citations: { file: string; pointer: string; uid: string }[];
    };
    const [citation] = observation.citations;
    const index = citation?.pointer.split('/').at(-1) ?? '';
    const { output } = shell(
      `unzip -p ${sample.run.zipPath} data/${citation?.file ?? ''} | jq -r '.Results[${index}] | fromjson | .resourceId'`,
    );
    expect(output.trim()).toBe(citation?.uid);
  });

  test.skipIf(!has('qpdf'))('qpdf finds the signed report sound', () => {
    expect(shell(`qpdf --check ${join(pack, 'data/report.pdf')}`)).toMatchObject({
      status: 0,
      output: expect.stringContaining('No syntax or stream encoding errors') as string,
    });
  });

  test.skipIf(!has('python3') || shell('python3 -c "import bagit"').status !== 0)('bagit.py finds a valid bag', () => {
    expect(shell(`python3 -m bagit --validate ${pack}`).status).toBe(0);
  });

  test.skipIf(!has('openssl'))('openssl refuses the signature under another root', async () => {
    const other = await sealedSample(await newSigner('Somebody else'));
    const root = join(work, 'other.crt');
    writeFileSync(root, other.sealed.rootPem);
    expect(
      shell(
        `openssl cms -verify -binary -cades -inform DER -in tagmanifest-sha256.txt.p7s -content tagmanifest-sha256.txt -CAfile ${root} -out /dev/null`,
        pack,
      ).status,
    ).not.toBe(0);
  });
});
