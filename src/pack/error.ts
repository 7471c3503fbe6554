/** What stands in the way of sealing and can be mended by whoever asked for it: keys, permissions, an unfinished run. */
export class PackError extends Error {
  override readonly name: string = 'PackError';
}
