import type { LedgerEntry } from '../../model/index.ts';
import type { CollectContext, CollectResult, Collector, PlannedScope } from '../collector.ts';
import type { AwsScopeConfig } from '../../config/schema.ts';
import { collectOpened, collectorId, coverage, openAccount, ruleTypes } from './account.ts';
import { countAliases, counts } from './counts.ts';
import { doctor } from './doctor.ts';
import { emptyEntry } from './entries.ts';
import { shapes } from './map.ts';
import { readDocument } from './read-document.ts';
import { collectAggregator, type Direct, merged } from './organisation.ts';
import { aggregatorRegion, directoryOf, directScopes, isGlobal } from './queries.ts';
import { homeRegion } from './region.ts';

function plan(context: Pick<CollectContext, 'config' | 'needs'>): PlannedScope[] {
  const scopes = context.config.scopes.aws ?? [];
  const types = [...context.needs.types.aws, ...ruleTypes(context)];
  return [
    ...directScopes(scopes).map(({ account, region }) => ({ account, region, types, expands: false })),
    ...scopes.flatMap(({ aggregator }) =>
      aggregator === undefined ? [] : [{ account: aggregator.account, region: aggregatorRegion(aggregator.name), types, expands: true }],
    ),
  ];
}

async function collectAccount(
  collect: CollectContext,
  account: string,
  regions: readonly string[],
  scope: AwsScopeConfig,
): Promise<CollectResult> {
  const types = collect.needs.types.aws;
  const opened = await openAccount(collect, account, regions, scope, types.length > 0);
  const home = homeRegion(opened, types);
  const results = await Promise.all(
    opened.map((one) =>
      collect.unit(async (): Promise<CollectResult> => {
        const here = types.filter((type) => !isGlobal(type) || one.region === home);
        const elsewhere = types
          .filter((type) => isGlobal(type) && one.region !== home)
          .map((type): LedgerEntry => ({
            ...emptyEntry(one, type),
            status: 'excluded',
            reasons: [
              { code: 'global-type-elsewhere', message: `${type} belongs to the whole account and is collected in ${home ?? 'no region'}` },
            ],
          }));
        const entries = await collectOpened(collect, one, here);
        const scopeCoverage = coverage(one, entries, ['configured']);
        one.connection?.close();
        collect.progress.done(collectorId, directoryOf(account, one.region), scopeCoverage.status);
        return { scopes: [scopeCoverage], entries: [...entries, ...elsewhere] };
      }),
    ),
  );
  return merged(results);
}

async function collect(context: CollectContext): Promise<CollectResult> {
  const scopes = context.config.scopes.aws ?? [];
  const byAccount = Map.groupBy(directScopes(scopes), ({ account }) => account);
  const direct: Direct = new Map([...byAccount].map(([account, of]) => [account, new Set(of.map(({ region }) => region))]));
  const accounts = [...byAccount].flatMap(([account, of]) => {
    // One account may be configured twice, with another role for other regions.
    const byScope = Map.groupBy(of, ({ scope }) => scope);
    return [...byScope].map(([scope, places]) =>
      collectAccount(
        context,
        account,
        places.map(({ region }) => region),
        scope,
      ),
    );
  });
  const aggregators = scopes.flatMap((scope) =>
    scope.aggregator === undefined ? [] : [collectAggregator(context, scope, scope.aggregator, direct)],
  );
  return merged(await Promise.all([...accounts, ...aggregators]));
}

/** AWS Config: resources, rule results and the population they are held against, by account and region. */
export const awsConfig: Collector = {
  id: collectorId,
  provider: 'aws',
  plan,
  collect,
  // A dozen regions at their quotas keep a processor busy; more would only make each other's answers wait.
  unitsInFlight: 12,
  load: () => import('./client.ts'),
  doctor,
  shapes,
  counts,
  countAliases,
  readDocument,
};
