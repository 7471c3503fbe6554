import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { accessSchema, readersSchema } from '../model/index.ts';
import type { Access, Readers, StoreAccess } from '../model/index.ts';
import { lines } from './observations.ts';

/** Sets of readers held at a time: stores that lie beside each other mostly share theirs. */
const held = 500;

/**
 * Every critical store of a `results` directory with its readers, of which the most recent are held and the others read again where they lie: there may be
 * as many sets as stores. Throws when a line names readers that are not there.
 */
export async function* storesOf(results: string): AsyncGenerator<StoreAccess> {
  const files = { access: join(results, 'access.ndjson'), readers: join(results, 'readers.ndjson') };
  const places = new Map<string, readonly [number, number]>();
  let at = 0;
  for await (const line of lines(files.readers)) {
    const length = Buffer.byteLength(line);
    places.set(idOf(line), [at, length]);
    at += length + 1;
  }
  const handle = await open(files.readers);
  try {
    const recent = new Map<string, Readers>();
    for await (const line of lines(files.access)) {
      const { subject, readers: id } = accessSchema.parse(JSON.parse(line));
      let readers = recent.get(id);
      recent.delete(id);
      if (readers === undefined) {
        const place = places.get(id);
        if (place === undefined)
          throw new Error(`access.ndjson: the readers ${id} of ${subject.uid} are not in readers.ndjson; assess again`);
        const { buffer } = await handle.read(Buffer.alloc(place[1]), 0, place[1], place[0]);
        readers = readersSchema.parse(JSON.parse(buffer.toString('utf8')));
      }
      recent.set(id, readers);
      if (recent.size > held) recent.delete(recent.keys().next().value as string);
      yield { subject, readers };
    }
  } finally {
    await handle.close();
  }
}

/** The lines about critical stores of a `results` directory. */
export async function* accessLines(results: string): AsyncGenerator<Access> {
  for await (const line of lines(join(results, 'access.ndjson'))) yield accessSchema.parse(JSON.parse(line));
}

/** The sets of readers that they name. */
export async function* readersLines(results: string): AsyncGenerator<Readers> {
  for await (const line of lines(join(results, 'readers.ndjson'))) yield readersSchema.parse(JSON.parse(line));
}

/** A principal that gets in by several ways is one. */
export function distinctPrincipals(principals: Readers['principals']): number {
  return new Set(principals.map(({ principal }) => principal)).size;
}

const idSchema = readersSchema.pick({ id: true });

function idOf(line: string): string {
  return idSchema.parse(JSON.parse(line)).id;
}
