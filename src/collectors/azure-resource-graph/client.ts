import { azureConnection } from '../azure-client.ts';
import { type GraphClient, graphClient } from '../azure-graph-client.ts';
import type { CollectContext } from '../collector.ts';
import { graphPacerKey, graphQuota } from './queries.ts';

/** Resource Graph as the identity that the tenant's default credential chain gives. Throws for a plain-HTTP endpoint off this machine. */
export function connect(context: Pick<CollectContext, 'endpoints' | 'pacers' | 'patience' | 'signal'>, tenant: string): GraphClient {
  return graphClient(azureConnection(context.endpoints, tenant), context, graphPacerKey(tenant), graphQuota);
}
