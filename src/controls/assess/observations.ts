import type { Observation, Resource, Subject } from '../../model/index.ts';
import { isGlobalAwsType } from './population.ts';
import { leavesJson } from '../language/seen-leaf.ts';
import type { CheckOutcome } from '../types.ts';
import { quoted } from '../../text/json.ts';
import { uuidV5 } from '../../text/uuid.ts';

export function observationId(control: string, check: string, subject: Pick<Subject, 'kind' | 'scope' | 'type' | 'uid'>): string {
  const { scope, kind, type } = subject;
  // Whichever region speaks for the account, an IAM record is the same subject.
  const region = kind === 'resource' && scope.provider === 'aws' && isGlobalAwsType(type) ? 'global' : scope.region;
  return uuidV5(`${control}\n${check}\n${kind}\n${scope.provider}\n${scope.account}\n${region}\n${type}\n${subject.uid}`);
}

export function subjectOf(resource: Resource): Subject {
  const { provider, type, uid, name, account, location, scope, capturedAt } = resource;
  return { kind: 'resource', provider, type, uid, name, account, location, scope, capturedAt };
}

/** A check as its lines name it. */
export interface CheckNames {
  readonly control: string;
  readonly check: string;
  /** See ObservationParts. */
  readonly head: string;
}

export function checkNames(control: string, check: string): CheckNames {
  return { control, check, head: `"control":${JSON.stringify(control)},"check":${JSON.stringify(check)}` };
}

/** Everything of an observation line but what is the same for all checks of one subject. */
export interface ObservationParts {
  readonly id: string;
  /** `{"control":…,"check":…}` without braces, made once per check. */
  readonly head: string;
  readonly subjectJson: string;
  readonly status: Observation['status'];
  readonly reason: string;
  readonly leaves: CheckOutcome['leaves'];
  readonly citationsJson: string;
  readonly method: Observation['method'];
  readonly waiver?: string | undefined;
}

/** A line of observations.ndjson, without its newline. Composed by hand: this is the hottest writing of a run. */
export function observationLine(parts: ObservationParts): string {
  const waiver = parts.waiver === undefined ? '' : `,"waiver":${JSON.stringify(parts.waiver)}`;
  return `{"id":"${parts.id}",${parts.head},"subject":${parts.subjectJson},"status":"${parts.status}","reason":${quoted(parts.reason)},"leaves":${leavesJson(parts.leaves)},"citations":${parts.citationsJson},"method":"${parts.method}"${waiver}}`;
}
