import { isJsonObject } from '../../model/index.ts';
import type { Json } from '../../model/index.ts';
import { isPrincipalId } from '../aws-principals.ts';
import { isRedacted, ListValue, REDACTED, Void } from './values.ts';
import type { Value } from './values.ts';

const dayMs = 86_400_000;
const datePattern = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,12})?)?)\s?(Z|z|[+-]\d{2}:?\d{2})?)?$/;

/** RFC 3339 (also without zone, read as UTC, or a date alone) → epoch milliseconds; null when it is not a date. */
export function parseDate(text: string): number | null {
  if (text.length > 40) return null;
  const parts = datePattern.exec(text);
  if (parts === null) return null;
  const [, year, month, day, time, zone] = parts as unknown as [string, string, string, string, string | undefined, string | undefined];
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const made = new Date(midnight);
  if (made.getUTCMonth() !== Number(month) - 1 || made.getUTCDate() !== Number(day)) return null;
  if (time === undefined) return midnight;
  const zoneText = zone === undefined || zone === 'z' ? 'Z' : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const at = Date.parse(`${year}-${month}-${day}T${time.length === 5 ? `${time}:00` : time.slice(0, 12)}${zoneText}`);
  return Number.isNaN(at) ? null : at;
}

const durationPattern =
  /^P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/**
 * ISO 8601 duration (`P90D`, `PT6H`; a year counts 365 days, a month 30), protobuf duration (`7776000s`) or Azure time span
 * (`90.00:00:00`) → milliseconds; null when it is none.
 */
export function parseDuration(text: string): number | null {
  if (text.length > 64) return null;
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text);
  if (seconds !== null) return Number(seconds[1]) * 1000;
  const span = /^(?:(\d+)\.)?(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?$/.exec(text);
  if (span !== null) return Number(span[1] ?? 0) * dayMs + Number(span[2]) * 3_600_000 + Number(span[3]) * 60_000 + Number(span[4]) * 1000;
  const parts = durationPattern.exec(text);
  if (parts === null || text === 'P' || text.endsWith('T')) return null;
  const [years, months, weeks, days, hours, minutes, secs] = parts.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return (years * 365 + months * 30 + weeks * 7 + days) * dayMs + hours * 3_600_000 + minutes * 60_000 + secs * 1000;
}

const numberPattern = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function cannot(what: string): Void {
  return new Void('type', 'conversion', `the evidence holds something that is not ${what}`);
}
const notNumber = cannot('a number');
const notBoolean = cannot('true or false');
const notText = cannot('a text');
const notDate = cannot('a date');
const notDuration = cannot('a duration');
const notList = cannot('a list');
const notObject = cannot('an object');
const notPrincipal = cannot('a principal of a policy');
const notVersion = cannot('a version number');

export interface Conversion {
  readonly name: string;
  /** What it takes and gives, for the reference. */
  readonly summary: string;
  readonly convert: (value: Json) => Value;
}

/** The only text that IAM takes for a principal is `*`; otherwise it is an object of kinds, each with one id or a list of them. */
function principals(value: Json): Value {
  if (value === '*') return [{ kind: 'AWS', id: '*' }];
  if (!isJsonObject(value)) return notPrincipal;
  const found: Json[] = [];
  for (const [kind, ids] of Object.entries(value)) {
    for (const id of Array.isArray(ids) ? ids : [ids]) {
      if (typeof id !== 'string' || !isPrincipalId(kind, id)) return notPrincipal;
      found.push({ kind, id });
    }
  }
  // A statement names at least one: nothing left means that something was lost.
  return found.length === 0 ? notPrincipal : found;
}

function text(name: string, summary: string, change: (value: string) => Value): Conversion {
  return { name, summary, convert: (value) => (typeof value === 'string' ? change(value) : notText) };
}

/** The values of `as:`. Each takes what it names and nothing else: anything else is unknown. */
export const conversions: readonly Conversion[] = [
  {
    name: 'number',
    summary: 'A number, or a text holding one (`"60.0"`): the only way a text counts as a number.',
    convert: (value) =>
      typeof value === 'number'
        ? value
        : typeof value === 'string' && value.length < 40 && numberPattern.test(value)
          ? Number(value)
          : notNumber,
  },
  {
    name: 'boolean',
    summary: '`true` or `false`, or a text holding one of them in any case.',
    convert: (value) => {
      if (typeof value === 'boolean') return value;
      const lower = typeof value === 'string' && value.length < 6 ? value.toLowerCase() : '';
      return lower === 'true' ? true : lower === 'false' ? false : notBoolean;
    },
  },
  {
    name: 'seconds',
    summary: 'A duration (`7776000s`, `P90D`, `90.00:00:00`) as a number of seconds.',
    convert: (value) => {
      const duration = typeof value === 'string' ? parseDuration(value) : null;
      return duration === null ? notDuration : duration / 1000;
    },
  },
  {
    name: 'days',
    summary: 'A duration as a number of days.',
    convert: (value) => {
      const duration = typeof value === 'string' ? parseDuration(value) : null;
      return duration === null ? notDuration : duration / dayMs;
    },
  },
  {
    name: 'epochSeconds',
    summary: 'Seconds since 1970 (number or text) as a date.',
    convert: (value) => epoch(value, 1000),
  },
  {
    name: 'epochMillis',
    summary: 'Milliseconds since 1970 (number or text) as a date.',
    convert: (value) => epoch(value, 1),
  },
  {
    name: 'instant',
    summary: 'A date as text, or as milliseconds since 1970 (a number, not before 1973), as a date: AWS Config writes both.',
    convert: (value) => {
      if (typeof value === 'string') return parseDate(value) === null ? notDate : value;
      // Smaller ones are seconds of our time.
      return typeof value === 'number' && value >= 1e11 ? epoch(value, 1) : notDate;
    },
  },
  {
    name: 'version',
    summary: 'A dotted version (`1.29.4`, `TLS1_2`, `v1.2`) as a number to compare with: major × 10⁶ + minor × 10³ + patch.',
    convert: (value) => {
      const parts = typeof value === 'string' && value.length < 64 ? /(\d{1,6})(?:[._](\d{1,3}))?(?:[._](\d{1,3}))?/.exec(value) : null;
      return parts === null ? notVersion : Number(parts[1]) * 1_000_000 + Number(parts[2] ?? 0) * 1000 + Number(parts[3] ?? 0);
    },
  },
  text('lower', 'A text in lower case.', (value) => value.toLowerCase()),
  text('upper', 'A text in upper case.', (value) => value.toUpperCase()),
  text('trim', 'A text without white space at its ends.', (value) => value.trim()),
  text('length', 'The number of characters of a text.', (value) => value.length),
  {
    name: 'count',
    summary: 'The number of elements of a list.',
    convert: (value) => (Array.isArray(value) ? value.length : notList),
  },
  {
    name: 'entries',
    summary: 'An object as a list of `{ key, value }`, for looking through keys that are not known beforehand.',
    convert: (value) => (isJsonObject(value) ? Object.entries(value).map(([key, entry]) => ({ key, value: entry })) : notObject),
  },
  {
    name: 'principals',
    summary:
      'The `Principal` of an AWS policy statement as a list of `{ kind, id }`: `"*"` and `{ "AWS": "*" }` both give `{ kind: AWS, id: "*" }`.',
    convert: principals,
  },
];

function epoch(value: Json, unit: number): Value {
  const number = typeof value === 'string' && numberPattern.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || Math.abs(number * unit) > 8.64e15) return notDate;
  return new Date(number * unit).toISOString();
}

export const conversionNames: readonly string[] = conversions.map((conversion) => conversion.name);

export function conversionNamed(name: string): ((value: Value) => Value) | undefined {
  const found = conversions.find((conversion) => conversion.name === name);
  if (found === undefined) return undefined;
  return (value) => {
    if (value instanceof Void || value === null) return value;
    if (value instanceof ListValue) {
      if (name !== 'count') return notText;
      return value.complete ? value.items.length : new Void('unresolved', 'list-incomplete', value.because);
    }
    return isRedacted(value) ? REDACTED : found.convert(value);
  };
}
