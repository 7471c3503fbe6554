import type { Provider } from './provider.ts';

/** What the selected controls (and their lookups) require of a collection: the only thing collectors know of controls. */
export interface Needs {
  /** Resource types by provider. Azure types are lower case. */
  readonly types: Readonly<Record<Provider, readonly string[]>>;
  /** GCP: asset types whose IAM policy content is needed. */
  readonly iamPolicies: readonly string[];
  /** GCP: whether organisation policies are needed. */
  readonly orgPolicies: boolean;
  /** AWS managed rule identifiers whose results are read. */
  readonly awsConfigRules: readonly string[];
  /** Azure policy definition ids (GUIDs) whose states are read. */
  readonly azurePolicies: readonly string[];
}
