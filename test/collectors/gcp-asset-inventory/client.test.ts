import { describe, expect, test } from 'vitest';
import { classifyGcp, connect } from '../../../src/collectors/gcp-asset-inventory/client.ts';
import { defaultPatience } from '../../../src/collectors/rate.ts';
import { hurriedPacers } from '../../support/aws.ts';

const grpc = (code: number, message: string, more: object = {}) => classifyGcp(Object.assign(new Error(message), { code, ...more }));

describe('classification', () => {
  test.each([
    [grpc(3, 'INVALID_ARGUMENT: asset type'), 'invalid-request', false],
    [grpc(3, 'Read time 2026 is in the future'), 'clock-skew', false],
    [grpc(4, 'DEADLINE_EXCEEDED'), 'timeout', true],
    [grpc(7, 'PERMISSION_DENIED'), 'access-denied', false],
    [grpc(7, 'PERMISSION_DENIED', { reason: 'SERVICE_DISABLED' }), 'not-enabled', false],
    [grpc(8, 'RESOURCE_EXHAUSTED'), 'throttled', true],
    [grpc(8, 'RESOURCE_EXHAUSTED: Received message larger than max (99 vs 64)'), 'malformed-response', true],
    [grpc(13, 'Response message parsing error: index out of range'), 'malformed-response', true],
    [grpc(13, 'INTERNAL'), 'server-error', true],
    [grpc(14, 'UNAVAILABLE: read ECONNRESET'), 'connection', true],
    [grpc(14, 'UNAVAILABLE'), 'server-error', true],
    [grpc(16, 'UNAUTHENTICATED'), 'expired-credentials', false],
    [classifyGcp(new Error('Could not load the default credentials.')), 'no-credentials', false],
    [classifyGcp(new Error('invalid_grant')), 'expired-credentials', false],
    [grpc(99, 'FUTURE_CODE'), 'client-error', false],
  ] as const)('%o', (failure, code, retry) => {
    expect(failure).toMatchObject({ code, retry });
  });

  test("the server's RetryInfo is obeyed", () => {
    expect(grpc(8, 'x', { statusDetails: [{ other: 1 }, { retryDelay: { seconds: '3', nanos: 500_000_000 } }] })).toMatchObject({
      retryAfterMs: 3500,
    });
  });
});

test('plain text without credentials is for this machine only', () => {
  const context = { pacers: hurriedPacers(), patience: defaultPatience, signal: new AbortController().signal };
  expect(() => connect({ ...context, endpoints: { gcp: { cloudAsset: 'assets.example:443', insecure: true } } }, undefined)).toThrow(
    /loopback/,
  );
  expect(() => connect({ ...context, endpoints: { gcp: { cloudAsset: 'a:b:c' } } }, undefined)).toThrow(/host or host:port/);
});
