/**
 * Answers of a simulated cloud, kept as text and given again to the same question. For measurements: what it takes to make up
 * a cloud's records is not what is measured.
 */
export interface KeptAnswers {
  /** The answer to a question, made where it was not asked before. What throws is not kept. */
  of(question: string, make: () => string): string;
}

export function keptAnswers(): KeptAnswers {
  const kept = new Map<string, string>();
  return {
    of(question, make) {
      const known = kept.get(question);
      if (known !== undefined) return known;
      const made = make();
      kept.set(question, made);
      return made;
    },
  };
}

/** Keeps nothing. */
export const madeAnew: KeptAnswers = { of: (_, make) => make() };
