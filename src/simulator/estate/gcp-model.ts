import type { JsonObject } from '../../model/index.ts';
import type { GcpKeySpec } from './gcp-keys.ts';
import { type Classification, owners, type Planted, type Population } from './population.ts';
import type { Random } from './random.ts';

export interface IamBinding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: { readonly title: string; readonly expression: string };
}

/** An asset with every kind of content that it has. */
export interface GcpAsset extends Planted {
  readonly assetType: string;
  /** Project id, or null above projects. */
  readonly project: string | null;
  /** `projects/1`, `folders/2`, `organizations/3`. */
  readonly ancestors: readonly string[];
  readonly location: string;
  readonly displayName: string;
  readonly data: JsonObject;
  readonly version: string;
  readonly parent: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kmsKey: string | null;
  readonly state: string | null;
  /** Milliseconds. */
  readonly updatedAt: number;
  readonly bindings: readonly IamBinding[] | null;
  readonly orgPolicies: readonly JsonObject[] | null;
}

export interface GcpProject {
  readonly id: string;
  readonly number: string;
  readonly name: string;
  readonly folder: string;
  readonly weight: number;
}

/** One project as generators see it. */
export interface GcpCell {
  readonly seed: number;
  readonly asOf: number;
  readonly project: GcpProject;
  readonly keys: readonly GcpKeySpec[];
}

export const gcpOrganization = { id: '437812905561', domain: 'northwind.example' } as const;
export const gcpFolders = [
  { id: '561200934410', name: 'production' },
  { id: '561200934411', name: 'non-production' },
] as const;
export const gcpProjects: readonly GcpProject[] = [
  { id: 'northwind-keys', number: '300100200300', name: 'Northwind keys', folder: '561200934410', weight: 0 },
  { id: 'northwind-payments', number: '300100200301', name: 'Northwind payments', folder: '561200934410', weight: 38 },
  { id: 'northwind-analytics', number: '300100200302', name: 'Northwind analytics', folder: '561200934410', weight: 34 },
  { id: 'northwind-platform', number: '300100200303', name: 'Northwind platform', folder: '561200934410', weight: 18 },
  { id: 'northwind-development', number: '300100200304', name: 'Northwind development', folder: '561200934411', weight: 10 },
  { id: 'northwind-sandbox', number: '300100200305', name: 'Northwind sandbox', folder: '561200934411', weight: 0 },
];
export const keyProject = gcpProjects[0] as GcpProject;

export interface GcpEstate {
  readonly projects: readonly GcpProject[];
  readonly populations: readonly Population<GcpAsset>[];
}

export function ancestorsOf(project: GcpProject): string[] {
  return [`projects/${project.number}`, `folders/${project.folder}`, `organizations/${gcpOrganization.id}`];
}

/** What a generator must say; the rest follows from the project. */
export interface GcpDraft {
  readonly name: string;
  readonly displayName: string;
  readonly location: string;
  readonly data: JsonObject;
  readonly version?: string;
  readonly parent?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly kmsKey?: string | null;
  readonly state?: string;
  readonly bindings?: readonly IamBinding[] | null;
  readonly troubles: readonly string[];
  readonly classification: Classification;
}

export function gcpAsset(cell: GcpCell, assetType: string, pick: Random, draft: GcpDraft, project: GcpProject = cell.project): GcpAsset {
  return {
    uid: draft.name,
    troubles: draft.troubles,
    classification: draft.classification,
    assetType,
    project: project.id,
    ancestors: ancestorsOf(project),
    location: draft.location,
    displayName: draft.displayName,
    data: draft.data,
    version: draft.version ?? 'v1',
    parent: draft.parent ?? `//cloudresourcemanager.googleapis.com/projects/${project.number}`,
    labels: draft.labels ?? {},
    kmsKey: draft.kmsKey ?? null,
    state: draft.state ?? null,
    updatedAt: cell.asOf - Math.floor((0.01 + pick.next() * 40) * 86_400_000),
    bindings: draft.bindings ?? null,
    orgPolicies: null,
  };
}

export function gcpLabels(classification: Classification, pick: Random, project: GcpProject): Record<string, string> {
  return {
    ...(classification === 'unclassified' ? {} : { 'data-classification': classification }),
    owner: pick.pick(owners),
    environment: project.folder === gcpFolders[0].id ? 'production' : 'development',
  };
}
