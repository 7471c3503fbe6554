import type { Leaf, Observation, Provider, Scope, Status } from '../../../src/model/index.ts';
import type { MadeUpControl } from './controls.ts';
import { directoryOf, locationOf, uidOf } from './estate.ts';
import { uuid } from './repeatable.ts';

/** A resource that a control judges. Its number among all of them decides what is not told here. */
export interface JudgedResource {
  readonly serial: number;
  readonly scope: Scope;
  readonly name: string;
  readonly status: Status;
}

export function ofResource({ definition, type, collector }: MadeUpControl, { serial, scope, name, status }: JudgedResource): Observation {
  const uid = uidOf(definition.provider, type, scope, name);
  const page = `${directoryOf(scope, collector, type)}/page-${String(1 + Math.floor(serial / 100)).padStart(6, '0')}.json`;
  return {
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
      location: locationOf(scope),
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
    ...(status === 'fail' && serial % 13 === 0 ? { waiver: 'EX-2026-014' } : {}),
  };
}

export function ofQuestion({ definition }: MadeUpControl, scope: Scope, status: Status): Observation {
  return {
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
  };
}

/** What stands for all that was not collected of a scope. */
export function ofGap({ definition, type }: MadeUpControl, scope: Scope): Observation {
  return {
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
  };
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
