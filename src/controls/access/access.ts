import type { Access, Provider, Resource } from '../../model/index.ts';
import { awsAccess, awsIdentityTypes, awsKeyReads, isAwsStore } from './access-aws.ts';
import { azureAccess, azureAccessReads, isAzureStore } from './access-azure.ts';
import { gcpAccess, gcpAccessReads, isGcpStore } from './access-gcp.ts';
import { type Analysis, readerJson } from './access-principal.ts';
import type { HomeGap } from '../lookups/table-index.ts';
import { ledgerType } from '../lookups/tables.ts';
import type { ConditionCheck, EvaluationEnvironment, IndexedRecord, ReadersResult } from '../types.ts';

/** Tables that "who can read a store of this type" looks into, with the paths read. Empty where such access is not analysed. */
export function accessReads(provider: Provider, type: string): Record<string, readonly string[]> {
  if (provider === 'aws') return isAwsStore(type) ? { 'aws.kms.key': awsKeyReads } : {};
  if (provider === 'azure') return isAzureStore(type) ? azureAccessReads : {};
  return isGcpStore(type) ? gcpAccessReads(type) : {};
}

/** Types that the question needs besides its tables. */
export function accessTypes(provider: Provider, type: string): readonly string[] {
  return provider === 'aws' && isAwsStore(type) ? awsIdentityTypes : [];
}

export interface AccessAnalysis {
  /** Ledger types whose records it is fed, besides those of its tables. */
  readonly types: ReadonlySet<string>;
  add(resource: Resource): void;
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
  const lines = new WeakMap<Analysis, Omit<AccessLine, 'line'> & { rest: string }>();
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
    add(resource) {
      if (types.has(ledgerType(resource))) aws.add(resource);
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
      let known = lines.get(analysis);
      if (!known) lines.set(analysis, (known = restOfLine(analysis)));
      const { rest, ...line } = known;
      return { ...line, line: `{"subject":${subjectJson},${rest}` };
    },
  };
}

/** All of a line but its subject: stores under one key share it. */
function restOfLine(analysis: Analysis): Omit<AccessLine, 'line'> & { rest: string } {
  const { world } = analysis;
  const found: Omit<Access, 'subject'> =
    analysis.outcome === 'unknown'
      ? { world, principals: [], unsettled: [analysis.because], complete: false }
      : {
          world,
          principals: analysis.readers.map((reader) => ({ ...reader, ...(reader.citation ? { citation: { ...reader.citation } } : {}) })),
          unsettled: analysis.gap === null ? [...analysis.unsettled] : [analysis.gap, ...analysis.unsettled],
          complete: analysis.gap === null,
        };
  return {
    world,
    complete: found.complete,
    wide: found.principals.some((principal) => principal.wide),
    rest: JSON.stringify(found).slice(1),
  };
}

function distinct(records: readonly IndexedRecord[]): IndexedRecord[] {
  return [...new Map(records.map((record) => [record.uid, record])).values()];
}
