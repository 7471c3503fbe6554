import type { Citation, Reason, Resource, Subject } from '../../model/index.ts';
import { quoted } from '../../text/json.ts';
import type { Criticality } from './critical.ts';
import { subjectOf } from './observations.ts';
import type { Unit } from './population.ts';

/** A subject on its way through the checks: what is the same for all of them is made once. */
export interface JudgedSubject {
  readonly resource: Resource;
  readonly subject: Subject;
  readonly subjectJson: string;
  readonly citationJson: string;
  readonly unit: Unit;
  readonly criticality: Criticality;
  readonly stale: Reason | null;
}

export function citationJson(citation: Citation, role: string, uid: string): string {
  return `{"file":${quoted(citation.file)},"pointer":${quoted(citation.pointer)},"encoding":"${citation.encoding}","role":${quoted(role)},"uid":${quoted(uid)}}`;
}

export function judgedSubject(resource: Resource, unit: Unit, criticality: Criticality, stale: Reason | null): JudgedSubject {
  const subject = subjectOf(resource);
  return {
    resource,
    subject,
    subjectJson: JSON.stringify(subject),
    citationJson: citationJson(resource.citation, 'subject', resource.uid),
    unit,
    criticality,
    stale,
  };
}
