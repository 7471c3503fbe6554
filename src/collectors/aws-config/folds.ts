import { isJsonObject, type Json, type JsonObject, type Reason } from '../../model/index.ts';
import { fingerprint } from '../fingerprint.ts';
import { instant, isDeleted, text } from './document.ts';
import { evaluationOf, rowOf } from './map.ts';
import type { Fold } from './paging.ts';

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** How many distinct current resources some rows held, and when they were captured. */
export interface Held {
  count: number;
  /** Rows, copies included. */
  rows: number;
  oldest: string | null;
  newest: string | null;
}

export interface RowFold extends Fold {
  /** By `account/region`; a row's own region where the query spans several, else the region asked. */
  held(): ReadonlyMap<string, Held>;
  /** The rows themselves, kept only where asked for. */
  readonly kept: readonly { readonly item: JsonObject; readonly file: string; readonly pointer: string }[];
}

interface RowFoldOptions {
  readonly type: string;
  /** The account and region that was asked; absent for an aggregator. */
  readonly asked?: { readonly account: string; readonly region: string };
  readonly keep?: boolean;
  /** Copies of one resource are legitimate (a global type that several regions record): they are counted, not complained of. */
  readonly copies?: boolean;
}

/** More regions than AWS has: no record is held in more of them. */
const mostCopies = 64;

/** Folds Select rows. */
export function rowFold(options: RowFoldOptions): RowFold {
  /** Fingerprints of the ids met, by `account/region`. */
  const ids = new Map<string, Set<number>>();
  const held = new Map<string, Held>();
  const kept: { item: JsonObject; file: string; pointer: string }[] = [];
  /** Rows of each record that came more than once. */
  const copies = new Map<number, number>();
  let rows = 0;
  /** Rows that said nothing new. */
  let stale = 0;
  let repeated = 0;
  let unreadable = 0;
  let foreign = 0;

  const add = (row: Json, file: string, index: number): void => {
    rows += 1;
    const item = rowOf(row);
    const id = item === null ? null : (text(item['arn']) ?? text(item['resourceId']));
    if (item === null || id === null || text(item['resourceType']) === null) {
      unreadable += 1;
      stale += 1;
      return;
    }
    const account = text(item['accountId']);
    const region = text(item['awsRegion']) ?? 'global';
    const { asked } = options;
    if (item['resourceType'] !== options.type || (asked === undefined ? account === null : account !== null && account !== asked.account)) {
      foreign += 1;
      stale += 1;
      return;
    }
    if (isDeleted(item)) return;
    const where = asked === undefined ? `${account}/${region}` : `${asked.account}/${asked.region}`;
    const key = fingerprint(`${where} ${id}`);
    const met = ids.get(where) ?? new Set();
    const before = held.get(where) ?? { count: 0, rows: 0, oldest: null, newest: null };
    if (met.has(key)) {
      if (options.copies === true) {
        held.set(where, { ...before, rows: before.rows + 1 });
        const times = (copies.get(key) ?? 1) + 1;
        copies.set(key, times);
        if (times > mostCopies) stale += 1;
      } else {
        repeated += 1;
        stale += 1;
      }
      return;
    }
    ids.set(where, met.add(key));
    const captured = instant(item['configurationItemCaptureTime']);
    held.set(where, {
      count: before.count + 1,
      rows: before.rows + 1,
      oldest: captured !== null && (before.oldest === null || captured < before.oldest) ? captured : before.oldest,
      newest: captured !== null && (before.newest === null || captured > before.newest) ? captured : before.newest,
    });
    if (options.keep === true) kept.push({ item, file, pointer: `/Results/${index}` });
  };

  return {
    kept,
    add(body, file) {
      const results = body['Results'];
      if (!Array.isArray(results)) return null;
      for (const [index, row] of results.entries()) add(row, file, index);
      return results.length;
    },
    held: () => held,
    fresh: () => rows - stale,
    complaints() {
      const reasons: Reason[] = [];
      // Every region that records a global type has every record of it: one that came more often stands in the place of another.
      for (const [where, { count, rows }] of options.copies === true ? held : []) {
        const often = rows / count;
        const uneven = [...(ids.get(where) ?? [])].find((key) => (copies.get(key) ?? 1) !== often);
        if (uneven !== undefined)
          reasons.push({
            code: 'repeated-rows',
            message: `the rows of ${options.type} in ${where} do not hold every record equally often (${rows} rows of ${count} records): rows shifted between pages`,
          });
      }
      if (repeated > 0)
        reasons.push({
          code: 'repeated-rows',
          message: `${plural(repeated, 'row')} of ${options.type} came twice: rows shifted between pages`,
        });
      if (unreadable > 0)
        reasons.push({ code: 'unreadable-rows', message: `${plural(unreadable, 'row')} of ${options.type} could not be read` });
      if (foreign > 0)
        reasons.push({ code: 'foreign-rows', message: `${plural(foreign, 'row')} belong to another account or type than was asked for` });
      return reasons;
    },
  };
}

/** Where a count was read. */
export interface Counted {
  readonly count: number;
  readonly file: string;
  readonly pointer: string;
}

export interface CountFold extends Fold {
  /** The count of a type; 0 where a complete answer does not list it. Null when there was no page at all. */
  of(type: string): Counted | null;
}

/** Folds `GetDiscoveredResourceCounts`. The total it states must be the sum of its parts. */
export function countFold(): CountFold {
  const counts = new Map<string, Counted>();
  let total: number | null = null;
  let last: string | null = null;
  let sum = 0;
  let repeated = 0;
  let unreadable = 0;
  return {
    add(body, file) {
      const list = body['resourceCounts'];
      if (!Array.isArray(list) || typeof body['totalDiscoveredResources'] !== 'number') return null;
      last = file;
      total = body['totalDiscoveredResources'];
      for (const [index, entry] of list.entries()) {
        const type = isJsonObject(entry) ? text(entry['resourceType']) : null;
        const count = isJsonObject(entry) ? entry['count'] : undefined;
        if (type === null || typeof count !== 'number' || !Number.isInteger(count) || count < 0) unreadable += 1;
        else if (counts.has(type)) repeated += 1;
        else {
          counts.set(type, { count, file, pointer: `/resourceCounts/${index}` });
          sum += count;
        }
      }
      return list.length;
    },
    of(type) {
      return counts.get(type) ?? (last === null ? null : { count: 0, file: last, pointer: '/resourceCounts' });
    },
    fresh: () => counts.size,
    complaints() {
      const reasons: Reason[] = [];
      if (repeated > 0) reasons.push({ code: 'repeated-rows', message: `${plural(repeated, 'resource type')} counted twice` });
      if (unreadable > 0) reasons.push({ code: 'unreadable-rows', message: `${plural(unreadable, 'count')} could not be read` });
      if (total !== null && total !== sum)
        reasons.push({ code: 'count-mismatch', message: `the counts by type add up to ${sum}, the provider's total is ${total}` });
      return reasons;
    },
  };
}

export interface GroupFold extends Fold {
  groups(): string[];
  /** The count of a group; 0 where a complete answer does not list it. Null when there was no page at all. */
  of(group: string): Counted | null;
}

/** Folds `GetAggregateDiscoveredResourceCounts` with a `GroupByKey`. */
export function groupFold(): GroupFold {
  const groups = new Map<string, Counted>();
  let total: number | null = null;
  let last: string | null = null;
  let sum = 0;
  let flawed = 0;
  return {
    add(body, file) {
      const list = body['GroupedResourceCounts'] ?? (body['TotalDiscoveredResources'] === 0 ? [] : undefined);
      if (!Array.isArray(list) || typeof body['TotalDiscoveredResources'] !== 'number') return null;
      last = file;
      total = body['TotalDiscoveredResources'];
      for (const [index, entry] of list.entries()) {
        const name = isJsonObject(entry) ? text(entry['GroupName']) : null;
        const count = isJsonObject(entry) ? entry['ResourceCount'] : undefined;
        if (name === null || typeof count !== 'number' || !Number.isInteger(count) || count < 0 || groups.has(name)) flawed += 1;
        else {
          groups.set(name, { count, file, pointer: `/GroupedResourceCounts/${index}` });
          sum += count;
        }
      }
      return list.length;
    },
    groups: () => [...groups.keys()].sort(),
    fresh: () => groups.size,
    of: (group) => groups.get(group) ?? (last === null ? null : { count: 0, file: last, pointer: '/GroupedResourceCounts' }),
    complaints() {
      const reasons: Reason[] = [];
      if (flawed > 0) reasons.push({ code: 'repeated-rows', message: `${plural(flawed, 'group')} came twice or could not be read` });
      if (total !== null && total !== sum)
        reasons.push({ code: 'count-mismatch', message: `the counts by group add up to ${sum}, the provider's total is ${total}` });
      return reasons;
    },
  };
}

export interface ListFold extends Fold {
  readonly items: readonly JsonObject[];
}

/** Folds a list of objects under `name`, each with a distinct key. */
export function listFold(name: string, key: (item: JsonObject) => string | null): ListFold {
  const items: JsonObject[] = [];
  const keys = new Set<string>();
  let repeated = 0;
  let unreadable = 0;
  return {
    items,
    fresh: () => keys.size,
    add(body) {
      const list = body[name];
      if (!Array.isArray(list)) return null;
      for (const item of list) {
        const id = isJsonObject(item) ? key(item) : null;
        if (!isJsonObject(item) || id === null) unreadable += 1;
        else if (keys.has(id)) repeated += 1;
        else {
          keys.add(id);
          items.push(item);
        }
      }
      return list.length;
    },
    complaints() {
      const reasons: Reason[] = [];
      if (repeated > 0) reasons.push({ code: 'repeated-rows', message: `${plural(repeated, 'item')} of ${name} came twice` });
      if (unreadable > 0) reasons.push({ code: 'unreadable-rows', message: `${plural(unreadable, 'item')} of ${name} could not be read` });
      return reasons;
    },
  };
}

export interface TotalFold extends Fold {
  /** The one number asked for; null where the answer held none. */
  total(): Counted | null;
}

/**
 * Folds the one row of a Select that counts: `{"COUNT(*)":25}`. `atLeast`: what is known to be there, so that an answer without
 * a row, or one that says nothing is there, is no count.
 */
export function totalFold(atLeast: number): TotalFold {
  let total: Counted | null = null;
  return {
    add(body, file) {
      const results = body['Results'];
      if (!Array.isArray(results)) return null;
      for (const [index, row] of results.entries()) {
        const count = rowOf(row)?.['COUNT(*)'];
        if (typeof count === 'number' && Number.isInteger(count)) total = { count, file, pointer: `/Results/${index}` };
      }
      return results.length;
    },
    total: () => total,
    fresh: () => (total === null ? 0 : 1),
    complaints: () =>
      total === null || total.count < atLeast
        ? [
            {
              code: 'count-missing',
              message:
                total === null
                  ? 'the provider was asked for a count, and its answer holds none'
                  : `the provider counts ${total.count}, where at least ${atLeast} ought to be counted`,
            },
          ]
        : [],
  };
}

export interface DetailFold extends Fold {
  /** Results by verdict, exactly as the provider says it. */
  verdicts(): ReadonlyMap<string, number>;
  total(): number;
  /** Order-free fingerprint of what was seen, to compare two askings. */
  fingerprint(): string;
  freshness(): { oldest: string | null; newest: string | null };
}

/** Folds evaluation results of a rule or a conformance pack, which lie under `list`. */
export function detailFold(list: 'EvaluationResults' | 'ConformancePackRuleEvaluationResults'): DetailFold {
  /** What was seen, by its fingerprint, with the fingerprint of what was said of it. */
  const seen = new Map<number, number>();
  const verdicts = new Map<string, number>();
  let repeated = 0;
  let unreadable = 0;
  let oldest: string | null = null;
  let newest: string | null = null;
  return {
    add(body) {
      const results = body[list];
      if (!Array.isArray(results)) return null;
      for (const result of results) {
        const evaluation = evaluationOf(result);
        if (evaluation === null) {
          unreadable += 1;
          continue;
        }
        const name = `${evaluation.rule} ${evaluation.resourceType} ${evaluation.resourceId}`;
        const key = fingerprint(name);
        if (seen.has(key)) {
          repeated += 1;
          continue;
        }
        seen.set(key, fingerprint(`${name} ${evaluation.verdict}`));
        verdicts.set(evaluation.verdict, (verdicts.get(evaluation.verdict) ?? 0) + 1);
        const at = isJsonObject(result) ? instant(result['ResultRecordedTime']) : null;
        if (at !== null && (oldest === null || at < oldest)) oldest = at;
        if (at !== null && (newest === null || at > newest)) newest = at;
      }
      return results.length;
    },
    verdicts: () => verdicts,
    total: () => seen.size,
    fresh: () => seen.size,
    fingerprint: () => [...seen.values()].sort((a, b) => a - b).join(' '),
    freshness: () => ({ oldest, newest }),
    complaints() {
      const reasons: Reason[] = [];
      if (repeated > 0) reasons.push({ code: 'repeated-rows', message: `${plural(repeated, 'evaluation result')} came twice` });
      if (unreadable > 0)
        reasons.push({ code: 'unreadable-rows', message: `${plural(unreadable, 'evaluation result')} could not be read` });
      return reasons;
    },
  };
}
