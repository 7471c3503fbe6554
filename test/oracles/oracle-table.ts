/** How our controls relate to verdicts that others published on recorded or hand-made documents. */
export interface OracleTable {
  readonly cloud: 'aws' | 'azure' | 'gcp';
  /** Their control key → ours: `control`, or `control/check` where the control has several checks; several joined by ` + ` where theirs asks at once what ours asks apart. */
  readonly judgedBy: Readonly<Record<string, string>>;
  /** Their key on a type of its own check: `<key> <resource type>` goes before the plain key. */
  readonly judgedByType?: Readonly<Record<string, string>>;
  /** Parameters that make our control ask what theirs asked. */
  readonly parameters?: (row: OracleRow) => Record<string, unknown>;
  /** Every verdict in which we differ, by id, with the documented reason. */
  readonly differences: Readonly<
    Record<string, { readonly ours: 'pass' | 'fail' | 'unknown' | 'notapplicable'; readonly because: string }>
  >;
}

/** A line of the published verdicts, as far as it is used. */
export interface OracleRow {
  readonly id: string;
  readonly cloud: string;
  readonly resource_type: string;
  readonly control_topic: string;
  readonly control_key: string;
  readonly parameters: Record<string, unknown> | null;
  readonly expected: 'pass' | 'fail';
  readonly input: never;
  readonly context: readonly { readonly type: string; readonly document: never }[];
}
