import type { Json, JsonObject } from '../model/index.ts';
import { ancestors } from './estate/azure-containers.ts';
import { azureManagementGroups, type AzureEstate, type AzurePopulation } from './estate/azure-model.ts';
import { requireTable } from './azure-graph-tables.ts';
import { evaluate } from './kql-evaluate.ts';
import type { KqlQuery, Step } from './kql.ts';
import { plain, textOf } from './estate/population.ts';

/** What a query may see. `ancestors`: records at the management groups above the scope as well. */
export interface GraphScope {
  readonly subscriptions: ReadonlySet<string>;
  readonly managementGroups: ReadonlySet<string>;
}

/** Rows by position. Rows of the inventory are made again for each page rather than kept. */
export interface GraphResult {
  readonly length: number;
  at(index: number): JsonObject;
  /** Whether the service would page through it: ordered rows of the inventory that keep their id. */
  readonly pageable: boolean;
}

/** Subscriptions and management groups that a request covers; unknown ones drop out in silence, as with the service. */
export function graphScope(
  estate: AzureEstate,
  request: { subscriptions: readonly string[]; managementGroups: readonly string[]; filter: string },
): GraphScope {
  const asked = request.managementGroups.filter((group) => azureManagementGroups.some((one) => one.id === group));
  const below = (group: string, of: string): boolean => ancestors(group).some((one) => one.name === of);
  const everything = request.subscriptions.length === 0 && request.managementGroups.length === 0;
  const groups = new Set<string>(
    everything
      ? azureManagementGroups.map((group) => group.id)
      : azureManagementGroups.filter((group) => asked.some((one) => below(group.id, one))).map((group) => group.id),
  );
  const subscriptions = new Set(
    estate.subscriptions
      .filter(
        (one) =>
          everything ||
          request.subscriptions.some((id) => id.toLowerCase() === one.id) ||
          asked.some((group) => below(one.managementGroup, group)),
      )
      .map((one) => one.id),
  );
  if (request.filter === 'AtScopeAndAbove' || request.filter === 'AtScopeAboveAndBelow') {
    for (const group of asked) for (const one of ancestors(group)) groups.add(one.name);
    for (const one of estate.subscriptions)
      if (request.subscriptions.includes(one.id)) for (const above of ancestors(one.managementGroup)) groups.add(above.name);
  }
  return { subscriptions, managementGroups: groups };
}

function visible(population: AzurePopulation, row: JsonObject, scope: GraphScope): boolean {
  if (population.account !== '') return true;
  const group = /^\/providers\/Microsoft\.Management\/managementGroups\/([^/]+)/i.exec(textOf(row, 'id'))?.[1];
  return group === undefined || scope.managementGroups.has(group);
}

/** Runs a query. `hidden` says which rows a fault keeps back; null for none. */
export function runGraphQuery(
  estate: AzureEstate,
  query: KqlQuery,
  scope: GraphScope,
  hidden: ((population: AzurePopulation, row: JsonObject) => boolean) | null,
): GraphResult {
  requireTable(query.table);
  const populations = estate.populations.filter(
    (population) =>
      population.table === query.table &&
      (population.account === '' || scope.subscriptions.has(population.account)) &&
      (query.types === null || query.types.includes(population.type)),
  );
  const starts: number[] = [];
  let total = 0;
  for (const population of populations) {
    starts.push(total);
    total += population.count;
  }
  const make = (ref: number): { population: AzurePopulation; row: JsonObject } => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= ref) low = middle;
      else high = middle - 1;
    }
    const population = populations[low] as AzurePopulation;
    return { population, row: population.record(ref - (starts[low] ?? 0)).row };
  };
  const leading = query.steps.findIndex((step) => step.step !== 'where');
  const conditions = (leading === -1 ? query.steps : query.steps.slice(0, leading)).map((step) => step as Extract<Step, { step: 'where' }>);
  const rest = leading === -1 ? [] : query.steps.slice(leading);
  const aggregated = rest.some((step) => step.step === 'summarize' || step.step === 'count' || step.step === 'distinct');
  const counted = countByScope(query, conditions, rest, populations, scope, hidden);
  if (counted !== null) return { length: counted.length, at: (index) => counted[index] as JsonObject, pageable: false };
  const refs: number[] = [];
  const ids: string[] = [];
  // Grouping keeps the groups, not the rows.
  const grouping = rest[0]?.step === 'summarize' ? openGroups(rest[0]) : null;
  const kept: JsonObject[] = [];
  for (let ref = 0; ref < total; ref += 1) {
    const { population, row } = make(ref);
    if (!visible(population, row, scope) || hidden?.(population, row) === true) continue;
    if (!conditions.every((condition) => evaluate(condition.condition, row) === true)) continue;
    if (grouping !== null) {
      grouping.add(row);
      continue;
    }
    if (aggregated) {
      kept.push(row);
      continue;
    }
    refs.push(ref);
    ids.push(textOf(row, 'id'));
  }
  if (aggregated) {
    const rows =
      grouping === null
        ? rest.reduce((current, step) => apply(step, current), kept)
        : rest.slice(1).reduce((current, step) => apply(step, current), grouping.rows());
    return { length: rows.length, at: (index) => rows[index] as JsonObject, pageable: false };
  }
  // The one order that inventories ask for needs no rows in memory.
  const order = rest.find((step) => step.step === 'order');
  const take = rest.find((step) => step.step === 'take');
  const byId =
    order?.step === 'order' &&
    order.by.length === 1 &&
    order.by[0]?.expression.kind === 'path' &&
    order.by[0].expression.parts.join('.') === 'id';
  if (order !== undefined && !byId) {
    const rows = rest.reduce(
      (current, step) => apply(step, current),
      refs.map((ref) => make(ref).row),
    );
    return { length: rows.length, at: (index) => rows[index] as JsonObject, pageable: keepsId(rest) && take === undefined };
  }
  let sorted = refs.map((_, index) => index);
  if (byId && order.step === 'order') {
    const sign = order.by[0]?.descending === true ? -1 : 1;
    sorted.sort((a, b) => {
      const x = ids[a] ?? '';
      const y = ids[b] ?? '';
      return x < y ? -sign : x > y ? sign : 0;
    });
  }
  if (take?.step === 'take') sorted = sorted.slice(0, take.count);
  const positions = Int32Array.from(sorted.map((index) => refs[index] ?? 0));
  const shaping = rest.filter((step) => step.step !== 'order' && step.step !== 'take');
  return {
    length: positions.length,
    at: (index) => shaping.reduce((current, step) => apply(step, current), [make(positions[index] ?? 0).row])[0] ?? {},
    pageable: keepsId(rest) && take === undefined,
  };
}

function keepsId(steps: readonly Step[]): boolean {
  return steps.every((step) =>
    step.step === 'project'
      ? step.columns.some((column) => column.name === 'id')
      : step.step === 'project-away'
        ? !step.names.includes('id')
        : true,
  );
}

function apply(step: Step, rows: JsonObject[]): JsonObject[] {
  switch (step.step) {
    case 'where':
      return rows.filter((row) => evaluate(step.condition, row) === true);
    case 'extend':
      return rows.map((row) =>
        step.columns.reduce((current, column) => ({ ...current, [column.name]: evaluate(column.expression, current) }), row),
      );
    case 'project':
      return rows.map((row) => Object.fromEntries(step.columns.map((column) => [column.name, evaluate(column.expression, row)])));
    case 'project-away':
      return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !step.names.includes(name))));
    case 'take':
      return rows.slice(0, step.count);
    case 'count':
      return [{ Count: rows.length }];
    case 'distinct': {
      const seen = new Map<string, JsonObject>();
      for (const row of rows) {
        const one = Object.fromEntries(step.columns.map((column) => [column.name, evaluate(column.expression, row)]));
        seen.set(JSON.stringify(one), one);
      }
      return [...seen.values()];
    }
    case 'order':
      return [...rows].sort((a, b) => {
        for (const { expression, descending } of step.by) {
          const sign = rank(evaluate(expression, a), evaluate(expression, b));
          if (sign !== 0) return descending ? -sign : sign;
        }
        return 0;
      });
    case 'summarize': {
      const groups = openGroups(step);
      for (const row of rows) groups.add(row);
      return groups.rows();
    }
  }
}

type Summarize = Extract<Step, { step: 'summarize' }>;

/** Groups as rows go by: each aggregate holds what it needs and no row. */
function openGroups(step: Summarize): { add(row: JsonObject): void; rows(): JsonObject[] } {
  interface Held {
    count: number;
    distinct: Set<string>;
    least: Json;
    most: Json;
  }
  const groups = new Map<string, { keys: JsonObject; held: Held[] }>();
  const open = (keys: JsonObject): { keys: JsonObject; held: Held[] } => ({
    keys,
    held: step.aggregates.map(() => ({ count: 0, distinct: new Set(), least: null, most: null })),
  });
  return {
    add(row) {
      const keys = Object.fromEntries(step.by.map((column) => [column.name, evaluate(column.expression, row)]));
      const id = JSON.stringify(keys);
      const group = groups.get(id) ?? open(keys);
      groups.set(id, group);
      step.aggregates.forEach(({ fn, of }, index) => {
        const held = group.held[index] as Held;
        const value = of === null ? null : evaluate(of, row);
        if (fn === 'count' || (fn === 'countif' && value === true)) held.count += 1;
        else if (fn === 'dcount') held.distinct.add(JSON.stringify(value));
        else if (value !== null && fn !== 'countif') {
          if (held.least === null || rank(value, held.least) < 0) held.least = value;
          if (held.most === null || rank(value, held.most) > 0) held.most = value;
        }
      });
    },
    rows() {
      if (step.by.length === 0 && groups.size === 0) groups.set('', open({}));
      return [...groups.values()].map((group) => ({
        ...group.keys,
        ...Object.fromEntries(
          step.aggregates.map(({ name, fn }, index): [string, Json] => {
            const held = group.held[index] as Held;
            return [name, fn === 'dcount' ? held.distinct.size : fn === 'min' ? held.least : fn === 'max' ? held.most : held.count];
          }),
        ),
      }));
    },
  };
}

/** Counts by subscription and type need no rows at all: null where the query asks for more than that. */
function countByScope(
  query: KqlQuery,
  conditions: readonly Extract<Step, { step: 'where' }>[],
  rest: readonly Step[],
  populations: readonly AzurePopulation[],
  scope: GraphScope,
  hidden: ((population: AzurePopulation, row: JsonObject) => boolean) | null,
): JsonObject[] | null {
  const [step, ...more] = rest;
  if (
    step?.step !== 'summarize' ||
    more.length > 0 ||
    hidden !== null ||
    (conditions.length > 0 && (conditions.length > 1 || !query.typesOnly))
  )
    return null;
  const columns = step.by.map((column) =>
    column.expression.kind === 'path' && column.expression.parts.length === 1 ? column.expression.parts[0] : null,
  );
  if (columns.some((column) => column !== 'subscriptionId' && column !== 'type') || step.aggregates.some(({ fn }) => fn !== 'count'))
    return null;
  const counts = new Map<string, { keys: JsonObject; count: number }>();
  for (const population of populations) {
    let count = population.count;
    if (population.account === '') {
      count = 0;
      for (let i = 0; i < population.count; i += 1) if (visible(population, population.record(i).row, scope)) count += 1;
    }
    if (count === 0) continue;
    const keys = Object.fromEntries(
      step.by.map((column, index) => [column.name, columns[index] === 'type' ? population.type : population.account]),
    );
    const id = JSON.stringify(keys);
    const held = counts.get(id) ?? { keys, count: 0 };
    held.count += count;
    counts.set(id, held);
  }
  return [...counts.values()].map(({ keys, count }) => ({
    ...keys,
    ...Object.fromEntries(step.aggregates.map(({ name }) => [name, count])),
  }));
}

function rank(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const x = plain(a);
  const y = plain(b);
  return x < y ? -1 : x > y ? 1 : 0;
}
