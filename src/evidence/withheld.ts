import type { EvidenceRecord } from '../model/index.ts';
import { marker } from './redaction/rules.ts';

/** Whether some of the text was withheld. */
export function isWithheld(text: string): boolean {
  return text.includes(marker);
}

const place = / \(evidence\/[^ ]*\)$/;

/**
 * A resource whose name was withheld in part reads like any other with such a name: its place tells it apart, else two of them would
 * be one that contradicts itself, and the population would not add up for anybody.
 */
export function toldApart(record: EvidenceRecord): EvidenceRecord {
  if (record.record !== 'resource' || !isWithheld(record.resource.uid)) return record;
  const { uid, citation } = record.resource;
  return { record: 'resource', resource: { ...record.resource, uid: `${uid} (${citation.file}#${citation.pointer})` } };
}

/** The name as it is stored. */
export function asStored(uid: string): string {
  return isWithheld(uid) ? uid.replace(place, '') : uid;
}
