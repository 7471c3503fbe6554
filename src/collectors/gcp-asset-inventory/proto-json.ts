import type { Json, JsonObject } from '../../model/index.ts';

/**
 * gRPC messages as proto3 JSON, by the descriptors the SDK brings (`protos.json`): what the service's REST form would have
 * answered. Fields at their default are left out, timestamps are RFC 3339, bytes base64, 64-bit integers strings.
 */

interface Field {
  readonly type: string;
  readonly rule?: string;
  readonly keyType?: string;
}

export interface Descriptor {
  readonly fields?: Readonly<Record<string, Field>>;
  readonly oneofs?: Readonly<Record<string, { readonly oneof: readonly string[] }>>;
  readonly values?: Readonly<Record<string, number>>;
  readonly nested?: Readonly<Record<string, Descriptor>>;
}

type Message = Readonly<Record<string, unknown>>;

const maxDepth = 200;

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function seconds(value: unknown): number {
  return typeof value === 'number'
    ? value
    : typeof value === 'string'
      ? Number(value)
      : isMessage(value) && typeof value.low === 'number' && typeof value.high === 'number'
        ? value.high * 2 ** 32 + (value.low >>> 0)
        : 0;
}

/** `{seconds, nanos}` with as many digits as it needs: 0, 3, 6 or 9; '' for what is no instant. */
export function timestampText(value: Message): string {
  const nanos = seconds(value.nanos);
  const instant = new Date(seconds(value.seconds) * 1000);
  if (Number.isNaN(instant.getTime())) return '';
  const whole = instant.toISOString().slice(0, 19);
  return `${whole}${fraction(nanos)}Z`;
}

function fraction(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`;
}

/** `{seconds, nanos}` of a length of time. */
export function durationText(value: Message): string {
  const nanos = seconds(value.nanos);
  const whole = seconds(value.seconds);
  return `${whole < 0 || nanos < 0 ? '-' : ''}${Math.abs(whole)}${fraction(Math.abs(nanos))}s`;
}

/** `{fields: {name: Value}}`. Names are data: `__proto__` is as good as any. */
export function structJson(value: unknown, depth = 0): JsonObject {
  const out: JsonObject = {};
  const fields = isMessage(value) && isMessage(value.fields) ? value.fields : {};
  for (const [name, held] of Object.entries(fields)) define(out, name, valueJson(held, depth + 1));
  return out;
}

function define(out: JsonObject, name: string, value: Json): void {
  if (name !== '__proto__') {
    out[name] = value;
    return;
  }
  Object.defineProperty(out, name, { value, enumerable: true, configurable: true, writable: true });
}

function valueJson(value: unknown, depth: number): Json {
  if (!isMessage(value) || depth > maxDepth) return null;
  // The decoder names the member that is set; without it, the first that is there.
  const kind =
    typeof value.kind === 'string'
      ? value.kind
      : ['stringValue', 'numberValue', 'boolValue', 'structValue', 'listValue'].find(
          (name) => value[name] !== undefined && value[name] !== null,
        );
  switch (kind) {
    case 'stringValue':
      return typeof value.stringValue === 'string' ? value.stringValue : '';
    case 'numberValue':
      return typeof value.numberValue === 'number'
        ? Number.isFinite(value.numberValue)
          ? value.numberValue
          : String(value.numberValue)
        : 0;
    case 'boolValue':
      return value.boolValue === true;
    case 'structValue':
      return structJson(value.structValue, depth);
    case 'listValue':
      return listJson(value.listValue, depth);
    default:
      return null;
  }
}

function listJson(value: unknown, depth: number): Json[] {
  const values = isMessage(value) && Array.isArray(value.values) ? value.values : [];
  return values.map((held) => valueJson(held, depth + 1));
}

const wellKnown: Readonly<Record<string, (value: Message, depth: number) => Json>> = {
  'google.protobuf.Timestamp': timestampText,
  'google.protobuf.Duration': durationText,
  'google.protobuf.Struct': (value, depth) => structJson(value, depth),
  'google.protobuf.Value': (value, depth) => valueJson(value, depth),
  'google.protobuf.ListValue': (value, depth) => listJson(value, depth),
  'google.protobuf.FieldMask': (value) => (Array.isArray(value.paths) ? value.paths.join(',') : ''),
};
const wrapper = /^google\.protobuf\.(?:Bool|String|Bytes|U?Int32|U?Int64|Float|Double)Value$/;

function at(root: Descriptor, path: readonly string[]): Descriptor | undefined {
  let found: Descriptor | undefined = root;
  for (const step of path) found = found?.nested?.[step];
  return found;
}

/** A type name as protobuf resolves it: from the message outwards. */
function resolve(root: Descriptor, name: string, from: readonly string[]): { path: readonly string[]; descriptor: Descriptor } | null {
  const steps = name.replace(/^\./, '').split('.');
  for (let depth = from.length; depth >= 0; depth -= 1) {
    const path = [...from.slice(0, depth), ...steps];
    const descriptor = at(root, path);
    if (descriptor?.fields !== undefined || descriptor?.values !== undefined) return { path, descriptor };
  }
  return null;
}

function scalarJson(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  if (isMessage(value) && 'low' in value && 'high' in value) return String(seconds(value));
  return null;
}

function isDefault(value: Json): boolean {
  return value === '' || value === 0 || value === false || value === '0';
}

/** A message type as it is walked: resolved once, for every message of that type. */
interface Plan {
  readonly special: ((value: Message, depth: number) => Json) | null;
  readonly fields: readonly PlannedField[];
}

interface PlannedField {
  readonly name: string;
  readonly map: boolean;
  readonly repeated: boolean;
  /** Member of a oneof: shown where it is set, even to its default. */
  readonly optional: boolean;
  /** Name of the enum's zero. */
  readonly zero: string | null;
  readonly message: (() => Plan) | null;
}

const plans = new WeakMap<Descriptor, Map<string, Plan>>();

function planOf(root: Descriptor, path: readonly string[], descriptor: Descriptor): Plan {
  const known = plans.get(root) ?? new Map<string, Plan>();
  plans.set(root, known);
  const name = path.join('.');
  const made = known.get(name);
  if (made !== undefined) return made;
  const optional = new Set(Object.values(descriptor.oneofs ?? {}).flatMap((one) => one.oneof));
  const plan: Plan = {
    special: wellKnown[name] ?? (wrapper.test(name) ? (value) => scalarJson(value.value) : null),
    fields: Object.entries(descriptor.fields ?? {}).map(([fieldName, field]) => {
      const type = resolve(root, field.type, path);
      const values = type?.descriptor.values;
      return {
        name: fieldName,
        map: field.keyType !== undefined,
        repeated: field.rule === 'repeated',
        optional: optional.has(fieldName),
        zero: values === undefined ? null : (Object.keys(values).find((value) => values[value] === 0) ?? null),
        message: type?.descriptor.fields === undefined ? null : () => planOf(root, type.path, type.descriptor),
      };
    }),
  };
  known.set(name, plan);
  return plan;
}

function single(value: unknown, field: PlannedField, depth: number): Json {
  return field.message === null || !isMessage(value) ? scalarJson(value) : messageJson(value, field.message(), depth + 1);
}

function messageJson(message: Message, plan: Plan, depth: number): Json {
  if (plan.special !== null) return plan.special(message, depth);
  if (depth > maxDepth) return null;
  const out: JsonObject = {};
  for (const field of plan.fields) {
    const value = message[field.name];
    if (value === null || value === undefined) continue;
    if (field.map) {
      if (!isMessage(value) || Object.keys(value).length === 0) continue;
      const map: JsonObject = {};
      for (const [entryKey, held] of Object.entries(value)) define(map, entryKey, single(held, field, depth));
      out[field.name] = map;
    } else if (field.repeated) {
      if (Array.isArray(value) && value.length > 0) out[field.name] = value.map((held) => single(held, field, depth));
    } else {
      const json = single(value, field, depth);
      if (field.optional || !(isDefault(json) || (field.zero !== null && json === field.zero))) out[field.name] = json;
    }
  }
  return out;
}

/** `type` in full: `google.cloud.asset.v1.ListAssetsResponse`. Throws for a type that the descriptors do not hold. */
export function protoJson(root: Descriptor, type: string, message: unknown): JsonObject {
  const path = type.split('.');
  const descriptor = at(root, path);
  if (descriptor?.fields === undefined) throw new Error(`no descriptor of ${type}`);
  return messageJson(isMessage(message) ? message : {}, planOf(root, path, descriptor), 0) as JsonObject;
}
