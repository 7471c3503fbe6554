import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Name and version of this tool, as packs record them. */
export const tool = {
  name: 'exhibit',
  version: (JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8')) as { version: string }).version,
} as const;

/** Root of the installed package: holds controls.yaml, templates/ and package.json. */
export const packageRoot = join(import.meta.dirname, '..');
