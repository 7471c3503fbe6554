import { cell } from './text.ts';
import { REQUEST } from './view-control.ts';

export interface Cause {
  number: string;
  text: string;
}

/**
 * Causes that several lines of a listing have in common are numbered and said once, before it; what one line alone has stands with it.
 * Causes that differ in the id of a refused request alone are one: each request's own id is in query.json or ledger.json.
 */
export function sharedCauses(lines: readonly (readonly string[])[]): { causes: Cause[]; of: (line: number) => string[] } {
  const found = new Map<string, { lines: Set<number>; texts: Set<string>; number: number }>();
  lines.forEach((messages, line) => {
    for (const message of messages) {
      const key = withoutRequest(message);
      const known = found.get(key) ?? { lines: new Set(), texts: new Set(), number: 0 };
      found.set(key, known);
      known.lines.add(line);
      known.texts.add(message);
    }
  });
  const shared = [...found].filter(([, { lines: users }]) => users.size > 1);
  shared.forEach(([, cause], index) => (cause.number = index + 1));
  return {
    causes: shared.map(([key, { number, texts }]) => ({
      number: String(number),
      text: cell(texts.size > 1 ? key : ([...texts][0] ?? key), LENGTH),
    })),
    of: (line) => {
      const numbers = new Set<number>();
      const own = new Set<string>();
      for (const message of lines[line] ?? []) {
        const number = found.get(withoutRequest(message))?.number ?? 0;
        if (number === 0) own.add(cell(message, LENGTH));
        else numbers.add(number);
      }
      const sorted = [...numbers].sort((a, b) => a - b).join(', ');
      return [...own, ...(numbers.size === 0 ? [] : [`${numbers.size === 1 ? 'Cause' : 'Causes'} ${sorted}, as numbered above.`])];
    },
  };
}

const LENGTH = 1200;

/** A message as it reads for each of several requests. */
export function withoutRequest(message: string): string {
  return message.replaceAll(REQUEST, 'request (its id is in the evidence)');
}
