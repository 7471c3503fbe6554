import { PolicyClient as ArmPolicyClient } from '@azure/arm-policy';
import { isJsonObject } from '../../model/index.ts';
import { type Answer, MalformedResponse, persist } from '../attempts.ts';
import { azureConnection, classifyAzure } from '../azure-client.ts';
import { type GraphClient, graphClient } from '../azure-graph-client.ts';
import type { CollectContext } from '../collector.ts';
import type { Received } from '../paging.ts';
import { customOnly, type ListingName, resourceManagerQuota } from './queries.ts';

/** Azure Policy through Resource Manager, and its states through Resource Graph. */
export interface PolicyClient {
  readonly graph: GraphClient;
  /** One page of a subscription's listing, or of the tenant-wide built-in ones (`subscription` null). `link` is the absolute nextLink. */
  list(listing: ListingName, subscription: string | null, link: string | null): Promise<Answer<Received>>;
}

/** Resource Graph's quota is per identity, whoever of us asks: the key is the one azure-resource-graph names. */
const graphQuota = { permits: 15, perMs: 5000, fromAnswer: true };

/** Throws (configuration) for a plain-HTTP endpoint off this machine. */
export function connect(context: Pick<CollectContext, 'endpoints' | 'pacers' | 'patience' | 'signal'>, tenant: string): PolicyClient {
  const connection = azureConnection(context.endpoints, tenant);
  const clients = new Map<string, ArmPolicyClient>();
  const clientOf = (subscription: string | null): ArmPolicyClient => {
    const key = subscription ?? '';
    const known = clients.get(key);
    if (known) return known;
    const made =
      subscription === null
        ? new ArmPolicyClient(connection.credential, connection.clientOptions)
        : new ArmPolicyClient(connection.credential, subscription, connection.clientOptions);
    connection.observe(made.pipeline);
    clients.set(key, made);
    return made;
  };

  function pages(
    listing: ListingName,
    subscription: string | null,
  ): { byPage(settings: { continuationToken?: string }): AsyncIterator<unknown> } {
    const client = clientOf(subscription);
    const iterate = {
      'policy-assignments': () => client.policyAssignments.list(),
      'policy-definitions': () =>
        subscription === null ? client.policyDefinitions.listBuiltIn() : client.policyDefinitions.list({ filter: customOnly }),
      'policy-set-definitions': () =>
        subscription === null ? client.policySetDefinitions.listBuiltIn() : client.policySetDefinitions.list({ filter: customOnly }),
    }[listing]();
    return { byPage: (settings) => iterate.byPage(settings)[Symbol.asyncIterator]() };
  }

  return {
    graph: graphClient(connection, context, `azure-resource-graph/${tenant}`, graphQuota),
    list(listing, subscription, link) {
      return persist<Received>({
        pacer: context.pacers.of(`azure-resource-manager/${subscription ?? tenant}`, resourceManagerQuota),
        signal: context.signal,
        patience: context.patience,
        classify: classifyAzure,
        async call(signal) {
          const answer = await connection.exchange(
            async () => {
              if (link !== null) connection.accept(link);
              await pages(listing, subscription)
                .byPage(link === null ? {} : { continuationToken: link })
                .next();
            },
            signal,
            context.patience.requestTimeoutMs,
          );
          if (!isJsonObject(answer.json) || !Array.isArray(answer.json.value))
            throw new MalformedResponse('the answer has no list of policy objects');
          return { body: answer.body, json: answer.json, requestId: answer.requestId, httpStatus: answer.status };
        },
      });
    },
  };
}
