import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { ancestors } from './estate/azure-containers.ts';
import { azureManagementGroups, type AzureEstate, type AzurePopulation } from './estate/azure.ts';
import { evaluate, type KqlQuery, type Step } from './kql.ts';

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
export function graphScope(estate: AzureEstate, request: { subscriptions: readonly string[]; managementGroups: readonly string[]; filter: string }): GraphScope {
  const asked = request.managementGroups.filter((group) => azureManagementGroups.some((one) => one.id === group));
  const below = (group: string, of: string): boolean => ancestors(group).some((one) => one.name === of);
  const everything = request.subscriptions.length === 0 && request.managementGroups.length === 0;
  const groups = new Set<string>(everything ? azureManagementGroups.map((group) => group.id) : azureManagementGroups.filter((group) => asked.some((one) => below(group.id, one))).map((group) => group.id));
  const subscriptions = new Set(estate.subscriptions.filter((one) => everything || request.subscriptions.some((id) => id.toLowerCase() === one.id) || asked.some((group) => below(one.managementGroup, group))).map((one) => one.id));
  if (request.filter === 'AtScopeAndAbove' || request.filter === 'AtScopeAboveAndBelow') {
    for (const group of asked) for (const one of ancestors(group)) groups.add(one.name);
    for (const one of estate.subscriptions) if (request.subscriptions.includes(one.id)) for (const above of ancestors(one.managementGroup)) groups.add(above.name);
  }
  return { subscriptions, managementGroups: groups };
}

function visible(population: AzurePopulation, row: JsonObject, scope: GraphScope): boolean {
  if (population.account !== '') return true;
  const group = /^\/providers\/Microsoft\.Management\/managementGroups\/([^/]+)/i.exec(String(row['id']))?.[1];
  return group === undefined || scope.managementGroups.has(group);
}

/** Runs a query. `skip` leaves out populations that a fault hides. */
export function runGraphQuery(estate: AzureEstate, query: KqlQuery, scope: GraphScope, hidden: (population: AzurePopulation, row: JsonObject) => boolean): GraphResult {
  const populations = estate.populations.filter((population) =>
    population.table === query.table && (population.account === '' || scope.subscriptions.has(population.account)) && (query.types === null || query.types.includes(population.type)));
  const starts: number[] = [];
  let total = 0;
  for (const population of populations) { starts.push(total); total += population.count; }
  const make = (ref: number): { population: AzurePopulation; row: JsonObject } => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= ref) low = middle; else high = middle - 1;
    }
    const population = populations[low] as AzurePopulation;
    return { population, row: population.record(ref - (starts[low] ?? 0)).row };
  };
  const leading = query.steps.findIndex((step) => step.step !== 'where');
  const conditions = (leading === -1 ? query.steps : query.steps.slice(0, leading)).map((step) => step as Extract<Step, { step: 'where' }>);
  const rest = leading === -1 ? [] : query.steps.slice(leading);
  const aggregated = rest.some((step) => step.step === 'summarize' || step.step === 'count' || step.step === 'distinct');
  const refs: number[] = [];
  const ids: string[] = [];
  const kept: JsonObject[] = [];
  for (let ref = 0; ref < total; ref += 1) {
    const { population, row } = make(ref);
    if (!visible(population, row, scope) || hidden(population, row)) continue;
    if (!conditions.every((condition) => evaluate(condition.condition, row) === true)) continue;
    if (aggregated) { kept.push(row); continue; }
    refs.push(ref);
    ids.push(String(row['id']));
  }
  if (aggregated) {
    const rows = rest.reduce((current, step) => apply(step, current), kept);
    return { length: rows.length, at: (index) => rows[index] as JsonObject, pageable: false };
  }
  // The one order that inventories ask for needs no rows in memory.
  const order = rest.find((step) => step.step === 'order');
  const take = rest.find((step) => step.step === 'take');
  const byId = order?.step === 'order' && order.by.length === 1 && order.by[0]?.expression.kind === 'path' && order.by[0].expression.parts.join('.') === 'id';
  if (order !== undefined && !byId) {
    const rows = rest.reduce((current, step) => apply(step, current), refs.map((ref) => make(ref).row));
    return { length: rows.length, at: (index) => rows[index] as JsonObject, pageable: keepsId(rest) && take === undefined };
  }
  let sorted = refs.map((_, index) => index);
  if (byId && order.step === 'order') {
    const sign = order.by[0]?.descending === true ? -1 : 1;
    sorted.sort((a, b) => { const x = ids[a] ?? ''; const y = ids[b] ?? ''; return x < y ? -sign : x > y ? sign : 0; });
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
  return steps.every((step) => (step.step === 'project' ? step.columns.some((column) => column.name === 'id') : step.step === 'project-away' ? !step.names.includes('id') : true));
}

function apply(step: Step, rows: JsonObject[]): JsonObject[] {
  switch (step.step) {
    case 'where': return rows.filter((row) => evaluate(step.condition, row) === true);
    case 'extend': return rows.map((row) => step.columns.reduce((current, column) => ({ ...current, [column.name]: evaluate(column.expression, current) }), row));
    case 'project': return rows.map((row) => Object.fromEntries(step.columns.map((column) => [column.name, evaluate(column.expression, row)])));
    case 'project-away': return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !step.names.includes(name))));
    case 'take': return rows.slice(0, step.count);
    case 'count': return [{ Count: rows.length }];
    case 'distinct': {
      const seen = new Map<string, JsonObject>();
      for (const row of rows) { const one = Object.fromEntries(step.columns.map((column) => [column.name, evaluate(column.expression, row)])); seen.set(JSON.stringify(one), one); }
      return [...seen.values()];
    }
    case 'order': return [...rows].sort((a, b) => {
      for (const { expression, descending } of step.by) {
        const sign = rank(evaluate(expression, a), evaluate(expression, b));
        if (sign !== 0) return descending ? -sign : sign;
      }
      return 0;
    });
    case 'summarize': {
      const groups = new Map<string, { keys: JsonObject; rows: JsonObject[] }>();
      for (const row of rows) {
        const keys = Object.fromEntries(step.by.map((column) => [column.name, evaluate(column.expression, row)]));
        const id = JSON.stringify(keys);
        const group = groups.get(id) ?? { keys, rows: [] };
        group.rows.push(row);
        groups.set(id, group);
      }
      if (step.by.length === 0 && groups.size === 0) groups.set('', { keys: {}, rows: [] });
      return [...groups.values()].map((group) => ({
        ...group.keys,
        ...Object.fromEntries(step.aggregates.map(({ name, fn, of }): [string, Json] => {
          const values = of === null ? [] : group.rows.map((row) => evaluate(of, row));
          if (fn === 'count') return [name, group.rows.length];
          if (fn === 'countif') return [name, values.filter((value) => value === true).length];
          if (fn === 'dcount') return [name, new Set(values.map((value) => JSON.stringify(value))).size];
          const ordered = values.filter((value) => value !== null).sort(rank);
          return [name, (fn === 'min' ? ordered[0] : ordered.at(-1)) ?? null];
        })),
      }));
    }
  }
}

function rank(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const x = isJsonObject(a) ? JSON.stringify(a) : String(a);
  const y = isJsonObject(b) ? JSON.stringify(b) : String(b);
  return x < y ? -1 : x > y ? 1 : 0;
}
