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

/**
 * 53 bits of an id: enough to tell the ids of one query apart without keeping them. Two of a million are taken for one another
 * once in eighteen thousand queries, and then the query counts as one whose rows repeat: never as whole. So nothing is gained by
 * making two ids alike, and no digest is needed that withstands it.
 */
export function fingerprint(id: string): number {
  let one = 0x9e3779b9;
  let other = 0x7f4a7c15;
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    one = mix(one, code, 0x9e3779b1);
    other = mix(other, code, 0x85ebca77);
  }
  one = spread(one ^ id.length);
  other = spread(other ^ Math.imul(one, 0x27d4eb2f));
  return (other & 0x1fffff) * 2 ** 32 + (one >>> 0);
}
