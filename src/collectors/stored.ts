import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../model/index.ts';
import type { Series } from './paging.ts';

/** The stored pages of a series, in order. Throws what the file system throws: they were just written. */
export function* storedPages(runDirectory: string, series: Pick<Series, 'directory' | 'pages'>): Generator<{ json: Json; file: string }> {
  for (let page = 1; page <= series.pages; page += 1) {
    const file = `${series.directory}/page-${String(page).padStart(6, '0')}.json`;
    yield { json: JSON.parse(readFileSync(join(runDirectory, file), 'utf8')) as Json, file };
  }
}
