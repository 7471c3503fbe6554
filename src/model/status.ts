/**
 * Result of a check, after XCCDF. The one ordered table: `rank` decides every roll-up (lower wins),
 * so a status that is not listed here cannot be produced, and nothing unlisted can become a pass.
 */
export const statusTable = [
  { status: 'fail', rank: 0, label: 'Fail', meaning: 'The collected evidence shows the requirement is not met.' },
  { status: 'error', rank: 1, label: 'Error', meaning: 'The check itself could not be carried out on this evidence.' },
  { status: 'unknown', rank: 2, label: 'Unknown', meaning: 'The evidence is missing, denied, partial, stale or unresolvable.' },
  { status: 'notchecked', rank: 3, label: 'Not checked', meaning: "A person's answer is needed and has not been given." },
  { status: 'pass', rank: 4, label: 'Pass', meaning: 'The collected evidence positively shows the requirement is met.' },
  { status: 'notapplicable', rank: 5, label: 'Not applicable', meaning: 'The complete evidence shows nothing the requirement applies to.' },
] as const;

export type Status = (typeof statusTable)[number]['status'];

export const statuses = statusTable.map((row) => row.status) as readonly Status[];

const rankOf = new Map<Status, number>(statusTable.map((row) => [row.status, row.rank]));

/** The status that decides a group: the lowest rank present. An empty group has no status of its own: undefined. */
export function rollUp(group: Iterable<Status>): Status | undefined {
  let decided: Status | undefined;
  for (const status of group) {
    const rank = rankOf.get(status);
    if (rank === undefined) throw new Error(`not a status: ${String(status)}`);
    if (decided === undefined || rank < (rankOf.get(decided) ?? Infinity)) decided = status;
  }
  return decided;
}

/** A count per status, every status present. */
export type StatusCounts = Record<Status, number>;

export function emptyCounts(): StatusCounts {
  return { fail: 0, error: 0, unknown: 0, notchecked: 0, pass: 0, notapplicable: 0 };
}
