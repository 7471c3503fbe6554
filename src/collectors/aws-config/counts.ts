import { isJsonObject, type Json, type Query, type Scope, type ToldAlias, type ToldCount } from '../../model/index.ts';
import type { CountMap } from '../collector.ts';
import { text } from './document.ts';
import { confirmationShape, rowOf, scopeOfDirectory, shapeOf } from './map.ts';
import { complianceCountExpression } from './queries.ts';

/** What the counting answers of AWS Config say. Pure, and total over any JSON. */

const isVerdict = (type: string): boolean => type.startsWith('verdict:');
const ruleAlias = (rule: string): string => `results of ${rule}`;

function listOf(page: Json, name: string): readonly Json[] {
  const list = isJsonObject(page) ? page[name] : undefined;
  return Array.isArray(list) ? list : [];
}

/** `GetDiscoveredResourceCounts`: all types of the region that was asked. */
const discovered: CountMap = {
  *told(page, query) {
    const scope = scopeOfDirectory(query.scope);
    if (scope === null) return;
    for (const row of listOf(page, 'resourceCounts')) {
      if (!isJsonObject(row) || typeof row['resourceType'] !== 'string' || typeof row['count'] !== 'number') continue;
      yield { scope, type: row['resourceType'], series: '', count: row['count'] };
    }
  },
  asks(query, scope, type) {
    const asked = scopeOfDirectory(query.scope);
    return asked?.account === scope.account && asked.region === scope.region && !isVerdict(type) && !('resourceTypes' in query.parameters);
  },
};

function filtersOf(query: Query): { type: string; region: string } | null {
  const { Filters: filters, GroupByKey: by } = query.parameters as { Filters?: Json; GroupByKey?: unknown };
  if (!isJsonObject(filters) || by !== 'ACCOUNT_ID' || 'AccountId' in filters) return null;
  const type = text(filters['ResourceType']);
  return type === null ? null : { type, region: text(filters['Region']) ?? 'global' };
}

/** `GetAggregateDiscoveredResourceCounts`: one type in one region, or in all, by account. */
const grouped: CountMap = {
  *told(page, query) {
    const asked = filtersOf(query);
    if (asked === null) return;
    for (const row of listOf(page, 'GroupedResourceCounts')) {
      if (!isJsonObject(row) || typeof row['GroupName'] !== 'string' || typeof row['ResourceCount'] !== 'number') continue;
      const scope: Scope = { provider: 'aws', account: row['GroupName'], region: asked.region };
      yield { scope, type: asked.type, series: '', count: row['ResourceCount'] };
    }
  },
  asks(query, scope, type) {
    const asked = filtersOf(query);
    return asked !== null && asked.type === type && asked.region === scope.region;
  },
};

/** The rule whose compliance items a Select counts; null for another query. */
function countedRule(query: Query): string | null {
  const rule = /configRuleName = '([^']+)'$/.exec(query.text ?? '')?.[1];
  return rule !== undefined && query.text === complianceCountExpression(rule) ? rule : null;
}

const judged: CountMap = {
  *told(page, query): Iterable<ToldCount> {
    const scope = scopeOfDirectory(query.scope);
    const rule = countedRule(query);
    if (scope === null || rule === null) return;
    for (const row of listOf(page, 'Results')) {
      const count = rowOf(row)?.['COUNT(*)'];
      if (typeof count === 'number') yield { scope, type: ruleAlias(rule), series: rule, count };
    }
  },
  // Rules that judged nothing have no count at all.
  asks: () => false,
};

export const counts: Readonly<Record<string, CountMap>> = {
  [shapeOf('GetDiscoveredResourceCounts')]: discovered,
  [shapeOf('GetAggregateDiscoveredResourceCounts')]: grouped,
  [confirmationShape]: judged,
};

/** A deployed rule is counted by its own name, and entered under that of the managed rule. */
export function countAliases(query: Query): ToldAlias[] {
  const scope = scopeOfDirectory(query.scope);
  const rule = query.parameters['ConfigRuleName'];
  const type = query.types.find(isVerdict);
  return scope === null || typeof rule !== 'string' || type === undefined
    ? []
    : [{ scope, type: type.toLowerCase(), alias: ruleAlias(rule) }];
}
