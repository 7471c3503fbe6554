/**
 * The floor of judging: reads every stored page and parses it, with the JSON strings that AWS rows are.
 * Nothing that looks at evidence can do less. The floor counts the start of Node and this script; the stage it is held against counts the
 * start of Node, the loading of the tool and of the catalogue, the digests of all files and the writing of the results besides. Usage: parse-floor.ts RUN_DIRECTORY
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: parse-floor.ts RUN_DIRECTORY');

let pages = 0;
let bytes = 0;
let records = 0;
const started = performance.now();
for (const entry of readdirSync(join(directory, 'evidence'), { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.startsWith('page-')) continue;
  const content = readFileSync(join(entry.parentPath, entry.name));
  const page = JSON.parse(content.toString('utf8')) as { Results?: unknown[]; data?: unknown[]; assets?: unknown[] };
  pages += 1;
  bytes += content.length;
  for (const row of page.Results ?? []) {
    if (typeof row === 'string') JSON.parse(row);
    records += 1;
  }
  records += (page.data?.length ?? 0) + (page.assets?.length ?? 0);
}
process.stdout.write(JSON.stringify({ pages, bytes, records, seconds: (performance.now() - started) / 1000 }));
