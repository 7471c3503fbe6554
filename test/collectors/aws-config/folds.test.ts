import { describe, expect, test } from 'vitest';
import { rowFold, totalFold } from '../../../src/collectors/aws-config/folds.ts';

const row = (id: string): string =>
  JSON.stringify({
    arn: `arn:aws:iam::111122223333:policy/${id}`,
    resourceId: id,
    resourceType: 'AWS::IAM::Policy',
    accountId: '111122223333',
    awsRegion: 'global',
  });
const complaintsOf = (ids: readonly string[]): string[] => {
  const fold = rowFold({ type: 'AWS::IAM::Policy', copies: true });
  fold.add({ Results: ids.map(row) }, 'page-000001.json');
  return fold.complaints().map(({ code }) => code);
};

describe('rows of a type that several regions record', () => {
  test('every record as often as every other is as it should be', () => {
    expect(complaintsOf(['a', 'b', 'c'])).toEqual([]);
    expect(complaintsOf(['a', 'b', 'a', 'b'])).toEqual([]);
  });

  test('one that came more often stands in the place of another: rows shifted', () => {
    expect(complaintsOf(['a', 'b', 'a'])).toEqual(['repeated-rows']);
    expect(complaintsOf(['a', 'b', 'c', 'a', 'b', 'b'])).toEqual(['repeated-rows']);
  });
});

describe('a count', () => {
  const counted = (rows: string[], atLeast: number): { count: number | undefined; codes: string[] } => {
    const fold = totalFold(atLeast);
    fold.add({ Results: rows }, 'page-000001.json');
    return { count: fold.total()?.count, codes: fold.complaints().map(({ code }) => code) };
  };

  test('is missing where no row came, or where it says nothing is there and something is', () => {
    expect(counted(['{"COUNT(*)":5}'], 1)).toEqual({ count: 5, codes: [] });
    expect(counted(['{"COUNT(*)":0}'], 0)).toEqual({ count: 0, codes: [] });
    expect(counted(['{"COUNT(*)":0}'], 1)).toEqual({ count: 0, codes: ['count-missing'] });
    expect(counted([], 0)).toEqual({ count: undefined, codes: ['count-missing'] });
    expect(counted(['{"COUNT(*)":"5"}'], 0)).toEqual({ count: undefined, codes: ['count-missing'] });
  });
});
