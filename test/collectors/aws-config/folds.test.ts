import { describe, expect, test } from 'vitest';
import { rowFold } from '../../../src/collectors/aws-config/folds.ts';

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
