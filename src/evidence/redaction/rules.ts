import { ownCopy, type Way, withoutHalfBlanks } from './leaves.ts';

/** Fields that hold secrets by their nature, whatever the value looks like. `path` is lower case, `/`-joined, list positions as `*`. */
interface FieldRule {
  readonly id: string;
  readonly path: RegExp;
  /** Values that are settings rather than secrets stay readable: controls judge them. */
  readonly keepSettings: boolean;
}

const fieldRules: readonly FieldRule[] = [
  { id: 'environment-variable', path: /\/environment\/variables\/[^/]+$/, keepSettings: true },
  { id: 'environment-variable', path: /\/environment(variables)?\/\*\/(secure)?value$/, keepSettings: true },
  { id: 'environment-variable', path: /\/environmentvariables\/[^/*]+$/, keepSettings: true },
  { id: 'environment-variable', path: /\/env\/\*\/value$/, keepSettings: true },
  { id: 'user-data', path: /\/(userdata|customdata|user_data|custom_data)$/, keepSettings: false },
  { id: 'app-setting', path: /\/(appsettings|app_settings)\/(\*\/value|[^/*]+)$/, keepSettings: true },
  { id: 'connection-string', path: /\/connectionstrings\/(\*\/(connectionstring|value)|[^/*]+(\/value)?)$/, keepSettings: false },
  { id: 'connection-string', path: /\/[^/]*connectionstring$/, keepSettings: false },
  { id: 'instance-metadata', path: /\/metadata\/items\/\*\/value$/, keepSettings: true },
  { id: 'instance-metadata', path: /\/commoninstancemetadata\/items\/\*\/value$/, keepSettings: true },
  {
    id: 'password',
    path: /\/(password|adminpassword|administratorloginpassword|masteruserpassword|master_user_password|rootpassword|secretstring|clientsecret|client_secret|sharedsecret|accountkey|sharedaccesskey|primarykey|secondarykey|primarymasterkey|secondarymasterkey|privatekeydata|authtoken|auth_token)$/,
    keepSettings: false,
  },
  { id: 'customer-supplied-key', path: /\/(rawkey|rsaencryptedkey)$/, keepSettings: false },
];

/** Steps of a path that a rule looks at: no pattern above has more slashes. */
const stepsSeen = 4;

/** The rule of a path, as FieldRule writes paths. */
export function ruleOfPath(path: string): FieldRule | null {
  return fieldRules.find((one) => one.path.test(path)) ?? null;
}

/** What is known of the paths that end alike, from their last step upwards. */
interface Ending {
  /** Undefined while nobody has asked for just this path. */
  rule?: FieldRule | null;
  readonly above: Map<string | number, Ending>;
}

/** Paths repeat from record to record; keys that do not (tags) must not fill the memory. */
let endings: Ending = { above: new Map() };
let endingsKnown = 0;
const endingsRemembered = 20_000;

/** Longer keys name no field that a rule knows, and are not worth the memory. */
const longestRemembered = 256;

/** The rule of a way, without writing out its path where it was met before. */
function ruleOfWay(way: Way): FieldRule | null {
  const first = Math.max(0, way.length - stepsSeen);
  for (let at = first; at < way.length; at += 1) {
    const step = way[at]?.step;
    if (typeof step === 'string' && step.length > longestRemembered) return ruleOfSteps(way.slice(first));
  }
  let ending = endings;
  for (let at = way.length - 1; at >= first; at -= 1) {
    const { step } = way[at] as Way[number];
    // Positions in lists are all one; no key is a number.
    const key = typeof step === 'number' ? 0 : step;
    let above = ending.above.get(key);
    if (above === undefined) {
      ending.above.set(typeof key === 'string' ? ownCopy(key) : key, (above = { above: new Map() }));
      endingsKnown += 1;
    }
    ending = above;
  }
  if (ending.rule !== undefined) return ending.rule;
  const rule = ruleOfSteps(way.slice(first));
  ending.rule = rule;
  if (endingsKnown >= endingsRemembered) {
    endings = { above: new Map() };
    endingsKnown = 0;
  }
  return rule;
}

/** A key may hold a slash or be an asterisk: it is looked at as it stands, and as one step. */
function ruleOfSteps(way: Way): FieldRule | null {
  const path = (nameOf: (key: string) => string): string =>
    way.map(({ step }) => (typeof step === 'number' ? '/*' : `/${nameOf(step.toLowerCase())}`)).join('');
  return ruleOfPath(path((key) => key)) ?? ruleOfPath(path((key) => key.replace(/[/*]/g, '_')));
}

/** Settings: booleans, small numbers, and the empty string. None of these is a secret worth a hash. */
const setting = /^(true|false|yes|no|on|off|enabled|disabled|none|\d{1,5})?$/i;

/** Secrets inside longer values; group 1 is the part to replace. Run on the decoded value. */
const valueRules: readonly { id: string; hint: string; pattern: RegExp }[] = [
  { id: 'sas-signature', hint: 'sig=', pattern: /[?&;]sig=([A-Za-z0-9%+/=_-]{20,})/dg },
  { id: 'connection-string', hint: 'Key=', pattern: /(?:AccountKey|SharedAccessKey)=([^;"\s]{12,})/dg },
  { id: 'connection-string', hint: '=', pattern: /(?:^|;)\s*(?:Password|Pwd)=([^;"]{4,})/dgi },
  { id: 'url-credentials', hint: '://', pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"]{1,200}:([^\s@/"]{3,200})@/dgi },
  {
    id: 'private-key',
    hint: 'PRIVATE KEY',
    pattern: /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----((?:(?!-----BEGIN)[\s\S]){1,20000}?)-----END/dg,
  },
];

/** The rule that a field falls under by its path, or null. */
export function fieldRule(way: Way, value: string): string | null {
  if (value === '') return null;
  const rule = ruleOfWay(way);
  if (rule === null || (rule.keepSettings && setting.test(value))) return null;
  return rule.id;
}

export interface SecretPart {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}
const nothing: readonly SecretPart[] = [];

/** Parts of a value that are secrets by their form: offsets in the value as given. */
export function secretParts(value: string): readonly SecretPart[] {
  // No rule finds anything shorter than `Pwd=` with its value, nor without one of these.
  if (value.length < 8 || !(value.includes('=') || value.includes('://') || value.includes('PRIVATE KEY'))) return nothing;
  const found: SecretPart[] = [];
  const letters = withoutHalfBlanks(value);
  for (const { id, hint, pattern } of valueRules) {
    if (!letters.includes(hint)) continue;
    for (const match of letters.matchAll(pattern)) {
      const range = match.indices?.[1];
      if (range) found.push({ rule: id, start: range[0], end: range[1] });
    }
  }
  return found;
}

/** How a replaced value begins. A condition that meets it knows that the value was there and is withheld. */
export const marker = '[redacted by exhibit';

/** `key`: the number of a replaced key, so that no two keys of an object become one. */
export function replacement(rule: string, key?: number): string {
  return `${marker}: ${rule}${key === undefined ? '' : `, key ${key}`}]`;
}
