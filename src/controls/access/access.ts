import { hash } from 'node:crypto';
import type { Provider, Readers, Resource } from '../../model/index.ts';
import { awsAccess, awsKeyReads } from './access-aws.ts';
import { awsIdentityTypes } from './access-aws-identities.ts';
import { awsStore, isAwsStore } from './access-aws-stores.ts';
import { azureAccess, azureAccessReads } from './access-azure.ts';
import { isAzureStore } from './access-azure-stores.ts';
import { gcpAccess, gcpAccessReads } from './access-gcp.ts';
import { isGcpStore } from './access-gcp-stores.ts';
import { type Analysis, readerJson, readerLine } from './access-principal.ts';
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
  /** As `readers.ndjson` tells it. */
  access(from: Resource): ReadersLine;
}

export interface ReadersLine {
  readonly id: string;
  /** A `Readers` as JSON. */
  readonly line: string;
  readonly world: Readers['world'];
  readonly wide: boolean;
  readonly complete: boolean;
}

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
  const told = new WeakMap<Analysis, ReadersLine>();
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
    access(from) {
      const analysis = analyse(from);
      let known = told.get(analysis);
      if (!known) told.set(analysis, (known = readersLine(analysis)));
      return known;
    },
  };
}

/** A store of which it cannot be told who reads it. */
export function undecided(world: Readers['world'], because: string): ReadersLine {
  return readersLine({ outcome: 'unknown', world, because });
}

/** Stores that are read alike have the same line, whichever of them is asked for: its id is made of what it says. */
function readersLine(analysis: Analysis): ReadersLine {
  const { world } = analysis;
  const [readers, unsettled, complete] =
    analysis.outcome === 'unknown'
      ? [[], [analysis.because], false]
      : [analysis.readers, analysis.gap === null ? analysis.unsettled : [analysis.gap, ...analysis.unsettled], analysis.gap === null];
  const rest = `"world":"${world}","principals":[${readers.map(readerLine).join(',')}],"unsettled":${JSON.stringify(unsettled)},"complete":${complete}}`;
  const id = hash('sha256', `{${rest}`).slice(0, 32);
  return { id, line: `{"id":"${id}",${rest}`, world, complete, wide: readers.some((reader) => reader.wide) };
}

function distinct(records: readonly IndexedRecord[]): IndexedRecord[] {
  return [...new Map(records.map((record) => [record.uid, record])).values()];
}
