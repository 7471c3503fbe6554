#!/usr/bin/env node
// From a published package the compiled command line runs; from a checkout its sources, under a supported Node.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiled = join(root, 'dist', 'cli.js');
if (existsSync(compiled)) await import(compiled);
else {
  process.argv.splice(2, 0, 'src/cli.ts');
  await import(join(root, 'scripts', 'with-runtime.mjs'));
}
