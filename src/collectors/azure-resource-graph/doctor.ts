import { isJsonObject, type Reason } from '../../model/index.ts';
import type { GraphClient, GraphScope } from '../azure-graph-client.ts';
import { subscriptionOf, text } from '../azure-graph.ts';
import { azureRemedy } from '../azure-remedy.ts';
import { chunks, descendantsOf, subscriptionsQuery, type TenantScope, tenantScopes } from '../azure-tenants.ts';
import { clockFinding } from '../clock.ts';
import type { CollectContext, DoctorFinding } from '../collector.ts';
import type { Received } from '../paging.ts';
import { countQuery, livesAboveSubscriptions, pageRows, subscriptionsPerQuery, tableOf } from './queries.ts';
import { neededTypes } from './scopes.ts';

const collector = 'azure-resource-graph';

function tell(scope: string, check: string, detail: string, failure?: { reason: Reason; remedy: string | undefined }): DoctorFinding {
  if (failure === undefined) return { collector, scope, check, ok: true, detail };
  return {
    collector,
    scope,
    check,
    ok: false,
    detail,
    reasons: [failure.reason],
    ...(failure.remedy === undefined ? {} : { remedy: failure.remedy }),
  };
}

function visibleIn(received: Received): string[] {
  const rows = isJsonObject(received.json) && Array.isArray(received.json.data) ? received.json.data : [];
  return rows.flatMap((row) => (isJsonObject(row) ? [subscriptionOf(text(row.id) ?? '') ?? ''] : [])).filter((id) => id !== '');
}

/** What the identity sees of a configured scope, subscription by subscription. */
async function visibility(
  client: GraphClient,
  identity: string,
  scope: TenantScope,
): Promise<{ findings: DoctorFinding[]; visible: string[]; date: string | null }> {
  const findings: DoctorFinding[] = [];
  const visible = new Set<string>();
  let date: string | null = null;
  const ask = (graphScope: GraphScope): ReturnType<GraphClient['ask']> =>
    client.ask({ scope: graphScope, query: subscriptionsQuery, top: pageRows, skipToken: null, ancestors: false });
  for (const part of chunks(scope.subscriptions, subscriptionsPerQuery)) {
    const answer = await ask({ subscriptions: part });
    if (answer.ok) date = answer.value.date ?? date;
    const seen = answer.ok ? visibleIn(answer.value) : [];
    for (const id of seen) visible.add(id);
    for (const id of part) {
      const at = `/subscriptions/${id}`;
      if (seen.includes(id)) findings.push(tell(id, 'visible', 'Resource Graph lists the subscription'));
      else if (answer.ok)
        findings.push(
          tell(id, 'visible', 'Resource Graph leaves the subscription out', {
            reason: { code: 'not-visible', message: `${id} is not listed` },
            remedy: azureRemedy('access-denied', identity, at),
          }),
        );
      else
        findings.push(
          tell(id, 'visible', answer.reason.message, { reason: answer.reason, remedy: azureRemedy(answer.reason.code, identity, at) }),
        );
    }
  }
  for (const group of scope.managementGroups) {
    const at = `/providers/Microsoft.Management/managementGroups/${group}`;
    const answer = await ask({ managementGroups: [group] });
    if (answer.ok) date = answer.value.date ?? date;
    const seen = answer.ok ? visibleIn(answer.value) : [];
    for (const id of seen) visible.add(id);
    if (!answer.ok)
      findings.push(
        tell(group, 'management group visible', answer.reason.message, {
          reason: answer.reason,
          remedy: azureRemedy(answer.reason.code, identity, at),
        }),
      );
    else if (seen.length === 0)
      findings.push(
        tell(group, 'management group visible', 'no subscription below it can be read', {
          reason: { code: 'not-visible', message: `nothing is listed below ${group}` },
          remedy: azureRemedy('access-denied', identity, at),
        }),
      );
    else {
      findings.push(tell(group, 'management group visible', `${seen.length} subscriptions below it`));
      findings.push(...(await leftOut(client, identity, group, new Set(seen))));
    }
  }
  return { findings, visible: [...visible].sort(), date };
}

/** Subscriptions below a management group by Resource Manager, which Resource Graph leaves out without a word. */
async function leftOut(client: GraphClient, identity: string, group: string, seen: ReadonlySet<string>): Promise<DoctorFinding[]> {
  const at = `/providers/Microsoft.Management/managementGroups/${group}`;
  const below = new Set<string>();
  let link: string | null = null;
  do {
    const answer: Awaited<ReturnType<GraphClient['descendants']>> = await client.descendants(group, link);
    if (!answer.ok)
      return [
        tell(group, 'management group descendants', answer.reason.message, {
          reason: answer.reason,
          remedy: azureRemedy(answer.reason.code, identity, at),
        }),
      ];
    const { ids, next } = descendantsOf(answer.value.json);
    for (const id of ids.map((one) => subscriptionOf(one ?? ''))) if (id !== null) below.add(id);
    // A list that leads back to itself is for the collection to tell.
    link = next === link ? null : next;
  } while (link !== null && below.size < mostDescendants);
  return [...below]
    .filter((id) => !seen.has(id))
    .sort()
    .map((id) =>
      tell(id, 'visible', `below ${group}, and Resource Graph leaves it out`, {
        reason: { code: 'not-visible', message: `${id} is not listed` },
        remedy: azureRemedy('access-denied', identity, `/subscriptions/${id}`),
      }),
    );
}

/** More than a tenant holds. */
const mostDescendants = 100_000;

async function diagnoseTenant(context: Omit<CollectContext, 'writer'>, scope: TenantScope): Promise<DoctorFinding[]> {
  const client = (await import('./client.ts')).connect(context, scope.tenant);
  const who = await client.connection.identity(context.signal, context.patience.requestTimeoutMs);
  if (!who.ok)
    return [tell(scope.tenant, 'identity', who.reason.message, { reason: who.reason, remedy: azureRemedy(who.reason.code, '', '') })];
  const { findings, visible, date } = await visibility(client, who.value, scope);
  const tables: DoctorFinding[] = [];
  const types = neededTypes(context.needs);
  const byTable = new Map<string, string>();
  for (const type of types.inSubscriptions) {
    const table = tableOf(type);
    if (table !== null && !byTable.has(table)) byTable.set(table, type);
  }
  const batch = visible.slice(0, subscriptionsPerQuery);
  for (const [table, type] of batch.length === 0 ? [] : byTable) {
    const above = livesAboveSubscriptions(type);
    const answer = await client.ask({
      scope: { subscriptions: batch },
      query: countQuery(table, [type], above ? 'above' : 'subscriptions'),
      top: pageRows,
      skipToken: null,
      ancestors: above,
    });
    tables.push(
      answer.ok
        ? tell(scope.tenant, `table ${table}`, above ? 'readable, what is inherited included' : 'readable')
        : tell(scope.tenant, `table ${table}`, answer.reason.message, {
            reason: answer.reason,
            remedy: azureRemedy(answer.reason.code, who.value, ''),
          }),
    );
  }
  return [tell(scope.tenant, 'identity', who.value), ...findings, ...tables, ...clockFinding(collector, scope.tenant, date, Date.now())];
}

/** Identity, visibility of every configured subscription and management group, each table that is needed, clock. */
export async function diagnose(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]> {
  const findings = await Promise.all(tenantScopes(context.config.scopes.azure).map((scope) => diagnoseTenant(context, scope)));
  return findings.flat();
}
