import type { Provider, Scope } from '../../../src/model/index.ts';

/** What holds data, with the collector that finds it. */
export interface Service {
  readonly provider: Provider;
  readonly section: string;
  readonly type: string;
  readonly noun: string;
  readonly collector: string;
}

export const SERVICES: readonly Service[] = [
  { provider: 'aws', section: 'AWS / Storage', type: 'AWS::S3::Bucket', noun: 'Buckets', collector: 'aws-config' },
  { provider: 'aws', section: 'AWS / Storage', type: 'AWS::EC2::Volume', noun: 'Volumes', collector: 'aws-config' },
  { provider: 'aws', section: 'AWS / Databases', type: 'AWS::RDS::DBInstance', noun: 'Database instances', collector: 'aws-config' },
  { provider: 'aws', section: 'AWS / Keys', type: 'AWS::KMS::Key', noun: 'Keys', collector: 'aws-config' },
  {
    provider: 'azure',
    section: 'Azure / Storage',
    type: 'microsoft.storage/storageaccounts',
    noun: 'Storage accounts',
    collector: 'azure-resource-graph',
  },
  {
    provider: 'azure',
    section: 'Azure / Databases',
    type: 'microsoft.sql/servers',
    noun: 'SQL servers',
    collector: 'azure-resource-graph',
  },
  {
    provider: 'gcp',
    section: 'Google Cloud / Storage',
    type: 'storage.googleapis.com/Bucket',
    noun: 'Buckets',
    collector: 'gcp-asset-inventory',
  },
  {
    provider: 'gcp',
    section: 'Google Cloud / Databases',
    type: 'sqladmin.googleapis.com/Instance',
    noun: 'Cloud SQL instances',
    collector: 'gcp-asset-inventory',
  },
];

export const SCOPES: readonly Scope[] = [
  { provider: 'aws', account: '111122223333', region: 'eu-west-1' },
  { provider: 'aws', account: '111122223333', region: 'us-east-1' },
  { provider: 'aws', account: '444455556666', region: 'eu-west-1' },
  { provider: 'azure', account: '0b1f6471-1bf0-4dda-aec3-cb9272f09590', region: '*' },
  { provider: 'azure', account: 'a7c32101-9f06-4e1c-8f6e-2d1d6fd1c301', region: '*' },
  { provider: 'gcp', account: 'northwind-prod', region: '*' },
  { provider: 'gcp', account: 'northwind-data', region: '*' },
];

export function uidOf(provider: Provider, type: string, scope: Scope, name: string): string {
  if (provider === 'aws') return `arn:aws:${type.split('::')[1]?.toLowerCase() ?? 'x'}:${scope.region}:${scope.account}:${name}`;
  if (provider === 'azure') return `/subscriptions/${scope.account}/resourcegroups/rg-data/providers/${type}/${name}`;
  return `//${type.split('/')[0] ?? ''}/projects/${scope.account}/resources/${name}`;
}

/** The account, and the region where there are several, as directories of evidence are named. */
export const placeOf = (scope: Scope): string => `${scope.account}${scope.region === '*' ? '' : `.${scope.region}`}`;

/** Where the pages of a type lie. */
export const directoryOf = (scope: Scope, collector: string, type: string): string =>
  `evidence/${collector}/${placeOf(scope)}/${type.replace(/[^A-Za-z0-9]+/g, '.')}`;

export const locationOf = (scope: Scope): string => (scope.region === '*' ? 'westeurope' : scope.region);
