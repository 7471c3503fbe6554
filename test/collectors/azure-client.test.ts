import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RestError } from '@azure/core-rest-pipeline';
import { describe, expect, test } from 'vitest';
import { azureConnection, classifyAzure, quotaResetMs, retryAfterMs } from '../../src/collectors/azure-client.ts';
import { graphClient } from '../../src/collectors/azure-graph-client.ts';
import { defaultPatience } from '../../src/collectors/rate.ts';
import { hurriedPacers } from '../support/aws.ts';

const tenant = '7d3f2b10-4c55-4e0e-9b7a-5a1c3e8d9f21';
const headers =
  (held: Record<string, string>) =>
  (name: string): string | undefined =>
    held[name];

describe('hints', () => {
  test('quota resets are hh:mm:ss', () => {
    expect([quotaResetMs('00:00:05'), quotaResetMs('01:02:03'), quotaResetMs('5'), quotaResetMs(undefined)]).toEqual([
      5000,
      3_723_000,
      null,
      null,
    ]);
  });

  test('Retry-After in seconds or as a date, in milliseconds, or by the quota header', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(retryAfterMs(headers({ 'retry-after': '7' }), now)).toBe(7000);
    expect(retryAfterMs(headers({ 'retry-after': 'Thu, 01 Jan 2026 00:00:09 GMT' }), now)).toBe(9000);
    expect(retryAfterMs(headers({ 'retry-after-ms': '40' }), now)).toBe(40);
    expect(retryAfterMs(headers({ 'x-ms-user-quota-resets-after': '00:00:03' }), now)).toBe(3000);
    expect(retryAfterMs(headers({}), now)).toBeNull();
  });
});

describe('classification', () => {
  const status = (statusCode: number, code?: string) =>
    classifyAzure(new RestError('m', { statusCode, ...(code === undefined ? {} : { code }) }));

  test.each([
    [status(401), 'expired-credentials', false],
    [status(403), 'access-denied', false],
    [status(400, 'NoValidSubscriptionsInQueryRequest'), 'access-denied', false],
    [status(400, 'InvalidQuery'), 'invalid-request', false],
    [status(400, 'ResponsePayloadTooLarge'), 'payload-too-large', false],
    [status(404), 'not-found', false],
    [status(429), 'throttled', true],
    [status(503), 'server-error', true],
    [status(302), 'malformed-response', true],
    [classifyAzure(new RestError('x', { code: 'ECONNRESET' })), 'connection', true],
    [classifyAzure(new RestError('x', { code: 'PARSE_ERROR', statusCode: 200 })), 'malformed-response', true],
    [classifyAzure(Object.assign(new Error('none'), { name: 'CredentialUnavailableError' })), 'no-credentials', false],
    [classifyAzure(Object.assign(new Error('cut'), { name: 'AbortError' })), 'timeout', true],
    [classifyAzure(new TypeError('bug')), 'client-error', false],
  ] as const)('%o', (failure, code, retry) => {
    expect(failure).toMatchObject({ code, retry });
  });
});

describe('connection', () => {
  test('plain HTTP is for this machine only', () => {
    expect(() => azureConnection({ azure: { resourceManager: 'http://management.example' } }, tenant)).toThrow(/not https/);
    expect(azureConnection({ azure: { resourceManager: 'http://127.0.0.1:9' } }, tenant).origin).toBe('http://127.0.0.1:9');
  });

  test('sovereign clouds have their own endpoint and audience', () => {
    const government = azureConnection({ azure: { cloud: 'AzureUSGovernment' } }, tenant);
    expect(government.origin).toBe('https://management.usgovcloudapi.net');
    expect(government.clientOptions.credentials.scopes).toEqual(['https://management.usgovcloudapi.net/.default']);
    const behind = azureConnection({ azure: { cloud: 'AzureChina', resourceManager: 'https://arm.internal.example' } }, tenant);
    expect([behind.clientOptions.endpoint, behind.clientOptions.credentials.scopes]).toEqual([
      'https://arm.internal.example',
      ['https://management.chinacloudapi.cn/.default'],
    ]);
  });

  test('a nextLink that leads elsewhere is refused: it would carry the token', () => {
    const connection = azureConnection({}, tenant);
    expect(() => connection.accept('https://management.azure.com/x?$skiptoken=1')).not.toThrow();
    for (const link of [
      'https://evil.example/x',
      'http://management.azure.com/x',
      'https://management.azure.com.evil.example/',
      'nonsense',
    ])
      expect(() => connection.accept(link), link).toThrow(/not Resource Manager/);
  });

  test('a response too large is asked for in smaller pages; the quota headers pause everybody; the body is kept as received', async () => {
    const tops: number[] = [];
    const body = '{ "totalRecords":0,"count":0 , "data":[ ],"resultTruncated":"false","note":"\\ud800 é" }';
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const top = (JSON.parse(Buffer.concat(chunks).toString()) as { options: { $top: number } }).options.$top;
        tops.push(top);
        if (top > 250)
          response
            .writeHead(400, { 'content-type': 'application/json' })
            .end('{"error":{"code":"BadRequest","message":"m","details":[{"code":"ResponsePayloadTooLarge","message":"m"}]}}');
        else
          response
            .writeHead(200, {
              'content-type': 'application/json; charset=utf-8',
              'x-ms-request-id': 'r-1',
              'x-ms-tenant-subscription-limit-hit': 'true',
            })
            .end(body);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    try {
      const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      const client = graphClient(
        azureConnection({ azure: { resourceManager: origin } }, tenant),
        { pacers: hurriedPacers(), patience: defaultPatience, signal: new AbortController().signal },
        'key',
        { permits: 15, perMs: 5000 },
      );
      const answer = await client.ask({
        scope: { subscriptions: ['s'] },
        query: 'resources',
        top: 1000,
        skipToken: null,
        ancestors: false,
      });
      expect(tops).toEqual([1000, 500, 250]);
      expect(answer).toMatchObject({
        ok: true,
        value: { body, requestId: 'r-1', httpStatus: 200, gaps: [{ code: 'subscription-limit' }] },
      });
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
