import { blank } from '../blank.ts';
import { isJsonObject, type JsonObject, type LedgerEntry, type LedgerStatus, type Reason, type ScopeCoverage } from '../../model/index.ts';
import { isRefusal } from '../attempts.ts';
import type { CollectContext, Collector, CollectResult, PlannedScope } from '../collector.ts';
import type { Series } from '../paging.ts';
import { storedPages } from '../stored.ts';
import { counts } from './counts.ts';
import { diagnose } from './doctor.ts';
import { readGcpDocument } from './document.ts';
import { assetRecords, assetsShape, noRecords, searchShape } from './map.ts';
import { collectSeries, type AssetLists } from './lists.ts';
import { assetQueries, folderType, hierarchyQuery, organizationType, projectType, readTime } from './queries.ts';
import { gcpScopes, type GcpParent, ledgerTypes } from './scopes.ts';
import { bucketOf } from './facts.ts';

const collector = 'gcp-asset-inventory';

/** A project, folder or organisation: by its number in ancestors, by its id in ledgers. */
interface Place {
  /** `projects/123`, `folders/4`, `organizations/5`. */
  readonly ancestor: string;
  readonly account: string;
  readonly name: string | null;
}

const { entry: entryOf, coverage } = blank(collector, 'gcp');

function nothing(
  parent: GcpParent,
  types: readonly string[],
  status: LedgerStatus,
  identity: string | null,
  reasons: readonly Reason[],
): CollectResult {
  return {
    scopes: [coverage(parent.account, null, ['configured'], status, identity, reasons)],
    entries: types.map((type) => entryOf(parent.account, type, status, reasons)),
  };
}

function dataOf(asset: JsonObject): JsonObject {
  return isJsonObject(asset.resource) && isJsonObject(asset.resource.data) ? asset.resource.data : {};
}

/**
 * Projects, folders and organisations as the hierarchy's own assets name them. A folder between them and `parent` exists also
 * where its own record cannot be had; it comes first, so that a record that is there gives the name.
 */
function readPlaces(runDirectory: string, hierarchy: Series, parent: string): Place[] {
  const places: Place[] = [];
  const between = new Set<string>();
  for (const { json } of storedPages(runDirectory, hierarchy)) {
    for (const asset of isJsonObject(json) && Array.isArray(json.assets) ? json.assets : []) {
      if (!isJsonObject(asset) || !Array.isArray(asset.ancestors)) continue;
      const ancestor = asset.ancestors[0];
      if (typeof ancestor !== 'string') continue;
      for (const above of asset.ancestors.slice(1, Math.max(1, asset.ancestors.indexOf(parent))))
        if (typeof above === 'string' && above.startsWith('folders/')) between.add(above);
      const data = dataOf(asset);
      const label = typeof data.displayName === 'string' ? data.displayName : typeof data.name === 'string' ? data.name : null;
      if (asset.assetType === projectType)
        places.push({ ancestor, account: typeof data.projectId === 'string' ? data.projectId : ancestor, name: label });
      else if (asset.assetType === folderType || asset.assetType === organizationType)
        places.push({ ancestor, account: ancestor, name: label });
    }
  }
  return [...[...between].map((ancestor) => ({ ancestor, account: ancestor, name: null })), ...places];
}

function isProject(ancestor: string): boolean {
  return ancestor.startsWith('projects/');
}

/** What also lives in folders or organisations, so that nothing of it there is known and not merely unasked. */
const livesAbove: Readonly<Record<'folders' | 'organizations', readonly string[]>> = {
  folders: [folderType, `iam-policy:${folderType}`, 'org-policy', 'logging.googleapis.com/LogBucket', 'logging.googleapis.com/LogSink'],
  organizations: [
    organizationType,
    `iam-policy:${organizationType}`,
    'org-policy',
    'iam.googleapis.com/Role',
    'logging.googleapis.com/LogBucket',
    'logging.googleapis.com/LogSink',
  ],
};

/** Ledger types that a folder or organisation holds itself, and whatever was found there. */
function typesAbove(ancestor: string, types: readonly string[], lists: AssetLists): string[] {
  const own = livesAbove[ancestor.startsWith('folders/') ? 'folders' : 'organizations'];
  return types.filter((type) => own.includes(type) || lists.mentions(bucketOf(ancestor, type)));
}

async function collectParent(context: CollectContext, parent: GcpParent): Promise<CollectResult> {
  const { needs, progress, writer } = context;
  const types = ledgerTypes(needs);
  const client = (await import('./client.ts')).connect(context, parent.quotaProject);
  try {
    const who = await client.identity();
    if (!who.ok) return nothing(parent, types, isRefusal(who.reason) ? 'denied' : 'failed', null, [who.reason]);
    const identity = who.value;
    progress.scope(collector, parent.directory);
    const asking = { context, client, identity, collector, parent, readTime: readTime(context.asOf, Date.now()) };

    const top = await collectSeries(asking, [hierarchyQuery], {});
    const projects = top.of('RESOURCE', projectType);
    const readable = top.listed.filter(({ list }) => list.status === 'complete' || list.status === 'partial');
    if (projects === null || !readable.includes(projects)) {
      const status: LedgerStatus = projects?.list.status === 'denied' ? 'denied' : 'failed';
      progress.done(collector, parent.directory, status);
      return nothing(parent, types, status, identity, projects?.list.reasons ?? []);
    }
    const found = readable.flatMap(({ list }) => readPlaces(writer.runDirectory, list, parent.name));
    const places = new Map(
      [...found].sort((a, b) => Number(a.name !== null) - Number(b.name !== null)).map((place) => [place.ancestor, place]),
    );
    const numbered = [...places.values()]
      .filter((place) => isProject(place.ancestor))
      .map((place): [string, string] => [place.ancestor.slice('projects/'.length), place.account]);
    const projectIds: Record<string, string> = Object.fromEntries(numbered.sort(([a], [b]) => (a < b ? -1 : 1)));
    const rest = await collectSeries(asking, assetQueries(needs), projectIds);
    const lists = top.with(rest);

    // Assets of a project that the hierarchy does not name keep their number for an account, so that they are not lost.
    const unknown: Reason = {
      code: 'unknown-scope',
      message: 'assets name this scope, and the list of projects, folders and organisations does not',
    };
    const unlisted = new Set(lists.ancestors().filter((ancestor) => !places.has(ancestor)));
    for (const ancestor of unlisted) places.set(ancestor, { ancestor, account: ancestor, name: null });

    const entries: LedgerEntry[] = [];
    const scopes: ScopeCoverage[] = [];
    const listReasons: Reason[] = [
      ...projects.list.reasons,
      ...(projects.counted.status === 'complete' ? [] : projects.counted.reasons),
    ].map((reason) => ({ ...reason, message: `the list of projects is not whole: ${reason.message}` }));
    const folders = top.of('RESOURCE', folderType)?.list;
    // A folder without a project in it can be known from its own record alone.
    const unseen: Reason[] =
      parent.kind === 'projects' || folders === undefined || readable.some(({ list }) => list === folders)
        ? []
        : folders.reasons.map((reason) => ({ ...reason, message: `the list of folders cannot be had: ${reason.message}` }));
    for (const place of [...places.values()].sort((a, b) => (a.account < b.account ? -1 : 1))) {
      const owed = isProject(place.ancestor) ? types : typesAbove(place.ancestor, types, lists);
      const own = owed
        .map((type) => lists.entry(place.ancestor, place.account, type))
        .map((entry): LedgerEntry =>
          unlisted.has(place.ancestor)
            ? { ...entry, status: entry.status === 'complete' ? 'partial' : entry.status, reasons: [...entry.reasons, unknown] }
            : entry,
        );
      entries.push(...own);
      const worst = own.find((entry) => entry.status !== 'complete' && entry.status !== 'not-recorded');
      const configured = place.account === parent.account || place.ancestor === parent.account;
      const reasons = [...(worst?.reasons ?? []), ...(configured ? unseen : [])];
      scopes.push(
        coverage(
          place.account,
          place.name,
          [...(configured ? ['configured'] : []), 'Cloud Asset Inventory hierarchy'],
          worst === undefined && reasons.length === 0 ? 'complete' : 'partial',
          identity,
          reasons,
        ),
      );
    }
    if (!scopes.some((scope) => scope.account === parent.account)) {
      // The scope itself came without a record of its own: nothing in it, or nothing to be seen.
      const reasons: Reason[] =
        listReasons.length > 0
          ? listReasons
          : [{ code: 'not-visible', message: `${parent.name} is not among the assets that ${identity} can read` }];
      const empty = nothing(parent, types, parent.kind === 'projects' || places.size === 0 ? 'denied' : 'partial', identity, reasons);
      scopes.push(...empty.scopes);
      entries.push(...empty.entries);
    } else if (listReasons.length > 0 && parent.kind !== 'projects') {
      // A project that the list lost has no name to be entered under: the scope carries the gap, for every type.
      const known = new Set(entries.filter((entry) => entry.account === parent.account).map((entry) => entry.type));
      entries.push(...types.filter((type) => !known.has(type)).map((type) => entryOf(parent.account, type, 'partial', listReasons)));
    }
    progress.done(
      collector,
      parent.directory,
      entries.every((entry) => entry.status === 'complete' || entry.status === 'not-recorded') ? 'complete' : 'partial',
    );
    return { scopes, entries };
  } finally {
    await client.close();
  }
}

function plan({ config, needs }: Pick<CollectContext, 'config' | 'needs'>): PlannedScope[] {
  const types = ledgerTypes(needs);
  return gcpScopes(config.scopes.gcp).map((parent) => ({
    account: parent.account,
    region: '*',
    types,
    expands: parent.kind !== 'projects',
  }));
}

export const gcpAssetInventory: Collector = {
  id: collector,
  provider: 'gcp',
  // Pages of up to a thousand records: each is some ten megabytes while it is read.
  unitsInFlight: 3,
  plan,
  async collect(context) {
    const results = await Promise.all(gcpScopes(context.config.scopes.gcp).map((parent) => collectParent(context, parent)));
    return { scopes: results.flatMap((result) => result.scopes), entries: results.flatMap((result) => result.entries) };
  },
  load: () => import('./client.ts'),
  doctor: diagnose,
  shapes: { [assetsShape]: assetRecords, [searchShape]: noRecords },
  counts,
  readDocument: readGcpDocument,
};
