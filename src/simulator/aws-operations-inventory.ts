import type { Json, JsonObject } from '../model/index.ts';
import { type AwsCall, AwsError, limitOf, object, page, spoil, strings, text } from './aws-call.ts';
import { type AwsHeld, type AwsOperations, insufficient } from './aws-held.ts';
import { countGroups, locate } from './aws-locate.ts';
import { batchItem, parseSelect, project, selectRow, selectText, type SelectQuery } from './aws-select.ts';
import type { AwsItem } from './estate/aws-model.ts';
import type { Population } from './estate/population.ts';

/** The type under which Config keeps what its rules came to, one item for each resource. */
const complianceType = 'AWS::Config::ResourceCompliance';

/** What is recorded: queries, counts, lists and items, of one scope or of the aggregator. */
export function inventoryOperations(held: AwsHeld): AwsOperations {
  const { rules, recorded, capturedAt, requireAggregator, sources } = held;

  const select = (call: AwsCall, account: string | null, region: string | null): JsonObject => {
    const expression = text(call.input, 'Expression');
    if (expression.length > 4096)
      throw new AwsError(
        'ValidationException',
        "Value at 'expression' failed to satisfy constraint: Member must have length less than or equal to 4096",
      );
    const query = parseSelect(expression);
    const populations = recorded(call, account, region, account === null).filter(
      (population) => query.types === null || query.types.includes(population.type),
    );
    const limit = limitOf(call, 'Limit', account === null ? 25 : 100, 100);
    const queryInfo: Json = {
      SelectFields: query.fields.map((field) => ({ Name: field.kind === 'all' ? '*' : field.kind === 'count' ? 'COUNT(*)' : field.path })),
    };
    const row = (item: AwsItem): JsonObject => selectRow(item, capturedAt(call, item));
    let texts: readonly string[];
    let token: string | undefined;
    if (query.fields.some((field) => field.kind === 'count')) {
      const judged = query.types?.length === 1 && query.types[0] === complianceType ? judgedBy(call, query, account, region) : null;
      const groups = judged === null ? countGroups(query, populations, row) : [{ 'COUNT(*)': judged }];
      const cut = page(call, groups.length, limit, (i) => JSON.stringify(groups[i]));
      texts = cut.rows;
      token = cut.token;
    } else {
      const found = locate(query, populations, row);
      const cut = page(call, found.length, limit, (i) => selectText(spoil(call, project(query, row(found.at(i))))));
      texts = cut.rows;
      token = cut.token;
    }
    return { QueryInfo: queryInfo, Results: [...texts], ...(token === undefined ? {} : { NextToken: token }) };
  };

  /** How many resources the rule named in the query has judged: Config keeps one compliance item for each. */
  const judgedBy = (call: AwsCall, query: SelectQuery, account: string | null, region: string | null): number => {
    const parts = query.where === null ? [] : query.where.op === 'and' ? query.where.of : [query.where];
    const name = parts
      .map((part) => (part.op === '=' && part.path === 'configuration.configRuleList.configRuleName' ? part.value : null))
      .find((one) => one !== null);
    return sources()
      .filter((source) => (account === null || source.account === account) && (region === null || source.region === region))
      .flatMap((source) => rules(source.account, source.region))
      .filter((rule) => rule.name === name && !insufficient(call, rule))
      .reduce((sum, rule) => sum + rule.count, 0);
  };

  const lookUp = (call: AwsCall, account: string, region: string, type: string, id: string, aggregated = false): AwsItem | undefined => {
    for (const population of recorded(call, account, region, aggregated)) {
      if (population.type !== type) continue;
      for (let i = 0; i < population.count; i += 1) {
        const item = population.record(i);
        if (item.resourceId === id) return item;
      }
    }
    return undefined;
  };

  return {
    SelectResourceConfig: (call) => select(call, call.account, call.region),
    SelectAggregateResourceConfig: (call) => {
      requireAggregator(call);
      return select(call, null, null);
    },
    GetDiscoveredResourceCounts: (call) => {
      const wanted = strings(call.input['resourceTypes']);
      const counts = typeCounts(recorded(call, call.account, call.region), (population) => population.type).filter(
        ([type]) => wanted.length === 0 || wanted.includes(type),
      );
      const cut = page(call, counts.length, limitOf(call, 'limit', 100, 100), (i) => ({
        resourceType: counts[i]?.[0] ?? '',
        count: counts[i]?.[1] ?? 0,
      }));
      return {
        totalDiscoveredResources: counts.reduce((sum, [, count]) => sum + count, 0),
        resourceCounts: [...cut.rows],
        ...(cut.token === undefined ? {} : { nextToken: cut.token }),
      };
    },
    ListDiscoveredResources: (call) => {
      const type = text(call.input, 'resourceType');
      if (type === '')
        throw new AwsError(
          'ValidationException',
          "1 validation error detected: Value null at 'resourceType' failed to satisfy constraint: Member must not be null",
        );
      const found = locate(
        { typesOnly: true },
        recorded(call, call.account, call.region).filter((population) => population.type === type),
        () => ({}),
      );
      const cut = page(call, found.length, limitOf(call, 'limit', 100, 100), (i) => {
        const item = found.at(i);
        return {
          resourceType: item.resourceType,
          resourceId: item.resourceId,
          ...(item.resourceName === null ? {} : { resourceName: item.resourceName }),
        };
      });
      return { resourceIdentifiers: [...cut.rows], ...(cut.token === undefined ? {} : { nextToken: cut.token }) };
    },
    BatchGetResourceConfig: (call) => {
      const keys = Array.isArray(call.input['resourceKeys']) ? call.input['resourceKeys'].map(object) : [];
      if (keys.length === 0 || keys.length > 100)
        throw new AwsError(
          'ValidationException',
          "1 validation error detected: Value at 'resourceKeys' failed to satisfy constraint: Member must have length between 1 and 100",
        );
      const found = keys.map((key) => ({
        key,
        item: lookUp(call, call.account, call.region, text(key, 'resourceType'), text(key, 'resourceId')),
      }));
      return {
        baseConfigurationItems: found.flatMap(({ item }) =>
          item === undefined ? [] : [spoil(call, batchItem(item, capturedAt(call, item)))],
        ),
        unprocessedResourceKeys: [],
      };
    },
    BatchGetAggregateResourceConfig: (call) => {
      requireAggregator(call);
      const keys = Array.isArray(call.input['ResourceIdentifiers']) ? call.input['ResourceIdentifiers'].map(object) : [];
      if (keys.length === 0 || keys.length > 100)
        throw new AwsError(
          'ValidationException',
          "1 validation error detected: Value at 'resourceIdentifiers' failed to satisfy constraint: Member must have length between 1 and 100",
        );
      const found = keys.map((key) => ({
        key,
        item: lookUp(
          call,
          text(key, 'SourceAccountId'),
          text(key, 'SourceRegion'),
          text(key, 'ResourceType'),
          text(key, 'ResourceId'),
          true,
        ),
      }));
      return {
        BaseConfigurationItems: found.flatMap(({ item }) =>
          item === undefined ? [] : [spoil(call, batchItem(item, capturedAt(call, item)))],
        ),
        UnprocessedResourceIdentifiers: found.flatMap(({ item, key }) => (item === undefined ? [key] : [])),
      };
    },
    GetAggregateDiscoveredResourceCounts: (call) => {
      requireAggregator(call);
      const filters = object(call.input['Filters']);
      const populations = recorded(call, text(filters, 'AccountId') || null, text(filters, 'Region') || null, true).filter(
        (population) => text(filters, 'ResourceType') === '' || population.type === text(filters, 'ResourceType'),
      );
      const by = text(call.input, 'GroupByKey');
      const groups =
        by === ''
          ? []
          : typeCounts(populations, (population) =>
              by === 'RESOURCE_TYPE' ? population.type : by === 'ACCOUNT_ID' ? population.account : population.region,
            );
      const cut = page(call, groups.length, limitOf(call, 'Limit', 1000, 1000), (i) => ({
        GroupName: groups[i]?.[0] ?? '',
        ResourceCount: groups[i]?.[1] ?? 0,
      }));
      return {
        TotalDiscoveredResources: populations.reduce((sum, population) => sum + population.count, 0),
        ...(by === '' ? {} : { GroupByKey: by, GroupedResourceCounts: [...cut.rows] }),
        ...(cut.token === undefined ? {} : { NextToken: cut.token }),
      };
    },
  };
}

/** Records by a name of their population, most first. */
function typeCounts(populations: readonly Population<AwsItem>[], of: (population: Population<AwsItem>) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const population of populations) counts.set(of(population), (counts.get(of(population)) ?? 0) + population.count);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}
