import type { CriticalConfig } from '../../config/schema.ts';
import type { Resource } from '../../model/index.ts';

/** Whether a resource holds critical data by the configuration, and what decided. */
export interface Criticality {
  readonly critical: 'yes' | 'no' | 'unknown';
  readonly because: string;
}

/** `*` is any run of characters, `?` one character; compared without case, so that a glob selects rather more than less. */
export function globMatcher(glob: string): (text: string) => boolean {
  if (!/[*?]/.test(glob)) {
    const literal = glob.toLowerCase();
    return (text) => text.toLowerCase() === literal;
  }
  const parts = glob.toLowerCase().split(/\*+/);
  return (text) => matchParts(text.toLowerCase(), parts);
}

/** Linear in the text for each part: a regular expression with many stars could take for ever on a hostile name. */
function matchParts(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  if (!matchesAt(text, first, 0)) return false;
  const last = rest.pop();
  if (last === undefined) return text.length === first.length;
  let at = first.length;
  for (const part of rest) {
    const found = find(text, part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  const tail = text.length - last.length;
  return tail >= at && matchesAt(text, last, tail);
}

function matchesAt(text: string, part: string, at: number): boolean {
  if (at + part.length > text.length) return false;
  for (let i = 0; i < part.length; i += 1) if (part[i] !== '?' && part[i] !== text[at + i]) return false;
  return true;
}

function find(text: string, part: string, from: number): number {
  if (!part.includes('?')) return text.indexOf(part, from);
  for (let at = from; at + part.length <= text.length; at += 1) if (matchesAt(text, part, at)) return at;
  return -1;
}

interface TagRule {
  readonly tag: string;
  readonly matches: (value: string) => boolean;
}

function tagRules(tags: Readonly<Record<string, readonly string[]>> | undefined): TagRule[] {
  return Object.entries(tags ?? {}).map(([tag, values]) => {
    const accepted = values.map(globMatcher);
    return { tag: tag.toLowerCase(), matches: (value) => accepted.some((accept) => accept(value)) };
  });
}

function tagThatMatches(rules: readonly TagRule[], tags: Readonly<Record<string, string>>): string | null {
  if (rules.length === 0) return null;
  for (const name of Object.keys(tags)) {
    const value = tags[name] ?? '';
    const lower = name.toLowerCase();
    if (rules.some((rule) => rule.tag === lower && rule.matches(value))) return `${name}=${value}`;
  }
  return null;
}

/**
 * The critical-data selector of exhibit.yaml. Any selector that matches makes a resource critical, also where a tag says
 * the contrary; a tag that positively says "not critical" excludes it; what nothing decides counts as `unclassified` says.
 */
export function criticalSelector(config: CriticalConfig): (resource: Resource) => Criticality {
  const tags = tagRules(config.tags);
  const notCritical = tagRules(config.notCriticalTags);
  const names = (config.names ?? []).map((glob) => ({ glob, matches: globMatcher(glob) }));
  const ids = (config.ids ?? []).map((glob) => ({ glob, matches: globMatcher(glob) }));
  return (resource) => {
    const tag = tagThatMatches(tags, resource.tags);
    if (tag !== null) return { critical: 'yes', because: `tag ${tag}` };
    const name = names.find((one) => one.matches(resource.name));
    if (name) return { critical: 'yes', because: `name matches ${name.glob}` };
    const id = ids.find((one) => one.matches(resource.uid));
    if (id) return { critical: 'yes', because: `id matches ${id.glob}` };
    const not = tagThatMatches(notCritical, resource.tags);
    if (not !== null) return { critical: 'no', because: `tag ${not}` };
    if (config.unclassified === 'critical') return { critical: 'yes', because: 'unclassified resources count as critical' };
    if (config.unclassified === 'not-critical') return { critical: 'no', because: 'unclassified resources count as not critical' };
    return { critical: 'unknown', because: 'no tag, name or id classifies it, and unclassified resources are not to be guessed' };
  };
}
