import { createHash } from 'node:crypto';
import type { Citation, Readers, StoreAccess } from '../../../src/model/index.ts';
import { locationOf, SCOPES, uidOf } from './estate.ts';
import { HOSTILE } from './hostile-names.ts';

export function storesMade(hostile: boolean): StoreAccess[] {
  return Array.from({ length: 24 }, (_, index): StoreAccess => {
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
        location: locationOf(scope),
        scope,
        capturedAt: null,
      },
      readers: readers({
        world: aws ? 'key-boundary' : 'data-roles',
        principals: [
          {
            principal: aws ? `arn:aws:iam::${scope.account}:role/payments-app` : 'group:data-readers@northwind.example',
            kind: aws ? 'role' : 'group',
            via: aws ? 'key policy statement 1 (kms:Decrypt)' : 'role Storage Blob Data Reader',
            ...(aws ? {} : { inheritedFrom: 'resource group rg-data' }),
            conditional: index % 3 === 0,
            wide: false,
            citation: recordAt('AWS.KMS.Key', index),
            ...(index % 3 === 1 ? { through: [recordAt('AWS.IAM.Group', index), recordAt('AWS.IAM.User', index)] } : {}),
          },
          ...(index % 6 === 2
            ? [
                {
                  principal: aws ? '*' : 'allAuthenticatedUsers',
                  kind: 'everyone',
                  via: aws ? 'key policy statement 0' : 'role Storage Object Viewer',
                  conditional: false,
                  wide: true,
                  citation: recordAt('AWS.KMS.Key', 100 + index),
                },
              ]
            : []),
        ],
        unsettled:
          index % 4 === 1
            ? ['Members of the groups named are not part of the evidence.', 'Grants on the key are not recorded by AWS Config.']
            : [],
        complete: index % 4 !== 1,
      }),
    };
  });
}

function recordAt(query: string, at: number): Citation {
  return {
    file: `evidence/aws-config/111122223333.eu-west-1/${query}/page-000001.json`,
    pointer: `/Results/${at}`,
    encoding: 'json-string',
  };
}

function readers(rest: Omit<Readers, 'id'>): Readers {
  return { id: createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 32), ...rest };
}
