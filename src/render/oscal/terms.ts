import { statusTable, type Status } from '../../model/index.ts';
import { uuidV5 } from '../../text/uuid.ts';
import { visible, visibleLines } from '../../text/visible.ts';
import { inPieces } from '../pieces.ts';

/** What documents in OSCAL (NIST Open Security Controls Assessment Language) 1.2.1 are made of. */
export const oscalVersion = '1.2.1';
/** Of the properties that are ours. */
const namespace = 'urn:exhibit:oscal:v1';

export interface Property {
  readonly name: string;
  readonly ns: string;
  readonly value: string;
  readonly class?: string;
}

/** A property, or none where there is nothing to say: OSCAL knows no empty value, none at the edge of which is a blank, and none of two lines. */
export function property(name: string, value: string | number | boolean | null | undefined, group?: string): Property[] {
  const text = value === null || value === undefined ? '' : visible(String(value)).trim();
  return text === '' ? [] : [{ name, ns: namespace, value: text, ...(group === undefined ? {} : { class: group }) }];
}

/** A list under its name, or nothing where it is empty: OSCAL knows no empty list. */
export function listed<K extends string, T>(name: K, list: readonly T[]): Partial<Record<K, readonly T[]>> {
  return list.length === 0 ? {} : ({ [name]: list } as Record<K, readonly T[]>);
}

/** Ids of all that has none of its own: the same thing has the same in every document. */
export function idOf(kind: string, name: string): string {
  return uuidV5(`oscal\n${kind}\n${name}`);
}

const MARKS = /[\\`*[\]<>~^{}|&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;
const LEADING = /^(\s*)([#+=-]|\d+(?=[.)]))/gmu;

/** Text of the evidence where OSCAL takes Markdown: shown as it is, never obeyed. Of several lines. */
export function markup(text: string): string {
  return visibleLines(text)
    .replace(MARKS, (mark) => `\\${mark}`)
    .replace(LEADING, (_, blanks: string, mark: string) => (/\d/.test(mark) ? `${blanks}${mark}\\` : `${blanks}\\${mark}`));
}

/** As `markup`, in one line and never empty. */
export function markupLine(text: string): string {
  return markup(visible(text)) || '(no name)';
}

/** OSCAL knows two states. What is neither a pass nor proved to have no subject is not satisfied; the status itself is a property. */
export function stateOf(status: Status): { state: 'satisfied' | 'not-satisfied'; reason: 'pass' | 'fail' | 'other'; remarks: string } {
  const row = statusTable.find((one) => one.status === status);
  return {
    state: status === 'pass' || status === 'notapplicable' ? 'satisfied' : 'not-satisfied',
    reason: status === 'pass' || status === 'fail' ? status : 'other',
    remarks: row === undefined ? status : `${row.label}: ${row.meaning}`,
  };
}

/** The requirement of a control, as findings point at it. */
export function objectiveOf(control: string): string {
  return `${control}_obj`;
}

/** Beside the results, as reports are. */
export const catalogFile = 'oscal-catalog.json';

/** Members of a list, a line each; nothing where there are none. */
export function member(name: string, items: AsyncIterable<object> | Iterable<object>): AsyncGenerator<string> {
  async function* lines(): AsyncGenerator<string> {
    let first = true;
    for await (const item of items) {
      yield `${first ? `,\n"${name}":[` : ','}\n${JSON.stringify(item)}`;
      first = false;
    }
    if (!first) yield '\n]';
  }
  return inPieces(lines());
}
