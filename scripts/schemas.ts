/** Writes the editor schemas of exhibit.yaml and of the catalogue. `npm test` fails when one is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { editorSchema } from '../src/config/editor-schema.ts';
import { catalogueSchema } from '../src/controls/catalogue/schema.ts';

writeFileSync(join(import.meta.dirname, '..', 'exhibit.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`);
writeFileSync(join(import.meta.dirname, '..', 'controls.schema.json'), `${JSON.stringify(catalogueSchema(), null, 2)}\n`);
