import type { Access, Provider, Resource } from '../../model/index.ts';
import { awsAccess, awsKeyReads } from './access-aws.ts';
import { awsIdentityTypes } from './access-aws-identities.ts';
import { awsStore, isAwsStore } from './access-aws-stores.ts';
import { azureAccess, azureAccessReads } from './access-azure.ts';
import { isAzureStore } from './access-azure-stores.ts';
import { gcpAccess, gcpAccessReads } from './access-gcp.ts';
import { isGcpStore } from './access-gcp-stores.ts';
import { type Analysis, type Reader, readerJson, readerLine } from './access-principal.ts';
import type { HomeGap } from '../lookups/table-index.ts';
import { ledgerType } from '../lookups/table.ts';
import type { ConditionCheck, EvaluationEnvironment, IndexedRecord, ReadersResult } from '../types.ts';

/** Tables that "who can read a store of this type" looks into, with the paths read. Empty where such access is not analysed. */
export function accessReads(provider: Provider, type: string): Record<string, readonly string[]> {
  if (provider === 'aws') return isAwsStore(type) ? { 'aws.kms.key': awsKeyReads } : {};
  if (provider === 'azure') return isAzureStore(type) ? azureAccessReads : {};
  return isGcpStore(type) ? gcpAccessReads(type) : {};
}

/** Types that the question needs besides its tables. */
export function accessTypes(provider: Provider, type: string): readonly string[] {
  if (provider !== 'aws' || !isAwsStore(type)) return [];
  return [...awsIdentityTypes, ...(awsStore(type)?.besides ?? [])];
}

export interface AccessAnalysis {
  /** Ledger types whose records it is fed, besides those of its tables. */
  readonly types: ReadonlySet<string>;
  /** `stale`: why the record is too old to rely on; null where it is not. */
  add(resource: Resource, stale: string | null): void;
  /** As conditions see it. */
  readonly readers: (from: Resource) => ReadersResult;
  /** As a line of `access.ndjson`. `subjectJson` is the subject as JSON. */
  access(from: Resource, subjectJson: string): AccessLine;
}

export interface AccessLine {
  /** An `Access` as JSON. */
  readonly line: string;
  readonly world: Access['world'];
  readonly wide: boolean;
  readonly complete: boolean;
}

type Shared = Omit<AccessLine, 'line'> & { readonly readers: readonly Reader[]; readonly tail: string };

/** Who can read the critical stores, over one run's evidence. `checks` are those that ask. Feed it first, then ask. */
export function accessAnalysis(
  checks: readonly ConditionCheck[],
  lookup: EvaluationEnvironment['lookup'],
  homeGap: HomeGap,
): AccessAnalysis {
  const aws = awsAccess(lookup, homeGap);
  const azure = azureAccess(lookup);
  const gcp = gcpAccess(lookup);
  const types = new Set(
    checks.flatMap((check) => (check.usesReaders ? check.on.flatMap((type) => accessTypes(check.provider, type)) : [])),
  );
  const shares = new WeakMap<Analysis, Shared>();
  let last: { resource: Resource; analysis: Analysis } | null = null;

  function analyse(resource: Resource): Analysis {
    if (last?.resource === resource) return last.analysis;
    const analysis =
      resource.provider === 'aws' ? aws.analyse(resource) : resource.provider === 'azure' ? azure.analyse(resource) : gcp.analyse(resource);
    last = { resource, analysis };
    return analysis;
  }

  const asJson = new WeakMap<Analysis & { outcome: 'found' }, ReadersResult>();
  return {
    types,
    add(resource, stale) {
      if (types.has(ledgerType(resource))) aws.add(resource, stale);
    },
    readers(from) {
      const analysis = analyse(from);
      if (analysis.outcome === 'unknown') return { outcome: 'unknown', because: analysis.because };
      const known = asJson.get(analysis);
      if (known) return known;
      const { world, readers, unsettled, gap } = analysis;
      const made: ReadersResult = {
        outcome: 'found',
        world,
        principals: readers.map(readerJson),
        unsettled,
        complete: gap === null,
        ...(gap === null ? {} : { because: gap }),
        records: distinct(analysis.records),
      };
      asJson.set(analysis, made);
      return made;
    },
    access(from, subjectJson) {
      const analysis = analyse(from);
      let known = shares.get(analysis);
      if (!known) shares.set(analysis, (known = shareOf(analysis)));
      const { world, wide, complete, readers, tail } = known;
      let line = `{"subject":${subjectJson},"world":"${world}","principals":[`;
      for (let at = 0; at < readers.length; at += 1) line += (at === 0 ? '' : ',') + readerLine(readers[at] as Reader);
      return { world, wide, complete, line: line + tail };
    },
  };
}

/** The part of a line that stores under one key share, but for the readers: those are put in when it is written. */
function shareOf(analysis: Analysis): Shared {
  const { world } = analysis;
  const [readers, unsettled, complete] =
    analysis.outcome === 'unknown'
      ? [[], [analysis.because], false]
      : [analysis.readers, analysis.gap === null ? analysis.unsettled : [analysis.gap, ...analysis.unsettled], analysis.gap === null];
  return {
    world,
    complete,
    wide: readers.some((reader) => reader.wide),
    readers,
    tail: `],"unsettled":${JSON.stringify(unsettled)},"complete":${complete}}`,
  };
}

function distinct(records: readonly IndexedRecord[]): IndexedRecord[] {
  return [...new Map(records.map((record) => [record.uid, record])).values()];
}
