import {
  type ConfigServiceClientConfig,
  ConfigServiceClient,
  DescribeComplianceByConfigRuleCommand,
  DescribeConfigRuleEvaluationStatusCommand,
  DescribeConfigRulesCommand,
  DescribeConfigurationAggregatorsCommand,
  DescribeConfigurationAggregatorSourcesStatusCommand,
  DescribeConfigurationRecordersCommand,
  DescribeConfigurationRecorderStatusCommand,
  DescribeConformancePacksCommand,
  GetAggregateDiscoveredResourceCountsCommand,
  GetComplianceDetailsByConfigRuleCommand,
  GetConformancePackComplianceDetailsCommand,
  GetDiscoveredResourceCountsCommand,
  SelectAggregateResourceConfigCommand,
  SelectResourceConfigCommand,
} from '@aws-sdk/client-config-service';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { JsonObject } from '../../model/index.ts';
import { backoff, type Pacer, type Patience } from '../rate.ts';
import { checkBody, checkIdentityBody, readBody } from './answer.ts';
import { attemptsFor, type CallOutcome, classify, type Failure, failure, type FailureCode, type Operation } from './outcome.ts';

type Credentials = NonNullable<ConfigServiceClientConfig['credentials']>;
type CredentialProvider = Extract<Credentials, (...args: never[]) => unknown>;

export interface ConnectionOptions {
  readonly region: string;
  readonly configEndpoint?: string | undefined;
  readonly stsEndpoint?: string | undefined;
  readonly credentials: CredentialProvider;
  readonly pacer: Pacer;
  readonly patience: Patience;
}

export interface CredentialOptions {
  readonly region: string;
  readonly profile?: string | undefined;
  /** ARN of a role to assume with the default chain's credentials; absent: those credentials themselves. */
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
  readonly stsEndpoint?: string | undefined;
  readonly patience: Patience;
}

/** One account and region's Config: every call answers with a value, whatever the provider does. */
export interface Connection {
  readonly endpoint: string;
  /** Local clock minus the provider's, by the answers' Date headers: the furthest seen; null before one. Milliseconds. */
  clockOffset(): number | null;
  /** About this many requests are still to come: who has most goes first where there is a choice. */
  expect(requests: number): void;
  call(operation: Operation, input: JsonObject, signal: AbortSignal): Promise<CallOutcome>;
  identity(signal: AbortSignal): Promise<{ ok: true; account: string; arn: string } | { ok: false; failure: Failure }>;
  close(): void;
}

/** The default chain, or a role assumed with it. Remembered until five minutes before it expires, and shared by all regions of an account. */
export function credentialProvider(options: CredentialOptions): CredentialProvider {
  const base = fromNodeProviderChain(options.profile === undefined ? {} : { profile: options.profile });
  const provider =
    options.roleArn === undefined
      ? base
      : fromTemporaryCredentials({
          masterCredentials: base,
          params: {
            RoleArn: options.roleArn,
            RoleSessionName: 'exhibit',
            ...(options.externalId === undefined ? {} : { ExternalId: options.externalId }),
          },
          clientConfig: {
            region: options.region,
            ...(options.stsEndpoint === undefined ? {} : { endpoint: options.stsEndpoint }),
            requestHandler: requestHandler(options.patience),
            maxAttempts: options.patience.maxAttempts,
            retryStrategy: retryStrategy(options.patience, null, () => false),
          },
          clientPlugins: [identityAnswers(options.patience)],
        });
  let current: Promise<Awaited<ReturnType<typeof provider>>> | null = null;
  return async () => {
    const known = current === null ? null : await current.catch(() => null);
    if (known !== null && (known.expiration === undefined || known.expiration.getTime() - Date.now() > 300_000)) return known;
    current = provider({ callerClientConfig: { region: () => Promise.resolve(options.region) } }).catch((error: unknown) => {
      throw classify(error) === 'malformed-response' ? new RoleNotAssumedError(options.roleArn ?? '', error) : error;
    });
    return current;
  };
}

/** AWS STS was asked for the role's credentials as often as is worth it, and gave no answer that is one. */
class RoleNotAssumedError extends Error {
  override readonly name = 'RoleNotAssumedError';
  readonly $metadata: { attempts?: number };
  constructor(role: string, cause: unknown) {
    super(`AssumeRole of ${role}: ${(cause as Error).message}`, { cause });
    this.$metadata = { ...(cause as { $metadata?: { attempts?: number } }).$metadata };
  }
}

type Plugin = Parameters<STSClient['middlewareStack']['use']>[0];

/** Reads each answer of AWS STS before the SDK does, within the attempts: one that is none is then tried again. */
function identityAnswers(patience: Patience): Plugin {
  return {
    applyToStack: (stack) => {
      stack.add(
        (next, context) => async (args) => {
          const result = await next(args);
          const response = result.response as { statusCode: number; body: unknown };
          const bytes = await readBody(response.body, patience.requestTimeoutMs);
          response.body = bytes;
          checkIdentityBody(String(context.commandName).replace(/Command$/, ''), bytes, response.statusCode);
          return result;
        },
        { step: 'deserialize', priority: 'low', name: 'readAnswer', override: true },
      );
    },
  };
}

function requestHandler(patience: Patience): NodeHttpHandler {
  return new NodeHttpHandler({
    connectionTimeout: patience.connectTimeoutMs,
    requestTimeout: patience.requestTimeoutMs,
    throwOnRequestTimeout: true,
    httpAgent: { keepAlive: true, maxSockets: 8 },
    httpsAgent: { keepAlive: true, maxSockets: 8 },
  });
}

interface RetryToken {
  getRetryCount(): number;
  getRetryDelay(): number;
}

/** After this many calls in a row that came to nothing for one of these causes, further ones are tried once only. */
const patientFor = 4;
const wearing = new Set<FailureCode>(['timeout', 'connection', 'expired-credentials', 'no-credentials', 'role-not-assumed']);

/**
 * Retries by what went wrong, each kind a bounded number of times; a throttled answer also holds back the scope's other calls.
 * `worn`: nothing has answered for so long that waiting again is not worth it.
 */
function retryStrategy(
  patience: Patience,
  pacer: Pacer | null,
  worn: () => boolean,
): NonNullable<ConfigServiceClientConfig['retryStrategy']> {
  const token = (count: number, delay: number): RetryToken => ({ getRetryCount: () => count, getRetryDelay: () => delay });
  return {
    acquireInitialRetryToken: () => Promise.resolve(token(0, 0)),
    refreshRetryTokenForRetry: (last: RetryToken, info: { error?: unknown; retryAfterHint?: Date }) => {
      const failed = last.getRetryCount() + 1;
      const code = classify(info.error);
      if (failed >= (worn() ? 1 : attemptsFor(code, patience.maxAttempts))) return Promise.reject(new Error('no attempts left'));
      const hint = info.retryAfterHint === undefined ? undefined : info.retryAfterHint.getTime() - Date.now();
      const delay = backoff(patience, failed, hint);
      if (code === 'throttled') pacer?.pause(delay);
      return Promise.resolve(token(failed, delay));
    },
    recordSuccess: () => undefined,
  };
}

type AnyCommand = Parameters<ConfigServiceClient['send']>[0];

/** The commands differ in their inputs and outputs only, which are JSON to us. */
const untyped = (command: unknown): AnyCommand => command as AnyCommand;

/** The input is JSON built by queries.ts; the SDK's serialiser is the judge of its shape. */
const commands: Readonly<Record<Operation, (input: JsonObject) => AnyCommand>> = {
  SelectResourceConfig: (input) => untyped(new SelectResourceConfigCommand(input as never)),
  SelectAggregateResourceConfig: (input) => untyped(new SelectAggregateResourceConfigCommand(input as never)),
  GetDiscoveredResourceCounts: (input) => untyped(new GetDiscoveredResourceCountsCommand(input)),
  GetAggregateDiscoveredResourceCounts: (input) => untyped(new GetAggregateDiscoveredResourceCountsCommand(input as never)),
  DescribeConfigurationRecorders: (input) => untyped(new DescribeConfigurationRecordersCommand(input)),
  DescribeConfigurationRecorderStatus: (input) => untyped(new DescribeConfigurationRecorderStatusCommand(input)),
  DescribeConfigurationAggregators: (input) => untyped(new DescribeConfigurationAggregatorsCommand(input)),
  DescribeConfigurationAggregatorSourcesStatus: (input) => untyped(new DescribeConfigurationAggregatorSourcesStatusCommand(input as never)),
  DescribeConfigRules: (input) => untyped(new DescribeConfigRulesCommand(input)),
  DescribeConfigRuleEvaluationStatus: (input) => untyped(new DescribeConfigRuleEvaluationStatusCommand(input)),
  DescribeComplianceByConfigRule: (input) => untyped(new DescribeComplianceByConfigRuleCommand(input)),
  GetComplianceDetailsByConfigRule: (input) => untyped(new GetComplianceDetailsByConfigRuleCommand(input as never)),
  DescribeConformancePacks: (input) => untyped(new DescribeConformancePacksCommand(input)),
  GetConformancePackComplianceDetails: (input) => untyped(new GetConformancePackComplianceDetailsCommand(input as never)),
};

/** What the SDK is given to read in the place of an answer that is read here: pages are large, and nobody looks at its version of them. */
const nothingToRead = Buffer.from('{}');

async function attempt<T>(work: () => Promise<T>, note: (error: unknown) => void): Promise<T> {
  try {
    return await work();
  } catch (error) {
    note(error);
    throw error;
  }
}

/** The error that an answer spells out, as far as classifying it needs. */
function errorIn(body: JsonObject, httpStatusCode: number): Error {
  const name = typeof body['__type'] === 'string' ? (body['__type'].split('#').at(-1) ?? '') : 'Error';
  const said = body['message'] ?? body['Message'];
  return Object.assign(new Error(typeof said === 'string' ? said : ''), { name, $metadata: { httpStatusCode } });
}

function withAttempts(error: unknown, attempts: number): unknown {
  if (!(error instanceof Error)) return error;
  return Object.assign(error, { $metadata: { ...(error as { $metadata?: object }).$metadata, attempts } });
}

export function connect(options: ConnectionOptions): Connection {
  const { region, pacer, patience } = options;
  let failuresInRow = 0;
  const shared = {
    region,
    credentials: options.credentials,
    maxAttempts: patience.maxAttempts,
    retryStrategy: retryStrategy(patience, pacer, () => failuresInRow >= patientFor),
    requestHandler: requestHandler(patience),
  };
  const config = new ConfigServiceClient({
    ...shared,
    ...(options.configEndpoint === undefined ? {} : { endpoint: options.configEndpoint }),
  });
  let sts: STSClient | null = null;
  let offset: number | null = null;

  /** The run's signal and the call's own deadline, told apart afterwards. */
  async function bounded<T>(
    signal: AbortSignal,
    operation: string,
    work: (both: AbortSignal, note: (error: unknown) => void) => Promise<T>,
  ): Promise<{ ok: true; value: T } | { ok: false; failure: Failure }> {
    const deadline = new AbortController();
    let last: unknown = null;
    const timer = setTimeout(() => {
      deadline.abort(new Error('deadline'));
    }, patience.callDeadlineMs);
    try {
      if (signal.aborted) return { ok: false, failure: failure(operation, new Error('the run was stopped'), 'aborted') };
      return {
        ok: true,
        value: await work(AbortSignal.any([signal, deadline.signal]), (error) => {
          if (classify(error) !== 'aborted') last = error;
        }),
      };
    } catch (error) {
      if (signal.aborted) return { ok: false, failure: failure(operation, new Error('the run was stopped'), 'aborted') };
      if (deadline.signal.aborted) return { ok: false, failure: outOfTime(operation, last) };
      return { ok: false, failure: failure(operation, error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** What kept the call from an answer is its cause; the deadline only ended the waiting. */
  function outOfTime(operation: string, last: unknown): Failure {
    const cause = last === null ? null : failure(operation, last);
    const waited = `no answer within ${patience.callDeadlineMs} ms, retries included`;
    return cause === null ? failure(operation, new Error(waited), 'timeout') : { code: cause.code, message: `${cause.message}; ${waited}` };
  }

  return {
    endpoint: options.configEndpoint ?? `https://config.${region}.amazonaws.com`,
    clockOffset: () => offset,
    expect: (requests) => {
      pacer.expect(requests);
    },
    async call(operation, input, signal) {
      const command = commands[operation](input);
      let received: { readonly bytes: Uint8Array; readonly body: JsonObject } | null = null;
      let attempts = 0;
      const outcome = await bounded(signal, operation, async (both, note) => {
        // Innermost step: sees each attempt's answer before the SDK reads it, and keeps the bytes as they came.
        command.middlewareStack.add(
          (next) => async (args) => {
            const permit = await pacer.take(both);
            attempts += 1;
            const { result, response, bytes } = await attempt(
              async () => {
                const result = await next(args);
                const response = result.response as { statusCode: number; headers: Record<string, string>; body: unknown };
                return { result, response, bytes: await readBody(response.body, patience.requestTimeoutMs) };
              },
              (error) => {
                note(withAttempts(error, attempts));
              },
            ).finally(() => permit.answered());
            response.body = bytes;
            const date = Date.parse(response.headers['date'] ?? '');
            const apart = Date.now() - date;
            if (!Number.isNaN(date) && (offset === null || Math.abs(apart) > Math.abs(offset))) offset = apart;
            const body = checkBody(bytes, response.statusCode);
            if (response.statusCode >= 400) note(withAttempts(errorIn(body, response.statusCode), attempts));
            else {
              received = { bytes, body };
              response.body = nothingToRead;
            }
            return result;
          },
          { step: 'deserialize', priority: 'low', name: 'keepBytes' },
        );
        const { $metadata } = await config.send(command, { abortSignal: both });
        return $metadata;
      });
      failuresInRow = !outcome.ok && wearing.has(outcome.failure.code) ? failuresInRow + 1 : 0;
      if (!outcome.ok) return outcome;
      const answer = received as { readonly bytes: Uint8Array; readonly body: JsonObject } | null;
      if (answer === null) return { ok: false, failure: { code: 'malformed-response', message: `${operation} ended without a body` } };
      const { requestId, httpStatusCode } = outcome.value;
      return { ok: true, response: { ...answer, requestId: requestId ?? null, httpStatus: httpStatusCode ?? null, attempts } };
    },
    async identity(signal) {
      if (sts === null) {
        sts = new STSClient({ ...shared, ...(options.stsEndpoint === undefined ? {} : { endpoint: options.stsEndpoint }) });
        sts.middlewareStack.use(identityAnswers(patience));
      }
      const client = sts;
      const outcome = await bounded(signal, 'GetCallerIdentity', (both) =>
        client.send(new GetCallerIdentityCommand({}), { abortSignal: both }),
      );
      if (!outcome.ok) return outcome;
      const { Account, Arn } = outcome.value;
      if (Account === undefined || Arn === undefined)
        return { ok: false, failure: { code: 'malformed-response', message: 'GetCallerIdentity named no account' } };
      return { ok: true, account: Account, arn: Arn };
    },
    close() {
      config.destroy();
      sts?.destroy();
    },
  };
}
