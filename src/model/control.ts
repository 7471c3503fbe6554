import type { Provider } from './provider.ts';

/** Prose for people, in the order a CIS-style page shows it. Paragraphs separated by blank lines; `code` in backticks. */
export interface ControlProse {
  description: string;
  rationale: string;
  impact: { pros: string; cons: string };
  defaultValue: string;
  prerequisites: string;
  audit: { console: string; cli: string };
  remediation: { console: string; cli: string };
  backOut: string;
  references: string[];
}

/** Ids in other frameworks: `{ cis: ['AWS Foundations 7.0.0 2.1.1'], nist80053: ['SC-28(1)'], iso27001: ['A.8.24'] }`. */
export type Mappings = Record<string, string[]>;

/** How a check is shown and replayed; the compiled form lives in src/controls. */
export interface CheckSummary {
  id: string;
  kind: 'condition' | 'verdict' | 'manual';
  /** Resource type, rule id or question. */
  on: string;
  title: string;
}

/** A control as it appears in results: everything but the compiled condition. */
export interface Control {
  id: string;
  title: string;
  provider: Provider;
  /** Section of the catalogue: `AWS / Storage`. */
  section: string;
  level: 1 | 2;
  assessment: 'automated' | 'manual';
  profileApplicability: string[];
  prose: ControlProse;
  mappings: Mappings;
  checks: CheckSummary[];
  /** `controls/aws/s3.yaml:12` for the reader who wants the source. */
  source: string;
}
