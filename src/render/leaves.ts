import { isJsonObject } from '../model/index.ts';
import type { Leaf } from '../model/index.ts';
import { visible } from '../text/visible.ts';
import { cell, clip, grouped, jsonText } from './text.ts';

/** What a condition asks for, after "expected": in words where JSON would be none. */
export function expectedText({ operator, expected }: Leaf): string {
  if (QUANTIFIERS.has(operator) && typeof expected === 'string') return `that ${visible(expected)}`;
  if (operator === 'present') return expected === true ? 'to be present' : 'to be absent';
  if (operator === 'isEmpty') return expected === true ? 'to be empty' : 'not to be empty';
  if (operator === 'lookup' && expected === 'found') return 'to be found';
  const words = operator.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return visible(`${words} ${clip(jsonText(expected), 160)}`);
}

/** What a condition saw: a list's entries as counts and the first that decided, a lookup as what was looked for. */
export function observedText({ operator, observed }: Leaf): string {
  if (observed === undefined) return '(nothing there)';
  if (isJsonObject(observed)) {
    const { count, matching, witnesses, incomplete, ...rest } = observed;
    if (QUANTIFIERS.has(operator) && typeof count === 'number' && typeof matching === 'number' && Object.keys(rest).length === 0) {
      const entries = Array.isArray(witnesses) ? witnesses.map(witnessText) : [];
      return cell(
        [
          `${grouped(matching)} of ${grouped(count)} ${count === 1 ? 'entry' : 'entries'} ${matching === 1 ? 'matches' : 'match'}`,
          ...(incomplete === undefined
            ? []
            : [`; the list is not whole: ${typeof incomplete === 'string' ? incomplete : jsonText(incomplete)}`]),
          ...(entries.length === 0 ? [] : [`; decided by ${entries.join(', ')}`]),
        ].join(''),
        LENGTH,
      );
    }
  }
  return cell(jsonText(observed), LENGTH);
}

function witnessText(witness: unknown): string {
  if (!isJsonObject(witness) || typeof witness['position'] !== 'number') return jsonText(witness);
  const { position, ...rest } = witness;
  const only = Object.keys(rest).length === 1 && 'entry' in rest ? rest['entry'] : rest;
  return `[${position}] ${jsonText(only)}`;
}

const QUANTIFIERS: ReadonlySet<string> = new Set(['some', 'every', 'none']);
const LENGTH = 300;
