import { hash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { z } from 'zod';
import type { Status } from '../../model/index.ts';
import type { ProblemList } from './codes.ts';
import { lines } from './contents.ts';
import type { Sink } from './contents.ts';

export const htmlPath = 'data/report.html';

const lineLimit = 256 * 1024 * 1024;
const blockLimit = 1024 * 1024 * 1024;
const blockBegin = '<script type="text/plain" class="x-index">';
const headerBegin = '<script type="application/json" id="x-header">';
const scriptEnd = '</script>';

const blockSchema = z.object({ control: z.array(z.number()), status: z.array(z.number()), uid: z.array(z.string()) });
const headerSchema = z.object({
  rows: z.number(),
  statuses: z.array(z.tuple([z.string(), z.string()])),
  controls: z.array(z.tuple([z.string(), z.string()])),
});

/** Rows of a control and status: how many, and a sum over the digests of those names that stand as they are. */
interface Rows {
  count: number;
  sum: bigint;
}

function add(table: Map<string, Rows>, key: string, uid: string): void {
  const rows = table.get(key) ?? { count: 0, sum: 0n };
  table.set(key, rows);
  rows.count += 1;
  // Other names are cut, or have characters spelt out, in the report.
  if (/^[\x20-\x7e]{1,400}$/.test(uid) && !uid.includes('[U+'))
    rows.sum = BigInt.asUintN(64, rows.sum + BigInt(`0x${hash('sha256', uid).slice(0, 16)}`));
}

export interface ExplorerCheck {
  /** An observation of the results. */
  observation(control: string, status: Status, uid: string): void;
  /** Watches the HTML report pass by. */
  observe(): Sink;
  finish(problems: ProblemList): void;
}

/** Whether the rows that the HTML report is searched by are the observations: as many by control and status, of the same names. */
export function explorerCheck(): ExplorerCheck {
  const seen = new Map<string, Rows>();
  /** By the numbers that the report has for controls and statuses: what they stand for comes behind the rows. */
  const numbered = new Map<string, Rows>();
  let header: z.infer<typeof headerSchema> | null = null;
  let passed = false;
  let wrong: string | null = null;

  function line(text: string | null): void {
    if (text === null) {
      wrong = 'a line of it is too long';
      return;
    }
    try {
      if (text.startsWith(blockBegin) && text.endsWith(scriptEnd)) {
        const packed = Buffer.from(text.slice(blockBegin.length, -scriptEnd.length), 'base64');
        const block = blockSchema.parse(JSON.parse(inflateSync(packed, { maxOutputLength: blockLimit }).toString('utf8')));
        for (const [at, uid] of block.uid.entries()) add(numbered, `${String(block.control[at])} ${String(block.status[at])}`, uid);
      } else if (text.startsWith(headerBegin) && text.endsWith(scriptEnd) && header === null) {
        header = headerSchema.parse(JSON.parse(text.slice(headerBegin.length, -scriptEnd.length)));
      } else if (/(?:class|id)=["']?x-(?:index|header)\b/.test(text)) wrong = 'its rows lie where no report has them';
    } catch {
      wrong = 'its rows cannot be read';
    }
  }

  return {
    observation(control, status, uid) {
      add(seen, `${control}\n${status}`, uid);
    },
    observe() {
      passed = true;
      return lines(lineLimit, line);
    },
    finish(problems) {
      if (!passed) return; // told as a file that is missing
      if (header === null) wrong ??= 'it has no rows to look through';
      else wrong ??= difference(seen, numbered, header);
      if (wrong !== null) problems.add('report-stale', wrong, htmlPath);
    },
  };
}

function difference(
  seen: ReadonlyMap<string, Rows>,
  numbered: ReadonlyMap<string, Rows>,
  header: z.infer<typeof headerSchema>,
): string | null {
  const { controls, statuses, rows } = header;
  const shown = new Map<string, Rows>();
  let total = 0;
  for (const [numbers, found] of numbered) {
    const [control, status] = numbers.split(' ').map(Number) as [number, number];
    const key = `${controls[control]?.[0] ?? ''}\n${statuses[status]?.[0] ?? ''}`;
    if (shown.has(key)) return 'it has two numbers for one control or status';
    shown.set(key, found);
    total += found.count;
  }
  if (total !== rows) return `it says that it has ${String(rows)} rows, and has ${String(total)}`;
  for (const key of new Set([...shown.keys(), ...seen.keys()])) {
    const [own, due] = [shown.get(key), seen.get(key)];
    if (own?.count !== due?.count)
      return `it shows ${String(own?.count ?? 0)} observations of ${key.replace('\n', ' that are ')}, the results hold ${String(due?.count ?? 0)}`;
    if (own?.sum !== due?.sum) return `it shows other resources under ${key.replace('\n', ' as ')} than the results hold`;
  }
  return null;
}
