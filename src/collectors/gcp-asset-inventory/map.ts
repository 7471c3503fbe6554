import {
  type Citation,
  type EvidenceRecord,
  isJsonObject,
  type Json,
  type JsonObject,
  type Query,
  type Resource,
} from '../../model/index.ts';

/** Cloud Asset Inventory pages as records. Pure, and total over any JSON. */

export const assetsShape = 'gcp-asset-inventory/assets';
export const searchShape = 'gcp-asset-inventory/search';

export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function field(value: Json | undefined, ...path: string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const step of path) found = isJsonObject(found) && Object.hasOwn(found, step) ? found[step] : undefined;
  return found;
}

/** The nearest ancestor: `projects/123`, `folders/4`, `organizations/5`; '' when the asset does not say. */
export function nearestAncestor(asset: JsonObject): string {
  const ancestors = asset.ancestors;
  return Array.isArray(ancestors) ? text(ancestors[0]) : '';
}

/** Whether an IAM policy says anything: an empty one is the same as none, but one that cannot be read is not empty. */
export function grants(policy: Json | undefined): boolean {
  const says = (list: Json | undefined): boolean => (list ?? null) !== null && !(Array.isArray(list) && list.length === 0);
  return isJsonObject(policy) ? says(policy.bindings) || says(policy.auditConfigs) : (policy ?? null) !== null;
}

function labelsOf(data: Json | undefined): Record<string, string> {
  const tags: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const source of [field(data, 'labels'), field(data, 'resourceLabels'), field(data, 'settings', 'userLabels')]) {
    if (!isJsonObject(source)) continue;
    for (const [name, value] of Object.entries(source)) if (typeof value === 'string' && !(name in tags)) tags[name] = value;
  }
  return tags;
}

function nameOf(asset: JsonObject, uid: string): string {
  const data = field(asset, 'resource', 'data');
  const held = text(field(data, 'displayName')) || text(field(data, 'name'));
  const name = held === '' ? uid : held;
  return (
    name
      .split('/')
      .filter((part) => part !== '')
      .at(-1) ?? uid
  );
}

function locationOf(asset: JsonObject): string {
  const data = field(asset, 'resource', 'data');
  const location =
    text(field(asset, 'resource', 'location')) || text(field(data, 'location')) || text(field(data, 'region')) || text(field(data, 'zone'));
  return location.split('/').at(-1) ?? '';
}

/** Project id of `projects/<number>`: from the map the query carries, or from the project's own record. */
export function accountOf(asset: JsonObject, projectIds: Json | undefined): string {
  const nearest = nearestAncestor(asset);
  const number = /^projects\/(.+)$/.exec(nearest)?.[1];
  if (number === undefined) return nearest;
  const known = text(field(projectIds, number));
  if (known !== '') return known;
  const data = field(asset, 'resource', 'data');
  return text(asset.assetType) === 'cloudresourcemanager.googleapis.com/Project' ? text(field(data, 'projectId')) || nearest : nearest;
}

export function recordsOf(asset: JsonObject, account: string, citation: Citation, fallbackId: string, fallbackType: string): Resource[] {
  const uid = text(asset.name) || fallbackId;
  const type = text(asset.assetType) || fallbackType;
  if (uid === '' || type === '' || account === '') return [];
  const common = {
    provider: 'gcp',
    type,
    uid,
    name: nameOf(asset, uid),
    account,
    location: locationOf(asset),
    scope: { provider: 'gcp', account, region: '*' },
    tags: labelsOf(field(asset, 'resource', 'data')),
    capturedAt: text(asset.updateTime) || null,
    document: asset,
    citation,
  } as const;
  const records: Resource[] = [];
  if (isJsonObject(asset.resource)) records.push({ kind: 'resource', ...common });
  if (grants(asset.iamPolicy)) records.push({ kind: 'iam-policy', ...common });
  if (Array.isArray(asset.orgPolicy) && asset.orgPolicy.length > 0) records.push({ kind: 'org-policy', ...common });
  return records;
}

/** `{readTime, assets: [asset], nextPageToken}`. */
export function* assetRecords(page: Json, query: Query, file: string): Generator<EvidenceRecord> {
  const assets = field(page, 'assets');
  for (const [index, asset] of (Array.isArray(assets) ? assets : []).entries()) {
    if (!isJsonObject(asset)) continue;
    const citation: Citation = { file, pointer: `/assets/${index}`, encoding: 'json' };
    for (const resource of recordsOf(asset, accountOf(asset, query.parameters.projectIds as Json | undefined), citation, '', ''))
      yield { record: 'resource', resource };
  }
}

/** Search results count the population; they hold no records. */
export function* noRecords(): Generator<EvidenceRecord> {
  // the ledger was written from them
}
