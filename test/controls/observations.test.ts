import { expect, describe, test } from 'vitest';
import { observationId } from '../../src/controls/assess/observations.ts';
import { uuidV5 } from '../../src/text/uuid.ts';

describe('ids', () => {
  test('are UUIDs of version 5 over the whole name, however long', () => {
    expect(uuidV5('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const long = '✓'.repeat(50_000);
    expect(uuidV5(long)).not.toBe(uuidV5(`${long}x`));
    const short = uuidV5('a');
    uuidV5(long);
    expect(uuidV5('a')).toBe(short);
  });

  test('tell scopes apart, but not the regions that record an IAM record', () => {
    const id = (type: string, region: string) =>
      observationId('c', 'k', { kind: 'resource', type, uid: 'u', scope: { provider: 'aws', account: '1', region } });
    expect(id('AWS::EC2::Volume', 'a')).not.toBe(id('AWS::EC2::Volume', 'b'));
    expect(id('AWS::IAM::Role', 'a')).toBe(id('AWS::IAM::Role', 'b'));
  });
});
