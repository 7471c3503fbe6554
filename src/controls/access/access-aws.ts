import { isJsonObject, type Resource } from '../../model/index.ts';
import { awsRegionOf, parseArn, valueAt } from '../lookups/references.ts';
import type { HomeGap } from '../lookups/table-index.ts';
import { toldAt } from '../lookups/told.ts';
import type { EvaluationEnvironment, IndexedRecord } from '../types.ts';
import { awsIdentities, awsIdentityTypes } from './access-aws-identities.ts';
import { admitted, type Allowed, allowedByIam } from './access-aws-readers.ts';
import { type AwsStore, awsStore, decrypt } from './access-aws-stores.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import { policyStatements, type Statement } from './policy-document.ts';

export const awsKeyReads = ['configuration.keyManager', 'configuration.arn', 'arn', 'supplementaryConfiguration.Policy'] as const;

export interface AwsAccess {
  add(resource: Resource): void;
  analyse(store: Resource): Analysis;
}

/** Who can read the stores of AWS: through the key where it is the customer's, else by the policies of store and identities. */
export function awsAccess(lookup: EvaluationEnvironment['lookup'], homeGap: HomeGap): AwsAccess {
  const identities = awsIdentities();
  const byKey = new Map<string, Analysis>();
  const byReference = new Map<string, Analysis | null>();

  function identitiesGap(account: string): string | null {
    for (const type of awsIdentityTypes) {
      const gap = homeGap('aws', { type, account, region: 'any' });
      if (gap !== null) return gap;
    }
    return null;
  }

  const keyUnsettled = [
    'grants on the key, which AWS Config does not record',
    'service control policies, session policies and conditions at the time of a request',
  ];

  function analyseKey(record: IndexedRecord, owner: string): Analysis {
    const arn = toldAt(record.document, 'configuration', 'arn') ?? record.uid;
    const known = byKey.get(arn);
    if (known) return known;
    const policy = policyStatements(valueAt(record.document, 'supplementaryConfiguration', 'Policy'), 'resource');
    const made: Analysis =
      policy === null
        ? { outcome: 'unknown', world: 'key-boundary', because: `the policy of key ${arn} is not in the evidence` }
        : judgeKey(policy, arn, owner, record);
    byKey.set(arn, made);
    return made;
  }

  function judgeKey(policy: readonly Statement[], arn: string, owner: string, record: IndexedRecord): Analysis {
    const direct = admitted(policy, decrypt, [arn], owner, 'key policy', record.citation);
    const iam: Allowed = direct.delegates
      ? allowedByIam(identities.candidates(owner, decrypt), decrypt, [arn])
      : { readers: [], unsettled: [], gap: null };
    const gap = direct.delegates ? (identitiesGap(owner) ?? iam.gap) : null;
    return {
      outcome: 'found',
      world: 'key-boundary',
      readers: orderReaders([...direct.readers, ...iam.readers]),
      unsettled: [...direct.unsettled, ...iam.unsettled, ...keyUnsettled],
      gap,
      records: [record],
    };
  }

  /** Keys do not decide: the store's own policy and the identities' policies do. */
  function analyseRoles(store: AwsStore, resource: Resource): Analysis {
    const resources = store.resources(resource);
    const unsettled: string[] = [];
    const readers: Reader[] = [];
    const policy = store.policy?.(resource.document);
    // AWS Config writes `{}` for a repository without a policy.
    const without = policy === undefined || policy === null || policy === '' || (isJsonObject(policy) && Object.keys(policy).length === 0);
    if (!without) {
      const statements = policyStatements(policy, 'resource');
      if (statements === null) return { outcome: 'unknown', world: 'data-roles', because: 'the policy of the store cannot be read' };
      const direct = admitted(statements, store.action, resources, resource.account, 'policy of the store', resource.citation);
      const blocked =
        valueAt(resource.document, 'supplementaryConfiguration', 'PublicAccessBlockConfiguration', 'restrictPublicBuckets') === true;
      readers.push(
        ...direct.readers.map((reader) =>
          blocked && reader.kind === 'everyone'
            ? { ...reader, principal: `every principal of account ${resource.account}`, kind: 'account', wide: false, conditional: true }
            : reader,
        ),
      );
      unsettled.push(...direct.unsettled);
    }
    const iam = allowedByIam(identities.candidates(resource.account, store.action), store.action, resources);
    unsettled.push(
      ...iam.unsettled,
      ...(store.unsettled ? [store.unsettled] : []),
      'service control policies, session policies and conditions at the time of a request',
    );
    return {
      outcome: 'found',
      world: 'data-roles',
      readers: orderReaders([...readers, ...iam.readers]),
      unsettled,
      gap: identitiesGap(resource.account) ?? iam.gap,
      records: [],
    };
  }

  /** What a named key makes of access; null where it is no boundary. */
  function analyseReference(reference: string, store: AwsStore, from: Resource): Analysis | null {
    const unknown = (because: string): Analysis => ({ outcome: 'unknown', world: 'key-boundary', because });
    const hit = lookup('aws.kms.key', reference, false, from);
    if (hit.outcome !== 'found') return unknown(hit.because);
    const [record] = hit.records;
    if (!record) return unknown(`key ${reference} is not in the evidence`);
    const manager = toldAt(record.document, 'configuration', 'keyManager');
    if (manager === 'AWS') return null;
    if (manager !== 'CUSTOMER') return unknown(`who manages key ${record.uid} is not in the evidence`);
    const owner = parseArn(toldAt(record.document, 'configuration', 'arn') ?? record.uid)?.account ?? from.account;
    const analysis = analyseKey(record, owner);
    return analysis.outcome === 'unknown' || !store.unsettled
      ? analysis
      : { ...analysis, unsettled: [...analysis.unsettled, store.unsettled] };
  }

  return {
    add: (resource) => {
      identities.add(resource);
    },
    analyse(resource) {
      const store = awsStore(resource.type);
      if (!store) return { outcome: 'unknown', world: 'key-boundary', because: `access to ${resource.type} is not analysed` };
      const named = store.key(resource.document);
      if ('unknown' in named) return { outcome: 'unknown', world: 'key-boundary', because: named.unknown };
      // The prefix is reserved for the keys that AWS manages, whether or not their records were collected.
      if ('none' in named || /(^|:)alias\/aws\//.test(named.key)) return analyseRoles(store, resource);
      // Thousands of stores stand under one key: it is looked up once for each account and region that names it.
      const memo = `${named.key}\u0000${resource.account}\u0000${awsRegionOf(resource)}\u0000${store.unsettled ?? ''}`;
      let made = byReference.get(memo);
      if (made === undefined) byReference.set(memo, (made = analyseReference(named.key, store, resource)));
      return made ?? analyseRoles(store, resource);
    },
  };
}
