import { awsConfigHandler, aggregatorName } from './aws-config.ts';
import { accessKeyOf, awsStsHandler, collectorRole } from './aws-sts.ts';
import { azureHandler } from './azure-arm.ts';
import { buildEstate, type Estate, type EstateOptions } from './estate/index.ts';
import { gcpOrganization } from './estate/gcp-model.ts';
import { random } from './estate/random.ts';
import { type CallBook, type Fault, openCallBook, type SimulatedCall } from './faults.ts';
import { serveCloudAsset } from './gcp-cai.ts';
import { serveHttp } from './http.ts';
import { keptAnswers, madeAnew } from './kept-answers.ts';
import { openQuotas, type QuotaMode } from './quotas.ts';

export { aggregatorName, collectorRole };
export { type Estate, type EstateOptions, buildEstate } from './estate/index.ts';
export { type Fault, type FaultKind, faultKinds, faultsFor, type SimulatedCall } from './faults.ts';
export type { QuotaMode } from './quotas.ts';
export { wholeRunFaults } from './scenarios.ts';

export interface SimulatorOptions extends EstateOptions {
  /** Published rates unless told otherwise. */
  readonly quotas?: QuotaMode;
  readonly faults?: readonly Fault[];
  /** 0 or absent: any free port. */
  readonly ports?: { readonly aws?: number; readonly azure?: number; readonly gcp?: number };
  /** Collect AWS through the organisation's aggregator instead of account by account. */
  readonly awsThrough?: 'accounts' | 'aggregator';
  /** Keep what AWS Config answers, so that the same question costs nothing the second time. Takes as much memory as the answers. */
  readonly keepAnswers?: boolean;
}

export interface Simulator {
  readonly endpoints: {
    readonly aws: { readonly config: string; readonly sts: string };
    readonly azure: { readonly resourceManager: string; readonly authority: string };
    readonly gcp: { readonly cloudAsset: string; readonly insecure: true };
  };
  /** What `exhibit.yaml` holds, as an object that its schema accepts. */
  readonly config: SimulatorConfig;
  configYaml(): string;
  /** Environment variables for clients of the simulated clouds. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly estate: Estate;
  /** What is planted in the resource of this uid (ARN, lower-case Azure id, asset name); null for one that is not there. */
  truth(uid: string): readonly string[] | null;
  readonly calls: () => readonly SimulatedCall[];
  /** Adds a fault to those given at the start. */
  readonly inject: (fault: Fault) => void;
  readonly clearFaults: () => void;
  /** Faults that struck, and the calls they struck. */
  readonly struck: CallBook['struck'];
  /** Requests refused for want of quota, by quota. */
  readonly refused: () => Readonly<Record<string, number>>;
  /** Forgets what was asked and how much of the quotas was used; kept answers stay. */
  forget(): void;
  close(): Promise<void>;
}

export interface SimulatorConfig {
  readonly engagement: {
    id: string;
    title: string;
    entity: string;
    period: { from: string; to: string };
    preparedFor: string;
    classification: string;
  };
  readonly profile: { level: 2 };
  readonly scopes: {
    aws: {
      accounts?: string[];
      regions?: string[];
      role?: string;
      aggregator?: { name: string; account: string; region: string; role: string };
    }[];
    azure: { tenant: string; managementGroups: string[] }[];
    gcp: { organization: string; quotaProject: string }[];
  };
  readonly endpoints: Simulator['endpoints'];
  readonly critical: { tags: Record<string, string[]>; notCriticalTags: Record<string, string[]>; unclassified: 'critical' };
}

/** Starts the three servers on loopback over one estate. Throws when a port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const seed = options.seed ?? 1;
  const asOf = Date.parse(options.asOf);
  if (Number.isNaN(asOf)) throw new Error(`asOf is not an instant: ${options.asOf}`);
  const estate = buildEstate(options);
  const book = openCallBook(options.faults);
  const quotas = openQuotas(options.quotas ?? 'published');
  const kept = options.keepAnswers === true ? keptAnswers() : madeAnew;
  const config = awsConfigHandler({ estate: estate.aws, seed, asOf, book, quotas, kept });
  const sts = awsStsHandler({ estate: estate.aws, seed, book });
  const started: { close(): Promise<void> }[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.close()));
  };
  try {
    // One port for both AWS services: STS is what does not name a Config operation.
    const aws = await serveHttp(options.ports?.aws ?? 0, (request) =>
      request.headers['x-amz-target'] === undefined ? sts(request) : config(request),
    );
    started.push(aws);
    const azure = await serveHttp(options.ports?.azure ?? 0, azureHandler({ estate: estate.azure, seed, asOf, book, quotas }));
    started.push(azure);
    const gcp = await serveCloudAsset(options.ports?.gcp ?? 0, { estate: estate.gcp, asOf, book, quotas });
    started.push(gcp);
    const endpoints: Simulator['endpoints'] = {
      aws: { config: aws.origin, sts: aws.origin },
      azure: { resourceManager: azure.origin, authority: azure.origin },
      gcp: { cloudAsset: gcp.address, insecure: true },
    };
    const shown = configOf(estate, endpoints, options);
    let planted: Map<string, readonly string[]> | null = null;
    return {
      endpoints,
      config: shown,
      configYaml: () => yamlOf(shown),
      credentials: {
        AWS_ACCESS_KEY_ID: accessKeyOf(estate.aws.home.account),
        AWS_SECRET_ACCESS_KEY: random(seed, 'home-secret').hex(40),
        AWS_REGION: estate.aws.home.region,
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      estate,
      truth: (uid) => {
        planted ??= estate.planted();
        return planted.get(uid) ?? null;
      },
      calls: book.calls,
      inject: book.inject,
      clearFaults: book.clear,
      struck: book.struck,
      refused: quotas.refused,
      forget: () => {
        book.forget();
        quotas.refill();
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function configOf(estate: Estate, endpoints: Simulator['endpoints'], options: SimulatorOptions): SimulatorConfig {
  const end = new Date(options.asOf);
  const quarter = Math.floor(end.getUTCMonth() / 3);
  const from = new Date(Date.UTC(end.getUTCFullYear(), quarter * 3, 1));
  const to = new Date(Date.UTC(end.getUTCFullYear(), quarter * 3 + 3, 0));
  const date = (value: Date): string => value.toISOString().slice(0, 10);
  const role = `arn:aws:iam::{account}:role/${collectorRole}`;
  const { home } = estate.aws;
  return {
    engagement: {
      id: `northwind-${String(from.getUTCFullYear())}-q${String(quarter + 1)}`,
      title: 'Encryption of critical data with customer managed keys',
      entity: 'Northwind Trading Group (fictional)',
      period: { from: date(from), to: date(to) },
      preparedFor: 'Contoso Assurance LLP (fictional)',
      classification: 'Confidential',
    },
    profile: { level: 2 },
    scopes: {
      aws: [
        options.awsThrough === 'aggregator'
          ? { aggregator: { name: aggregatorName, account: home.account, region: home.region, role } }
          : { accounts: estate.aws.accounts.map((account) => account.id), regions: [...estate.aws.regions], role },
      ],
      azure: [
        {
          tenant: estate.azure.tenant,
          managementGroups: [...new Set(estate.azure.subscriptions.map((subscription) => subscription.managementGroup))],
        },
      ],
      gcp: [{ organization: gcpOrganization.id, quotaProject: 'northwind-platform' }],
    },
    endpoints,
    critical: {
      tags: { 'data-classification': ['critical'] },
      notCriticalTags: { 'data-classification': ['internal', 'public'] },
      unclassified: 'critical',
    },
  };
}

/** Plain YAML of a plain object: every text quoted, so that account ids keep their leading zeros. */
function yamlOf(config: SimulatorConfig): string {
  const lines: string[] = ['# Points at the simulated clouds of `exhibit simulate`; nothing here exists.'];
  const scalar = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));
  const write = (value: object, indent: string): void => {
    for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
      if (Array.isArray(inner)) {
        if (inner.every((one) => typeof one !== 'object')) {
          lines.push(`${indent}${name}: [${inner.map(scalar).join(', ')}]`);
          continue;
        }
        lines.push(`${indent}${name}:`);
        for (const one of inner as object[]) {
          const start = lines.length;
          write(one, `${indent}    `);
          lines[start] = `${indent}  - ${(lines[start] ?? '').trimStart()}`;
        }
        continue;
      }
      if (typeof inner === 'object' && inner !== null) {
        lines.push(`${indent}${name}:`);
        write(inner, `${indent}  `);
        continue;
      }
      lines.push(`${indent}${name}: ${scalar(inner)}`);
    }
  };
  write(config, '');
  return `${lines.join('\n')}\n`;
}
