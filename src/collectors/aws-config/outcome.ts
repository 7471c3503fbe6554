import type { JsonObject, LedgerStatus, Reason } from '../../model/index.ts';

/** The operations this collector may call: all read-only. */
export const operations = [
  'SelectResourceConfig',
  'SelectAggregateResourceConfig',
  'GetDiscoveredResourceCounts',
  'GetAggregateDiscoveredResourceCounts',
  'DescribeConfigurationRecorders',
  'DescribeConfigurationRecorderStatus',
  'DescribeConfigurationAggregators',
  'DescribeConfigurationAggregatorSourcesStatus',
  'DescribeConfigRules',
  'DescribeConfigRuleEvaluationStatus',
  'DescribeComplianceByConfigRule',
  'GetComplianceDetailsByConfigRule',
  'DescribeConformancePacks',
  'GetConformancePackComplianceDetails',
] as const;
export type Operation = (typeof operations)[number];

export const failureCodes = [
  'access-denied',
  'expired-credentials',
  'no-credentials',
  'role-not-assumed',
  'throttled',
  'server-error',
  'timeout',
  'connection',
  'malformed-response',
  'clock-skew',
  'expired-token',
  'not-found',
  'invalid-request',
  'aborted',
] as const;
export type FailureCode = (typeof failureCodes)[number];

export interface Failure {
  readonly code: FailureCode;
  /** Operation, what the provider said, attempts and request id: one sentence for people. */
  readonly message: string;
}

export interface Response {
  /** As received. */
  readonly bytes: Uint8Array;
  readonly body: JsonObject;
  readonly requestId: string | null;
  readonly httpStatus: number | null;
  readonly attempts: number;
}

export type CallOutcome = { readonly ok: true; readonly response: Response } | { readonly ok: false; readonly failure: Failure };

const byName: Readonly<Record<string, FailureCode>> = {
  AccessDenied: 'access-denied',
  AccessDeniedException: 'access-denied',
  UnauthorizedOperation: 'access-denied',
  OrganizationAccessDeniedException: 'access-denied',
  NotAuthorized: 'access-denied',
  OptInRequired: 'access-denied',
  UnrecognizedClientException: 'access-denied',
  InvalidClientTokenId: 'access-denied',
  SignatureDoesNotMatch: 'access-denied',
  InvalidSignatureException: 'access-denied',
  IncompleteSignature: 'access-denied',
  ExpiredToken: 'expired-credentials',
  ExpiredTokenException: 'expired-credentials',
  TokenRefreshRequired: 'expired-credentials',
  CredentialsProviderError: 'no-credentials',
  ProviderError: 'no-credentials',
  RoleNotAssumedError: 'role-not-assumed',
  RequestExpired: 'clock-skew',
  RequestTimeTooSkewed: 'clock-skew',
  RequestInTheFuture: 'clock-skew',
  Throttling: 'throttled',
  ThrottlingException: 'throttled',
  ThrottledException: 'throttled',
  RequestThrottled: 'throttled',
  RequestThrottledException: 'throttled',
  RequestLimitExceeded: 'throttled',
  TooManyRequestsException: 'throttled',
  SlowDown: 'throttled',
  LimitExceededException: 'throttled',
  TimeoutError: 'timeout',
  RequestTimeout: 'timeout',
  RequestTimeoutException: 'timeout',
  SyntaxError: 'malformed-response',
  MalformedResponseError: 'malformed-response',
  InternalFailure: 'server-error',
  InternalServerError: 'server-error',
  InternalServerException: 'server-error',
  ServiceUnavailable: 'server-error',
  ServiceUnavailableException: 'server-error',
  InvalidNextTokenException: 'expired-token',
  NoSuchConfigurationAggregatorException: 'not-found',
  NoSuchConfigRuleException: 'not-found',
  NoSuchConfigRuleInConformancePackException: 'not-found',
  NoSuchConformancePackException: 'not-found',
  NoSuchConfigurationRecorderException: 'not-found',
};

const connectionCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
  'HPE_INVALID_CONSTANT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

interface ErrorLike {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly $metadata?: {
    readonly httpStatusCode?: unknown;
    readonly attempts?: unknown;
    readonly requestId?: unknown;
    readonly clockSkewCorrected?: unknown;
  };
  readonly $retryable?: { readonly throttling?: unknown };
}

/** What went wrong, from the SDK's error: by its name first, then its HTTP status, then the network code beneath. Total. */
export function classify(error: unknown): FailureCode {
  if (typeof error !== 'object' || error === null) return 'invalid-request';
  const { name, code, message, cause, $metadata, $retryable } = error as ErrorLike;
  const status = typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : undefined;
  if (name === 'AbortError') return 'aborted';
  const named = typeof name === 'string' && Object.hasOwn(byName, name) ? (byName[name] as FailureCode) : undefined;
  // The SDK marks whatever failed while it set its clock right; what is not there was looked for all the same.
  if ($metadata?.clockSkewCorrected === true && named !== 'not-found') return 'clock-skew';
  // The SDK calls a reset connection a TimeoutError: the code beneath knows better.
  if (typeof code === 'string' && connectionCodes.has(code)) return 'connection';
  if (named !== undefined) return named;
  if ($retryable?.throttling === true || status === 429) return 'throttled';
  if (code === 'ETIMEDOUT' || code === 'ESOCKETTIMEDOUT') return 'timeout';
  if (typeof message === 'string' && /^(aborted|socket hang up|read ECONNRESET|Premature close)$/i.test(message)) return 'connection';
  if (status !== undefined && status >= 500) return 'server-error';
  if (status === 401 || status === 403) return 'access-denied';
  if (status !== undefined && status >= 200 && status < 300) return 'malformed-response';
  if (cause !== undefined && cause !== error) return classify(cause);
  return 'invalid-request';
}

/** How many attempts each kind of failure is worth; what is not listed is not tried again. */
export function attemptsFor(code: FailureCode, maxAttempts: number): number {
  switch (code) {
    case 'throttled':
      return maxAttempts;
    case 'server-error':
    case 'connection':
      return Math.min(maxAttempts, 5);
    case 'timeout':
    case 'malformed-response':
    case 'clock-skew': // the SDK corrects its offset from the answer's Date header and tries again
      return Math.min(maxAttempts, 3);
    default:
      return 1;
  }
}

const remedies: Readonly<Partial<Record<FailureCode, string>>> = {
  'expired-credentials': 'renew the credentials and resume the run',
  'no-credentials': 'provide AWS credentials (environment, profile, or instance role)',
  'role-not-assumed': 'see what answers at the endpoint of AWS STS (a proxy, perhaps)',
  'clock-skew': 'set the clock of this machine',
};

export function failure(operation: string, error: unknown, code: FailureCode = classify(error)): Failure {
  const { name, message, $metadata } = (typeof error === 'object' && error !== null ? error : { message: String(error) }) as ErrorLike;
  const said = [
    typeof name === 'string' && name !== 'Error' ? name.slice(0, 100) : null,
    typeof message === 'string' && message !== '' ? message.slice(0, 500) : null,
  ]
    .filter((part) => part !== null)
    .join(': ');
  const attempts = typeof $metadata?.attempts === 'number' ? $metadata.attempts : 1;
  const requestId = typeof $metadata?.requestId === 'string' ? `, request ${$metadata.requestId}` : '';
  const remedy =
    code === 'access-denied' && (operations as readonly string[]).includes(operation) ? `grant config:${operation}` : remedies[code];
  return {
    code,
    message: `${operation} failed after ${attempts} attempt${attempts === 1 ? '' : 's'} (${said || code}${requestId})${remedy === undefined ? '' : `; ${remedy}`}`,
  };
}

export function reasonOf(failed: Failure): Reason {
  return { code: failed.code, message: failed.message };
}

/** What a failure makes of evidence of which nothing is held. */
export function statusOf(code: FailureCode): Extract<LedgerStatus, 'denied' | 'failed'> {
  return code === 'access-denied' ? 'denied' : 'failed';
}
