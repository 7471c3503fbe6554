import type { Assessment, Scope, ScopeCoverage, Shortfall } from '../../../src/model/index.ts';
import { directoryOf, placeOf, SCOPES, SERVICES } from './estate.ts';
import { hex } from './repeatable.ts';

export function scopesCovered(whole: boolean): ScopeCoverage[] {
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

export function queriesMade(whole: boolean): Assessment['queries'] {
  return SCOPES.flatMap((scope) =>
    SERVICES.filter((service) => service.provider === scope.provider).map((service, index) => {
      const denied = !whole && scope.account === '444455556666' && index === 2;
      const directory = directoryOf(scope, service.collector, service.type);
      return {
        directory,
        provider: scope.provider,
        collector: service.collector,
        scope: placeOf(scope),
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

/** A type that only lookups need, in every account; one that is judged; one that nobody needs. */
export function shortfallsOf(scopes: readonly Scope[]): Shortfall[] {
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
