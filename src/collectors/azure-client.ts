import { AsyncLocalStorage } from 'node:async_hooks';
import type { AccessToken, TokenCredential } from '@azure/core-auth';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  isRestError,
  type Pipeline,
  type PipelinePolicy,
  type PipelineResponse,
  RestError,
} from '@azure/core-rest-pipeline';
import { DefaultAzureCredential } from '@azure/identity';
import type { EndpointsConfig } from '../config/schema.ts';
import type { Json } from '../model/index.ts';
import { type Answer, connectionFailure, type Failure, MalformedResponse } from './attempts.ts';

/** Reaching Azure Resource Manager: what the clients of all Azure collectors share. */

const clouds = {
  AzurePublic: { resourceManager: 'https://management.azure.com', authority: 'https://login.microsoftonline.com' },
  AzureUSGovernment: { resourceManager: 'https://management.usgovcloudapi.net', authority: 'https://login.microsoftonline.us' },
  AzureChina: { resourceManager: 'https://management.chinacloudapi.cn', authority: 'https://login.chinacloudapi.cn' },
} as const;

/** A response as it came, with its body both as text and parsed. */
export interface Exchange {
  readonly body: string;
  readonly json: Json;
  readonly status: number;
  readonly requestId: string | null;
  readonly header: (name: string) => string | undefined;
}

export interface AzureConnection {
  readonly tenant: string;
  /** `https://management.azure.com`, or where `endpoints.azure` leads. */
  readonly origin: string;
  readonly credential: TokenCredential;
  /** Options for a Resource Manager client. Retries are ours, so that every attempt is paced and counted. */
  readonly clientOptions: {
    readonly endpoint: string;
    readonly credentials: { readonly scopes: string[] };
    readonly retryOptions: { readonly maxRetries: 0 };
    readonly redirectOptions: { readonly maxRetries: 0 };
    readonly userAgentOptions: { readonly userAgentPrefix: string };
    readonly httpClient: HttpClient;
  };
  /** Who asks, from the claims of the access token: `appid=… oid=… tid=…`. */
  identity(signal: AbortSignal, timeoutMs: number): Promise<Answer<string>>;
  /** Makes a client's calls observable to `exchange`. */
  observe(pipeline: Pipeline): void;
  /** Refuses a nextLink to anywhere but Resource Manager: it would carry our token there. Throws MalformedResponse. */
  accept(link: string): void;
  /** One GET of Resource Manager through a client's own pipeline, for what no SDK of ours covers. `url` may be a nextLink. */
  get(pipeline: Pipeline, url: string): Promise<unknown>;
  /** Runs one SDK call of one request and returns the raw response. Throws the client's errors and MalformedResponse. */
  exchange(call: () => Promise<unknown>, signal: AbortSignal, timeoutMs: number): Promise<Exchange>;
}

function isLoopback(url: URL): boolean {
  return (
    url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(url.hostname))
  );
}

/** Keeps the real pipeline and its bearer tokens, and sends them in the clear to a loopback address only. */
function loopbackClient(origin: string): HttpClient {
  const base = createDefaultHttpClient();
  return {
    async sendRequest(request) {
      const { url, allowInsecureConnection, agent, proxySettings } = request;
      const asked = new URL(url);
      request.url = origin + asked.pathname + asked.search;
      request.allowInsecureConnection = true;
      delete request.agent; // a proxy from the environment must not take loopback traffic
      delete request.proxySettings;
      try {
        return await base.sendRequest(request);
      } finally {
        request.url = url;
        if (allowInsecureConnection !== undefined) request.allowInsecureConnection = allowInsecureConnection;
        if (agent !== undefined) request.agent = agent;
        if (proxySettings !== undefined) request.proxySettings = proxySettings;
      }
    },
  };
}

/** Loopback servers take any token. */
const loopbackCredential: TokenCredential = {
  getToken: (): Promise<AccessToken> => Promise.resolve({ token: 'loopback', expiresOnTimestamp: Date.now() + 86_400_000 }),
};

function identityOf(token: string): string {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
    const shown = ['upn', 'appid', 'oid', 'tid']
      .filter((claim) => typeof claims[claim] === 'string')
      .map((claim) => `${claim}=${String(claims[claim])}`);
    return shown.length > 0 ? shown.join(' ') : 'unknown (the token names nobody)';
  } catch {
    return token === 'loopback' ? 'loopback' : 'unknown (the token is opaque)';
  }
}

interface Slot {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  response: PipelineResponse | null;
}

/** Throws (configuration) when `endpoints.azure.resourceManager` is plain HTTP to anything but this machine. */
export function azureConnection(endpoints: EndpointsConfig, tenant: string): AzureConnection {
  const cloud = clouds[endpoints.azure?.cloud ?? 'AzurePublic'];
  const url = new URL(endpoints.azure?.resourceManager ?? cloud.resourceManager);
  const loopback = isLoopback(url);
  if (url.protocol !== 'https:' && !loopback)
    throw new Error(`endpoints.azure.resourceManager: ${url.origin} is not https (plain http is for loopback addresses only)`);
  const origin = url.origin;
  const scopes = [`${cloud.resourceManager}/.default`];
  const credential = loopback
    ? loopbackCredential
    : new DefaultAzureCredential({ tenantId: tenant, authorityHost: endpoints.azure?.authority ?? cloud.authority });
  const slots = new AsyncLocalStorage<Slot>();
  const endpoint = loopback ? cloud.resourceManager : origin;
  const httpClient = loopback ? loopbackClient(origin) : createDefaultHttpClient();

  function accept(link: string): void {
    const asked = URL.canParse(link) ? new URL(link) : null;
    const known = [new URL(origin).host, new URL(endpoint).host];
    if (asked === null || !known.includes(asked.host) || (asked.protocol !== 'https:' && !loopback))
      throw new MalformedResponse(`the next page is said to be at ${asked?.origin ?? link.slice(0, 100)}, which is not Resource Manager`);
  }

  const capture: PipelinePolicy = {
    name: 'captureRawResponse',
    async sendRequest(request, next) {
      const slot = slots.getStore();
      if (slot === undefined) return next(request);
      request.abortSignal = slot.signal;
      request.timeout = slot.timeoutMs;
      const response = await next(request);
      slot.response = response;
      return response;
    },
  };

  return {
    tenant,
    origin,
    credential,
    clientOptions: {
      endpoint,
      credentials: { scopes },
      retryOptions: { maxRetries: 0 },
      redirectOptions: { maxRetries: 0 },
      userAgentOptions: { userAgentPrefix: 'exhibit' },
      httpClient,
    },
    async identity(signal, timeoutMs) {
      try {
        const token = await credential.getToken(scopes, { abortSignal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
        return { ok: true, value: identityOf(token?.token ?? ''), attempts: 1 };
      } catch (error) {
        const { code, message } = signal.aborted ? { code: 'aborted', message: 'the run was stopped' } : classifyAzure(error);
        return { ok: false, reason: { code, message }, attempts: 1 };
      }
    },
    observe(pipeline) {
      pipeline.addPolicy(capture, { afterPhase: 'Sign' });
    },
    accept,
    async get(pipeline, url) {
      const asked = new URL(url, endpoint);
      accept(asked.toString());
      const request = createPipelineRequest({
        url: asked.toString(),
        method: 'GET',
        headers: createHttpHeaders({ accept: 'application/json' }),
      });
      const response = await pipeline.sendRequest(httpClient, request);
      if (response.status !== 200)
        throw new RestError(response.bodyAsText?.slice(0, 300) ?? 'no body', { statusCode: response.status, request, response });
      return response;
    },
    async exchange(call, signal, timeoutMs) {
      const slot: Slot = { signal, timeoutMs, response: null };
      const answered = (): PipelineResponse | null => slot.response;
      try {
        await slots.run(slot, call);
      } catch (error) {
        // The clients' own errors keep the status and lose the body, which says more.
        const response = answered();
        if (isRestError(error) && response !== null) error.response = response;
        // An answer that came and trips the client over is malformed, whatever the client throws.
        if (
          !isRestError(error) &&
          response?.status === 200 &&
          !(error instanceof MalformedResponse) &&
          (error as Error).name !== 'AbortError'
        )
          throw new MalformedResponse(`the answer is not what was asked for: ${(error as Error).message}`);
        throw error;
      }
      const response = answered();
      if (response === null) throw new Error('the call made no request');
      const body = response.bodyAsText ?? '';
      const type = response.headers.get('content-type') ?? '';
      if (!/^application\/(.*\+)?json\b/i.test(type))
        throw new MalformedResponse(`the answer is ${type === '' ? 'of no stated type' : type}, not JSON`);
      let json: Json;
      try {
        json = JSON.parse(body) as Json;
      } catch (error) {
        throw new MalformedResponse(`the answer is not JSON: ${(error as Error).message}`);
      }
      return {
        body,
        json,
        status: response.status,
        requestId: response.headers.get('x-ms-request-id') ?? response.headers.get('x-ms-correlation-request-id') ?? null,
        header: (name) => response.headers.get(name),
      };
    },
  };
}

/** `hh:mm:ss` in milliseconds; null for anything else. */
export function quotaResetMs(value: string | undefined): number | null {
  const match = /^(\d+):(\d{2}):(\d{2})(?:\.\d+)?$/.exec(value ?? '');
  if (!match) return null;
  return (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])) * 1000;
}

/** `Retry-After` (seconds or a date), `retry-after-ms`, or Resource Graph's own quota header, in milliseconds. */
export function retryAfterMs(header: (name: string) => string | undefined, now: number): number | null {
  const milliseconds = header('retry-after-ms') ?? header('x-ms-retry-after-ms');
  if (milliseconds !== undefined && /^\d+$/.test(milliseconds)) return Number(milliseconds);
  const after = header('retry-after');
  if (after !== undefined) {
    if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000;
    const date = Date.parse(after);
    if (!Number.isNaN(date)) return Math.max(0, date - now);
  }
  return quotaResetMs(header('x-ms-user-quota-resets-after'));
}

const deniedCodes = new Set([
  'authorizationfailed',
  'linkedauthorizationfailed',
  'novalidsubscriptionsinqueryrequest',
  'subscriptionnotfound',
  'invalidsubscriptionid',
  'accessdenied',
  'forbidden',
]);

/** The error's own code inside the body: `{error: {code, details: [{code}]}}`. */
function serviceCodes(error: RestError): string[] {
  const codes: string[] = error.code === undefined ? [] : [error.code];
  try {
    const parsed = JSON.parse(error.response?.bodyAsText ?? 'null') as {
      error?: { code?: unknown; details?: { code?: unknown }[] };
    } | null;
    for (const code of [
      parsed?.error?.code,
      ...(Array.isArray(parsed?.error?.details) ? parsed.error.details.map((detail) => detail?.code) : []),
    ]) {
      if (typeof code === 'string') codes.push(code);
    }
  } catch {
    // an error page that is not JSON says nothing more than its status
  }
  return codes;
}

/** What went wrong with a call to Resource Manager, in the ledger's codes. */
export function classifyAzure(error: unknown): Failure {
  if (
    error instanceof Error &&
    /^(CredentialUnavailable|Authentication|AggregateAuthentication|AuthenticationRequired)Error$/.test(error.name)
  ) {
    return { code: 'no-credentials', message: `no Azure token: ${error.message.split('\n')[0] ?? ''}`, retry: false };
  }
  if (error instanceof Error && error.name === 'AbortError')
    return { code: 'timeout', message: 'no answer within the time allowed', retry: true };
  if (!isRestError(error))
    return (
      connectionFailure(error) ?? { code: 'client-error', message: error instanceof Error ? error.message : String(error), retry: false }
    );
  if (error.code === 'PARSE_ERROR' || error instanceof SyntaxError)
    return { code: 'malformed-response', message: 'the answer is not JSON', retry: true };

  const status = error.statusCode;
  if (status === undefined) return connectionFailure(error) ?? { code: 'connection', message: error.message, retry: true };
  const codes = serviceCodes(error);
  const summary = `HTTP ${status} ${codes[0] ?? ''}: ${error.message.slice(0, 300)}`.replace(/\s+/g, ' ').trim();
  const header = (name: string): string | undefined => error.response?.headers.get(name);
  if (status === 401) return { code: 'expired-credentials', message: summary, retry: false };
  if (status === 403 || codes.some((code) => deniedCodes.has(code.toLowerCase())))
    return { code: 'access-denied', message: summary, retry: false };
  if (status === 429) return { code: 'throttled', message: summary, retry: true, retryAfterMs: retryAfterMs(header, Date.now()) };
  if (status === 408 || status >= 500)
    return { code: 'server-error', message: summary, retry: true, retryAfterMs: retryAfterMs(header, Date.now()) };
  if (codes.some((code) => code.toLowerCase() === 'responsepayloadtoolarge'))
    return { code: 'payload-too-large', message: summary, retry: false };
  if (status === 404) return { code: 'not-found', message: summary, retry: false };
  if (status >= 200 && status < 400) return { code: 'malformed-response', message: summary, retry: true };
  return { code: 'invalid-request', message: summary, retry: false };
}
