import type { Evaluation } from './scope.ts';
import type { Tri } from './values.ts';

/** `authored`: the control's own sentence, which no generated one may replace. */
export interface Why {
  readonly text: string;
  readonly authored: boolean;
  /** The reason is that a record does not exist: the author's sentence about its contents would mislead. */
  readonly absent?: boolean;
}

export interface Condition {
  readonly evaluate: (evaluation: Evaluation) => Tri;
  /** Why it came out so. Called quietly, only when a sentence is needed; it evaluates again what it needs. */
  readonly why: (evaluation: Evaluation, value: Tri) => Why;
}

/**
 * Which way a condition leads: `up`: its being true leads towards a pass or not applicable; `down`: its being false does;
 * `both`: either may. Something certainly absent may decide a condition silently only away from a pass.
 */
export type Polarity = 'up' | 'down' | 'both';

export function flip(polarity: Polarity): Polarity {
  return polarity === 'up' ? 'down' : polarity === 'down' ? 'up' : 'both';
}

export const combinators = ['all', 'any', 'not', 'some', 'every', 'none', 'count', 'meets'] as const;

export const nothing: Why = { text: 'the evidence decides it', authored: false };
