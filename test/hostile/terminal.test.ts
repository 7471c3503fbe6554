import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { terminal } from '../../src/cli/console.ts';
import { collectProgress } from '../../src/cli/progress.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { BagInfo } from '../../src/pack/info.ts';
import { writeInstructions } from '../../src/pack/instructions.ts';
import { citationCommand } from '../../src/render/text.ts';
import { visible, visibleLines } from '../../src/text/visible.ts';
import { truth } from '../support/language.ts';
import { has } from '../support/programs.ts';

/** Names and messages of strangers on a terminal, in commands to copy, and in what ends up in a pack. */

afterEach(() => vi.restoreAllMocks());

const nasty = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eevil\u200b\u2028\u2060\r';

describe('on the terminal', () => {
  test('every character that moves, hides or re-orders is written out', () => {
    expect(visible(nasty)).toMatch(/^[\x20-\x7e]*$/);
    expect(visibleLines(nasty)).toMatch(/^[\x20-\x7e]*$/);
  });

  test('messages of a provider, and names of scopes, in progress lines', () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written.push(String(text));
      return true;
    });
    const progress = collectProgress(terminal({ json: false, quiet: false, color: false }));
    progress.scope('aws-config', nasty);
    progress.note('aws-config', nasty, `AccessDenied: ${nasty}`);
    progress.done('aws-config', nasty, 'denied');
    progress.stop();
    expect(written.join('')).toContain('AccessDenied');
    expect(written.join('').replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/);
  });
});

describe('in commands to copy', () => {
  const pointers = ["/a'; touch owned; '", '/$(id)', '/`id`', '/\\(1+1)', '/"; id; "', '/-rf', '/~1~0', '/\u202e', '/}|input_filename'];

  test.each(pointers)('a place named %j stays one quoted word', (pointer) => {
    const command = citationCommand({ file: 'evidence/a/page-000001.json', pointer, encoding: 'json' }) ?? '';
    const words = spawnSync('sh', ['-c', `unzip() { :; }; jq() { printf '%s\\0' "$@"; }; ${command}`], { encoding: 'utf8' });
    expect(words.status).toBe(0);
    expect(words.stdout.split('\0')).toHaveLength(3);
  });

  test.skipIf(!has('jq')).each(pointers)('and jq reads the member %j, no more', (pointer) => {
    const name = pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~');
    const command = (citationCommand({ file: 'evidence/a.json', pointer, encoding: 'json' }) ?? '').replace(/^unzip -p \S+ \S+ \| /, '');
    const answer = spawnSync('sh', ['-c', command], { input: JSON.stringify({ [name]: 'found' }), encoding: 'utf8' });
    expect(answer.stdout).toBe('"found"\n');
  });

  test.each(['evidence/a;id.json', 'evidence/$(id)', 'evidence/../../x', 'evidence/a b', '', 'evidence/*'])(
    'no command for the file %j',
    (file) => {
      expect(citationCommand({ file, pointer: '/0', encoding: 'json' })).toBeNull();
    },
  );

  test('the instructions print names as ASCII only: jq -r hands a terminal what it obeys', () => {
    const bag: BagInfo = {
      info: {
        runId: 'r',
        asOf: '2026-01-02T00:00:00Z',
        tool: { name: 't', version: '1' },
        engagement: { id: 'e', title: 't', entity: 'e', period: { from: '2026-01-01', to: '2026-01-02' } },
        evidenceComplete: true,
        evidenceDigest: 'a',
        catalogue: { name: 'c', version: '1', sha256: 'a' },
      },
      payload: { bytes: 1, files: 1 },
      timestamp: { status: 'not-configured' },
      previousRoot: null,
      signer: { subject: 's', algorithm: 'ES256', rootFingerprint: 'AB', notAfter: '2036-01-01T00:00:00Z' },
      example: { file: 'evidence/a/page-000001.json', pointer: '/Results/1', encoding: 'json-string' },
    };
    const text = writeInstructions(bag);
    const evidence = text.split('\n').filter((line) => line.includes('jq ') && line.includes('data/'));
    expect(evidence.length).toBeGreaterThan(2);
    for (const line of evidence) expect(line).toMatch(/jq -a/);
  });
});

test.each(['{"n":1e999}', '{"n":-1e400}'])('%s is a number to no condition', (json) => {
  for (const operator of ['atLeast', 'atMost', 'lessThan', 'greaterThan'])
    expect(truth({ field: 'n', [operator]: 0 }, JSON.parse(json) as { n: number })).toBe('unknown');
});

test('addresses with a password are refused: they would go into the evidence and the pack', () => {
  const config = (url: string): string =>
    `engagement: { id: a, title: a, entity: a, period: { from: 2026-01-01, to: 2026-01-02 } }\nscopes: { aws: [{ accounts: ["111122223333"], regions: [eu-west-1] }] }\nendpoints: { aws: { config: "${url}" } }\n`;
  expect(() => parseConfig(config('https://user:secret@config.example'), 'exhibit.yaml')).toThrow(/without a user or password/);
  expect(parseConfig(config('https://config.example:8443/a@b'), 'exhibit.yaml').endpoints.aws?.config).toBe(
    'https://config.example:8443/a@b',
  );
});
