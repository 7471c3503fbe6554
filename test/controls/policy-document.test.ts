import { describe, expect, test } from 'vitest';
import { coversAction, narrowedBy, policyStatements, wildcard } from '../../src/controls/access/policy-document.ts';
import type { Json } from '../../src/model/index.ts';

describe('policy documents', () => {
  test('are read in every encoding, or not at all', () => {
    const document = { Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }] };
    for (const policy of [
      document,
      JSON.stringify(document),
      encodeURIComponent(JSON.stringify(document)),
      JSON.stringify(JSON.stringify(document)),
    ])
      expect(policyStatements(policy)).toHaveLength(1);
    for (const policy of ['{', 7, null, undefined, { Statement: ['x'] }, { Statement: [{ Effect: 'maybe' }] }])
      expect(policyStatements(policy as Json)).toBeNull();
  });

  test('wildcards', () => {
    expect(
      [
        ['*', ''],
        ['a*', 'abc'],
        ['a?c', 'abc'],
        ['*c', 'abc'],
        ['a*b*c', 'a--b--c'],
      ].every(([pattern, text]) => wildcard(pattern as string, text as string)),
    ).toBe(true);
    expect(
      [
        ['a?', 'a'],
        ['a*b', 'ac'],
        ['', 'a'],
        ['abc', 'ab'],
      ].some(([pattern, text]) => wildcard(pattern as string, text as string)),
    ).toBe(false);
    const started = performance.now();
    wildcard('*a*a*a*a*a*a*a*a*b', 'a'.repeat(20_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('actions compare without case, and one that names none cannot be read', () => {
    const [statement] = policyStatements({ Statement: [{ Effect: 'Allow', Action: 'KMS:decrypt', Resource: '*' }] }) ?? [];
    expect(statement && coversAction(statement, 'kms:Decrypt')).toBe(true);
    expect(policyStatements({ Statement: [{ Effect: 'Allow', Resource: '*' }] })).toBeNull();
  });

  test.each<Json>([[], '', ['']])('one whose actions or resources were lost cannot be read: %j', (lost) => {
    expect(policyStatements({ Statement: [{ Effect: 'Allow', Action: lost, Resource: '*' }] })).toBeNull();
    expect(policyStatements({ Statement: [{ Effect: 'Allow', Action: '*', Resource: lost }] })).toBeNull();
  });

  test.each<Json>([
    'x',
    '',
    [],
    {},
    { AWS: '' },
    { AWS: [] },
    { AWS: 'x' },
    { AWS: ['111122223333', 'everyone'] },
    { Other: '*' },
    { aws: '*' },
  ])('one that names no principal in a form that AWS has cannot be read: %j', (principal) => {
    expect(policyStatements({ Statement: [{ Effect: 'Allow', Principal: principal, Action: '*' }] }, 'resource')).toBeNull();
  });

  test.each<Json>([
    '*',
    { AWS: '*' },
    { AWS: ['111122223333', 'arn:aws:iam::111122223333:root', 'AROAEXAMPLE1234567890'] },
    { Service: 'logs.amazonaws.com', Federated: 'accounts.google.com' },
    { CanonicalUser: 'a'.repeat(64) },
  ])('a principal in a form that AWS has: %j', (principal) => {
    expect(policyStatements({ Statement: [{ Effect: 'Allow', Principal: principal, Action: '*' }] }, 'resource')).toHaveLength(1);
  });

  test('a condition with a wildcard bounds nobody', () => {
    expect(narrowedBy({ StringLike: { 'kms:CallerAccount': '*' } })).toEqual({
      accounts: null,
      arns: null,
      organizations: null,
      accessPoints: null,
      networks: null,
    });
    expect(narrowedBy({ StringEquals: { 'kms:CallerAccount': ['${aws:x}'] } }).accounts).toBeNull();
  });

  test('a condition compares with numbers too, and bounds nobody by what is no value', () => {
    expect(narrowedBy({ StringEquals: { 'aws:PrincipalAccount': ['111122223333', 444455556666] } }).accounts).toEqual([
      '111122223333',
      '444455556666',
    ]);
    expect(narrowedBy({ StringEquals: { 'aws:PrincipalAccount': ['111122223333', null] } }).accounts).toBeNull();
    expect(narrowedBy({ ArnLike: { 'aws:PrincipalArn': ['arn:aws:iam::111122223333:role/a', {}] } }).arns).toBeNull();
  });
});
