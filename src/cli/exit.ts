/** Exit statuses of every verb. Documented in the README. */
export const exitStatus = {
  /** Done, and all the evidence that was needed is complete. */
  done: 0,
  /** Done, and a control has the status that `--fail-on` names. */
  failOn: 1,
  /** Bad usage, configuration, catalogue or input. */
  usage: 2,
  /** Done, with gaps in the evidence. */
  gaps: 3,
  /** Verification failed. */
  verification: 4,
  /** A defect in Exhibit itself. */
  internal: 5,
  /** Stopped by Ctrl-C; what was collected is kept. */
  interrupted: 130,
} as const;
export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus];

/** A mistake the user can mend. `problems` are shown one a line; `remedy` says what to do next. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly remedy: string | undefined;
  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}
