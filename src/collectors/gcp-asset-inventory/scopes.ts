import type { GcpScopeConfig } from '../../config/schema.ts';
import type { Needs } from '../../model/index.ts';
import { ledgerType } from './queries.ts';

/** A configured root of assets. */
export interface GcpParent {
  readonly kind: 'organizations' | 'folders' | 'projects';
  /** `organizations/123`, `folders/456`, `projects/my-project`. */
  readonly name: string;
  /** Its account in ledgers: the project's id, else the name. */
  readonly account: string;
  readonly directory: string;
  readonly quotaProject: string | undefined;
}

function parentOf(kind: GcpParent['kind'], given: string, quotaProject: string | undefined): GcpParent {
  const id = given.replace(new RegExp(`^${kind}/`), '');
  const name = `${kind}/${id}`;
  return { kind, name, account: kind === 'projects' ? id : name, directory: name.replace('/', '.'), quotaProject };
}

/** Every configured root once, in a fixed order. */
export function gcpScopes(configured: readonly GcpScopeConfig[] | undefined): GcpParent[] {
  const parents = (configured ?? []).flatMap((scope) => [
    ...(scope.organization === undefined ? [] : [parentOf('organizations', scope.organization, scope.quotaProject)]),
    ...(scope.folders ?? []).map((folder) => parentOf('folders', folder, scope.quotaProject)),
    ...(scope.projects ?? []).map((project) => parentOf('projects', project, scope.quotaProject)),
  ]);
  const byName = new Map(parents.map((parent) => [parent.name, parent]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The ledger types that the needs come to. */
export function ledgerTypes(needs: Needs): string[] {
  return [
    ...needs.types.gcp,
    ...needs.iamPolicies.map((type) => ledgerType('IAM_POLICY', type)),
    ...(needs.orgPolicies ? ['org-policy'] : []),
  ];
}
