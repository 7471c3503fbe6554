import { getRandomValues } from 'node:crypto';

/** One character into a lane: a product spreads it upwards, the rotation brings it down again. */
function mix(lane: number, code: number, factor: number): number {
  const product = Math.imul(lane ^ code, factor);
  return (product << 13) | (product >>> 19);
}

/** Every bit of a lane into every other. */
function spread(lane: number): number {
  const high = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  const low = Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return low ^ (low >>> 16);
}

/** Where the lanes begin: another place in each process, so that nobody can name two resources in such a way that they look like one. */
const [startOne, startOther] = getRandomValues(new Int32Array(2)) as unknown as [number, number];

/**
 * 53 bits of an id, within this process: enough to tell the ids of one query apart without keeping them. Two of a million are taken
 * for one another once in eighteen thousand queries, and then the query counts as one whose rows repeat: never as whole.
 */
export function fingerprint(id: string): number {
  let one = startOne;
  let other = startOther;
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    one = mix(one, code, 0x9e3779b1);
    other = mix(other, code, 0x85ebca77);
  }
  one = spread(one ^ id.length);
  other = spread(other ^ Math.imul(one, 0x27d4eb2f));
  return (other & 0x1fffff) * 2 ** 32 + (one >>> 0);
}
