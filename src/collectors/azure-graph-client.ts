import { ResourceGraphClient } from '@azure/arm-resourcegraph';
import { type Answer, MalformedResponse, persist } from './attempts.ts';
import { type AzureConnection, classifyAzure, quotaResetMs } from './azure-client.ts';
import { isJsonObject } from '../model/index.ts';
import type { CollectContext } from './collector.ts';
import type { Received } from './paging.ts';
import type { Pacer, Quota } from './rate.ts';

/** Which part of the tenant a query reads. */
export type GraphScope = { readonly subscriptions: readonly string[] } | { readonly managementGroups: readonly string[] };

export interface GraphQuestion {
  readonly scope: GraphScope;
  readonly query: string;
  readonly top: number;
  readonly skipToken: string | null;
  /** Also records of the ancestors of the scope (role assignments that are inherited). */
  readonly ancestors: boolean;
}

export interface GraphClient {
  /** One page. Every attempt is paced; what the quota headers say is obeyed. */
  ask(question: GraphQuestion): Promise<Answer<Received>>;
  /** One page of what lies below a management group, by Resource Manager: the list that Resource Graph's is compared with. */
  descendants(managementGroup: string, link: string | null): Promise<Answer<Received>>;
  readonly connection: AzureConnection;
}

/** Resource Manager reads: a bucket that refills by 25 a second; the refill rate is kept. */
const resourceManagerQuota = { permits: 25, perMs: 1000 };

/** The least page that is still asked for where a response would grow beyond 16 MB. */
const leastTop = 25;

/** When the last requests of a quota went out, whichever collector sent them. Milliseconds, oldest first. */
const sent = new WeakMap<Pacer, number[]>();

/**
 * `x-ms-user-quota-remaining: 0` after our own full window is what the pacer waits for anyway, and to the millisecond where
 * the header rounds up to seconds. When we sent less, somebody else spends the identity's quota: then its word counts.
 */
function obeyQuota(pacer: Pacer, quota: Quota, header: (name: string) => string | undefined): void {
  if (header('x-ms-user-quota-remaining') !== '0') return;
  const times = sent.get(pacer) ?? [];
  const ours = times.length >= quota.permits && performance.now() - (times[0] ?? 0) <= quota.perMs;
  if (!ours) pacer.pause(quotaResetMs(header('x-ms-user-quota-resets-after')) ?? 0);
}

function noteSent(pacer: Pacer, permits: number): void {
  const times = sent.get(pacer) ?? [];
  times.push(performance.now());
  if (times.length > permits) times.shift();
  sent.set(pacer, times);
}

function assertGraphPage(json: unknown): void {
  const data = typeof json === 'object' && json !== null ? (json as { data?: unknown }).data : undefined;
  if (!Array.isArray(data)) throw new MalformedResponse('the answer has no list of records');
}

/** `quota` is the published one; `pacerKey` names the tenant identity that spends it. */
export function graphClient(
  connection: AzureConnection,
  context: Pick<CollectContext, 'pacers' | 'patience' | 'signal'>,
  pacerKey: string,
  quota: Quota,
): GraphClient {
  const client = new ResourceGraphClient(connection.credential, connection.clientOptions);
  connection.observe(client.pipeline);
  const pacer = context.pacers.of(pacerKey, quota);

  async function once(question: GraphQuestion, top: number): Promise<Answer<Received>> {
    return persist<Received>({
      pacer,
      signal: context.signal,
      patience: context.patience,
      classify: classifyAzure,
      async call(signal) {
        const { scope } = question;
        noteSent(pacer, quota.permits);
        const request = {
          ...('subscriptions' in scope ? { subscriptions: [...scope.subscriptions] } : { managementGroups: [...scope.managementGroups] }),
          query: question.query,
          options: {
            top,
            resultFormat: 'objectArray' as const,
            ...(question.skipToken === null ? {} : { skipToken: question.skipToken }),
            ...(question.ancestors ? { authorizationScopeFilter: 'AtScopeAboveAndBelow' as const } : {}),
          },
        };
        const answer = await connection.exchange(() => client.resources(request), signal, context.patience.requestTimeoutMs);
        assertGraphPage(answer.json);
        obeyQuota(pacer, quota, answer.header);
        const limited = answer.header('x-ms-tenant-subscription-limit-hit')?.toLowerCase() === 'true';
        return {
          body: answer.body,
          json: answer.json,
          requestId: answer.requestId,
          httpStatus: answer.status,
          date: answer.header('date') ?? null,
          gaps: limited
            ? [
                {
                  code: 'subscription-limit',
                  message: 'the scope holds more than 10,000 subscriptions: Resource Graph left the others out',
                },
              ]
            : [],
        };
      },
    });
  }

  return {
    connection,
    descendants(managementGroup, link) {
      return persist<Received>({
        pacer: context.pacers.of(`azure-resource-manager/${connection.tenant}`, resourceManagerQuota),
        signal: context.signal,
        patience: context.patience,
        classify: classifyAzure,
        async call(signal) {
          const url =
            link ??
            `/providers/Microsoft.Management/managementGroups/${encodeURIComponent(managementGroup)}/descendants?api-version=2020-05-01`;
          const answer = await connection.exchange(() => connection.get(client.pipeline, url), signal, context.patience.requestTimeoutMs);
          if (!isJsonObject(answer.json) || !Array.isArray(answer.json.value))
            throw new MalformedResponse('the answer has no list of descendants');
          return { body: answer.body, json: answer.json, requestId: answer.requestId, httpStatus: answer.status };
        },
      });
    },
    async ask(question) {
      for (let top = question.top; ; top = Math.floor(top / 2)) {
        const answer = await once(question, top);
        if (answer.ok || answer.reason.code !== 'payload-too-large' || top / 2 < leastTop) return answer;
      }
    },
  };
}
