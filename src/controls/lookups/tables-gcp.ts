import type { Resource } from '../../model/index.ts';
import { gcpAncestors, gcpKeyName, gcpProjectOf, gcpRelativeName, textAt, valueAt } from './references.ts';
import { found, type Home, type Hopper, type LookupTable, policy, present, resource, table, type TableFamilies } from './table.ts';

const gcpKeyType = 'cloudkms.googleapis.com/CryptoKey';
const gcpRingType = 'cloudkms.googleapis.com/KeyRing';
const gcpProjectType = 'cloudresourcemanager.googleapis.com/Project';
const gcpFolderType = 'cloudresourcemanager.googleapis.com/Folder';
const gcpOrganizationType = 'cloudresourcemanager.googleapis.com/Organization';

/** The project's id where the evidence knows the number, else as given. */
function projectId(project: string, from: Resource, hop: Hopper): string {
  if (!/^\d+$/.test(project)) return project;
  const hit = hop('gcp.project', project, from);
  return hit.outcome === 'found' ? (textAt(hit.document, 'resource', 'data', 'projectId') ?? project) : project;
}

/** What a record goes by: its name, and that with its project's number where it names the project by its id. */
function namesOf(record: Resource, name: string): string[] {
  const own = gcpAncestors(record.document)?.[0] ?? '';
  return present([name, /^projects\/\d+$/.test(own) ? name.replace(/^projects\/[^/]+(?=\/)/, own) : null]);
}

/** A project-level asset type by name: `gcp.resource:<asset type>`, and the named tables below. */
function gcpByNameTable(
  name: string,
  title: string,
  type: string,
  normalise: (reference: string) => string = gcpRelativeName,
): LookupTable {
  return table({
    name,
    title,
    provider: 'gcp',
    sources: [resource(type)],
    keeps: ['ancestors'],
    through: ['gcp.project'],
    keys: (record) => namesOf(record, normalise(record.uid)),
    resolve(key, from, hop) {
      const relative = normalise(key);
      const project = gcpProjectOf(relative);
      if (project === null)
        return found(
          [relative],
          [{ type, account: 'every', region: '*' }],
          `\`${relative}\` may belong to a project that was not collected`,
        );
      const id = projectId(project, from, hop);
      return found(present([relative, relative.replace(/^projects\/[^/]+/, `projects/${id}`)]), [{ type, account: id, region: '*' }]);
    },
  });
}

/** IAM policies of the levels above a resource: homes and keys, nearest first. */
function inheritedPolicies(ancestors: readonly string[], project: string): { keys: string[]; homes: Home[] } {
  const homes = ancestors.map((ancestor): Home => {
    if (ancestor.startsWith('projects/')) return { type: `iam-policy:${gcpProjectType}`, account: project, region: '*' };
    return { type: `iam-policy:${ancestor.startsWith('folders/') ? gcpFolderType : gcpOrganizationType}`, account: ancestor, region: '*' };
  });
  return { keys: present([`projects/${project}`, ...ancestors]), homes };
}

/** Keys of an IAM policy record: its resource's name, with the project's number too. */
function policyKeys(record: Resource): string[] {
  const own = gcpAncestors(record.document)?.[0];
  return present([...namesOf(record, gcpRelativeName(record.uid)), record.type === gcpProjectType ? own : null]);
}

/**
 * Whether it cannot be told what a policy is of: `get-iam-policy` names no resource, and what lies in a project names that by its
 * number, so a project that is named by its id alone may be any.
 */
function ofNothing(record: Resource): boolean {
  if (!/^(?:\/\/|projects\/|folders\/|organizations\/)/.test(record.uid)) return true;
  return record.type === gcpProjectType && gcpAncestors(record.document) === null && !/\/\d+$/.test(record.uid);
}

/** Why the policies of the levels above may be more than those found under the names of these; undefined where they are not. */
function aboveGap(ancestors: readonly string[] | null, record: string): string | undefined {
  if (ancestors === null) return `${record} does not name its ancestors`;
  const named = ancestors.find((one) => !/^(?:projects|folders|organizations)\/\d+$/.test(one));
  return named === undefined ? undefined : `policies of ${named} may be listed under its number, which ${record} does not say`;
}

/** IAM policies in force on an asset of one type, inherited ones included: `gcp.iam-policy:<asset type>`, looked up by the asset's own name. */
function gcpIamPolicyTable(type: string): LookupTable {
  const levels = present([type, gcpProjectType, gcpFolderType, gcpOrganizationType]);
  return table({
    name: `gcp.iam-policy:${type}`,
    title: `IAM policies in force on a ${type}: its own, its project's, folders' and organisation's`,
    provider: 'gcp',
    sources: levels.map(policy),
    many: true,
    readsSubject: true,
    keys: policyKeys,
    placeless: ofNothing,
    resolve(key, from) {
      const name = gcpRelativeName(key);
      const ancestors = gcpAncestors(from.document);
      const above = inheritedPolicies(ancestors ?? [], from.account);
      return found(
        present([name, ...above.keys]),
        [{ type: `iam-policy:${type}`, account: from.account, region: '*' }, ...above.homes],
        aboveGap(ancestors, 'the record'),
      );
    },
  });
}

export const gcpTables: readonly LookupTable[] = [
  gcpByNameTable('gcp.kms.key', 'Cloud KMS key by name, or by the name of one of its versions', gcpKeyType, gcpKeyName),
  gcpByNameTable('gcp.kms.key-version', 'Cloud KMS key version by name', 'cloudkms.googleapis.com/CryptoKeyVersion'),
  gcpByNameTable('gcp.kms.key-ring', 'Cloud KMS key ring by name', gcpRingType),
  table({
    name: 'gcp.kms.key-iam',
    title: 'IAM policies in force on a key: of the key, its ring, project, folders and organisation',
    provider: 'gcp',
    sources: [gcpKeyType, gcpRingType, gcpProjectType, gcpFolderType, gcpOrganizationType].map(policy),
    many: true,
    through: ['gcp.kms.key', 'gcp.project'],
    keys: policyKeys,
    placeless: ofNothing,
    resolve(key, from, hop) {
      const name = gcpKeyName(key);
      const given = gcpProjectOf(name);
      // Some policy tools name keys in their own way: the policy that is under the same name is still the key's.
      if (given === null) return found([name], [], `\`${key}\` does not read as a Cloud KMS key`);
      const project = projectId(given, from, hop);
      const own = name.replace(/^projects\/[^/]+/, `projects/${project}`);
      const ring = own.replace(/\/cryptoKeys\/[^/]+$/, '');
      const homes = [
        { type: `iam-policy:${gcpKeyType}`, account: project, region: '*' },
        { type: `iam-policy:${gcpRingType}`, account: project, region: '*' },
      ];
      const hit = hop('gcp.kms.key', own, from);
      const ancestors = hit.outcome === 'found' ? gcpAncestors(hit.document) : null;
      const above = inheritedPolicies(ancestors ?? [`projects/${project}`], project);
      return found(
        present([own, name, ring, ...above.keys]),
        [...homes, ...above.homes],
        ancestors === null ? `the ancestors of key \`${own}\` are not in the evidence` : aboveGap(ancestors, `key \`${own}\``),
      );
    },
  }),
  table({
    name: 'gcp.project',
    title: 'Project by id or number',
    provider: 'gcp',
    sources: [resource(gcpProjectType)],
    keeps: ['ancestors', 'resource.data.projectId', 'resource.data.projectNumber', 'resource.data.name'],
    keys(record) {
      const own = gcpAncestors(record.document)?.[0];
      const number = valueAt(record.document, 'resource', 'data', 'projectNumber');
      return present([
        gcpProjectOf(gcpRelativeName(record.uid)),
        textAt(record.document, 'resource', 'data', 'projectId'),
        typeof number === 'number' || typeof number === 'string' ? String(number) : null,
        own?.startsWith('projects/') ? own.slice('projects/'.length) : null,
      ]);
    },
    resolve(key) {
      const project = gcpProjectOf(gcpRelativeName(key)) ?? gcpRelativeName(key);
      return found(
        [project],
        [{ type: gcpProjectType, account: project, region: '*' }],
        `project ${project} may lie outside the scopes that were collected`,
      );
    },
  }),
];

export const gcpTableFamilies: TableFamilies = {
  'gcp.resource': {
    title: 'an asset of a Google Cloud type by name',
    of: (type) => gcpByNameTable(`gcp.resource:${type}`, `${type} by name`, type),
  },
  'gcp.iam-policy': { title: 'IAM policies in force on an asset of a type, inherited ones included', of: gcpIamPolicyTable },
};
