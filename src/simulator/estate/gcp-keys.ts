import { gcpAsset, type GcpAsset, type GcpCell, type GcpProject, type IamBinding, keyProject } from './gcp-model.ts';
import type { JsonObject } from '../../model/index.ts';
import { day, iso, type Population, textOf } from './population.ts';
import { random, type Random } from './random.ts';

export type KeyGroup = 'storage' | 'analytics' | 'compute' | 'database' | 'messaging';
/** `sound` and `no-agent-on-key` differ only in where (or whether) the service agents are bound. */
export type GcpKeyKind = 'sound' | 'no-rotation' | 'long-rotation' | 'disabled' | 'destroy-scheduled' | 'no-agent' | 'signing';

export interface GcpKeySpec {
  readonly name: string;
  /** Relative: `projects/…/cryptoKeys/…`. */
  readonly path: string;
  readonly ring: string;
  readonly group: KeyGroup | null;
  readonly kind: GcpKeyKind;
  readonly protection: 'SOFTWARE' | 'HSM';
  readonly versions: number;
  readonly consumer: GcpProject;
}

export const keyLocation = 'europe-west1';
export const encrypterRole = 'roles/cloudkms.cryptoKeyEncrypterDecrypter';

/** Service agents that encrypt on behalf of each service. */
export const serviceAgents = {
  storage: (number: string) => `service-${number}@gs-project-accounts.iam.gserviceaccount.com`,
  bigquery: (number: string) => `bq-${number}@bigquery-encryption.iam.gserviceaccount.com`,
  compute: (number: string) => `service-${number}@compute-system.iam.gserviceaccount.com`,
  container: (number: string) => `service-${number}@container-engine-robot.iam.gserviceaccount.com`,
  dataproc: (number: string) => `service-${number}@dataproc-accounts.iam.gserviceaccount.com`,
  file: (number: string) => `service-${number}@cloud-filer.iam.gserviceaccount.com`,
  sql: (number: string) => `service-${number}@gcp-sa-cloud-sql.iam.gserviceaccount.com`,
  spanner: (number: string) => `service-${number}@gcp-sa-spanner.iam.gserviceaccount.com`,
  alloydb: (number: string) => `service-${number}@gcp-sa-alloydb.iam.gserviceaccount.com`,
  pubsub: (number: string) => `service-${number}@gcp-sa-pubsub.iam.gserviceaccount.com`,
  artifactregistry: (number: string) => `service-${number}@gcp-sa-artifactregistry.iam.gserviceaccount.com`,
  secretmanager: (number: string) => `service-${number}@gcp-sa-secretmanager.iam.gserviceaccount.com`,
} as const;
export type ServiceName = keyof typeof serviceAgents;

const services: Record<KeyGroup, readonly ServiceName[]> = {
  storage: ['storage'],
  analytics: ['bigquery', 'compute', 'dataproc'],
  compute: ['compute', 'container', 'file'],
  database: ['sql', 'spanner', 'alloydb'],
  messaging: ['pubsub', 'artifactregistry', 'secretmanager'],
};
const agentMembers = (group: KeyGroup, project: GcpProject): string[] =>
  services[group].map((service) => `serviceAccount:${serviceAgents[service](project.number)}`);
const allAgents = (project: GcpProject): string[] => Object.values(serviceAgents).map((agent) => `serviceAccount:${agent(project.number)}`);

/** Keys that the stores of a project use: a ring of the key project each. */
export function gcpKeySpecs(of: { seed: number; project: GcpProject; perProject: number }): GcpKeySpec[] {
  const growth = Math.max(0, Math.floor(Math.log2(Math.max(1, of.perProject / 100))));
  const ring = `projects/${keyProject.id}/locations/${keyLocation}/keyRings/${of.project.id}`;
  const make = (name: string, group: KeyGroup | null, kind: GcpKeyKind, protection: 'SOFTWARE' | 'HSM', versions: number): GcpKeySpec => ({
    name,
    path: `${ring}/cryptoKeys/${name}`,
    ring,
    group,
    kind,
    protection,
    versions,
    consumer: of.project,
  });
  const groups: KeyGroup[] = ['storage', 'analytics', 'compute', 'database', 'messaging'];
  return [
    // Messaging keys of some projects were made without an HSM.
    ...groups.map((group) =>
      make(
        `${group}-data`,
        group,
        'sound',
        group === 'messaging' && random(of.seed, 'protection', of.project.id).chance(0.5) ? 'SOFTWARE' : 'HSM',
        2,
      ),
    ),
    ...Array.from({ length: growth }, (_, i) => make(`storage-team-${String(i)}`, 'storage', 'sound', 'HSM', 1)),
    make('never-rotated', null, 'no-rotation', 'SOFTWARE', 1),
    make('rotated-yearly', null, 'long-rotation', 'HSM', 1),
    make('switched-off', null, 'disabled', 'HSM', 1),
    make('to-be-destroyed', null, 'destroy-scheduled', 'HSM', 1),
    make('without-agents', null, 'no-agent', 'HSM', 1),
    make('release-signing', null, 'signing', 'HSM', 1),
  ];
}

/** Grants of keys: for some groups on the key, for some on the ring, for some on the key project. */
function keyBindings(key: GcpKeySpec): IamBinding[] | null {
  const administrators: IamBinding = { role: 'roles/cloudkms.admin', members: ['group:key-administrators@northwind.example'] };
  if (key.kind === 'no-agent') return [administrators];
  if (key.kind === 'signing')
    return [{ role: 'roles/cloudkms.signerVerifier', members: ['serviceAccount:release@northwind-platform.iam.gserviceaccount.com'] }];
  if (key.group === null) return [{ role: encrypterRole, members: allAgents(key.consumer) }, administrators];
  if (key.group === 'compute' || key.group === 'messaging') return null;
  return [{ role: encrypterRole, members: agentMembers(key.group, key.consumer) }];
}

/** What stands on the key project: inherited by every ring and key of it. */
export function keyProjectBindings(consumers: readonly GcpProject[]): IamBinding[] {
  return [
    {
      role: encrypterRole,
      members: consumers.filter((project) => project.weight > 0).flatMap((project) => agentMembers('messaging', project)),
    },
  ];
}

const stateOf = (kind: GcpKeyKind): string =>
  kind === 'disabled' ? 'DISABLED' : kind === 'destroy-scheduled' ? 'DESTROY_SCHEDULED' : 'ENABLED';

function version(cell: GcpCell, key: GcpKeySpec, number: number, pick: Random): JsonObject {
  const createTime = iso(cell.asOf - Math.floor(((key.versions - number) * 90 + 5 + pick.next() * 40) * day));
  return {
    name: `${key.path}/cryptoKeyVersions/${String(number)}`,
    state: number === key.versions ? stateOf(key.kind) : 'ENABLED',
    createTime,
    protectionLevel: key.protection,
    algorithm: key.kind === 'signing' ? 'EC_SIGN_P256_SHA256' : 'GOOGLE_SYMMETRIC_ENCRYPTION',
    generateTime: createTime,
    ...(key.kind === 'destroy-scheduled' ? { destroyTime: iso(cell.asOf + 18 * day) } : {}),
  };
}

const keyTroubles: Record<GcpKeyKind, readonly string[]> = {
  sound: [],
  signing: [],
  'no-rotation': ['key-no-rotation'],
  'long-rotation': ['key-long-rotation'],
  disabled: ['key-disabled'],
  'destroy-scheduled': ['key-destroy-scheduled'],
  'no-agent': ['key-without-agent'],
};

/** Key rings, keys and key versions, all in the key project. */
export function gcpKeyPopulations(cell: GcpCell): Population<GcpAsset>[] {
  if (cell.keys.length === 0) return [];
  const ring = cell.keys[0]?.ring ?? '';
  const versions = cell.keys.flatMap((key) => Array.from({ length: key.versions }, (_, i) => ({ key, number: i + 1 })));
  const base = { account: keyProject.id, region: '*' };
  return [
    {
      ...base,
      type: 'cloudkms.googleapis.com/KeyRing',
      count: 1,
      record: () =>
        gcpAsset(
          cell,
          'cloudkms.googleapis.com/KeyRing',
          random(cell.seed, ring),
          {
            name: `//cloudkms.googleapis.com/${ring}`,
            displayName: ring,
            location: keyLocation,
            data: { name: ring, createTime: iso(cell.asOf - 800 * day) },
            troubles: [],
            classification: 'unclassified',
            bindings: [{ role: encrypterRole, members: agentMembers('compute', cell.project) }],
          },
          keyProject,
        ),
    },
    {
      ...base,
      type: 'cloudkms.googleapis.com/CryptoKey',
      count: cell.keys.length,
      record: (i) => {
        const key = cell.keys[i] as GcpKeySpec;
        const pick = random(cell.seed, key.path);
        const rotation = key.kind === 'long-rotation' ? 365 : 90;
        const rotates = key.kind !== 'no-rotation' && key.kind !== 'signing';
        return gcpAsset(
          cell,
          'cloudkms.googleapis.com/CryptoKey',
          pick,
          {
            name: `//cloudkms.googleapis.com/${key.path}`,
            displayName: key.path,
            location: keyLocation,
            parent: `//cloudkms.googleapis.com/${key.ring}`,
            data: {
              name: key.path,
              purpose: key.kind === 'signing' ? 'ASYMMETRIC_SIGN' : 'ENCRYPT_DECRYPT',
              createTime: iso(cell.asOf - Math.floor((200 + pick.next() * 500) * day)),
              ...(key.kind === 'signing' ? {} : { primary: version(cell, key, key.versions, pick) }),
              versionTemplate: {
                protectionLevel: key.protection,
                algorithm: key.kind === 'signing' ? 'EC_SIGN_P256_SHA256' : 'GOOGLE_SYMMETRIC_ENCRYPTION',
              },
              destroyScheduledDuration: '2592000s',
              ...(rotates ? { rotationPeriod: `${String(rotation * 86_400)}s`, nextRotationTime: iso(cell.asOf + 30 * day) } : {}),
              labels: { owner: 'identity-team' },
            },
            labels: { owner: 'identity-team' },
            bindings: keyBindings(key),
            troubles: [...keyTroubles[key.kind], ...(key.protection === 'SOFTWARE' ? ['key-in-software'] : [])],
            classification: 'unclassified',
          },
          keyProject,
        );
      },
    },
    {
      ...base,
      type: 'cloudkms.googleapis.com/CryptoKeyVersion',
      count: versions.length,
      record: (i) => {
        const { key, number } = versions[i] as (typeof versions)[number];
        const pick = random(cell.seed, key.path, number);
        const data = version(cell, key, number, random(cell.seed, key.path));
        return gcpAsset(
          cell,
          'cloudkms.googleapis.com/CryptoKeyVersion',
          pick,
          {
            name: `//cloudkms.googleapis.com/${textOf(data, 'name')}`,
            displayName: textOf(data, 'name'),
            location: keyLocation,
            parent: `//cloudkms.googleapis.com/${key.path}`,
            data,
            state: textOf(data, 'state'),
            troubles: [],
            classification: 'unclassified',
          },
          keyProject,
        );
      },
    },
  ];
}

/** The key a store names, or null for Google's own. */
export interface ChosenKey {
  readonly path: string | null;
  readonly primary: string | null;
  readonly troubles: readonly string[];
}

export function chooseGcpKey(cell: GcpCell, pick: Random, group: KeyGroup): ChosenKey {
  const choice = pick.weighted({
    sound: 77,
    google: 13,
    'no-rotation': 2,
    'long-rotation': 2,
    disabled: 1,
    'destroy-scheduled': 0.6,
    'no-agent': 1.6,
    foreign: 1.2,
    gone: 0.6,
  });
  if (choice === 'google') return { path: null, primary: null, troubles: ['google-managed-key'] };
  if (choice === 'foreign') {
    const path = `projects/contoso-shared-kms/locations/${keyLocation}/keyRings/exchange/cryptoKeys/partner`;
    return { path, primary: `${path}/cryptoKeyVersions/1`, troubles: ['key-outside-the-organisation'] };
  }
  if (choice === 'gone') {
    const path = `projects/${keyProject.id}/locations/${keyLocation}/keyRings/${cell.project.id}/cryptoKeys/gone-${pick.hex(4)}`;
    return { path, primary: `${path}/cryptoKeyVersions/1`, troubles: ['key-not-recorded'] };
  }
  // The agents of these groups hold the role on the ring or the project, so no key of the ring is without them.
  const inherited = group === 'compute' || group === 'messaging' || group === 'analytics';
  const kind = choice === 'no-agent' && inherited ? 'sound' : choice;
  const key =
    kind === 'sound'
      ? pick.pick(cell.keys.filter((one) => one.group === group))
      : (cell.keys.find((one) => one.kind === kind) as GcpKeySpec);
  return { path: key.path, primary: `${key.path}/cryptoKeyVersions/${String(key.versions)}`, troubles: keyTroubles[key.kind] };
}
