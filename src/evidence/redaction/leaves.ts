/** The way to a string value: keys, and positions in lists, from the outside in. Only valid during the visit. */
export type Way = readonly Level[];

const QUOTE = 34;
const BACKSLASH = 92;

/** Offset of the closing quote of the string whose content starts at `from`; -1 when it never closes. */
function closingQuote(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

/** Undoes the escapes of a JSON string's content. Content that does not parse is taken as it stands. */
export function unescapeContent(content: string): string {
  if (!content.includes('\\')) return content;
  try {
    return JSON.parse(`"${content}"`) as string;
  } catch {
    return content;
  }
}

/** A text that does not keep the page in memory that it was cut out of. */
export function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** The same text, its half letters no blanks: read one character per byte, `à` is two, of which the second would end a secret before its time. */
export function withoutHalfBlanks(text: string): string {
  return text.replaceAll('\u00a0', '\u00a1');
}

interface Level {
  readonly array: boolean;
  step: string | number;
}

export function pathOf(way: Way): (string | number)[] {
  return way.map((level) => level.step);
}

/**
 * Every string value of a JSON text in order, and every key before its value where `visitKey` is given; `start` and `end` are the offsets
 * of the content, without the quotes. The way to a key ends in the key; a step that the visit changes stays changed below it. Works on damaged text as far as it goes, and keeps its own stack: nesting depth is the sender's choice.
 */
export function eachString(
  text: string,
  visit: (way: Way, start: number, end: number) => void,
  visitKey?: (way: Way, start: number, end: number) => void,
): void {
  const levels: Level[] = [];
  let level: Level | undefined;
  let expectKey = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = closingQuote(text, at + 1);
      if (end === -1) return;
      if (expectKey && level) {
        level.step = unescapeContent(text.slice(at + 1, end));
        expectKey = false;
        visitKey?.(levels, at + 1, end);
      } else visit(levels, at + 1, end);
      at = end;
    } else if (code === 44 && level) {
      if (level.array) level.step = (level.step as number) + 1;
      else expectKey = true;
    } else if (code === 123) {
      level = { array: false, step: '' };
      levels.push(level);
      expectKey = true;
    } else if (code === 91) {
      level = { array: true, step: 0 };
      levels.push(level);
      expectKey = false;
    } else if (code === 125 || code === 93) {
      levels.pop();
      level = levels[levels.length - 1];
      expectKey = false;
    }
  }
}

/**
 * For each offset of the decoded content the offset of its escape in the raw content: how a finding inside a JSON string
 * that itself holds JSON is traced back to the bytes of the page. One entry more than there are characters.
 */
export function escapeOffsets(raw: string): Uint32Array {
  const offsets = new Uint32Array(raw.length + 1);
  let decoded = 0;
  for (let at = 0; at < raw.length; decoded += 1) {
    offsets[decoded] = at;
    if (raw.charCodeAt(at) !== BACKSLASH) at += 1;
    else at += raw[at + 1] === 'u' ? 6 : 2;
  }
  offsets[decoded] = raw.length;
  return offsets.subarray(0, decoded + 1);
}
