import { createRequire } from 'node:module';
import type { IncomingHttpHeaders } from 'node:http2';
import protoLoader from '@grpc/proto-loader';
import type { MethodDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { type GcpAsset, type GcpEstate, gcpFolders, gcpOrganization } from './estate/gcp-model.ts';
import { hash32 } from './estate/random.ts';
import { day, iso, type Population, textOf } from './estate/population.ts';
import { type CallBook, covers, cutPage, type Fault, strikes } from './faults.ts';
import { type GrpcAnswer, Refusal, serveGrpc, status } from './grpc.ts';
import { clockSkewMilliseconds } from './http.ts';
import type { QuotaName, Quotas } from './quotas.ts';

interface Context {
  readonly estate: GcpEstate;
  readonly asOf: number;
  readonly book: CallBook;
  readonly quotas: Quotas;
}

interface Page {
  readonly pageSize?: number;
  readonly pageToken?: string;
}
interface ListRequest extends Page {
  readonly parent: string;
  readonly readTime: { seconds: string; nanos: number } | null;
  readonly assetTypes: string[];
  readonly contentType: string;
}
interface SearchRequest extends Page {
  readonly scope: string;
  readonly query: string;
  readonly assetTypes: string[];
}

/** What the wire carries: plain values that the descriptor's own serialiser takes. */
type Message = Record<string, unknown>;

interface Calling {
  readonly faults: readonly Fault[];
  readonly offset: number;
  readonly binding: string;
}

function sealToken(offset: number, binding: string, nonce: string): string {
  return Buffer.from(JSON.stringify({ o: offset, b: hash32(binding), ...(nonce === '' ? {} : { n: nonce }) })).toString('base64url');
}
function openToken(token: string, binding: string): number | null {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as { o: number; b: number };
    return Number.isInteger(parsed.o) && parsed.b === hash32(binding) ? parsed.o : null;
  } catch {
    return null;
  }
}

function toValue(value: Json): Message {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'number') return { numberValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Array.isArray(value)) return { listValue: { values: value.map(toValue) } };
  return { structValue: toStruct(value) };
}
function toStruct(value: JsonObject): Message {
  return { fields: Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toValue(inner)])) };
}
function toTimestamp(milliseconds: number): Message {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds: String(seconds), nanos: (Math.floor(milliseconds) - seconds * 1000) * 1e6 };
}

const iamPolicyOf = (asset: GcpAsset): Message => ({
  version: asset.bindings?.some((binding) => binding.condition !== undefined) === true ? 3 : 1,
  bindings: (asset.bindings ?? []).map((binding) => ({
    role: binding.role,
    members: [...binding.members],
    ...(binding.condition === undefined ? {} : { condition: { ...binding.condition } }),
  })),
  etag: Buffer.from(hash32(asset.uid).toString(16).padStart(8, '0')),
});

const orgPolicyOf = (policy: JsonObject): Message => {
  const list = policy['listPolicy'];
  const boolean = policy['booleanPolicy'];
  return {
    constraint: policy['constraint'],
    updateTime: toTimestamp(Date.parse(textOf(policy, 'updateTime'))),
    etag: Buffer.from('b4'),
    ...(isJsonObject(list) ? { listPolicy: { allowedValues: list['allowedValues'] ?? [], deniedValues: list['deniedValues'] ?? [] } } : {}),
    ...(isJsonObject(boolean) ? { booleanPolicy: { enforced: boolean['enforced'] } } : {}),
  };
};

const discoveryName = (type: string): string => type.split('/')[1] ?? type;

/** Cloud Asset Inventory over gRPC, from the SDK's own descriptors. */
export async function serveCloudAsset(port: number, context: Context): Promise<{ address: string; close(): Promise<void> }> {
  const { estate, asOf, book, quotas } = context;
  const require = createRequire(import.meta.url);
  const descriptors = require('@google-cloud/asset/build/protos/protos.json') as Parameters<typeof protoLoader.fromJSON>[0];
  const definition = protoLoader.fromJSON(descriptors, { longs: String, enums: String, defaults: true, oneofs: true });
  const service = definition['google.cloud.asset.v1.AssetService'] as ServiceDefinition;

  /** Assets below a parent: by population, none of them made yet. */
  const below = (scope: string): { populations: Population<GcpAsset>[]; keep: (asset: GcpAsset) => boolean; whole: boolean } => {
    const [kind, id] = scope.split('/') as [string, string | undefined];
    if (kind === 'organizations' && id === gcpOrganization.id)
      return { populations: [...estate.populations], keep: () => true, whole: true };
    if (kind === 'folders' && gcpFolders.some((folder) => folder.id === id)) {
      const inside = new Set(estate.projects.filter((project) => project.folder === id).map((project) => project.id));
      return {
        populations: estate.populations.filter((population) => population.account === '' || inside.has(population.account)),
        keep: (asset) => asset.ancestors.includes(`folders/${String(id)}`),
        whole: false,
      };
    }
    const project = estate.projects.find((one) => one.id === id || one.number === id);
    if (kind === 'projects' && project !== undefined)
      return { populations: estate.populations.filter((population) => population.account === project.id), keep: () => true, whole: true };
    throw new Refusal(status.permissionDenied, `The caller does not have permission on ${scope}, or it does not exist.`);
  };

  const typeTest = (patterns: readonly string[]): ((type: string) => boolean) => {
    if (patterns.length === 0) return () => true;
    const tests = patterns.map((pattern) => new RegExp(`^(?:${pattern.replace(/\.(?!\*)/g, '\\.')})$`));
    return (type) => tests.some((test) => test.test(type));
  };

  // Positions only: assets are made again for each page.
  const located = new Map<string, Int32Array>();
  const locate = (
    key: string,
    populations: readonly Population<GcpAsset>[],
    wanted: (asset: GcpAsset) => boolean,
    everything: boolean,
  ): { length: number; at(index: number): GcpAsset } => {
    const make = (ref: number): GcpAsset => {
      let left = ref;
      for (const population of populations) {
        if (left < population.count) return population.record(left);
        left -= population.count;
      }
      throw new Error(`no asset at ${String(ref)}`);
    };
    const total = populations.reduce((sum, population) => sum + population.count, 0);
    if (everything) return { length: total, at: make };
    let refs = located.get(key);
    if (refs === undefined) {
      const found: number[] = [];
      let ref = 0;
      for (const population of populations)
        for (let i = 0; i < population.count; i += 1, ref += 1) if (wanted(population.record(i))) found.push(ref);
      refs = Int32Array.from(found);
      located.set(key, refs);
    }
    const held = refs;
    return { length: held.length, at: (index) => make(held[index] ?? 0) };
  };

  const notEnabled = (calling: Calling, types: readonly string[]): void => {
    const blocked = types.find((type) => covers(calling.faults, 'asset-type-not-enabled', { type }));
    if (blocked !== undefined) throw new Refusal(status.invalidArgument, `Asset type ${blocked} is not enabled for this scope.`);
    const wrong = types.find((type) => !/^[a-z0-9.*-]+\.googleapis\.com[/.].+$/.test(type));
    if (wrong !== undefined) throw new Refusal(status.invalidArgument, `Invalid asset type: ${wrong}`);
  };

  const cut = <T>(
    calling: Calling,
    request: Page,
    most: number,
    length: number,
    at: (index: number) => T,
  ): { rows: readonly T[]; nextPageToken: string } => {
    const asked = request.pageSize ?? 0;
    if (asked < 0) throw new Refusal(status.invalidArgument, 'page_size must not be negative.');
    const size = asked === 0 ? 100 : Math.min(asked, most);
    // The service may answer with fewer than asked although more follow: later pages are a little short.
    const limit = calling.offset > 0 && size > 100 ? size - 7 : size;
    const page = cutPage(length, calling.offset, limit, at, calling.faults, String(calling.offset));
    return { rows: page.rows, nextPageToken: page.next === null ? '' : sealToken(page.next, calling.binding, page.nonce ?? '') };
  };

  const spoil = (calling: Calling, data: JsonObject): JsonObject => {
    if (!strikes(calling.faults, 'unknown-enum-and-fields')) return data;
    const out: JsonObject = { ...data, futureField: { mode: 'FUTURE_MODE', since: 2031 } };
    for (const name of ['state', 'status', 'purpose', 'storageClass', 'lifecycleState'])
      if (typeof out[name] === 'string') out[name] = 'FUTURE_VALUE';
    return out;
  };

  const operations: Record<string, { readonly quota: QuotaName; run(request: never, calling: Calling): Message }> = {
    ListAssets: {
      quota: 'gcp-list-assets',
      run: (request: ListRequest, calling) => {
        notEnabled(calling, request.assetTypes);
        const skewed = strikes(calling.faults, 'clock-skew') ? clockSkewMilliseconds : 0;
        // Without one a client reads as of now: `doctor` compares clocks by it.
        const at =
          request.readTime === null
            ? Math.max(asOf, Date.now())
            : Number(request.readTime.seconds) * 1000 + Math.floor(request.readTime.nanos / 1e6);
        const latest = request.readTime !== null && skewed > 0 ? at - 1 : Math.max(asOf, Date.now()) + 60_000;
        if (at > latest) throw new Refusal(status.invalidArgument, `Read time ${iso(at)} is in the future of the server's clock.`);
        if (at < asOf - 35 * day) throw new Refusal(status.invalidArgument, 'Read time must be within the last 35 days.');
        const test = typeTest(request.assetTypes);
        const content = request.contentType;
        const { populations, keep, whole } = below(request.parent);
        const typed = populations.filter((population) => test(population.type));
        const found = locate(
          `list ${request.parent} ${request.assetTypes.join()} ${content}`,
          typed,
          (asset) =>
            keep(asset) &&
            (content === 'IAM_POLICY' ? asset.bindings !== null : content === 'ORG_POLICY' ? asset.orgPolicies !== null : true),
          whole && (content === 'RESOURCE' || content === 'CONTENT_TYPE_UNSPECIFIED'),
        );
        const page = cut(calling, request, 1000, found.length, (index): Message => {
          const asset = found.at(index);
          const base: Message = {
            name: asset.uid,
            assetType: asset.assetType,
            ancestors: [...asset.ancestors],
            updateTime: toTimestamp(Math.min(asset.updatedAt, at)),
          };
          if (content === 'RESOURCE') {
            const [host = ''] = asset.assetType.split('.');
            return {
              ...base,
              resource: {
                version: asset.version,
                discoveryDocumentUri: `https://${host}.googleapis.com/$discovery/rest`,
                discoveryName: discoveryName(asset.assetType),
                parent: asset.parent,
                data: toStruct(spoil(calling, asset.data)),
                location: asset.location,
              },
            };
          }
          if (content === 'IAM_POLICY') return { ...base, iamPolicy: iamPolicyOf(asset) };
          if (content === 'ORG_POLICY') return { ...base, orgPolicy: (asset.orgPolicies ?? []).map(orgPolicyOf) };
          return base;
        });
        return { readTime: toTimestamp(at), assets: page.rows, nextPageToken: page.nextPageToken };
      },
    },
    SearchAllResources: {
      quota: 'gcp-search',
      run: (request: SearchRequest, calling) => {
        notEnabled(calling, request.assetTypes);
        const { populations, keep, whole } = below(request.scope);
        const test = typeTest(request.assetTypes);
        const project = /^project[=:]"?(?:projects\/)?([a-z0-9-]+)"?$/.exec(request.query.trim());
        if (request.query.trim() !== '' && request.query.trim() !== '*' && project === null)
          throw new Refusal(status.invalidArgument, `The simulator does not understand the query ${JSON.stringify(request.query)}.`);
        const typed = populations.filter(
          (population) =>
            test(population.type) &&
            (project === null ||
              estate.projects.some((one) => one.id === population.account && (one.id === project[1] || one.number === project[1]))),
        );
        const found = locate(`search ${request.scope} ${request.assetTypes.join()} ${request.query}`, typed, keep, whole);
        const page = cut(calling, request, 500, found.length, (index): Message => {
          const asset = found.at(index);
          const number = asset.ancestors.find((one) => one.startsWith('projects/')) ?? '';
          return {
            name: asset.uid,
            assetType: asset.assetType,
            project: number,
            folders: asset.ancestors.filter((one) => one.startsWith('folders/')),
            organization: `organizations/${gcpOrganization.id}`,
            displayName: asset.displayName,
            location: asset.location,
            labels: { ...asset.labels },
            ...(asset.kmsKey === null ? {} : { kmsKey: asset.kmsKey, kmsKeys: [asset.kmsKey] }),
            state: asset.state === null ? '' : strikes(calling.faults, 'unknown-enum-and-fields') ? 'FUTURE_VALUE' : asset.state,
            parentFullResourceName: asset.parent,
            updateTime: toTimestamp(asset.updatedAt),
          };
        });
        return { results: page.rows, nextPageToken: page.nextPageToken };
      },
    },
    SearchAllIamPolicies: {
      quota: 'gcp-search',
      run: (request: SearchRequest, calling) => {
        notEnabled(calling, request.assetTypes);
        const { populations, keep } = below(request.scope);
        const test = typeTest(request.assetTypes);
        const found = locate(
          `policies ${request.scope} ${request.assetTypes.join()}`,
          populations.filter((population) => test(population.type)),
          (asset) => keep(asset) && asset.bindings !== null,
          false,
        );
        const page = cut(calling, request, 500, found.length, (index): Message => {
          const asset = found.at(index);
          return {
            resource: asset.uid,
            assetType: asset.assetType,
            project: asset.ancestors.find((one) => one.startsWith('projects/')) ?? '',
            folders: asset.ancestors.filter((one) => one.startsWith('folders/')),
            organization: `organizations/${gcpOrganization.id}`,
            policy: iamPolicyOf(asset),
          };
        });
        return { results: page.rows, nextPageToken: page.nextPageToken };
      },
    },
  };

  const answer = (method: MethodDefinition<object, object>, name: string, payload: Buffer, headers: IncomingHttpHeaders): GrpcAnswer => {
    let request: Message = {};
    let malformed = false;
    try {
      request = method.requestDeserialize(payload) as Message;
    } catch {
      malformed = true;
    }
    const { pageToken, ...rest } = request;
    const binding = JSON.stringify([name, rest]);
    const offset = typeof pageToken === 'string' && pageToken !== '' ? openToken(pageToken, binding) : 0;
    const types = Array.isArray(request['assetTypes']) ? (request['assetTypes'] as string[]) : [];
    const scope = typeof request['parent'] === 'string' ? request['parent'] : typeof request['scope'] === 'string' ? request['scope'] : '';
    const { faults } = book.begin({
      provider: 'gcp',
      operation: name,
      scope,
      detail: `${typeof request['contentType'] === 'string' && name === 'ListAssets' ? `${request['contentType']} ` : ''}${types.length === 0 ? '*' : types.length > 3 ? `${types[0] ?? ''}+${String(types.length - 1)} ${hash32(types.join()).toString(16)}` : types.join(',')}`,
      offset: offset ?? 0,
    });
    const refuse = (code: number, message: string, retryAfterSeconds: number | null = null): GrpcAnswer => ({
      faults,
      message: null,
      refusal: new Refusal(code, message, retryAfterSeconds),
    });
    const operation = operations[name];
    if (strikes(faults, 'access-denied'))
      return refuse(
        status.permissionDenied,
        `The caller does not have permission cloudasset.assets.${name === 'ListAssets' ? 'listResource' : 'searchAllResources'} on ${scope}.`,
      );
    if (strikes(faults, 'expired-credentials'))
      return refuse(
        status.unauthenticated,
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
      );
    if (strikes(faults, 'throttle'))
      return refuse(
        status.resourceExhausted,
        "Quota exceeded for quota metric 'ListAssets Requests' and limit 'ListAssets Requests per minute' of service 'cloudasset.googleapis.com'.",
        1,
      );
    if (strikes(faults, 'throttle-without-hint'))
      return refuse(status.resourceExhausted, "Quota exceeded for service 'cloudasset.googleapis.com'.");
    if (strikes(faults, 'http-500')) return refuse(status.internal, 'Internal error encountered.');
    if (strikes(faults, 'http-503')) return refuse(status.unavailable, 'The service is currently unavailable.');
    if (operation === undefined) return refuse(status.unimplemented, `The simulator does not know ${name}.`);
    const consumer = typeof headers['x-goog-user-project'] === 'string' ? headers['x-goog-user-project'] : 'default';
    const quota = quotas.take(operation.quota, consumer);
    if (!quota.allowed)
      return refuse(
        status.resourceExhausted,
        `Quota exceeded for quota metric '${name} Requests' and limit '${name} Requests per minute per project' of service 'cloudasset.googleapis.com' for consumer 'project:${consumer}'.`,
        Math.max(1, Math.ceil(quota.waitMilliseconds / 1000)),
      );
    if (malformed) return refuse(status.internal, 'The request could not be decoded.');
    if (offset === null) return refuse(status.invalidArgument, 'The page token is invalid.');
    try {
      const message = operation.run(request as never, { faults, offset, binding });
      const bytes = method.responseSerialize(message);
      // Field 1000, a varint: a field that no client knows.
      return {
        faults,
        message: strikes(faults, 'unknown-enum-and-fields') ? Buffer.concat([bytes, Buffer.from([0xc0, 0x3e, 0x07])]) : bytes,
        refusal: null,
      };
    } catch (error) {
      if (error instanceof Refusal) return { faults, message: null, refusal: error };
      return refuse(status.internal, `simulator: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  };

  return serveGrpc(port, service, answer);
}
