/** Text from evidence or files is shown, never obeyed: a resource's name rewrites neither the report nor the terminal. */

/** Controls, bidi and zero-width marks, line separators, lone surrogates, tags: characters that change what a reader sees. */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/gu;

/** `[U+202E]`: an invisible or re-ordering character spelt out. */
export function codePoint(character: string): string {
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** One line of text with every control, bidi and zero-width character spelt out. */
export function visible(text: string): string {
  return text.replace(unsafe, codePoint);
}

/** As `visible`, for text of several lines: tabs and line feeds stand. */
export function visibleLines(text: string): string {
  return text.replace(unsafe, (character) => (character === '\n' || character === '\t' ? character : codePoint(character)));
}
