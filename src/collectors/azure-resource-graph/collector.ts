import { graphCounts } from '../azure-counts.ts';
import { blank } from '../blank.ts';
import { type LedgerEntry, type LedgerStatus, type Reason, type ScopeCoverage } from '../../model/index.ts';
import { isRefusal } from '../attempts.ts';
import { ledgerStatus, tenantAccount } from '../azure-graph.ts';
import type { GraphScope } from '../azure-graph-client.ts';
import { chunks, discover, type TenantScope, tenantScopes, vanished } from '../azure-tenants.ts';
import type { CollectContext, Collector, CollectResult } from '../collector.ts';
import { diagnose } from './doctor.ts';
import { collectGroup, type Group } from './group.ts';
import { countsShape, noRecords, readAzureDocument, rowRecords, rowsShape, subscriptionsShape } from './map.ts';
import { subscriptionsPerQuery, tableOf } from './queries.ts';
import { neededTypes, plan } from './scopes.ts';

const collector = 'azure-resource-graph';

const { entry: emptyEntry, coverage } = blank(collector, 'azure');

/** Everything that a tenant owes, refused or failed for one reason. */
function nothing(scope: TenantScope, types: { inSubscriptions: string[]; above: string[] }, reason: Reason): CollectResult {
  const status: LedgerStatus = isRefusal(reason) ? 'denied' : 'failed';
  const above = tenantAccount(scope.tenant);
  const aboveTypes = scope.managementGroups.length > 0 ? [...new Set([...types.inSubscriptions, ...types.above])] : types.above;
  return {
    scopes: [
      ...scope.subscriptions.map((account) => coverage(account, null, ['configured'], status, null, [reason])),
      coverage(above, null, ['configured'], status, null, [reason]),
    ],
    entries: [
      ...scope.subscriptions.flatMap((account) => types.inSubscriptions.map((type) => emptyEntry(account, type, status, [reason]))),
      ...aboveTypes.map((type) => emptyEntry(above, type, status, [reason])),
    ],
  };
}

/** Types that Resource Graph does not hold: said for every subscription, so that their silence is not taken for emptiness. */
function unindexed(accounts: readonly string[], types: readonly string[]): LedgerEntry[] {
  return types
    .filter((type) => tableOf(type) === null)
    .flatMap((type) =>
      accounts.map((account) =>
        emptyEntry(account, type, 'not-recorded', [
          { code: 'not-in-resource-graph', message: `Azure Resource Graph holds no records of ${type}; use a policy state instead` },
        ]),
      ),
    );
}

/** A lookup in a subscription's role assignments also needs those inherited from above: where they fail, the subscription's are not whole. */
function inheritGaps(entries: LedgerEntry[], aboveEntries: readonly LedgerEntry[]): void {
  const failing = new Map(aboveEntries.filter((entry) => entry.status !== 'complete').map((entry) => [entry.type, entry]));
  for (const [index, entry] of entries.entries()) {
    const above = failing.get(entry.type);
    if (above === undefined || entry.status !== 'complete') continue;
    const reasons = above.reasons.map((reason) => ({
      ...reason,
      message: `records inherited from above the subscription are not whole: ${reason.message}`,
    }));
    entries[index] = { ...entry, status: 'partial', reasons };
  }
}

async function collectTenant(context: CollectContext, scope: TenantScope): Promise<CollectResult> {
  const types = neededTypes(context.needs);
  const above = tenantAccount(scope.tenant);
  const client = (await import('./client.ts')).connect(context, scope.tenant);
  const who = await client.connection.identity(context.signal, context.patience.requestTimeoutMs);
  if (!who.ok) return nothing(scope, types, who.reason);
  const identity = who.value;
  context.progress.scope(collector, scope.tenant);

  const {
    names,
    visible,
    unlisted,
    gap: listGap,
    reasons: found,
  } = await discover(context, client, identity, { collector, shape: subscriptionsShape }, scope, 'before');
  const listReasons = [...found];

  const scopes: ScopeCoverage[] = [];
  const entries: LedgerEntry[] = [];

  // Subscriptions that are configured, or known to Resource Manager, and that Resource Graph left out in silence.
  for (const account of new Set([...scope.subscriptions, ...unlisted.keys()])) {
    if (names.has(account)) continue;
    const failed = listGap !== null && !unlisted.has(account);
    const reasons: readonly Reason[] = failed
      ? listReasons
      : [
          {
            code: 'not-visible',
            message: `subscription ${account} is not among those that ${identity} can read: grant it Reader there, or correct the id`,
          },
        ];
    const status: LedgerStatus = failed ? ledgerStatus(listGap) : 'denied';
    const knownFrom = [
      ...(scope.subscriptions.includes(account) ? ['configured'] : []),
      ...(unlisted.has(account) ? ['management group descendants'] : []),
    ];
    scopes.push(coverage(account, unlisted.get(account) ?? null, knownFrom, status, identity, reasons));
    entries.push(...types.inSubscriptions.map((type) => emptyEntry(account, type, status, reasons)));
  }

  const groups: Group[] = chunks(visible, subscriptionsPerQuery).map((subscriptions, index) => ({
    collector,
    tenant: scope.tenant,
    directory: index === 0 ? scope.tenant : `${scope.tenant}.${index + 1}`,
    scope: { subscriptions },
    level: 'subscriptions',
    accounts: subscriptions,
    above,
    types: types.inSubscriptions,
  }));
  const aboveScope: GraphScope | null =
    scope.managementGroups.length > 0
      ? { managementGroups: scope.managementGroups }
      : visible.length > 0
        ? { subscriptions: visible.slice(0, subscriptionsPerQuery) }
        : null;
  const aboveGroup: Group | null =
    aboveScope === null || types.above.length === 0
      ? null
      : {
          collector,
          tenant: scope.tenant,
          directory: scope.tenant,
          scope: aboveScope,
          level: 'above',
          accounts: [above],
          above,
          types: types.above,
        };

  const [aboveEntries, ...batches] = await Promise.all([
    aboveGroup === null ? Promise.resolve([]) : collectGroup(context, client, identity, aboveGroup),
    ...groups.map((group) => collectGroup(context, client, identity, group)),
  ]);
  const later = await discover(context, client, identity, { collector, shape: subscriptionsShape }, scope, 'after');
  const collected = vanished([...batches.flat(), ...unindexed(visible, types.inSubscriptions)], visible, later);
  const upper =
    aboveGroup === null
      ? types.above.map((type) =>
          emptyEntry(
            above,
            type,
            listReasons.length > 0 ? 'failed' : 'denied',
            listReasons.length > 0 ? listReasons : [{ code: 'not-visible', message: 'no subscription of the tenant can be read' }],
          ),
        )
      : [...aboveEntries];
  if (aboveScope !== null && 'subscriptions' in aboveScope && visible.length > subscriptionsPerQuery) {
    const reason: Reason = {
      code: 'scope-too-large',
      message: `what lies above subscriptions was read for the first ${subscriptionsPerQuery} of them: configure managementGroups to read all`,
    };
    for (const [index, entry] of upper.entries())
      upper[index] = { ...entry, status: entry.status === 'complete' ? 'partial' : entry.status, reasons: [...entry.reasons, reason] };
  }
  inheritGaps(collected, upper);
  entries.push(...collected);

  for (const account of visible) {
    const own = collected.filter((entry) => entry.account === account);
    const worst = own.find((entry) => entry.status !== 'complete' && entry.status !== 'not-recorded');
    const knownFrom = [...(scope.subscriptions.includes(account) ? ['configured'] : []), 'resourcecontainers'];
    scopes.push(
      coverage(
        account,
        names.get(account) ?? null,
        knownFrom,
        worst === undefined ? 'complete' : 'partial',
        identity,
        worst?.reasons ?? [],
      ),
    );
  }

  // A subscription that the list lost has no name to be entered under: the tenant carries the gap, for every type.
  const tenantTypes = new Set(upper.map((entry) => entry.type));
  if (listReasons.length > 0)
    for (const type of types.inSubscriptions) if (!tenantTypes.has(type)) upper.push(emptyEntry(above, type, 'partial', listReasons));
  if (visible.length === 0 && scope.managementGroups.length > 0 && listReasons.length === 0) {
    const reason: Reason = {
      code: 'not-visible',
      message: `no subscription is visible to ${identity} below ${scope.managementGroups.join(', ')}: grant it Reader there`,
    };
    listReasons.push(reason);
    for (const type of types.inSubscriptions) if (!tenantTypes.has(type)) upper.push(emptyEntry(above, type, 'denied', [reason]));
  }
  entries.push(...upper);
  const upperGap = upper.find((entry) => entry.status !== 'complete');
  scopes.push(
    coverage(
      above,
      null,
      ['configured'],
      upperGap === undefined && listReasons.length === 0 ? 'complete' : 'partial',
      identity,
      listReasons.length > 0 ? listReasons : (upperGap?.reasons ?? []),
    ),
  );
  context.progress.done(
    collector,
    scope.tenant,
    entries.every((entry) => entry.status === 'complete' || entry.status === 'not-recorded') ? 'complete' : 'partial',
  );
  return { scopes, entries };
}

export const azureResourceGraph: Collector = {
  id: collector,
  provider: 'azure',
  // Pages of up to a thousand records: each is some ten megabytes while it is read.
  unitsInFlight: 3,
  plan,
  async collect(context) {
    const results = await Promise.all(tenantScopes(context.config.scopes.azure).map((scope) => collectTenant(context, scope)));
    return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
  },
  load: () => import('./client.ts'),
  doctor: diagnose,
  shapes: { [rowsShape]: rowRecords, [countsShape]: noRecords, [subscriptionsShape]: noRecords },
  counts: { [countsShape]: graphCounts },
  readDocument: readAzureDocument,
};
