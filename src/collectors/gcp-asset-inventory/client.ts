import { createRequire } from 'node:module';
import { AssetServiceClient, protos } from '@google-cloud/asset';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import type { EndpointsConfig } from '../../config/schema.ts';
import type { Json } from '../../model/index.ts';
import { type Answer, type Failure, persist } from '../attempts.ts';
import type { CollectContext } from '../collector.ts';
import type { Received } from '../paging.ts';
import type { Pacer, Patience } from '../rate.ts';
import { type Descriptor, protoJson } from './proto-json.ts';
import { assetPageSize, type Content, listAssetsQuota, searchPageSize, searchQuota } from './queries.ts';

const descriptors = createRequire(import.meta.url)('@google-cloud/asset/build/protos/protos.json') as Descriptor;

export interface ListQuestion {
  readonly parent: string;
  readonly content: Content;
  readonly types: readonly string[];
  /** Null: the service's own now, which it names in its answer. */
  readonly readTime: string | null;
  readonly pageToken: string | null;
}

export interface SearchQuestion {
  readonly scope: string;
  readonly types: readonly string[];
  readonly pageToken: string | null;
}

export interface AssetClient {
  readonly endpoint: string;
  /** Who asks: the service account, or what the default credentials are. */
  identity(): Promise<Answer<string>>;
  listAssets(question: ListQuestion): Promise<Answer<Received>>;
  searchAllResources(question: SearchQuestion): Promise<Answer<Received>>;
  searchAllIamPolicies(question: SearchQuestion): Promise<Answer<Received>>;
  close(): Promise<void>;
}

/** Larger than any documented page by far: what is beyond it is not a page. */
const maxMessageBytes = 64 * 1024 * 1024;

/** Our own retries, so that every attempt is paced and counted. */
const noRetry = {
  retryCodes: [],
  backoffSettings: { initialRetryDelayMillis: 0, retryDelayMultiplier: 1, maxRetryDelayMillis: 0, totalTimeoutMillis: 0 },
};

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function address(endpoints: EndpointsConfig): { host: string; port: number; insecure: boolean } {
  const given = endpoints.gcp?.cloudAsset ?? 'cloudasset.googleapis.com';
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(given);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new Error(`endpoints.gcp.cloudAsset: ${given} is not host or host:port`);
  const insecure = endpoints.gcp?.insecure ?? false;
  if (insecure && !isLoopbackHost(host)) throw new Error(`endpoints.gcp.insecure: ${host} is not a loopback address`);
  return { host, port: Number(match?.[3] ?? 443), insecure };
}

interface GrpcError extends Error {
  readonly code?: number;
  readonly reason?: string;
  readonly statusDetails?: readonly unknown[];
}

/** The server's `RetryInfo`, in milliseconds. */
function retryDelayMs(error: GrpcError): number | null {
  for (const detail of error.statusDetails ?? []) {
    if (typeof detail !== 'object' || detail === null || !('retryDelay' in detail)) continue;
    const delay = (detail as { retryDelay?: { seconds?: unknown; nanos?: unknown } | null }).retryDelay;
    if (delay) return Number(delay.seconds ?? 0) * 1000 + Math.round(Number(delay.nanos ?? 0) / 1e6);
  }
  return null;
}

/** What went wrong with a call to Cloud Asset Inventory, in the ledger's codes. */
export function classifyGcp(error: unknown): Failure {
  const failure = error as GrpcError;
  const message = (failure instanceof Error ? failure.message : String(error)).replace(/\s+/g, ' ').slice(0, 400);
  if (/Could not load the default credentials|Unable to detect a Project Id|NO_ADC_FOUND/i.test(message))
    return { code: 'no-credentials', message, retry: false };
  if (/invalid_grant|invalid_rapt|reauth/i.test(message)) return { code: 'expired-credentials', message, retry: false };
  switch (failure.code) {
    case 1:
      return { code: 'connection', message, retry: true };
    case 3:
      return /read.?time/i.test(message)
        ? { code: 'clock-skew', message: `${message} (this machine's clock may be wrong)`, retry: false }
        : { code: 'invalid-request', message, retry: false };
    case 4:
      return { code: 'timeout', message, retry: true };
    case 5:
      return { code: 'not-found', message, retry: false };
    case 7:
      return failure.reason === 'SERVICE_DISABLED' || /has not been used in project|is disabled/i.test(message)
        ? { code: 'not-enabled', message, retry: false }
        : { code: 'access-denied', message, retry: false };
    case 8:
      // Said by the client, of what the service sent.
      if (/message larger than max/i.test(message)) return { code: 'malformed-response', message, retry: true };
      return { code: 'throttled', message, retry: true, retryAfterMs: retryDelayMs(failure) };
    case 2:
    case 10:
    case 15:
      return { code: 'server-error', message, retry: true };
    case 12:
      return /wrong content.?type|Received HTTP status|unimplemented/i.test(message)
        ? { code: 'malformed-response', message, retry: true }
        : { code: 'invalid-request', message, retry: false };
    case 13:
      return /pars|decod|deseriali|decompress|unmarshal/i.test(message)
        ? { code: 'malformed-response', message, retry: true }
        : { code: 'server-error', message, retry: true };
    case 14:
      return /ECONN|EPIPE|ENOTFOUND|EAI_|No connection established|Connection dropped|socket|GOAWAY|RST_STREAM|name resolution/i.test(
        message,
      )
        ? { code: 'connection', message, retry: true }
        : { code: 'server-error', message, retry: true, retryAfterMs: retryDelayMs(failure) };
    case 16:
      return { code: 'expired-credentials', message, retry: false };
    default:
      return { code: 'client-error', message, retry: false };
  }
}

/** Throws (configuration) for an address that is none, or plain text to anywhere but this machine. */
export function connect(
  context: Pick<CollectContext, 'endpoints' | 'pacers' | 'patience' | 'signal'>,
  quotaProject: string | undefined,
): AssetClient {
  const { host, port, insecure } = address(context.endpoints);
  const client = new AssetServiceClient({
    servicePath: host,
    apiEndpoint: host,
    port,
    'grpc.max_receive_message_length': maxMessageBytes,
    ...(insecure
      ? { sslCreds: credentials.createInsecure(), authClient: new PassThroughClient() as never, 'grpc.enable_http_proxy': 0 }
      : {}),
    ...(quotaProject === undefined ? {} : { clientOptions: { quotaProjectId: quotaProject } }),
  });
  const { patience, signal } = context;
  const consumer = quotaProject ?? 'default';
  const listing: Pacer = context.pacers.of(`gcp-asset-inventory/${consumer}/ListAssets`, listAssetsQuota);
  const searching: Pacer = context.pacers.of(`gcp-asset-inventory/${consumer}/Search`, searchQuota);
  const options = { autoPaginate: false, timeout: patience.requestTimeoutMs, retry: noRetry };
  // The deadline of the call itself comes first; ours is for a client that does not keep it.
  const bounds: Patience = { ...patience, requestTimeoutMs: patience.requestTimeoutMs + 1000 };

  function received(type: string, raw: unknown): Received {
    const json: Json = protoJson(descriptors, `google.cloud.asset.v1.${type}`, raw);
    return { body: JSON.stringify(json), json, requestId: null, httpStatus: null };
  }

  const searchRequest = (question: SearchQuestion): { scope: string; assetTypes: string[]; pageSize: number; pageToken?: string } => ({
    scope: question.scope,
    assetTypes: [...question.types],
    pageSize: searchPageSize,
    ...(question.pageToken === null ? {} : { pageToken: question.pageToken }),
  });
  const search = (call: () => Promise<Received>): Promise<Answer<Received>> =>
    persist<Received>({ pacer: searching, signal, patience: bounds, classify: classifyGcp, call });

  return {
    endpoint: `${host}:${port}`,
    async identity() {
      if (insecure) return { ok: true, value: 'loopback', attempts: 1 };
      try {
        const found = await client.auth.getCredentials();
        return { ok: true, value: found.client_email ?? 'application default credentials (a user)', attempts: 1 };
      } catch (error) {
        const { code, message } = classifyGcp(error);
        return { ok: false, reason: { code: code === 'client-error' ? 'no-credentials' : code, message }, attempts: 1 };
      }
    },
    listAssets(question) {
      return persist<Received>({
        pacer: listing,
        signal,
        patience: bounds,
        classify: classifyGcp,
        async call() {
          const instant = question.readTime === null ? null : Date.parse(question.readTime);
          const [, , raw] = await client.listAssets(
            {
              parent: question.parent,
              contentType: protos.google.cloud.asset.v1.ContentType[question.content],
              ...(question.types.length > 0 ? { assetTypes: [...question.types] } : {}),
              pageSize: assetPageSize,
              ...(instant === null ? {} : { readTime: { seconds: Math.floor(instant / 1000), nanos: (instant % 1000) * 1_000_000 } }),
              ...(question.pageToken === null ? {} : { pageToken: question.pageToken }),
            },
            options,
          );
          return received('ListAssetsResponse', raw);
        },
      });
    },
    searchAllResources: (question) =>
      search(async () => {
        const [, , raw] = await client.searchAllResources({ ...searchRequest(question), orderBy: 'name' }, options);
        return received('SearchAllResourcesResponse', raw);
      }),
    searchAllIamPolicies: (question) =>
      search(async () => {
        const [, , raw] = await client.searchAllIamPolicies({ ...searchRequest(question), orderBy: 'name' }, options);
        return received('SearchAllIamPoliciesResponse', raw);
      }),
    close: () => client.close(),
  };
}
