import { toldApart } from '../evidence/withheld.ts';
import { type EvidenceRecord, type EvidenceTeller, type Json, type ToldRecord } from '../model/index.ts';
import type { Collector } from './collector.ts';
import { collectors, pageReaders } from './registry.ts';

/** What pages of all collectors say of records and counts, for those who hold the ledger against them. */
export function evidenceTeller(from: readonly Collector[] = collectors): EvidenceTeller {
  const readers = pageReaders(from);
  const counts = new Map(from.flatMap((collector) => Object.entries(collector.counts ?? {})));
  return {
    records(page, query, file) {
      const read = Object.hasOwn(readers, query.shape) ? readers[query.shape] : undefined;
      return read === undefined ? null : told(read(page, query, file));
    },
    counts: (page, query, file) => counts.get(query.shape)?.told(page, query, file) ?? [],
    aliases: (query) => from.flatMap((collector) => (collector.id === query.collector ? (collector.countAliases?.(query) ?? []) : [])),
    asks: (query, scope, type, beside) => counts.get(query.shape)?.asks(query, scope, type, beside) ?? false,
  };
}

function* told(records: Iterable<EvidenceRecord>): Generator<ToldRecord> {
  for (const one of records) {
    const record = toldApart(one);
    if (record.record === 'verdict') {
      const { scope, rule, deployment, resourceType, uid, verdict } = record.verdict;
      const id = [deployment, resourceType, uid, verdict].join('\u0000');
      // Config keeps no compliance item of what does not apply.
      const counted = scope.provider !== 'aws' || verdict !== 'NOT_APPLICABLE';
      yield { scope, type: `verdict:${rule.toLowerCase()}`, id, uid, pointer: record.verdict.citation.pointer, counted };
      continue;
    }
    const { kind, type, scope, uid, document, citation } = record.resource;
    const place = placeOf(document['ancestors']);
    yield {
      scope,
      type: kind === 'resource' ? type : kind === 'iam-policy' ? `iam-policy:${type}` : 'org-policy',
      id: uid,
      uid,
      pointer: citation.pointer,
      counted: true,
      ...(scope.provider === 'gcp' && place !== null ? { place } : {}),
    };
  }
}

/** Google Cloud's own name of the scope: the nearest ancestor. */
function placeOf(ancestors: Json | undefined): string | null {
  const nearest = Array.isArray(ancestors) ? ancestors[0] : undefined;
  return typeof nearest === 'string' ? nearest : null;
}
