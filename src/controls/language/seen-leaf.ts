import type { Json, Leaf } from '../../model/index.ts';
import { quoted } from '../../text/json.ts';

/** The place of a condition in a check: what is the same of all its leaves. */
export interface LeafSite {
  readonly id: string;
  readonly path: string;
  readonly operator: string;
  /** Undefined where it differs from subject to subject. */
  readonly expected: Json | undefined;
  /** All of the leaf's JSON that comes before what differs. */
  readonly head: string;
}

export function leafSite(id: string, path: string, operator: string, expected: Json | undefined): LeafSite {
  const head = `{"id":${quoted(id)},"path":${quoted(path)},"operator":${quoted(operator)},"expected":`;
  return { id, path, operator, expected, head: expected === undefined ? head : `${head}${JSON.stringify(expected)},"outcome":"` };
}

/** A leaf that a condition wrote: it knows the part of its JSON that was made when the check was compiled. */
export class SeenLeaf implements Leaf {
  readonly id: string;
  readonly path: string;
  readonly operator: string;
  readonly expected: Json;
  readonly outcome: Leaf['outcome'];
  declare source?: number;
  declare observed?: Json;
  declare because?: string;
  readonly #site: LeafSite;

  /** `expected` is read only where the site has none. */
  constructor(site: LeafSite, outcome: Leaf['outcome'], source: number | undefined, expected?: Json) {
    this.id = site.id;
    this.path = site.path;
    this.operator = site.operator;
    this.expected = site.expected === undefined ? (expected as Json) : site.expected;
    this.outcome = outcome;
    if (source !== undefined) this.source = source;
    this.#site = site;
  }

  /** What `JSON.stringify` would write. */
  json(): string {
    const { head, expected } = this.#site;
    let text = expected === undefined ? `${head}${JSON.stringify(this.expected)},"outcome":"${this.outcome}"` : `${head}${this.outcome}"`;
    if (this.source !== undefined) text += `,"source":${this.source}`;
    const { observed } = this;
    if (observed !== undefined) text += `,"observed":${typeof observed === 'string' ? quoted(observed) : JSON.stringify(observed)}`;
    if (this.because !== undefined) text += `,"because":${quoted(this.because)}`;
    return `${text}}`;
  }
}

export function leafJson(leaf: Leaf): string {
  return leaf instanceof SeenLeaf ? leaf.json() : JSON.stringify(leaf);
}

export function leavesJson(leaves: readonly Leaf[]): string {
  let text = '[';
  for (let at = 0; at < leaves.length; at += 1) text += at === 0 ? leafJson(leaves[at] as Leaf) : `,${leafJson(leaves[at] as Leaf)}`;
  return `${text}]`;
}
