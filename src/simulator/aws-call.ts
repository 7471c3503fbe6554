import { isJsonObject, type Json, type JsonObject } from '../model/index.ts';
import { plain } from './estate/population.ts';
import { hash32 } from './estate/random.ts';
import { cutPage, type Fault, strikes } from './faults.ts';

/** One call as the operations see it. */
export interface AwsCall {
  readonly account: string;
  readonly region: string;
  readonly input: JsonObject;
  readonly faults: readonly Fault[];
  readonly offset: number;
  /** Same request, another page: what a token is bound to. */
  readonly binding: string;
}

export class AwsError extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** A parameter, empty where it is not a text. */
export const text = (input: JsonObject, name: string): string => (typeof input[name] === 'string' ? input[name] : '');
export const strings = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
export const object = (value: Json | undefined): JsonObject => (isJsonObject(value) ? value : {});
export const seconds = (milliseconds: number): number => Math.floor(milliseconds) / 1000;

/** Opaque to clients: where to go on, bound to the request it was handed out for. */
function sealToken(offset: number, binding: string, nonce = ''): string {
  return Buffer.from(JSON.stringify({ o: offset, b: hash32(binding).toString(16), ...(nonce === '' ? {} : { n: nonce }) })).toString(
    'base64',
  );
}

/** Offset that a token stands for. Throws AwsError for one that is another request's, or none of ours. */
export function openToken(token: string, binding: string): number {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64').toString('utf8')) as { o: number; b: string };
    if (Number.isInteger(parsed.o) && parsed.b === hash32(binding).toString(16)) return parsed.o;
  } catch {
    /* not one of ours */
  }
  throw new AwsError(
    'InvalidNextTokenException',
    'The specified next token is not valid. Specify the nextToken string that was returned in the previous response to get the next page of results.',
  );
}

/** One page of an answer, and the token to the next. */
export function page<T>(
  call: AwsCall,
  total: number,
  limit: number,
  at: (index: number) => T,
): { rows: readonly T[]; token: string | undefined } {
  const cut = cutPage(total, call.offset, limit, at, call.faults, String(call.offset));
  return { rows: cut.rows, token: cut.next === null ? undefined : sealToken(cut.next, call.binding, cut.nonce) };
}

/** Rows a page may have: `fallback` where the call does not say. Throws AwsError above `most`. */
export function limitOf(call: AwsCall, name: string, fallback: number, most: number): number {
  const value = call.input[name];
  if (value === undefined || value === null || value === 0) return fallback;
  if (typeof value !== 'number' || value < 0 || value > most)
    throw new AwsError(
      'InvalidLimitException',
      `Value '${plain(value)}' at '${name}' failed to satisfy constraint: Member must have value less than or equal to ${String(most)}`,
    );
  return value;
}

/** Under `unknown-enum-and-fields`: every record says something no client has heard of. */
export function spoil(call: AwsCall, row: JsonObject): JsonObject {
  if (!strikes(call.faults, 'unknown-enum-and-fields')) return row;
  const configuration: Json | undefined = isJsonObject(row['configuration'])
    ? { ...row['configuration'], providerExtension: { mode: 'FUTURE_MODE', since: 2031 } }
    : row['configuration'];
  const out: JsonObject = { ...row, providerExtension: { mode: 'FUTURE_MODE' } };
  if (configuration !== undefined) out['configuration'] = configuration;
  if (isJsonObject(configuration))
    for (const name of ['keyState', 'state', 'status', 'dBInstanceStatus', 'tableStatus', 'clusterStatus'])
      if (typeof configuration[name] === 'string') configuration[name] = 'FUTURE_VALUE';
  if (typeof row['ComplianceType'] === 'string') out['ComplianceType'] = 'FUTURE_VALUE';
  return out;
}
