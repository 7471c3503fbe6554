import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { holds, type SelectQuery } from './aws-select.ts';
import type { AwsItem } from './estate/aws-model.ts';
import type { Population } from './estate/population.ts';

/** Items of a query by position. */
export interface Located {
  readonly length: number;
  at(index: number): AwsItem;
}

/** The items of a query by position: counted without making them where only types are asked for. */
export function locate(
  query: Pick<SelectQuery, 'typesOnly'> & Partial<Pick<SelectQuery, 'where'>>,
  populations: readonly Population<AwsItem>[],
  row: (item: AwsItem) => JsonObject,
): Located {
  const where = query.where ?? null;
  if (query.typesOnly || where === null) {
    const length = populations.reduce((sum, population) => sum + population.count, 0);
    return {
      length,
      at: (index) => {
        let left = index;
        for (const population of populations) {
          if (left < population.count) return population.record(left);
          left -= population.count;
        }
        throw new Error(`no item at ${String(index)} of ${String(length)}`);
      },
    };
  }
  const found: AwsItem[] = [];
  for (const population of populations) {
    for (let i = 0; i < population.count; i += 1) {
      const item = population.record(i);
      if (holds(where, row(item))) found.push(item);
    }
  }
  return { length: found.length, at: (index) => found[index] as AwsItem };
}

/** The rows of a query that counts, largest group first. */
export function countGroups(
  query: SelectQuery,
  populations: readonly Population<AwsItem>[],
  row: (item: AwsItem) => JsonObject,
): JsonObject[] {
  const scopeFields = new Set(['resourceType', 'accountId']);
  const cheap = query.typesOnly && query.groupBy.every((path) => scopeFields.has(path));
  const counts = new Map<string, { group: JsonObject; count: number }>();
  const add = (group: JsonObject, count: number): void => {
    const key = JSON.stringify(group);
    const held = counts.get(key) ?? { group, count: 0 };
    held.count += count;
    counts.set(key, held);
  };
  for (const population of populations) {
    if (cheap) {
      add(
        Object.fromEntries(query.groupBy.map((path) => [path, path === 'resourceType' ? population.type : population.account])),
        population.count,
      );
      continue;
    }
    for (let i = 0; i < population.count; i += 1) {
      const shown = row(population.record(i));
      if (query.where !== null && !holds(query.where, shown)) continue;
      add(
        Object.fromEntries(
          query.groupBy.map((path) => [
            path,
            path.split('.').reduce<Json>((value, part) => (isJsonObject(value) ? (value[part] ?? null) : null), shown),
          ]),
        ),
        1,
      );
    }
  }
  const groups = [...counts.values()].sort((a, b) => b.count - a.count || (JSON.stringify(a.group) < JSON.stringify(b.group) ? -1 : 1));
  if (query.groupBy.length === 0) return [{ 'COUNT(*)': groups.reduce((sum, { count }) => sum + count, 0) }];
  return groups.map(({ group, count }) => ({ 'COUNT(*)': count, ...group }));
}
