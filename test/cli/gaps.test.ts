import { expect, test } from 'vitest';
import { terminal, type Terminal } from '../../src/cli/console.ts';
import { collectionGaps, sayGaps } from '../../src/cli/session.ts';
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
  return saidOf(scopes, []);
}

function saidOf(scopes: readonly unknown[], entries: readonly unknown[]): string[] {
  const lines: string[] = [];
  const here: Terminal = {
    ...terminal({ json: false, quiet: false, color: false }),
    say: (line = '') => {
      lines.push(line);
    },
  };
  sayGaps(here, { scopes, entries } as unknown as Ledger);
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

test('a type that could not be read is named where its scope was', () => {
  const entry = { ...(scope('1', 'partial', 'count-mismatch') as object), type: 'AWS::S3::Bucket' };
  expect(saidOf([scope('1', 'complete')], [entry])).toEqual([
    '  ! 1 scope, count-mismatch: count-mismatch[U+001B][31m in 1',
    '    `exhibit doctor` says what to grant or mend',
  ]);
});

test('a rule that the provider did not evaluate is no gap of the collection, and said', () => {
  const entries = ['1', '2'].map((account) => ({
    ...(scope(account, 'not-recorded', 'policy-not-assigned') as object),
    type: 'verdict:x',
  }));
  expect(saidOf([], entries)).toEqual([
    '  – 1 rule of the provider without a result in 2 scopes: judging tells whether one is needed there',
  ]);
  expect(collectionGaps({ entries } as unknown as Ledger)).toMatchObject({ gaps: [], unevaluated: entries });
  const failed = { ...(scope('1', 'failed', 'timeout') as object), type: 'verdict:x' };
  expect(collectionGaps({ entries: [failed] } as unknown as Ledger)).toMatchObject({ gaps: [failed], unevaluated: [] });
});
