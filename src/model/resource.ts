import type { Citation } from './evidence.ts';
import type { JsonObject } from './json.ts';
import type { Provider, Scope } from './provider.ts';

/**
 * A record of evidence as conditions read it. `document` is the provider's own shape, with only the encoding undone
 * (nested JSON strings of AWS items parsed): `configuration.…`, `properties.…`, `resource.data.…`.
 */
export interface Resource {
  /** `policy` records carry an IAM or organisation policy attached to the resource named by `uid`. */
  readonly kind: 'resource' | 'iam-policy' | 'org-policy';
  readonly provider: Provider;
  /** `AWS::S3::Bucket`, `microsoft.storage/storageaccounts` (lower case), `storage.googleapis.com/Bucket`. */
  readonly type: string;
  /** ARN, lower-case Azure id, or Cloud Asset full resource name. */
  readonly uid: string;
  readonly name: string;
  /** As in Scope. */
  readonly account: string;
  /** The resource's own location, for people. */
  readonly location: string;
  /** The scope in whose ledger the record counts. */
  readonly scope: Scope;
  readonly tags: Readonly<Record<string, string>>;
  /** When the provider captured this state, RFC 3339; null where it does not say. */
  readonly capturedAt: string | null;
  readonly document: JsonObject;
  readonly citation: Citation;
}

/** What stands for the account and the region of a record that names neither, where nobody was asked for it. */
export const unstated = { account: '000000000000', region: 'unknown' } as const;

/** A native evaluation by the provider: an AWS Config rule result, an Azure Policy state. */
export interface ProviderVerdict {
  readonly provider: Provider;
  /** AWS managed rule identifier (`S3_BUCKET_…`) or Azure policy definition id (GUID). */
  readonly rule: string;
  /** Name of the deployed rule or assignment. */
  readonly deployment: string;
  /** `COMPLIANT`, `NonCompliant`, `INSUFFICIENT_DATA`, … exactly as the provider says it. */
  readonly verdict: string;
  readonly resourceType: string;
  readonly uid: string;
  readonly scope: Scope;
  readonly evaluatedAt: string | null;
  readonly citation: Citation;
}

export type EvidenceRecord =
  { readonly record: 'resource'; readonly resource: Resource } | { readonly record: 'verdict'; readonly verdict: ProviderVerdict };
