import { describe, expect, test } from 'vitest';
import {
  complianceCountExpression,
  directScopes,
  isGlobal,
  partitionOf,
  recordsIam,
  roleArn,
  selectExpression,
} from '../../../src/collectors/aws-config/queries.ts';

describe('selectExpression', () => {
  test('names its columns, the configuration among them, and pins the type', () => {
    const expression = selectExpression('AWS::S3::Bucket');
    expect(expression).toMatch(/^SELECT .*\bconfiguration, supplementaryConfiguration\b.* WHERE resourceType = 'AWS::S3::Bucket'$/);
    expect(expression).not.toContain('*');
    expect(expression.length).toBeLessThanOrEqual(4096);
  });
  test('what is no resource type never becomes part of a query', () => {
    for (const hostile of ["AWS::S3::Bucket' OR '1'='1", '', 'S3', 'AWS::S3::Bucket; DROP'])
      expect(() => selectExpression(hostile)).toThrow('not an AWS resource type');
  });
  test('leaves out accounts, as many as a query can hold', () => {
    expect(selectExpression('AWS::S3::Bucket', ['111122223333', '222233334444'])).toContain(
      "AND accountId != '111122223333' AND accountId != '222233334444'",
    );
    expect(() =>
      selectExpression(
        'AWS::S3::Bucket',
        Array.from({ length: 300 }, (_, index) => String(100000000000 + index)),
      ),
    ).toThrow('300 accounts');
  });
});

test('a rule name that would break out of its quotes is not counted', () => {
  expect(complianceCountExpression('our rule-1')).toContain("configRuleName = 'our rule-1'");
  for (const hostile of ["x' OR '1'='1", 'a"b', 'a\\b', 'a\nb', '']) expect(complianceCountExpression(hostile)).toBeNull();
});

test('roles: a pattern, a bare name, another partition, none', () => {
  expect(roleArn('arn:aws:iam::{account}:role/audit/Reader', '111122223333', 'eu-west-1')).toBe(
    'arn:aws:iam::111122223333:role/audit/Reader',
  );
  expect(roleArn('Reader', '111122223333', 'us-gov-west-1')).toBe('arn:aws-us-gov:iam::111122223333:role/Reader');
  expect(roleArn('Reader', '111122223333', 'cn-north-1')).toBe('arn:aws-cn:iam::111122223333:role/Reader');
  expect(roleArn(undefined, '111122223333', 'eu-west-1')).toBeUndefined();
  expect(partitionOf('eu-west-1')).toBe('aws');
});

test('an account and region that is configured twice is read once, as configured first', () => {
  const scopes = directScopes([
    { accounts: ['111122223333'], regions: ['eu-west-1', 'us-east-1'], role: 'A' },
    { accounts: ['111122223333', '222233334444'], regions: ['eu-west-1'], role: 'B' },
  ]);
  expect(scopes.map(({ account, region, scope }) => `${account} ${region} ${scope.role ?? ''}`)).toEqual([
    '111122223333 eu-west-1 A',
    '111122223333 us-east-1 A',
    '222233334444 eu-west-1 B',
  ]);
});

test('IAM is global, and not recorded in regions opened after February 2022', () => {
  expect(isGlobal('AWS::IAM::Role')).toBe(true);
  expect(isGlobal('AWS::S3::Bucket')).toBe(false);
  expect(recordsIam('eu-west-1')).toBe(true);
  expect(recordsIam('il-central-1')).toBe(false);
});
