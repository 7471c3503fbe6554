import type { Assessment, Citation } from '../model/index.ts';
import { packFormat } from './layout.ts';

/** What a pack says of itself, in bag-info.txt and in the attestation. Times are RFC 3339, UTC. */
export interface PackInfo {
  readonly runId: string;
  readonly asOf: string;
  readonly tool: { readonly name: string; readonly version: string };
  readonly engagement: {
    readonly id: string;
    readonly title: string;
    readonly entity: string;
    readonly period: { readonly from: string; readonly to: string };
  };
  readonly evidenceComplete: boolean;
  readonly evidenceDigest: string;
  readonly catalogue: { readonly name: string; readonly version: string; readonly sha256: string };
}

export function packInfoOf(assessment: Assessment): PackInfo {
  const { runId, asOf, tool, engagement, evidenceComplete, evidenceDigest, catalogue } = assessment;
  return {
    runId,
    asOf,
    tool,
    evidenceComplete,
    evidenceDigest,
    engagement: { id: engagement.id, title: engagement.title, entity: engagement.entity, period: engagement.period },
    catalogue: { name: catalogue.name, version: catalogue.version, sha256: catalogue.sha256 },
  };
}

/** What became of the timestamp that was asked for; written into the pack so that its absence shows. */
export type TimestampOutcome =
  | { readonly status: 'not-configured' }
  | { readonly status: 'granted'; readonly url: string }
  | { readonly status: 'failed'; readonly url: string; readonly reason: string };

export interface BagInfo {
  readonly info: PackInfo;
  readonly payload: { readonly bytes: number; readonly files: number };
  readonly signer: {
    readonly subject: string;
    readonly algorithm: string;
    readonly rootFingerprint: string;
    /** RFC 3339. */ readonly notAfter: string;
  };
  readonly timestamp: TimestampOutcome;
  /** SHA-256 of the previous pack's root manifest, so that a pack left out of a series shows. */
  readonly previousRoot: string | null;
  /** A citation of this pack to show the way with; null when nothing was observed. */
  readonly example: Citation | null;
}

export function timestampText(outcome: TimestampOutcome): string {
  if (outcome.status === 'not-configured')
    return 'none: no timestamp authority is configured, so the time of signing is the word of the signer';
  if (outcome.status === 'granted') return `granted by ${outcome.url}`;
  return `none: ${outcome.url} was asked and ${outcome.reason}; the time of signing is the word of the signer`;
}

/** `bag-info.txt` (RFC 8493, 2.2.2). Bagging-Date is the date the evidence speaks of, so that the file is reproducible. */
export function writeBagInfo(bag: BagInfo): string {
  const { info } = bag;
  const lines: [string, string][] = [
    ['Source-Organization', info.engagement.entity],
    ['External-Identifier', info.runId],
    ['External-Description', info.engagement.title],
    ['Bagging-Date', info.asOf.slice(0, 10)],
    ['Bag-Software-Agent', `${info.tool.name} ${info.tool.version}`],
    ['Payload-Oxum', `${String(bag.payload.bytes)}.${String(bag.payload.files)}`],
    ['Exhibit-Pack-Format', packFormat],
    ['Exhibit-Engagement', info.engagement.id],
    ['Exhibit-Period', `${info.engagement.period.from}/${info.engagement.period.to}`],
    ['Exhibit-As-Of', info.asOf],
    ['Exhibit-Evidence-Complete', info.evidenceComplete ? 'yes' : 'no: the gaps are listed in the report'],
    ['Exhibit-Evidence-Digest', info.evidenceDigest],
    ['Exhibit-Catalogue', `${info.catalogue.name} ${info.catalogue.version} sha256:${info.catalogue.sha256}`],
    ['Exhibit-Signer', bag.signer.subject],
    ['Exhibit-Signer-Algorithm', bag.signer.algorithm],
    ['Exhibit-Signer-Root', bag.signer.rootFingerprint],
    ['Exhibit-Timestamp', timestampText(bag.timestamp)],
    ['Exhibit-Previous-Pack', bag.previousRoot ?? 'none stated'],
  ];
  return lines.map(([label, value]) => `${label}: ${oneLine(value)}\n`).join('');
}

/** Labels and values of a bag-info text; null when a line is not `Label: value`. */
export function readBagInfo(text: string): Map<string, string> | null {
  const found = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const at = line.indexOf(': ');
    if (at <= 0) return null;
    const label = line.slice(0, at);
    if (found.has(label)) return null;
    found.set(label, line.slice(at + 2));
  }
  return text.endsWith('\n') ? found : null;
}

/** Free text on one line: control, line-separating and direction-changing characters would let a value forge others. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}
