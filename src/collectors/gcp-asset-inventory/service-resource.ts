import { isJsonObject, type Json, type JsonObject } from '../../model/index.ts';
import { text } from './map.ts';
import { durationText, timestampText } from './proto-json.ts';

/** Resources as the API of their own service hands them out: which asset they are. */

/** Asset types whose resources name themselves, by the collection that the name ends in. */
const collections: Readonly<Record<string, string>> = {
  'alloydb.googleapis.com/Cluster': 'clusters',
  'artifactregistry.googleapis.com/Repository': 'repositories',
  'bigquery.googleapis.com/Dataset': 'datasets',
  'bigquery.googleapis.com/Table': 'tables',
  'cloudkms.googleapis.com/CryptoKey': 'cryptoKeys',
  'cloudkms.googleapis.com/CryptoKeyVersion': 'cryptoKeyVersions',
  'cloudkms.googleapis.com/EkmConnection': 'ekmConnections',
  'cloudkms.googleapis.com/KeyRing': 'keyRings',
  'cloudresourcemanager.googleapis.com/Folder': 'folders',
  'cloudresourcemanager.googleapis.com/Organization': 'organizations',
  'cloudresourcemanager.googleapis.com/Project': 'projects',
  'compute.googleapis.com/Disk': 'disks',
  'compute.googleapis.com/Image': 'images',
  'compute.googleapis.com/RegionDisk': 'disks',
  'compute.googleapis.com/Snapshot': 'snapshots',
  'container.googleapis.com/Cluster': 'clusters',
  'container.googleapis.com/NodePool': 'nodePools',
  'file.googleapis.com/Instance': 'instances',
  'iam.googleapis.com/Role': 'roles',
  'pubsub.googleapis.com/Topic': 'topics',
  'secretmanager.googleapis.com/Secret': 'secrets',
  'spanner.googleapis.com/Database': 'databases',
  'sqladmin.googleapis.com/Instance': 'instances',
  'storage.googleapis.com/Bucket': 'b',
};

/** What a whole resource holds where it does not name itself in full, by type: who reads the API keeps these, and often drops the links. */
const contents: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'bigquery.googleapis.com/Dataset': [['datasetReference', 'access']],
  'bigquery.googleapis.com/Table': [['tableReference', 'schema']],
  'cloudkms.googleapis.com/CryptoKey': [['name', 'purpose']],
  'compute.googleapis.com/Disk': [['name', 'sizeGb', 'status']],
  'compute.googleapis.com/Image': [['name', 'diskSizeGb', 'status']],
  'compute.googleapis.com/RegionDisk': [['name', 'sizeGb', 'status']],
  'compute.googleapis.com/Snapshot': [['name', 'diskSizeGb', 'status']],
  'container.googleapis.com/Cluster': [['name', 'location', 'status']],
  'container.googleapis.com/NodePool': [['name', 'config', 'status']],
  'dataproc.googleapis.com/Cluster': [['projectId', 'clusterName', 'config']],
  'secretmanager.googleapis.com/Secret': [['name', 'replication']],
  'sqladmin.googleapis.com/Instance': [['name', 'databaseVersion', 'settings']],
  'storage.googleapis.com/Bucket': [
    ['name', 'location', 'storageClass'],
    ['name', 'iamConfiguration'],
  ],
};

/** Services whose assets are named after another host. */
const hosts: Readonly<Record<string, string>> = { 'sqladmin.googleapis.com': 'cloudsql.googleapis.com' };

/** The path of `https://www.googleapis.com/compute/v1/projects/…` after the version. */
function linkPath(link: string): string {
  return /^https:\/\/[^/]+\/(?:[a-z]+\/)?(?:v\d[a-z0-9]*|alpha|beta)\/(.+)$/.exec(link)?.[1] ?? '';
}

/** What the resource calls itself, relative to its service; '' where it does not say. */
function relativeName(type: string, data: JsonObject): string {
  const name = text(data.name);
  if (/^(?:projects|folders|organizations|roles)\/./.test(name)) return name;
  // The lists of BigQuery hold abridged resources, which lack what decides; only whole ones carry a link to themselves.
  const path = linkPath(text(data.selfLink));
  if (path !== '') return path;
  if (data.kind === 'storage#bucket' && name !== '') return `b/${name}`;
  if (data.kind === 'sql#instance' && name !== '' && text(data.project) !== '') return `projects/${text(data.project)}/instances/${name}`;
  if (type !== 'cloudresourcemanager.googleapis.com/Project' || text(data.projectId) === '') return '';
  const number = data.projectNumber;
  return typeof number === 'string' || typeof number === 'number' ? `projects/${number}` : '';
}

/**
 * The full asset name of a resource that its own service handed out; `id` where it names itself in part only, which leads to nothing
 * else. Null where it does not show that it is a resource of this type.
 */
export function serviceAssetName(type: string, data: JsonObject, id: string): string | null {
  if (data.resource !== undefined || data.iamPolicy !== undefined) return null;
  const relative = relativeName(type, data);
  const segments = relative.split('/');
  const collection = Object.hasOwn(collections, type) ? collections[type] : undefined;
  if (segments.length >= 2 && segments.at(-2) === collection) {
    const host = type.slice(0, type.indexOf('/'));
    return `//${hosts[host] ?? host}/${collection === 'b' ? segments.slice(1).join('/') : relative}`;
  }
  const held = Object.hasOwn(contents, type) ? contents[type] : undefined;
  return relative === '' && held?.some((names) => names.every((name) => Object.hasOwn(data, name))) ? id : null;
}

/** Instants and lengths of time, which client libraries hand out as `{seconds, nanos}`, as the REST form has them; all else as it is. */
export function withTimes(value: Json, name = ''): Json {
  if (Array.isArray(value)) return value.map((held) => withTimes(held));
  if (!isJsonObject(value)) return value;
  const parts = Object.keys(value);
  if (parts.includes('seconds') && parts.every((part) => part === 'seconds' || part === 'nanos'))
    return name.endsWith('Time') ? timestampText(value) : durationText(value);
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, withTimes(held, key)]));
}
