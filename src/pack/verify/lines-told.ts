import { hash } from 'node:crypto';
import type { ProblemList } from './codes.ts';

type Block = readonly [offset: number, length: number];

/** Of a finding, where its observations are said to lie. */
interface Placed {
  readonly control: { readonly id: string; readonly checks: readonly { readonly id: string; readonly kind: string }[] };
  readonly observations: { readonly blocks: readonly Block[] };
}

/** An observation as far as telling it from others goes. */
interface ToldLine {
  readonly id: string;
  /** The whole of it. */
  readonly text: string;
  readonly control: string;
  readonly check: string;
  /** Scope, type and name of the resource that was judged; null for what is not about one. */
  readonly resource: string | null;
}

interface LinesCheck {
  /** The next line, and its length without the line feed; null for one that cannot be read. */
  take(line: ToldLine | null, bytes: number): void;
  finish(findings: readonly Placed[], problems: ProblemList): void;
}

/**
 * Whether each observation is there once, and in the place where reports look for it: a second copy of one that passes could stand in
 * for one that fails, and a block that no finding names would be in no report.
 */
export function linesCheck(path: string): LinesCheck {
  const blocks = new Map<string, [number, number][]>();
  const texts = digests();
  const subjects = digests();
  const twice: string[] = [];
  /** By check: how many resources were judged again. */
  const again = new Map<string, number>();
  let at = 0;

  return {
    take(line, bytes) {
      const begin = at;
      at += bytes + 1;
      if (line === null) return;
      const { id, text, control, check, resource } = line;
      const own = blocks.get(control);
      const last = own?.at(-1);
      if (!own) blocks.set(control, [[begin, bytes + 1]]);
      else if (last && last[0] + last[1] === begin) last[1] += bytes + 1;
      else own.push([begin, bytes + 1]);
      if (!texts.add(text)) twice.push(id);
      const judge = `${control}\n${check}`;
      if (resource !== null && !subjects.add(`${judge}\n${resource}`)) again.set(judge, (again.get(judge) ?? 0) + 1);
    },
    finish(findings, problems) {
      for (const id of twice) problems.add('results-disagree', `the observation ${id} is there twice`, path);
      const native = new Set(
        findings.flatMap(({ control }) => control.checks.flatMap(({ id, kind }) => (kind === 'verdict' ? [`${control.id}\n${id}`] : []))),
      );
      // Several deployments of a native rule may judge a resource.
      for (const [judge, count] of again)
        if (!native.has(judge))
          problems.add('results-disagree', `${judge.replace('\n', '/')} judges ${String(count)} resources more than once`, path);
      for (const { control, observations } of findings)
        if (JSON.stringify(joined(observations.blocks)) !== JSON.stringify(blocks.get(control.id) ?? []))
          problems.add('results-disagree', `${control.id} names other places than those where its observations lie`, path);
    },
  };
}

/** Blocks in order, those that touch as one. */
function joined(blocks: readonly Block[]): Block[] {
  const found: [number, number][] = [];
  for (const [offset, length] of [...blocks].sort((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last && last[0] + last[1] === offset) last[1] += length;
    else found.push([offset, length]);
  }
  return found;
}

/** A set of texts by the first 64 bits of their digests: some twenty bytes for each. */
export function digests(): { add(text: string): boolean; has(text: string): boolean } {
  let slots = new BigUint64Array(1 << 10);
  let count = 0;
  const put = (digest: bigint): boolean => {
    let slot = Number(digest & BigInt(slots.length - 1));
    for (; slots[slot] !== 0n; slot = (slot + 1) % slots.length) if (slots[slot] === digest) return false;
    slots[slot] = digest;
    return true;
  };
  const digestOf = (text: string): bigint => BigInt(`0x${hash('sha256', text).slice(0, 16)}`) | 1n;
  return {
    has(text) {
      const digest = digestOf(text);
      for (let slot = Number(digest & BigInt(slots.length - 1)); slots[slot] !== 0n; slot = (slot + 1) % slots.length)
        if (slots[slot] === digest) return true;
      return false;
    },
    add(text) {
      if (count * 4 >= slots.length * 3) {
        const old = slots;
        slots = new BigUint64Array(old.length * 2);
        for (const digest of old) if (digest !== 0n) put(digest);
      }
      const added = put(digestOf(text));
      if (added) count += 1;
      return added;
    },
  };
}
