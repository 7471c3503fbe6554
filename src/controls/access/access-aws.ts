import { isJsonObject, type Resource, unstated } from '../../model/index.ts';
import { awsRegionOf, parseArn, valueAt } from '../lookups/references.ts';
import type { HomeGap } from '../lookups/table-index.ts';
import { toldAt } from '../lookups/told.ts';
import type { EvaluationEnvironment, IndexedRecord } from '../types.ts';
import { awsIdentities, awsIdentityTypes } from './access-aws-identities.ts';
import { type Admitted, admitted, type Allowed, allowedByIam } from './access-aws-readers.ts';
import { grantedBy } from './access-aws-acl.ts';
import { sharedWith } from './access-aws-shared.ts';
import { accountBlock, type AwsStore, awsStore, decrypt } from './access-aws-stores.ts';
import { type Analysis, orderReaders, type Reader } from './access-principal.ts';
import { coversAction, coversResource, policyStatements, type Statement } from './policy-document.ts';

export const awsKeyReads = ['configuration.keyManager', 'configuration.arn', 'arn', 'supplementaryConfiguration.Policy'] as const;

const blockParts = ['restrictPublicBuckets', 'ignorePublicAcls'] as const;
type BlockPart = (typeof blockParts)[number];

export interface AwsAccess {
  /** `stale`: why the record is too old to rely on; null where it is not. */
  add(resource: Resource, stale: string | null): void;
  analyse(store: Resource): Analysis;
}

/** Who can read the stores of AWS: through the key where it is the customer's, else by the policies of store and identities. */
export function awsAccess(lookup: EvaluationEnvironment['lookup'], homeGap: HomeGap): AwsAccess {
  const identities = awsIdentities();
  const byKey = new Map<string, Analysis>();
  /** Parts of the block of public access over an account that every record of it says are on. */
  const blocks = new Map<string, ReadonlySet<string>>();
  const byReference = new Map<string, Analysis | null>();

  /** Accounts of which identities are too old to rely on, and why. */
  const aged = new Map<string, string>();

  function identitiesGap(account: string): string | null {
    const old = aged.get(account);
    if (old !== undefined) return old;
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

  /** Whether public policies or grants of a store are without effect, for certain: by its own block, or by that over its account. */
  function blocksPublic(part: BlockPart, store: AwsStore, { document, account }: Resource): boolean {
    if (store.besides?.includes(accountBlock) !== true) return false;
    if (valueAt(document, 'supplementaryConfiguration', 'PublicAccessBlockConfiguration', part) === true) return true;
    return blocks.get(account)?.has(part) === true && homeGap('aws', { type: accountBlock, account, region: 'any' }) === null;
  }

  /** Identities of an account whose policies allow one of the actions. */
  function iamOf(account: string, actions: readonly string[], resources: readonly string[]): Allowed {
    const allowed = allowedByIam(
      actions.map((action) => [action, identities.candidates(account, action)]),
      resources,
    );
    return { ...allowed, gap: identitiesGap(account) ?? allowed.gap };
  }

  function analyseKey(record: IndexedRecord, owner: string, home: string): Analysis {
    const arn = toldAt(record.document, 'configuration', 'arn') ?? record.uid;
    const memo = `${arn}\u0000${home}`;
    const known = byKey.get(memo);
    if (known) return known;
    const policy = policyStatements(valueAt(record.document, 'supplementaryConfiguration', 'Policy'), 'resource');
    const made: Analysis =
      policy === null
        ? { outcome: 'unknown', world: 'key-boundary', because: `the policy of key ${arn} is not in the evidence` }
        : judgeKey(policy, arn, owner, home, record);
    byKey.set(memo, made);
    return made;
  }

  function judgeKey(policy: readonly Statement[], arn: string, owner: string, home: string, record: IndexedRecord): Analysis {
    const resources = [arn];
    const direct = admitted(policy, { action: decrypt, resources, own: owner, home, what: 'key policy', citation: record.citation });
    const iam = [...direct.delegates].sort().map((account) => iamOf(account, [decrypt], resources));
    return {
      outcome: 'found',
      world: 'key-boundary',
      readers: orderReaders([...direct.readers, ...iam.flatMap(({ readers }) => readers)]),
      unsettled: distinct([...direct.unsettled, ...iam.flatMap(({ unsettled }) => unsettled), ...keyUnsettled]),
      gap: [direct, ...iam].map(({ gap }) => gap).find((gap) => gap !== null) ?? null,
      records: [record],
    };
  }

  /** Keys do not decide: the store's own policy, whom it is shared with, and the identities' policies do. */
  function analyseRoles(store: AwsStore, resource: Resource): Analysis {
    // A policy names the store by its ARN: without one nothing could be found to cover it.
    if (parseArn(resource.uid) === null)
      return { outcome: 'unknown', world: 'data-roles', because: 'the ARN of the store is not in the evidence' };
    const resources = store.resources(resource);
    const given = policyOf(store, resource);
    if (given.outcome === 'unreadable')
      return { outcome: 'unknown', world: 'data-roles', because: 'the policy of the store cannot be read' };
    const owner = toldAt(resource.document, 'configuration', 'owner', 'id');
    const own = resource.account;
    const ask = (action: string, on: readonly string[]): Admitted[] => {
      const question = { action, resources: on, own, home: own, owner, what: 'policy of the store', citation: resource.citation };
      return given.outcome === 'found' ? [admitted(given.statements, question)] : [];
    };
    const listing = store.listing?.resources(resource) ?? [];
    const direct = [
      ...store.actions.flatMap((action) => ask(action, resources)),
      ...(store.listing?.actions ?? []).flatMap((action) =>
        ask(action, listing).map((found) => ({ ...found, readers: found.readers.filter(({ wide }) => wide) })),
      ),
    ];
    const granted = store.acl ? grantedBy(resource, store.acl, blocksPublic('ignorePublicAcls', store, resource)) : null;
    const shared = store.shared ? sharedWith(resource, store.shared) : null;
    const iam = iamOf(resource.account, store.actions, resources);
    const blocked = blocksPublic('restrictPublicBuckets', store, resource);
    const bounded = direct.flatMap(({ readers }) => readers.map((reader) => withinBounds(reader, resource, blocked)));
    const gaps = [
      ...direct.map(({ gap }) => gap),
      given.outcome === 'missing' && given.gap ? given.because : null,
      given.outcome === 'found' && given.statements.some((statement) => isAboutOthers(statement, store, [...resources, ...listing]))
        ? 'the policy of the store allows reading of what is not the store, as far as its ARN tells'
        : null,
      bounded.some(({ kind }) => kind === withinVpc) ? 'who can reach the domain within its VPC is not in the evidence' : null,
      granted?.gap ?? null,
      shared?.gap ?? null,
      iam.gap,
    ];
    return {
      outcome: 'found',
      world: 'data-roles',
      readers: orderReaders([...bounded, ...(granted?.readers ?? []), ...(shared?.readers ?? []), ...iam.readers]),
      unsettled: distinct([
        ...direct.flatMap(({ unsettled }) => unsettled),
        ...(given.outcome === 'missing' && !given.gap ? [given.because] : []),
        ...iam.unsettled,
        ...(store.unsettled ? [store.unsettled] : []),
        'service control policies, session policies and conditions at the time of a request',
      ]),
      gap: gaps.find((gap) => gap !== null) ?? null,
      records: [],
    };
  }

  /** Under a key that the caller needs: the key decides for those whom the snapshot is shared with, too. */
  function withShares(analysis: Analysis, store: AwsStore, resource: Resource): Analysis {
    if (!store.shared || analysis.outcome === 'unknown') return analysis;
    const { readers, gap } = sharedWith(resource, store.shared);
    const named = readers.map(({ principal }) => (principal === '*' ? 'everyone' : `account ${principal}`));
    const unsettled = [
      ...(named.length > 0 ? [`the snapshot is shared with ${named.join(', ')}: only the key keeps them out`] : []),
      ...(gap === null ? [] : [gap]),
    ];
    return unsettled.length === 0 ? analysis : { ...analysis, unsettled: [...unsettled, ...analysis.unsettled] };
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
    const analysis = analyseKey(record, owner, from.account);
    return analysis.outcome === 'unknown' || !store.unsettled
      ? analysis
      : { ...analysis, unsettled: [...analysis.unsettled, store.unsettled] };
  }

  return {
    add(resource, stale) {
      if (resource.type !== accountBlock) {
        if (stale !== null) aged.set(resource.account, stale);
        identities.add(resource);
        return;
      }
      const known = blocks.get(resource.account);
      const on = blockParts.filter((part) => stale === null && valueAt(resource.document, 'configuration', part) === true);
      blocks.set(resource.account, new Set(on.filter((part) => known?.has(part) !== false)));
    },
    analyse(resource) {
      const found = analyseStore(resource);
      return resource.account === unstated.account ? withoutAccount(found) : found;
    },
  };

  function analyseStore(resource: Resource): Analysis {
    const store = awsStore(resource.type);
    if (!store) return { outcome: 'unknown', world: 'key-boundary', because: `access to ${resource.type} is not analysed` };
    const named = store.key(resource.document);
    if ('unknown' in named) return { outcome: 'unknown', world: 'key-boundary', because: named.unknown };
    // The prefix is reserved for the keys that AWS manages, whether or not their records were collected.
    if ('none' in named) return doubted(analyseRoles(store, resource), named.doubt);
    if (/(^|:)alias\/aws\//.test(named.key)) return analyseRoles(store, resource);
    // Thousands of stores stand under one key: it is looked up once for each account and region that names it.
    const memo = `${named.key}\u0000${resource.account}\u0000${awsRegionOf(resource)}\u0000${store.unsettled ?? ''}`;
    let made = byReference.get(memo);
    if (made === undefined) byReference.set(memo, (made = analyseReference(named.key, store, resource)));
    if (made === null) return analyseRoles(store, resource);
    return store.serviceDecrypts ? either(made, analyseRoles(store, resource)) : withShares(made, store, resource);
  }
}

/** Where a store does not say whose it is, any account may be its own: only who is wide to all of them is. */
function withoutAccount(analysis: Analysis): Analysis {
  if (analysis.outcome === 'unknown') return analysis;
  const foreign = ({ wide, kind }: Reader): boolean => wide && kind !== 'everyone' && kind !== 'organisation';
  if (!analysis.readers.some(foreign)) return analysis;
  const readers = analysis.readers.map((reader) => (foreign(reader) ? { ...reader, wide: false } : reader));
  return { ...analysis, readers: orderReaders(readers), gap: analysis.gap ?? 'the account of the store is not in the evidence' };
}

/** What a record that may not be whole shows: those it names, and perhaps others. */
function doubted(analysis: Analysis, doubt: string | undefined): Analysis {
  return doubt === undefined || analysis.outcome === 'unknown' ? analysis : { ...analysis, gap: analysis.gap ?? doubt };
}

/** The service decrypts for those whom the store admits, and whoever can use the key reads besides: both are readers. */
function either(key: Analysis, store: Analysis): Analysis {
  if (key.outcome === 'unknown' && store.outcome === 'unknown') return { ...store, because: key.because };
  const found = [key, store].filter((one) => one.outcome === 'found');
  const unknown = [key, store].filter((one) => one.outcome === 'unknown');
  return {
    outcome: 'found',
    world: 'data-roles',
    readers: orderReaders(found.flatMap(({ readers }) => readers)),
    unsettled: distinct(found.flatMap(({ unsettled }) => unsettled)),
    gap: [...unknown.map(({ because }) => because), ...found.map(({ gap }) => gap)].find((gap) => gap !== null) ?? null,
    records: found.flatMap(({ records }) => records),
  };
}

/** A service refuses a policy that names another resource: where one does, the ARN of the record cannot be right. */
function isAboutOthers(statement: Statement, store: AwsStore, resources: readonly string[]): boolean {
  return (
    statement.effect === 'Allow' &&
    store.actions.some((action) => coversAction(statement, action)) &&
    !coversResource(statement, resources, true)
  );
}

type StorePolicy =
  | { readonly outcome: 'found'; readonly statements: readonly Statement[] }
  | { readonly outcome: 'none' | 'unreadable' }
  | { readonly outcome: 'missing'; readonly gap: boolean; readonly because: string };

function policyOf(store: AwsStore, { document }: Resource): StorePolicy {
  if (!store.policy) return { outcome: 'none' };
  const { at, absent, nullable } = store.policy;
  const policy = valueAt(document, ...at);
  if (policy === undefined || (!nullable && (policy === null || policy === ''))) {
    if (absent === 'none') return { outcome: 'none' };
    // A field that is there and holds nothing was lost; one that is not there may have been left out.
    return { outcome: 'missing', gap: absent === 'gap' || policy === null, because: `${at.join('.')} is not in the evidence` };
  }
  // AWS Config writes `{}` for a repository or a file system without a policy.
  const empty = absent !== 'gap' && isJsonObject(policy) && Object.keys(policy).length === 0;
  if (policy === null || policy === '' || empty) return { outcome: 'none' };
  const statements = policyStatements(policy, 'resource');
  return statements === null ? { outcome: 'unreadable' } : { outcome: 'found', statements };
}

const withinVpc = 'everyone within the VPC';

/** Settings of a store that hold everyone back whom its policy admits. */
function withinBounds(reader: Reader, { document, account }: Resource, blocked: boolean): Reader {
  if (reader.kind !== 'everyone') return reader;
  // What a condition bounds (a range of addresses) S3 may not call public, and then the block does not touch it.
  if (blocked && !reader.conditional)
    return { ...reader, principal: `every principal of account ${account}`, kind: 'account', wide: false, conditional: true };
  const subnets = valueAt(document, 'configuration', 'VPCOptions', 'SubnetIds');
  const inVpc = Array.isArray(subnets) && subnets.some((subnet) => typeof subnet === 'string' && subnet !== '');
  return inVpc ? { ...reader, kind: withinVpc, wide: false, conditional: true } : reader;
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
