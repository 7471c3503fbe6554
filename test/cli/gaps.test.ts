import { expect, test } from 'vitest';
import { terminal, type Terminal } from '../../src/cli/console.ts';
import { sayGaps } from '../../src/cli/session.ts';
import type { Ledger } from '../../src/model/index.ts';

const scope = (account: string, status: string, ...codes: string[]): unknown => ({
  collector: 'aws-config',
  provider: 'aws',
  account,
  region: 'eu-west-1',
  status,
  reasons: codes.map((code) => ({ code, message: `${code}\u001b[31m in ${account}` })),
});

function said(...scopes: unknown[]): string[] {
  const lines: string[] = [];
  const here: Terminal = {
    ...terminal({ json: false, quiet: false, color: false }),
    say: (line = '') => {
      lines.push(line);
    },
  };
  sayGaps(here, { scopes } as unknown as Ledger);
  return lines;
}

test('a collection with gaps names each cause once, with how many scopes it hit', () => {
  expect(
    said(scope('1', 'failed', 'no-credentials'), scope('2', 'failed', 'no-credentials'), scope('3', 'denied', 'access-denied')),
  ).toEqual([
    '  ! 2 scopes, no-credentials: no-credentials[U+001B][31m in 1',
    '  ! 1 scope, access-denied: access-denied[U+001B][31m in 3',
    '    `exhibit doctor` says what to grant or mend',
  ]);
});

test('a whole one says nothing, and many causes are cut with their number', () => {
  expect(said(scope('1', 'complete'), scope('2', 'excluded', 'global-type-elsewhere'))).toEqual([]);
  expect(said(scope('1', 'failed', 'a', 'b', 'c', 'd', 'e', 'f', 'g')).slice(-2)).toEqual([
    '    and 2 more causes',
    '    `exhibit doctor` says what to grant or mend',
  ]);
});
