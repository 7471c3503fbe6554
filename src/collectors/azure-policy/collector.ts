import { blank } from '../blank.ts';
import { type LedgerEntry, type LedgerStatus, type Reason } from '../../model/index.ts';
import { isRefusal } from '../attempts.ts';
import { graphCounts } from '../azure-counts.ts';
import { ledgerStatus, tenantAccount } from '../azure-graph.ts';
import { discover, type TenantScope, tenantScopes, vanished } from '../azure-tenants.ts';
import type { CollectContext, Collector, CollectResult, PlannedScope } from '../collector.ts';
import { assignedPolicies } from './assigned.ts';
import { diagnose } from './doctor.ts';
import { readStates } from './document.ts';
import { collectObjects, type ObjectListing } from './objects.ts';
import {
  countsShape,
  noRecords,
  objectRecords,
  objectsShape,
  rowRecords,
  rowsShape,
  stateRecords,
  statesShape,
  subscriptionsShape,
} from './map.ts';
import { assignmentType, definitionType, exemptionType, setDefinitionType } from './queries.ts';
import { collectStates, type StateTally } from './states.ts';

const collector = 'azure-policy';
const objectTypes = [assignmentType, definitionType, setDefinitionType, exemptionType];

function guidsOf(needs: CollectContext['needs']): string[] {
  return [...new Set(needs.azurePolicies.map((guid) => guid.toLowerCase()))].sort();
}

/** Policy objects are collected where a control reads a policy's verdict, or is about the objects themselves. */
function isNeeded(needs: CollectContext['needs']): boolean {
  return needs.azurePolicies.length > 0 || needs.types.azure.some((type) => objectTypes.includes(type.toLowerCase()));
}

export function owedTypes(needs: CollectContext['needs']): string[] {
  return isNeeded(needs) ? [...objectTypes, ...guidsOf(needs).map((guid) => `verdict:${guid}`)] : [];
}

function plan({ config, needs }: Pick<CollectContext, 'config' | 'needs'>): PlannedScope[] {
  const types = owedTypes(needs);
  if (types.length === 0) return [];
  return tenantScopes(config.scopes.azure).flatMap((scope) => [
    ...scope.subscriptions.map((account) => ({ account, region: '*', types, expands: false })),
    ...(scope.managementGroups.length > 0 ? [{ account: tenantAccount(scope.tenant), region: '*', types, expands: true }] : []),
  ]);
}

const { entry: entryOf, coverage } = blank(collector, 'azure');

function nothing(
  accounts: readonly string[],
  types: readonly string[],
  status: LedgerStatus,
  identity: string | null,
  reasons: readonly Reason[],
): CollectResult {
  return {
    scopes: accounts.map((account) => coverage(account, null, ['configured'], status, identity, reasons)),
    entries: accounts.flatMap((account) => types.map((type) => entryOf(account, type, status, reasons))),
  };
}

/**
 * The ledger line of one policy in one subscription. No state at all is never an empty population: either the policy is not
 * assigned there, or it was never evaluated, and in both cases nothing is known of the resources.
 */
export function verdictEntry(
  account: string,
  guid: string,
  states: StateTally,
  assigned: ReturnType<typeof assignedPolicies>,
): LedgerEntry {
  const type = `verdict:${guid}`;
  const { held, count, freshness, reasons, status, queries } = states.of(account, guid);
  const base = { ...entryOf(account, type, status, reasons), held, count, freshness, queries: [...queries] };
  if (status !== 'complete' || held > 0) return base;
  const knows = assigned.of(account);
  const assignment = knows.policies.get(guid);
  const reason: Reason =
    assignment !== undefined
      ? {
          code: 'policy-never-evaluated',
          message: `policy ${guid} is assigned in ${account} (${assignment}) and has no state there: it was never evaluated, or nothing it evaluates exists`,
        }
      : knows.whole
        ? {
            code: 'policy-not-assigned',
            message: `policy ${guid} is not assigned in ${account}: Azure Policy says nothing of its resources`,
          }
        : { code: 'policy-without-state', message: `policy ${guid} has no state in ${account}, and its assignments there are not known` };
  return { ...base, status: 'not-recorded', reasons: [reason] };
}

async function collectTenant(context: CollectContext, scope: TenantScope): Promise<CollectResult> {
  const types = owedTypes(context.needs);
  const guids = guidsOf(context.needs);
  const above = tenantAccount(scope.tenant);
  const client = (await import('./client.ts')).connect(context, scope.tenant);
  const who = await client.graph.connection.identity(context.signal, context.patience.requestTimeoutMs);
  const configured = [...scope.subscriptions, ...(scope.managementGroups.length > 0 ? [above] : [])];
  if (!who.ok) return nothing(configured, types, isRefusal(who.reason) ? 'denied' : 'failed', null, [who.reason]);
  const identity = who.value;
  context.progress.scope(collector, scope.tenant);

  const {
    names,
    visible,
    unlisted,
    gap,
    reasons: listReasons,
  } = await discover(context, client.graph, identity, { collector, shape: subscriptionsShape }, scope, 'before');
  const notVisible: Reason = {
    code: 'not-visible',
    message: `the subscription is not among those that ${identity} can read: grant it Reader there, or correct the id`,
  };
  const unseen = scope.subscriptions.filter((account) => !names.has(account) && !unlisted.has(account));
  const missing = nothing(unseen, types, gap === null ? 'denied' : ledgerStatus(gap), identity, gap !== null ? listReasons : [notVisible]);
  const leftOut = nothing([...unlisted.keys()], types, 'denied', identity, [notVisible]);
  missing.scopes.push(
    ...leftOut.scopes.map((one) => ({ ...one, name: unlisted.get(one.account) ?? null, knownFrom: ['management group descendants'] })),
  );
  missing.entries.push(...leftOut.entries);
  if (scope.managementGroups.length > 0 && (listReasons.length > 0 || visible.length === 0)) {
    const reasons =
      listReasons.length > 0
        ? listReasons
        : [{ code: 'not-visible', message: `no subscription is visible below ${scope.managementGroups.join(', ')}` }];
    const lost = nothing([above], types, 'partial', identity, reasons);
    missing.scopes.push(...lost.scopes);
    missing.entries.push(...lost.entries);
  }

  const asking = { context, client, identity, collector, tenant: scope.tenant };
  const [objects, states] = await Promise.all([collectObjects(asking, visible), collectStates(asking, visible, guids)]);
  const assigned = assignedPolicies(context.writer.runDirectory, objects.listings);

  const later = await discover(context, client.graph, identity, { collector, shape: subscriptionsShape }, scope, 'after');
  const entries = vanished(
    [...objects.entries, ...visible.flatMap((account) => guids.map((guid) => verdictEntry(account, guid, states, assigned)))],
    visible,
    later,
  );
  const scopes = visible.map((account) => {
    const worst = entries.find((entry) => entry.account === account && entry.status !== 'complete' && entry.status !== 'not-recorded');
    const knownFrom = [...(scope.subscriptions.includes(account) ? ['configured'] : []), 'resourcecontainers'];
    return coverage(
      account,
      names.get(account) ?? null,
      knownFrom,
      worst === undefined ? 'complete' : 'partial',
      identity,
      worst?.reasons ?? [],
    );
  });
  context.progress.done(collector, scope.tenant, scopes.every((one) => one.status === 'complete') ? 'complete' : 'partial');
  return { scopes: [...missing.scopes, ...scopes], entries: [...missing.entries, ...entries] };
}

export type { ObjectListing };

export const azurePolicy: Collector = {
  id: collector,
  provider: 'azure',
  // Pages of up to a thousand records.
  unitsInFlight: 4,
  plan,
  async collect(context) {
    if (!isNeeded(context.needs)) return { scopes: [], entries: [] };
    const results = await Promise.all(tenantScopes(context.config.scopes.azure).map((scope) => collectTenant(context, scope)));
    return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
  },
  load: () => import('./client.ts'),
  doctor: diagnose,
  shapes: {
    [objectsShape]: objectRecords,
    [rowsShape]: rowRecords,
    [statesShape]: stateRecords,
    [countsShape]: noRecords,
    [subscriptionsShape]: noRecords,
  },
  counts: { [countsShape]: graphCounts },
  readVerdicts: readStates,
};
