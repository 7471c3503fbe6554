import { describe, expect, test } from 'vitest';
import { readDocument } from '../../../src/collectors/aws-config/read-document.ts';
import type { JsonObject } from '../../../src/model/index.ts';

const hint = { type: 'AWS::EC2::Volume', id: 'case-1' };
const item: JsonObject = {
  resourceType: 'AWS::EC2::Volume',
  resourceId: 'vol-1',
  arn: 'arn:aws:ec2:eu-west-1:111122223333:volume/vol-1',
  accountId: '111122223333',
  awsRegion: 'eu-west-1',
  configurationItemStatus: 'OK',
  configurationItemCaptureTime: '2026-10-01T10:00:00.000Z',
  configuration: { encrypted: true },
};
const same = [{ uid: item['arn'], account: '111122223333', document: { configuration: { encrypted: true } } }];

describe('one item', () => {
  test.each([
    ['as GetAggregateResourceConfig answers', { ConfigurationItem: { ...item, configuration: '{"encrypted":true}' } }],
    ['in a list', [item]],
    ['in a list as text', JSON.stringify([item])],
    ['in a notification', { Type: 'Notification', Message: JSON.stringify({ configurationItem: item, messageType: 'x' }) }],
    ['in text with a byte order mark', `\uFEFF${JSON.stringify(item)}`],
    [
      'in a notification that calls a function',
      { Records: [{ EventSource: 'aws:sns', Sns: { Message: JSON.stringify({ configurationItem: item }) } }] },
    ],
    [
      'in a notification that a queue hands on',
      { Records: [{ messageId: 'm-1', body: JSON.stringify({ Message: JSON.stringify({ configurationItem: item }) }) }] },
    ],
    ['in a message of a queue', { Messages: [{ MessageId: 'm-1', Body: JSON.stringify({ detail: { configurationItem: item } }) }] }],
    ['in an event of a bus', { source: 'aws.config', detail: { configurationItem: item } }],
    [
      'with capitals, its words in objects',
      {
        ResourceType: { Value: 'AWS::EC2::Volume' },
        ResourceId: 'vol-1',
        Arn: item['arn'],
        AccountId: '111122223333',
        AwsRegion: 'eu-west-1',
        ConfigurationItemStatus: { Value: 'OK' },
        Configuration: '{"encrypted":true}',
      } as JsonObject,
    ],
  ])('%s', (_name, document) => {
    expect(readDocument(document, hint)).toMatchObject(same);
  });

  test('with capitals, and gone', () => {
    expect(readDocument({ ResourceType: 'AWS::EC2::Volume', ConfigurationItemStatus: { Value: 'ResourceDeleted' } }, hint)).toEqual([]);
  });

  test('an empty list holds nothing that could be read', () => {
    expect(readDocument([], hint)).toBeNull();
    expect(readDocument([item, 1], hint)).toBeNull();
  });
});

describe('a history', () => {
  const before: JsonObject = { ...item, configurationItemCaptureTime: '2026-01-01T10:00:00.000Z', configuration: { encrypted: false } };
  const { arn: _arn, accountId: _account, ...bare } = item;
  const gone: JsonObject = {
    ...bare,
    configurationItemStatus: 'ResourceDeleted',
    configurationItemCaptureTime: '2026-11-01T10:00:00.000Z',
  };

  test('the last state counts, in either order', () => {
    expect(readDocument({ configurationItems: [item, before] }, hint)).toMatchObject(same);
    expect(readDocument({ configurationItems: [before, item] }, hint)).toMatchObject(same);
    const messages = [item, before].map((configurationItem) => ({ Body: JSON.stringify({ configurationItem }) }));
    expect(readDocument({ Messages: messages }, hint)).toMatchObject(same);
    expect(readDocument({ Messages: messages }, hint)).toHaveLength(1);
  });
  test('what is gone is not judged by what it was', () => {
    expect(readDocument({ configurationItems: [gone, item, before] }, hint)).toEqual([]);
  });
  test('different resources stay, and so does everything that bears no time', () => {
    expect(readDocument({ configurationItems: [item, { ...before, resourceId: 'vol-2' }] }, hint)).toHaveLength(2);
    expect(readDocument({ configurationItems: [item, { ...before, configurationItemCaptureTime: null }] }, hint)).toHaveLength(2);
  });
});
