/** Writes the editor schema of exhibit.yaml. `npm test` fails when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { editorSchema } from '../src/config/editor-schema.ts';

writeFileSync(join(import.meta.dirname, '..', 'exhibit.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`);
