import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import type { SecretLintRuleContext, SecretLintSourceCode } from '@secretlint/types';
import { withoutHalfBlanks } from './leaves.ts';

/** A stretch of text that a rule takes for a secret. `end` is exclusive. */
export interface Detected {
  readonly start: number;
  readonly end: number;
  readonly rule: string;
}

/**
 * The rules of a maintained detector, every one but that which lets a comment in the text (`secretlint-disable --`, in a tag)
 * switch the others off. They are asked here, not by the detector's own engine, which looks up line and column of each finding:
 * a page full of what looks like secrets would take it hours.
 */
const scanners = rules.filter(({ meta }) => !meta.id.endsWith('-filter-comments'));

/** What the rules find in a text of one character per byte, in order, overlapping findings joined under the name of the first. */
export async function detect(text: string): Promise<Detected[]> {
  const found: Detected[] = [];
  // Neither named nor ended `.json`: then a rule parses every page, to see whether the whole of it is a Google service account's key.
  const source = { filePath: '/page', content: withoutHalfBlanks(text), ext: '', contentType: 'text' };
  for (const scanner of scanners) {
    const rule = scanner.meta.id.replace(/^.*secretlint-rule-/, 'secretlint-');
    const asked = scanner.create(
      {
        sharedOptions: {},
        createTranslator: () => () => ({ message: '', messageId: '', data: undefined }),
        report: ({ range: [start, end] }) => found.push({ start, end, rule }),
        ignore: () => undefined,
      } as SecretLintRuleContext,
      {},
    );
    await asked.file?.(source as SecretLintSourceCode);
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  const joined: Detected[] = [];
  for (const one of found) {
    const last = joined.at(-1);
    if (last === undefined || one.start >= last.end) joined.push(one);
    else if (one.end > last.end) joined[joined.length - 1] = { ...last, end: one.end };
  }
  return joined;
}
