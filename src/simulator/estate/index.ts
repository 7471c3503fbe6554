import { awsAccounts, type AwsEstate, awsRegions } from './aws-model.ts';
import { buildAws } from './aws.ts';
import { type AzureEstate, azureSubscriptions } from './azure-model.ts';
import { buildAzure } from './azure.ts';
import { type GcpEstate, gcpProjects } from './gcp-model.ts';
import { buildGcp } from './gcp.ts';
import type { Planted } from './population.ts';

export interface EstateOptions {
  /** The same seed, size and instant give the same estate, byte for byte. */
  readonly seed?: number;
  /** Records in all three inventories together; about half of them in AWS. */
  readonly resources?: number;
  /** RFC 3339: what every date in the estate is counted from. */
  readonly asOf: string;
  /** Plants hostile text and structure in every store: markup, formulas, control characters, great length and depth. */
  readonly hostile?: boolean;
  /** For small estates: how many of each there are, at most. */
  readonly limits?: {
    readonly awsAccounts?: number;
    readonly awsRegions?: number;
    readonly azureSubscriptions?: number;
    readonly gcpProjects?: number;
  };
}

export interface Estate {
  readonly aws: AwsEstate;
  readonly azure: AzureEstate;
  readonly gcp: GcpEstate;
  /** Records by type: AWS items, rows of the Azure table `resources`, Google Cloud assets. */
  readonly counts: {
    readonly aws: Readonly<Record<string, number>>;
    readonly azure: Readonly<Record<string, number>>;
    readonly gcp: Readonly<Record<string, number>>;
    readonly total: number;
  };
  /** Everything planted, by uid. Makes every record once. */
  planted(): Map<string, readonly string[]>;
}

/** Lays out the estate. Records are made when they are asked for, so this is quick at any size. */
export function buildEstate(options: EstateOptions): Estate {
  const seed = options.seed ?? 1;
  const resources = options.resources ?? 2000;
  const asOf = Date.parse(options.asOf);
  const hostile = options.hostile === true;
  const ofAws = Math.round(resources * 0.5);
  const ofAzure = Math.round(resources * 0.25);
  const aws = buildAws({
    hostile,
    seed,
    asOf,
    resources: ofAws,
    accounts: options.limits?.awsAccounts ?? awsAccounts.length,
    regions: options.limits?.awsRegions ?? (resources >= 10_000 ? awsRegions.length : 2),
  });
  const azure = buildAzure({
    hostile,
    seed,
    asOf,
    resources: ofAzure,
    subscriptions: options.limits?.azureSubscriptions ?? azureSubscriptions.length,
  });
  const gcp = buildGcp({
    hostile,
    seed,
    asOf,
    resources: resources - ofAws - ofAzure,
    projects: options.limits?.gcpProjects ?? gcpProjects.length,
  });
  const inventory = azure.populations.filter((population) => population.table === 'resources');
  const count = (populations: readonly { type: string; count: number }[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const population of populations) counts[population.type] = (counts[population.type] ?? 0) + population.count;
    return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const counts = { aws: count(aws.populations), azure: count(inventory), gcp: count(gcp.populations) };
  return {
    aws,
    azure,
    gcp,
    counts: {
      ...counts,
      total: [...Object.values(counts.aws), ...Object.values(counts.azure), ...Object.values(counts.gcp)].reduce((a, b) => a + b, 0),
    },
    planted: () => {
      const all = new Map<string, readonly string[]>();
      for (const population of [...aws.populations, ...azure.populations, ...gcp.populations]) {
        for (let i = 0; i < population.count; i += 1) {
          const record: Planted = population.record(i);
          all.set(record.uid, record.troubles);
        }
      }
      return all;
    },
  };
}
