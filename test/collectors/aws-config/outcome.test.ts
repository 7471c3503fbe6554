import { describe, expect, test } from 'vitest';
import { attemptsFor, classify, failure, type FailureCode, failureCodes, statusOf } from '../../../src/collectors/aws-config/outcome.ts';

const error = (name: string, fields: object = {}): Error => Object.assign(new Error(`${name} said so`), { name }, fields);

describe('classify', () => {
  const cases: [FailureCode, unknown][] = [
    ['access-denied', error('AccessDeniedException')],
    ['access-denied', error('AccessDenied', { $metadata: { httpStatusCode: 403 } })],
    ['access-denied', error('UnrecognizedClientException')],
    ['access-denied', error('SomethingNew', { $metadata: { httpStatusCode: 403 } })],
    ['expired-credentials', error('ExpiredTokenException')],
    ['expired-credentials', error('ExpiredToken', { $metadata: { httpStatusCode: 403 } })],
    ['no-credentials', error('CredentialsProviderError')],
    ['throttled', error('ThrottlingException')],
    ['throttled', error('NewThrottle', { $retryable: { throttling: true } })],
    ['throttled', error('Whatever', { $metadata: { httpStatusCode: 429 } })],
    ['server-error', error('InternalFailure', { $metadata: { httpStatusCode: 500 } })],
    ['server-error', error('Unheard', { $metadata: { httpStatusCode: 503 } })],
    ['timeout', error('TimeoutError')],
    ['timeout', error('Error', { code: 'ETIMEDOUT' })],
    ['connection', error('Error', { code: 'ECONNRESET' })],
    ['connection', error('Error', { code: 'ECONNREFUSED' })],
    ['connection', error('TimeoutError', { code: 'ECONNRESET' })],
    ['connection', Object.assign(new Error('aborted'), { name: 'Error' })],
    ['connection', error('Error', { cause: error('Error', { code: 'ENOTFOUND' }) })],
    ['malformed-response', new SyntaxError('Unexpected token <')],
    ['malformed-response', error('Odd', { $metadata: { httpStatusCode: 200 } })],
    ['clock-skew', error('InvalidSignatureException', { $metadata: { clockSkewCorrected: true } })],
    ['not-found', error('NoSuchConformancePackException', { $metadata: { clockSkewCorrected: true } })],
    ['expired-token', error('InvalidNextTokenException')],
    ['not-found', error('NoSuchConfigurationAggregatorException')],
    ['aborted', error('AbortError')],
    ['invalid-request', error('InvalidExpressionException', { $metadata: { httpStatusCode: 400 } })],
    ['invalid-request', 'a string'],
    ['invalid-request', null],
    ['invalid-request', undefined],
  ];
  test.each(cases)('%s', (code, thrown) => {
    expect(classify(thrown)).toBe(code);
  });

  test('a name from the prototype chain is no class of error', () => {
    expect(classify(error('constructor'))).toBe('invalid-request');
    expect(classify(error('__proto__'))).toBe('invalid-request');
  });
});

test('what cannot get better is not tried again, and everything else only so often', () => {
  for (const code of failureCodes) {
    const attempts = attemptsFor(code, 8);
    expect(attempts).toBeGreaterThanOrEqual(1);
    expect(attempts).toBeLessThanOrEqual(8);
  }
  expect(attemptsFor('access-denied', 8)).toBe(1);
  expect(attemptsFor('expired-credentials', 8)).toBe(1);
  expect(attemptsFor('throttled', 8)).toBe(8);
});

test('a failure says operation, cause, attempts, request id and what to grant', () => {
  const denied = failure('DescribeConfigRules', error('AccessDeniedException', { $metadata: { attempts: 1, requestId: 'r-1' } }));
  expect(denied).toEqual({
    code: 'access-denied',
    message:
      'DescribeConfigRules failed after 1 attempt (AccessDeniedException: AccessDeniedException said so, request r-1); grant config:DescribeConfigRules',
  });
  expect(statusOf(denied.code)).toBe('denied');
  expect(failure('SelectResourceConfig', error('ThrottlingException', { $metadata: { attempts: 8 } })).message).toContain(
    'after 8 attempts',
  );
});
