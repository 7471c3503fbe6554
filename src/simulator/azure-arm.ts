import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { graphScope, type GraphResult, runGraphQuery } from './azure-graph.ts';
import { type Route, routeOf } from './azure-lists.ts';
import type { AzureEstate } from './estate/azure-model.ts';
import { printJson } from './estate/hostile.ts';
import { hash32 } from './estate/random.ts';
import { type CallBook, covers, cutPage, type Fault, strikes } from './faults.ts';
import type { Handled, HttpRequest } from './http.ts';
import { KqlError, parseKql } from './kql.ts';
import type { QuotaAnswer, Quotas } from './quotas.ts';
import { textOf } from './estate/population.ts';

interface Context {
  readonly estate: AzureEstate;
  readonly seed: number;
  readonly asOf: number;
  readonly book: CallBook;
  readonly quotas: Quotas;
}

const strings = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];

function sealToken(offset: number, binding: string, nonce: string): string {
  return Buffer.from(JSON.stringify({ $id: '1', offset, query: hash32(binding), ...(nonce === '' ? {} : { nonce }) })).toString('base64');
}
function openToken(token: string, binding: string): number | null {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64').toString('utf8')) as { offset: number; query: number };
    return Number.isInteger(parsed.offset) && parsed.query === hash32(binding) ? parsed.offset : null;
  } catch {
    return null;
  }
}

function clock(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Azure Resource Manager: Resource Graph, Policy lists, subscriptions; and a token authority that trusts everyone. */
export function azureHandler(context: Context): (request: HttpRequest) => Handled {
  const { estate, asOf, book, quotas } = context;
  // Sorting a large table once a page would dominate: the positions of the last few queries are kept.
  const results = new Map<string, GraphResult>();

  return (request) => {
    const { pathname } = request.url;
    const parsed = parseRequest(request);
    const body = parsed ?? {};
    const options = isJsonObject(body['options']) ? body['options'] : {};
    const graph = request.method === 'POST' && /^\/providers\/Microsoft\.ResourceGraph\/resources\/?$/i.test(pathname);
    const subscriptions = strings(body['subscriptions']);
    const managementGroups = strings(body['managementGroups']);
    const query = typeof body['query'] === 'string' ? body['query'] : '';
    const binding = JSON.stringify([query, subscriptions, managementGroups, options['$top'] ?? null, pathname]);
    const skipToken = graph ? options['$skipToken'] : request.url.searchParams.get('$skiptoken');
    const offset = typeof skipToken === 'string' ? openToken(skipToken, binding) : 0;
    const route = graph ? null : routeOf(request);
    const { call, faults } = book.begin({
      provider: 'azure',
      operation: graph ? 'Microsoft.ResourceGraph/resources' : (route?.operation ?? 'unknown'),
      scope: graph
        ? managementGroups.length > 0
          ? managementGroups.join('+')
          : subscriptions.length === 1
            ? (subscriptions[0] ?? '')
            : subscriptions.length === 0
              ? 'tenant'
              : `${String(subscriptions.length)} subscriptions ${hash32(subscriptions.join()).toString(16)}`
        : (route?.scope ?? pathname),
      detail: graph ? graphDetail(query) : (route?.detail ?? '-'),
      offset: offset ?? 0,
    });
    const requestId = `${hash32(call.key).toString(16).padStart(8, '0')}-0000-4000-8000-${String(call.n).padStart(12, '0')}`;
    let quota: QuotaAnswer | null = null;
    const reply = (status: number, content: JsonObject, headers: Record<string, string> = {}): Handled => ({
      reply: {
        status,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          'x-ms-request-id': requestId,
          'x-ms-correlation-request-id': requestId,
          'cache-control': 'no-cache',
          ...(quota !== null && graph
            ? { 'x-ms-user-quota-remaining': String(quota.remaining), 'x-ms-user-quota-resets-after': clock(quota.waitMilliseconds) }
            : {}),
          ...headers,
        },
        body: printJson(content),
      },
      faults,
    });
    const error = (status: number, code: string, message: string, headers: Record<string, string> = {}, details?: JsonObject[]): Handled =>
      reply(status, { error: { code, message, ...(details === undefined ? {} : { details }) } }, headers);

    if (route?.operation === 'token')
      return reply(200, {
        token_type: 'Bearer',
        expires_in: 3599,
        ext_expires_in: 3599,
        access_token: accessToken(context.estate.tenant, context.seed),
      });
    if (route?.operation === 'openid-configuration') {
      const base = `${request.url.origin}/${route.scope}`;
      return reply(200, {
        token_endpoint: `${base}/oauth2/v2.0/token`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        issuer: `${base}/v2.0`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    }
    if (!/^Bearer \S+$/i.test(request.headers.authorization ?? ''))
      return error(401, 'AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.", {
        'www-authenticate': `Bearer authorization_uri="${request.url.origin}/${estate.tenant}"`,
      });
    if (strikes(faults, 'access-denied'))
      return error(
        403,
        'AuthorizationFailed',
        `The client does not have authorization to perform action '${call.operation}' over scope '${call.scope}' or the scope is invalid.`,
      );
    if (strikes(faults, 'expired-credentials'))
      return error(401, 'ExpiredAuthenticationToken', 'The access token expiry UTC time is earlier than current UTC time.', {
        'www-authenticate': 'Bearer error="invalid_token"',
      });
    if (strikes(faults, 'throttle'))
      return error(429, 'RateLimiting', 'Please provide below info when asking for support.', {
        'retry-after': '1',
        'x-ms-user-quota-remaining': '0',
        'x-ms-user-quota-resets-after': '00:00:01',
      });
    if (strikes(faults, 'throttle-without-hint')) return error(429, 'TooManyRequests', 'Too many requests.');
    if (strikes(faults, 'http-500')) return error(500, 'InternalServerError', 'Encountered internal server error.');
    if (strikes(faults, 'http-503')) return error(503, 'ServiceUnavailable', 'The service is temporarily unavailable.');
    quota = quotas.take(graph ? 'azure-resource-graph' : 'azure-resource-manager', graph ? 'user' : call.scope);
    if (!quota.allowed) {
      return graph
        ? error(
            429,
            'RateLimiting',
            'Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed.',
            {},
            [{ code: 'RateLimiting', message: 'Requests per user are limited to 15 in every window of 5 seconds.' }],
          )
        : error(429, 'TooManyRequests', 'The number of requests has exceeded the limit.', {
            'retry-after': String(Math.max(1, Math.ceil(quota.waitMilliseconds / 1000))),
          });
    }
    if (request.url.searchParams.get('api-version') === null)
      return error(400, 'MissingApiVersionParameter', 'The api-version query parameter (?api-version=) is required for all requests.');
    if (parsed === null) return error(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.');
    if (offset === null) return error(400, 'BadRequest', 'The skip token is not valid for this query.');
    if (graph) return answerGraph();
    if (
      route !== null &&
      faults.some((fault) => fault.kind === 'dropped-subscription' && fault.match?.scope !== undefined && fault.match.scope === route.scope)
    ) {
      return error(
        403,
        'AuthorizationFailed',
        `The client does not have authorization to perform action '${route.operation}' over scope '/subscriptions/${route.scope}' or the scope is invalid.`,
      );
    }
    if (route === null) return error(404, 'ResourceNotFound', `No route for ${request.method} ${pathname}`);
    return answerList(route);

    function answerGraph(): Handled {
      const top = typeof options['$top'] === 'number' ? options['$top'] : 100;
      if (top < 1 || top > 1000)
        return error(400, 'BadRequest', 'Please provide below info when asking for support.', {}, [
          { code: 'InvalidTop', message: '$top must be between 1 and 1000.' },
        ]);
      const scope = graphScope(estate, {
        subscriptions,
        managementGroups,
        filter: typeof options['authorizationScopeFilter'] === 'string' ? options['authorizationScopeFilter'] : 'AtScopeAndBelow',
      });
      if (subscriptions.length + managementGroups.length > 0 && scope.subscriptions.size === 0) {
        return error(400, 'BadRequest', 'Please provide below info when asking for support.', {}, [
          {
            code: 'NoValidSubscriptionsInQueryRequest',
            message: 'There must be at least one subscription that is eligible to contain resources.',
          },
        ]);
      }
      const dropped = faults.some((fault) => fault.kind === 'dropped-subscription')
        ? (faults.find((fault) => fault.kind === 'dropped-subscription')?.match?.scope ??
          [...scope.subscriptions].find((id) => (estate.subscriptions.find((one) => one.id === id)?.weight ?? 0) > 0) ??
          null)
        : null;
      const unevaluated = (type: string, row: JsonObject): boolean =>
        type.startsWith('microsoft.policyinsights/') &&
        faults.some((fault) => {
          if (fault.kind !== 'policy-never-evaluated') return false;
          const properties = row['properties'];
          return (
            fault.match?.type === undefined ||
            (isJsonObject(properties) && textOf(properties, 'policyDefinitionName').toLowerCase() === fault.match.type.toLowerCase())
          );
        });
      const standing = dropped !== null || covers(faults, 'policy-never-evaluated');
      const cacheKey = `${binding} ${JSON.stringify(options['authorizationScopeFilter'] ?? null)}`;
      let result = standing ? undefined : results.get(cacheKey);
      try {
        result ??= runGraphQuery(
          estate,
          parseKql(query),
          scope,
          standing ? (population, row) => (dropped !== null && population.account === dropped) || unevaluated(population.type, row) : null,
        );
      } catch (caught) {
        if (!(caught instanceof KqlError)) throw caught;
        return error(400, 'BadRequest', 'Please provide below info when asking for support.', {}, [
          { code: 'InvalidQuery', message: caught.message },
        ]);
      }
      if (!standing) {
        results.delete(cacheKey);
        results.set(cacheKey, result);
        if (results.size > 12) results.delete([...results.keys()][0] ?? '');
      }
      const held = result;
      const cut = cutPage(held.length, offset ?? 0, top, (i) => spoil(faults, held.at(i)), faults, String(offset));
      const truncated = strikes(faults, 'result-truncated') || (!held.pageable && held.length > top);
      const rows = strikes(faults, 'result-truncated') ? cut.rows.slice(0, Math.floor(cut.rows.length / 2)) : cut.rows;
      const token = truncated || cut.next === null ? undefined : sealToken(cut.next, binding, cut.nonce ?? '');
      const table = options['resultFormat'] === 'table';
      return reply(
        200,
        {
          totalRecords: held.length,
          count: rows.length,
          data: table ? asTable(rows) : [...rows],
          facets: [],
          resultTruncated: truncated ? 'true' : 'false',
          ...(token === undefined ? {} : { $skipToken: token }),
          ...(strikes(faults, 'unknown-enum-and-fields') ? { providerAnnouncement: { level: 'Future' } } : {}),
        },
        strikes(faults, 'subscription-limit-header') ? { 'x-ms-tenant-subscription-limit-hit': 'true' } : {},
      );
    }

    function answerList(target: Route): Handled {
      const rows = target.rows(estate, asOf);
      if (rows === null) return error(404, 'SubscriptionNotFound', `The subscription '${target.scope}' could not be found.`);
      const cut = cutPage(
        rows.length,
        offset ?? 0,
        Number(request.url.searchParams.get('$top') ?? '100'),
        (i) => spoil(faults, rows[i] as JsonObject),
        faults,
        String(offset),
      );
      // Absolute and https, as from the service: clients refuse to send a token anywhere else, and send it to the origin they were given.
      const next =
        cut.next === null ? null : new URL(request.url.pathname + request.url.search, request.url.origin.replace(/^http:/, 'https:'));
      next?.searchParams.set('$skiptoken', sealToken(cut.next ?? 0, binding, cut.nonce ?? ''));
      return reply(200, { value: [...cut.rows], ...(next === null ? {} : { nextLink: next.toString() }) });
    }
  };
}

function parseRequest(request: HttpRequest): JsonObject | null {
  if (request.method !== 'POST' || request.body === '' || /oauth2/.test(request.url.pathname)) return {};
  try {
    const parsed = JSON.parse(request.body) as Json;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** What is asked for, for the log: table, types, level, and whether it counts. */
function graphDetail(query: string): string {
  const table = /^\s*([A-Za-z]+)/.exec(query)?.[1]?.toLowerCase() ?? '?';
  const types = [...query.matchAll(/'(microsoft\.[a-z]+\/[a-z/]+)'/gi)].map((match) => match[1]?.toLowerCase() ?? '');
  const shown = types.length === 0 ? '*' : types.length > 3 ? `${types[0] ?? ''}+${String(types.length - 1)}` : types.join(',');
  return `${table} ${/summarize|\|\s*count\b/i.test(query) ? 'count ' : ''}${shown}${/!startswith/.test(query) ? ' above' : ''} ${hash32(query).toString(16)}`;
}

function asTable(rows: readonly JsonObject[]): JsonObject {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const typeOf = (name: string): string => {
    const value = rows.find((row) => row[name] !== null && row[name] !== undefined)?.[name];
    return typeof value === 'number'
      ? 'integer'
      : typeof value === 'boolean'
        ? 'boolean'
        : typeof value === 'object' && value !== null
          ? 'object'
          : 'string';
  };
  return { columns: names.map((name) => ({ name, type: typeOf(name) })), rows: rows.map((row) => names.map((name) => row[name] ?? null)) };
}

/** Under `unknown-enum-and-fields`: every record says something no client has heard of. */
function spoil(faults: readonly Fault[], row: JsonObject): JsonObject {
  if (!strikes(faults, 'unknown-enum-and-fields')) return row;
  const out: JsonObject = { ...row, futureColumn: { mode: 'FUTURE_MODE' } };
  const properties = row['properties'];
  if (isJsonObject(properties)) {
    const changed: JsonObject = { ...properties, futureProperty: { mode: 'FUTURE_MODE', since: 2031 } };
    for (const name of ['provisioningState', 'state', 'complianceState', 'encryptionType'])
      if (typeof changed[name] === 'string') changed[name] = 'FutureValue';
    out['properties'] = changed;
  }
  return out;
}

/** An unsigned token with the claims that name the caller. */
function accessToken(tenant: string, seed: number): string {
  const part = (value: JsonObject): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ typ: 'JWT', alg: 'none' })}.${part({ aud: 'https://management.azure.com', tid: tenant, appid: '6f1c0a52-0d5e-4c5b-9b1e-7a2d4e6f8a90', oid: '9f0e7a52-1f6a-4f0d-8a60-2f4b8a1c0d77', seed })}.`;
}
