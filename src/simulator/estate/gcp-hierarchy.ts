import type { JsonObject } from '../../model/index.ts';
import { gcpAsset, type GcpAsset, type GcpCell, gcpFolders, gcpOrganization, type IamBinding, keyProject } from './gcp-model.ts';
import { keyProjectBindings } from './gcp-keys.ts';
import { day, iso, type Population } from './population.ts';
import { random } from './random.ts';

const crm = '//cloudresourcemanager.googleapis.com';

function projectBindings(cell: GcpCell, cells: readonly GcpCell[]): IamBinding[] {
  const { project } = cell;
  const viewers: IamBinding = { role: 'roles/viewer', members: ['group:engineers@northwind.example'] };
  // An owner would administer and use every key.
  if (project.id === keyProject.id)
    return [
      viewers,
      { role: 'roles/cloudkms.admin', members: ['group:key-administrators@northwind.example'] },
      ...keyProjectBindings(cells.map((one) => one.project)),
    ];
  const common: IamBinding[] = [{ role: 'roles/owner', members: ['group:platform-owners@northwind.example'] }, viewers];
  if (project.weight === 0) return common;
  const app = `serviceAccount:app@${project.id}.iam.gserviceaccount.com`;
  return [
    ...common,
    { role: 'roles/storage.objectViewer', members: [app, 'group:analysts@northwind.example'] },
    {
      role: 'roles/bigquery.dataViewer',
      members: project.id.endsWith('analytics') ? ['group:analysts@northwind.example', 'domain:northwind.example'] : [app],
    },
    {
      role: 'roles/secretmanager.secretAccessor',
      members: [app],
      condition: { title: 'Own secrets', expression: `resource.name.startsWith("projects/${project.number}/secrets/app-")` },
    },
    { role: 'roles/cloudsql.client', members: [app] },
    { role: 'roles/pubsub.subscriber', members: [app] },
  ];
}

const booleanPolicy = (constraint: string, enforced: boolean, asOf: number): JsonObject => ({
  constraint,
  updateTime: iso(asOf - 200 * day),
  booleanPolicy: { enforced },
});

/** Organisation, folders and projects, with their IAM and organisation policies. */
export function gcpHierarchyPopulations(cells: readonly GcpCell[]): Population<GcpAsset>[] {
  const cell = cells[0] as GcpCell;
  const organization = `organizations/${gcpOrganization.id}`;
  const above = (asset: GcpAsset, ancestors: string[]): GcpAsset => ({ ...asset, project: null, ancestors });
  return [
    {
      type: 'cloudresourcemanager.googleapis.com/Organization',
      account: '',
      region: '*',
      count: 1,
      record: () => ({
        ...above(
          gcpAsset(cell, 'cloudresourcemanager.googleapis.com/Organization', random(cell.seed, 'organization'), {
            name: `${crm}/${organization}`,
            displayName: gcpOrganization.domain,
            location: 'global',
            parent: '',
            state: 'ACTIVE',
            troubles: [],
            classification: 'unclassified',
            data: {
              name: organization,
              displayName: gcpOrganization.domain,
              lifecycleState: 'ACTIVE',
              creationTime: iso(cell.asOf - 2000 * day),
              owner: { directoryCustomerId: 'C0northw1' },
            },
            bindings: [
              { role: 'roles/resourcemanager.organizationAdmin', members: ['group:cloud-administrators@northwind.example'] },
              { role: 'roles/cloudasset.viewer', members: ['serviceAccount:exhibit@northwind-platform.iam.gserviceaccount.com'] },
            ],
          }),
          [organization],
        ),
        orgPolicies: [
          booleanPolicy('constraints/storage.uniformBucketLevelAccess', true, cell.asOf),
          {
            constraint: 'constraints/gcp.restrictNonCmekServices',
            updateTime: iso(cell.asOf - 100 * day),
            listPolicy: { deniedValues: ['storage.googleapis.com', 'bigquery.googleapis.com'] },
          },
          {
            constraint: 'constraints/gcp.restrictCmekCryptoKeyProjects',
            updateTime: iso(cell.asOf - 100 * day),
            listPolicy: { allowedValues: [`projects/${keyProject.id}`] },
          },
        ],
      }),
    },
    {
      type: 'cloudresourcemanager.googleapis.com/Folder',
      account: '',
      region: '*',
      count: gcpFolders.length,
      record: (i) => {
        const folder = gcpFolders[i] as (typeof gcpFolders)[number];
        return above(
          gcpAsset(cell, 'cloudresourcemanager.googleapis.com/Folder', random(cell.seed, folder.id), {
            name: `${crm}/folders/${folder.id}`,
            displayName: folder.name,
            location: 'global',
            parent: `${crm}/${organization}`,
            state: 'ACTIVE',
            troubles: i === 0 ? ['wide-data-access'] : [],
            classification: 'unclassified',
            data: {
              name: `folders/${folder.id}`,
              parent: organization,
              displayName: folder.name,
              lifecycleState: 'ACTIVE',
              createTime: iso(cell.asOf - 1500 * day),
            },
            bindings: [
              { role: 'roles/resourcemanager.folderAdmin', members: ['group:platform-owners@northwind.example'] },
              ...(i === 0
                ? [
                    {
                      role: 'roles/storage.objectViewer',
                      members: ['serviceAccount:data-platform@northwind-analytics.iam.gserviceaccount.com'],
                    },
                  ]
                : []),
            ],
          }),
          [`folders/${folder.id}`, organization],
        );
      },
    },
    ...cells.map((one): Population<GcpAsset> => ({
      type: 'cloudresourcemanager.googleapis.com/Project',
      account: one.project.id,
      region: '*',
      count: 1,
      record: () => ({
        ...gcpAsset(one, 'cloudresourcemanager.googleapis.com/Project', random(one.seed, one.project.id), {
          name: `${crm}/projects/${one.project.number}`,
          displayName: one.project.name,
          location: 'global',
          parent: `${crm}/folders/${one.project.folder}`,
          state: 'ACTIVE',
          troubles: one.project.id.endsWith('analytics') ? ['wide-data-access'] : [],
          classification: 'unclassified',
          data: {
            projectNumber: one.project.number,
            projectId: one.project.id,
            lifecycleState: 'ACTIVE',
            name: one.project.name,
            createTime: iso(one.asOf - 900 * day),
            parent: { type: 'folder', id: one.project.folder },
            labels: { owner: 'platform-team' },
          },
          labels: { owner: 'platform-team' },
          bindings: projectBindings(one, cells),
        }),
        orgPolicies: one.project.id.endsWith('development')
          ? [booleanPolicy('constraints/storage.uniformBucketLevelAccess', false, one.asOf)]
          : null,
      }),
    })),
  ];
}
