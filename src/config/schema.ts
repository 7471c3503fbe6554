import { z } from 'zod';
import { attestedAnswerSchema, resultFormats, waiverSchema } from '../model/index.ts';

/** A shape that names unknown keys instead of dropping them: a misspelt option must not be ignored in silence. */
const closed = z.strictObject;

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'must be a date, YYYY-MM-DD')
  .refine(isCalendarDay, 'is no day of the calendar');

/** 30 February is none; a text of another form is the pattern's matter. */
function isCalendarDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00:00Z`);
  return !/^\d{4}-\d{2}-\d{2}$/.test(text) || (!Number.isNaN(time) && new Date(time).toISOString().startsWith(text));
}
const awsAccount = z.coerce.string().regex(/^\d{12}$/, 'must be a 12-digit AWS account id (quote it: leading zeros are lost otherwise)');
const region = z.string().regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/, 'must be an AWS region such as eu-west-1');
const role = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:iam::(\d{12}|\{account\}):role\/\S+$/,
    'must be the ARN of a role with its account: arn:aws:iam::{account}:role/exhibit-auditor (`{account}` stands for each account in turn)',
  );
/** Coerced, an empty value would be the text `null`. */
const gcpNumber = z.coerce
  .string()
  .regex(
    /^\d+$/,
    'must be a number such as "123456789012", as `gcloud organizations list` and `gcloud resource-manager folders list` show it',
  );
const guid = z.string().regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'must be a GUID');
/** Without a user and password: addresses go into the evidence as they are. */
const url = z
  .string()
  .regex(/^https?:\/\/[^\s/@]+(?:\/\S*)?$/, 'must be a URL such as https://management.usgovcloudapi.net, without a user or password');

/** For the editor schema, which does not see what a refinement asks. */
const needing = (...keys: string[]): { required: string[] } => ({ required: keys });
const filled = (key: string): object => ({ ...needing(key), properties: { [key]: { minItems: 1 } } });

/** AWS: accounts read one by one through an assumed role, or through an organisation's Config aggregator. */
const awsScopeSchema = closed({
  accounts: z.array(awsAccount).min(1).optional(),
  regions: z.array(region).min(1).optional(),
  /** Role assumed in each account; `{account}` is replaced. Absent: the default credential chain's own account. */
  role: role.optional(),
  externalId: z.string().optional(),
  profile: z.string().optional(),
  aggregator: closed({ name: z.string(), account: awsAccount, region, role: role.optional() }).optional(),
})
  .refine((scope) => (scope.accounts && scope.regions) !== undefined || scope.aggregator !== undefined, {
    message: 'needs either `accounts` with `regions`, or `aggregator`',
  })
  .meta({ anyOf: [needing('accounts', 'regions'), needing('aggregator')] });

const azureScopeSchema = closed({
  tenant: guid,
  subscriptions: z.array(guid).min(1).optional(),
  managementGroups: z.array(z.string()).min(1).optional(),
})
  .refine((scope) => scope.subscriptions !== undefined || scope.managementGroups !== undefined, {
    message: 'needs `subscriptions` or `managementGroups`',
  })
  .meta({ anyOf: [needing('subscriptions'), needing('managementGroups')] });

const gcpScopeSchema = closed({
  organization: gcpNumber.optional(),
  folders: z.array(gcpNumber).min(1).optional(),
  projects: z.array(z.string()).min(1).optional(),
  /** Project whose quota the calls count against. */
  quotaProject: z.string().optional(),
})
  .refine((scope) => [scope.organization, scope.folders, scope.projects].filter((x) => x !== undefined).length === 1, {
    message: 'needs exactly one of `organization`, `folders`, `projects`',
  })
  .meta({ oneOf: [needing('organization'), needing('folders'), needing('projects')] });

/** Where to reach the providers when not at their public addresses: sovereign clouds, private endpoints, the simulator. */
const endpointsSchema = closed({
  aws: closed({
    config: url.optional(),
    sts: url.optional(),
    kms: url.optional(),
    /** Regions that this version does not know yet, so that scopes may name them. */
    regions: z.array(region).min(1).optional(),
  }).optional(),
  azure: closed({
    /** `AzurePublic` (default), `AzureUSGovernment`, `AzureChina`. */
    cloud: z.enum(['AzurePublic', 'AzureUSGovernment', 'AzureChina']).optional(),
    resourceManager: url.optional(),
    authority: url.optional(),
  }).optional(),
  gcp: closed({
    /** host or host:port of the Cloud Asset API. */
    cloudAsset: z.string().optional(),
    /** Plain-text gRPC without credentials: accepted for loopback addresses only. */
    insecure: z.boolean().optional(),
  }).optional(),
});

/** Which resources hold critical data. A resource is critical when any selector matches. */
const criticalSchema = closed({
  /** Tag or label name → accepted values (compared without case); `"*"` accepts any value. */
  tags: z.record(z.string(), z.array(z.string()).min(1)).optional(),
  /** Globs over names. */
  names: z.array(z.string()).optional(),
  /** Globs over uids (ARN, Azure id, asset name). */
  ids: z.array(z.string()).optional(),
  /** Values of the same tags that positively say "not critical". */
  notCriticalTags: z.record(z.string(), z.array(z.string()).min(1)).optional(),
  /** What a resource counts as when no selector decides: the cautious default is critical. */
  unclassified: z.enum(['critical', 'not-critical', 'unknown']).default('critical'),
});

const signingSchema = closed({
  /** Directory of the local root and leaf, made on first use (private keys 0600). */
  keys: z.string().default('.exhibit/keys'),
  /** A key and certificate of your own instead: PEM files, the private key readable by its owner alone. */
  certificate: closed({
    key: z.string(),
    /** The signer's certificate first, then its issuers up to the root; in one file or several. */
    chain: z.array(z.string()).min(1),
    /** Name of the environment variable that holds the passphrase of an encrypted key. */
    passphraseFrom: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
      .optional(),
  }).optional(),
  /** RFC 3161 authority: its address, and a PEM file with the root certificate that its tokens must lead to. */
  timestamp: closed({ url, root: z.string() }).optional(),
  /** Root of the pack before this one: `sha256sum tagmanifest-sha256.txt`. Absent: the former version of the same engagement. */
  previousPack: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the former tagmanifest-sha256.txt, 64 lower-case hex digits')
    .optional(),
});

/** `exhibit.yaml`. Source of the editor schema; see docs/configuration.md. */
export const configSchema = closed({
  engagement: closed({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be made of letters, digits, dots, dashes and underscores (it names a directory)'),
    title: z.string().min(1, 'must not be empty'),
    entity: z.string().min(1, 'must not be empty'),
    period: closed({ from: date, to: date }),
    preparedFor: z.string().optional(),
    classification: z.string().optional(),
  }),
  catalogue: z.string().optional(),
  profile: closed({
    level: z.literal([1, 2]).default(2),
    /** Control ids or globs. */
    include: z.array(z.string()).optional(),
    exclude: z.array(z.string()).optional(),
  }).default({ level: 2 }),
  scopes: closed({
    aws: z.array(awsScopeSchema).optional(),
    azure: z.array(azureScopeSchema).optional(),
    gcp: z.array(gcpScopeSchema).optional(),
  })
    .refine((scopes) => [scopes.aws, scopes.azure, scopes.gcp].some((list) => (list?.length ?? 0) > 0), {
      message: 'needs at least one of `aws`, `azure`, `gcp`, with something in it',
    })
    .meta({ anyOf: [filled('aws'), filled('azure'), filled('gcp')] }),
  endpoints: endpointsSchema.default({}),
  critical: criticalSchema.default({ unclassified: 'critical' }),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))])).default({}),
  waivers: z.array(waiverSchema.omit({ expired: true, used: true }).extend({ approvedOn: date, expires: date }).strict()).default([]),
  answers: z.array(attestedAnswerSchema.extend({ date, validUntil: date.optional() }).strict()).default([]),
  signing: signingSchema.default({ keys: '.exhibit/keys' }),
  output: closed({
    directory: z.string().default('out'),
    /** What the results are written in besides the reports and CSV. */
    formats: z.array(z.enum(resultFormats)).default([...resultFormats]),
  }).default({ directory: 'out', formats: [...resultFormats] }),
});
export type ExhibitConfig = z.infer<typeof configSchema>;
export type AwsScopeConfig = z.infer<typeof awsScopeSchema>;
export type AzureScopeConfig = z.infer<typeof azureScopeSchema>;
export type GcpScopeConfig = z.infer<typeof gcpScopeSchema>;
export type EndpointsConfig = z.infer<typeof endpointsSchema>;
export type CriticalConfig = z.infer<typeof criticalSchema>;
export type SigningConfig = z.infer<typeof signingSchema>;
