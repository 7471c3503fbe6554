import type { Citation } from '../model/index.ts';
import { visible } from '../text/visible.ts';

/**
 * Text as the report shows it. Pure, and free of the machine's locale and time zone: the same evidence must give the same bytes
 * everywhere, and nothing in a resource's name may change how the page around it reads.
 */

/** Longest text of a cell; beyond it the length is stated and the citation leads to the whole. */
export const CELL_LIMIT = 400;

/** What stands at the end of a text that was cut. */
export function cutMark(length: number): string {
  return `… (cut: ${grouped(length)} characters in all)`;
}

/** `text` cut to `limit` code units, never inside a surrogate pair, with a mark that says how much there was. */
export function clip(text: string, limit: number = CELL_LIMIT): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return `${text.slice(0, end)}${cutMark(text.length)}`;
}

/** A provider's text fit for a cell: cut, then made visible. */
export function cell(text: string, limit: number = CELL_LIMIT): string {
  return visible(clip(text, limit));
}

/** `12,345`. */
export function grouped(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const [whole = '0', fraction] = String(Math.abs(value)).split('.');
  const sign = value < 0 ? '-' : '';
  return sign + whole.replace(/\B(?=(\d{3})+$)/g, ',') + (fraction === undefined ? '' : `.${fraction}`);
}

/** `1 control`, `2 controls`. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** A share of one as `68.4 %`; never rounds up to 100 or down to 0. */
export function percent(share: number | null): string {
  if (share === null) return 'n/a';
  if (share >= 1) return '100 %';
  if (share <= 0) return '0 %';
  const tenths = Math.min(999, Math.max(1, Math.round(share * 1000)));
  return tenths % 10 === 0 ? `${tenths / 10} %` : `${Math.floor(tenths / 10)}.${tenths % 10} %`;
}

/** `1.2 MB`, powers of 1000. */
export function byteSize(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return unit === 0 ? `${grouped(bytes)} bytes` : `${(Math.round(value * 10) / 10).toString()} ${units[unit] ?? ''}`;
}

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** `30 September 2026` from `2026-09-30…`; the text itself when it is no date. */
export function longDate(text: string): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})/.exec(text);
  const month = MONTHS[Number(found?.[2]) - 1];
  if (!found || month === undefined) return visible(text);
  return `${Number(found[3])} ${month} ${found[1] ?? ''}`;
}

/** `2026-09-30 22:00:14 UTC` from an RFC 3339 instant, whatever its offset; the text itself when it is none. */
export function instant(text: string): string {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return cell(text, 60);
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) return cell(text, 60);
  const iso = new Date(milliseconds).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** A value in JSON as the report shows it; the empty string and absence stay apart. */
export function jsonText(value: unknown): string {
  if (value === undefined) return '(nothing there)';
  return JSON.stringify(value) ?? '(nothing there)';
}

/** `https:` and `mailto:` addresses only; anything else is shown as text, never linked. */
export function safeUrl(text: string): string | null {
  if (!/^(https:\/\/|mailto:)[\x21-\x7e]+$/.test(text)) return null;
  return URL.canParse(text) ? text : null;
}

/** A word for a POSIX shell, in single quotes. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** RFC 6901 pointer → jq path: `/Results/16` → `.Results[16]`. Null for what is no pointer. */
export function jqPath(pointer: string): string | null {
  if (pointer === '') return '.';
  if (!pointer.startsWith('/')) return null;
  let path = '';
  for (const token of pointer.slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^(0|[1-9]\d*)$/.test(name)) path += `[${name}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) path += `.${name}`;
    else path += `[${JSON.stringify(name)}]`;
  }
  return path.startsWith('[') ? `.${path}` : path;
}

/**
 * The command that reaches the raw record in the sealed pack. Null when the citation could not have been written by
 * Exhibit (a file name with other characters than its own): such text must not reach anybody's shell.
 */
export function citationCommand(citation: Citation): string | null {
  if (!/^[A-Za-z0-9._/-]+$/.test(citation.file) || citation.file.split('/').includes('..')) return null;
  const path = jqPath(citation.pointer);

  if (path === null || /[\u0000-\u001f\u007f]/.test(path)) return null;
  const filter = citation.encoding === 'json-string' ? `${path} | fromjson` : path;
  return `unzip -p pack.zip data/${citation.file} | jq -a ${shellQuote(filter)}`;
}

/** `evidence/…/page-000004.json#/Results/16`. */
export function citationText(citation: Citation): string {
  return visible(`${citation.file}#${citation.pointer}`);
}

/** A run of prose: plain, `code` or **strong**. */
export interface ProseRun {
  text: string;
  code: boolean;
  strong: boolean;
}
/** A paragraph, a list, or a block of commands. */
export interface ProseBlock {
  kind: 'paragraph' | 'bullets' | 'steps' | 'commands';
  items: ProseRun[][];
}

function runs(text: string): ProseRun[] {
  return text
    .split('`')
    .flatMap((part, index): ProseRun[] => (index % 2 === 1 ? [{ text: visible(part), code: true, strong: false }] : emphasis(part)))
    .filter((run) => run.text !== '');
}

/** `**words**` as strong; marks without a partner stay as they are. */
function emphasis(text: string): ProseRun[] {
  return text.split(/(\*\*[^*]+\*\*)/).map((part) => {
    const strong = /^\*\*[^*]+\*\*$/.test(part);
    return { text: visible(strong ? part.slice(2, -2) : part), code: false, strong };
  });
}

const COMMAND = /^(\$ |#|aws |az |gcloud |gsutil |bq |kubectl |terraform |curl |jq |for |while |do\b|done\b|export |[A-Z_]+=)/;

/**
 * Catalogue prose → blocks. Paragraphs are separated by blank lines; lines starting `- ` are bullets, `1. ` steps;
 * an indented or fenced block, or a paragraph of shell commands, is shown as commands.
 */
export function prose(text: string): ProseBlock[] {
  const blocks: ProseBlock[] = [];
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  let paragraph: string[] = [];
  let fenced: string[] | null = null;
  const commands = (block: string[]): ProseBlock => ({
    kind: 'commands',
    items: block.map((line) => [{ text: visible(line.replaceAll('\t', '  ')), code: true, strong: false }]),
  });
  const flush = (): void => {
    const block = paragraph;
    paragraph = [];
    const first = block[0];
    if (first === undefined) return;
    if (block.every((line) => /^\s{4}/.test(line))) blocks.push(commands(block.map((line) => line.slice(4))));
    else if (COMMAND.test(first) && !first.includes('`')) blocks.push(commands(block));
    else if (/^\s*[-*] /.test(first)) blocks.push({ kind: 'bullets', items: listItems(block, /^\s*[-*] /) });
    else if (/^\s*\d+[.)] /.test(first)) blocks.push({ kind: 'steps', items: listItems(block, /^\s*\d+[.)] /) });
    else {
      const at = block.findIndex((line) => /^\s*([-*]|\d+[.)]) /.test(line));
      const head = at === -1 ? block : block.slice(0, at);
      blocks.push({ kind: 'paragraph', items: [runs(head.map((line) => line.trim()).join(' '))] });
      if (at !== -1) {
        paragraph = block.slice(at);
        flush();
      }
    }
  };
  for (const line of lines) {
    if (/^\s*```/.test(line)) {
      if (fenced === null) {
        flush();
        fenced = [];
      } else {
        blocks.push(commands(fenced));
        fenced = null;
      }
    } else if (fenced !== null) fenced.push(line);
    else if (line.trim() === '') flush();
    else paragraph.push(line);
  }
  if (fenced !== null) blocks.push(commands(fenced));
  flush();
  return blocks.filter((block) => block.items.length > 0);
}

/** Text that is commands as a whole; a fence around it is dropped. */
export function commands(text: string): ProseBlock[] {
  const lines = text
    .replaceAll('\r\n', '\n')
    .replace(/^\s*\n|\s+$/g, '')
    .split('\n')
    .filter((line) => !/^\s*```/.test(line));
  if (lines.every((line) => line.trim() === '')) return [];
  return [{ kind: 'commands', items: lines.map((line) => [{ text: visible(line.replaceAll('\t', '  ')), code: true, strong: false }]) }];
}

function listItems(lines: string[], mark: RegExp): ProseRun[][] {
  const items: string[] = [];
  for (const line of lines) {
    if (mark.test(line) || items.length === 0) items.push(line.replace(mark, '').trim());
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return items.map(runs);
}
