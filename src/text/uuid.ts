import { hash } from 'node:crypto';

/** Namespace of all names (UUID v5), fixed for ever: the same observation has the same id in every run. */
const namespace = Buffer.from('7b0c1f5e9d3a4e6b8f21c4d5a6b7e8f9', 'hex');
let scratch = Buffer.alloc(4096);
namespace.copy(scratch);

/** UUID v5 of a name. */
export function uuidV5(name: string): string {
  const most = namespace.length + name.length * 3;
  if (most > scratch.length) {
    scratch = Buffer.alloc(most * 2);
    namespace.copy(scratch);
  }
  const written = scratch.write(name, namespace.length, 'utf8');
  const digest = hash('sha1', scratch.subarray(0, namespace.length + written), 'hex');
  const variant = ((Number.parseInt(digest.slice(16, 18), 16) & 0x3f) | 0x80).toString(16).padStart(2, '0');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(18, 20)}-${digest.slice(20, 32)}`;
}
