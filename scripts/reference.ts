/** Renews the generated tables of docs/control-language.md. `npm test` fails when they are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renewReference } from '../src/controls/catalogue/language-reference.ts';

const file = join(import.meta.dirname, '../docs/control-language.md');
writeFileSync(file, renewReference(readFileSync(file, 'utf8')));
