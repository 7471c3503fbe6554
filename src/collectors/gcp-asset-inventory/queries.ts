import { compareText, type Needs } from '../../model/index.ts';

/** Cloud Asset Inventory: which calls answer the needs, and within which quota. */

export const assetPageSize = 1000;
export const searchPageSize = 500;
/** Published per consumer project. */
export const listAssetsQuota = { permits: 100, perMs: 60_000 } as const;
export const searchQuota = { permits: 400, perMs: 60_000 } as const;

export const projectType = 'cloudresourcemanager.googleapis.com/Project';
export const folderType = 'cloudresourcemanager.googleapis.com/Folder';
export const organizationType = 'cloudresourcemanager.googleapis.com/Organization';
const hierarchyTypes = [projectType, folderType, organizationType];

export type Content = 'RESOURCE' | 'IAM_POLICY' | 'ORG_POLICY';

/** One ListAssets series. */
export interface AssetQuery {
  /** Directory name: `hierarchy`, `resource-keys`, `iam-policy-hierarchy`. */
  readonly name: string;
  readonly content: Content;
  /** Empty: every type (organisation policies). */
  readonly types: readonly string[];
}

/**
 * Types that controls look up are kept apart from the large subject types, because readers skip whole queries by type:
 * keys, the resource hierarchy, identities, and everything else.
 */
function group(type: string): 'keys' | 'hierarchy' | 'identities' | 'subjects' {
  if (type.startsWith('cloudkms.googleapis.com/')) return 'keys';
  if (type.startsWith('cloudresourcemanager.googleapis.com/')) return 'hierarchy';
  if (type.startsWith('iam.googleapis.com/')) return 'identities';
  return 'subjects';
}

function grouped(prefix: string, content: Content, types: readonly string[]): AssetQuery[] {
  const byGroup = new Map<string, string[]>();
  for (const type of [...new Set(types)].sort(compareText)) byGroup.set(group(type), [...(byGroup.get(group(type)) ?? []), type]);
  return [...byGroup]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, members]) => ({ name: `${prefix}-${name}`, content, types: members }));
}

/** The hierarchy comes first: it names the projects, and with them the accounts of everything else. */
export const hierarchyQuery: AssetQuery = { name: 'hierarchy', content: 'RESOURCE', types: [...hierarchyTypes].sort(compareText) };

/** Every other series. */
export function assetQueries(needs: Needs): AssetQuery[] {
  const resources = needs.types.gcp.filter((type) => !hierarchyTypes.includes(type));
  return [
    ...grouped('resource', 'RESOURCE', resources),
    ...grouped('iam-policy', 'IAM_POLICY', needs.iamPolicies),
    ...(needs.orgPolicies ? [{ name: 'org-policy', content: 'ORG_POLICY', types: [] } as const] : []),
  ];
}

/** Ledger type of a kind of content. */
export function ledgerType(content: Content, type: string): string {
  if (content === 'RESOURCE') return type;
  return content === 'IAM_POLICY' ? `iam-policy:${type}` : 'org-policy';
}

/**
 * The instant to read at: the run's own, but never in the future of this machine's clock (the service refuses it).
 */
export function readTime(asOf: string, now: number): string {
  const instant = Math.min(Date.parse(asOf), now);
  return new Date(instant).toISOString();
}
