import { isJsonObject } from '../../model/index.ts';
import { text } from '../azure-graph.ts';
import { azureRemedy } from '../azure-remedy.ts';
import { type TenantScope, tenantScopes } from '../azure-tenants.ts';
import type { CollectContext, DoctorFinding } from '../collector.ts';
import { policyGuid } from './map.ts';
import { componentStateType, pageRows, stateCountQuery, stateType, subscriptionsPerCount } from './queries.ts';

const collector = 'azure-policy';

async function diagnoseTenant(context: Omit<CollectContext, 'writer'>, scope: TenantScope): Promise<DoctorFinding[]> {
  const client = (await import('./client.ts')).connect(context, scope.tenant);
  const who = await client.graph.connection.identity(context.signal, context.patience.requestTimeoutMs);
  if (!who.ok)
    return [
      {
        collector,
        scope: scope.tenant,
        check: 'identity',
        ok: false,
        detail: who.reason.message,
        remedy: azureRemedy(who.reason.code, '', '') ?? '',
        reasons: [who.reason],
      },
    ];
  const findings: DoctorFinding[] = [];
  for (const account of scope.subscriptions) {
    const answer = await client.list('policy-assignments', account, null);
    const check = 'Microsoft.Authorization/policyAssignments/read';
    if (answer.ok) findings.push({ collector, scope: account, check, ok: true, detail: 'allowed' });
    else
      findings.push({
        collector,
        scope: account,
        check,
        ok: false,
        detail: answer.reason.message,
        reasons: [answer.reason],
        remedy: azureRemedy(answer.reason.code, who.value, `/subscriptions/${account}`) ?? 'see the message',
      });
  }

  const guids = context.needs.azurePolicies.map((guid) => guid.toLowerCase());
  if (guids.length === 0) return findings;
  const graphScope =
    scope.managementGroups.length > 0
      ? { managementGroups: scope.managementGroups }
      : { subscriptions: scope.subscriptions.slice(0, subscriptionsPerCount(guids.length)) };
  const evaluated = new Set<string>();
  for (const type of [stateType, componentStateType]) {
    const answer = await client.graph.ask({
      scope: graphScope,
      query: stateCountQuery(type, guids),
      top: pageRows,
      skipToken: null,
      ancestors: false,
    });
    if (!answer.ok)
      return [
        ...findings,
        {
          collector,
          scope: scope.tenant,
          check: 'policy states',
          ok: false,
          detail: answer.reason.message,
          reasons: [answer.reason],
          remedy: azureRemedy(answer.reason.code, who.value, '') ?? 'see the message',
        },
      ];
    const rows = isJsonObject(answer.value.json) && Array.isArray(answer.value.json.data) ? answer.value.json.data : [];
    for (const row of rows) if (isJsonObject(row)) evaluated.add(policyGuid(text(row.policyDefinitionId) ?? ''));
  }
  const at =
    scope.managementGroups[0] === undefined
      ? `/subscriptions/${scope.subscriptions[0] ?? '<subscription>'}`
      : `/providers/Microsoft.Management/managementGroups/${scope.managementGroups[0]}`;
  for (const guid of guids) {
    const ok = evaluated.has(guid);
    findings.push({
      collector,
      scope: scope.tenant,
      check: `policy ${guid} evaluated`,
      ok,
      detail: ok ? 'it has states' : 'it has no state anywhere: it is not assigned, or was never evaluated',
      ...(ok ? {} : { remedy: `az policy assignment create --policy ${guid} --scope ${at}, then az policy state trigger-scan` }),
    });
  }
  return findings;
}

/** Whether policy objects can be read, and whether the policies that controls rest on are assigned and evaluated at all. */
export async function diagnose(context: Omit<CollectContext, 'writer'>): Promise<DoctorFinding[]> {
  if (context.needs.azurePolicies.length === 0) return [];
  const findings = await Promise.all(tenantScopes(context.config.scopes.azure).map((scope) => diagnoseTenant(context, scope)));
  return findings.flat();
}
